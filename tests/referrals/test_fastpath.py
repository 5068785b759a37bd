"""Openings that are answered before Flask: the same answers, the same lines, nothing asked."""

from __future__ import annotations

import datetime as dt
import re
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from app import clock, create_app
from app.cli import doctor
from app.db import db, transaction
from app.people.models import Person
from app.referrals import clicks, hits, links, spool
from app.referrals.models import Click, OfferLink
from tests.conftest import House, serving, settings_for
from tests.referrals.public_kit import PHONE, Visitor, forget

Ingested = Callable[[], int]


@pytest.fixture
def link(house: House) -> OfferLink:
    return links.link_for(house.person("Maëlle Kerjan").id, house.offer(), "link")


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house.app)


def places(visitor: Visitor, code: str, times: int = 2, **more: object) -> list[str | None]:
    """Where some openings in a row lead; the first is answered by Flask, the others are not."""
    answers = [visitor.open("GET", f"/r/{code}", **more) for _ in range(times)]
    return [answer.headers.get("Location") for answer in answers]


def _headers(answer: object) -> list[tuple[str, str]]:
    return sorted((k, re.sub(r"k=[\w-]+", "k=…", v)) for k, v in answer.headers)  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "?lang=fr", "?lang=xx", "?lang=", "?a=b&lang=en&lang=fr",
                                   "?l%61ng=fr", "?trk=lang", "?%ff=%"])  # fmt: skip
def test_an_answer_is_the_same_to_the_letter(
    link: OfferLink, visitor: Visitor, method: str, query: str
) -> None:
    by_flask = visitor.open(method, f"/r/{link.code}{query}")
    before_it = visitor.open(method, f"/r/{link.code}{query}")
    assert by_flask.status == before_it.status == "302 FOUND"
    assert _headers(by_flask) == _headers(before_it)
    assert by_flask.data == before_it.data == b""


