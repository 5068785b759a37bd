"""Writing and publishing: one draft, two whole languages, and what is published stays."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import select

from app import clock
from app.audit.models import AuditEntry
from app.charters import queries, service
from app.charters.errors import (
    AlreadyPublished,
    CharterUnchanged,
    DraftChanged,
    NoSuchCharter,
)
from app.charters.models import CharterVersion
from app.db import db, transaction
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.settings import save_organisation
from app.web.markdown import blocks
from tests.charters.conftest import Desk
from tests.people.test_both_databases import at_once

HEADINGS = 8


def facts(kind: str) -> list[dict[str, object]]:
    return list(db.session.scalars(select(OutboxEvent.payload).where(OutboxEvent.kind == kind)))


def test_a_new_organisation_begins_with_the_products_own_charter(any_desk: Desk) -> None:
    charter = any_desk.in_force()
    assert (charter.number, charter.title("fr")) == (1, "Parler de sa propre voix")
    assert "Halvenne lends you" in charter.body("en")
    assert "{organisation}" in charter.body_fr
    assert "{organisation}" not in charter.text("fr") + charter.text("en")
    assert not service.ensure_default(clock.now())
    assert len(queries.history()) == 1
    assert len(facts("charter.published")) == 1


def test_the_default_says_the_same_in_both_languages(desk: Desk) -> None:
    """Rule K7: choice, no penalty, where one speaks from, confidentiality, how to stop."""
    charter = desk.in_force()
    french, english = blocks(charter.body("fr")), blocks(charter.body("en"))
    assert [b.kind for b in french] == [b.kind for b in english]
    assert len([b for b in french if b.kind == "heading"]) == HEADINGS
    for promise in ("free choice", "no effect on your work", "I work at Halvenne", "confidential",
                    "freedom of speech", "no sanction", "each is one press"):  # fmt: skip
        assert promise in charter.body("en")
    assert " :" not in charter.body_fr and " ?" not in charter.body_fr


def test_it_fills_in_the_name_that_the_organisation_has_today(desk: Desk) -> None:
    save_organisation(name="Kerlann", brand="#00664a")
    assert "Kerlann vous prête" in desk.in_force().body("fr")


def test_it_keeps_one_draft_and_numbers_it_next(any_desk: Desk) -> None:
    first = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="One"))
    second = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Two"))
    draft, published = queries.with_draft()
    assert first == second and draft is not None
    assert (draft.number, draft.title("en"), draft.published_at) == (2, "Two", None)
    assert [v.number for v in published] == [1] and any_desk.in_force().number == 1


def test_it_discards_a_draft(any_desk: Desk) -> None:
    service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="One"))
    assert service.discard_draft(any_desk.lead.id)
    assert queries.with_draft()[0] is None
    assert not service.discard_draft(any_desk.lead.id)
    assert any_desk.publish().number == 2


def test_it_publishes_once_and_says_so(any_desk: Desk) -> None:
    draft = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Two"))
    service.publish(any_desk.lead.id, draft)
    assert any_desk.in_force().id == draft
    assert any_desk.in_force().published_at == clock.now()
    assert facts("charter.published")[-1] == {"version_id": str(draft)}
    noted = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "charter.published", AuditEntry.target_id == str(draft))
    ).one()  # fmt: skip
    assert noted.actor_id == any_desk.lead.id
    with pytest.raises(AlreadyPublished):
        service.publish(any_desk.lead.id, draft)
    with pytest.raises(NoSuchCharter):
        service.publish(any_desk.lead.id, uuid.uuid4())


def test_it_does_not_publish_the_same_words_again(any_desk: Desk) -> None:
    draft = service.save_draft(any_desk.lead.id, **any_desk.texts(note_fr="Rien", note_en="No"))
    with pytest.raises(CharterUnchanged):
        service.publish(any_desk.lead.id, draft)
    assert any_desk.in_force().number == 1


def test_it_publishes_only_what_was_looked_at(any_desk: Desk) -> None:
    draft_id = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Seen"))
    draft, _published = queries.with_draft()
    assert draft is not None
    seen = service.fingerprint(draft)
    service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Changed by a colleague"))
    with pytest.raises(DraftChanged):
        service.publish(any_desk.lead.id, draft_id, seen=seen)
    draft, _published = queries.with_draft()
    assert draft is not None
    service.publish(any_desk.lead.id, draft_id, seen=service.fingerprint(draft))
    assert any_desk.in_force().title("en") == "Changed by a colleague"


def test_a_published_version_never_changes(any_desk: Desk) -> None:
    before = any_desk.in_force()
    any_desk.publish()
    service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Three"))
    assert queries.version(1) == before

    def rewrite() -> None:
        with transaction() as session:
            row = session.get(CharterVersion, before.id)
            assert row is not None
            row.body_fr = "Autre chose"

    with pytest.raises(RuntimeError, match="never changes"):
        rewrite()
    assert queries.version(1) == before


REFUSED = [
    ("title_fr", ""), ("title_en", " \n\t"), ("title_en", "x" * 121), ("body_fr", ""),
    ("body_en", "\u200e\u202e \x00"), ("body_en", "[only]: /a-reference"),
    ("body_fr", "x" * 20_001), ("body_fr", "- un\n" * 301), ("note_fr", "x" * 501),
    ("note_fr", ""),
]  # fmt: skip


def test_it_refuses_half_a_charter_or_too_long_a_one(any_desk: Desk) -> None:
    whole = any_desk.texts(note_fr="Ceci", note_en="This")
    for field, value in REFUSED:
        with pytest.raises(InvalidInput) as refused:
            service.save_draft(any_desk.lead.id, **whole | {field: value})
        assert list(refused.value.errors) == [field]
    assert queries.with_draft()[0] is None
    longest = {"title_fr": "x" * 120, "body_fr": "- un\n" * 300, "note_en": "x" * 500}
    assert service.save_draft(any_desk.lead.id, **whole | longest)


def test_it_keeps_what_a_database_or_a_reader_would_stumble_over_out(any_desk: Desk) -> None:
    typed = "Un\x00 te\u0301moin\r\n\r\n\r\n\r\n- \u202egauche\u202c  \r\n\ttrois"
    service.save_draft(any_desk.lead.id, **any_desk.texts(body_fr=typed, title_fr="  A\n B "))
    draft, _published = queries.with_draft()
    assert draft is not None
    assert draft.body_fr == "Un témoin\n\n- gauche\n    trois"
    assert draft.title_fr == "A B"


def test_several_hands_at_once_make_one_draft(any_app: Flask, any_desk: Desk) -> None:
    given = any_desk.texts(title_en="At once")
    lead = any_desk.lead.id
    assert at_once(any_app, lambda: service.save_draft(lead, **given)) == ["done"] * 6
    db.session.rollback()
    assert db.session.scalars(select(CharterVersion.number)).all() in ([1, 2], [2, 1])
