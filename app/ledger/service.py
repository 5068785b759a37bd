"""Moving points: the verbs that the features above use.

Every verb takes a `reference` that names the fact it answers ("award-<referral>-hired").
The same reference with the same content finds the transfer of the first time and changes
nothing; with another content it is refused. Amounts are whole points, frozen when written.
All verbs join the caller's `transaction()`.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypedDict, Unpack, cast

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Connection, delete, select

from app import clock
from app.db import new_id, transaction
from app.errors import InvalidInput
from app.ledger.books import Book, account_row, system_account
from app.ledger.chain import Transfer
from app.ledger.codes import (
    BY_RULE,
    BY_SYSTEM,
    CODES,
    MAX_AMOUNT,
    MEMBER,
    PENDING,
    POST,
    POSTED,
    REASONS,
    RECOVERY,
    REDEMPTION,
    REVERSAL,
    SYSTEM,
    VOID,
    Actor,
    Code,
)
from app.ledger.errors import (
    AboveDebt,
    AlreadyReversed,
    AlreadySettled,
    InsufficientPoints,
    InvalidAmount,
    NotReversible,
    ReferenceReused,
    TransferNotFound,
)
from app.ledger.models import LedgerNote, LedgerTransfer
from app.ledger.statements import ACCOUNT_ONCE, BULK_PART, FIND, OPEN_ACCOUNTS, TRANSFER

MAX_WORDS = 500
_OPAQUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
#: What must be the same for a replay; who repeats it, and when, may differ.
_CONTENT = (
    "code", "kind", "account_id", "amount", "settles_id", "reverses_id", "reason", "due_at",
    "rule_version", "subject", "group_reference",
)  # fmt: skip


class Details(TypedDict, total=False):
    """What a transfer may say about itself.

    `effective_at`: when the fact took place (now when left out). `rule_version`, `subject`:
    opaque identifiers of up to 64 letters, digits and `._/-`, never a name or words. `actor`:
    the rules when left out.
    """

    effective_at: dt.datetime | None
    rule_version: str | None
    subject: str | None
    actor: Actor


class Award(NamedTuple):
    """One person's part in a bulk award."""

    account_id: uuid.UUID
    amount: int
    subject: str | None = None


class Bulk(NamedTuple):
    """A bulk award: how many awards and points; `replayed`: it was there before."""

    group: str
    awards: int
    points: int
    replayed: bool = False


def open_account() -> uuid.UUID:
    """A new member's account. Its identifier is random and tells nothing about the person."""
    now = clock.now()
    with transaction() as session:
        connection = session.connection()
        system = [account_row(kind, now, system_account(kind)) for kind in SYSTEM]
        connection.execute(ACCOUNT_ONCE[connection.dialect.name], system)
        row = account_row(MEMBER, now)
        connection.execute(OPEN_ACCOUNTS, row)
    return cast(uuid.UUID, row["id"])


def transfer(
    code: str, reference: str, account_id: uuid.UUID, amount: int, **details: Unpack[Details]
) -> Transfer:
    """Post `amount` points now, to the member or from the member as `code` says.

    An award first repays what the member owes, in a transfer of its own. Raises
    `InsufficientPoints`, `AboveDebt` (a waiver), `ReferenceReused`, `AccountNotFound`,
    `InvalidAmount`.
    """
    return _begin(POSTED, code, reference, account_id, amount, None, details)


def announce(
    code: str,
    reference: str,
    account_id: uuid.UUID,
    amount: int,
    due_at: dt.datetime,
    **details: Unpack[Details],
) -> Transfer:
    """Promise points that are earned only at `due_at` (`effective_at` says otherwise)."""
    _require_credit(code, True)
    if details.get("effective_at") is None:
        details["effective_at"] = due_at
    return _begin(PENDING, code, reference, account_id, amount, due_at, details)


def hold(
    code: str,
    reference: str,
    account_id: uuid.UUID,
    amount: int,
    due_at: dt.datetime | None,
    **details: Unpack[Details],
) -> Transfer:
    """Hold points that are earned but not yet to be spent. With `due_at` None only a human
    settles them."""
    _require_credit(code, True)
    return _begin(PENDING, code, reference, account_id, amount, due_at, details)