def test_the_second_opening_asks_the_database_nothing(
    link: OfferLink, visitor: Visitor, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    first = count_queries(lambda: visitor.open("GET", f"/r/{link.code}"))
    second = count_queries(lambda: visitor.open("GET", f"/r/{link.code}"))
    assert (first, second) == (2, 0)


def test_each_opening_has_a_click_id_of_its_own(
    link: OfferLink, visitor: Visitor, ingested: Ingested
) -> None:
    found = places(visitor, link.code, 4)
    tokens = [re.search(r"k=([\w-]+)", place or "") for place in found]
    read = [clicks.read_signed(token[1]) for token in tokens if token]
    assert ingested() == 4
    stored = set(db.session.scalars(select(Click.id)))
    assert {click_id for click_id, _ in filter(None, read)} == stored
    assert {link_id for _, link_id in filter(None, read)} == {link.id}


def test_both_ways_give_the_same_verdict_and_the_same_key(
    link: OfferLink, visitor: Visitor, ingested: Ingested
) -> None:
    """So a repeat is one, whichever way either of them came."""
    said = [{}, {"User-Agent": "curl/8.5.0"}, {"Sec-Purpose": "prefetch"}, {"Range": "bytes=0-9"}]
    for headers in said:
        clock.travel(dt.timedelta(minutes=1))
        hits.door_of(visitor.client.application).codes.close()
        places(visitor, link.code, headers=headers)
    ingested()
    rows = db.session.execute(
        select(Click.verdict, Click.visitor_key).order_by(Click.occurred_at, Click.id)
    ).all()
    assert sorted(row.verdict for row in rows) == [
        "person", "prefetch", "prefetch", "probe", "probe", "repeat", "robot", "robot",
    ]  # fmt: skip
    assert len({row.visitor_key for row in rows}) == 2, "one for each family of browsers"


def test_readers_of_ours_are_known_though_the_code_is_remembered(
    house: House, link: OfferLink, visitor: Visitor, ingested: Ingested
) -> None:
    visitor.open("GET", f"/r/{link.code}")
    owner = db.session.get(Person, link.person_id)
    assert owner is not None
    for person in (owner, house.person("Théo Rossignac")):
        forget()
        house.browser(person).get(f"/r/{link.code}", headers={"User-Agent": PHONE})
    ingested()
    verdicts = db.session.scalars(select(Click.verdict).order_by(Click.occurred_at, Click.id))
    assert sorted(verdicts) == ["colleague", "person", "self"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_answered_by_flask(
    link: OfferLink, visitor: Visitor, method: str, ingested: Ingested
) -> None:
    visitor.open("GET", f"/r/{link.code}")
    status = visitor.open(method, f"/r/{link.code}").status_code
    assert status == (200 if method == "OPTIONS" else 405)
    assert ingested() == 1


def test_it_stands_behind_what_trusted_proxies_say(
    template: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    app = create_app(settings_for(tmp_path, TRUSTED_PROXIES="1"))
    for served in serving(app):
        house = House(served)
        link = links.link_for(house.person().id, house.offer(), "link")
        visitor = Visitor(served)
        for address in ("198.51.100.7", "198.51.100.8", "203.0.113.9"):
            places(visitor, link.code, headers={"X-Forwarded-For": address})
        found = _lines(spool.folder(served.extensions["portevoix"]))
        assert len(found) == 6
        assert len({line.visitor_key for line in found}) == 2, "by network, not by proxy"


def _lines(folder: Path) -> list[spool.Line]:
    raw = b"".join(file.read_bytes() for file in folder.glob("*.clicks"))
    found = [spool.unpack(raw[at : at + spool.SIZE]) for at in range(0, len(raw), spool.SIZE)]
    return [line for line in found if line is not None]


def test_an_https_installation_sends_plain_requests_where_flask_does(
    template: Path, tmp_path: Path
) -> None:
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    settings = settings_for(tmp_path, BASE_URL="https://voix.example")
    for served in serving(create_app(settings)):
        house = House(served)
        link = links.link_for(house.person().id, house.offer(), "link")
        visitor = Visitor(served)
        secure = {"base_url": "https://voix.example"}
        by_flask = visitor.open("GET", f"/r/{link.code}", **secure)
        before_it = visitor.open("GET", f"/r/{link.code}", **secure)
        assert "Strict-Transport-Security" in before_it.headers
        assert _headers(by_flask) == _headers(before_it)
        plain = visitor.open("GET", f"/r/{link.code}", base_url="http://voix.example")
        assert plain.headers["Location"].startswith("https://voix.example/r/")


def test_nothing_of_the_visitor_is_in_the_spool(link: OfferLink, visitor: Visitor) -> None:
    for _ in range(2):
        visitor.open("GET", f"/r/{link.code}", environ_overrides={"REMOTE_ADDR": "203.0.113.77"})
    folder = spool.folder(visitor.client.application.extensions["portevoix"])
    stored = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"203.0.113" not in stored
    assert b"iPhone" not in stored


# --- codes that lead elsewhere ------------------------------------------------------------


def test_a_withdrawn_link_says_so_from_the_next_request_on(
    link: OfferLink, visitor: Visitor
) -> None:
    places(visitor, link.code)
    links.revoke(link.person_id, link.id)
    assert visitor.open("GET", f"/r/{link.code}").status_code == 410


def test_a_link_ends_at_its_time(link: OfferLink, visitor: Visitor) -> None:
    with transaction() as session:
        row = session.get(OfferLink, link.id)
        assert row is not None
        row.expires_at = clock.now() + dt.timedelta(hours=1)
    assert None not in places(visitor, link.code)
    clock.travel(dt.timedelta(hours=1))
    assert visitor.open("GET", f"/r/{link.code}").status_code == 410


# --- a disk that takes nothing -------------------------------------------------------------


def test_on_a_full_disk_the_visitor_goes_on_and_operators_see_it(
    house: House, link: OfferLink, visitor: Visitor, ingested: Ingested
) -> None:
    settings = house.app.extensions["portevoix"]
    visitor.open("GET", f"/r/{link.code}")
    full = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.SIZE, full[1]))
    try:
        before_it = visitor.open("GET", f"/r/{link.code}?lang=fr")
        hits.door_of(house.app).codes.close()
        by_flask = visitor.open("GET", f"/r/{link.code}?lang=fr")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, full)
    assert before_it.status_code == by_flask.status_code == 302
    assert before_it.headers["Location"] == by_flask.headers["Location"]
    assert "k=" not in before_it.headers["Location"]
    assert visitor.open("GET", f"/r/{link.code}").headers["Location"].count("k=") == 1
    assert ingested() == 2
    figures = visitor.get("/metrics")
    assert "portevoix_clicks_lost_total 2.0" in figures
    said = [f.text for f in doctor.examine(settings) if f.what == "spool" and f.state == "note"]
    assert len(said) == 1
    assert said[0].startswith("2 openings")


def test_a_day_without_room_for_its_secret_holds_nobody(
    house: House, link: OfferLink, visitor: Visitor
) -> None:
    clock.travel(dt.timedelta(days=400))
    folder = house.app.extensions["portevoix"].data_dir / "visitor_secret"
    folder.unlink(missing_ok=True)
    folder.mkdir()
    assert None not in places(visitor, link.code, 3)
