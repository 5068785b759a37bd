"""Awards for posts: what is due for a share, compared with what was given.

As with referrals, nothing reacts to "a post went out". Whenever a share or its visits changed,
what is due is computed anew and the difference is given, held, settled or undone. Facts may
come twice, late, shuffled, or at two workers at once: once all are known, balances are those of
an orderly delivery.

Written rules.
- `share`: a post that went out through the network's interface, one that its author declared
  online included, whatever it says (rule W10). One that is withdrawn within 24 hours gives its
  points back; later it keeps them. A post that failed, or whose fate is unknown, gives nothing.
- `own-words`: the same posts, when 40 % of the text or more is the member's own.
- `visit`: each person who opens the post's own link, intents included (rule N5); never the
  author, colleagues, programs or repeats. Held, then posted.
- Without the line that says where one works a post goes out and gives nothing (feature F18).
- A rule's limit counts a member's facts by the day or week (from Monday) on the organisation's
  wall clock, in the order of the facts' own time: the first ones are rewarded. A fact that is
  told late takes its place before later ones; the one that falls beyond the limit gives its
  points to it. What lies beyond the limit is kept as 'capped', worth nothing, and told so.
- Each fact uses the version of its own time. Nothing new is given to somebody who has left;
  what they have on hold is posted when its day comes.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, select

from app import clock, ledger, outbox
from app.db import db, transaction
from app.people.lookup import load_person
from app.people.models import Person
from app.play import accounts, rules
from app.play.models import ShareAward
from app.play.rules import Rule
from app.referrals.models import Click
from app.sharing import disclosures
from app.sharing.models import Share
from app.web.pages import current_settings

SHARE, OWN_WORDS, VISIT = "share", "own-words", "visit"
POSTED, HELD, UNDONE, CAPPED = "posted", "held", "undone", "capped"
ONLINE_AT_LEAST = dt.timedelta(hours=24)
OWN_WORDS_FROM = 40  # percent
WITHDRAWN, ABOVE_LIMIT = "undone", "not-confirmed"  # reasons, as the ledger declares them
BATCH = 200
VISITS = 500
MEMBERS = 5_000


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about one share that may be worth points; `at` is its own time."""

    code: str
    key: str
    at: dt.datetime


def day_of(at: dt.datetime) -> dt.date:
    """The day of an instant on the organisation's wall clock."""
    return at.astimezone(current_settings().timezone).date()


def period_of(day: dt.date, period: str) -> tuple[dt.date, dt.date]:
    """First and last day of the day or week (from Monday) that holds a day."""
    if period == "day":
        return day, day
    monday = day - dt.timedelta(days=day.weekday())
    return monday, monday + dt.timedelta(days=6)


# ---- What is due


def post_facts(share: Share) -> list[Fact]:
    """What the post itself is due, before limits."""
    at = share.published_at
    if at is None or not _counts(share, at):
        return []
    facts = [Fact(SHARE, "", at)]
    if (share.own_words_percent or 0) >= OWN_WORDS_FROM:
        facts.append(Fact(OWN_WORDS, "", at))
    return facts


def _counts(share: Share, at: dt.datetime) -> bool:
    if not _is_disclosed(share):
        return False
    if share.status == "withdrawn" and share.withdrawn_at is not None:
        return share.withdrawn_at - at >= ONLINE_AT_LEAST
    return share.status == "published"


def _is_disclosed(share: Share) -> bool:
    return share.disclosure != disclosures.NONE


def _visits(share: Share, since: dt.datetime | None = None) -> Iterator[Fact]:
    """Visits by the share's own link that nothing was noted for: all, or from an instant on."""
    if not _is_disclosed(share) or share.link_id is None:
        return
    found = select(Click.id, Click.occurred_at).where(
        Click.link_id == share.link_id, Click.verdict == "person"
    )
    noted = select(ShareAward.key).where(ShareAward.share_id == share.id, ShareAward.fact == VISIT)
    if since is not None:
        found = found.where(Click.occurred_at >= since)
        noted = noted.where(ShareAward.occurred_at >= since)
    known = set(db.session.scalars(noted))
    for row in db.session.execute(found.order_by(Click.occurred_at, Click.id)).all():
        if str(row.id) not in known:
            yield Fact(VISIT, str(row.id), row.occurred_at)


