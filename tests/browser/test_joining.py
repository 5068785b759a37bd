"""From the invitation to the first act that nobody else sees: a phone, the keyboard alone, with
and without scripts, in both languages (axe finds nothing on the way)."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from app import outbox
from app.db import db
from app.library.models import TopicFollow
from app.people import invitations, open_invitations
from app.people import service as people
from app.people.joining_models import ConsentRecord, InvitationRefusal
from app.people.models import Consent, Membership
from app.people.open_invitations import Terms
from app.sharing.models import Share
from tests.browser.product import AXE, FLAGS
from tests.conftest import House
from tests.sharing import kit
from tests.supervisor.running import free_port

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]

# How long it takes a person, from what they must do: silent reading of prose at 238 words a
# minute (Brysbaert 2019), a key at 0.28 s and a decision at 1.35 s (Card, Moran, Newell 1980).
WORDS_A_MINUTE = 238
KEY_SECONDS, DECISION_SECONDS = 0.28, 1.35
LIMIT_SECONDS = 180


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


class Newcomer:
    """Somebody with a phone and a keyboard, who notes what each step costs."""

    def __init__(self, browser: Browser, url: str, language: str, *, scripts: bool = True) -> None:
        self.browser, self.url, self.language, self.scripts = browser, url, language, scripts
        self.context = self._context(scripts=scripts)
        self.page: Page = self.context.new_page()
        self.keys = self.presses = self.words = 0

    def _context(self, *, scripts: bool):  # type: ignore[no-untyped-def]
        context = self.browser.new_context(
            viewport={"width": 360, "height": 780},
            locale=self.language,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        return context

    def read(self, text: str) -> None:
        self.words += len(text.split())

    def open(self, path: str) -> None:
        """Follow an address from a mail or a poster."""
        self.presses += 1
        self.page.goto(self.url + path)
        self.look()

    def look(self) -> None:
        """Read what stands on the page, and let axe look at it, too."""
        self.read(self.page.inner_text("main"))
        assert self.page.get_attribute("html", "lang") == self.language
        self.audit()

    def audit(self) -> None:
        context = self._context(scripts=True)
        context.add_cookies(self.context.cookies())
        page = context.new_page()
        page.goto(self.page.url)
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run()).violations.map(v => v.id + ' ' + v.nodes[0].html)"
        )
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        context.close()
        assert not found, found
        assert not wide, f"{self.page.url} is wider than the screen"

    def tab_to(self, selector: str) -> None:
        """By the keyboard alone; what is reached is on the screen."""
        for _step in range(60):
            self.page.keyboard.press("Tab")
            self.keys += 1
            if self.page.locator(f":is({selector}):focus").count():
                assert self.page.locator(selector).first.is_visible()
                return
        raise AssertionError(f"the keyboard does not reach {selector} on {self.page.url}")

    def press(self, selector: str, key: str = "Enter") -> None:
        """Go there and press; on to the page that follows."""
        self.tab_to(selector)
        self.presses += 1
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.page.wait_for_load_state()

    def type(self, selector: str, text: str) -> None:
        self.tab_to(selector)
        self.page.keyboard.type(text)
        self.keys += len(text)

    @property
    def seconds(self) -> float:
        return (
            self.words / WORDS_A_MINUTE * 60
            + self.keys * KEY_SECONDS
            + self.presses * DECISION_SECONDS
        )


def newest_mail(app: Flask) -> str:
    db.session.rollback()  # what the served product wrote counts
    outbox.drain()
    folder = Path(app.extensions["portevoix"].data_dir) / "mail"
    file = max(folder.glob("*.eml"), key=lambda f: f.stat().st_mtime_ns)
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(mail: str, kind: str) -> str:
    found = re.search(rf"https?://[^/\s]+(/{kind}/\S+)", mail)
    assert found
    return found[1]


@pytest.mark.parametrize("scripts", [True, False], ids=["js", "nojs"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_from_the_invitation_to_a_first_act_in_under_three_minutes(
    app: Flask, house: House, browser: Browser, url: str, language: str, scripts: bool
) -> None:
    kit.story(house, topics=["Bois", "Chantiers"])
    person = house.person("Maëlle Kerjan", joined=False, language=language)
    people.invite(person.id)
    mail = newest_mail(app)
    me = Newcomer(browser, url, language, scripts=scripts)
    me.read(mail)
    me.open(link_in(mail, "join"))
    assert me.page.locator("input:checked").count() == 0, "nothing is ticked beforehand"
    me.press("form[action^='/join/'] button[type=submit]")
    assert me.page.url == f"{url}/welcome"
    me.look()
    me.tab_to("form.follow button")
    me.presses += 1
    if scripts:
        me.page.keyboard.press("Enter")
        me.page.wait_for_selector("form.follow button[aria-pressed=true]")
    else:
        with me.page.expect_navigation():
            me.page.keyboard.press("Enter")
    db.session.rollback()
    followed = db.session.scalars(select(TopicFollow.person_id)).all()
    assert followed == [person.id]
    assert db.session.scalars(select(Consent)).all() == []
    assert [r.purpose for r in db.session.scalars(select(ConsentRecord))].count("taking-part")
    assert db.session.scalars(select(Share)).all() == [], "nothing was posted"
    print(f"{me.presses} presses, {me.keys} keys, {me.words} words: {me.seconds:.0f} s")
    assert me.presses == 3, "open the mail's link, take part, follow"
    assert me.seconds < LIMIT_SECONDS
    me.context.close()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_from_a_code_on_paper_with_a_private_address(
    app: Flask, house: House, browser: Browser, url: str, language: str
) -> None:
    kit.story(house, topics=["Bois"])
    terms = Terms("Atelier de Caudan", "paper", 30, language=language)
    code = open_invitations.batch(open_invitations.create(terms))[0].code
    me = Newcomer(browser, url, language)
    me.open("/invitation")
    me.type("#code", open_invitations.spelled(code))
    me.press("form[action^='/invitation'] button")
    me.look()
    me.type("#name", "Noé Briand")
    me.type("#email", "noe@mail.example")
    me.press("form[action^='/i/'] button")
    me.look()
    figures = re.search(r"^\d{6}$", newest_mail(app), re.MULTILINE)
    assert figures
    me.type("#code", figures[0])
    me.press("form[action^='/i/'] button")
    me.look()
    me.press("form[action^='/join/open/'] button[type=submit]")
    assert me.page.url == f"{url}/welcome"
    me.look()
    me.press("main a[href^='/library/']")
    print(f"{me.presses} presses, {me.keys} keys, {me.words} words: {me.seconds:.0f} s")
    assert me.presses == 6
    assert me.seconds < LIMIT_SECONDS
    me.context.close()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_out_again_as_easily_as_in(
    app: Flask, house: House, browser: Browser, url: str, language: str
) -> None:
    person = house.person("Maëlle Kerjan", language=language)
    me = Newcomer(browser, url, language)
    cookie = house.browser(person).get_cookie("portevoix")
    assert cookie is not None
    me.context.add_cookies([{"name": "portevoix", "value": cookie.value, "url": url}])
    me.open("/me")
    me.press("#pause form[action='/me/pause'] button")
    me.press("#pause form[action='/me/pause/end'] button")
    me.press("main a[href='/me/leaving']")
    me.look()
    me.press("form[action='/me/leaving'] button")
    assert me.page.url == f"{url}/left"
    me.look()
    db.session.rollback()
    assert db.session.scalars(select(Membership.left_at)).one() is not None
    me.context.close()


def test_no_thank_you_takes_one_press_on_a_phone(
    app: Flask, house: House, browser: Browser, url: str
) -> None:
    person = house.person("Maëlle Kerjan", joined=False, language="en")
    me = Newcomer(browser, url, "en")
    me.open(invitations.no_thanks_path(person.id))
    me.press("form[action^='/no-thanks/'] button")
    db.session.rollback()
    assert len(db.session.scalars(select(InvitationRefusal)).all()) == 1
    assert me.context.cookies() == []
    me.context.close()
