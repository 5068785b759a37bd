"""Open invitations: a link, a poster or codes on paper for a team or a site.

One carries a code of eight readable characters, a last day and a number of uses. Who may come
in: somebody with an address of a domain, somebody an administrator looks at first, or whoever
holds a code on paper, one person each. The address may be a private one: six figures sent there
prove that it is theirs (`email_codes`). Until they join, what they typed waits as a request.

A code for one person who has no address (`personal_codes`) is answered in the same way, and leads
into the entry that is there already.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit, clock, crypto, outbox
from app.config import LANGUAGES
from app.db import db, new_id, transaction
from app.errors import NotFound, Sentence
from app.people import email_codes
from app.people.directory import Profile, add_person, update_person
from app.people.errors import (
    AddressOfAnother,
    AlreadyMember,
    Departed,
    InvitationOver,
    InvitationRevoked,
    InvitationUnknown,
    InvitationUsedUp,
    InvitedRecently,
    LinkExpired,
    LinkUnreadable,
    check_form,
)
from app.people.invitations import invite
from app.people.joining_models import JoinRequest, OpenInvitation
from app.people.logins import SignedIn, start_login
from app.people.lookup import load_present
from app.people.membership import join
from app.people.models import Person
from app.people.text import is_nowhere, is_usable, normal_address, one_line
from app.web.pressing import once

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is mistaken for something else on paper: 0 and O, 1, I and L, U and V."""
LENGTH: Final = 8
ADMISSIONS: Final = ("domain", "approval", "paper")
"""Those an administrator chooses from."""
PERSONAL: Final = "personal"
MOST_DAYS: Final = 180
MOST_USES: Final = 5_000
MOST_COPIES: Final = 60
TICKET_LASTS: Final = dt.timedelta(hours=1)
SHOWN: Final = 200


# --- making them -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terms:
    """What an administrator asks for. `days` until it ends; `use_limit` people in all, for codes
    on paper `copies` codes of one use each."""

    label: str
    admission: str
    days: int
    use_limit: int = 1
    copies: int = 1
    domain: str = ""
    site: str = ""
    department: str = ""
    language: str = LANGUAGES[0]


def create(
    terms: Terms, *, actor_id: uuid.UUID | None = None, id_: uuid.UUID | None = None
) -> uuid.UUID:
    """Make an open invitation, or a sheet of codes; its batch. What was made as the batch `id_`
    before is the answer. Raises `InvalidInput` by field."""
    _check(terms)
    is_paper = terms.admission == "paper"

    def make(batch_id: uuid.UUID) -> OpenInvitation:
        # The first bears the name of its batch, so that the primary key allows the batch once.
        use_limit, session = 1 if is_paper else terms.use_limit, db.session()
        first = _row(terms, batch_id, use_limit, actor_id, id_=batch_id)
        session.add(first)
        session.flush()
        for _number in range(1, terms.copies if is_paper else 1):
            session.add(_row(terms, batch_id, use_limit, actor_id, id_=new_id()))
        audit.record(
            "open_invitation.made", "open_invitation", batch_id, actor_id=actor_id,
            admission=terms.admission, uses=terms.copies if is_paper else terms.use_limit,
        )  # fmt: skip
        return first

    return once(OpenInvitation, id_, make).batch_id


def _row(
    terms: Terms, batch_id: uuid.UUID, use_limit: int, actor_id: uuid.UUID | None, *, id_: uuid.UUID
) -> OpenInvitation:
    code = new_code()
    return OpenInvitation(
        id=id_,
        batch_id=batch_id,
        label=one_line(terms.label),
        site=one_line(terms.site) or None,
        department=one_line(terms.department) or None,
        language=terms.language,
        admission=terms.admission,
        domain=_domain(terms.domain) if terms.admission == "domain" else None,
        use_limit=use_limit,
        code=code,
        code_hash=hash_of(code),
        created_by=actor_id,
        expires_at=clock.now() + dt.timedelta(days=terms.days),
    )


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))


def _domain(typed: str) -> str:
    return normal_address("a@" + one_line(typed).removeprefix("@")).removeprefix("a@")


def hash_of(code: str) -> str:
    """How a code is found."""
    return crypto.fingerprint(code, "open-invitation")


