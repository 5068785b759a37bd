"""A personal link, opened by people, programs and colleagues. F57, C1, C2, I1."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid

import pytest
import segno
from PIL import Image
from sqlalchemy import select, text

from app import clock
from app.db import db, transaction
from app.people.models import Person
from app.referrals import clicks, ingester, links, offers, spool
from app.referrals.models import Click, Offer, OfferLink
from app.web import current_settings
from tests.conftest import House
from tests.referrals.public_kit import PHONE, Visitor, forget, words


def verdicts(link: OfferLink) -> list[str]:
    """What is stored of a link's openings, after all of them were read from the spool."""
    ingester.ingest(current_settings())
    db.session.rollback()
    rows = (
        select(Click.verdict).where(Click.link_id == link.id).order_by(Click.occurred_at, Click.id)
    )
    return list(db.session.scalars(rows))


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person("Maëlle Kerjan")


@pytest.fixture
def link(house: House, maelle: Person) -> OfferLink:
    return links.link_for(maelle.id, house.offer(), "link")


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house.app)


def slug_of(link: OfferLink) -> str:
    offer = db.session.get(Offer, link.offer_id)
    assert offer is not None
    return offer.slug


def test_it_notes_the_opening_and_leads_on(link: OfferLink, visitor: Visitor) -> None:
    answer = visitor.open("GET", f"/r/{link.code}")
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    place = re.fullmatch(
        rf"/o/{slug_of(link)}\?r={link.code}&k=([\w-]+)", answer.headers["Location"]
    )
    assert place
    assert verdicts(link) == ["person"]
    [click] = db.session.scalars(select(Click))
    assert clicks.read_signed(place[1]) == (click.id, link.id)
    assert (click.verdict, click.occurred_at) == ("person", clock.now())
    assert link.code in visitor.get(answer.headers["Location"])


def test_it_stores_neither_address_nor_browser(link: OfferLink, visitor: Visitor) -> None:
    visitor.open("GET", f"/r/{link.code}", environ_overrides={"REMOTE_ADDR": "203.0.113.77"})
    assert verdicts(link) == ["person"]
    stored = str(db.session.execute(text("select * from click")).all())
    assert "203.0.113" not in stored
    assert "iPhone" not in stored


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("HEAD", {}, "head"),
        ("GET", {"User-Agent": "LinkedInBot/1.0 (compatible; Mozilla/5.0)"}, "robot"),
        ("GET", {"User-Agent": ""}, "robot"),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
    ],
)
def test_it_leads_programs_on_without_counting_them(
    link: OfferLink, visitor: Visitor, method: str, headers: dict[str, str], verdict: str
) -> None:
    assert visitor.open(method, f"/r/{link.code}", headers=headers).status_code == 302
    assert verdicts(link) == [verdict]


def test_it_counts_a_repeat_within_seconds_once(link: OfferLink, visitor: Visitor) -> None:
    for seconds in (0, 5, 30):
        clock.travel(dt.timedelta(seconds=seconds))
        visitor.open("GET", f"/r/{link.code}")
    assert verdicts(link) == ["person", "repeat", "person"]


def test_it_knows_its_owner_and_colleagues_and_stores_nothing_on_their_device_either(
    house: House, link: OfferLink, maelle: Person
) -> None:
    theo = house.person("Théo Rossignac")
    for person in (maelle, theo):
        forget()
        answer = house.browser(person).get(f"/r/{link.code}", headers={"User-Agent": PHONE})
        assert answer.status_code == 302
        assert "Set-Cookie" not in answer.headers
    assert verdicts(link) == ["self", "colleague"]


def test_it_leaves_a_session_that_has_ended_as_it_is(
    house: House, link: OfferLink, maelle: Person
) -> None:
    client = house.browser(maelle)
    clock.travel(dt.timedelta(days=40))
    answer = client.get(
        f"/r/{link.code}", headers={"User-Agent": Visitor(house.app).headers["User-Agent"]}
    )
    assert "Set-Cookie" not in answer.headers
    assert verdicts(link) == ["person"]


