"""The documented errors by name, for the routes and for the fault switches (section 8)."""

from __future__ import annotations

import time
from collections.abc import Callable

from standin.linkedin.wire import Answer, Json, problem

CODES_400 = frozenset(
    {
        "MISSING_FIELD", "INVALID_VALUE_FOR_FIELD", "INVALID_URN_TYPE", "INVALID_URN_ID",
        "INVALID_VALUE_BLANK_FIELD", "FIELD_LENGTH_TOO_LONG", "VERSION_MISSING",
        "MEDIA_ASSET_WAITING_UPLOAD", "MEDIA_ASSET_PROCESSING_FAILED",
    }
)  # fmt: skip

_HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>%s</h1></body></html>"


def invalid_token() -> Answer:
    """A token nobody issued."""
    return problem(401, "Invalid access token", None, 65600)


def revoked_token() -> Answer:
    """A token taken back, and a fresh one that is not known everywhere yet (section 3)."""
    message = "The token used in the request has been revoked by the user"
    return problem(401, message, "REVOKED_ACCESS_TOKEN", 65601)


def expired_token() -> Answer:
    """A token past its sixty days."""
    message = "The token used in the request has expired"
    return problem(401, message, "EXPIRED_ACCESS_TOKEN", 65602)


def empty_token(older: bool = False) -> Answer:
    """No token at all; `older` gives the message of older samples."""
    if older:
        return problem(401, "Empty oauth2_access_token", None, 401)
    return problem(401, "Empty oauth2 access token", "EMPTY_ACCESS_TOKEN")


def no_such_version(version: str) -> Answer:
    """426: the message appends 01 to what was sent (section 4)."""
    return problem(426, f"Requested version {version}01 is not active", "NONEXISTENT_VERSION")


def throttled(limit: str | None = None, retry_after: float | None = None) -> Answer:
    """429 until midnight UTC; `limit` is APPLICATION, MEMBER or nothing (the short form)."""
    whose = f"{limit} DAY limit" if limit else "limit"
    message = f"Resource level throttle {whose} for calls to this resource is reached."
    answer = problem(429, message, "TOO_MANY_REQUESTS", 101)
    if retry_after is not None:
        answer.headers["Retry-After"] = f"{retry_after:g}"
    return answer


def duplicate(urn: str) -> Answer:
    """422 that names the post which says the same (section 8, "Duplicate")."""
    what = "com.linkedin.content.common.exception.BadRequestResponseException"
    found: Json = {
        "description": "Duplicate post is detected",
        "input": {},
        "code": "DUPLICATE_POST",
    }
    return problem(
        422,
        f"{what}: Content is a duplicate of {urn}",
        errorDetailType="com.linkedin.common.error.BadRequest",
        errorDetails={"inputErrors": [found]},
    )


def not_found(message: str = "Resource not found") -> Answer:
    """404."""
    return problem(404, message, "NOT_FOUND")


def page(status: int, words: str) -> Answer:
    """An error in HTML, as gateways send it ("Not always JSON")."""
    return Answer(status, _HTML % words.encode(), {"Content-Type": "text/html"})


_BY_NAME: dict[str, Callable[[], Answer]] = {
    "401-invalid": invalid_token,
    "401-revoked": revoked_token,
    "401-expired": expired_token,
    "401-empty": empty_token,
    "403": lambda: problem(
        403, "Not enough permissions to access: posts.CREATE.20260901", "ACCESS_DENIED", 100
    ),
    "404": not_found,
    "409": lambda: problem(409, "Write conflict", "CONFLICT"),
    "422": lambda: problem(422, "Unprocessable entity", "UNPROCESSABLE_ENTITY"),
    "426": lambda: no_such_version("202401"),
    "500": lambda: problem(500, "Internal Server Error"),
    "500-html": lambda: page(500, "Internal Server Error"),
    "502": lambda: page(502, "Bad Gateway"),
    "503": lambda: problem(503, "Service Unavailable"),
    "504": lambda: page(504, "Gateway Timeout"),
}


def is_known(name: str) -> bool:
    """Whether `name` can be asked of `named`."""
    kind, _, code = name.partition("-")
    return (
        name in _BY_NAME
        or name in ("429", "422-duplicate")
        or (kind == "400" and code in CODES_400)
    )


def named(
    name: str,
    limit: str | None = None,
    retry_after: float | None = None,
    urn: str | None = None,
) -> Answer:
    """The answer for a name such as `401-revoked` or `400-MISSING_FIELD`."""
    if name == "429":
        return throttled(limit, retry_after)
    if name == "422-duplicate":
        return duplicate(urn or f"urn:li:share:{time.monotonic_ns()}")
    if name.startswith("400-"):
        return problem(400, "The request was refused", name.removeprefix("400-"))
    answer = _BY_NAME[name]()
    if retry_after is not None:
        answer.headers["Retry-After"] = f"{retry_after:g}"
    return answer
