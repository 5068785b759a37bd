"""F17, F18, F62, F65–F67, N1, N5, W10: what is due for a post, compared with what was given."""

from __future__ import annotations

import datetime as dt
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from app import clock, ledger, outbox
from app.db import db, transaction
from app.people import service as people
from app.play import accounts, rules, share_awards
from app.play.models import ShareAward
from app.sharing import service as sharing
from app.sharing.models import Share
from tests.conftest import START, House
from tests.play.kit import DAY, HOUR, WEEK, Posts, member, pass_time, verified

MONDAY = START - DAY  # START is a Tuesday


@pytest.fixture
def posts(house: House) -> Iterator[Posts]:
    """A member's posts; whatever happens to them, the books hold at the end."""
    yield Posts(house, member(house))
    assert verified()


@pytest.fixture
def any_posts(any_house: House) -> Iterator[Posts]:
    """The same on both databases."""
    yield Posts(any_house, member(any_house))
    assert verified()


# ---- The post itself


def test_a_post_gives_ten_points_at_once(any_posts: Posts) -> None:
    any_posts.post()
    outbox.drain()
    assert any_posts.points == (10, 0, 10)


def test_own_words_give_five_more_from_forty_percent_on(any_posts: Posts) -> None:
    any_posts.post(own=39)
    outbox.drain()
    assert any_posts.points[0] == 10
    any_posts.post(own=40)
    outbox.drain()
    assert any_posts.points[0] == 25


@pytest.mark.parametrize(
    "status", ["draft", "scheduled", "paused", "publishing", "unknown", "failed", "cancelled"]
)
def test_what_is_not_online_gives_nothing(posts: Posts, status: str) -> None:
    share_awards.reconcile(posts.post(status=status, own=100))
    assert posts.points == (0, 0, 0)


def test_an_unknown_post_counts_once_its_author_says_that_it_is_online(posts: Posts) -> None:
    share_id = posts.post(status="unknown", own=80, sent_at=START - DAY)
    share_awards.reconcile(share_id)
    sharing.declare(posts.person_id, share_id, online=True)
    outbox.drain()
    assert posts.points == (15, 0, 15)
    assert ledger.find(f"share-{share_id}") is not None


def test_an_unknown_post_that_is_not_online_gives_nothing(posts: Posts) -> None:
    share_id = posts.post(status="unknown", own=80, sent_at=START - DAY)
    sharing.declare(posts.person_id, share_id, online=False)
    outbox.drain()
    assert posts.points == (0, 0, 0)


def test_a_post_without_disclosure_gives_nothing_and_neither_do_its_visits(posts: Posts) -> None:
    share_id = posts.post(disclosure="none", own=100)
    posts.visits(share_id, 3)
    outbox.drain()
    share_awards.reconcile(share_id)
    assert posts.points == (0, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(ShareAward)) == 0


def test_a_disclosure_in_ones_own_words_counts(posts: Posts) -> None:
    posts.post(disclosure="own")
    outbox.drain()
    assert posts.points == (10, 0, 10)


@pytest.mark.parametrize("words", ["", "Non.", "Ce chantier a été mal préparé, et je le dis."])
def test_what_a_text_says_never_changes_the_points_of_the_post(posts: Posts, words: str) -> None:
    share_id = posts.post(announce=False)
    with transaction() as session:
        session.get_one(Share, share_id).post_text = words
    share_awards.reconcile(share_id)
    assert posts.points == (10, 0, 10)


def test_a_post_keeps_the_rule_of_its_own_moment(posts: Posts) -> None:
    before = posts.post(START - HOUR, announce=False)
    rules.start_version(
        "share", name_fr="Publication", name_en="Post", amount=30, cap=3, cap_period="week"
    )
    clock.travel(HOUR)
    after = posts.post(announce=False)
    for share_id in (after, before):
        share_awards.reconcile(share_id)
    assert posts.points == (40, 0, 40)


