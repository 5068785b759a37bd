"""One page from which everything is reached that is looked after seldom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response
from flask_babel import lazy_gettext as _l

from app.approvals import queries as approvals
from app.errors import Sentence
from app.privacy import requests
from app.web import access, render

hub = Blueprint("administration_hub", __name__)


@dataclass(frozen=True, slots=True)
class Door:
    """A page with what it is for. Who may open it stands beside its own route."""

    path: str
    title: Sentence
    line: Sentence


@dataclass(frozen=True, slots=True)
class Group:
    """Doors under a heading."""

    title: Sentence
    doors: tuple[Door, ...]


GROUPS: Final[tuple[Group, ...]] = (
    Group(_l("The organisation"), (
        Door("/studio/organisation", _l("Settings"),
             _l("Name, logo, colour, promises, small groups, sender")),
        Door("/studio/approvals", _l("To approve"), _l("What waits for a second person")),
        Door("/studio/points/by-hand", _l("Points by hand"),
             _l("Given for a reason, or no longer asked back")),
        Door("/studio/entities", _l("Entities"), _l("Companies and sites of a group")),
        Door("/studio/activation", _l("Staff notice"),
             _l("The dates before which no figure of a named person is shown")),
        Door("/studio/joining", _l("Joining"), _l("Invitations by link and poster, and counts")),
    )),
    Group(_l("Who comes in"), (
        Door("/studio/people", _l("Directory"), _l("People, invitations, roles")),
        Door("/studio/segments", _l("Segments"), _l("Parts of the directory, by list or by rule")),
        Door("/studio/people/imports", _l("Imports of people"), _l("CSV and Excel, with undo")),
        Door("/studio/scim", _l("SCIM"), _l("The directory kept up to date by Entra ID or Okta")),
        Door("/studio/people/provider", _l("Sign-in"),
             _l("The identity provider, its groups, what they give")),
        Door("/studio/people/sign-in", _l("Second factor"), _l("From whom one is asked, and when")),
        Door("/studio/people/transitions", _l("Arrivals and departures"),
             _l("Movers, leavers, returns, what needs a look")),
    )),
    Group(_l("Data and law"), (
        Door("/studio/requests", _l("Requests about data"), _l("Each with the day it is due")),
        Door("/studio/retention", _l("What is forgotten, and when"),
             _l("Tonight, and within the month")),
        Door("/studio/register", _l("Register of processing"),
             _l("What is kept about whom, why, for how long")),
        Door("/studio/documents/works-council", _l("Dossier for the works council"),
             _l("Written from the settings of today, as a page and as PDF")),
        Door("/studio/documents/impact-assessment", _l("Impact assessment"),
             _l("The same for the data protection officer")),
        Door("/studio/audit", _l("Audit trail"), _l("Who of the team did what, and when")),
        Door("/who-does-what", _l("Who does what"), _l("Every page and the roles that may use it")),
    )),
)  # fmt: skip


@hub.get("/studio/administration")
@access.role("admin", "auditor", "lead", "sponsor")
def page() -> Response:
    """The doors that open for this reader."""
    groups = [
        (group.title, [door for door in group.doors if access.may_open(door.path)])
        for group in GROUPS
    ]
    late = requests.overdue() if "admin" in access.me().roles else 0
    return render(
        "administration/hub.html",
        groups=[group for group in groups if group[1]],
        late=late,
        to_approve=approvals.count_for(access.me().person_id, access.me().roles),
    )
