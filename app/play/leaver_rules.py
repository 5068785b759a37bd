"""What becomes of a leaver's points: the rule, its versions, and its application.

The written rule. Nothing is taken on the last day. Points stay on the account, frozen, and what is
on hold comes off hold on its day as for everybody: a hire that happened before the last day is
paid. For `window_days`, counted from the last day and again from the last points that came off
hold, the person may keep an account as a former employee and then keeps everything; somebody who
is hired again keeps everything, too. After that the points expire, or become a donation of the
organisation, on a line of the statement that says so. A new version starts at its own moment and
never makes anything worse for who was a member before: they leave under the longest of the
windows that were in force while they took part, and by a donation if any of them said so.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext, ngettext
from sqlalchemy import func, select

from app import audit, clock, ledger, outbox
from app.db import db, transaction
from app.errors import DomainError, InvalidInput, Sentence
from app.people.models import Person
from app.people.transitions import DEPARTURE, Effect, tells, tells_person
from app.play import accounts, neighbours
from app.play.models import LeaverAccount, LeaverRule, PointsAccount
from app.play.neighbours import Told
from app.web.i18n import day as in_words
from app.web.pages import current_settings

log = logging.getLogger(__name__)

EXPIRED, DONATED, KEPT, RETURNED = "expired", "donated", "kept", "returned"
AFTER: Final = (EXPIRED, DONATED)
LONGEST: Final = 1095
FARTHEST: Final = dt.timedelta(days=730)
DEFAULT_DAYS: Final = 30
BATCH: Final = 500
_CODES: Final = {EXPIRED: "expiry", DONATED: "donation"}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the rule. `after_window` is one of `AFTER`."""

    id: uuid.UUID
    version: int
    window_days: int
    after_window: str
    starts_at: dt.datetime


_COLUMNS = (
    LeaverRule.id, LeaverRule.version, LeaverRule.window_days, LeaverRule.after_window,
    LeaverRule.starts_at,
)  # fmt: skip


def versions() -> list[Version]:
    """Every version, the newest first."""
    rows = db.session.execute(select(*_COLUMNS).order_by(LeaverRule.version.desc()))
    return [Version(*row) for row in rows]


def in_force(at: dt.datetime) -> Version | None:
    """The version at one moment."""
    rows = (
        select(*_COLUMNS)
        .where(LeaverRule.starts_at <= at)
        .order_by(LeaverRule.starts_at.desc(), LeaverRule.version.desc())
        .limit(1)
    )
    row = db.session.execute(rows).one_or_none()
    return Version(*row) if row else None


def version_for(joined_at: dt.datetime, at: dt.datetime) -> Version | None:
    """The version that somebody who took part since `joined_at` leaves under: of those in force
    since then the kindest."""
    first = in_force(joined_at)
    rows = db.session.execute(
        select(*_COLUMNS).where(LeaverRule.starts_at > joined_at, LeaverRule.starts_at <= at)
    )
    found = [Version(*row) for row in rows] + ([first] if first else [])
    return max(found, key=_kindness, default=None)


def _kindness(version: Version) -> tuple[int, bool, int]:
    return version.window_days, version.after_window == DONATED, version.version


def plan(
    window_days: int,
    after_window: str,
    starts_at: dt.datetime | None = None,
    *,
    actor_id: uuid.UUID | None = None,
) -> Version:
    """Prepare the next version, from `starts_at` on (None: now). Raises `InvalidInput` by field."""
    now = clock.now()
    errors: dict[str, Sentence] = {}
    if not 0 < window_days <= LONGEST:
        errors["window_days"] = _l("A number of days from 1 to %(most)d.", most=LONGEST)
    if after_window not in AFTER:
        errors["after_window"] = _l("Choose one of them.")
    if starts_at is not None and not now <= starts_at <= now + FARTHEST:
        errors["starts_at"] = _l("From now on, and at most two years ahead.")
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)
    return _write(window_days, after_window, starts_at or now, actor_id)