def test_it_says_so_for_a_code_nobody_gave(visitor: Visitor) -> None:
    for code in ("AAAAAAAAAA", "x" * 500, "' or 1=1 --"):
        assert "leads nowhere" in visitor.get(f"/r/{code}", 404)
    assert ingester.ingest(current_settings()) == 0


def test_it_says_so_when_its_owner_took_it_back(
    link: OfferLink, visitor: Visitor, maelle: Person
) -> None:
    links.revoke(maelle.id, link.id)
    page = visitor.get(f"/r/{link.code}", 410)
    assert "This link was withdrawn" in page
    assert f'href="/o/{slug_of(link)}"' in page
    assert verdicts(link) == []


def test_it_says_so_when_its_time_is_over(link: OfferLink, visitor: Visitor) -> None:
    with transaction() as session:
        row = session.get(OfferLink, link.id)
        assert row is not None
        row.expires_at = clock.now() + dt.timedelta(hours=1)
    assert visitor.open("GET", f"/r/{link.code}").status_code == 302
    clock.travel(dt.timedelta(hours=1))
    assert visitor.open("GET", f"/r/{link.code}").status_code == 410


def test_it_carries_the_language_on(link: OfferLink, visitor: Visitor) -> None:
    place = visitor.open("GET", f"/r/{link.code}?lang=fr").headers["Location"]
    assert place.endswith("&lang=fr")
    assert '<html lang="fr">' in visitor.get(place)
    odd = visitor.open("GET", f"/r/{link.code}?lang=xx").headers["Location"]
    assert "lang=" not in odd


def test_it_leads_to_a_closed_offer_which_says_so(
    house: House, link: OfferLink, visitor: Visitor
) -> None:
    offers.close_offer(link.offer_id, actor_id=None)
    answer = visitor.open("GET", f"/r/{link.code}")
    assert answer.status_code == 302
    assert "This offer is closed" in words(visitor.get(answer.headers["Location"]))


def test_it_sends_the_visitor_on_when_the_opening_cannot_be_kept(
    link: OfferLink, visitor: Visitor
) -> None:
    place = f"/o/{slug_of(link)}?r={link.code}"
    spool.folder(current_settings()).write_text("where the folder should be")
    for _ in range(2):
        answer = visitor.open("GET", f"/r/{link.code}")
        assert (answer.status_code, answer.headers["Location"]) == (302, place)


def test_it_is_a_square_to_scan(link: OfferLink, visitor: Visitor) -> None:
    picture = visitor.open("GET", f"/links/{link.code}/qr.png")
    assert picture.content_type == "image/png"
    image = Image.open(io.BytesIO(picture.data)).convert("1")
    square = segno.make_qr(f"http://127.0.0.1:8000/r/{link.code}", error="m")
    seen = [
        [
            image.getpixel((16 * (x + 4) + 8, 16 * (y + 4) + 8)) == 0
            for x in range(len(square.matrix))
        ]
        for y in range(len(square.matrix))
    ]
    assert seen == [[bool(dot) for dot in row] for row in square.matrix]
    drawing = visitor.open("GET", f"/links/{link.code}/qr.svg")
    assert drawing.content_type == "image/svg+xml"
    assert drawing.data.startswith(b"<svg")


def test_it_draws_no_square_for_a_link_that_leads_nowhere(
    link: OfferLink, visitor: Visitor, maelle: Person
) -> None:
    visitor.get("/links/AAAAAAAAAA/qr.svg", 404)
    visitor.get(f"/links/{link.code}/qr.exe", 404)
    links.revoke(maelle.id, link.id)
    visitor.get(f"/links/{link.code}/qr.svg", 410)


def test_it_survives_whatever_stands_in_its_place(any_house: House) -> None:
    visitor = Visitor(any_house.app)
    for path in ("/r/", f"/r/{uuid.uuid4()}", "/r/%00", "/r/é", "/o/", "/o/%F0%9F%98%80", "/c/%00"):
        assert visitor.open("GET", path).status_code in (404, 308)
