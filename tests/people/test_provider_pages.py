"""The administrators' page, closed passwords at the door, signing out here and there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app import clock, crypto
from app.db import db, transaction
from app.people import provider_groups, provider_settings, service
from app.people.models import Login, Segment
from app.people.views.provider import FAREWELL, MOST_HINT
from tests.people.conftest import PASSWORD, press, serving
from tests.people.provider_of_tests import CLIENT, REMOVED, SECRET, Issuer, running, sign_in

PAGE = "/studio/people/provider"
SIGNED_OUT = "/sign-in/oidc/signed-out"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running() as issuer:
        issuer.metadata = {"end_session_endpoint": f"{issuer.url}/end"}
        yield issuer


@pytest.fixture
def app(settings_of, issuer):
    settings = settings_of(OIDC_ISSUER=issuer.url, OIDC_CLIENT_ID=CLIENT, OIDC_CLIENT_SECRET=SECRET)
    with serving(settings) as app:
        yield app


@pytest.fixture
def admin(add, browser):
    """An administrator's browser."""
    return browser(add("Inès Duval", joined=True, roles=["admin"]))


def chosen(app) -> provider_settings.Chosen:
    with app.app_context():
        return provider_settings.chosen()


def shown(client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


# ---- The page ------------------------------------------------------------------------------------


def test_it_starts_closed_and_says_what_is_missing(app, admin, issuer):
    page = shown(admin)
    assert chosen(app) == provider_settings.Chosen((), creates_people=False, offers_password=True)
    assert "No mail domain is named yet" in page
    assert issuer.url in page
    assert "http://127.0.0.1:8000/sign-in/oidc/callback" in page
    assert f"http://127.0.0.1:8000{SIGNED_OUT}" in page


def test_it_keeps_what_is_decided(app, admin):
    answer = press(admin, PAGE, PAGE, domains="@Halvenne.example, halvenne.fr;\n écho.fr ",
                   creates_people="1")  # fmt: skip
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert chosen(app) == provider_settings.Chosen(
        ("halvenne.example", "halvenne.fr", "xn--cho-9la.fr"),
        creates_people=True, offers_password=False,
    )  # fmt: skip
    assert "No mail domain" not in shown(admin)


@pytest.mark.parametrize(
    "domain", ["halvenne", "*.halvenne.fr", "a@halvenne.fr", "<b>.fr", "x." * 130 + "fr", "1.2.3.4"]
)
def test_it_refuses_what_is_no_domain_and_keeps_what_was_typed(app, admin, domain):
    answer = press(admin, PAGE, PAGE, domains=f"halvenne.example {domain}", creates_people="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "This is not a mail domain" in page
    assert "halvenne.example" in page and "<b>" not in page
    assert chosen(app) == provider_settings.Chosen()


def test_it_adds_and_removes_lines(app, admin):
    with app.app_context(), transaction() as session:
        session.add_all([Segment(name="Lorient"), Segment(name="By rule", rule={"all": []})])
    with app.app_context():
        places = {name: str(key) for key, name, _ in provider_groups.segment_choices()}
    lines = f"{PAGE}/mappings"
    for gives, where in (("curator", ""), ("recruiter", places["Lorient"]),
                         ("list", places["Lorient"])):  # fmt: skip
        answer = press(admin, PAGE, lines, value="/rh/comm", gives=gives, segment_id=where)
        assert answer.status_code == 303
    page = shown(admin)
    for words in ("Curator, in the whole organisation", "Recruiter, for the segment Lorient",
                  "A place on a list, Lorient"):  # fmt: skip
        assert words in page
    for gives, where in (("list", ""), ("list", places["By rule"]), ("member", ""),
                         ("curator", "nonsense"), ("curator", "")):  # fmt: skip
        answer = press(admin, PAGE, lines, value="/rh/comm", gives=gives, segment_id=where)
        assert answer.status_code == 422
        assert "/rh/comm" in answer.get_data(as_text=True)
    with app.app_context():
        ids = [line.id for line in provider_groups.mappings()]
    assert len(ids) == 3
    for line in ids:
        assert press(admin, PAGE, f"{lines}/{line}/removal").status_code == 303
    assert press(admin, PAGE, f"{lines}/{ids[0]}/removal").status_code == 404
    assert "No group gives anything" in shown(admin)


def test_only_administrators_see_it(app, add, browser):
    lead = browser(add("Inès Duval", joined=True, roles=["lead", "hr", "auditor"]))
    assert lead.get(PAGE).status_code == 403
    assert press(lead, "/me", PAGE, domains="evil.example").status_code == 403
    assert chosen(app).domains == ()


def test_it_says_so_where_no_provider_is_connected(settings_of):
    with serving(settings_of()) as app:
        with app.app_context():
            person = service.add_person(
                kind="employee", name="Inès", email="i@halvenne.example", roles=["admin"]
            )
            service.set_language(person.id, "en")
            signed_in = service.start_login(person.id, "", "oidc")
        client = app.test_client()
        with client.session_transaction() as session:
            session["login"] = signed_in.token
        assert "No identity provider is connected" in shown(client)


def test_it_tells_that_google_names_no_groups(settings_of):
    settings = settings_of(OIDC_ISSUER="https://accounts.google.com", OIDC_CLIENT_ID="x")
    with serving(settings) as app:
        with app.app_context():
            person = service.add_person(
                kind="employee", name="Inès", email="i@halvenne.example", roles=["admin"]
            )
            service.set_language(person.id, "en")
            signed_in = service.start_login(person.id, "", "oidc")
        client = app.test_client()
        with client.session_transaction() as session:
            session["login"] = signed_in.token
        assert "Google does not name groups" in shown(client)


# ---- The door ------------------------------------------------------------------------------------


def test_the_door_offers_no_password_where_they_are_closed(app, add, browser):
    person = add(joined=True)
    boss = add("Inès Duval", joined=True, roles=["admin"])
    with app.app_context():
        provider_settings.save([], creates_people=False, offers_password=False)
    client = browser()
    page = shown(client, "/sign-in")
    assert 'name="password"' not in page
    assert "/sign-in?password=1" in page
    answer = press(client, "/sign-in?password=1", "/sign-in", email=person.email, password=PASSWORD)
    assert answer.status_code == 422
    assert "Passwords are not used here any more" in answer.get_data(as_text=True)
    assert client.get("/me").status_code == 303
    answer = press(client, "/sign-in?password=1", "/sign-in", email=boss.email, password=PASSWORD)
    assert answer.status_code == 303
    assert client.get("/me").status_code == 200


def test_a_wrong_password_reads_the_same_where_they_are_closed(app, add, browser):
    person = add(joined=True)
    with app.app_context():
        provider_settings.save([], creates_people=False, offers_password=False)
    client = browser()
    for email in (person.email, "nobody@halvenne.example"):
        answer = press(client, "/sign-in?password=1", "/sign-in", email=email, password="x" * 12)
        assert "do not go together" in answer.get_data(as_text=True)


# ---- Signing out ---------------------------------------------------------------------------------


@pytest.fixture
def signed_in(app, add, browser, issuer):
    """A browser that came in through the provider."""
    with app.app_context():
        provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    add(joined=True)
    client = browser()
    assert sign_in(client, issuer).status_code == 303
    return client


def ends(app) -> list[bool]:
    with app.app_context():
        return [end is not None for end in db.session.scalars(select(Login.ended_at))]


def test_signing_out_ends_ours_and_leads_to_theirs(app, signed_in, issuer):
    answer = press(signed_in, "/me", "/sign-out")
    assert ends(app) == [True]
    there = urlsplit(answer.location)
    asked = {k: v[0] for k, v in parse_qs(there.query).items()}
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{issuer.url}/end"
    assert asked["client_id"] == CLIENT
    assert asked["post_logout_redirect_uri"] == f"http://127.0.0.1:8000{SIGNED_OUT}"
    assert asked["id_token_hint"].count(".") == 2
    back = signed_in.get(SIGNED_OUT, query_string={"state": asked["state"]})
    assert back.location == "/sign-in?note=signed-out"
    assert signed_in.get("/me").status_code == 303
    assert signed_in.get_cookie(FAREWELL, path="/sign-out") is None


def test_the_browser_alone_keeps_the_id_token_and_sends_it_to_the_sign_out_alone(
    app, signed_in, issuer
):
    kept = signed_in.get_cookie(FAREWELL, path="/sign-out")
    assert kept is not None
    assert (kept.http_only, kept.same_site, kept.path) == (True, "Lax", "/sign-out")
    assert kept.max_age == 8 * 3600
    assert "." not in kept.value, "encrypted: a token would show its three parts"
    with app.app_context():
        dump = "\n".join(
            str(row)
            for table in db.metadata.sorted_tables
            for row in db.session.execute(table.select())
        )
        hint = crypto.decrypt(kept.value, FAREWELL)
    assert "eyJ" in hint
    assert "eyJ" not in dump


def test_our_pages_may_send_a_form_to_the_provider(signed_in, issuer):
    policy = signed_in.get("/me").headers["Content-Security-Policy"]
    targets = next(part for part in policy.split(";") if "form-action" in part)
    assert issuer.url in targets.split()


@pytest.mark.parametrize("state", ["", "made-up", "WzFd.x"])
def test_a_visit_that_we_did_not_send_is_told_nothing(browser, app, state):
    assert browser().get(SIGNED_OUT, query_string={"state": state}).location == "/sign-in"


def test_a_state_is_good_for_a_quarter_of_an_hour(app, signed_in):
    answer = press(signed_in, "/me", "/sign-out")
    state = parse_qs(urlsplit(answer.location).query)["state"][0]
    clock.travel(dt.timedelta(minutes=16))
    assert signed_in.get(SIGNED_OUT, query_string={"state": state}).location == "/sign-in"


def test_a_long_token_is_left_out_and_we_say_who_we_are_instead(app, add, browser, issuer):
    with app.app_context():
        provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    add(joined=True)
    issuer.changes = {"groups": [f"group-{n}" for n in range(MOST_HINT // 8)]}
    client = browser()
    assert sign_in(client, issuer).status_code == 303
    asked = parse_qs(urlsplit(press(client, "/me", "/sign-out").location).query)
    assert "id_token_hint" not in asked
    assert asked["client_id"] == [CLIENT]


def test_whoever_came_by_password_is_not_sent_to_the_provider(app, add, browser, signed_in, issuer):
    """Not even in a browser that keeps what an earlier sign-in with the provider left."""
    boss = add("Inès Duval", joined=True)
    with app.app_context():
        plain = service.start_login(boss.id, "", "password")
    with signed_in.session_transaction() as session:
        session["login"] = plain.token
    assert signed_in.get_cookie(FAREWELL, path="/sign-out") is not None
    assert press(signed_in, "/me", "/sign-out").location == "/sign-in?note=signed-out"


def test_signing_out_never_waits_for_a_provider_without_such_a_page_or_away(app, signed_in, issuer):
    app.extensions.pop("oidc")
    issuer.answers["/.well-known/openid-configuration"] = (503, b"")
    assert press(signed_in, "/me", "/sign-out").location == "/sign-in?note=signed-out"
    assert ends(app) == [True]


@pytest.mark.parametrize("address", [REMOVED, None, 7, "javascript:alert(1)", "//evil.example"])
def test_it_leads_only_to_a_page_that_is_one(app, add, browser, issuer, address):
    issuer.metadata = {"end_session_endpoint": address}
    with app.app_context():
        provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    add(joined=True)
    client = browser()
    assert sign_in(client, issuer).status_code == 303
    assert press(client, "/me", "/sign-out").location == "/sign-in?note=signed-out"


def test_a_page_at_another_origin_is_a_link_that_the_person_presses(app, add, browser, issuer):
    issuer.metadata = {"end_session_endpoint": "https://logout.halvenne.example/end?a=b"}
    with app.app_context():
        provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    add(joined=True)
    client = browser()
    assert sign_in(client, issuer).status_code == 303
    answer = press(client, "/me", "/sign-out")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'href="https://logout.halvenne.example/end?a=b&amp;client_id=portevoix' in page
    assert "You are signed out here" in page
    assert client.get("/me").status_code == 303
