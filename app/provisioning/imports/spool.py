"""The files themselves: kept aside in the data folder, for us alone, and not for long.

Whatever came, what is kept is UTF-8 text without a mark, with lines that end as they should; a
workbook becomes such a text in a process of its own, which a hostile file cannot take us with.
"""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from app.web import current_settings

MOST_BYTES: Final = 100 * 1024 * 1024
MOST_LINES: Final = 200_000
_CHUNK: Final = 256 * 1024
_WORKBOOK_SECONDS: Final = 120
_MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Unusable(Exception):
    """The file as a whole is no use; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def folder() -> Path:
    """Where the files wait; ours alone."""
    place = current_settings().data_dir / "imports"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def path_of(import_id: uuid.UUID) -> Path:
    return folder() / f"{import_id.hex}.csv"


def forget(import_id: uuid.UUID) -> None:
    """Delete a file; again is the same."""
    path_of(import_id).unlink(missing_ok=True)


def receive(import_id: uuid.UUID, source: BinaryIO) -> int:
    """Keep what `source` holds as text; how many bytes of it. Raises `Unusable`."""
    with _draft() as raw:
        _copy(source, raw)
        with _draft() as text:
            _as_text(raw, text)
            text.flush()
            os.fsync(text.fileno())
            size = text.tell()
            os.replace(text.name, path_of(import_id))
    return size


@contextmanager
def _draft() -> Iterator[BinaryIO]:
    """A file that is gone at the end unless it was given its name."""
    with tempfile.NamedTemporaryFile(dir=folder(), prefix="draft-", delete=False) as made:
        try:
            yield made  # type: ignore[misc]
        finally:
            Path(made.name).unlink(missing_ok=True)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise Unusable("too-large")
        target.write(chunk)
    target.flush()
    if not size:
        raise Unusable("empty")


def _as_text(raw: BinaryIO, text: BinaryIO) -> None:
    raw.seek(0)
    beginning = raw.read(8)
    if beginning.startswith(b"PK\x03\x04"):
        _workbook(raw, text)
        return
    if beginning.startswith((b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise Unusable("not-a-table")
    encoding, skip = _encoding(raw, beginning)
    ends = "\r" if _has_old_ends(raw) else None
    raw.seek(skip)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk := raw.read(_CHUNK):
        said = decoder.decode(chunk)
        text.write((said.replace(ends, "\n") if ends else said).encode())
    text.write(decoder.decode(b"", final=True).encode())


def _encoding(raw: BinaryIO, beginning: bytes) -> tuple[str, int]:
    """How the letters are written, and how many bytes say so: by its mark, else UTF-8 if all
    of it is, else windows-1252."""
    for mark, name in _MARKS:
        if beginning.startswith(mark):
            return name, len(mark)
    skip = 3 if beginning.startswith(codecs.BOM_UTF8) else 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    raw.seek(0)
    try:
        while chunk := raw.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252", skip
    return "utf-8", skip


def _has_old_ends(raw: BinaryIO) -> bool:
    """Lines that end with a carriage return alone, as old machines wrote them."""
    raw.seek(0)
    beginning = raw.read(_CHUNK)
    return b"\r" in beginning and b"\n" not in beginning


def _workbook(raw: BinaryIO, text: BinaryIO) -> None:
    """The first sheet as text, read by a process that may die."""
    command = [sys.executable, "-m", "app.provisioning.imports.workbook", raw.name]
    root = Path(__file__).resolve().parents[3]
    try:
        done = subprocess.run(
            command, stdout=text, stderr=subprocess.DEVNULL, timeout=_WORKBOOK_SECONDS,
            check=False, cwd=root, env=_ENVIRONMENT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unusable("workbook-too-large") from None
    if done.returncode:
        raise Unusable({3: "too-many-lines", 4: "empty"}.get(done.returncode, "bad-workbook"))
    text.seek(0, os.SEEK_END)


_ENVIRONMENT: Final = {"PATH": os.defpath, "PYTHONUTF8": "1"}
"""The reader of workbooks needs nothing of ours, least of all the keys."""


def old_files(older_than: float) -> Iterator[Path]:
    """What was put here before an instant (seconds since 1970), drafts included."""
    for file in folder().iterdir():
        try:
            if file.stat().st_mtime < older_than:
                yield file
        except FileNotFoundError:
            continue
