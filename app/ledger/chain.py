"""The proof: what a digest covers, byte for byte.

Each chained account starts from a digest of its own row, and every entry adds

    SHA-256(digest before | account | place in the chain | transfer, all its legs)

where the transfer and the legs are one JSON array: the values in the order of `Transfer`
and `Leg`, identifiers as 32 hexadecimal digits, instants in UTC with microseconds. A leg on
the issuer's side is covered by the member's digest, so it needs no chain of its own. Only
codes, random identifiers, amounts and instants go in: erasing a person or a human's words
breaks nothing (rule E3).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple


class Transfer(NamedTuple):
    """A move of points as it stands in the books; `LedgerTransfer` tells the fields.

    `replayed`: it stood there before this call, which changed nothing.
    """

    id: uuid.UUID
    reference: str
    code: str
    kind: str
    account_id: uuid.UUID
    sequence: int
    amount: int
    effective_at: dt.datetime
    created_at: dt.datetime
    actor_code: str
    actor_id: str | None = None
    settles_id: uuid.UUID | None = None
    reverses_id: uuid.UUID | None = None
    reason: str | None = None
    due_at: dt.datetime | None = None
    rule_version: str | None = None
    subject: str | None = None
    group_reference: str | None = None
    replayed: bool = False


class Leg(NamedTuple):
    """One entry of a transfer, without its digest; `LedgerEntry` tells the fields."""

    leg: int
    account_id: uuid.UUID
    sequence: int | None
    amount: int
    available_after: int | None = None
    pending_after: int | None = None
    reserved_after: int | None = None
    status_after: int | None = None


#: The columns that a digest covers, in its order. A column that comes with a later version
#: is not added here, or yesterday's lines would no longer verify.
TRANSFER = Transfer._fields[:-1]
LEG = Leg._fields


@lru_cache(maxsize=256)
def _instant(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _plain(value: object) -> str:
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, dt.datetime):
        return _instant(value)
    raise TypeError(f"a digest cannot cover a {type(value).__name__}")


_encode = json.JSONEncoder(default=_plain, separators=(",", ":"), check_circular=False).encode


def genesis(account_id: uuid.UUID, kind: str, opened_at: dt.datetime) -> bytes:
    """The digest that a chain starts from."""
    return hashlib.sha256(_encode([account_id, kind, opened_at]).encode()).digest()


def content(transfer: Transfer, legs: Sequence[Leg]) -> bytes:
    """The bytes of one transfer with all its legs."""
    return _encode([transfer[:-1], legs]).encode()


def link(before: bytes, account_id: uuid.UUID, sequence: int, covered: bytes) -> bytes:
    """The digest of one entry."""
    return hashlib.sha256(b"%b%b%d:%b" % (before, account_id.bytes, sequence, covered)).digest()