def _check(terms: Terms) -> None:
    errors = _wrong_words(terms) | _wrong_numbers(terms)
    if errors:
        raise check_form(errors)


def _wrong_words(terms: Terms) -> dict[str, Sentence]:
    errors: dict[str, Sentence] = {}
    if not one_line(terms.label) or len(terms.label) > 120:
        errors["label"] = _l("Say for whom it is, in at most 120 characters.")
    if terms.admission not in ADMISSIONS:
        errors["admission"] = _l("Choose who may come in.")
    if terms.admission == "domain" and not is_usable(f"a@{_domain(terms.domain)}"):
        errors["domain"] = _l("Give what stands after the @ of the addresses.")
    if terms.language not in LANGUAGES:
        errors["language"] = _l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES))
    for field in ("site", "department"):
        if len(getattr(terms, field)) > 200:
            errors[field] = _l("At most %(most)s characters.", most=200)
    return errors


def _wrong_numbers(terms: Terms) -> dict[str, Sentence]:
    errors: dict[str, Sentence] = {}
    if not 1 <= terms.days <= MOST_DAYS:
        errors["days"] = _l("From 1 to %(most)s days.", most=MOST_DAYS)
    if terms.admission == "paper" and not 1 <= terms.copies <= MOST_COPIES:
        errors["copies"] = _l("From 1 to %(most)s codes on a sheet.", most=MOST_COPIES)
    if terms.admission != "paper" and not 1 <= terms.use_limit <= MOST_USES:
        errors["use_limit"] = _l("From 1 to %(most)s people.", most=MOST_USES)
    return errors


