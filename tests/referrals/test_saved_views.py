"""Saved views: a person's own filters of the team's lists."""

from __future__ import annotations

import uuid

import pytest
from flask.testing import FlaskClient

from app.errors import InvalidInput
from app.people import saved_views
from app.people.models import Person
from app.people.saved_views import UnknownView
from app.referrals.board import LIST
from tests.conftest import House

LONG = "x" * 500


@pytest.fixture
def sofiane(house: House) -> Person:
    return house.person("Sofiane Belkhir", "recruiter", language="en")


@pytest.fixture
def browser(house: House, sofiane: Person) -> FlaskClient:
    return house.browser(sofiane)


def names(person: Person) -> list[str]:
    return [view.name for view in saved_views.views_of(LIST, person.id)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("stage=interview&view=mine", "view=mine&stage=interview"),
        ("?view=running&stage=interview", "stage=interview"),
        ("stage=interview&after=abc&before=x&all=1&evil=1", "stage=interview"),
        ("stage=&q=++&site=Lorient", "site=Lorient"),
        ("q=a&q=b", "q=a"),
        ("q=two%0Alines%00", "q=two+lines"),
        ("//evil.example", ""),
        ("&".join(f"a{n}=1" for n in range(60)), ""),
        (f"q={LONG}", f"q={'x' * 200}"),
        ("", ""),
    ],
)
def test_only_the_filters_a_list_declares_are_kept(given: str, kept: str) -> None:
    assert saved_views.cleaned(LIST, given) == kept


def test_a_view_is_kept_and_shown_above_the_list(browser: FlaskClient, sofiane: Person) -> None:
    page = browser.get("/studio/referrals?stage=interview").get_data(as_text=True)
    assert 'action="/studio/views/referrals"' in page
    answer = browser.post(
        "/studio/views/referrals",
        data={"name": "  My   interviews ", "query": "stage=interview&after=zzz"},
    )
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/studio/referrals?stage=interview",
    )
    page = browser.get("/studio/referrals?view=running&stage=interview").get_data(as_text=True)
    assert 'href="/studio/referrals?stage=interview" aria-current="page">My interviews' in page
    assert 'name="query"' not in page  # kept already
    assert names(sofiane) == ["My interviews"]


def test_a_name_in_use_shows_these_filters_from_now_on(sofiane: Person) -> None:
    first = saved_views.keep(LIST, sofiane.id, "Mine", "view=mine")
    again = saved_views.keep(LIST, sofiane.id, "Mine", "view=late")
    assert first.id == again.id
    assert [view.query for view in saved_views.views_of(LIST, sofiane.id)] == ["view=late"]


