"""What the shelf of rewards refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.errors import DomainError, Forbidden, NotFound


class OutOfStock(DomainError):
    """The last one went to somebody else. Nothing was taken from the member's points."""

    code = "out-of-stock"

    def __init__(self) -> None:
        super().__init__(_l("There is none left of this reward. Your points have not moved."))


class NotForThisKind(Forbidden):
    """Rewards that go through payroll are for employees."""

    code = "not-for-this-kind"

    def __init__(self) -> None:
        super().__init__(_l("This reward goes through payroll: it is for people who work here."))


class RewardWithdrawn(DomainError):
    """It is no longer on the shelf; redemptions made before still stand."""

    code = "reward-withdrawn"

    def __init__(self) -> None:
        super().__init__(_l("This reward has been taken off the shelf."))


class RedemptionSettled(DomainError):
    """Delivered or cancelled already: the other of the two can no longer happen."""

    code = "already-settled"

    def __init__(self, status: str) -> None:
        delivered = _l("This reward has already been delivered.")
        cancelled = _l("This redemption has already been cancelled.")
        super().__init__(delivered if status == "fulfilled" else cancelled, status=status)


class MembersOnly(Forbidden):
    """Points belong to people who take part."""

    code = "not-a-member"

    def __init__(self) -> None:
        super().__init__(_l("Rewards are for people who have joined the programme."))


class NotTheDeliverer(Forbidden):
    """Only who delivers a reward, HR and administrators settle its redemptions."""

    def __init__(self) -> None:
        super().__init__(_l("Only the person who delivers this reward, or HR, can do this."))


class NoSuchReward(NotFound):
    """No reward of that identifier."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such reward."))


class NoSuchRedemption(NotFound):
    """No redemption of that identifier, or not for this reader."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such redemption."))
