"""What a post would bring now, said before it is pressed (features F17, F18), and which facts
about an application give points."""

from __future__ import annotations

import uuid

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from app import clock
from app.db import db
from app.play import rule_words, rules
from app.play.models import REFERRAL_FACTS, SHARE_FACTS, ShareAward
from app.play.rules import Rule
from app.play.share_awards import (
    OWN_WORDS,
    OWN_WORDS_FROM,
    SHARE,
    UNDONE,
    VISIT,
    day_of,
    period_of,
)
from app.sharing.composing import Subject
from app.sharing.neighbours import Worth, WorthLine
from app.sharing.subjects import OFFER
from app.web.i18n import language


def rewarded() -> list[str]:
    """The facts about a referral that give points when it is received now. One statement."""
    known = rules.all_in_force(REFERRAL_FACTS, clock.now())
    return [fact for fact in REFERRAL_FACTS if fact in known and known[fact].points]


def worth(person_id: uuid.UUID, subject: Subject) -> Worth:
    """The rules in force, with what is left of their limits. Two statements."""
    known = rules.all_in_force(SHARE_FACTS, clock.now())
    known = {fact: rule for fact, rule in known.items() if rule.points}
    if not known:
        return Worth(_("No points for sharing at the moment"), ())
    used = _used(person_id, known)
    left = {fact for fact, rule in known.items() if _is_left(rule, used)}
    lines = [_line(known[fact], subject, used) for fact in SHARE_FACTS if fact in known]
    return Worth(_summary(known, left), tuple(lines), _note(known, used))


def _used(person_id: uuid.UUID, known: dict[str, Rule]) -> dict[str, int]:
    """How many facts of each kind count already in the present period of their rule."""
    today = day_of(clock.now())
    first, last = period_of(today, "week")
    rows = db.session.execute(
        select(ShareAward.fact, ShareAward.day, func.count())
        .where(
            ShareAward.person_id == person_id,
            ShareAward.fact.in_(known),
            ShareAward.day.between(first, last),
            ShareAward.state != UNDONE,
        )
        .group_by(ShareAward.fact, ShareAward.day)
    ).all()
    used = dict.fromkeys(known, 0)
    for fact, day, number in rows:
        if day == today or known[fact].cap_period == "week":
            used[fact] += number
    return used


def _is_left(rule: Rule, used: dict[str, int]) -> bool:
    return rule.cap is None or used[rule.fact] < rule.cap


def _summary(known: dict[str, Rule], left: set[str]) -> str:
    """15 points, then 2 a visit."""
    at_once = sum(known[fact].points for fact in left & {SHARE, OWN_WORDS})
    visit = known[VISIT].points if VISIT in known else 0
    first = ngettext("%(num)d point", "%(num)d points", at_once)
    if not visit:
        return str(first if at_once else _("No points this time"))
    if not at_once:
        return str(ngettext("%(num)d point a visit", "%(num)d points a visit", visit))
    return str(_("%(first)s, then %(visit)d a visit", first=first, visit=visit))


def _line(rule: Rule, subject: Subject, used: dict[str, int]) -> WorthLine:
    is_left = _is_left(rule, used)
    notes = [
        "" if is_left else _("Reached for now."),
        _from_where(rule),
        rule_words.limit(rule),
        rule_words.wait(rule),
    ]
    points = rule.points if is_left else 0
    return WorthLine(_label(rule, subject), points, " ".join(note for note in notes if note))


def _label(rule: Rule, subject: Subject) -> str:
    if rule.fact == SHARE:
        return str(_("Post this offer") if subject.kind == OFFER else _("Post this story"))
    return str(_("Each counted visit")) if rule.fact == VISIT else rule.name(language())


def _from_where(rule: Rule) -> str:
    if rule.fact != OWN_WORDS:
        return ""
    return str(_("From %(percent)d%% of the text on.", percent=OWN_WORDS_FROM))


def _note(known: dict[str, Rule], used: dict[str, int]) -> str:
    """What is left of the limit, and what never counts."""
    parts = [
        _place(known[SHARE], used[SHARE]) if SHARE in known else "",
        _("Passed on in another way, only its visits count."),
        _("Cutting, qualifying or criticising takes nothing away."),
        _("Never any points for a like, a comment or a follower."),
    ]
    return " ".join(part for part in parts if part)


def _place(rule: Rule, used: int) -> str:
    """The post's place in its limit."""
    if rule.cap is None:
        return ""
    if used >= rule.cap:
        return str(_("The post itself gives no points now; sharing stays open."))
    place = {"number": used + 1, "cap": rule.cap}
    if rule.cap_period == "day":
        return str(_("Your rewarded post number %(number)d of %(cap)d today.", **place))
    return str(_("Your rewarded post number %(number)d of %(cap)d this week.", **place))
