"""Reads for pages: plain rows, pages by key, no totals.

No query here tells who did not join or who left the programme (rule W2): the directory's
rows hold what the directory says and granted roles, never membership.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, exists, or_, select

from app import clock
from app.db import db
from app.people import names
from app.people.consents import PURPOSES, Purpose
from app.people.errors import NoSuchPerson
from app.people.models import AccessToken, Consent, Credential, Membership, Person, RoleGrant
from app.people.search import PeopleFilter, find
from app.people.text import NOWHERE, normal_address, one_line

MOST = 200


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of the directory. `roles` are the granted ones, so never `member`."""

    id: uuid.UUID
    kind: str
    name: str
    email: str
    employee_id: str | None
    job_title: str | None
    department: str | None
    site: str | None
    language: str
    departed_at: dt.datetime | None
    roles: tuple[str, ...]

    @property
    def display_name(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        return names.initials(self.name)

    @property
    def avatar(self) -> int:
        return names.avatar(self.id)


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """`next` goes back as `after`; None on the last page."""

    items: list[PersonRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Named:
    """How a person is named to colleagues."""

    id: uuid.UUID
    name: str

    @property
    def display_name(self) -> str:
        return self.name

    @property
    def given_name(self) -> str:
        return names.given_name(self.name)

    @property
    def short_name(self) -> str:
        return names.short_name(self.name)

    @property
    def initials(self) -> str:
        return names.initials(self.name)

    @property
    def avatar(self) -> int:
        return names.avatar(self.id)


@dataclass(frozen=True, slots=True)
class Choice:
    """One purpose and the person's present answer to it; `granted_at` is None for no."""

    purpose: Purpose
    granted_at: dt.datetime | None
    withdrawn_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that works, or would but for its date."""

    id: uuid.UUID
    name: str
    scopes: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    is_expired: bool


def _roles_of(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    roles: dict[uuid.UUID, list[str]] = defaultdict(list)
    for person_id, role in db.session.execute(
        select(RoleGrant.person_id, RoleGrant.role)
        .distinct()
        .where(RoleGrant.person_id.in_(ids))
        .order_by(RoleGrant.role)
    ):
        roles[person_id].append(role)
    return roles


def people_page(
    search: str = "",
    after: str | None = None,
    limit: int = 50,
    *,
    departed: bool = False,
    filters: PeopleFilter | None = None,
) -> PeoplePage:
    """The directory by name: those present, or with `departed` those who left the organisation;
    with `filters` what they say instead.

    `search` is the beginning of words of a name, an address or an employee number; what it finds
    stands in the order of these words. Raises `InvalidInput` for an unreadable `after`.
    """
    asked = filters or PeopleFilter(q=search, state="departed" if departed else "present")
    found = find(asked, after, limit)
    return PeoplePage(_people_rows(found.ids), found.next)


def _people_rows(ids: Collection[uuid.UUID]) -> list[PersonRow]:
    """The lines of the directory for these people, in their order."""
    columns = (
        Person.id, Person.kind, Person.name, Person.email, Person.employee_id, Person.job_title,
        Person.department, Person.site, Person.language, Person.departed_at,
    )  # fmt: skip
    rows = db.session.execute(select(*columns).where(Person.id.in_(ids)))
    roles = _roles_of(ids)
    known = {row.id: PersonRow(**row._mapping, roles=tuple(roles[row.id])) for row in rows}
    return [known[person_id] for person_id in ids if person_id in known]


def person(person_id: uuid.UUID) -> Person:
    """One directory entry. Raises `NoSuchPerson`."""
    found = db.session.get(Person, person_id)
    if found is None or found.erased_at is not None:
        raise NoSuchPerson
    return found


def person_by_email(email: str) -> Person | None:
    """The entry with this address, in whatever case it is written."""
    return db.session.scalar(select(Person).where(Person.email == normal_address(email)))


def person_by_employee_id(employee_id: str) -> Person | None:
    """The entry with this employee number, which is text: 00123 is not 123."""
    return db.session.scalar(select(Person).where(Person.employee_id == one_line(employee_id)))


def mailbox(person: type[Person]) -> ColumnElement[str]:
    """The address of people (or of an alias) where mail reaches them, "" of who has none."""
    return case((person.email.endswith(NOWHERE), ""), else_=person.email)


def named(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Named]:
    """Names for a list of people, in one read; an unknown identifier is left out."""
    rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_({*ids})))
    return {row.id: Named(row.id, row.name) for row in rows}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a role, and how far: None for everywhere, else for these segments."""

    id: uuid.UUID
    name: str
    within: frozenset[uuid.UUID] | None


def holders(role: str) -> list[Holder]:
    """Those present who hold a granted role, by name, each with how far it goes."""
    rows = db.session.execute(
        select(Person.id, Person.name, RoleGrant.segment_id)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(RoleGrant.role == role, Person.departed_at.is_(None))
        .order_by(Person.name, Person.id)
        .limit(MOST * 10)
    )
    names: dict[uuid.UUID, str] = {}
    reach: dict[uuid.UUID, set[uuid.UUID | None]] = {}
    for row in rows:
        names[row.id] = row.name
        reach.setdefault(row.id, set()).add(row.segment_id)
    return [Holder(each, names[each], _within(found)) for each, found in reach.items()]


def _within(segment_ids: set[uuid.UUID | None]) -> frozenset[uuid.UUID] | None:
    """A grant for the whole organisation outweighs those for segments."""
    known = frozenset(each for each in segment_ids if each is not None)
    return None if len(known) < len(segment_ids) else known


def choices_of(person_id: uuid.UUID) -> list[Choice]:
    """Every purpose with the newest answer."""
    newest: dict[str, Consent] = {}
    for row in db.session.scalars(
        select(Consent).where(Consent.person_id == person_id).order_by(Consent.granted_at)
    ):
        newest[row.purpose] = row
    return [_choice(purpose, newest.get(code)) for code, purpose in PURPOSES.items()]


def _choice(purpose: Purpose, row: Consent | None) -> Choice:
    if row is None:
        return Choice(purpose, None, None)
    granted_at = row.granted_at if row.withdrawn_at is None else None
    return Choice(purpose, granted_at, row.withdrawn_at)


def has_consent(person_id: uuid.UUID, purpose: str) -> bool:
    """True while a yes of a present member stands."""
    return person_id in consenting([person_id], purpose)


def consenting(ids: Iterable[uuid.UUID], purpose: str) -> frozenset[uuid.UUID]:
    """Those among `ids` whose yes to one purpose stands."""
    found = db.session.scalars(
        select(Consent.person_id)
        .join(Membership, Membership.person_id == Consent.person_id)
        .join(Person, Person.id == Consent.person_id)
        .where(
            Consent.person_id.in_({*ids}),
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
            Membership.left_at.is_(None),
            Person.departed_at.is_(None),
        )
    )
    return frozenset(found)


def tokens_of(person_id: uuid.UUID) -> list[TokenRow]:
    """Tokens that were not revoked, the newest first."""
    now = clock.now()
    rows = db.session.execute(
        select(
            AccessToken.id, AccessToken.name, AccessToken.scopes, AccessToken.created_at,
            AccessToken.expires_at,
        )
        .where(AccessToken.person_id == person_id, AccessToken.revoked_at.is_(None))
        .order_by(AccessToken.created_at.desc(), AccessToken.id)
        .limit(MOST)
    )  # fmt: skip
    return [
        TokenRow(
            row.id, row.name, tuple(row.scopes), row.created_at, row.expires_at,
            row.expires_at is not None and row.expires_at <= now,
        )
        for row in rows
    ]  # fmt: skip


def has_password(person_id: uuid.UUID) -> bool:
    """True where the person can sign in without an identity provider."""
    return db.session.get(Credential, person_id) is not None


def is_empty() -> bool:
    """True while the directory has nobody: the set-up has not been done."""
    return db.session.execute(select(Person.id).limit(1)).first() is None


def leaving_soon(today: dt.date, limit: int = MOST) -> list[Person]:
    """Who has a last day ahead, the nearest first."""
    rows = (
        select(Person)
        .where(Person.ends_on >= today, Person.departed_at.is_(None))
        .order_by(Person.ends_on, Person.id)
        .limit(limit)
    )
    return [*db.session.scalars(rows)]


def has_left(person: type[Person]) -> ColumnElement[bool]:
    """A condition over people (or an alias): left the programme or the organisation. No list of
    another feature names them (rule W2)."""
    gone = exists().where(Membership.person_id == person.id, Membership.left_at.is_not(None))
    return or_(person.departed_at.is_not(None), gone)
