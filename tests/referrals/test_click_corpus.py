"""F38: every request of the corpus is given its label, and leaves nothing of its visitor."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from app import clock
from app.db import db, transaction
from app.people.models import Person
from app.privacy import purge
from app.referrals import clicks, links, words
from app.referrals.models import Click, OfferLink
from tests.conftest import House
from tests.referrals import click_corpus
from tests.referrals.click_corpus import CORPUS, Asked, Case
from tests.referrals.public_kit import forget

PLAIN = [case for case in CORPUS if case.is_plain]
STORIES = [case for case in CORPUS if not case.is_plain]
PRIVATE = list(click_corpus.private())


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.name)
def test_it_knows_by_the_request_alone(case: Case) -> None:
    [asked] = case.asked
    hit = clicks.Hit(asked.method, asked.headers, asked.address)
    assert clicks.classify(hit) == asked.label, case.why


class Door:
    """A personal link, and the browsers of those who come to it."""

    def __init__(self, house: House, owner: Person) -> None:
        self.house = house
        self.owner, self.colleague = owner, house.person("Théo Rossignac")
        self.open = links.link_for(owner.id, house.offer(), "link")
        self.codes = {"open": self.open.code, "unknown": "AAAAAAAAAA"}
        self.codes["withdrawn"] = self._ended(revoked_at=clock.now())
        self.codes["expired"] = self._ended(expires_at=clock.now())

    def _ended(self, **values: dt.datetime) -> str:
        link = links.link_for(self.owner.id, self.house.offer(f"Charpente {values}"[:60]), "link")
        with transaction() as session:
            session.execute(update(OfferLink).where(OfferLink.id == link.id).values(**values))
        return link.code

    def browser(self, reader: str) -> FlaskClient:
        if not reader:
            return self.house.app.test_client()
        return self.house.browser(self.owner if reader == "own" else self.colleague)

    def ask(self, asked: Asked) -> str:
        """The verdict that was stored for one request, or 'none'."""
        forget()
        before = set(self._kept())
        answer = self.browser(asked.reader).open(
            f"/r/{self.codes[asked.link]}",
            method=asked.method,
            headers=dict(asked.headers),
            environ_overrides={"REMOTE_ADDR": asked.address},
        )
        assert "Set-Cookie" not in answer.headers
        new = [verdict for click_id, verdict in self._kept().items() if click_id not in before]
        assert len(new) <= 1
        return new[0] if new else "none"

    def tell(self, case: Case) -> list[str]:
        """The verdicts of a story, long after whatever came before it."""
        clock.travel(dt.timedelta(minutes=1))
        began, verdicts = clock.now(), []
        for asked in case.asked:
            clock.freeze(began + dt.timedelta(seconds=asked.at))
            verdicts.append(self.ask(asked))
        return verdicts

    def _kept(self) -> dict[object, str]:
        db.session.rollback()
        self.house.ingest()
        return {row.id: row.verdict for row in db.session.execute(select(Click.id, Click.verdict))}


@pytest.fixture
def door(house: House, maelle: Person) -> Iterator[Door]:
    clock.freeze(clock.now())
    yield Door(house, maelle)
    clock.release()


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.name)
def test_it_knows_by_what_came_before_and_by_whom(door: Door, case: Case) -> None:
    assert door.tell(case) == [asked.label for asked in case.asked], case.why


def test_it_counts_who_asks_for_privacy_and_keeps_nothing_to_know_them_again(door: Door) -> None:
    for case in PRIVATE:
        assert door.tell(case) == ["person"], case.name
    clock.travel(dt.timedelta(hours=49))
    purge.run("visitor-keys")
    db.session.rollback()
    assert set(db.session.scalars(select(Click.visitor_key))) == {None}


def test_it_keeps_neither_an_address_nor_a_browser(door: Door) -> None:
    told = [case for case in STORIES if len(case.asked) < 10]
    for case in told:
        door.tell(case)
    db.session.rollback()
    stored = str(db.session.execute(text("select * from click")).all())
    for asked in (asked for case in told for asked in case.asked):
        assert asked.address not in stored
        assert asked.headers.get("user-agent", "no agent") not in stored


def test_the_corpus_is_as_large_and_as_mixed_as_promised() -> None:
    counted = Counter(asked.label for case in CORPUS for asked in case.asked)
    assert counted.total() >= 300
    assert set(counted) == set(click_corpus.LABELS)
    assert all(case.why and case.asked for case in CORPUS)


def test_every_reason_is_said_in_words(house: House) -> None:
    with house.app.test_request_context():
        said = words.opening_reasons()
    assert set(said) == set(click_corpus.LABELS) - {"person", "none"}
    assert all(len(sentence) > 20 for sentence in said.values())


def test_the_list_of_programs_says_of_when_and_from_where_it_is() -> None:
    known = json.loads(Path(clicks.__file__).with_name("robots.json").read_text("utf-8"))
    dates = [dt.date.fromisoformat(source["date"]) for source in known["sources"]]
    assert dates
    assert max(dates) <= dt.date.fromisoformat(known["date"])


def test_every_program_of_the_list_is_found_wherever_it_names_itself() -> None:
    known = json.loads(Path(clicks.__file__).with_name("robots.json").read_text("utf-8"))
    tokens = [token for group in known["robots"].values() for token in group]
    for token in tokens:
        said = f"Mozilla/5.0 (compatible; {token.upper()} 1.0; example)"
        hit = clicks.Hit("GET", {"user-agent": said}, "192.0.2.7")
        assert clicks.classify(hit) == "robot", token
