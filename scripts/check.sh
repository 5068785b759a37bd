#!/bin/sh
# Every check that needs no running product. Each names itself; only what is wrong says more.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
failed=

step() {
    name=$1
    shift
    if output=$("$@" 2>&1); then
        printf '%s: ok\n' "$name"
    else
        printf '%s: FAILED (%s)\n%s\n' "$name" "$*" "$output"
        failed="$failed, $name"
    fi
}

step "format" ruff format --check .
step "lint" ruff check .
step "types" mypy
step "import rules" lint-imports --no-logo
step "template lint" djlint --quiet --lint templates
step "security lint" bandit -q -r app -c pyproject.toml
step "translations" python scripts/check_translations.py
python scripts/audit.py || failed="$failed, dependency audit"

if [ -n "$failed" ]; then
    echo "make check failed: ${failed#, }"
    exit 1
fi
