"""Halvenne, filled for real: alive, earned, the same each time."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import exists, func, select

from app import clock, demo, ledger
from app.charters.models import CharterVersion
from app.db import db
from app.demo import carrying, charter
from app.demo.applicants import REFERRALS
from app.demo.people import EVERYBODY
from app.demo.shelf import REWARDS
from app.demo.stories import STORIES
from app.library.models import Story, StoryText
from app.outbox.models import DONE, PENDING, OutboxDelivery
from app.people.models import ROLES, Credential, Membership, Person
from app.people.queries import person_by_email
from app.play.models import PointsAccount
from app.referrals.models import CLOSURE_REASONS, STAGES, AtsEvent, Claim, Offer, Referral
from app.rewards import queries
from app.rewards.models import Redemption
from app.sharing import reach
from app.sharing.models import Grant, Share
from standin.linkedin import StandIn
from tests.conftest import START
from tests.demo import figures
from tests.demo.conftest import Filled

pytestmark = pytest.mark.timeout(900)


def _count(*conditions: Any) -> int:
    return db.session.scalar(select(func.count()).where(*conditions)) or 0


def test_it_gives_the_same_figures_when_it_was_killed_twice_on_the_way(
    filled: Filled, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("halvenne")
    whole = figures.everything()
    request.getfixturevalue("killed_halvenne")
    assert figures.everything() == whole, f"killed on days {filled.killed_on}"


@pytest.mark.parametrize("which", ["halvenne", "killed_halvenne"])
def test_it_leaves_a_ledger_that_verifies_and_nothing_undelivered(
    which: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(which)
    assert ledger.verify().ok
    later = OutboxDelivery.not_before > clock.now()
    assert _count(OutboxDelivery.state != DONE, ~((OutboxDelivery.state == PENDING) & later)) == 0


def test_it_changes_nothing_when_it_is_filled_again(halvenne: Any) -> None:
    before = figures.everything()
    assert demo.fill() is False
    assert figures.everything() == before


def test_it_has_people_in_every_state(halvenne: Any) -> None:
    members = _count(Membership.left_at.is_(None))
    left = _count(Membership.left_at.is_not(None))
    assert (members, left) == (86, 8)
    assert _count(Person.departed_at.is_not(None)) == 3
    assert len(EVERYBODY) == _count(Person.id.is_not(None)) == 114
    assert _count(Person.language == "en") >= 8


def test_it_has_a_person_for_each_role_and_one_who_is_only_a_member(halvenne: Any) -> None:
    people = demo.describe()["people"]
    assert isinstance(people, list)
    held = [set(person["roles"]) for person in people]
    assert set.union(*held) == set(ROLES)
    assert {"member"} in held


def test_it_gives_a_password_to_the_ten_alone(halvenne: Any) -> None:
    with_password = select(Person.email).join(Credential, Credential.person_id == Person.id)
    named = {demo_person.email for demo_person in EVERYBODY if demo_person.is_named}
    assert set(db.session.scalars(with_password)) == named


def test_it_knows_nothing_of_those_who_never_joined(halvenne: Any) -> None:
    never = select(Person.id).where(~exists().where(Membership.person_id == Person.id))
    ids = set(db.session.scalars(never))
    assert len(ids) == 20
    for table in (PointsAccount, Share, Grant, Redemption):
        assert _count(table.person_id.in_(ids)) == 0
    assert _count(Referral.referrer_id.in_(ids)) == 0


def test_it_has_referrals_in_every_stage_and_for_every_reason(halvenne: Any) -> None:
    stages = figures.stages()
    assert set(stages) == set(STAGES)
    assert sum(stages.values()) >= len(REFERRALS)
    reasons = set(db.session.scalars(select(Referral.closure_reason).distinct())) - {None}
    assert set(CLOSURE_REASONS) - {"other"} <= reasons
    assert set(db.session.scalars(select(Referral.visibility))) == {"all", "ends", "none"}


def test_it_has_a_hire_that_waits_for_the_end_of_its_trial_period(halvenne: Any) -> None:
    maelle = person_by_email("maelle@halvenne.example")
    assert maelle is not None
    hired = db.session.scalars(
        select(Referral).where(Referral.referrer_id == maelle.id, Referral.stage == "hired")
    ).one()
    assert hired.starts_on is not None and hired.starts_on < START.date()
    assert figures.points()["maelle@halvenne.example"][1] >= 200


def test_it_has_a_claim_that_two_colleagues_made(halvenne: Any) -> None:
    disputed = select(Claim.referral_id).group_by(Claim.referral_id)
    disputed = disputed.having(func.count(Claim.person_id.distinct()) > 1)
    lost = set(db.session.scalars(select(Claim.reason).where(Claim.outcome == "lost")))
    assert len(db.session.scalars(disputed).all()) == 2
    assert lost == {"earlier-claim"}


def test_it_heard_its_tracking_system(halvenne: Any) -> None:
    states = set(db.session.scalars(select(AtsEvent.state)))
    assert states == {"applied"}
    assert _count(AtsEvent.kind == "hired") == 1
    tied = db.session.scalars(select(Referral).where(Referral.external_id == "990501")).one()
    assert tied.stage == "hired"


def test_it_took_offers_in_from_three_sources(halvenne: Any) -> None:
    assert _count(Offer.status == "open") >= 26
    assert _count(Offer.status == "closed") >= 4
    assert len(set(db.session.scalars(select(Offer.connection_id)))) == 3


def test_it_published_at_the_stand_in_what_it_says_it_published(
    halvenne: Any, filled: Filled
) -> None:
    posts = db.session.scalars(select(Share).where(Share.post_urn.is_not(None))).all()
    assert len(posts) > 80
    with StandIn(filled.whole / "standin", lenient=True) as network:
        there = {post["urn"]: post for post in network.posts()}
    assert {post.post_urn for post in posts} == set(there)
    alive = {urn for urn, post in there.items() if not post["deleted_at"]}
    assert {post.post_urn for post in posts if post.status == "published"} == alive


def test_it_never_posted_twice_when_it_was_killed(killed_halvenne: Any, filled: Filled) -> None:
    urns = [urn for urn in db.session.scalars(select(Share.post_urn)) if urn is not None]
    with StandIn(filled.killed / "standin", lenient=True) as network:
        there = [post["urn"] for post in network.posts()]
    assert sorted(urns) == sorted(there)


def test_it_measured_the_visits_of_its_posts(halvenne: Any) -> None:
    posts = db.session.scalars(select(Share).where(Share.status == "published")).all()
    figures_of = reach.reach_of(list(posts))
    clicks = [found["clicks"] for found in figures_of.values()]
    assert sum(figure.value for figure in clicks if figure is not None) > 400
    assert any(found["impressions"] is not None for found in figures_of.values())


def test_it_has_a_second_charter_that_most_agreed_to_again(halvenne: Any) -> None:
    assert _count(CharterVersion.published_at.is_not(None)) == 2
    members = [person for person in EVERYBODY if person.joined is not None and not person.left]
    again = [person for person in members if charter.second_answer(person) is not None]
    assert 0.6 < len(again) / len(members) < 0.95


def test_it_keeps_a_post_back_of_whoever_took_the_charter_back(halvenne: Any) -> None:
    paused = db.session.scalars(select(Share).where(Share.status == "paused")).all()
    assert [share.reason for share in paused] == ["charter"]


def test_it_has_stories_in_every_state_of_a_week(halvenne: Any) -> None:
    states = set(db.session.scalars(select(Story.status)))
    assert states == {"draft", "published", "withdrawn"}
    assert _count(Story.visible_from > clock.now()) >= 1
    soon = clock.now() + dt.timedelta(days=30)
    assert _count(Story.expires_at.between(clock.now(), soon)) >= 1


def test_it_has_rewards_delivered_waiting_and_called_off(halvenne: Any) -> None:
    states = {str(status) for status in db.session.scalars(select(Redemption.status))}
    assert states == {"reserved", "fulfilled", "cancelled"}


def test_it_tells_its_stories_and_rewards_in_both_languages(halvenne: Any) -> None:
    told = select(Story.id, func.count(StoryText.language.distinct()))
    told = told.join(StoryText, StoryText.story_id == Story.id).group_by(Story.id)
    assert [count for _id, count in db.session.execute(told)] == [2] * len(STORIES)
    shelf = {
        language: queries.rewards(queries.RewardFilter(language=language)).rows
        for language in ("fr", "en")
    }
    for french, english in zip(shelf["fr"], shelf["en"], strict=True):
        assert (french.language, english.language) == ("fr", "en")
        assert french.title != english.title and french.description != english.description
    assert len(shelf["fr"]) == len(REWARDS)


def test_its_members_speak_in_their_own_language(halvenne: Any) -> None:
    spoken = select(Share.language).join(Person, Person.id == Share.person_id)
    for language in ("fr", "en"):
        found = set(db.session.scalars(spoken.where(Person.language == language)))
        assert found == {language}


def test_it_leaves_several_members_with_points_to_spend(halvenne: Any) -> None:
    assert sum(available >= 60 for available, _, _ in figures.points().values()) >= 8


def test_it_says_what_the_contract_promises(halvenne: Any) -> None:
    said = json.loads(json.dumps(demo.describe()))
    assert {"people", "connections"} <= set(said)
    for person in said["people"]:
        assert {"email", "password", "roles", "token", "charter_accepted", "grants"} <= set(person)
    assert [person["charter_accepted"] for person in said["people"]].count(False) == 1
    assert {"kind", "webhook_url", "secret"} <= set(said["connections"][0])
    assert json.loads(json.dumps(demo.describe())) == said


def test_it_sends_no_mail_to_a_server(halvenne: Any, filled: Filled) -> None:
    letters = list((filled.whole / "mail").glob("*.eml"))
    assert len(letters) > 200
    assert any("mail.example" in letter.read_text() for letter in letters)


def test_it_dates_its_newest_figures_today(halvenne: Any) -> None:
    newest = db.session.scalar(select(func.max(Share.created_at)))
    assert newest is not None
    assert START - dt.timedelta(days=2) < newest < START + dt.timedelta(seconds=1)


def test_it_opens_windows_instead_where_no_stand_in_is_known() -> None:
    ways = {told.way for told in map(carrying._by_window, carrying.planned())}
    assert carrying.API not in ways and carrying.WINDOW in ways
