"""Whether LinkedIn is set up, and until when: for the team's page and for `doctor`. No secret."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from app import clock
from app.config import Settings
from app.integrations.linkedin.oauth import LinkedInAuth
from app.integrations.linkedin.posts import version_expires_on
from app.integrations.linkedin.wire import Away, Timeouts, ask
from app.sharing.posting import is_loopback

OK, NOTE, BROKEN = "ok", "note", "broken"
WARN_BEFORE: Final = dt.timedelta(days=60)
OWN_ADDRESSES: Final = ("https://www.linkedin.com", "https://api.linkedin.com")
_PATIENCE: Final = Timeouts(connect=5.0, read=5.0, total=8.0)


class Finding(NamedTuple):
    """One line: `state` is ok, note (worth knowing) or broken."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Connection:
    """How this installation meets LinkedIn. `version_state` is ok, note (it ends within 60
    days) or broken (it has ended, about)."""

    is_configured: bool
    mode: str
    version: str
    version_ends_on: dt.date | None
    version_state: str
    redirect_uri: str


def connection(settings: Settings) -> Connection:
    """What is set, without a call."""
    auth = LinkedInAuth(settings)
    try:
        ends_on = version_expires_on(settings.linkedin_version)
    except ValueError:
        ends_on = None
    return Connection(
        is_configured=auth.is_configured,
        mode=settings.linkedin_mode,
        version=settings.linkedin_version,
        version_ends_on=ends_on,
        version_state=_version_state(ends_on),
        redirect_uri=auth.redirect_uri,
    )


def _version_state(ends_on: dt.date | None) -> str:
    today = clock.now().date()
    if ends_on is None or ends_on <= today:
        return BROKEN
    return NOTE if ends_on - today <= WARN_BEFORE else OK


def findings(settings: Settings, *, outside: bool = False) -> list[Finding]:
    """What is worth knowing; with `outside` LinkedIn's two addresses are called as well."""
    found = connection(settings)
    if not found.is_configured:
        text = "not set up (no PORTEVOIX_LINKEDIN_CLIENT_ID): members share with its own window"
        return [Finding(OK, text)]
    lines = [
        Finding(OK, f"{found.mode}, returns to {found.redirect_uri}"),
        Finding(found.version_state, _version_words(found)),
        *_addresses(settings),
    ]
    return [*lines, *_reached(settings)] if outside else lines


def _version_words(found: Connection) -> str:
    if found.version_ends_on is None:
        return f"version {found.version} is none (PORTEVOIX_LINKEDIN_VERSION)"
    if found.version_state == OK:
        return f"version {found.version}, good until about {found.version_ends_on}"
    verb = "ends" if found.version_state == NOTE else "ended"
    return (
        f"version {found.version} {verb} about {found.version_ends_on}: "
        "set PORTEVOIX_LINKEDIN_VERSION to a newer one"
    )


def _addresses(settings: Settings) -> list[Finding]:
    lines = []
    urls = (settings.linkedin_auth_url, settings.linkedin_api_url)
    if urls != OWN_ADDRESSES:
        hosts = " and ".join(dict.fromkeys(urlsplit(url).netloc for url in urls))
        lines.append(Finding(NOTE, f"not LinkedIn's own addresses: {hosts}"))
    elif not settings.is_https:
        state = NOTE if is_loopback(settings.base_url) else BROKEN  # a try-out on one's own machine
        lines.append(Finding(state, "LinkedIn returns to https addresses only (BASE_URL)"))
    return lines


def _reached(settings: Settings) -> list[Finding]:
    paths = (
        f"{settings.linkedin_auth_url}/oauth/.well-known/openid-configuration",
        f"{settings.linkedin_api_url}/v2/userinfo",
    )
    return [_reach(url) for url in paths]


def _reach(url: str) -> Finding:
    """Any answer that is not a server's trouble will do: without a token, 401 is right."""
    host = urlsplit(url).netloc
    try:
        answer = ask("GET", url, headers={"Accept": "application/json"}, timeouts=_PATIENCE)
    except Away as away:
        return Finding(BROKEN, f"{host} cannot be reached ({away.reason})")
    if answer.status >= 500:
        return Finding(BROKEN, f"{host} answers {answer.status}")
    return Finding(OK, f"{host} answers")
