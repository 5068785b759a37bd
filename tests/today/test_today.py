"""Today: what is new and why, an offer that fits, what waits, what became of it."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from flask.testing import FlaskClient

from app import clock, ledger, outbox
from app.charters import queries as charter_queries
from app.charters import service as charters
from app.db import db, transaction
from app.library import follows, service, topics
from app.play import accounts
from app.referrals import links
from app.referrals import service as referrals
from app.referrals.models import ClickCount
from app.rewards import service as rewards
from app.sharing import grants
from app.sharing.models import Grant, Share
from app.today import offers, stories
from tests.conftest import START
from tests.rewards.conftest import give
from tests.today.conftest import DAY, Morning

HOUR = dt.timedelta(hours=1)


def page(browser: FlaskClient, path: str = "/?lang=en", **headers: str) -> str:
    answer = browser.get(path, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


# --- what is new, and why ----------------------------------------------------------------


def test_a_topic_that_is_followed_leads_and_says_so(any_morning: Morning) -> None:
    any_morning.story(title="Forêt", topics=["Forêt"])
    clock.freeze(START + HOUR)
    any_morning.story(title="Autre", topics=["Chantiers"])
    assert list(any_morning.reasons()) == ["Autre", "Forêt"]
    follows.follow(any_morning.maelle.id, "foret")
    assert any_morning.reasons() == {
        "Forêt": "Because you follow Forêt", "Autre": "Nobody has passed it on yet",
    }  # fmt: skip


def test_a_colleague_of_ones_site_comes_before_others(any_morning: Morning) -> None:
    near = any_morning.house.person("Yann Lescop", "contributor", site="LORIENT")
    any_morning.story(near, title="D’ici")
    clock.freeze(START + HOUR)
    any_morning.story(title="D’ailleurs")
    assert any_morning.reasons() == {
        "D’ici": "By a colleague in Lorient", "D’ailleurs": "Nobody has passed it on yet",
    }  # fmt: skip


def test_what_came_since_the_last_visit_is_called_new_and_counted(any_morning: Morning) -> None:
    any_morning.story(title="Avant")
    clock.freeze(START + DAY)
    any_morning.story(title="Depuis")
    shown = any_morning.today(since=START + HOUR)
    assert shown.news.fresh == 1
    assert any_morning.reasons(since=START + HOUR) == {
        "Depuis": "New since your last visit", "Avant": "Nobody has passed it on yet",
    }  # fmt: skip
    assert any_morning.today().news.fresh == 0


def test_a_story_is_not_called_untold_once_somebody_told_it(any_morning: Morning) -> None:
    told = any_morning.story(title="Dite")
    other = any_morning.member("Hugo Meynard")
    any_morning.post(told, other, status="draft", published_at=None)
    assert any_morning.reasons() == {"Dite": "Nobody has passed it on yet"}
    any_morning.post(told, other, status="intent", published_at=None)
    assert any_morning.reasons() == {"Dite": "Colleagues have passed it on"}


def test_what_one_wrote_or_told_comes_last(any_morning: Morning) -> None:
    mine = any_morning.story(title="Dite par moi")
    clock.freeze(START - 20 * DAY)
    any_morning.story(title="Vieille")
    clock.freeze(START + HOUR)
    any_morning.post(mine)
    assert any_morning.reasons() == {
        "Vieille": "Nobody has passed it on yet",
        "Dite par moi": "You have passed it on already",
    }
    writer = any_morning.contributor
    assert set(any_morning.reasons(person=writer).values()) == {"You wrote it"}


def test_it_shows_only_what_may_be_read_now(any_morning: Morning) -> None:
    any_morning.story(title="Demain", visible_from=START + DAY)
    any_morning.draft(title="Brouillon")
    gone = any_morning.story(title="Retirée")
    service.withdraw_story(gone, any_morning.curator.id)
    assert any_morning.today().news == stories.News(None, [], 0)


def test_it_shows_three_of_many_in_the_readers_language(any_morning: Morning) -> None:
    for number in range(6):
        any_morning.story(
            title=f"Récit {number}", translations={"en": {"title": f"Story {number}"}}
        )
    assert list(any_morning.reasons()) == ["Story 5", "Story 4", "Story 3"]
    assert list(any_morning.reasons(language="fr")) == ["Récit 5", "Récit 4", "Récit 3"]


def test_news_age_so_that_an_old_favourite_does_not_lead_for_ever(any_morning: Morning) -> None:
    clock.freeze(START - 60 * DAY)
    any_morning.story(title="Ancienne", topics=["Bois"])
    follows.follow(any_morning.maelle.id, "bois")
    clock.freeze(START)
    any_morning.story(title="Fraîche")
    assert next(iter(any_morning.reasons())) == "Fraîche"


# --- the last visit ----------------------------------------------------------------------


def test_the_last_visit_is_the_one_before_this(morning: Morning) -> None:
    browser = morning.house.browser(morning.maelle)
    morning.story(title="Avant")
    assert "since your last visit" not in page(browser)
    clock.freeze(START + 2 * HOUR)
    morning.story(title="Depuis")
    clock.freeze(START + 3 * HOUR)
    assert "1 new story since your last visit." in page(browser)
    clock.freeze(START + 3 * HOUR + dt.timedelta(minutes=20))
    assert "1 new story since your last visit." in page(browser)  # the same visit goes on
    clock.freeze(START + 5 * HOUR)
    assert "since your last visit" not in page(browser)


def test_another_device_that_saw_it_already_counts(morning: Morning) -> None:
    phone, desk = morning.house.browser(morning.maelle), morning.house.browser(morning.maelle)
    page(phone)
    clock.freeze(START + 2 * HOUR)
    morning.story(title="Depuis")
    clock.freeze(START + 3 * HOUR)
    page(desk)
    clock.freeze(START + 4 * HOUR)
    assert "since your last visit" not in page(phone)


def test_looking_leaves_nothing_in_the_database(morning: Morning) -> None:
    """Whoever reads Today is nobody's business: not what was seen, nor how often."""
    browser = morning.house.browser(morning.maelle)
    morning.house.offer("Autre")
    page(browser)
    before = _contents()
    page(browser, "/?lang=en&offer=2")
    assert _contents() == before


