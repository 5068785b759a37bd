"""The public page of an offer. F57, P6, Q1, C1, C2, C3."""

from __future__ import annotations

import html
import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from app import retention
from app.db import db, transaction
from app.people import service as people
from app.people.models import Person
from app.play import rules
from app.referrals import links, offers
from app.referrals.models import Offer, OfferLink
from app.settings import save_organisation
from app.web import current_settings
from tests.conftest import House
from tests.referrals.public_kit import Visitor, fields, forget, words

WHOLE: dict[str, Any] = {
    "title": "Conduite de travaux",
    "location": "Lorient",
    "contract": "CDI",
    "department": "Travaux",
    "remote": "hybrid",
    "salary_min": 38_000,
    "salary_max": 44_000,
    "salary_currency": "EUR",
    "salary_interval": "year",
    "country_codes": ["FR"],
    "language": "fr",
    "description": "<h2>Ce que vous ferez</h2><p>Mener des chantiers.</p>",
}
GAIN = (
    "Maëlle may receive points for an application, an interview and a hire. "
    "It does not weigh in the choice."
)
EVIL = '</script><script>alert("1")</script>'


def offer(house: House, **more: Any) -> Offer:
    row = db.session.get(Offer, house.offer(**(WHOLE | more)))
    assert row is not None
    return row


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house.app)


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person("Maëlle Kerjan")


def link(person: Person, row: Offer) -> OfferLink:
    return links.link_for(person.id, row.id, "link")


def posting(page: str) -> dict[str, Any]:
    found = re.search(r'(?s)<script type="application/ld\+json">(.*?)</script>', page)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_it_says_what_is_known_of_the_offer(house: House, visitor: Visitor) -> None:
    said = words(visitor.get(f"/o/{offer(house).slug}"))
    for part in ("Conduite de travaux", "CDI in Lorient", "€38,000 to €44,000", "a year", "Travaux",
                 "Partly from home", "Mener des chantiers.", "Within 5 working days"):  # fmt: skip
        assert part in said


def test_it_leaves_out_what_is_not_known(house: House, visitor: Visitor) -> None:
    bare = house.offer("Comptable", location="")
    row = db.session.get(Offer, bare)
    assert row is not None
    page = visitor.get(f"/o/{row.slug}")
    for part in ("None", "Pay", "Place", "Team", 'class="three"'):
        assert part not in page


def test_it_promises_what_the_organisation_promises(house: House, visitor: Visitor) -> None:
    row = offer(house)
    save_organisation(name="Halvenne", brand="#00664a", promise_days=8)
    assert "Within 8 working days" in visitor.get(f"/o/{row.slug}")


def test_it_tells_who_recommends_by_first_name_and_initial(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    code = link(maelle, row).code
    page = visitor.get(f"/o/{row.slug}?r={code}")
    assert "Maëlle K. thought of you" in words(page)
    assert "Kerjan" not in page
    assert maelle.email not in page
    links.recommend(maelle.id, row.id, "On y pose ce qu’on a dessiné.")
    page = visitor.get(f"/o/{row.slug}?r={code}")
    assert "On y pose ce qu’on a dessiné." in words(page)
    assert GAIN in page
    assert fields(page)["code"] == code


def worth(fact: str, amount: int) -> None:
    """From now on, this many points at once and none on hold."""
    rules.start_version(fact, name_fr="x", name_en="x", amount=amount)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (("hire",), "for an application and an interview."),
        (("application", "hire"), "for an interview."),
        (("application", "interview"), "for a hire."),
    ],
)
def test_it_names_the_points_of_the_rules_in_force_only(
    house: House, visitor: Visitor, maelle: Person, without: tuple[str, ...], said: str
) -> None:
    row = offer(house)
    for fact in without:
        worth(fact, 0)
    page = words(visitor.get(f"/o/{row.slug}?r={link(maelle, row).code}"))
    assert f"Maëlle may receive points {said}" in page
    member = words(house.browser(maelle).get(f"/offers/{row.id}?lang=en").get_data(as_text=True))
    assert f"Points come {said[:-1]}, by the written rules." in member


