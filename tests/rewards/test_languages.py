"""A reward in both languages: whoever reads meets it in theirs, wherever it is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.errors import InvalidInput
from app.people.models import Person
from app.rewards import overrides, queries, service
from app.rewards.models import Reward
from app.rewards.overrides import OwnTerms
from app.rewards.queries import RedemptionFilter, RewardFilter
from app.web.cursors import Beside
from tests.rewards.conftest import Shop
from tests.rewards.test_entities import entity, moved
from tests.rewards.test_member_pages import text_of

FRENCH, ENGLISH = "Dix plants de douglas", "Ten Douglas fir saplings"
IN_FRENCH, IN_ENGLISH = "Plantés en mars, avec qui veut.", "Planted in March, with anybody."
BOTH = {"language": "fr", "other_title": ENGLISH, "other_description": IN_ENGLISH}


def trees(shop: Shop, **fields: Any) -> Reward:
    return shop.reward(**({"title": FRENCH, "description": IN_FRENCH} | BOTH | fields))


@pytest.fixture
def reader(shop: Shop) -> Person:
    """A member who reads English."""
    return shop.member(300, "Aminata Sy")


@pytest.fixture
def lecteur(shop: Shop) -> Person:
    """A member who reads French."""
    return shop.member(300, "Théo Rossignac", language="fr")


@pytest.fixture
def hr(shop: Shop) -> FlaskClient:
    return shop.house.browser(shop.hr)


def form(shop: Shop, **fields: str) -> dict[str, str]:
    return {
        "title": FRENCH, "description": IN_FRENCH, "cost": "60", "stock": "", "unlimited": "y",
        "pay_class": "employer donation", "deliverer": shop.deliverer.email, **BOTH,
    } | fields  # fmt: skip


# ---- Where it is read


def test_each_member_meets_it_in_their_language(
    shop: Shop, reader: Person, lecteur: Person
) -> None:
    reward = trees(shop)
    for person, mine, theirs in ((reader, ENGLISH, FRENCH), (lecteur, FRENCH, ENGLISH)):
        browser = shop.house.browser(person)
        redemption = service.redeem(person.id, reward.id)
        for path in ("/play/rewards", "/play", f"/play/rewards/{reward.id}", "/play/redemptions",
                     f"/play/redemptions/{redemption.id}"):  # fmt: skip
            page = text_of(browser, path)
            assert mine in page and theirs not in page, path
        service.cancel(redemption.id, person.id)


def test_the_page_says_which_language_it_is(shop: Shop, reader: Person, lecteur: Person) -> None:
    reward, old = trees(shop), shop.reward(title="Sans langue")
    for person, language, told in ((reader, "en", IN_ENGLISH), (lecteur, "fr", IN_FRENCH)):
        browser = shop.house.browser(person)
        page = text_of(browser, f"/play/rewards/{reward.id}")
        assert f'<h1 lang="{language}">' in page
        assert f'<div class="prose" lang="{language}"><p>{told}</p>' in page
        assert "<h1>Sans langue</h1>" in text_of(browser, f"/play/rewards/{old.id}")


def test_where_the_other_language_is_missing_all_read_the_one_there_is(
    shop: Shop, reader: Person
) -> None:
    reward = trees(shop, other_title="", other_description="")
    page = text_of(shop.house.browser(reader), f"/play/rewards/{reward.id}")
    assert f'<h1 lang="fr">{FRENCH}</h1>' in page
    assert IN_FRENCH in page


def test_it_waits_on_today_in_the_language_of_the_reader(any_shop: Shop) -> None:
    reward = trees(any_shop)
    for name, language, title in (("Aminata", "en", ENGLISH), ("Théo", "fr", FRENCH)):
        person = any_shop.member(300, name, language=language)
        redemption = service.redeem(person.id, reward.id)
        page = text_of(any_shop.house.browser(person), "/")
        assert re.search(rf">{title}</\w+>", page)
        assert f"/play/redemptions/{redemption.id}" in page


def test_each_mail_names_it_in_the_language_of_who_gets_it(shop: Shop, lecteur: Person) -> None:
    reward = trees(shop)  # who hands it over reads English
    redemption = service.redeem(lecteur.id, reward.id)
    outbox.drain()
    service.fulfil(redemption.id, shop.deliverer.id)
    outbox.drain()
    letters = dict(shop.mails())
    assert ENGLISH in letters[shop.deliverer.email]
    assert FRENCH in letters[lecteur.email]


def test_those_who_hand_over_find_it_by_a_word_of_either_language(
    any_shop: Shop,
) -> None:
    reward, member = trees(any_shop), any_shop.member(300)
    service.redeem(member.id, reward.id)
    for word in ("plants", "saplings"):
        for language, title in (("fr", FRENCH), ("en", ENGLISH), (None, FRENCH)):
            (row,) = queries.redemptions(RedemptionFilter(q=word, language=language)).rows
            assert row.title == title
            (kept,) = queries.rewards(RewardFilter(q=word, language=language)).rows
            assert (kept.title, kept.language) == (title, language or "fr")
    assert queries.rewards(RewardFilter(q="bouleau")) == Beside([])


def test_what_an_entity_says_is_said_to_all_its_readers(
    shop: Shop, reader: Person, lecteur: Person
) -> None:
    reward, mer = trees(shop), entity("Mer")
    own = "À la pépinière de Lorient"
    overrides.override(reward.id, mer, OwnTerms(description=own), actor_id=shop.hr.id)
    for person, title in ((reader, ENGLISH), (lecteur, FRENCH)):
        page = text_of(shop.house.browser(moved(person, mer)), f"/play/rewards/{reward.id}")
        assert title in page
        assert f'<div class="prose"><p>{own}</p>' in page


# ---- Where it is written


def test_hr_writes_both_in_the_studio(shop: Shop, hr: FlaskClient) -> None:
    assert hr.post("/studio/rewards", data=form(shop)).status_code == 303
    (row,) = queries.rewards(queries.RewardFilter()).rows
    assert (row.title, row.language) == (FRENCH, "fr")
    assert (row.other_title, row.other_description) == (ENGLISH, IN_ENGLISH)
    assert ENGLISH in text_of(hr, "/studio/rewards")
    page = text_of(hr, f"/studio/rewards/{row.id}")
    for typed in (FRENCH, IN_FRENCH, ENGLISH, IN_ENGLISH):
        assert typed in page
    changed = form(shop, other_title=" Ten  saplings ", description="", other_description="")
    assert hr.post(f"/studio/rewards/{row.id}", data=changed).status_code == 303
    found = queries.reward(row.id, language="en")
    assert found is not None
    assert (found.title, found.description) == ("Ten saplings", "")


def test_what_is_not_said_stays_as_it_was(shop: Shop) -> None:
    reward = trees(shop)
    service.update_reward(reward.id, **shop.terms(), actor_id=shop.hr.id)
    found = queries.reward(reward.id, language="en")
    assert found is not None
    assert (found.title, found.description) == (ENGLISH, IN_ENGLISH)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"language": None}, "language"),
        ({"language": "br"}, "language"),
        ({"other_title": " "}, "other_title"),
        ({"other_title": "x" * 121}, "other_title"),
        ({"other_description": ""}, "other_description"),
        ({"other_description": "x" * 1001}, "other_description"),
    ],
)
def test_it_refuses_half_a_translation(shop: Shop, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        trees(shop, **fields)
    assert [*refusal.value.errors] == [named]
    assert queries.rewards(queries.RewardFilter()) == Beside([])


def test_it_refuses_to_leave_half_a_translation(shop: Shop) -> None:
    reward = trees(shop)
    terms = shop.terms(other_description="", actor_id=shop.hr.id)
    with pytest.raises(InvalidInput) as refusal:
        service.update_reward(reward.id, **terms)
    assert [*refusal.value.errors] == ["other_description"]
    found = queries.reward(reward.id, language="en")
    assert found is not None
    assert (found.title, found.description) == (ENGLISH, IN_ENGLISH)


def test_the_form_says_what_is_missing_at_its_field(shop: Shop, hr: FlaskClient) -> None:
    refused = hr.post("/studio/rewards", data=form(shop, other_description=""))
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert 'id="other_description-error"' in page
    assert ENGLISH in page
