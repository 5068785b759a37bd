"""Everybody at once: the last points, the same reference, overlapping bulks."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from app import ledger
from app.db import db
from tests.ledger.rush import Act, rush
from tests.ledger.world import award, have, member, reference

pytestmark = pytest.mark.usefixtures("any_ledger")
CROWDS = [(20, 1), (20, 4)]


def run(url: str, acts: list[Act], processes: int) -> Counter[str]:
    """Everybody acts; the proof holds afterwards. What they were told."""
    db.session.remove()
    outcome = rush(url, acts, processes)
    assert outcome.verified
    db.session.remove()
    return outcome.told


@pytest.mark.parametrize(("people", "processes"), CROWDS)
def test_the_last_points_are_spent_once(ledger_url: str, people: int, processes: int) -> None:
    account_id = member(70)
    acts: list[Act] = [("reserve", (f"want-{n}", account_id, 10)) for n in range(people)]
    told = run(ledger_url, acts, processes)
    assert told == {"done": 7, "insufficient-points": people - 7}
    assert have(account_id) == (0, 0, 70, 70, 0)


@pytest.mark.parametrize(("people", "processes"), CROWDS)
def test_the_same_reference_is_written_once(ledger_url: str, people: int, processes: int) -> None:
    account_id = member()
    acts: list[Act] = [("award", ("same", account_id, 10))] * people
    assert run(ledger_url, acts, processes) == {"done": 1, "replayed": people - 1}
    assert have(account_id) == (10, 0, 0, 10, 0)


def test_the_same_reference_for_different_people_has_one_winner(ledger_url: str) -> None:
    crowd = [member() for _ in range(12)]
    acts: list[Act] = [("award", ("same", account_id, 10)) for account_id in crowd]
    assert run(ledger_url, acts, 4) == {"done": 1, "reference-reused": 11}
    assert sum(have(account_id)[0] for account_id in crowd) == 10


def test_a_pending_transfer_is_posted_or_voided(ledger_url: str) -> None:
    account_id = member(100)
    kept = ledger.reserve(reference(), account_id, 60)
    acts: list[Act] = [("post", (f"post-{n}", kept.id)) for n in range(6)]
    acts += [("void", (f"void-{n}", kept.id)) for n in range(6)]
    assert run(ledger_url, acts, 3) == {"done": 1, "already-settled": 11}
    assert have(account_id)[:3] in ((40, 0, 0), (100, 0, 0))


def test_it_is_undone_once(ledger_url: str) -> None:
    account_id = member()
    given = award(account_id, 100)
    acts: list[Act] = [("reverse", (f"undo-{n}", given.id)) for n in range(8)]
    assert run(ledger_url, acts, 4) == {"done": 1, "already-reversed": 7}
    assert have(account_id) == (0, 0, 0, 0, 0)


def test_a_reversal_meets_a_spender(ledger_url: str) -> None:
    """Either the points are spent and owed, or taken back and not to be spent."""
    crowd: list[tuple[uuid.UUID, uuid.UUID]] = []
    for _ in range(6):
        account_id = member()
        crowd.append((account_id, award(account_id, 100).id))
    acts: list[Act] = [("reserve", (f"want-{a.hex}", a, 100)) for a, _ in crowd]
    acts += [("reverse", (f"undo-{a.hex}", given)) for a, given in crowd]
    told = run(ledger_url, acts, 2)
    assert set(told) <= {"done", "insufficient-points"}
    for account_id, _ in crowd:
        assert have(account_id) in ((0, 0, 100, 0, 100), (0, 0, 0, 0, 0))


def test_bulks_and_awards_cross_without_waiting_for_ever(ledger_url: str) -> None:
    crowd = [member() for _ in range(30)]
    acts: list[Act] = [("award_many", (f"bulk-{n}", crowd[n : n + 24], 1)) for n in range(6)]
    acts += [("award_many", ("same", crowd[::-1], 1))] * 4
    acts += [("award", (f"award-{n}", crowd[n], 1)) for n in range(0, 30, 3)]
    told = run(ledger_url, acts, 4)
    assert told == {"done": 6 + 1 + 10, "replayed": 3}
    assert sum(have(account_id)[0] for account_id in crowd) == 6 * 24 + 30 + 10
