"""Sign-ins that are half done, each bound to one browser, good once and for minutes.

The browser's session holds a random token and nothing else; what was shown so far, what a
passkey has to sign and how often a code was wrong stand in the row, because a cookie can be
sent again as it was before.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, select, update

from app import clock
from app.crypto import token_hash
from app.db import db, transaction
from app.people.proof_models import SignInStep

CODE = "code"
"""A right password, or another first proof, that waits for its code."""
PASSKEY_SIGN_IN, PASSKEY_NEW, PASSKEY_CONFIRM = "passkey-in", "passkey-new", "passkey-confirm"
LIFETIMES = {
    CODE: dt.timedelta(minutes=10),
    PASSKEY_SIGN_IN: dt.timedelta(minutes=5),
    PASSKEY_NEW: dt.timedelta(minutes=5),
    PASSKEY_CONFIRM: dt.timedelta(minutes=5),
}
KINDS = tuple(LIFETIMES)
MOST_WRONG = 5


@dataclass(frozen=True, slots=True)
class Step:
    """What is known so far. `challenge` is base64url."""

    id: uuid.UUID
    person_id: uuid.UUID | None
    method: str | None
    challenge: str | None


_COLUMNS = (SignInStep.id, SignInStep.person_id, SignInStep.method, SignInStep.challenge)


def begin(
    kind: str,
    *,
    person_id: uuid.UUID | None = None,
    method: str | None = None,
    challenge: str | None = None,
) -> str:
    """Begin one; its token goes into the browser's session."""
    token, now = secrets.token_urlsafe(32), clock.now()
    with transaction() as session:
        session.add(
            SignInStep(
                kind=kind,
                token_hash=token_hash(token),
                person_id=person_id,
                method=method,
                challenge=challenge,
                expires_at=now + LIFETIMES[kind],
            )
        )
    return token


def find(kind: str, token: object) -> Step | None:
    """The step a token stands for, if it still waits."""
    if not isinstance(token, str):
        return None
    row = db.session.execute(select(*_COLUMNS).where(_is(kind, token))).one_or_none()
    return None if row is None else Step(*row)


def take(kind: str, token: object) -> Step | None:
    """The same, for the last time: of two that take it one gets it."""
    if not isinstance(token, str):
        return None
    with transaction() as session:
        found = session.execute(delete(SignInStep).where(_is(kind, token)).returning(*_COLUMNS))
        row = found.one_or_none()
    return None if row is None else Step(*row)


def _is(kind: str, token: str) -> ColumnElement[bool]:
    return and_(
        SignInStep.kind == kind,
        SignInStep.token_hash == token_hash(token),
        SignInStep.expires_at > clock.now(),
    )


def note_wrong(step_id: uuid.UUID) -> None:
    """A wrong code: after five the sign-in is over and begins with the password again."""
    with transaction() as session:
        session.execute(
            update(SignInStep)
            .where(SignInStep.id == step_id)
            .values(wrong_count=SignInStep.wrong_count + 1)
        )
        session.execute(
            delete(SignInStep).where(SignInStep.id == step_id, SignInStep.wrong_count >= MOST_WRONG)
        )


def forget_steps(person_id: uuid.UUID) -> None:
    """Whatever a person had half done is over."""
    with transaction() as session:
        session.execute(delete(SignInStep).where(SignInStep.person_id == person_id))