def reserve(
    reference: str,
    account_id: uuid.UUID,
    amount: int,
    code: str = REDEMPTION,
    **details: Unpack[Details],
) -> Transfer:
    """Take points out of what is available until `post` or `void` says what became of them.

    Raises `InsufficientPoints`.
    """
    _require_credit(code, False)
    return _begin(PENDING, code, reference, account_id, amount, None, details)


def post(pending_id: uuid.UUID, reference: str, **details: Unpack[Details]) -> Transfer:
    """Make a pending transfer final: points on hold become available, reserved ones are
    spent. Raises `AlreadySettled`, `TransferNotFound`."""
    return _settle(POST, pending_id, reference, None, details)


def void(
    pending_id: uuid.UUID, reference: str, reason: str, **details: Unpack[Details]
) -> Transfer:
    """Withdraw a pending transfer: points on hold go back to the issuer, reserved ones to the
    member. `reason` is one of `codes.REASONS`. Raises `AlreadySettled`, `TransferNotFound`."""
    return _settle(VOID, pending_id, reference, _reason(reason), details)


def reverse(
    transfer_id: uuid.UUID, reference: str, reason: str, **details: Unpack[Details]
) -> Transfer:
    """Undo a transfer that has moved points (or a pending one that was posted), whole.

    Takes what is available; what is missing becomes what the member owes, so a balance to
    spend is never negative. Status points fall with an award. Raises `NotReversible`,
    `AlreadyReversed`, `TransferNotFound`.
    """
    with transaction() as session:
        connection = session.connection()
        undone = _reversible(connection, transfer_id)
        book = Book(connection)
        book.hold(undone.account_id)
        wanted = _naming(book, REVERSAL, undone, reference, details)._replace(
            reverses_id=undone.id, reason=_reason(reason)
        )
        book.enter(wanted)
        return wanted if book.write() else _replayed(connection, wanted, details)


def award_many(
    group: str, awards: Sequence[Award], code: str = "award", **details: Unpack[Details]
) -> Bulk:
    """Post one award for each of `awards`, all or none. `group` is the reference of the whole:
    a second call with the same awards changes nothing, with others it is refused.

    Raises as `transfer` does; an unknown account refuses the whole.
    """
    rule = _declared(code, POSTED, details.get("actor", BY_RULE))
    _require_credit(code, True)
    for award in awards:
        _amount(award.amount)
        _opaque_or_none(award.subject)
    total = Bulk(_opaque(group, 100), len(awards), sum(award.amount for award in awards))
    # In the order of the accounts, so that two bulks of one group meet in its first part.
    ordered = sorted(awards, key=lambda a: (a.account_id.int, a.amount, a.subject or ""))
    if not ordered:
        return total
    with transaction() as session:
        connection = session.connection()
        part_size = BULK_PART[connection.dialect.name]
        book = Book(connection)
        book.hold_many([award.account_id for award in ordered])
        parts = _parts(book, total.group, code, ordered, details)
        for size, part in enumerate(parts, start=1):
            book.enter(part)
            if rule.repays:
                _repay(book, part)
            if (size % part_size == 0 or size == len(ordered)) and not book.write_part():
                _same_group(connection, part, ordered)
                return total._replace(replayed=True)
        book.write_group(total.group)
    return total


def annotate(transfer_id: uuid.UUID, words: str) -> None:
    """Keep a human's words beside a transfer; new words replace old ones. They can be erased,
    the transfer cannot. Raises `InvalidInput` above 500 characters, `TransferNotFound`."""
    if len(words) > MAX_WORDS:
        sentence = _l("At most %(most)d characters.", most=MAX_WORDS)
        raise InvalidInput(sentence, {"words": sentence})
    with transaction() as session:
        known = select(LedgerTransfer.id).where(LedgerTransfer.id == transfer_id)
        if session.execute(known).one_or_none() is None:
            raise TransferNotFound
        session.merge(LedgerNote(transfer_id=transfer_id, words=words))


def erase_notes(account_id: uuid.UUID) -> None:
    """Forget every human's words about a member's transfers."""
    mine = select(LedgerTransfer.id).where(LedgerTransfer.account_id == account_id)
    with transaction() as session:
        session.execute(delete(LedgerNote).where(LedgerNote.transfer_id.in_(mine)))


