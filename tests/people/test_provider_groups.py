"""What groups give, what they take back, and what they never touch."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput, NotFound
from app.people import provider_groups, provider_settings, service
from app.people.identities import Claims, recognise
from app.people.models import Person, RoleGrant, Segment, SegmentPerson

ISSUER = "https://id.halvenne.example/realms/main"


@pytest.fixture
def maelle(any_app) -> Person:
    provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    return service.add_person(kind="employee", name="Maëlle Kerjan", email="m@halvenne.example")


@pytest.fixture
def admin(any_app) -> Person:
    return service.add_person(
        kind="employee", name="Inès Duval", email="ines@halvenne.example", roles=["admin"]
    )


def sign_in(groups: Iterable[str] | None, email: str = "m@halvenne.example") -> uuid.UUID:
    known = None if groups is None else frozenset(groups)
    return recognise(Claims(ISSUER, f"sub-{email}", email, groups=known))


def segment(name: str = "Lorient", rule: dict[str, object] | None = None) -> uuid.UUID:
    with transaction() as session:
        row = Segment(name=name, rule=rule)
        session.add(row)
        session.flush()
        return row.id


def grants(person: Person) -> set[tuple[str, uuid.UUID | None, str | None]]:
    rows = db.session.execute(
        select(RoleGrant.role, RoleGrant.segment_id, RoleGrant.source).where(
            RoleGrant.person_id == person.id
        )
    )
    return {(row.role, row.segment_id, row.source) for row in rows}


def lists(person: Person) -> set[tuple[uuid.UUID, str | None]]:
    rows = db.session.execute(
        select(SegmentPerson.segment_id, SegmentPerson.source).where(
            SegmentPerson.person_id == person.id
        )
    )
    return {(row.segment_id, row.source) for row in rows}


def noted(*actions: str) -> list[tuple[str, uuid.UUID | None, dict[str, object]]]:
    rows = db.session.execute(
        select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.details)
        .where(AuditEntry.action.in_(actions))
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    return [(row.action, row.actor_id, row.details) for row in rows]


def test_it_gives_a_role_by_group_and_takes_it_back_without_the_group(maelle):
    provider_groups.add_mapping("/rh/comm", "curator", None)
    sign_in(["/rh/comm", "/tous"])
    assert grants(maelle) == {("curator", None, "provider")}
    sign_in(["/rh/comm"])
    assert grants(maelle) == {("curator", None, "provider")}
    sign_in(["/tous"])
    assert grants(maelle) == set()
    assert noted("role.given", "role.taken") == [
        ("role.given", None, {"role": "curator", "source": "provider"}),
        ("role.taken", None, {"role": "curator", "source": "provider"}),
    ]


def test_it_limits_a_role_to_a_segment(maelle):
    lorient = segment()
    provider_groups.add_mapping("recruiters-lorient", "recruiter", lorient)
    sign_in(["recruiters-lorient"])
    assert grants(maelle) == {("recruiter", lorient, "provider")}
    sign_in([])
    assert grants(maelle) == set()


def test_it_gives_nothing_for_groups_that_nobody_named_here(maelle):
    provider_groups.add_mapping("comm", "curator", None)
    sign_in(["COMM", "comm ", "/comm", "admin", "member", "curator"])
    assert grants(maelle) == set()


def test_it_never_touches_what_a_human_gave(maelle, admin):
    service.change_roles(maelle.id, ["curator", "lead"], actor_id=admin.id)
    provider_groups.add_mapping("comm", "curator", None)
    sign_in(["comm"])
    assert grants(maelle) == {("curator", None, None), ("lead", None, None)}
    sign_in([])
    assert grants(maelle) == {("curator", None, None), ("lead", None, None)}


def test_it_keeps_what_is_when_the_groups_are_not_known(maelle, caplog):
    lorient = segment()
    provider_groups.add_mapping("comm", "curator", None)
    provider_groups.add_mapping("comm", None, lorient)
    sign_in(["comm"])
    with caplog.at_level(logging.WARNING):
        sign_in(None)
    assert grants(maelle) == {("curator", None, "provider")}
    assert lists(maelle) == {(lorient, "provider")}
    assert "told no groups" in caplog.text
    assert not any(word in caplog.text for word in ("Maëlle", "halvenne", "sub-", str(maelle.id)))


def test_member_never_comes_from_a_group(maelle):
    with pytest.raises(InvalidInput):
        provider_groups.add_mapping("all", "member", None)
    with transaction() as session:
        session.add(provider_groups.ProviderMapping(value="all", role="member"))
    sign_in(["all"])
    assert grants(maelle) == set()


def test_the_last_administrator_stays_one(maelle, caplog):
    provider_groups.add_mapping("it", "admin", None)
    sign_in(["it"])
    sign_in([])
    assert grants(maelle) == {("admin", None, "provider")}
    assert "last administrator" in caplog.text
    other = service.add_person(
        kind="employee", name="Inès Duval", email="i@halvenne.example", roles=["admin"]
    )
    sign_in([])
    assert grants(maelle) == set()
    assert grants(other) == {("admin", None, None)}


def test_a_line_that_goes_leaves_the_last_administrator_too(maelle):
    line = provider_groups.add_mapping("it", "admin", None)
    sign_in(["it"])
    provider_groups.remove_mapping(line)
    assert grants(maelle) == {("admin", None, "provider")}


def test_it_puts_people_on_lists_and_takes_off_only_those_it_put_there(maelle):
    lorient, rennes = segment("Lorient"), segment("Rennes")
    with transaction() as session:
        session.add(SegmentPerson(segment_id=rennes, person_id=maelle.id))
    for value in ("bretagne", "tous"):
        provider_groups.add_mapping(value, None, lorient)
        provider_groups.add_mapping(value, None, rennes)
    sign_in(["bretagne", "tous"])
    assert lists(maelle) == {(lorient, "provider"), (rennes, None)}
    sign_in(["tous"])
    assert lists(maelle) == {(lorient, "provider"), (rennes, None)}
    sign_in([])
    assert lists(maelle) == {(rennes, None)}
    assert [action for action, _, _ in noted("segment.entered", "segment.left")] == [
        "segment.entered", "segment.left",
    ]  # fmt: skip


def test_a_line_that_goes_takes_back_at_once_what_it_alone_gave(maelle, admin):
    lorient = segment()
    one = provider_groups.add_mapping("comm", "curator", None, actor_id=admin.id)
    two = provider_groups.add_mapping("press", "curator", None)
    place = provider_groups.add_mapping("comm", None, lorient)
    sign_in(["comm"])
    provider_groups.remove_mapping(one, actor_id=admin.id)
    assert grants(maelle) == {("curator", None, "provider")}, "another line gives it as well"
    provider_groups.remove_mapping(two, actor_id=admin.id)
    provider_groups.remove_mapping(place, actor_id=admin.id)
    assert grants(maelle) == set()
    assert lists(maelle) == set()
    assert noted("role.taken")[-1][1] == admin.id
    with pytest.raises(NotFound):
        provider_groups.remove_mapping(one)


@pytest.mark.parametrize(
    ("value", "role", "where", "field"),
    [
        ("", "curator", None, "value"),
        ("  \0 ", "curator", None, "value"),
        ("x" * 301, "curator", None, "value"),
        ("comm", "owner", None, "role"),
        ("comm", "", None, "role"),
        ("comm", None, None, "segment_id"),
        ("comm", "curator", "unknown", "segment_id"),
        ("comm", None, "rule", "segment_id"),
    ],
)
def test_it_refuses_a_line_that_could_give_nothing(any_app, value, role, where, field):
    places = {None: None, "unknown": uuid.uuid4(), "rule": None}
    if where == "rule":
        places["rule"] = segment("By rule", {"all": []})
    with pytest.raises(InvalidInput) as refused:
        provider_groups.add_mapping(value, role, places[where])
    assert {*refused.value.errors} == {field}
    assert provider_groups.mappings() == []


def test_it_keeps_each_line_once_and_tells_who_wrote_it_without_the_group(admin):
    lorient = segment()
    provider_groups.add_mapping("comm", "curator", None, actor_id=admin.id)
    provider_groups.add_mapping("comm", "curator", lorient, actor_id=admin.id)
    for where in (None, lorient):
        with pytest.raises(InvalidInput):
            provider_groups.add_mapping(" comm ", "curator", where)
    assert [(m.value, m.role, m.segment_name) for m in provider_groups.mappings()] == [
        ("comm", "curator", None), ("comm", "curator", "Lorient"),
    ]  # fmt: skip
    told = noted("provider.mapping_added")
    assert [actor for _, actor, _ in told] == [admin.id] * 2
    assert "comm" not in str(told)


def test_what_a_group_gave_ends_with_a_departure(maelle, admin):
    provider_groups.add_mapping("comm", "curator", None)
    sign_in(["comm"])
    service.depart(maelle.id, actor_id=admin.id)
    assert grants(maelle) == set()
