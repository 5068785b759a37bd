"""A telephone: what it keeps, what it says without a network, and a press whose answer is lost."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app.db import db
from app.people.models import Person
from app.referrals.models import Offer, Referral
from app.rewards import service as rewards
from app.rewards.models import Redemption
from app.sharing.models import Share
from tests.browser.product import FLAGS
from tests.conftest import House
from tests.rewards.conftest import give
from tests.sharing.kit import accept
from tests.supervisor.running import free_port

CHROMIUM = Path("/usr/bin/chromium")
TAKEN_OVER = """() => navigator.serviceWorker.controller || new Promise((done) =>
    navigator.serviceWorker.addEventListener("controllerchange", () => done(true), { once: true })
).then(() => true)"""
"""Polling from outside evaluates a string, which the page's policy refuses."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]
LOST = "we do not know whether this arrived"


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """The product, served to a real browser."""
    server = make_server("127.0.0.1", free_port(), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 360, "height": 780}, locale="en")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person("Maëlle Kerjan", language="en")


def signed_in(house: House, person: Person, phone: BrowserContext, url: str) -> Page:
    cookie = house.browser(person).get_cookie("portevoix")
    assert cookie is not None
    phone.add_cookies([{"name": "portevoix", "value": cookie.value, "url": url}])
    return phone.new_page()


def lose_the_first_answer(phone: BrowserContext, pattern: str) -> list[int]:
    """The server gets the press and answers; its first answer is lost on the way."""
    seen: list[int] = []

    def cut(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        seen.append(answer.status)
        if len(seen) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    phone.route(pattern, cut)
    return seen


def count(what: type[Share] | type[Redemption] | type[Referral]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(what)) or 0


def test_a_member_without_a_network_reads_what_is_known(
    house: House, maelle: Person, phone: BrowserContext, url: str
) -> None:
    page = signed_in(house, maelle, phone, url)
    page.goto(f"{url}/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{url}/offers")
    page.evaluate(TAKEN_OVER)
    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(
            async (name) => (await (await caches.open(name)).keys()).map((r) => r.url)))).flat()"""
    )
    assert kept
    strangers = [
        k for k in kept if not k.startswith((f"{url}/static/", f"{url}/theme-", f"{url}/offline?"))
    ]
    assert strangers == [], "only what every page is made of"
    phone.set_offline(True)
    page.goto(f"{url}/library")
    assert "There is no network here" in page.inner_text("h1")
    assert page.evaluate(
        "document.fonts.ready.then(() => getComputedStyle(document.body).fontFamily)"
    )
    phone.set_offline(False)
    expect(page).to_have_title(re.compile("Library"), timeout=30_000)  # it comes back by itself
    assert page.query_selector("article.story-card, .empty")
    assert page.url == f"{url}/library"


def test_a_page_that_is_there_stays_as_it_is_when_the_network_comes_back(
    house: House, maelle: Person, phone: BrowserContext, url: str
) -> None:
    page = signed_in(house, maelle, phone, url)
    page.goto(f"{url}/offers?q=")
    page.fill("input[name=q]", "charpentier")
    phone.set_offline(True)
    phone.set_offline(False)
    page.wait_for_timeout(2_500)  # what waits for the network asks again each second
    assert page.input_value("input[name=q]") == "charpentier"


def test_a_redemption_whose_answer_is_lost_is_made_once(
    house: House, maelle: Person, phone: BrowserContext, url: str
) -> None:
    reward = rewards.create_reward(
        title="Un livre", description="", cost=10, stock=5, pay_class="voucher",
        deliverer_id=maelle.id, actor_id=None,
    )  # fmt: skip
    give(maelle.id, 25)
    page = signed_in(house, maelle, phone, url)
    page.goto(f"{url}/play/rewards/{reward.id}")
    page.click("details:has(form[data-press]) > summary")
    seen = lose_the_first_answer(phone, "**/redemptions")
    page.click("form[data-press] button")
    assert LOST in page.inner_text(".press-note[role=alert]")
    page.click("form[data-press] button")
    page.wait_for_url("**/play/redemptions/*")
    assert seen == [204, 204] and count(Redemption) == 1


def test_words_stay_when_the_answer_is_lost_and_the_post_is_one(
    house: House, maelle: Person, phone: BrowserContext, url: str
) -> None:
    offer = house.offer()
    accept(maelle.id)
    page = signed_in(house, maelle, phone, url)
    page.goto(f"{url}/offers/{offer}/share")
    page.fill("#words", "Venez voir la charpente.")
    lose_the_first_answer(phone, "**/shares")
    page.click("button[name=network][value=copy]")
    assert LOST in page.inner_text(".press-note[role=alert]")
    assert page.input_value("#words") == "Venez voir la charpente."
    page.click("button[name=network][value=copy]")
    page.wait_for_url("**/shares/*")
    assert count(Share) == 1


def test_a_candidate_loses_the_answer_and_keeps_nothing(
    house: House, phone: BrowserContext, url: str
) -> None:
    offer = house.offer("Charpente")
    slug = db.session.scalars(select(Offer.slug).where(Offer.id == offer)).one()
    page = phone.new_page()
    page.goto(f"{url}/o/{slug}")
    page.fill("#first_name", "Nadia")
    page.fill("#last_name", "Ferrand")
    page.fill("#email", "nadia@mail.example")
    page.click("#apply button[type=submit]")
    assert page.wait_for_selector(".wrongs[role=alert]").is_visible()
    assert page.input_value("#first_name") == "Nadia"
    page.check("#notice input")
    lose_the_first_answer(phone, "**/applications")
    page.click("#apply button[type=submit]")
    assert LOST in page.inner_text(".press-note[role=alert]")
    assert page.input_value("#email") == "nadia@mail.example"
    phone.unroute_all()
    page.click("#apply button[type=submit]")
    page.wait_for_url("**/next/**")
    assert count(Referral) == 1
    stored = page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length,
            (await navigator.serviceWorker.getRegistrations()).length]"""
    )
    assert stored == [0, 0, 0, 0] and phone.cookies() == []
