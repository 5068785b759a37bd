"""The referral job, whole, by API and public pages: offer, link, click, application, hire,
points, reward. F25, F32, F35, F57, F58, F59, F62, F65, F67, F69."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app import ledger, outbox
from app.db import db
from app.referrals import connections, imports
from tests.conftest import Caller, House

SAMPLES = Path(__file__).parents[1] / "samples" / "ats" / "greenhouse"
SECRET = "gh-sample-secret-not-real-000000"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"


class Greenhouse:
    """Speaks as the tracking system does: signed bytes to the webhook's address."""

    def __init__(self, house: House, recruiter: Caller) -> None:
        made = recruiter.post(
            "/connections", {"kind": "greenhouse", "name": "Greenhouse", "secrets": [SECRET]}
        )
        self.path = "/webhooks" + made["webhook_url"].split("/webhooks", 1)[1]
        self.client = house.app.test_client()

    def send(self, body: dict[str, Any], event_id: str | None = None) -> int:
        raw = json.dumps(body).encode()
        signature = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        response = self.client.post(
            self.path,
            data=raw,
            headers={
                "Content-Type": "application/json",
                "Signature": f"sha256 {signature}",
                "Greenhouse-Event-ID": event_id or str(uuid.uuid4()),
            },
        )
        return response.status_code


def sample(name: str, application: int, code: str, email: str, **offer: Any) -> dict[str, Any]:
    """A sample event, about another application, code and mailbox."""
    body: dict[str, Any] = json.loads((SAMPLES / f"{name}.body.json").read_text())
    told = body["payload"]["application"]
    told["id"] = application
    told["candidate"]["id"] = application + 1
    told["candidate"]["email_addresses"] = [{"value": email, "type": "personal"}]
    told["credited_to"] = None
    if "referral_code" in told.get("custom_fields", {}):
        told["custom_fields"]["referral_code"]["value"] = code
    else:
        told["custom_fields"] = {
            "referral_code": {"name": "Referral code", "type": "short_text", "value": code}
        }
    if offer:
        told["offer"] |= offer
    return body


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, f"the form has no {name}"
    return found.group(1)


@pytest.fixture
def recruiter(any_house: House) -> Caller:
    return any_house.caller(any_house.person("Sofiane Belkhir", "recruiter", "admin"))


def test_a_link_becomes_a_hire_points_and_a_reward(any_house: House, recruiter: Caller) -> None:
    house, chance = any_house, random.Random()
    seed = chance.randrange(10**6)
    print("seed", seed)
    feed = (SAMPLES / "jobs.json").read_bytes()
    system = Greenhouse(house, recruiter)
    first = imports.import_now("greenhouse", data=feed)
    second = imports.import_now("greenhouse", data=feed)
    outbox.drain()
    assert (first.created, second.created, second.updated) == (7, 0, 0)
    offer = next(
        o for o in recruiter.get("/offers?limit=200")["items"] if o["external_id"] == "4011001"
    )
    assert offer["source"] == "greenhouse"
    assert offer["public_url"]

    member = house.person("Maëlle Kerjan")
    maelle = house.caller(member)
    link = maelle.post(f"/offers/{offer['id']}/links", {"channel": "email"})
    visitor = house.app.test_client()
    hit = visitor.get(f"/r/{link['code']}", headers={"User-Agent": PHONE})
    assert hit.status_code == 302
    assert hit.headers["Cache-Control"] == "no-store"
    page = visitor.get(hit.headers["Location"], headers={"User-Agent": PHONE}).get_data(
        as_text=True
    )
    mailbox = f"nadia.{seed}@mail.example"
    applied = Caller(visitor, None).post(
        f"/offers/{offer['id']}/applications",
        {
            "code": hidden(page, "code"), "click_id": hidden(page, "click_id"),
            "first_name": "Nadia", "last_name": f"Ferrand{seed}", "email": mailbox,
            "visibility": "all", "notice_version": hidden(page, "notice_version"),
        },
    )  # fmt: skip
    outbox.drain()
    assert visitor.get_cookie("portevoix") is None

    application = 900_000 + seed
    hire = sample("hired", application, link["code"], mailbox)
    events = [
        sample("stage_change", application, link["code"], mailbox),
        hire, hire, json.loads(json.dumps(hire)),
        {"action": "candidate_unknown_thing", "payload": {}},
    ]  # fmt: skip
    random.Random(seed).shuffle(events)
    assert {system.send(event) for event in events} == {200}
    outbox.drain()

    found = recruiter.get(f"/referrals?external_id={application}")["items"]
    assert [r["id"] for r in found] == [applied["id"]]
    assert found[0]["stage"] == "hired"
    assert found[0]["referrer"]["id"] == str(member.id)
    assert found[0]["attribution"]["claims"][0]["kind"] == "form-code"
    assert found[0]["attribution"]["claims"][0]["outcome"] == "won"

    entries = maelle.get("/me/entries")["items"]
    assert sorted((e["amount"], e["state"]) for e in entries) == [
        (30, "available"), (50, "available"), (200, "available"), (200, "pending"),
    ]  # fmt: skip
    held = next(e for e in entries if e["state"] == "pending")
    assert held["effective_at"].startswith("2027-04-04")  # the contract's start and 90 days
    assert all(e["rule"]["version"] == 1 and e["reason"] for e in entries)
    assert maelle.get("/me/balance") == {"available": 280, "pending": 200, "status_points": 280}

    hr = house.caller(house.person("Marc Aubin", "hr"))
    reward = hr.post("/rewards", {
        "title": "Un livre", "cost": 80, "stock": 1, "pay_class": "gift in kind", "deliverer": "me",
    })  # fmt: skip
    redemption = maelle.post("/redemptions", {"reward_id": reward["id"]}, Idempotency_Key="k1")
    assert (
        maelle.post("/redemptions", {"reward_id": reward["id"]}, Idempotency_Key="k1") == redemption
    )
    assert redemption["status"] == "reserved"
    assert maelle.get("/me/balance")["available"] == 200
    refused = maelle.call("POST", "/redemptions", {"reward_id": reward["id"]})
    assert refused.status_code == 409
    assert refused.json["type"].endswith("out-of-stock")
    assert hr.post(f"/redemptions/{redemption['id']}/fulfilment")["status"] == "fulfilled"
    assert maelle.get(f"/redemptions/{redemption['id']}")["status"] == "fulfilled"
    spent = next(e for e in maelle.get("/me/entries")["items"] if e["code"] == "redemption")
    assert (spent["amount"], spent["state"]) == (-80, "spent")
    assert spent["reason"]
    assert maelle.get("/me/balance")["status_points"] == 280

    auditor = house.caller(house.person("Édouard Vasseur", "auditor"))
    assert auditor.get("/ledger/verification")["ok"] is True
    assert ledger.verify().ok


