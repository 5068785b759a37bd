"""A stored token belongs to one grant of one person, and opens nowhere else.

The column encrypts; what is encrypted begins with the grant's and the owner's ids. Two
encrypted tokens that were swapped in the database are authentic and still refused.
"""

from __future__ import annotations

import uuid

from app.errors import DomainError
from app.sharing.models import Grant
from app.sharing.words import MISPLACED


class TokenMisplaced(DomainError):
    """This encrypted token was made for another grant."""

    code = "token-misplaced"

    def __init__(self) -> None:
        super().__init__(MISPLACED)


def _mark(grant_id: uuid.UUID, person_id: uuid.UUID) -> str:
    return f"{grant_id.hex}{person_id.hex}:"


def seal(grant_id: uuid.UUID, person_id: uuid.UUID, token: str) -> str:
    """What is stored (and encrypted by its column) for a token."""
    return _mark(grant_id, person_id) + token


def _opened(sealed: str, grant: Grant) -> str:
    mark = _mark(grant.id, grant.person_id)
    if not sealed.startswith(mark):
        raise TokenMisplaced
    return sealed.removeprefix(mark)


def access_token(grant: Grant) -> str:
    """The grant's own access token. Raises `TokenMisplaced`, `crypto.CannotDecrypt`."""
    return _opened(grant.access_token, grant)


def refresh_token(grant: Grant) -> str | None:
    """The grant's own refresh token, where the network gave one. Raises as `access_token`."""
    return None if grant.refresh_token is None else _opened(grant.refresh_token, grant)
