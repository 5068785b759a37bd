"""The declared words of the ledger: kinds of account, phases of a transfer, codes, reasons.

A code says why points move and between which kinds of account; a phase (the `kind` of a
transfer) says how far the move has come. Together they decide, and nothing else does, what
happens to the balances (`effect`). A code that is not declared here cannot be written, and
`verify` rebuilds every balance from this table.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

# Kinds of account. A member's account and what that member still owes are chained; the
# others are the programme's own side, which `verify` sums when asked.
MEMBER, RECOVERABLE = "member", "recoverable"
ISSUER, REDEEMED, WAIVED = "issuer", "redeemed", "waived"
CHAINED = (MEMBER, RECOVERABLE)
SYSTEM = (ISSUER, REDEEMED, WAIVED)

# Phases of a transfer.
POSTED, PENDING, POST, VOID, REVERSAL = "posted", "pending", "post", "void", "reversal"

MAX_AMOUNT = 10**9

#: Fixed words for a void or a reversal. "expired" shows in the state of the line.
CANCELLED, EXPIRED = "cancelled", "expired"
REASONS = frozenset(
    {
        CANCELLED,  # the person or the programme withdrew it before it counted
        EXPIRED,  # its time ran out
        "departure",  # the person left and the rules say so
        "duplicate",  # the same fact had been counted before
        "mistake",  # a human error
        "not-confirmed",  # a held fact was looked at and does not count
        "out-of-stock",  # what was ordered can no longer be had
        "undone",  # the fact behind it was undone: a hire that fell through
    }
)


@dataclass(frozen=True, slots=True)
class Code:
    """Points go from an account of kind `source` to one of kind `target`.

    `phases`: how such a transfer may begin. `counts`: status points rise with it.
    `repays`: what the member still owes is taken out of it first. `by_person`: only a
    named human may do it. `internal`: only the ledger itself writes it.
    """

    source: str
    target: str
    phases: tuple[str, ...] = (POSTED,)
    counts: bool = False
    repays: bool = False
    by_person: bool = False
    internal: bool = False

    @property
    def credits(self) -> bool:
        """True when the member receives."""
        return self.target == MEMBER

    @property
    def system_side(self) -> str:
        """The kind of system account at one end."""
        return self.source if self.source in SYSTEM else self.target


AWARD, ADJUSTMENT, DEDUCTION = "award", "adjustment", "deduction"
REDEMPTION, EXPIRY, RECOVERY, WAIVER = "redemption", "expiry", "recovery", "waiver"
DONATION = "donation"

CODES: dict[str, Code] = {
    AWARD: Code(ISSUER, MEMBER, (POSTED, PENDING), counts=True, repays=True),
    ADJUSTMENT: Code(ISSUER, MEMBER, by_person=True),
    DEDUCTION: Code(MEMBER, ISSUER, by_person=True),
    REDEMPTION: Code(MEMBER, REDEEMED, (POSTED, PENDING)),
    EXPIRY: Code(MEMBER, ISSUER),
    DONATION: Code(MEMBER, REDEEMED),
    RECOVERY: Code(MEMBER, RECOVERABLE, internal=True),
    WAIVER: Code(WAIVED, RECOVERABLE, by_person=True),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who moved the points: `rule`, `person` or `system`, and an opaque identifier."""

    code: str
    id: str | None = None


BY_RULE, BY_SYSTEM = Actor("rule"), Actor("system")


def by_person(person_id: uuid.UUID | str) -> Actor:
    """The named human who decided; the name itself lives elsewhere and can be erased."""
    return Actor("person", str(person_id))


@dataclass(frozen=True, slots=True)
class Effect:
    """What a transfer does on the member's own account, as multiples of its amount: the
    member's entry, and the changes of available, pending, reserved and status points. The
    first three changes always add up to the entry."""

    own: int
    available: int = 0
    pending: int = 0
    reserved: int = 0
    status: int = 0


def _effects(rule: Code) -> dict[str, Effect]:
    """The effect of each phase of a transfer with this rule."""
    status = 1 if rule.counts else 0
    if rule.source == WAIVED:
        return {POSTED: Effect(0), REVERSAL: Effect(0)}
    if rule.credits:
        return {
            POSTED: Effect(1, available=1, status=status),
            PENDING: Effect(1, pending=1),
            POST: Effect(0, available=1, pending=-1, status=status),
            VOID: Effect(-1, pending=-1),
            REVERSAL: Effect(-1, available=-1, status=-status),
        }
    return {
        POSTED: Effect(-1, available=-1),
        PENDING: Effect(0, available=-1, reserved=1),
        POST: Effect(-1, reserved=-1),
        VOID: Effect(0, available=1, reserved=-1),
        REVERSAL: Effect(1, available=1),
    }


#: The effect of every code in every phase.
EFFECTS = {
    (code, phase): effect
    for code, rule in CODES.items()
    for phase, effect in _effects(rule).items()
}
