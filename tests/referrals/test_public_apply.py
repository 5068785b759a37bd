"""Applying, in two steps, without an account and without a script. F58, P1, P6, P7."""

from __future__ import annotations

import base64
import datetime as dt
import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, create_app
from app.db import db, transaction
from app.people.models import Person
from app.referrals import clicks, links, offers
from app.referrals.models import Candidate, Connection, Offer, Referral
from app.referrals.notice import CURRENT_NOTICE
from tests.conftest import House, serving, settings_for
from tests.referrals.public_kit import Visitor, fields, letters, words

NADIA = {"first_name": "Nadia", "last_name": "Ferrand", "email": "nadia@mail.example"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def maelle(house: House) -> Person:
    return house.person("Maëlle Kerjan")


@pytest.fixture
def offer(house: House) -> Offer:
    row = db.session.get(Offer, house.offer(apply_url="https://jobs.example/apply?gh_jid=4"))
    assert row is not None
    return row


@pytest.fixture
def code(maelle: Person, offer: Offer) -> str:
    return links.link_for(maelle.id, offer.id, "link").code


@pytest.fixture
def visitor(house: House) -> Visitor:
    return Visitor(house.app)


def form(visitor: Visitor, offer: Offer, code: str = "", **typed: str) -> dict[str, str]:
    """The first step as the page gives it, filled in."""
    query = f"?r={code}" if code else ""
    return fields(visitor.get(f"/o/{offer.slug}{query}")) | NADIA | {"notice": "1"} | typed


def send(visitor: Visitor, offer: Offer, code: str = "", **typed: str) -> str:
    """Apply; the path of the second step."""
    answer = visitor.post(f"/o/{offer.slug}/applications", **form(visitor, offer, code, **typed))
    return answer.headers["Location"]


def only_referral() -> Referral:
    db.session.rollback()
    return db.session.scalars(select(Referral)).one()


def test_it_takes_two_steps_from_the_link_to_the_mailbox(
    visitor: Visitor, offer: Offer, code: str, maelle: Person
) -> None:
    place = visitor.open("GET", f"/r/{code}").headers["Location"]
    first = fields(visitor.get(place)) | NADIA | {"notice": "1", "visibility": "all"}
    second = visitor.post(f"/o/{offer.slug}/applications", **first).headers["Location"]
    assert re.match(rf"/o/{offer.slug}/next/", second)
    more = {
        "phone": "+33 6 12 34 56 78",
        "profile_url": "https://nadia.example",
        "message": "Bonjour",
    }
    done = visitor.post(second, **more).headers["Location"]
    assert "mailbox" in words(visitor.get(done)) or "One more form" in words(visitor.get(done))
    row = only_referral()
    candidate = db.session.get(Candidate, row.candidate_id)
    click = clicks.read_signed(first["click_id"])
    assert candidate is not None
    assert click is not None
    assert (candidate.name, candidate.email, candidate.language) == (
        "Nadia Ferrand", "nadia@mail.example", "en",
    )  # fmt: skip
    assert (candidate.phone, candidate.profile_url) == (more["phone"], more["profile_url"])
    assert (row.referrer_id, row.click_id, row.visibility) == (maelle.id, click[0], "all")
    assert (row.notice_version, row.message) == (CURRENT_NOTICE, "Bonjour")
    assert len(letters("nadia@mail.example")) == 1


def test_it_needs_no_recommendation(visitor: Visitor, offer: Offer) -> None:
    send(visitor, offer)
    row = only_referral()
    assert (row.referrer_id, row.visibility) == (None, "ends")


def test_everything_in_the_second_step_may_stay_empty(visitor: Visitor, offer: Offer) -> None:
    second = send(visitor, offer)
    page = visitor.get(second)
    skip = re.search(r'href="(/o/[^"]+/done/[^"]+)"', page)
    assert skip
    visitor.get(html.unescape(skip[1]))
    visitor.post(second, phone="", profile_url="", message="")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("linkedin.com/in/lea", "https://linkedin.com/in/lea"),
        (" www.lea.example ", "https://www.lea.example"),
        ("lea.example:8080?a=b", "https://lea.example:8080?a=b"),
        ("http://lea.example", "http://lea.example"),
        ("Https://lea.example", "Https://lea.example"),
    ],
)
def test_it_takes_a_profile_as_people_type_it(
    visitor: Visitor, offer: Offer, typed: str, kept: str
) -> None:
    visitor.post(send(visitor, offer), phone="", profile_url=typed, message="")
    candidate = db.session.get(Candidate, only_referral().candidate_id)
    assert candidate is not None
    assert candidate.profile_url == kept


