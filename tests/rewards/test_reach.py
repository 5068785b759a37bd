"""HR of a part of the organisation: what lies outside its segments does not exist for it."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from flask.testing import FlaskClient

from app import outbox
from app.db import db, transaction
from app.people import audiences, segments_reach
from app.people import service as people
from app.people.audiences import KEPT
from app.people.models import Person
from app.rewards import queries, service
from app.rewards.errors import NoSuchRedemption
from tests.conftest import Caller
from tests.rewards.conftest import Shop
from tests.rewards.test_entities import segment
from tests.rewards.test_member_pages import text_of


class Part:
    """Two members, one within a segment whose HR is Solenn, and a reward of each side."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.inside = shop.member(2000, "Anne Morvan", site="Lorient")
        self.outside = shop.member(2000, "Yann Le Goff", site="Brest")
        self.lorient, self.brest = segment("Lorient", self.inside.id), segment("Brest")
        self.solenn = shop.person("Solenn Guillou")
        segments_reach.give_role(self.solenn.id, "hr", self.lorient, actor_id=None)
        db.session.expire_all()
        self.kept = shop.reward(title="Kept", keepers=[self.lorient])
        self.shared = shop.reward(title="Shared by all")
        self.elsewhere = shop.reward(title="Elsewhere", keepers=[self.brest])
        self.hers = service.redeem(self.inside.id, self.shared.id).id
        self.theirs = service.redeem(self.outside.id, self.kept.id).id

    def browser(self) -> FlaskClient:
        return self.shop.house.browser(self.solenn)

    def caller(self) -> Caller:
        return self.shop.house.caller(db.session.get_one(Person, self.solenn.id))


@pytest.fixture
def part(shop: Shop) -> Part:
    return Part(shop)


def form(**fields: str) -> dict[str, str]:
    return {
        "title": "Un livre", "cost": "80", "stock": "40", "pay_class": "gift in kind",
    } | fields  # fmt: skip


def lines(text: str) -> list[dict[str, str]]:
    """The lines between the header and the notice, which stands alone after an empty line."""
    table = text.removeprefix("\ufeff").rpartition("\r\n\r\n")[0]
    return [*csv.DictReader(io.StringIO(table), delimiter=";")]


def test_limited_hr_finds_only_the_rewards_that_her_segments_keep(part: Part) -> None:
    listed = text_of(part.browser(), "/studio/rewards")
    assert [title in listed for title in ("Kept", "Shared by all", "Elsewhere")] == [
        True, False, False,
    ]  # fmt: skip


def test_another_reward_is_answered_like_an_unknown_one(part: Part) -> None:
    solenn, typed = part.browser(), form(deliverer=part.shop.deliverer.email)
    entity = uuid.uuid4()
    for path in ("", "/withdrawal", f"/entities/{entity}", f"/entities/{entity}/removal"):
        for reward_id in (part.shared.id, part.elsewhere.id, uuid.uuid4()):
            told = solenn.post(f"/studio/rewards/{reward_id}{path}", data=typed)
            assert told.status_code == 404, path
    for reward_id in (part.shared.id, uuid.uuid4()):
        assert solenn.get(f"/studio/rewards/{reward_id}").status_code == 404
    row = queries.reward(part.shared.id)
    assert row is not None and (row.title, row.withdrawn_at) == ("Shared by all", None)


def test_limited_hr_changes_what_she_keeps_and_hands_nothing_away(part: Part) -> None:
    solenn, path = part.browser(), f"/studio/rewards/{part.kept.id}"
    assert solenn.get(path).status_code == 200
    typed = form(title="Kept anew", deliverer=part.shop.deliverer.email)
    assert solenn.post(path, data=typed | {"keepers": str(part.brest)}).status_code == 422
    assert solenn.post(path, data=typed | {"keepers": str(part.lorient)}).status_code == 303
    assert audiences.assigned([part.kept.id], KEPT) == {part.kept.id: [(part.lorient, "Lorient")]}
    made = form(title="Made here", deliverer=part.shop.deliverer.email)
    assert solenn.post("/studio/rewards", data=made).status_code == 303
    (row,) = [
        row for row in queries.rewards(queries.RewardFilter()).rows if row.title == "Made here"
    ]
    for purpose in (audiences.SEEN, KEPT):
        assert audiences.assigned([row.id], purpose) == {row.id: [(part.lorient, "Lorient")]}
    assert solenn.post(f"{path}/withdrawal").status_code == 303


