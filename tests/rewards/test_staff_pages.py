"""HR's and the administrators' pages: the catalogue and what is to be handed over."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db
from app.rewards import queries, service
from app.web.cursors import Beside
from tests.rewards.conftest import Shop
from tests.rewards.test_member_pages import text_of

PAGES = (
    "/studio/rewards", "/studio/rewards?state=withdrawn", "/studio/rewards/new",
    "/studio/redemptions", "/studio/redemptions/list", "/studio/redemptions.csv",
)  # fmt: skip


@pytest.fixture
def hr(shop: Shop) -> FlaskClient:
    return shop.house.browser(shop.hr)


def form(**fields: str) -> dict[str, str]:
    return {
        "title": "Un livre au choix", "description": "", "cost": "1 200", "stock": "40",
        "pay_class": "voucher", "deliverer": "",
    } | fields  # fmt: skip


def status(redemption_id: uuid.UUID) -> str:
    (row,) = queries.by_ids({redemption_id})
    return row.status


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_hr_and_administrators(shop: Shop, path: str) -> None:
    for role in ("hr", "admin"):
        assert shop.house.browser(shop.person("Inès Tavarès", role)).get(path).status_code == 200
    for role in ("recruiter", "lead", "auditor", "curator"):
        assert shop.house.browser(shop.member(0, "Théo", role)).get(path).status_code == 403
    assert shop.house.app.test_client().get(path).status_code == 303


@pytest.mark.parametrize("path", PAGES[:-1])
def test_it_answers_htmx_with_a_fragment(shop: Shop, hr: FlaskClient, path: str) -> None:
    assert "<!doctype html>" in text_of(hr, path)
    assert "<!doctype html>" not in text_of(hr, path, **{"HX-Request": "true"})


def test_it_puts_a_reward_on_the_shelf(shop: Shop, hr: FlaskClient) -> None:
    response = hr.post("/studio/rewards", data=form(deliverer=shop.deliverer.email.upper()))
    assert (response.status_code, response.location) == (303, "/studio/rewards")
    (made,) = queries.rewards(queries.RewardFilter()).rows
    assert (made.cost, made.stock, made.stock_left, made.pay_class, made.deliverer_id) == (
        1200, 40, 40, "voucher", shop.deliverer.id,
    )  # fmt: skip
    assert "Un livre au choix" in text_of(hr, "/studio/rewards")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("cost", ""), ("cost", "12,5"), ("cost", "-3"), ("cost", "²"), ("stock", ""),
        ("stock", "1.5"), ("pay_class", "exempt"), ("deliverer", "nobody@halvenne.example"),
    ],
)  # fmt: skip
def test_it_keeps_what_was_typed_and_says_what_is_wrong(
    shop: Shop, hr: FlaskClient, field: str, value: str
) -> None:
    typed = form(deliverer=shop.deliverer.email, description="Ce que j’ai écrit") | {field: value}
    response = hr.post("/studio/rewards", data=typed)
    assert response.status_code == 422
    page = response.get_data(as_text=True)
    assert "Ce que j’ai écrit" in page
    assert f'id="{field}-error"' in page
    assert page.count('-error"><svg') == 1
    assert queries.rewards(queries.RewardFilter()) == Beside([])


def test_it_sells_without_limit_when_asked(shop: Shop, hr: FlaskClient) -> None:
    hr.post("/studio/rewards", data=form(deliverer=shop.hr.email, stock="", unlimited="y"))
    (made,) = queries.rewards(queries.RewardFilter()).rows
    assert (made.stock, made.stock_left) == (None, None)


def test_it_changes_a_reward(shop: Shop, hr: FlaskClient) -> None:
    reward = shop.reward(stock=3)
    service.redeem(shop.member(100).id, reward.id)
    path = f"/studio/rewards/{reward.id}"
    page = text_of(hr, path)
    assert 'value="80"' in page
    assert shop.deliverer.email in page
    assert hr.post(path, data=form(deliverer=shop.hr.email, stock="0")).status_code == 422
    assert hr.post(path, data=form(deliverer=shop.hr.email, stock="9")).status_code == 303
    found = queries.reward(reward.id)
    assert found is not None
    assert (found.cost, found.stock_left, found.deliverer_id) == (1200, 8, shop.hr.id)
    assert hr.get(f"/studio/rewards/{uuid.uuid4()}").status_code == 404
    assert hr.post(f"/studio/rewards/{uuid.uuid4()}", data=form()).status_code == 404


def test_it_takes_a_reward_off_the_shelf(shop: Shop, hr: FlaskClient) -> None:
    reward = shop.reward()
    path = f"/studio/rewards/{reward.id}"
    assert f"{path}/withdrawal" in text_of(hr, path)
    for _ in range(2):
        assert hr.post(f"{path}/withdrawal").status_code == 303
    assert reward.title in text_of(hr, "/studio/rewards?state=withdrawn")
    assert f"{path}/withdrawal" not in text_of(hr, path)
    assert hr.post(path, data=form(deliverer=shop.hr.email)).status_code == 409


def test_it_warns_of_a_deliverer_who_has_left(shop: Shop, hr: FlaskClient) -> None:
    from app.people import service as people

    shop.reward()
    people.depart(shop.deliverer.id)
    assert "has left" in text_of(hr, "/studio/rewards")


def test_it_filters_what_is_to_be_handed_over(shop: Shop, hr: FlaskClient) -> None:
    book = shop.reward(title="Livre")
    knife = shop.reward(title="Couteau", deliverer_id=shop.hr.id)
    nadia, hugo = shop.member(500, "Nadia Ferrand"), shop.member(500, "Hugo Meynard")
    service.redeem(nadia.id, book.id)
    service.redeem(hugo.id, knife.id)
    done = service.redeem(hugo.id, book.id).id
    service.fulfil(done, shop.hr.id)

    def shown(query: str) -> list[tuple[str, str]]:
        page = text_of(hr, f"/studio/redemptions{query}")
        titles = re.findall(r'<th scope="row"><a [^>]*>([^<]*)<', page)
        names = re.findall(r'board-by">.*?mailto:[^>]*>([^<]*)<', page)
        return [*zip(titles, names, strict=True)]

    waiting = [("Livre", "Nadia Ferrand"), ("Couteau", "Hugo Meynard")]
    assert shown("") == waiting
    assert shown("?state=fulfilled") == [("Livre", "Hugo Meynard")]
    assert shown("?state=all") == [("Livre", "Hugo Meynard"), *waiting[::-1]]
    assert shown(f"?deliverer={shop.hr.id}") == [waiting[1]]
    assert shown(f"?reward={book.id}") == [waiting[0]]
    assert shown("?q=ferrand") == [waiting[0]]
    assert shown("?state=nonsense&deliverer=nonsense") == waiting
    assert hr.get("/studio/redemptions?after=nonsense").status_code == 422


def test_it_turns_the_pages_of_the_list(shop: Shop, hr: FlaskClient) -> None:
    member, reward = shop.member(100), shop.reward(stock=None, cost=1)
    for _ in range(53):
        service.redeem(member.id, reward.id)
    first = text_of(hr, "/studio/redemptions")
    found = re.search(r'href="(/studio/redemptions\?after=[^"]+)"', first)
    assert found is not None
    second = text_of(hr, found[1])
    ids = re.compile(r'name="redemption" value="([^"]+)"')
    assert len({*ids.findall(first), *ids.findall(second)}) == 53
    assert len(ids.findall(second)) == 3


def test_it_settles_one_and_goes_back_to_the_list_as_it_was(shop: Shop, hr: FlaskClient) -> None:
    member, reward = shop.member(500), shop.reward()
    one, two = (service.redeem(member.id, reward.id).id for _ in range(2))
    back = f"/studio/redemptions?q=livre&reward={reward.id}"
    done = hr.post(f"/studio/redemptions/{one}/fulfilment", data={"back": back})
    assert (done.status_code, done.location, status(one)) == (303, back, "fulfilled")
    away = hr.post(
        f"/studio/redemptions/{two}/cancellation",
        data={"back": "https://elsewhere.example/studio/redemptions", "reason": "mistake"},
    )
    assert (away.location, status(two)) == ("/studio/redemptions", "cancelled")
    assert hr.post(f"/studio/redemptions/{two}/fulfilment").status_code == 409
    assert hr.post(f"/studio/redemptions/{uuid.uuid4()}/fulfilment").status_code == 404
    assert shop.balance(member).available == 420


def test_it_asks_before_settling_several(shop: Shop, hr: FlaskClient) -> None:
    member, reward = shop.member(500), shop.reward()
    ids = [service.redeem(member.id, reward.id).id for _ in range(3)]
    chosen = {"redemption": [str(i) for i in ids[:2]]}
    page = hr.post("/studio/redemptions/fulfilments", data=chosen)
    assert page.status_code == 200
    assert page.get_data(as_text=True).count('name="redemption"') == 2
    assert [status(i) for i in ids] == ["reserved"] * 3
    sure = hr.post("/studio/redemptions/fulfilments", data=chosen | {"sure": "yes"})
    assert sure.status_code == 303
    assert [status(i) for i in ids] == ["fulfilled", "fulfilled", "reserved"]


def test_it_settles_the_others_when_one_cannot_be(shop: Shop, hr: FlaskClient) -> None:
    member, reward = shop.member(500), shop.reward()
    ids = [service.redeem(member.id, reward.id).id for _ in range(3)]
    service.fulfil(ids[1], shop.hr.id)
    chosen = {"redemption": [*map(str, ids), "nonsense", str(uuid.uuid4())], "sure": "yes"}
    response = hr.post(
        "/studio/redemptions/cancellations", data=chosen | {"reason": "out-of-stock"}
    )
    assert [status(i) for i in ids] == ["cancelled", "fulfilled", "cancelled"]
    told = response.get_data(as_text=True)
    results = re.findall(r'data-label="Result"><span>.*?</svg> ([^<]*)<', told, re.DOTALL)
    assert sorted(results) == ["Cancelled", "Cancelled", "This reward has already been delivered."]
    assert "2 redemptions noted." in told
    assert "One had been settled otherwise" in told
    assert shop.balance(member).available == 420


def test_it_needs_a_choice_for_several(shop: Shop, hr: FlaskClient) -> None:
    response = hr.post("/studio/redemptions/cancellations", data={"sure": "yes"})
    assert (response.status_code, response.location) == (303, "/studio/redemptions")


def test_it_downloads_the_filtered_list_and_runs_nothing(shop: Shop, hr: FlaskClient) -> None:
    reward = shop.reward(title='=HYPERLINK("http://elsewhere.example")')
    member = shop.member(500, "@Nadia; Ferrand", email="nadia@halvenne.example")
    one = service.redeem(member.id, reward.id).id
    service.fulfil(service.redeem(member.id, reward.id).id, shop.hr.id)
    response = hr.get("/studio/redemptions.csv?state=reserved")
    body = response.get_data(as_text=True)
    assert response.content_type == "text/csv; charset=utf-8"
    assert 'filename="redemptions.csv"' in response.headers["Content-Disposition"]
    assert body.startswith("\ufeff")
    header, row, *end = csv.reader(io.StringIO(body.removeprefix("\ufeff")), delimiter=";")
    assert [len(line) for line in end] == [0, 1]
    line = dict(zip(header, row, strict=True))
    assert line["Redemption"] == str(one)
    assert line["Reward"].startswith("'=HYPERLINK")
    assert line["Member"] == "'@Nadia; Ferrand"
    assert line["Points"] == "80"
    noted = select(AuditEntry.actor_id).where(AuditEntry.action == "redemptions.exported")
    assert db.session.scalars(noted).all() == [shop.hr.id]


def test_it_reads_the_lists_in_few_statements_however_long(
    shop: Shop, hr: FlaskClient, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    member = shop.member(500)
    for path, most in (("/studio/redemptions", 5), ("/studio/rewards", 7)):
        counted = []
        for _ in range(2):
            for n in range(5):
                service.redeem(member.id, shop.reward(title=f"n° {n}", cost=1).id)
            hr.get(path)
            counted.append(count_queries(lambda path=path: hr.get(path)))
        assert counted[0] == counted[1] <= most, path


# ---- Stock that runs out, and paper


def titles(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', page)


def test_it_marks_and_finds_what_runs_out(shop: Shop, hr: FlaskClient) -> None:
    shop.reward(title="Bien garni", stock=40, cost=1)
    shop.reward(title="Sans limite", stock=None, cost=2)
    shop.reward(title="Deux livres", stock=2, cost=3)
    shop.reward(title="Épuisé", stock=0, cost=4)
    member, tenth = shop.member(500), shop.reward(title="Le dixième", stock=30, cost=5)
    for _ in range(27):
        service.redeem(member.id, tenth.id)
    page = text_of(hr, "/studio/rewards")
    assert page.count("due-soon") == 3
    assert titles(text_of(hr, "/studio/rewards?state=low")) == [
        "Deux livres", "Épuisé", "Le dixième",
    ]  # fmt: skip


def test_it_finds_a_reward_by_its_title_within_the_filter(shop: Shop, hr: FlaskClient) -> None:
    shop.reward(title="Un livre 100 % papier")
    shop.reward(title="Un couteau")
    assert titles(text_of(hr, "/studio/rewards?q=livre+100+%25")) == ["Un livre 100 % papier"]
    assert "No reward fits these filters." in text_of(hr, "/studio/rewards?q=avion")
    assert "Nothing runs out" not in text_of(hr, "/studio/rewards?state=low&q=livre")
    assert text_of(hr, "/studio/rewards?state=nonsense")


def test_its_pages_of_a_filter_keep_the_filter(shop: Shop, hr: FlaskClient) -> None:
    for n in range(52):
        shop.reward(title=f"Livre {n:02}", cost=n + 1)
    page = text_of(hr, "/studio/rewards?q=livre")
    found = re.search(r'href="(/studio/rewards\?[^"]*)" rel="next"', page)
    assert found is not None
    following = found[1].replace("&amp;", "&")
    assert "q=livre" in following
    assert titles(text_of(hr, following)) == ["Livre 50", "Livre 51"]


def test_it_prints_what_waits_by_who_hands_it_over(shop: Shop, hr: FlaskClient) -> None:
    gael = shop.reward(title="Livre")
    other = shop.person("Sofiane Adel")
    sofiane = shop.reward(title="Couteau", deliverer_id=other.id)
    member = shop.member(500, site="Lorient")
    service.redeem(member.id, gael.id)
    service.redeem(member.id, sofiane.id)
    service.fulfil(service.redeem(member.id, gael.id).id, shop.hr.id)
    page = text_of(hr, "/studio/redemptions/list?state=fulfilled")
    assert re.findall(r'<h2 class="section-title"[^>]*>([^<]*)<', page) == [
        "Gaël Lebrun", "Sofiane Adel",
    ]  # fmt: skip
    assert page.count('<th scope="row">Maëlle Kerjan') == 2
    assert "employee" not in page.lower()
    one = text_of(hr, f"/studio/redemptions/list?reward={gael.id}")
    assert "Sofiane Adel" not in one
    noted = select(AuditEntry.action).where(AuditEntry.action == "redemptions.printed")
    assert len(db.session.scalars(noted).all()) == 2


def test_a_deliverer_prints_only_their_own(shop: Shop) -> None:
    other = shop.person("Sofiane Adel")
    member = shop.member(500)
    service.redeem(member.id, shop.reward(title="À moi").id)
    service.redeem(member.id, shop.reward(title="À lui", deliverer_id=other.id).id)
    page = text_of(shop.house.browser(shop.deliverer), "/play/deliveries/list")
    assert "À moi" in page
    assert "À lui" not in page
    assert "Nothing to hand over" in text_of(shop.house.browser(member), "/play/deliveries/list")
