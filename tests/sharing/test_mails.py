"""Mails about one's own posts and connection: each fact once, in the reader's language, and none
about what is no longer so. F21, F135."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app import clock, outbox
from app.charters import service as charters
from app.db import db, transaction
from app.errors import Sentence
from app.library import service as library
from app.mail import folder as mail_folder
from app.outbox.models import OutboxDelivery
from app.people import service as people
from app.people.models import Person
from app.sharing import grants, letters, mails, publisher, service, stop, trouble
from app.sharing.models import Grant, Share
from app.sharing.words import REASONS, TROUBLES
from standin.linkedin import StandIn
from tests.conftest import House
from tests.sharing.kit import connect, member, press, share, story


class Mailbox:
    """What lies in the mail folder; each message is read once."""

    def __init__(self, house: House) -> None:
        self.folder = Path(house.app.extensions["portevoix"].data_dir) / "mail"

    def read(self) -> list[EmailMessage]:
        outbox.drain()
        found = []
        for file in sorted(self.folder.glob("*.eml")):
            found.append(message_from_bytes(file.read_bytes(), policy=policy.default))
            file.unlink()
        return found

    def only(self, person: Person) -> tuple[str, str]:
        """Subject and words of the one message there is, and it is theirs."""
        (message,) = self.read()
        assert message["To"].addresses[0].addr_spec == person.email
        return str(message["Subject"]), words(message)


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def english(sentence: Sentence) -> str:
    with force_locale("en"):
        return str(sentence)


@pytest.fixture
def writer(house: House) -> Person:
    return member(house, language="en")


@pytest.fixture
def mailbox(house: House, writer: Person) -> Mailbox:
    story_of_house = story(house)
    found = Mailbox(house)
    found.story_id = story_of_house  # type: ignore[attr-defined]
    found.read()
    return found


def posted(writer: Person, mailbox: Any, words: str = "Chapeau.", **more: Any) -> Share:
    return press(writer, mailbox.story_id, words, **more)


# --- one post ----------------------------------------------------------------------------


def test_a_post_that_succeeded_sends_nothing(writer: Person, mailbox: Mailbox) -> None:
    posted(writer, mailbox)
    assert mailbox.read() == []


def test_it_tells_that_a_post_failed_and_what_was_kept(
    writer: Person, mailbox: Mailbox, standin: StandIn
) -> None:
    standin.fault("400-FIELD_LENGTH_TOO_LONG")
    post = posted(writer, mailbox)
    subject, told = mailbox.only(writer)
    assert subject == "Not published: Trente-huit mètres et pas un boulon"
    assert english(REASONS["text"]) in told
    assert "Your words are kept" in told
    assert f"http://127.0.0.1:8000/shares/{post.id}" in told


def test_it_tells_what_it_cannot_know(writer: Person, mailbox: Mailbox, standin: StandIn) -> None:
    standin.fault("drop_after_accept")
    post = posted(writer, mailbox)
    assert share(post.id).status == "scheduled"
    subject, told = mailbox.only(writer)
    assert share(post.id).status == "unknown"
    assert subject.startswith("Is it online?")
    assert "could have posted it twice" in told and "Within a day" in told


def test_it_sends_nothing_about_a_post_that_is_no_longer_so(
    writer: Person, mailbox: Mailbox, standin: StandIn
) -> None:
    standin.fault("drop_after_accept")
    post = posted(writer, mailbox)
    publisher.publish_due()
    assert share(post.id).status == "unknown"
    service.declare(writer.id, post.id, online=True)
    assert mailbox.read() == []


def test_it_tells_that_a_planned_post_was_cancelled_with_its_story(
    writer: Person, mailbox: Any
) -> None:
    post = posted(writer, mailbox, publish_at=clock.now() + dt.timedelta(days=1))
    online = posted(writer, mailbox, "Déjà en ligne.")
    outbox.drain()
    library.withdraw_story(mailbox.story_id, None)
    cancelled, gone = sorted(mailbox.read(), key=lambda m: m["Subject"], reverse=True)
    assert cancelled["Subject"].startswith("Cancelled: ")
    assert "It was planned for 18 November 2026" in words(cancelled)
    assert english(REASONS["story-withdrawn"]) in words(cancelled)
    assert gone["Subject"].strip().startswith("Story withdrawn: ")
    assert "you may leave it online" in words(gone)
    assert share(post.id).status == "cancelled"
    assert share(online.id).status == "published"


def test_it_tells_that_a_post_is_paused_by_the_interface(
    house: House, writer: Person, mailbox: Mailbox, standin: StandIn
) -> None:
    standin.fault("426")
    posted(writer, mailbox)
    subject, told = mailbox.only(writer)
    assert subject.startswith("Paused: ")
    assert english(REASONS["version"]) in told and "It goes only when you press again." in told


# --- the stop switch ---------------------------------------------------------------------


def test_a_stop_is_told_once_however_many_posts_wait(
    house: House, writer: Person, mailbox: Mailbox
) -> None:
    lead = house.person("Inès Tavarès", "lead")
    for n in range(3):
        posted(writer, mailbox, f"Texte {n}.", publish_at=clock.now() + dt.timedelta(hours=1 + n))
    mailbox.read()
    standing = stop.stop(lead.id, "Un accident à Limoges. Merci d’attendre.")
    subject, told = mailbox.only(writer)
    assert subject == "Sharing is stopped for the moment"
    assert "3 posts of yours wait." in told
    assert "“Un accident à Limoges. Merci d’attendre.”" in told
    clock.travel(dt.timedelta(hours=2, minutes=30))
    stop.lift(lead.id, standing.id)
    subject, told = mailbox.only(writer)
    assert subject == "Sharing goes on: do you still want your posts?"
    assert "The moment of 2 posts of yours passed" in told


def test_a_stop_that_was_lifted_at_once_is_not_told(
    house: House, writer: Person, mailbox: Mailbox
) -> None:
    lead = house.person("Inès Tavarès", "lead")
    posted(writer, mailbox, publish_at=clock.now() + dt.timedelta(hours=1))
    mailbox.read()
    standing = stop.stop(lead.id)
    stop.lift(lead.id, standing.id)
    assert mailbox.read() == []


# --- the connection ----------------------------------------------------------------------


def test_it_says_a_week_before_that_the_connection_ends(writer: Person, mailbox: Mailbox) -> None:
    for days in (52, 53):
        clock.travel(dt.timedelta(days=days) - (clock.now() - _connected(writer)))
        grants.remind_expiring()
        if days == 52:
            assert mailbox.read() == []
    subject, told = mailbox.only(writer)
    assert subject == "Your LinkedIn connection ends on 16 January 2027"
    assert "http://127.0.0.1:8000/sharing/linkedin" in told
    clock.travel(dt.timedelta(days=1))
    grants.remind_expiring()
    assert mailbox.read() == []


def _connected(writer: Person) -> dt.datetime:
    grant = grants.grant_of(writer.id)
    assert grant is not None
    return grant.connected_at


def test_it_says_so_when_the_reminder_comes_too_late(writer: Person, mailbox: Mailbox) -> None:
    clock.travel(dt.timedelta(days=61))
    grants.remind_expiring()
    subject, _told = mailbox.only(writer)
    assert subject == "Your LinkedIn connection has ended"


def test_a_renewed_connection_is_reminded_of_again(writer: Person, mailbox: Mailbox) -> None:
    for _ in range(2):
        clock.travel(dt.timedelta(days=55))
        grants.remind_expiring()
        assert mailbox.only(writer)[0].startswith("Your LinkedIn connection ends on")
        connect(writer.id)


def test_it_asks_nobody_for_what_we_renew_ourselves(writer: Person, mailbox: Mailbox) -> None:
    """Partner applications: the member is asked only when a renewal should have happened."""
    with transaction() as session:
        grant = session.scalars(select(Grant)).one()
        grant.refresh_token = grant.access_token
        grant.refresh_expires_at = clock.now() + dt.timedelta(days=365)
    clock.travel(dt.timedelta(days=57))
    assert grants.remind_expiring() == 0
    clock.travel(dt.timedelta(days=2, hours=1))
    assert grants.remind_expiring() == 1


def test_a_refused_connection_is_told_once_with_what_is_paused(
    writer: Person, mailbox: Mailbox, standin: StandIn
) -> None:
    later = posted(writer, mailbox, "Plus tard.", publish_at=clock.now() + dt.timedelta(days=1))
    mailbox.read()
    standin.fault("401-revoked", times=None)
    first = posted(writer, mailbox)
    subject, told = mailbox.only(writer)
    assert subject == "LinkedIn no longer accepts your connection"
    assert "2 posts are paused. They are kept" in told
    for post in (first, later):
        assert (share(post.id).status, share(post.id).reason) == ("paused", "reconnect")


def test_a_connection_that_was_renewed_meanwhile_is_not_complained_of(
    writer: Person, mailbox: Mailbox
) -> None:
    grants.refused(writer.id, "expired")
    connect(writer.id)
    assert mailbox.read() == []


# --- who gets none -----------------------------------------------------------------------


def test_who_left_gets_none(writer: Person, mailbox: Any) -> None:
    posted(writer, mailbox, publish_at=clock.now() + dt.timedelta(days=1))
    mailbox.read()
    people.leave(writer.id)
    library.withdraw_story(mailbox.story_id, None)
    assert mailbox.read() == []


def test_each_reader_has_their_language(house: House, writer: Person, mailbox: Mailbox) -> None:
    people.set_language(writer.id, "fr")
    grants.refused(writer.id, "expired")
    (message,) = mailbox.read()
    assert message["Content-Language"] == "fr"
    html = message.get_body(("html",))
    assert html is not None and '<html lang="fr">' in html.get_content()


def test_ones_own_act_is_told_on_its_page_and_not_by_mail(writer: Person, mailbox: Any) -> None:
    post = posted(writer, mailbox, publish_at=clock.now() + dt.timedelta(days=1))
    mailbox.read()
    charters.withdraw(writer.id)
    assert mailbox.read() == []
    assert (share(post.id).status, share(post.id).reason) == ("paused", "charter")


# --- administrators ----------------------------------------------------------------------


def test_administrators_are_told_once_a_day(house: House, mailbox: Mailbox) -> None:
    admins = [house.person(name, "admin", language="en") for name in ("Anne Roy", "Yann Guen")]
    house.person("Inès Tavarès", "lead")
    mailbox.read()
    for code in trouble.CODES:
        assert trouble.note(code)
        assert not trouble.note(code)
        told = mailbox.read()
        to = sorted(m["To"].addresses[0].addr_spec for m in told)
        assert to == sorted(admin.email for admin in admins)
        assert {m["Subject"] for m in told} == {"Sharing on LinkedIn needs you"}
        assert english(TROUBLES[code]) in words(told[0])
        assert "http://127.0.0.1:8000/studio/sharing" in words(told[0])
    clock.travel(dt.timedelta(days=1, minutes=1))
    assert trouble.note("version")
    assert len(mailbox.read()) == 2


def test_many_posts_that_meet_one_trouble_are_one_mail(
    house: House, mailbox: Mailbox, standin: StandIn
) -> None:
    house.person("Anne Roy", "admin", language="en")
    writers = [member(house, f"P{n} Kerjan", language="en") for n in range(4)]
    mailbox.read()
    standin.fault("426", times=None)
    for person in writers:
        posted(person, mailbox, f"De {person.name}.")
    subjects = [m["Subject"] for m in mailbox.read()]
    assert subjects.count("Sharing on LinkedIn needs you") == 1
    assert len([s for s in subjects if s.startswith("Paused: ")]) == 4


# --- at least once, in effect once -------------------------------------------------------


def test_a_fact_that_is_delivered_again_sends_no_second_mail(
    writer: Person, mailbox: Mailbox
) -> None:
    grants.refused(writer.id, "expired")
    assert len(mailbox.read()) == 1
    handler = "sharing.mail_refused"
    (delivery,) = db.session.scalars(
        select(OutboxDelivery).where(OutboxDelivery.handler == handler)
    ).all()
    assert outbox.deliver(delivery.id) is False
    assert mailbox.read() == []


def test_a_mail_that_could_not_leave_is_tried_again(
    writer: Person, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ConnectionRefusedError

    grants.refused(writer.id, "expired")
    with monkeypatch.context() as patch:
        patch.setattr(mail_folder.EmailBackend, "send_messages", broken)
        with pytest.raises(ConnectionRefusedError):
            outbox.drain()
    assert mailbox.read() == []
    clock.travel(dt.timedelta(minutes=1))
    assert mailbox.only(writer)[0] == "LinkedIn no longer accepts your connection"


def test_every_mail_can_be_written_in_both_languages(
    house: House, writer: Person, mailbox: Mailbox
) -> None:
    """Each letter, with every reason a post may have: no gap, no other alphabet of codes."""
    post, grant = posted(writer, mailbox), grants.grant_of(writer.id)
    assert grant is not None
    for language in ("fr", "en"):
        with force_locale(language):
            for reason in REASONS:
                post.reason = reason
                for status in ("paused", "cancelled", "failed"):
                    post.status = status
                    letter = letters.failed(post) if status == "failed" else letters.paused(post)
                    assert str(REASONS[reason]) in letter.paragraphs
            made = [letters.unknown(post), letters.story_gone(post), letters.stopped(2, "Un mot."),
                    letters.asks(1), letters.expiring(grant), letters.refused(0), letters.refused(3),
                    *map(letters.trouble, trouble.CODES)]  # fmt: skip
            for letter in made:
                assert letter.subject and all(letter.paragraphs)
                assert "%(" not in letter.subject + "".join(letter.paragraphs)
    db.session.rollback()
    assert {*REASONS} >= mails.TOLD_ELSEWHERE