def test_a_rule_worth_nothing_writes_nothing(posts: Posts) -> None:
    rules.start_version("share", name_fr="Publication", name_en="Post", amount=0)
    posts.post()
    outbox.drain()
    assert posts.points == (0, 0, 0)
    assert posts.states("share") == []


def test_a_rule_may_hold_what_a_post_gives(posts: Posts) -> None:
    rules.start_version(
        "share", name_fr="Publication", name_en="Post", amount=0, held_amount=8, hold_days=2
    )
    posts.post()
    outbox.drain()
    assert posts.points == (0, 8, 0)
    pass_time(2 * DAY)
    assert posts.points == (8, 0, 8)


# ---- Taken back


def test_a_post_withdrawn_within_a_day_gives_its_points_back(any_posts: Posts) -> None:
    share_id = any_posts.post(own=60)
    outbox.drain()
    any_posts.withdraw(share_id, 24 * HOUR - dt.timedelta(seconds=1))
    outbox.drain()
    assert any_posts.points == (0, 0, 0)
    undone = ledger.find(f"share-{share_id}-undo")
    assert undone is not None and undone.reason == "undone"


def test_a_post_that_stayed_a_day_keeps_its_points(any_posts: Posts) -> None:
    share_id = any_posts.post(own=60)
    outbox.drain()
    any_posts.withdraw(share_id, 24 * HOUR)
    outbox.drain()
    assert any_posts.points == (15, 0, 15)


def test_a_post_known_only_once_it_is_withdrawn_counts_by_how_long_it_stayed(posts: Posts) -> None:
    long, short = posts.post(MONDAY, announce=False), posts.post(MONDAY, announce=False)
    posts.withdraw(long, 25 * HOUR)
    posts.withdraw(short, 2 * HOUR)
    outbox.drain()
    assert posts.points == (10, 0, 10)


def test_points_that_were_spent_are_owed_when_a_post_is_taken_back(posts: Posts) -> None:
    share_id = posts.post()
    outbox.drain()
    ledger.reserve("buy", accounts.open_for(posts.person_id), 8)
    posts.withdraw(share_id, HOUR)
    outbox.drain()
    assert (posts.balance.available, posts.balance.owed) == (0, 8)


def test_visits_keep_their_points_when_the_post_is_taken_back(posts: Posts) -> None:
    share_id = posts.post()
    posts.visits(share_id, 2)
    outbox.drain()
    posts.withdraw(share_id, HOUR)
    outbox.drain()
    assert posts.points == (0, 4, 0)


# ---- Limits


def test_three_posts_a_week_are_rewarded_and_the_fourth_is_told_so(any_posts: Posts) -> None:
    for hours in range(4):
        any_posts.post(START - (4 - hours) * HOUR)
    outbox.drain()
    assert any_posts.points == (30, 0, 30)
    assert any_posts.states("share") == ["posted"] * 3 + ["capped"]
    capped = db.session.scalars(select(ShareAward).where(ShareAward.state == "capped")).one()
    assert (capped.amount, capped.transfer_id) == (0, None)


def test_a_week_begins_on_monday_on_the_organisations_clock(posts: Posts) -> None:
    """In Paris, Sunday 22 November 2026 ends at 23:00 UTC."""
    for minutes in range(3):
        posts.post(START + minutes * HOUR)
    sunday = dt.datetime(2026, 11, 22, 22, 59, 59, tzinfo=dt.UTC)
    posts.post(sunday)
    posts.post(sunday + dt.timedelta(seconds=1))
    outbox.drain()
    assert posts.states("share") == ["posted"] * 3 + ["capped", "posted"]


def test_own_words_are_rewarded_once_a_day_on_the_organisations_clock(posts: Posts) -> None:
    midnight = dt.datetime(2026, 11, 17, 23, 0, tzinfo=dt.UTC)  # in Paris
    for at in (START, midnight - dt.timedelta(seconds=1), midnight):
        posts.post(at, own=50)
    outbox.drain()
    assert posts.states("own-words") == ["posted", "capped", "posted"]


