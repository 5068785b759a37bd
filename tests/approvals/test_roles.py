"""Giving a role where a second person is asked for: pages, API, and who may decide."""

from __future__ import annotations

import datetime as dt
import threading
import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app import approvals, clock, outbox
from app.approvals import queries, rule, service
from app.approvals.errors import AskerLost, Decided, NoSuchRequest, NotTheSecond
from app.approvals.models import ApprovalPolicy, ApprovalRequest
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import role_approvals
from app.people import service as people
from app.people.models import Person, RoleGrant, Segment
from tests.conftest import House


@pytest.fixture
def team(any_app: Flask) -> tuple[Person, Person, Person]:
    """Two administrators, and somebody without a role."""
    return make("Inès Duval", "admin"), make("Paul Ferré", "admin"), make("Théo Rossignac")


def make(name: str, *roles: str) -> Person:
    email = f"{uuid.uuid4().hex[:8]}@halvenne.example"
    return people.add_person(kind="employee", name=name, email=email, roles=roles)


def set_rule(**chosen: object) -> None:
    """The rule as it is chosen, without anybody's approval."""
    given = {"roles": "admin", "points": True, "points_above": 0, "money": False} | chosen
    with transaction() as session:
        session.merge(ApprovalPolicy(id=1, **given, changed_at=clock.now()))


def held(person: Person | uuid.UUID) -> set[tuple[str, uuid.UUID | None]]:
    db.session.expire_all()
    person_id = person.id if isinstance(person, Person) else person
    rows = select(RoleGrant.role, RoleGrant.segment_id).where(RoleGrant.person_id == person_id)
    return {(row.role, row.segment_id) for row in db.session.execute(rows)}


def open_request() -> ApprovalRequest:
    db.session.expire_all()
    return db.session.scalars(
        select(ApprovalRequest).where(ApprovalRequest.outcome.is_(None))
    ).one()


def acts() -> list[str]:
    rows = select(AuditEntry.action).where(AuditEntry.action.startswith("approval"))
    return list(db.session.scalars(rows.order_by(AuditEntry.at, AuditEntry.id)))


def test_it_lets_an_administrator_be_made_by_two_alone(team):
    ines, paul, theo = team
    assert role_approvals.change_roles(theo.id, ["admin", "curator"], actor_id=ines.id) == ["admin"]
    assert held(theo) == {("curator", None)}
    request = open_request()
    assert request.payload == {"person_id": str(theo.id), "role": "admin", "segment_id": None}
    assert service.approve(request.id, paul.id)
    assert held(theo) == {("curator", None), ("admin", None)}
    grant = db.session.scalars(
        select(RoleGrant).where(RoleGrant.person_id == theo.id, RoleGrant.role == "admin")
    ).one()
    assert grant.granted_by == ines.id
    assert acts() == ["approval.asked", "approval.approved"]


def test_it_takes_neither_the_first_nor_the_one_who_profits_for_the_second(team):
    ines, paul, _ = team
    set_rule(roles="all")
    clara = make("Clara Petit", "admin")
    role_approvals.change_roles(paul.id, ["admin", "hr"], actor_id=ines.id)
    request = open_request()
    for person in (ines, paul):
        with pytest.raises(NotTheSecond):
            service.approve(request.id, person.id)
        with pytest.raises(NotTheSecond):
            service.decline(request.id, person.id)
    with pytest.raises(NoSuchRequest):
        service.approve(request.id, make("Marc Olive", "hr").id)
    assert held(paul) == {("admin", None)}
    assert service.approve(request.id, clara.id)
    assert held(paul) == {("admin", None), ("hr", None)}


def test_it_does_nothing_twice_and_nothing_after_another_end(team):
    ines, paul, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request = open_request()
    assert service.approve(request.id, paul.id)
    assert not service.approve(request.id, paul.id)
    with pytest.raises(Decided):
        service.decline(request.id, paul.id)
    with pytest.raises(Decided):
        service.withdraw(request.id, ines.id)
    people.change_roles(theo.id, [], actor_id=ines.id)
    assert not service.approve(request.id, paul.id)
    assert held(theo) == set()


def test_it_waits_once_for_the_same(team):
    ines, paul, theo = team
    for actor in (ines, ines, paul):
        assert role_approvals.change_roles(theo.id, ["admin"], actor_id=actor.id) == ["admin"]
    assert open_request().requested_by == ines.id