def revoke(batch_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Nobody comes in by it any more. Raises `NotFound`."""
    with transaction() as session:
        batch(batch_id)
        session.execute(
            update(OpenInvitation)
            .where(OpenInvitation.batch_id == batch_id, OpenInvitation.revoked_at.is_(None))
            .values(revoked_at=clock.now())
        )
        audit.record("open_invitation.revoked", "open_invitation", batch_id, actor_id=actor_id)


# --- reading them ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Batch:
    """An open invitation, or the codes of one sheet. `state`: 'good', 'over', 'used-up' or
    'revoked'. How often it was used is a number, never who."""

    id: uuid.UUID
    label: str
    admission: str
    domain: str | None
    uses: int
    use_limit: int
    expires_at: dt.datetime
    state: str


def batches() -> list[Batch]:
    """The newest first."""
    rows = db.session.execute(
        select(
            OpenInvitation.batch_id, OpenInvitation.label, OpenInvitation.admission,
            OpenInvitation.domain, func.sum(OpenInvitation.uses),
            func.sum(OpenInvitation.use_limit), func.max(OpenInvitation.expires_at),
            func.max(OpenInvitation.revoked_at),
        )
        .where(OpenInvitation.admission != PERSONAL)
        .group_by(
            OpenInvitation.batch_id, OpenInvitation.label, OpenInvitation.admission,
            OpenInvitation.domain,
        )
        .order_by(OpenInvitation.batch_id.desc())
        .limit(SHOWN)
    ).all()  # fmt: skip
    return [Batch(*row[:7], _state(row[4], row[5], row[6], row[7])) for row in rows]


def _state(uses: int, limit: int, expires_at: dt.datetime, revoked_at: dt.datetime | None) -> str:
    if revoked_at is not None:
        return "revoked"
    if expires_at <= clock.now():
        return "over"
    return "used-up" if uses >= limit else "good"


def batch(batch_id: uuid.UUID) -> Sequence[OpenInvitation]:
    """The codes of one, as they are printed. Raises `NotFound`."""
    query = select(OpenInvitation).where(
        OpenInvitation.batch_id == batch_id, OpenInvitation.admission != PERSONAL
    )
    rows = db.session.scalars(query.order_by(OpenInvitation.id)).all()
    if not rows:
        raise NotFound(_l("There is no such invitation."))
    return rows


def spelled(code: str) -> str:
    """As it stands on paper: XXXX-XXXX."""
    return f"{code[:4]}-{code[4:]}"


def read_code(typed: str) -> str:
    """What was typed, in capitals and without spaces and hyphens."""
    return "".join(c for c in typed.upper() if c.isascii() and c.isalnum())[:20]


def by_code(typed: str) -> OpenInvitation:
    """The invitation of a code, while somebody may come in by it.

    Raises `InvitationUnknown`, `InvitationRevoked`, `InvitationOver`, `InvitationUsedUp`.
    """
    row = db.session.scalar(
        select(OpenInvitation).where(OpenInvitation.code_hash == hash_of(read_code(typed)))
    )
    if row is None:
        raise InvitationUnknown
    _check_open(row)
    return row


def holder_of(row: OpenInvitation) -> Person | None:
    """For whom a personal code was made; None where it is for nobody in particular."""
    return db.session.get(Person, row.batch_id) if row.admission == PERSONAL else None


def is_for_paper(person: Person | None) -> bool:
    """Whether a personal code leads into this entry: present, without an address, and without a
    role of the team, which no paper may open."""
    return (
        person is not None
        and person.departed_at is None
        and is_nowhere(person.email)
        and not person.role_grants
    )


def _check_open(row: OpenInvitation) -> None:
    state = _state(row.uses, row.use_limit, row.expires_at, row.revoked_at)
    is_closed = row.admission == PERSONAL and not is_for_paper(holder_of(row))
    if state == "revoked" or is_closed:
        raise InvitationRevoked
    if state == "over":
        raise InvitationOver
    if state == "used-up":
        raise InvitationUsedUp


# --- answering one -----------------------------------------------------------------------


def answer(typed_code: str, name: str, email: str, language: str) -> uuid.UUID:
    """Somebody wants in: six figures go to their mailbox; the code's identifier.

    Raises `InvalidInput` by field, and what `by_code` raises.
    """
    address = normal_address(email)
    with transaction() as session:
        row = by_code(typed_code)
        holder = holder_of(row)
        name = holder.name if holder else one_line(name)
        _check_answer(row, name, address)
        request = JoinRequest(
            id=new_id(), invitation_id=row.id, name=name, email=address,
            language=language if language in LANGUAGES else row.language,
        )  # fmt: skip
        session.add(request)
        session.flush()
        return email_codes.ask_for_request(request.id)


def _check_answer(row: OpenInvitation, name: str, address: str) -> None:
    errors: dict[str, Sentence] = {}
    if not name or len(name) > 200:
        errors["name"] = _l("Give your first and last name.")
    if not is_usable(address):
        errors["email"] = _l("Give a mail address such as name@company.org.")
    elif row.domain and not address.endswith(f"@{row.domain}"):
        errors["email"] = _l(
            "This invitation is for addresses that end with @%(domain)s.", domain=row.domain
        )
    if errors:
        raise check_form(errors)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a proved mailbox leads to: `signed_in` (they take part already), a `ticket` for the
    page that asks whether to join, or neither: an administrator is asked."""

    ticket: str = ""
    signed_in: SignedIn | None = None


def verify(code_id: uuid.UUID, typed: str, browser: str) -> Verified:
    """The six figures were typed. Raises `WrongMailCode`, `Departed`, `AddressOfAnother`, what
    `by_code` raises."""
    proved = email_codes.check(code_id, typed)
    with transaction() as session:
        request = session.get(JoinRequest, proved.request_id) if proved.request_id else None
        if request is None:
            raise LinkExpired
        known = _person_at(session, request.email)
        if known is not None and known.departed_at is not None:
            raise Departed
        if known is not None and _is_for_another(request, known):
            raise AddressOfAnother
        if known is not None and known.is_member:
            session.delete(request)
            return Verified(signed_in=start_login(known.id, browser, "code"))
        row = session.get_one(OpenInvitation, request.invitation_id, with_for_update=True)
        _check_open(row)
        request.verified_at = clock.now()
        if row.admission == "approval" and known is None:
            _ask(request, row)
            return Verified()
        return Verified(ticket=_ticket(request.id))


def _is_for_another(request: JoinRequest, known: Person) -> bool:
    row = db.session.get_one(OpenInvitation, request.invitation_id)
    return row.admission == PERSONAL and row.batch_id != known.id


def _ask(request: JoinRequest, row: OpenInvitation) -> None:
    request.asked_at = clock.now()
    row.uses += 1
    outbox.record("join_request.asked", request_id=str(request.id))


def _person_at(session: Session, email: str) -> Person | None:
    return session.scalar(select(Person).where(Person.email == email))


# --- joining by it -----------------------------------------------------------------------


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("join-request"))], salt="join-request")


