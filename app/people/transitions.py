"""Joiner, mover, leaver, former employee, partner, return: each with its effects, said first.

What a transition will do is asked of every feature that it touches (`tells`), with counts, so the
administrator reads it before confirming; afterwards the person gets it in plain words.

- *Departure*: `directory.depart`, by an administrator, SCIM, a file, or the end date (`end_due`,
  every hour from the day after on). All access ends in its transaction; features act on
  `person.left` and `person.departed` within seconds.
- *Former employee*: the person's own choice by a link to an address of theirs
  (`open_as_alumni`). The row, the badges and the history stay; everything else is new.
- *Partner*: somebody invited with a last day (`add_partner`), under the same limits (`kinds`).
- *Long absence*: `suspend` and `resume`. Points stay, nothing is sent, nobody is ranked.
- *Return*: `come_back` for the very entry, `take_back` for a former employee who is hired again;
  always confirmed by an administrator, never merged silently.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import DomainError, Sentence
from app.people import directory, first_day, kinds, personal_address, placements
from app.people.errors import NoAddress, check_form
from app.people.invitations import invite
from app.people.lookup import load_person, load_present
from app.people.membership import join
from app.people.models import (
    AccessToken,
    Identity,
    Login,
    Membership,
    Person,
    RoleGrant,
)
from app.people.passwords import hashed
from app.people.personal_address import address_of, forget_address
from app.people.text import is_usable, normal_address, one_line
from app.people.transition_models import Alumnus
from app.people.words import ROLE_NAMES
from app.web.pages import local_today

log = logging.getLogger(__name__)

DEPARTURE, ABSENCE, RETURN = "departure", "absence", "return"
ALUMNI_TEXT: Final = "2026-11"
BATCH: Final = 500


class NotAway(DomainError):
    """Only somebody who left, or a former employee, can come back."""

    code = "not-away"

    def __init__(self) -> None:
        super().__init__(_l("This person has not left the organisation."))


class HasHistory(DomainError):
    """Two people who both took part are never merged."""

    code = "has-history"

    def __init__(self) -> None:
        super().__init__(
            _l("The new entry has taken part already: two histories are never merged.")
        )


# --- what a transition will do, before it is done ----------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a transition does, as a whole sentence; `count` says how many it touches,
    None where nothing is counted. `stays`: what does not change."""

    words: str
    count: int | None = None
    stays: bool = False


Words = Callable[[uuid.UUID], list[Sentence]]
Teller = Callable[[uuid.UUID, str], list[Effect]]
_tellers: list[Teller] = []
_words: list[Words] = []


def tells(teller: Teller) -> Teller:
    """A feature says what a transition of a person does in its rooms."""
    if teller not in _tellers:
        _tellers.append(teller)
    return teller


def effects(person_id: uuid.UUID, transition: str) -> list[Effect]:
    """What this transition would do to this person now: what changes first, then what stays."""
    found = [effect for teller in _tellers for effect in teller(person_id, transition)]
    return sorted(found, key=lambda effect: effect.stays)


def tells_person(words: Words) -> Words:
    """A feature says, for the person, what a departure does in its rooms and what stays."""
    if words not in _words:
        _words.append(words)
    return words


def words_for(person_id: uuid.UUID) -> list[Sentence]:
    """What a departure does and what stays, in plain words; each sentence takes the language of
    the page or the mail that shows it."""
    return [sentence for words in _words for sentence in words(person_id)]


@tells_person
def _access_words(person_id: uuid.UUID) -> list[Sentence]:
    return [
        _l("Your devices are signed out, and your tokens and ways to sign in are gone."),
        _l("Your roles end. Your name leaves every list that colleagues see here."),
    ]


def _count(column: object, *where: object) -> int:
    found: int | None = db.session.scalar(
        select(func.count()).select_from(column).where(*where)  # type: ignore[arg-type]
    )
    return found or 0


@tells
def _tell_access(person_id: uuid.UUID, transition: str) -> list[Effect]:
    if transition == DEPARTURE:
        return _tell_departure(person_id)
    if transition == ABSENCE:
        return [
            Effect(_("No mail is sent, except what the person asks for.")),
            Effect(_("Their name leaves every list of results.")),
            Effect(_("They may still sign in for their own affairs."), stays=True),
            Effect(_("Roles and membership stay as they are."), stays=True),
        ]
    return [
        Effect(_("The person may be invited and sign in again.")),
        Effect(_("Roles are given anew; none comes back by itself."), stays=True),
    ]


