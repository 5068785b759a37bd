#!/bin/sh
# Brings .venv to the lock: "install.sh base" for running, "install.sh dev" for tests and checks.
# Does nothing, and quickly, when it is there already.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

digest() { # of everything that decides what .venv holds
    cat requirements/base.txt "requirements/$1.txt" pyproject.toml |
        { sha256sum 2>/dev/null || shasum -a 256; }
}

current() { [ "$(cat ".venv/.installed-$1" 2>/dev/null)" = "$(digest "$1")" ]; }

usable() { # not moved with its folder, and its Python still the one it was made with
    [ "$(cat .venv/.folder 2>/dev/null)" = "$PWD" ] && [ -x .venv/bin/python ] &&
        [ -d ".venv/lib/$(.venv/bin/python -ISc 'import sys; print("python%d.%d" % sys.version_info[:2])')" ]
}

create() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "Portevoix needs Python 3.11 or later; name one with PYTHON=python3.11 make …" >&2
        exit 1
    }
    rm -rf .venv
    # Debian keeps ensurepip in a package of its own, python3-venv: do without where it is missing.
    "$python" -m venv .venv >/dev/null 2>&1 || {
        rm -rf .venv
        "$python" -m venv --without-pip .venv
    }
    printf '%s\n' "$PWD" >.venv/.folder
}

pip_install() {
    if [ -d .venv/lib/python3.*/site-packages/pip ]; then
        set -- .venv/bin/python -m pip install "$@"
    else
        set -- "$python" -m pip --python .venv/bin/python install "$@"
    fi
    "$@" --quiet --no-input --disable-pip-version-check
}

if usable; then
    if current "$1" || { [ "$1" = base ] && current dev; }; then exit 0; fi
else
    create
fi

echo "Installing the locked dependencies into .venv (about a minute, once) …"
pip_install --require-hashes -r "requirements/$1.txt"
pip_install --no-deps --no-build-isolation --editable .
digest "$1" >".venv/.installed-$1"
