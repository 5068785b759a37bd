"""Lives of a few members, move by move, beside a model that is too simple to be wrong.

`live` is also what `make soak` runs, with higher counts.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from app import ledger
from app.db import db
from app.ledger.statements import ENTRY
from tests.ledger.world import HUMAN, have, reference, rows, whole

AMOUNTS = st.integers(1, 300)


@dataclass
class Model:
    """What one member should have."""

    available: int = 0
    pending: int = 0
    reserved: int = 0
    status: int = 0
    owed: int = 0

    def earn(self, amount: int) -> None:
        repaid = min(self.owed, amount)
        self.owed -= repaid
        self.available += amount - repaid
        self.status += amount

    def lose(self, amount: int) -> None:
        taken = min(self.available, amount)
        self.available -= taken
        self.owed += amount - taken


@dataclass(frozen=True)
class Move:
    """A transfer that a later move may settle or undo."""

    account_id: uuid.UUID
    amount: int
    made: ledger.Transfer = field(hash=False)


class Lives(RuleBasedStateMachine):
    """Every verb, in any order."""

    members = Bundle("members")
    on_hold = Bundle("on_hold")
    reserved = Bundle("reserved")
    earned = Bundle("earned")
    spent = Bundle("spent")

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[uuid.UUID, Model] = {}

    @initialize(target=members)
    def join(self) -> object:
        ids = [ledger.open_account() for _ in range(3)]
        self.models = {account_id: Model() for account_id in ids}
        return multiple(*ids)

    def _twice(self, act: object) -> ledger.Transfer:
        """Everything is sent twice; the second time changes nothing."""
        first: ledger.Transfer = act()  # type: ignore[operator]
        before = rows()
        again: ledger.Transfer = act()  # type: ignore[operator]
        assert again == first._replace(replayed=True)
        assert rows() == before
        return first

    @rule(target=earned, who=members, amount=AMOUNTS)
    def award(self, who: uuid.UUID, amount: int) -> Move:
        name = reference()
        made = self._twice(lambda: ledger.transfer("award", name, who, amount))
        self.models[who].earn(amount)
        return Move(who, amount, made)

    @rule(target=on_hold, who=members, amount=AMOUNTS)
    def hold(self, who: uuid.UUID, amount: int) -> Move:
        name = reference()
        made = self._twice(lambda: ledger.hold("award", name, who, amount, None))
        self.models[who].pending += amount
        return Move(who, amount, made)

    @rule(target=earned, move=consumes(on_hold))
    def release(self, move: Move) -> Move:
        name = reference()
        self._twice(lambda: ledger.post(move.made.id, name))
        self.models[move.account_id].pending -= move.amount
        self.models[move.account_id].earn(move.amount)
        return move

    @rule(move=consumes(on_hold), reason=st.sampled_from(["expired", "not-confirmed"]))
    def withdraw(self, move: Move, reason: str) -> None:
        name = reference()
        self._twice(lambda: ledger.void(move.made.id, name, reason))
        self.models[move.account_id].pending -= move.amount

    @rule(target=reserved, who=members, amount=AMOUNTS)
    def reserve(self, who: uuid.UUID, amount: int) -> object:
        model, name, before = self.models[who], reference(), rows()
        if model.available < amount:
            try:
                ledger.reserve(name, who, amount)
            except ledger.InsufficientPoints:
                assert rows() == before
                return multiple()
            raise AssertionError("points that are not there were reserved")
        made = self._twice(lambda: ledger.reserve(name, who, amount))
        model.available -= amount
        model.reserved += amount
        return Move(who, amount, made)

    @rule(target=spent, move=consumes(reserved))
    def fulfil(self, move: Move) -> Move:
        name = reference()
        self._twice(lambda: ledger.post(move.made.id, name))
        self.models[move.account_id].reserved -= move.amount
        return move

    @rule(move=consumes(reserved))
    def cancel(self, move: Move) -> None:
        name = reference()
        self._twice(lambda: ledger.void(move.made.id, name, "cancelled"))
        self.models[move.account_id].reserved -= move.amount
        self.models[move.account_id].available += move.amount

    @rule(move=consumes(earned))
    def undo_award(self, move: Move) -> None:
        name = reference()
        self._twice(lambda: ledger.reverse(move.made.id, name, "undone"))
        self.models[move.account_id].status -= move.amount
        self.models[move.account_id].lose(move.amount)

    @rule(move=consumes(spent))
    def undo_redemption(self, move: Move) -> None:
        name = reference()
        self._twice(lambda: ledger.reverse(move.made.id, name, "mistake"))
        self.models[move.account_id].available += move.amount

    @rule(who=members, amount=AMOUNTS)
    def expire(self, who: uuid.UUID, amount: int) -> None:
        model, name = self.models[who], reference()
        amount = min(amount, model.available)
        if amount:
            self._twice(lambda: ledger.transfer("expiry", name, who, amount))
            model.available -= amount

    @rule(who=members, amount=AMOUNTS)
    def waive(self, who: uuid.UUID, amount: int) -> None:
        model, name = self.models[who], reference()
        amount = min(amount, model.owed)
        if amount:
            self._twice(lambda: ledger.transfer("waiver", name, who, amount, actor=HUMAN))
            model.owed -= amount

    @rule(amount=AMOUNTS, parts=st.lists(st.integers(0, 2), min_size=1, max_size=5))
    def award_many(self, amount: int, parts: list[int]) -> None:
        ids, name = list(self.models), reference("bulk")
        awards = [ledger.Award(ids[n], amount + k) for k, n in enumerate(parts)]
        ledger.award_many(name, awards)
        before = rows()
        assert ledger.award_many(name, awards[::-1]).replayed
        assert rows() == before
        for award in awards:
            self.models[award.account_id].earn(award.amount)

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        for account_id, model in self.models.items():
            balance = have(account_id)
            assert balance == (
                model.available, model.pending, model.reserved, model.status, model.owed,
            )  # fmt: skip
            assert min(balance[:3] + balance[4:]) >= 0

    @invariant()
    def entries_add_up_to_zero(self) -> None:
        total = select(func.coalesce(func.sum(ENTRY.c.amount), 0))
        assert db.session.execute(total).scalar_one() == 0

    def teardown(self) -> None:
        whole()


def live(examples: int, steps: int, at: int) -> None:
    """Run so many lives of so many moves on the ledger of the present application; `at` is
    the seed that repeats them."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        seed(at)(Lives),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
