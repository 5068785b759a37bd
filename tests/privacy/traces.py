"""Looking for marks in everything an installation has: tables, files, backups, the queue."""

from __future__ import annotations

import email
import email.policy
import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from redis import Redis
from sqlalchemy import select

from app.db import Base, db


def _texts_of_mail(data: bytes) -> Iterator[bytes]:
    message = email.message_from_bytes(data, policy=email.policy.default)
    for name in ("To", "From", "Subject", "Reply-To"):
        yield str(message.get(name, "")).encode()
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content


def _contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file, and what is packed in it."""
    yield name, data
    if name.endswith(".eml"):
        for text in _texts_of_mail(data):
            yield name, text
    if data[:2] == b"\x1f\x8b":
        yield from _contents(f"{name}!", gzip.decompress(data))
    if name.endswith(".tar"):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                packed = tar.extractfile(member)
                if packed is not None:
                    yield from _contents(f"{name}/{member.name}", packed.read())


def in_files(folder: Path, marks: Iterable[str]) -> list[str]:
    """`file: mark` for each mark that stands in a file below `folder`, as UTF-8 or UTF-16."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for name, data in _contents(path.name, path.read_bytes()):
            low = data.lower()
            found += [
                f"{name}: {mark}"
                for mark in marks
                if any(mark.lower().encode(way) in low for way in ("utf-8", "utf-16-le"))
            ]
    return found


def in_tables(marks: Iterable[str]) -> list[str]:
    """`table.column: mark` for each mark in a value, secrets in clear included."""
    db.session.rollback()
    db.session.expire_all()
    found = []
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(select(table)).mappings():
            for column, value in row.items():
                low = (value.decode("latin-1") if isinstance(value, bytes) else str(value)).lower()
                found += [f"{table.name}.{column}: {m}" for m in marks if m.lower() in low]
    db.session.rollback()
    return found


def in_queue(client: Redis, marks: Iterable[str]) -> list[str]:
    """`key: mark` for each mark in what the queue server holds, packed or not."""
    found = []
    for key in client.scan_iter():
        data = key + (client.dump(key) or b"")
        if client.type(key) == b"hash":
            data += b"".join(client.hvals(key))
        low = data.lower()
        found += [f"{key!r}: {mark}" for mark in marks if mark.lower().encode() in low]
    return found
