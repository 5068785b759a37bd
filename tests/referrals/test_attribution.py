"""F34, F35: claims, the written rule, and who is credited."""

from __future__ import annotations

import datetime as dt

import pytest

from app import clock, outbox
from app.db import transaction
from app.errors import InvalidInput
from app.referrals import attribution, links, queries, service
from app.referrals.errors import OfferClosed
from app.referrals.models import Referral
from tests.conftest import House


def standing(referral_id: object) -> tuple[object, list[tuple[str, str, str | None]]]:
    row = queries.referral(referral_id)  # type: ignore[arg-type]
    assert row is not None
    claims = queries.detail(row, for_referrer=False).claims
    return row.referrer_id, [(c.person_name, c.outcome, c.reason) for c in claims]


def test_the_code_of_the_submitted_form_wins_and_a_later_claim_loses(house: House) -> None:
    maelle, theo = house.person("Maëlle Kerjan"), house.person("Théo Rossignac")
    offer = house.offer()
    referral = house.referral(maelle, offer, email="n@mail.example")
    clock.travel(dt.timedelta(hours=1))
    again = house.referral(theo, offer, email="N@mail.example ")
    assert again == referral, "the same mailbox for the same offer is the same referral"
    referrer, told = standing(referral)
    assert referrer == maelle.id
    assert told == [("Maëlle Kerjan", "won", None), ("Théo Rossignac", "lost", "earlier-claim")]


def test_nobody_is_credited_for_recommending_themselves(house: House) -> None:
    maelle = house.person("Maëlle Kerjan", email="maelle@halvenne.example")
    referral = house.referral(maelle, email="Maelle@halvenne.example")
    referrer, told = standing(referral)
    assert referrer is None
    assert told == [("Maëlle Kerjan", "lost", "self-referral")]


def test_a_person_may_overrule_the_rule(house: House) -> None:
    maelle, theo = house.person("Maëlle Kerjan"), house.person("Théo Rossignac")
    referral = house.referral(maelle)
    with transaction() as session:
        attribution.claim(session.get_one(Referral, referral), theo.id, "human", clock.now())
    referrer, told = standing(referral)
    assert referrer == theo.id
    assert ("Maëlle Kerjan", "lost", "decided-by-a-person") in told


def test_the_same_person_may_apply_to_another_offer(house: House) -> None:
    maelle = house.person()
    first = house.referral(maelle, email="n@mail.example")
    assert house.referral(maelle, house.offer("Autre"), email="n@mail.example") != first


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", ""), ("first_name", "x" * 101), ("last_name", "a\x00b"), ("email", "nowhere"),
        ("email", "a@b"), ("email", "x" * 200_000), ("visibility", "everything"),
        ("notice_version", ""), ("code", "NOPE"),
    ],
)  # fmt: skip
def test_an_application_says_what_is_wrong_by_field(house: House, field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        service.apply(house.offer(), house.application(**{field: value}))
    assert set(refused.value.errors) == {field}


def test_a_revoked_code_is_told_and_the_person_may_apply_without_it(house: House) -> None:
    maelle, offer = house.person(), house.offer()
    link = links.link_for(maelle.id, offer, "link")
    links.revoke(maelle.id, link.id)
    with pytest.raises(InvalidInput) as refused:
        service.apply(offer, house.application(code=link.code))
    assert "code" in refused.value.errors
    assert service.apply(offer, house.application())
    fresh = links.link_for(maelle.id, offer, "link")
    assert fresh.code != link.code


def test_a_closed_offer_takes_no_application(house: House) -> None:
    from app.referrals import offers

    offer = house.offer()
    offers.close_offer(offer, actor_id=None)
    with pytest.raises(OfferClosed):
        service.apply(offer, house.application())


def test_the_referrer_sees_what_the_candidate_chose(house: House) -> None:
    maelle, recruiter = house.person(), house.person("Sofiane Belkhir", "recruiter")
    seen = {}
    for visibility in ("all", "ends", "none"):
        referral = house.referral(maelle, visibility=visibility)
        service.set_stage(referral, "interview", actor_id=recruiter.id, actor_role="recruiter")
        outbox.drain()
        row = queries.referral(referral, referrer_id=maelle.id)
        seen[visibility] = (row.stage, row.candidate_name) if row else None
    assert seen == {
        "all": ("interview", "Nadia F."),
        "ends": ("received", "Nadia F."),
        "none": None,
    }


def test_a_filter_by_stage_never_finds_what_is_hidden(house: House) -> None:
    maelle, recruiter = house.person(), house.person("Sofiane Belkhir", "recruiter")
    for visibility in ("all", "ends"):
        referral = house.referral(maelle, visibility=visibility)
        service.set_stage(referral, "interview", actor_id=recruiter.id, actor_role="recruiter")
    mine = queries.ReferralFilter(referrer_id=maelle.id, stage="interview")
    assert [row.visibility for row in queries.referrals(mine).rows] == ["all"]
    as_received = queries.ReferralFilter(referrer_id=maelle.id, stage="received")
    assert [row.visibility for row in queries.referrals(as_received).rows] == ["ends"]