# What the verbs share.


def _begin(
    kind: str,
    code: str,
    reference: str,
    account_id: uuid.UUID,
    amount: int,
    due_at: dt.datetime | None,
    details: Details,
) -> Transfer:
    rule = _declared(code, kind, details.get("actor", BY_RULE))
    with transaction() as session:
        connection = session.connection()
        book = Book(connection)
        book.hold(account_id)
        wanted = _drafted(book, kind, code, reference, account_id, amount, details, due_at)
        try:
            book.enter(wanted)
        except (InsufficientPoints, AboveDebt):
            if _by_reference(connection, reference) is None:
                raise
            return _replayed(connection, wanted, details)
        if rule.repays and kind == POSTED:
            _repay(book, wanted)
        return wanted if book.write() else _replayed(connection, wanted, details)


def _settle(
    kind: str, pending_id: uuid.UUID, reference: str, reason: str | None, details: Details
) -> Transfer:
    with transaction() as session:
        connection = session.connection()
        pending = _find(connection, TRANSFER.c.id == pending_id)
        if pending is None or pending.kind != PENDING:
            raise TransferNotFound
        book = Book(connection)
        book.hold(pending.account_id)
        wanted = _naming(book, kind, pending, reference, details)._replace(
            settles_id=pending.id, reason=reason
        )
        book.enter(wanted)
        if kind == POST and CODES[pending.code].repays:
            _repay(book, wanted)
        return wanted if book.write() else _replayed(connection, wanted, details)


def _drafted(
    book: Book,
    kind: str,
    code: str,
    reference: str,
    account_id: uuid.UUID,
    amount: int,
    details: Details,
    due_at: dt.datetime | None = None,
) -> Transfer:
    """A transfer as it was asked for, at the next place of a held account."""
    now = clock.now()
    actor = details.get("actor", BY_RULE)
    return Transfer(
        id=new_id(),
        reference=_opaque(reference, 120),
        code=code,
        kind=kind,
        account_id=account_id,
        sequence=book.next_sequence(account_id),
        amount=_amount(amount),
        effective_at=_instant(details.get("effective_at")) or now,
        created_at=now,
        actor_code=actor.code,
        actor_id=_opaque_or_none(actor.id),
        due_at=_instant(due_at),
        rule_version=_opaque_or_none(details.get("rule_version")),
        subject=_opaque_or_none(details.get("subject")),
    )


def _naming(book: Book, kind: str, named: Transfer, reference: str, details: Details) -> Transfer:
    """A transfer that settles or undoes `named`: same code, amount and, if nothing else is
    said, same rule and subject."""
    drafted = _drafted(book, kind, named.code, reference, named.account_id, named.amount, details)
    return drafted._replace(
        rule_version=drafted.rule_version or named.rule_version,
        subject=drafted.subject or named.subject,
    )


def _repay(book: Book, credit: Transfer) -> None:
    """Net what the member owes against an award that has just been entered."""
    amount = min(book.owed(credit.account_id), credit.amount)
    if amount:
        book.enter(
            credit._replace(
                id=new_id(),
                reference=f"recovery-{credit.id.hex}",
                code=RECOVERY,
                kind=POSTED,
                sequence=book.next_sequence(credit.account_id),
                amount=amount,
                actor_code=BY_SYSTEM.code,
                actor_id=None,
                settles_id=None,
            )
        )


def _parts(
    book: Book, group: str, code: str, awards: Sequence[Award], details: Details
) -> Iterator[Transfer]:
    """The transfers of a bulk, one after the other as the book moves on."""
    now = clock.now()
    actor = details.get("actor", BY_RULE)
    actor_id = _opaque_or_none(actor.id)
    effective_at = _instant(details.get("effective_at")) or now
    rule_version = _opaque_or_none(details.get("rule_version"))
    for number, award in enumerate(awards, start=1):
        yield Transfer(
            new_id(),
            f"{group}/{number}",
            code,
            POSTED,
            award.account_id,
            book.next_sequence(award.account_id),
            award.amount,
            effective_at,
            now,
            actor.code,
            actor_id,
            rule_version=rule_version,
            subject=award.subject,
            group_reference=group,
        )


