"""The candidate's own page: a private address, a code to act, and what they may do there.

The address holds a signed reference and may be read for thirty days; nothing is stored on
the device. To act, the person types a code that was sent to their mailbox, so a forwarded
address shows but changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import uuid

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner
from sqlalchemy import select

from app import audit, clock, crypto, outbox, rights
from app.db import db, transaction
from app.errors import Gone, InvalidInput, NotFound, Sentence
from app.personal_data import CANDIDATE
from app.referrals import attribution
from app.referrals.errors import WrongCode
from app.referrals.models import (
    VISIBILITIES,
    Candidate,
    CandidateCode,
    Referral,
    ReferralEvent,
)  # fmt: skip
from app.referrals.service import (
    _ADDRESS,
    STEP_FOR,
    add_event,
    check_name,
    check_phone,
    load,
)  # fmt: skip
from app.referrals.stages import ENDS

READ_FOR = dt.timedelta(days=30)
CODE_FOR = dt.timedelta(minutes=15)


class _Signer(TimestampSigner):
    """Signs with the product's clock."""

    def get_timestamp(self) -> int:
        return int(clock.timestamp())


def serializer(purpose: str) -> URLSafeTimedSerializer:
    """Signs for one purpose, with the product's clock; any configured key is accepted."""
    keys = list(reversed(crypto.keys_for(purpose)))
    return URLSafeTimedSerializer(keys, salt=purpose, signer=_Signer)


def private_token(referral_id: uuid.UUID) -> str:
    """The signed part of `/c/<token>`; only ever sent by mail."""
    return str(serializer("candidate-page").dumps(referral_id.hex))


def referral_of(token: str) -> uuid.UUID:
    """The referral of a private address. Raises `NotFound`, or `Gone` after thirty days."""
    try:
        value = serializer("candidate-page").loads(token, max_age=int(READ_FOR.total_seconds()))
        return uuid.UUID(hex=str(value))
    except SignatureExpired as error:
        raise Gone(_l("This private address has expired. Ask for a new one.")) from error
    except (BadSignature, ValueError) as error:
        raise NotFound(_l("There is no such page.")) from error


def step_token(referral_id: uuid.UUID) -> str:
    """Opens the second step right after the first, for two hours, and nothing else.

    It goes to whoever typed the address, so it is sealed: the identifier inside tells when
    its application arrived, and thereby whether somebody had applied before.
    """
    sealed = crypto.encrypt(referral_id.hex, "application-step")
    return str(serializer("application-step").dumps(sealed))


def referral_of_step(token: str) -> uuid.UUID:
    """The referral of a second step. Raises `Gone` when the two hours are over."""
    try:
        sealed = serializer("application-step").loads(token, max_age=int(STEP_FOR.total_seconds()))
        return uuid.UUID(hex=crypto.decrypt(str(sealed), "application-step"))
    except (BadSignature, ValueError, crypto.CannotDecrypt) as error:
        raise Gone(_l("This step has waited too long. Your application is kept.")) from error


def _code_hash(referral_id: uuid.UUID, code: str) -> str:
    return crypto.fingerprint(f"{referral_id}|{code}", "candidate-code")


def send_code(referral_id: uuid.UUID) -> None:
    """Ask for a code by mail. The handler makes it, so that it is stored nowhere in clear."""
    with transaction():
        load(referral_id)
        outbox.record("candidate.code_asked", referral_id=str(referral_id))


def make_code(referral_id: uuid.UUID) -> str:
    """A fresh six-figure code that replaces the last one; called by the mail's handler."""
    code = f"{secrets.randbelow(1_000_000):06d}"
    with transaction() as session:
        row = session.get(CandidateCode, referral_id) or CandidateCode(referral_id=referral_id)
        row.code_hash, row.attempts_left = _code_hash(referral_id, code), 5
        row.expires_at = clock.now() + CODE_FOR
        session.add(row)
    return code


