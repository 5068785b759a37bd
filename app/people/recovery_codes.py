"""Ten codes on paper for the day a phone is lost: each good once, kept as a keyed hash.

Sixteen signs of an alphabet without look-alikes are 79 random bits: nobody guesses one, so a
recovery code needs no delay and no Argon2.
"""

from __future__ import annotations

import re
import secrets
import uuid

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import clock
from app.crypto import fingerprint
from app.db import db
from app.people.proof_models import RecoveryCode

COUNT = 10
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 4
_FORMAT = re.compile(f"[{_SIGNS}]{{{_GROUPS * _GROUP}}}")


def normal(typed: str) -> str:
    """What was typed, without spaces, hyphens and capitals."""
    return re.sub(r"[\s\-‐-―]+", "", typed).lower()


def is_one(typed: str) -> bool:
    """Whether something in its normal form looks like a recovery code."""
    return _FORMAT.fullmatch(typed) is not None


def _hash(person_id: uuid.UUID, code: str) -> str:
    return fingerprint(f"{person_id}:{code}", "recovery-code")


def renew(session: Session, person_id: uuid.UUID) -> list[str]:
    """Ten new ones as they are shown, this once; those before are gone."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = ["".join(secrets.choice(_SIGNS) for _ in range(16)) for _ in range(COUNT)]
    for code in codes:
        session.add(RecoveryCode(person_id=person_id, code_hash=_hash(person_id, code)))
    return ["-".join(code[n : n + _GROUP] for n in range(0, 16, _GROUP)) for code in codes]


def use(session: Session, person_id: uuid.UUID, typed: str) -> bool:
    """Strike one out; False for none of those that are left. `typed` in its normal form."""
    struck = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _hash(person_id, typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    return struck.first() is not None


def left(person_id: uuid.UUID) -> int:
    """How many still work."""
    found = select(func.count()).where(
        RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    )
    return db.session.scalar(found) or 0
