"""What became of a call: the few things LinkedIn's many answers amount to (section 8).

The one line that matters: an answer is a definite "not created" only when it is a 4xx that
says so. Everything else after the last byte, 5xx, redirects, timeouts, broken answers, is
`Unknown`, because a second try could be a second post.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

import httpx

from app import clock
from app.integrations.linkedin.wire import Answer
from app.integrations.text import Json, JsonObject, as_object, as_objects


@dataclass(frozen=True, slots=True)
class Published:
    """It is online. `urn` is None when LinkedIn did not name the post: never send it again."""

    urn: str | None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """This very text is already there, or was: `urn` may name a post since deleted."""

    urn: str | None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Certainly nothing happened: the request never left whole.

    `reason`: `stopped` (the caller said no), `unreachable`, `timeout`, `cut`, or `request`
    (it cannot be sent as it is); for uploads and readings, which change nothing that is
    seen, also those of `Unknown`. `retry` says whether the same call may work later.
    """

    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. `reason`: `timeout`, `cut`, `server-error`, `redirect`, `unclear`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """LinkedIn refused it for what it is; `permanent` is false where one retry is fair.

    `code` is LinkedIn's, or None when the answer holds none. A 422 without a code could
    have been a duplicate that nobody could read.
    """

    code: str | None
    status: int
    permanent: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many calls by this member or by the whole application; nothing before `until`."""

    scope: Literal["member", "application"]
    until: datetime


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The member has to connect again.

    Just after a consent, `revoked` may be LinkedIn's own delay of some seconds (section 3).
    """

    kind: Literal["revoked", "expired", "invalid"]


@dataclass(frozen=True, slots=True)
class NoPermission:
    """A product or a scope is missing; the message names the resource and the method."""

    message: str


@dataclass(frozen=True, slots=True)
class VersionRefused:
    """LinkedIn no longer speaks the version we ask for: an administrator's task."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class MediaNotReady:
    """An uploaded picture is still being looked at: the same post may pass in some seconds."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The post is gone; `was_gone` when it already was (404 or 410)."""

    was_gone: bool


Refusal: TypeAlias = (
    Refused | Throttled | TokenRefused | NoPermission | VersionRefused | MediaNotReady
)
Failure: TypeAlias = NotSent | Unknown | Refusal
Outcome: TypeAlias = Published | Duplicate | Failure

POST_URN: Final = re.compile(r"urn:li:(?:share|ugcPost):[A-Za-z0-9_-]{1,100}")

# Statuses that say by themselves that nothing was done. 408 and 499 (and what gateways
# invent beyond) come from hosts that stopped waiting, which says nothing about the post.
_SAYS_NOT_DONE: Final = frozenset(
    {*range(400, 408), *range(409, 418), 421, 422, 425, 426, 428, 429, 431, 451}
)
_DUPLICATE: Final = re.compile(r"duplicate of (urn:li:[A-Za-z]+:[A-Za-z0-9_-]{1,100})")
_TOKEN_KINDS: Final[dict[Literal["revoked", "expired"], frozenset[str]]] = {
    "revoked": frozenset({"65601", "REVOKED_ACCESS_TOKEN"}),
    "expired": frozenset({"65602", "EXPIRED_ACCESS_TOKEN"}),
}
_MESSAGE_LIMIT: Final = 300
# Tokens are some hundred signs long; no word of a message is.
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_+/=-]{40,}")
_LONGEST_WAIT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Error:
    """The parts of an error body; each is optional in LinkedIn's answers."""

    status: int
    headers: httpx.Headers
    code: str | None
    inner_code: str | None
    number: Json
    message: str

    @classmethod
    def of(cls, answer: Answer) -> _Error:
        told = answer.object
        message = told.get("message")
        return cls(
            status=answer.status,
            headers=answer.headers,
            code=_text(told.get("code")),
            inner_code=_inner_code(told),
            number=told.get("serviceErrorCode"),
            message=message if isinstance(message, str) else "",
        )

    def has(self, *codes: str) -> bool:
        return self.code in codes or self.inner_code in codes

    @property
    def short(self) -> str:
        """The message for an administrator: one printable line, not endless, no echoed token."""
        line = " ".join("".join(c if c.isprintable() else " " for c in self.message).split())
        return _OPAQUE.sub("…", line)[:_MESSAGE_LIMIT]


