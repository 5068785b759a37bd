"""The composer: what is promised before the press, and what comes back when it cannot be. F3,
F12, F13, F17, F18."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import clock, outbox
from app.db import db, transaction
from app.library import service as library
from app.people.models import Person
from app.referrals import links, offers
from app.sharing import disclosures, drafts, grants, queries, service, stop
from app.sharing.models import Share
from app.sharing.networks import NETWORKS
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing.kit import Wish, accept, connect, kept, member, press, story

Count = Callable[[Callable[[], Any]], int]
SCRIPT = {"HX-Request": "true"}


def text_of(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def words_in(answer: TestResponse) -> str:
    """What stands in the field for the words."""
    found = re.search(
        r'<textarea[^>]*name="words"[^>]*>\n(.*?)</textarea>', text_of(answer), re.DOTALL
    )
    assert found is not None, text_of(answer)[:2000]
    return found[1]


def hidden(answer: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text_of(answer))
    assert found is not None
    return found[1]


def checked(answer: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)" checked', text_of(answer))
    assert found is not None
    return found[1]


def send(browser: FlaskClient, subject: uuid.UUID, words: str, **more: str) -> TestResponse:
    fields = {"story_id": str(subject), "words": words, "press_id": str(uuid.uuid4())} | more
    return browser.post("/shares", data=fields)


def shares_of(person: Person) -> list[Share]:
    return queries.shares(queries.ShareFilter(person.id)).rows


# --- opening -----------------------------------------------------------------------------


def test_it_stands_beside_the_story_with_a_start_that_may_be_changed(house: House) -> None:
    me, story_id = member(house), story(house)
    page = house.browser(me).get(f"/library/{story_id}")
    assert words_in(page) == "Lundi couchés dans la boue, vendredi debout."
    said = text_of(page)
    assert 'id="composer"' in said
    assert 'value="blank"' in said
    assert "Je travaille chez Halvenne." in said
    assert "0 %" not in words_in(page)


def test_it_offers_the_next_colleague_another_start(house: House) -> None:
    story_id = story(house, captions=["Un.", "Deux.", "Trois."])
    seen, people = [], [member(house, name) for name in ("Aminata Sy", "Théo Roy", "Loïc Tanguy")]
    for name, person in zip("ATL", people, strict=True):
        browser = house.browser(person)
        page = browser.get(f"/library/{story_id}")
        seen.append(words_in(page))
        send(browser, story_id, f"{words_in(page)} {name}", start=hidden(page, "start"))
    assert sorted(seen) == ["Deux.", "Trois.", "Un."]


def test_it_begins_with_a_blank_page_where_nothing_was_prepared(house: House) -> None:
    me, story_id = member(house), story(house, captions=[])
    page = house.browser(me).get(f"/library/{story_id}")
    assert words_in(page) == ""
    assert 'name="begin"' not in text_of(page)


def test_it_speaks_the_language_of_the_text(house: House) -> None:
    english = {"title": "Not one bolt", "captions": ["It holds."], "summary": "A week."}
    me, story_id = member(house), story(house, translations={"en": english})
    page = house.browser(me).get(f"/library/{story_id}?text=en")
    assert words_in(page) == "It holds."
    assert "I work at Halvenne." in text_of(page)
    assert "Je travaille chez" not in text_of(page)
    send(house.browser(me), story_id, "It holds, I saw it.", language="en")
    assert shares_of(me)[0].post_text == "I work at Halvenne.\n\nIt holds, I saw it."


def test_it_is_not_there_for_somebody_who_does_not_take_part(house: House) -> None:
    story_id = story(house)
    curator = house.person("Rose Amiel", "curator", joined=False)
    browser = house.browser(curator)
    assert browser.get(f"/library/{story_id}").status_code == 403
    for path in ("/shares", f"/offers/{house.offer()}/share"):
        assert browser.get(path).status_code == 403
    for path in ("/shares", "/sharing/preview", "/sharing/drafts"):
        assert browser.post(path, data={"story_id": str(story_id)}).status_code == 403


def test_an_offer_has_a_composer_that_begins_with_my_words_about_it(house: House) -> None:
    me, offer_id = member(house), house.offer("Charpente")
    links.recommend(me.id, offer_id, "Une équipe qui explique.")
    browser = house.browser(me)
    assert f"/offers/{offer_id}/share" in text_of(browser.get(f"/offers/{offer_id}"))
    page = browser.get(f"/offers/{offer_id}/share")
    assert words_in(page) == "Une équipe qui explique."
    answer = browser.post("/shares", data={"offer_id": str(offer_id), "words": "Venez."})
    assert answer.status_code == 303
    share = shares_of(me)[0]
    assert (share.offer_id, share.format, share.title) == (offer_id, "article", "Charpente")


def test_what_it_costs_is_bounded(house: House, count_queries: Count) -> None:
    me, story_id, offer_id = member(house), story(house), house.offer()
    others = [member(house, f"Collègue {number}") for number in range(12)]
    for number, other in enumerate(others):
        press(other, story_id, f"Bravo {number}")
    drafts.keep(me.id, Wish(story_id=story_id, words="Plus tard"))
    browser = house.browser(me)
    assert count_queries(lambda: browser.get(f"/library/{story_id}")) <= 25
    assert count_queries(lambda: browser.get(f"/offers/{offer_id}/share")) <= 25
    wish = {"story_id": str(story_id), "words": "Bravo"}
    assert count_queries(lambda: browser.post("/sharing/preview", data=wish)) <= 25


# --- while it is written -----------------------------------------------------------------


def test_the_preview_is_the_exact_text_with_its_fold(house: House) -> None:
    me, story_id = member(house), story(house)
    words = "Ligne une.\nLigne deux.\nLigne trois <b>.\n" + "Loin derrière. " * 20
    wish = {"story_id": str(story_id), "words": words}
    part = house.browser(me).post(
        "/sharing/preview", data=wish, headers=SCRIPT | {"HX-Target": "preview"}
    )
    said = text_of(part)
    assert "<html" not in said and 'id="preview"' in said
    shown, folded = re.findall(r'<p class="network-text"[^>]*>(.*?)</p>', said, re.DOTALL)
    assert shown + folded == f"Je travaille chez Halvenne.\n\n{words.strip()}"
    assert folded.startswith("Ligne deux.")
    assert "&lt;b&gt;" in part.get_data(as_text=True)


def test_it_counts_as_the_network_counts(house: House) -> None:
    me, story_id = member(house), story(house)
    wish = {"story_id": str(story_id), "words": "🎉" * 10}
    said = text_of(house.browser(me).post("/sharing/preview?lang=en", data=wish))
    assert "49 of 3,000 characters" in said  # 20 units, a blank line, "Je travaille chez Halvenne."
    wish["words"] = "x" * 2972
    said = text_of(house.browser(me).post("/sharing/preview?lang=en", data=wish))
    assert "3,001 of 3,000 characters: too long" in said
    said = text_of(house.browser(me).post("/sharing/preview?lang=fr", data=wish))
    assert (
        "3\u202f001 caractères sur 3\u202f000" in said
    )  # each reader's own way, whoever looked first


def test_it_says_how_much_is_ones_own(house: House) -> None:
    me = member(house)
    story_id = story(house, captions=["Trente-huit mètres sans un seul boulon du tout."])
    browser = house.browser(me)
    assert "prepared text" in text_of(browser.get(f"/library/{story_id}?lang=en"))
    wish = {"story_id": str(story_id), "words": "Je passais par là, et j’ai levé la tête."}
    said = text_of(browser.post("/sharing/preview?lang=en", data=wish))
    assert "100% of these words are yours" in said


def test_another_start_sets_ones_words_aside_and_gives_them_back(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    start = hidden(browser.get(f"/library/{story_id}"), "start")
    wish = {"story_id": str(story_id), "words": "Mes mots à moi", "begin": start}
    page = browser.post("/sharing/preview", data=wish)
    assert words_in(page) == "Lundi couchés dans la boue, vendredi debout."
    assert 'value="aside"' in text_of(page)
    wish = {
        "story_id": str(story_id), "words": words_in(page), "aside": hidden(page, "aside"),
        "begin": "aside",
    }  # fmt: skip
    assert words_in(browser.post("/sharing/preview", data=wish)) == "Mes mots à moi"


def test_a_script_gets_the_part_that_changed_and_a_browser_the_page(house: House) -> None:
    me, story_id = member(house), story(house)
    browser, wish = house.browser(me), {"story_id": str(story_id), "words": "Bravo"}
    page = browser.post("/sharing/preview", data=wish)
    assert "<html" in text_of(page) and words_in(page) == "Bravo"
    part = browser.post(
        "/sharing/preview",
        data=wish | {"begin": "blank"},
        headers=SCRIPT | {"HX-Target": "composer"},
    )
    assert text_of(part).lstrip().startswith("<form") and words_in(part) == ""
    assert "hx-swap-oob" not in text_of(part)


def test_the_press_says_its_moment(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    wish = {"story_id": str(story_id), "words": "Bravo", "when": "free"}
    said = text_of(browser.post("/sharing/preview?lang=en", data=wish))
    assert "Publish tomorrow at 8:40" in said
    wish |= {"when": "at", "at": "2026-11-26T17:05"}
    said = text_of(browser.post("/sharing/preview?lang=en", data=wish))
    assert "Publish on Thursday 26 November at 17:05" in said


def test_points_and_their_limits_are_said_before(house: House) -> None:
    me, story_id = member(house), story(house)
    said = text_of(house.browser(me).get(f"/library/{story_id}?lang=en"))
    assert re.search(r'class="explain"><summary><span>[^<]*point', said)
    assert "/play/rules" in said


# --- the press ---------------------------------------------------------------------------


def test_what_the_preview_promised_is_what_the_network_has(house: House, standin: StandIn) -> None:
    me, story_id = member(house), story(house)
    browser, words = house.browser(me), "Ça tient (vraiment) #bois : 100 % @Limoges 🎉"
    preview = browser.post("/sharing/preview", data={"story_id": str(story_id), "words": words})
    promised = "".join(
        re.findall(r'<p class="network-text"[^>]*>(.*?)</p>', text_of(preview), re.DOTALL)
    )
    answer = send(browser, story_id, words)
    assert answer.status_code == 303
    outbox.drain()
    [post] = standin.posts()
    assert post["text"] == promised
    assert "Online" in text_of(browser.get(answer.headers["Location"] + "?lang=en"))


def test_a_double_press_is_one_post_and_a_changed_one_another(house: House) -> None:
    me, story_id = member(house), story(house)
    browser, press_id = house.browser(me), str(uuid.uuid4())
    first = send(browser, story_id, "Bravo", press_id=press_id)
    again = send(browser, story_id, "Bravo", press_id=press_id)
    other = send(browser, story_id, "Bravo à tous", press_id=press_id)
    elsewhere = send(browser, story_id, "Bravo", press_id=press_id, network="whatsapp")
    assert first.headers["Location"] == again.headers["Location"]
    places = {r.headers["Location"] for r in (first, other, elsewhere)}
    assert len(places) == len(shares_of(me)) == 3


def test_a_press_is_nobody_elses(house: House) -> None:
    story_id, press_id = story(house), str(uuid.uuid4())
    mine, theirs = member(house), member(house, "Théo Rossignac")
    send(house.browser(mine), story_id, "Bravo", press_id=press_id)
    assert send(house.browser(theirs), story_id, "Bravo", press_id=press_id).status_code == 303
    assert len(shares_of(mine)) == len(shares_of(theirs)) == 1


def test_leaving_out_where_one_speaks_from_is_asked_about_once(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    asked = send(browser, story_id, "Bravo", disclosure="none")
    assert asked.status_code == 422
    assert 'name="confirm_none"' in text_of(asked) and words_in(asked) == "Bravo"
    assert not shares_of(me)
    sure = send(browser, story_id, "Bravo", disclosure="none", confirm_none="1")
    assert sure.status_code == 303
    [share] = shares_of(me)
    assert (share.post_text, share.disclosure) == ("Bravo", "none")


def test_a_qr_code_says_nothing_so_nothing_is_asked(house: House) -> None:
    me, story_id = member(house), story(house)
    answer = send(house.browser(me), story_id, "", disclosure="none", network="qr")
    assert answer.status_code == 303


def test_ones_own_way_to_say_it_is_placed_first(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    empty = send(browser, story_id, "Bravo", disclosure="own")
    assert empty.status_code == 422
    assert 'id="disclosure_words-error"' in text_of(empty) and words_in(empty) == "Bravo"
    said = "Je taille du bois chez Halvenne\u202e depuis 2019."
    send(browser, story_id, "Bravo", disclosure="own", disclosure_words=said)
    assert shares_of(me)[0].post_text == "Je taille du bois chez Halvenne depuis 2019.\n\nBravo"


@pytest.mark.parametrize(("words", "says"), [("", "Write a few words"), ("x" * 3001, "3030")])
def test_words_that_cannot_go_come_back_with_their_reason(
    house: House, words: str, says: str
) -> None:
    me, story_id = member(house), story(house)
    answer = send(house.browser(me), story_id, words, lang="en")
    assert answer.status_code == 422
    assert words_in(answer) == words and says in text_of(answer)
    assert 'aria-invalid="true"' in text_of(answer)
    assert not shares_of(me)


def test_a_chosen_moment_is_read_on_the_organisations_clock(house: House) -> None:
    me, story_id = member(house), story(house)
    send(house.browser(me), story_id, "Bravo", when="at", at="2026-11-19T17:30")
    assert shares_of(me)[0].publish_at == dt.datetime(2026, 11, 19, 16, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "at",
    ["", "demain", "2026-11-16T09:00", "2027-06-01T09:00", "9999-12-31T23:59", "0001-01-01T00:00"],
)
def test_a_moment_that_is_none_is_refused_and_everything_kept(house: House, at: str) -> None:
    me, story_id = member(house), story(house)
    answer = send(house.browser(me), story_id, "Bravo", when="at", at=at)
    assert answer.status_code == 422
    assert words_in(answer) == "Bravo" and checked(answer, "when") == "at"
    assert 'id="at-error"' in text_of(answer)


def test_the_free_moment_is_the_one_that_was_on_the_page(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    free_at = hidden(browser.get(f"/library/{story_id}"), "free_at")
    press(member(house, "Théo Rossignac"), story_id, publish_at=dt.datetime.fromisoformat(free_at))
    send(browser, story_id, "Bravo", when="free", free_at=free_at)
    assert shares_of(me)[0].publish_at == dt.datetime.fromisoformat(free_at)


def test_the_same_text_twice_is_told_at_the_words(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    send(browser, story_id, "Bravo")
    again = send(browser, story_id, "Bravo")
    assert again.status_code == 409
    assert 'id="words-error"' in text_of(again) and words_in(again) == "Bravo"


# --- what stands in the way --------------------------------------------------------------


def test_the_charter_comes_first_and_the_words_are_there_on_the_way_back(house: House) -> None:
    disclosures.ensure_defaults()
    story_id = story(house)
    accept(house.person("Quelqu’un D’autre").id)  # so that there is a charter in force
    me = house.person("Nadia Ferrand")
    connect(me.id)
    browser = house.browser(me)
    page = browser.get(f"/library/{story_id}")
    assert 'value="charter"' in text_of(page)
    assert 'value="linkedin"' not in text_of(page)
    refused = send(browser, story_id, "Mes mots")
    assert refused.status_code == 409 and words_in(refused) == "Mes mots"
    wish = {"story_id": str(story_id), "words": "Mes mots", "then": "charter"}
    sent = browser.post("/sharing/drafts", data=wish)
    assert sent.status_code == 303
    assert sent.headers["Location"].startswith("/charter?next=/library/")
    accept(me.id)
    assert words_in(browser.get(f"/library/{story_id}")) == "Mes mots"
    assert send(browser, story_id, "Mes mots").status_code == 303
    assert [s.status for s in shares_of(me)] == ["scheduled"]


def test_without_a_connection_there_is_a_way_to_it_and_ways_around_it(house: House) -> None:
    me, story_id = member(house), story(house)
    grants.end(me.id)
    browser = house.browser(me)
    said = text_of(browser.get(f"/library/{story_id}"))
    assert 'value="linkedin"' in said and "button-carry" not in said
    refused = send(browser, story_id, "Mes mots")
    assert refused.status_code == 409 and words_in(refused) == "Mes mots"
    wish = {"story_id": str(story_id), "words": "Mes mots", "then": "linkedin"}
    sent = browser.post("/sharing/drafts", data=wish)
    assert sent.headers["Location"].startswith("/sharing/linkedin?next=/library/")
    assert send(browser, story_id, "Mes mots", network="whatsapp").status_code == 303


def test_a_connection_in_trouble_is_told_before_the_press(house: House) -> None:
    me, story_id = member(house), story(house)
    grants.refused(me.id, "revoked")
    said = text_of(house.browser(me).get(f"/library/{story_id}?lang=en"))
    assert "Your LinkedIn connection has ended" in said and "button-carry" not in said
    refused = send(house.browser(me), story_id, "Mes mots")
    assert refused.status_code == 409 and words_in(refused) == "Mes mots"


def test_a_connection_that_ends_before_the_moment_is_told(house: House) -> None:
    me, story_id = member(house), story(house)
    with transaction():
        grant = grants.grant_of(me.id)
        assert grant is not None
        grant.expires_at = START + dt.timedelta(days=2)
    browser = house.browser(me)
    late = {"when": "at", "at": "2026-11-25T09:00"}
    wish = {"story_id": str(story_id), "words": "Bravo", **late}
    assert "ends before that moment" in text_of(browser.post("/sharing/preview?lang=en", data=wish))
    refused = send(browser, story_id, "Bravo", **late)
    assert refused.status_code == 409 and words_in(refused) == "Bravo"
    assert checked(refused, "when") == "at"
    assert send(browser, story_id, "Bravo", when="now").status_code == 303


def test_a_stop_shows_the_organisations_words_and_keeps_the_members(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    stop.stop(house.person("Rose Amiel", "admin").id, "Un accident à Limoges : attendons.")
    page = browser.get(f"/library/{story_id}")
    assert "Un accident à Limoges" in text_of(page)
    carry = re.search(r'<button class="button button-carry"[^>]*>', text_of(page))
    assert carry is not None and carry[0].endswith("disabled>")
    for network in ("linkedin", "copy"):
        refused = send(browser, story_id, "Mes mots", network=network)
        assert refused.status_code == 409 and words_in(refused) == "Mes mots"
    browser.post("/sharing/drafts", data={"story_id": str(story_id), "words": "Mes mots"})
    assert words_in(browser.get(f"/library/{story_id}")) == "Mes mots"


def test_a_full_day_proposes_the_next_morning(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    for number in range(3):
        assert send(browser, story_id, f"Bravo {number}").status_code == 303
    refused = send(browser, story_id, "Encore un")
    assert refused.status_code == 409
    assert words_in(refused) == "Encore un" and checked(refused, "when") == "free"
    page = browser.get(f"/library/{story_id}?lang=en")
    assert checked(page, "when") == "free" and "Today is full: 3 posts a day" in text_of(page)
    free = {"when": "free", "free_at": hidden(refused, "free_at")}
    assert send(browser, story_id, "Encore un", **free).status_code == 303


def test_a_story_for_other_networks_offers_those_alone(house: House) -> None:
    me, story_id = member(house), story(house, networks=["x", "copy"])
    browser = house.browser(me)
    said = text_of(browser.get(f"/library/{story_id}"))
    assert "button-carry" not in said
    offered = set(re.findall(r'name="network" value="([^"]+)"', said))
    assert offered == {"x", "copy"}
    refused = send(browser, story_id, "Mes mots")
    assert refused.status_code == 422 and words_in(refused) == "Mes mots"
    assert send(browser, story_id, "Mes mots", network="x").status_code == 303


def test_every_network_with_a_window_of_its_own_is_offered(house: House) -> None:
    me, story_id = member(house), story(house)
    said = text_of(house.browser(me).get(f"/library/{story_id}"))
    assert set(re.findall(r'name="network" value="([^"]+)"', said)) == set(NETWORKS)


@pytest.mark.parametrize("path", ["/shares", "/sharing/preview", "/sharing/drafts"])
def test_a_story_whose_time_ended_meanwhile_hands_the_words_back(house: House, path: str) -> None:
    me, story_id = member(house), story(house, expires_at=START + dt.timedelta(hours=1))
    browser = house.browser(me)
    assert browser.get(f"/library/{story_id}").status_code == 200
    clock.travel(dt.timedelta(hours=2))
    wish = {"story_id": str(story_id), "words": "Des mots\nà ne pas perdre <3"}
    answer = browser.post(path, data=wish)
    assert answer.status_code == 410
    assert words_in(answer) == "Des mots\nà ne pas perdre <3"
    assert "readonly" in text_of(answer)


def test_a_withdrawn_an_unknown_and_a_closed_one_hand_them_back_too(house: House) -> None:
    me, story_id, offer_id = member(house), story(house), house.offer()
    browser = house.browser(me)
    library.withdraw_story(story_id, None)
    offers.close_offer(offer_id, None)
    for field, asked, status in (
        ("story_id", story_id, 410), ("story_id", uuid.uuid4(), 404), ("offer_id", offer_id, 409),
        ("offer_id", uuid.uuid4(), 404), ("story_id", "nonsense", 404),
    ):  # fmt: skip
        answer = browser.post("/shares", data={field: str(asked), "words": "À moi"})
        assert (answer.status_code, words_in(answer)) == (status, "À moi")
    assert browser.get(f"/offers/{offer_id}/share").status_code == 409


def test_a_network_or_a_wording_that_does_not_exist_is_refused(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    for odd in ({"network": "myspace"}, {"disclosure": "fr-alumni-1"}):
        answer = send(browser, story_id, "Mes mots", **odd)
        assert answer.status_code == 422 and words_in(answer) == "Mes mots"
    assert not shares_of(me)


# --- drafts ------------------------------------------------------------------------------


def test_a_draft_is_kept_once_changed_and_gone_with_the_press(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    for words in ("Premier jet", "Second jet"):
        browser.post("/sharing/drafts", data={"story_id": str(story_id), "words": words})
    [draft] = shares_of(me)
    assert (draft.status, draft.words, draft.code) == ("draft", "Second jet", None)
    assert words_in(browser.get(f"/library/{story_id}")) == "Second jet"
    outbox.drain()
    assert send(browser, story_id, "Version finale").status_code == 303
    assert [s.words for s in shares_of(me)] == ["Version finale"]


def test_an_emptied_draft_is_forgotten(house: House) -> None:
    me, story_id = member(house), story(house)
    browser = house.browser(me)
    browser.post("/sharing/drafts", data={"story_id": str(story_id), "words": "Premier jet"})
    browser.post("/sharing/drafts", data={"story_id": str(story_id), "words": "  "})
    assert not shares_of(me)


def test_a_draft_counts_for_nothing_and_is_nobody_elses(house: House) -> None:
    me, story_id = member(house), story(house)
    house.browser(me).post("/sharing/drafts", data={"story_id": str(story_id), "words": "À moi"})
    assert service.posts_on_day(me.id, START) == 0
    other = house.browser(member(house, "Théo Rossignac"))
    assert words_in(other.get(f"/library/{story_id}")) != "À moi"


def test_a_draft_survives_half_a_choice(house: House) -> None:
    me, story_id = member(house), story(house)
    wish = {"story_id": str(story_id), "words": "Mes mots", "disclosure": "own"}
    house.browser(me).post("/sharing/drafts", data=wish | {"disclosure_words": "x" * 400})
    page = house.browser(me).get(f"/library/{story_id}")
    assert words_in(page) == "Mes mots" and checked(page, "disclosure") == "own"


def test_a_post_is_written_again_from_its_words(house: House) -> None:
    me, theo, story_id = member(house), member(house, "Théo Rossignac"), story(house)
    made = press(me, story_id, "Mes mots d’hier")
    mine = house.browser(me).get(f"/library/{story_id}?again={made.id}")
    assert words_in(mine) == "Mes mots d’hier"
    theirs = house.browser(theo)
    assert words_in(theirs.get(f"/library/{story_id}?again={made.id}")) != "Mes mots d’hier"


# --- a free moment -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "free"),
    [
        ("2026-11-17T09:00", "2026-11-18T07:40"),  # Tuesday at ten: Wednesday at 8:40 in Paris
        ("2026-11-18T05:00", "2026-11-18T07:40"),  # early on a working day: the same day
        ("2026-11-18T07:30", "2026-11-19T07:40"),  # too short notice: the next day
        ("2026-11-20T12:00", "2026-11-23T07:40"),  # Friday afternoon: Monday
        ("2026-11-21T06:00", "2026-11-23T07:40"),  # Saturday: Monday
        ("2027-03-26T12:00", "2027-03-29T06:40"),  # across the change of the clocks
    ],
)
def test_the_free_moment_is_a_working_morning(house: House, now: str, free: str) -> None:
    me, story_id = member(house), story(house)
    clock.freeze(dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))
    page = house.browser(me).get(f"/library/{story_id}")
    assert hidden(page, "free_at") == f"{free}:00+00:00"


def test_the_free_moment_is_not_a_colleagues(house: House) -> None:
    story_id, other_id = story(house), story(house, title="Une autre")
    theo, me = member(house, "Théo Rossignac"), member(house)
    press(theo, story_id, publish_at=dt.datetime(2026, 11, 18, 7, 50, tzinfo=dt.UTC))
    press(theo, other_id, publish_at=dt.datetime(2026, 11, 18, 8, 20, tzinfo=dt.UTC))
    page = house.browser(me).get(f"/library/{story_id}")
    assert hidden(page, "free_at") == "2026-11-18T08:20:00+00:00"


def test_it_says_when_colleagues_have_just_published_the_same(house: House) -> None:
    story_id, me = story(house), member(house)
    for number, other in enumerate([member(house, "Théo Rossignac"), member(house, "Aminata Sy")]):
        press(other, story_id, f"Bravo {number}")
    clock.travel(dt.timedelta(minutes=30))
    said = text_of(house.browser(me).get(f"/library/{story_id}?lang=en"))
    assert "2 colleagues have just published the same." in said


def test_what_is_kept_of_a_person_is_gone_with_their_grant(house: House) -> None:
    me, story_id = member(house), story(house)
    house.browser(me).post("/sharing/drafts", data={"story_id": str(story_id), "words": "Mes mots"})
    grants.end(me.id, "left")
    found = db.session.query(Share).filter_by(person_id=me.id).one()
    assert (found.status, found.reason) == ("cancelled", "left")
    assert kept(me.id).id == me.id
