"""A rush on one ledger: many threads in several processes, each with its own connection.

`rush` is also what `make soak` runs, with higher counts. Everything is the product's own;
what happened is recounted from the database afterwards.
"""

from __future__ import annotations

import multiprocessing as mp
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

from app import ledger
from app.db import db
from app.errors import DomainError
from tests.ledger.world import bare_app

PATIENCE = 120

#: What one thread does: a verb of this module and what it needs.
Act = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each act was told: "done", "replayed", the code of a refusal, or the name of an
    error that should never happen."""

    told: Counter[str]
    verified: bool


def reserve(reference: str, account_id: uuid.UUID, amount: int) -> bool:
    return ledger.reserve(reference, account_id, amount).replayed


def award(reference: str, account_id: uuid.UUID, amount: int) -> bool:
    return ledger.transfer("award", reference, account_id, amount).replayed


def award_many(group: str, accounts: Sequence[uuid.UUID], amount: int) -> bool:
    return ledger.award_many(group, [ledger.Award(a, amount) for a in accounts]).replayed


def post(reference: str, pending_id: uuid.UUID) -> bool:
    return ledger.post(pending_id, reference).replayed


def void(reference: str, pending_id: uuid.UUID) -> bool:
    return ledger.void(pending_id, reference, "cancelled").replayed


def reverse(reference: str, transfer_id: uuid.UUID) -> bool:
    return ledger.reverse(transfer_id, reference, "undone").replayed


VERBS: dict[str, Callable[..., bool]] = {
    verb.__name__: verb for verb in (reserve, award, award_many, post, void, reverse)
}


def rush(url: str, acts: Sequence[Act], processes: int, seed: int = 0) -> Outcome:
    """Do all `acts` at once, one thread each, dealt over `processes`."""
    dealt = list(acts)
    random.Random(seed).shuffle(dealt)
    told: Counter[str] = Counter()
    if processes == 1:
        told.update(_crowd(url, dealt, None))
    else:
        context = mp.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        barrier, answers = context.Barrier(processes), context.Queue()
        crowds = [
            context.Process(target=_process, args=(url, dealt[n::processes], barrier, answers))
            for n in range(processes)
        ]
        for crowd in crowds:
            crowd.start()
        for _ in crowds:
            told.update(answers.get(timeout=PATIENCE))
        for crowd in crowds:
            crowd.join(PATIENCE)
    app = bare_app(url)
    with app.app_context():
        verified = ledger.verify().ok
        db.session.remove()
        db.engine.dispose()
    return Outcome(told, verified)


def _process(url: str, acts: Sequence[Act], barrier: Barrier, answers: Any) -> None:
    answers.put(_crowd(url, acts, barrier))


def _crowd(url: str, acts: Sequence[Act], barrier: Barrier | None) -> list[str]:
    app = bare_app(url)
    told: list[str] = []
    start = threading.Barrier(len(acts) + 1)

    def one(verb: str, arguments: Sequence[Any]) -> None:
        with app.app_context():
            start.wait(PATIENCE)
            try:
                told.append("replayed" if VERBS[verb](*arguments) else "done")
            except DomainError as refused:
                told.append(refused.code)
            except Exception as error:  # noqa: BLE001 - counted, and then the test fails
                told.append(repr(error)[:200])
            finally:
                db.session.remove()

    threads = [threading.Thread(target=one, args=act) for act in acts]
    for thread in threads:
        thread.start()
    if barrier is not None:
        barrier.wait(PATIENCE)
    start.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    with app.app_context():
        db.engine.dispose()
    return told
