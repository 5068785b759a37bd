"""Points by hand: the page never tells who takes part, the member hears and can read why."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from app import ledger, outbox
from app.approvals import service as approvals
from app.approvals.models import ApprovalRequest
from app.audit.models import AuditEntry
from app.db import db
from app.ledger.models import LedgerAccount, LedgerNote, LedgerTransfer
from app.people import service as people
from app.people.models import Person
from app.play import accounts, by_hand
from tests.approvals.test_roles import set_rule
from tests.conftest import House
from tests.web.test_pressed_twice import together

PLACE = "/studio/points/by-hand"
WORDS = "Idée retenue pour l’atelier"
ADDRESSES = {
    "member": "maelle@halvenne.example",
    "did not join": "theodo@halvenne.example",
    "left the programme": "sylvie@halvenne.example",
    "left the house": "gaspar@halvenne.example",
    "nobody": "nobody@halvenne.example",
}
TOLD = {
    "give": "If this person takes part, the points are theirs and they are told.",
    "waive": "If this person takes part and owes points, they are no longer asked back",
}
CHANCE = re.compile(
    r'(?<=name="key" value=")[^"]+|(?<=name="csrf_token" value=")[^"]+|(?<="X-CSRFToken": ")[^"]+'
)
NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|by-hand-[0-9a-f]{32}")


@pytest.fixture
def lived_in(any_house: House) -> House:
    """Somebody of each kind; two of HR and an administrator."""
    house = any_house
    house.person("Maëlle Kerjan", email=ADDRESSES["member"])
    house.person("Théo Rossignac", email=ADDRESSES["did not join"], joined=False)
    people.leave(house.person("Sylvie Aubert", email=ADDRESSES["left the programme"]).id)
    gone = house.person("Gaspard Le Goff", email=ADDRESSES["left the house"])
    people.depart(gone.id)
    house.person("Anne Martin", "hr", email="anne@halvenne.example")
    house.person("Paul Ferré", "hr", email="paul@halvenne.example")
    house.person("Inès Duval", "admin", "auditor", email="ines@halvenne.example")
    outbox.drain()
    return house


def who(address: str) -> Person:
    return db.session.scalars(select(Person).where(Person.email == address)).one()


@pytest.fixture
def anne(lived_in: House) -> FlaskClient:
    return lived_in.browser(who("anne@halvenne.example"))


@pytest.fixture
def paul(lived_in: House) -> FlaskClient:
    return lived_in.browser(who("paul@halvenne.example"))


def form(address: str, **more: str) -> dict[str, str]:
    return {
        "address": address, "points": "20", "words": WORDS, "act": "give", "key": uuid.uuid4().hex,
    } | more  # fmt: skip


def text(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def said(page: str) -> str:
    """What the page answers to the press before it."""
    return re.sub(r"<[^>]*>", "", page.partition('<div class="notice ')[2].partition("</p>")[0])


def row_of(page: str, address: str) -> str:
    """The one row of a list that names this address."""
    rows = [row for row in page.split('<li class="list-row"')[1:] if address in row]
    assert len(rows) == 1
    return alike(rows[0].partition("</li>")[0], address)


def same(seen: list[tuple[Any, ...]]) -> None:
    """What was seen of each is what was seen of the first."""
    for each in seen[1:]:
        for part, first in zip(each, seen[0], strict=True):
            assert part == first


def acts() -> Counter[str]:
    """The audit trail without numbers, keys and times."""
    db.session.rollback()
    rows = db.session.scalars(select(AuditEntry))
    return Counter(
        NUMBER.sub("*", f"{a.action} {a.target_kind} {a.target_id} {a.details}") for a in rows
    )


def alike(page: str, address: str) -> str:
    """A page without what is new at every press, and without what was typed."""
    return NUMBER.sub("*", CHANCE.sub("*", page)).replace(address, "@")


def balance(address: str) -> int:
    db.session.rollback()
    return accounts.balance_of(who(address).id).available


def letters(house: House) -> Iterator[tuple[str, str]]:
    """To whom, and all that is said."""
    for file in sorted((house.app.extensions["portevoix"].data_dir / "mail").glob("*.eml")):
        yield _letter(file)


def _letter(file: Path) -> tuple[str, str]:
    found: Any = message_from_bytes(file.read_bytes(), policy=policy.default)
    return str(found["To"]), f"{found['Subject']}\n{found.get_body(('plain',)).get_content()}"


# ---- Who takes part is told to nobody


@pytest.mark.parametrize("act", by_hand.ACTS)
@pytest.mark.parametrize("guarded", [True, False])
def test_it_answers_alike_whoever_it_is(
    lived_in: House, anne: FlaskClient, act: str, guarded: bool
) -> None:
    """Answer, page after it, requests, audit trail: byte for byte."""
    set_rule(points=guarded)
    ines = lived_in.browser(who("ines@halvenne.example"))
    seen = []
    for address in ADDRESSES.values():
        answer = anne.post(f"{PLACE}?lang=en", data=form(address, act=act))
        heads = {k: v for k, v in answer.headers.items() if k not in ("Set-Cookie", "X-Request-Id")}
        page = text(anne, f"{PLACE}?lang=en")
        answers = TOLD[act], "Your request is noted."
        assert answers[guarded] in said(page)
        waits = text(anne, "/studio/approvals?view=mine") if guarded else ""
        seen.append((
            answer.status_code, NUMBER.sub("*", str(heads)), answer.get_data(),
            alike(page.partition('id="t-done"')[0], address),
            row_of(waits, address) if guarded else "",
        ))  # fmt: skip
    same(seen)
    trail = re.findall(r"<tr\b.*?</tr>", text(ines, "/studio/audit?area=points"), re.DOTALL)
    asked = db.session.scalar(select(func.count()).select_from(ApprovalRequest))
    assert asked == (len(ADDRESSES) if guarded else 0)
    if not guarded:
        found = {alike(row, "") for row in trail if "Anne Martin" in row}
        assert len([row for row in trail if "Anne Martin" in row]) == len(ADDRESSES)
        assert len(found) == 1
        done = text(anne, PLACE).partition('id="t-done"')[2]
        assert done.count('class="list-row"') == len(ADDRESSES)


def test_it_does_alike_whoever_it_is_once_approved(
    lived_in: House, anne: FlaskClient, paul: FlaskClient
) -> None:
    seen = []
    for address in ADDRESSES.values():
        before = acts()
        anne.post(PLACE, data=form(address))
        waiting = text(paul, "/studio/approvals")
        assert f"Donner 20 points à {address}" in waiting or f"Give {address} 20 points" in waiting
        row = db.session.scalars(
            select(ApprovalRequest).where(ApprovalRequest.outcome.is_(None))
        ).one()
        answer = paul.post(f"/studio/approvals/{row.id}/approval")
        after = text(paul, "/studio/approvals")
        mine = text(anne, "/studio/approvals?view=mine")
        told = acts() - before
        seen.append((
            answer.status_code, answer.headers["Location"], alike(waiting, address),
            alike(after, address), row_of(mine, address), told,
        ))  # fmt: skip
    same(seen)
    assert balance(ADDRESSES["member"]) == 20
    assert db.session.scalar(select(func.count()).select_from(LedgerTransfer)) == 1
    assert ledger.verify().ok


def test_it_keeps_nothing_readable_of_who_was_named(lived_in: House, anne: FlaskClient) -> None:
    opened = db.session.scalar(select(func.count()).select_from(LedgerAccount))
    for points in ("20", "3"):
        set_rule(points_above=10)
        for address in ADDRESSES.values():
            anne.post(PLACE, data=form(address, points=points))
    db.session.rollback()
    for row in db.session.scalars(select(ApprovalRequest)):
        assert "halvenne" not in str(row.payload) and WORDS not in str(row.payload)
    for entry in db.session.scalars(select(AuditEntry)):
        assert "halvenne" not in str(entry.details) + entry.target_id
    assert db.session.scalar(select(func.count()).select_from(LedgerAccount)) == opened
    assert [*db.session.scalars(select(LedgerNote.words))] == [WORDS]


def test_it_asks_the_database_as_much_whoever_it_is(lived_in: House, anne: FlaskClient) -> None:
    """The time of an answer follows its statements: a member's are hidden among as many."""
    set_rule(points=False)
    counts, seen = {}, [""]

    def note(connection: object, cursor: object, sql: str, *rest: object) -> None:
        seen.append(sql)

    event.listen(db.engine, "before_cursor_execute", note)
    for kind, address in ADDRESSES.items():
        seen.clear()
        anne.post(PLACE, data=form(address))
        counts[kind] = len(seen)
    event.remove(db.engine, "before_cursor_execute", note)
    assert max(counts.values()) - min(counts.values()) <= 4, counts