@pytest.mark.parametrize(
    "typed", ["lea", "lea@mail.example", "ftp://lea.example", "data:text/html,a.example", "a b.fr"]
)
def test_it_refuses_a_profile_that_is_no_address_of_a_page(
    visitor: Visitor, offer: Offer, typed: str
) -> None:
    page = visitor.say(send(visitor, offer), phone="", profile_url=typed, message="")
    assert fields(page)["profile_url"] == typed


def test_the_second_step_keeps_what_needs_another_look(visitor: Visitor, offer: Offer) -> None:
    second = send(visitor, offer)
    typed = {"phone": "call me", "profile_url": "javascript:alert(1)", "message": "é" * 2_001}
    page = visitor.say(second, **typed)
    assert {k: v for k, v in fields(page).items() if k in typed} == typed
    assert page.count("field-error") == 3
    assert "2000 characters at most; you wrote 2001" in page
    assert only_referral().message is None


def test_applying_twice_looks_the_same_and_makes_one_application(
    visitor: Visitor, offer: Offer, code: str
) -> None:
    first = send(visitor, offer, code)
    clock.travel(dt.timedelta(days=3))
    again = send(visitor, offer, code, first_name="Mallory", visibility="none")
    assert words(visitor.get(again)) == words(
        visitor.get(send(visitor, offer, email="b@mail.example"))
    )
    assert abs(len(again) - len(first)) < 12  # sealed and packed, they differ by a few letters
    row = db.session.scalars(
        select(Referral).join(Candidate).where(Candidate.email == "nadia@mail.example")
    ).one()
    candidate = db.session.get(Candidate, row.candidate_id)
    assert candidate is not None
    assert (candidate.first_name, row.visibility) == ("Nadia", "ends")
    assert len(letters("nadia@mail.example")) == 2


def test_a_stranger_who_types_the_address_again_changes_nothing(
    visitor: Visitor, offer: Offer
) -> None:
    visitor.post(send(visitor, offer), phone="+33 6 00 00 00 00", profile_url="", message="Bonjour")
    clock.travel(dt.timedelta(hours=5))
    second = send(visitor, offer, first_name="Mallory")
    visitor.post(second, phone="+33 6 66 66 66 66", profile_url="https://evil.example", message="!")
    row = only_referral()
    candidate = db.session.get(Candidate, row.candidate_id)
    assert candidate is not None
    assert (row.message, candidate.phone, candidate.profile_url) == (
        "Bonjour",
        "+33 6 00 00 00 00",
        None,
    )


def test_the_address_of_the_second_step_tells_nothing(visitor: Visitor, offer: Offer) -> None:
    token = send(visitor, offer).rsplit("/", 1)[1].split("?")[0]
    body = token.split(".")[0]
    opened = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    row = only_referral()
    for part in (row.id.hex.encode(), row.id.bytes, b"nadia"):
        assert part not in opened


