"""What tests and the demo may turn on a stand-in. Defaults are the documented behaviour."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from standin.linkedin.wire import Json

OLDER_ISSUER = "https://www.linkedin.com"
NEWER_ISSUER = "https://www.linkedin.com/oauth"
CONSENTS = ("ask", "allow", "cancel_login", "cancel_authorize", "unauthorized_scope")


@dataclass(slots=True)
class Knobs:
    """Each field is one switch; sections are those of the reference."""

    # Section 2.2: what the member does at the consent page; `allow` answers for `member`.
    consent: str = "ask"
    member: str | None = None
    # Sections 2.3 to 2.5.
    partner: bool = False  # refresh tokens are given and taken
    token_seconds: int = 5_184_000
    code_seconds: int = 1_800
    older_errors: bool = False  # the error names and shapes of older samples
    # Section 3.
    issuer: str = NEWER_ISSUER
    fresh_refusals: int = 0  # first calls of userinfo with each token that answer 401 65601
    email: str = "given"  # or "missing"
    email_verified: str = "boolean"  # or "text", in the id_token alone
    locale: str = "object"  # or "text"
    # Section 4 and 8; limits of None are those of the application.
    member_day_limit: int | None = None
    app_day_limit: int | None = None
    also_versions: list[str] = field(default_factory=list)
    # Section 5.
    read_posts: bool = False
    duplicate_hours: float = 48.0
    second_delete: int = 204  # answer to deleting a post that is deleted already, or 404
    # Section 6.
    upload_url_seconds: float = 3_600.0
    processing_seconds: float = 0.0  # from a finished upload until the media can be used
    processing_fails: bool = False
    read_documents: bool = True
    # Section 7: younger posts have no figures yet ("empty elements").
    analytics_delay_seconds: float = 3_600.0
    # Tokens that were never issued here (the demo).
    accept_any_token: bool = False
    any_token_scope: str = (
        "openid profile email w_member_social r_basicprofile r_member_postAnalytics"
    )

    def turn(self, changes: Json) -> None:
        """Sets the named knobs. Raises ValueError for an unknown name or a wrong type."""
        for name, value in changes.items():
            if name not in _TYPES:
                raise ValueError(f"there is no knob called {name}")
            if not isinstance(value, _TYPES[name]) or isinstance(value, bool) != (
                _TYPES[name] is bool
            ):
                raise ValueError(f"{name} does not take {value!r}")
        if changes.get("consent", "ask") not in CONSENTS:
            raise ValueError(f"consent is one of {', '.join(CONSENTS)}")
        for name, value in changes.items():
            setattr(self, name, value)

    def as_json(self) -> Json:
        """Every knob and how it stands."""
        return dataclasses.asdict(self)


_NUMBER = (int, float)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "consent": str,
    "member": (str, type(None)),
    "partner": bool,
    "token_seconds": int,
    "code_seconds": int,
    "older_errors": bool,
    "issuer": str,
    "fresh_refusals": int,
    "email": str,
    "email_verified": str,
    "locale": str,
    "member_day_limit": (int, type(None)),
    "app_day_limit": (int, type(None)),
    "also_versions": list,
    "read_posts": bool,
    "duplicate_hours": _NUMBER,
    "second_delete": int,
    "upload_url_seconds": _NUMBER,
    "processing_seconds": _NUMBER,
    "processing_fails": bool,
    "read_documents": bool,
    "analytics_delay_seconds": _NUMBER,
    "accept_any_token": bool,
    "any_token_scope": str,
}
