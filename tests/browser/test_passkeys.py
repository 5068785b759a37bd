"""A passkey in real Chromium: made, used, named otherwise, removed. The authenticator is the
browser's own virtual one, which signs as a phone does and asks for no finger."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app.people import service
from tests.browser.product import AXE, FLAGS
from tests.conftest import PASSWORD, settings_for
from tests.people.conftest import serving
from tests.supervisor.running import free_port

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def port(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The product on a port of its own, at a bare address as in development, with a member and
    an administrator."""
    folder, number = tmp_path_factory.mktemp("passkeys"), free_port()
    shutil.copy(template, folder / "portevoix.db")
    with serving(settings_for(folder, BASE_URL=f"http://127.0.0.1:{number}")) as app:
        with app.app_context():
            for who, roles in (("maelle", []), ("nolwenn", ["admin"])):
                person = service.add_person(
                    kind="employee", name=f"{who.title()} Kerjan", roles=roles, language="en",
                    email=f"{who}@halvenne.example",
                )  # fmt: skip
                service.join(person.id, PASSWORD)
            service.set_sign_in_policy(is_required=False, grace_days=14)
        server = make_server("127.0.0.1", number, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield number
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def phone(browser: Browser, width: int = 360, scripts: bool = True) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, locale="en", java_script_enabled=scripts
    )
    yield context
    context.close()


def with_authenticator(context: BrowserContext) -> Page:
    """A page whose browser has an authenticator that asks for a PIN, finger or face."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def looks_right(page: Page) -> None:
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations.map(v => v.id)")
    assert found == []
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def by_password(page: Page, base: str, who: str) -> None:
    page.goto(f"{base}/sign-in")
    page.fill("#email", f"{who}@halvenne.example")
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.click("form[action='/sign-in'] button")


def sign_out(page: Page, base: str) -> None:
    page.goto(f"{base}/me")
    with page.expect_navigation():
        page.click("form[action='/sign-out'] button")


def by_passkey(page: Page, base: str) -> None:
    page.goto(f"{base}/sign-in")
    page.click("form[data-passkey] button")


@pytest.mark.parametrize("who", ["maelle", "nolwenn"], ids=["a member", "an administrator"])
def test_a_passkey_from_its_making_to_its_removal(browser: Browser, port: int, who: str) -> None:
    base = f"http://localhost:{port}"
    with phone(browser) as context:
        page = with_authenticator(context)
        by_password(page, base, who)
        page.goto(f"{base}/me/passkeys")
        looks_right(page)
        page.goto(f"{base}/me/passkeys/new")
        looks_right(page)
        page.fill("#name", "My phone")
        page.click("form[data-passkey] button")
        page.wait_for_url(f"{base}/me/passkeys")
        expect(page.get_by_text("My phone", exact=True)).to_be_visible()
        looks_right(page)

        sign_out(page, base)
        by_passkey(page, base)
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/me/devices")
        expect(page.get_by_text("by passkey")).to_be_visible()
        looks_right(page)

        page.goto(f"{base}/me/passkeys/new")
        page.fill("#name", "The same again")
        page.click("form[data-passkey] button")
        expect(page.get_by_text("has a passkey for your account already")).to_be_visible()

        page.goto(f"{base}/me/passkeys")
        page.get_by_text("Rename").click()
        page.fill("input[name=name]", "My old phone")
        page.get_by_role("button", name="Keep this name").click()
        expect(page.get_by_text("My old phone", exact=True)).to_be_visible()
        page.get_by_text("Remove", exact=True).click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("You have none yet.")).to_be_visible()

        sign_out(page, base)
        by_passkey(page, base)
        expect(page.get_by_text("does not open an account here")).to_be_visible()


def test_it_says_where_passkeys_work_instead_of_offering_one(browser: Browser, port: int) -> None:
    with phone(browser) as context:
        page = context.new_page()
        by_password(page, f"http://127.0.0.1:{port}", "maelle")
        page.goto(f"http://127.0.0.1:{port}/me/passkeys")
        expect(page.get_by_text(f"http://localhost:{port}")).to_be_visible()
        looks_right(page)


def test_it_offers_no_button_that_does_nothing_without_scripts(browser: Browser, port: int) -> None:
    base = f"http://localhost:{port}"
    with phone(browser, scripts=False) as context:
        page = context.new_page()
        page.goto(f"{base}/sign-in")
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        by_password(page, base, "maelle")
        page.goto(f"{base}/me/passkeys/new")
        expect(page.locator("form[data-passkey]")).to_be_hidden()
        expect(page.get_by_text("Your password works as before")).to_be_visible()
