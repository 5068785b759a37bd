"""The candidate's own page. F60, P7, P8, E1, E5, C1."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import uuid
from typing import Any

import pytest
from sqlalchemy import select, text

from app import audit, clock
from app.db import Base, db, transaction
from app.people.models import Person
from app.referrals import candidates, links, queries, service
from app.referrals.models import Candidate, Offer, Referral
from app.settings import save_organisation
from tests.conftest import House
from tests.referrals.public_kit import (
    Visitor,
    code_in,
    fields,
    letters,
    markup,
    private_address,
    words,
)

ADDRESS = "nadia@mail.example"


@pytest.fixture
def referral(house: House, maelle: Person, sofiane: Person) -> uuid.UUID:
    offer = house.offer("Conduite de travaux", recruiter_id=str(sofiane.id))
    return house.referral(maelle, offer, email=ADDRESS, language="en", visibility="ends")


@pytest.fixture
def visitor(house: House, referral: uuid.UUID) -> Visitor:
    return Visitor(house.app)


@pytest.fixture
def path(referral: uuid.UUID) -> str:
    """The page's address, as the mail brought it."""
    return private_address(letters(ADDRESS)[0]).split("?")[0]


def stage(referral: uuid.UUID, name: str, person: Person, **more: Any) -> None:
    service.set_stage(referral, name, actor_id=person.id, actor_role="recruiter", **more)


def ask(visitor: Visitor, path: str, act: str = "visibility") -> str:
    """Ask for a code; the figures that came by mail."""
    answer = visitor.post(f"{path}/codes", act=act)
    assert answer.headers["Location"] == f"{path}?act={act}#act-{act}"
    return code_in([m for m in letters(ADDRESS) if "code" in str(m["Subject"])][-1])


def row(referral: uuid.UUID) -> Referral:
    db.session.rollback()
    found = db.session.get(Referral, referral)
    assert found is not None
    return found


def steps(page: str) -> list[tuple[str, str]]:
    """(name, state) of each stage shown."""
    path = re.search(r'(?s)<ol class="steps">(.*?)</ol>', page)
    assert path
    return [
        (html.unescape(name), state or "ahead")
        for state, name in re.findall(r'<li(?: class="(\w+)")?[^>]*><b>([^<]+)</b>', path[1])
    ]


def test_it_says_where_one_stands_and_what_comes_next_by_when(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person
) -> None:
    page = visitor.get(path)
    assert steps(page) == [
        ("Received", "here"), ("Under review", "ahead"), ("Interview", "ahead"),
        ("Offer made", "ahead"), ("Hired", "ahead"), ("Trial period passed", "ahead"),
    ]  # fmt: skip
    said = words(page)
    for part in ("Private page of Nadia Ferrand", "Conduite de travaux · Lorient", "Stage 1 of 6",
                 "An answer before 24 November 2026", "Sofiane Belkhir follows your application",
                 "through Maëlle K.’s link"):  # fmt: skip
        assert part in said
    clock.travel(dt.timedelta(days=1))
    stage(referral, "interview", sofiane)
    service.set_next_step(referral, "Thursday at 2 pm, quai des Goélettes.", None, sofiane.id)
    page = visitor.get(path)
    assert steps(page)[:4] == [
        ("Received", "done"), ("Under review", "done"), ("Interview", "here"), ("Offer made", "ahead"),
    ]  # fmt: skip
    assert "Thursday at 2 pm, quai des Goélettes." in words(page)
    assert "18 November 2026" in words(page)
    stage(referral, "offer", sofiane)
    assert "Thursday" not in visitor.get(path)


def test_it_says_when_the_promised_answer_is_late(visitor: Visitor, path: str) -> None:
    clock.travel(dt.timedelta(days=8))
    said = words(visitor.get(path))
    assert "Our answer is late" in said
    assert "It was promised for 24 November 2026." in said


