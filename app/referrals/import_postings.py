"""What one posting of a feed changes in our offers.

The source leads: its texts replace ours when they change, its closings close. Only one thing
outweighs it: an offer that a person closed here stays closed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select

from app import clock
from app.db import db, new_id
from app.integrations.postings import Posting, Salary
from app.integrations.text import clean_text
from app.referrals import offers, reach
from app.referrals.models import Connection, Offer

ID_LIMIT = 120
_URL_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a posting: `outcome` is created, updated, unchanged, closed or refused."""

    outcome: str
    code: str | None
    offer: Offer | None


def columns_of(posting: Posting) -> dict[str, object]:
    """The posting as columns of an offer, each within its length."""
    return {
        "title": posting.title,
        "description_html": posting.description_html,
        "location": _places(posting.locations),
        "country_codes": list(posting.country_codes),
        "department": clean_text(posting.department or "", 200),
        "contract": clean_text(posting.contract or "", 80),
        "remote": posting.workplace,
        "apply_url": _bounded(posting.apply_url, _URL_LIMIT),
        "external_job_id": _bounded(posting.job_id, ID_LIMIT),
        **_salary(posting.salary),
        **({"language": posting.language[:5]} if posting.language else {}),
    }


def _bounded(value: str | None, limit: int) -> str | None:
    """An address or identifier is whole or nothing: half of one leads elsewhere."""
    return value if value and len(value) <= limit else None


def _places(places: tuple[str, ...]) -> str:
    """The places on one line; a stroke where a place has a comma of its own."""
    mark = " / " if any("," in place for place in places) else ", "
    return clean_text(mark.join(places), 300)


def _salary(salary: Salary | None) -> dict[str, object]:
    """Bounds as whole units; an hourly 12.10 stays in the source's own words, never rounded."""
    if salary is None:
        none = dict.fromkeys(("salary_min", "salary_max", "salary_currency", "salary_interval"))
        return {**none, "salary_text": ""}
    whole = _is_whole(salary.minimum) and _is_whole(salary.maximum)
    return {
        "salary_min": int(salary.minimum) if whole and salary.minimum is not None else None,
        "salary_max": int(salary.maximum) if whole and salary.maximum is not None else None,
        "salary_currency": salary.currency,
        "salary_interval": salary.interval,
        "salary_text": clean_text(salary.raw, 200),
    }


def _is_whole(amount: Decimal | None) -> bool:
    return amount is None or (amount == amount.to_integral_value() and amount <= 2_000_000_000)


def digest_of(columns: dict[str, object], is_open: bool) -> str:
    """Names what the source says of an offer, so that the same again is recognised."""
    text = json.dumps({**columns, "open": is_open}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def known(connection: Connection, postings: list[Posting]) -> dict[str, Offer]:
    """The offers we have for these postings, by identifier, locked until the commit."""
    rows = db.session.scalars(
        select(Offer)
        .where(
            Offer.source == connection.kind,
            Offer.connection_id == connection.id,
            Offer.external_id.in_([posting.external_id for posting in postings]),
        )
        .order_by(Offer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {offer.external_id or "": offer for offer in rows}


def take(connection: Connection, posting: Posting, offer: Offer | None, language: str) -> Taken:
    """Bring our offer in line with the posting, inside a transaction."""
    if len(posting.external_id) > ID_LIMIT:
        return Taken("refused", "id-too-long", None)
    columns = columns_of(posting)
    digest = digest_of(columns, posting.is_open)
    if offer is None:
        return _create(connection, posting, {"language": language, **columns}, digest)
    changed = offer.content_hash != digest
    if changed:
        _update(offer, columns, digest)
    outcome, code = _follow(offer, posting.is_open)
    return Taken(outcome or ("updated" if changed else "unchanged"), code, offer)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides how a posting meets an offer that we have."""

    status: str
    closed_reason: str | None
    content_hash: str | None


def foresee(posting: Posting, offer: Standing | None) -> tuple[str, str | None]:
    """Outcome and code that `take` would come to, without changing anything."""
    if len(posting.external_id) > ID_LIMIT:
        return "refused", "id-too-long"
    if offer is None:
        return "created", None if posting.is_open else "closed-at-source"
    changed = offer.content_hash != digest_of(columns_of(posting), posting.is_open)
    outcome, code = _followed(offer.status, offer.closed_reason, posting.is_open)
    return outcome or ("updated" if changed else "unchanged"), code


def _create(
    connection: Connection, posting: Posting, columns: dict[str, object], digest: str
) -> Taken:
    """A new offer; one that is closed in the file is kept too, so that a hire finds it."""
    offer = Offer(
        **columns,
        id=new_id(),
        slug=offers.make_slug(posting.title),
        status="draft",
        source=connection.kind,
        connection_id=connection.id,
        external_id=posting.external_id,
        content_hash=digest,
        entity_id=connection.entity_id,
    )
    db.session.add(offer)
    if posting.is_open:
        offers.mark_open(offer)
    else:
        offers.mark_closed(offer, offers.BY_SOURCE)
    db.session.flush()
    reach.keep_as(db.session(), offer.id, connection.id)
    return Taken("created", None if posting.is_open else "closed-at-source", offer)


def _update(offer: Offer, columns: dict[str, object], digest: str) -> None:
    for name, value in columns.items():
        setattr(offer, name, value)
    offer.content_hash, offer.updated_at = digest, clock.now()


def _follow(offer: Offer, is_open: bool) -> tuple[str | None, str | None]:
    """Open and close as the source does; (outcome, code) where that says something."""
    outcome, code = _followed(offer.status, offer.closed_reason, is_open)
    if outcome == "closed":
        offers.mark_closed(offer, offers.BY_SOURCE)
    elif code == "reopened":
        offers.mark_open(offer)
    return outcome, code


def _followed(
    status: str, closed_reason: str | None, is_open: bool
) -> tuple[str | None, str | None]:
    """What following the source means for an offer in this status."""
    if not is_open:
        return ("closed" if status == "open" else None), "closed-at-source"
    if status != "closed":
        return None, None
    if closed_reason == offers.BY_PERSON:
        return None, "closed-by-person"
    return "updated", "reopened"
