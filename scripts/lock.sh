#!/bin/sh
# Resolves requirements/*.in into the lock files. Versions already locked are kept where they
# still fit: delete the lock files first to take newer ones.
set -eu
cd "$(dirname "$0")/../requirements"

compile() {
    "${UV:-uv}" pip compile --quiet --no-config --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        "$1.in" --output-file "$1.txt" $2
}

compile base ""
compile dev "--constraints base.txt"
