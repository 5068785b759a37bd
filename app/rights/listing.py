"""The erasure list: a small file in the data folder, outside every backup.

One line for each erased subject: kind, random number, instant, as JSON. It names nobody, and it
is readable by the product alone (mode 600). A backup holds people who were erased after it was
made; after a restore this file says whom to erase again (rule E4). It is only ever added to.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "erased.list"
SUFFIX = ".erased"
"""What is added to a backup's name for the copy of the list that stands beside it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One erased subject."""

    kind: str
    subject_id: uuid.UUID
    erased_at: dt.datetime

    @property
    def line(self) -> bytes:
        words = {
            "kind": self.kind,
            "id": str(self.subject_id),
            "at": self.erased_at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        }
        return json.dumps(words).encode() + b"\n"


def read(file: Path) -> list[Entry]:
    """The entries of a list; a missing file has none. A last line that a power cut tore is left
    out, any other unreadable line raises `ValueError`: it could be somebody."""
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [_entry(line) for line in lines[:-1] if line.strip()]


def _entry(line: bytes) -> Entry:
    try:
        words = json.loads(line)
        return Entry(
            str(words["kind"]), uuid.UUID(words["id"]), dt.datetime.fromisoformat(words["at"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the erasure list has a line that cannot be read: {error}") from error


def add(file: Path, entries: Iterable[Entry]) -> None:
    """Put entries at the end of a list, on disk before this returns."""
    data = b"".join(entry.line for entry in entries)
    if not data:
        return
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # the line before was torn
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(file: Path, target: Path) -> None:
    """Write a copy of a list beside a backup, readable by its owner alone; nothing where nobody
    was erased yet."""
    if not file.exists():
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(file.read_bytes())
        out.flush()
        os.fsync(out.fileno())
    draft.replace(target)
