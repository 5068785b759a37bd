"""What a foreign page, an old cookie or a field too many can do to a form: nothing.

The forms are those that the pages show: each page of the URL map is opened as a member and as
somebody with every role, and each form is sent as its reader would send it.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from app import outbox
from app.db import db
from app.people import service as people
from app.people.directory import GRANTABLE
from app.people.models import Person
from app.rewards import service as rewards
from app.web import access
from tests.conftest import House
from tests.people.conftest import press

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
CHANCE = re.compile(r"gAAAA[\w=-]+|(?<=employee-)[0-9a-f]{8}")
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
# Where a form does not say whom or what it changes, a stranger's field must not either.
NOISE = re.compile(
    r"(^|_)(at|on|hash|digest|secret|code|token|slug|content|key|verifier|prepared|public_id)$"
)


@dataclass(frozen=True)
class Form:
    """A form of a page, filled in as its reader would."""

    action: str
    fields: tuple[tuple[str, str], ...]
    names: frozenset[str]

    @property
    def place(self) -> str:
        """Its address without identifiers."""
        return UUID.sub("*", urlsplit(self.action).path)


@dataclass(frozen=True)
class Lived:
    """A house with something of everything, and two of its readers."""

    house: House
    member: Person
    everything: Person
    victim_id: uuid.UUID


@pytest.fixture
def lived(house: House) -> Lived:
    member = house.person("Maëlle Kerjan")
    everything = house.person("Pauline Ferré", *GRANTABLE)
    victim = house.person("Nadia Ferrand").id
    offer = house.offer()
    house.referral(member, offer)
    rewards.create_reward(
        title="Un livre", description="", cost=1, stock=5, pay_class="voucher",
        deliverer_id=everything.id, actor_id=everything.id,
    )  # fmt: skip
    people.issue_token(member.id, "Mine", ["read"])
    outbox.drain()
    return Lived(house, member, everything, victim)


def pages(app: Flask, browser: FlaskClient) -> Iterator[tuple[str, HTMLParser]]:
    """What can be read without an identifier, and the pages of ours that these lead to."""
    waiting = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
        and not rule.rule.startswith(("/api", "/scim", "/sw.js", "/metrics", "/readyz"))
    )  # fmt: skip
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        kind = UUID.sub("*", path)
        if kind in seen:
            continue
        seen.add(kind)
        answer = browser.get(path)
        assert answer.status_code < 500, path
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        tree = HTMLParser(answer.get_data(as_text=True))
        yield path, tree
        for link in tree.css("a[href^='/']"):
            target = urlsplit(str(link.attributes["href"])).path
            if UUID.search(target) and not target.startswith(("/r/", "/c/", "/media")):
                waiting.append(target)


def forms(app: Flask, browser: FlaskClient) -> list[Form]:
    """Each form that changes something, once for each place that it is sent to."""
    found: dict[str, Form] = {}
    for path, tree in pages(app, browser):
        for node in tree.css("form"):
            if (node.attributes.get("method") or "get").lower() == "post":
                shown = {each.attributes.get("name") or "" for each in node.css("[name]")}
                action = node.attributes.get("action") or path
                form = Form(action, tuple(_filled(node)), frozenset(shown))
                found.setdefault(form.place, form)
    return list(found.values())


def _filled(form: Node) -> Iterator[tuple[str, str]]:
    for node in form.css("input, textarea, select"):
        name, kind = node.attributes.get("name"), node.attributes.get("type") or "text"
        if not name or kind in ("file", "submit", "button", "image"):
            continue
        value = node.attributes.get("value") or ""
        if kind in ("checkbox", "radio"):
            if "checked" in node.attributes or "required" in node.attributes:
                yield name, value or "on"
            continue
        if node.tag == "textarea":
            value = node.text()
        elif node.tag == "select":
            chosen = node.css_first("option[selected]") or node.css_first("option")
            value = (chosen.attributes.get("value") or "") if chosen else ""
        if not value and "required" in node.attributes:
            value = {"email": "x@halvenne.example", "number": "5", "date": "2026-12-01",
                     "password": "une-phrase-assez-longue", "url": "https://halvenne.example/"
                     }.get(kind, "Un texte")  # fmt: skip
        yield name, value


# --- The base before and after -----------------------------------------------------------


def _file(app: Flask) -> Path:
    return Path(app.extensions["portevoix"].data_dir) / "portevoix.db"


def keep(app: Flask) -> Path:
    """A copy of the whole base."""
    db.session.remove()
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.engine.dispose()
    copy = _file(app).with_suffix(".kept")
    shutil.copy(_file(app), copy)
    return copy


def restore(app: Flask, copy: Path) -> None:
    db.session.remove()
    db.engine.dispose()
    for end in ("-wal", "-shm"):
        _file(app).with_name(_file(app).name + end).unlink(missing_ok=True)
    shutil.copy(copy, _file(app))


def rows(known: set[str] | None = None) -> dict[str, Counter[str]]:
    """Every row of every table. With `known`, other identifiers and what is drawn by chance are
    left out, so that two runs of one act compare equal."""
    db.session.rollback()
    found = {}
    for table in inspect(db.engine).get_table_names():
        result = db.session.execute(text(f'select * from "{table}"'))
        columns = list(result.keys())
        found[table] = Counter(
            " | ".join(
                f"{name}={_plain(str(value), known)}"
                for name, value in zip(columns, row, strict=True)
                if known is None or not NOISE.search(name)
            )
            for row in result
        )
    db.session.rollback()
    return found


def _plain(value: str, known: set[str] | None) -> str:
    if known is None:
        return value
    value = CHANCE.sub("*", value)
    return UUID.sub(lambda m: m[0] if m[0].replace("-", "") in known else "*", value)


def identifiers() -> set[str]:
    db.session.rollback()
    found: set[str] = set()
    for table in inspect(db.engine).get_table_names():
        for row in db.session.execute(text(f'select * from "{table}"')):
            found |= {m[0].replace("-", "") for value in row for m in UUID.finditer(str(value))}
    db.session.rollback()
    return found


def effects(
    before: dict[str, Counter[str]], after: dict[str, Counter[str]]
) -> dict[str, Counter[str]]:
    return {t: after[t] - before[t] for t in after if after[t] - before[t] or before[t] - after[t]}


# --- Forms from elsewhere ----------------------------------------------------------------


def test_no_route_of_a_browser_changes_anything_without_the_token(lived: Lived) -> None:
    """A page elsewhere can send a form with the reader's cookie, not with the reader's token."""
    app, browser = lived.house.app, lived.house.browser(lived.everything)
    app.config["WTF_CSRF_ENABLED"] = True
    before, walked = rows(), 0
    for rule in app.url_map.iter_rules():
        declared = access.rule_of(rule.endpoint)
        if declared is None or declared.who not in ("role", "signed-in"):
            continue
        for method in sorted(CHANGING & (rule.methods or set())):
            path = re.sub(r"<[^>]*uuid:[^>]*>", str(lived.victim_id), rule.rule)
            path = re.sub(r"<int:[^>]*>", "1", path)
            answer = browser.open(re.sub(r"<[^>]+>", "x", path), method=method, data={"name": "x"})
            walked += 1
            assert answer.status_code in (400, 303, 404), (rule.rule, answer.status_code)
            assert answer.status_code != 303 or "/sign-in" in answer.headers["Location"]
    assert walked > 90
    assert effects(before, rows()) == {}


def test_a_visitors_form_needs_the_token_of_its_page(lived: Lived) -> None:
    app = lived.house.app
    app.config["WTF_CSRF_ENABLED"] = True
    before = rows()
    visitor = app.test_client()
    for path in ("/sign-in", "/password", "/forgotten", "/sign-in/code"):
        assert visitor.post(path, data={"email": lived.member.email}).status_code in (
            400,
            404,
            405,
            422,
        )
    assert effects(before, rows()) == {}


# --- Old cookies -------------------------------------------------------------------------


def test_signing_in_gives_another_session_and_signing_out_ends_it(lived: Lived) -> None:
    browser = lived.house.app.test_client()
    people.set_password(lived.member.id, "une-phrase-assez-longue")
    browser.get("/sign-in")
    browser.set_cookie("portevoix", "planted-by-somebody-else")
    given = {"email": lived.member.email, "password": "une-phrase-assez-longue"}
    assert press(browser, "/sign-in", "/sign-in", **given).status_code == 303
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None
    assert cookie.value != "planted-by-somebody-else"
    assert browser.get("/me").status_code == 200
    assert press(browser, "/me", "/sign-out").status_code == 303
    browser.set_cookie("portevoix", cookie.value)
    assert browser.get("/me").status_code in (302, 303), "the old cookie opens nothing"


# --- Fields too many ---------------------------------------------------------------------


def _strangers(victim: uuid.UUID) -> dict[str, str]:
    """A field for every column of every table, and what else an attacker would try."""
    values = {
        "roles": "admin", "role": "admin", "scopes": "people:write", "kind": "partner",
        "email": "else@halvenne.example", "is_admin": "yes", "admin": "1", "state": "fulfilled",
        "status": "fulfilled", "granted_by": str(victim), "actor_id": str(victim),
    }  # fmt: skip
    for table in db.metadata.tables.values():
        for column in table.columns:
            kind = "id" if column.name.endswith("_id") or column.name == "id" else "number"
            values.setdefault(column.name, str(victim) if kind == "id" else "424242")
    return values


@pytest.mark.parametrize("who", ["member", "everything"])
def test_a_field_that_a_form_does_not_show_changes_nothing(lived: Lived, who: str) -> None:
    app, reader = lived.house.app, getattr(lived, who)
    browser = lived.house.browser(reader)
    found = [form for form in forms(app, browser) if form.place != "/sign-out"]
    assert len(found) > (12 if who == "member" else 40)
    strangers = _strangers(lived.victim_id)
    copy = keep(app)
    known, before = identifiers(), rows(identifiers())
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None
    wrong = {}
    for form in found:
        shown = form.names
        more = tuple((k, v) for k, v in strangers.items() if k not in shown)
        changed = []
        for fields in (form.fields, form.fields + more):
            restore(app, copy)
            browser.set_cookie("portevoix", cookie.value)
            data: dict[str, list[str]] = {}
            for name, value in fields:
                data.setdefault(name, []).append(value)
            status = browser.post(form.action, data=data).status_code
            changed.append((status, effects(before, rows(known))))
        refused = not changed[1][1]  # a form with a stranger in it may be turned down whole
        if changed[0] != changed[1] and not refused:
            wrong[form.place] = _apart(*changed)
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in wrong.items())


# --- Pressed twice -----------------------------------------------------------------------

KEYS = {"key", "press_id"}
"""What a form carries that makes a second press the first one."""
ADDS_AGAIN = {
    "/me/devices/*/ending": "one's own session ended: the form is put aside",
    "/me/leaving": "the session ended: the form is put aside",
    "/sign-in/code": "another code, which ends the one before",
    "/studio/activation": "the same answers once more, of which the last count",
    "/studio/rules/leaving": "the same rule once more, of which the last counts",
}
"""Forms without a key that add a row each time they are sent, and why nobody has to clean up."""
TRAILS = ("audit", "outbox")


def test_a_form_with_a_key_does_nothing_the_second_time(lived: Lived) -> None:
    """Whatever a form makes that carries a key, it makes it once, and both answers are one."""
    app, browser = lived.house.app, lived.house.browser(lived.everything)
    found = [form for form in forms(app, browser) if KEYS & form.names]
    assert len(found) > 9, sorted(form.place for form in found)
    wrong, made = {}, 0
    for form, answers, changed in _pressed_twice(app, browser, found):
        made += answers[0].status_code == 303
        told = {(answer.status_code, answer.headers.get("Location")) for answer in answers}
        if changed or len(told) > 1:
            wrong[form.place] = (told, changed)
    assert not wrong, wrong
    assert made >= 4


def test_a_form_without_a_key_adds_nothing_the_second_time(lived: Lived) -> None:
    """What has a name of its own is refused or known the second time; else the form has a key."""
    app, browser = lived.house.app, lived.house.browser(lived.everything)
    found = [f for f in forms(app, browser) if not KEYS & f.names and f.place != "/sign-out"]
    assert len(found) > 40
    wrong = {
        form.place: added
        for form, _answers, changed in _pressed_twice(app, browser, found)
        if (added := [t for t, more in changed.items() if more and not t.startswith(TRAILS)])
        and form.place not in ADDS_AGAIN
    }
    assert not wrong, wrong


Pressed = tuple[Form, list[TestResponse], dict[str, Counter[str]]]


def _pressed_twice(app: Flask, browser: FlaskClient, found: list[Form]) -> Iterator[Pressed]:
    """Each form sent twice, each on the same base: the answers, and what the second changed."""
    copy, cookie = keep(app), browser.get_cookie("portevoix")
    assert cookie is not None
    for form in found:
        restore(app, copy)
        browser.set_cookie("portevoix", cookie.value)
        data: dict[str, list[str]] = {}
        for name, value in form.fields:
            data.setdefault(name, []).append(value)
        first, before = browser.post(form.action, data=data), rows()
        second, after = browser.post(form.action, data=data), rows()
        yield form, [first, second], effects(before, after)


Outcome = tuple[int, dict[str, Counter[str]]]


def _apart(usual: Outcome, other: Outcome) -> str:
    """What two runs of a form did differently."""
    (status, one), (second, two) = usual, other
    tables = [
        f"{table} {one.get(table, Counter()) - two.get(table, Counter())} / "
        f"{two.get(table, Counter()) - one.get(table, Counter())}"
        for table in one.keys() | two.keys()
        if one.get(table) != two.get(table)
    ]
    return f"{status} / {second}; " + "; ".join(tables)
