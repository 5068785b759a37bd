"""Every page that links lead to, as each account of the demo, looked at by a machine.

Against a running demo: `.venv/bin/python scripts/walk.py http://127.0.0.1:8000`. The links are
followed first, one page of each kind. Then each page is opened at 360 and at 1,440 px, in French
and in English, light and dark: axe finds nothing, nothing is wider than the window. Once more
with its text at 200 %: nothing is cut off or pushed out of the window. And once by the Tab key
alone: whatever can be used is reached, in the window and with its focus seen, and the key leaves
the page again. `--only nolwenn,maelle` takes some accounts, `--skip text,keys,views` leaves a
part out. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright
from screens import AXE, public_offer, sign_in

ACCOUNTS = (
    "", "maelle", "aminata", "ines", "sofiane", "marc", "pauline", "clemence", "edouard", "nolwenn",
)  # fmt: skip
"""Nobody, then the demo's members and roles."""
PAIRINGS = [
    (width, language, scheme)
    for language in ("fr", "en")
    for width in (360, 1440)
    for scheme in ("light", "dark")
]
OF_EACH_KIND = 1
MOST_STOPS = 600
NO_PAGE = re.compile(
    r"^/(r|static|media|sign-out|api/|healthz|metrics|docs/openapi)|\.(csv|xlsx|json|pdf|png|ics|zip|webp|svg)$"
)
ONE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d+(?=/|$)")

CUT_OFF = """() => [...document.querySelectorAll("main *, header *, nav *, footer *")].filter((e) => {
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  if (!box.width || !box.height || style.visibility === "hidden" || box.width < 3) return false;
  if (!["hidden", "clip"].includes(style.overflowY) || style.position === "fixed") return false;
  if (!e.innerText?.trim() || style.webkitLineClamp !== "none") return false;
  if (e.closest("[aria-hidden=true], .hidden-text")) return false;
  return e.scrollHeight > e.clientHeight + 4;
}).map((e) => "cut off: " + e.outerHTML.slice(0, 120))"""

# What the Tab key should reach, marked by a number; of a group of choices one is enough.
USABLE = """() => { let n = 0; const groups = new Set();
  for (const e of document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex='-1']), [contenteditable]")) {
    const style = getComputedStyle(e);
    if (e.disabled || e.type === "hidden" || e.tabIndex < 0 || e.closest("[inert]")) continue;
    if (!e.checkVisibility({ visibilityProperty: true }) || style.visibility !== "visible") continue;
    if (e.type === "radio") { const key = e.form?.id + e.name + (e.form ? [...document.forms].indexOf(e.form) : "");
      if (groups.has(key)) continue; groups.add(key); e.closest("form, body").dataset.walkRadio = "1"; }
    e.dataset.walk = n++;
  } return n; }"""
HERE = """() => { const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const shown = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
  const near = e.closest("label, .chip, .card, summary, fieldset") || e.parentElement;
  const label = e.labels?.[0];
  const seen = shown(style) || shown(getComputedStyle(near)) || (label && shown(getComputedStyle(label)))
    || (e.nextElementSibling && shown(getComputedStyle(e.nextElementSibling)));
  const radio = e.type === "radio" ? [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`)]
    .find((o) => o.form === e.form && o.dataset.walk) : null;
  const date = !!e.type?.startsWith("date");
  return { walk: (radio || e).dataset.walk ?? null, seen: !!seen, date, html: e.outerHTML.slice(0, 120),
    inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
    frame: e.tagName === "IFRAME" }; }"""


