"""F57, F58: the standing of a referral is a function of the set of its events."""

from __future__ import annotations

import datetime as dt
import random

from hypothesis import given
from hypothesis import strategies as st

from app.referrals.stages import Fact, fold, hire_key, visible_stage

T0 = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
H1 = hire_key("c", "880501", "99110", T0 + dt.timedelta(days=9))
H2 = hire_key("c", "880501", "99111", T0 + dt.timedelta(days=14))


def at(days: float) -> dt.datetime:
    return T0 + dt.timedelta(days=days)


def stage(name: str, days: float, *, by_person: bool = False) -> Fact:
    return Fact("stage", at(days), stage=name, by_person=by_person)


STORY = [
    stage("screened", 2),
    stage("interview", 5),
    Fact("hired", at(9), hire_key=H1, starts_on=dt.date(2026, 12, 1)),
    Fact("unhired", at(9), hire_key=H1),
    Fact("hired", at(14), hire_key=H2, starts_on=dt.date(2027, 1, 4)),
]


def test_a_hire_its_undoing_and_a_new_hire_leave_the_new_hire() -> None:
    standing = fold(T0, STORY)
    assert standing.stage == "hired"
    assert standing.hire is not None
    assert standing.hire.key == H2
    assert standing.hire.starts_on == dt.date(2027, 1, 4)
    assert "interview" in standing.reached


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(STORY), max_size=6))
def test_order_and_repetition_of_arrival_change_nothing(
    chance: random.Random, again: list[Fact]
) -> None:
    shuffled = [*STORY, *again]
    chance.shuffle(shuffled)
    assert fold(T0, shuffled) == fold(T0, STORY)


def test_hearing_an_undone_hire_again_does_not_bring_it_back() -> None:
    standing = fold(T0, [*STORY[:4], STORY[2]])
    assert standing.hire is None
    assert standing.stage == "interview"
    assert standing.ended_ever


def test_an_undoing_that_names_no_hire_undoes_the_live_one_only() -> None:
    nameless = Fact("unhired", at(10))
    assert fold(T0, [*STORY[:3], nameless]).hire is None
    later = fold(T0, [*STORY[:3], nameless, STORY[4]])
    assert later.hire is not None
    assert later.hire.key == H2


def test_an_older_stage_that_arrives_late_changes_only_the_history() -> None:
    assert fold(T0, [stage("offer", 8), stage("screened", 2)]).stage == "offer"


def test_a_late_stage_of_the_system_does_not_undo_a_hire_but_a_recruiter_may() -> None:
    hired = STORY[2]
    assert fold(T0, [hired, stage("interview", 11)]).stage == "hired"
    assert fold(T0, [hired, stage("interview", 11, by_person=True)]).stage == "interview"


def test_a_recruiters_press_and_the_systems_event_are_one_hire() -> None:
    by_hand = Fact("hired", at(8), hire_key="manual:x", by_person=True)
    both = fold(T0, [by_hand, STORY[2]])
    assert both.hire is not None
    assert both.hire.keys == {"manual:x", H1}
    assert fold(T0, [by_hand, STORY[2], STORY[3]]).hire is None


def test_a_closure_ends_and_a_reopening_resumes() -> None:
    closed = Fact("closed", at(6), closure_reason="not-selected")
    standing = fold(T0, [stage("interview", 5), closed])
    assert (standing.stage, standing.closure_reason) == ("closed", "not-selected")
    assert fold(T0, [stage("interview", 5), closed, Fact("reopened", at(7))]).stage == "interview"


def test_the_trial_period_passes_only_after_a_hire() -> None:
    passed = Fact("trial_passed", at(120))
    assert fold(T0, [passed]).stage == "received"
    assert fold(T0, [STORY[2], passed]).stage == "trial_passed"


def test_the_referrer_sees_what_the_candidate_chose() -> None:
    assert visible_stage("interview", "all") == "interview"
    assert visible_stage("interview", "ends") == "received"
    assert visible_stage("interview", "none") is None
    assert {visible_stage("hired", v) for v in ("all", "ends", "none")} == {"hired"}
