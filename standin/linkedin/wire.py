"""What comes in, what goes out, and the refusals of section 8 of the reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request: it exists only once every byte of its body has arrived."""

    method: str
    target: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as sent, still percent-encoded (section 4, "URN encoding")."""
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query as sent, still percent-encoded."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> dict[str, str]:
        """The query decoded, the last value of each name."""
        return _last_values(self.raw_query)

    @property
    def media_type(self) -> str:
        """The content type without parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The fields of a form body; empty when the body is no form."""
        if self.media_type != FORM:
            return {}
        return _last_values(self.body.decode("utf-8", "replace"))

    def json(self) -> Json:
        """The body as a JSON object; 400 when it is none."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            refuse(400, "Cannot parse request entity: a JSON object is expected")
        return body

    def bearer(self) -> str:
        """The token of the Authorization header; empty when there is none."""
        kind, _, token = self.headers.get("authorization", "").strip().partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def cookie(self, name: str) -> str:
        """The value of a cookie; empty when it was not sent."""
        for pair in self.headers.get("cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return unquote(value)
        return ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body, not yet on the wire."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Ends a request with the answer it carries."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is JSON."""
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, content, kind | dict(headers or {}))


def problem(
    status: int,
    message: str,
    code: str | None = None,
    service_error_code: int | None = None,
    **more: object,
) -> Answer:
    """The error body of section 8; `code` and `serviceErrorCode` are each optional."""
    body: Json = {"status": status}
    if code is not None:
        body["code"] = code
    if service_error_code is not None:
        body["serviceErrorCode"] = service_error_code
    return as_json({**body, "message": message, **more}, status)


def refuse(
    status: int, message: str, code: str | None = None, service_error_code: int | None = None
) -> NoReturn:
    """Ends the request with the error body of section 8."""
    raise Refused(problem(status, message, code, service_error_code))


def refuse_input(code: str, field_path: str, description: str, status: int = 400) -> NoReturn:
    """Ends the request with a named input error (section 8, first rows)."""
    detail = {
        "description": description,
        "input": {"inputPath": {"fieldPath": field_path}},
        "code": code,
    }
    raise Refused(
        problem(
            status,
            f"{field_path}: {description}",
            code,
            errorDetailType="com.linkedin.common.error.BadRequest",
            errorDetails={"inputErrors": [detail]},
        )
    )


def denied(resource: str, method: str, version: str | None) -> NoReturn:
    """403 `ACCESS_DENIED`: the message names resource, method and version (section 8)."""
    when = f"{version}01" if version else "NO_VERSION"
    message = f"Not enough permissions to access: {resource}.{method}.{when}"
    refuse(403, message, "ACCESS_DENIED", 100)


def is_basic(request: Request) -> bool:
    """Whether credentials came by HTTP Basic, which LinkedIn refuses (section 0, item 2)."""
    return request.headers.get("authorization", "").strip().lower().startswith("basic")


def _last_values(encoded: str) -> dict[str, str]:
    values = parse_qs(encoded, keep_blank_values=True)
    return {name: found[-1] for name, found in values.items()}
