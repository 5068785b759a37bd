"""Signing in with an identity provider: a real one on this machine, and its bad days."""

from __future__ import annotations

import datetime as dt
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import run_server_in_thread
from sqlalchemy import select

from app import clock
from app.db import db
from app.people import oidc, provider_settings, service
from app.people.models import Identity, Login
from tests.people.conftest import mailed_link, press, serving

CALLBACK = "/sign-in/oidc/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider that checks nonces; its issuer."""
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def app(settings_of, provider):
    with serving(settings_of(OIDC_ISSUER=provider, OIDC_CLIENT_ID="portevoix",
                             OIDC_CLIENT_SECRET="s3cret")) as app:  # fmt: skip
        by_the_walls_clock()
        with app.app_context():
            provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
        yield app


def by_the_walls_clock() -> None:
    """Held at the present: a real provider dates what it signs."""
    clock.release()
    clock.freeze(clock.now())


@pytest.fixture
def account(provider) -> Callable[..., None]:
    """Somebody the provider knows."""

    def make(subject: str, **claims: object) -> None:
        httpx.put(f"{provider}/users/{subject}", json=claims).raise_for_status()

    return make


def go(client, path: str = "/sign-in/oidc") -> str:
    """Press the button; the address at the provider."""
    answer = client.get(path)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def agree(address: str, subject: str) -> str:
    """Sign in there; the address that leads back."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.path == CALLBACK
    return f"{back.path}?{back.query}"


def sign_in(client, subject: str, path: str = "/sign-in/oidc"):
    return client.get(agree(go(client, path), subject))


def identities(app) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.execute(select(Identity.issuer, Identity.subject))
        return [(row.issuer, row.subject) for row in rows]


def test_it_asks_for_a_code_with_pkce_state_and_nonce(app, browser, provider):
    address = urlsplit(go(browser()))
    asked = {k: v[0] for k, v in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == provider
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20
    assert {*asked["scope"].split()} == {"openid", "email", "profile"}
    assert asked["redirect_uri"] == f"http://127.0.0.1:8000{CALLBACK}"


def test_it_links_by_verified_address_once_and_by_subject_from_then_on(
    app, add, browser, account, provider
):
    person = add(roles=["admin"])
    account("m-1", email="Maelle@Halvenne.example", email_verified=True)
    client = browser()
    answer = sign_in(client, "m-1", "/sign-in/oidc?next=/me/tokens")
    assert (answer.status_code, answer.location) == (303, "/me/tokens")
    assert "Maëlle Kerjan" in client.get("/me").get_data(as_text=True)
    assert identities(app) == [(provider, "m-1")]
    account("m-1", email="married@elsewhere.example", email_verified=True)
    assert sign_in(browser(), "m-1").location == "/join"
    assert identities(app) == [(provider, "m-1")]
    with app.app_context():
        logins = db.session.execute(select(Login.person_id, Login.method)).all()
    assert [tuple(row) for row in logins] == [(person.id, "oidc")] * 2


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"email": "stranger@halvenne.example", "email_verified": True},
         "You are not in the directory"),
        ({"email": "maelle@halvenne.example", "email_verified": False}, "names no work address"),
        ({"email": "maelle@halvenne.example"}, "names no work address"),
        ({}, "names no work address"),
        ({"email": "maelle@elsewhere.example", "email_verified": True}, "of another organisation"),
        ({"email": "maelle@sub.halvenne.example", "email_verified": True},
         "of another organisation"),
    ],
)  # fmt: skip
def test_it_tells_those_whom_it_cannot_link_and_changes_nothing(
    app, add, browser, account, claims, told
):
    add(joined=True)
    add("Maëlle Autre", email="maelle@elsewhere.example")
    account("m-3", **claims)
    client = browser()
    answer = sign_in(client, "m-3")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert told in page
    assert "maelle" not in page.lower()
    assert client.get("/me").status_code == 303
    assert identities(app) == []


def test_it_takes_no_second_account_for_a_person_until_an_administrator_says_so(
    app, add, browser, account
):
    person = add(joined=True)
    account("old", email=person.email, email_verified=True)
    account("new", email=person.email, email_verified=True)
    assert sign_in(browser(), "old").status_code == 303
    refused = sign_in(browser(), "new")
    assert refused.status_code == 403
    assert "another account" in refused.get_data(as_text=True)
    with app.app_context():
        service.unlink_identities(person.id)
    assert sign_in(browser(), "new").status_code == 303


def test_it_lets_nobody_in_who_left(app, add, browser, account):
    person = add(joined=True)
    account("m-4", email=person.email, email_verified=True)
    sign_in(browser(), "m-4")
    with app.app_context():
        service.depart(person.id)
    assert sign_in(browser(), "m-4").status_code == 403


def test_it_joins_by_invitation_without_a_password(app, add, browser):
    person = add()
    with app.app_context():
        service.invite(person.id)
    path, client = mailed_link(app, "join"), browser()
    assert 'name="password"' not in client.get(path).get_data(as_text=True)
    assert press(client, path, path).status_code == 303
    assert client.get("/me").status_code == 200


def test_it_offers_the_provider_on_the_sign_in_page(browser):
    page = browser().get("/sign-in?next=/me").get_data(as_text=True)
    assert 'href="/sign-in/oidc?next=/me"' in page
    assert "Sign in with Halvenne" in page


def test_it_refuses_an_answer_that_this_browser_did_not_ask_for(add, browser, account):
    person = add(joined=True)
    account("m-5", email=person.email, email_verified=True)
    stolen = agree(go(browser()), "m-5")
    other = browser()
    go(other)
    for client in (browser(), other):
        assert client.get(stolen).status_code == 400
        assert client.get("/me").status_code == 303


def test_it_takes_an_answer_once(add, browser, account):
    person, client = add(joined=True), browser()
    account("m-6", email=person.email, email_verified=True)
    back = agree(go(client), "m-6")
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 400


def test_it_keeps_the_errands_of_two_tabs_apart(add, browser, account):
    person, client = add(joined=True), browser()
    account("m-7", email=person.email, email_verified=True)
    first, second = go(client), go(client)
    assert client.get(agree(first, "m-7")).status_code == 303
    assert first != second


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?error=access_denied&state=x", "?code=x&state=x"]
)
def test_it_answers_a_stale_or_cancelled_sign_in_with_a_page(browser, query):
    answer = browser().get(CALLBACK + query)
    assert answer.status_code == 400
    assert "Start again from here" in answer.get_data(as_text=True)


def test_it_lets_an_errand_wait_for_a_quarter_of_an_hour(add, browser, account):
    person, client = add(joined=True), browser()
    account("m-8", email=person.email, email_verified=True)
    back = agree(go(client), "m-8")
    clock.travel(dt.timedelta(minutes=16))
    assert client.get(back).status_code == 400


def test_it_refuses_a_code_that_was_used_or_made_up(add, browser):
    client = browser()
    state = parse_qs(urlsplit(go(client)).query)["state"][0]
    assert client.get(f"{CALLBACK}?code=made-up&state={state}").status_code == 400


def test_it_refuses_another_nonce(app, provider, account):
    account("m-9", email="maelle@halvenne.example")
    known = oidc.Provider(app.extensions["portevoix"])
    errand = known.begin("en")
    code = parse_qs(urlsplit(agree(errand.url, "m-9")).query)["code"][0]
    with pytest.raises(oidc.ProviderRefused):
        known.finish(code, "another nonce", errand.verifier)


def test_it_gives_the_browser_a_new_session(add, browser, account):
    person, client = add(joined=True), browser()
    account("m-10", email=person.email, email_verified=True)
    with client.session_transaction() as session:
        session["planted"] = "x"
    sign_in(client, "m-10")
    with client.session_transaction() as session:
        assert {*session} == {"login", "_permanent"}


def test_it_never_leads_to_another_site(add, browser, account):
    person = add(joined=True)
    account("m-11", email=person.email, email_verified=True)
    assert sign_in(browser(), "m-11", "/sign-in/oidc?next=//evil.example").location == "/"


def test_it_has_no_such_page_without_a_provider(settings_of):
    with serving(settings_of()) as app:
        client = app.test_client()
        assert client.get("/sign-in/oidc").status_code == 404
        assert client.get(CALLBACK).status_code == 404
        assert "/sign-in/oidc" not in client.get("/sign-in").get_data(as_text=True)


# ---- Bad days ------------------------------------------------------------------------------


@contextmanager
def answering(status: int, body: bytes, hold: threading.Event | None = None) -> Iterator[str]:
    """A server that always answers this, perhaps only once `hold` is set; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hold is not None:
                hold.wait(30)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        if hold is not None:
            hold.set()
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def told(settings_of, issuer: str) -> tuple[int, str]:
    with serving(settings_of(OIDC_ISSUER=issuer, OIDC_CLIENT_ID="portevoix")) as app:
        client = app.test_client()
        assert client.get("/sign-in").status_code == 200
        answer = client.get("/sign-in/oidc", headers={"Accept-Language": "en"})
    return answer.status_code, answer.get_data(as_text=True)


