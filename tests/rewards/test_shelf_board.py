"""The shelf as its keepers work on it: filters, parts of the list, several rewards at once."""

from __future__ import annotations

import re
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import approvals
from app.audit.models import AuditEntry
from app.db import db
from app.people import service as people
from app.rewards import queries, service
from app.rewards.models import Reward
from app.rewards.queries import RewardFilter
from app.settings import entities
from tests.approvals.test_roles import set_rule
from tests.rewards.conftest import Shop
from tests.rewards.test_member_pages import text_of
from tests.rewards.test_reach import Part

PATH = "/studio/rewards"


@pytest.fixture
def hr(shop: Shop) -> FlaskClient:
    return shop.house.browser(shop.hr)


@pytest.fixture
def part(shop: Shop) -> Part:
    return Part(shop)


def press(hr: FlaskClient, act: str, *rewards: Reward | uuid.UUID, **more: str) -> str:
    """The page that follows the press, with what it says."""
    ids = [str(getattr(each, "id", each)) for each in rewards]
    answer = hr.post(f"{PATH}/{act}", data={"reward": ids, **more}, follow_redirects=True)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def shown(reward: Reward) -> queries.RewardRow:
    row = queries.reward(reward.id)
    assert row is not None
    return row


def acts(shop: Shop) -> list[str]:
    wanted = select(AuditEntry.action).where(AuditEntry.target_kind == "reward")
    return sorted(db.session.scalars(wanted.order_by(AuditEntry.id)))


def test_it_narrows_by_class_and_tells_what_is_on(shop: Shop, hr: FlaskClient) -> None:
    shop.reward(title="Couteau")
    shop.reward(title="Bon cadeau", pay_class="voucher")
    page = text_of(hr, f"{PATH}?class=voucher")
    assert "Bon cadeau" in page
    assert "Couteau" not in page
    assert 'href="/studio/rewards?state=sale"><span class="hidden-text">' in page
    assert "Couteau" in text_of(hr, f"{PATH}?class=none-such")


def test_it_lists_what_nobody_is_left_to_hand_over(shop: Shop, hr: FlaskClient) -> None:
    shop.reward(title="Couteau")
    shop.reward(title="Livre", deliverer_id=shop.hr.id)
    people.depart(shop.deliverer.id)
    page = text_of(hr, f"{PATH}?state=orphaned")
    assert "Couteau" in page
    assert "Livre" not in page


def test_it_is_read_forwards_and_backwards(shop: Shop) -> None:
    made = [shop.reward(title=f"R{n}", cost=cost) for n, cost in enumerate((10, 20, 20, 30, 40))]
    asked = RewardFilter()
    first = queries.rewards(asked, limit=2)
    second = queries.rewards(asked, limit=2, after=first.next)
    last = queries.rewards(asked, limit=2, after=second.next)
    read = [row.id for page in (first, second, last) for row in page.rows]
    assert read == [each.id for each in made]
    assert (first.previous, last.next) == (None, None)
    assert queries.rewards(asked, limit=2, before=last.previous) == second
    assert queries.rewards(asked, limit=2, before=second.previous) == first


@pytest.mark.parametrize("place", ["after=zzz", "before=zzz"])
def test_it_refuses_a_place_it_never_gave(shop: Shop, hr: FlaskClient, place: str) -> None:
    assert hr.get(f"{PATH}?{place}").status_code == 422


def test_it_keeps_and_opens_a_view(shop: Shop, hr: FlaskClient) -> None:
    assert "/studio/views/rewards" not in text_of(hr, f"{PATH}?state=sale")
    assert 'action="/studio/views/rewards"' in text_of(hr, f"{PATH}?state=low")
    kept = {"name": "Fins de stock", "query": "state=low&after=x", "default": "1"}
    answer = hr.post("/studio/views/rewards", data=kept)
    assert (answer.status_code, answer.location) == (303, f"{PATH}?state=low")
    assert hr.get(PATH).location == f"{PATH}?state=low"
    assert hr.get(f"{PATH}?state=sale").status_code == 200


