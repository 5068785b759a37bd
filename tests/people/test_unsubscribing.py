"""Taking a yes back from a mail, without signing in and with one press (RFC 8058)."""

from __future__ import annotations

import uuid

from flask import Flask

from app.people import queries, service
from app.people.unsubscribing import unsubscribe_path


def _says_yes(app: Flask, person_id: uuid.UUID, *purposes: str) -> str:
    with app.app_context():
        for purpose in purposes:
            service.give_consent(person_id, purpose)
        return unsubscribe_path(person_id, "ideas")


def _stands(app: Flask, person_id: uuid.UUID, purpose: str) -> bool:
    with app.app_context():
        return queries.has_consent(person_id, purpose)


def test_looking_changes_nothing_and_pressing_takes_it_back(app, add):
    maelle = add(joined=True).id
    path, browser = _says_yes(app, maelle, "ideas"), app.test_client()
    asked = browser.get(path)
    assert asked.status_code == 200 and "Set-Cookie" not in asked.headers
    assert _stands(app, maelle, "ideas")
    done = browser.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200 and "Set-Cookie" not in done.headers
    assert not _stands(app, maelle, "ideas")
    assert browser.post(path).status_code == 200, "twice is harmless"


def test_a_link_is_for_one_person_and_one_purpose(app, add):
    maelle, theo = add(joined=True).id, add("Théo Rossignac", joined=True).id
    path = _says_yes(app, maelle, "ideas", "recognition")
    _says_yes(app, theo, "ideas")
    browser = app.test_client()
    browser.post(path)
    assert _stands(app, maelle, "recognition") and _stands(app, theo, "ideas")
    for wrong in ("/choices/x", path[:-3], "/choices/" + "a" * 5_000):
        assert browser.post(wrong).status_code == 404
