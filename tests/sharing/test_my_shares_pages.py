"""My posts and their receipts: what became of each, and what may still be done. F12, F13, F115."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale
from werkzeug.test import TestResponse

from app import clock, outbox
from app.db import transaction
from app.people.models import Person
from app.sharing import grants, stop
from app.sharing.models import ReachFigure, Share
from app.sharing.views.mine import WAITS
from app.sharing.words import REASONS, STATUS_NAMES
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing.kit import member, press, share, story

Count = Callable[[Callable[[], Any]], int]
TOMORROW = START + dt.timedelta(days=1)
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}


def text_of(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def read(browser: FlaskClient, share_id: uuid.UUID) -> str:
    answer = browser.get(f"/shares/{share_id}?lang=en")
    assert answer.status_code == 200
    return text_of(answer)


def english(sentence: object) -> str:
    with force_locale("en"):
        return str(sentence)


def put(share_id: uuid.UUID, **values: Any) -> None:
    """Put a post into a state as the worker would."""
    with transaction():
        found = share(share_id)
        for name, value in values.items():
            setattr(found, name, value)


def acts(said: str) -> set[str]:
    """What the page offers to do."""
    return set(re.findall(r'action="/shares/[0-9a-f-]{36}/([a-z]+)"', said))


def metric(said: str, name: str) -> str:
    found = re.search(rf"<dt>{name}.*?</dt><dd>(.*?)</dd>", said, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


@pytest.fixture
def me(house: House) -> Person:
    return member(house)


# --- the list ----------------------------------------------------------------------------


def test_an_empty_list_leads_to_the_library(house: House, me: Person) -> None:
    said = text_of(house.browser(me).get("/shares"))
    assert 'class="empty"' in said and 'href="/library"' in said


def test_the_list_is_narrowed_in_the_address(house: House, me: Person) -> None:
    story_id = story(house)
    planned = press(me, story_id, "Demain", publish_at=TOMORROW)
    failed = press(me, story_id, "Raté")
    put(failed.id, status="failed", reason="duplicate")
    browser = house.browser(me)
    everything = text_of(browser.get("/shares"))
    assert f"/shares/{planned.id}" in everything and f"/shares/{failed.id}" in everything
    said = text_of(browser.get("/shares?view=asks"))
    assert f"/shares/{failed.id}" in said and f"/shares/{planned.id}" not in said
    assert english(REASONS["duplicate"]) in text_of(browser.get("/shares?view=asks&lang=en"))
    assert f"/shares/{failed.id}" in text_of(browser.get("/shares?view=nonsense"))
    assert 'class="empty"' in text_of(browser.get("/shares?view=online"))


def test_the_list_is_mine_alone_and_goes_on_by_key(house: House, me: Person) -> None:
    theirs = member(house, "Théo Rossignac")
    story_id = story(house)
    other = press(theirs, story_id, "À Théo")
    made = [press(me, story_id, str(n), network="copy").id for n in range(30)]
    browser = house.browser(me)
    first = text_of(browser.get("/shares"))
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more is not None
    second = text_of(browser.get(more[1]))
    seen = [[n for n in made if f"/shares/{n}" in page] for page in (first, second)]
    assert len(seen[0]) == 24 and sorted(seen[0] + seen[1]) == sorted(made)
    assert str(other.id) not in first + second


def test_a_browser_gets_the_page_and_htmx_its_main_part(house: House, me: Person) -> None:
    made = press(me, story(house), network="copy")
    browser = house.browser(me)
    for path in ("/shares", f"/shares/{made.id}"):
        assert "<html" in text_of(browser.get(path))
        part = browser.get(path, headers={"HX-Request": "true"})
        assert "<html" not in text_of(part) and "HX-Request" in part.headers["Vary"]


def test_lists_and_receipts_ask_little(house: House, me: Person, count_queries: Count) -> None:
    story_id = story(house)
    for number in range(8):
        press(me, story_id, f"Bravo {number}", network="whatsapp")
    made = press(me, story_id)
    outbox.drain()
    browser = house.browser(me)
    assert count_queries(lambda: browser.get("/shares")) <= 8
    assert count_queries(lambda: browser.get(f"/shares/{made.id}")) <= 10
    assert count_queries(lambda: browser.get(f"/shares/{made.id}/state")) <= 10


# --- whose it is -------------------------------------------------------------------------


def test_somebody_elses_post_is_as_unknown_as_none(house: House, me: Person) -> None:
    theo = member(house, "Théo Rossignac")
    made = press(me, story(house), publish_at=TOMORROW)
    browser = house.browser(theo)
    for share_id in (made.id, uuid.uuid4()):
        answers = [browser.get(f"/shares/{share_id}"), browser.get(f"/shares/{share_id}/state")]
        answers += [
            browser.post(f"/shares/{share_id}/{act}", data={"online": "yes", "when": "now"})
            for act in ("withdrawal", "moment", "check", "answer", "figures")
        ]
        assert {answer.status_code for answer in answers} == {404}
    assert share(made.id).status == "scheduled"


# --- states ------------------------------------------------------------------------------

STATES: list[tuple[dict[str, Any], str, set[str]]] = [
    ({"status": "scheduled", "publish_at": TOMORROW}, "It goes out on 18 November", {"moment", "withdrawal"}),
    ({"status": "scheduled", "reason": "waiting"}, str(REASONS["waiting"]), {"moment", "withdrawal"}),
    ({"status": "scheduled", "reason": "check"}, str(REASONS["check"]), set()),
    ({"status": "paused", "reason": "asks"}, str(REASONS["asks"]), {"moment", "withdrawal"}),
    ({"status": "paused", "reason": "reconnect"}, "/sharing/linkedin?next=/shares/", {"moment", "withdrawal"}),
    ({"status": "publishing", "phase": "preparing"}, "Nothing has left yet", {"withdrawal"}),
    ({"status": "publishing", "phase": "sent"}, "answer is awaited", {"withdrawal"}),
    ({"status": "published", "published_at": START, "post_urn": "urn:li:share:1"}, "Online since", {"withdrawal", "figures"}),
    ({"status": "published", "published_at": START}, "did not tell us the name", {"figures"}),
    ({"status": "published", "published_at": START, "is_declared": True}, "on your word", {"figures"}),
    ({"status": "published", "published_at": START, "reason": "refused-there"}, str(REASONS["refused-there"]), {"figures"}),
    ({"status": "unknown", "sent_at": START}, "It may be online, or not", {"answer", "check"}),
    ({"status": "unknown", "sent_at": START - dt.timedelta(days=2)}, "More than a day", {"answer"}),
    ({"status": "failed", "reason": "duplicate"}, str(REASONS["duplicate"]), set()),
    ({"status": "failed", "reason": None}, "Nothing was posted", set()),
    ({"status": "cancelled", "reason": "story-withdrawn"}, str(REASONS["story-withdrawn"]), set()),
    ({"status": "cancelled", "reason": None}, "before it was sent", set()),
    ({"status": "withdrawn", "withdrawn_at": START}, "Removed from LinkedIn", set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says", "offers"),
    STATES,
    ids=lambda v: str(sorted(v) if isinstance(v, set) else v)[:40],
)
def test_each_state_is_told_with_what_to_do(
    house: House, me: Person, values: dict[str, Any], says: str, offers: set[str]
) -> None:
    made = press(me, story(house))
    put(made.id, **values)
    said = read(house.browser(me), made.id)
    assert says in said
    assert english(STATUS_NAMES[values["status"]]) in said
    assert acts(said) == offers
    if values["status"] in ("failed", "cancelled", "withdrawn"):
        assert f"again={made.id}" in said


def test_every_reason_has_words_on_the_receipt(house: House, me: Person) -> None:
    made = press(me, story(house))
    browser = house.browser(me)
    for reason, sentence in REASONS.items():
        for status in ("paused", "failed", "cancelled"):
            put(made.id, status=status, reason=reason)
            assert english(sentence) in read(browser, made.id)


def test_the_receipt_holds_the_exact_text_and_the_link(house: House, me: Person) -> None:
    words = "Deux lignes,\n\net un <b>signe</b> & un 🎉"
    made = press(me, story(house), words)
    said = house.browser(me).get(f"/shares/{made.id}").get_data(as_text=True)
    exact = re.search(r'network-exact"[^>]*>(.*?)</p>', said, re.DOTALL)
    assert exact is not None
    assert unescape(exact[1]) == f"Je travaille chez Halvenne.\n\n{words}"
    assert "<b>signe" not in said
    assert f"/r/{made.code}" in said


# --- a post on its way -------------------------------------------------------------------


def watch(browser: FlaskClient, share_id: uuid.UUID, page: str) -> tuple[str, float | None]:
    """(the next look, seconds until then), or no seconds when the page looks no more."""
    found = re.search(r'hx-get="([^"]+)" hx-trigger="load delay:(\d+)s"', page)
    return (found[1], float(found[2])) if found else ("", None)


def test_it_is_followed_less_and_less_often_and_not_for_ever(house: House, me: Person) -> None:
    made = press(me, story(house))
    browser = house.browser(me)
    url, wait = watch(browser, made.id, read(browser, made.id))
    waits = []
    while wait is not None:
        waits.append(wait)
        assert len(waits) <= len(WAITS)
        page = text_of(browser.get(f"{url}&lang=en"))
        assert "hx-swap-oob" not in page, "nothing new was shown as new"
        url, wait = watch(browser, made.id, page)
    assert waits == list(WAITS) == sorted(waits)
    assert "It takes longer than usual" in page and f'href="/shares/{made.id}"' in page


def test_what_is_new_comes_by_itself_and_then_it_rests(house: House, me: Person) -> None:
    made = press(me, story(house))
    browser = house.browser(me)
    url, _wait = watch(browser, made.id, read(browser, made.id))
    outbox.drain()
    page = text_of(browser.get(f"{url}&lang=en"))
    assert 'id="state" hx-swap-oob="innerHTML"' in page and "Online since" in page
    assert "hx-get" not in page


def test_what_is_planned_for_later_is_not_followed(house: House, me: Person) -> None:
    made = press(me, story(house), publish_at=TOMORROW)
    assert "hx-get" not in read(house.browser(me), made.id)


# --- acts --------------------------------------------------------------------------------


def test_it_is_cancelled_until_it_is_sent(house: House, me: Person, standin: StandIn) -> None:
    made = press(me, story(house), publish_at=TOMORROW)
    browser = house.browser(me)
    answer = browser.post(f"/shares/{made.id}/withdrawal")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/shares/{made.id}")
    clock.travel(dt.timedelta(days=2))
    outbox.drain()
    assert share(made.id).status == "cancelled" and not standin.posts()


def test_it_is_taken_off_the_network(house: House, me: Person, standin: StandIn) -> None:
    made = press(me, story(house))
    outbox.drain()
    browser = house.browser(me)
    assert standin.posts()[0]["urn"] in read(browser, made.id)
    browser.post(f"/shares/{made.id}/withdrawal")
    said = read(browser, made.id)
    assert "has been asked to remove it" in said and "withdrawal" not in acts(said)
    outbox.drain()
    assert "Removed from LinkedIn" in read(browser, made.id)
    assert standin.posts()[0]["deleted_at"] is not None
    assert house.app.test_client().get(f"/r/{made.code}", headers=FIREFOX).status_code == 410


def test_it_is_moved_and_sent_at_once(house: House, me: Person, standin: StandIn) -> None:
    made = press(me, story(house), publish_at=TOMORROW)
    browser = house.browser(me)
    later = {"when": "at", "at": "2026-11-20T08:40"}
    assert browser.post(f"/shares/{made.id}/moment", data=later).status_code == 303
    assert share(made.id).publish_at == dt.datetime(2026, 11, 20, 7, 40, tzinfo=dt.UTC)
    browser.post(f"/shares/{made.id}/moment", data={"when": "now"})
    outbox.drain()
    assert len(standin.posts()) == 1 and share(made.id).status == "published"


@pytest.mark.parametrize("at", ["", "demain", "2026-11-01T08:00", "2027-11-01T08:00"])
def test_a_moment_that_is_none_comes_back_as_it_was_typed(
    house: House, me: Person, at: str
) -> None:
    made = press(me, story(house), publish_at=TOMORROW)
    answer = house.browser(me).post(f"/shares/{made.id}/moment", data={"when": "at", "at": at})
    assert answer.status_code == 422
    assert 'id="at-error"' in text_of(answer) and share(made.id).publish_at == TOMORROW


def test_a_paused_one_goes_out_by_a_new_press(house: House, me: Person, standin: StandIn) -> None:
    admin, made = house.person("Rose Amiel", "admin"), press(me, story(house))
    found = stop.stop(admin.id, "Attendons demain.")
    browser = house.browser(me)
    assert "Attendons demain." in read(browser, made.id)
    refused = browser.post(f"/shares/{made.id}/moment", data={"when": "now"})
    assert refused.status_code == 409 and 'role="alert"' in text_of(refused)
    stop.lift(admin.id, found.id)
    outbox.drain()
    assert not standin.posts()
    browser.post(f"/shares/{made.id}/moment", data={"when": "now"})
    outbox.drain()
    assert len(standin.posts()) == 1


def test_an_unknown_one_is_checked_and_found(house: House, me: Person, standin: StandIn) -> None:
    made = press(me, story(house))
    standin.fault("drop_after_accept", path="/rest/posts", method="POST", times=1)
    outbox.drain()
    browser = house.browser(me)
    assert acts(read(browser, made.id)) == {"answer", "check"}
    clock.travel(dt.timedelta(minutes=5))
    assert browser.post(f"/shares/{made.id}/check").status_code == 303
    outbox.drain()
    assert share(made.id).status == "published"
    assert len(standin.posts()) == 1


@pytest.mark.parametrize(("online", "status"), [("yes", "published"), ("no", "failed")])
def test_its_author_says_whether_it_is_online(
    house: House, me: Person, online: str, status: str
) -> None:
    made = press(me, story(house))
    put(made.id, status="unknown", sent_at=START)
    browser = house.browser(me)
    assert browser.post(f"/shares/{made.id}/answer", data={"online": online}).status_code == 303
    assert share(made.id).status == status
    again = browser.post(f"/shares/{made.id}/answer", data={"online": online})
    assert again.status_code == 409 and 'role="alert"' in text_of(again)


def test_what_is_not_possible_any_more_is_told_on_the_true_receipt(
    house: House, me: Person
) -> None:
    made = press(me, story(house))
    put(made.id, status="unknown", sent_at=START - dt.timedelta(days=2))
    browser = house.browser(me)
    for act in ("withdrawal", "moment", "check", "figures"):
        answer = browser.post(f"/shares/{made.id}/{act}?lang=en")
        assert answer.status_code == 409, act
        assert 'role="alert"' in text_of(answer) and "It may be online" in text_of(answer)


def test_a_draft_leads_back_to_where_it_is_written(house: House, me: Person) -> None:
    story_id, browser = story(house), house.browser(me)
    browser.post("/sharing/drafts", data={"story_id": str(story_id), "words": "À demain"})
    page = text_of(browser.get("/shares?view=drafts"))
    found = re.search(r'href="(/shares/[0-9a-f-]{36})"', page)
    assert found is not None
    answer = browser.get(found[1])
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/library/{story_id}?")


# --- reach -------------------------------------------------------------------------------


def test_what_nobody_measured_is_not_a_zero(house: House, me: Person) -> None:
    made = press(me, story(house))
    outbox.drain()
    said = read(house.browser(me), made.id)
    assert metric(said, "Visits by your link") == "0 measured"
    for name in ("Views", "Members reached", "Reactions", "Comments", "Reposts"):
        assert metric(said, name) == "not measured"


def test_a_visit_by_the_link_is_measured(house: House, me: Person) -> None:
    made = press(me, story(house))
    outbox.drain()
    house.app.test_client().get(f"/r/{made.code}", headers=FIREFOX)
    house.ingest()
    browser = house.browser(me)
    assert metric(read(browser, made.id), "Visits by your link") == "1 measured"
    assert re.search(r"1 visit\s+<span class=\"truth", text_of(browser.get("/shares?lang=en")))


def test_figures_are_declared_changed_and_taken_away(house: House, me: Person) -> None:
    made = press(me, story(house))
    outbox.drain()
    browser, path = house.browser(me), f"/shares/{made.id}/figures"
    assert browser.post(path, data={"impressions": "1 234", "reactions": "7"}).status_code == 303
    said = read(browser, made.id)
    assert metric(said, "Views") == "1,234 declared" and metric(said, "Reactions") == "7 declared"
    browser.post(path, data={"impressions": "", "reactions": "8"})
    said = read(browser, made.id)
    assert metric(said, "Views") == "not measured" and metric(said, "Reactions") == "8 declared"


@pytest.mark.parametrize("typed", ["beaucoup", "-3", "1.5", "9" * 30, "٣"])
def test_a_figure_that_is_none_comes_back_as_it_was_typed(
    house: House, me: Person, typed: str
) -> None:
    made = press(me, story(house))
    outbox.drain()
    figures = {"impressions": "12", "comments": typed}
    answer = house.browser(me).post(f"/shares/{made.id}/figures", data=figures)
    assert answer.status_code == 422
    assert f'value="{typed}"' in text_of(answer) and 'value="12"' in text_of(answer)
    assert metric(read(house.browser(me), made.id), "Views") == "not measured"


def test_what_the_network_measured_is_not_asked_for(house: House, me: Person) -> None:
    made = press(me, story(house))
    outbox.drain()
    with transaction() as session:
        session.add(ReachFigure(share_id=made.id, metric="reactions", value=12, truth="measured"))
    said = read(house.browser(me), made.id)
    assert metric(said, "Reactions") == "12 measured"
    assert 'name="reactions"' not in said and 'name="comments"' in said


# --- elsewhere ---------------------------------------------------------------------------


def an_intent(
    house: House, me: Person, network: str, words: str = "Déjà 100 % & plus #bois"
) -> Share:
    return press(me, story(house), words, network=network)


@pytest.mark.parametrize(
    ("network", "host"),
    [
        ("x", "x.com"), ("facebook", "www.facebook.com"), ("whatsapp", "api.whatsapp.com"),
        ("bluesky", "bsky.app"), ("mastodon", "share.joinmastodon.org"), ("telegram", "t.me"),
        ("threads", "www.threads.net"), ("reddit", "www.reddit.com"),
        ("linkedin-dialog", "www.linkedin.com"),
    ],
)  # fmt: skip
def test_the_networks_own_window_is_opened_apart(
    house: House, me: Person, network: str, host: str
) -> None:
    made = an_intent(house, me, network)
    said = read(house.browser(me), made.id)
    link = re.search(
        r'<a class="button" href="(https://[^"]+)" target="_blank" rel="([^"]+)"', said
    )
    assert link is not None and link[2] == "noopener noreferrer"
    assert urlsplit(link[1]).hostname == host
    given = parse_qs(urlsplit(link[1]).query or urlsplit(link[1]).fragment)
    assert any(f"/r/{made.code}" in value[0] for value in given.values())
    assert "a visit by your link will prove it" in said.lower()


def test_mail_and_message_carry_words_and_link(house: House, me: Person) -> None:
    for network, scheme in (("email", "mailto:"), ("sms", "sms:")):
        made = an_intent(house, me, network)
        said = read(house.browser(me), made.id)
        link = re.search(rf'href="({scheme}\?[^"]+)"', said)
        assert link is not None and "+" not in link[1] and "%20" in link[1]
        assert "target" not in said[said.index(link[1]) : said.index(link[1]) + len(link[1]) + 40]


def test_a_copy_holds_the_whole_text_and_the_link(house: House, me: Person) -> None:
    made = an_intent(house, me, "copy")
    said = read(house.browser(me), made.id)
    whole = re.search(r'<textarea[^>]*id="whole"[^>]*>\n(.*?)</textarea>', said, re.DOTALL)
    assert whole is not None
    assert whole[1].startswith("Je travaille chez Halvenne.\n\nDéjà 100 % & plus #bois\n\nhttp")
    assert whole[1].endswith(f"/r/{made.code}")
    assert "data-share-url" in said and "Views" not in said


def test_a_qr_code_is_drawn_and_dies_with_its_link(house: House, me: Person) -> None:
    made = an_intent(house, me, "qr")
    browser = house.browser(me)
    assert f'src="/links/{made.code}/qr.svg"' in read(browser, made.id)
    picture = browser.get(f"/links/{made.code}/qr.svg")
    assert (picture.status_code, picture.content_type) == (200, "image/svg+xml")
    browser.post(f"/shares/{made.id}/withdrawal")
    assert "leads nowhere any more" in read(browser, made.id)
    assert house.app.test_client().get(f"/r/{made.code}", headers=FIREFOX).status_code == 410
    assert browser.get(f"/links/{made.code}/qr.svg").status_code == 410


def test_a_visit_proves_what_an_intent_could_only_hope(house: House, me: Person) -> None:
    made = an_intent(house, me, "whatsapp")
    browser = house.browser(me)
    assert "no visit yet" in text_of(browser.get("/shares?lang=en"))
    house.app.test_client().get(f"/r/{made.code}", headers=FIREFOX)
    house.ingest()
    outbox.drain()
    assert "Somebody came by this link on 17 November 2026" in read(browser, made.id)
    assert "1 visit" in text_of(browser.get("/shares?lang=en"))


def test_a_short_network_is_told_before_it_cuts(house: House, me: Person) -> None:
    long = an_intent(house, me, "x", "Mot " * 80)
    assert "X takes about 280 characters" in read(house.browser(me), long.id)
    short = an_intent(house, me, "x", "Bravo")
    assert "takes about" not in read(house.browser(me), short.id)


def test_disconnecting_shows_on_the_receipts(house: House, me: Person) -> None:
    made = press(me, story(house), publish_at=TOMORROW)
    grants.end(me.id)
    said = read(house.browser(me), made.id)
    assert english(REASONS["disconnected"]) in said and acts(said) == set()
