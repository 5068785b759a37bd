"""F25: the ambassador's own pages."""

from __future__ import annotations

from app.referrals import links, queries
from tests.conftest import House


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