def test_a_place_that_becomes_free_goes_to_the_next_post(any_posts: Posts) -> None:
    ids = [any_posts.post(START - (5 - n) * HOUR) for n in range(5)]
    outbox.drain()
    any_posts.withdraw(ids[1], HOUR)
    outbox.drain()
    assert any_posts.states("share") == ["posted", "undone", "posted", "posted", "capped"]
    assert any_posts.points == (30, 0, 30)


def test_a_post_told_late_takes_its_place_before_later_ones(any_posts: Posts) -> None:
    for n in range(3):
        any_posts.post(START - (3 - n) * HOUR)
    outbox.drain()
    any_posts.post(MONDAY)
    outbox.drain()
    assert any_posts.states("share") == ["posted"] * 3 + ["capped"]
    assert any_posts.points == (30, 0, 30)


def test_a_post_may_lose_and_win_its_place_again_and_again(any_posts: Posts) -> None:
    last = any_posts.post(START)
    for n in range(2):
        any_posts.post(START - (2 - n) * HOUR)
    outbox.drain()
    for n in range(3):
        early = any_posts.post(MONDAY + n * dt.timedelta(minutes=1))
        outbox.drain()
        assert any_posts.states("share")[-1] == "capped"
        any_posts.withdraw(early, HOUR)
        outbox.drain()
        assert any_posts.states("share")[-1] == "posted"
    assert any_posts.points == (30, 0, 30)
    assert ledger.find(f"share-{last}-4") is not None


def test_each_version_counts_by_its_own_limit(posts: Posts) -> None:
    for n in range(4):
        posts.post(START - (5 - n) * HOUR, announce=False)
    rules.start_version(
        "share", name_fr="Publication", name_en="Post", amount=10, cap=6, cap_period="week",
        starts_at=START,
    )  # fmt: skip
    ids = [posts.post(START + n * HOUR, announce=False) for n in range(3)]
    for share_id in reversed([*db.session.scalars(select(Share.id)), *ids]):
        share_awards.reconcile(share_id)
    assert posts.states("share") == [*["posted"] * 3, "capped", *["posted"] * 2, "capped"]


def test_a_rule_without_limit_rewards_all(posts: Posts) -> None:
    rules.start_version("share", name_fr="Publication", name_en="Post", amount=10)
    for _ in range(5):
        posts.post()
    outbox.drain()
    assert posts.points == (50, 0, 50)


def test_the_limit_of_one_member_is_not_that_of_another(posts: Posts) -> None:
    other = Posts(posts.house, member(posts.house, "Hugo Meynard"))
    for _ in range(4):
        posts.post()
        other.post()
    outbox.drain()
    assert posts.points == other.points == (30, 0, 30)


# ---- Visits


def test_a_visit_is_held_for_seven_days_and_then_posted(any_posts: Posts) -> None:
    share_id = any_posts.post()
    any_posts.visit(share_id)
    outbox.drain()
    assert any_posts.points == (10, 2, 10)
    pass_time(WEEK - dt.timedelta(seconds=1))
    assert any_posts.points == (10, 2, 10)
    pass_time(dt.timedelta(seconds=1))
    assert any_posts.points == (12, 0, 12)
    assert any_posts.states("visit") == ["posted"]


@pytest.mark.parametrize("verdict", ["self", "colleague", "robot", "prefetch", "repeat"])
def test_only_people_from_outside_count(posts: Posts, verdict: str) -> None:
    share_id = posts.post()
    posts.visit(share_id, verdict=verdict)
    outbox.drain()
    share_awards.visited(share_id, START)
    share_awards.visited(share_id)
    share_awards.reconcile(share_id)
    assert posts.points == (10, 0, 10)


def test_a_visit_by_another_link_is_not_this_posts(posts: Posts) -> None:
    mine, other = posts.post(), posts.post()
    posts.visit(other, announce=False)
    share_awards.visited(mine)
    assert posts.states("visit") == []


