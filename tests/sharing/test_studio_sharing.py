"""The team's page: the stop switch, the line that says where one works, the monthly check, and
how LinkedIn is met. F135, rules L1, L5, N7."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.library.models import Topic
from app.people.models import Person
from app.sharing import disclosures, monthly, service, stop, trouble
from app.sharing.errors import LastDisclosure, SharingStopped
from app.sharing.models import Share
from standin.linkedin import CLIENT_SECRET, StandIn
from tests.conftest import START, House
from tests.sharing.kit import member, press, share, story

PAGE = "/studio/sharing"


@pytest.fixture
def lead(house: House) -> Person:
    disclosures.ensure_defaults()
    return house.person("Inès Tavarès", "lead", language="en")


@pytest.fixture
def desk(house: House, lead: Person) -> FlaskClient:
    return house.browser(lead)


def text(client: FlaskClient, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def audited(action: str) -> list[uuid.UUID | None]:
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action))
    return [row.actor_id for row in rows]


# --- who may -----------------------------------------------------------------------------


def test_curators_read_and_others_stay_out(house: House, lead: Person) -> None:
    curator = house.browser(house.person("Gaël Lebrun", "curator", language="en"))
    page = text(curator)
    assert "Sharing is on" in page
    assert "Stop now" not in page and "Retire" not in page
    for path in ("stops", "policy", "disclosures", "disclosures/en-employee-1/retirement",
                 "disclosures/en-employee-2/first-place", f"stops/{uuid.uuid4()}/lifting"):  # fmt: skip
        assert curator.post(f"{PAGE}/{path}").status_code == 403, path
    for roles in ((), ("recruiter",), ("hr",), ("auditor",), ("contributor",)):
        assert house.browser(house.person("Odile", *roles)).get(PAGE).status_code == 403, roles
    assert text(house.browser(house.person("Yann Guen", "admin", joined=False)))


# --- the stop switch ---------------------------------------------------------------------


def test_it_stops_everything_with_a_word_to_members(
    house: House, lead: Person, desk: FlaskClient, standin: StandIn
) -> None:
    writer, story_id = member(house, language="en"), story(house)
    planned = press(writer, story_id, publish_at=clock.now() + dt.timedelta(hours=1))
    answer = desk.post(f"{PAGE}/stops", data={"topic": "all", "message": " Un accident. "})
    assert answer.status_code == 303
    page = text(desk)
    assert "All sharing is stopped" in page
    assert "“Un accident.”" in page
    assert "Stopped by Inès Tavarès on 17 November 2026" in page
    assert "One post waits for the end of a stop." in page
    assert "Stop now" not in page
    assert audited("sharing.stopped") == [lead.id]
    assert share(planned.id).status == "paused"
    with pytest.raises(SharingStopped) as told:
        press(writer, story_id, "Autre chose.")
    assert told.value.message == "Un accident."
    clock.travel(dt.timedelta(hours=2))
    outbox.drain()
    assert standin.posts() == []


def test_it_asks_before_sharing_goes_on(
    house: House, lead: Person, desk: FlaskClient, standin: StandIn
) -> None:
    lead_id, story_id = lead.id, story(house)
    maelle, gael = member(house), member(house, "Gaël Lebrun")
    soon = [
        press(maelle, story_id, f"Tôt {n}.", publish_at=clock.now() + dt.timedelta(hours=1)).id
        for n in (1, 2)
    ]
    later = press(gael, story_id, publish_at=clock.now() + dt.timedelta(days=2)).id
    desk.post(f"{PAGE}/stops", data={"topic": "all"})
    outbox.drain()
    clock.travel(dt.timedelta(hours=3))
    (standing,) = stop.all_standing()
    found = re.search(rf'href="({PAGE}/stops/{standing.id}/lifting)"', text(desk))
    assert found
    question = text(desk, found[1])
    assert "Resume all sharing?" in question
    assert "One post goes on as planned" in question
    assert "One author is asked again" in question
    assert "The 2 posts stay paused until then." in question
    for unsure in ({}, {"confirmed": ""}, {"confirmed": "0"}):
        answer = desk.post(found[1], data=unsure)
        assert answer.status_code == 422
        assert "Resume all sharing?" in answer.get_data(as_text=True)
        assert stop.standing() is not None
    answer = desk.post(found[1], data={"confirmed": "1"})
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = text(desk)
    assert "Sharing is open again. The authors of 2 posts are asked" in page
    assert "Resumed by Inès Tavarès" in page
    assert audited("sharing.resumed") == [lead.id]
    outbox.drain()
    assert standin.posts() == []
    assert [(share(i).status, share(i).reason) for i in soon] == [("paused", "asks")] * 2
    assert share(later).status == "scheduled"
    clock.travel(dt.timedelta(days=2))
    outbox.drain()
    assert len(standin.posts()) == 1
    desk = house.browser(db.session.get_one(Person, lead_id))
    assert desk.get(found[1]).status_code == 404
    assert desk.post(found[1], data={"confirmed": "1"}).status_code == 303  # it is lifted already


def test_it_stops_one_topic_and_another_stop_keeps_its_posts(
    house: House, desk: FlaskClient, standin: StandIn
) -> None:
    about_wood = story(house, topics=["Bois"])
    topic = db.session.scalars(select(Topic).where(Topic.name == "Bois")).one()
    elsewhere = story(house, title="Une école qui se chauffe presque seule")
    writer = member(house)
    held = press(writer, about_wood, publish_at=clock.now() + dt.timedelta(days=1)).id
    free = press(writer, elsewhere, "Ailleurs.", publish_at=clock.now() + dt.timedelta(days=1)).id
    desk.post(f"{PAGE}/stops", data={"topic": str(topic.id), "message": ""})
    assert (share(held).status, share(free).status) == ("paused", "scheduled")
    page = text(desk)
    assert "Sharing is on, but for one topic" in page and "Bois" in page
    desk.post(f"{PAGE}/stops", data={"topic": "all"})
    of_topic, of_all = stop.all_standing()
    assert stop.lifting_of(of_topic.id).held == 1
    assert "One post stays paused by another stop" in text(
        desk, f"{PAGE}/stops/{of_topic.id}/lifting"
    )
    lifting = stop.lifting_of(of_all.id)
    assert (lifting.later, lifting.asked, lifting.authors, lifting.held) == (1, 0, 0, 1)
    desk.post(f"{PAGE}/stops/{of_all.id}/lifting", data={"confirmed": "1"})
    assert (share(held).status, share(free).status) == ("paused", "scheduled")
    assert "Resume the topic “Bois”?" in text(desk, f"{PAGE}/stops/{of_topic.id}/lifting")


def test_it_counts_what_ending_a_stop_would_do(any_house: House) -> None:
    """The question is put with the numbers that its answer then makes true."""
    lead, story_id = any_house.person("Inès Tavarès", "lead"), story(any_house, topics=["Bois"])
    topic = db.session.scalars(select(Topic).where(Topic.name == "Bois")).one()
    writers = [member(any_house, f"P{n} Kerjan") for n in range(3)]
    for n, writer in enumerate(writers):
        for hours in (1, 30 + n):
            at = clock.now() + dt.timedelta(hours=hours)
            press(writer, story_id, f"Dans {hours} heures.", publish_at=at)
    everything, of_topic = stop.stop(lead.id), stop.stop(lead.id, "", topic.id)
    clock.travel(dt.timedelta(hours=2))
    assert stop.lifting_of(everything.id).held == 6
    stop.lift(lead.id, of_topic.id)
    clock.travel(dt.timedelta(minutes=1))
    lifting = stop.lifting_of(everything.id)
    assert (lifting.later, lifting.asked, lifting.authors, lifting.held) == (3, 3, 3, 0)
    assert stop.lift(lead.id, everything.id) == 3
    statuses = sorted(db.session.scalars(select(Share.status)))
    assert statuses == ["paused"] * 3 + ["scheduled"] * 3
    assert [row.id for row in stop.history()] == [everything.id, of_topic.id]


def test_it_refuses_a_word_that_is_too_long_and_keeps_it(desk: FlaskClient) -> None:
    answer = desk.post(f"{PAGE}/stops", data={"topic": "all", "message": "é" * 501})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "500 characters at most." in page and "é" * 501 in page
    for topic in ("x", str(uuid.uuid4())):
        assert desk.post(f"{PAGE}/stops", data={"topic": topic}).status_code == 422
    assert stop.all_standing() == []


def test_a_stop_that_does_not_exist_cannot_be_lifted(desk: FlaskClient) -> None:
    path = f"{PAGE}/stops/{uuid.uuid4()}/lifting"
    assert desk.get(path).status_code == 404
    assert desk.post(path, data={"confirmed": "1"}).status_code == 404


def test_its_words_are_shown_as_words(desk: FlaskClient) -> None:
    desk.post(f"{PAGE}/stops", data={"topic": "all", "message": "<script>alert(1)</script>"})
    page = text(desk)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


# --- what is agreed ----------------------------------------------------------------------


def test_it_changes_how_many_posts_a_day(desk: FlaskClient, lead: Person) -> None:
    assert desk.post(f"{PAGE}/policy", data={"daily_cap": "5"}).status_code == 303
    assert service.daily_cap() == 5
    assert audited("sharing.cap") == [lead.id]
    for wrong in ("0", "101", "-1", "", "x", "1.5", "٣", "9999999"):
        answer = desk.post(f"{PAGE}/policy", data={"daily_cap": wrong})
        assert answer.status_code == 422, wrong
        assert "Between 1 and 100 posts a day." in answer.get_data(as_text=True)
    assert service.daily_cap() == 5


def add(client: FlaskClient, wording: str, language: str = "en", kind: str = "employee") -> int:
    data = {"language": language, "person_kind": kind, "text": wording}
    return client.post(f"{PAGE}/disclosures", data=data).status_code


def offered(language: str = "en", kind: str = "employee") -> list[str]:
    return [wording.text for wording in disclosures.offered(language, kind)]


def test_it_approves_one_more_wording(desk: FlaskClient, lead: Person) -> None:
    before = offered()
    assert add(desk, "  {organisation}  pays my rent. ") == 303
    assert offered() == [*before, "Halvenne pays my rent."]
    assert audited("disclosure.added") == [lead.id]
    assert "Halvenne pays my rent." in text(desk)


TELLS_NOBODY = (
    "", "  ", "#Halvenne", "#job #Halvenne", "{organisation}", "🙂", "1 2 3", "x" * 161,
    "Halvenne is my employer.", "HALVENNE is my EMPLOYER.", "\u202e\u2066",
)  # fmt: skip


def test_it_refuses_a_wording_that_tells_nobody(desk: FlaskClient) -> None:
    before = offered()
    for wording in TELLS_NOBODY:
        assert add(desk, wording) == 422, wording
    assert offered() == before


def test_it_refuses_another_language_or_people(desk: FlaskClient) -> None:
    assert add(desk, "Ich arbeite bei {organisation}.", language="de") == 422
    assert add(desk, "I work at {organisation}, too.", kind="robot") == 422


def test_the_list_of_wordings_is_kept_on_both_databases(any_house: House) -> None:
    disclosures.ensure_defaults()
    lead = any_house.person("Inès Tavarès", "lead")
    new = disclosures.add("fr", "partner", "Nous travaillons avec {organisation}.", lead.id)
    disclosures.put_first(new, lead.id)
    assert [w.id for w in disclosures.offered("fr", "partner")] == [new, "fr-partner-1"]
    disclosures.retire("fr-partner-1", lead.id)
    with pytest.raises(LastDisclosure):
        disclosures.retire(new, lead.id)
    assert ("fr", "partner", [disclosures.offered("fr", "partner")[0]]) in disclosures.standing()


def test_it_proposes_another_wording_first(desk: FlaskClient, lead: Person) -> None:
    first, second, third = offered()
    ids = [wording.id for wording in disclosures.offered("en", "employee")]
    assert desk.post(f"{PAGE}/disclosures/{ids[2]}/first-place").status_code == 303
    assert offered() == [third, first, second]
    assert audited("disclosure.put_first") == [lead.id]
    assert desk.post(f"{PAGE}/disclosures/nothing/first-place").status_code == 404


def test_it_retires_a_wording_but_never_the_last(desk: FlaskClient, lead: Person) -> None:
    ids = [wording.id for wording in disclosures.offered("en", "employee")]
    for wording_id in ids[:2]:
        assert desk.post(f"{PAGE}/disclosures/{wording_id}/retirement").status_code == 303
    answer = desk.post(f"{PAGE}/disclosures/{ids[2]}/retirement")
    assert answer.status_code == 409
    assert "This is the last wording" in answer.get_data(as_text=True)
    assert offered() == ["From the inside: I work at Halvenne."]
    assert audited("disclosure.retired") == [lead.id] * 2
    assert desk.post(f"{PAGE}/disclosures/{ids[0]}/retirement").status_code == 404
    with pytest.raises(LastDisclosure):
        disclosures.retire("fr-alumni-1", lead.id)


def test_a_retired_wording_stays_in_the_posts_that_carry_it(
    house: House, desk: FlaskClient
) -> None:
    planned = press(member(house), story(house), publish_at=clock.now() + dt.timedelta(days=1))
    carried = planned.disclosure
    desk.post(f"{PAGE}/disclosures/{carried}/retirement")
    assert share(planned.id).disclosure_text in share(planned.id).post_text


# --- the monthly check -------------------------------------------------------------------


def _sent(house: House, count: int, disclosure: str, at: dt.datetime, status: str) -> None:
    story_id = story(house)
    for n in range(count):
        person = house.person(f"P{n} {disclosure}")
        with transaction() as session:
            session.add(
                Share(
                    person_id=person.id, story_id=story_id, network="linkedin", language="fr",
                    format="text", post_text="x", disclosure=disclosure, status=status,
                    published_at=at,
                )
            )  # fmt: skip


def test_it_counts_posts_with_and_without_the_line(house: House, desk: FlaskClient) -> None:
    last_month = START - dt.timedelta(days=30)
    _sent(house, 5, "fr-employee-1", START, "published")
    _sent(house, 1, "own", START, "withdrawn")
    _sent(house, 1, "none", START, "published")
    _sent(house, 2, "none", START, "unknown")
    _sent(house, 4, "own", last_month, "published")
    this, last, before = monthly.months(house.app.extensions["portevoix"].timezone)
    assert (this.sent, this.with_disclosure, this.is_complete) == (7, 6, False)
    assert (last.sent, last.with_disclosure, last.is_empty) == (None, None, False)
    assert before.is_empty
    page = text(desk)
    assert "6 of 7 posts" in page and "not all" in page
    assert "not shown: fewer than 5 people posted" in page
    assert "no post" in page
    assert "November 2026" in page and "September 2026" in page


def test_its_months_are_those_of_the_organisation(any_house: House) -> None:
    """The last evening of October in UTC is already November in Paris."""
    house = any_house
    zone = house.app.extensions["portevoix"].timezone
    _sent(house, 5, "own", dt.datetime(2026, 10, 31, 23, 30, tzinfo=dt.UTC), "published")
    _sent(house, 6, "own", dt.datetime(2026, 10, 31, 22, 30, tzinfo=dt.UTC), "published")
    this, last, _before = monthly.months(zone)
    assert (this.sent, last.sent) == (5, 6)


# --- how LinkedIn is met -----------------------------------------------------------------


def test_it_says_how_linkedin_is_met_and_no_secret(desk: FlaskClient, standin: StandIn) -> None:
    page = text(desk)
    assert "set up" in page and "self-serve, without any figure" in page
    assert "202609" in page and "about 15 September 2027" in page
    assert "http://127.0.0.1:8000/sharing/linkedin/callback" in page
    assert CLIENT_SECRET not in page
    assert "ends soon" not in page


def test_it_warns_sixty_days_before_the_version_ends(house: House, lead: Person) -> None:
    clock.freeze(dt.datetime(2027, 7, 17, 9, tzinfo=dt.UTC))
    page = text(house.browser(lead))
    assert "ends soon" in page and "PORTEVOIX_LINKEDIN_VERSION" in page
    clock.freeze(dt.datetime(2027, 7, 15, 9, tzinfo=dt.UTC))
    assert "ends soon" not in text(house.browser(lead))
    clock.freeze(dt.datetime(2027, 9, 15, 9, tzinfo=dt.UTC))
    assert "ended" in text(house.browser(house.person("Marc Kervella", "lead", language="en")))


def test_it_shows_what_is_in_the_way(desk: FlaskClient) -> None:
    trouble.note("version")
    assert "no longer answers the version" in text(desk)


def test_its_page_costs_a_handful_of_statements(desk, count_queries) -> None:
    for _ in range(3):
        desk.post(f"{PAGE}/stops", data={"topic": "all"})
        (standing,) = stop.all_standing()
        desk.post(f"{PAGE}/stops/{standing.id}/lifting", data={"confirmed": "1"})
    assert count_queries(lambda: text(desk)) <= 24