def _tell_departure(person_id: uuid.UUID) -> list[Effect]:
    devices = _count(Login, Login.person_id == person_id, Login.ended_at.is_(None))
    tokens = _count(AccessToken, AccessToken.person_id == person_id)
    roles = [
        str(ROLE_NAMES[role])
        for role in db.session.scalars(
            select(RoleGrant.role).where(RoleGrant.person_id == person_id).distinct()
        )
    ]
    told = ", ".join(sorted(roles))
    return [
        Effect(
            ngettext("%(num)d device is signed out.", "%(num)d devices are signed out.", devices),
            devices,
        ),
        Effect(
            ngettext(
                "%(num)d token for programs is deleted.",
                "%(num)d tokens for programs are deleted.",
                tokens,
            ),
            tokens,
        ),
        Effect(_("Password, passkeys and second factors no longer open anything.")),
        Effect(
            _("These roles end: %(roles)s. The log keeps them.", roles=told)
            if told
            else _("No role ends: the person holds none."),
            len(roles),
        ),
        Effect(
            _("Invitations and mails stop, but for one that says what happened and what stays.")
        ),
        Effect(_("Their name leaves every list of results.")),
    ]


# --- leaving -----------------------------------------------------------------------------


def end_due() -> int:
    """Everybody whose last day is over leaves now; how many. One transaction for each, so that
    one who may not leave (the last administrator) keeps nobody else here."""
    with transaction() as session:
        ids = session.scalars(
            select(Person.id)
            .where(Person.ends_on < local_today(), Person.departed_at.is_(None))
            .order_by(Person.ends_on, Person.id)
            .limit(BATCH)
        ).all()
    left = 0
    for person_id in ids:
        try:
            left += directory.depart(person_id, cause="end-date")
        except DomainError as error:
            log.warning("the departure of a person at the end date was refused: %s", error.code)
    return left


def set_last_day(
    person_id: uuid.UUID, day: dt.date | None, *, actor_id: uuid.UUID | None = None
) -> None:
    """The last day in the organisation; the departure follows on the day after.

    Raises `InvalidInput` for a day that is over, `Departed`, `NoSuchPerson`.
    """
    if day is not None and day < local_today():
        raise check_form({"ends_on": _l("This day is over. Record the departure instead.")})
    with transaction() as session:
        person = load_present(session, person_id)
        person.ends_on = day
        audit.record(
            "person.last_day", "person", person_id, actor_id=actor_id,
            day=day.isoformat() if day else None,
        )  # fmt: skip
        if day is not None and person.is_member:
            outbox.record("person.leaving", person_id=str(person_id), day=day.isoformat())


# --- long absence ------------------------------------------------------------------------


