"""Points given, or no longer asked back, by hand."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from app import ledger, personal_data, rights
from app.approvals import Submitted, queries, service
from app.approvals.errors import NotTheSecond
from app.approvals.models import ApprovalRequest
from app.db import db
from app.errors import InvalidInput
from app.ledger.models import LedgerNote
from app.people import service as people
from app.people.models import Person
from app.personal_data import PERSON
from app.play import accounts, by_hand
from tests.approvals.test_roles import acts, open_request, set_rule
from tests.conftest import House

WORDS = "Idée retenue pour l’atelier"


@pytest.fixture
def people_of(house: House) -> tuple[Person, Person, Person]:
    return house.person("Anne Martin", "hr"), house.person("Paul Ferré", "hr"), house.person()


def submit(person: Person, points: int, words: str, by: Person) -> Submitted:
    key = uuid.uuid4().hex
    return by_hand.submit_give(person.email, points, words, actor_id=by.id, key=key)


def waive(person: Person, points: int, by: Person) -> Submitted:
    key = uuid.uuid4().hex
    return by_hand.submit_waive(person.email, points, WORDS, actor_id=by.id, key=key)


def balance(person: Person) -> int:
    db.session.expire_all()
    return accounts.balance_of(person.id).available


def test_it_gives_points_by_two(people_of):
    anne, paul, maelle = people_of
    made = submit(maelle, 20, WORDS, anne)
    assert made.waits and balance(maelle) == 0
    assert service.approve(made.request_id, paul.id)
    assert not service.approve(made.request_id, paul.id)
    assert balance(maelle) == 20
    assert db.session.scalars(select(LedgerNote.words)).one() == WORDS
    assert acts() == ["approval.asked", "approval.approved"]
    assert ledger.verify().ok


def test_it_gives_few_points_at_once_where_the_rule_says_so(people_of):
    anne, _, maelle = people_of
    set_rule(points_above=50)
    assert not submit(maelle, 50, WORDS, anne).waits
    assert submit(maelle, 51, WORDS, anne).waits
    assert balance(maelle) == 50


def test_it_lets_nobody_decide_about_their_own_points(people_of):
    anne, paul, _ = people_of
    set_rule(points=False)
    made = submit(anne, 5, WORDS, anne)
    assert made.waits
    with pytest.raises(NotTheSecond):
        service.approve(made.request_id, anne.id)
    assert service.approve(made.request_id, paul.id)
    assert balance(anne) == 5


def test_it_waives_what_a_correction_left_owing(people_of):
    anne, paul, maelle = people_of
    account = accounts.open_for(maelle.id)
    award = ledger.transfer("award", "a-1", account, 30)
    ledger.transfer("redemption", "r-1", account, 30)
    ledger.reverse(award.id, reference="a-1-undo", reason="undone")
    made = waive(maelle, 30, anne)
    assert accounts.balance_of(maelle.id).owed == 30
    service.approve(made.request_id, paul.id)
    db.session.expire_all()
    assert accounts.balance_of(maelle.id).owed == 0
    set_rule(points=False)
    assert not waive(maelle, 1, anne).waits
    assert ledger.verify().ok


def test_it_waives_no_more_than_is_owed(people_of):
    anne, _, maelle = people_of
    set_rule(points=False)
    account = accounts.open_for(maelle.id)
    award = ledger.transfer("award", "a-1", account, 30)
    ledger.transfer("redemption", "r-1", account, 30)
    ledger.reverse(award.id, reference="a-1-undo", reason="undone")
    assert not waive(maelle, 20, anne).waits
    db.session.expire_all()
    assert accounts.balance_of(maelle.id).owed == 10
    assert not waive(maelle, 500, anne).waits
    db.session.expire_all()
    assert accounts.balance_of(maelle.id).owed == 0 and balance(maelle) == 0
    assert ledger.verify().ok


def test_it_refuses_at_once_what_cannot_be(people_of):
    anne, _, maelle = people_of
    for points, words in ((0, WORDS), (-5, WORDS), (5, "  "), (5, "x" * 501)):
        with pytest.raises(InvalidInput):
            submit(maelle, points, words, anne)
    with pytest.raises(InvalidInput) as refused:
        by_hand.submit_give("nobody", 5, WORDS, actor_id=anne.id, key="k")
    assert [*refused.value.errors] == ["address"]
    assert acts() == []


def test_it_names_nobody_who_left_the_programme(people_of):
    anne, paul, maelle = people_of
    made = submit(maelle, 20, WORDS, anne)
    people.leave(maelle.id)
    rows = queries.page(paul.id, {"hr"}).rows
    assert maelle.name not in rows[0].words
    assert service.approve(made.request_id, paul.id)
    assert balance(maelle) == 0
    assert not db.session.scalars(select(LedgerNote.words)).all()


def test_it_keeps_no_words_that_an_erasure_does_not_reach(people_of):
    anne, _, maelle = people_of
    submit(maelle, 20, WORDS, anne)
    kept = open_request()
    assert WORDS not in str(kept.payload) and maelle.email not in str(kept.payload)
    assert WORDS in queries.in_words([kept])[kept.id]
    rights.erase(PERSON, maelle.id, asked_by=rights.API, actor_id=anne.id)
    db.session.expire_all()
    row = db.session.scalars(select(ApprovalRequest)).one()
    assert (row.payload, row.outcome) == ({}, "withdrawn")
    rows = queries.page(anne.id, {"hr"}, view=queries.MINE).rows
    assert len(rows) == 1 and maelle.name not in rows[0].words
    exports = [h for h in personal_data.holdings(PERSON) if h.key == "approvals.requests"]
    assert len(exports) == 1