def test_the_second_step_ends_after_two_hours(visitor: Visitor, offer: Offer) -> None:
    second = send(visitor, offer)
    clock.travel(dt.timedelta(hours=2, seconds=1))
    assert "Your application is kept" in words(visitor.get(second, 410))
    visitor.post(second, 410, message="late")
    visitor.get(f"/o/{offer.slug}/next/made-up", 410)
    assert only_referral().message is None


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("first_name", "", "Please fill this in."),
        ("last_name", "x" * 101, "100 characters at most."),
        ("last_name", "two\nlines", "characters that cannot be printed"),
        ("email", "nadia", "Give an address such as"),
        ("visibility", "everything", "Choose what the person who recommended you may see."),
        ("notice", "", "Please read how your information is used"),
    ],
)
def test_a_field_that_needs_another_look_loses_nothing(
    visitor: Visitor, offer: Offer, code: str, field: str, typed: str, said: str
) -> None:
    given = form(visitor, offer, code) | {field: typed}
    page = visitor.say(f"/o/{offer.slug}/applications", **given)
    assert said in words(page)
    kept = fields(page)
    for name in ("first_name", "last_name", "email", "code", "click_id"):
        assert kept[name] == given[name].replace("\n", "\n")
    assert kept.get("notice", "") == given["notice"]
    assert 'aria-invalid="true"' in page or field == "visibility"
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0
    fixed = kept | {field: {"visibility": "none", "notice": "1"}.get(field, NADIA.get(field, ""))}
    visitor.post(f"/o/{offer.slug}/applications", **fixed)
    assert only_referral().referrer_id is not None


def test_scripts_come_back_as_text(visitor: Visitor, offer: Offer, code: str) -> None:
    given = form(visitor, offer, code)
    for name in ("first_name", "last_name", "email", "visibility", "notice_version", "notice"):
        page = visitor.say(f"/o/{offer.slug}/applications", **(given | {"email": EVIL, name: EVIL}))
        assert EVIL not in page
    second = send(visitor, offer, first_name=EVIL)
    page = visitor.say(second, phone=EVIL, profile_url=EVIL, message=EVIL)
    assert EVIL not in page
    assert fields(page)["message"] == EVIL
    assert EVIL not in visitor.get(second)


def test_what_no_keyboard_types_is_refused_or_left_out(any_house: House) -> None:
    visitor, row = Visitor(any_house.app), db.session.get(Offer, any_house.offer())
    assert row is not None
    path, given = f"/o/{row.slug}/applications", form(visitor, row)
    for name in ("first_name", "last_name", "email", "visibility", "notice_version", "code"):
        visitor.say(path, **(given | {name: "a\x00b@mail.example"}))
    second = visitor.post(path, **(given | {"click_id": "a\x00b"})).headers["Location"]
    visitor.say(second, phone="+33\x00", profile_url="https://a\x00b.example", message="")
    visitor.post(second, message="one\r\ntwo\x00")
    assert only_referral().message == "one\ntwo"


def test_a_withdrawn_code_is_said_and_left_out(
    visitor: Visitor, offer: Offer, code: str, maelle: Person
) -> None:
    given = form(visitor, offer, code)
    [link] = links_of(maelle)
    links.revoke(maelle.id, link)
    page = visitor.say(f"/o/{offer.slug}/applications", **given)
    assert "This recommendation link is no longer in use." in words(page)
    kept = fields(page)
    assert (kept["code"], kept["first_name"]) == ("", "Nadia")
    visitor.post(f"/o/{offer.slug}/applications", **kept)
    assert only_referral().referrer_id is None


def links_of(person: Person) -> list[Any]:
    from app.referrals.queries import links_of as found

    return [row.id for row in found(person.id)]


def test_a_code_of_another_offer_is_said_and_left_out(
    house: House, visitor: Visitor, offer: Offer, maelle: Person
) -> None:
    other = links.link_for(maelle.id, house.offer("Comptable"), "link").code
    for wrong in (other, "AAAAAAAAAA", "x" * 2_000):
        given = form(visitor, offer) | {"code": wrong}
        page = visitor.say(f"/o/{offer.slug}/applications", **given)
        assert "not known here" in words(page)
        assert fields(page)["code"] == ""


def test_a_form_that_waited_comes_back_with_everything(
    visitor: Visitor, offer: Offer, code: str
) -> None:
    given = form(visitor, offer, code, visibility="none")
    clock.travel(dt.timedelta(hours=2, seconds=1))
    page = visitor.say(f"/o/{offer.slug}/applications", **given)
    assert "This page had waited for long" in words(page)
    kept = fields(page)
    assert kept.pop("csrf_token") != given.pop("csrf_token")
    assert kept == given
    visitor.post(f"/o/{offer.slug}/applications", **fields(page))
    assert only_referral().visibility == "none"


