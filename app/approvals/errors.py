"""What the two-person rule refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, NotFound


class NoSuchRequest(NotFound):
    """Nothing of that identifier, or nothing that this reader may know of."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such request."))


class NotTheSecond(Forbidden):
    """Whoever asked, or profits, or may not do such a thing is no second person."""

    code = "not-the-second-person"

    def __init__(self) -> None:
        super().__init__(
            _l("Somebody else decides: not whoever asked for it, and not whoever profits from it.")
        )


class Decided(DomainError):
    """It came to another end meanwhile. Details: `outcome`."""

    code = "already-decided"

    def __init__(self, outcome: str) -> None:
        super().__init__(_l("This was decided otherwise meanwhile."), outcome=outcome)


class AskerLost(DomainError):
    """Whoever asked may no longer do such a thing, so that nobody would be the first person."""

    code = "asker-lost-the-role"

    def __init__(self) -> None:
        super().__init__(
            _l("Whoever asked for this may no longer do it. Decline it, or ask for it yourself.")
        )