def _contents() -> dict[str, list[tuple[object, ...]]]:
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(table.select())]
        for table in db.metadata.sorted_tables
    }


# --- an offer that fits ------------------------------------------------------------------


def test_the_offer_of_ones_team_and_site_comes_first(any_morning: Morning) -> None:
    house = any_morning.house
    house.offer("Deux", location="Lorient (56)", department="Bureau d'études")
    house.offer("Équipe", location="Grenoble", department="Bureau d’Études")
    house.offer("Site", location="Lorient", department="Atelier")
    follows.follow(any_morning.maelle.id, _topic(any_morning, "Charpente"))
    house.offer("Charpente de montagne", location="Grenoble", department="Atelier")
    house.offer("Cuisine", location="Grenoble", department="Atelier")
    seen = [any_morning.today(place=place).offer for place in range(1, 6)]
    assert [(fit.offer.title, fit.reason) for fit in seen if fit] == [
        ("Deux", "In your team and at your site, Lorient"),
        ("Site", "At your site, Lorient"),
        ("Équipe", "In your team, Bureau d’études"),
        ("Charpente de montagne", "Close to a topic you follow, Charpente"),
        ("Cuisine", "An open offer that you carry no link to yet"),
    ]
    assert [fit.next_place for fit in seen if fit] == [2, 3, 4, 5, None]


