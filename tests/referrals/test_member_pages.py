"""F25: the ambassador's own pages."""

from __future__ import annotations

import re
import uuid

import pytest

from app.people.models import Person
from app.referrals import links, queries, service
from tests.conftest import House
from tests.referrals.public_kit import words


def test_today_tells_what_became_of_what_i_did(house: House) -> None:
    maelle = house.person()
    house.referral(maelle, house.offer("Charpente"))
    page = house.browser(maelle).get("/").get_data(as_text=True)
    assert "Nadia F." in page
    assert "Charpente" in page


def test_somebody_who_has_not_joined_is_asked_first(house: House) -> None:
    answer = house.browser(house.person("Loïc Tanguy", joined=False)).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/join")


def test_offers_are_found_and_the_filters_live_in_the_address(house: House) -> None:
    house.offer("Charpente", department="Travaux")
    house.offer("Comptabilité", department="Finance")
    browser = house.browser(house.person())
    page = browser.get("/offers?department=Finance").get_data(as_text=True)
    assert "Comptabilité" in page
    assert "Charpente" not in page
    assert "Charpente" in browser.get("/offers?q=CHARP").get_data(as_text=True)


def test_a_browser_gets_a_page_and_htmx_its_main_part(house: House) -> None:
    browser = house.browser(house.person())
    page = browser.get("/offers")
    part = browser.get("/offers", headers={"HX-Request": "true"})
    assert "<html" in page.get_data(as_text=True)
    assert "<html" not in part.get_data(as_text=True)
    assert "HX-Request" in part.headers["Vary"]


def test_a_link_is_taken_and_withdrawn_by_its_owner_only(house: House) -> None:
    maelle, theo, offer = house.person(), house.person("Théo Rossignac"), house.offer()
    mine = house.browser(maelle)
    assert mine.post(f"/offers/{offer}/links", data={"channel": "qr"}).status_code == 303
    [link] = queries.links_of(maelle.id)
    assert link.channel == "qr"
    assert house.browser(theo).post(f"/links/{link.id}/revocation").status_code == 404
    assert mine.post(f"/links/{link.id}/revocation").status_code == 303
    gone = house.app.test_client().get(f"/r/{link.code}")
    assert gone.status_code == 410


def test_my_words_are_kept_and_too_many_come_back_with_their_message(house: House) -> None:
    maelle, offer = house.person(), house.offer()
    browser = house.browser(maelle)
    browser.post(f"/offers/{offer}/recommendation", data={"words": "Je pense à vous"})
    assert queries.words_of(maelle.id, offer) == "Je pense à vous"
    long = "x" * 501
    refused = browser.post(f"/offers/{offer}/recommendation", data={"words": long})
    assert refused.status_code == 422
    assert long in refused.get_data(as_text=True)
    browser.post(f"/offers/{offer}/recommendation", data={"words": ""})
    assert queries.words_of(maelle.id, offer) == ""


def test_a_referral_of_somebody_else_is_not_there(house: House) -> None:
    theirs = house.referral(house.person("Théo Rossignac"))
    maelle = house.browser(house.person())
    assert maelle.get(f"/referrals/{theirs}").status_code == 404
    assert "Nadia" not in maelle.get("/referrals").get_data(as_text=True)


def test_it_says_nothing_of_a_referral_whose_candidate_chose_nothing(house: House) -> None:
    maelle = house.person()
    hidden = house.referral(maelle, visibility="none")
    browser = house.browser(maelle)
    assert browser.get(f"/referrals/{hidden}").status_code == 404
    assert "Nadia" not in browser.get("/").get_data(as_text=True)


def test_the_life_of_a_link_is_counted(house: House) -> None:
    maelle, offer = house.person(), house.offer()
    link = links.link_for(maelle.id, offer, "link")
    visitor = house.app.test_client()
    for browser in ("Mozilla/5.0 Firefox/140.0", "LinkedInBot/1.0"):
        visitor.get(f"/r/{link.code}", headers={"User-Agent": browser})
    house.ingest()
    [row] = queries.links_of(maelle.id)
    assert (row.clicks, row.raw_clicks) == (1, 2)


def applications(house: House, person: Person, offer: uuid.UUID) -> tuple[str, str]:
    """How many applications the list of links and the offer's page tell of one link."""
    browser = house.browser(person)
    listed = browser.get("/referrals?tab=links").get_data(as_text=True)
    shown = browser.get(f"/offers/{offer}").get_data(as_text=True)
    row = re.search(r'data-label="Applications">(\d+)<', listed)
    line = re.search(r"(\d+) application", words(shown))
    assert row
    assert line
    return row[1], line[1]


@pytest.mark.parametrize(("visibility", "told"), [("all", "1"), ("ends", "1"), ("none", "0")])
def test_a_number_tells_no_more_than_the_candidate_allows(
    house: House, visibility: str, told: str
) -> None:
    maelle, sofiane = house.person(language="en"), house.person("Sofiane Belkhir", "recruiter")
    offer = house.offer()
    referral = house.referral(maelle, offer, visibility=visibility)
    assert applications(house, maelle, offer) == (told, told)
    for stage in ("screened", "interview"):
        service.set_stage(referral, stage, actor_id=sofiane.id, actor_role="recruiter")
        assert applications(house, maelle, offer) == (told, told)
    service.set_stage(
        referral, "closed", actor_id=sofiane.id, actor_role="recruiter",
        closure_reason="not-selected",
    )  # fmt: skip
    assert applications(house, maelle, offer) == ("1", "1")


def test_it_shows_the_pay_of_the_public_page_and_leads_back_to_the_list(house: House) -> None:
    maelle = house.person(language="en")
    paid = house.offer(
        salary_min=38_000, salary_max=44_000, salary_currency="EUR", salary_interval="year"
    )
    browser = house.browser(maelle)
    page = browser.get(f"/offers/{paid}").get_data(as_text=True)
    assert "€38,000 to €44,000 a year, before tax" in words(page)
    assert '<p class="kicker"><a href="/offers">' in page
    typed = house.offer("Comptable", salary_text="Selon profil")
    assert "Selon profil" in browser.get(f"/offers/{typed}").get_data(as_text=True)
    bare = house.offer("Chef de chantier")
    assert "before tax" not in browser.get(f"/offers/{bare}").get_data(as_text=True)
