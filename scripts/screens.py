"""Pictures of every place, for docs/screens, and what axe finds on each.

Against a running demo: `.venv/bin/python scripts/screens.py http://127.0.0.1:8000`. Each place is
opened at 360 and at 1,440 px, in French and in English, light and dark, with text at its usual
size; what is seen without scrolling is kept as a small WebP. Ends with 1 when axe finds a fault
or a page is wider than its window. `--only today,story` looks at some places,
`--to FOLDER` keeps the pictures elsewhere, `--full` takes whole pages.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
AXE = next((ROOT / "tests" / "vendor").glob("axe-core-*.min.js")).read_text("utf-8")
PASSWORD = "halvenne-a-voix-haute"  # nosec B105 (printed by the demo)
VIEWS = [
    (360, "fr", "light"), (360, "en", "dark"), (1440, "fr", "dark"), (1440, "en", "light"),
]  # fmt: skip
WIDEST = 960
"""Pixels of a kept picture: a wide page is shown smaller."""

Where = str | Callable[[Page], str]


def _first(list_page: str, links: str) -> Callable[[Page], str]:
    """The address of the first thing of a list."""

    def find(page: Page) -> str:
        base = "/".join(page.url.split("/", 3)[:3])
        page.goto(base + list_page, wait_until="domcontentloaded")
        return page.locator(links).first.get_attribute("href") or list_page

    return find


# Name, who looks (nobody: the public), address.
PLACES: list[tuple[str, str, Where]] = [
    ("today", "maelle", "/"),
    ("library", "maelle", "/library"),
    ("story", "maelle", _first("/library", "article.story-card :is(h2, h3) a")),
    ("my-posts", "maelle", "/shares"),
    ("receipt", "maelle", _first("/shares", "main a[href^='/shares/']")),
    ("offers", "maelle", "/offers"),
    ("offer", "maelle", _first("/offers", "main a[href^='/offers/']")),
    ("my-referrals", "maelle", "/referrals"),
    ("statement", "aminata", "/play"),
    ("rules", "maelle", "/play/rules"),
    ("rewards", "aminata", "/play/rewards"),
    ("me", "maelle", "/me"),
    ("charter", "maelle", "/charter"),
    ("rights", "maelle", "/rights"),
    ("guide", "maelle", "/guide/ambassador"),
    ("linkedin", "maelle", "/sharing/linkedin"),
    ("week", "ines", "/studio"),
    ("studio-stories", "ines", "/studio/stories"),
    ("studio-story", "ines", _first("/studio/stories", "main a[href^='/studio/stories/0']")),
    ("board", "sofiane", "/studio/referrals"),
    ("file", "sofiane", _first("/studio/referrals", "main a[href^='/studio/referrals/']")),
    ("studio-offers", "sofiane", "/studio/offers"),
    ("imports", "sofiane", "/studio/imports"),
    ("studio-rules", "marc", "/studio/rules"),
    ("studio-rewards", "marc", "/studio/rewards"),
    ("deliveries", "marc", "/studio/redemptions"),
    ("studio-sharing", "pauline", "/studio/sharing"),
    ("studio-charter", "pauline", "/studio/charter"),
    ("people", "nolwenn", "/studio/people"),
    ("invitations", "nolwenn", "/studio/people/invitations"),
    ("people-imports", "nolwenn", "/studio/people/imports/new"),
    ("organisation", "nolwenn", "/studio/organisation"),
    ("requests", "nolwenn", "/studio/requests"),
    ("segment", "pauline", "/studio/segments/new"),
    ("approvals", "pauline", "/studio/approvals"),
    ("joining", "pauline", "/studio/joining"),
    ("points-by-hand", "marc", "/studio/points/by-hand"),
    ("retention", "edouard", "/studio/retention"),
    ("dossier", "edouard", "/studio/documents/works-council"),
    ("audit", "edouard", "/studio/audit"),
    ("my-data", "maelle", "/me/data"),
    ("correction", "maelle", "/me/corrections"),
    ("candidate", "", ""),
    ("sign-in", "", "/sign-in"),
]


def sign_in(page: Page, base: str, who: str, language: str) -> None:
    page.goto(f"{base}/sign-in")
    page.fill("#email", f"{who}@halvenne.example")
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.click("form.form button[type=submit]")
    page.goto(f"{base}/me")
    page.check(f"input[name=lang][value={language}]")
    with page.expect_navigation():
        page.click("form[action='/me/language'] button")


def public_offer(browser: Browser, base: str) -> str:
    """A member's own link, opened as the person they sent it to would."""
    context = browser.new_context(locale="fr")
    page = context.new_page()
    sign_in(page, base, "maelle", "fr")
    page.goto(f"{base}/referrals?tab=links")
    found = re.search(r"/r/[A-Za-z0-9]+", page.inner_text("main"))
    if found is None:
        raise LookupError("nobody has taken a link yet")
    page.goto(base + found[0])
    where = page.url
    context.close()
    return where


def _faults(page: Page) -> Iterator[str]:
    page.evaluate(AXE)
    found = page.evaluate(
        "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.nodes[0].html)"
    )
    yield from (text[:200] for text in found)
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        yield "wider than its window"


SEEN = """() => Promise.all([...document.images]
    .filter(image => image.getBoundingClientRect().top < innerHeight && image.checkVisibility())
    .map(image => image.decode().catch(() => {})))"""


def _keep(page: Page, file: Path, *, full: bool) -> None:
    page.evaluate(SEEN)  # pictures may come after the page
    with Image.open(io.BytesIO(page.screenshot(full_page=full))) as taken:
        picture = taken.convert("RGB")
    if picture.width > WIDEST:
        height = round(picture.height * WIDEST / picture.width)
        picture = picture.resize((WIDEST, height), Image.Resampling.LANCZOS)
    picture.save(file, "WEBP", quality=72, method=6)


def main() -> int:
    """Take them all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--only", default="")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "screens")
    parser.add_argument("--full", action="store_true")
    asked = parser.parse_args()
    wanted = set(filter(None, asked.only.split(",")))
    places = [place for place in PLACES if not wanted or place[0] in wanted]
    asked.to.mkdir(parents=True, exist_ok=True)
    count = 0
    with sync_playwright() as playwright:

        def launch() -> Browser:
            """A browser for each reader: one that has opened many pages grows slow."""
            return playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )

        first = launch()
        public = public_offer(first, asked.base)
        first.close()
        for width, language, scheme in VIEWS:
            for who in dict.fromkeys(place[1] for place in places):
                browser = launch()
                page = browser.new_page(
                    viewport={"width": width, "height": 780 if width == 360 else 900},
                    color_scheme=scheme,  # type: ignore[arg-type]
                    locale=language,
                    reduced_motion="reduce",
                    service_workers="block",
                )
                if who:
                    sign_in(page, asked.base, who, language)
                for name, _who, where in (place for place in places if place[1] == who):
                    at = where(page) if callable(where) else where
                    if name == "candidate":
                        at = public
                    page.goto(at if at.startswith("http") else asked.base + at)
                    _keep(
                        page,
                        asked.to / f"{name}-{width}-{language}-{scheme}.webp",
                        full=asked.full,
                    )
                    for fault in _faults(page):
                        count += 1
                        print(f"{name} {width} {language} {scheme}: {fault}", flush=True)
                browser.close()
    print(f"{len(places) * len(VIEWS)} pages looked at, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
