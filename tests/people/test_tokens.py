"""Tokens of the API: what they may do, who may make them, how they end."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from sqlalchemy import select

from app import clock
from app.crypto import token_hash
from app.db import db
from app.errors import InvalidInput, NotFound
from app.people import queries, service
from app.people.models import ROLES, AccessToken
from app.web import access
from tests.people.conftest import press


@pytest.fixture
def probe(app):
    """Asks a route that needs a scope, with a token; the answer."""
    client = app.test_client()

    def ask(token: str | None, scope: str = "read", **headers: str):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return client.get(f"/api/probe/{scope}", headers=headers)

    return ask


def issue(app, person, *scopes: str, **options: object) -> str:
    with app.app_context():
        return service.issue_token(person.id, "Feed", scopes or ["read"], **options)


def test_it_is_shown_once_and_kept_as_a_hash(app, add):
    plain = issue(app, add(joined=True))
    assert re.fullmatch(r"pvx_[A-Za-z0-9_-]{43}", plain)
    with app.app_context():
        row = db.session.scalars(select(AccessToken)).one()
    assert row.token_hash == token_hash(plain)
    assert plain not in str(vars(row))


def test_it_lets_a_program_act_for_its_person(app, add, probe):
    person = add(joined=True)
    answer = probe(issue(app, person, "read", "shares:write"))
    assert answer.get_json() == {"id": str(person.id), "scopes": ["read", "shares:write"]}


def test_it_refuses_without_a_good_token_and_says_how_to_come_in(app, add, probe):
    person = add(joined=True)
    good = issue(app, person)
    for token in ("", "pvx_" + "x" * 43, good[:-1], good + "x", token_hash(good)):
        answer = probe(token)
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == (
            'Bearer realm="portevoix", error="invalid_token"'
        )
    assert probe(None).status_code == 401
    assert probe(None).headers["WWW-Authenticate"] == 'Bearer realm="portevoix"'
    assert probe(None, Authorization=f"Basic {good}").status_code == 401


def test_it_answers_a_bad_token_in_the_callers_language(probe):
    answer = probe("pvx_nothing", **{"Accept-Language": "en"})
    assert answer.get_json()["title"] == "This token is unknown, expired or revoked."


def test_it_stops_when_it_expires_or_is_revoked(app, add, probe):
    person = add(joined=True)
    short = issue(app, person, expires_at=clock.now() + dt.timedelta(days=30))
    long = issue(app, person)
    clock.travel(dt.timedelta(days=29, hours=23))
    assert probe(short).status_code == 200
    clock.travel(dt.timedelta(hours=1))
    assert probe(short).status_code == 401
    with app.app_context():
        row = db.session.scalars(
            select(AccessToken).where(AccessToken.token_hash == token_hash(long))
        ).one()
        service.revoke_token(person.id, row.id)
        service.revoke_token(person.id, row.id)
    assert probe(long).status_code == 401


def test_it_never_does_more_than_its_person_may_at_that_moment(app, add, probe):
    add("Inès Duval", roles=["admin"])
    person = add(roles=["admin"])
    token = issue(app, person, "read", "people:write")
    assert probe(token, "people:write").status_code == 200
    with app.app_context():
        service.change_roles(person.id, ["auditor"])
    assert probe(token, "people:write").status_code == 403
    assert probe(token).status_code == 200
    with app.app_context():
        service.depart(person.id)
    assert probe(token).status_code == 401


def test_it_ends_with_the_membership(app, add, probe):
    person = add(joined=True, roles=["curator"])
    token = issue(app, person, "read", "shares:write")
    with app.app_context():
        service.leave(person.id)
    assert probe(token).status_code == 401


@pytest.mark.parametrize("role", ROLES)
def test_it_allows_each_role_what_its_work_needs(app, add, inside, role):
    person = add(joined=role == "member", roles=[] if role == "member" else [role])
    allowed = service.allowed_scopes({role})
    assert {"read"} <= allowed <= {*access.SCOPES}
    service.issue_token(person.id, "All", allowed, by_console=True)
    for scope in {*access.SCOPES} - allowed:
        with pytest.raises(InvalidInput) as caught:
            service.issue_token(person.id, "Beyond", [scope], by_console=True)
        assert list(caught.value.errors) == ["scopes"]


def test_every_scope_is_for_somebody():
    assert {*service.SCOPE_ROLES} == {*access.SCOPES}
    assert all(service.SCOPE_ROLES.values())


def test_it_gives_nothing_to_somebody_without_a_role(add, inside):
    with pytest.raises(InvalidInput):
        service.issue_token(add().id, "Feed", ["read"])


def test_it_keeps_sharing_apart_from_managing_people(add, inside):
    person = add(joined=True, roles=["admin"])
    with pytest.raises(InvalidInput) as caught:
        service.issue_token(person.id, "Both", ["scim", "shares:write"])
    assert list(caught.value.errors) == ["scopes"]


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [("", ["read"], "name"), (" ", ["read"], "name"), ("x" * 121, ["read"], "name"),
     ("Feed", [], "scopes"), ("Feed", ["everything"], "scopes")],
)  # fmt: skip
def test_it_names_the_field_that_is_wrong(add, inside, name, scopes, field):
    person = add(joined=True)
    with pytest.raises(InvalidInput) as caught:
        service.issue_token(person.id, name, scopes)
    assert list(caught.value.errors) == [field]


def test_it_makes_the_same_demo_token_work_however_often_it_is_asked(app, add, probe):
    person, token = add(joined=True), "pvx_" + "d" * 43
    for _ in range(2):
        with app.app_context():
            service.ensure_token(person.id, token, ["read"])
    assert probe(token).status_code == 200
    with app.app_context():
        (row,) = db.session.scalars(select(AccessToken)).all()
        service.revoke_token(person.id, row.id)
        service.ensure_token(person.id, token, ["read", "shares:write"])
    assert probe(token, "shares:write").status_code == 200
    with app.app_context(), pytest.raises(ValueError, match="somebody else"):
        service.ensure_token(uuid.uuid4(), token, ["read"])


def test_it_is_made_on_ones_own_page_and_shown_this_once(app, add, browser, probe):
    client = browser(add(joined=True))
    form = client.get("/me/tokens").get_data(as_text=True)
    assert 'value="shares:write"' in form
    assert 'value="people:write"' not in form
    assert " checked" not in form
    made = press(client, "/me/tokens", "/me/tokens", name="My feed", scopes=["read"], days="30")
    assert (made.status_code, made.location) == (303, "/me/tokens")
    assert "pvx_" not in made.headers["Set-Cookie"]
    shown = client.get("/me/tokens")
    assert shown.headers["Cache-Control"] == "no-store"
    (plain,) = {*re.findall(r"pvx_[A-Za-z0-9_-]{43}", shown.get_data(as_text=True))}
    assert probe(plain).get_json()["scopes"] == ["read"]
    again = client.get("/me/tokens").get_data(as_text=True)
    assert "pvx_" not in again
    assert "My feed" in again


def test_its_form_comes_back_with_what_was_chosen(add, browser):
    client = browser(add(joined=True))
    answer = press(client, "/me/tokens", "/me/tokens", name="", scopes=["shares:write"], days="365")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="shares:write" checked' in page
    assert '<option value="365" selected' in page
    for days in ("", "0", "36500", "x"):
        refused = press(client, "/me/tokens", "/me/tokens", name="F", scopes=["read"], days=days)
        assert refused.status_code == 422


def test_its_page_refuses_scopes_beyond_ones_roles(app, add, browser):
    client = browser(add(joined=True))
    answer = press(
        client, "/me/tokens", "/me/tokens", name="Feed", scopes=["people:write"], days="30"
    )
    assert answer.status_code == 422
    with app.app_context():
        assert db.session.scalars(select(AccessToken)).all() == []


def test_it_is_revoked_by_its_owner_alone(app, add, browser):
    owner, other = add(joined=True), add("Théo Rossignac", joined=True)
    issue(app, owner)
    with app.app_context():
        (row,) = queries.tokens_of(owner.id)
        assert queries.tokens_of(other.id) == []
        with pytest.raises(NotFound):
            service.revoke_token(other.id, row.id)
    path = f"/me/tokens/{row.id}/revocation"
    assert press(browser(other), "/me/tokens", path).status_code == 404
    assert "Feed" not in browser(other).get("/me/tokens").get_data(as_text=True)
    assert press(browser(owner), "/me/tokens", path).status_code == 303
    with app.app_context():
        assert queries.tokens_of(owner.id) == []
