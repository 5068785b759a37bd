#!/bin/sh
# Installs what the tests need: from the system a browser, a PostgreSQL server and Node, from the
# registry of npm an identity provider (tests/vendor/oidc-provider, exact versions in its lock
# file). Where that is impossible it says so and the tests that need them are skipped, with their
# reason.
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
provider="$here/build/test-tools/oidc-provider"

missing=
command -v chromium >/dev/null || missing="chromium fonts-liberation"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"

apt() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null
}

from_system() {
    why="no apt-get here"
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then root=; else root="sudo -n"; fi
    why="neither root nor sudo without a password"
    $root true 2>/dev/null || return 1
    echo "Installing for the tests: $missing …"
    why="apt-get failed, see above"
    apt update
    # shellcheck disable=SC2086  # a list of packages
    apt install --yes --no-install-recommends $missing
}

# Again only where the lock file changed; written whole before it gets its name.
from_npm() {
    cmp -s "$here/tests/vendor/oidc-provider/package-lock.json" "$provider/package-lock.json" && return
    command -v npm >/dev/null || return 1
    echo "Installing for the tests: oidc-provider …"
    draft="$provider.$$"
    mkdir -p "$draft" || return 1
    cp "$here/tests/vendor/oidc-provider/package.json" \
        "$here/tests/vendor/oidc-provider/package-lock.json" "$draft" &&
        (cd "$draft" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) &&
        rm -rf "$provider" && mv "$draft" "$provider" && return
    rm -rf "$draft"
    return 1
}

[ -z "$missing" ] || from_system ||
    echo "Could not install for the tests: $missing ($why). Tests that need them will be skipped." >&2
from_npm ||
    echo "Could not install oidc-provider with npm. The test that needs it will be skipped." >&2
exit 0