def test_a_name_is_text_and_nothing_else(browser: FlaskClient, sofiane: Person) -> None:
    saved_views.keep(LIST, sofiane.id, "<script>alert(1)</script>", "view=late")
    for path in ("/studio/referrals?view=late", "/studio/views/referrals"):
        page = browser.get(path).get_data(as_text=True)
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [("", "view=late", "name"), ("x" * 61, "view=late", "name"), ("Empty", "after=1", "query")],
)
def test_what_cannot_be_kept_comes_back_with_its_words(
    browser: FlaskClient, sofiane: Person, name: str, query: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        saved_views.keep(LIST, sofiane.id, name, query)
    assert list(refused.value.errors) == [field]
    answer = browser.post("/studio/views/referrals", data={"name": name, "query": query})
    assert answer.status_code == 422
    assert f'value="{name}"' in answer.get_data(as_text=True)
    assert names(sofiane) == []


def test_a_list_takes_a_dozen_and_says_so(sofiane: Person) -> None:
    for number in range(saved_views.MOST):
        saved_views.keep(LIST, sofiane.id, f"View {number}", "view=late")
    with pytest.raises(InvalidInput):
        saved_views.keep(LIST, sofiane.id, "One more", "view=late")
    saved_views.keep(LIST, sofiane.id, "View 3", "view=mine")
    assert len(names(sofiane)) == saved_views.MOST


def test_the_bare_address_opens_the_usual_view(browser: FlaskClient, sofiane: Person) -> None:
    assert browser.get("/studio/referrals").status_code == 200
    first = saved_views.keep(LIST, sofiane.id, "Late", "view=late", default=True)
    answer = browser.get("/studio/referrals")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/studio/referrals?view=late")
    assert "no-store" in answer.headers["Cache-Control"]
    for untouched in ("/studio/referrals?all=1", "/studio/referrals?view=mine"):
        assert browser.get(untouched).status_code == 200
    assert browser.get("/studio/referrals", headers={"HX-Request": "true"}).status_code == 200
    assert 'href="/studio/referrals?all=1"' in browser.get("/studio/referrals?view=late").get_data(
        as_text=True
    )
    browser.post(f"/studio/views/{first.id}/default", data={"default": "0"})
    assert browser.get("/studio/referrals").status_code == 200


def test_one_view_at_most_is_the_usual_one(any_house: House) -> None:
    person = any_house.person("Sofiane Belkhir", "recruiter")
    saved_views.keep(LIST, person.id, "Late", "view=late", default=True)
    second = saved_views.keep(LIST, person.id, "Mine", "view=mine", default=True)
    views = saved_views.views_of(LIST, person.id)
    assert [(view.name, view.is_default) for view in views] == [("Late", False), ("Mine", True)]
    saved_views.move_up(second.id, person.id)
    assert names(person) == ["Mine", "Late"]
    saved_views.move_up(second.id, person.id)
    assert names(person) == ["Mine", "Late"]


def test_it_is_renamed_and_removed(browser: FlaskClient, sofiane: Person) -> None:
    late = saved_views.keep(LIST, sofiane.id, "Late", "view=late")
    saved_views.keep(LIST, sofiane.id, "Mine", "view=mine")
    taken = {"name": "Mine", "place": "referrals"}
    answer = browser.post(f"/studio/views/{late.id}/name", data=taken)
    assert answer.status_code == 422
    assert "You have a view of this name already." in answer.get_data(as_text=True)
    assert (
        browser.post(f"/studio/views/{late.id}/name", data={"name": "Too late"}).status_code == 303
    )
    assert names(sofiane) == ["Too late", "Mine"]
    browser.post(f"/studio/views/{late.id}/rank")
    assert browser.post(f"/studio/views/{late.id}/deletion").status_code == 303
    assert names(sofiane) == ["Mine"]
    assert browser.get("/studio/views/referrals").status_code == 200


@pytest.mark.parametrize("act", ["name", "default", "rank", "deletion"])
def test_anothers_view_is_unknown(house: House, sofiane: Person, act: str) -> None:
    view = saved_views.keep(LIST, sofiane.id, "Late", "view=late")
    other = house.browser(house.person("Pauline Delmotte", "recruiter", "admin"))
    data = {"name": "Mine now", "place": "referrals", "default": "1"}
    assert other.post(f"/studio/views/{view.id}/{act}", data=data).status_code == 404
    assert other.post(f"/studio/views/{uuid.uuid4()}/{act}", data=data).status_code == 404
    assert "Late" not in other.get("/studio/views/referrals").get_data(as_text=True)
    (left,) = saved_views.views_of(LIST, sofiane.id)
    assert (left.name, left.is_default) == ("Late", False)


def test_a_list_one_may_not_open_has_no_views(house: House) -> None:
    curator = house.browser(house.person("Inès Cadiou", "curator"))
    form = {"name": "Late", "query": "view=late"}
    assert curator.post("/studio/views/referrals", data=form).status_code == 404
    assert curator.get("/studio/views/referrals").status_code == 404
    assert curator.get("/studio/views/nothing").status_code == 404
    member = house.browser(house.person())
    assert member.post("/studio/views/referrals", data=form).status_code == 403
    with pytest.raises(UnknownView):
        saved_views.team_list("referrals", frozenset({"curator"}))


def test_the_way_to_keep_works_as_a_page_of_its_own(browser: FlaskClient) -> None:
    page = browser.get("/studio/views/referrals/new?query=view%3Dlate").get_data(as_text=True)
    assert 'value="view=late"' in page


def test_the_offers_have_views_as_well(browser: FlaskClient, house: House) -> None:
    house.offer("Charpente")
    answer = browser.post(
        "/studio/views/offers", data={"name": "Open", "query": "all=1&status=open", "default": "1"}
    )
    assert answer.headers["Location"] == "/studio/offers?status=open"
    assert browser.get("/studio/offers").headers["Location"] == "/studio/offers?status=open"
    assert browser.get("/studio/offers?all=1").status_code == 200


def test_the_redemptions_have_views_as_well(house: House) -> None:
    marc = house.person("Marc Aubin", "hr", language="en")
    desk = house.browser(marc)
    form = {"name": "Delivered", "query": "state=fulfilled&after=x", "default": "1"}
    answer = desk.post("/studio/views/redemptions", data=form)
    assert answer.headers["Location"] == "/studio/redemptions?state=fulfilled"
    assert desk.get("/studio/redemptions").status_code == 302
    page = desk.get("/studio/redemptions?state=reserved").get_data(as_text=True)
    assert 'href="/studio/redemptions?state=fulfilled">Delivered' in page
