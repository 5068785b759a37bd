"""What becomes of a leaver's points: told on day one, frozen, then expired or donated, on a line."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app import clock, ledger, outbox
from app.db import db
from app.errors import InvalidInput
from app.people import service as people
from app.play import accounts, awards, leaver_rules, statement
from app.play.models import LeaverAccount
from app.referrals import service as referrals
from tests.conftest import START, House

DAY = dt.timedelta(days=1)


def rich(house: House, **more):
    """Somebody with points to spend."""
    person = house.person("Maëlle Kerjan", **more)
    house.referral(person)
    assert accounts.balance_of(person.id).available == 30
    return person


def outcome(person):
    return db.session.get_one(LeaverAccount, accounts.account_of(person.id)).outcome


def leave(person):
    people.depart(person.id)
    outbox.drain()


def settle(days: float):
    clock.travel(dt.timedelta(days=days))
    done = leaver_rules.settle_due()
    outbox.drain()
    return done


def test_it_tells_the_rule_on_the_first_day_with_its_version_and_date(house: House) -> None:
    browser = house.browser(house.person("Maëlle Kerjan", language="en"))
    page = browser.get("/play/rules").get_data(as_text=True)
    assert "If you leave the organisation" in page and "For 30 days you may keep" in page
    assert "Rule for leavers, version 1, in force since 17 November 2025" in page
    leaver_rules.plan(90, "donated", clock.now() + 10 * DAY)
    page = browser.get("/play/rules").get_data(as_text=True)
    assert "Version 2 starts on 27 November 2026." in page and "For 30 days" in page


def test_it_takes_nothing_on_the_last_day_and_everything_left_after_the_window(
    house: House,
) -> None:
    person = rich(house)
    leave(person)
    assert settle(30) == 0
    assert accounts.balance_of(person.id).available == 30
    assert settle(1) == 1
    assert (accounts.balance_of(person.id).available, outcome(person)) == (0, "expired")
    assert settle(40) == 0
    [line, *_rest] = statement.lines(person.id, language="en")[0]
    assert (line.amount, line.state) == (-30, "expired")
    assert line.title and "1" in line.about and line.reason and line.evidence
    assert ledger.verify().ok


def test_it_makes_a_donation_of_them_where_the_rule_says_so(house: House) -> None:
    leaver_rules.plan(10, "donated")
    leaver_rules.plan(30, "donated")
    clock.travel(DAY)
    person = rich(house)
    leave(person)
    assert settle(31) == 1
    assert (accounts.balance_of(person.id).available, outcome(person)) == (0, "donated")
    [line, *_rest] = statement.lines(person.id, language="en")[0]
    assert (line.code, line.amount) == ("donation", -30)
    assert ledger.verify().ok


def test_a_later_version_never_makes_it_worse(house: House) -> None:
    person = rich(house)
    clock.travel(10 * DAY)
    leaver_rules.plan(5, "expired")
    clock.travel(10 * DAY)
    newcomer = house.person("Loïc Le Goff")
    leave(person)
    leave(newcomer)
    rows = {
        p: db.session.get_one(LeaverAccount, accounts.account_of(p.id)) for p in (person, newcomer)
    }
    assert (rows[person].due_at - clock.now()).days == 30
    assert (rows[newcomer].due_at - clock.now()).days == 5


def test_a_hire_before_the_last_day_is_paid_and_then_has_days_of_its_own(house: House) -> None:
    person, recruiter = rich(house), house.person("Sofiane Belkhir", "recruiter")
    referral = house.referral(person, house.offer("Levage"))
    referrals.set_stage(
        referral, "hired", actor_id=recruiter.id, actor_role="recruiter",
        starts_on=START.date(),
    )  # fmt: skip
    outbox.drain()
    on_hold = accounts.balance_of(person.id).pending
    assert on_hold == 200
    leave(person)
    assert settle(40) == 1  # what was available is gone, what is on hold is not
    found = accounts.balance_of(person.id)
    assert (found.available, found.pending, outcome(person)) == (0, on_hold, None)
    clock.travel(51 * DAY)
    awards.announce_due()
    outbox.drain()
    assert accounts.balance_of(person.id).available == on_hold
    assert settle(20) == 0 and accounts.balance_of(person.id).available == on_hold
    assert settle(12) == 1
    assert (accounts.balance_of(person.id).available, outcome(person)) == (0, "expired")
    assert ledger.verify().ok


def test_a_hire_after_the_last_day_gives_nothing_to_who_is_gone(house: House) -> None:
    person, recruiter = rich(house), house.person("Sofiane Belkhir", "recruiter")
    referral = house.referral(person, house.offer("Levage"))
    before = accounts.balance_of(person.id)
    leave(person)
    referrals.set_stage(referral, "hired", actor_id=recruiter.id, actor_role="recruiter")
    outbox.drain()
    assert accounts.balance_of(person.id) == before


def test_it_gives_everything_back_to_who_comes_back_in_time(house: House) -> None:
    person = rich(house)
    leave(person)
    clock.travel(20 * DAY)
    people.come_back(person.id)
    outbox.drain()
    assert outcome(person) == "returned"
    assert settle(60) == 0 and accounts.balance_of(person.id).available == 30
    people.join(person.id)
    leave(person)  # a second time: the days begin anew
    assert outcome(person) is None
    assert settle(29) == 0 and settle(2) == 1


def test_it_hears_a_departure_twice_as_once(house: House) -> None:
    person = rich(house)
    leave(person)
    due = db.session.get_one(LeaverAccount, accounts.account_of(person.id)).due_at
    clock.travel(5 * DAY)
    leaver_rules.freeze(person.id)
    row = db.session.scalars(select(LeaverAccount)).one()
    assert row.due_at == due


@pytest.mark.parametrize(
    ("days", "after", "start"),
    [(0, "expired", 0), (2000, "expired", 0), (30, "kept", 0), (30, "expired", -1),
     (30, "expired", 800)],
)  # fmt: skip
def test_it_refuses_a_version_that_makes_no_sense(
    house: House, days: int, after: str, start: int
) -> None:
    with pytest.raises(InvalidInput):
        leaver_rules.plan(days, after, clock.now() + start * DAY)
    assert len(leaver_rules.versions()) == 1


def test_it_is_written_by_who_answers_for_rules(house: House) -> None:
    lead = house.browser(house.person("Lead Roux", "lead"))
    form = {"window_days": "45", "after_window": "donated", "starts_on": "2026-12-01"}
    assert lead.post("/studio/rules/leaving", data=form).status_code == 303
    newest = leaver_rules.versions()[0]
    assert (newest.window_days, newest.after_window, newest.version) == (45, "donated", 2)
    assert newest.starts_at == dt.datetime(2026, 11, 30, 23, tzinfo=dt.UTC)
    assert lead.post("/studio/rules/leaving", data=form | {"window_days": "x"}).status_code == 422
    assert lead.post("/studio/rules/leaving", data=form | {"starts_on": ""}).status_code == 422
    auditor = house.browser(house.person("Odile Bertin", "auditor"))
    assert auditor.get("/studio/rules/leaving").status_code == 200
    assert auditor.post("/studio/rules/leaving", data=form).status_code == 403


def test_it_closes_payroll_rewards_to_people_from_outside(house: House) -> None:
    from app.db import transaction
    from app.people.models import Person
    from app.rewards import service as rewards
    from app.rewards.errors import NotForThisKind

    person, hr = rich(house), house.person("Hélène Roux", "hr")
    made = {
        name: rewards.create_reward(
            title=name, description="", cost=5, stock=3, pay_class=name, deliverer_id=hr.id,
            actor_id=hr.id,
        ).id
        for name in ("voucher", "employer donation")
    }  # fmt: skip
    with transaction() as session:
        session.get_one(Person, person.id).kind = "partner"
    shelf = house.browser(person).get("/play/rewards").get_data(as_text=True)
    assert "employer donation" in shelf and ">voucher<" not in shelf
    with pytest.raises(NotForThisKind):
        rewards.redeem(person.id, made["voucher"])
    assert rewards.redeem(person.id, made["employer donation"]).cost == 5
    titles = [row["title"] for row in house.caller(person).get("/rewards")["items"]]
    assert titles == ["employer donation"]