def test_it_says_so_when_the_provider_is_down(settings_of):
    status, page = told(settings_of, f"http://127.0.0.1:{free_port()}")
    assert status == 424
    assert "does not answer" in page


def test_it_says_so_when_the_provider_is_slow(settings_of, monkeypatch):
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.3)
    with answering(200, b"{}", threading.Event()) as issuer:
        assert told(settings_of, issuer)[0] == 424


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            200,
            b'{"issuer": "https://other.example", "authorization_endpoint": "https://o.example"}',
        ),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (404, b"{}"),
        (500, b"{}"),
    ],
)
def test_it_says_so_when_the_provider_is_not_who_it_should_be(settings_of, status, body):
    with answering(status, body) as issuer:
        assert told(settings_of, issuer)[0] == 424


def test_it_tries_again_when_the_provider_is_back(settings_of, provider):
    port = free_port()
    with serving(
        settings_of(OIDC_ISSUER=f"http://localhost:{port}", OIDC_CLIENT_ID="portevoix")
    ) as app:
        client = app.test_client()
        assert client.get("/sign-in/oidc").status_code == 424
        with run_server_in_thread(port=port):
            assert client.get("/sign-in/oidc").status_code == 303


def test_it_says_so_when_the_provider_goes_away_halfway(settings_of):
    port = free_port()
    settings = settings_of(OIDC_ISSUER=f"http://localhost:{port}", OIDC_CLIENT_ID="portevoix")
    with serving(settings) as app:
        client = app.test_client()
        with run_server_in_thread(port=port):
            back = agree(go(client), "somebody")
        assert client.get(back).status_code == 424


def test_it_takes_only_signatures_that_the_provider_alone_can_make():
    class Wanted:
        oidc_issuer = "https://id.example/"

    metadata = {
        "issuer": "https://id.example",
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
    }
    oidc._check(metadata, Wanted)
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256"]


def test_it_shows_no_secret_of_the_errand_in_its_pages(browser):
    client = browser()
    state = parse_qs(urlsplit(go(client)).query)["state"][0]
    page = client.get(f"{CALLBACK}?code=x&state={state}").get_data(as_text=True)
    assert state not in page
    assert not re.search("verifier|nonce", page)
