"""What sharing refuses, in words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, NotFound, Sentence


class UnknownShare(NotFound):
    """No such share, or somebody else's."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such post."))


class GrantNeeded(DomainError):
    """The member has not connected the network."""

    code = "grant-needed"

    def __init__(self) -> None:
        super().__init__(_l("Connect your LinkedIn profile first. Nothing is published by that."))


class ProfileTaken(DomainError):
    """Another member is connected to this very profile."""

    code = "profile-taken"

    def __init__(self) -> None:
        super().__init__(
            _l("Another person here is connected to this LinkedIn profile. Nothing was stored.")
        )


class LastDisclosure(DomainError):
    """Everybody must find a way to say where they speak from (rule L1)."""

    code = "last-disclosure"

    def __init__(self) -> None:
        super().__init__(
            _l("This is the last wording for these people in this language. Add another first.")
        )


class GrantExpires(DomainError):
    """The connection ends before the chosen moment, or has ended."""

    code = "grant-expires"

    def __init__(self) -> None:
        super().__init__(
            _l("Your LinkedIn connection ends before that moment. Renew it, then press again.")
        )


class SharingStopped(DomainError):
    """The organisation has stopped all sharing, or that of this topic."""

    code = "sharing-stopped"

    def __init__(self, message: str = "") -> None:
        super().__init__(_l("Sharing is stopped for the moment. Your words are not lost."))
        self.message = message


class DailyCapReached(DomainError):
    """As many posts as the organisation allows in one day (rule N7)."""

    code = "daily-cap"

    def __init__(self, cap: int) -> None:
        super().__init__(
            _l("That is %(cap)d posts for that day, the most we send. Choose another day.", cap=cap)
        )


class DuplicateText(DomainError):
    """The same member posted this very text in the last two days."""

    code = "duplicate-text"

    def __init__(self) -> None:
        super().__init__(
            _l("You posted this very text a short time ago; LinkedIn refuses it twice. Change it.")
        )


class NotPossible(DomainError):
    """The state of the share does not allow it; `code` says which state stands in the way."""

    def __init__(self, code: str, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.code = code


def cannot_withdraw() -> NotPossible:
    """We have no name for the post."""
    return NotPossible(
        "cannot-withdraw",
        _l("LinkedIn did not tell us the name of this post: please remove it there yourself."),
    )


def still_unknown() -> NotPossible:
    """First it must be known whether there is a post."""
    return NotPossible(
        "still-unknown", _l("We do not know whether this post is online. Say so first.")
    )


def nothing_to_do() -> NotPossible:
    """The share is in a state where this means nothing."""
    return NotPossible("wrong-state", _l("This post is not in a state that allows this."))


def too_late() -> NotPossible:
    """The network remembers a text for about a day."""
    return NotPossible(
        "too-late", _l("After a day LinkedIn can no longer tell us. Look there, then say it here.")
    )