def test_a_topic_is_named_for_its_reader_and_fits_offers_by_either_name(
    any_morning: Morning,
) -> None:
    follows.follow(any_morning.maelle.id, _topic(any_morning, "Charpente"))
    topic = follows.followed(any_morning.maelle.id)[0].id
    topics.say_names(topic, language="fr", other_name="Timber frames", actor_id=None)
    for title in ("Charpente de montagne", "Builder of timber frames", "Framer"):
        any_morning.house.offer(title, location="Grenoble", department="Atelier")
    for language, shown in (("en", "Timber frames"), ("fr", "Charpente")):
        seen = any_morning.today(language=language)
        assert [topic.name for topic in seen.topics] == [shown]
        assert seen.news.lead is not None
        assert seen.news.lead.reason.endswith(shown)
        assert seen.news.lead.card.topics == (shown,)
        fits = [any_morning.today(place=at, language=language).offer for at in (1, 2, 3)]
        assert {fit.offer.title: fit.reason.endswith(f", {shown}") for fit in fits if fit} == {
            "Charpente de montagne": True, "Builder of timber frames": True, "Framer": False,
        }  # fmt: skip


def _topic(morning: Morning, name: str) -> str:
    morning.story(title=name, topics=[name])
    return name


def test_an_offer_that_one_carries_or_that_is_closed_is_not_suggested(
    any_morning: Morning,
) -> None:
    from app.referrals import offers as staff

    carried, closed = any_morning.house.offer("Portée"), any_morning.house.offer("Fermée")
    links.link_for(any_morning.maelle.id, carried, "link")
    staff.close_offer(closed, actor_id=None)
    assert any_morning.today().offer is None
    other = any_morning.member("Hugo Meynard")
    fit = any_morning.today(other).offer
    assert fit is not None
    assert fit.offer.title == "Portée"


def test_one_may_leaf_to_another_offer_with_and_without_a_script(morning: Morning) -> None:
    for title in ("Une", "Deux", "Trois"):
        morning.house.offer(title)
    browser = morning.house.browser(morning.maelle)

    def shown(text: str) -> str:
        section = text.split('id="fitting-offer"')[1]
        found = re.search(r'<h3><a href="/offers/[^"]+">([^<]+)', section)
        assert found is not None
        return found[1]

    first = page(browser)
    assert shown(first) == "Trois"
    assert 'href="/?offer=2#fitting-offer"' in first
    part = page(
        browser, "/?offer=2&lang=en", **{"HX-Request": "true", "HX-Target": "fitting-offer"}
    )
    assert part.lstrip().startswith("<section")
    assert shown(part) == shown(page(browser, "/?offer=2&lang=en")) == "Deux"
    last = page(browser, "/?offer=3&lang=en")
    assert "That was the last one" in last
    for odd in ("0", "-1", "x", "99", "٣", "9" * 40):
        assert browser.get(f"/?offer={odd}").status_code == 200


# --- what waits --------------------------------------------------------------------------


def _waits(morning: Morning) -> list[tuple[str, str]]:
    return [(wait.kind, wait.url) for wait in morning.today().waits]


def test_nothing_waits_for_somebody_who_only_reads(any_morning: Morning) -> None:
    any_morning.story()
    newcomer = any_morning.house.person("Kévin Prigent")
    assert any_morning.today(newcomer).waits == []
    assert any_morning.today().waits == []


def test_a_new_charter_waits_for_those_who_agreed_to_the_old_one(any_morning: Morning) -> None:
    newcomer = any_morning.house.person("Kévin Prigent")
    now = charter_queries.current()
    assert now is not None
    texts = {
        "title_fr": now.title_fr, "title_en": now.title_en, "body_fr": f"{now.body_fr}\n\nUn mot.",
        "body_en": f"{now.body_en}\n\nA word.", "note_fr": "", "note_en": "",
    }  # fmt: skip
    draft = charters.save_draft(any_morning.curator.id, **texts)
    assert _waits(any_morning) == []  # a draft is nobody's yet
    charters.publish(any_morning.curator.id, draft)
    assert _waits(any_morning) == [("charter", "/charter")]
    assert any_morning.today(newcomer).waits == []
    new = charter_queries.current()
    assert new is not None
    charters.accept(any_morning.maelle.id, new.id, "fr")
    assert _waits(any_morning) == []


