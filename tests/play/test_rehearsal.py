"""A rule run over past facts: the same sums as the awards made, nothing changed, nobody named."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app import outbox
from app.db import db
from app.errors import InvalidInput
from app.ledger.models import LedgerTransfer
from app.people import service as people
from app.people.models import Person
from app.play import rehearsal, rules
from app.play.models import Award, ShareAward
from app.play.rules import Terms
from app.referrals import service as referrals
from tests.conftest import START, House
from tests.play.kit import DAY, HOUR, Posts, member

SHARE = Terms("share", "Publication", "Post", 20, cap=3, cap_period="week")


def in_force(fact: str) -> Terms:
    rule = rules.in_force(fact, START)
    assert rule is not None
    return rule.terms


def given(fact: str) -> int:
    """What the awards of a fact amount to."""
    outbox.drain()
    table = ShareAward if fact in ("share", "own-words", "visit") else Award
    live = select(func.sum(table.amount)).where(table.fact == fact, table.state != "undone")
    return db.session.scalar(live) or 0


def lived(house: House) -> Posts:
    """A week of one member: five posts, some in her own words, one taken back, one unsigned."""
    posts = Posts(house, member(house))
    for day in range(5):
        posts.post(START - (day + 1) * DAY, own=70 if day % 2 else 10)
    posts.withdraw(posts.post(START - 6 * HOUR), HOUR)
    posts.post(START - 5 * HOUR, disclosure="none")
    posts.post(START - 4 * HOUR, status="failed")
    shared = posts.post(START - 200 * DAY)
    for _ in range(23):
        posts.visit(shared)
    posts.visit(shared, verdict="robot")
    return posts


@pytest.mark.parametrize("fact", ["share", "own-words", "visit"])
def test_the_version_in_force_gives_in_a_rehearsal_what_it_gave(
    any_house: House, fact: str
) -> None:
    lived(any_house)
    found = rehearsal.rehearse(in_force(fact), days=365)
    assert found.after.points == found.before.points == given(fact) > 0
    assert found.after.beyond == found.before.beyond


def test_the_same_holds_for_referrals_of_every_end(any_house: House) -> None:
    staff = any_house.person("Pauline Delmotte", "recruiter", joined=False)
    mine = any_house.person("Maëlle Kerjan", joined=False)
    people.join(mine.id)
    ways: list[list[tuple[str, dict[str, object]]]] = [
        [],
        [("interview", {})],
        [("hired", {"starts_on": START.date()})],
        [("hired", {"starts_on": START.date()}), ("closed", {"closure_reason": "not-selected"})],
    ]
    for way in ways:
        referral = any_house.referral(mine)
        for stage, more in way:
            referrals.set_stage(referral, stage, actor_id=staff.id, actor_role="recruiter", **more)
    for fact in ("application", "interview", "hire"):
        found = rehearsal.rehearse(in_force(fact))
        assert found.after.points == given(fact), fact
    assert given("hire") > 0


def test_it_says_what_another_version_would_have_given(house: House) -> None:
    lived(house)
    found = rehearsal.rehearse(SHARE, days=30)
    assert found.before.points * 2 == found.after.points
    assert found.facts == 5
    free = rehearsal.rehearse(SHARE._replace(cap=None, cap_period=None), days=30)
    assert (free.after.points, free.after.beyond) == (100, 0)
    strict = rehearsal.rehearse(SHARE._replace(cap=1, cap_period="day"), days=30)
    assert strict.after.rewarded == 5
    held = rehearsal.rehearse(SHARE._replace(amount=0, held_amount=4, hold_days=3), days=30)
    assert held.after.at_once == 0
    assert held.after.held == held.after.points > 0


def test_it_counts_acts_that_were_worth_nothing_so_far(house: House) -> None:
    rules.start_version("share", name_fr="P", name_en="P", amount=0, starts_at=START - 300 * DAY)
    lived(house)
    outbox.drain()
    assert given("share") == 0
    found = rehearsal.rehearse(SHARE, days=30)
    assert found.before.points == 0
    assert found.after.points == 80  # four in one week, of which three; one in the next


def test_it_looks_back_only_as_far_as_asked(house: House) -> None:
    lived(house)
    visits = in_force("visit")
    assert rehearsal.rehearse(SHARE, days=365).facts == 6
    assert rehearsal.rehearse(SHARE, days=90).facts == 5
    assert rehearsal.rehearse(SHARE, days=17).days == 90
    assert rehearsal.rehearse(visits, days=30).facts == 23


def test_it_writes_nothing(house: House) -> None:
    lived(house)
    outbox.drain()
    tables = (LedgerTransfer, ShareAward, rules.RuleVersion)
    counts = [db.session.scalar(select(func.count()).select_from(t)) for t in tables]
    rehearsal.rehearse(SHARE)
    assert not db.session.new and not db.session.dirty
    assert [db.session.scalar(select(func.count()).select_from(t)) for t in tables] == counts


def test_it_refuses_terms_that_no_version_can_say(house: House) -> None:
    with pytest.raises(InvalidInput):
        rehearsal.rehearse(SHARE._replace(amount=-1))


# ---- Sums, never people


def people_of(house: House, number: int, site: str) -> list[Person]:
    found = []
    for n in range(number):
        person = house.person(f"Anne {site} {n}", joined=False, site=site)
        Posts(house, person.id).post(START - DAY)
        found.append(person)
    return found


def test_it_tells_a_site_of_ten_and_keeps_smaller_ones_together(house: House) -> None:
    for number, site in ((12, "Lorient"), (10, "Limoges"), (6, "Grenoble"), (5, "Brest")):
        people_of(house, number, site)
    found = rehearsal.rehearse(SHARE, days=30)
    assert [(s.site, s.people, s.after) for s in found.segments] == [
        ("Lorient", 12, 240), ("Limoges", 10, 200), (None, 11, 220),
    ]  # fmt: skip
    assert found.people == 33


def test_no_subtraction_tells_a_small_site_apart(house: House) -> None:
    for number, site in ((12, "Lorient"), (10, "Limoges"), (3, "Brest")):
        people_of(house, number, site)
    found = rehearsal.rehearse(SHARE, days=30)
    assert [(s.site, s.people) for s in found.segments] == [("Lorient", 12), (None, 13)]


def test_few_people_are_not_even_counted(house: House) -> None:
    people_of(house, 9, "Lorient")
    found = rehearsal.rehearse(SHARE, days=30)
    assert found.people is None
    assert found.segments == ()


def test_its_page_names_nobody(house: House) -> None:
    people = people_of(house, 12, "Lorient")
    client = house.browser(house.person("Pauline Delmotte", "hr", joined=False))
    rule = rules.in_force("share", START)
    assert rule is not None
    page = client.get(f"/studio/rules/{rule.id}/rehearsal?days=30&lang=en").get_data(as_text=True)
    assert "Lorient" in page
    assert "12 members concerned" in page
    assert not any(person.name in page for person in people)


def test_it_costs_the_same_for_many(house: House, count_queries) -> None:  # type: ignore[no-untyped-def]
    people_of(house, 2, "Lorient")
    few = count_queries(lambda: rehearsal.rehearse(SHARE))
    people_of(house, 20, "Limoges")
    assert count_queries(lambda: rehearsal.rehearse(SHARE)) == few <= 4
