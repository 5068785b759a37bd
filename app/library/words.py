"""The words of the library: kinds, states, captions, networks, languages."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import pgettext

LANGUAGE_NAMES = {"fr": "Français", "en": "English"}
"""Each language by its own name, whoever reads."""


def kind_names() -> dict[str, str]:
    """What a story is."""
    return {
        "article": _("Article"), "news": _("News"), "story": pgettext("kind", "Story"),
        "testimonial": _("In their words"), "infographic": _("Infographic"),
        "visual": _("Visual"), "video": _("Video"), "event": _("Event"),
    }  # fmt: skip


def caption_names() -> dict[str, str]:
    """What a ready caption is."""
    return {
        "short": _("In one sentence"), "long": _("At length"), "question": _("A question"),
        "first-person": _("In the first person"),
    }  # fmt: skip


def state_names() -> dict[str, str]:
    """Where a story stands."""
    return {
        "draft": pgettext("story", "Draft"), "scheduled": pgettext("story", "Scheduled"),
        "published": pgettext("story", "Published"), "expired": pgettext("story", "Expired"),
        "withdrawn": pgettext("story", "Withdrawn"),
    }  # fmt: skip


def network_names() -> dict[str, str]:
    """Where a story may be shared."""
    return {
        "linkedin": "LinkedIn", "x": "X", "facebook": "Facebook", "whatsapp": "WhatsApp",
        "bluesky": "Bluesky", "mastodon": "Mastodon", "telegram": "Telegram",
        "threads": "Threads", "reddit": "Reddit", "email": _("Mail"), "sms": _("Text message"),
        "copy": _("Copied link"), "qr": _("QR code"),
    }  # fmt: skip
