"""A network that fails between pressing and answer: pressing again is the same press."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import outbox
from app.db import db
from app.people.models import Person
from app.play import accounts
from app.referrals.models import Offer, OfferLink, Referral
from app.rewards import service as rewards
from app.rewards.models import Redemption
from app.sharing.models import Share
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


def _count(what: type[Share] | type[Redemption] | type[OfferLink] | type[Referral]) -> int:
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
