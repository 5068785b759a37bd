"""Reads about offers, shaped for the members' pages, the team's pages and the API.

Plain rows, keysets, no totals. What is searched is the offer's `search_text`: folded words,
so that case and accents do not matter, on either database.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.db import db
from app.integrations.text import clean_text, fold
from app.people.models import Person
from app.referrals import reach
from app.referrals.connections import kind_name
from app.referrals.errors import UnknownOffer
from app.referrals.models import Connection, Offer, OfferLink, Referral
from app.referrals.reach import Within
from app.settings.models import Entity
from app.web import current_settings
from app.web.cursors import Beside, beside, encode_cursor, of_model, throughout

MAX_PAGE: Final = 200
_WORDS: Final = 8
_FACETS: Final = 200


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer in a list. `company` is the name of the entity that hires, where one does."""

    id: uuid.UUID
    slug: str
    title: str
    location: str
    department: str
    contract: str
    remote: str | None
    language: str
    salary_min: int | None
    salary_max: int | None
    salary_currency: str | None
    salary_interval: str | None
    salary_text: str
    status: str
    source: str
    connection_id: uuid.UUID | None
    external_id: str | None
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    closed_reason: str | None
    entity_id: uuid.UUID | None
    company: str | None
    created_at: dt.datetime
    updated_at: dt.datetime

    @property
    def public_url(self) -> str:
        return f"{current_settings().base_url}/o/{self.slug}"

    @property
    def source_name(self) -> str:
        """Where it comes from, as people call it."""
        return str(_l("Written here")) if self.source == "manual" else kind_name(self.source)


@dataclass(frozen=True, slots=True)
class OfferDetail:
    """One offer whole, with what hangs on it."""

    row: OfferRow
    description_html: str
    country_codes: list[str]
    apply_url: str | None
    external_job_id: str | None
    recruiter_id: uuid.UUID | None
    recruiter_name: str | None
    connection_name: str | None
    links: int
    referrals: int


@dataclass(frozen=True, slots=True)
class Facet:
    """A value a list can be narrowed by, how it is called, and how many offers have it."""

    value: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Facets:
    departments: list[Facet]
    locations: list[Facet]
    contracts: list[Facet]
    sources: list[Facet]
    entities: list[Facet]


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """What a list shows. Empty means everything; `status` None means every status. `entity` is the
    code of one; `within` is how far a role of the team goes."""

    q: str = ""
    status: str | None = None
    department: str = ""
    location: str = ""
    contract: str = ""
    source: str = ""
    external_id: str = ""
    entity: str = ""
    within: Within = None


COMPANY: Final = (
    select(Entity.name).where(Entity.id == Offer.entity_id).correlate(Offer).scalar_subquery()
)
_COLUMNS: Final = tuple(
    COMPANY.label(name) if name == "company" else getattr(Offer, name)
    for name in OfferRow.__dataclass_fields__
)


def _row(values: Sequence[Any]) -> OfferRow:
    return OfferRow(*values[: len(_COLUMNS)])


def _conditions(f: OfferFilter) -> list[ColumnElement[bool]]:
    # Cleaned, because PostgreSQL refuses a NUL that somebody writes into an address.
    found: list[ColumnElement[bool]] = [
        column == clean_text(value)
        for column, value in (
            (Offer.status, f.status),
            (Offer.department, f.department),
            (Offer.location, f.location),
            (Offer.contract, f.contract),
            (Offer.source, f.source),
            (Offer.external_id, f.external_id),
        )
        if value
    ]
    if f.entity:
        code = clean_text(f.entity)
        found.append(Offer.entity_id.in_(select(Entity.id).where(Entity.code == code)))
    if f.within is not None:
        found.append(reach.kept_offers(f.within))
    # Folded words hold letters and digits only, so nothing in them is a wildcard.
    words = fold(f.q[:200]).split()[:_WORDS]
    return found + [Offer.search_text.contains(word) for word in words]


def _rows(part: Select[Any]) -> list[OfferRow]:
    return [_row(tuple(row)) for row in db.session.execute(part)]


def open_offers(
    person_id: uuid.UUID,
    q: str = "",
    department: str = "",
    location: str = "",
    contract: str = "",
    entity: str = "",
    after: str | None = None,
    before: str | None = None,
    limit: int = 24,
) -> Beside[OfferRow]:
    """The open offers that are meant for somebody, the newest first: those after one place of
    the list or before another. Raises `InvalidInput` for a cursor that is none."""
    filters = OfferFilter(q, "open", department, location, contract, entity=entity)
    return beside(
        select(*_COLUMNS).where(
            *_conditions(filters), Offer.opened_at.is_not(None), reach.met_by(person_id)
        ),
        (Offer.opened_at, Offer.id),
        _rows,
        lambda row: encode_cursor(row.opened_at, row.id),
        after=after,
        before=before,
        limit=min(max(limit, 1), MAX_PAGE),
    )


def list_offers(
    filters: OfferFilter,
    after: str | None = None,
    limit: int = 50,
    *,
    before: str | None = None,
    oldest: bool = False,
) -> Beside[OfferRow]:
    """Offers of every status, the last made first (or the first, with `oldest`): those after
    one place of the list or before another. Raises `InvalidInput` like `open_offers`."""
    return beside(
        select(*_COLUMNS).where(*_conditions(filters)),
        (Offer.created_at, Offer.id),
        _rows,
        lambda row: encode_cursor(row.created_at, row.id),
        after=after,
        before=before,
        limit=min(max(limit, 1), MAX_PAGE),
        rising=oldest,
    )


