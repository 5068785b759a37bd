"""Bulk awards: one commit, all or none, the same twice."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app import ledger
from app.db import transaction
from app.ledger.statements import BULK_PART
from tests.ledger.world import award, have, indebted, member, reference, rows

pytestmark = pytest.mark.usefixtures("books")


def _in_parts_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for database in BULK_PART:
        monkeypatch.setitem(BULK_PART, database, size)


def test_it_awards_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _in_parts_of(7, monkeypatch)  # several parts, the last one smaller
    people = [member(n) for n in range(25)]
    made = ledger.award_many(
        "bonus", [ledger.Award(a, 10 + n, f"place-{n}") for n, a in enumerate(people)],
        rule_version="rule-1",
    )  # fmt: skip
    assert made == ledger.Bulk("bonus", 25, sum(range(10, 35)), replayed=False)
    assert [have(a)[0] for a in people] == [n + 10 + n for n in range(25)]
    line = ledger.entries(people[3], limit=1)[0]
    assert (line.subject, line.rule_version, line.amount) == ("place-3", "rule-1", 13)
    assert line.reference.startswith("bonus/")


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_small_bulk_is_a_bulk(size: int) -> None:
    people = [member() for _ in range(size)]
    ledger.award_many("bonus", [ledger.Award(a, 10) for a in people])
    assert [have(a) for a in people] == [(10, 0, 0, 10, 0)] * size


def test_it_gives_nobody_nothing() -> None:
    before = rows()
    assert ledger.award_many("bonus", []) == ledger.Bulk("bonus", 0, 0)
    assert rows() == before


def test_one_person_may_be_named_twice() -> None:
    account_id, other = member(), member()
    given = [ledger.Award(account_id, n, f"subject-{n}") for n in (5, 1, 3)]
    ledger.award_many("bonus", [*given, ledger.Award(other, 2)])
    assert have(account_id) == (9, 0, 0, 9, 0)
    assert have(other) == (2, 0, 0, 2, 0)
    award(account_id, 1)
    assert ledger.award_many("bonus", [ledger.Award(other, 2), *reversed(given)]).replayed


def test_the_whole_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    _in_parts_of(4, monkeypatch)
    awards = [ledger.Award(member(), 10) for _ in range(10)]
    ledger.award_many("bonus", awards, rule_version="rule-1")
    before = rows()
    again = ledger.award_many("bonus", awards[::-1], rule_version="rule-1")
    assert again == ledger.Bulk("bonus", 10, 100, replayed=True)
    assert rows() == before


def test_another_content_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    _in_parts_of(4, monkeypatch)
    awards = [ledger.Award(member(), 10) for _ in range(10)]
    ledger.award_many("bonus", awards)
    before = rows()
    for other in (
        awards[:-1],
        [*awards, ledger.Award(member(), 10)],
        [*awards[:-1], ledger.Award(member(), 10)],
        [*awards[:-1], awards[-1]._replace(amount=11)],
        [*awards[:-1], awards[-1]._replace(subject="other")],
    ):
        with pytest.raises(ledger.ReferenceReused):
            ledger.award_many("bonus", other)
    with pytest.raises(ledger.ReferenceReused):
        ledger.award_many("bonus", awards, rule_version="rule-2")
    assert rows() == before


def test_an_unknown_account_refuses_the_whole() -> None:
    people, before = [member() for _ in range(5)], rows()
    with pytest.raises(ledger.AccountNotFound):
        ledger.award_many("bonus", [ledger.Award(a, 1) for a in [*people, uuid.uuid4()]])
    assert rows() == before
    assert {have(a) for a in people} == {(0, 0, 0, 0, 0)}


def test_it_repays_what_is_owed_first() -> None:
    owing, rich, small = indebted(40), member(100), indebted(500)
    awards = [ledger.Award(a, 60) for a in (owing, rich, small)]
    ledger.award_many("bonus", [*awards, ledger.Award(owing, 7)])
    assert have(owing) == (27, 0, 0, 67, 0)
    assert have(rich) == (160, 0, 0, 160, 0)
    assert have(small) == (0, 0, 0, 60, 440)
    before = rows()
    assert ledger.award_many("bonus", [*awards, ledger.Award(owing, 7)]).replayed
    assert rows() == before


@pytest.mark.parametrize("bad", [{"amount": 0}, {"subject": "Nadia Ferrand"}])
def test_a_part_that_cannot_be_written_refuses_the_whole(
    bad: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_parts_of(2, monkeypatch)
    awards, before = [ledger.Award(member(), 5) for _ in range(6)], rows()
    with transaction():
        with pytest.raises((ledger.InvalidAmount, ValueError)):
            ledger.award_many("bonus", [*awards, awards[-1]._replace(**bad)])
        assert rows() == before


def test_it_only_gives() -> None:
    with pytest.raises(ValueError, match="does not give points"):
        ledger.award_many("taken", [ledger.Award(member(10), 1)], code="expiry")


def test_it_joins_the_callers_transaction() -> None:
    people, before = [member() for _ in range(5)], rows()

    def use_case() -> None:
        with transaction():
            ledger.award_many("bonus", [ledger.Award(a, 1) for a in people])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_case()
    assert rows() == before


def test_a_part_of_a_bulk_is_undone_alone() -> None:
    people = [member() for _ in range(5)]
    ledger.award_many("bonus", [ledger.Award(a, 10) for a in people])
    ledger.reverse(ledger.entries(people[2])[0].id, reference(), "mistake")
    assert [have(a)[0] for a in people] == [10, 10, 0, 10, 10]
