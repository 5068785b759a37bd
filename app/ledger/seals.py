"""The daily seal: what the ledger held when a day was over, chained to the seal before.

A seal covers the head of every account that has moved since the last seal. It goes by
versions, not by dates: an entry that was committed late, or under a clock that went back,
belongs to the next seal, and no lock is needed while accounts move on. An account that
never moved is covered too (version 0), so that its removal is seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, func, select

from app import clock
from app.db import transaction
from app.ledger.codes import CHAINED
from app.ledger.errors import DayNotOver
from app.ledger.statements import ACCOUNT, SEAL, SEAL_HEAD, SEAL_ONCE, insert_rows

_NAMES = ("account_id", "version", "day", "digest")
_covered = SEAL_HEAD.alias()
#: Chained accounts whose present version no seal covers, and the version that one covers.
_UNSEALED = (
    select(
        *ACCOUNT.c["id", "version", "head_digest"],
        select(func.max(_covered.c.version))
        .where(_covered.c.account_id == ACCOUNT.c.id)
        .scalar_subquery(),
    )
    .where(
        ACCOUNT.c.kind.in_(CHAINED),
        ~exists().where(
            SEAL_HEAD.c.account_id == ACCOUNT.c.id, SEAL_HEAD.c.version == ACCOUNT.c.version
        ),
    )
    .order_by(ACCOUNT.c.id)
)


class Seal(NamedTuple):
    """`entries` and `accounts` count what is newly covered; `digest` is SHA-256."""

    day: dt.date
    entries: int
    accounts: int
    digest: bytes
    made_at: dt.datetime


class SealDigest:
    """The digest of one seal, fed line by line in the order of the accounts."""

    def __init__(self, before: bytes, day: dt.date) -> None:
        self._hash = hashlib.sha256(before + day.isoformat().encode())
        self.entries = 0
        self.accounts = 0

    def add(self, account_id: uuid.UUID, version: int, digest: bytes, sealed_before: int) -> None:
        """One account's head; `sealed_before` is the version that an earlier seal covered."""
        self._hash.update(b"%b%d:%b" % (account_id.bytes, version, digest))
        self.entries += version - sealed_before
        self.accounts += 1

    def finish(self, made_at: dt.datetime) -> bytes:
        """The digest, with the two counts and the instant in it."""
        instant = made_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
        self._hash.update(f"{self.entries},{self.accounts},{instant}".encode())
        return self._hash.digest()


def seal_day(day: dt.date) -> Seal:
    """Seal a day that is over (by UTC); the scheduler calls it once a day. Again for the same
    day, or for a day before the last sealed one, it answers the seal that covers it.

    Raises `DayNotOver`.
    """
    now = clock.now()
    if now < dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), dt.UTC):
        raise DayNotOver
    with transaction() as session:
        connection = session.connection()
        seals = select(*SEAL.c[Seal._fields])
        covering = seals.where(SEAL.c.day >= day).order_by(SEAL.c.day).limit(1)
        found = connection.execute(covering).one_or_none()
        if found is None and (made := _make(connection, day, now)):
            return made
        return Seal(*(found or connection.execute(covering).one()))


def _make(connection: Connection, day: dt.date, now: dt.datetime) -> Seal | None:
    """None when another process has just made it."""
    newest = select(SEAL.c.digest).order_by(SEAL.c.day.desc()).limit(1).with_for_update()
    digest = SealDigest(connection.execute(newest).scalar() or b"", day)
    lines = []
    rows: Iterable[Sequence[Any]] = connection.execute(_UNSEALED)
    for account_id, version, head, sealed_before in rows:
        digest.add(account_id, version, head, sealed_before or 0)
        lines.append((account_id, version, day, head))
    seal = Seal(day, digest.entries, digest.accounts, digest.finish(now), now)
    once = SEAL_ONCE[connection.dialect.name]
    if connection.execute(once, seal._asdict()).rowcount == 0:
        return None
    insert_rows(connection, SEAL_HEAD, _NAMES, lines)
    return seal
