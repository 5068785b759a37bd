"""The mails of a referral: what they say, to whom, and what they never say. F59, C5, P7, E1."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from sqlalchemy import select

from app import clock, outbox
from app.db import db, transaction
from app.outbox.models import OutboxDelivery, OutboxEvent
from app.people import service as people
from app.people.models import Person
from app.referrals import candidates, service
from app.referrals.models import VISIBILITIES
from tests.conftest import House
from tests.referrals.public_kit import (
    Visitor,
    code_in,
    letters,
    markup,
    private_address,
    text,
    words,
)

NADIA = "nadia@mail.example"


def apply(house: House, person: Person, **more: Any) -> uuid.UUID:
    """Nadia applies through a member's link; what is due is sent."""
    return house.referral(person, **({"email": NADIA, "language": "en"} | more))


def stage(referral: uuid.UUID, name: str, person: Person, **more: Any) -> None:
    service.set_stage(referral, name, actor_id=person.id, actor_role="recruiter", **more)


def to_member(person: Person) -> list[str]:
    """Subjects of what a member was sent about referrals."""
    return [str(m["Subject"]) for m in letters(person.email) if "link is yours" in text(m)]


def test_the_first_letter_brings_the_private_page_and_the_promise(
    house: House, maelle: Person
) -> None:
    apply(house, maelle)
    [letter] = letters(NADIA)
    assert letter["Subject"] == "Your application has arrived: Conduite de travaux"
    assert "Hello Nadia," in text(letter)
    assert "You have an answer before 24 November 2026." in text(letter)
    page = Visitor(house.app).get(private_address(letter))
    assert "Your application has arrived" in words(page)


def test_a_letter_is_in_the_language_of_its_reader(house: House, maelle: Person) -> None:
    apply(house, maelle, language="fr")
    [letter] = letters(NADIA)
    assert letter["Content-Language"] == "fr"
    assert private_address(letter).endswith("?lang=fr")
    assert "24 novembre 2026" in text(letter)
    assert '<html lang="fr">' in markup(letter)


def test_the_form_sent_twice_brings_the_page_again(house: House, maelle: Person) -> None:
    offer = house.offer()
    first = apply(house, maelle, offer_id=offer)
    assert apply(house, maelle, offer_id=offer) == first
    assert len(letters(NADIA)) == 1, "pressed again for want of an answer: its mail is on its way"
    clock.travel(dt.timedelta(minutes=10))
    assert apply(house, maelle, offer_id=offer) == first
    again = letters(NADIA)[-1]
    assert str(again["Subject"]).startswith("Your private page")
    Visitor(house.app).get(private_address(again))


def test_a_mailbox_gets_a_few_addresses_an_hour_and_no_more(any_house: House) -> None:
    apply(any_house, any_house.person("Théo Rossignac"))
    for _ in range(9):
        candidates.new_address(NADIA)
        outbox.drain()
    assert len(letters(NADIA)) == 1 + 5
    clock.travel(dt.timedelta(hours=1, seconds=1))
    candidates.new_address(NADIA)
    assert len(letters(NADIA)) == 1 + 5 + 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("screened", "Your application is being read"),
        ("interview", "The team would like to meet you"),
        ("offer", "You are about to receive a proposal"),
        ("hired", "You are hired. Welcome"),
        ("closed", "This time, somebody else was chosen"),
    ],
)
def test_each_stage_is_told_to_the_candidate(
    house: House, maelle: Person, sofiane: Person, name: str, said: str
) -> None:
    referral = apply(house, maelle)
    stage(referral, name, sofiane)
    letter = letters(NADIA)[-1]
    assert str(letter["Subject"]).startswith(said)
    assert said in words(markup(letter))
    assert said in words(Visitor(house.app).get(private_address(letter)))


def test_what_comes_next_stands_in_the_letter(
    house: House, maelle: Person, sofiane: Person
) -> None:
    referral = apply(house, maelle)
    with transaction():
        stage(referral, "interview", sofiane)
        service.set_next_step(referral, "Thursday at 2 pm.", None, sofiane.id)
    assert "Thursday at 2 pm." in text(letters(NADIA)[-1])


def test_a_stage_that_is_already_over_is_not_told(
    house: House, maelle: Person, sofiane: Person
) -> None:
    referral = apply(house, maelle, visibility="all")
    stage(referral, "interview", sofiane)
    stage(referral, "closed", sofiane)
    assert [str(m["Subject"]).split(":")[0] for m in letters(NADIA)] == [
        "Your application has arrived", "This time, somebody else was chosen",
    ]  # fmt: skip
    assert len(to_member(maelle)) == 2


def test_an_open_again_application_is_told_so(
    house: House, maelle: Person, sofiane: Person
) -> None:
    referral = apply(house, maelle)
    stage(referral, "closed", sofiane)
    outbox.drain()
    clock.travel(dt.timedelta(days=1))
    stage(referral, "received", sofiane)
    assert str(letters(NADIA)[-1]["Subject"]).startswith("Your application is open again")


