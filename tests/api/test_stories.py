"""Stories through the API: written, found, published, taken back (F1, F2, F3, F125)."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Caller, House


@pytest.fixture
def ines(house: House) -> Caller:
    return house.caller(house.person("Inès Tavarès", "curator"))


@pytest.fixture
def gael(house: House) -> Caller:
    return house.caller(house.person("Gaël Lebrun", "contributor"))


@pytest.fixture
def maelle(house: House) -> Caller:
    return house.caller(house.person("Maëlle Kerjan"))


WHOLE: dict[str, Any] = {
    "kind": "story", "language": "fr", "title": "Trente-huit mètres", "summary": "Pas un boulon.",
    "body": "Lundi, **six heures**.", "url": "https://halvenne.example/portiques",
    "captions": ["Tout tient.", {"text": "Et vous ?", "kind": "question"},
                 {"text": "Not a bolt.", "language": "en"}],
    "topics": ["Chantiers"], "networks": ["x", "linkedin"],
    "visible_from": "2026-11-17T08:00:00+01:00", "expires_at": "2026-12-01T00:00:00Z",
    "is_commercial": True,
    "translations": {"en": {"title": "Thirty-eight metres", "captions": ["All it takes."]}},
}  # fmt: skip


def test_it_gives_back_what_it_was_given(ines: Caller) -> None:
    made = ines.post("/stories", WHOLE)
    assert made == ines.get(f"/stories/{made['id']}")
    for name in ("kind", "language", "title", "summary", "body", "url", "topics", "is_commercial"):
        assert made[name] == WHOLE[name]
    assert made["captions"] == ["Tout tient.", "Et vous ?"]
    assert made["networks"] == ["linkedin", "x"]
    assert made["visible_from"] == "2026-11-17T07:00:00Z"
    assert made["expires_at"] == "2026-12-01T00:00:00Z"
    assert made["translations"]["en"]["title"] == "Thirty-eight metres"
    assert made["translations"]["en"]["captions"] == ["All it takes.", "Not a bolt."]
    assert (made["status"], made["published_at"], made["picture"]) == ("draft", None, None)


def test_a_title_is_enough_for_a_draft(gael: Caller) -> None:
    made = gael.post("/stories", {"title": "Une idée"})
    assert (made["kind"], made["language"], made["url"]) == ("article", "fr", None)
    assert made["captions"] == made["topics"] == made["networks"] == []


def test_it_is_seen_by_members_from_publication_to_withdrawal(
    gael: Caller, ines: Caller, maelle: Caller
) -> None:
    made = gael.post("/stories", WHOLE)
    here = f"/stories/{made['id']}"
    assert maelle.call("GET", here).status_code == 404
    assert maelle.get("/stories")["items"] == []
    assert gael.call("POST", f"{here}/publication").status_code == 403
    published = ines.post(f"{here}/publication")
    assert published["status"] == "published"
    assert published["published_at"] == "2026-11-17T09:00:00Z"
    assert maelle.get(here)["title"] == made["title"]
    assert [s["id"] for s in maelle.get("/stories")["items"]] == [made["id"]]
    page = maelle.client.get("/s/" + made["public_url"].rsplit("/s/", 1)[1])
    assert page.status_code == 200
    assert maelle.call("DELETE", f"{here}/publication").status_code == 403
    assert ines.call("DELETE", f"{here}/publication").status_code == 204
    gone = maelle.call("GET", here)
    assert gone.status_code == 410
    assert gone.json["type"].endswith("story-withdrawn")
    assert maelle.get("/stories")["items"] == []
    assert ines.get(here)["status"] == "withdrawn"
    assert ines.get("/stories?status=withdrawn")["items"][0]["id"] == made["id"]


def test_it_is_found_by_its_filters(ines: Caller, maelle: Caller) -> None:
    for title, fields in {
        "Un chantier": {"kind": "news", "topics": ["Chantiers"], "summary": "x"},
        "A roof": {"language": "en", "summary": "x", "networks": ["linkedin"]},
    }.items():
        story = ines.post("/stories", {"title": title, **fields})["id"]
        ines.post(f"/stories/{story}/publication")
    ines.post("/stories", {"title": "Brouillon"})

    def titles(query: str, who: Caller = maelle) -> list[str]:
        return [s["title"] for s in who.get(f"/stories?{query}")["items"]]

    assert titles("") == ["A roof", "Un chantier"]
    assert (
        titles("kind=news") == titles("topic=Chantiers") == titles("q=CHANTIER") == ["Un chantier"]
    )
    assert titles("language=en") == ["A roof"]
    assert titles("network=email") == ["Un chantier"]
    assert titles("status=draft") == []
    assert titles("status=draft", ines) == ["Brouillon"]
    assert maelle.call("GET", "/stories?status=lost").status_code == 422


def test_a_list_is_paged_once_through(ines: Caller) -> None:
    for number in range(5):
        ines.post("/stories", {"title": f"Récit {number}"})
    seen: list[str] = []
    after = ""
    while True:
        page = ines.get(f"/stories?limit=2{after}")
        seen += [s["title"] for s in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [f"Récit {number}" for number in reversed(range(5))]
    assert ines.call("GET", "/stories?after=nonsense").status_code == 422


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"author": "me"}, "author"),
        ({"status": "published"}, "status"),
        ({"url": "http://a:b@c.example/"}, "url"),
        ({"networks": ["myspace"]}, "networks"),
        ({"captions": ["x" * 3_001]}, "captions.0"),
        ({"captions": [{"text": "x", "colour": "red"}]}, "captions"),
        ({"captions": [7]}, "captions"),
        ({"visible_from": "tomorrow"}, "visible_from"),
        ({"visible_from": "2026-12-02T00:00:00Z", "expires_at": "2026-12-01T00:00:00Z"},
         "expires_at"),
        ({"translations": {"en": {"title": "x", "colour": "red"}}}, "translations"),
        ({"translations": {"tlh": {"title": "x"}}}, "translations.tlh"),
    ],
)  # fmt: skip
def test_it_says_which_field_cannot_be_taken(
    ines: Caller, fields: dict[str, Any], name: str
) -> None:
    answer = ines.call("POST", "/stories", {"title": "Un titre"} | fields)
    assert answer.status_code == 422
    assert answer.json["type"].endswith("invalid-input")
    assert list(answer.json["errors"]) == [name]
    assert ines.get("/stories")["items"] == []


def test_a_member_writes_no_story(maelle: Caller) -> None:
    assert maelle.call("POST", "/stories", {"title": "x"}).status_code == 403


def test_the_same_key_makes_one_story(ines: Caller) -> None:
    first = ines.post("/stories", {"title": "Une fois"}, Idempotency_Key="k")
    assert ines.post("/stories", {"title": "Une fois"}, Idempotency_Key="k") == first
    assert ines.call("POST", "/stories", {"title": "Autre"}, Idempotency_Key="k").status_code == 422
    assert len(ines.get("/stories")["items"]) == 1
    ines.call("POST", f"/stories/{first['id']}/publication")  # refused: nothing to read
    assert ines.get(f"/stories/{first['id']}")["status"] == "draft"


def test_its_author_does_not_publish_a_sensitive_story(house: House, ines: Caller) -> None:
    """Rule L4."""
    made = ines.post("/stories", {"title": "Résultats", "summary": "x", "topics": ["Finance"]})
    refused = ines.call("POST", f"/stories/{made['id']}/publication")
    assert refused.status_code == 409
    assert refused.json["type"].endswith("second-approval-needed")
    second = house.caller(house.person("Léa Brunet", "curator"))
    assert second.post(f"/stories/{made['id']}/publication")["status"] == "published"


def _send(caller: Caller, story: str, data: bytes, **fields: str) -> Any:
    return caller.client.post(
        f"/api/v1/stories/{story}/picture",
        data={"picture": (io.BytesIO(data), "photo.png"), **fields},
        headers={"Authorization": f"Bearer {caller.token}"},
    )


def _png(width: int = 900, height: int = 600) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#00664a").save(out, "PNG")
    return out.getvalue()


def test_a_picture_comes_with_its_words(gael: Caller, ines: Caller, maelle: Caller) -> None:
    made = gael.post("/stories", {"title": "Une halle", "summary": "x"})["id"]
    answer = _send(gael, made, _png(), alt="Une halle en bois.")
    assert answer.status_code == 201
    picture = answer.json["picture"]
    assert (picture["width"], picture["height"]) == (900, 600)
    assert picture["alt"] == "Une halle en bois."
    file = maelle.client.get("/media/" + picture["url"].rsplit("/media/", 1)[1])
    assert Image.open(io.BytesIO(file.data)).size == (900, 600)
    assert ines.post(f"/stories/{made}/publication")["picture"] == picture


def test_a_picture_that_is_none_is_refused_and_nobody_else_sends_one(
    gael: Caller, maelle: Caller, ines: Caller
) -> None:
    made = gael.post("/stories", {"title": "Une halle"})["id"]
    assert _send(gael, made, b"<svg onload=alert(1)>").status_code == 422
    assert _send(maelle, made, _png()).status_code == 403
    assert _send(gael, str(uuid.uuid4()), _png()).status_code == 404
    missing = gael.call("POST", f"/stories/{made}/picture")
    assert missing.status_code == 422
    assert "picture" in missing.json["errors"]
    assert gael.get(f"/stories/{made}")["picture"] is None
    other = ines.post("/stories", {"title": "À une autre"})["id"]
    assert _send(gael, other, _png()).status_code == 403


def test_what_is_no_identifier_is_not_found(ines: Caller) -> None:
    for story in ("none", str(uuid.uuid4()), "%00"):
        assert ines.call("GET", f"/stories/{story}").status_code == 404
        assert ines.call("POST", f"/stories/{story}/publication").status_code == 404
        assert ines.call("DELETE", f"/stories/{story}/publication").status_code == 404


def test_a_page_of_stories_costs_the_same_for_many_rows(ines: Caller, count_queries: Any) -> None:
    for number in range(6):
        story = ines.post(
            "/stories",
            {"title": f"Récit {number}", "captions": ["a", "b"], "topics": ["Bois", f"T{number}"],
             "translations": {"en": {"title": f"Tale {number}"}}},
        )["id"]  # fmt: skip
        _send(ines, story, _png(300 + number, 200), alt="x")
    one = count_queries(lambda: ines.get("/stories?limit=1"))
    many = count_queries(lambda: ines.get("/stories?limit=50"))
    assert many == one <= 10


def test_the_document_describes_stories(ines: Caller) -> None:
    paths = ines.client.get("/api/v1/openapi.json").json["paths"]
    assert {"get", "post"} <= set(paths["/api/v1/stories"])
    assert {"post", "delete"} <= set(paths["/api/v1/stories/{story_id}/publication"])
    assert "post" in paths["/api/v1/stories/{story_id}/picture"]