# ---- What it does


def test_the_member_gets_a_mail_with_the_reason_and_reads_it_on_the_statement(
    lived_in: House, anne: FlaskClient
) -> None:
    set_rule(points=False)
    for address in ADDRESSES.values():
        anne.post(PLACE, data=form(address))
    outbox.drain()
    sent = [each for each in letters(lived_in) if WORDS in each[1]]
    assert [to for to, _ in sent] == ["Maëlle Kerjan <maelle@halvenne.example>"]
    assert WORDS in sent[0][1] and "20 points" in sent[0][1].replace("\xa0", " ")
    assert "/play" in sent[0][1] and "Anne" not in sent[0][1]
    page = text(lived_in.browser(who(ADDRESSES["member"])), "/play?lang=en")
    assert "Given by a person" in page and WORDS in page and "+20" in page


def test_the_member_hears_that_a_debt_is_no_longer_asked_back(
    lived_in: House, anne: FlaskClient
) -> None:
    set_rule(points=False)
    account = accounts.open_for(who(ADDRESSES["member"]).id)
    award = ledger.transfer("award", "a-1", account, 30)
    ledger.transfer("redemption", "r-1", account, 30)
    ledger.reverse(award.id, reference="a-1-undo", reason="undone")
    for _time in range(2):
        anne.post(PLACE, data=form(ADDRESSES["member"], act="waive", points="100"))
    outbox.drain()
    sent = [each for each in letters(lived_in) if WORDS in each[1]]
    assert len(sent) == 1 and WORDS in sent[0][1] and "30" in sent[0][1].partition("\n")[0]
    db.session.rollback()
    assert ledger.balance(account).owed == 0


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("kind", ["member", "nobody"])
def test_a_form_pressed_twice_gives_once(
    lived_in: House, anne: FlaskClient, paul: FlaskClient, guarded: bool, kind: str
) -> None:
    set_rule(points=guarded)
    cookie = anne.get_cookie("portevoix")
    assert cookie is not None
    data = form(ADDRESSES[kind])

    def press() -> Any:
        own = lived_in.app.test_client()
        own.set_cookie("portevoix", cookie.value)
        return own.post(PLACE, data=data, headers={"X-Press": "1"})

    answers = [*together(lived_in.app, press), press()]
    assert {(a.status_code, a.headers["X-Go"]) for a in answers} == {(204, PLACE)}
    db.session.rollback()
    rows = db.session.scalars(select(ApprovalRequest)).all()
    assert len(rows) == int(guarded)
    if guarded:
        assert approvals.approve(rows[0].id, who("paul@halvenne.example").id)
        assert press().status_code == 204
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(ApprovalRequest)) == 1
    assert balance(ADDRESSES["member"]) == (20 if kind == "member" else 0)
    given = select(func.count()).where(AuditEntry.action == "points.given")
    assert db.session.scalar(given) == 1


