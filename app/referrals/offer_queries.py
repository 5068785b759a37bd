"""Reads about offers, shaped for the members' pages, the team's pages and the API.

Plain rows, keysets, no totals. What is searched is the offer's `search_text`: folded words,
so that case and accents do not matter, on either database.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, literal, or_, select, tuple_, union_all

from app.db import db
from app.integrations.text import clean_text, fold
from app.people.models import Person
from app.referrals.connections import kind_name
from app.referrals.errors import UnknownOffer
from app.referrals.models import Connection, Offer, OfferLink, Referral
from app.web import current_settings
from app.web.cursors import decode_cursor, encode_cursor

MAX_PAGE: Final = 200
_WORDS: Final = 8
_FACETS: Final = 200


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer in a list."""

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


class Page(NamedTuple):
    """A part of a list; `next` is the cursor of the following part, None at the end."""

    items: list[OfferRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class TeamPage:
    """A part of the team's list, which is paged both ways; None at its ends."""

    items: list[OfferRow]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Facet:
    """A value a list can be narrowed by, and how many offers have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    departments: list[Facet]
    locations: list[Facet]
    contracts: list[Facet]
    sources: list[Facet]


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """What a list shows. Empty means everything; `status` None means every status."""

    q: str = ""
    status: str | None = None
    department: str = ""
    location: str = ""
    contract: str = ""
    source: str = ""
    external_id: str = ""


_COLUMNS: Final = tuple(getattr(Offer, name) for name in OfferRow.__dataclass_fields__)


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
    # Folded words hold letters and digits only, so nothing in them is a wildcard.
    words = fold(f.q[:200]).split()[:_WORDS]
    return found + [Offer.search_text.contains(word) for word in words]


def _page(query: Select[Any], limit: int, by: str) -> Page:
    rows = [_row(tuple(row)) for row in db.session.execute(query.limit(limit + 1))]
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], encode_cursor(getattr(last, by), last.id))


def open_offers(
    q: str = "",
    department: str = "",
    location: str = "",
    contract: str = "",
    after: str | None = None,
    limit: int = 24,
) -> Page:
    """The open offers, the newest first. Raises `InvalidInput` for a cursor that is none."""
    filters = OfferFilter(q, "open", department, location, contract)
    query = (
        select(*_COLUMNS)
        .where(*_conditions(filters), Offer.opened_at.is_not(None))
        .order_by(Offer.opened_at.desc(), Offer.id.desc())
    )
    place = decode_cursor(after)
    if place is not None:
        query = query.where(tuple_(Offer.opened_at, Offer.id) < tuple_(*_bound(place)))
    return _page(query, min(max(limit, 1), MAX_PAGE), "opened_at")


def list_offers(
    filters: OfferFilter,
    after: str | None = None,
    limit: int = 50,
    *,
    before: str | None = None,
    oldest: bool = False,
) -> TeamPage:
    """Offers of every status, the last made first (or the first, with `oldest`): those after
    one place of the list or before another. Raises `InvalidInput` like `open_offers`."""
    limit = min(max(limit, 1), MAX_PAGE)
    backwards = before is not None and not after
    upwards = oldest != backwards  # towards later dates
    place = decode_cursor(before if backwards else after)
    key = (Offer.created_at, Offer.id)
    query = select(*_COLUMNS).where(*_conditions(filters))
    if place is not None:
        here, there = tuple_(*key), tuple_(*_bound(place))
        query = query.where(here > there if upwards else here < there)
    query = query.order_by(*(key if upwards else [column.desc() for column in key]))
    found = [_row(tuple(row)) for row in db.session.execute(query.limit(limit + 1))]
    more, items = len(found) > limit, found[:limit]
    if backwards:
        items.reverse()
    edges = [encode_cursor(row.created_at, row.id) for row in items[:1] + items[-1:]]
    if not edges:
        return TeamPage([], None, None)
    return TeamPage(
        items,
        next=edges[-1] if more or backwards else None,
        previous=edges[0] if (more if backwards else after) else None,
    )


def _bound(place: tuple[dt.datetime, uuid.UUID]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The cursor's values with their column types, so that both databases compare alike."""
    return literal(place[0], Offer.created_at.type), literal(place[1], Offer.id.type)


def api_offers(
    *,
    status: str | None = None,
    q: str = "",
    external_id: str | None = None,
    source: str | None = None,
    drafts: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[Offer], str | None]:
    """Whole offers for a program, the last made first, and the next cursor. Without `drafts`
    those that were never published stay out. Raises `InvalidInput` like `open_offers`."""
    filters = OfferFilter(q=q, status=status, source=source or "", external_id=external_id or "")
    limit = min(max(limit, 1), MAX_PAGE)
    query = (
        select(Offer)
        .where(*_conditions(filters))
        .order_by(Offer.created_at.desc(), Offer.id.desc())
        .limit(limit + 1)
    )
    if not drafts:
        query = query.where(Offer.status != "draft")
    place = decode_cursor(after)
    if place is not None:
        query = query.where(tuple_(Offer.created_at, Offer.id) < tuple_(*_bound(place)))
    rows = list(db.session.scalars(query))
    more = encode_cursor(rows[limit - 1].created_at, rows[limit - 1].id) if rows[limit:] else None
    return rows[:limit], more


def every_offer(filters: OfferFilter) -> Iterator[OfferRow]:
    """All offers a list shows, part by part, for an export."""
    after: str | None = None
    while True:
        page = list_offers(filters, after, MAX_PAGE)
        yield from page.items
        after = page.next
        if after is None:
            return


def facets(status: str | None = "open") -> Facets:
    """What the list can be narrowed by, the most frequent first (at most 200 of each)."""
    columns = (Offer.department, Offer.location, Offer.contract, Offer.source)
    found: list[list[Facet]] = [[] for _column in columns]
    parts = [_facet(place, column, status) for place, column in enumerate(columns)]
    for place, value, count in db.session.execute(union_all(*parts)):
        found[place].append(Facet(value, count))
    return Facets(*(sorted(each, key=lambda facet: (-facet.count, facet.value)) for each in found))


def _facet(place: int, column: Any, status: str | None) -> Select[*tuple[Any, ...]]:
    query = select(column.label("value"), func.count().label("n")).where(column != "")
    if status is not None:
        query = query.where(Offer.status == status)
    # Wrapped, because SQLite takes no limit inside a union otherwise.
    most = query.group_by(column).order_by(func.count().desc(), column).limit(_FACETS).subquery()
    return select(literal(place), most.c.value, most.c.n)


def named(ids: Collection[uuid.UUID]) -> list[OfferRow]:
    """The offers of these identifiers, in no order."""
    found = db.session.execute(select(*_COLUMNS).where(Offer.id.in_(ids)).limit(MAX_PAGE))
    return [_row(tuple(row)) for row in found]


def offer_detail(offer_id: uuid.UUID) -> OfferDetail:
    """One offer, of any status. Raises `UnknownOffer`."""
    return _detail(Offer.id == offer_id)


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