def suspend(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> bool:
    """A long absence begins: nothing is sent, nobody is ranked, points stay. False when it had
    begun. Raises `Departed`, `NoSuchPerson`."""
    with transaction() as session:
        person = load_present(session, person_id)
        if person.suspended_at is not None:
            return False
        person.suspended_at = clock.now()
        audit.record("person.suspended", "person", person_id, actor_id=actor_id)
        outbox.record("person.suspended", person_id=str(person_id))
    return True


def resume(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> bool:
    """A long absence ends; everything is as before. False when there was none."""
    with transaction() as session:
        person = load_present(session, person_id)
        if person.suspended_at is None:
            return False
        person.suspended_at = None
        audit.record("person.resumed", "person", person_id, actor_id=actor_id)
    return True


# --- former employees --------------------------------------------------------------------


def may_open_as_alumni(person: Person) -> bool:
    """True for somebody who left, has confirmed an address of their own, and is an employee's
    entry still."""
    address = address_of(person.id)
    return (
        person.kind == kinds.EMPLOYEE
        and person.departed_at is not None
        and address is not None
        and address.confirmed_at is not None
    )


def open_as_alumni(
    person_id: uuid.UUID, password: str, purposes: Collection[str] = ()
) -> Membership:
    """The person keeps an account as a former employee: their own choice and consent, at an
    address of their own. The row, badges, points and history stay; no role comes with it.

    Raises `InvalidInput` (password; an address that somebody else has), `NotAway`.
    """
    hashed(password, person_id)  # refuses a weak one before anything moves
    with transaction() as session:
        person = load_person(session, person_id)
        address = address_of(person_id)
        if address is None or not may_open_as_alumni(person):
            raise NotAway
        _refuse_taken_address(session, address.email, person_id)
        person.kind, person.email = kinds.ALUMNI, address.email
        person.departed_at = person.ends_on = person.suspended_at = None
        person.job_title = person.department = person.site = person.function = None
        person.manager_id = person.entity_id = None
        session.merge(Alumnus(person_id=person_id, text_version=ALUMNI_TEXT, returned_at=None))
        forget_address(session, person_id)
        audit.record("alumni.opened", "person", person_id, actor_id=person_id, text=ALUMNI_TEXT)
        outbox.record("person.kept_account", person_id=str(person_id))
        return join(person_id, password, purposes)


def _refuse_taken_address(session: Session, email: str, but: uuid.UUID) -> None:
    other = select(Person.id).where(Person.email == email, Person.id != but)
    if session.scalar(other) is not None:
        raise check_form({"email": _l("Somebody has this address already.")})


def add_partner(
    *, name: str, email: str, language: str, ends_on: dt.date, actor_id: uuid.UUID
) -> Person:
    """Somebody of a school, a temp agency or a client, until a last day; invited at once.

    Raises `InvalidInput` by field, a last day that is over or more than two years ahead included.
    """
    today = local_today()
    if not today <= ends_on <= today + dt.timedelta(days=731):
        raise check_form({"ends_on": _l("Give a day within the next two years.")})
    with transaction():
        person = directory.add_person(
            kind=kinds.PARTNER, name=name, email=email, language=language, actor_id=actor_id
        )
        person.ends_on = ends_on
        audit.record(
            "partner.added", "person", person.id, actor_id=actor_id, until=ends_on.isoformat()
        )
        invite(person.id, actor_id=actor_id)
    return person


# --- coming back -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What the return of a former employee brings: number and address in the organisation.
    `replaces` is an entry that was made anew for them and would go."""

    employee_id: str
    email: str
    replaces: Person | None


def new_entry(person_id: uuid.UUID, employee_id: str, email: str) -> NewEntry:
    """What would be linked, for the administrator to look at. Raises `InvalidInput` by field,
    `NotAway`, `HasHistory`."""
    with transaction() as session:
        return _new_entry(session, load_person(session, person_id), employee_id, email)


def _new_entry(session: Session, person: Person, employee_id: str, email: str) -> NewEntry:
    if person.kind != kinds.ALUMNI:
        raise NotAway
    number, address = one_line(employee_id), normal_address(email)
    if not number or len(number) > 80:
        raise check_form({"employee_id": _l("Give the employee number.")})
    if not is_usable(address):
        raise check_form({"email": _l("Give a mail address such as name@company.org.")})
    same = select(Person).where(
        (Person.email == address) | (Person.employee_id == number), Person.id != person.id
    )
    found = [*session.scalars(same)]
    if len(found) > 1:
        raise check_form(
            {"email": _l("This number and this address belong to two different entries.")}
        )
    if found and found[0].membership is not None:
        raise HasHistory
    return NewEntry(number, address, found[0] if found else None)


def take_back(person_id: uuid.UUID, employee_id: str, email: str, *, actor_id: uuid.UUID) -> None:
    """A former employee is hired again: the administrator confirmed that it is the same person.

    The account becomes an employee's again with its history; sessions, tokens and the password of
    the former employee end, so that the new address decides who comes in. An entry that was made for them
    meanwhile, and never took part, gives its place. Raises as `new_entry` does.
    """
    with transaction() as session:
        person = load_person(session, person_id)
        entry = _new_entry(session, person, employee_id, email)
        directory.forget_ways_in(session, person_id)
        if entry.replaces is not None:
            _give_place(session, entry.replaces, person, actor_id)
        person.kind, person.email = kinds.EMPLOYEE, entry.email
        person.employee_id, person.hired_on, person.ends_on = entry.employee_id, None, None
        session.execute(
            update(Alumnus).where(Alumnus.person_id == person_id).values(returned_at=clock.now())
        )
        audit.record("person.taken_back", "person", person_id, actor_id=actor_id)
        outbox.record("person.returned", person_id=str(person_id))


def _give_place(session: Session, entry: Person, person: Person, actor_id: uuid.UUID) -> None:
    """What the new entry knows goes to the person, and the entry is closed."""
    for name in ("job_title", "department", "site", "function", "contract"):
        setattr(person, name, getattr(entry, name))
    person.entity_id, person.manager_id = entry.entity_id, entry.manager_id
    session.execute(
        update(Identity).where(Identity.person_id == entry.id).values(person_id=person.id)
    )
    entry.email, entry.employee_id = f"{entry.id}@departed.invalid", None
    session.flush()
    directory.depart(entry.id, actor_id=actor_id, cause="linked")
    outbox.record("person.linked", entry_id=str(entry.id), person_id=str(person.id))
    session.refresh(person)


# --- by the clock and by facts -----------------------------------------------------------


def send_held_invitations() -> int:
    """First days have come: the invitations that waited for them leave; how many."""
    due = first_day.due_invitations()
    for person_id, asked_by in due:
        with transaction() as session:
            first_day.forget_held(session, person_id)
            with contextlib.suppress(NoAddress):  # it was taken from them meanwhile
                invite(person_id, actor_id=asked_by)
    return len(due)


@outbox.on("periodic.people.transitions", "people.transitions", outside=True, timeout=300)
def on_transitions() -> None:
    """Last days that are over, first days that have come."""
    end_due()
    send_held_invitations()
    personal_address.forget_old()


@outbox.on("person.departed", "people.after_departure")
def after_departure(person_id: str) -> None:
    """What waited for the person waits no more."""
    session, id_ = db.session(), uuid.UUID(person_id)
    placements.forget_reviews(session, id_)
    first_day.forget_held(session, id_)


__all__ = [
    "ABSENCE", "DEPARTURE", "RETURN", "Effect", "HasHistory", "NewEntry", "NotAway",
    "add_partner", "effects", "end_due", "may_open_as_alumni", "new_entry",
    "open_as_alumni", "resume", "send_held_invitations", "set_last_day", "suspend", "take_back",
    "tells",
]  # fmt: skip
