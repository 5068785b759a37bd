"""The places of the house: the member's, and the team's by role."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request
from flask_babel import gettext as _
from flask_babel import pgettext

from app.web import access

# One letter a place of the team, the same in every language.
LETTERS = {
    "week": "w", "stories": "s", "sharing": "h", "charter": "c", "board": "r", "offers": "o",
    "rules": "l", "rewards": "k", "redemptions": "d", "people": "p", "member": "m",
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


def staff_places(roles: frozenset[str]) -> list[Place]:
    """What the team works with, by role."""
    found: list[Place] = []
    if roles & {"contributor", "curator", "admin"}:
        found.append(Place("week", "/studio", _("Week"), "calendar"))
        found.append(Place("stories", "/studio/stories", pgettext("place", "Stories"), "library"))
    if roles & {"lead", "admin"}:
        found.append(Place("sharing", "/studio/sharing", pgettext("place", "Sharing"), "send"))
        found.append(Place("charter", "/studio/charter", _("Charter"), "scroll-text"))
    if roles & {"recruiter", "admin"}:
        found.append(Place("board", "/studio/referrals", pgettext("place", "Referrals"), "users"))
        found.append(Place("offers", "/studio/offers", _("Offers"), "briefcase"))
    if roles & {"hr", "lead", "admin", "auditor"}:
        found.append(Place("rules", "/studio/rules", _("Rules"), "list-checks"))
    if roles & {"hr", "admin"}:
        found.append(Place("rewards", "/studio/rewards", _("Rewards"), "gift"))
        found.append(Place("redemptions", "/studio/redemptions", _("To deliver"), "ticket"))
    if "admin" in roles:
        found.append(Place("people", "/studio/people", _("People"), "circle-user"))
    return found


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
        staff = staff_places(who.roles)
        if request.path.startswith("/studio"):
            other = Place("member", "/", _("My places"), "sun")
            return {"places": staff, "other_house": other}
        other_house = Place("studio", staff[0].url, _("Studio"), "newspaper") if staff else None
        return {"places": member_places(), "other_house": other_house}
