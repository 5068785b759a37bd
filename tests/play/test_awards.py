"""F40, F62, F63, F67: what is due for a referral, compared with what was given."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import select

from app import clock, ledger, outbox
from app.db import db
from app.people.models import Person
from app.play import accounts, awards, rules
from app.play.models import Award
from app.referrals import candidates, service
from tests.conftest import House


def points(person: Person) -> tuple[int, int, int]:
    have = accounts.balance_of(person.id)
    return have.available, have.pending, have.status_points


def move(house: House, referral: uuid.UUID, stage: str, **more: object) -> None:
    recruiter = house.person("Sofiane Belkhir", "recruiter")
    service.set_stage(referral, stage, actor_id=recruiter.id, actor_role="recruiter", **more)  # type: ignore[arg-type]
    outbox.drain()


def test_a_skipped_stage_is_paid_when_a_later_one_is_reached(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle)
    move(house, referral, "offer")
    assert points(maelle) == (80, 0, 80)


def test_a_stage_that_is_taken_back_keeps_its_points(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle)
    move(house, referral, "interview")
    clock.travel(dt.timedelta(minutes=1))
    move(house, referral, "screened")
    assert points(maelle) == (80, 0, 80)


def test_hidden_stages_are_credited_when_the_referral_ends(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle, visibility="ends")
    move(house, referral, "interview")
    assert points(maelle) == (30, 0, 30)
    clock.travel(dt.timedelta(days=1))
    move(house, referral, "closed", closure_reason="not-selected")
    assert points(maelle) == (80, 0, 80)


def test_nothing_shows_before_the_end_where_the_candidate_chose_nothing(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle, visibility="none")
    assert points(maelle) == (0, 0, 0)
    clock.travel(dt.timedelta(days=1))
    move(house, referral, "closed")
    assert points(maelle) == (30, 0, 30)


def test_the_held_part_falls_due_after_the_trial_period(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle)
    move(house, referral, "hired", starts_on=clock.now().date())
    assert points(maelle) == (280, 200, 280)
    clock.travel(dt.timedelta(days=91))
    awards.announce_due()
    outbox.drain()
    assert points(maelle) == (480, 0, 480)


def test_the_held_part_is_released_by_the_end_of_the_trial_and_lost_by_an_earlier_closure(
    house: House,
) -> None:
    maelle = house.person()
    passed, left = house.referral(maelle), house.referral(maelle)
    for referral in (passed, left):
        move(house, referral, "hired", starts_on=clock.now().date())
    clock.travel(dt.timedelta(days=30))
    move(house, passed, "trial_passed")
    move(house, left, "closed", closure_reason="left-during-trial")
    assert points(maelle) == (280 + 200 + 280, 0, 760)


def test_the_same_candidate_sent_again_gives_application_points_once(house: House) -> None:
    maelle = house.person()
    house.referral(maelle, email="n@mail.example")
    clock.travel(dt.timedelta(hours=1))
    house.referral(maelle, house.offer("Autre"), email="n@mail.example")
    assert points(maelle) == (30, 0, 30)


def test_a_referral_keeps_the_rule_of_the_day_it_was_received(house: House) -> None:
    maelle = house.person()
    before = house.referral(maelle)
    clock.travel(dt.timedelta(minutes=1))
    rules.start_version("interview", name_fr="Entretien", name_en="Interview", amount=500)
    clock.travel(dt.timedelta(days=1))
    after = house.referral(maelle)
    move(house, before, "interview")
    move(house, after, "interview")
    assert points(maelle)[0] == 30 + 50 + 30 + 500


def test_comparing_again_changes_nothing(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle)
    move(house, referral, "hired")
    before = db.session.scalars(select(Award.id)).all()
    for _ in range(3):
        awards.reconcile(referral)
    assert db.session.scalars(select(Award.id)).all() == before
    assert points(maelle) == (280, 200, 280)


def test_points_that_were_spent_are_owed_when_their_hire_is_undone(house: House) -> None:
    maelle = house.person()
    referral = house.referral(maelle)
    move(house, referral, "hired")
    ledger.reserve("buy", accounts.open_for(maelle.id), 250)
    clock.travel(dt.timedelta(days=1))
    move(house, referral, "interview")
    have = accounts.balance_of(maelle.id)
    assert (have.available, have.owed, have.status_points) == (0, 170, 80)
    assert ledger.verify().ok


def test_erasing_the_candidate_leaves_the_points_and_the_proof(house: House) -> None:
    maelle = house.person()
    maelle_id = maelle.id
    referral = house.referral(maelle)
    move(house, referral, "hired")
    candidates.erase(referral)
    outbox.drain()
    assert accounts.balance_of(maelle_id).available == 280
    assert ledger.verify().ok
