"""What the ledger refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, InvalidInput, NotFound


class InsufficientPoints(DomainError):
    """A debit above what is available. Details: `available` and `amount`, in points."""

    code = "insufficient-points"

    def __init__(self, available: int, amount: int) -> None:
        super().__init__(
            _l("There are not enough points available."), available=available, amount=amount
        )


class AboveDebt(DomainError):
    """A waiver above what is still owed. Details: `owed` and `amount`, in points."""

    code = "above-debt"

    def __init__(self, owed: int, amount: int) -> None:
        super().__init__(_l("Less than that is still owed."), owed=owed, amount=amount)


class ReferenceReused(DomainError):
    """The reference already names a transfer with another content."""

    code = "reference-reused"

    def __init__(self, reference: str) -> None:
        super().__init__(
            _l("This reference was already used for something else."), reference=reference
        )


class AlreadySettled(DomainError):
    """The pending transfer was posted or voided before, by another reference."""

    code = "already-settled"

    def __init__(self) -> None:
        super().__init__(_l("These points are no longer waiting."))


class AlreadyReversed(DomainError):
    """The transfer was undone before, by another reference."""

    code = "already-reversed"

    def __init__(self) -> None:
        super().__init__(_l("This movement was already undone."))


class NotReversible(DomainError):
    """Only points that have moved can be taken back: a pending transfer is voided, and a
    reversal is answered by a new award."""

    code = "not-reversible"

    def __init__(self) -> None:
        super().__init__(_l("This movement cannot be undone."))


class InvalidAmount(InvalidInput):
    """Not a whole number of points between 1 and 1,000,000,000."""

    code = "invalid-amount"

    def __init__(self) -> None:
        sentence = _l("Give a whole number of points between 1 and 1,000,000,000.")
        super().__init__(sentence, {"amount": sentence})


class AccountNotFound(NotFound):
    """No member's account has this identifier."""

    def __init__(self) -> None:
        super().__init__(_l("This account does not exist."))


class TransferNotFound(NotFound):
    """No transfer of the expected kind has this identifier."""

    def __init__(self) -> None:
        super().__init__(_l("This movement of points does not exist."))


class DayNotOver(DomainError):
    """A day is sealed when it is over, not before."""

    code = "day-not-over"

    def __init__(self) -> None:
        super().__init__(_l("This day is not over yet."))