def test_a_hire_of_an_unknown_candidate_waits_for_its_credited_person_to_join(
    any_house: House, recruiter: Caller
) -> None:
    house = any_house
    colleague = house.person("Sacha Fictif", joined=False, employee_id="LV-1042")
    system = Greenhouse(house, recruiter)
    assert system.send(json.loads((SAMPLES / "hired.body.json").read_text())) == 200
    outbox.drain()
    [found] = recruiter.get("/referrals?external_id=880501")["items"]
    assert found["candidate_name"] is None
    assert found["offer_id"] is None
    assert found["referrer"]["id"] == str(colleague.id)
    from app.people import service as people

    people.join(colleague.id, password="un poirier sous la neige")
    outbox.drain()
    balance = house.caller(colleague).get("/me/balance")
    assert (balance["available"], balance["pending"]) == (280, 200)


def test_un_hire_takes_back_and_a_rehire_gives_once(any_house: House, recruiter: Caller) -> None:
    house = any_house
    offer = house.offer()
    member = house.person("Maëlle Kerjan")
    maelle = house.caller(member)
    code = maelle.post(f"/offers/{offer}/links", {})["code"]
    referral = house.referral(member, offer, email="n@mail.example")
    system = Greenhouse(house, recruiter)
    hire = sample("hired", 5001, code, "n@mail.example")
    undo = json.loads(json.dumps(hire)) | {"action": "unhire_candidate"}
    again = sample(
        "hired", 5001, code, "n@mail.example", id=99111, resolved_at="2026-11-14T10:00:00Z"
    )
    for event in (hire, undo, hire, again, undo):
        assert system.send(event) == 200
        outbox.drain()
    balance = maelle.get("/me/balance")
    assert (balance["available"], balance["pending"]) == (280, 200)
    assert recruiter.get(f"/referrals/{referral}")["stage"] == "hired"
    assert ledger.verify().ok


def test_the_webhook_refuses_what_is_not_signed_and_takes_the_same_event_once(
    any_house: House, recruiter: Caller
) -> None:
    system = Greenhouse(any_house, recruiter)
    raw = (SAMPLES / "hired.body.json").read_bytes()
    headers = json.loads((SAMPLES / "hired.headers.json").read_text())
    client, path = any_house.app.test_client(), system.path
    assert client.post(path, data=raw, headers=headers).status_code == 200
    assert client.post(path, data=raw, headers=headers).status_code == 200
    wrong = headers | {"Signature": "sha256 " + "0" * 64}
    assert client.post(path, data=raw, headers=wrong).status_code == 401
    missing = {k: v for k, v in headers.items() if k != "Signature"}
    assert client.post(path, data=raw, headers=missing).status_code == 401
    assert client.get(path).status_code == 405
    assert client.post(path, data=b"{" * (1024 * 1024 + 1), headers=headers).status_code == 413
    assert (
        client.post(path, data=raw, headers=headers | {"Content-Type": "text/plain"}).status_code
        == 415
    )
    assert (
        client.post(path, data=raw, headers=headers | {"Content-Encoding": "gzip"}).status_code
        == 415
    )
    bomb = b'{"a":' * 50_000
    signed = {"Signature": "sha256 " + hmac.new(SECRET.encode(), bomb, hashlib.sha256).hexdigest()}
    assert client.post(path, data=bomb, headers=headers | signed).status_code == 400
    assert client.post("/webhooks/ats/nobody", data=raw, headers=headers).status_code == 404
    assert connections.list_connections()[0].kind == "greenhouse"


def test_entering_a_contact_for_somebody_is_off(any_house: House) -> None:
    maelle = any_house.caller(any_house.person())
    refused = maelle.call(
        "POST", "/referrals", {"offer_id": "x", "candidate": {}, "confirmed": True}
    )
    assert refused.status_code == 403
    assert refused.json["type"].endswith("contact-entry-disabled")
    assert refused.content_type == "application/problem+json"


def test_one_changed_byte_is_named_by_the_api(any_house: House) -> None:
    house = any_house
    house.referral(house.person("Maëlle Kerjan"))
    auditor = house.caller(house.person("Édouard Vasseur", "auditor"))
    assert auditor.get("/ledger/verification")["ok"] is True
    with db.engine.begin() as connection:
        connection.execute(text("update ledger_entry set amount = amount + 1 where leg = 1"))
    told = auditor.get("/ledger/verification")
    assert told["ok"] is False
    assert told["first_difference"]["table"] == "ledger_entry"
    assert told["first_difference"]["id"]
