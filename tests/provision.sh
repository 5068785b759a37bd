#!/bin/sh
# Installs what the tests need from the system: a browser and a PostgreSQL server. Where that is
# impossible it says so and the tests that need them are skipped, with their reason.
set -u

missing=
command -v chromium >/dev/null || missing="chromium fonts-liberation"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0

give_up() {
    echo "Could not install for the tests: $missing ($1). Tests that need them will be skipped." >&2
    exit 0
}

command -v apt-get >/dev/null || give_up "no apt-get here"
if [ "$(id -u)" = 0 ]; then root=; else root="sudo -n"; fi
$root true 2>/dev/null || give_up "neither root nor sudo without a password"

echo "Installing for the tests: $missing …"
apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null
}
apt update
# shellcheck disable=SC2086  # a list of packages
apt install --yes --no-install-recommends $missing || give_up "apt-get failed, see above"