def test_what_says_otherwise_is_another_press(lived_in: House, anne: FlaskClient) -> None:
    """The same form sent again with other points is answered alike, and given."""
    set_rule(points=False)
    for address in (ADDRESSES["member"], ADDRESSES["nobody"]):
        for points in ("5", "6"):
            assert anne.post(PLACE, data=form(address, points=points, key="k")).status_code == 303
    assert balance(ADDRESSES["member"]) == 11


def test_nobody_gives_to_themselves_alone(lived_in: House, anne: FlaskClient) -> None:
    set_rule(points=False)
    anne.post(PLACE, data=form(" Anne@Halvenne.example "))
    row = db.session.scalars(select(ApprovalRequest)).one()
    assert row.subject_id == who("anne@halvenne.example").id == row.requested_by
    assert anne.post(f"/studio/approvals/{row.id}/approval").status_code == 403
    assert balance("anne@halvenne.example") == 0


# ---- The page


@pytest.mark.parametrize(
    ("field", "typed"),
    [("address", "nobody"), ("address", ""), ("points", "0"), ("points", "1.5"), ("words", " ")],
)
def test_it_says_what_is_missing_and_keeps_what_was_typed(
    anne: FlaskClient, field: str, typed: str
) -> None:
    answer = anne.post(PLACE, data=form("a@b.example", points="17") | {field: typed})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert f'id="{field}-error"' in page and f'href="#{field}"' in page
    assert field == "words" or WORDS in page
    assert not db.session.scalars(select(ApprovalRequest)).all()


def test_it_lists_what_the_reader_did_and_not_what_others_did(
    lived_in: House, anne: FlaskClient, paul: FlaskClient
) -> None:
    set_rule(points=False)
    for number in range(23):
        anne.post(PLACE, data=form(ADDRESSES["nobody"], points=str(701 + number)))
    first = text(anne, PLACE)
    assert first.count('class="list-row"') == 20 and "723" in first and "703" not in first
    onward = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert onward
    second = text(anne, onward[1].replace("&amp;", "&"))
    assert second.count('class="list-row"') == 3 and "703" in second
    assert ADDRESSES["nobody"] not in first + second
    assert 'class="list-row"' not in text(paul, PLACE)


@pytest.mark.parametrize("role", ["hr", "admin"])
def test_both_roles_find_it_beside_the_rules_and_nobody_else(any_house: House, role: str) -> None:
    someone = any_house.browser(any_house.person("Paul Ferré", role))
    assert f'href="{PLACE}"' in text(someone, "/studio/rules")
    assert someone.get(PLACE).status_code == 200
    other = any_house.browser(any_house.person("Inès Duval", "lead", "auditor"))
    assert PLACE not in text(other, "/studio/rules")
    assert other.get(PLACE).status_code == 403
    assert other.post(PLACE, data=form(ADDRESSES["nobody"])).status_code == 403
