"""The second factor: codes of an app (TOTP, RFC 6238), and recovery codes beside it.

A code is taken once: the step of the last one is kept, and only a later one counts. Wrong
codes make the next one wait longer, at most five minutes, and never on a browser in which the
person signed in before (`known_browsers`), so whoever stole a password cannot keep its owner
out. A passkey that asked for PIN, finger or face counts as both factors (`passkeys`).
"""

from __future__ import annotations

import datetime as dt
import hmac
import math
import uuid
from dataclasses import dataclass

import pyotp
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import Forbidden
from app.people import recovery_codes, steps
from app.people.errors import CodesTooSoon, StepOver, WrongCode, check_form
from app.people.factor_policy import ELSEWHERE
from app.people.logins import SignedIn, end_all_logins, start_login
from app.people.lookup import load_present
from app.people.models import Login
from app.people.proof_models import Passkey, RecoveryCode, SecondFactor

STEP_SECONDS = 30
FREE_TRIES = 5
LONGEST_WAIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sign-in that waits for its code; the token is for this browser's session."""

    token: str


@dataclass(frozen=True, slots=True)
class Means:
    """What a person can show besides a password. `set_at` is None without an app; `due_at` is
    when the team's pages begin to want it in this session, None for never."""

    set_at: dt.datetime | None
    codes_left: int
    passkeys: int
    due_at: dt.datetime | None
    is_verified: bool


def means_of(person_id: uuid.UUID, login_id: uuid.UUID | None) -> Means:
    """For the person's own pages: in one statement."""
    row = db.session.execute(
        select(
            select(SecondFactor.set_at)
            .where(SecondFactor.person_id == person_id, SecondFactor.secret.is_not(None))
            .scalar_subquery(),
            select(func.count())
            .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
            .scalar_subquery(),
            select(func.count()).where(Passkey.person_id == person_id).scalar_subquery(),
            select(Login.factor_due_at).where(Login.id == login_id).scalar_subquery(),
            select(Login.verified_at).where(Login.id == login_id).scalar_subquery(),
        )
    ).one()
    return Means(row[0], row[1], row[2], row[3], row[4] is not None)


def has_app(person_id: uuid.UUID) -> bool:
    """Whether a code is asked at each sign-in."""
    found = select(SecondFactor.person_id).where(
        SecondFactor.person_id == person_id, SecondFactor.secret.is_not(None)
    )
    return db.session.scalar(found) is not None


# --- signing in --------------------------------------------------------------------------


def enter(person_id: uuid.UUID, browser: str, method: str) -> SignedIn | Waiting:
    """Sign a device in after a first proof, or ask for the second. Raises `NoSuchPerson`."""
    if method not in ELSEWHERE and has_app(person_id):
        return Waiting(steps.begin(steps.CODE, person_id=person_id, method=method))
    return start_login(person_id, browser, method)


def finish(token: object, code: str, browser: str, *, is_known: bool) -> SignedIn:
    """Finish a sign-in that waited for its code. `is_known` says that the person signed in with
    this browser before. Raises `StepOver`, `WrongCode`, `CodesTooSoon`, `NoSuchPerson`."""
    step = steps.find(steps.CODE, token)
    if step is None or step.person_id is None:
        raise StepOver
    try:
        check_code(step.person_id, code, is_known=is_known)
    except WrongCode:
        steps.note_wrong(step.id)
        raise
    with transaction():
        if steps.take(steps.CODE, token) is None:
            raise StepOver
        return start_login(step.person_id, browser, step.method or "password", verified=True)


def check_code(person_id: uuid.UUID, typed: str, *, is_known: bool) -> None:
    """Take a code of the app or a recovery code. Raises `WrongCode`, `CodesTooSoon`."""
    code = recovery_codes.normal(typed)
    with transaction() as session:
        row = session.scalar(
            select(SecondFactor).where(SecondFactor.person_id == person_id).with_for_update()
        )
        if row is None or row.secret is None:
            raise WrongCode
        right = _takes(session, row, code, is_known)
        row.wrong_count = 0 if right else row.wrong_count + 1
        row.wrong_at = None if right else clock.now()
        if row.wrong_count == FREE_TRIES:
            tell(person_id, "wrong-codes")
    if not right:
        raise WrongCode


def _takes(session: Session, row: SecondFactor, code: str, is_known: bool) -> bool:
    if recovery_codes.is_one(code):
        if not recovery_codes.use(session, row.person_id, code):
            return False
        audit.record("recovery_code.used", "person", row.person_id, actor_id=row.person_id)
        tell(row.person_id, "recovery-code")
        return True
    if not is_known and (seconds := _wait_seconds(row)):
        raise CodesTooSoon(seconds)
    counter = _counter_of(row.secret or "", code)
    if counter is None or counter <= row.last_counter:
        return False
    row.last_counter = counter
    return True


