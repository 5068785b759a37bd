"""What an identity provider may get wrong, or somebody may forge, one thing at a time."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app import clock
from app.db import db
from app.people import oidc, provider_keys, provider_settings
from app.people.models import Identity, Login
from tests.people.conftest import serving
from tests.people.provider_of_tests import (
    CLIENT,
    REMOVED,
    SECRET,
    Issuer,
    new_key,
    running,
    sign_in,
)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def app(settings_of, issuer):
    settings = settings_of(OIDC_ISSUER=issuer.url, OIDC_CLIENT_ID=CLIENT, OIDC_CLIENT_SECRET=SECRET)
    with serving(settings) as app:
        with app.app_context():
            provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
        yield app


def logins(app) -> list[dt.datetime]:
    with app.app_context():
        return list(db.session.scalars(select(Login.expires_at)))


def assert_refused(app, browser, issuer, add, status: int = 400) -> str:
    """Nobody is signed in, nobody is linked, and a page says so without repeating anything."""
    add(joined=True)
    client = browser()
    answer = sign_in(client, issuer)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page
    assert client.get("/me").status_code == 303
    with app.app_context():
        assert list(db.session.scalars(select(Identity.id))) == []
    assert logins(app) == []
    assert "maelle" not in page.lower()
    assert issuer.nonce not in page
    return page


def test_it_signs_in_when_everything_is_as_it_should_be_for_eight_hours(app, browser, issuer, add):
    add(joined=True)
    client = browser()
    assert sign_in(client, issuer).location == "/"
    assert logins(app) == [clock.now() + dt.timedelta(hours=8)]
    clock.travel(dt.timedelta(hours=8, minutes=1))
    assert client.get("/me").location.startswith("/sign-in")


WRONG_CLAIMS = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": REMOVED},
    "another audience": {"aud": "another"},
    "no audience": {"aud": REMOVED},
    "an empty audience": {"aud": []},
    "another audience, ourselves as the party": {"aud": "another", "azp": CLIENT},
    "another party": {"aud": [CLIENT, "another"], "azp": "another"},
    "two audiences and no party": {"aud": [CLIENT, "another"]},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": REMOVED},
    "a nonce among others": {"nonce": ["another"]},
    "no subject": {"sub": REMOVED},
    "an empty subject": {"sub": ""},
    "no end": {"exp": REMOVED},
    "no beginning": {"iat": REMOVED},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_it_refuses_a_token_that_is_not_for_this_errand(app, browser, issuer, add, changes):
    issuer.changes = changes
    assert "did not confirm who you are" in assert_refused(app, browser, issuer, add)


def test_it_refuses_a_token_whose_issuer_has_a_slash_more(app, browser, issuer, add):
    issuer.changes = {"iss": f"{issuer.url}/"}
    assert_refused(app, browser, issuer, add)


def test_it_takes_an_issuer_that_writes_its_slash_everywhere(
    settings_of, browser_of, issuer, add_to
):
    """The slash is no difference between what was typed and what the provider calls itself."""
    settings = settings_of(OIDC_ISSUER=issuer.url, OIDC_CLIENT_ID=CLIENT)
    with serving(settings) as app:
        person_id = add_to(app)
        for url in (f"{issuer.url}/", issuer.url):
            app.extensions.pop("oidc", None)
            issuer.metadata, issuer.changes = {"issuer": url}, {"iss": url}
            assert sign_in(browser_of(app), issuer).status_code == 303
        with app.app_context():
            rows = db.session.execute(select(Identity.person_id, Identity.issuer)).all()
        assert [tuple(row) for row in rows] == [(person_id, issuer.url)]


@pytest.fixture
def browser_of():
    return lambda app: app.test_client()


@pytest.fixture
def add_to():
    """Somebody in the directory of an installation, whose domain is the provider's."""
    from app.people import service

    def make(app):
        with app.app_context():
            provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
            person = service.add_person(
                kind="employee", name="Maëlle Kerjan", email="maelle@halvenne.example"
            )
            return person.id

    return make


@pytest.mark.parametrize("seconds", [-100, 100])
def test_it_bears_a_clock_that_is_two_minutes_off(app, browser, issuer, add, seconds):
    add(joined=True)
    now = int(clock.timestamp()) + seconds
    issuer.changes = {"iat": now, "nbf": now, "exp": now + 1}
    assert sign_in(browser(), issuer).status_code == 303


LATE = {
    "expired": lambda now: {"iat": now - 600, "exp": now - 121},
    "three minutes slow": lambda now: {"iat": now - 180, "exp": now - 179},
    "three minutes fast": lambda now: {"iat": now + 180, "exp": now + 480},
    "good in three minutes": lambda now: {"nbf": now + 180},
    "without number": lambda now: {"exp": "tomorrow"},
}


@pytest.mark.parametrize("changes", LATE.values(), ids=LATE.keys())
def test_it_refuses_a_token_of_another_time(app, browser, issuer, add, changes):
    issuer.changes = changes(int(clock.timestamp()))
    assert_refused(app, browser, issuer, add)


# ---- Signatures and keys -----------------------------------------------------------------------


def test_it_refuses_an_unsigned_token(app, browser, issuer, add):
    issuer.header = {"alg": "none"}
    assert_refused(app, browser, issuer, add)