def _write(
    window_days: int, after_window: str, starts_at: dt.datetime, actor_id: uuid.UUID | None
) -> Version:
    with transaction() as session:
        session.execute(select(LeaverRule.id).with_for_update()).all()
        newest = session.scalar(select(func.max(LeaverRule.version))) or 0
        row = LeaverRule(
            version=newest + 1, window_days=window_days, after_window=after_window,
            starts_at=starts_at, created_by=actor_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        audit.record(
            "leaver_rule.started", "leaver_rule", row.id, actor_id=actor_id, version=row.version,
            window_days=window_days, after_window=after_window,
        )  # fmt: skip
        return Version(row.id, row.version, window_days, after_window, starts_at)


def ensure_default(starts_at: dt.datetime) -> None:
    """A new organisation starts with thirty days and expiry; an existing one keeps its own."""
    with transaction():
        if in_force(dt.datetime.max.replace(tzinfo=dt.UTC)) is None:
            _write(DEFAULT_DAYS, EXPIRED, starts_at, None)


# --- applied -----------------------------------------------------------------------------


def freeze(person_id: uuid.UUID) -> None:
    """Somebody left the organisation: their points wait for what they decide. Twice is once."""
    with transaction() as session:
        person = session.get(Person, person_id)
        account = accounts.account_of(person_id)
        if person is None or person.departed_at is None or account is None:
            return
        joined_at = person.membership.joined_at if person.membership else person.departed_at
        rule = version_for(joined_at, person.departed_at) or in_force(clock.now())
        known = session.get(LeaverAccount, account, with_for_update=True)
        if rule is None or (known is not None and known.left_at == person.departed_at):
            return
        row = known or LeaverAccount(account_id=account)
        row.rule_id, row.left_at, row.outcome = rule.id, person.departed_at, None
        row.due_at = _end_of_window(person.departed_at, rule.window_days)
        row.settled_at = None
        session.add(row)


def _end_of_window(start: dt.datetime, days: int) -> dt.datetime:
    """The end of the last day that counts, on the organisation's wall clock."""
    zone = current_settings().timezone
    last = start.astimezone(zone).date() + dt.timedelta(days=days + 1)
    return dt.datetime.combine(last, dt.time(), zone).astimezone(dt.UTC)


def release(person_id: uuid.UUID, outcome: str) -> None:
    """The person kept an account or came back: the points are theirs as before."""
    with transaction() as session:
        account = accounts.account_of(person_id)
        row = session.get(LeaverAccount, account, with_for_update=True) if account else None
        if row is not None and row.outcome is None:
            row.outcome, row.settled_at = outcome, clock.now()


def settle_due() -> int:
    """Every day: apply the rule where the days to decide are over; how many accounts. One
    transaction for each."""
    rows = (
        select(LeaverAccount.account_id)
        .where(LeaverAccount.outcome.is_(None), LeaverAccount.due_at <= clock.now())
        .order_by(LeaverAccount.due_at, LeaverAccount.account_id)
        .limit(BATCH)
    )
    ids = db.session.scalars(rows).all()
    done = 0
    for account_id in ids:
        try:
            done += _settle(account_id)
        except DomainError as error:
            log.error("the points of a leaver were not settled: %s", error.code)
    return done


def _settle(account_id: uuid.UUID) -> bool:
    with transaction() as session:
        row = session.get(LeaverAccount, account_id, with_for_update=True)
        if row is None or row.outcome is not None or row.due_at > clock.now():
            return False
        rule = session.get_one(LeaverRule, row.rule_id)
        balance = ledger.balance(account_id)
        later = _last_credit(account_id)
        if later is not None and _end_of_window(later, rule.window_days) > clock.now():
            row.due_at = _end_of_window(later, rule.window_days)
            return False
        if balance.available:
            ledger.transfer(
                _CODES[rule.after_window], f"leaver-{account_id}-{row.due_at:%Y%m%d}", account_id,
                balance.available, rule_version=str(rule.id), subject=str(rule.id),
            )  # fmt: skip
        if balance.pending:  # what is still on hold gets its own days, once it has come off
            row.due_at = _end_of_window(clock.now(), rule.window_days)
            return bool(balance.available)
        row.outcome, row.settled_at = rule.after_window, clock.now()
        _tell_window_over(account_id)
        audit.record(
            "points.settled", "account", account_id, rule=str(rule.id), outcome=row.outcome,
            points=balance.available,
        )  # fmt: skip
    return True


def _tell_window_over(account_id: uuid.UUID) -> None:
    person_id = db.session.scalar(
        select(PointsAccount.person_id).where(PointsAccount.account_id == account_id)
    )
    if person_id is not None:
        outbox.record("person.decided_nothing", person_id=str(person_id))


def _last_credit(account_id: uuid.UUID) -> dt.datetime | None:
    """When points became available last."""
    lines = ledger.entries(account_id, limit=50)
    came = [x.changed_at for x in lines if x.amount > 0 and x.state == "available"]
    return max(came, default=None)


# --- in words ----------------------------------------------------------------------------


def words(rule: Version) -> list[Sentence]:
    """The rule in plain words, for every page and mail that tells it."""
    days = rule.window_days
    return [
        _l("Your points stay on your account. Nothing is taken on the last day."),
        _l("What is on hold comes on its day: a hire before your last day is paid."),
        lazy_ngettext(
            "For %(num)d day you may keep an account as a former employee, with an address of "
            "your own. Then you keep everything.",
            "For %(num)d days you may keep an account as a former employee, with an address of "
            "your own. Then you keep everything.",
            days,
        ),
        _l("After that the points become a donation of the organisation, on a line that says so.")
        if rule.after_window == DONATED
        else _l("After that the points expire, on a line that says so."),
    ]


def rule_of(person_id: uuid.UUID) -> Version | None:
    """The version that this person would leave under today, or left under."""
    account = accounts.account_of(person_id)
    row = db.session.get(LeaverAccount, account) if account else None
    if row is not None and row.outcome is None:
        return next((v for v in versions() if v.id == row.rule_id), None)
    person = db.session.get(Person, person_id)
    if person is None or person.membership is None:
        return in_force(clock.now())
    return version_for(person.membership.joined_at, clock.now())


@dataclass(frozen=True, slots=True)
class Shown:
    """The rule as the member's own page shows it, from the first day on."""

    rule: Version
    words: list[Sentence]
    coming: list[Version]


def shown_to(person_id: uuid.UUID) -> Shown | None:
    """What holds for this member, and the versions that are announced."""
    rule, now = rule_of(person_id), clock.now()
    if rule is None:
        return None
    return Shown(rule, words(rule), [v for v in versions() if v.starts_at > now])


@tells_person
def _person_words(person_id: uuid.UUID) -> list[Sentence]:
    rule = rule_of(person_id)
    return words(rule) if rule is not None else []


@tells
def _tell(person_id: uuid.UUID, transition: str) -> list[Effect]:
    """The same for everybody, without amounts: the directory never tells who takes part (W2)."""
    if transition != DEPARTURE:
        return [Effect(_("Points and badges, if there are any, stay as they are."), stays=True)]
    rule = in_force(clock.now())
    if rule is None:
        return []
    until = in_words(_end_of_window(clock.now(), rule.window_days) - dt.timedelta(minutes=1))
    return [
        Effect(
            _(
                "Points, if there are any, are frozen until %(day)s at least, for the person to "
                "decide.",
                day=until,
            )
        ),
        Effect(_("Points on hold come on their day, as for everybody."), stays=True),
    ]


def told(rule_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Told]:
    """Lines of the statement that this rule made."""
    known = {version.id: version for version in versions()}
    return {id_: _told(known[id_]) for id_ in rule_ids if id_ in known}


def _told(rule: Version) -> Told:
    about = _("Rule for leavers, version %(version)d", version=rule.version)
    days = ngettext("%(num)d day", "%(num)d days", rule.window_days)
    titles = {
        DONATED: _("Became a donation after your departure"),
        EXPIRED: _("Expired after your departure"),
    }
    evidence = _("No account was kept within %(days)s.", days=days)
    return Told(str(titles[rule.after_window]), str(about), str(evidence), "/play/rules#leaving")


neighbours.tells("expiry", told)
neighbours.tells("donation", told)


# --- facts -------------------------------------------------------------------------------


@outbox.on("person.departed", "play.freeze")
def on_departed(person_id: str) -> None:
    """The rule in force is noted with its date."""
    freeze(uuid.UUID(person_id))


@outbox.on("person.kept_account", "play.keep")
def on_kept(person_id: str) -> None:
    """A former employee's points are theirs."""
    release(uuid.UUID(person_id), KEPT)


@outbox.on("person.returned", "play.returned")
def on_returned(person_id: str) -> None:
    """Back: as if nothing had been."""
    release(uuid.UUID(person_id), RETURNED)


@outbox.on("periodic.play.leavers", "play.settle_leavers", outside=True, timeout=300)
def on_leavers_time() -> None:
    """The days to decide are over for somebody."""
    settle_due()