def test_an_intent_earns_by_its_visits_only(posts: Posts) -> None:
    share_id = posts.post(status="intent", own=100)
    share_awards.reconcile(share_id)
    posts.visit(share_id)
    outbox.drain()
    assert posts.points == (0, 2, 0)


def test_twenty_visits_a_day_count_and_the_others_are_told_so(any_posts: Posts) -> None:
    share_id = any_posts.post()
    any_posts.visits(share_id, 26)
    outbox.drain()
    assert any_posts.points == (10, 40, 10)
    assert any_posts.states("visit") == ["held"] * 20 + ["capped"] * 6
    pass_time(8 * DAY)
    assert any_posts.points == (50, 0, 50)


def test_the_day_of_a_visit_is_the_organisations(posts: Posts) -> None:
    share_id = posts.post()
    midnight = dt.datetime(2026, 11, 17, 23, 0, tzinfo=dt.UTC)  # in Paris
    for n in range(21):
        posts.visit(share_id, midnight - (21 - n) * dt.timedelta(seconds=1))
    posts.visit(share_id, midnight)
    outbox.drain()
    assert posts.states("visit") == ["held"] * 20 + ["capped", "held"]


def test_a_visit_told_late_takes_its_place_even_from_one_that_was_posted(any_posts: Posts) -> None:
    share_id = any_posts.post()
    any_posts.visits(share_id, 20)
    outbox.drain()
    pass_time(8 * DAY)
    assert any_posts.points == (50, 0, 50)
    any_posts.visit(share_id, START - HOUR)
    outbox.drain()
    pass_time(HOUR)
    assert any_posts.points == (50, 0, 50)
    assert any_posts.states("visit") == ["posted"] * 20 + ["capped"]


def test_what_was_missed_is_found_with_the_next_look(posts: Posts) -> None:
    share_id = posts.post(announce=False)
    for _ in range(3):
        posts.visit(share_id, announce=False)
    share_awards.reconcile(share_id)
    assert posts.points == (10, 6, 10)


def test_visits_before_the_one_that_is_told_are_noted_by_their_own_fact(posts: Posts) -> None:
    share_id = posts.post()
    for minutes in (3, 2, 1):
        posts.visit(share_id, START - dt.timedelta(minutes=minutes), announce=False)
    share_awards.visited(share_id, START - dt.timedelta(minutes=2))
    assert posts.states("visit") == ["held", "held"]
    share_awards.visited(share_id)
    share_awards.visited(share_id, START - dt.timedelta(minutes=3))
    assert posts.states("visit") == ["held"] * 3


def test_many_visits_are_noted_some_at_a_time(
    any_posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_awards, "VISITS", 7)
    share_id = any_posts.post()
    outbox.drain()
    for n in range(30):
        any_posts.visit(share_id, START - (n % 24) * HOUR / 60, announce=False)
    share_awards.visited(share_id, START - HOUR)
    assert len(any_posts.states("visit")) == 7
    outbox.drain()
    assert sorted(any_posts.states("visit")) == ["capped"] * 10 + ["held"] * 20


def test_a_fact_of_an_earlier_version_names_one_visit_and_stands_for_all(posts: Posts) -> None:
    share_id = posts.post()
    click_id = posts.visit(share_id, announce=False)
    with transaction():
        outbox.record("share.visited", share_id=str(share_id), click_id=str(click_id))
    outbox.drain()
    assert posts.states("visit") == ["held"]