def test_it_has_one_effect_when_many_decide_at_once(team, any_app):
    ines, paul, theo = team
    clara = make("Clara Petit", "admin")
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request_id, deciders, theo_id = open_request().id, [paul.id, clara.id] * 3, theo.id
    db.session.remove()
    start, ends = threading.Barrier(6), []

    def decide(person_id: uuid.UUID) -> None:
        with any_app.app_context():
            start.wait()
            ends.append(service.approve(request_id, person_id))

    threads = [threading.Thread(target=decide, args=(each,)) for each in deciders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == [False] * 5 + [True]
    assert held(theo_id) == {("admin", None)}
    assert acts().count("approval.approved") == 1


def test_it_ends_one_way_when_one_approves_and_one_declines_at_once(team, any_app):
    ines, paul, theo = team
    clara = make("Clara Petit", "admin")
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request_id = open_request().id
    pairs, theo_id = [(service.approve, paul.id), (service.decline, clara.id)], theo.id
    db.session.remove()
    start, ends = threading.Barrier(2), []

    def decide(act, person_id: uuid.UUID) -> None:
        with any_app.app_context():
            start.wait()
            try:
                ends.append(act(request_id, person_id))
            except Decided:
                ends.append("too late")

    threads = [threading.Thread(target=decide, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, ends)) == ["True", "too late"]
    outcome = db.session.get(ApprovalRequest, request_id).outcome
    assert held(theo_id) == ({("admin", None)} if outcome == "approved" else set())


def test_it_asks_once_when_two_ask_at_the_same_moment(team, any_app):
    ines, paul, theo = team
    theo_id, ids = theo.id, [ines.id, paul.id]
    db.session.remove()
    start, ends = threading.Barrier(2), []

    def ask(person_id: uuid.UUID) -> None:
        with any_app.app_context():
            start.wait()
            ends.append(role_approvals.change_roles(theo_id, ["admin"], actor_id=person_id))

    threads = [threading.Thread(target=ask, args=(each,)) for each in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ends == [["admin"], ["admin"]]
    assert open_request().subject_id == theo_id


def test_it_acts_at_once_where_nobody_could_be_the_second(any_app):
    ines, theo = make("Inès Duval", "admin"), make("Théo Rossignac")
    assert role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id) == []
    assert held(theo) == {("admin", None)}
    assert acts() == ["approval.alone"]


def test_it_counts_nobody_who_is_away_or_holds_the_role_for_a_part(any_app):
    ines, theo = make("Inès Duval", "admin"), make("Théo Rossignac")
    away = make("Paul Ferré", "admin")
    with transaction() as session:
        segment = Segment(name="Lorient", rule=None)
        session.add(segment)
        session.flush()
        session.add(RoleGrant(person_id=theo.id, role="admin", segment_id=segment.id))
        session.get_one(Person, away.id).suspended_at = clock.now()
    assert role_approvals.holders(["admin"]) == {ines.id}
    assert role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id) == []


def test_it_lets_the_one_who_asked_take_it_back(team):
    ines, paul, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request = open_request()
    with pytest.raises(NoSuchRequest):
        service.withdraw(request.id, paul.id)
    assert service.withdraw(request.id, ines.id)
    assert not service.withdraw(request.id, ines.id)
    with pytest.raises(Decided):
        service.approve(request.id, paul.id)
    assert acts() == ["approval.asked", "approval.withdrawn"]
    assert role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id) == ["admin"]


def test_it_waits_for_two_weeks(team):
    ines, paul, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request = open_request()
    clock.freeze(clock.now() + dt.timedelta(days=14))
    with pytest.raises(Decided):
        service.approve(request.id, paul.id)
    assert queries.count_for(paul.id, {"admin"}) == 0
    assert service.expire() == 1
    assert service.expire() == 0
    assert acts() == ["approval.asked", "approval.expired"]
    assert held(theo) == set()


def test_it_may_be_asked_anew_before_the_clock_noticed_the_end(team):
    ines, _, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    first = open_request().id
    clock.freeze(clock.now() + dt.timedelta(days=15))
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    assert open_request().id != first


def test_it_needs_the_first_person_to_be_able_still(team):
    ines, paul, theo = team
    make("Clara Petit", "admin")
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request = open_request()
    people.change_roles(ines.id, [], actor_id=paul.id)
    with pytest.raises(AskerLost):
        service.approve(request.id, paul.id)
    assert held(theo) == set()
    assert service.decline(request.id, paul.id)


def test_it_forgets_what_waited_for_somebody_who_left(team):
    ines, paul, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request_id = open_request().id
    people.depart(theo.id, actor_id=ines.id)
    outbox.drain()
    db.session.expire_all()
    assert db.session.get(ApprovalRequest, request_id).outcome == "withdrawn"
    with pytest.raises(Decided):
        service.approve(request_id, paul.id)


def test_it_forgets_what_somebody_who_left_had_asked_for(team):
    ines, paul, theo = team
    role_approvals.change_roles(theo.id, ["admin"], actor_id=ines.id)
    request_id = open_request().id
    people.depart(ines.id, actor_id=paul.id)
    outbox.drain()
    db.session.expire_all()
    assert db.session.get(ApprovalRequest, request_id).outcome == "withdrawn"
    assert held(theo) == set()


