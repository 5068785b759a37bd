"""The second job from end to end, through the API, beside a LinkedIn that is really spoken to:
story → publication → share → post → visit → figure and points → withdrawal."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from app import clock, ledger, outbox
from app.sharing import disclosures
from standin.linkedin import StandIn
from tests.conftest import START, Caller, House
from tests.sharing import kit
from tests.sharing.conftest import any_app, app, linkedin, standin

__all__ = ["any_app", "app", "linkedin", "standin"]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PIECES = (
    "chantier", "#bois", "(vraiment)", "100 %", "d’assemblages_collés", "@Limoges", "🎉", "é",
    "e\u0301", "[plan]", "https://ex.example/a_b~c?d=#e", "\n\n", "« trait »", "\\o/", "{|}", "<3",
    "*", "👩🏽‍🔧",
)  # fmt: skip


def _words(seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(PIECES) for _ in range(chance.randint(3, 25))) + f" n° {seed}"


def _curator(house: House) -> Caller:
    return house.caller(house.person("Inès Tavarès", "curator"))


def _published_story(curator: Caller, seed: int) -> Any:
    story = curator.post(
        "/stories",
        {
            "kind": "article", "language": "fr", "title": f"Récit n° {seed}",
            "summary": "Une semaine au millimètre.", "url": f"https://halvenne.example/{seed}",
            "captions": ["Lundi couchés, vendredi debout."], "topics": ["Chantiers"],
            "translations": {"en": {"title": f"Story {seed}", "captions": ["Monday, Friday."]}},
        },
    )  # fmt: skip
    assert story["status"] == "draft"
    return curator.post(f"/stories/{story['id']}/publication")


def test_a_story_becomes_a_post_a_figure_and_points(any_house: House, standin: StandIn) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    disclosures.ensure_defaults()
    maelle = kit.member(any_house)
    caller = any_house.caller(maelle)
    story = _published_story(_curator(any_house), seed)
    before = caller.get("/me/balance")
    words = _words(seed)
    share = caller.post(
        "/shares", {"story_id": story["id"], "network": "linkedin", "text": words}, 202
    )
    assert share["status"] == "scheduled" and share["reach"]["impressions"] is None
    outbox.drain()
    found = caller.get(f"/shares/{share['id']}")
    assert found["status"] == "published", found
    [post] = standin.posts()
    assert post["urn"] == found["post_urn"] and post["text"] == found["post_text"]
    assert post["text"].endswith(found["text"]) and "Halvenne" in post["text"].split("\n")[0]
    assert post["content"]["title"] == story["title"]
    code = post["content"]["source"].rsplit("/", 1)[1]
    visitor = any_house.app.test_client()
    answer = visitor.get(f"/r/{code}", headers={"User-Agent": BROWSER})
    assert answer.headers["Location"] == story["url"]
    any_house.ingest()
    outbox.drain()
    reach = caller.get(f"/shares/{share['id']}")["reach"]
    assert reach["clicks"]["value"] == 1 and reach["clicks"]["truth"] == "measured"
    assert reach["impressions"] is None
    after = caller.get("/me/balance")
    assert after["available"] >= before["available"] + 10
    assert after["pending"] == before["pending"] + 2
    clock.freeze(START + dt.timedelta(hours=30))
    gone = caller.call("DELETE", f"/shares/{share['id']}")
    assert gone.status_code == 202
    outbox.drain()
    assert caller.get(f"/shares/{share['id']}")["status"] == "withdrawn"
    assert standin.posts()[0]["deleted_at"] is not None
    assert caller.get("/me/balance")["available"] == after["available"]
    assert ledger.verify().ok


def test_an_offer_is_shared_with_a_link_that_finds_its_referrer(
    house: House, standin: StandIn
) -> None:
    disclosures.ensure_defaults()
    maelle = kit.member(house)
    offer_id = house.offer("Ingénierie structure")
    caller = house.caller(maelle)
    caller.post("/shares", {"offer_id": str(offer_id), "text": "On cherche quelqu’un."}, 202)
    outbox.drain()
    [post] = standin.posts()
    assert post["content"]["title"] == "Ingénierie structure"
    assert post["content"]["thumbnail"]["width"] == 1200
    code = post["content"]["source"].rsplit("/", 1)[1]
    answer = house.app.test_client().get(f"/r/{code}", headers={"User-Agent": BROWSER})
    assert (
        answer.headers["Location"].startswith("/o/") and f"r={code}" in answer.headers["Location"]
    )
    form = {
        "code": code, "first_name": "Nadia", "last_name": "Ferrand", "email": "nadia@mail.example",
        "visibility": "all", "notice_version": house.application().notice_version,
    }  # fmt: skip
    Caller(house.app.test_client(), None).post(f"/offers/{offer_id}/applications", form)
    outbox.drain()
    [referral] = caller.get("/referrals")["items"]
    assert referral["referrer"]["name"] == "Maëlle Kerjan"


def test_the_press_is_refused_in_words_that_help(house: House, standin: StandIn) -> None:
    disclosures.ensure_defaults()
    story_id = str(kit.story(house))
    newcomer = house.person("Léa Nouvelle")
    caller = house.caller(newcomer)
    wish = {"story_id": story_id, "text": "Bonjour"}
    charter = caller.call("POST", "/shares", wish)
    assert charter.status_code == 409 and charter.json["type"].endswith("charter-not-accepted")
    kit.accept(newcomer.id)
    grant = caller.call("POST", "/shares", wish)
    assert grant.status_code == 409 and grant.json["type"].endswith("grant-needed")
    intent = caller.post("/shares", wish | {"network": "whatsapp"}, 202)
    assert (
        intent["status"] == "intent" and intent["link_url"].split("/")[-1] in intent["intent_url"]
    )
    kit.connect(newcomer.id)
    long = caller.call("POST", "/shares", wish | {"text": "é" * 3_000})
    assert long.status_code == 422 and "text" in long.json["errors"]
    for wrong in ({"text": " \u200b "}, {"disclosure": "mine"}, {"network": "myspace"},
                  {"offer_id": story_id}, {"publish_at": "2020-01-01T00:00:00Z"}):  # fmt: skip
        refused = caller.call("POST", "/shares", wish | wrong)
        assert refused.status_code in (404, 422), wrong
    stranger = house.caller(house.person("Marc Autre"))
    assert stranger.call("GET", f"/shares/{intent['id']}").status_code == 404
    assert stranger.call("DELETE", f"/shares/{intent['id']}").status_code == 404


def test_a_program_cannot_press_for_somebody_else(house: House) -> None:
    admin = house.person("Nolwenn Prigent", "admin", joined=False)
    refused = house.caller(admin).call("POST", "/shares", {"story_id": "x", "text": "y"})
    assert refused.status_code == 403


def test_me_tells_my_grants_and_wordings(house: House) -> None:
    disclosures.ensure_defaults()
    caller = house.caller(kit.member(house))
    [grant] = caller.get("/me")["grants"]
    assert grant["network"] == "linkedin" and grant["state"] == "active"
    wordings = caller.get("/disclosures?language=fr")["items"]
    assert wordings[0] == {
        "id": "fr-employee-1", "language": "fr", "text": "Je travaille chez Halvenne."
    }  # fmt: skip
