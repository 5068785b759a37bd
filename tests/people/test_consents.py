"""Consents: by purpose and channel, each with its text, its proof, and the same ease both ways."""

from __future__ import annotations

import datetime as dt
import hashlib
import html

import pytest
from sqlalchemy import select

from app import clock
from app.db import db
from app.people import consents, service
from app.people.joining_models import ConsentRecord, ConsentText
from app.people.unsubscribing import unsubscribe_path
from tests.people.conftest import mailed_link, press


def answers(app, person) -> list[consents.Answer]:
    with app.app_context():
        return consents.answers_of(person.id)


def short(found: list[consents.Answer]) -> list[tuple[str, str, str]]:
    return sorted((a.purpose, a.answer, a.act) for a in found)


def test_it_proves_each_answer_by_the_exact_text_of_the_page(app, add, browser):
    person, client = add(language="fr"), browser()
    with app.app_context():
        service.invite(person.id)
    path = mailed_link(app, "join")
    page = html.unescape(client.get(path + "?lang=en").get_data(as_text=True))
    press(client, path + "?lang=en", path + "?lang=en", purposes=["ideas", "recognition"])
    found = answers(app, person)
    assert short(found) == [
        ("ideas", "given", "joining"), ("recognition", "given", "joining"),
        ("taking-part", "given", "joining"),
    ]  # fmt: skip
    for answer in found:
        assert answer.language == "en", "the language that was read, not the directory's"
        assert answer.text_hash == hashlib.sha256(answer.text.encode()).hexdigest()
        assert answer.answered_at == clock.now()
        for line in answer.text.splitlines():
            assert line in page, "what is kept is what was shown"


def test_it_has_a_channel_for_each_purpose(app):
    assert {p.code: p.channel for p in consents.PURPOSES.values()} == {
        "recognition": "pages", "ideas": "mail",
    }  # fmt: skip
    assert {p.channel for p in consents.PURPOSES.values()} <= {*consents.CHANNEL_NAMES}


def test_it_keeps_the_text_that_was_answered_when_it_is_taken_back(app, add, browser, monkeypatch):
    person = add(joined=True, language="en")
    client = browser(person)
    press(client, "/me", "/me/consents", purpose="ideas")
    (given,) = [a for a in answers(app, person) if a.purpose == "ideas"]
    old = consents.PURPOSES["ideas"]
    newer = consents.Purpose("ideas", "2027-01", "Other words.", old.explanation, "mail")
    monkeypatch.setitem(consents.PURPOSES, "ideas", newer)
    clock.travel(dt.timedelta(days=2))
    press(client, "/me", "/me/consents/ideas/withdrawal")
    withdrawn = answers(app, person)[0]
    assert (withdrawn.answer, withdrawn.text, withdrawn.act) == (
        "withdrawn",
        given.text,
        "own-page",
    )
    assert withdrawn.answered_at - given.answered_at == dt.timedelta(days=2)
    page = client.get("/me/answers").get_data(as_text=True)
    assert html.unescape(page).count("at most one mail a week") == 2
    assert given.text_hash in page


def test_it_is_as_easy_to_take_back_as_to_give(app, add, browser):
    client = browser(add(joined=True))
    page = client.get("/me").get_data(as_text=True)
    assert page.count('action="/me/consents"') == len(consents.PURPOSES)
    for code in consents.PURPOSES:
        press(client, "/me", "/me/consents", purpose=code)
    page = client.get("/me").get_data(as_text=True)
    assert page.count("/withdrawal") == len(consents.PURPOSES)


def test_it_says_which_act_took_it_back(app, add, browser):
    by_mail, by_leaving, departed = add("Una A"), add("Duo B"), add("Tria C")
    with app.app_context():
        for person in (by_mail, by_leaving, departed):
            service.join(person.id, None, ["ideas"])
        path = unsubscribe_path(by_mail.id, "ideas")
        service.leave(by_leaving.id)
        service.depart(departed.id)
    browser().post(path)
    assert ("ideas", "withdrawn", "mail") in short(answers(app, by_mail))
    for person, act in ((by_leaving, "leaving"), (departed, "departure")):
        found = short(answers(app, person))
        assert ("ideas", "withdrawn", act) in found
        assert ("taking-part", "withdrawn", act) in found


def test_it_adds_and_never_changes(app, add):
    person = add()
    with app.app_context():
        service.join(person.id, None, ["ideas"])
        first = [
            (r.id, r.text_hash, r.answered_at) for r in db.session.scalars(select(ConsentRecord))
        ]
        clock.travel(dt.timedelta(days=1))
        service.withdraw_consent(person.id, "ideas")
        service.give_consent(person.id, "ideas", language="fr")
        service.leave(person.id)
        service.join(person.id)
        now = [
            (r.id, r.text_hash, r.answered_at) for r in db.session.scalars(select(ConsentRecord))
        ]
        assert {*first} <= {*now} and len(now) == 2 + 2 + 2 + 1
        texts = db.session.scalars(select(ConsentText)).all()
        assert len({t.text_hash for t in texts}) == len(texts)


def test_it_shows_answers_to_their_author_alone(app, add, browser):
    person = add(joined=True)
    admin = add("Nolwenn Le Bris", roles=["admin"])
    with app.app_context():
        service.give_consent(person.id, "ideas")
    page = browser(admin).get("/me/answers").get_data(as_text=True)
    assert "No answer yet" in page and "one mail a week" not in page


def test_it_knows_its_acts(app, add):
    person = add()
    with app.app_context(), pytest.raises(ValueError, match="no such act"):
        service.join(person.id, None, ["ideas"], act="somewhere")