class Walk:
    """What was opened and found."""

    def __init__(self, base: str, playwright: Playwright) -> None:
        self.base, self.playwright = base, playwright
        self.opened, self.found = 0, Counter[str]()
        self.sessions: dict[tuple[str, str], Any] = {}

    def say(self, who: str, path: str, how: str, fault: str) -> None:
        """One fault; the same fault of another page is only counted."""
        self.found[fault] += 1
        if self.found[fault] <= 2:
            print(f"{who or 'public'} {path} [{how}] {fault}", flush=True)

    def browser(self, *more: str) -> Browser:
        """A new one for each part: one that has opened many pages grows slow."""
        return self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", *more]
        )

    def page(self, browser: Browser, who: str, width: int, language: str, scheme: str) -> Page:
        """A page of somebody who has signed in, once for the whole walk."""
        kept = self.sessions.get((who, language))
        page = browser.new_page(
            viewport={"width": width, "height": 780 if width == 360 else 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale=language, reduced_motion="reduce", service_workers="block",
            storage_state=kept,
        )  # fmt: skip
        if who and kept is None:
            sign_in(page, self.base, who, language)
            self.sessions = {(who, language): page.context.storage_state()}
        return page


def kind_of(path: str) -> str:
    """Addresses that differ in the thing they show only are of one kind."""
    path = ONE.sub("<one>", path)
    return re.sub(r"^/(library|stories|offers|o|c|guide)/[^/<]+", r"/\1/<one>", path)


def pages_of(walk: Walk, who: str, public: str) -> list[str]:
    """The paths that links lead to, one of each kind, the nearest first."""
    browser = walk.browser()
    page = walk.page(browser, who, 1440, "fr", "light")
    waiting = deque(["/"] if who else [public, "/sign-in", "/privacy", "/no-such-page"])
    met: Counter[str] = Counter(map(kind_of, waiting))
    found = []
    while waiting:
        path = waiting.popleft()
        try:
            answer = page.goto(walk.base + path, wait_until="domcontentloaded")
        except Error:  # a file
            continue
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        if answer.status >= 400 and path != "/no-such-page":
            walk.say(who, path, "links", f"answers {answer.status}")
        if who and urlsplit(page.url).path == "/sign-in":
            page = walk.page(browser, who, 1440, "fr", "light")
            continue
        found.append(path)
        for link in page.eval_on_selector_all(
            "a[href]:not([download])", "all => all.map(a => a.href)"
        ):
            to = urlsplit(link)
            if f"{to.scheme}://{to.netloc}" != walk.base or NO_PAGE.search(to.path):
                continue
            if met[kind_of(to.path)] < OF_EACH_KIND:
                met[kind_of(to.path)] += 1
                waiting.append(to.path + (f"?{to.query}" if to.query else ""))
    browser.close()
    return found


def _axe(page: Page) -> Iterator[str]:
    page.evaluate(AXE)
    yield from page.evaluate(
        "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 160))"
    )


def _wide(page: Page) -> Iterator[str]:
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield "wider than its window"


def _views(walk: Walk, who: str, paths: list[str]) -> None:
    for width, language, scheme in PAIRINGS:
        browser = walk.browser()
        page = walk.page(browser, who, width, language, scheme)
        for path in paths:
            page.goto(walk.base + path, wait_until="load")
            walk.opened += 1
            for fault in (*_axe(page), *_wide(page)):
                walk.say(who, path, f"{width} {language} {scheme}", fault)
        browser.close()


def _large_text(walk: Walk, who: str, paths: list[str]) -> None:
    """As for somebody who has told the browser to write twice as large."""
    for width in (360, 1440):
        browser = walk.browser("--blink-settings=defaultFontSize=32,defaultFixedFontSize=26")
        page = walk.page(browser, who, width, "fr", "light")
        for path in paths:
            page.goto(walk.base + path, wait_until="load")
            walk.opened += 1
            for fault in (*_wide(page), *page.evaluate(CUT_OFF)):
                walk.say(who, path, f"text at 200 %, {width}", fault)
        browser.close()


def _by_keys(walk: Walk, who: str, paths: list[str]) -> None:
    browser = walk.browser()
    page = walk.page(browser, who, 1440, "en", "light")
    for path in paths:
        page.goto(walk.base + path, wait_until="load")
        walk.opened += 1
        for fault in _tabbed(page):
            walk.say(who, path, "keys", fault)
    browser.close()


def _tabbed(page: Page) -> Iterator[str]:
    usable = page.evaluate(USABLE)
    if 2 * usable + 20 > MOST_STOPS:
        yield f"{usable} stops are too many"
        return
    page.evaluate("document.activeElement?.blur(); window.getSelection()?.removeAllRanges()")
    stops = list(_stops(page, 2 * usable + 20))
    inner = {stop["walk"] for stop in stops if stop["seen"] and stop["date"]}
    for stop in stops:
        stop["seen"] |= stop["walk"] in inner  # a date has parts, which the browser marks itself
        for name, fault in (
            ("seen", "focus is not seen"),
            ("inside", "focus is out of the window"),
        ):
            if not stop[name]:
                yield f"{fault}: {stop['html']}"
    if len(stops) == 2 * usable + 20:
        yield f"the key does not leave the page: {stops[-1]['html']}"
    reached = {stop["walk"] for stop in stops}
    for n in [n for n in range(usable) if str(n) not in reached][:3]:
        html = page.evaluate("n => document.querySelector(`[data-walk='${n}']`)?.outerHTML", n)
        yield f"not reached: {(html or '')[:120]}"


def _stops(page: Page, most: int) -> Iterator[dict[str, Any]]:
    """Where the key stops, until it has left the page or begins again at its first stop."""
    first = None
    for n in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if first is not None and (here is None or (n > 1 and here["walk"] == first)):
            return
        if here is not None:
            first = first or here["walk"]
            yield here


PARTS = {"views": _views, "text": _large_text, "keys": _by_keys}


def main() -> int:
    """Walk; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--only", default=",".join(ACCOUNTS))
    parser.add_argument("--skip", default="")
    asked = parser.parse_args()
    skipped = asked.skip.split(",")
    with sync_playwright() as playwright:
        walk = Walk(asked.base.rstrip("/"), playwright)
        browser = walk.browser()
        public = urlsplit(public_offer(browser, walk.base)).path
        browser.close()
        known: set[str] = set()
        for who in asked.only.split(","):
            began = time.monotonic()
            paths = [p for p in pages_of(walk, who, public) if kind_of(p) not in known]
            known |= set(map(kind_of, paths))
            for name, part in PARTS.items():
                if paths and name not in skipped:
                    part(walk, who, paths)
            seconds = time.monotonic() - began
            print(f"{who or 'public'}: {len(paths)} kinds of page, {seconds:.0f} s", flush=True)
            print("   ", " ".join(paths), flush=True)
    print(f"{len(known)} kinds of page, opened {walk.opened} times, {len(walk.found)} faults")
    return 1 if walk.found else 0


if __name__ == "__main__":
    sys.exit(main())
