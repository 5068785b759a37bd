"""Security headers, sessions and the protection of forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from app import crypto
from app.config import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

csrf = CSRFProtect()

MAX_BODY = 26 * 1024 * 1024
_OF_DOCUMENTS = (
    "Content-Type", "Content-Security-Policy", "Permissions-Policy", "X-Content-Type-Options",
    "X-Frame-Options",
)  # fmt: skip


def _form_targets(settings: Settings) -> list[str]:
    """A form that redirects elsewhere must say so: our own origin, LinkedIn and the identity
    provider."""
    targets = ["'self'"]
    for address in (settings.linkedin_auth_url, settings.oidc_issuer):
        if address:
            parts = urlsplit(address)
            targets.append(f"{parts.scheme}://{parts.netloc}")
    return targets


def stand_before(app: Flask, wrap: Callable[[WSGIApplication], WSGIApplication]) -> None:
    """Put something before Flask that answers a few requests itself. It sees addresses and
    schemes as Flask does: what trusted proxies say of them is read already."""
    if isinstance(app.wsgi_app, ProxyFix):
        app.wsgi_app.app = wrap(app.wsgi_app.app)
    else:
        app.wsgi_app = wrap(app.wsgi_app)  # type: ignore[method-assign, assignment]


def _say_less(response: Response) -> Response:
    """A redirect without a body is no document: what may be done with one is not said of it.
    For an opened link it would be half of all that is sent."""
    if response.location and response.is_sequence and not response.get_data():
        for name in _OF_DOCUMENTS:
            response.headers.pop(name, None)
    return response


def start(app: Flask, settings: Settings) -> None:
    """Set what the browser may do with our pages."""
    app.secret_key = crypto.key_for("session")
    app.config.update(
        SECRET_KEY_FALLBACKS=crypto.keys_for("session")[1:],
        SESSION_COOKIE_NAME="portevoix",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=dt.timedelta(days=90),
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
    )
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]
    csrf.init_app(app)
    app.after_request(_say_less)  # first in, so it runs after Talisman
    Talisman(
        app,
        force_https=settings.is_https,
        strict_transport_security=settings.is_https,
        session_cookie_secure=settings.is_https,
        session_cookie_http_only=True,
        session_cookie_samesite="Lax",
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        content_security_policy={
            "default-src": "'self'",
            "img-src": ["'self'", "data:"],
            "object-src": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
            "form-action": _form_targets(settings),
        },
    )