def _same_group(connection: Connection, part: Transfer, awards: Sequence[Award]) -> None:
    """Raises `ReferenceReused` unless the group that is written holds exactly these awards,
    under the code and the rule version of `part`."""
    group = part.group_reference
    columns = TRANSFER.c["code", "rule_version", "account_id", "amount", "subject", "reference"]
    written = connection.execute(
        select(*columns).where(TRANSFER.c.group_reference == group, TRANSFER.c.code != RECOVERY)
    )
    asked = {
        (part.code, part.rule_version, *award, f"{group}/{number}")
        for number, award in enumerate(awards, start=1)
    }
    if {tuple(row) for row in written} != asked:
        raise ReferenceReused(str(group))


def _replayed(connection: Connection, wanted: Transfer, details: Details) -> Transfer:
    """The transfer that stands under this reference already, if it says the same. An instant
    must be the same when the caller gave one."""
    found = _by_reference(connection, wanted.reference)
    if found is None:
        raise _taken(wanted)
    dated = details.get("effective_at") is not None
    if _content(found) != _content(wanted) or (dated and found.effective_at != wanted.effective_at):
        raise ReferenceReused(wanted.reference)
    return found._replace(replayed=True)


def _taken(wanted: Transfer) -> Exception:
    """Why a transfer with a new reference found no place."""
    if wanted.settles_id is not None:
        return AlreadySettled()
    if wanted.reverses_id is not None:
        return AlreadyReversed()
    return RuntimeError(f"account {wanted.account_id} is not whole: see `portevoix ledger verify`")


def _content(transfer: Transfer) -> tuple[object, ...]:
    return tuple(getattr(transfer, name) for name in _CONTENT)


def _find(connection: Connection, condition: ColumnElement[bool]) -> Transfer | None:
    row = connection.execute(FIND.where(condition)).one_or_none()
    return Transfer(*row) if row else None


def _by_reference(connection: Connection, reference: str) -> Transfer | None:
    return _find(connection, TRANSFER.c.reference == reference)


def _reversible(connection: Connection, transfer_id: uuid.UUID) -> Transfer:
    """The fact to undo. A post stands for the pending transfer that it made final."""
    found = _find(connection, TRANSFER.c.id == transfer_id)
    if found is None:
        raise TransferNotFound
    if found.kind == POST and found.settles_id:
        return _reversible(connection, found.settles_id)
    if found.kind == PENDING:
        settled = _find(connection, TRANSFER.c.settles_id == found.id)
        if settled is not None and settled.kind == POST:
            return found
    elif found.kind == POSTED:
        return found
    raise NotReversible


def _declared(code: str, kind: str, actor: Actor) -> Code:
    """The code's rule. A caller who breaks it is wrong, so this raises `ValueError`."""
    rule = CODES.get(code)
    if rule is None or rule.internal or kind not in rule.phases:
        raise ValueError(f"the code {code} cannot begin as {kind}")
    if rule.by_person and (actor.code != "person" or not actor.id):
        raise ValueError(f"only a named human may write {code}")
    return rule


def _require_credit(code: str, wanted: bool) -> None:
    if code in CODES and CODES[code].credits != wanted:
        raise ValueError(f"{code} {'does not give' if wanted else 'gives'} points")


def _amount(amount: int) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 < amount <= MAX_AMOUNT:
        raise InvalidAmount
    return amount


def _reason(reason: str) -> str:
    if reason not in REASONS:
        raise ValueError(f"{reason} is not a declared reason")
    return reason


def _instant(at: dt.datetime | None) -> dt.datetime | None:
    """In UTC. Refuses a time without its zone."""
    if at is not None and at.tzinfo is None:
        raise ValueError("a time without its zone cannot be stored")
    return at.astimezone(dt.UTC) if at else None


def _opaque(text: str, longest: int) -> str:
    """Refuses what could be a name, an address or words (rule E1)."""
    if len(text) > longest or not _OPAQUE.fullmatch(text):
        raise ValueError(f"not an identifier of at most {longest} characters: {text!r}")
    return text


def _opaque_or_none(text: str | None) -> str | None:
    return None if text is None else _opaque(text, 64)