def test_posts_that_need_a_word_wait_each_with_its_reason(any_morning: Morning) -> None:
    story = any_morning.story()
    unknown = any_morning.post(story, status="unknown", published_at=None)
    paused = any_morning.post(story, status="paused", reason="charter", published_at=None)
    any_morning.post(story, any_morning.member("Hugo Meynard"), status="unknown")
    shown = any_morning.today().waits
    assert [(wait.kind, wait.url) for wait in shown] == [
        ("unknown", f"/shares/{unknown}"), ("paused", f"/shares/{paused}"),
    ]  # fmt: skip
    assert shown[0].at == START
    assert "whether this post is online" in shown[0].line
    assert "You took your agreement to the charter back" in shown[1].line


def test_a_connection_that_ends_waits_a_week_before(any_morning: Morning) -> None:
    grants.store_invented(any_morning.maelle.id, "maelle", "Maëlle Kerjan", "token")
    [grant] = db.session.scalars(db.select(Grant)).all()
    ends = grant.expires_at
    clock.freeze(ends - 8 * DAY)
    assert _waits(any_morning) == []
    clock.freeze(ends - 6 * DAY)
    [wait] = any_morning.today().waits
    assert wait.title.startswith("Your LinkedIn connection ends on")
    assert wait.at == ends
    clock.freeze(ends + DAY)
    assert any_morning.today().waits[0].title == "Your LinkedIn connection has ended"


def test_a_reward_waits_until_it_is_handed_over(any_morning: Morning) -> None:
    accounts.open_for(any_morning.maelle.id)
    give(any_morning.maelle.id, 100)
    deliverer = any_morning.house.person("Gaël Lebrun")
    reward = rewards.create_reward(
        title="Un livre", description="", cost=80, stock=3, pay_class="gift in kind",
        deliverer_id=deliverer.id, actor_id=any_morning.curator.id,
    )  # fmt: skip
    redemption = rewards.redeem(any_morning.maelle.id, reward.id)
    [wait] = any_morning.today().waits
    assert (wait.title, wait.url) == ("Un livre", f"/play/redemptions/{redemption.id}")
    assert wait.line == "Reserved for you. Gaël Lebrun hands it over."
    rewards.fulfil(redemption.id, actor_id=deliverer.id)
    assert _waits(any_morning) == []


# --- what became of it -------------------------------------------------------------------


def test_everything_stands_in_one_order_of_time(any_morning: Morning) -> None:
    accounts.open_for(any_morning.maelle.id)
    referral = any_morning.house.referral(any_morning.maelle)
    clock.freeze(START + DAY)
    share = any_morning.post(any_morning.story(), title="Une halle")
    clock.freeze(START + 2 * DAY)
    referrals.set_stage(
        referral, "interview", actor_id=any_morning.curator.id, actor_role="curator"
    )
    clock.freeze(START + 3 * DAY)
    outbox.drain()
    found = [(line.kind, line.url) for line in any_morning.today().became.items]
    assert found.index(("referral", f"/referrals/{referral}")) < found.index(
        ("post", f"/shares/{share}")
    )
    times = [line.at for line in any_morning.today().became.items]
    assert times == sorted(times, reverse=True)
    points = [line for line in any_morning.today().became.items if line.kind == "points"]
    assert [line.amount for line in points] == [50, 30]
    assert points[0].title == "Nadia F."
    assert points[0].line == "Interview"


def test_visits_say_how_they_are_known_and_are_no_zero_where_nobody_counts(
    any_morning: Morning,
) -> None:
    story, link = any_morning.story(), uuid.uuid4()
    any_morning.post(story, link_id=link)
    any_morning.post(story, format="text", title="Sans lien")
    with transaction():
        db.session.add(ClickCount(link_id=link, verdict="person", count=40, last_at=START))
        db.session.add(ClickCount(link_id=link, verdict="robot", count=7, last_at=START))
    shown = {line.title: line.visits for line in any_morning.today().became.items}
    assert shown["Sans lien"] is None
    figure = shown["Une halle"]
    assert figure is not None
    assert (figure.value, figure.truth) == (40, "measured")