def _wait_seconds(row: SecondFactor) -> int:
    """How long a browser that we do not know has to wait: 1, 2, 4 … at most 300 seconds."""
    if row.wrong_at is None or row.wrong_count < FREE_TRIES:
        return 0
    delay = min(1 << min(row.wrong_count - FREE_TRIES, 9), LONGEST_WAIT_SECONDS)
    return max(0, math.ceil(delay - (clock.now() - row.wrong_at).total_seconds()))


def _counter_of(secret: str, code: str) -> int | None:
    """The step a code belongs to: the present one, or a neighbour for a clock that is off."""
    app, now = pyotp.TOTP(secret, interval=STEP_SECONDS), int(clock.timestamp()) // STEP_SECONDS
    found = None
    for counter in (now - 1, now, now + 1):
        if hmac.compare_digest(app.generate_otp(counter).encode(), code.encode()):
            found = counter
    return found


def forgive(session: Session, person_id: uuid.UUID) -> None:
    """Forget wrong codes and sign-ins half done: with a new password, whoever knew the one before
    is outside again."""
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.person_id == person_id)
        .values(wrong_count=0, wrong_at=None)
    )
    steps.forget_steps(person_id)


# --- setting up --------------------------------------------------------------------------


def new_secret() -> str:
    """160 random bits for an app, in base32."""
    return pyotp.random_base32()


def app_address(secret: str, account: str, organisation: str) -> str:
    """What the square says to an app (otpauth://)."""
    issuer = organisation.replace(":", " ")
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(account, issuer)


def turn_on(
    person_id: uuid.UUID, secret: str, typed: str, *, login_id: uuid.UUID | None
) -> list[str]:
    """Keep the secret of an app that has shown a code of it; the ten recovery codes, this once.

    The person's other devices are signed out, this one counts as verified. Raises `WrongCode`
    on the field `code`, `Departed`, `NoSuchPerson`.
    """
    counter = _counter_of(secret, recovery_codes.normal(typed))
    if counter is None:
        raise check_form({"code": _l("This is not the code your app shows now.")})
    with transaction() as session:
        load_present(session, person_id)
        row = session.get(SecondFactor, person_id) or SecondFactor(person_id=person_id)
        row.secret, row.set_at, row.last_counter = secret, clock.now(), counter
        row.wrong_count, row.wrong_at = 0, None
        session.add(row)
        codes = recovery_codes.renew(session, person_id)
        end_all_logins(person_id, but=login_id)
        steps.forget_steps(person_id)
        _verify(session, login_id)
        audit.record("second_factor.set", "person", person_id, actor_id=person_id)
        tell(person_id, "factor-on")
    return codes


def _verify(session: Session, login_id: uuid.UUID | None) -> None:
    now = clock.now()
    session.execute(
        update(Login)
        .where(Login.id == login_id)
        .values(verified_at=now, confirmed_at=now, factor_due_at=None)
    )


def turn_off(person_id: uuid.UUID) -> None:
    """Forget app and recovery codes, by the person. Where the team's roles need a second factor
    it is asked again at the next sign-in."""
    with transaction() as session:
        load_present(session, person_id)
        _forget_app(session, person_id)
        audit.record("second_factor.removed", "person", person_id, actor_id=person_id)
        tell(person_id, "factor-off")


def renew_codes(person_id: uuid.UUID) -> list[str]:
    """Ten new recovery codes; those before are worth nothing. Raises `Forbidden` without an app."""
    with transaction() as session:
        load_present(session, person_id)
        if not has_app(person_id):
            raise Forbidden(_l("Recovery codes belong to a second factor. Set one up first."))
        codes = recovery_codes.renew(session, person_id)
        audit.record("recovery_codes.renewed", "person", person_id, actor_id=person_id)
        tell(person_id, "codes-renewed")
    return codes


def reset(person_id: uuid.UUID, *, actor_id: uuid.UUID) -> None:
    """An administrator forgets everything another person showed besides a password: app,
    recovery codes, passkeys. Their devices are signed out, and they are told by mail.

    Raises `Forbidden` for one's own, `Departed`, `NoSuchPerson`.
    """
    if person_id == actor_id:
        raise Forbidden(_l("Your own second factor is changed on your own page."))
    with transaction() as session:
        load_present(session, person_id)
        _forget_app(session, person_id)
        session.execute(delete(Passkey).where(Passkey.person_id == person_id))
        end_all_logins(person_id)
        audit.record("second_factor.reset", "person", person_id, actor_id=actor_id)
        tell(person_id, "factor-reset")


def _forget_app(session: Session, person_id: uuid.UUID) -> None:
    row = session.get(SecondFactor, person_id)
    if row is not None:
        row.secret, row.set_at, row.last_counter, row.wrong_count = None, None, 0, 0
        row.wrong_at = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    steps.forget_steps(person_id)


def tell(person_id: uuid.UUID, what: str) -> None:
    """The person hears of it by mail: `what` is one of `sign_in_mails.WORDS`."""
    at = clock.now().isoformat()
    outbox.record("sign_in.changed", person_id=str(person_id), what=what, at=at)
