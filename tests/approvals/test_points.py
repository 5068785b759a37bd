"""Points given, or no longer asked back, by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app import ledger, personal_data, rights
from app.approvals import queries, service
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


def balance(person: Person) -> int:
    db.session.expire_all()
    return accounts.balance_of(person.id).available


def test_it_gives_points_by_two(people_of):
    anne, paul, maelle = people_of
    made = by_hand.submit_give(maelle.id, 20, WORDS, actor_id=anne.id)
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
    assert not by_hand.submit_give(maelle.id, 50, WORDS, actor_id=anne.id).waits
    assert by_hand.submit_give(maelle.id, 51, WORDS, actor_id=anne.id).waits
    assert balance(maelle) == 50


def test_it_lets_nobody_decide_about_their_own_points(people_of):
    anne, paul, _ = people_of
    set_rule(points=False)
    made = by_hand.submit_give(anne.id, 5, WORDS, actor_id=anne.id)
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
    with pytest.raises(ledger.AboveDebt):
        by_hand.submit_waive(maelle.id, 31, WORDS, actor_id=anne.id)
    made = by_hand.submit_waive(maelle.id, 30, WORDS, actor_id=anne.id)
    service.approve(made.request_id, paul.id)
    set_rule(points=False)
    with pytest.raises(ledger.AboveDebt):
        by_hand.submit_waive(maelle.id, 1, WORDS, actor_id=anne.id)
    assert ledger.verify().ok


def test_it_refuses_at_once_what_cannot_be(house, people_of):
    anne, _, maelle = people_of
    for points, words in ((0, WORDS), (-5, WORDS), (5, "  "), (5, "x" * 501)):
        with pytest.raises(InvalidInput):
            by_hand.submit_give(maelle.id, points, words, actor_id=anne.id)
    stranger = house.person("Théo Rossignac", joined=False)
    with pytest.raises(by_hand.NoAccount):
        by_hand.submit_give(stranger.id, 5, WORDS, actor_id=anne.id)
    assert acts() == []


def test_it_names_nobody_who_left_the_programme(people_of):
    anne, paul, maelle = people_of
    made = by_hand.submit_give(maelle.id, 20, WORDS, actor_id=anne.id)
    people.leave(maelle.id)
    rows, _more = queries.page(paul.id, {"hr"})
    assert maelle.name not in rows[0].words
    with pytest.raises(by_hand.NoAccount):
        service.approve(made.request_id, paul.id)
    assert service.decline(made.request_id, paul.id)


def test_it_keeps_no_words_that_an_erasure_does_not_reach(people_of):
    anne, _, maelle = people_of
    by_hand.submit_give(maelle.id, 20, WORDS, actor_id=anne.id)
    kept = open_request()
    assert WORDS not in str(kept.payload)
    assert queries.in_words([kept])[kept.id].endswith(f"“{WORDS}”")
    rights.erase(PERSON, maelle.id, asked_by=rights.API, actor_id=anne.id)
    db.session.expire_all()
    row = db.session.scalars(select(ApprovalRequest)).one()
    assert (row.payload, row.outcome) == ({}, "withdrawn")
    rows, _more = queries.page(anne.id, {"hr"}, view=queries.MINE)
    assert len(rows) == 1 and maelle.name not in rows[0].words
    exports = [h for h in personal_data.holdings(PERSON) if h.key == "approvals.requests"]
    assert len(exports) == 1
