"""A real identity provider, the real product and real Chromium between them. F124."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, sync_playwright

from app import clock, create_app
from app.db import db
from app.people import service
from app.play import rules
from app.settings import save_organisation
from app.sharing import disclosures
from tests.browser.product import FLAGS, PASSWORD, ROOT, Combination, Product, Reader
from tests.conftest import settings_for
from tests.supervisor.running import free_port

CHROMIUM = Path("/usr/bin/chromium")
VENDOR = ROOT / "tests" / "vendor" / "oidc-provider"
MODULES = ROOT / "build" / "test-tools" / "oidc-provider" / "node_modules"
KEY = "a-key-for-tests-only-0123456789"
SECRET = "a-secret-that-both-know-0123456789"
MAELLE = "maelle@halvenne.example"
HOW = Combination(1440, "en", "light", True)
PAGE = "/studio/people/provider"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
    pytest.mark.skipif(not MODULES.exists(), reason="oidc-provider is not installed"),
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
]


class IdentityProvider:
    """node-oidc-provider on loopback. It starts after the product, which must bear that."""

    def __init__(self, folder: Path) -> None:
        self.people = folder / "people.json"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process: subprocess.Popen[str] | None = None

    def knows(self, login: str, **claims: object) -> None:
        known = json.loads(self.people.read_text()) if self.people.exists() else {}
        draft = self.people.with_suffix(".draft")
        draft.write_text(json.dumps(known | {login: claims}))
        draft.replace(self.people)

    def start(self, product: Product) -> str:
        """The name of the key it signs with, new at each start."""
        command = ["node", str(VENDOR / "provider.mjs"), str(MODULES), self.url, product.url,
                   str(self.people)]  # fmt: skip
        self.process = subprocess.Popen(
            command, env={**os.environ, "CLIENT_SECRET": SECRET}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stdout is not None
        words = next(line for line in self.process.stdout if line.startswith("ready")).split()
        return words[1]

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=20)
            self.process = None


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    running = IdentityProvider(tmp_path_factory.mktemp("provider"))
    running.knows("m-1", name="Maëlle Kerjan", email=MAELLE, email_verified=True, groups=["comm"])
    running.knows("x-1", name="X", email="maelle@elsewhere.example", email_verified=True)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def product(
    tmp_path_factory: pytest.TempPathFactory, template: Path, provider: IdentityProvider
) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product") / "data"
    settle(folder, template)
    running = Product(
        folder, demo=False, SECRET_KEY=KEY,
        OIDC_ISSUER=provider.url, OIDC_CLIENT_ID="portevoix", OIDC_CLIENT_SECRET=SECRET,
    )  # fmt: skip
    yield running
    assert running.stop() == 0


def settle(folder: Path, template: Path) -> None:
    """An organisation with an administrator, who has a password, and a member."""
    folder.mkdir(parents=True)
    shutil.copy(template, folder / "portevoix.db")
    app = create_app(settings_for(folder))
    with app.app_context():
        save_organisation(name="Halvenne", brand="#00664a", privacy_contact="vie@halvenne.example")
        rules.ensure_defaults(clock.now())
        disclosures.ensure_defaults()
        for name, email, roles in (
            ("Nolwenn Prigent", "nolwenn@halvenne.example", ["admin"]),
            ("Maëlle Kerjan", MAELLE, []),
        ):
            person = service.add_person(kind="employee", name=name, email=email, roles=roles)
            service.join(person.id, PASSWORD if roles else None)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


class Colleague(Reader):
    """Somebody who signs in with the organisation's account."""

    def __init__(self, browser: Browser, product: Product) -> None:
        super().__init__(browser, product, HOW)
        self.context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), _nowhere)
        self.broken: list[str] = []
        self.page.on("console", lambda said: self._note_refusal(said.text))

    def _note_refusal(self, text: str) -> None:
        if "Content Security Policy" in text and "googleapis" not in text:
            self.broken.append(text)

    def go_through(self, login: str) -> None:
        """From our page to theirs, their two forms, and back."""
        self.open("/sign-in")
        self.page.click("a[href^='/sign-in/oidc']")
        self.page.wait_for_selector("input[name=login]")
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", "whatever the provider asks")
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("input[name=prompt][value=consent]", state="attached")
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.product.url}/**")

    def answer_not_opened(self) -> str:
        """An address of ours that the provider sent this browser to, and that it did not open."""
        address = "/sign-in/oidc"
        while not address.startswith("/sign-in/oidc/callback"):
            answer = self.page.request.get(
                address if address.startswith("http") else self.product.url + address,
                max_redirects=0,
            )
            assert answer.status == 303, answer.text()
            address = answer.headers["location"].removeprefix(self.product.url)
        return address

    def sign_out(self) -> None:
        """Ours ends at the press, theirs on their own page; then back at our door."""
        self.open("/me")
        self.page.click("form[action='/sign-out'] button")
        self.page.wait_for_selector("button[name=logout]")
        elsewhere = self.context.new_page()
        elsewhere.goto(f"{self.product.url}/me")
        assert "/sign-in" in elsewhere.url, "ours has ended while theirs still asks"
        elsewhere.close()
        self.page.click("button[name=logout]")
        self.page.wait_for_url(f"{self.product.url}/sign-in**")
        self.reads("You are signed out.")
        assert not self.is_in()

    def is_in(self) -> bool:
        self.page.goto(f"{self.product.url}/me")
        return "/sign-in" not in self.page.url

    def status(self, path: str) -> int:
        answer = self.page.goto(self.product.url + path)
        assert answer is not None
        return answer.status


def _nowhere(route: Route) -> None:
    """The provider's own pages would like a font of elsewhere."""
    route.abort()


def rows(product: Product, query: str) -> list[tuple[Any, ...]]:
    base = sqlite3.connect(f"file:{product.folder / 'portevoix.db'}?mode=ro", uri=True)
    try:
        return base.execute(query).fetchall()
    finally:
        base.close()


def decide(browser: Browser, product: Product) -> None:
    """What an administrator writes on the page: the domain, and what one group gives."""
    admin = Reader(browser, product, HOW)
    admin.sign_in("nolwenn")
    admin.open(PAGE)
    admin.reads("No mail domain is named yet")
    admin.page.fill("#domains", "halvenne.example")
    admin.press(f"form[action='{PAGE}'] button[type=submit]")
    admin.page.fill("#value", "comm")
    admin.page.select_option("#gives", "curator")
    admin.press(f"form[action='{PAGE}/mappings'] button[type=submit]")
    admin.reads("Curator, in the whole organisation")
    admin.audit()
    admin.close()


@pytest.fixture(scope="module")
def first_key(browser: Browser, product: Product, provider: IdentityProvider) -> str:
    """The provider comes up after the product, and an administrator decides; its key."""
    early = Colleague(browser, product)
    assert early.status("/sign-in/oidc") == 424, "it is not up yet, and the door says so"
    early.close()
    key = provider.start(product)
    decide(browser, product)
    return key


def test_signing_in_with_the_organisations_account(
    browser: Browser, product: Product, provider: IdentityProvider, first_key: str
) -> None:
    """First sign-in, what a group gives, sign-out here and there, return, what a group that is
    left takes back, change of keys."""
    me = Colleague(browser, product)
    me.go_through("m-1")
    assert me.is_in()
    me.reads("Maëlle Kerjan")
    assert me.status("/studio/stories") == 200, "her group makes her a curator"
    identities = rows(product, "select person_id, issuer, subject from identity")
    assert [row[1:] for row in identities] == [(provider.url, "m-1")]
    given = "select role, source from role_grant where source is not null"
    assert rows(product, given) == [("curator", "provider")]

    me.sign_out()
    provider.knows("m-1", name="Maëlle K.", email="new@elsewhere.example", groups=["others"])
    me.go_through("m-1")
    assert me.is_in(), "the same person, whatever her address became"
    assert rows(product, "select person_id, issuer, subject from identity") == identities
    assert me.status("/studio/stories") == 403, "the group is left, and so is the role"
    assert rows(product, given) == []

    me.sign_out()
    provider.stop()
    assert provider.start(product) != first_key
    me.go_through("m-1")
    assert me.is_in(), "new keys are fetched without anybody noticing"
    me.sign_out()
    assert me.broken == [], "no page of ours was stopped by its own policy"
    me.close()


def test_a_sign_in_that_is_not_ours_opens_nothing(
    browser: Browser, product: Product, first_key: str
) -> None:
    """A made-up state, somebody else's answer, an account of elsewhere."""
    thief, victim = Colleague(browser, product), Colleague(browser, product)
    assert thief.status("/sign-in/oidc/callback?code=made-up&state=made-up") == 400
    thief.reads("This sign-in was interrupted")

    victim.go_through("m-1")
    stolen = victim.answer_not_opened()
    thief.page.goto(f"{product.url}/sign-in/oidc")  # with an errand of their own on its way
    assert thief.status(stolen) == 400
    assert not thief.is_in()
    logins = "select count(*) from login where method = 'oidc'"
    before = rows(product, logins)
    victim.page.goto(product.url + stolen)
    assert rows(product, logins) > before, "whose errand it is may come back with it"
    assert victim.is_in()

    thief.go_through("x-1")
    thief.reads("This account is of another organisation")
    assert not thief.is_in()
    assert rows(product, "select count(*) from identity where subject = 'x-1'") == [(0,)]
    thief.close()
    victim.close()
