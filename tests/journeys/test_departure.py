"""Shows 4: a departure with five open sessions, a token, planned posts, a role and links. All of it
is refused at the very next request, and within five seconds of the clock on the wall; what the
rules say stays."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from sqlalchemy import select

from app import clock, ledger, outbox
from app.audit.models import AuditEntry
from app.db import db
from app.people import personal_address, queries, transitions
from app.people import service as people
from app.people.models import AccessToken, Credential, Identity, Login, Person, RoleGrant
from app.people.personal_address import CONFIRM
from app.people.proof_models import Passkey, RecoveryCode, SecondFactor
from app.play import accounts, awards
from app.play.models import LeaverAccount
from app.referrals import links
from app.referrals import service as referrals
from app.referrals.queries import ReferralFilter
from app.referrals.queries import referrals as referral_rows
from app.sharing import grants
from app.sharing.models import GrantRevocation
from standin.linkedin import StandIn
from tests.conftest import PASSWORD, House
from tests.sharing import kit
from tests.sharing.conftest import any_app, app, linkedin, standin

__all__ = ["any_app", "app", "linkedin", "standin"]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
OWN = "maelle.k@perso.example"


def _life(house: House) -> tuple[Person, dict[str, Any]]:
    """Somebody with everything that a departure has to end."""
    person = kit.member(house, "Maëlle Kerjan", "curator", employee_id="4711")
    people.set_password(person.id, PASSWORD)
    story = kit.story(house)
    planned = [
        kit.press(person, story, f"Demain {n}.", publish_at=clock.now() + dt.timedelta(days=n)).id
        for n in (1, 2, 3)
    ]
    hired = house.referral(person, house.offer("Charpente"))
    referrals.set_stage(
        hired, "hired", actor_id=None, actor_role="recruiter",
        starts_on=clock.now().date() - dt.timedelta(days=30),
    )  # fmt: skip
    outbox.drain()
    offer = house.offer("Levage")
    return person, {
        "planned": planned,
        "open": house.referral(person, house.offer("Bureau d’études")),
        "link": links.link_for(person.id, offer, "link").code,
        "offer": offer,
    }


def test_a_departure_ends_everything_within_five_seconds(
    any_house: House, standin: StandIn
) -> None:
    house = any_house
    person, life = _life(house)
    admin = house.caller(house.person("Odile Bertin", "admin"))
    browsers = [house.browser(person) for _ in range(5)]
    caller = house.caller(person)
    assert [b.get("/play").status_code for b in browsers] == [200] * 5
    assert caller.call("GET", "/me").status_code == 200
    assert browsers[0].get("/studio/stories").status_code == 200
    personal_address.give_address(person.id, OWN)
    personal_address.confirm_address(personal_address.token_for(CONFIRM, person.id))
    before = accounts.balance_of(person.id)
    assert before.available > 0 and before.pending > 0

    began = time.monotonic()
    answered = admin.post(f"/people/{person.id}/departure")
    first = [b.get("/play") for b in browsers]
    refused = caller.call("GET", "/me").status_code
    outbox.drain()  # what the worker does as soon as it is told
    took = time.monotonic() - began

    assert answered["departed_at"] is not None and answered["roles"] == []
    assert [r.status_code for r in first] == [303] * 5
    assert all(r.location.startswith("/sign-in") for r in first)
    assert refused == 401
    assert took < 5
    _no_way_in(house, person.id)
    assert [kit.share(id_).status for id_ in life["planned"]] == ["cancelled"] * 3
    assert grants.grant_of(person.id) is None
    assert db.session.scalars(select(GrantRevocation)).all() == []
    _roles_kept_in_the_log(person.id)
    _links_name_nobody(house, person.id, life)
    _points_wait(person.id, before)


def _no_way_in(house: House, person_id: Any) -> None:
    for table in (
        AccessToken,
        Credential,
        Identity,
        Passkey,
        SecondFactor,
        RecoveryCode,
        RoleGrant,
    ):
        mine = select(table).where(table.person_id == person_id)
        assert db.session.scalars(mine).all() == [], table.__tablename__
    open_ones = select(Login).where(Login.person_id == person_id, Login.ended_at.is_(None))
    assert db.session.scalars(open_ones).all() == []
    person = queries.person(person_id)
    assert person.roles == frozenset() and not person.is_member
    answer = house.app.test_client().post(
        "/sign-in", data={"email": person.email, "password": PASSWORD}
    )
    assert answer.status_code in (400, 401, 403, 422)


def _roles_kept_in_the_log(person_id: Any) -> None:
    entries = db.session.execute(
        select(AuditEntry.action, AuditEntry.details).where(
            AuditEntry.target_id == str(person_id),
            AuditEntry.action.in_(("role.taken", "person.departed")),
        )
    ).all()
    assert {(row.action, row.details.get("role")) for row in entries} == {
        ("role.taken", "curator"), ("person.departed", None),
    }  # fmt: skip


def _links_name_nobody(house: House, person_id: Any, life: dict[str, Any]) -> None:
    """The reader is not to blame: the offer opens, names nobody and credits nobody."""
    visitor = house.app.test_client()
    answer = visitor.get(f"/r/{life['link']}", headers={"User-Agent": BROWSER})
    assert answer.status_code == 302 and "/o/" in answer.location
    page = visitor.get(answer.location, headers={"User-Agent": BROWSER})
    assert page.status_code == 200 and "Maëlle" not in page.get_data(as_text=True)
    mine = referral_rows(ReferralFilter(referrer_id=person_id), limit=50).rows
    assert life["open"] in {row.id for row in mine}


def _points_wait(person_id: Any, before: ledger.Balance) -> None:
    account = accounts.account_of(person_id)
    assert account is not None
    row = db.session.get_one(LeaverAccount, account)
    assert row.outcome is None and row.due_at > clock.now() + dt.timedelta(days=29)
    after = accounts.balance_of(person_id)
    assert (after.available, after.pending) == (before.available, before.pending)


def test_the_account_of_a_former_employee_keeps_what_the_rules_say(
    any_house: House, standin: StandIn
) -> None:
    house = any_house
    person, life = _life(house)
    personal_address.give_address(person.id, OWN)
    personal_address.confirm_address(personal_address.token_for(CONFIRM, person.id))
    before = accounts.balance_of(person.id)
    account = accounts.account_of(person.id)
    people.depart(person.id)
    outbox.drain()
    clock.travel(dt.timedelta(days=20))

    transitions.open_as_alumni(person.id, PASSWORD)
    outbox.drain()
    found = queries.person(person.id)
    assert (found.kind, found.email, found.roles) == ("alumni", OWN, frozenset({"member"}))
    assert found.department is None and found.employee_id == "4711"
    assert accounts.account_of(person.id) == account
    assert accounts.balance_of(person.id).available == before.available
    assert db.session.get_one(LeaverAccount, account).outcome == "kept"
    browser = house.browser(found)
    assert browser.get("/play").status_code == 200
    assert browser.get("/offers").status_code == 200
    assert browser.get("/play/month").status_code == 403
    assert browser.get("/studio/stories").status_code == 403
    # The link lives again, and the points on hold come on their day.
    page = house.app.test_client().get(f"/r/{life['link']}", headers={"User-Agent": BROWSER})
    shown = house.app.test_client().get(page.location, headers={"User-Agent": BROWSER})
    assert "Maëlle" in shown.get_data(as_text=True)
    clock.travel(dt.timedelta(days=120))
    awards.announce_due()
    outbox.drain()
    assert accounts.balance_of(person.id).available == before.available + before.pending
    assert ledger.verify().ok
