"""Connecting LinkedIn: our page before theirs, every way back that is wrong, and the way out.
F12, F21, F101."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import session
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, create_app, outbox
from app.audit.models import AuditEntry
from app.charters import service as charters
from app.db import db
from app.people import service as people
from app.people import sessions
from app.people.models import Person
from app.sharing import grants, sealing, trouble
from app.sharing.errors import ProfileTaken
from app.sharing.views import linkedin as views
from app.web.limits import limiter
from standin.linkedin import CLIENT_ID, CMA_CLIENT_ID, CMA_CLIENT_SECRET, StandIn
from tests.conftest import START, House, serving, settings_for
from tests.sharing.conftest import linked
from tests.sharing.flow import (
    CALLBACK,
    GAEL,
    MAELLE,
    PAGE,
    agree,
    all_grants,
    ask,
    code_in,
    connect,
    go,
    newcomer,
    state_in,
)
from tests.sharing.kit import accept, press, share, story


@pytest.fixture(autouse=True)
def _members(standin: StandIn) -> None:
    standin.add_members(
        [{"sub": MAELLE, "name": "Maëlle Kerjan"}, {"sub": GAEL, "name": "Gaël Lebrun"}]
    )


@pytest.fixture
def maelle(house: House) -> Person:
    return newcomer(house)


@pytest.fixture
def browser(house: House, maelle: Person) -> FlaskClient:
    return house.browser(maelle)


def page_of(client: FlaskClient, path: str = PAGE, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


# --- our own page ------------------------------------------------------------------------


def test_it_says_what_is_asked_before_linkedin_is_opened(browser: FlaskClient) -> None:
    page = page_of(browser)
    for words in ("To recognise you", "Your name there", "To publish in your name",
                  "Nothing is published by connecting", "about 60 days", "Permitted services"):  # fmt: skip
        assert words in page
    for scope in ("openid", "profile", "w_member_social"):
        assert scope in page
    assert "r_member_postAnalytics" not in page
    box = re.search(r'<input type="checkbox" name="consent"[^>]*>', page)
    assert box and "checked" not in box[0]


def test_it_leaves_for_linkedin_only_with_the_box_ticked(
    browser: FlaskClient, standin: StandIn
) -> None:
    for consent in ({}, {"consent": ""}, {"consent": "1"}, {"consent": "2020-01"}):
        answer = browser.post(f"{PAGE}/grants", data=consent)
        assert answer.status_code == 422
        assert "Nothing was sent to LinkedIn" in answer.get_data(as_text=True)
    address = urlsplit(go(browser))
    asked = {k: v[0] for k, v in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == standin.address
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid profile w_member_social"
    assert asked["redirect_uri"] == f"http://127.0.0.1:8000{CALLBACK}"
    assert len(asked["state"]) >= 40
    assert {"code_challenge", "nonce"}.isdisjoint(asked)


def test_it_wants_the_charter_first(house: House, standin: StandIn) -> None:
    accept(house.person("Inès Tavarès").id)
    person = house.person("Odile Roux", language="en")
    client = house.browser(person)
    page = page_of(client, f"{PAGE}?next=/library")
    assert "The charter comes first" in page
    assert "/charter?next=/sharing/linkedin%3Fnext%3D/library" in page
    assert 'name="consent"' not in page
    assert ask(client).status_code == 409


def test_its_form_may_lead_to_linkedin_by_the_security_policy(
    browser: FlaskClient, standin: StandIn
) -> None:
    policy = browser.get(PAGE).headers["Content-Security-Policy"]
    assert standin.address in re.search(r"form-action ([^;]+)", policy)[1]


def test_it_asks_for_the_figures_in_the_other_mode(template, tmp_path, standin: StandIn) -> None:
    variables = linked(
        tmp_path, standin, LINKEDIN_MODE="community_management", LINKEDIN_CLIENT_ID=CMA_CLIENT_ID,
        LINKEDIN_CLIENT_SECRET=CMA_CLIENT_SECRET,
    )  # fmt: skip
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    for app in serving(create_app(settings_for(tmp_path, **variables))):
        house = House(app)
        person = newcomer(house)
        client = house.browser(person)
        page = page_of(client)
        assert "To count views of what you published from here" in page
        assert "r_basicprofile" in page and "openid" not in page
        assert connect(client, standin).location == PAGE
        grant = grants.grant_of(person.id)
        assert grant is not None
        assert (grant.mode, grant.display_name) == ("community_management", "Maëlle Kerjan")
        assert "r_member_postAnalytics" in grant.scopes


def test_it_says_what_an_administrator_must_do_where_nothing_is_set_up(template, tmp_path) -> None:
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    for app in serving(create_app(settings_for(tmp_path))):
        house = House(app)
        client = house.browser(newcomer(house))
        page = page_of(client)
        assert "LinkedIn is not set up here" in page
        assert "PORTEVOIX_LINKEDIN_CLIENT_ID" in page
        assert f"http://127.0.0.1:8000{CALLBACK}" in page
        assert 'name="consent"' not in page
        assert ask(client).status_code == 409


def test_it_is_for_members(house: House) -> None:
    outsider = house.browser(house.person("Odile Roux", joined=False))
    assert outsider.get(PAGE).status_code == 403
    assert ask(outsider).status_code == 403
    assert outsider.get(f"{CALLBACK}?code=x&state=y").status_code == 403
    assert house.app.test_client().get(PAGE).status_code == 303


# --- there and back ----------------------------------------------------------------------


def test_it_connects_and_shows_until_when(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    answer = connect(browser, standin)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert all_grants() == [(maelle.id, MAELLE)]
    page = page_of(browser)
    assert "You are connected as Maëlle Kerjan. Nothing was published." in page
    assert "17 November 2026" in page and "16 January 2027" in page
    assert standin.posts() == []
    grant = grants.grant_of(maelle.id)
    assert grant is not None
    assert grant.consent_version == grants.CONSENT_VERSION
    assert [t["state"] for t in standin.tokens()] == ["active"]


def test_it_keeps_the_moment_of_the_consent_and_not_of_the_answer(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    address = go(browser)
    clock.travel(dt.timedelta(minutes=7))
    browser.get(agree(standin, address))
    grant = grants.grant_of(maelle.id)
    assert grant is not None
    assert (grant.consented_at, grant.connected_at) == (START, START + dt.timedelta(minutes=7))


def test_it_leads_on_to_our_own_pages_only(browser: FlaskClient, standin: StandIn) -> None:
    inside = "/library/x?text=fr#composer"
    assert connect(browser, standin, next=inside).location == inside
    for given in ("//evil.example", "https://evil.example", "/\\evil.example", "/sign-in", "",
                  "/" + "x" * 301, "/x\r\nSet-Cookie: a=b"):  # fmt: skip
        assert connect(browser, standin, next=given).location == PAGE, given


def test_it_keeps_three_errands_apart_and_no_more(browser: FlaskClient, standin: StandIn) -> None:
    addresses = [go(browser, next=f"/library?q={n}") for n in range(4)]
    assert browser.get(agree(standin, addresses[0])).status_code == 400
    assert browser.get(agree(standin, addresses[3])).location == "/library?q=3"
    assert browser.get(agree(standin, addresses[1])).location == "/library?q=1"


def test_its_errands_fit_into_a_cookie(browser: FlaskClient) -> None:
    for _ in range(3):
        answer = ask(browser, next="/" + "é" * 290)
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("portevoix="))
    assert len(cookie) < 4096


def test_it_renews_with_a_fresh_consent_and_keeps_what_was_planned(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    connect(browser, standin)
    planned = press(maelle, story(house), publish_at=clock.now() + dt.timedelta(days=2))
    clock.travel(dt.timedelta(days=1))
    connect(browser, standin)
    grant = grants.grant_of(maelle.id)
    assert grant is not None
    assert grant.consented_at == clock.now()
    assert grant.expires_at == clock.now() + dt.timedelta(days=60)
    assert share(planned.id).status == "scheduled"
    assert all_grants() == [(maelle.id, MAELLE)]


def test_another_profile_ends_what_was_agreed_for_the_old_one(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    connect(browser, standin)
    planned = press(maelle, story(house), publish_at=clock.now() + dt.timedelta(days=2))
    connect(browser, standin, GAEL)
    outbox.drain()
    found = share(planned.id)
    assert (found.status, found.reason) == ("paused", "other-profile")
    assert all_grants() == [(maelle.id, GAEL)]
    assert {t["member"]: t["state"] for t in standin.tokens()} == {
        MAELLE: "revoked",
        GAEL: "active",
    }
    assert "One post is paused" in page_of(browser)


# --- every way back that is wrong --------------------------------------------------------


def refused(client: FlaskClient, path: str, status: int, words: str) -> None:
    """A page that says why, in the reader's frame, and nothing stored."""
    answer = client.get(path)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page
    assert words in page
    assert "Nothing was stored, and nothing was published." in page
    assert answer.headers["Cache-Control"] == "no-store"
    for name in ("code", "state"):
        for value in parse_qs(urlsplit(path).query).get(name, []):
            assert len(value) < 8 or value not in page
    assert all_grants() == []


