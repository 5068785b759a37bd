"""Errors of the domain: what happened, with a status, a stable code and a sentence.

Services raise them, `app.web` shows them in one place: a page for a person, problem+json
for a program. A lazy translation is passed as the sentence, so it is put into words only
when the reader's language is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Sentence(Protocol):
    """Anything that becomes words when asked: a `str` or a lazy translation."""

    def __str__(self) -> str: ...


class DomainError(Exception):
    """Something the rules of the product refuse. `code` is stable and public."""

    status = 409
    code = "conflict"

    def __init__(self, sentence: Sentence, **details: str | int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details


class InvalidInput(DomainError):
    """Some fields cannot be taken as they are; `errors` says why, field by field."""

    status = 422
    code = "invalid-input"

    def __init__(self, sentence: Sentence, errors: Mapping[str, Sentence] | None = None) -> None:
        super().__init__(sentence)
        self.errors: dict[str, list[Sentence]] = {k: [v] for k, v in (errors or {}).items()}


class NotFound(DomainError):
    """No such thing, or not for this reader: the two are never told apart."""

    status = 404
    code = "not-found"


class Gone(DomainError):
    """It existed and was withdrawn."""

    status = 410
    code = "gone"


class Forbidden(DomainError):
    """Known reader, but this is not theirs to do."""

    status = 403
    code = "forbidden"


class Unauthorized(DomainError):
    """Nobody we know is asking. `door` is the page where a person shows who they are."""

    status = 401
    code = "unauthorized"
    door = "/sign-in"


class NotProven(Unauthorized):
    """Known reader, who has not shown enough for this yet."""

    code = "not-proven"
    door = "/me/second-factor"


class TooLarge(DomainError):
    """More bytes than we take."""

    status = 413
    code = "too-large"


class Unavailable(DomainError):
    """A part we need is away for a moment; nothing was changed."""

    status = 503
    code = "unavailable"