def check_code(referral_id: uuid.UUID, code: str) -> None:
    """Accept the code or raise `WrongCode`. Five attempts, fifteen minutes, any number of acts."""
    code = "".join(c for c in code if c.isdigit())
    with transaction() as session:
        row = session.get(CandidateCode, referral_id, with_for_update=True)
        good = (
            row is not None
            and row.attempts_left > 0
            and row.expires_at > clock.now()
            and hmac.compare_digest(row.code_hash, _code_hash(referral_id, code))
        )
        if row is not None and not good:
            row.attempts_left = max(0, row.attempts_left - 1)
    if not good:
        raise WrongCode


def choose_visibility(referral_id: uuid.UUID, visibility: str) -> None:
    """What the referrer may see, from now on (rule P8)."""
    if visibility not in VISIBILITIES:
        raise InvalidInput(
            _l("Please check the form."), {"visibility": _l("Choose one of the three.")}
        )
    with transaction():
        referral = load(referral_id)
        if referral.visibility != visibility:
            referral.visibility = visibility
            audit.record("candidate.visibility", "referral", referral_id, choice=visibility)
            outbox.record("referral.changed", referral_id=str(referral_id))


def correct(referral_id: uuid.UUID, *, first_name: str, last_name: str, phone: str) -> None:
    """Correct one's own details. The address itself changes by applying with the new one."""
    errors: dict[str, Sentence] = {}
    check_name(errors, "first_name", first_name)
    check_name(errors, "last_name", last_name)
    check_phone(errors, phone.strip())
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)
    with transaction() as session:
        referral = load(referral_id)
        candidate = session.get(Candidate, referral.candidate_id) if referral.candidate_id else None
        if candidate is None or candidate.erased_at is not None:
            raise NotFound(_l("This information was erased."))
        candidate.first_name, candidate.last_name = first_name.strip(), last_name.strip()
        candidate.phone = phone.strip() or None
        audit.record("candidate.corrected", "referral", referral_id)


def candidate_of(referral_id: uuid.UUID) -> uuid.UUID | None:
    """Whose application it is; None once they were erased."""
    query = select(Candidate.id).join(Referral, Referral.candidate_id == Candidate.id)
    return db.session.scalar(query.where(Referral.id == referral_id, Candidate.erased_at.is_(None)))


def ask_for_copy(referral_id: uuid.UUID) -> None:
    """A link to everything kept about the person goes to their mailbox. The handler makes it."""
    with transaction():
        load(referral_id)
        audit.record("candidate.copy_asked", "referral", referral_id)
        outbox.record("candidate.copy_asked", referral_id=str(referral_id))


def withdraw(referral_id: uuid.UUID) -> None:
    """Close one's own application. The referrer reads "closed, at the person's wish"."""
    with transaction():
        referral = load(referral_id)
        if referral.stage in ENDS:  # nothing is left to withdraw; a hire is not undone here
            return
        add_event(
            referral,
            ReferralEvent(
                kind="closed",
                stage="closed",
                closure_reason="withdrawn",
                occurred_at=clock.now(),
                source="candidate",
                external_event_id=f"withdrawal:{referral.version}",
            ),
        )
        audit.record("candidate.withdrew", "referral", referral_id)


def erase(referral_id: uuid.UUID) -> None:
    """Erase this person everywhere, at once, without a reason. Points already given stay:
    their lines hold no name, and so does what is still to be paid. Applications still open are
    closed first."""
    with transaction() as session:
        referral = load(referral_id)
        if referral.candidate_id is None:
            return
        theirs = list(
            session.scalars(
                select(Referral.id).where(Referral.candidate_id == referral.candidate_id)
            )
        )
        for each in theirs:
            withdraw(each)
        rights.erase(CANDIDATE, referral.candidate_id, asked_by=rights.CANDIDATE_PAGE)


def new_address(email: str) -> None:
    """Send every private address of a mailbox again; says nothing about whether there is one."""
    if not _ADDRESS.fullmatch(email.strip()):
        raise InvalidInput(
            _l("Please check the form."), {"email": _l("Give an address such as name@example.org.")}
        )
    with transaction() as session:
        ids = session.scalars(
            select(Referral.id)
            .join(Candidate, Candidate.id == Referral.candidate_id)
            .where(Candidate.address_hash == attribution.address_hash(email))
            .order_by(Referral.received_at.desc())
            .limit(5)
        ).all()
        for referral_id in ids:
            outbox.record("candidate.asked_again", referral_id=str(referral_id))