def test_the_thousandth_visit_costs_what_the_first_did(
    posts: Posts, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    share_id = posts.post()
    outbox.drain()

    def cost(number: int) -> int:
        at = START + number * dt.timedelta(seconds=1)
        posts.visit(share_id, at, announce=False)
        return count_queries(lambda: share_awards.visited(share_id, at))

    first = cost(0)
    for n in range(1, 60):
        posts.visit(share_id, START + n * HOUR / 60, announce=False)
        share_awards.visited(share_id, START + n * HOUR / 60)
    assert cost(4000) <= first <= 20


def test_held_points_fall_due_by_one_fact_for_each_member(posts: Posts) -> None:
    other = Posts(posts.house, member(posts.house, "Hugo Meynard"))
    for each in (posts, other):
        each.visits(each.post(), 8)
    outbox.drain()
    clock.travel(8 * DAY)
    assert share_awards.announce_due() == 2
    assert outbox.drain() == 2
    assert posts.points == other.points == (26, 0, 26)
    assert share_awards.announce_due() == 0


def test_many_held_points_are_posted_some_at_a_time(
    posts: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_awards, "BATCH", 7)
    posts.visits(posts.post(), 20)
    outbox.drain()
    clock.travel(8 * DAY)
    assert share_awards.announce_due() == 1
    assert outbox.drain() == 3
    assert posts.points == (50, 0, 50)


# ---- Who left


def test_somebody_who_left_gets_nothing_new_and_keeps_what_is_on_hold(posts: Posts) -> None:
    share_id = posts.post()
    posts.visit(share_id)
    outbox.drain()
    people.depart(posts.person_id)
    outbox.drain()
    posts.post()
    posts.visit(share_id)
    outbox.drain()
    pass_time(8 * DAY)
    assert posts.points == (12, 0, 12)


def test_a_place_that_becomes_free_is_not_for_somebody_who_left(posts: Posts) -> None:
    ids = [posts.post(START - (4 - n) * HOUR) for n in range(4)]
    outbox.drain()
    people.depart(posts.person_id)
    posts.withdraw(ids[0], HOUR)
    outbox.drain()
    assert posts.states("share") == ["undone", "posted", "posted", "capped"]
    assert posts.points == (20, 0, 20)


def test_a_share_that_is_gone_is_nobodys(posts: Posts) -> None:
    share_awards.reconcile(uuid.uuid4())
    share_awards.visited(uuid.uuid4())
    assert posts.points == (0, 0, 0)


# ---- Whatever the order


def test_comparing_again_changes_nothing(any_posts: Posts) -> None:
    ids = [any_posts.post(own=70) for _ in range(4)]
    any_posts.visits(ids[0], 22)
    outbox.drain()
    before = _written()
    for _ in range(2):
        for share_id in ids:
            share_awards.reconcile(share_id)
    assert _written() == before


def _written() -> list[tuple[object, ...]]:
    rows = db.session.execute(
        select(ShareAward.id, ShareAward.state, ShareAward.transfer_id).order_by(ShareAward.id)
    ).all()
    return [tuple(row) for row in rows]


def _life(chance: random.Random) -> list[list[tuple[str, tuple[Any, ...]]]]:
    """What happens to each of some posts, in its true order: published, visited, withdrawn."""
    lives = []
    for number in range(7):
        at = MONDAY + dt.timedelta(minutes=chance.randrange(3 * 24 * 60), seconds=number)
        life: list[tuple[str, tuple[Any, ...]]] = [("post", (at, chance.choice((0, 39, 40, 90))))]
        visits = sorted(chance.randrange(1, 5_000) for _ in range(chance.choice((0, 3, 9))))
        life += [("visit", (at + dt.timedelta(minutes=m, seconds=number),)) for m in visits]
        if chance.random() < 0.5:
            life.append(("withdraw", (chance.choice((2, 23, 24, 60)) * HOUR,)))
        lives.append(life)
    return lives


def _live(
    posts: Posts, lives: list[list[tuple[str, tuple[Any, ...]]]], chance: random.Random | None
) -> None:
    """Tell these lives: in their order with everything handled at once; or, with `chance`, in
    any order that each post's own story allows, what was recorded handled late, twice and
    shuffled, with the hourly job in between."""
    left = [[*life] for life in lives]
    ids: dict[int, uuid.UUID] = {}
    told: list[Callable[[], object]] = []
    while any(left):
        waiting = [n for n, life in enumerate(left) if life]
        number = chance.choice(waiting) if chance else waiting[0]
        act, given = left[number].pop(0)
        if act == "post":
            ids[number] = posts.post(given[0], own=given[1], announce=False)
        share_id = ids[number]
        if act == "withdraw":
            posts.withdraw(share_id, given[0], announce=False)
        if act == "visit":
            posts.visit(share_id, given[0], announce=False)
            told.append(lambda s=share_id, at=given[0]: share_awards.visited(s, at))
        else:
            told.append(lambda s=share_id: share_awards.reconcile(s))
        if chance is None:
            told.pop()()
        elif chance.random() < 0.3:
            _handle_some(posts, told, chance)
    if chance:
        told += [lambda s=s: share_awards.reconcile(s) for s in ids.values()]
        for handle in chance.choices(told, k=2 * len(told)) + told:
            handle()


def _handle_some(posts: Posts, told: list[Callable[[], object]], chance: random.Random) -> None:
    chance.shuffle(told)
    for _ in range(chance.randrange(len(told) + 1)):
        told.pop()()
    if chance.random() < 0.2:
        share_awards.post_due(posts.person_id)


def _live_states(posts: Posts, fact: str) -> list[str]:
    """Without what was undone: a post that was known only once it was gone left no trace."""
    return [state for state in posts.states(fact) if state != "undone"]


def test_shuffled_and_repeated_facts_end_as_the_orderly_delivery(any_house: House) -> None:
    seeds = [random.SystemRandom().randrange(10**9) for _ in range(3)]
    print("seeds", seeds)
    clock.travel(9 * DAY)
    for cap, name in ((2, "share"), (4, "visit")):
        terms = (
            {"amount": 7} if name == "share" else {"amount": 0, "held_amount": 3, "hold_days": 2}
        )
        rules.start_version(
            name, name_fr="Règle", name_en="Rule", cap=cap, starts_at=START + 6 * HOUR,
            cap_period="week" if name == "share" else "day", **terms,
        )  # fmt: skip
    for seed in seeds:
        lives = _life(random.Random(seed))
        ends = []
        for chance in (None, random.Random(seed + 1)):
            posts = Posts(any_house, member(any_house, f"Camille {seed}"))
            _live(posts, lives, chance)
            pass_time(dt.timedelta(0))
            live = [_live_states(posts, fact) for fact in ("share", "own-words", "visit")]
            ends.append((posts.balance, live))
        assert ends[0] == ends[1], f"seed {seed}"
    pass_time(9 * DAY)
    assert verified()


def test_two_workers_at_once_keep_the_limit(any_posts: Posts) -> None:
    ids = [any_posts.post(START - (6 - n) * HOUR, own=50, announce=False) for n in range(6)]
    visits = [(ids[n % 6], START + n * dt.timedelta(seconds=1)) for n in range(30)]
    for share_id, at in visits:
        any_posts.visit(share_id, at)
    acts: list[Callable[[], object]] = [lambda s=s: share_awards.reconcile(s) for s in ids * 2]
    acts += [lambda s=s, at=at: share_awards.visited(s, at) for s, at in visits * 2]
    random.SystemRandom().shuffle(acts)
    db.session.remove()
    wrong = _at_once(any_posts.house.app, [acts[n::4] for n in range(4)])
    assert wrong == []
    assert any_posts.states("share") == ["posted"] * 3 + ["capped"] * 3
    assert any_posts.states("own-words") == ["posted"] + ["capped"] * 5
    assert any_posts.states("visit") == ["held"] * 20 + ["capped"] * 10
    assert any_posts.points == (35, 40, 35)


def _at_once(app: Any, shares: list[list[Callable[[], object]]]) -> list[str]:
    """Each list in a thread of its own, all from the same moment; the names of errors."""
    together, wrong = threading.Barrier(len(shares)), []

    def work(acts: list[Callable[[], object]]) -> None:
        with app.app_context():
            together.wait(30)
            for act in acts:
                try:
                    act()
                except Exception as error:  # noqa: BLE001 - shown by the assertion
                    wrong.append(repr(error))
            db.session.remove()

    threads = [threading.Thread(target=work, args=(acts,)) for acts in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    db.session.rollback()
    return wrong