def _some_visits(share: Share, since: dt.datetime | None = None) -> list[Fact]:
    """The first hundreds of them; the rest follows as a fact of its own, so that a post that
    thousands came by is looked at in bounded steps."""
    found = [*islice(_visits(share, since), VISITS + 1)]
    if len(found) > VISITS:
        first = found.pop().at
        outbox.record("share.visited", share_id=str(share.id), since=first.isoformat())
    return found


# ---- Compared with what was given


def reconcile(share_id: uuid.UUID) -> None:
    """Bring what was given for a share in line with what is due. Any number of times."""
    with transaction():
        found = _locked(share_id)
        if found is None:
            return
        share, person = found
        due = {fact.code: fact for fact in post_facts(share)}
        rows = {row.fact: row for row in _post_rows(share.id)}
        moved = set()
        for code, row in rows.items():
            if code not in due and row.state != UNDONE:
                _take_back(row, UNDONE, WITHDRAWN)
                moved.add((row.fact, row.day))
        new = [f for code, f in due.items() if code not in rows or rows[code].state == UNDONE]
        moved |= _note_all(share, person, [*new, *_some_visits(share)], rows)
        _share_out_all(person, moved)


def visited(share_id: uuid.UUID, since: dt.datetime | None = None) -> None:
    """The same for the visits from an instant on, so that the thousandth costs what the first
    did."""
    with transaction():
        found = _locked(share_id)
        if found is not None:
            share, person = found
            _share_out_all(person, _note_all(share, person, _some_visits(share, since), {}))


def _locked(share_id: uuid.UUID) -> tuple[Share, Person] | None:
    """The share, read once its author's row is locked: one hand at a time for each member."""
    session = db.session()
    person_id = session.scalar(select(Share.person_id).where(Share.id == share_id))
    if person_id is None:
        return None
    person = load_person(session, person_id, erased_too=True)
    share = session.get(Share, share_id, populate_existing=True)
    return (share, person) if share is not None else None


def _post_rows(share_id: uuid.UUID) -> list[ShareAward]:
    rows = select(ShareAward).where(
        ShareAward.share_id == share_id, ShareAward.fact.in_((SHARE, OWN_WORDS))
    )
    return [*db.session.scalars(rows)]


def _note_all(
    share: Share, person: Person, facts: Iterable[Fact], rows: dict[str, ShareAward]
) -> set[tuple[str, dt.date]]:
    """Write facts down, worth nothing yet; the limits that they count for."""
    moved: set[tuple[str, dt.date]] = set()
    for fact in facts:
        rule = rules.in_force(fact.code, fact.at) if person.is_member else None
        if rule is None or rule.points == 0:
            continue
        row = rows.get(fact.code) or _new_row(share, fact, rule)
        row.state = CAPPED
        if rule.cap is None:
            _give(row, rule)
        moved.add((row.fact, row.day))
    return moved


def _new_row(share: Share, fact: Fact, rule: Rule) -> ShareAward:
    row = ShareAward(
        share_id=share.id, person_id=share.person_id, fact=fact.code, key=fact.key,
        occurred_at=fact.at, day=day_of(fact.at), attempt=0, amount=0, rule_version_id=rule.id,
        state=CAPPED,
    )  # fmt: skip
    db.session.add(row)
    return row


# ---- Limits


def _share_out_all(person: Person, moved: set[tuple[str, dt.date]]) -> None:
    for fact, day in sorted(moved):
        for period, caps in rules.limits(fact).items():
            _share_out(person, fact, period_of(day, period), caps)


def _share_out(
    person: Person, fact: str, days: tuple[dt.date, dt.date], caps: dict[uuid.UUID, int]
) -> None:
    """Reward the first facts of one period, and none beyond; `caps` by version of the rule. At
    most as many rows are read as may be rewarded, however many there are."""
    live = [
        ShareAward.person_id == person.id,
        ShareAward.fact == fact,
        ShareAward.day.between(*days),
        ShareAward.state != UNDONE,
    ]
    first = _first(live, max(caps.values()))
    within = [row for place, row in enumerate(first) if place < caps.get(row.rule_version_id, 0)]
    for row in _rewarded_beyond(live, within, caps):
        _take_back(row, CAPPED, ABOVE_LIMIT)
    known = rules.by_ids({row.rule_version_id for row in within})
    for row in within:
        if row.state == CAPPED and person.is_member:
            _give(row, known[row.rule_version_id])


