"""What the mails about a referral say. Called in the reader's language.

A letter to a referrer never names the candidate and says nothing beyond what the candidate
allows; a letter to a candidate speaks of a name only where it cannot be used to send
strangers words of one's own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import ngettext

from app.referrals.notice import duration
from app.referrals.stage_words import for_candidate
from app.retention import CANDIDATE
from app.web.i18n import day


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject, a title, paragraphs, perhaps a code, and where it leads."""

    subject: str
    title: str
    paragraphs: list[str]
    link: str
    link_label: str
    reason: str
    code: str = ""
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class About:
    """What letters to a candidate need. `greeted` is a first name that is surely one, or ''."""

    greeted: str
    offer_title: str
    organisation: str
    page: str
    promise_due_at: dt.datetime | None
    next_step: str
    follower: str
    is_running: bool


def plain_name(name: str | None) -> str:
    """A first name as letters only: a form sends mail to whatever address is typed, and must
    not carry somebody's advertisement in the place of a name."""
    words = (name or "").strip()
    bare = "".join(c for c in words if c not in " -'’")
    return words if bare.isalpha() and len(words) <= 40 else ""


def _hello(about: About) -> str:
    if about.greeted:
        return str(_("Hello %(name)s,", name=about.greeted))
    return str(_("Hello,"))


def _promise(about: About) -> str:
    if about.promise_due_at is None:
        return ""
    if about.follower:
        return str(
            _(
                "%(name)s follows your application. You have an answer before %(date)s.",
                name=about.follower,
                date=day(about.promise_due_at),
            )
        )
    return str(_("You have an answer before %(date)s.", date=day(about.promise_due_at)))


def _candidate_reason(about: About) -> str:
    return str(
        _(
            "You receive this because somebody applied at %(org)s from this address. It was not "
            "you? Erase it all on the page above.",
            org=about.organisation,
        )
    )


def _page_note() -> str:
    return str(
        _(
            "The address of your private page is yours alone and good for 30 days. Correct, "
            "withdraw or erase there, at any time."
        )
    )


def received(about: About, promise_days: int) -> Letter:
    """The first letter: it has arrived, this is your page, this is what comes next."""
    promise = _promise(about) or ngettext(
        "You have an answer within %(num)s working day.",
        "You have an answer within %(num)s working days.",
        promise_days,
    )
    if not about.is_running:  # the mail was late: what became of it has its own letter
        promise = ""
    return Letter(
        subject=_("Your application has arrived: %(title)s", title=about.offer_title),
        title=_("Your application has arrived"),
        paragraphs=[
            _hello(about),
            _(
                "Your application at %(org)s for “%(title)s” has arrived. Thank you.",
                org=about.organisation,
                title=about.offer_title,
            ),
            *([promise] if promise else []),
        ],
        link=about.page,
        link_label=_("See where I stand"),
        after=[_page_note()],
        reason=_candidate_reason(about),
    )


def copy_link(about: About, link: str) -> Letter:
    """The link to the copy of one's data."""
    return Letter(
        subject=_("The copy of your data at %(org)s", org=about.organisation),
        title=_("The copy of your data"),
        paragraphs=[
            _hello(about),
            _("You asked for everything that is kept about you here. This link opens it."),
        ],
        link=link,
        link_label=_("See my data"),
        after=[_("It is good once, for 24 hours. Who has it sees your data: keep it to yourself.")],
        reason=_candidate_reason(about),
    )


def asked_again(about: About) -> Letter:
    """A fresh private address, because it was asked for or the form came once more."""
    return Letter(
        subject=_("Your private page: %(title)s", title=about.offer_title),
        title=_("The address of your private page"),
        paragraphs=[
            _hello(about),
            _(
                "Here is where your application at %(org)s for “%(title)s” stands.",
                org=about.organisation,
                title=about.offer_title,
            ),
        ],
        link=about.page,
        link_label=_("See where I stand"),
        after=[_page_note()],
        reason=_candidate_reason(about),
    )


