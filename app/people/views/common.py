"""What the views around people share."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from app.errors import InvalidInput
from app.people import sessions
from app.people.logins import SignedIn
from app.people.visitor_forms import form_token
from app.web import redirect_to, render


def by_field(error: InvalidInput) -> dict[str, str]:
    """The errors of a form as one sentence for each field."""
    return {name: " ".join(map(str, told)) for name, told in error.errors.items()}


def local_path(raw: str | None) -> str:
    """A path of ours to go to, or "" for anything that leads elsewhere."""
    path = raw or ""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return ""
    parts = urlsplit(path)
    leads_back = parts.path in ("/sign-in", "/sign-out") or parts.path.startswith("/sign-in/")
    return "" if parts.netloc or "\\" in path or leads_back else path


def browser() -> str:
    """What the browser says of itself; only its family is ever kept."""
    return request.headers.get("User-Agent", "")


def let_in(signed_in: SignedIn, to: str = "") -> Response:
    """Give the browser its session and send it on: where it wanted to go, else home."""
    sessions.begin(signed_in)
    return redirect_to(to or home())


def home() -> str:
    """Today for those who take part; the question whether to join for the others."""
    reader = sessions.load_reader()
    return "/" if reader is not None and "member" in reader.roles else "/join"


def render_for_visitor(page: str, status: int = 200, **context: object) -> Response:
    """A page before sign-in: its forms carry a signed token, its answer is kept nowhere."""
    token = form_token()
    response = render(
        page, status, layout="page", form_token=token, csrf_token=lambda: token, **context
    )
    response.headers["Cache-Control"] = "no-store"
    return response
