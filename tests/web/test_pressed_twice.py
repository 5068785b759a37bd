"""A network that fails between pressing and answer: pressing again is the same press."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import clock, outbox
from app.approvals import service as approving
from app.approvals.models import ApprovalPolicy, ApprovalRequest
from app.audit.models import AuditEntry
from app.db import db, new_id, transaction
from app.library.models import Story
from app.people.joining_models import OpenInvitation
from app.people.models import Person, Segment
from app.play import accounts
from app.privacy.models import DataRequest
from app.provisioning.scim.models import ScimConnection, ScimToken
from app.referrals.models import Connection, Offer, OfferLink, Referral
from app.rewards import service as rewards
from app.rewards.models import Redemption, Reward
from app.sharing.models import Share
from app.web import pressing
from app.web.refilling import refill
from tests.conftest import House
from tests.rewards.conftest import give
from tests.sharing.kit import accept

SCRIPT = {"X-Press": "1"}


@pytest.fixture
def maelle(any_house: House) -> Person:
    return any_house.person("Maëlle Kerjan")


def together(app: Flask, act: Callable[[], TestResponse]) -> list[TestResponse]:
    """The same press twice at once: the first answer was lost, the server still works on it."""
    answers: list[TestResponse] = []
    gate = threading.Barrier(2)

    def press() -> None:
        gate.wait()
        answers.append(act())

    both = [threading.Thread(target=press) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    db.session.rollback()
    return answers


def _fields(page: str, action: str) -> dict[str, str]:
    """What a form carries unseen."""
    for form in LexborHTMLParser(page).css("form"):
        if (form.attributes.get("action") or "").partition("#")[0] == action:
            return {
                str(field.attributes["name"]): field.attributes.get("value") or ""
                for field in form.css("input[type=hidden][name]")
            }
    raise AssertionError(f"no form goes to {action}")


def _count(what: type[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def test_a_redemption_pressed_twice_is_one(any_house: House, maelle: Person) -> None:
    reward = rewards.create_reward(
        title="Un livre", description="", cost=10, stock=5, pay_class="voucher",
        deliverer_id=any_house.person("Sofiane", "hr").id, actor_id=None,
    ).id  # fmt: skip
    give(maelle.id, 25)
    before = accounts.balance_of(maelle.id).available
    browser, action = any_house.browser(maelle), f"/play/rewards/{reward}/redemptions"
    fields = _fields(browser.get(f"/play/rewards/{reward}").get_data(as_text=True), action)
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None

    def press() -> TestResponse:
        own = any_house.app.test_client()
        own.set_cookie("portevoix", cookie.value)
        return own.post(action, data=fields, headers=SCRIPT)

    answers = [*together(any_house.app, press), press()]
    assert {answer.status_code for answer in answers} == {204}
    assert len({answer.headers["X-Go"] for answer in answers}) == 1
    db.session.rollback()
    assert _count(Redemption) == 1
    assert accounts.balance_of(maelle.id).available == before - 10


def test_a_share_pressed_twice_is_one(any_house: House, maelle: Person) -> None:
    offer = any_house.offer()
    browser, path = any_house.browser(maelle), f"/offers/{offer}/share"
    accept(maelle.id)
    fields = _fields(browser.get(path).get_data(as_text=True), "/shares")
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None
    typed = fields | {"words": "Venez voir.", "disclosure": "own", "disclosure_words": "J’y travaille",
                      "network": "copy"}  # fmt: skip

    def press() -> TestResponse:
        own = any_house.app.test_client()
        own.set_cookie("portevoix", cookie.value)
        return own.post("/shares", data=typed, headers=SCRIPT)

    answers = [*together(any_house.app, press), press()]
    assert [answer.status_code for answer in answers] == [204] * 3, answers[0].get_data(
        as_text=True
    )
    assert len({answer.headers["X-Go"] for answer in answers}) == 1
    assert _count(Share) == 1


def test_a_link_asked_for_twice_is_one(any_house: House, maelle: Person) -> None:
    offer = any_house.offer()
    cookie = any_house.browser(maelle).get_cookie("portevoix")
    assert cookie is not None

    def press() -> TestResponse:
        own = any_house.app.test_client()
        own.set_cookie("portevoix", cookie.value)
        return own.post(f"/offers/{offer}/links", data={"channel": "link"})

    assert {answer.status_code for answer in [*together(any_house.app, press), press()]} == {303}
    assert _count(OfferLink) == 1


def test_an_application_sent_twice_is_one_with_one_mail(any_house: House) -> None:
    offer_id = any_house.offer("Charpente")
    slug = db.session.scalars(select(Offer.slug).where(Offer.id == offer_id)).one()
    client, action = any_house.app.test_client(), f"/o/{slug}/applications"
    typed = _fields(client.get(f"/o/{slug}").get_data(as_text=True), action) | {
        "first_name": "Nadia", "last_name": "Ferrand", "email": "nadia@mail.example", "notice": "1",
    }  # fmt: skip

    def press() -> TestResponse:
        return any_house.app.test_client().post(action, data=typed)

    answers = [*together(any_house.app, press), press()]
    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["Location"].split("/next/")[0] for answer in answers} == {f"/o/{slug}"}
    assert _count(Referral) == 1
    outbox.drain()
    mails = list((any_house.app.extensions["portevoix"].data_dir / "mail").glob("*.eml"))
    assert len(mails) == 1


# --- What is made in the studio ----------------------------------------------------------


class Making(NamedTuple):
    """A form of the studio that makes something: its page, where it goes, what is typed, what
    it makes and how many of it, and a typed field that is refused."""

    page: str
    action: str
    typed: dict[str, str]
    what: type[Any]
    rows: int = 1
    wrong: dict[str, str] = {}  # noqa: RUF012


MAKINGS = {
    "story": Making(
        "/studio/stories/new", "/studio/stories",
        {"language": "fr", "kind": "story", "title_fr": "Un pont", "topics": "Bois"}, Story,
        wrong={"url": "javascript:alert(1)"},
    ),
    "offer": Making(
        "/studio/offers/new", "/studio/offers",
        {"title": "Charpente", "language": "fr", "status": "open", "external_id": "R-1"}, Offer,
        wrong={"title": ""},
    ),
    "reward": Making(
        "/studio/rewards/new", "/studio/rewards",
        {"title": "Un livre", "cost": "10", "stock": "5", "pay_class": "gift in kind",
         "deliverer": "pauline@halvenne.example"}, Reward,
        wrong={"cost": "none"},
    ),
    "connection": Making(
        "/studio/connections/new", "/studio/connections",
        {"kind": "greenhouse", "name": "Chez nous", "secret": "s" * 40}, Connection,
        wrong={"name": ""},
    ),
    "directory": Making(
        "/studio/scim", "/studio/scim", {"name": "Groupe", "kind": "entra"}, ScimConnection,
        wrong={"name": ""},
    ),
    "sheet": Making(
        "/studio/people/invitations", "/studio/people/invitations/open",
        {"label": "Lorient", "admission": "paper", "days": "30", "use_limit": "1", "copies": "3",
         "language": "fr"}, OpenInvitation, 3,
        wrong={"label": ""},
    ),
    "segment": Making(
        "/studio/segments/new", "/studio/segments",
        {"name": "Lorient", "match": "all", "field-0": "site", "op-0": "is", "value-0": "Lorient"},
        Segment, wrong={"name": ""},
    ),
    "request": Making(
        "/studio/requests", "/studio/requests",
        {"kind": "copy", "email": "pauline@halvenne.example", "received_on": "2026-11-16"},
        DataRequest, wrong={"email": "nobody@halvenne.example"},
    ),
}  # fmt: skip


@pytest.fixture(params=MAKINGS)
def making(request: pytest.FixtureRequest) -> Making:
    return MAKINGS[request.param]


@pytest.fixture
def pauline(any_house: House) -> Person:
    return any_house.person(
        "Pauline Ferré", "admin", "hr", "recruiter", "curator", email="pauline@halvenne.example"
    )


def _filled(browser: FlaskClient, making: Making) -> dict[str, str]:
    page = browser.get(making.page)
    assert page.status_code == 200, making.page
    fields = _fields(page.get_data(as_text=True), making.action)
    assert fields["key"]
    return fields | making.typed


def _again(
    app: Flask, browser: FlaskClient, making: Making, fields: dict[str, str]
) -> Callable[[], TestResponse]:
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None

    def press() -> TestResponse:
        own = app.test_client()
        own.set_cookie("portevoix", cookie.value)
        return own.post(making.action, data=fields)

    return press


def _other(making: Making, number: int) -> dict[str, str]:
    """What must differ from one thing to the next."""
    unique = {Offer: "external_id", Segment: "name"}.get(making.what)
    return {unique: f"{making.typed[unique]}-{number}"} if unique else {}


def test_it_makes_one_thing_for_two_presses_and_a_third(
    any_house: House, pauline: Person, making: Making
) -> None:
    """Two at the same moment, and one afterwards: one thing, one line in the audit trail, and
    all are sent to the same page."""
    browser, before = any_house.browser(pauline), _count(making.what)
    press = _again(any_house.app, browser, making, _filled(browser, making))
    trail = _count(AuditEntry)
    answers = together(any_house.app, press)
    said = _count(AuditEntry) - trail
    answers.append(press())
    assert [answer.status_code for answer in answers] == [303] * 3, answers[0].get_data(
        as_text=True
    )
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert browser.get(answers[0].headers["Location"]).status_code == 200
    db.session.rollback()
    assert _count(making.what) == before + making.rows
    assert _count(AuditEntry) == trail + said


def test_another_form_makes_another_thing(
    any_house: House, pauline: Person, making: Making
) -> None:
    browser, before = any_house.browser(pauline), _count(making.what)
    for number in range(2):
        fields = _filled(browser, making) | _other(making, number)
        assert browser.post(making.action, data=fields).status_code == 303
    db.session.rollback()
    assert _count(making.what) == before + 2 * making.rows


def test_the_key_stays_after_an_error(any_house: House, pauline: Person, making: Making) -> None:
    browser, before = any_house.browser(pauline), _count(making.what)
    fields = _filled(browser, making)
    refused = browser.post(making.action, data=fields | making.wrong)
    assert refused.status_code == 422
    shown = _fields(refused.get_data(as_text=True), making.action)
    assert shown["key"] == fields["key"]
    for _time in range(2):
        assert browser.post(making.action, data=fields).status_code == 303
    db.session.rollback()
    assert _count(making.what) == before + making.rows


@pytest.mark.parametrize("key", ["", "x", "é\x00" * 60, "' or 1=1"])
def test_somebody_elses_key_and_any_text_reach_nothing_of_others(
    any_house: House, pauline: Person, making: Making, key: str
) -> None:
    browser = any_house.browser(pauline)
    first = browser.post(making.action, data=_filled(browser, making) | {"key": key})
    other = any_house.browser(any_house.person("Sofiane", "admin", "hr", "recruiter", "curator"))
    before, mine = _count(making.what), set(db.session.scalars(select(making.what.id)))
    second = other.post(making.action, data=making.typed | _other(making, 1) | {"key": key})
    theirs = {"key": str(next(iter(mine)))}
    third = other.post(making.action, data=making.typed | _other(making, 2) | theirs)
    assert [first.status_code, second.status_code, third.status_code] == [303] * 3
    db.session.rollback()
    assert _count(making.what) == before + 2 * making.rows
    assert mine < set(db.session.scalars(select(making.what.id)))


def test_a_directory_connected_twice_has_one_token(any_house: House, pauline: Person) -> None:
    making, browser = MAKINGS["directory"], any_house.browser(pauline)
    press = _again(any_house.app, browser, making, _filled(browser, making))
    before = _count(ScimToken)
    assert {one.status_code for one in [*together(any_house.app, press), press()]} == {303}
    assert _count(ScimToken) == before + 1


def test_a_reward_that_waits_for_a_second_person_is_asked_for_once(
    any_house: House, pauline: Person
) -> None:
    """Pressed again while it waits, and again once it is on the shelf."""
    second = any_house.person("Sofiane", "hr")
    with transaction() as session:
        session.merge(
            ApprovalPolicy(
                id=1, roles="off", points=False, points_above=0, money=True, changed_at=clock.now()
            )
        )
    making, browser = MAKINGS["reward"], any_house.browser(pauline)
    fields = _filled(browser, making) | {"pay_class": "voucher"}
    press, before = _again(any_house.app, browser, making, fields), _count(Reward)
    assert {one.status_code for one in [*together(any_house.app, press), press()]} == {303}
    assert (_count(ApprovalRequest), _count(Reward)) == (1, before)
    approving.approve(db.session.scalars(select(ApprovalRequest.id)).one(), second.id)
    assert press().status_code == 303
    db.session.rollback()
    assert (_count(ApprovalRequest), _count(Reward)) == (1, before + 1)


def test_a_form_that_outlived_its_session_keeps_its_key(
    any_house: House, pauline: Person, making: Making
) -> None:
    """Made, the answer lost; the form is put back after signing in and pressed again."""
    browser, before = any_house.browser(pauline), _count(making.what)
    fields = _filled(browser, making)
    made = browser.post(making.action, data=fields)
    fresh = browser.get(making.page).get_data(as_text=True)
    assert _fields(fresh, making.action)["key"] != fields["key"]
    back = refill(fresh, making.page, making.action, list(fields.items()))
    assert back is not None
    again = browser.post(making.action, data=_fields(back.html, making.action) | making.typed)
    assert again.headers["Location"] == made.headers["Location"]
    db.session.rollback()
    assert _count(making.what) == before + making.rows


def test_what_is_made_is_named_in_the_order_of_its_forms(app: Flask) -> None:
    """Lists stand in the order of identifiers, which tell nothing of who pressed."""
    person, names = new_id(), []
    for _time in range(3):
        clock.sleep(0.002)  # what is given out within one millisecond has no order
        with app.test_request_context(method="POST", data={"key": str(new_id())}):
            names.append(pressing.id_for(Offer, person))
            assert names[-1] == pressing.id_for(Offer, person)
            assert names[-1] not in {
                pressing.id_for(Story, person),
                pressing.id_for(Offer, new_id()),
            }
    assert names == sorted(names)
    assert {(name.version, name.variant) for name in names} == {(7, uuid.RFC_4122)}


def test_the_later_of_two_that_are_both_at_work_answers_with_the_first(any_house: House) -> None:
    """PostgreSQL lets both begin; the primary key decides which of them made it. (SQLite lets the
    second one wait, so that the first waits in vain for company.)"""
    app, id_, made = any_house.app, new_id(), list[uuid.UUID]()
    both = threading.Barrier(2)

    def make(name: uuid.UUID) -> Connection:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        row = Connection(
            id=name, public_id=new_id().hex, kind="csv", name="Ici", secrets_json="[]", settings={}
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        return row

    def press() -> None:
        with app.app_context():
            made.append(pressing.once(Connection, id_, make).id)

    before = _count(Connection)
    db.session.rollback()
    threads = [threading.Thread(target=press) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    db.session.rollback()
    assert made == [id_, id_]
    assert _count(Connection) == before + 1