def _inner_code(told: JsonObject) -> str | None:
    """The code of the newer gateway's first input error."""
    errors = as_objects(as_object(told.get("errorDetails")).get("inputErrors"))
    return _text(errors[0].get("code")) if errors else None


def _text(value: Json) -> str | None:
    return value[:100] if isinstance(value, str) and value else None


def of_creation(answer: Answer) -> Published | Duplicate | Unknown | Refusal:
    """What a whole request to create a post came to."""
    urn = _named(answer.headers)
    if answer.status == 201 or (200 <= answer.status < 300 and urn):
        return Published(urn)
    duplicate = duplicate_of(answer)
    return duplicate or of_failure(answer)


def _named(headers: httpx.Headers) -> str | None:
    """The new post, from the only place that names it; as given, but for percent signs."""
    urn = unquote(headers.get("x-restli-id", "")).strip()
    return urn if POST_URN.fullmatch(urn) else None


def duplicate_of(answer: Answer) -> Duplicate | None:
    """The post that says the same, if that is what LinkedIn answered."""
    if answer.status not in {400, 409, 422}:
        return None
    error = _Error.of(answer)
    found = _DUPLICATE.search(error.message)
    if not found and not error.has("DUPLICATE_POST"):
        return None
    urn = found[1] if found else ""
    return Duplicate(urn if POST_URN.fullmatch(urn) else None)


def of_failure(answer: Answer) -> Unknown | Refusal:
    """What an answer that is not the one hoped for says, for any call."""
    if answer.status not in _SAYS_NOT_DONE:
        return Unknown(_unclear(answer.status))
    error = _Error.of(answer)
    if error.has("MEDIA_ASSET_WAITING_UPLOAD"):
        return MediaNotReady()
    if error.has("NONEXISTENT_VERSION", "VERSION_MISSING"):
        return VersionRefused(error.short)
    read = _BY_STATUS.get(answer.status, _refused)
    return read(error)


def of_reading(answer: Answer) -> NotSent | Refusal:
    """The same for a call that posts nothing, whatever became of it."""
    found = of_failure(answer)
    return NotSent(found.reason, retry=True) if isinstance(found, Unknown) else found


def _unclear(status: int) -> str:
    """A redirect is unclear too: 302 and 303 often follow a request that was carried out."""
    if status >= 500:
        return "server-error"
    if 300 <= status < 400:
        return "redirect"
    return "timeout" if status in {408, 499} else "unclear"


def _refused(error: _Error) -> Refusal:
    """409 is a write conflict and 425 "too early": those alone may be tried once more."""
    code = error.code or error.inner_code
    return Refused(code, error.status, error.status not in {409, 425}, error.short)


def _token(error: _Error) -> Refusal:
    """By number or code, else by the words of the message."""
    told = {str(error.number), str(error.code)}
    for kind, names in _TOKEN_KINDS.items():
        if told & names:
            return TokenRefused(kind)
    for kind in _TOKEN_KINDS:
        if kind in error.message.lower():
            return TokenRefused(kind)
    return TokenRefused("invalid")


def _throttled(error: _Error) -> Refusal:
    """Some messages do not say whose limit it is. Then it is taken for this member's.

    If it was everybody's, the next member's call learns it at the cost of one call; the
    other way round, one person's limit would stop all the others until midnight.
    """
    scope: Literal["member", "application"]
    scope = "application" if "APPLICATION" in error.message.upper() else "member"
    return Throttled(scope, _until(error.headers))


def _until(headers: httpx.Headers) -> datetime:
    """When calls are allowed again: as LinkedIn says, else at the next 00:00 UTC."""
    now = clock.now()
    wait = _retry_after(headers)
    if wait is None or wait > _LONGEST_WAIT:
        return datetime.combine(now.date() + timedelta(days=1), time(0), UTC)
    return now + wait


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """`Retry-After` in seconds or as a date; a date is read against the answer's own."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value)) if len(value) < 10 else None
    then = _http_date(value)
    if then is None:
        return None
    wait = then - (_http_date(headers.get("date", "")) or clock.now())
    return max(wait, timedelta(0))


def _http_date(value: str) -> datetime | None:
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


_BY_STATUS: Final[dict[int, Callable[[_Error], Refusal]]] = {
    401: _token,
    403: lambda error: NoPermission(error.short),
    426: lambda error: VersionRefused(error.short),
    429: _throttled,
}