def test_a_post_that_was_just_visited_stands_above_a_newer_one(any_morning: Morning) -> None:
    link = uuid.uuid4()
    any_morning.post(any_morning.story(), link_id=link, title="Ancienne")
    clock.freeze(START + DAY)
    any_morning.post(any_morning.story(), title="Récente")
    with transaction():
        row = ClickCount(link_id=link, verdict="person", count=1, last_at=START + DAY + HOUR)
        db.session.add(row)
    clock.freeze(START + 2 * DAY)
    shown = any_morning.today().became.items
    assert [line.title for line in shown] == ["Ancienne", "Récente"]
    assert shown[0].at == START + DAY + HOUR


def test_points_that_come_on_one_day_are_one_line(any_morning: Morning) -> None:
    account = accounts.open_for(any_morning.maelle.id)
    for number, days in enumerate((3, 3, 5)):
        ledger.hold("award", f"test-{number}", account, 2, due_at=START + days * DAY)
    assert [(line.amount, line.due_at) for line in any_morning.today().became.on_the_way] == [
        (4, START + 3 * DAY), (2, START + 5 * DAY),
    ]  # fmt: skip


def test_a_stage_that_the_candidate_keeps_to_themselves_stays_hidden(any_morning: Morning) -> None:
    hidden = any_morning.house.referral(any_morning.maelle, visibility="none")
    ends = any_morning.house.referral(
        any_morning.maelle, any_morning.house.offer("Autre"), visibility="ends"
    )
    clock.freeze(START + DAY)
    for referral in (hidden, ends):
        referrals.set_stage(
            referral, "interview", actor_id=any_morning.curator.id, actor_role="curator"
        )
    found = [line for line in any_morning.today().became.items if line.kind == "referral"]
    assert [(line.url, line.stage, line.at) for line in found] == [
        (f"/referrals/{ends}", "received", START)
    ]


def test_points_that_were_taken_back_are_not_told_as_credited(any_morning: Morning) -> None:
    account = accounts.open_for(any_morning.maelle.id)
    give(any_morning.maelle.id, 100)
    assert [line.amount for line in any_morning.today().became.items] == [100]
    [line] = ledger.entries(account)
    ledger.reverse(line.id, "test-back", "mistake")
    assert any_morning.today().became.items == []
    assert any_morning.today().balance.available == 0


def test_nothing_of_anybody_else_is_ever_shown(any_morning: Morning) -> None:
    hugo = any_morning.member("Hugo Meynard")
    accounts.open_for(hugo.id)
    give(hugo.id, 100)
    story = any_morning.story()
    any_morning.post(story, hugo, title="À Hugo")
    any_morning.house.referral(hugo)
    grants.store_invented(hugo.id, "hugo", "Hugo", "token")
    follows.follow(hugo.id, _topic(any_morning, "Secret"))
    clock.freeze(START + 300 * DAY)
    shown = any_morning.today()
    assert (shown.waits, shown.topics, shown.became.items) == ([], [], [])
    assert (shown.balance.available, shown.became.on_the_way) == (0, [])
    assert any_morning.today(hugo).became.items


# --- the page ----------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_holds_all_of_it_in_both_languages(morning: Morning, language: str) -> None:
    morning.story(title="Une halle", topics=["Bois"], translations={"en": {"title": "A hall"}})
    morning.story(title="Deux", topics=["Bois"])
    follows.follow(morning.maelle.id, "bois")
    morning.house.referral(morning.maelle)
    morning.house.offer("Chef d’équipe")
    morning.post(morning.story(), status="paused", reason="asks", published_at=None)
    text = page(morning.house.browser(morning.maelle), f"/?lang={language}")
    assert f'<html lang="{language}"' in text
    for part in ("t-waits", "t-became", "fitting-offer", "t-more", "story-card-lead", "stages"):
        assert part in text
    assert 'href="/library?topics=mine"' in text
    assert text.count("button-carry") == 0
    assert len(re.findall(r'class="button"', text)) == 1  # one solid button a screen
    assert not re.search(r"\sstyle=|<script>", text)


