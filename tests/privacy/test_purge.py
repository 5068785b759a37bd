"""What is over is forgotten, all of it, once, whatever is killed."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, inspect, select, text, update

from app import clock, ledger, outbox, personal_data, retention
from app.api.models import IdempotencyKey
from app.charters import service as charters
from app.db import db, new_id, transaction
from app.library.models import Topic
from app.mail.folder import mail_folder
from app.people import service as people
from app.people.models import Login, Membership, ParkedForm, Person
from app.personal_data import PERSON
from app.privacy import purge
from app.privacy.purge_rules import FILE_RULES, RULES, WITH_ITS_OWNER
from app.provisioning.imports import service as imports
from app.provisioning.imports.models import ImportedPerson, PeopleImport, PeopleImportLine
from app.referrals import service
from app.referrals.models import Candidate, Click, ClickHour, OfferLink, Referral
from app.sharing.models import IdeaMail, NetworkQuota, Share
from tests.conftest import START, House
from tests.privacy.loaded import plant, row
from tests.privacy.purge_kills import SIX_YEARS, Place, check

EMPTIED = {"share", "offer_link"}
"""Rows that stay for figures, without what was in them."""


def _with_the_membership() -> set[str]:
    """Tables that the rule `memberships` empties of a person, by their declarations."""
    return {
        table.__tablename__
        for holding in personal_data.holdings(PERSON)
        if holding.retention is retention.MEMBERSHIP and PERSON in holding.erasures
        for table in holding.tables
    }


def test_each_table_whose_class_names_a_time_is_in_a_rule(app: Flask) -> None:
    ruled = {model.__tablename__ for rule in RULES for model in (rule.model, *rule.also)}
    gone = ruled | _with_the_membership()
    timed = {
        mapper.class_.__tablename__: mapper.class_.__retention__
        for mapper in db.Model.registry.mappers
        if mapper.class_.__retention__.after is not None
    }
    assert set(timed) - gone - {"lease"} == set(WITH_ITS_OWNER)
    assert {timed[name] for name in WITH_ITS_OWNER} == {retention.MEMBERSHIP}
    others = {name for name, kind in timed.items() if kind is not retention.MEMBERSHIP}
    assert others - ruled <= {"lease"}, "a declaration deals with one class only"


def test_nothing_of_taking_part_is_left_five_years_after_leaving(house: House) -> None:
    """Whatever table is added to the class: a row of a leaver's goes, one of a member's stays."""
    house.referral(house.person("Maëlle Kerjan"))
    leaver, member = house.person("Ines Roux").id, house.person("Sofiane Belkhir").id
    charters.ensure_default(clock.now())
    for person_id in (leaver, member):
        people.give_consent(person_id, "recognition")
    owners = _owners()
    assert len(owners) > 10
    with transaction() as session:
        session.add(row(Topic, 0))
        session.flush()
        for number, (model, column) in enumerate(owners):
            for person_id in (leaver, member):
                if not _count(model, column, person_id):
                    session.add(row(model, number, **{column: person_id}))
    people.leave(leaver)
    outbox.drain()
    kept = {model.__tablename__ for model, column in owners if _count(model, column, leaver)}
    assert kept >= {"consent_record", "consent", "charter_acceptance", "membership", "share"}
    for days, left in ((-1, kept), (1, EMPTIED)):
        clock.freeze(START + dt.timedelta(days=5 * 365 + days))
        purge.run()
        found = {model.__tablename__ for model, column in owners if _count(model, column, leaver)}
        assert found == left
    assert [m.__tablename__ for m, column in owners if not _count(m, column, member)] == []
    (post,) = db.session.scalars(select(Share).where(Share.person_id == leaver))
    assert (post.words, post.post_text, post.code, post.post_urn) == ("", "", None, None)
    (link,) = db.session.scalars(select(OfferLink).where(OfferLink.person_id == leaver))
    assert link.revoked_at is not None


def _owners() -> list[tuple[type[Any], str]]:
    """Models of the class, with the column that says whose a row is."""
    return [
        (mapper.class_, column.name)
        for mapper in db.Model.registry.mappers
        if mapper.class_.__retention__ is retention.MEMBERSHIP
        for column in mapper.local_table.columns
        for key in column.foreign_keys
        if key.column.table.name == "person"
    ]


def _count(model: type[Any], column: str, person_id: uuid.UUID) -> int:
    theirs = getattr(model, column) == person_id
    return db.session.scalar(select(func.count()).select_from(model).where(theirs)) or 0


@pytest.fixture
def loaded(house: House) -> House:
    """Something of everything, some of it from somebody who left, departed or applied."""
    maelle, leaver = house.person("Maëlle Kerjan"), house.person("Ines Roux")
    gone = house.person("Théo Le Goff")
    for _ in range(3):
        house.referral(maelle)
    house.referral(leaver)
    closed = house.referral(gone)
    service.set_stage(closed, "closed", actor_id=maelle.id, actor_role="recruiter")
    people.leave(leaver.id)
    people.depart(gone.id)
    outbox.drain()
    now = clock.now()
    with transaction() as session:
        session.add_all([
            IdeaMail(person_id=maelle.id, sent_at=now),
            NetworkQuota(network="linkedin", day=now.date(), holder="x", calls=3),
            ParkedForm(key_hash="a" * 64, content="{}", expires_at=now),
            Click(id=new_id(), link_id=new_id(), occurred_at=now, verdict="person",
                  visitor_key="k"),
        ])  # fmt: skip
        session.add_all(
            ClickHour(link_id=new_id(), hour=now.replace(minute=0, second=0, microsecond=0),
                      verdict="person", count=1) for _ in range(3)
        )  # fmt: skip
    house.browser(maelle).get("/me")
    return house


def _overdue() -> dict[str, int]:
    found = {rule.key: purge.overdue(rule, clock.now()) for rule in (*RULES, *FILE_RULES)}
    return {key: count for key, count in found.items() if count}


def rows() -> dict[str, Counter[str]]:
    db.session.rollback()
    return {
        table: Counter(map(str, db.session.execute(text(f'select * from "{table}"'))))
        for table in inspect(db.engine).get_table_names()
    }


def test_six_years_later_one_run_leaves_nothing_overdue_and_a_second_changes_nothing(
    loaded: House,
) -> None:
    lines = db.session.scalar(text("select count(*) from ledger_entry"))
    clock.freeze(START + SIX_YEARS)
    assert len(_overdue()) > 8
    done = purge.run()
    assert sum(done.values()) > 10
    outbox.drain()
    purge.run()
    assert _overdue() == {}
    before = rows()
    assert sum(purge.run().values()) == 0
    assert rows() == before
    assert ledger.verify().ok
    assert db.session.scalar(text("select count(*) from ledger_entry")) == lines
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1
    named = set(db.session.scalars(select(Person.name).where(Person.erased_at.is_(None))))
    assert "Maëlle Kerjan" in named, "who takes part stays"
    assert "Ines Roux" in named, "and who is in the directory"
    assert "Théo Le Goff" not in named
    ended = db.session.scalars(select(Candidate).where(Candidate.erased_at.is_not(None))).all()
    assert [candidate.email for candidate in ended] == [None]


def test_nothing_goes_before_its_time(loaded: House) -> None:
    purge.run()
    before = rows()
    clock.freeze(START + dt.timedelta(hours=1))
    done = {key: count for key, count in purge.run().items() if count}
    assert set(done) <= {"parked-forms", "sign-in-steps", "email-codes", "candidate-codes"}
    after = rows()
    for table in ("person", "membership", "candidate", "click", "audit_entry", "outbox_event"):
        assert after[table] == before[table], table


def test_an_import_is_forgotten_once_nobody_came_by_it(any_app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,email\nMaëlle Kerjan,maelle@halvenne.example\n")
    imports.import_now(file)
    clock.freeze(START + SIX_YEARS)
    purge.run("people-import-lines", "people-imports")
    assert db.session.scalar(select(func.count()).select_from(PeopleImportLine)) == 0
    assert db.session.scalar(select(func.count()).select_from(PeopleImport)) == 1
    with transaction() as session:
        session.execute(delete(ImportedPerson))
    purge.run("people-imports")
    assert db.session.scalar(select(func.count()).select_from(PeopleImport)) == 0


@pytest.mark.parametrize(
    ("days", "left"), [(182, 1), (184, 0)], ids=["before six months", "after them"]
)
def test_a_sign_in_is_kept_half_a_year(house: House, days: int, left: int) -> None:
    house.browser(house.person("Maëlle Kerjan"))
    clock.freeze(START + dt.timedelta(days=days))
    purge.run("sessions")
    assert db.session.scalar(select(func.count()).select_from(Login)) == left


def test_a_rule_that_fails_leaves_the_others_their_turn(
    loaded: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock.freeze(START + SIX_YEARS)
    first = RULES[0]

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    broken = type(first)(first.key, first.title, first.model, first.overdue, fail)
    monkeypatch.setattr(purge, "RULES", (broken, *RULES[1:]))
    with pytest.raises(OSError, match="full"):
        purge.run()
    monkeypatch.undo()
    assert set(_overdue()) <= {first.key}
    assert "candidates could not be forgotten" in caplog.text


def test_the_page_says_what_goes_before_it_goes(loaded: House) -> None:
    admin = loaded.person("Pauline Ferré", "admin")
    clock.freeze(START + dt.timedelta(days=20))
    page = loaded.browser(admin).get("/studio/retention?lang=en").get_data(as_text=True)
    assert "Contents of events from tracking systems" in page
    assert "Facts that were dealt with" in page
    before = rows()
    purge.preview()
    assert rows() == before


def test_mails_are_read_once_for_all_who_go_together(
    loaded: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox.drain()
    with transaction() as session:
        session.execute(update(Referral).values(ended_at=clock.now()))
    folder = mail_folder()
    files = {file.name for file in folder.iterdir()}
    opened: Counter[str] = Counter()
    read = Path.read_bytes

    def counted(path: Path) -> bytes:
        opened[path.name] += path.parent == folder
        return read(path)

    clock.freeze(START + SIX_YEARS)
    monkeypatch.setattr(Path, "read_bytes", counted)
    assert purge.run("candidates") == {"candidates": 5}
    assert len(files) >= 5
    assert {name: opened[name] for name in files} == dict.fromkeys(files, 1)
    assert len({*folder.iterdir()}) < len(files), "those to them are gone"


def test_programs_answers_go_after_two_days(any_app: Flask) -> None:
    with transaction() as session:
        for age in (1, 3):
            session.add(IdempotencyKey(
                **{column.name: _anything(column.name, age) for column in
                   IdempotencyKey.__table__.columns if not column.nullable}
            ))  # fmt: skip
    purge.run("answers")
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


def _anything(name: str, age: int) -> object:
    if name == "created_at":
        return clock.now() - dt.timedelta(days=age)
    return {"id": new_id(), "person_id": None, "status": 201}.get(name, f"{name}{age}")


def test_killed_again_and_again_it_ends_the_same(loaded: House, tmp_path: Path) -> None:
    """A slice; `python -m tests.soak --only purges` loads more and kills oftener."""
    outbox.drain()
    plant(30, seed=1)
    folder = Path(loaded.app.extensions["portevoix"].data_dir)
    db.session.remove()
    db.engine.dispose()
    base = tmp_path / "base" / "data"
    shutil.copytree(folder, base)
    place = Place(base, "", None, clock.now() + SIX_YEARS, batch=11)
    assert len(check(place, 1, 4).kills) == 4
