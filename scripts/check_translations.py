"""Fails when a catalogue does not say, whole and well formed, everything the code says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from babel.messages.catalog import Catalog, Message
from catalogs import LANGUAGES, extract, forms, path_of, read

BRACES = re.compile(r"\{\w*\}")


def faults_of(message: Message) -> Iterator[str]:
    """What is wrong with one translation."""
    if message.fuzzy:
        yield "fuzzy"
    if not all(forms(message)):
        yield "not translated"
        return
    for error in message.check():
        yield str(error)
    wanted = set(BRACES.findall(message.id if isinstance(message.id, str) else message.id[-1]))
    if set(BRACES.findall(forms(message)[-1])) != wanted:
        yield f"placeholders differ from {sorted(wanted)}"


def faults(code: Catalog, catalog: Catalog) -> Iterator[str]:
    """What is wrong with one catalogue."""
    for message in code:
        known = catalog.get(message.id, message.context)
        if message.id and (known is None or known.id != message.id):
            yield f"missing: {message.id!r} ({message.locations[0][0]})"
    for message in catalog:
        if not message.id:
            continue
        if code.get(message.id, message.context) is None:
            yield f"no longer in the code: {message.id!r}"
        yield from (f"{fault}: {message.id!r}" for fault in faults_of(message))
    yield from (f"obsolete: {message.id!r}" for message in catalog.obsolete.values())


def syntax(language: str) -> Iterator[str]:
    """What GNU gettext says, where it is installed."""
    if shutil.which("msgfmt") and path_of(language).exists():
        command = ["msgfmt", "--check", "--output-file=/dev/null", str(path_of(language))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            yield done.stderr.strip()


def main() -> int:
    """Prints each fault; ends with 1 if there is one."""
    code = extract()
    found = [
        f"{language}: {fault}"
        for language in LANGUAGES
        for fault in (*faults(code, read(language)), *syntax(language))
    ]
    print(*found, sep="\n", end="\n" if found else "")
    if found:
        print(f"{len(found)} faults; `make translations` brings the catalogues to the code")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
