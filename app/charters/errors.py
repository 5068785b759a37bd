"""What can go wrong around the charter, named for what happened."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, NotFound


class CharterNotAccepted(DomainError):
    """Sharing waits until the person has agreed to the charter in force."""

    code = "charter-not-accepted"

    def __init__(self) -> None:
        super().__init__(_l("Before a first share, read the charter in force and agree to it."))


class CharterNotCurrent(DomainError):
    """The text that was read is not, or no longer, the one in force."""

    code = "charter-not-current"

    def __init__(self) -> None:
        super().__init__(
            _l("This is not the charter in force. Nothing was recorded: read the present text.")
        )


class CharterUnchanged(DomainError):
    """A version that says the same would ask everybody again for nothing."""

    code = "charter-unchanged"

    def __init__(self) -> None:
        super().__init__(_l("This draft says exactly what the version in force says."))


class DraftChanged(DomainError):
    """The draft is not the text that its publisher looked at."""

    code = "draft-changed"

    def __init__(self) -> None:
        super().__init__(_l("Somebody changed the draft meanwhile. Nothing was published."))


class AlreadyPublished(DomainError):
    """Published versions stay as they are."""

    code = "charter-published"

    def __init__(self) -> None:
        super().__init__(_l("This version is published: it never changes. Start a new draft."))


class NoSuchCharter(NotFound):
    """No version of that number or identifier."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such version of the charter."))
