"""Each page stays inside its budget of queries, whatever it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import outbox
from app.referrals import links, service
from app.rewards import service as rewards
from tests.conftest import House

Count = Callable[[Callable[[], Any]], int]

BUDGETS = {
    "/": 16, "/offers": 7, "/referrals": 7, "/referrals?tab=links": 7, "/play": 14,
    "/play?kind=posts&state=in": 14, "/play/rewards": 9, "/me": 11, "/library": 7, "/shares": 8, "/charter": 8, "/rights": 8,
    "/library?topics=mine": 8, "/library?q=a&kind=news": 8, "/me/topics": 3,
    "/me/devices": 4, "/me/passkeys": 4, "/me/second-factor": 4, "/offers?q=a": 7,
    "/welcome": 8, "/me/pause": 4, "/me/answers": 4, "/me/data": 64, "/me/erasure": 4, "/me/corrections": 5,
}  # fmt: skip
STAFF_BUDGETS = {
    "/studio/people": 11, "/studio/people?q=a": 10, "/studio/people/imports": 6, "/studio/segments": 5, "/studio/segments/new": 9,
    "/studio/scim": 7, "/studio/administration": 5, "/studio/audit": 7, "/studio/organisation": 5,
    "/studio/approvals": 6, "/studio/approvals?view=over": 5,
    "/studio/entities": 6, "/studio/requests": 5, "/studio/register": 4, "/studio/retention": 4,
    "/studio/documents/works-council": 7,
    "/studio/referrals": 9, "/studio/referrals?view=mine&q=a&order=oldest": 9,
    "/studio/stories": 6, "/studio/stories/new": 8, "/studio": 12, "/studio/topics": 4,
    "/studio/referrals/columns": 4, "/studio/views/referrals": 5,
    "/studio/offers": 7, "/studio/imports": 7,
    "/studio/points/by-hand": 5,
    "/studio/rules": 6, "/studio/rules/visit/new": 4, "/studio/rewards": 7,
    "/studio/rewards?state=low&class=voucher&q=livre": 6,
    "/studio/rewards/new": 7, "/studio/charter": 8,
    "/studio/redemptions?state=all": 5, "/studio/redemptions/list": 6,
    "/studio/people/provider": 6,
    "/studio/people/invitations": 7, "/studio/people/invitations/everybody": 11, "/studio/joining": 5, "/studio/activation": 6,
}  # fmt: skip


@pytest.fixture
def lived_in(house: House) -> House:
    """Enough of everything that a query for each row would show."""
    maelle = house.person("Maëlle Kerjan", email="maelle@halvenne.example")
    recruiter = house.person(
        "Sofiane Belkhir", "recruiter", "admin", "hr", email="s@halvenne.example"
    )
    for number in range(6):
        referral = house.referral(maelle, house.offer(f"Offre {number}"))
        service.set_stage(referral, "interview", actor_id=recruiter.id, actor_role="recruiter")
        rewards.create_reward(
            title=f"Livre {number}", description="", cost=10, stock=5, pay_class="voucher",
            deliverer_id=recruiter.id, actor_id=recruiter.id,
        )  # fmt: skip
    outbox.drain()
    return house


def _person(house: House, email: str) -> Any:
    from app.people.queries import person_by_email

    return person_by_email(email)


@pytest.mark.parametrize(("path", "budget"), BUDGETS.items())
def test_a_members_page_asks_little(
    lived_in: House, count_queries: Count, path: str, budget: int
) -> None:
    browser = lived_in.browser(_person(lived_in, "maelle@halvenne.example"))
    assert browser.get(path).status_code == 200
    assert count_queries(lambda: browser.get(path)) <= budget


@pytest.mark.parametrize(("path", "budget"), STAFF_BUDGETS.items())
def test_a_staff_page_asks_little(
    lived_in: House, count_queries: Count, path: str, budget: int
) -> None:
    browser = lived_in.browser(_person(lived_in, "s@halvenne.example"))
    assert browser.get(path).status_code == 200
    assert count_queries(lambda: browser.get(path)) <= budget


def test_the_public_offer_page_asks_little(lived_in: House, count_queries: Count) -> None:
    maelle = _person(lived_in, "maelle@halvenne.example")
    offer = lived_in.offer("Publique")
    code = links.link_for(maelle.id, offer, "link").code
    visitor = lived_in.app.test_client()
    where = visitor.get(f"/r/{code}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"}).headers[
        "Location"
    ]
    assert count_queries(lambda: visitor.get(where)) <= 8


def test_a_page_of_the_api_costs_the_same_for_many_rows(
    lived_in: House, count_queries: Count
) -> None:
    recruiter = lived_in.caller(_person(lived_in, "s@halvenne.example"))
    one = count_queries(lambda: recruiter.get("/referrals?limit=1"))
    many = count_queries(lambda: recruiter.get("/referrals?limit=50"))
    assert many == one <= 8
