"""A process remembers where codes lead, and never longer than they lead there."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock, config, create_app
from app.db import db, transaction
from app.referrals import code_map, links
from app.referrals.code_map import CodeMap, PostgresWatch
from app.referrals.models import LinkVersion, OfferLink
from tests.conftest import House

WITHIN = 1.0  # seconds in which a revocation takes effect everywhere


@pytest.fixture
def settings(any_app: Flask) -> config.Settings:
    found: config.Settings = any_app.extensions["portevoix"]
    return found


@pytest.fixture
def known(settings: config.Settings) -> Iterator[CodeMap]:
    made = CodeMap(settings)
    yield made
    made.close()


@pytest.fixture
def link(any_house: House) -> OfferLink:
    return links.link_for(any_house.person().id, any_house.offer(), "link")


@pytest.fixture
def elsewhere(settings: config.Settings) -> Iterator[Flask]:
    """The same installation in another process, as far as the database can tell."""
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


def forgets(known: CodeMap, code: str) -> bool:
    """Whether it does within the time that is promised."""
    deadline = time.monotonic() + WITHIN
    while known.get(code) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def remember(known: CodeMap, code: str) -> None:
    assert known.get(code) is None
    target = known.load(code)
    db.session.rollback()
    assert target is not None
    lead = known.get(code)
    assert lead is not None
    assert lead.target == target


def test_it_remembers_what_it_was_asked_for(known: CodeMap, link: OfferLink) -> None:
    remember(known, link.code)
    lead = known.get(link.code)
    assert lead is not None
    assert (lead.link, lead.link_text) == (link.id.bytes, str(link.id))
    assert lead.place.startswith("/o/")


def test_a_code_that_nobody_gave_is_asked_for_again(known: CodeMap) -> None:
    assert known.get("AAAAAAAAAA") is None
    assert known.load("AAAAAAAAAA") is None
    assert known.get("AAAAAAAAAA") is None


def test_it_forgets_what_this_process_withdraws_at_once(known: CodeMap, link: OfferLink) -> None:
    remember(known, link.code)
    links.revoke(link.person_id, link.id)
    assert forgets(known, link.code)
    target = known.load(link.code)
    assert target is not None
    assert not target.alive
    assert known.get(link.code) is None


def test_it_forgets_what_another_process_withdraws(
    known: CodeMap, link: OfferLink, elsewhere: Flask
) -> None:
    remember(known, link.code)
    with elsewhere.app_context():
        # No word through this process's memory: as another one would write it.
        with transaction() as session:
            session.execute(
                update(OfferLink).where(OfferLink.id == link.id).values(revoked_at=clock.now())
            )
            session.execute(update(LinkVersion).values(version=LinkVersion.version + 1))
        db.session.remove()
    assert forgets(known, link.code)


def test_other_writing_takes_nothing_away(
    known: CodeMap, link: OfferLink, any_house: House
) -> None:
    remember(known, link.code)
    any_house.offer("Charpente bois")
    time.sleep(2 * code_map.LOOK_EVERY)
    assert known.get(link.code) is not None


def test_a_change_that_is_undone_is_none(known: CodeMap, link: OfferLink) -> None:
    def version() -> int | None:
        db.session.rollback()
        return db.session.scalar(db.select(LinkVersion.version))

    def change_nothing() -> None:
        with transaction():
            links.changed()
            raise ZeroDivisionError

    before = version()
    with pytest.raises(ZeroDivisionError):
        change_nothing()
    assert version() == before
    with transaction():
        links.changed()
        links.changed()
    assert version() == (before or 0) + 1, "once for each transaction"


def test_what_was_read_before_a_change_is_not_remembered_after_it(
    known: CodeMap, link: OfferLink, elsewhere: Flask
) -> None:
    """A reader on an old snapshot comes late with its answer."""
    known.get(link.code)
    version = db.session.scalar(db.select(LinkVersion.version))
    target = links.find(link.code)
    db.session.rollback()
    assert target is not None
    with elsewhere.app_context():
        links.revoke(link.person_id, link.id)
        db.session.remove()
    time.sleep(code_map.EVERY + 0.05)
    known.get(link.code)
    time.sleep(0.1)
    known.get(link.code)
    known._keep(link.code, target, version)
    assert known.get(link.code) is None


def test_its_time_is_looked_at_on_each_opening(known: CodeMap, link: OfferLink) -> None:
    with transaction() as session:
        row = session.get(OfferLink, link.id)
        assert row is not None
        row.expires_at = clock.now() + dt.timedelta(hours=1)
    remember(known, link.code)
    clock.travel(dt.timedelta(hours=1))
    assert known.get(link.code) is None


def test_it_is_bounded(settings: config.Settings, any_house: House) -> None:
    known, person = CodeMap(settings, limit=3), any_house.person()
    codes = [
        links.link_for(person.id, any_house.offer(f"Poste {n}"), "link").code for n in range(5)
    ]
    for code in codes:
        remember(known, code)
    assert [known.get(code) is not None for code in codes] == [False, False, True, True, True]
    known.close()


def test_a_place_is_made_fit_for_a_header() -> None:
    target = links.Target(uuid.uuid4(), uuid.uuid4(), "https://exemple.fr/été?q=a b", True)
    assert code_map.Lead(target).place == "https://exemple.fr/%C3%A9t%C3%A9?q=a%20b"


def test_a_database_that_is_away_holds_nobody_long() -> None:
    watch = PostgresWatch("postgresql+psycopg://127.0.0.1:9/none")
    began = time.monotonic()
    assert watch.version() is None
    first = time.monotonic() - began
    began = time.monotonic()
    for _ in range(100):
        assert watch.version() is None
    assert first < 2 * code_map.PATIENCE
    assert time.monotonic() - began < 0.2
