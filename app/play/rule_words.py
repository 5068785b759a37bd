"""Rules of points in plain words: what they ask, how long points wait, what limits them."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from app.play.rules import Rule, Terms
from app.play.share_awards import OWN_WORDS_FROM
from app.web.i18n import points as written


def condition(rule: Rule) -> str:
    """What a fact about a post must be to count; empty where the rule's name says it all."""
    return condition_of(rule.fact)


def condition_of(fact: str) -> str:
    """The same for a fact by its code."""
    texts: dict[str, str] = {
        "share": _(
            "For a post that goes out from here with the line that says where you work, and "
            "stays online for 24 hours at least."
        ),
        "own-words": _(
            "For such a post of which %(percent)d%% of the text or more is your own.",
            percent=OWN_WORDS_FROM,
        ),
        "visit": _(
            "For each person who opens the link of your post. You, your colleagues and programs "
            "do not count."
        ),
    }
    return texts.get(fact, "")


def limit(rule: Rule | Terms) -> str:
    """How often it counts, as a sentence; empty without a limit."""
    if rule.cap is None:
        return ""
    if rule.cap_period == "day":
        return str(ngettext("At most once a day.", "At most %(num)d times a day.", rule.cap))
    return str(ngettext("At most once a week.", "At most %(num)d times a week.", rule.cap))


def wait(rule: Rule) -> str:
    """How long its points stay on hold, as a sentence; empty when they come at once."""
    if not rule.held_amount:
        return ""
    return str(
        ngettext(
            "On hold for a day while it is checked, then yours.",
            "On hold for %(num)d days while it is checked, then yours.",
            rule.hold_days,
        )
    )


def above(more: int) -> str:
    """What came above the limit, as a sentence; empty when nothing did."""
    if not more:
        return ""
    return str(
        ngettext(
            "%(num)d more came above this limit and gives nothing.",
            "%(num)d more came above this limit and give nothing.",
            more,
        )
    )


def fact_name(fact: str) -> str:
    """What an act is called on pages for the team; a rule's own name may change."""
    names: dict[str, str] = {
        "application": _("An application is received"),
        "interview": _("An interview takes place"),
        "hire": _("Somebody is hired"),
        "share": _("A post goes out"),
        "own-words": _("A post is in one’s own words"),
        "visit": _("A person opens the link of a post"),
    }
    return names.get(fact, fact)


def amounts(rule: Rule | Terms) -> str:
    """200 points at once, and 200 after 90 days."""
    now = ngettext("%(shown)s point", "%(shown)s points", rule.amount, shown=written(rule.amount))
    if not rule.held_amount:
        return str(now)
    later = ngettext(
        "%(shown)s point after %(days)s days", "%(shown)s points after %(days)s days",
        rule.held_amount, shown=written(rule.held_amount), days=written(rule.hold_days),
    )  # fmt: skip
    return str(_("%(now)s at once, %(later)s", now=now, later=later)) if rule.amount else str(later)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a version says otherwise than the one before, both in words."""

    label: str
    before: str
    after: str


def changes(rule: Rule | Terms, before: Rule | Terms) -> list[Change]:
    """What differs between two versions of a rule, in the order of the form."""
    return [
        Change(name, *sides)
        for name, *sides in zip(_labels(), _said(before), _said(rule), strict=True)
        if sides[0] != sides[1]
    ]


def _labels() -> tuple[str, ...]:
    return (
        _("French name"), _("English name"), _("At once"), _("On hold"), _("Days on hold"),
        _("Limit"),
    )  # fmt: skip


def _said(rule: Rule | Terms) -> tuple[str, ...]:
    return (
        rule.name_fr, rule.name_en, written(rule.amount), written(rule.held_amount),
        written(rule.hold_days), limit(rule) or str(_("none")),
    )  # fmt: skip
