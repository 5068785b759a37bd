"""Taking a yes back from a mail."""

from __future__ import annotations

from flask import Response

from app.people import service, unsubscribing
from app.people.consents import PURPOSES
from app.people.views import people
from app.people.views.common import render_for_visitor
from app.web import access
from app.web.limits import limiter
from app.web.security import csrf


@people.get("/choices/<token>")
@access.signed
@limiter.limit("60 per minute")
def unsubscribe(token: str) -> Response:
    """Ask; looking changes nothing, because scanners look too."""
    _person_id, purpose = unsubscribing.read(token)
    return _page(token, purpose, is_done=False)


@people.post("/choices/<token>")
@access.signed
@limiter.limit("60 per minute")
def unsubscribe_submit(token: str) -> Response:
    """Take it back: the button of the page, or the mail program's own."""
    person_id, purpose = unsubscribing.read(token)
    service.withdraw_consent(person_id, purpose, act="mail")
    return _page(token, purpose, is_done=True)


def _page(token: str, purpose: str, *, is_done: bool) -> Response:
    return render_for_visitor(
        "people/unsubscribe.html", token=token, purpose=PURPOSES[purpose], is_done=is_done
    )


csrf.exempt(unsubscribe_submit)  # the signed address is the proof; a mail program has no form
