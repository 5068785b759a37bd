"""What a person is told before joining, and the free choices they then have.

Each text carries a version, stored with the answer; a test notices words that changed
without it. Joining needs none of the choices (rules W8, K4): no box is ticked beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from app.errors import Sentence


@dataclass(frozen=True, slots=True)
class Purpose:
    """One use of a member's data that waits for their yes. `label` stands beside the box."""

    code: str
    version: str
    label: Sentence
    explanation: Sentence


NOTICE_VERSION = "2026-11"

NOTICE: tuple[Sentence, ...] = (
    _l("You choose what you pass on, and in which words. Nothing leaves in your name by itself."),
    _l("Taking part is free: not taking part, or leaving, has no effect on your work."),
    _l("There is no list of those who do not take part, nor of those who left."),
    _l("Recruiters see the applications that came through you. Your manager does not."),
    _l("You may leave at any time, in one press. What you have earned stays yours."),
    _l("You may see, correct, take with you or have erased what is kept about you."),
)

_ALL = (
    Purpose(
        "recognition",
        "2026-11",
        _l("Colleagues may see my first name and initial in results and in thanks."),
        _l("Without it, your part is counted without your name."),
    ),
    Purpose(
        "ideas",
        "2026-11",
        _l("Send me ideas of what to pass on, at most one mail a week."),
        _l("Without it, you only get mail about your own affairs."),
    ),
)

PURPOSES: dict[str, Purpose] = {purpose.code: purpose for purpose in _ALL}
TEXT_VERSION: dict[str, str] = {purpose.code: purpose.version for purpose in _ALL}
