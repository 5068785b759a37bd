"""What SCIM refuses: a status, one of its keywords, a sentence for whoever reads the log.

These answers are read by the directory's administrators, in the provider's own English
console; they are part of the protocol and are not translated.
"""

from __future__ import annotations

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


class Refused(Exception):
    """The call cannot be done. `scim_type` is a keyword of RFC 7644 section 3.12, or None."""

    def __init__(self, status: int, scim_type: str | None, detail: str) -> None:
        super().__init__(detail)
        self.status, self.scim_type, self.detail = status, scim_type, detail

    @property
    def kind(self) -> str:
        """A short code for the counts: `409 uniqueness`."""
        return f"{self.status} {self.scim_type}" if self.scim_type else str(self.status)


def invalid(detail: str) -> Refused:
    return Refused(400, "invalidValue", detail)


def taken(detail: str) -> Refused:
    return Refused(409, "uniqueness", detail)


def unknown() -> Refused:
    """Not there, or another connection's: the two are never told apart."""
    return Refused(404, None, "There is no such resource on this connection.")


def document(status: int, scim_type: str | None, detail: str) -> dict[str, object]:
    """The body of an error. The status is text, as RFC 7644 wants it."""
    body: dict[str, object] = {"schemas": [ERROR], "status": str(status), "detail": detail}
    if scim_type:
        body["scimType"] = scim_type
    return body
