"""Pages of the points: the statement, its file, and the rules in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from flask import Blueprint, Response, request
from flask_babel import format_date, to_user_timezone
from flask_babel import gettext as _

from app import clock, ledger
from app.play import leaver_rules, neighbours, rule_words, rules, statement
from app.play import wanted as which
from app.play.models import FACTS
from app.play.rules import Rule
from app.play.share_awards import VISIT
from app.play.statement import Line, Statement
from app.play.wanted import Wanted
from app.web import access, current_settings, render, sheets
from app.web.i18n import language

play = Blueprint("play", __name__)
PAGE = 40
FEW_VISITS = 3


@dataclass(frozen=True, slots=True)
class Month:
    """What moved the balance in one month here, newest first. `opening` is what could be spent
    when it began; None where the page leaves lines out or ends within the month."""

    name: str
    starts_on: dt.date
    lines: list[Line]
    opening: int | None = None


def _months(found: Statement, *, is_whole: bool) -> list[Month]:
    def first_day(line: Line) -> dt.date:
        day: dt.date = to_user_timezone(line.moved_at).date()
        return day.replace(day=1)

    months = [
        Month(_month_name(day), day, [*lines]) for day, lines in groupby(found.lines, key=first_day)
    ]
    if not is_whole or found.account_id is None:
        return months
    # The last month of a page may go on overleaf.
    ended = months[:-1] if found.earlier else months
    zone = current_settings().timezone
    starts = [dt.datetime.combine(month.starts_on, dt.time(), zone) for month in ended]
    balances = ledger.available_at(found.account_id, starts)
    whole = [replace(month, opening=n) for month, n in zip(ended, balances, strict=True)]
    return whole + months[len(whole) :]


def _month_name(day: dt.date) -> str:
    """November, November 2025, in a title."""
    pattern = "LLLL" if day.year == clock.today().year else "LLLL y"
    name: str = format_date(day, pattern)
    return name[:1].upper() + name[1:]


@play.get("/play")
@access.role("member")
def show() -> Response:
    """The statement: balances, what is on the way, and every line with its reason."""
    wanted = which.read(request.args)
    found = statement.statement(
        access.me().person_id,
        language=language(),
        after=request.args.get("after"),
        limit=PAGE,
        wanted=wanted,
    )
    return render(
        "play/statement.html",
        wanted=wanted,
        choices={
            "state": which.states(),
            "kind": which.kinds(),
            "period": which.periods(wanted.period),
        },
        gained=_gained(found.lines) if not wanted.is_narrow else 0,
        balance=found.balance,
        available=found.balance.available,
        pending=found.pending,
        folded=_folded(found.pending),
        unlisted=found.unlisted,
        months=_months(found, is_whole=not wanted.is_narrow),
        earlier=found.earlier,
        now=clock.now(),
        columns=_columns(),
        beside=neighbours.beside(),
    )


def _folded(pending: list[Line]) -> list[Line]:
    """Visits on hold beyond the first few: two points a day would bury what one waits for."""
    visits = [line for line in pending if line.fact == VISIT]
    return visits[FEW_VISITS:] if len(visits) > FEW_VISITS + 1 else []


def _gained(lines: list[Line]) -> int:
    """What has come in since yesterday, of the lines shown."""
    since = clock.now() - dt.timedelta(days=1)
    return sum(x.amount for x in lines if x.state == "available" and x.changed_at >= since)


# ---- The same lines for a spreadsheet


def _columns() -> list[tuple[str, str]]:
    """The columns of the file, each with what it means."""
    return [
        (_("Date"), _("when it took effect, in UTC")),
        (_("Line"), _("the number of the line, the same for ever")),
        (_("What happened"), _("the rule or the act, and what it was about")),
        (_("About"), _("the person or the reward, as far as you may see it")),
        (_("Points"), _("whole points; a minus takes from your balance")),
        (_("State"), _("pending, available, spent, cancelled or expired")),
        (_("Due on"), _("the date of a line that is on the way")),
        (_("Balance after"), _("what you could spend once the line was written")),
        (_("Rule"), _("name and version of the rule that decided")),
        (_("Reason"), _("why, in words")),
        (_("Evidence"), _("what it rests on")),
        (_("By"), _("a rule, you or the team")),
    ]


@play.get("/play/entries.csv")
@access.role("member")
def entries_file() -> Response:
    """Every line of one's own, or those that the address asks for."""
    header = [name for name, _meaning in _columns()]
    return sheets.download("points", header, _cells(_every_line(which.read(request.args))))


def _every_line(wanted: Wanted) -> Iterator[Line]:
    me, after = access.me(), None
    while True:
        lines, after = statement.lines(
            me.person_id, language=language(), after=after, limit=200, wanted=wanted
        )
        yield from lines
        if after is None:
            return


def _cells(lines: Iterator[Line]) -> Iterator[list[sheets.Cell]]:
    for line in lines:
        rule = line.rule
        yield [
            line.effective_at, str(line.id), line.title, line.about, line.amount,
            line.state_name, line.due_at, line.balance_after,
            f"{rule.name(language())}, {rule.version}" if rule else "",
            line.reason, line.evidence, line.by,
        ]  # fmt: skip


# ---- The rules


@dataclass(frozen=True, slots=True)
class RuleState:
    """A version and where it stands: 'coming', 'in force' or 'past' (until `ended_at`)."""

    rule: Rule
    state: str
    ended_at: dt.datetime | None


def rule_states() -> list[RuleState]:
    """Every version of every rule in the order of the facts, newest first within each."""
    found, now = [], clock.now()
    by_fact = sorted(rules.versions(), key=lambda rule: FACTS.index(rule.fact))
    for _fact, versions in groupby(by_fact, key=lambda rule: rule.fact):
        follower: Rule | None = None
        for rule in sorted(versions, key=lambda r: (r.starts_at, r.version), reverse=True):
            ended_at = follower.starts_at if follower else None
            over = ended_at is not None and ended_at <= now
            state = "coming" if rule.starts_at > now else "past" if over else "in force"
            found.append(RuleState(rule, state, ended_at))
            follower = rule
    return found


@play.get("/play/rules")
@access.role("member")
def rules_page() -> Response:
    """What earns points today, what will, and what did."""
    return render(
        "play/rules.html", states=rule_states(), words=rule_words,
        leaving=leaver_rules.shown_to(access.me().person_id),
    )  # fmt: skip
