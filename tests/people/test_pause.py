"""A pause: nothing is sent, nobody sees it, what was planned waits, and an end by itself."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.people import pauses, service
from app.people.errors import NotMember
from app.people.joining_models import Pause
from tests.people.conftest import mails, press

TOMORROW = dt.date(2026, 11, 18)


def facts() -> list[str]:
    return list(
        db.session.scalars(
            select(OutboxEvent.kind)
            .where(OutboxEvent.kind.in_(("person.paused", "person.resumed")))
            .order_by(OutboxEvent.id)
        )
    )


def test_it_rests_with_one_press_and_comes_back_with_one(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    assert press(client, "/me", "/me/pause").location == "/me#pause"
    assert "until you come back" in client.get("/me").get_data(as_text=True)
    with app.app_context():
        assert pauses.is_resting(person.id) and pauses.resting([person.id]) == {person.id}
        assert facts() == ["person.paused"]
    assert press(client, "/me", "/me/pause/end").location == "/me#pause"
    press(client, "/me", "/me/pause/end")
    with app.app_context():
        assert not pauses.is_resting(person.id)
        assert facts() == ["person.paused", "person.resumed"]


def test_it_ends_by_itself_on_its_day(app, add, browser):
    person = add(joined=True)
    client = browser(person)
    press(client, "/me/pause", "/me/pause", until="2026-11-20")
    assert "20 November 2026" in client.get("/me").get_data(as_text=True)
    press(client, "/me/pause", "/me/pause", until="2026-11-19")  # another day, the same pause
    with app.app_context():
        row = db.session.scalars(select(Pause)).one()
        assert row.ends_at == dt.datetime(2026, 11, 18, 23, 0, tzinfo=dt.UTC)  # midnight in Paris
        clock.travel(row.ends_at - clock.now() - dt.timedelta(seconds=1))
        assert pauses.is_resting(person.id)
        clock.travel(dt.timedelta(seconds=1))
        assert not pauses.is_resting(person.id), "not only when the job comes by"
        with transaction():
            outbox.record("periodic.people.forget")
        outbox.drain()
        assert db.session.scalars(select(Pause)).all() == []
        assert facts() == ["person.paused", "person.resumed"]


@pytest.mark.parametrize("until", ["2026-11-17", "2025-01-01", "2028-01-01", "x", "2026-13-01"])
def test_it_refuses_a_day_that_is_not_to_come(app, add, browser, until):
    person = add(joined=True)
    answer = press(browser(person), "/me/pause", "/me/pause", until=until)
    assert answer.status_code == 422
    assert "within a year" in answer.get_data(as_text=True)
    with app.app_context():
        assert not pauses.is_resting(person.id)


def test_nothing_is_sent_meanwhile_but_what_was_asked_for(app, add):
    person = add(joined=True)
    with app.app_context():
        assert pauses.may_write(person.email, "share-ideas")
        pauses.pause(person.id)
        for held in ("share-ideas", "share-letter", "redemption-delivered"):
            assert not pauses.may_write(person.email.upper(), held)
        for asked in ("password", "email-code", "redemption-to-deliver"):
            assert pauses.may_write(person.email, asked)
        assert pauses.may_write("nobody@mail.example", "share-ideas")
    before = len(mails(app))
    with app.app_context():
        from app import mail

        mail.send(person.email, person.name, "welcome", "fr", person=person, link="", leave_link="")
        service.forget_password(person.email)
    assert len(mails(app)) == before + 2


def test_nobody_else_sees_it(app, add, browser):
    person = add(joined=True)
    admin = add("Nolwenn Le Bris", roles=["admin", "auditor"], joined=True)
    studio = browser(admin)

    def seen() -> list[str]:
        import re

        paths = ("/studio/people", f"/studio/people/{person.id}", "/studio/joining")
        pages = [studio.get(path).get_data(as_text=True) for path in paths]
        return [re.sub(r'csrf_token" value="[^"]+"|X-CSRFToken": "[^"]+"', "", p) for p in pages]

    before = seen()
    with app.app_context():
        log = db.session.scalars(select(AuditEntry.id)).all()
        pauses.pause(person.id)
        pauses.resume(person.id)
        pauses.pause(person.id)
        assert db.session.scalars(select(AuditEntry.id)).all() == log
    assert seen() == before


def test_leaving_ends_it(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        pauses.pause(person.id)
        service.leave(person.id)
        assert db.session.scalars(select(Pause)).all() == []
        with pytest.raises(NotMember):
            pauses.pause(person.id)
        service.join(person.id)
        assert not pauses.is_resting(person.id)
        with pytest.raises(InvalidInput):
            pauses.pause(person.id, dt.date(2026, 11, 17))
        pauses.pause(person.id, TOMORROW)
