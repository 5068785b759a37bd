"""The words of the referral side: channels, claims, outcomes, stages, reasons."""

from __future__ import annotations

from flask_babel import gettext as _


def channel_names() -> dict[str, str]:
    """The channels a link may be made for."""
    return {
        "link": _("Anywhere"), "email": _("Mail"), "message": _("Message"),
        "linkedin": _("LinkedIn"), "qr": _("Poster or badge (QR)"), "other": _("Elsewhere"),
    }  # fmt: skip


def claim_names() -> dict[str, str]:
    """What kind of clue a claim rests on."""
    return {
        "form-code": _("Applied through the personal link"),
        "code-field": _("Link code in the recruitment system"),
        "source-text": _("Link code in the source of the application"),
        "credited-employee-id": _("Credited in the recruitment system, by employee number"),
        "credited-address": _("Credited in the recruitment system, by address"),
        "declared-contact": _("Declared beforehand"),
        "human": _("Decided by a person"),
    }  # fmt: skip


def outcome_names() -> dict[str, str]:
    """Why a claim does not count."""
    return {
        "earlier-claim": _("somebody else was earlier"),
        "self-referral": _("the person recommended themselves"),
        "decided-by-a-person": _("a person decided otherwise"),
    }  # fmt: skip


def stage_names() -> dict[str, str]:
    """Stages, the same words for everybody."""
    return {
        "received": _("Received"), "screened": _("Under review"), "interview": _("Interview"),
        "offer": _("Offer made"), "hired": _("Hired"), "trial_passed": _("Trial period passed"),
        "closed": _("Closed"),
    }  # fmt: skip


def closure_reasons() -> dict[str, str]:
    """Why a referral ends."""
    return {
        "not-selected": _("Another choice was made"), "position-filled": _("The position is filled"),
        "no-answer": _("No answer from the person"), "withdrawn": _("At the person’s wish"),
        "left-during-trial": _("Ended during the trial period"), "other": _("Another reason"),
    }  # fmt: skip


def opening_reasons() -> dict[str, str]:
    """Why an opening of a link is not counted as a visit, by its verdict."""
    return {
        "robot": _("A program said who it is: a preview, a search engine, a tool."),
        "scanner": _("A mail or chat filter checked the link before somebody read the message."),
        "head": _("A program asked whether the page is there, without opening it."),
        "probe": _("Only a part of the page was asked for, or what may be asked of it."),
        "prefetch": _("A browser loaded the page in advance; nobody had opened it yet."),
        "repeat": _("The same opening came again within ten seconds."),
        "self": _("You opened your own link."),
        "colleague": _("Somebody who is signed in here opened it."),
    }