INTERRUPTED = "This connection was interrupted"


UNASKED = (
    "",
    "?code=x",
    "?state=unknown",
    "?state=&code=x",
    "?state=unknown&code=x",
    "?state=unknown&error=user_cancelled_authorize",
    "?state=%00&code=%00",
    "?state=é&code=é",
    "?state[]=a&code[]=b",
    f"?state={'s' * 200_000}&code=x",
    f"?code={'c' * 200_000}",
    "?state=" + quote("<script>alert(1)</script>"),
)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_it_takes_no_answer_that_it_did_not_ask_for(browser: FlaskClient, lang: str) -> None:
    for query in UNASKED:
        go(browser)
        answer = browser.get(f"{CALLBACK}{query}{'&' if query else '?'}lang={lang}")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, query[:40]
        assert f'<html lang="{lang}">' in page
        assert "<script>alert" not in page
        assert "ssssssssss" not in page and "cccccccccc" not in page
        assert all_grants() == []


def test_it_takes_an_answer_once(browser: FlaskClient, maelle: Person, standin: StandIn) -> None:
    back = agree(standin, go(browser))
    assert browser.get(back).status_code == 303
    grants.end(maelle.id)
    refused(browser, back, 400, INTERRUPTED)


def test_a_page_loaded_twice_is_told_that_it_worked(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    """Somebody reloads while LinkedIn is slow: both requests carry the same answer."""
    back = agree(standin, go(browser))
    with browser.session_transaction() as before:
        waiting = before[views.KEY]
    assert browser.get(back).status_code == 303
    for left in (waiting, []):
        with browser.session_transaction() as again:
            again[views.KEY] = left
        answer = browser.get(back)
        assert answer.status_code == 400
        assert "your connection of 17 November 2026, 10:00 works" in answer.get_data(as_text=True)
    assert all_grants() == [(maelle.id, MAELLE)]


def test_it_uses_a_state_once_even_when_it_failed(browser: FlaskClient, standin: StandIn) -> None:
    address = go(browser)
    state = state_in(address)
    refused(browser, f"{CALLBACK}?code=made-up&state={state}", 400, "no longer good")
    refused(browser, agree(standin, address), 400, INTERRUPTED)


def test_it_lets_an_answer_come_for_a_quarter_of_an_hour(
    browser: FlaskClient, standin: StandIn
) -> None:
    back = agree(standin, go(browser))
    clock.travel(dt.timedelta(minutes=15, seconds=1))
    refused(browser, back, 400, INTERRUPTED)


def test_it_takes_no_answer_of_another_browser(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    back = agree(standin, go(browser))
    elsewhere = house.browser(maelle)
    refused(elsewhere, back, 400, INTERRUPTED)
    go(elsewhere)
    refused(elsewhere, back, 400, INTERRUPTED)
    stranger = house.browser(newcomer(house, "Gaël Lebrun"))
    go(stranger)
    refused(stranger, back, 400, INTERRUPTED)


def test_it_takes_no_answer_that_another_account_of_this_browser_began(
    house: House, browser: FlaskClient, standin: StandIn
) -> None:
    """A signed-in browser that changed hands without a new session, the errands still in it."""
    back = agree(standin, go(browser))
    gael = house.browser(newcomer(house, "Gaël Lebrun"))
    with browser.session_transaction() as mine, gael.session_transaction() as theirs:
        theirs[views.KEY] = mine[views.KEY]
    refused(gael, back, 403, "Somebody else began this here")


def test_signing_in_ends_the_errands_of_whoever_was_here_before(
    house: House, browser: FlaskClient
) -> None:
    go(browser)
    gael = newcomer(house, "Gaël Lebrun")
    with house.app.test_request_context():
        sessions.begin(people.start_login(gael.id, "", "password"))
        assert views.KEY not in session


def test_it_survives_a_sign_out_on_the_way(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    back = agree(standin, go(browser))
    browser.post("/sign-out")
    answer = browser.get(back)
    assert answer.status_code == 303
    assert code_in(back) not in answer.location
    assert parse_qs(urlsplit(answer.location).query)["next"] == [f"{PAGE}?note=interrupted"]
    again = house.browser(maelle)
    assert "You were signed out on the way" in page_of(again, f"{PAGE}?note=interrupted")
    assert all_grants() == []


def test_a_stranger_with_a_long_answer_is_sent_to_a_short_address(house: House) -> None:
    answer = house.app.test_client().get(f"{CALLBACK}?state={'s' * 60_000}&code=x")
    assert answer.status_code == 303
    assert len(answer.location) < 200


NOES = (
    ("user_cancelled_login", 403, "You said no at LinkedIn"),
    ("user_cancelled_authorize", 403, "You said no at LinkedIn"),
    ("access_denied", 403, "You said no at LinkedIn"),
    ("server_error", 424, "refused, without saying why"),
    ("<script>", 424, "refused, without saying why"),
    ("x" * 200_000, 424, "refused, without saying why"),
    ("unauthorized_scope_error", 424, "does not give our application"),
)


def test_it_explains_each_no(browser: FlaskClient) -> None:
    for error, status, words in NOES:
        assert trouble.recent(dt.timedelta(days=1)) == []
        state = state_in(go(browser, next="/library"))
        refused(browser, f"{CALLBACK}?error={quote(error)}&state={state}", status, words)
    assert [found.code for found in trouble.recent(dt.timedelta(days=1))] == ["scope"]


@pytest.mark.parametrize("decision", ["cancel_login", "cancel_authorize"])
def test_it_respects_a_no_on_linkedins_page(
    browser: FlaskClient, standin: StandIn, decision: str
) -> None:
    back = agree(standin, go(browser, next="/library"), decision=decision)
    refused(browser, back, 403, "You said no at LinkedIn")
    assert standin.tokens() == []


def test_it_is_told_when_the_application_lacks_a_scope(
    browser: FlaskClient, standin: StandIn
) -> None:
    standin.set(consent="unauthorized_scope")
    refused(browser, agree(standin, go(browser)), 424, "does not give our application")
    assert [t.code for t in trouble.recent(dt.timedelta(days=1))] == ["scope"]


CODES = (
    "",
    "made-up",
    "c" * 3900,
    "c" * 200_000,
    "%00",
    "é",
    "a b",
    "AQ\r\nX: y",
    "../..",
    "%F0%9F",
)


def test_it_takes_no_code_that_linkedin_did_not_give(browser: FlaskClient) -> None:
    for code in CODES:
        state = state_in(go(browser))
        answer = browser.get(CALLBACK, query_string={"code": code, "state": state})
        assert answer.status_code == 400, code[:20]
        assert "ccccc" not in answer.get_data(as_text=True)
    assert all_grants() == []


def test_it_takes_no_code_of_another_application(browser: FlaskClient, standin: StandIn) -> None:
    standin.register("78other", "its-secret", scopes=["openid", "profile", "w_member_social"])
    state = state_in(address := go(browser))
    other = code_in(agree(standin, address.replace(CLIENT_ID, "78other"), GAEL))
    refused(browser, f"{CALLBACK}?code={other}&state={state}", 400, "no longer good")


def test_it_takes_no_code_that_somebody_else_used(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    gael = newcomer(house, "Gaël Lebrun")
    theirs = agree(standin, go(client := house.browser(gael)), GAEL)
    assert client.get(theirs).status_code == 303
    state = state_in(go(browser))
    answer = browser.get(f"{CALLBACK}?code={code_in(theirs)}&state={state}")
    assert answer.status_code == 400
    assert all_grants() == [(gael.id, GAEL)]


def test_two_people_cannot_post_as_one_profile(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    assert connect(browser, standin).status_code == 303
    other = newcomer(house, "Gaël Lebrun")
    answer = connect(house.browser(other), standin, MAELLE)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "connected to somebody else here" in page
    assert "Maëlle" not in page
    assert all_grants() == [(maelle.id, MAELLE)]
    with pytest.raises(ProfileTaken):
        grants.store_invented(other.id, MAELLE, "Gaël", "token-of-gael")
    assert [t["state"] for t in standin.tokens()] == ["active", "active"]


def test_the_database_itself_refuses_a_second_grant_of_one_profile(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two members press at the same moment: neither sees the other's row."""
    maelle, gael = newcomer(any_house), newcomer(any_house, "Gaël Lebrun")
    grants.store_invented(maelle.id, MAELLE, "Maëlle", "token-1")
    monkeypatch.setattr(grants, "_refuse_taken", lambda person_id, subject: None)
    with pytest.raises(ProfileTaken):
        grants.store_invented(gael.id, MAELLE, "Gaël", "token-2")
    grants.store_invented(gael.id, GAEL, "Gaël", "token-3")
    with pytest.raises(ProfileTaken):
        grants.store_invented(gael.id, MAELLE, "Gaël", "token-4")
    assert sorted(all_grants()) == sorted([(maelle.id, MAELLE), (gael.id, GAEL)])


def test_it_waits_for_the_charter_of_a_member_who_took_it_back(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    back = agree(standin, go(browser))
    charters.withdraw(maelle.id)
    refused(browser, back, 409, "The charter comes first")
    assert standin.tokens() == []


TROUBLES = (
    "500", "500-html", "503", "429", "drop_before", "drop_after_accept", "silence:4", "half",
    {"do": "garbage", "form": "bytes"}, {"do": "garbage", "form": "body"},
)  # fmt: skip


def test_it_says_so_when_linkedin_is_away_or_slow(browser: FlaskClient, standin: StandIn) -> None:
    for action in TROUBLES:
        back = agree(standin, go(browser))
        standin.fault(action, path="/oauth/v2/accessToken", times=None)
        refused(browser, back, 424, "LinkedIn does not answer")
        standin.clear_faults()
    assert connect(browser, standin).status_code == 303


def test_it_says_so_when_nobody_is_there(template, tmp_path) -> None:
    variables = {
        "LINKEDIN_AUTH_URL": "http://127.0.0.1:9", "LINKEDIN_API_URL": "http://127.0.0.1:9",
        "LINKEDIN_CLIENT_ID": "id", "LINKEDIN_CLIENT_SECRET": "secret",
    }  # fmt: skip
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    for app in serving(create_app(settings_for(tmp_path, **variables))):
        house = House(app)
        client = house.browser(newcomer(house))
        state = state_in(go(client))
        refused(client, f"{CALLBACK}?code=AQcode&state={state}", 424, "LinkedIn does not answer")


def test_it_says_so_when_our_secret_is_wrong(template, tmp_path, standin: StandIn) -> None:
    variables = linked(tmp_path, standin, LINKEDIN_CLIENT_SECRET="not-the-secret")
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    for app in serving(create_app(settings_for(tmp_path, **variables))):
        house = House(app)
        client = house.browser(newcomer(house))
        refused(client, agree(standin, go(client)), 424, "does not recognise our application")
        assert [t.code for t in trouble.recent(dt.timedelta(days=1))] == ["client"]


def test_it_takes_no_proof_of_another_issuer(browser: FlaskClient, standin: StandIn) -> None:
    standin.set(issuer="https://evil.example")
    refused(browser, agree(standin, go(browser)), 403, "could not be sure who you are")


def test_it_is_asked_at_most_thirty_times_a_minute(template, tmp_path, standin: StandIn) -> None:
    (tmp_path / "portevoix.db").write_bytes(template.read_bytes())
    variables = linked(tmp_path, standin, ENV="production")
    was = limiter.enabled
    for app in serving(create_app(settings_for(tmp_path, **variables))):
        house = House(app)
        client = house.browser(newcomer(house))
        answers = [client.get(f"{CALLBACK}?state=x").status_code for _ in range(31)]
        assert answers == [400] * 30 + [429]
    limiter.enabled = was


# --- how it stands -----------------------------------------------------------------------


def test_it_asks_for_a_renewal_in_time(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    connect(browser, standin)
    assert "works" in page_of(browser)
    clock.travel(dt.timedelta(days=54))
    assert "ends soon" in page_of(house_again(browser, maelle))
    clock.travel(dt.timedelta(days=7))
    page = page_of(house_again(browser, maelle))
    assert "to be renewed" in page and "Ended on" in page
    assert "LinkedIn no longer accepts this connection" in page


def house_again(client: FlaskClient, person: Person) -> FlaskClient:
    """Sign in again: a browser is forgotten after some days."""
    return House(client.application).browser(person)


def test_it_disconnects_with_one_press_and_says_what_went(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    connect(browser, standin)
    story_id = story(house)
    for days in (1, 2):
        at = clock.now() + dt.timedelta(days=days)
        press(maelle, story_id, f"Chapeau {days}.", publish_at=at)
    assert "2 posts are planned; they are cancelled." in page_of(browser)
    answer = browser.post(f"{PAGE}/ending")
    assert answer.status_code == 303
    page = page_of(browser)
    assert "2 planned posts were cancelled." in page
    assert 'name="consent"' in page
    outbox.drain()
    assert all_grants() == []
    assert [t["state"] for t in standin.tokens()] == ["revoked"]
    assert "LinkedIn was not connected." in page_of(browser.post(f"{PAGE}/ending") and browser)


def test_it_is_reached_from_ones_own_page(browser: FlaskClient) -> None:
    assert 'href="/sharing/linkedin"' in page_of(browser, "/me")


# --- tokens stay where they belong -------------------------------------------------------


def test_two_swapped_tokens_open_neither_connection_and_their_owners_are_told(
    house: House, browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    gael = newcomer(house, "Gaël Lebrun")
    connect(browser, standin)
    connect(house.browser(gael), standin, GAEL)
    with db.engine.begin() as base:
        rows = base.exec_driver_sql("select id, access_token from share_grant").all()
        (one, his), (two, hers) = rows
        statement = "update share_grant set access_token = ? where id = ?"
        base.exec_driver_sql(statement, (hers, one))
        base.exec_driver_sql(statement, (his, two))
    db.session.expire_all()
    for person in (maelle, gael):
        grant = grants.grant_of(person.id)
        assert grant is not None
        with pytest.raises(sealing.TokenMisplaced):
            sealing.access_token(grant)
    story_id = story(house)
    posts = [press(person, story_id, f"De {person.name}.") for person in (maelle, gael)]
    outbox.drain()
    assert standin.posts() == []
    for post, person in zip(posts, (maelle, gael), strict=True):
        assert (share(post.id).status, share(post.id).reason) == ("paused", "reconnect")
        found = grants.grant_of(person.id)
        assert found is not None and found.state == "reconnect"
    mails = list((house.app.extensions["portevoix"].data_dir / "mail").glob("*.eml"))
    told = [m.read_text() for m in mails if "no longer accepts your connection" in m.read_text()]
    assert len(told) == 2
    grants.end(maelle.id)  # an unreadable token is forgotten all the same
    assert all_grants() == [(gael.id, GAEL)]


def test_a_consent_leaves_a_trace_without_its_token(
    browser: FlaskClient, maelle: Person, standin: StandIn
) -> None:
    connect(browser, standin)
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "grant.stored")).one()
    assert row.actor_id == maelle.id
    assert row.details == {"network": "linkedin", "new": True, "consent": grants.CONSENT_VERSION}
