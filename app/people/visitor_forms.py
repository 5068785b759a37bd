"""Forms on pages before sign-in: nothing is stored on the device (rule C1).

Without a session there is no secret to compare a form with. Two things stand in for it: the
browser's own word on where a POST comes from (every current browser sends it, and a page
cannot forge it), and a signed token that says when the form was given out.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature, URLSafeSerializer

from app import clock, crypto
from app.errors import Forbidden, InvalidInput
from app.web import current_settings

LIFETIME_SECONDS = 24 * 3600
FIELD = "csrf_token"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for("visitor-form"))], salt="visitor-form")


def form_token() -> str:
    """For the hidden field of a form that is given out now."""
    return str(_serializer().dumps(int(clock.timestamp())))


def check_visitor_form() -> None:
    """Raises `Forbidden` for a POST of another site, `InvalidInput` for a form too old."""
    if not _is_from_here():
        raise Forbidden(_l("This form was sent from another site."))
    try:
        given_at = int(_serializer().loads(request.form.get(FIELD, "")))
    except (BadSignature, TypeError, ValueError):
        given_at = 0
    if clock.timestamp() - given_at > LIFETIME_SECONDS:
        raise InvalidInput(_l("This page had waited for long. Please send it once more."))


def _is_from_here() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    # Hosts only: behind a proxy the scheme we see may not be the one the browser used.
    ours = {request.host, urlsplit(current_settings().base_url).netloc}
    return origin is None or urlsplit(origin).netloc in ours
