"""Points: whose account is whose, and nothing more. The ledger itself knows nobody."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app import ledger
from app.ledger.models import LedgerNote, LedgerTransfer
from app.personal_data import PERSON, Row, Subject, holds, plain
from app.play.accounts import account_of
from app.play.models import Award, PointsAccount, Score, ShareAward

_HELD = _l("to count what you earned, and to explain every line")
_AWARDS = (
    select(Award.fact, Award.amount, Award.state, Award.created_at)
    .where(Award.person_id == bindparam("person_id"))
    .order_by(Award.created_at)
)
_SHARE_AWARDS = (
    select(ShareAward.fact, ShareAward.amount, ShareAward.state, ShareAward.created_at)
    .where(ShareAward.person_id == bindparam("person_id"))
    .order_by(ShareAward.created_at)
)


def _account(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    account = account_of(person_id)
    if account is None:
        return
    opened = session.get_one(PointsAccount, account).opened_at
    yield {"opened_at": plain(opened), **ledger.balance(account)._asdict()}


def _lines(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    query = (
        select(LedgerTransfer, LedgerNote.words)
        .outerjoin(LedgerNote, LedgerNote.transfer_id == LedgerTransfer.id)
        .where(LedgerTransfer.account_id == account_of(person_id))
        .order_by(LedgerTransfer.sequence)
        .execution_options(yield_per=500)
    )
    for row, words in session.execute(query):
        yield {
            "code": row.code, "kind": row.kind, "amount": row.amount, "reason": row.reason,
            "effective_at": plain(row.effective_at), "created_at": plain(row.created_at),
            "due_at": plain(row.due_at), "words": words,
        }  # fmt: skip


def _awards(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    for query in (_AWARDS, _SHARE_AWARDS):
        for fact, amount, state, at in session.execute(query, {"person_id": person_id}):
            yield {"fact": fact, "amount": amount, "state": state, "created_at": plain(at)}


def _scores(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    query = select(Score.period, Score.points, Score.reached_at).where(
        Score.account_id == account_of(person_id)
    )
    for period, points, at in session.execute(query.order_by(Score.period)):
        yield {"period": period, "points": points, "reached_at": plain(at)}


def _cut(session: Session, subject: Subject) -> None:
    """The account belongs to nobody from now on. Its lines stay, to the last one (rule E2)."""
    account = account_of(subject.id)
    if account is None:
        return
    ledger.erase_notes(account)
    session.execute(
        update(PointsAccount).where(PointsAccount.account_id == account).values(person_id=None)
    )


def declare() -> None:
    """Say all of it."""
    holds(
        "play.account", PointsAccount, title=_l("Your points account"), purpose=_HELD,
        basis="contract", source="use", recipients=("you", "hr"), exports={PERSON: _account},
        erasures={PERSON: _cut},
        stays=_l(
            "Lines of points stay in the ledger, on an account that belongs to nobody: the whole "
            "must add up to zero. What is left on it can no longer be spent."
        ),
    )  # fmt: skip
    holds(
        "play.lines", LedgerTransfer, LedgerNote, title=_l("Lines of your account"),
        purpose=_HELD, basis="contract", source="use", recipients=("you", "hr"),
        exports={PERSON: _lines},
    )  # fmt: skip
    holds(
        "play.awards", Award, ShareAward, title=_l("What your acts were worth"), purpose=_HELD,
        basis="contract", source="use", recipients=("you", "hr"), exports={PERSON: _awards},
    )  # fmt: skip
    holds(
        "play.scores", Score, title=_l("Your points by month"),
        purpose=_l("to tell you your place, and colleagues if you agreed to be named"),
        basis="consent", source="use", recipients=("you", "colleagues"),
        exports={PERSON: _scores},
    )  # fmt: skip
