"""Points: accounts, transfers, entries, and the proof that nothing was changed.

The ledger only moves points and knows nobody: who a member is, what a hire is worth and
what a reward costs is known above. What is read stands in `queries`, what is declared in
`codes`, the proof in `chain` and `verify`.
"""

from app.ledger.books import system_account
from app.ledger.chain import Transfer
from app.ledger.codes import BY_RULE, BY_SYSTEM, Actor, by_person
from app.ledger.errors import (
    AboveDebt,
    AccountNotFound,
    AlreadyReversed,
    AlreadySettled,
    DayNotOver,
    InsufficientPoints,
    InvalidAmount,
    NotReversible,
    ReferenceReused,
    TransferNotFound,
)
from app.ledger.queries import (
    Balance,
    Due,
    Line,
    available_at,
    balance,
    balances,
    due,
    entries,
    find,
    moved_since,
    status_at,
    waiting,
)
from app.ledger.seals import Seal, seal_day
from app.ledger.service import (
    Award,
    Bulk,
    Details,
    annotate,
    announce,
    award_many,
    erase_notes,
    hold,
    open_account,
    post,
    reserve,
    reverse,
    transfer,
    void,
)
from app.ledger.verify import Difference, Verification, verify

__all__ = [
    "BY_RULE",
    "BY_SYSTEM",
    "AboveDebt",
    "AccountNotFound",
    "Actor",
    "AlreadyReversed",
    "AlreadySettled",
    "Award",
    "Balance",
    "Bulk",
    "DayNotOver",
    "Details",
    "Difference",
    "Due",
    "InsufficientPoints",
    "InvalidAmount",
    "Line",
    "NotReversible",
    "ReferenceReused",
    "Seal",
    "Transfer",
    "TransferNotFound",
    "Verification",
    "annotate",
    "announce",
    "available_at",
    "award_many",
    "balance",
    "balances",
    "by_person",
    "due",
    "entries",
    "erase_notes",
    "find",
    "hold",
    "moved_since",
    "open_account",
    "post",
    "reserve",
    "reverse",
    "seal_day",
    "status_at",
    "system_account",
    "transfer",
    "verify",
    "void",
    "waiting",
]  # fmt: skip