def test_it_takes_several_off_and_puts_them_back(shop: Shop, hr: FlaskClient) -> None:
    knife, book, mug = (shop.reward(title=title) for title in ("Couteau", "Livre", "Tasse"))
    back = f"{PATH}?state=sale&q=o"
    page = press(hr, "withdrawals", knife, book, back=back)
    assert "Done for 2 of 2." in page
    assert f'action="{PATH}/publications"' in page
    assert [row.id for row in queries.rewards(queries.RewardFilter()).rows] == [mug.id]
    page = press(hr, "publications", knife, book, back=back, undo="1")
    assert "Taken back for 2." in page
    assert {row.id for row in queries.rewards(queries.RewardFilter()).rows} == {
        knife.id,
        book.id,
        mug.id,
    }
    assert acts(shop).count("reward.restored") == 2


def test_it_tells_of_each_that_was_so_already_or_is_not_there(shop: Shop, hr: FlaskClient) -> None:
    knife, book = shop.reward(title="Couteau"), shop.reward(title="Livre")
    service.withdraw_reward(book.id, actor_id=shop.hr.id)
    page = press(hr, "withdrawals", knife, book, uuid.uuid4())
    assert "Done for 1 of 3." in page
    assert "It was so already" in page
    assert "A reward that is not there" in page
    assert acts(shop).count("reward.withdrawn") == 2


def test_it_adds_to_several_stocks_and_takes_it_back(shop: Shop, hr: FlaskClient) -> None:
    knife, book = shop.reward(title="Couteau", stock=3), shop.reward(title="Livre", stock=None)
    service.redeem(shop.member(100).id, knife.id)
    page = press(hr, "stocks", knife, book, more="10")
    assert "Done for 1 of 2." in page
    assert (shown(knife).stock, shown(knife).stock_left) == (13, 12)
    assert shown(book).stock is None
    page = press(hr, "stocks", knife, more="10", fewer="1", undo="1")
    assert "Taken back for one." in page
    assert (shown(knife).stock, shown(knife).stock_left) == (3, 2)


def test_one_press_adds_once_however_often_it_is_heard(shop: Shop, hr: FlaskClient) -> None:
    knife, book = shop.reward(title="Couteau", stock=3), shop.reward(title="Livre", stock=5)
    for _ in range(2):
        page = press(hr, "stocks", knife, more="4", key="one-press")
    assert "It was so already" in page
    assert shown(knife).stock == 7
    press(hr, "stocks", knife, book, more="4", key="another")
    assert (shown(knife).stock, shown(book).stock) == (11, 9)


def test_the_way_back_has_a_press_of_its_own(shop: Shop, hr: FlaskClient) -> None:
    knife = shop.reward(title="Couteau", stock=3)
    page = press(hr, "stocks", knife, more="4", key="one-press")
    keys = re.findall(r'name="key" value="([^"]+)"', page)
    assert len(keys) == 1
    assert keys != ["one-press"]
    press(hr, "stocks", knife, more="4", fewer="1", undo="1", key=keys[0])
    assert shown(knife).stock == 3


def test_a_stock_never_falls_under_what_is_promised(shop: Shop, hr: FlaskClient) -> None:
    knife = shop.reward(title="Couteau", stock=3)
    for _ in range(2):
        service.redeem(shop.member(100).id, knife.id)
    page = press(hr, "stocks", knife, more="2", fewer="1", undo="1")
    assert "2 are reserved or delivered already" in page
    assert shown(knife).stock_left == 1


@pytest.mark.parametrize("more", ["", "0", "-2", "1000001", "deux", "1,5"])
def test_it_adds_nothing_that_is_no_number(shop: Shop, hr: FlaskClient, more: str) -> None:
    knife = shop.reward(stock=3)
    assert "Say how many more there are of each" in press(hr, "stocks", knife, more=more)
    assert shown(knife).stock == 3