def test_it_changes_nothing_where_the_act_is_no_longer_possible(team):
    ines, paul, theo = team
    set_rule(roles="all")
    with transaction() as session:
        segment = Segment(name="Lorient", rule=None)
        session.add(segment)
        session.flush()
        segment_id = segment.id
    assert role_approvals.give_role(theo.id, "recruiter", segment_id, actor_id=ines.id)
    with transaction() as session:
        session.get_one(Segment, segment_id).archived_at = clock.now()
    request = open_request()
    with pytest.raises(InvalidInput):
        service.approve(request.id, paul.id)
    assert open_request().id == request.id
    assert "approval.approved" not in acts()
    with transaction() as session:
        session.get_one(Segment, segment_id).archived_at = None
    assert service.approve(request.id, paul.id)
    assert held(theo) == {("recruiter", segment_id)}


def test_it_refuses_a_role_that_nobody_can_give_before_anybody_is_asked(team):
    ines, _, theo = team
    set_rule(roles="all")
    with pytest.raises(InvalidInput):
        role_approvals.change_roles(theo.id, ["member"], actor_id=ines.id)
    with pytest.raises(InvalidInput):
        role_approvals.give_role(theo.id, "hr", uuid.uuid4(), actor_id=ines.id)
    assert acts() == []


# --- the rule itself ---------------------------------------------------------------------


def test_it_asks_two_for_a_rule_that_asks_less(team):
    ines, paul, _ = team
    made = rule.change(approvals.Policy(roles="off"), actor_id=ines.id)
    assert made.waits
    assert approvals.policy() == approvals.Policy()
    assert service.approve(made.request_id, paul.id)
    assert approvals.policy() == approvals.Policy(roles="off")


def test_it_takes_a_rule_that_asks_more_at_once(team):
    ines, _, _ = team
    wanted = approvals.Policy(roles="all", money=True)
    assert not rule.change(wanted, actor_id=ines.id).waits
    assert approvals.policy() == wanted


def test_it_keeps_what_was_decided_meanwhile(team):
    """An approved change touches only what it said: nothing is lowered that nobody read."""
    ines, paul, _ = team
    made = rule.change(approvals.Policy(points_above=500), actor_id=ines.id)
    rule.change(approvals.Policy(roles="all"), actor_id=paul.id)
    assert service.approve(made.request_id, paul.id)
    assert approvals.policy() == approvals.Policy(roles="all", points_above=500)


def test_it_refuses_a_rule_that_is_none(team):
    ines, _, _ = team
    with pytest.raises(InvalidInput):
        rule.change(approvals.Policy(roles="some"), actor_id=ines.id)
    with pytest.raises(InvalidInput):
        rule.change(approvals.Policy(points_above=-1), actor_id=ines.id)


# --- by the API --------------------------------------------------------------------------


def test_it_tells_a_program_which_roles_wait(house: House):
    admin, other = house.person("Inès Duval", "admin"), house.person("Paul Ferré", "admin")
    caller = house.caller(admin)
    fields = {"name": "Théo Rossignac", "email": "theo@halvenne.example"}
    made = caller.post("/people", {**fields, "roles": ["admin", "curator"]})
    assert (made["roles"], made["roles_waiting"]) == (["curator"], ["admin"])
    listed = {row["id"]: row for row in caller.get("/people")["items"]}
    assert listed[made["id"]]["roles_waiting"] == ["admin"]
    service.approve(open_request().id, other.id)
    listed = {row["id"]: row for row in caller.get("/people")["items"]}
    row = listed[made["id"]]
    assert (row["roles"], row["roles_waiting"]) == (["admin", "curator"], [])


def test_it_answers_the_same_key_alike_though_a_role_waits(house: House):
    admin = house.person("Inès Duval", "admin")
    house.person("Paul Ferré", "admin")
    caller = house.caller(admin)
    fields = {"name": "Théo", "email": "theo@halvenne.example", "roles": ["admin"]}
    told = [caller.post("/people", fields, Idempotency_Key="k1") for _ in range(2)]
    assert told[0] == told[1]
    assert open_request().subject_id == uuid.UUID(told[0]["id"])


def test_it_gives_other_roles_at_once_by_default(house: House):
    admin = house.person("Inès Duval", "admin")
    house.person("Paul Ferré", "admin")
    fields = {"name": "Théo", "email": "theo@halvenne.example", "roles": ["hr", "lead"]}
    made = house.caller(admin).post("/people", fields)
    assert (made["roles"], made["roles_waiting"]) == (["hr", "lead"], [])
