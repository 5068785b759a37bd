"""The API's own promises: problems, scopes, idempotency, pages, the document (F125)."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import Caller, House


@pytest.fixture
def maelle(house: House) -> Caller:
    return house.caller(house.person("Maëlle Kerjan"))


@pytest.fixture
def recruiter(house: House) -> Caller:
    return house.caller(house.person("Sofiane Belkhir", "recruiter"))


def test_nobody_gets_in_without_a_token(house: House) -> None:
    refused = Caller(house.app.test_client(), None).call("GET", "/me")
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"
    wrong = Caller(house.app.test_client(), "pvx_" + "x" * 43).call("GET", "/me")
    assert wrong.status_code == 401


def test_me_says_who_i_am_and_what_i_agreed_to(maelle: Caller) -> None:
    me = maelle.get("/me")
    assert me["roles"] == ["member"]
    assert {c["purpose"] for c in me["consents"]} == {"recognition", "ideas"}
    assert maelle.get("/me/balance") == {"available": 0, "pending": 0, "status_points": 0}
    assert maelle.get("/me/entries") == {"items": [], "next": None, "limit": 50}


def test_a_member_may_not_write_offers_nor_read_the_directory(maelle: Caller) -> None:
    assert maelle.call("POST", "/offers", {"title": "x"}).status_code == 403
    assert maelle.call("GET", "/people").status_code == 403
    assert maelle.call("GET", "/ledger/verification").status_code == 403


def test_a_form_says_what_is_wrong_by_field_in_the_callers_language(recruiter: Caller) -> None:
    refused = recruiter.call("POST", "/offers", {"title": ""}, Accept_Language="fr")
    assert refused.status_code == 422 and refused.json["type"].endswith("invalid-input")
    assert "title" in refused.json["errors"]
    unknown = recruiter.call("POST", "/offers", {"title": "x", "salary_of_boss": 1})
    assert unknown.status_code == 422 and "salary_of_boss" in unknown.json["errors"]
    assert recruiter.call("POST", "/offers", None).status_code in (400, 415, 422)


def test_the_same_key_gives_the_same_answer_and_changes_nothing_twice(recruiter: Caller) -> None:
    first = recruiter.post("/offers", {"title": "Charpente"}, Idempotency_Key="k")
    assert recruiter.post("/offers", {"title": "Charpente"}, Idempotency_Key="k") == first
    other = recruiter.call("POST", "/offers", {"title": "Autre"}, Idempotency_Key="k")
    assert other.status_code == 422
    titles = [o["title"] for o in recruiter.get("/offers")["items"]]
    assert titles == ["Charpente"]


def test_a_refused_post_leaves_its_key_free(recruiter: Caller) -> None:
    assert recruiter.call("POST", "/offers", {"title": ""}, Idempotency_Key="k").status_code == 422
    recruiter.post("/offers", {"title": "Charpente"}, Idempotency_Key="k")


def test_lists_are_paged_by_an_opaque_cursor(recruiter: Caller) -> None:
    for number in range(5):
        recruiter.post("/offers", {"title": f"Offre {number}"})
    seen: list[str] = []
    after = ""
    while True:
        page = recruiter.get(f"/offers?limit=2{after}")
        seen += [o["id"] for o in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 5
    assert recruiter.call("GET", "/offers?after=nonsense").status_code == 422
    assert recruiter.call("GET", "/offers?limit=1000").status_code == 422


def test_an_offer_is_open_at_once_public_and_can_be_closed(recruiter: Caller, house: House) -> None:
    offer = recruiter.post("/offers", {
        "title": "Conduite de travaux", "description": "<p>Bois</p><script>x</script>",
        "location": "Lorient", "department": "Travaux", "contract": "CDI", "remote": "hybrid",
        "apply_url": "https://careers.halvenne.example/1", "external_id": "A-1",
    })  # fmt: skip
    assert offer["status"] == "open" and "<script" not in offer["description"]
    path = "/o/" + offer["public_url"].rsplit("/o/", 1)[1]
    assert house.app.test_client().get(path).status_code == 200
    assert recruiter.post(f"/offers/{offer['id']}/closure")["status"] == "closed"
    assert recruiter.get("/offers?status=closed")["items"][0]["id"] == offer["id"]


def test_a_link_is_the_same_at_every_call_and_needs_an_open_offer(
    maelle: Caller, recruiter: Caller
) -> None:
    offer = recruiter.post("/offers", {"title": "x"})["id"]
    link = maelle.post(f"/offers/{offer}/links", {"channel": "email"})
    assert maelle.post(f"/offers/{offer}/links", {"channel": "email"})["code"] == link["code"]
    assert link["url"].endswith(f"/r/{link['code']}")
    assert maelle.call("POST", f"/offers/{offer}/links", {"channel": "pigeon"}).status_code == 422
    recruiter.post(f"/offers/{offer}/closure")
    assert maelle.call("POST", f"/offers/{offer}/links", {"channel": "qr"}).status_code == 409
    assert maelle.call("POST", f"/offers/{uuid.uuid4()}/links", {}).status_code == 404
    assert maelle.call("POST", "/offers/none/links", {}).status_code == 404


def test_applying_twice_answers_alike_and_makes_one_referral(
    house: House, recruiter: Caller
) -> None:
    offer = recruiter.post("/offers", {"title": "x"})["id"]
    anyone = Caller(house.app.test_client(), None)
    from app.referrals.notice import CURRENT_NOTICE

    form = {
        "first_name": "Nadia",
        "last_name": "F",
        "email": "n@mail.example",
        "notice_version": CURRENT_NOTICE,
    }
    first = anyone.post(f"/offers/{offer}/applications", form)
    assert anyone.post(f"/offers/{offer}/applications", form) == first
    assert "/c/" not in str(first)
    assert len(recruiter.get("/referrals")["items"]) == 1
    refused = anyone.call("POST", f"/offers/{offer}/applications", form | {"email": "x" * 200_000})
    assert refused.status_code == 422 and "email" in refused.json["errors"]
    assert (
        anyone.call("POST", f"/offers/{offer}/applications", form | {"code": "nope"}).status_code
        == 422
    )


def test_a_stage_by_hand_counts_once_for_its_event(house: House, recruiter: Caller) -> None:
    referral = house.referral(house.person())
    body = {"stage": "interview", "external_event_id": "e1"}
    recruiter.post(f"/referrals/{referral}/stages", body)
    told = recruiter.post(f"/referrals/{referral}/stages", body)
    assert told["stage"] == "interview"
    assert [h["stage"] for h in told["history"]] == ["received", "interview"]
    wrong = recruiter.call("POST", f"/referrals/{referral}/stages", {"stage": "promoted"})
    assert wrong.status_code == 422 and "stage" in wrong.json["errors"]
    early = recruiter.call("POST", f"/referrals/{referral}/stages", {"stage": "trial_passed"})
    assert early.status_code == 422


def test_a_member_reads_only_their_own_referrals(house: House, maelle: Caller) -> None:
    other = house.referral(house.person("Théo Rossignac"))
    assert maelle.get("/referrals")["items"] == []
    assert maelle.call("GET", f"/referrals/{other}").status_code == 404


def test_connections_never_show_their_secrets(recruiter: Caller) -> None:
    made = recruiter.post(
        "/connections", {"kind": "greenhouse", "name": "G", "secrets": ["hush-hush-hush-hush"]}
    )
    shown = recruiter.call("GET", f"/connections/{made['id']}").get_data(as_text=True)
    assert "hush" not in shown and "/webhooks/ats/" in shown
    assert recruiter.call("DELETE", f"/connections/{made['id']}").status_code == 204
    assert recruiter.call("GET", f"/connections/{made['id']}").status_code == 404


def test_short_lists_have_pages_too(house: House, recruiter: Caller) -> None:
    made = [
        recruiter.post("/connections", {"kind": "csv", "name": f"Feed {n}"})["id"] for n in range(3)
    ]
    lead = house.caller(house.person("Pauline Delmotte", "lead", joined=False))
    for caller, path in ((recruiter, "/connections"), (lead, "/rules")):
        whole = [row["id"] for row in caller.get(path)["items"]]
        found, after = [], None
        while True:
            page = caller.get(f"{path}?limit=2" + (f"&after={after}" if after else ""))
            assert len(page["items"]) <= page["limit"] == 2
            found += [row["id"] for row in page["items"]]
            if (after := page["next"]) is None:
                break
        assert found == whole and len(whole) > 2
        for wrong in ("limit=0", "limit=201", "limit=x", "after=nowhere", "after=WyJ4Il0"):
            assert caller.call("GET", f"{path}?{wrong}").status_code == 422, wrong
    assert {*made} <= {row["id"] for row in recruiter.get("/connections")["items"]}


def test_a_program_is_answered_in_its_owners_language_unless_it_asks_otherwise(
    house: House,
) -> None:
    aminata = house.caller(house.person("Aminata Sy", language="en"))
    said = [
        aminata.call("GET", "/offers?limit=0", **asked).json["title"]
        for asked in ({}, {"Accept_Language": "en"}, {"Accept_Language": "fr"})
    ]
    assert said[0] == said[1] != said[2]
    assert said[2] == "Un point du formulaire est à revoir"


def test_nobody_is_made_a_member(house: House) -> None:
    admin = house.caller(house.person("Nolwenn Prigent", "admin"))
    asked = {"name": "Loïc Tanguy", "email": "loic@halvenne.example", "roles": ["member"]}
    refused = admin.call("POST", "/people", asked)
    assert refused.status_code == 422 and "roles" in refused.json["errors"]
    made = admin.post("/people", asked | {"roles": ["recruiter"]})
    assert made["roles"] == ["recruiter"]
    assert all("member" not in p["roles"] for p in admin.get("/people")["items"])


def test_a_wrong_method_says_which_are_right(maelle: Caller) -> None:
    refused = maelle.call("DELETE", "/me")
    assert refused.status_code == 405 and "GET" in refused.headers["Allow"]
    assert refused.content_type == "application/problem+json"
    assert maelle.call("GET", "/nowhere").status_code == 404


def test_the_document_describes_what_works(house: House) -> None:
    document = house.app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    paths = document["paths"]
    for path in (
        "/api/v1/me",
        "/api/v1/offers",
        "/api/v1/referrals/{referral_id}/stages",
        "/api/v1/redemptions",
    ):
        assert path in paths
    assert {"/api/v1/stories", "/api/v1/shares", "/api/v1/disclosures"} <= set(paths)


def test_a_text_that_cannot_be_kept_is_refused_on_both_databases(any_house: House) -> None:
    recruiter = any_house.caller(any_house.person("Sofiane Belkhir", "recruiter"))
    for path in ("/offers?q=%00", "/referrals?external_id=%00", "/offers?after=%00"):
        assert recruiter.call("GET", path).status_code in (200, 422), path
    for body in (
        {"title": "a\x00b"},
        {"title": "x", "description": "\x00"},
        {"title": "x", "external_id": "\x00"},
    ):
        assert recruiter.call("POST", "/offers", body).status_code in (201, 422), body
    assert recruiter.get("/me")["roles"] == ["member", "recruiter"]
