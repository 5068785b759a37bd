"""The words of the mails of sharing, in the reader's language (the caller sets it).

Each says what happened, what was kept and what one can do; none asks for haste.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from app import clock
from app.sharing.models import Grant, Share
from app.sharing.words import REASONS, TROUBLES
from app.web.i18n import day, moment


@dataclass(frozen=True, slots=True)
class Letter:
    """What `share-letter` shows. `quote` is what the organisation says, in its own words;
    `path` is one of our own."""

    subject: str
    paragraphs: tuple[str, ...]
    path: str
    link_label: str
    reason: str
    quote: str = ""
    after: tuple[str, ...] = ()


def _of_post() -> str:
    return str(_("You receive this because it is about a post of yours."))


def _of_connection() -> str:
    return str(_("You receive this because you connected LinkedIn."))


def _title(share: Share) -> str:
    """What the post is called in a subject: its card's title, or its first words."""
    title = " ".join((share.title or share.words).split())
    return title if len(title) <= 48 else title[:47].rstrip() + "…"


def _one(share: Share, subject: str, paragraphs: tuple[str, ...], label: str = "") -> Letter:
    return Letter(
        subject, paragraphs, f"/shares/{share.id}", label or _("See the post"), _of_post()
    )


# --- one post ----------------------------------------------------------------------------


def failed(share: Share) -> Letter:
    """It was certainly not posted."""
    why = str(REASONS.get(share.reason or "", REASONS["refused"]))
    subject = _("Not published: %(title)s", title=_title(share))
    return _one(
        share, subject, (why, _("Your words are kept; you may change them and press again."))
    )


def unknown(share: Share) -> Letter:
    """Nobody can know but the author."""
    paragraphs = (
        _(
            "LinkedIn gave no answer when we sent your post, so we cannot know whether it is there. "
            "We did not send it a second time: that could have posted it twice."
        ),
        _(
            "Please look at your profile and tell us what you see. Within a day you may also have it "
            "checked: we send it again, and LinkedIn refuses what it has already."
        ),
    )
    subject = _("Is it online? %(title)s", title=_title(share))
    return _one(share, subject, paragraphs, _("Say what you see"))


def paused(share: Share) -> Letter:
    """It waits for its author, or was cancelled for a reason."""
    why = str(REASONS.get(share.reason or "", REASONS["refused"]))
    at = share.publish_at
    planned = (_("It was planned for %(moment)s.", moment=moment(at)),) if at else ()
    if share.status == "cancelled":
        return _one(share, _("Cancelled: %(title)s", title=_title(share)), (why, *planned))
    subject = _("Paused: %(title)s", title=_title(share))
    return _one(share, subject, (why, *planned, _("It goes only when you press again.")))


def story_gone(share: Share) -> Letter:
    """The story was withdrawn; the post is its author's (rule L3)."""
    paragraphs = (
        _("Those who published “%(title)s” have taken it back.", title=_title(share)),
        _(
            "Your post is yours: you may leave it online, or take it off with one press. "
            "Nobody is told which."
        ),
    )
    return _one(share, _("Story withdrawn: %(title)s", title=_title(share)), paragraphs)


# --- several posts -----------------------------------------------------------------------


def stopped(count: int, message: str) -> Letter:
    """The organisation has stopped sharing; what was planned is kept."""
    kept = ngettext(
        "One post of yours waits. It is kept as it is.",
        "%(num)s posts of yours wait. They are kept as they are.",
        count,
    )
    later = _(
        "When sharing goes on, what is planned for later goes as planned. Where the moment has "
        "passed you are asked first. You may cancel at any time."
    )
    subject = _("Sharing is stopped for the moment")
    return Letter(subject, (kept, later), "/shares", _("See my posts"), _of_post(), quote=message)


def asks(count: int) -> Letter:
    """Sharing goes on; whose moment passed is asked."""
    paragraph = ngettext(
        "The moment of one post of yours passed while sharing was stopped. It goes only if you "
        "press again.",
        "The moment of %(num)s posts of yours passed while sharing was stopped. They go only if you "
        "press again.",
        count,
    )
    subject = ngettext(
        "Sharing goes on: do you still want your post?",
        "Sharing goes on: do you still want your posts?",
        count,
    )
    return Letter(subject, (paragraph,), "/shares", _("See my posts"), _of_post())


# --- the connection ----------------------------------------------------------------------


def expiring(grant: Grant) -> Letter:
    """A week before the connection ends, or as soon as we can after it."""
    over = grant.expires_at <= clock.now()
    subject = (
        _("Your LinkedIn connection has ended")
        if over
        else _("Your LinkedIn connection ends on %(day)s", day=day(grant.expires_at))
    )
    kept = _(
        "LinkedIn lets a connection last about 60 days. Renew it and nothing is interrupted: your "
        "posts, their figures and what you planned stay as they are."
    )
    free = _("If you do not, nothing more is published through it, and nothing is lost.")
    link = ("/sharing/linkedin", _("Renew the connection"))
    return Letter(subject, (kept,), *link, _of_connection(), after=(free,))


def refused(count: int) -> Letter:
    """The network takes the key no more; `count` posts wait."""
    paragraphs = [
        _(
            "It ended, or was withdrawn at LinkedIn. Nothing can be posted in your name through it "
            "until you renew it."
        )
    ]
    if count:
        paragraphs.append(
            ngettext(
                "One post is paused. It is kept, and goes only when you press again.",
                "%(num)s posts are paused. They are kept, and go only when you press again.",
                count,
            )
        )
    link = ("/sharing/linkedin", _("Renew the connection"))
    subject = _("LinkedIn no longer accepts your connection")
    return Letter(subject, tuple(paragraphs), *link, _of_connection())


def trouble(code: str) -> Letter:
    """To an administrator: what is in the way, and what mends it."""
    mends = {
        "version": _(
            "Set %(name)s to a newer version and start Portevoix again. The posts that met this "
            "are paused and kept.",
            name="PORTEVOIX_LINKEDIN_VERSION",
        ),
        "permission": _(
            "Look at LinkedIn whether the application still has the product that lets it post."
        ),
        "scope": _(
            "Look at LinkedIn which products the application has, and compare them with %(name)s.",
            name="PORTEVOIX_LINKEDIN_MODE",
        ),
        "client": _(
            "Compare identifier, secret and return address with those of the application at LinkedIn."
        ),
    }
    return Letter(
        _("Sharing on LinkedIn needs you"),
        (str(TROUBLES[code]), mends[code]),
        "/studio/sharing",
        _("See how it stands"),
        _("You receive this, at most once a day, because you are an administrator."),
    )
