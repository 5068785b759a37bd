"""What one post has brought its author, for its receipt: kept awards, told by rule."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from app.db import db
from app.play import rule_words
from app.play.models import SHARE_FACTS, ShareAward
from app.play.rules import Rule, by_ids
from app.play.share_awards import CAPPED, HELD, POSTED, VISIT
from app.sharing.neighbours import Earned, EarnedLine
from app.web.i18n import day, language

_STATES = {POSTED: "yours", HELD: "held", CAPPED: "capped"}


@dataclass(frozen=True, slots=True)
class _Row:
    """Awards of one share that agree in rule and state; they are due from `first` to `last`."""

    fact: str
    state: str
    rule_id: uuid.UUID
    count: int
    points: int
    first: dt.datetime | None
    last: dt.datetime | None


def of_share(share_id: uuid.UUID) -> Earned:
    """Everything that was noted for a share. One statement, and its rules once."""
    rows = [
        _Row(*row)
        for row in db.session.execute(
            select(
                ShareAward.fact, ShareAward.state, ShareAward.rule_version_id, func.count(),
                func.sum(ShareAward.amount), func.min(ShareAward.due_at),
                func.max(ShareAward.due_at),
            )
            .where(ShareAward.share_id == share_id)
            .group_by(ShareAward.fact, ShareAward.state, ShareAward.rule_version_id)
        ).all()
    ]  # fmt: skip
    rows.sort(key=lambda row: (SHARE_FACTS.index(row.fact), row.state))
    known = by_ids({row.rule_id for row in rows})
    return Earned(
        points=sum(row.points for row in rows if row.state == POSTED),
        held=sum(row.points for row in rows if row.state == HELD),
        lines=tuple(_line(row, known[row.rule_id]) for row in rows if row.rule_id in known),
        url=f"/play?about={share_id}",
    )


def _line(row: _Row, rule: Rule) -> EarnedLine:
    label = rule.name(language())
    if row.fact == VISIT:
        label = ngettext("%(num)d counted visit", "%(num)d counted visits", row.count)
    return EarnedLine(label, row.points, _STATES.get(row.state, "undone"), _note(row, rule))


def _note(row: _Row, rule: Rule) -> str:
    by_rule = _(
        "Version %(version)d of “%(name)s”.", version=rule.version, name=rule.name(language())
    )
    parts = {
        POSTED: by_rule,
        HELD: f"{_held_until(row)} {by_rule}",
        CAPPED: _("Above the limit, so worth nothing. %(limit)s", limit=rule_words.limit(rule)),
    }
    usual = _("The points went back: it was withdrawn within 24 hours.")
    return str(parts.get(row.state, usual)).strip()


def _held_until(row: _Row) -> str:
    if row.first is None or row.last is None:
        return ""
    if row.first.date() == row.last.date():
        return str(_("Yours on %(day)s.", day=day(row.first)))
    return str(_("Yours from %(first)s to %(last)s.", first=day(row.first), last=day(row.last)))