def test_a_form_of_another_page_is_not_taken(house: House, visitor: Visitor, offer: Offer) -> None:
    other = db.session.get(Offer, house.offer("Comptable"))
    assert other is not None
    token = fields(visitor.get(f"/o/{other.slug}"))["csrf_token"]
    for wrong in (token, "", "made-up"):
        given = form(visitor, offer) | {"csrf_token": wrong}
        visitor.say(f"/o/{offer.slug}/applications", **given)
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0


def test_far_too_much_text_is_refused_in_words(visitor: Visitor, offer: Offer) -> None:
    page = visitor.say(
        f"/o/{offer.slug}/applications", **form(visitor, offer, first_name="e" * 200_000)
    )
    assert "100 characters at most." in page
    huge = form(visitor, offer, first_name="é" * 3_000_000)
    assert "too large" in visitor.say(f"/o/{offer.slug}/applications", 413, **huge)


def test_an_offer_that_closed_meanwhile_says_so(visitor: Visitor, offer: Offer) -> None:
    given = form(visitor, offer)
    offers.close_offer(offer.id, actor_id=None)
    assert "This offer is closed" in words(
        visitor.say(f"/o/{offer.slug}/applications", 409, **given)
    )
    assert db.session.scalar(select(func.count()).select_from(Referral)) == 0


def test_the_language_stays_from_step_to_step(visitor: Visitor, offer: Offer) -> None:
    page = visitor.get(f"/o/{offer.slug}?lang=fr")
    action = re.search(r'<form class="apply"[^>]*action="([^"#]+)', page)
    assert action
    path = html.unescape(action[1])
    typed = fields(page) | NADIA | {"notice": "1"}
    second = visitor.post(path, **typed).headers["Location"]
    assert '<html lang="fr">' in visitor.get(second)
    again = visitor.post(second, message="Bonjour").headers["Location"]
    assert '<html lang="fr">' in visitor.get(again)
    candidate = db.session.scalars(select(Candidate)).one()
    assert candidate.language == "fr"


def hand_over(visitor: Visitor, offer: Offer, code: str) -> str:
    second = send(visitor, offer, code, email=f"n{clock.timestamp()}@mail.example")
    done = visitor.get(visitor.post(second).headers["Location"])
    found = re.search(r'href="(https://jobs\.example[^"]*)"', done)
    assert found
    assert code in done
    return html.unescape(found[1])


def test_it_hands_over_to_the_employers_form_with_what_survives_there(
    visitor: Visitor, offer: Offer, code: str
) -> None:
    assert hand_over(visitor, offer, code) == "https://jobs.example/apply?gh_jid=4"
    with transaction() as session:
        system = Connection(
            public_id="p",
            kind="greenhouse",
            name="G",
            secrets_json="[]",
            settings={"gh_src": "a1&b"},
        )
        session.add(system)
        session.flush()
        row = session.get(Offer, offer.id)
        assert row is not None
        row.connection_id = system.id
    clock.travel(dt.timedelta(seconds=1))
    assert hand_over(visitor, offer, code) == "https://jobs.example/apply?gh_jid=4&gh_src=a1%26b"
    with transaction() as session:
        row = session.get(Offer, offer.id)
        assert row is not None
        row.apply_url = "https://jobs.example/apply?gh_src=own#top"
    clock.travel(dt.timedelta(seconds=1))
    assert hand_over(visitor, offer, code) == "https://jobs.example/apply?gh_src=own#top"


@pytest.fixture
def limited(template: Path, tmp_path: Path) -> Iterator[Flask]:
    """The product as it runs in production, where knocking is counted."""
    shutil.copy(template, tmp_path / "portevoix.db")
    yield from serving(create_app(settings_for(tmp_path, ENV="production")))


def test_one_mailbox_is_not_flooded(limited: Flask) -> None:
    visitor, row = Visitor(limited), db.session.get(Offer, House(limited).offer())
    assert row is not None
    path = f"/o/{row.slug}/applications"
    statuses = [visitor.open("POST", path, data=form(visitor, row)).status_code for _ in range(7)]
    assert statuses == [303] * 6 + [429]
    other = form(visitor, row, email="other@mail.example")
    assert visitor.open("POST", path, data=other).status_code == 303
