"""Forms that came when their session had ended, kept until their author is back.

The texts wait encrypted, for half an hour, under a random key that only this browser holds;
where it is known whose session it was, nobody else gets them. They are put back into their
form and wait for another press: nothing here ever sends one.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, g, render_template, request, session
from sqlalchemy import delete, select

from app import clock
from app.crypto import CannotDecrypt, token_hash
from app.db import db, transaction
from app.people.models import Login, ParkedForm
from app.people.sessions import ENDED, KEY, PARKED
from app.web import access, parked
from app.web.pages import is_htmx
from app.web.parked import Typed
from app.web.refilling import Refilled, refill

KEPT_FOR = dt.timedelta(minutes=30)
NOTICES = '<div class="notices" id="notices" role="status">'


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that waits. `words` are its texts of some length, for a page without the form."""

    typed: Typed

    @property
    def path(self) -> str:
        return urlsplit(self.typed.page).path

    @property
    def words(self) -> list[str]:
        return [value for _name, value in self.typed.fields if " " in value.strip()]


# --- keeping -----------------------------------------------------------------------------


def park(typed: Typed) -> None:
    """Keep a form for this browser, in place of the one before."""
    g.form_parked = True
    key = session.get(PARKED)
    if not isinstance(key, str):
        key = session[PARKED] = secrets.token_urlsafe(32)
    owner = _owner()
    with transaction() as rows:
        rows.execute(delete(ParkedForm).where(ParkedForm.key_hash == token_hash(key)))
        rows.add(
            ParkedForm(
                key_hash=token_hash(key),
                person_id=owner,
                content=json.dumps(
                    [typed.page, typed.action, typed.fields, typed.is_whole], ensure_ascii=False
                ),
                expires_at=clock.now() + KEPT_FOR,
            )
        )


def _owner() -> uuid.UUID | None:
    """Whose session it is or was, as far as this browser still says."""
    reader = access.reader()
    if reader is not None:
        return reader.person_id
    token = session.get(KEY) or session.get(ENDED)
    if not isinstance(token, str):
        return None
    return db.session.scalar(select(Login.person_id).where(Login.token_hash == token_hash(token)))


def waiting(person_id: uuid.UUID) -> Kept | None:
    """What waits in this browser for this person; somebody else's is thrown away."""
    key = session.get(PARKED)
    if not isinstance(key, str):
        return None
    row = db.session.scalar(
        select(ParkedForm).where(
            ParkedForm.key_hash == token_hash(key), ParkedForm.expires_at > clock.now()
        )
    )
    if row is None or row.person_id not in (None, person_id):
        forget()
        return None
    try:
        page, action, fields, is_whole = json.loads(row.content)
    except CannotDecrypt:
        forget()
        return None
    return Kept(Typed(page, action, [(name, value) for name, value in fields], is_whole))


def forget() -> None:
    """Throw away what waits in this browser."""
    key = session.pop(PARKED, None)
    if isinstance(key, str):
        with transaction() as rows:
            rows.execute(delete(ParkedForm).where(ParkedForm.key_hash == token_hash(key)))


# --- giving back -------------------------------------------------------------------------


def _is_of_the_house() -> bool:
    """A whole page, or a form, of somebody signed in, in a browser for which a form waits."""
    rule = access.rule_of(request.endpoint)
    signed_in = rule is not None and rule.who in ("signed-in", "role") and g.get("reader")
    return bool(signed_in and PARKED in session)


def _give_back(response: Response) -> Response:
    """Put what was typed back into its form; once that form is sent, forget it."""
    if not _is_of_the_house() or "form_parked" in g:
        return response
    kept = waiting(access.me().person_id)
    if kept is None:
        return response
    if request.method == "POST" and request.path == kept.typed.action:
        forget()
    if _is_page(response) and request.path == kept.path:
        page = response.get_data(as_text=True)
        response.set_data(_filled(page, kept))
        response.headers["Cache-Control"] = "no-store"
    return response


def _is_page(response: Response) -> bool:
    """A whole page that was asked for, and opened."""
    return (
        request.method == "GET"
        and response.status_code == 200
        and response.mimetype == "text/html"
        and not (response.is_streamed or is_htmx())
    )


def _filled(page: str, kept: Kept) -> str:
    typed = kept.typed
    found = refill(page, request.path, typed.action, typed.fields)
    note = render_template(
        "people/_kept_form.html", kept=kept, found=found is not None, anchor=_anchor(found)
    )
    return (found.html if found else page).replace(NOTICES, NOTICES + note, 1)


def _anchor(found: Refilled | None) -> str:
    return found.anchor if found else ""


def start(app: Flask) -> None:
    """Keep what the frame hands over, and give it back."""
    parked.set_keeper(park)
    app.before_request(_forget_flag)
    app.after_request(_give_back)


def _forget_flag() -> None:
    """A context may serve several requests."""
    g.pop("form_parked", None)
