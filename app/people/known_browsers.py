"""A browser in which somebody signed in before keeps its own place at the door.

Limits on wrong passwords and codes count by account, so a stranger who guesses could slow the
owner down. Therefore each successful sign-in leaves a cookie: signed, good for a year, sent to
the sign-in pages alone, with a random number for each of the last four accounts of this
browser. An attempt that brings it is counted under that number and under nothing a stranger can
use up. A stolen cookie gives a thief no more than a place of their own, with the same limits.
It is strictly necessary for the security of the account, so it needs no consent (rule C1: set
by signing in, never on a page that is only read). Rows of `Login` could not do this: they end
with the session, and the owner's session may have ended long before.
"""

from __future__ import annotations

import datetime as dt
import secrets

from flask import Response, request
from itsdangerous import BadSignature, URLSafeSerializer

from app import crypto
from app.people.text import normal_address
from app.web import current_settings

COOKIE = "portevoix_device"
LIFETIME = dt.timedelta(days=365)
MOST_ACCOUNTS = 4
_PURPOSE = "known-browser"


def account_key(email: str) -> str:
    """An address, unreadable, as the key of limits."""
    return crypto.fingerprint(normal_address(email), "limit")[:32]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer([*reversed(crypto.keys_for(_PURPOSE))], salt=_PURPOSE)


def _accounts() -> dict[str, str]:
    """Random numbers by account, as this browser brings them."""
    try:
        told = _serializer().loads(request.cookies.get(COOKIE, ""))
        return {str(account): str(number) for account, number in told}
    except (BadSignature, TypeError, ValueError):
        return {}


def number_for(account: str) -> str | None:
    """This browser's number for an account that signed in here before."""
    return _accounts().get(account)


def remember(response: Response, email: str) -> None:
    """Leave the cookie with the answer to a successful sign-in."""
    known, account = _accounts(), account_key(email)
    number = known.pop(account, None) or secrets.token_urlsafe(16)
    others = [*known.items()][-(MOST_ACCOUNTS - 1) :]
    kept = [*others, (account, number)]
    response.set_cookie(
        COOKIE,
        str(_serializer().dumps(kept)),
        max_age=LIFETIME,
        path="/sign-in",
        secure=current_settings().is_https,
        httponly=True,
        samesite="Lax",
    )
