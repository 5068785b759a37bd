"""My data: complete, in words, as a file, without secrets and without anybody else (rule E5)."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from app import clock, ledger, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.people import service as people
from app.people.models import Login, Person
from app.personal_data import CANDIDATE, PERSON, holdings
from app.play.accounts import account_of
from app.referrals import candidates, links
from app.referrals.models import Referral
from app.rights import my_data
from app.sharing.models import ReachFigure, Share
from tests.conftest import START, House
from tests.privacy.loaded import row


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person("Maëlle Kerjan", email="maelle@halvenne.example", employee_id="0042")


def _file(house: House, person: Person) -> dict[str, Any]:
    answer = house.browser(person).get("/me/data.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    read: dict[str, Any] = json.loads(answer.data)
    return read


def test_the_file_has_every_declared_part_with_what_the_law_asks_for(
    house: House, maelle: Person
) -> None:
    read = _file(house, maelle)
    assert {*read["data"]} == {h.key for h in holdings(PERSON) if PERSON in h.exports}
    for part in read["data"].values():
        for said in ("title", "purpose", "legal_basis", "source", "recipients", "kept"):
            assert part[said], part
    [entry] = read["data"]["people.entry"]["rows"]
    assert entry["email"] == "maelle@halvenne.example" and entry["employee_id"] == "0042"


def test_it_holds_no_secret(house: House, maelle: Person) -> None:
    people.set_password(maelle.id, "un poirier sous la neige")
    token = people.issue_token(maelle.id, "agenda", ["read"], expires_at=None)
    text = json.dumps(_file(house, maelle))
    hashes = db.session.scalars(db.select(Login.token_hash)).all()
    assert "agenda" in text
    assert token not in text and not [h for h in hashes if h in text]
    assert not re.search(r"argon2|token_hash|password_hash|key_hash|secret\"", text)


def test_it_names_nobody_else(house: House, maelle: Person) -> None:
    house.referral(maelle, first_name="Nadia", last_name="Ferrand", email="nadia@mail.example")
    text = json.dumps(_file(house, maelle))
    assert "Conduite de travaux" in text
    assert "Nadia" not in text and "Ferrand" not in text and "nadia@" not in text


def test_the_page_says_the_same_in_words_of_the_reader(house: House, maelle: Person) -> None:
    answer = house.browser(maelle).get("/me/data?lang=en")
    page = LexborHTMLParser(answer.get_data(as_text=True))
    assert answer.headers["Cache-Control"] == "no-store"
    text = page.text()
    assert "maelle@halvenne.example" in text and "Employee number" in text
    assert "employee_id" not in text and str(maelle.id) not in text
    assert page.css_first("a[href='/me/data.json']") is not None
    parts = {h.key for h in holdings(PERSON)}
    assert {str(s.attributes["id"]) for s in page.css("section.data-part")} <= parts


def test_a_colleague_gets_their_own_only(house: House, maelle: Person) -> None:
    other = house.person("Léo Autre")
    assert "maelle@halvenne.example" not in json.dumps(_file(house, other))
    assert house.app.test_client().get("/me/data.json").status_code in (303, 401)


def test_much_of_it_is_written_within_a_minute(house: House, maelle: Person) -> None:
    """Twenty thousand lines of the journal, far more than anybody has."""
    with transaction() as session:
        session.execute(
            db.insert(AuditEntry),
            [
                {"action": "story.shared", "target_kind": "story", "target_id": str(n),
                 "actor_id": maelle.id, "actor_role": None, "details": {"n": n}, "at": START}
                for n in range(20_000)
            ],
        )  # fmt: skip
    began = clock.monotonic()
    read = _file(house, maelle)
    assert len(read["data"]["audit.journal"]["rows"]) > 20_000
    assert clock.monotonic() - began < 60
    page = house.browser(maelle).get("/me/data?lang=en").get_data(as_text=True)
    assert "There is more" in page and len(page) < 400_000


def test_an_empty_part_says_that_nothing_is_kept(house: House, maelle: Person) -> None:
    with house.app.test_request_context("/?lang=en"):
        parts = my_data.parts(PERSON, maelle.id)
    assert [bool(p.records) for p in parts] == sorted(
        (bool(p.records) for p in parts), reverse=True
    )


# --- candidates --------------------------------------------------------------------------


@pytest.fixture
def referral(house: House, maelle: Person) -> Referral:
    found = house.referral(maelle, email="nadia@mail.example", language="en")
    return db.session.get_one(Referral, found)


def _links(house: House) -> set[str]:
    """Every link to a copy in the mails to the candidate."""
    folder: Path = house.app.extensions["portevoix"].data_dir / "mail"
    found: set[str] = set()
    for file in folder.glob("*.eml"):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        if "nadia@mail.example" in str(message["To"]) and body is not None:
            found |= {*re.findall(r"/c/data/[\w-]+", body.get_content())}
    return found


def _link(house: House, referral: Referral) -> str:
    known = _links(house)
    candidates.ask_for_copy(referral.id)
    outbox.drain()
    [made] = _links(house) - known
    return made


def test_a_candidate_asks_for_a_link_that_goes_to_their_mailbox(
    house: House, referral: Referral
) -> None:
    visitor, page = house.app.test_client(), "/c/" + candidates.private_token(referral.id)
    answer = visitor.post(f"{page}/copies?lang=en")
    assert answer.status_code == 303
    outbox.drain()
    assert len(_links(house)) == 1
    assert "on its way to your mailbox" in visitor.get(answer.headers["Location"]).text
    assert visitor.get_cookie("session") is None


def test_the_link_opens_everything_once(house: House, referral: Referral) -> None:
    path, visitor = _link(house, referral), house.app.test_client()
    for _robot in range(3):
        assert "nadia@mail.example" not in visitor.get(f"{path}?lang=en").text
    shown = visitor.post(f"{path}?lang=en")
    assert shown.status_code == 200 and "nadia@mail.example" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    file = visitor.get(f"{path}/file")
    assert {*json.loads(file.data)["data"]} == {
        h.key for h in holdings(CANDIDATE) if CANDIDATE in h.exports
    }
    assert visitor.post(path).status_code == 410
    assert visitor.get(path).status_code == 410
    clock.freeze(START + dt.timedelta(minutes=16))
    assert visitor.get(f"{path}/file").status_code == 410


def test_the_link_is_good_for_a_day_and_a_new_one_ends_it(house: House, referral: Referral) -> None:
    first, visitor = _link(house, referral), house.app.test_client()
    second = _link(house, referral)
    assert visitor.get(first).status_code == 404
    assert visitor.get(f"{second}/file").status_code == 410
    clock.freeze(START + dt.timedelta(hours=24))
    assert visitor.post(second).status_code == 410
    assert visitor.get("/c/data/invented").status_code == 404


def test_the_file_of_a_heavy_member_asks_no_more_than_another(
    house: House, maelle: Person, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    """5,000 lines of points, 500 posts and 50,000 openings are a file of 2 MB in half a second:
    made at the press, and read as it is made."""

    def copy() -> str:
        with house.app.test_request_context():
            return "".join(my_data.as_json(PERSON, maelle.id))

    outbox.drain()
    light = count_queries(copy)
    _weigh(house, maelle)
    assert count_queries(copy) == light <= 80
    parts = json.loads(copy())["data"]
    told = {key: len(part["rows"]) for key, part in parts.items()}
    assert (told["play.lines"], told["sharing.posts"], told["sharing.figures"]) == (120, 40, 80)


def _weigh(house: House, person: Person) -> None:
    """Points, posts and links by the dozen."""
    account = account_of(person.id)
    assert account is not None
    with transaction() as session:
        for number in range(120):
            ledger.transfer("award", f"heavy-{number}", account, 1)
        for number in range(40):
            share = row(Share, number, person_id=person.id, status="published", network="linkedin")
            session.add(share)
            session.flush()
            session.add_all(
                row(ReachFigure, number, share_id=share.id, metric=metric)
                for metric in ("clicks", "views")
            )
    for number in range(5):
        links.link_for(person.id, house.offer(f"Offre {number}"), "link")