def api_offers(
    *,
    status: str | None = None,
    q: str = "",
    external_id: str | None = None,
    source: str | None = None,
    entity: str = "",
    reader_id: uuid.UUID,
    within: Within,
    after: str | None = None,
    limit: int = 50,
) -> Beside[Offer]:
    """Whole offers for a program, the last made first: those that the
    reader keeps as far as their role goes (`within`), drafts included, and published ones that
    are meant for them. Raises `InvalidInput` like `open_offers`."""
    filters = OfferFilter(
        q=q, status=status, source=source or "", external_id=external_id or "", entity=entity
    )
    return of_model(
        select(Offer).where(*_conditions(filters), *readable(reader_id, within)),
        (Offer.created_at, Offer.id),
        after=after,
        limit=min(max(limit, 1), MAX_PAGE),
    )


def readable(reader_id: uuid.UUID, within: Within) -> list[ColumnElement[bool]]:
    """Conditions over `Offer`: what a reader may know of."""
    if within is None:
        return []
    met = and_(Offer.status != "draft", reach.met_by(reader_id))
    return [or_(met, reach.kept_offers(within))]


def offer_for(offer_id: uuid.UUID, reader_id: uuid.UUID, within: Within) -> Offer:
    """One offer that a reader may know of. Raises `UnknownOffer`."""
    query = select(Offer).where(Offer.id == offer_id, *readable(reader_id, within))
    found = db.session.scalars(query).one_or_none()
    if found is None:
        raise UnknownOffer
    return found


def every_offer(filters: OfferFilter) -> Iterator[OfferRow]:
    """All offers a list shows, part by part, for an export."""
    return throughout(lambda after: list_offers(filters, after, MAX_PAGE))


def facets(
    status: str | None = "open", *, person_id: uuid.UUID | None = None, within: Within = None
) -> Facets:
    """What the list can be narrowed by, the most frequent first (at most 200 of each): of what
    is meant for somebody, or of what a role of the team keeps."""
    columns = (Offer.department, Offer.location, Offer.contract, Offer.source)
    found: list[list[Facet]] = [[] for _column in (*columns, Entity)]
    shown = [reach.kept_offers(within)] if person_id is None else [reach.met_by(person_id)]
    shown += [Offer.status == status] if status is not None else []
    parts = [_facet(place, column, column, shown) for place, column in enumerate(columns)]
    parts.append(_facet(len(columns), Entity.code, Entity.name, shown))
    for place, value, label, count in db.session.execute(union_all(*parts)):
        found[place].append(Facet(value, count, label))
    return Facets(*(sorted(each, key=lambda facet: (-facet.count, facet.value)) for each in found))


def _facet(
    place: int, column: Any, label: Any, shown: list[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    number = func.count()
    query = select(column.label("value"), label.label("label"), number.label("n"))
    query = query.select_from(Offer).where(column != "", *shown)
    if column is Entity.code:
        query = query.join(Entity, Entity.id == Offer.entity_id)
    # Wrapped, because SQLite takes no limit inside a union otherwise.
    most = query.group_by(column, label).order_by(number.desc(), column).limit(_FACETS).subquery()
    return select(literal(place), most.c.value, most.c.label, most.c.n)


def named(ids: Collection[uuid.UUID], within: Within = None) -> list[OfferRow]:
    """The offers of these identifiers that a role keeps, in no order."""
    query = select(*_COLUMNS).where(Offer.id.in_(ids), reach.kept_offers(within))
    return _rows(query.limit(MAX_PAGE))


def offer_detail(offer_id: uuid.UUID, within: Within = None) -> OfferDetail:
    """One offer, of any status, that a role keeps. Raises `UnknownOffer`."""
    return _detail((Offer.id == offer_id) & reach.kept_offers(within))


def offer_met(offer_id: uuid.UUID, person_id: uuid.UUID) -> OfferDetail:
    """One offer as a member comes upon it: meant for them, or one they carry a link to, which
    nobody takes from them. Raises `UnknownOffer`."""
    carried = exists().where(OfferLink.offer_id == Offer.id, OfferLink.person_id == person_id)
    return _detail((Offer.id == offer_id) & or_(reach.met_by(person_id), carried))


def offer_by_slug(slug: str) -> OfferDetail:
    """The published offer of an address, closed ones included. Raises `UnknownOffer`."""
    return _detail((Offer.slug == slug) & or_(Offer.status == "open", Offer.status == "closed"))


def _detail(condition: ColumnElement[bool]) -> OfferDetail:
    row = db.session.execute(
        select(
            *_COLUMNS,
            Offer.description_html,
            Offer.country_codes,
            Offer.apply_url,
            Offer.external_job_id,
            Offer.recruiter_id,
            Person.name.label("recruiter_name"),
            Connection.name.label("connection_name"),
            _count(OfferLink, OfferLink.offer_id).label("links"),
            _count(Referral, Referral.offer_id).label("referrals"),
        )
        .outerjoin(Person, Person.id == Offer.recruiter_id)
        .outerjoin(Connection, Connection.id == Offer.connection_id)
        .where(condition)
    ).one_or_none()
    if row is None:
        raise UnknownOffer
    values = tuple(row)
    return OfferDetail(_row(values), *values[len(_COLUMNS) :])


def _count(table: type[OfferLink] | type[Referral], column: Any) -> Any:
    return (
        select(func.count())
        .select_from(table)
        .where(column == Offer.id)
        .correlate(Offer)
        .scalar_subquery()
    )