def test_it_names_who_hands_over_several(shop: Shop, hr: FlaskClient) -> None:
    knife = shop.reward(title="Couteau")
    book = shop.reward(title="Livre", deliverer_id=shop.hr.id)
    people.depart(shop.deliverer.id)
    page = press(hr, "deliverers", knife, book, deliverer=f" {shop.hr.email.upper()} ")
    assert f"Handed over by {shop.hr.name}" in page
    assert "Done for 1 of 2." in page
    assert shown(knife).deliverer_id == shop.hr.id
    assert (shown(knife).title, shown(knife).cost, shown(knife).stock) == ("Couteau", 80, 3)


@pytest.mark.parametrize("address", ["", "nobody@halvenne.example", "<b>"])
def test_it_hands_nothing_to_nobody(shop: Shop, hr: FlaskClient, address: str) -> None:
    knife = shop.reward()
    assert "Nobody here has the address" in press(hr, "deliverers", knife, deliverer=address)
    assert shown(knife).deliverer_id == shop.deliverer.id


@pytest.mark.parametrize("act", ["withdrawals", "publications", "stocks", "deliverers"])
def test_it_asks_for_a_choice_first_and_goes_only_to_its_list(shop: Shop, act: str) -> None:
    hr = shop.house.browser(shop.hr)
    sent = {"back": "https://evil.example/", "more": "1", "deliverer": shop.hr.email}
    answer = hr.post(f"{PATH}/{act}", data=sent)
    assert (answer.status_code, answer.location) == (303, PATH)
    assert "Choose at least one reward first." in text_of(hr, PATH)


@pytest.mark.parametrize("act", ["withdrawals", "publications", "stocks", "deliverers"])
def test_limited_hr_reaches_only_what_her_segments_keep(part: Part, act: str) -> None:
    service.withdraw_reward(part.elsewhere.id, actor_id=part.shop.hr.id)
    before = shown(part.elsewhere)
    sent = {"more": "5", "deliverer": part.shop.hr.email}
    page = press(part.browser(), act, part.elsewhere, **sent)
    assert "A reward that is not there" in page
    assert part.elsewhere.title not in page
    assert shown(part.elsewhere) == before


def test_rewards_of_payroll_wait_for_a_second_person(shop: Shop, hr: FlaskClient) -> None:
    shop.person("Anne Le Goff", "hr")
    set_rule(money=True)
    bonus = shop.reward(title="Prime", pay_class="voucher", stock=3)
    gone = shop.reward(title="Bon", pay_class="voucher")
    knife = shop.reward(title="Couteau")
    for each in (gone, knife):
        service.withdraw_reward(each.id, actor_id=shop.hr.id)
    page = press(hr, "publications", gone, knife)
    assert "Done for 1 of 2." in page
    assert "Waits for a second person" in page
    assert shown(gone).withdrawn_at is not None
    assert shown(knife).withdrawn_at is None
    assert "Waits for a second person" in press(hr, "stocks", bonus, more="4")
    assert shown(bonus).stock == 3
    waiting = text_of(hr, "/studio/approvals?view=mine")
    assert "Put “Bon” back on sale" in waiting
    assert "Change “Prime”" in waiting


def test_what_was_approved_is_on_sale_again(shop: Shop, hr: FlaskClient) -> None:
    anne = shop.person("Anne Le Goff", "hr")
    set_rule(money=True)
    gone = shop.reward(title="Bon", pay_class="voucher")
    service.withdraw_reward(gone.id, actor_id=shop.hr.id)
    press(hr, "publications", gone)
    (request_id,) = db.session.scalars(select(approvals.models.ApprovalRequest.id))
    shop.house.browser(anne).post(f"/studio/approvals/{request_id}/approval")
    db.session.expire_all()
    assert shown(gone).withdrawn_at is None


def test_the_terms_of_an_entity_are_read_and_not_changed_together(
    shop: Shop, hr: FlaskClient
) -> None:
    bois = entities.make("BOIS", "Halvenne Bois", actor_id=shop.hr.id)
    shop.reward(title="Couteau")
    assert "/stocks" in text_of(hr, PATH)
    page = text_of(hr, f"{PATH}?entity={bois.id}")
    assert "Halvenne Bois" in page
    assert "/stocks" not in page
    assert "/deliverers" not in page