def test_the_promise_is_the_organisations_own(house: House, maelle: Person) -> None:
    save_organisation(name="Halvenne", brand="#00664a", promise_days=2)
    found = row(house.referral(maelle))
    assert found.promise_due_at == dt.datetime(2026, 11, 19, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("not-selected", "This time, somebody else was chosen"),
        ("position-filled", "The position has been filled"),
        ("no-answer", "We did not manage to reach you."),
        ("other", "Your application is closed"),
    ],
)
def test_a_refusal_is_said_plainly(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person, reason: str, said: str
) -> None:
    stage(referral, "screened", sofiane)
    stage(referral, "closed", sofiane, closure_reason=reason)
    page = visitor.get(path)
    assert said in words(page)
    assert steps(page) == [("Received", "done"), ("Under review", "done"), ("Closed", "here")]
    assert "An answer before" not in page


def test_a_hire_shows_its_first_day(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person
) -> None:
    stage(referral, "hired", sofiane, starts_on=dt.date(2027, 1, 4))
    said = words(visitor.get(path))
    assert "You are hired. Welcome" in said
    assert "First day: 4 January 2027" in said


def test_it_shows_the_words_of_who_recommended(
    visitor: Visitor, path: str, referral: uuid.UUID, maelle: Person
) -> None:
    found = row(referral)
    assert found.offer_id is not None
    links.recommend(maelle.id, found.offer_id, "Venez avec vos questions <qui fâchent>.")
    page = visitor.get(path)
    assert "Venez avec vos questions <qui fâchent>." in words(page)
    assert "Kerjan" not in page


def test_it_shows_who_opened_the_file_by_role(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person
) -> None:
    assert "0 times" in words(visitor.get(path))
    with transaction():
        audit.record("referral.opened", "referral", referral, actor_id=sofiane.id, actor_role="hr")
        audit.record("referral.opened", "referral", uuid.uuid4(), actor_role="recruiter")
    said = words(visitor.get(path))
    assert "1 time" in said
    assert "Human resources" in said


