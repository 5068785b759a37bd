"""What tests of the public pages share: a visitor without an account, and their mailbox."""

from __future__ import annotations

import email
import email.policy
import html
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from flask import Flask, g
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import outbox
from app.web import current_settings

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"


def forget() -> None:
    """Tests live in one application context; a request of its own begins with nothing."""
    for name in list(g):
        g.pop(name)


class Visitor:
    """Somebody with a browser and no account. Every answer is checked: nothing is stored."""

    def __init__(self, app: Flask, language: str = "en") -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = {"User-Agent": PHONE, "Accept-Language": language}

    def open(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = self.headers | more.pop("headers", {})
        forget()
        response = self.client.open(path, method=method, headers=headers, **more)
        assert "Set-Cookie" not in response.headers, path
        assert "Cookie" not in response.headers.get("Vary", ""), path
        return response

    def get(self, path: str, status: int = 200, **more: Any) -> str:
        response = self.open("GET", path, **more)
        assert response.status_code == status, f"{response.status_code} {path}"
        return response.get_data(as_text=True)

    def post(self, path: str, status: int = 303, **fields: str) -> TestResponse:
        response = self.open("POST", path, data=fields)
        assert response.status_code == status, f"{response.status_code} {path}"
        return response

    def say(self, path: str, status: int = 422, **fields: str) -> str:
        return self.post(path, status, **fields).get_data(as_text=True)


class _Fields(HTMLParser):
    """The fields of a page's forms as a browser without scripts would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "textarea" and name:
            self.area, self.found[name] = name, ""
        if tag != "input" or not name:
            return
        if given.get("type") in ("radio", "checkbox") and "checked" not in given:
            return
        self.found[name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""


def fields(page: str) -> dict[str, str]:
    """What the page's forms hold, by name."""
    parser = _Fields()
    parser.feed(page)
    return parser.found


def words(page: str) -> str:
    """What a reader sees, in one line."""
    visible = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", visible)).split())


def letters(to: str = "") -> list[EmailMessage]:
    """Every mail that was sent so far (to one address), oldest first; what is due goes first."""
    outbox.drain()
    folder: Path = current_settings().data_dir / "mail"
    found = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in sorted(folder.glob("*.eml"), key=lambda each: each.stat().st_mtime_ns)
    ]
    return [m for m in found if isinstance(m, EmailMessage) and to in str(m["To"])]


def text(letter: EmailMessage) -> str:
    """A mail as plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def markup(letter: EmailMessage) -> str:
    """The same as HTML."""
    body = letter.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def private_address(letter: EmailMessage) -> str:
    """The path of the private page in a mail."""
    found = re.search(r"https?://[^/\s]+(/c/\S+)", text(letter))
    assert found, text(letter)
    return found[1]


def code_in(letter: EmailMessage) -> str:
    """The six figures in a mail."""
    found = re.search(r"\b(\d{6})\b", text(letter))
    assert found, text(letter)
    return found[1]
