"""What the views around people share."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import Response, request

from app.errors import InvalidInput
from app.people import devices, known_browsers, queries, sessions
from app.people.logins import SignedIn
from app.people.passkeys import Site, site
from app.people.second_factor import Waiting
from app.people.visitor_forms import form_token
from app.web import access, current_settings, redirect_to, render


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


def with_next(page: str, to: str) -> str:
    """A page that knows where one goes afterwards."""
    return f"{page}?next={quote(to)}" if to else page


def let_in(entered: SignedIn | Waiting, to: str = "") -> Response:
    """Give the browser its session and send it on: where it wanted to go, else home. A sign-in
    that waits for its code goes there first; the team is asked to set up a second factor."""
    if isinstance(entered, Waiting):
        sessions.hold(entered.token)
        return redirect_to(with_next("/sign-in/second-step", to))
    sessions.begin(entered)
    to = to or home()
    response = redirect_to(with_next("/me/second-factor", to) if entered.asks_factor else to)
    known_browsers.remember(response, queries.person(entered.person_id).email)
    return response


def passkey_site() -> Site | None:
    """What passkeys are bound to at the address this browser uses; None where none can work."""
    return site(current_settings().base_url, request.host)


def confirm_first(to: str) -> Response | None:
    """Off to showing once more who one is, unless that was within the last ten minutes."""
    if devices.is_confirmed(access.me().login_id):
        return None
    return redirect_to(with_next("/me/confirmation", to))


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
