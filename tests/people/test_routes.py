"""Every route around people: one rule each, and what each rule means to a stranger."""

from __future__ import annotations

import pytest

from app.web import access


@pytest.fixture
def rules(app):
    """(path, methods, rule) of every route of this blueprint."""
    return [
        (rule.rule, rule.methods, getattr(app.view_functions[rule.endpoint], "access", None))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("people.")
    ]


def test_it_has_one_rule_for_each_route(rules):
    assert len(rules) > 30
    assert [path for path, _, rule in rules if not isinstance(rule, access.Rule)] == []


def test_it_opens_to_strangers_only_what_leads_inside(rules):
    open_to_all = {path for path, _, rule in rules if rule.who == "public"}
    assert open_to_all == {
        "/sign-in", "/sign-in/password", "/sign-in/code", "/invitation", "/invitation/asked",
        "/join/rights", "/left",
    }  # fmt: skip
    signed = {path for path, _, rule in rules if rule.who == "signed"}
    assert signed == {
        "/join/<token>", "/password/<token>", "/sign-in/oidc", "/sign-in/oidc/callback",
        "/sign-in/oidc/signed-out",
        "/sign-in/second-step", "/sign-in/passkey", "/sign-in/passkey/challenges",
        "/choices/<token>", "/no-thanks/<token>", "/sign-in/code/<token>", "/i/<code>",
        "/i/<code>/codes/<token>", "/join/open/<ticket>", "/kept-account/<token>",
        "/personal-address/<token>",
    }  # fmt: skip


def test_it_keeps_the_directory_to_administrators(rules):
    directory = [(path, rule) for path, _, rule in rules if path.startswith("/studio/people")]
    assert len(directory) > 5
    for path, rule in directory:
        assert rule.roles == {"admin"}, path


def test_it_sends_a_stranger_to_the_door(app, rules, browser):
    client = browser()
    for path, methods, rule in rules:
        if rule.who in ("signed-in", "role") and "GET" in methods and "<" not in path:
            answer = client.get(path)
            assert (answer.status_code, answer.location) == (303, f"/sign-in?next={path}")


def test_it_changes_nothing_by_being_looked_at(rules):
    """What acts is POST alone; what is looked at is GET alone."""
    for path, methods, _ in rules:
        assert methods - {"OPTIONS", "HEAD"} in ({"GET"}, {"POST"}), path
