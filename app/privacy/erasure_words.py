"""What an erasure takes and what it leaves, told from the declarations themselves."""

from __future__ import annotations

from app import personal_data
from app.personal_data import PERSON


def what_goes(kind: str = PERSON) -> list[str]:
    """Titles of what is deleted or emptied."""
    return [str(h.title) for h in personal_data.holdings(kind) if kind in h.erasures]


def what_stays(kind: str = PERSON) -> list[str]:
    """What stays, and why: one sentence each."""
    told = (str(h.stays) for h in personal_data.holdings(kind) if h.stays)
    return list(dict.fromkeys(told))
