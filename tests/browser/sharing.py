"""From a notification to the finished post in three gestures, and what became of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from typing import Any

from playwright.sync_api import Browser

from app import clock
from tests.browser.product import ROOT, Combination, Product, reading

WHO = {"fr": "maelle", "en": "aminata"}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_ROUND = """
from app import create_app, outbox
from app.db import transaction
app = create_app()
with app.app_context(), transaction():
    from app.sharing import ideas
    outbox.record("ideas.round", after=str(ideas.NOBODY))
"""


def _run(product: Product, *command: str) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PORTEVOIX_")}
    env |= {"PORTEVOIX_DATA_DIR": str(product.folder), "PORTEVOIX_ENV": "test"}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    ).stdout


def described(product: Product) -> dict[str, Any]:
    """What `portevoix demo --json` says of the running demo."""
    found: dict[str, Any] = json.loads(_run(product, "-m", "app.cli", "demo", "--json"))
    return found


def _call(product: Product, token: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{product.url}/api/v1{path}",
        method="POST" if body is not None else "GET",
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def _new_story(product: Product, demo: dict[str, Any], name: str) -> str:
    """Inès publishes a story in both languages, by the API."""
    ines = next(p["token"] for p in demo["people"] if p["email"].startswith("ines@"))
    story = {
        "kind": "article", "language": "fr", "title": f"Une poutre de {name}",
        "summary": "Ce qu’elle porte, et qui l’a taillée.", "url": f"https://halvenne.example/{name}",
        "captions": [f"Elle porte plus qu’elle ne pèse. ({name})"], "topics": ["Chantiers"],
        "translations": {"en": {"title": f"A beam of {name}", "summary": "What it carries.",
                                "captions": [f"It carries more than it weighs. ({name})"]}},
    }  # fmt: skip
    made = _call(product, ines, "/stories", story)
    _call(product, ines, f"/stories/{made['id']}/publication", {})
    return str(made["id"])


def _posts(demo: dict[str, Any]) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{demo['standin']}/_standin/posts", timeout=20) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def share(browser: Browser, product: Product, how: Combination) -> None:
    """The mail, the words, the press; then the post, the visit, the way back."""
    demo, name = described(product), uuid.uuid4().hex[:8]
    who = WHO[how.language]
    with reading(browser, product, how) as me:
        me.sign_in(who)
        me.open("/me")
        if me.page.query_selector("form[action='/me/consents'] input[value=ideas]"):
            me.press("form[action='/me/consents']:has(input[value=ideas]) button")
        story_id = _new_story(product, demo, name)
        _run(product, "-c", _ROUND)
        pattern = re.compile(rf"(http\S+/library/{story_id}#composer)")
        notification = product.mail_to(f"{who}@halvenne.example", pattern)

        me.open(notification)  # one: open
        mine = f"J’y étais (vraiment) #{name} : 100 % d’assemblages_collés 🎉"
        me.page.fill("#words", mine)  # two: make it mine
        me.press("button[name=network][value=linkedin]")  # three: press

        assert "/shares/" in me.page.url
        receipt = re.split(r"[?#]", me.page.url)[0]
        post = _wait_for_post(demo, name)
        assert post["text"].endswith(mine) and "Halvenne" in post["text"].split("\n")[0]
        assert name in post["content"]["title"]
        _wait_for_link(me.page, receipt, post["url"])
        link = post["content"]["source"]
        assert me.page.input_value("#copy-line") == link
        _visit(link)
        _wait_for_text(me.page, receipt, "1")
        me.open("/shares")
        me.reads(post["content"]["title"])
        me.open("/library")
        me.open("/sharing/linkedin")
        me.open("/charter")
        me.open("/rights")
        me.open("/")
        me.open(receipt)
        me.page.click(
            f"details.confirm:has(form[action='{receipt.removeprefix(product.url)}/withdrawal']) summary"
        )
        me.press("form[action$='/withdrawal'] button[type=submit]")
        _wait_until_deleted(demo, post["urn"])
        me.audit()


def _wait_for_post(demo: dict[str, Any], name: str) -> dict[str, Any]:
    deadline = clock.monotonic() + 30
    while clock.monotonic() < deadline:
        found = [post for post in _posts(demo) if name in post["text"]]
        if found:
            assert len(found) == 1
            return found[0]
        clock.sleep(0.1)
    raise AssertionError(f"no post with {name}")


def _wait_for_link(page: Any, receipt: str, url: str) -> None:
    """The receipt says that it is online, and where."""
    deadline = clock.monotonic() + 30
    while clock.monotonic() < deadline:
        page.goto(receipt)
        if page.query_selector("a[href*='/feed/update/']"):
            return
        clock.sleep(0.3)
    raise AssertionError(page.inner_text("main"))


def _wait_for_text(page: Any, receipt: str, text: str) -> None:
    deadline = clock.monotonic() + 30
    while clock.monotonic() < deadline:
        page.goto(receipt)
        if page.inner_text("dl.sum div:first-child dd").startswith(text):
            return
        clock.sleep(0.3)
    raise AssertionError(page.inner_text("main"))


def _wait_until_deleted(demo: dict[str, Any], urn: str) -> None:
    deadline = clock.monotonic() + 30
    while clock.monotonic() < deadline:
        if any(post["urn"] == urn and post["deleted_at"] for post in _posts(demo)):
            return
        clock.sleep(0.2)
    raise AssertionError(f"{urn} is still there")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Goes nowhere: the story's own site is not ours to visit."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _visit(link: str) -> None:
    """Somebody out there opens the link."""
    opener = urllib.request.build_opener(_Stay)
    try:
        opener.open(urllib.request.Request(link, headers={"User-Agent": BROWSER}), timeout=20)
    except urllib.error.HTTPError as answer:
        if answer.code != 302:
            raise
