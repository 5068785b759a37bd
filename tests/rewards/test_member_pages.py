"""The member's pages: the shelf, a reward, redeeming, receipts, one's own deliveries."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import clock, ledger
from app.db import db
from app.people.models import Person
from app.rewards import queries, service
from app.rewards.models import Redemption
from tests.rewards.conftest import Shop

PAGES = ("/play/rewards", "/play/redemptions")


def text_of(client: FlaskClient, path: str, status: int = 200, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == status
    return response.get_data(as_text=True)


def made() -> int:
    return db.session.scalar(select(func.count()).select_from(Redemption)) or 0


@pytest.fixture
def member(shop: Shop) -> Person:
    return shop.member(300)


@pytest.fixture
def browser(shop: Shop, member: Person) -> FlaskClient:
    return shop.house.browser(member)


def test_it_shows_what_is_within_reach_and_what_is_not(shop: Shop, browser: FlaskClient) -> None:
    shop.reward(title="Un livre au choix", cost=80)
    shop.reward(title="Cent plants", cost=1860, stock=None)
    shop.reward(title="Épuisé", stock=0)
    gone = shop.reward(title="Retiré")
    service.withdraw_reward(gone.id, actor_id=shop.hr.id)
    page = text_of(browser, "/play/rewards")
    assert "within reach" in page
    assert "1,560 to go" in page
    assert "Épuisé" not in page
    assert "Retiré" not in page


def test_it_never_calls_a_reward_exempt(shop: Shop, browser: FlaskClient) -> None:
    for pay_class in service.PAY_CLASSES:
        reward = shop.reward(pay_class=pay_class)
        page = text_of(browser, f"/play/rewards/{reward.id}")
        assert "taxable, payroll decides" in page
        assert "exempt" not in page.lower()
    assert "exempt" not in text_of(browser, "/play/rewards").lower()


@pytest.mark.parametrize("path", PAGES)
def test_it_answers_htmx_with_a_fragment_and_a_browser_with_a_page(
    shop: Shop, browser: FlaskClient, path: str
) -> None:
    shop.reward()
    assert "<!doctype html>" in text_of(browser, path)
    fragment = text_of(browser, path, **{"HX-Request": "true"})
    assert "<!doctype html>" not in fragment
    assert "<h1>" in fragment


@pytest.mark.parametrize("path", [*PAGES, f"/play/rewards/{uuid.UUID(int=7)}"])
def test_it_is_for_members(shop: Shop, path: str) -> None:
    assert shop.house.app.test_client().get(path).status_code == 303
    assert shop.house.browser(shop.person("Léo Marin")).get(path).status_code == 403


def test_it_knows_no_reward_that_was_never_made(browser: FlaskClient) -> None:
    text_of(browser, f"/play/rewards/{uuid.uuid4()}", 404)
    path = f"/play/rewards/{uuid.uuid4()}/redemptions"
    assert browser.post(path).status_code == 404


def test_it_redeems_and_shows_the_receipt(shop: Shop, member: Person, browser: FlaskClient) -> None:
    reward = shop.reward()
    page = text_of(browser, f"/play/rewards/{reward.id}")
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None
    path = f"/play/rewards/{reward.id}/redemptions"
    first = browser.post(path, data={"key": found[1]})
    again = browser.post(path, data={"key": found[1]})
    assert (first.status_code, first.location) == (303, again.location)
    assert made() == 1
    assert shop.balance(member).available == 220
    receipt = text_of(browser, f"{first.location}")
    assert "Reserved for you." in receipt
    assert shop.deliverer.email in receipt
    assert reward.title in text_of(browser, "/play/redemptions")


def test_it_tells_htmx_where_to_go(shop: Shop, browser: FlaskClient) -> None:
    path = f"/play/rewards/{shop.reward().id}/redemptions"
    response = browser.post(path, headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert response.headers["HX-Redirect"].startswith("/play/redemptions/")


def test_it_says_on_the_same_page_why_it_cannot(shop: Shop, browser: FlaskClient) -> None:
    sold_out, dear = shop.reward(stock=0), shop.reward(cost=301)
    gone = shop.reward()
    service.withdraw_reward(gone.id, actor_id=shop.hr.id)
    for reward, words in (
        (sold_out, "There is none left"),
        (dear, "not enough points"),
        (gone, "off the shelf"),
    ):
        response = browser.post(f"/play/rewards/{reward.id}/redemptions")
        assert response.status_code == 409
        page = response.get_data(as_text=True)
        assert words in page
        assert reward.title in page
        assert 'role="alert"' in page
    assert made() == 0


def test_it_offers_the_press_only_within_reach(shop: Shop, browser: FlaskClient) -> None:
    near, far, none = shop.reward(cost=300), shop.reward(cost=301), shop.reward(stock=0)
    form = 'name="key"'
    assert form in text_of(browser, f"/play/rewards/{near.id}")
    assert form not in text_of(browser, f"/play/rewards/{far.id}")
    assert form not in text_of(browser, f"/play/rewards/{none.id}")


def test_it_refuses_to_redeem_by_get(shop: Shop, browser: FlaskClient) -> None:
    assert browser.get(f"/play/rewards/{shop.reward().id}/redemptions").status_code == 405


def test_it_asks_for_the_token_of_the_form(shop: Shop, browser: FlaskClient) -> None:
    shop.house.app.config["WTF_CSRF_ENABLED"] = True
    path = f"/play/rewards/{shop.reward().id}/redemptions"
    assert browser.post(path).status_code == 400
    assert made() == 0


def test_it_lets_the_member_change_her_mind(
    shop: Shop, member: Person, browser: FlaskClient
) -> None:
    one = service.redeem(member.id, shop.reward().id).id
    page = text_of(browser, f"/play/redemptions/{one}")
    assert f"/play/redemptions/{one}/cancellation" in page
    for _ in range(2):
        response = browser.post(f"/play/redemptions/{one}/cancellation")
        assert (response.status_code, response.location) == (303, f"/play/redemptions/{one}")
    assert shop.balance(member).available == 300
    after = text_of(browser, f"/play/redemptions/{one}")
    assert "the points are back" in after
    assert "/cancellation" not in after


def test_it_cannot_cancel_what_was_handed_over(
    shop: Shop, member: Person, browser: FlaskClient
) -> None:
    one = service.redeem(member.id, shop.reward().id).id
    service.fulfil(one, shop.deliverer.id)
    assert "/cancellation" not in text_of(browser, f"/play/redemptions/{one}")
    assert browser.post(f"/play/redemptions/{one}/cancellation").status_code == 409
    assert shop.balance(member).available == 220


def test_it_hides_the_receipts_of_others(shop: Shop, browser: FlaskClient) -> None:
    other = shop.member(300, "Hugo Meynard")
    reward = shop.reward(title="Le livre de Hugo")
    theirs = service.redeem(other.id, reward.id).id
    text_of(browser, f"/play/redemptions/{theirs}", 404)
    assert browser.post(f"/play/redemptions/{theirs}/cancellation").status_code == 404
    assert "Le livre de Hugo" not in text_of(browser, "/play/redemptions")
    assert shop.balance(other).available == 220


def test_it_shows_deliverers_their_own(shop: Shop, member: Person) -> None:
    other = shop.person("Sofiane Adel")
    mine = service.redeem(member.id, shop.reward(title="À moi").id).id
    theirs = service.redeem(member.id, shop.reward(title="À lui", deliverer_id=other.id).id).id
    client = shop.house.browser(shop.deliverer)
    page = text_of(client, "/play/deliveries")
    assert "À moi" in page
    assert "À lui" not in page
    assert client.post(f"/play/deliveries/{theirs}/fulfilment").status_code == 404
    assert client.post(f"/play/deliveries/{theirs}/cancellation").status_code == 404
    assert client.post(f"/play/deliveries/{mine}/fulfilment").status_code == 303
    assert client.post(f"/play/deliveries/{mine}/fulfilment").status_code == 303
    assert client.post(f"/play/deliveries/{mine}/cancellation").status_code == 409
    assert "À moi" in text_of(client, "/play/deliveries?state=fulfilled")
    rows = {row.id: row.status for row in queries.by_ids({mine, theirs})}
    assert rows == {mine: "fulfilled", theirs: "reserved"}


def test_it_lets_a_deliverer_call_it_off_with_a_reason(shop: Shop, member: Person) -> None:
    one = service.redeem(member.id, shop.reward().id)
    client = shop.house.browser(shop.deliverer)
    path = f"/play/deliveries/{one.id}/cancellation"
    assert client.post(path, data={"reason": "she was rude"}).status_code == 422
    assert client.post(path, data={"reason": "out-of-stock"}).status_code == 303
    assert shop.balance(member).available == 300
    (line,) = (e for e in ledger.entries(shop.account(member)) if e.code == "redemption")
    assert (line.state, line.reason) == ("cancelled", "out-of-stock")


def test_it_shows_the_same_shelf_for_the_same_price_of_reading(
    shop: Shop,
    member: Person,
    browser: FlaskClient,
    count_queries: Callable[[Callable[[], Any]], int],
) -> None:
    """Who reads, the organisation, account, what waits, balance, the shelf: however long."""
    for path, most in (("/play/rewards", 7), ("/play/redemptions", 4)):
        counted = []
        for _ in range(2):
            for n in range(8):
                service.redeem(member.id, shop.reward(title=f"n° {n}", cost=1).id)
            browser.get(path)
            counted.append(count_queries(lambda path=path: browser.get(path)))
        assert counted[0] == counted[1] <= most, path


def test_it_reads_each_page_in_few_statements(
    shop: Shop,
    member: Person,
    browser: FlaskClient,
    count_queries: Callable[[Callable[[], Any]], int],
) -> None:
    reward = shop.reward()
    one = service.redeem(member.id, reward.id).id
    browser.get("/play/rewards")
    for path, most in (
        (f"/play/rewards/{reward.id}", 7),
        (f"/play/redemptions/{one}", 4),
        ("/play/deliveries", 4),
    ):
        assert count_queries(lambda path=path: browser.get(path)) <= most, path


# ---- What will be within reach


def hold(shop: Shop, member: Person, amount: int, days: int | None) -> None:
    due = clock.now() + dt.timedelta(days=days) if days is not None else None
    ledger.hold("award", f"hold-{uuid.uuid4()}", shop.account(member), amount, due)


def test_it_names_a_day_only_where_what_is_on_the_way_says_so(
    shop: Shop, member: Person, browser: FlaskClient
) -> None:
    shop.reward(title="À portée", cost=300)
    shop.reward(title="Bientôt", cost=380)
    shop.reward(title="Loin", cost=2000)
    hold(shop, member, 50, 20)
    hold(shop, member, 40, 10)
    page = text_of(browser, "/play/rewards")
    assert page.count("reward-soon") == 1
    soon = page.partition("Bientôt")[2].partition("</li>")[0]
    assert "80 to go" in soon
    assert "on 7 Dec, if confirmed" in soon


def test_points_without_a_date_promise_nothing(
    shop: Shop, member: Person, browser: FlaskClient
) -> None:
    reward = shop.reward(cost=310)
    hold(shop, member, 50, None)
    assert "reward-soon" not in text_of(browser, "/play/rewards")
    assert "Within reach on" not in text_of(browser, f"/play/rewards/{reward.id}")
    hold(shop, member, 50, 3)
    assert "Within reach on 20 November 2026" in text_of(browser, f"/play/rewards/{reward.id}")


def test_what_is_reserved_for_oneself_does_not_come_back_in_the_sum(
    shop: Shop, member: Person, browser: FlaskClient
) -> None:
    service.redeem(member.id, shop.reward(cost=100).id)
    shop.reward(title="Cher", cost=290)
    assert "reward-soon" not in text_of(browser, "/play/rewards")


def test_it_shows_only_what_can_be_had_now(shop: Shop, browser: FlaskClient) -> None:
    shop.reward(title="À portée", cost=300)
    shop.reward(title="Trop cher", cost=301)
    page = text_of(browser, "/play/rewards?show=now")
    assert "À portée" in page
    assert "Trop cher" not in page
    poor = shop.house.browser(shop.member(0, "Hugo Meynard"))
    assert "Nothing within reach yet" in text_of(poor, "/play/rewards?show=now")


def test_it_asks_before_points_are_set_aside_and_offers_the_way_back(
    shop: Shop, browser: FlaskClient
) -> None:
    reward = shop.reward()
    page = text_of(browser, f"/play/rewards/{reward.id}")
    question = page.partition('class="confirm"')[2].partition("</details>")[0]
    assert "Yes, keep it for me" in question
    assert "220" in question
    path = f"/play/rewards/{reward.id}/redemptions"
    receipt = browser.post(path, follow_redirects=True).get_data(as_text=True)
    assert "/cancellation" in receipt
    assert "takes it back" in receipt
