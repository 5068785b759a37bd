"""The places of the house: the member's, and the team's by role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Flask, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext, pgettext

from app.web import access

# One letter a place of the team, the same in every language.
LETTERS = {
    "week": "w", "stories": "s", "sharing": "h", "charter": "c", "board": "r", "offers": "o",
    "rules": "l", "rewards": "k", "redemptions": "d", "people": "p", "member": "m",
    "organisation": "n", "approvals": "a",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    key: str
    url: str
    label: str
    icon: str

    @property
    def letter(self) -> str:
        """What leads here after G on the keyboard; "" for a place without one."""
        return LETTERS.get(self.key, "")


def member_places() -> list[Place]:
    """Where a member lives."""
    return [
        Place("today", "/", _("Today"), "sun"),
        Place("library", "/library", pgettext("place", "Library"), "library"),
        Place("offers", "/offers", _("Offers"), "briefcase"),
        Place("play", "/play", _("Play"), "dices"),
        Place("me", "/me", _("Me"), "circle-user"),
    ]


_TEAM: Final = (
    ("week", "/studio", _l("Week"), "calendar"),
    ("stories", "/studio/stories", lazy_pgettext("place", "Stories"), "library"),
    ("sharing", "/studio/sharing", lazy_pgettext("place", "Sharing"), "send"),
    ("charter", "/studio/charter", _l("Charter"), "scroll-text"),
    ("board", "/studio/referrals", lazy_pgettext("place", "Referrals"), "users"),
    ("offers", "/studio/offers", _l("Offers"), "briefcase"),
    ("rules", "/studio/rules", _l("Rules"), "list-checks"),
    ("rewards", "/studio/rewards", _l("Rewards"), "gift"),
    ("redemptions", "/studio/redemptions", _l("To deliver"), "ticket"),
    ("approvals", "/studio/approvals", _l("To approve"), "shield-check"),
    ("people", "/studio/people", _l("People"), "circle-user"),
    ("organisation", "/studio/administration", _l("Organisation"), "settings"),
)


WRITERS: Final = frozenset({"contributor", "curator", "admin"})
"""Who has a part in the editors' week, where the team's door leads everybody else on."""


def staff_places() -> list[Place]:
    """What the reader works with in the team: the pages whose own rule opens them."""
    who = access.me()
    writes = bool(WRITERS & (who.roles | {*who.reach}))
    hidden = set() if writes else {"week"}
    if access.may_open("/studio/administration"):
        hidden.add("approvals")  # its door stands there, with what waits
    return [
        Place(key, url, str(label), icon)
        for key, url, label, icon in _TEAM
        if access.may_open(url) and key not in hidden
    ]


def start(app: Flask) -> None:
    """Give templates `places` and the way to the other house."""

    @app.context_processor
    def shared() -> dict[str, object]:
        rule = access.rule_of(request.endpoint) if request else None
        if rule is None or rule.who in ("public", "signed"):
            return {"places": [], "other_house": None}
        who = access.reader()
        if who is None:
            return {"places": [], "other_house": None}
        staff = staff_places()
        if request.path.startswith("/studio"):
            other = Place("member", "/", _("My places"), "sun")
            return {"places": staff, "other_house": other}
        other_house = Place("studio", staff[0].url, _("Studio"), "newspaper") if staff else None
        return {"places": member_places(), "other_house": other_house}
