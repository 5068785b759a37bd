"""Who does what, for everybody who is signed in."""

from __future__ import annotations

from flask import Response

from app.people import duties, two_people
from app.people.views import people
from app.people.words import ROLE_DUTIES, ROLE_NAMES
from app.web import access, render


@people.get("/who-does-what")
@access.signed_in
def who_does_what() -> Response:
    """Which role may read and do what: generated from the rules that the product obeys."""
    return render(
        "people/duties.html",
        areas=duties.team_areas(),
        members=duties.member_areas(),
        reaching=duties.knows_reach(),
        roles=duties.TEAM,
        two_people=two_people.sentences(),
        role_names=ROLE_NAMES,
        role_duties=ROLE_DUTIES,
    )
