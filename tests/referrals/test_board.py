"""F60: the recruiter's board, and the human queue of the tracking system's events."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import uuid
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, new_id
from app.integrations.registry import CONNECTORS
from app.referrals import ats, connections, queries
from app.referrals.models import AtsEvent, Connection, Referral
from app.web.cursors import encode_cursor
from tests.conftest import House

HIRED = Path(__file__).parents[1] / "samples" / "ats" / "greenhouse" / "hired.body.json"


def board(house: House) -> FlaskClient:
    return house.browser(house.person("Sofiane Belkhir", "recruiter"))


def test_it_lists_running_referrals_and_filters_by_the_address(house: House) -> None:
    maelle = house.person()
    house.referral(maelle, house.offer("Charpente"))
    recruiter = board(house)
    page = recruiter.get("/studio/referrals").get_data(as_text=True)
    assert "Nadia Ferrand" in page
    assert "Maëlle Kerjan" in page
    assert "Nadia" in recruiter.get("/studio/referrals?stage=received&q=charp").get_data(
        as_text=True
    )
    for nothing in ("?stage=interview", "?q=nobody", "?view=late", "?view=contested"):
        assert "Nadia" not in recruiter.get(f"/studio/referrals{nothing}").get_data(as_text=True)
    assert recruiter.get("/studio/referrals?stage=%00&offer=x&after=zzz").status_code == 422


def test_a_member_does_not_open_it(house: House) -> None:
    member = house.browser(house.person())
    assert member.get("/studio/referrals").status_code == 403
    assert member.post("/studio/referrals/stages").status_code == 403


def test_several_are_moved_at_once_and_entrusted(house: House) -> None:
    maelle = house.person()
    chosen = [house.referral(maelle), house.referral(maelle)]
    recruiter = board(house)
    form = {
        "referral": [str(c) for c in chosen],
        "stage": "screened",
        "back": "/studio/referrals?view=all",
    }
    answer = recruiter.post("/studio/referrals/stages", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/studio/referrals?view=all")
    assert {r.stage for r in queries.referrals(queries.ReferralFilter()).rows} == {"screened"}
    other = house.person("Pauline Delmotte", "recruiter")
    recruiter.post("/studio/referrals/owners", data=form | {"owner": str(other.id)})
    assert {r.owner_name for r in queries.referrals(queries.ReferralFilter()).rows} == {
        "Pauline Delmotte"
    }


def test_it_never_sends_anybody_to_another_site(house: House) -> None:
    answer = board(house).post("/studio/referrals/stages", data={"back": "https://evil.example"})
    assert answer.headers["Location"] == "/studio/referrals"


def test_a_stage_that_does_not_exist_is_told_at_its_field(house: House) -> None:
    referral = house.referral(house.person())
    recruiter = board(house)
    wrong = recruiter.post(f"/studio/referrals/{referral}/stages", data={"stage": "promoted"})
    assert wrong.status_code == 422
    early = recruiter.post(f"/studio/referrals/{referral}/stages", data={"stage": "trial_passed"})
    assert early.status_code == 422
    assert recruiter.get(f"/studio/referrals/{uuid.uuid4()}").status_code == 404


def test_opening_a_file_is_noted_once_for_each_opening(house: House) -> None:
    referral = house.referral(house.person())
    recruiter = board(house)
    page = recruiter.get(f"/studio/referrals/{referral}")
    assert page.status_code == 200
    noted = db.session.scalars(
        select(AuditEntry.actor_role).where(AuditEntry.action == "referral.opened")
    ).all()
    assert noted == ["recruiter"]


def test_what_happens_next_is_kept_and_bounded(house: House) -> None:
    referral = house.referral(house.person())
    recruiter = board(house)
    path = f"/studio/referrals/{referral}/next-step"
    assert (
        recruiter.post(path, data={"next_step": "Visite jeudi", "due_on": "2026-11-26"}).status_code
        == 303
    )
    row = db.session.get_one(Referral, referral, populate_existing=True)
    assert (row.next_step, row.promise_due_at and row.promise_due_at.date().isoformat()) == (
        "Visite jeudi",
        "2026-11-26",
    )
    assert recruiter.post(path, data={"next_step": "x" * 201}).status_code == 422


def _unmatched(event_id: str = "e1", number: int = 880501) -> None:
    """A hire that credits nobody we know."""
    body = json.loads(HIRED.read_text())
    body["payload"]["application"]["credited_to"] = None
    body["payload"]["application"]["custom_fields"] = {}
    body["payload"]["application"]["id"] = number
    raw = json.dumps(body).encode()
    connection = db.session.get_one(Connection, connections.default_connection("greenhouse").id)
    ats.receive(connection, event_id, CONNECTORS["greenhouse"].parse(raw), raw)
    outbox.drain()


def test_a_hire_of_nobody_we_know_waits_for_a_person_to_match_it(house: House) -> None:
    referral = house.referral(house.person())
    _unmatched()
    event = db.session.scalars(select(AtsEvent.id)).one()
    recruiter = board(house)
    assert "880501" in recruiter.get("/studio/events").get_data(as_text=True)
    recruiter.post(
        f"/studio/events/{event}/match", data={"referral": f"http://x/studio/referrals/{referral}"}
    )
    outbox.drain()
    assert db.session.get_one(Referral, referral, populate_existing=True).stage == "hired"
    assert queries.unmatched().rows == []


def test_what_waits_to_be_matched_is_paged_the_oldest_first(house: House) -> None:
    numbers = range(990001, 990061)
    for number in numbers:
        clock.travel(dt.timedelta(seconds=1))
        _unmatched(f"e{number}", number)
    recruiter = board(house)

    def shown(address: str) -> tuple[list[int], str]:
        page = recruiter.get(address).get_data(as_text=True)
        return [int(number) for number in re.findall(r">(990\d{3})<", page)], page

    first, page = shown("/studio/events")
    assert first == [*numbers][:50]
    (onward,) = re.findall(r'href="([^"]+)" rel="next"', page)
    rest, page = shown(html.unescape(onward))
    assert first + rest == [*numbers]
    (back,) = re.findall(r'href="([^"]+)" rel="prev"', page)
    assert shown(html.unescape(back))[0] == first
    last = encode_cursor(clock.now() + dt.timedelta(days=1), new_id())
    emptied, page = shown(f"/studio/events?after={last}&lang=en")
    assert emptied == [] and "Nothing further" in page


def test_an_event_may_be_set_aside(house: House) -> None:
    _unmatched()
    event = db.session.scalars(select(AtsEvent.id)).one()
    board(house).post(f"/studio/events/{event}/dismissal")
    assert queries.unmatched().rows == []
