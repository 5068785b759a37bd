"""Inviting everybody who is not invited yet: once each, in batches that may be killed, and no
figure or list that tells who takes part."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections import Counter

import pytest
from sqlalchemy import func, select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.outbox import service as relay
from app.outbox.models import OutboxDelivery, OutboxEvent
from app.people import (
    invitations,
    inviting_many,
    segments_reach,
    service,
    transitions,
)
from app.people.inviting_many import NobodyLeft, NoSuchRound, Scope
from app.people.joining_models import Invitation, InvitationRound
from app.people.models import Person, Segment
from app.people.text import nowhere
from app.people.transition_models import HeldInvitation
from app.privacy import purge
from tests.conftest import START, House
from tests.people.conftest import hidden, mails, press, words
from tests.people.test_segment_rules import rule, said

PAGE = "/studio/people/invitations/everybody"
EVERYBODY = Scope(None)


@pytest.fixture
def in_threes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inviting_many, "BATCH", 3)


def crowd(house: House, number: int, **more: object) -> list[uuid.UUID]:
    return [house.person(f"Voisin {n}", joined=False, **more).id for n in range(number)]


def mailed() -> Counter[str]:
    """Whom a mail was asked for, and how often."""
    rows = db.session.scalars(
        select(OutboxEvent.payload).where(OutboxEvent.kind == "person.invited")
    )
    return Counter(row["person_id"] for row in rows)


def noted(action: str) -> int:
    found = select(func.count()).where(AuditEntry.action == action)
    return db.session.scalar(found) or 0


def state_of(round_id: uuid.UUID) -> tuple[str, int, int]:
    found = inviting_many.one(round_id)
    return found.state, found.done, found.total


def segment(name: str = "Brest") -> uuid.UUID:
    with transaction() as session:
        made = Segment(name=name, rule=rule(said("site", "is", name)))
        session.add(made)
        session.flush()
        return made.id


# --- once each, whatever happens on the way ----------------------------------------------


def test_it_invites_everybody_once_by_one_act_and_one_fact(any_house: House, in_threes) -> None:
    admin, people = any_house.person("Anne Admin", "admin"), crowd(any_house, 7)
    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    asked = select(OutboxEvent.payload).where(OutboxEvent.kind == inviting_many.ASKED)
    assert [set(row) for row in db.session.scalars(asked)] == [{"round_id", "after"}]
    assert state_of(round_id) == ("running", 0, 8)  # who presses has no invitation either
    outbox.drain()
    assert state_of(round_id) == ("done", 8, 8)
    assert mailed() == {str(one): 1 for one in people}
    lines = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "invitations.begun"))
    assert [(line.actor_id, line.target_id) for line in lines] == [(admin.id, str(round_id))]
    with pytest.raises(NobodyLeft):
        inviting_many.begin(EVERYBODY, actor_id=admin.id)


def test_it_loses_and_doubles_nothing_when_it_is_killed_in_the_middle(
    any_house: House, in_threes, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, people = any_house.person("Anne Admin", "admin"), crowd(any_house, 8)
    real, calls = invitations.send, []

    def send(*given: object, **more: object) -> None:
        calls.append(given)
        if len(calls) == 5:
            raise SystemExit
        real(*given, **more)  # type: ignore[arg-type]

    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    with monkeypatch.context() as patch:
        patch.setattr(invitations, "send", send)
        with pytest.raises(SystemExit):
            outbox.drain()
    db.session.rollback()
    assert state_of(round_id) == (
        "running",
        3,
        9,
    )  # the first batch stands, the second is not there
    outbox.drain()
    assert state_of(round_id) == ("done", 9, 9)
    assert mailed() == {str(one): 1 for one in people}
    assert noted("person.invited") == 9


def test_a_batch_that_is_heard_again_does_nothing(any_house: House, in_threes) -> None:
    admin = any_house.person("Anne Admin", "admin")
    crowd(any_house, 5)
    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    with transaction():
        outbox.record(inviting_many.ASKED, round_id=str(round_id), after=str(uuid.UUID(int=0)))
    outbox.drain()
    assert state_of(round_id) == ("done", 6, 6)
    assert {*mailed().values()} == {1}


def test_two_presses_are_one_round(any_house: House) -> None:
    admin = any_house.person("Anne Admin", "admin")
    crowd(any_house, 2)
    rounds = {inviting_many.begin(EVERYBODY, actor_id=admin.id) for _press in range(2)}
    assert len(rounds) == 1
    assert noted("invitations.begun") == 1
    asked = select(func.count()).where(OutboxEvent.kind == inviting_many.ASKED)
    assert db.session.scalar(asked) == 1


def test_it_stops_between_two_batches(any_house: House, in_threes) -> None:
    admin = any_house.person("Anne Admin", "admin")
    crowd(any_house, 6)
    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    _hear_one()
    assert inviting_many.stop(round_id, actor_id=admin.id)
    assert not inviting_many.stop(round_id, actor_id=admin.id)
    outbox.drain()
    assert state_of(round_id) == ("stopped", 3, 7)
    assert db.session.scalar(select(func.count()).select_from(Invitation)) == 3
    assert noted("invitations.stopped") == 1
    again = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    outbox.drain()
    assert state_of(again) == ("done", 4, 4)
    assert {*mailed().values()} == {1}


def _hear_one() -> None:
    relay.tell()
    waiting = select(OutboxDelivery.id).where(
        OutboxDelivery.handler == "people.invite_many", OutboxDelivery.state == "pending"
    )
    outbox.deliver(db.session.scalars(waiting).one())


def test_it_goes_on_with_a_round_that_nobody_carries(any_house: House, in_threes) -> None:
    admin = any_house.person("Anne Admin", "admin")
    crowd(any_house, 5)
    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    _hear_one()
    assert not inviting_many.is_left_lying(inviting_many.one(round_id))
    assert not inviting_many.resume(round_id, actor_id=admin.id)
    relay.tell()
    with transaction() as session:
        for row in session.scalars(select(OutboxDelivery)):
            row.state = "failed"
    assert inviting_many.is_left_lying(inviting_many.one(round_id))
    assert inviting_many.resume(round_id, actor_id=admin.id)
    outbox.drain()
    assert state_of(round_id) == ("done", 6, 6)
    assert noted("invitations.resumed") == 1


# --- who gets a mail, and who is told of nowhere -----------------------------------------


def test_it_writes_to_nobody_who_must_not_be_written_to(any_house: House) -> None:
    admin = any_house.person("Anne Admin", "admin")
    wanted, joined, left, said_no, gone, away, invited, no_mail, later, held = (
        any_house.person(name, joined=False)
        for name in (
            "Wanted W", "Joined J", "Left L", "No N", "Gone G", "Away A", "Invited I", "Paper P",
            "Later L", "Held H",
        )
    )  # fmt: skip
    service.join(joined.id)
    service.join(left.id)
    service.leave(left.id)
    invitations.refuse(said_no.id)
    service.depart(gone.id)
    transitions.suspend(away.id, actor_id=admin.id)
    service.invite(invited.id)
    with transaction() as session:
        session.get_one(Person, no_mail.id).email = nowhere(no_mail.id)
        for late in (later, held):
            session.get_one(Person, late.id).hired_on = START.date() + dt.timedelta(days=9)
    service.invite(held.id)
    before = mailed()
    foreseen = inviting_many.foresee(EVERYBODY)
    assert (foreseen.entries, foreseen.mails) == (6, None)
    inviting_many.begin(EVERYBODY, actor_id=admin.id)
    outbox.drain()
    assert mailed() - before == {str(wanted.id): 1}
    waits = {*db.session.scalars(select(HeldInvitation.person_id))}
    assert waits == {later.id, held.id}
    for nobody in (gone, away, no_mail, later, held):
        assert db.session.get(Invitation, nobody.id) is None
    # Whoever takes part, left or said no stands among those invited: no list tells them apart.
    shown = {row.person_id: row.state for row in invitations.sent_page().items}
    assert {shown[one.id] for one in (wanted, joined, left, said_no, admin)} == {"good"}
    told = select(AuditEntry.target_id).where(AuditEntry.action == "person.invited")
    assert {str(one.id) for one in (joined, left, said_no)} <= {*db.session.scalars(told)}


def test_it_tells_how_many_mails_in_full_tens_and_never_of_a_few(any_house: House) -> None:
    admin, brest = any_house.person("Anne Admin", "admin"), segment()
    crowd(any_house, 9, site="Brest")
    foreseen = inviting_many.foresee(Scope(brest))
    assert (foreseen.entries, foreseen.mails, foreseen.least) == (9, None, 10)
    some = crowd(any_house, 5, site="Brest")
    assert inviting_many.foresee(Scope(brest)).mails == 10
    for person_id in some[:3]:
        service.join(person_id)
    invitations.refuse(some[3])
    assert inviting_many.foresee(Scope(brest)).mails == 10
    assert inviting_many.foresee(Scope(brest)).entries == 14  # the same whoever joins
    invitations.refuse(some[4])
    assert inviting_many.foresee(Scope(brest)).mails is None
    inviting_many.begin(Scope(brest), actor_id=admin.id)
    outbox.drain()
    assert inviting_many.foresee(Scope(brest)).entries == 0
    assert len(mailed()) == 9
    assert db.session.get(Invitation, admin.id) is None  # not of Brest


def test_whoever_joins_while_the_mails_wait_gets_none(app, add, browser):
    admin, quick = add("Anne Admin", roles=["admin"], joined=True), add("Quentin Roux")
    slow = add("Solène Roux")
    with app.app_context():
        inviting_many.begin(EVERYBODY, actor_id=admin.id)
        _hear_one()
        service.join(quick.id)
    assert [m["To"] for m in mails(app) if "/join/" in words(m)] == [f"Solène Roux <{slow.email}>"]


def test_somebody_who_comes_in_after_the_press_is_not_meant(any_house: House, in_threes) -> None:
    admin = any_house.person("Anne Admin", "admin")
    crowd(any_house, 4)
    round_id = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    clock.travel(dt.timedelta(minutes=1))
    newcomer = any_house.person("Nouvelle Voisine", joined=False)
    outbox.drain()
    assert state_of(round_id) == ("done", 5, 5)
    assert db.session.get(Invitation, newcomer.id) is None


# --- an administrator of a part ----------------------------------------------------------


@pytest.fixture
def limited(app, add):
    """An administrator of Brest alone, and the segments of Brest and of Lorient."""
    person = add("Yann Prigent", site="Brest", joined=True)
    with app.app_context():
        brest, lorient = segment(), segment("Lorient")
        segments_reach.give_role(person.id, "admin", brest, actor_id=None)
    return person, brest, lorient


def test_a_limited_administrator_invites_within_their_segment_alone(app, add, limited, browser):
    person, brest, lorient = limited
    inside, outside = add("Maud Inside", site="Brest"), add("Otto Outside", site="Lorient")
    boss = add("Béa Boss", site="Brest", roles=["curator"])
    client = browser(person)
    assert f'href="{PAGE}"' in client.get("/studio/people").text
    page = client.get(PAGE).text
    assert str(brest) in page and str(lorient) not in page
    assert "whole directory" not in page
    looked = f"{PAGE}?segment={brest}"
    sent = press(client, looked, PAGE, segment=str(brest))
    assert sent.status_code == 303
    with app.app_context():
        outbox.drain()
        assert db.session.get(Invitation, inside.id) is not None
        assert db.session.get(Invitation, outside.id) is None
        assert db.session.get(Invitation, boss.id) is None  # nobody with a role, as one by one
    assert client.get(sent.location).status_code == 200


def test_what_lies_outside_answers_as_unknown(app, add, limited, browser):
    person, brest, lorient = limited
    add("Otto Outside", site="Lorient")
    admin, client = add("Anne Admin", roles=["admin"], joined=True), browser(person)
    with app.app_context():
        theirs = inviting_many.begin(Scope(lorient), actor_id=admin.id)
        whole = inviting_many.begin(EVERYBODY, actor_id=admin.id)
    for text in (str(lorient), str(uuid.uuid4()), "nonsense"):
        looked = client.get(f"{PAGE}?segment={text}")
        pressed = press(client, "/me", PAGE, segment=text)
        assert [looked.status_code, pressed.status_code] == [422, 422]
        assert "Choose one of the segments." in looked.text and "Lorient" not in looked.text
    assert press(client, "/me", PAGE, segment="").status_code == 422
    for round_id in (theirs, whole, uuid.uuid4()):
        assert client.get(f"{PAGE}/{round_id}").status_code == 404
        for act in ("stop", "resumption"):
            assert press(client, "/me", f"{PAGE}/{round_id}/{act}").status_code == 404
    assert "Lorient" not in client.get(PAGE).text
    with app.app_context(), pytest.raises(NoSuchRound):
        inviting_many.one(theirs, [brest])


# --- the pages ---------------------------------------------------------------------------


def test_the_pages_work_without_a_script(app, add, browser):
    admin = add("Anne Admin", roles=["admin"], joined=True)
    for number in range(12):
        add(f"Voisin{number} Roux")
    client = browser(admin)
    home = client.get("/studio/people/invitations").text
    assert 'action="/studio/people/invitations/everybody"' in home
    looked = client.get(f"{PAGE}?segment=")
    assert "At least 10 people would get a mail." in looked.text
    with app.app_context():
        assert mailed() == {}  # looking sends nothing
    sent = press(client, f"{PAGE}?segment=", PAGE, segment="")
    page = client.get(sent.location)
    assert "0 of 13 entries gone through" in page.text
    assert 'hx-trigger="every 2s"' in page.text and "Stop here" in page.text
    under_way = client.get("/studio/people/invitations").text
    assert "0 of 13 entries gone through" in under_way and sent.location in under_way
    assert len([m for m in mails(app) if "Voisin" in m["To"]]) == 12
    over = client.get(sent.location).text
    assert "13 entries gone through." in over and "hx-trigger" not in over
    assert "Everybody there has an invitation" in client.get(f"{PAGE}?segment=").text
    again = client.post(PAGE, data={"csrf_token": hidden(client, "/me"), "segment": ""})
    assert again.location == PAGE
    assert "Everybody there has an invitation already." in client.get(PAGE).text


def test_a_round_is_stopped_by_a_press(app, add, browser, monkeypatch):
    monkeypatch.setattr(inviting_many, "BATCH", 2)
    admin = add("Anne Admin", roles=["admin"], joined=True)
    for number in range(4):
        add(f"Voisin{number} Roux")
    client = browser(admin)
    where = press(client, PAGE, PAGE, segment="").location
    with app.app_context():
        _hear_one()
    assert "2 of 5 entries gone through" in client.get(where).text
    assert press(client, where, f"{where}/stop").location == where
    page = client.get(where).text
    assert "Stopped after 2 of 5 entries." in page
    with app.app_context():
        outbox.drain()
        assert db.session.scalar(select(func.count()).select_from(Invitation)) == 2


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_speaks_the_language_of_its_reader(app, add, browser, language):
    client = browser(add("Anne Admin", roles=["admin"], joined=True))
    with app.app_context():
        service.set_language(db.session.scalars(select(Person.id)).one(), language)
    page = client.get(PAGE).text
    assert f'<html lang="{language}"' in page
    assert re.search(r"<h1>[^<]+</h1>", page)


def test_it_is_for_administrators_alone(app, add, browser):
    for person in (add("Mado Membre", joined=True), add("Rémi Recruteur", roles=["recruiter"])):
        assert browser(person).get(PAGE).status_code == 403


def test_a_batch_asks_little_more_for_many_than_for_one(app, add, count_queries):
    def batch_of(number: int) -> int:
        for each in range(number):
            add(f"Voisin {each}", email=f"v-{number}-{each}@halvenne.example")
        inviting_many.begin(EVERYBODY, actor_id=admin.id)
        return count_queries(_hear_one)

    admin = add("Anne Admin", roles=["admin"], joined=True)
    with app.app_context():
        one, many = batch_of(1), batch_of(60)
    assert one < 30
    assert many - one <= 2 * 60 + 5  # the fact of each mail and its delivery, nothing read


def test_a_round_is_forgotten_after_a_year(app, add):
    admin = add("Anne Admin", roles=["admin"], joined=True)
    with app.app_context():
        inviting_many.begin(EVERYBODY, actor_id=admin.id)
        outbox.drain()
        clock.travel(dt.timedelta(days=364))
        purge.run("invitation-rounds")
        assert db.session.scalar(select(func.count()).select_from(InvitationRound)) == 1
        clock.travel(dt.timedelta(days=2))
        purge.run("invitation-rounds")
        assert db.session.scalar(select(func.count()).select_from(InvitationRound)) == 0


# --- reminders wait for working hours (rule W9) ------------------------------------------


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("2026-11-25T07:30", "2026-11-25T07:30"),  # a Wednesday in Paris, 08:30: at once
        ("2026-11-25T06:59", "2026-11-25T07:00"),
        ("2026-11-25T18:00", "2026-11-26T07:00"),  # 19:00
        ("2026-11-27T18:30", "2026-11-30T07:00"),  # Friday evening
        ("2026-11-28T11:00", "2026-11-30T07:00"),  # Saturday noon
        ("2026-11-29T23:30", "2026-11-30T07:00"),  # the first half hour of Monday
    ],
)
def test_a_reminder_leaves_in_working_hours_alone(app, add, at, leaves):
    person = add("Una Alba")
    with app.app_context():
        service.invite(person.id)
    assert len(mails(app)) == 1
    then, due = (dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in (at, leaves))
    clock.freeze(then)
    with app.app_context():
        invitations.remind()
    mails(app)
    if due > then:
        clock.freeze(due - dt.timedelta(seconds=1))
        assert len(mails(app)) == 1
    clock.freeze(due)
    assert len(mails(app)) == 2


def test_a_reminder_that_the_workers_reach_too_late_waits_as_well(app, add):
    person = add("Una Alba")
    with app.app_context():
        service.invite(person.id)
    mails(app)
    clock.freeze(dt.datetime(2026, 11, 25, 17, 59, tzinfo=dt.UTC))
    with app.app_context():
        invitations.remind()
        relay.tell()
        waiting = select(OutboxDelivery.id).where(
            OutboxDelivery.handler == "people.remind_invited", OutboxDelivery.state == "pending"
        )
        outbox.deliver(db.session.scalars(waiting).one())
    clock.travel(dt.timedelta(minutes=2))
    assert len(mails(app)) == 1
    clock.freeze(dt.datetime(2026, 11, 26, 7, tzinfo=dt.UTC))
    assert len(mails(app)) == 2


def test_a_first_invitation_leaves_whenever_somebody_presses(app, add):
    admin = add("Anne Admin", roles=["admin"], joined=True)
    add("Una Alba")
    clock.freeze(dt.datetime(2026, 11, 28, 21, tzinfo=dt.UTC))
    with app.app_context():
        inviting_many.begin(EVERYBODY, actor_id=admin.id)
    assert [m["To"] for m in mails(app) if "una@" in m["To"]] == ["Una Alba <una@halvenne.example>"]
