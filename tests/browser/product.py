"""The real product with its demo, in processes of its own, and real Chromium before it."""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

from app import clock
from tests.supervisor.running import free_port

ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests" / "vendor" / "axe-core-4.14.1.min.js"
PASSWORD = "halvenne-a-voix-haute"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PRIVATE = re.compile(r"/c/([\w.\-]{20,})")


@dataclass(frozen=True)
class Combination:
    """How somebody reads: width in CSS pixels, language, scheme, with or without scripts."""

    width: int
    language: str
    scheme: str
    scripts: bool

    def __str__(self) -> str:
        return f"{self.width}-{self.language}-{self.scheme}-{'js' if self.scripts else 'nojs'}"


ALL = [
    Combination(width, language, scheme, scripts)
    for width in (360, 1440)
    for language in ("fr", "en")
    for scheme in ("light", "dark")
    for scripts in (True, False)
]
USUAL = [Combination(360, "fr", "dark", False), Combination(1440, "en", "light", True)]


class Product:
    """`portevoix up` in a folder of its own, with the demo or with what stands there already;
    keywords become PORTEVOIX_ variables."""

    def __init__(self, folder: Path, *, demo: bool = True, **variables: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (folder.parent / "up.log").open("wb")
        env = {k: v for k, v in os.environ.items() if not k.startswith("PORTEVOIX_")}
        env |= {"PORTEVOIX_DATA_DIR": str(folder), "PORTEVOIX_ENV": "test", "PORT": str(self.port)}
        env |= {f"PORTEVOIX_{name}": value for name, value in variables.items()}
        command = [sys.executable, "-m", "app.cli", "up", *(["--demo"] if demo else [])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=self.log, stderr=subprocess.STDOUT
        )
        self._wait()

    def _wait(self) -> None:
        deadline = clock.monotonic() + 180
        while clock.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                clock.sleep(0.2)
        raise AssertionError((self.folder.parent / "up.log").read_text(errors="replace"))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self.log.close()
        return status

    def mail_to(self, address: str, pattern: re.Pattern[str], after: int = 0) -> str:
        """What `pattern` finds in the newest mail to an address, once a worker has sent it."""
        deadline = clock.monotonic() + 40
        while clock.monotonic() < deadline:
            for file in sorted((self.folder / "mail").glob("*.eml"), reverse=True)[: 40 + after]:
                message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                body = message.get_body(("plain",))
                found = pattern.search(body.get_content()) if body else None
                if address in str(message["To"]) and found:
                    return found.group(1)
            clock.sleep(0.2)
        raise AssertionError(f"no mail to {address} that holds {pattern.pattern}")


class Reader:
    """A person before a browser, who notes every page they saw and every host it spoke to."""

    def __init__(self, browser: Browser, product: Product, how: Combination) -> None:
        self.browser, self.product, self.how = browser, product, how
        self.context = self._context(how.scripts)
        self.page: Page = self.context.new_page()
        self.hosts: set[str] = set()
        self.seen: list[str] = []
        self.page.on("request", self._note)
        self.page.on("framenavigated", lambda frame: self.seen.append(frame.url))

    def _context(self, scripts: bool) -> BrowserContext:
        return self.browser.new_context(
            viewport={"width": self.how.width, "height": 800},
            color_scheme="dark" if self.how.scheme == "dark" else "light",
            locale=self.how.language,
            java_script_enabled=scripts,
        )

    def block_cookies(self) -> None:
        """As in a browser whose owner refuses every cookie: none is sent, none is kept."""

        def bare(route: Route) -> None:
            headers = {k: v for k, v in route.request.headers.items() if k.lower() != "cookie"}
            route.continue_(headers=headers)

        self.context.route("**/*", bare)
        session = self.context.new_cdp_session(self.page)
        session.send("Emulation.setDocumentCookieDisabled", {"disabled": True})

    def _note(self, request: Request) -> None:
        self.hosts.add(request.url.split("/")[2])

    def open(self, path: str) -> None:
        answer = self.page.goto(path if path.startswith("http") else self.product.url + path)
        assert answer is not None and answer.status < 400, f"{path}: {answer and answer.status}"

    def press(self, selector: str) -> None:
        """Press something that leads on, to another page or to this one with what is wrong."""
        if not self.how.scripts:
            with self.page.expect_navigation():
                self.page.click(selector)
            return
        self.page.locator("main").evaluate("main => main.dataset.before = ''")
        self.page.click(selector)
        self.page.wait_for_selector("main:not([data-before])", state="attached")
        self.page.wait_for_load_state()

    def sign_in(self, who: str) -> None:
        self.open("/sign-in")
        self.page.fill("#email", f"{who}@halvenne.example")
        self.page.fill("#password", PASSWORD)
        self.press("form.form button[type=submit]")
        self.open("/me")
        self.page.check(f"input[name=lang][value={self.how.language}]")
        self.press("form[action='/me/language'] button")
        assert self.page.get_attribute("html", "lang") == self.how.language

    def reads(self, text: str) -> None:
        assert text in self.page.inner_text("body"), f"{self.page.url} does not say {text!r}"

    def stored(self) -> dict[str, Any]:
        """Everything that this browser keeps."""
        found: dict[str, Any] = {"cookies": self.context.cookies()}
        if self.how.scripts:
            found |= self.page.evaluate(
                """async () => ({
                    local: localStorage.length, session: sessionStorage.length,
                    databases: (await indexedDB.databases()).length,
                    caches: (await caches.keys()).length,
                })"""
            )
        return found

    def audit(self) -> None:
        """axe on every page that was seen, and no page wider than the screen."""
        cookies = self.context.cookies()
        context = self._context(True)
        context.add_cookies(cookies)
        page = context.new_page()
        faults = []
        for url in dict.fromkeys(u.split("#")[0] for u in self.seen if u.startswith("http")):
            answer = page.goto(url)
            if answer is None or answer.status >= 400:
                continue
            faults += _faults(page, url)
        context.close()
        assert not faults, "\n".join(faults)

    def close(self) -> None:
        self.context.close()


def _faults(page: Page, url: str) -> list[str]:
    # Something that is fading in or out has any contrast.
    page.evaluate(
        """() => Promise.all(document.getAnimations()
            .filter(a => a.effect.getComputedTiming().endTime < Infinity).map(a => a.finished.catch(() => 0)))"""
    )
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        """async () => (await axe.run()).violations.map(
            v => v.id + ': ' + v.nodes.slice(0, 2).map(n => n.html.slice(0, 160)).join(' | '))"""
    )
    faults = [f"{url}: {each}" for each in found]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        faults.append(f"{url}: wider than the screen")
    return faults


@contextmanager
def reading(browser: Browser, product: Product, how: Combination) -> Iterator[Reader]:
    reader = Reader(browser, product, how)
    try:
        yield reader
    finally:
        reader.close()
