"""What members earned in a month: from the ledger, for oneself, and named only by choice."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, ledger, outbox
from app.db import db
from app.errors import NotFound
from app.people import activation, membership, pauses
from app.people.models import Person
from app.play import accounts, scores
from app.play.models import Score, ScoreStep
from app.privacy import purge
from tests.conftest import START, House
from tests.play.kit import member

DAY = dt.timedelta(days=1)


def _crowd(house: House, count: int = 10) -> list[uuid.UUID]:
    told = dt.date(2026, 10, 1)
    activation.record(told, told - DAY, confirmed=True)
    return [member(house, f"Person{number} Name") for number in range(count)]


def _give(person_id: uuid.UUID, points: int) -> ledger.Transfer:
    reference = f"fact-{uuid.uuid4().hex}"
    return ledger.transfer("award", reference, accounts.open_for(person_id), points)


def _named(*people_ids: uuid.UUID) -> None:
    for person_id in people_ids:
        membership.give_consent(person_id, scores.NAMED)


def _steps_are_true() -> bool:
    """The kept steps are what counting the scores gives."""
    kept = {
        (s.period, s.points): s.people for s in db.session.scalars(select(ScoreStep)) if s.people
    }
    rows = db.session.execute(
        select(Score.period, Score.points, func.count()).group_by(Score.period, Score.points)
    )
    return kept == {(row[0], row[1]): row[2] for row in rows}


@pytest.fixture
def crowd(house: House) -> list[uuid.UUID]:
    """Ten members with 10, 20 … 100 points this month."""
    found = _crowd(house)
    for number, person_id in enumerate(found, start=1):
        _give(person_id, number * 10)
    scores.fold()
    return found


def test_it_names_only_those_who_chose_it(crowd: list[uuid.UUID]) -> None:
    _named(crowd[2], crowd[7])
    board = scores.board(crowd[0])
    assert [(p.rank, p.name, p.points) for p in board.places] == [
        (1, "Person7 N.", 80), (2, "Person2 N.", 30),
    ]  # fmt: skip
    membership.withdraw_consent(crowd[7], scores.NAMED)
    assert [p.name for p in scores.board(crowd[0]).places] == ["Person2 N."]


def test_ones_own_rank_counts_everybody_and_is_for_oneself(crowd: list[uuid.UUID]) -> None:
    board = scores.board(crowd[3])
    assert (board.my_points, board.my_rank, board.places) == (40, 7, ())


def test_there_is_no_list_and_no_rank_below_the_threshold(house: House) -> None:
    found = _crowd(house, 9)
    for person_id in found:
        _give(person_id, 10)
    _named(*found)
    scores.fold()
    board = scores.board(found[0])
    assert (board.is_shown, board.places, board.my_points, board.my_rank) == (False, (), 10, None)


def test_equal_points_share_a_rank_and_the_earlier_stands_first(crowd: list[uuid.UUID]) -> None:
    _named(*crowd)
    clock.freeze(START + DAY)
    _give(crowd[8], 10)  # 90 and 10: as many as the first, a day later
    scores.fold()
    first, second, third, *_ = scores.board(crowd[0]).places
    assert [(p.rank, p.name) for p in (first, second, third)] == [
        (1, "Person9 N."), (1, "Person8 N."), (3, "Person7 N."),
    ]  # fmt: skip
    assert scores.board(crowd[8]).my_rank == 1


def test_spending_lowers_nothing_and_a_reversal_does(crowd: list[uuid.UUID]) -> None:
    account = accounts.open_for(crowd[9])
    ledger.reserve("redemption-1", account, 60)
    scores.fold()
    assert scores.board(crowd[9]).my_points == 100
    given = _give(crowd[9], 50)
    ledger.reverse(given.id, "undone-1", "mistake")
    scores.fold()
    assert scores.board(crowd[9]).my_points == 100
    assert _steps_are_true()


def test_folding_again_changes_nothing(crowd: list[uuid.UUID]) -> None:
    before = db.session.execute(select(Score.account_id, Score.points, Score.reached_at)).all()
    clock.freeze(START + DAY)
    scores.fold()
    scores.fold()
    db.session.expire_all()
    after = db.session.execute(select(Score.account_id, Score.points, Score.reached_at)).all()
    assert sorted(before) == sorted(after)
    assert _steps_are_true()


def test_a_month_keeps_what_was_earned_in_it(crowd: list[uuid.UUID]) -> None:
    clock.freeze(dt.datetime(2026, 12, 3, 9, tzinfo=dt.UTC))
    _give(crowd[0], 5)
    scores.fold()
    assert scores.board(crowd[0]).my_points == 5
    assert scores.board(crowd[0], "2026-11").my_points == 10
    assert scores.board(crowd[0], "2026-10").my_points == 0
    assert _steps_are_true()


def test_the_last_minute_of_a_month_is_counted_though_it_is_folded_in_the_next(
    crowd: list[uuid.UUID],
) -> None:
    clock.freeze(dt.datetime(2026, 11, 30, 22, 59, 50, tzinfo=dt.UTC))  # 23:59:50 in Paris
    _give(crowd[0], 7)
    clock.freeze(dt.datetime(2026, 11, 30, 23, 0, 20, tzinfo=dt.UTC))
    scores.fold()
    assert scores.board(crowd[0], "2026-11").my_points == 17
    assert scores.board(crowd[0]).my_points == 0


def test_who_left_is_no_longer_named(crowd: list[uuid.UUID]) -> None:
    _named(crowd[9], crowd[8])
    membership.leave(crowd[9])
    outbox.drain()
    assert [p.name for p in scores.board(crowd[0]).places] == ["Person8 N."]


def test_old_months_go(crowd: list[uuid.UUID]) -> None:
    clock.freeze(dt.datetime(2028, 11, 20, tzinfo=dt.UTC))
    purge.run("scores", "score-steps")
    assert db.session.scalar(select(func.count()).select_from(Score)) == 10
    clock.freeze(dt.datetime(2028, 12, 1, 12, tzinfo=dt.UTC))
    purge.run("scores", "score-steps")
    assert db.session.scalar(select(func.count()).select_from(Score)) == 0
    assert db.session.scalar(select(func.count()).select_from(ScoreStep)) == 0


@pytest.mark.parametrize(
    "odd", ["2026-13", "2026-1", "novembre", "2026-11-01", "x" * 300, "0000-00"]
)
def test_what_names_no_month_is_not_found(crowd: list[uuid.UUID], odd: str) -> None:
    with pytest.raises(NotFound):
        scores.board(crowd[0], odd)


def test_many_parts_are_folded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "PART", 3)
    found = _crowd(house)
    for person_id in found:
        _give(person_id, 10)
    assert scores.fold() == 10
    assert scores.board(found[0]).my_rank == 1
    assert _steps_are_true()


def test_it_is_the_same_on_both_databases(any_app: Flask) -> None:
    house = House(any_app)
    found = _crowd(house)
    for number, person_id in enumerate(found, start=1):
        _give(person_id, number)
    scores.fold()
    _named(found[9])
    board = scores.board(found[8])
    assert (board.my_rank, [p.points for p in board.places]) == (2, [10])
    assert _steps_are_true()


def test_the_page_and_the_call_say_the_same(house: House, crowd: list[uuid.UUID]) -> None:
    _named(crowd[9])
    reader = db.session.get_one(Person, crowd[3])
    page = house.browser(reader).get("/play/month").text
    assert "Person9 N." in page and "Person8" not in page
    found = house.caller(reader).get("/leaderboards/month")
    assert (found["id"], found["my_points"], found["my_rank"]) == ("2026-11", 40, 7)
    assert [item["name"] for item in found["items"]] == ["Person9 N."]
    assert house.browser(reader).get("/play/month?month=soon").status_code == 404


def test_somebody_of_the_team_who_did_not_join_has_no_board(house: House) -> None:
    outsider = house.browser(house.person("Marc Hervé", "hr", joined=False))
    assert outsider.get("/play/month").status_code in (302, 303, 403)


def test_who_rests_is_not_ranked_and_nobody_before_staff_were_told(
    house: House, crowd: list[uuid.UUID]
) -> None:
    _named(*crowd[7:])
    pauses.pause(crowd[9])
    assert [person for person, _name, _points in scores.top("2026-11")] == [crowd[8], crowd[7]]
    assert scores.board(crowd[9]).my_rank is None
    assert scores.board(crowd[8]).my_rank == 2
    page = house.browser(db.session.get_one(Person, crowd[3])).get("/play/month?lang=en").text
    assert "Staff were informed of these figures on 1 October 2026" in page
    activation.record(None, confirmed=False)
    board = scores.board(crowd[8])
    assert (board.is_shown, board.places, board.my_rank, board.my_points) == (False, (), None, 90)
    page = house.browser(db.session.get_one(Person, crowd[3])).get("/play/month?lang=en").text
    assert "There is no list yet" in page and "Person8" not in page
    found = house.caller(db.session.get_one(Person, crowd[3])).get("/leaderboards/month")
    assert "Person" not in str(found)
