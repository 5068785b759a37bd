"""Each stage in words for the person who applied: the page says them, and so do the mails.

A refusal is said plainly and politely, and never says more than its reason allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _


@dataclass(frozen=True, slots=True)
class Words:
    """A title and one or two sentences."""

    title: str
    sentence: str


def for_candidate(stage: str, closure_reason: str | None, organisation: str) -> Words:
    """What a stage means for the person."""
    if stage == "closed":
        return _closed(closure_reason, organisation)
    return {
        "received": Words(
            _("Your application has arrived"),
            _("It is complete as it is. Somebody of the team reads it next."),
        ),
        "screened": Words(
            _("Your application is being read"),
            _("Somebody of the team is looking at it with care, and will tell you what follows."),
        ),
        "interview": Words(
            _("The team would like to meet you"),
            _(
                "You hear from it soon to agree on a time, and learn whom you meet and for how long."
            ),
        ),
        "offer": Words(
            _("You are about to receive a proposal"),
            _("It comes in writing. Take your time to read it, and ask whatever you wish."),
        ),
        "hired": Words(
            _("You are hired. Welcome"),
            _("%(org)s looks forward to working with you.", org=organisation),
        ),
        "trial_passed": Words(
            _("Your trial period is over, and you stay"),
            _("Nothing more is followed here. Thank you for the way you came."),
        ),
    }[stage]


def _closed(reason: str | None, organisation: str) -> Words:
    thanks = _("Thank you for the time and the trust you gave us.")
    return {
        "not-selected": Words(
            _("This time, somebody else was chosen"),
            _(
                "Thank you for the time and the trust you gave us. This is an answer about one "
                "position, not about you."
            ),
        ),
        "position-filled": Words(
            _("The position has been filled"),
            _("Thank you for your interest. It was filled before your application had its turn."),
        ),
        "no-answer": Words(
            _("Your application is closed for now"),
            _("We did not manage to reach you. If you are still interested, write to us."),
        ),
        "withdrawn": Words(
            _("You withdrew your application"),
            _("It is closed, as you wished. Nothing more is asked of you."),
        ),
        "left-during-trial": Words(
            _("Your time at %(org)s has come to its end", org=organisation),
            _("This page is closed with it. Thank you for the way you went together."),
        ),
    }.get(reason or "", Words(_("Your application is closed"), thanks))