def _ticket(request_id: uuid.UUID) -> str:
    until = int((clock.now() + TICKET_LASTS).timestamp())
    return str(_serializer().dumps([request_id.hex, until]))


def request_of(ticket: str) -> JoinRequest:
    """The request that a page about joining is for. Raises `LinkUnreadable`, `LinkExpired` (also
    once the person has joined), and what `by_code` raises."""
    try:
        request_id, until = _serializer().loads(ticket)
        found = db.session.get(JoinRequest, uuid.UUID(hex=request_id))
    except (BadSignature, TypeError, ValueError) as error:
        raise LinkUnreadable from error
    if until < clock.timestamp() or found is None or found.verified_at is None:
        raise LinkExpired
    _check_open(db.session.get_one(OpenInvitation, found.invitation_id))
    return found


def join_by(ticket: str, purposes: Sequence[str], language: str, browser: str) -> SignedIn:
    """Take part: the entry in the directory, the membership and the use of the invitation come
    into being together. Raises `InvalidInput`, `AlreadyMember`, and what `request_of` raises."""
    with transaction() as session:
        request = request_of(ticket)
        row = session.get_one(
            OpenInvitation, request.invitation_id, with_for_update=True, populate_existing=True
        )
        _check_open(row)
        row.uses += 1
        if row.admission == PERSONAL:
            person = _take_entry(session, request, row)
        else:
            person = _person_at(session, request.email) or _enter(request, row)
        if not person.is_member:
            join(person.id, None, purposes, language=language)
        session.delete(request)
        return start_login(person.id, browser, "invitation")


def _take_entry(session: Session, request: JoinRequest, row: OpenInvitation) -> Person:
    """The entry of a personal code, with the address that was proved. Raises `AlreadyMember`:
    somebody who takes part without an address is let in by no paper."""
    person = load_present(session, row.batch_id)
    if person.is_member:
        raise AlreadyMember
    if not is_for_paper(person):
        raise InvitationRevoked
    profile = replace(Profile.of(person), email=request.email)
    update_person(person.id, profile, actor_id=person.id)
    return person


def _enter(request: JoinRequest, row: OpenInvitation, actor_id: uuid.UUID | None = None) -> Person:
    return add_person(
        kind="employee", name=request.name, email=request.email, language=request.language,
        department=row.department, site=row.site, actor_id=actor_id or row.created_by,
    )  # fmt: skip


# --- an administrator is asked -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks to be let in, as they wrote it themselves."""

    id: uuid.UUID
    name: str
    email: str
    label: str
    asked_at: dt.datetime


def asking(limit: int = SHOWN) -> list[Asking]:
    """Who waits for an answer, the longest first."""
    rows = db.session.execute(
        select(
            JoinRequest.id, JoinRequest.name, JoinRequest.email, OpenInvitation.label,
            JoinRequest.asked_at,
        )
        .join(OpenInvitation, OpenInvitation.id == JoinRequest.invitation_id)
        .where(JoinRequest.asked_at.is_not(None))
        .order_by(JoinRequest.asked_at, JoinRequest.id)
        .limit(limit)
    )  # fmt: skip
    return [Asking(*row[:4], row[4] or clock.now()) for row in rows]


def _load_asking(session: Session, request_id: uuid.UUID) -> JoinRequest:
    request = session.get(JoinRequest, request_id, with_for_update=True)
    if request is None or request.asked_at is None:
        raise NotFound(_l("Nobody waits for this answer any more."))
    return request


def let_in(request_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Enter them in the directory and send them their own invitation. Raises `NotFound`."""
    with transaction() as session:
        request = _load_asking(session, request_id)
        row = session.get_one(OpenInvitation, request.invitation_id)
        person = _person_at(session, request.email) or _enter(request, row, actor_id)
        session.delete(request)
        audit.record("join_request.let_in", "person", person.id, actor_id=actor_id)
        with contextlib.suppress(InvitedRecently):  # its mail lies in the mailbox already
            invite(person.id, actor_id=actor_id)


def turn_away(request_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Not this person: what they typed is erased, and nothing is written to them."""
    with transaction() as session:
        session.delete(_load_asking(session, request_id))
        audit.record("join_request.turned_away", "join_request", request_id, actor_id=actor_id)
