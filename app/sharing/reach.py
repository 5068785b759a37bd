"""What became of a post, and how truly we know it.

Visits by our own link are measured by us. LinkedIn's figures are measured by LinkedIn, in
`community_management` mode only. What the author types is declared. Everything else is not
measured: never a zero for an unknown (rules N1, N4; API terms).
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import audit, clock
from app.crypto import CannotDecrypt
from app.db import db, transaction
from app.errors import InvalidInput
from app.integrations.linkedin.analytics import Analytics, NotRead
from app.integrations.linkedin.outcomes import Throttled, TokenRefused
from app.referrals.models import ClickCount
from app.sharing import grants, quotas, sealing
from app.sharing.errors import UnknownShare, nothing_to_do
from app.sharing.models import Grant, ReachFigure, Share
from app.sharing.sealing import TokenMisplaced
from app.sharing.words import CHECK_FORM
from app.web import current_settings

log = logging.getLogger(__name__)

MEASURED, DECLARED = "measured", "declared"
DECLARABLE = ("impressions", "reactions", "comments", "reshares")
METRICS = ("clicks", "impressions", "reached", "reactions", "comments", "reshares")
ANALYTICS_SCOPE = "r_member_postAnalytics"
_FROM_LINKEDIN = {
    "IMPRESSION": "impressions",
    "MEMBERS_REACHED": "reached",
    "REACTION": "reactions",
}
# Days after publication on which a post is looked at: often while it moves, then hardly ever.
POLL_DAYS = (1, 2, 4, 8, 15, 30)
BATCH = 200
MOST = 10**9


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and how it is known; `taken_at` None for a count made now."""

    value: int
    truth: str
    taken_at: dt.datetime | None = None


Reach = dict[str, Figure | None]


def reach_of(shares: list[Share]) -> dict[uuid.UUID, Reach]:
    """The figures of some shares; a metric that nobody measured or declared is None. Two
    statements, however many shares."""
    if not shares:
        return {}
    clicks = visits([s.link_id for s in shares if s.link_id is not None])
    found: dict[uuid.UUID, Reach] = {s.id: dict.fromkeys(METRICS) for s in shares}
    for share in shares:
        if _is_linked(share):
            number = clicks.get(share.link_id, 0) if share.link_id else 0
            found[share.id]["clicks"] = Figure(number, MEASURED)
    rows = db.session.scalars(
        select(ReachFigure).where(ReachFigure.share_id.in_([s.id for s in shares]))
    )
    for row in rows:
        found[row.share_id][row.metric] = Figure(row.value, row.truth, row.taken_at)
    return found


def _is_linked(share: Share) -> bool:
    """Whether somebody out there can have our link: then no visit is a measured zero."""
    if share.status == "intent":
        return True
    return share.format == "article" and share.status in ("published", "unknown", "withdrawn")


def visits(link_ids: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Openings by people, for each link that has any."""
    if not link_ids:
        return {}
    rows = db.session.execute(
        select(ClickCount.link_id, ClickCount.count.label("people")).where(
            ClickCount.link_id.in_(link_ids), ClickCount.verdict == "person"
        )
    )
    return {row.link_id: row.people for row in rows}


def declare(person_id: uuid.UUID, share_id: uuid.UUID, figures: dict[str, str]) -> None:
    """What the author read on the network, typed in; an empty field takes a figure away. What
    the network itself measured is not overwritten.

    Raises `UnknownShare`, `NotPossible`, `InvalidInput` by metric.
    """
    values = {metric: _number(metric, figures.get(metric, "")) for metric in DECLARABLE}
    with transaction() as session:
        share = session.get(Share, share_id)
        if share is None or share.person_id != person_id:
            raise UnknownShare
        if share.status not in ("published", "intent"):
            raise nothing_to_do()
        for metric, value in values.items():
            _keep(share_id, metric, value, DECLARED)
        audit.record("share.figures_declared", "share", share_id, actor_id=person_id)


def _number(metric: str, typed: str) -> int | None:
    digits = "".join(typed.split()).replace("\u202f", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and int(digits) <= MOST):
        raise InvalidInput(CHECK_FORM, {metric: _l("A whole number, or nothing.")})
    return int(digits)


def _keep(share_id: uuid.UUID, metric: str, value: int | None, truth: str) -> None:
    session = db.session()
    row = session.get(ReachFigure, (share_id, metric))
    if row is not None and row.truth == MEASURED and truth == DECLARED:
        return
    if value is None:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = ReachFigure(share_id=share_id, metric=metric)
        session.add(row)
    row.value, row.truth, row.taken_at = value, truth, clock.now()


# --- LinkedIn's own figures --------------------------------------------------------------


def next_poll(published_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """When a post is looked at again; None once it is thirty days old."""
    later = (published_at + dt.timedelta(days=days) for days in POLL_DAYS)
    return next((at for at in later if at > now), None)


def poll_due(limit: int = BATCH) -> int:
    """Ask LinkedIn for the figures of posts whose time has come, in one batch; how many posts
    were asked about. Nothing in `self_serve` mode: there the interface has no figures."""
    settings = current_settings()
    if settings.linkedin_mode != "community_management":
        return 0
    now = clock.now()
    ids = db.session.scalars(
        select(Share.id)
        .where(Share.poll_due_at <= now, Share.status == "published")
        .order_by(Share.poll_due_at)
        .limit(limit)
    ).all()
    client, done = Analytics(settings), 0
    for share_id in ids:
        if not _poll(client, share_id, now):
            break
        done += 1
    return done


def _poll(client: Analytics, share_id: uuid.UUID, now: dt.datetime) -> bool:
    """One post; False when the application must wait."""
    share = db.session.get(Share, share_id)
    grant = grants.grant_of(share.person_id) if share else None
    if share is None or share.post_urn is None or share.published_at is None:
        return True
    person_id, urn = share.person_id, share.post_urn
    again = next_poll(share.published_at, now)
    token = _token(grant, now)
    if grant is None or token is None:
        _polled(share_id, again, {})
        return True
    if quotas.waits_until(grants.LINKEDIN, person_id, grant.mode) is not None:
        return True  # it stays due; tomorrow is early enough
    db.session.remove()
    try:
        counts = client.post_counts(token, urn)
    except NotRead as error:
        counts = error.counts
        if isinstance(error.outcome, TokenRefused):
            grants.refused(person_id, error.outcome.kind)
        if isinstance(error.outcome, Throttled):
            holder = person_id if error.outcome.scope == "member" else None
            quotas.block(grants.LINKEDIN, holder, error.outcome.until)
            return error.outcome.scope == "member"
    _polled(share_id, again, counts)
    quotas.count(grants.LINKEDIN, person_id, len(_FROM_LINKEDIN))
    return True


def _token(grant: Grant | None, now: dt.datetime) -> str | None:
    if grant is None or not grants.is_usable(grant, now) or ANALYTICS_SCOPE not in grant.scopes:
        return None
    try:
        return sealing.access_token(grant)
    except (CannotDecrypt, TokenMisplaced):
        return None


def _polled(share_id: uuid.UUID, again: dt.datetime | None, counts: dict[str, int | None]) -> None:
    with transaction() as session:
        share = session.get(Share, share_id, with_for_update=True)
        if share is None:
            return
        share.polled_at, share.poll_due_at = clock.now(), again
        for name, value in counts.items():
            if value is not None:
                _keep(share_id, _FROM_LINKEDIN[name], value, MEASURED)
