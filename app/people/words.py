"""Codes in words: roles, kinds of people, scopes."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import Sentence
from app.people.text import is_nowhere

ROLE_NAMES: dict[str, Sentence] = {
    "member": _l("Member"),
    "contributor": _l("Contributor"),
    "curator": _l("Curator"),
    "recruiter": _l("Recruiter"),
    "hr": _l("Human resources"),
    "lead": _l("Programme lead"),
    "sponsor": _l("Sponsor"),
    "auditor": _l("Auditor"),
    "admin": _l("Administrator"),
}

ROLE_DUTIES: dict[str, Sentence] = {
    "contributor": _l("writes stories"),
    "curator": _l("approves and publishes stories"),
    "recruiter": _l("opens offers and follows applications"),
    "hr": _l("keeps the rewards and what is due"),
    "lead": _l("runs the programme and its rules"),
    "sponsor": _l("reads the results"),
    "auditor": _l("checks the books and the log"),
    "admin": _l("manages people, access and connections"),
}

KIND_NAMES: dict[str, Sentence] = {
    "employee": _l("Employee"),
    "alumni": _l("Former employee"),
    "partner": _l("Partner"),
}

LANGUAGE_NAMES = {"fr": "Français", "en": "English"}

SCOPE_NAMES: dict[str, Sentence] = {
    "read": _l("Read what you may read"),
    "stories:write": _l("Write stories"),
    "shares:write": _l("Share in your name"),
    "offers:write": _l("Write job offers"),
    "referrals:write": _l("Write referrals"),
    "rewards:write": _l("Keep the catalogue of rewards"),
    "redemptions:write": _l("Spend your points and handle rewards"),
    "rules:write": _l("Write the rules of points"),
    "people:write": _l("Write the directory"),
    "connections:write": _l("Connect recruitment tools"),
    "ledger:read": _l("Read the books"),
    "scim": _l("Keep the directory up to date by SCIM"),
}

METHOD_NAMES: dict[str, Sentence] = {
    "password": _l("by password"),
    "passkey": _l("by passkey"),
    "oidc": _l("with the organisation’s account"),
    "invitation": _l("by invitation"),
    "reset": _l("with a link to a new password"),
    "setup": _l("when this installation was set up"),
    "code": _l("by a code from the mailbox"),
}


def address(email: str) -> str:
    """An address as pages show it."""
    return str(_("no address")) if is_nowhere(email) else email