def test_it_refuses_a_token_signed_with_the_public_key_as_a_secret(app, browser, issuer, add):
    issuer.secret, issuer.header = issuer.key.as_pem(private=False), {"alg": "HS256"}
    assert_refused(app, browser, issuer, add)


def test_it_refuses_a_token_signed_with_our_own_secret(app, browser, issuer, add):
    issuer.header = {"alg": "HS256"}
    assert_refused(app, browser, issuer, add)


def test_it_refuses_a_token_of_another_key_under_a_known_name(app, browser, issuer, add):
    issuer.signing_key = new_key("first")
    assert_refused(app, browser, issuer, add)


def test_it_follows_a_change_of_keys_without_anybody_noticing(app, browser, issuer, add):
    add(joined=True)
    assert sign_in(browser(), issuer).status_code == 303
    issuer.rotate("second")
    assert sign_in(browser(), issuer).status_code == 303
    assert issuer.asked.count("/jwks") == 2


def test_it_asks_for_keys_again_once_a_minute_however_many_are_forged(
    app, browser, issuer, add, monkeypatch
):
    add(joined=True)
    assert sign_in(browser(), issuer).status_code == 303
    honest, issuer.signing_key = issuer.key, new_key("forged")
    for number in range(5):
        issuer.header = {"kid": f"forged-{number}"}
        assert sign_in(browser(), issuer).status_code == 400
    assert issuer.asked.count("/jwks") == 2
    issuer.signing_key, issuer.header = honest, {}
    assert sign_in(browser(), issuer).status_code == 303, "the keys we know still open"
    issuer.rotate("second")
    assert sign_in(browser(), issuer).status_code == 400
    monkeypatch.setattr(provider_keys, "AGAIN_SECONDS", 0)
    assert sign_in(browser(), issuer).status_code == 303


def test_it_reads_past_keys_that_it_cannot_use(app, browser, issuer, add):
    add(joined=True)
    strange = [
        {"kty": "AKP", "kid": "post-quantum", "pub": "AAAA"},
        {"kty": "RSA", "kid": "first", "use": "enc", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "kid": "first", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "broken", "n": "!"},
    ]
    issuer.jwks["keys"] = strange + issuer.jwks["keys"]
    assert sign_in(browser(), issuer).status_code == 303


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/jwks", (503, b"{}")),
        ("/jwks", (404, b"<html>")),
        ("/jwks", (200, b"<html>")),
        ("/jwks", (200, b"[]")),
        ("/token", (503, b"{}")),
        ("/token", (200, b"<html>")),
        ("/token", (200, b"[]")),
    ],
)
def test_it_says_so_when_half_of_the_provider_is_away(app, browser, issuer, add, path, answer):
    issuer.answers[path] = answer
    assert "does not answer" in assert_refused(app, browser, issuer, add, 424)
    del issuer.answers[path]
    assert sign_in(browser(), issuer).status_code == 303, "and then it is back"


def test_it_says_so_when_there_is_no_key_at_all(app, browser, issuer, add):
    issuer.jwks = {"keys": []}
    assert_refused(app, browser, issuer, add, 424)


@pytest.mark.parametrize("path", ["/jwks", "/token"])
def test_it_does_not_wait_for_a_slow_provider(app, browser, issuer, add, path, monkeypatch):
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.3)
    issuer.hold[path] = threading.Event()
    began = clock.monotonic()
    assert "does not answer" in assert_refused(app, browser, issuer, add, 424)
    assert clock.monotonic() - began < 5


# ---- What else an answer may hold --------------------------------------------------------------


def test_it_refuses_an_answer_that_names_another_issuer(app, browser, issuer, add):
    add(joined=True)
    assert sign_in(browser(), issuer, iss="https://other.example").status_code == 400
    assert sign_in(browser(), issuer, iss=issuer.url).status_code == 303


def test_it_refuses_userinfo_about_somebody_else(app, browser, issuer, add):
    issuer.userinfo = {"sub": "m-2", "email": "maelle@halvenne.example", "email_verified": True}
    assert_refused(app, browser, issuer, add)


def test_it_refuses_an_answer_without_an_id_token(app, browser, issuer, add):
    issuer.answers["/token"] = (200, json.dumps({"access_token": "x"}).encode())
    assert_refused(app, browser, issuer, add)


def test_it_links_nobody_without_an_address(app, browser, issuer, add):
    issuer.changes = {"email": REMOVED, "email_verified": REMOVED}
    assert "names no work address" in assert_refused(app, browser, issuer, add, 403)


def test_it_asks_for_groups_only_where_something_follows_from_them(app, browser, issuer, add):
    from app.people import provider_groups

    issuer.metadata = {"scopes_supported": ["openid", "groups"]}
    assert "groups" not in browser().get("/sign-in/oidc").location
    with app.app_context():
        provider_groups.add_mapping("comm", "curator", None)
    assert "scope=openid+email+profile+groups" in browser().get("/sign-in/oidc").location
    app.extensions.pop("oidc")
    issuer.metadata = {}
    assert "groups" not in browser().get("/sign-in/oidc").location


def test_its_log_tells_why_without_telling_who(app, browser, issuer, add, caplog):
    issuer.changes = {"aud": "another"}
    with caplog.at_level(logging.INFO):
        assert_refused(app, browser, issuer, add)
    assert "InvalidClaimError aud" in caplog.text
    told = caplog.text.lower()
    assert not any(word in told for word in ("maelle", "kerjan", "m-1", issuer.nonce.lower()))