def test_an_empty_day_is_honest(morning: Morning) -> None:
    text = page(morning.house.browser(morning.maelle))
    for words in ("The shelf is still empty", "Nothing yet, and nothing is expected",
                  "No offer to suggest", "Everything you began goes on by itself"):  # fmt: skip
        assert words in text


def test_a_name_with_marks_of_html_is_only_a_name(morning: Morning) -> None:
    morning.story(title="<b>x</b> & Co", topics=["<i>y"])
    morning.house.offer("<script>alert(1)</script>")
    text = page(morning.house.browser(morning.maelle))
    assert "<script>alert" not in text
    assert "&lt;b&gt;x&lt;/b&gt; &amp; Co" in text


def test_the_team_finds_its_way_and_others_do_not(morning: Morning) -> None:
    recruiter = morning.house.person("Sofiane Belkhir", "recruiter")
    assert "what waits there" in page(morning.house.browser(recruiter))
    assert "what waits there" not in page(morning.house.browser(morning.maelle))


def test_a_cookie_that_somebody_forged_is_no_visit(morning: Morning) -> None:
    browser = morning.house.browser(morning.maelle)
    for odd in ("x", [1], [True, "y"], {"a": 1}, [None, None]):
        with browser.session_transaction() as session:
            session["visit"] = odd
        page(browser)


def test_the_same_reader_sees_the_same_offer(morning: Morning) -> None:
    for number in range(8):
        morning.house.offer(f"Offre {number}")
    seen = {str(morning.today().offer) for _turn in range(4)}
    assert len(seen) == 1


def test_only_the_newest_offers_are_looked_at(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "WINDOW", 2)
    morning.house.offer("De mon équipe", department="Bureau d’études")
    for number in range(2):
        morning.house.offer(f"Offre {number}", location="Grenoble")
    fit = morning.today().offer
    assert fit is not None
    assert fit.offer.title == "Offre 1"


def test_what_a_member_did_never_makes_the_page_longer_than_a_few_lines(morning: Morning) -> None:
    story = morning.story()
    for number in range(40):
        morning.post(story, title=f"Publication {number}")
    assert len(morning.today().became.items) == 3
    assert db.session.scalar(db.select(db.func.count()).select_from(Share)) == 40


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (dt.timedelta(hours=2), "goes out today at 12:00"),
        (DAY, "goes out tomorrow at 10:00"),
        (5 * DAY, "goes out on 22 Nov at 10:00"),
        (-HOUR, "goes out in a moment"),
    ],
)
def test_a_scheduled_post_says_when_it_goes_out(
    any_morning: Morning, wait: dt.timedelta, said: str
) -> None:
    any_morning.post(
        any_morning.story(), status="scheduled", published_at=None, publish_at=START + wait
    )
    shown = page(any_morning.house.browser(any_morning.maelle))
    became = shown.partition('<ol class="outcomes">')[2].partition("</ol>")[0]
    assert said in became and "ago" not in became


def test_points_lead_to_the_lines_of_what_they_are_about(any_morning: Morning) -> None:
    subject = uuid.uuid4()
    account = accounts.open_for(any_morning.maelle.id)
    ledger.transfer("award", "about", account, 30, subject=str(subject))
    ledger.transfer("award", "about-nothing", account, 5)
    points = [o for o in any_morning.today().became.items if o.kind == "points"]
    assert {(o.amount, o.url) for o in points} == {(30, f"/play?about={subject}"), (5, "/play")}