def stage_changed(about: About, stage: str, closure_reason: str | None) -> Letter:
    """Each stage, the refusal included, in its own words."""
    words = for_candidate(stage, closure_reason, about.organisation)
    title, sentence = words.title, words.sentence
    if stage == "received":
        title = _("Your application is open again")
        sentence = _("Somebody of the team reads it next.")
    context = _(
        "This is about your application at %(org)s for “%(title)s”.",
        org=about.organisation,
        title=about.offer_title,
    )
    if about.is_running:
        sentence = about.next_step or sentence
    promise = _promise(about) if about.is_running else ""
    return Letter(
        subject=_("%(what)s: %(title)s", what=title, title=about.offer_title),
        title=title,
        paragraphs=[_hello(about), context, sentence, *([promise] if promise else [])],
        link=about.page,
        link_label=_("Open my page"),
        after=[_ending()] if stage in ("closed", "trial_passed") else [],
        reason=_candidate_reason(about),
    )


def _ending() -> str:
    return str(
        _(
            "Your details are erased %(duration)s after this end. You may do it at once, on your "
            "page.",
            duration=duration(CANDIDATE),
        )
    )


def code(about: About, figures: str) -> Letter:
    """Six figures that let somebody act on their page."""
    return Letter(
        subject=_("Your code: %(code)s", code=figures),
        title=_("Your code"),
        paragraphs=[_("Type it on your private page. It is good for 15 minutes.")],
        code=figures,
        link=about.page,
        link_label=_("Open my page"),
        after=[_("You did not ask for it? Then leave this mail alone: nothing changes.")],
        reason=_candidate_reason(about),
    )


def referrer_received(offer_title: str, visibility: str, link: str, organisation: str) -> Letter:
    """Somebody applied through a member's link; what the member will learn of it."""
    follows = (
        _("The person lets you follow each stage.")
        if visibility == "all"
        else _("The person lets you see the beginning and the end. You hear from us when it ends.")
    )
    return Letter(
        subject=_("Somebody applied through your link: %(title)s", title=offer_title),
        title=_("Your link brought somebody"),
        paragraphs=[
            _("Somebody applied for “%(title)s” through your link. Thank you.", title=offer_title),
            follows,
        ],
        link=link,
        link_label=_("See my referrals"),
        reason=_referrer_reason(organisation),
    )


def referrer_stage(
    offer_title: str, stage: str, is_withdrawn: bool, link: str, organisation: str
) -> Letter:
    """A stage that the candidate lets the member see. Never a reason of refusal (rule P7)."""
    titles = {
        "received": _("A referral of yours is open again"),
        "screened": _("A referral of yours is being read"),
        "interview": _("A referral of yours has come to the interview"),
        "offer": _("A referral of yours is about to receive a proposal"),
        "hired": _("Somebody you recommended is hired"),
        "trial_passed": _("Somebody you recommended has passed the trial period"),
        "closed": _("A referral of yours is closed"),
    }
    sentences = {
        "hired": _("Your word counted. Thank you, and a good welcome to you both."),
        "trial_passed": _("That is the last stage. Thank you for bringing each other together."),
        "closed": _("It ends at the person’s wish.")
        if is_withdrawn
        else _("It ends here, without a hire. Thank you for having thought of somebody."),
    }
    about = _("It is about the offer “%(title)s”.", title=offer_title)
    return Letter(
        subject=_("%(what)s: %(title)s", what=titles[stage], title=offer_title),
        title=titles[stage],
        paragraphs=[about, *([sentences[stage]] if stage in sentences else [])],
        link=link,
        link_label=_("See my referrals"),
        reason=_referrer_reason(organisation),
    )


def _referrer_reason(organisation: str) -> str:
    return str(
        _(
            "You receive this because the link is yours, as a member of the programme at %(org)s.",
            org=organisation,
        )
    )