def test_its_address_is_kept_private(visitor: Visitor, path: str) -> None:
    for answer in (visitor.open("GET", path), visitor.post(f"{path}/visibility", 422, code="0")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"].startswith("noindex")
    page = visitor.get(path)
    assert page.rindex('name="referrer" content="no-referrer"') > page.index('name="referrer"')
    assert "Referrer-Policy" in visitor.open("GET", "/privacy").headers
    assert visitor.open("GET", "/privacy").headers["Referrer-Policy"] != "no-referrer"


def test_its_address_ends_after_thirty_days_and_cannot_be_made_up(
    visitor: Visitor, path: str, referral: uuid.UUID
) -> None:
    visitor.get(path[:-2] + "AA", 404)
    visitor.get("/c/" + referral.hex, 404)
    visitor.get("/c/" + candidates.step_token(referral), 404)
    clock.travel(dt.timedelta(days=30))
    visitor.get(path)
    clock.travel(dt.timedelta(seconds=2))
    gone = visitor.get(path, 410)
    assert "Ask for a new one" in gone
    assert 'href="/c"' in gone


def test_the_address_alone_changes_nothing_and_hides_the_details(
    visitor: Visitor, path: str, referral: uuid.UUID
) -> None:
    service.complete(referral, phone="+33 6 12 34 56 78", profile_url="", message="")
    page = visitor.get(path)
    assert "+33 6 12" not in page
    assert ADDRESS not in page
    for act in ("visibility", "correction", "withdrawal", "erasure", "copy"):
        answer = visitor.say(f"{path}/{act}", code="", visibility="all", first_name="Mallory")
        assert "This code is wrong or too old." in words(answer)
        assert "+33 6 12" not in answer
    found = row(referral)
    candidate = db.session.get(Candidate, found.candidate_id)
    assert candidate is not None
    assert (found.visibility, found.stage, candidate.first_name) == ("ends", "received", "Nadia")


def test_a_code_is_asked_for_where_one_acts(visitor: Visitor, path: str) -> None:
    page = visitor.get(path)
    assert 'name="code"' not in page
    assert page.count(f'action="{path}/codes"') == 5
    ask(visitor, path, "withdrawal")
    page = visitor.get(f"{path}?act=withdrawal")
    assert page.count('name="code"') == 5
    assert re.search(r'(?s)id="act-withdrawal">.*?<details class="door" open>', page)


def test_five_wrong_codes_use_it_up(visitor: Visitor, path: str, referral: uuid.UUID) -> None:
    code = ask(visitor, path)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        visitor.say(f"{path}/visibility", code=wrong, visibility="all")
    visitor.say(f"{path}/visibility", code=code, visibility="all")
    assert row(referral).visibility == "ends"
    fresh = ask(visitor, path)
    visitor.say(f"{path}/visibility", 200, code=fresh, visibility="all")
    assert row(referral).visibility == "all"


def test_a_code_is_good_for_fifteen_minutes(
    visitor: Visitor, path: str, referral: uuid.UUID
) -> None:
    code = ask(visitor, path)
    clock.travel(dt.timedelta(minutes=15, seconds=1))
    visitor.say(f"{path}/visibility", code=code, visibility="all")
    assert row(referral).visibility == "ends"


def test_a_code_opens_no_other_page(
    house: House, visitor: Visitor, path: str, referral: uuid.UUID, maelle: Person
) -> None:
    other = house.referral(maelle, email="other@mail.example", language="en")
    code = ask(visitor, path)
    elsewhere = "/c/" + candidates.private_token(other)
    visitor.say(f"{elsewhere}/withdrawal", code=code)
    assert row(other).stage == "received"


def test_a_code_typed_once_serves_the_next_acts(
    visitor: Visitor, path: str, referral: uuid.UUID
) -> None:
    page = visitor.say(f"{path}/visibility", 200, code=f" {ask(visitor, path)} ", visibility="none")
    assert "Your choice is kept" in words(page)
    carried = re.findall(r'type="hidden" name="code" value="(\d{6})"', page)
    assert len(carried) == 5
    assert 'autocomplete="one-time-code"' not in page
    page = visitor.say(f"{path}/withdrawal", 200, code=carried[0])
    assert "Your application is withdrawn." in words(page)
    assert row(referral).stage == "closed"


def test_the_referrers_view_follows_the_choice_at_once(
    visitor: Visitor, path: str, referral: uuid.UUID, maelle: Person, sofiane: Person
) -> None:
    stage(referral, "interview", sofiane)
    code = ask(visitor, path)
    for choice, seen in (("all", "interview"), ("ends", "received"), ("none", None)):
        visitor.say(f"{path}/visibility", 200, code=code, visibility=choice)
        db.session.rollback()
        shown = queries.referral(referral, referrer_id=maelle.id)
        assert (shown.stage if shown else None) == seen
    page = visitor.say(f"{path}/visibility", 422, code=code, visibility="everything")
    assert "Choose one of the three." in words(page)


def test_one_corrects_ones_own_details(visitor: Visitor, path: str, referral: uuid.UUID) -> None:
    service.complete(referral, phone="+33 6 12 34 56 78", profile_url="", message="")
    code = ask(visitor, path, "correction")
    opened = fields(visitor.say(f"{path}/correction", 200, code=code))
    assert (opened["first_name"], opened["phone"]) == ("Nadia", "+33 6 12 34 56 78")
    typed = opened | {"first_name": "", "last_name": "<b>Ferrand-Le Goff</b>"}
    page = visitor.say(f"{path}/correction", 422, **typed)
    assert fields(page)["last_name"] == "<b>Ferrand-Le Goff</b>"
    assert "<b>Ferrand" not in page
    page = visitor.say(f"{path}/correction", 200, **(fields(page) | {"first_name": "Nadia"}))
    assert "Your details are corrected." in words(page)
    assert "Private page of Nadia <b>Ferrand-Le Goff</b>" in words(page)


def test_a_withdrawal_closes_at_the_persons_wish(
    visitor: Visitor, path: str, referral: uuid.UUID, maelle: Person
) -> None:
    visitor.say(f"{path}/withdrawal", 200, code=ask(visitor, path))
    found = row(referral)
    assert (found.stage, found.closure_reason) == ("closed", "withdrawn")
    assert "You withdrew your application" in str(letters(ADDRESS)[-1]["Subject"])
    assert "at the person’s wish" in markup(letters(maelle.email)[-1])
    assert 'action="' + path + "/withdrawal" not in visitor.get(path)


def test_a_hire_cannot_be_withdrawn_here(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person
) -> None:
    stage(referral, "hired", sofiane)
    visitor.say(f"{path}/withdrawal", 200, code=ask(visitor, path))
    assert row(referral).stage == "hired"


def test_erasing_leaves_nothing_of_the_person(
    house: House, visitor: Visitor, path: str, referral: uuid.UUID, maelle: Person
) -> None:
    marks = ("Zqfirst", "Zqlast", "zq@mail.example", "+33 6 99 99 99 99", "zqprofile", "Zqmessage")
    mine = house.referral(
        maelle, email=marks[2], first_name=marks[0], last_name=marks[1], language="en"
    )
    again = house.referral(maelle, email=marks[2], first_name=marks[0], last_name=marks[1])
    service.complete(
        mine, phone=marks[3], profile_url=f"https://{marks[4]}.example", message=marks[5]
    )
    page = "/c/" + candidates.private_token(mine)
    visitor.post(f"{page}/codes")
    code = code_in([m for m in letters(marks[2]) if "code" in str(m["Subject"])][-1])
    said = words(visitor.say(f"{page}/erasure", 200, code=code))
    assert "Everything is erased" in said
    assert marks[0] not in said
    gone = visitor.get(page, 410)
    assert "This page was erased" in gone
    for act in ("codes", "copy", "visibility"):
        visitor.post(f"{page}/{act}", 410, code=code)
    assert {row(mine).stage, row(again).stage} == {"closed"}
    assert letters(marks[2]) == []
    stored = "".join(
        str(db.session.execute(text(f'select * from "{table.name}"')).all())
        for table in Base.metadata.sorted_tables
    )
    for mark in marks:
        assert mark not in stored, mark
    assert "Nadia" in visitor.get(path)


def test_one_takes_a_whole_copy(
    visitor: Visitor, path: str, referral: uuid.UUID, sofiane: Person
) -> None:
    service.complete(referral, phone="+33 6 12 34 56 78", profile_url="", message="Bonjour")
    stage(referral, "interview", sofiane)
    with transaction():
        audit.record("referral.opened", "referral", referral, actor_role="recruiter")
    answer = visitor.post(f"{path}/copy", 200, code=ask(visitor, path, "copy"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    read = json.loads(answer.data)
    known = {key: part["rows"] for key, part in read["data"].items()}
    [person] = known["referrals.candidate"]
    assert person["email"] == ADDRESS and person["phone"] == "+33 6 12 34 56 78"
    [application] = known["referrals.applications"]
    assert application["offer"] == "Conduite de travaux"
    assert application["message"] == "Bonjour"
    assert application["recommended_by"] == "Maëlle K."
    assert [line["stage"] for line in known["referrals.history"]] == ["interview"]
    assert [line["role"] for line in known["referrals.openings"]] == ["recruiter"]
    assert all(part["purpose"] and part["kept"] for part in read["data"].values())


def test_the_address_of_an_act_opened_again_is_the_page(visitor: Visitor, path: str) -> None:
    for act in ("visibility", "erasure", "codes"):
        answer = visitor.open("GET", f"{path}/{act}?lang=fr")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?lang=fr")


def test_a_new_address_is_sent_without_saying_whether_there_is_one(
    visitor: Visitor, path: str
) -> None:
    before = len(letters())
    answers = []
    for address in (ADDRESS, "nobody@mail.example"):
        form = fields(visitor.get("/c?lang=en")) | {"email": address}
        place = visitor.post("/c?lang=en", **form).headers["Location"]
        answers.append((place, visitor.get(place)))
    assert answers[0] == answers[1]
    [letter] = letters()[before:]
    assert ADDRESS in str(letter["To"])
    visitor.get(private_address(letter))
    for form in ({"email": "nobody"}, {"email": ADDRESS, "csrf_token": "old"}):
        page = visitor.say("/c", **(fields(visitor.get("/c")) | form))
        assert fields(page)["email"] == form["email"]


def test_the_language_stays_on_every_way(visitor: Visitor, path: str) -> None:
    page = visitor.get(f"{path}?lang=fr")
    assert '<html lang="fr">' in page
    for place in re.findall(rf'(?:action|href)="({path}[^"#]*)', page):
        assert "lang=" in html.unescape(place)


def test_without_a_referrer_there_is_nobody_to_show_anything_to(house: House) -> None:
    offer = house.offer()
    alone = service.apply(offer, house.application(language="en"))
    page = Visitor(house.app).get("/c/" + candidates.private_token(alone))
    assert "act-visibility" not in page
    assert "link" not in words(page)[: words(page).index("This is yours")]
    assert db.session.scalars(select(Offer.title).where(Offer.id == offer)).one() in page
