"""Two hundred members, four processes, ten rewards: the race that `make soak` runs.

Everything is the product's own: each process makes its application and each member presses
in a thread of their own. What happened is recounted from the database afterwards.
"""

from __future__ import annotations

import multiprocessing as mp
import random
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app import create_app, ledger
from app.db import db, transaction
from app.errors import DomainError
from app.ledger.models import LedgerAccount, LedgerTransfer
from app.people import service as people
from app.play import accounts
from app.rewards import service
from app.rewards.models import RESERVED, Redemption, Reward

PROCESSES, MEMBERS, STOCK = 4, 200, 10
PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each press was told, and what the database says. `told` counts 'sold' and the
    codes of refusals, or the name of an error that should never happen."""

    told: Counter[str]
    sold: int
    debits: int
    stock_left: int | None
    points_gone: int
    verified: bool
    cost: int

    @property
    def is_fair(self) -> bool:
        """Ten sold to ten, ten debits of the price, nobody told anything else."""
        return (
            self.told == Counter({"sold": STOCK, "out-of-stock": MEMBERS - STOCK})
            and self.sold == self.debits == STOCK
            and self.stock_left == 0
            and self.points_gone == STOCK * self.cost
            and self.verified
        )


def race(database_url: str, seed: int) -> Outcome:
    """Run one round on a database that has its tables; `seed` shuffles who presses where."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        app = _app(folder, database_url)
        with app.app_context():
            points, cost = chance.randint(50, 500), chance.randint(1, 50)
            buyers, reward_id = _prepare(points, cost)
            accounts_of = [_account(person_id) for person_id in buyers]
            db.session.remove()
            db.engine.dispose()
            chance.shuffle(buyers)
            told = _run(folder, database_url, reward_id, buyers)
            return _recount(told, reward_id, accounts_of, points, cost)


def _app(folder: str, database_url: str) -> Flask:
    from tests.conftest import settings_for

    return create_app(settings_for(Path(folder), DATABASE_URL=database_url))


def _prepare(points: int, cost: int) -> tuple[list[uuid.UUID], uuid.UUID]:
    """The members, each with enough points, and the reward."""
    mark = uuid.uuid4().hex[:8]
    with transaction():
        buyers = [_member(f"{mark}-{n}") for n in range(MEMBERS)]
        given = [ledger.Award(_account(person_id), points) for person_id in buyers]
        ledger.award_many(f"race-{mark}", given)
        reward = service.create_reward(
            title="Couteau de charpentier",
            description="",
            cost=cost,
            stock=STOCK,
            pay_class="gift in kind",
            deliverer_id=buyers[0],
            actor_id=buyers[0],
        )
    return buyers, reward.id


def _member(mark: str) -> uuid.UUID:
    person = people.add_person(
        kind="employee", name=f"Camille {mark}", email=f"race-{mark}@halvenne.example"
    )
    people.join(person.id)
    accounts.open_for(person.id)
    return person.id


def _account(person_id: uuid.UUID) -> uuid.UUID:
    account = accounts.account_of(person_id)
    assert account is not None
    return account


def _run(
    folder: str, database_url: str, reward_id: uuid.UUID, buyers: Sequence[uuid.UUID]
) -> Counter[str]:
    """Start the processes, let all press at the same moment, gather what each was told."""
    context = mp.get_context("spawn")
    ready, answers = context.Barrier(PROCESSES), context.Queue()
    processes = [
        context.Process(
            target=_press_all,
            args=(folder, database_url, reward_id, buyers[n::PROCESSES], ready, answers),
            daemon=True,
        )
        for n in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    told: Counter[str] = Counter()
    for _process in processes:
        told += answers.get(timeout=PATIENCE)
    for process in processes:
        process.join(PATIENCE)
    return told


def _press_all(
    folder: str,
    database_url: str,
    reward_id: uuid.UUID,
    buyers: Sequence[uuid.UUID],
    ready: Barrier,
    answers: Any,
) -> None:
    """One process: a thread for each member, all waiting for the same moment."""
    app = _app(folder, database_url)
    told: list[str] = []
    together = threading.Barrier(len(buyers), action=lambda: ready.wait(PATIENCE))

    def press(person_id: uuid.UUID) -> None:
        with app.app_context():
            together.wait(PATIENCE)
            told.append(_press(person_id, reward_id))

    threads = [threading.Thread(target=press, args=(person_id,)) for person_id in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    answers.put(Counter(told))


def _press(person_id: uuid.UUID, reward_id: uuid.UUID) -> str:
    try:
        service.redeem(person_id, reward_id, key="one")
    except DomainError as refusal:
        return refusal.code
    except Exception as error:  # noqa: BLE001 - whatever it is, the round has failed
        return f"{type(error).__name__}: {error}"
    return "sold"


def _recount(
    told: Counter[str],
    reward_id: uuid.UUID,
    accounts_of: Sequence[uuid.UUID],
    points: int,
    cost: int,
) -> Outcome:
    """What the database says, asked of the rows and not of any counter."""
    sold = select(Redemption.transfer_id).where(
        Redemption.reward_id == reward_id, Redemption.status == RESERVED, Redemption.cost == cost
    )
    debits = select(func.count()).where(
        LedgerTransfer.id.in_(sold),
        LedgerTransfer.code == "redemption",
        LedgerTransfer.amount == cost,
        LedgerTransfer.account_id.in_(accounts_of),
    )
    left = select(func.sum(LedgerAccount.available)).where(LedgerAccount.id.in_(accounts_of))
    return Outcome(
        told=told,
        sold=len(db.session.scalars(sold).all()),
        debits=db.session.scalar(debits) or 0,
        stock_left=db.session.scalar(select(Reward.stock_left).where(Reward.id == reward_id)),
        points_gone=MEMBERS * points - int(db.session.scalar(left) or 0),
        verified=ledger.verify().ok,
        cost=cost,
    )