def test_a_code_from_the_mail_is_good(house: House, maelle: Person) -> None:
    referral = apply(house, maelle)
    candidates.send_code(referral)
    candidates.check_code(referral, code_in(letters(NADIA)[-1]))


# What a member is sent, by what the candidate lets them see (rule P7).
TOLD = {
    "all": ["received", "screened", "interview", "offer", "hired", "trial_passed"],
    "ends": ["received", "hired", "trial_passed"],
    "none": ["hired", "trial_passed"],
}
SUBJECTS = {
    "received": "Somebody applied through your link",
    "screened": "A referral of yours is being read",
    "interview": "A referral of yours has come to the interview",
    "offer": "A referral of yours is about to receive a proposal",
    "hired": "Somebody you recommended is hired",
    "trial_passed": "Somebody you recommended has passed the trial period",
}


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_a_member_is_told_what_the_candidate_allows_and_nothing_more(
    house: House, maelle: Person, sofiane: Person, visibility: str
) -> None:
    referral = apply(house, maelle, visibility=visibility)
    outbox.drain()
    for name in ("screened", "interview", "offer", "hired", "trial_passed"):
        clock.travel(dt.timedelta(days=1))
        stage(referral, name, sofiane)
        outbox.drain()
    told = [subject.split(":")[0] for subject in to_member(maelle)]
    assert told == [SUBJECTS[name] for name in TOLD[visibility]]


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_no_letter_to_a_member_names_the_candidate_or_the_reason(
    house: House, maelle: Person, sofiane: Person, visibility: str
) -> None:
    marks = {"first_name": "Zqfirst", "last_name": "Zqlast", "email": "zq@mail.example"}
    referral = apply(house, maelle, visibility=visibility, **marks)
    service.complete(referral, phone="+33 6 99 99 99 99", profile_url="", message="Zqmessage")
    stage(referral, "interview", sofiane)
    service.set_next_step(referral, "Zqstep", None, sofiane.id)
    outbox.drain()
    stage(referral, "closed", sofiane, closure_reason="position-filled")
    sent = letters(maelle.email)
    assert to_member(maelle)
    for letter in sent:
        whole = f"{letter['Subject']}{text(letter)}{markup(letter)}"
        for mark in (*marks.values(), "99 99", "Zqmessage", "Zqstep", "filled", "/c/"):
            assert mark not in whole, mark


def test_a_member_who_left_and_a_person_erased_are_sent_nothing(
    house: House, maelle: Person, sofiane: Person
) -> None:
    referral = apply(house, maelle, visibility="all")
    people.leave(maelle.id)
    before = len(letters(maelle.email))
    stage(referral, "interview", sofiane)
    assert len(letters(maelle.email)) == before
    assert len(letters(NADIA)) == 2
    candidates.erase(referral)
    outbox.drain()
    with transaction():
        outbox.record("candidate.code_asked", referral_id=str(referral))
        outbox.record("candidate.asked_again", referral_id=str(referral))
    assert letters(NADIA) == [], "what was sent before is erased from the folder, too"


def test_a_form_cannot_carry_an_advertisement_to_a_stranger(house: House, maelle: Person) -> None:
    bait = "Win at https://evil.example now"
    apply(house, maelle, first_name=bait, last_name="www.evil.example")
    [letter] = letters(NADIA)
    assert "evil" not in f"{letter['Subject']}{letter['To']}{text(letter)}{markup(letter)}"
    assert "Hello," in text(letter)


def test_nothing_in_a_letter_tells_that_it_was_opened(
    house: House, maelle: Person, sofiane: Person
) -> None:
    referral = apply(house, maelle)
    stage(referral, "interview", sofiane)
    candidates.send_code(referral)
    for letter in letters():
        body = markup(letter)
        assert "<img" not in body
        assert "url(" not in body
        assert set(re.findall(r'https?://([^/"\s<]+)', body)) <= {"127.0.0.1:8000"}


def test_facts_hold_identifiers_only(house: House, maelle: Person, sofiane: Person) -> None:
    referral = apply(
        house, maelle, first_name="Zqfirst", last_name="Zqlast", email="zq@mail.example"
    )
    stage(referral, "interview", sofiane)
    candidates.send_code(referral)
    candidates.new_address("zq@mail.example")
    outbox.drain()
    facts = str(db.session.scalars(select(OutboxEvent.payload)).all())
    assert "zq" not in facts.lower()


def test_a_delivery_heard_twice_sends_once(house: House, maelle: Person) -> None:
    apply(house, maelle)
    sent = len(letters())
    for delivery_id in db.session.scalars(select(OutboxDelivery.id)).all():
        assert not outbox.deliver(delivery_id)
    assert len(letters()) == sent
