"""Posts of a story that is meant for some: who may press, what is cancelled, who is written to."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app import clock, outbox
from app.db import transaction
from app.library import service as library
from app.library.errors import UnknownStory
from app.people import audiences
from app.people.models import Person
from app.people.segments_reach import give_role
from app.referrals.errors import UnknownOffer
from app.sharing import drafts, publisher, service
from app.sharing.words import REASONS
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.people.test_segment_rules import rule, said
from tests.people.test_segments import made
from tests.sharing import test_ideas as ideas_of
from tests.sharing import test_mails as mails_of
from tests.sharing.kit import Wish, member, press, share, story

DAY = dt.timedelta(days=1)
sent = ideas_of.sent


def lives(person: Person, site: str) -> None:
    with transaction() as session:
        session.get_one(Person, person.id).site = site


@pytest.fixture
def brest(house: House) -> uuid.UUID:
    return made(rule(said("site", "is", "Brest")), name="Brest")


@pytest.fixture
def anne(house: House) -> Person:
    return member(house, "Anne Brestoise", site="Brest", language="en")


@pytest.fixture
def theo(house: House) -> Person:
    return member(house, "Théo Lorientais", site="Lorient", language="en")


def limit(story_id: uuid.UUID, *segments: uuid.UUID) -> None:
    library.change_story(story_id, {"audience": [str(one) for one in segments]}, None)
    outbox.drain()


def test_who_is_outside_cannot_press_nor_keep_a_draft(
    house: House, brest: uuid.UUID, anne: Person, theo: Person
) -> None:
    told = story(house, audience=[str(brest)])
    assert press(anne, told).status == "scheduled"
    for act in (
        lambda: press(theo, told),
        lambda: press(theo, told, network="x"),
        lambda: drafts.keep(theo.id, Wish(story_id=told, words="Plus tard.")),
    ):
        with pytest.raises(UnknownStory):
            act()
    offer = house.offer()
    with transaction() as session:
        audiences.assign(session, offer, audiences.SEEN, [brest])
    service.press(anne.id, Wish(offer_id=offer, network="x", words="Venez."))
    with pytest.raises(UnknownOffer):
        service.press(theo.id, Wish(offer_id=offer, network="x", words="Venez."))


def test_what_those_outside_have_planned_is_cancelled_with_a_word(
    house: House, brest: uuid.UUID, anne: Person, theo: Person
) -> None:
    told = story(house)
    mailbox = mails_of.Mailbox(house)
    hers = press(anne, told, publish_at=clock.now() + DAY)
    his = press(theo, told, publish_at=clock.now() + DAY)
    kept = drafts.keep(theo.id, Wish(story_id=told, words="Plus tard."))
    assert kept is not None
    draft = kept.id
    elsewhere = service.press(theo.id, Wish(story_id=told, network="x", words="Ailleurs.")).id
    outbox.drain()
    mailbox.read()
    limit(told, brest)
    assert (share(his.id).status, share(his.id).reason) == ("cancelled", "audience")
    assert share(draft).status == "cancelled"
    assert share(hers.id).status == "scheduled"
    assert share(elsewhere).status == "intent"  # that is out, and its author's
    letters = mailbox.read()
    assert {m["To"].addresses[0].addr_spec for m in letters} == {theo.email}
    said_so = mails_of.english(REASONS["audience"])
    assert all(said_so in mails_of.words(letter) for letter in letters)
    outbox.drain()
    assert mailbox.read() == []
    limit(told)  # for everybody again: what was cancelled stays so
    assert share(his.id).status == "cancelled"


def test_a_post_of_somebody_who_moved_meanwhile_is_not_sent(
    house: House, brest: uuid.UUID, anne: Person, standin: StandIn
) -> None:
    """Nobody changed the story: its author stands elsewhere when the moment comes."""
    told = story(house, audience=[str(brest)])
    planned = press(anne, told, publish_at=clock.now() + DAY)
    lives(anne, "Lorient")
    clock.travel(DAY + dt.timedelta(minutes=1))
    publisher.publish_due()
    assert (share(planned.id).status, share(planned.id).reason) == ("cancelled", "audience")
    assert not standin.posts()


def test_ideas_hold_only_what_is_meant_for_their_reader(
    house: House, brest: uuid.UUID, sent: list[dict[str, Any]]
) -> None:
    inside, outside = ideas_of._asks(house, "Anne Brestoise"), ideas_of._asks(house, "Théo L")
    lives(inside, "Brest")
    story(house, title="Pour Brest", audience=[str(brest)])
    ideas_of._morning()
    assert [mail["to"] for mail in sent] == [inside.email]
    clock.freeze(START + 6 * DAY)
    story(house, title="Pour tous")
    ideas_of._morning(7)
    titles = {mail["to"]: [card.title for card, _url in mail["stories"]] for mail in sent[1:]}
    assert titles == {inside.email: ["Pour tous"], outside.email: ["Pour tous"]}


def test_trouble_is_told_to_administrators_of_everything(
    house: House, brest: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.sharing import mails

    whole, part = house.person("Inès Duval", "admin"), house.person("Yann Prigent")
    give_role(part.id, "admin", brest, actor_id=None)
    told: list[str] = []
    monkeypatch.setattr(mails.mail, "send", lambda to, *rest, **more: told.append(to))
    with transaction():
        mails.on_trouble("scope")
    outbox.drain()
    assert told == [whole.email]