def _first(live: list[ColumnElement[bool]], most: int) -> list[ShareAward]:
    rows = (
        select(ShareAward)
        .where(*live)
        .order_by(ShareAward.day, ShareAward.occurred_at, ShareAward.share_id, ShareAward.key)
        .limit(most)
    )
    return [*db.session.scalars(rows)]


def _rewarded_beyond(
    live: list[ColumnElement[bool]], within: list[ShareAward], caps: dict[uuid.UUID, int]
) -> list[ShareAward]:
    rows = select(ShareAward).where(
        *live,
        ShareAward.state.in_((POSTED, HELD)),
        ShareAward.rule_version_id.in_(caps),
        ShareAward.id.not_in([row.id for row in within]),
    )
    return [*db.session.scalars(rows)]


# ---- Giving and taking back


def _give(row: ShareAward, rule: Rule) -> None:
    """Put it on the member's account: at once, or on hold until it was looked at."""
    if row.person_id is None:
        return
    account = accounts.account_of(row.person_id) or accounts.open_for(row.person_id)
    row.attempt += 1
    row.amount = rule.points
    details = ledger.Details(
        rule_version=str(rule.id), subject=str(row.share_id), effective_at=row.occurred_at
    )
    if rule.held_amount:
        row.state, row.due_at = HELD, row.occurred_at + dt.timedelta(days=rule.hold_days)
        made = ledger.hold("award", _reference(row), account, row.amount, row.due_at, **details)
    else:
        row.state, row.due_at = POSTED, None
        made = ledger.transfer("award", _reference(row), account, row.amount, **details)
    row.transfer_id = made.id


def _take_back(row: ShareAward, state: str, reason: str) -> None:
    """Undo what was given, if anything, and keep the row as `state`."""
    if row.transfer_id is not None and row.state == POSTED:
        ledger.reverse(row.transfer_id, reference=f"{_reference(row)}-undo", reason=reason)
    elif row.transfer_id is not None and row.state == HELD:
        ledger.void(row.transfer_id, reference=f"{_reference(row)}-void", reason=reason)
    row.state, row.amount, row.transfer_id, row.due_at = state, 0, None, None


def _reference(row: ShareAward) -> str:
    """Names the award for ever: `share-<share>`, `visit-<click>`; a second time it says so."""
    again = f"-{row.attempt}" if row.attempt > 1 else ""
    return f"{row.fact}-{row.key or row.share_id}{again}"


# ---- What was on hold


def announce_due() -> int:
    """Every hour: members with points whose day has come get one fact each; how many."""
    with transaction() as session:
        ids = session.scalars(
            select(ShareAward.person_id)
            .where(
                ShareAward.state == HELD,
                ShareAward.person_id.is_not(None),
                ShareAward.due_at <= clock.now(),
            )
            .distinct()
            .limit(MEMBERS)
        ).all()
        for person_id in ids:
            outbox.record("points.due", person_id=str(person_id))
    return len(ids)


def post_due(person_id: uuid.UUID) -> int:
    """Post what a member has on hold and is due, some hundred at a time; how many. The rest
    follows as a fact of its own."""
    with transaction() as session:
        load_person(session, person_id, erased_too=True)
        rows = session.scalars(
            select(ShareAward)
            .where(
                ShareAward.state == HELD,
                ShareAward.person_id == person_id,
                ShareAward.due_at <= clock.now(),
            )
            .order_by(ShareAward.due_at, ShareAward.id)
            .limit(BATCH)
        ).all()
        for row in rows:
            if row.transfer_id is not None:
                ledger.post(row.transfer_id, reference=f"{_reference(row)}-post")
            row.state = POSTED
        if len(rows) == BATCH:
            outbox.record("points.due", person_id=str(person_id))
    return len(rows)
