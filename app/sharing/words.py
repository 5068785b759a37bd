"""Codes of sharing as sentences for a person."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from app.errors import Sentence

CHECK_FORM = _l("Please check the form.")
MISPLACED = _l("This connection cannot be read any more. Please connect again.")
UNKNOWN_DISCLOSURE = _l("Choose one of the wordings that are offered.")
TOO_LONG_DISCLOSURE = _l("Say it in your own words, in 160 characters at most.")

NETWORK_NAMES: dict[str, Sentence] = {
    "linkedin": "LinkedIn",
    "x": "X",
    "facebook": "Facebook",
    "whatsapp": "WhatsApp",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "telegram": "Telegram",
    "threads": "Threads",
    "reddit": "Reddit",
    "email": _l("E-mail"),
    "sms": _l("Text message"),
    "copy": _l("Copied link"),
    "qr": _l("QR code"),
    "linkedin-dialog": _l("LinkedIn’s own window"),
}

STATUS_NAMES: dict[str, Sentence] = {
    "draft": _lp("share", "Draft"),
    "scheduled": _lp("share", "Planned"),
    "paused": _lp("share", "Paused"),
    "publishing": _lp("share", "Being sent"),
    "published": _lp("share", "Online"),
    "unknown": _lp("share", "We do not know"),
    "failed": _lp("share", "Not published"),
    "cancelled": _lp("share", "Cancelled"),
    "withdrawn": _lp("share", "Withdrawn"),
    "intent": _lp("share", "Opened elsewhere"),
}

# Why a share waits, is paused or was not published: what happened, what was kept, what to do.
REASONS: dict[str, Sentence] = {
    "stopped": _l("Your organisation has stopped sharing for the moment. Your post is kept."),
    "asks": _l("Its moment passed while sharing was stopped. Do you still want to send it?"),
    "resting": _l("You rest. Your post is kept; it waits until you are back."),
    "rested": _l("Its moment passed while you rested. Do you still want to send it?"),
    "other-profile": _l("You connected another LinkedIn profile. Do you still want to send it?"),
    "charter": _l("You took your agreement to the charter back. Your post is kept; it waits."),
    "reconnect": _l("LinkedIn no longer accepts your connection. Renew it, then send the post."),
    "version": _l("LinkedIn changed its interface. Your administrator has been told; we kept it."),
    "permission": _l(
        "LinkedIn does not allow our application to post for you. Your administrator was told."
    ),
    "duplicate": _l("This very text is online already: LinkedIn refuses it twice. Change a word."),
    "text": _l("LinkedIn refuses this text. Your words are kept: shorten or change them."),
    "picture": _l("LinkedIn did not take the picture. Nothing was posted."),
    "refused": _l("LinkedIn refused the post. Nothing was posted; your words are kept."),
    "unreachable": _l("LinkedIn could not be reached for a long time. Nothing was posted."),
    "quota": _l("LinkedIn asks us to wait. Your post goes out when it lets us."),
    "waiting": _l("LinkedIn could not be reached. We try again by ourselves; nothing was posted."),
    "not-ready": _l("LinkedIn is still looking at the picture. We try again in a moment."),
    "check": _l("We are asking LinkedIn by sending it again: it refuses what is there already."),
    "story-expired": _l("The story’s time was over before the moment you had chosen."),
    "story-withdrawn": _l("The story was withdrawn by those who published it."),
    "audience": _l("It is meant for other colleagues since; what you had planned was cancelled."),
    "offer-closed": _l("The offer was closed before the moment you had chosen."),
    "left": _l("You left the programme; nothing more goes out in your name."),
    "disconnected": _l("You disconnected LinkedIn; what was planned was cancelled."),
    "declared-offline": _l("You told us that it is not online."),
    "refused-there": _l("LinkedIn did not let us remove it: please remove it there yourself."),
    "key": _l("Your connection cannot be read any more. Please connect again."),
}

# What is in the way of everybody, in the words of those who can mend it.
TROUBLES: dict[str, Sentence] = {
    "version": _l("LinkedIn no longer answers the version of its interface that is set."),
    "permission": _l("LinkedIn does not let our application post for members."),
    "scope": _l("LinkedIn refuses what our application asks members for."),
    "client": _l("LinkedIn does not recognise our application: its identifier, secret or address."),
}

METRIC_NAMES: dict[str, Sentence] = {
    "clicks": _l("Visits by your link"),
    "impressions": _l("Views"),
    "reached": _l("Members reached"),
    "reactions": _l("Reactions"),
    "comments": _l("Comments"),
    "reshares": _l("Reposts"),
}
