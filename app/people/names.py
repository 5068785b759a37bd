"""How a person is shown: one place, for rows, pages and mails alike."""

from __future__ import annotations

import uuid

AVATARS = 5
ERASED = "—"
"""Stands where the name of a person was who is erased."""


def given_name(name: str) -> str:
    """The first word of a name, for a greeting."""
    return name.split(" ", 1)[0]


def short_name(name: str) -> str:
    """First name and initial, the form shown to the public (rule P6)."""
    given, _, family = name.partition(" ")
    return f"{given} {family[0]}." if family else given


def initials(name: str) -> str:
    """One or two letters for the drawn disc."""
    parts = name.split()
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper() if parts else "?"


def avatar(person_id: uuid.UUID) -> int:
    """Which of the five drawn discs is theirs, from 1."""
    return person_id.int % AVATARS + 1
