"""Rules of points in plain words: what they ask, how long points wait, what limits them."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.play.rules import Rule
from app.play.share_awards import OWN_WORDS_FROM


def condition(rule: Rule) -> str:
    """What a fact about a post must be to count; empty where the rule's name says it all."""
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
    return texts.get(rule.fact, "")


def limit(rule: Rule) -> str:
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