def test_it_speaks_of_points_where_a_rule_and_a_recommendation_stand_behind_it(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    path = f"/o/{row.slug}?r={link(maelle, row).code}"
    assert "receive points" in visitor.get(path)
    assert "receive points" not in visitor.get(f"/o/{row.slug}")
    for fact in ("application", "interview", "hire"):
        worth(fact, 0)
    assert "receive points" not in visitor.get(path)
    assert "What it may bring" not in house.browser(maelle).get(f"/offers/{row.id}?lang=en").text


def test_it_can_be_read_without_the_recommendation(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    page = visitor.get(f"/o/{row.slug}?lang=en&r={link(maelle, row).code}")
    way_out = re.search(r'href="([^"]+)">Show this page without', page)
    assert way_out
    assert way_out[1] == f"/o/{row.slug}?lang=en"
    bare = visitor.get(way_out[1])
    assert "Maëlle" not in bare
    assert fields(bare)["code"] == ""


def test_it_names_nobody_by_a_code_that_is_not_good_here(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row, other = offer(house), offer(house, title="Comptable")
    elsewhere = link(maelle, other)
    for code in (elsewhere.code, "AAAAAAAAAA", "<b>"):
        page = visitor.get(f"/o/{row.slug}?r={code}")
        assert "Maëlle" not in page
        assert fields(page)["code"] == ""
    links.revoke(maelle.id, elsewhere.id)
    assert "Maëlle" not in visitor.get(f"/o/{other.slug}?r={elsewhere.code}")


def test_it_no_longer_names_a_member_who_left(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    code = link(maelle, row).code
    people.leave(maelle.id)
    page = visitor.get(f"/o/{row.slug}?r={code}")
    assert "Maëlle" not in page
    assert fields(page)["code"] == ""


def test_it_takes_a_click_only_from_its_own_link(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    mine, hers = link(maelle, row), link(house.person("Théo Rossignac"), row)
    place = visitor.open("GET", f"/r/{mine.code}").headers["Location"]
    click = place.split("k=")[1]
    assert fields(visitor.get(place))["click_id"] == click
    for wrong in (f"r={hers.code}&k={click}", f"r={mine.code}&k={click[:-2]}AA"):
        assert fields(visitor.get(f"/o/{row.slug}?{wrong}"))["click_id"] == ""


def test_it_asks_for_no_more_than_it_must_and_ticks_nothing(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    page = visitor.get(f"/o/{row.slug}?r={link(maelle, row).code}")
    found = fields(page)
    assert set(found) == {
        "csrf_token", "code", "click_id", "notice_version", "first_name", "last_name", "email",
        "visibility",
    }  # fmt: skip
    assert found["visibility"] == "ends"
    assert re.search(r'type="checkbox" name="notice" value="1"(?![^>]*checked)', page)


def test_it_informs_before_the_button(house: House, visitor: Visitor) -> None:
    page = visitor.get(f"/o/{offer(house).slug}")
    form = words(page[page.index("<form") : page.index("</form>")])
    before = form[: form.index("Continue")]
    for part in ("Halvenne", "To answer you about this offer", "Until 3 months after",
                 "See, correct, copy, withdraw, erase", "vie@halvenne.example"):  # fmt: skip
        assert part in before


def test_it_is_read_by_search_engines(house: House, visitor: Visitor) -> None:
    row = offer(house)
    page = visitor.get(f"/o/{row.slug}")
    read = posting(page)
    assert read["@type"] == "JobPosting"
    assert read["title"] == "Conduite de travaux"
    assert read["datePosted"] == "2026-11-17"
    assert read["employmentType"] == "FULL_TIME"
    assert read["hiringOrganization"]["name"] == "Halvenne"
    address = read["jobLocation"]["address"]
    assert (address["addressLocality"], address["addressCountry"]) == ("Lorient", "FR")
    assert read["baseSalary"]["value"] == {
        "@type": "QuantitativeValue", "unitText": "YEAR", "minValue": 38_000, "maxValue": 44_000,
    }  # fmt: skip
    assert "<h2>" in read["description"]
    assert f'<link rel="canonical" href="http://127.0.0.1:8000/o/{row.slug}">' in page
    assert set(re.findall(r'hreflang="(fr|en|x-default)" href="([^"]+)"', page)) >= {
        ("fr", f"http://127.0.0.1:8000/o/{row.slug}?lang=fr"),
        ("x-default", f"http://127.0.0.1:8000/o/{row.slug}"),
    }


def test_it_escapes_whatever_an_offer_says(house: House, visitor: Visitor, maelle: Person) -> None:
    row = offer(house, title=EVIL, location=EVIL, contract=EVIL, department=EVIL, salary_text=EVIL)
    links.recommend(maelle.id, row.id, EVIL)
    page = visitor.get(f"/o/{row.slug}?r={link(maelle, row).code}")
    assert "<script>alert" not in page
    assert posting(page)["title"] == row.title
    assert html.escape(EVIL, quote=False) in html.unescape(page) or EVIL in html.unescape(page)


def test_it_is_not_there_before_it_is_published(house: House, visitor: Visitor) -> None:
    row = offer(house)
    with transaction() as session:
        found = session.get(Offer, row.id)
        assert found is not None
        found.status = "draft"
    for path in (f"/o/{row.slug}", f"/o/{row.slug}/card-0.png", "/o/nothing-here"):
        visitor.get(path, 404)
    assert visitor.post(f"/o/{row.slug}/applications", 404).status_code == 404


def test_it_says_when_it_is_closed_and_offers_nothing_to_send(
    house: House, visitor: Visitor
) -> None:
    row = offer(house)
    offers.close_offer(row.id, actor_id=None)
    page = visitor.get(f"/o/{row.slug}")
    assert "This offer is closed" in words(page)
    assert '<meta name="robots" content="noindex">' in page
    assert "<form" not in page
    assert "application/ld+json" not in page


def test_it_keeps_recommendation_and_click_when_the_language_changes(
    house: House, visitor: Visitor, maelle: Person
) -> None:
    row = offer(house)
    place = visitor.open("GET", f"/r/{link(maelle, row).code}").headers["Location"]
    page = visitor.get(place)
    assert '<html lang="en">' in page
    switch = re.search(r'href="([^"]+)" lang="fr" hreflang="fr"', page)
    assert switch
    french = visitor.get(html.unescape(switch[1]))
    assert '<html lang="fr">' in french
    for name in ("code", "click_id"):
        assert fields(french)[name] == fields(page)[name] != ""
    action = re.search(r'action="([^"#]+)', french)
    assert action
    assert "lang=fr" in action[1]


def test_its_card_is_drawn_once_and_named_after_what_it_shows(
    house: House, visitor: Visitor
) -> None:
    row = offer(house)
    place = re.search(r'property="og:image" content="([^"]+)"', visitor.get(f"/o/{row.slug}"))
    assert place
    path = place[1].removeprefix("http://127.0.0.1:8000")
    answer = visitor.open("GET", path)
    assert "immutable" in answer.headers["Cache-Control"]
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    folder = current_settings().data_dir / "cards"
    [file] = folder.glob("*.png")
    assert file.read_bytes() == answer.data
    offers.update_offer(row.id, {"title": "Conduite de grands travaux"}, actor_id=None)
    moved = visitor.open("GET", path)
    assert moved.status_code == 302
    assert visitor.open("GET", moved.headers["Location"]).status_code == 200
    assert [f.name for f in folder.glob("*.png")] != [file.name]
    assert len(list(folder.glob("*.png"))) == 1


@pytest.mark.parametrize(
    "title", ["x", "a" * 300, "Ingénieur·e de Łódź à Čáslav", "東京 " * 60, "–"]
)
def test_its_card_takes_any_title(title: str) -> None:
    from app.media.cards import Card, draw

    drawn = Image.open(io.BytesIO(draw(Card(title, "CDI · Lorient", "Halvenne", "#ffd500"))))
    assert drawn.size == (1200, 630)


def test_nothing_is_stored_on_any_public_page(house: House, maelle: Person) -> None:
    row = offer(house)
    code = link(maelle, row).code
    paths = (f"/r/{code}", f"/o/{row.slug}?r={code}", "/o/none", "/c", "/c/none", "/privacy",
             f"/links/{code}/qr.svg", "/r/none", "/r/none/none", f"/o/{row.slug}/next/none")  # fmt: skip
    visitor, member = Visitor(house.app), house.browser(maelle)
    for path in paths:
        visitor.open("GET", path)  # it checks every answer
        forget()
        if path.count("none") < 2:
            assert "Set-Cookie" not in member.get(path).headers, path
    assert visitor.client.get_cookie("portevoix") is None


def test_the_page_of_ones_data_says_what_the_nightly_job_obeys(visitor: Visitor) -> None:
    said = words(visitor.get("/privacy"))
    assert retention.CANDIDATE.after is not None
    assert retention.CANDIDATE.after.days == 92
    for part in ("Halvenne is responsible", "3 months after the recruitment ends", "25 months",
                 "30 days after they arrive", "vie@halvenne.example", "CNIL"):  # fmt: skip
        assert part in said


def test_a_recruiter_is_named_by_first_name_and_initial(house: House, visitor: Visitor) -> None:
    sofiane = house.person("Sofiane Belkhir", "recruiter")
    page = visitor.get(f"/o/{offer(house, recruiter_id=str(sofiane.id)).slug}")
    assert "Sofiane B. answers you" in page
    assert "Belkhir" not in page