def test_limited_hr_settles_what_her_people_wait_for_and_knows_of_no_other(part: Part) -> None:
    solenn = part.browser()
    board = text_of(solenn, "/studio/redemptions?state=all")
    assert part.inside.name in board and part.outside.name not in board
    assert part.outside.name not in text_of(solenn, "/studio/redemptions?q=Yann")
    assert part.outside.name not in text_of(solenn, f"/studio/redemptions?reward={part.kept.id}")
    for act in ("fulfilment", "cancellation"):
        told = [
            solenn.post(f"/studio/redemptions/{one}/{act}") for one in (part.theirs, uuid.uuid4())
        ]
        assert [each.status_code for each in told] == [404, 404]
    chosen = {"redemption": [str(part.theirs)], "sure": "yes"}
    solenn.post("/studio/redemptions/fulfilments", data=chosen)
    (row,) = queries.by_ids({part.theirs})
    assert row.is_open
    assert solenn.post(f"/studio/redemptions/{part.hers}/fulfilment").status_code == 303
    (row,) = queries.by_ids({part.hers})
    assert (row.status, row.settled_by) == ("fulfilled", part.solenn.id)


def test_her_papers_and_exports_hold_her_people_alone(part: Part) -> None:
    solenn = part.browser()
    for path in ("/studio/redemptions/list", "/studio/redemptions.csv?state=all"):
        text = text_of(solenn, path)
        assert part.inside.name in text and part.outside.name not in text, path
    assert len(lines(text_of(part.shop.house.browser(part.shop.hr), path))) == 2


def test_the_services_themselves_know_how_far_she_reaches(part: Part) -> None:
    for act in (service.fulfil, service.cancel):
        with pytest.raises(NoSuchRedemption):
            act(part.theirs, part.solenn.id)
    assert service.readable(part.hers, part.solenn.id, ()).id == part.hers
    with pytest.raises(NoSuchRedemption):
        service.readable(part.theirs, part.solenn.id, ())
    assert service.fulfil(part.hers, part.solenn.id).status == "fulfilled"


def test_a_deliverer_sees_what_she_must_deliver_wherever_it_is(part: Part) -> None:
    gael = part.shop.house.browser(part.shop.deliverer)
    page = text_of(gael, "/play/deliveries")
    assert part.inside.name in page and part.outside.name in page
    assert gael.post(f"/play/deliveries/{part.theirs}/fulfilment").status_code == 303


def test_mails_go_to_hr_as_far_as_the_member_is_within_reach(part: Part) -> None:
    outbox.drain()
    part.shop.mails()
    people.depart(part.shop.deliverer.id)
    everywhere, hers = part.shop.hr.email, part.solenn.email
    service.redeem(part.inside.id, part.shared.id)
    outbox.drain()
    to = [address for address, _subject in part.shop.mails()]
    assert sorted(to) == sorted([everywhere, hers])
    service.redeem(part.outside.id, part.shared.id)
    outbox.drain()
    assert [address for address, _subject in part.shop.mails()] == [everywhere]


def test_a_program_of_hers_reaches_no_further(part: Part) -> None:
    api = part.caller()
    seen = {item["title"] for item in api.get("/rewards?entity=shared")["items"]}
    assert seen == {"Kept"}
    assert api.call("GET", f"/redemptions/{part.hers}").status_code == 200
    for one in (part.theirs, uuid.uuid4()):
        assert api.call("GET", f"/redemptions/{one}").status_code == 404
        assert api.call("POST", f"/redemptions/{one}/fulfilment", {}).status_code == 404
    new = {
        "title": "Made by program", "cost": 5, "stock": None, "pay_class": "gift in kind",
        "deliverer": "me",
    }  # fmt: skip
    refused = api.call("POST", "/rewards", new | {"audience": [str(part.brest)]})
    assert refused.status_code == 422 and "audience" in refused.json["errors"]
    made = api.post("/rewards", new)
    assert made["audience"] == [str(part.lorient)]
    kept = audiences.assigned([uuid.UUID(made["id"])], KEPT)
    assert [*kept.values()] == [[(part.lorient, "Lorient")]]


# ---- The accounts, once somebody has left


def test_the_accounts_keep_the_line_of_somebody_who_left_without_a_name(shop: Shop) -> None:
    reward, gone = shop.reward(cost=80), shop.member(500, "Nadia Ferrand", site="Lorient")
    other = shop.member(500, "Hugo Meynard")
    ones = [service.redeem(gone.id, reward.id).id for _ in range(2)]
    service.fulfil(ones[0], shop.hr.id)
    service.cancel(ones[1], gone.id)
    service.fulfil(service.redeem(other.id, reward.id).id, shop.hr.id)
    people.leave(gone.id)
    hr = shop.house.browser(shop.hr)
    for _ in range(2):
        text = text_of(hr, "/studio/redemptions.csv?state=all")
        found = {line["Redemption"]: line for line in lines(text)}
        told = [found[str(one)] for one in ones]
        assert [line["Points"] for line in told] == ["80", "80"]
        assert told[0]["Member"] == told[1]["Member"] != ""
        assert told[0]["Member"].startswith("Former member ")
        assert not any(word in text for word in (gone.name, gone.email, str(gone.id), gone.id.hex))
        assert {told[0]["Site"], told[1]["Mail"], told[1]["Settled by"]} == {""}
        assert other.name in text
        with transaction() as session:
            session.get_one(Person, gone.id).name = "Autre Nom"
