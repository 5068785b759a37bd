"""Agreeing, being asked again, taking back; and the proof of each."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import clock, outbox
from app.audit.models import AuditEntry
from app.charters import proofs, queries, service
from app.charters.errors import CharterNotAccepted, CharterNotCurrent
from app.charters.models import CharterAcceptance, CharterVersion
from app.charters.service import Circumstances
from app.cli import doctor
from app.db import db, transaction
from app.errors import InvalidInput
from app.outbox.models import OutboxEvent
from app.people import service as people
from app.people.errors import NoSuchPerson, NotMember
from app.settings import save_organisation
from tests.charters.conftest import Desk
from tests.people.test_both_databases import at_once


def rows() -> list[CharterAcceptance]:
    db.session.rollback()
    return list(db.session.scalars(select(CharterAcceptance).order_by(CharterAcceptance.sequence)))


def facts(kind: str) -> list[dict[str, object]]:
    return list(db.session.scalars(select(OutboxEvent.payload).where(OutboxEvent.kind == kind)))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_keeps_the_proof_of_an_agreement(any_desk: Desk, language: str) -> None:
    maelle, charter = any_desk.house.person(), any_desk.in_force()
    signed_in_at = clock.now() - dt.timedelta(minutes=3)
    how = Circumstances("button “I agree”", "page", "oidc", signed_in_at)
    answer = service.accept(maelle.id, charter.id, language, how)
    assert answer == queries.accepted(maelle.id)
    assert answer.text_hash == hashlib.sha256(charter.text(language).encode()).hexdigest()
    assert (answer.number, answer.language, answer.accepted_at) == (1, language, clock.now())
    assert (answer.act, answer.shown_as) == ("button “I agree”", "page")
    assert (answer.sign_in, answer.signed_in_at) == ("oidc", signed_in_at)
    assert answer.organisation == "Halvenne" and answer.software
    assert queries.has_accepted_current(maelle.id)
    queries.require_accepted(maelle.id)
    assert facts("charter.accepted") == [
        {"person_id": str(maelle.id), "acceptance_id": str(answer.id)}
    ]
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "charter.accepted"))
    assert [(n.actor_id, n.target_id) for n in noted] == [(maelle.id, str(charter.id))]


def test_the_proof_shows_the_exact_text_that_its_hash_covers(any_desk: Desk) -> None:
    maelle, charter = any_desk.house.person(), any_desk.in_force()
    answer = service.accept(maelle.id, charter.id, "fr")
    shown = charter.text("fr")
    save_organisation(name="Un tout autre nom", brand="#00664a")
    any_desk.publish()
    head, _, text = proofs.paper(answer, queries.version(1), maelle.name).partition(proofs.CUT)
    assert text == shown
    assert hashlib.sha256(text.encode()).hexdigest() == answer.text_hash
    assert answer.text_hash in head and answer.digest in head and "2026-11-17T09:00:00" in head


def test_agreeing_twice_changes_nothing(any_desk: Desk) -> None:
    maelle, charter = any_desk.house.person(), any_desk.in_force()
    first = service.accept(maelle.id, charter.id, "fr")
    clock.travel(dt.timedelta(days=1))
    assert service.accept(maelle.id, charter.id, "en") == first
    assert len(rows()) == 1 and len(facts("charter.accepted")) == 1


def test_agreeing_at_once_from_several_devices_counts_once(any_app: Flask, any_desk: Desk) -> None:
    maelle, charter = any_desk.house.person().id, any_desk.in_force().id
    assert at_once(any_app, lambda: service.accept(maelle, charter, "fr")) == ["done"] * 6
    assert len(rows()) == 1


def test_only_somebody_who_takes_part_agrees(any_desk: Desk) -> None:
    outside = any_desk.house.person("Odile Roux", joined=False)
    charter = any_desk.in_force()
    with pytest.raises(NotMember):
        service.accept(outside.id, charter.id, "fr")
    with pytest.raises(NoSuchPerson):
        service.accept(uuid.uuid4(), charter.id, "fr")
    with pytest.raises(InvalidInput):
        service.accept(any_desk.lead.id, charter.id, "de")
    assert rows() == []


def test_only_the_version_in_force_can_be_agreed_to(any_desk: Desk) -> None:
    maelle, old = any_desk.house.person(), any_desk.in_force()
    draft = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Two"))
    for version_id in (draft, uuid.uuid4()):
        with pytest.raises(CharterNotCurrent) as refused:
            service.accept(maelle.id, version_id, "fr")
        assert refused.value.code == "charter-not-current"
    service.publish(any_desk.lead.id, draft)
    with pytest.raises(CharterNotCurrent):
        service.accept(maelle.id, old.id, "fr")
    assert rows() == []


def test_it_records_nothing_for_a_text_that_was_not_the_one_shown(any_desk: Desk) -> None:
    maelle, charter = any_desk.house.person(), any_desk.in_force()
    read = charter.text_hash("fr")
    save_organisation(name="Kerlann", brand="#00664a")
    with pytest.raises(CharterNotCurrent):
        service.accept(maelle.id, charter.id, "fr", shown_hash=read)
    now = any_desk.in_force().text_hash("fr")
    assert service.accept(maelle.id, charter.id, "fr", shown_hash=now).organisation == "Kerlann"


def test_a_new_version_asks_again(any_desk: Desk) -> None:
    maelle, first = any_desk.house.person(), any_desk.in_force()
    with pytest.raises(CharterNotAccepted) as refused:
        queries.require_accepted(maelle.id)
    assert (refused.value.status, refused.value.code) == (409, "charter-not-accepted")
    service.accept(maelle.id, first.id, "fr")
    second = any_desk.publish()
    assert not queries.has_accepted_current(maelle.id)
    with pytest.raises(CharterNotAccepted):
        queries.require_accepted(maelle.id)
    known = queries.accepted(maelle.id)
    assert known is not None and known.number == 1
    service.accept(maelle.id, second.id, "en")
    assert queries.has_accepted_current(maelle.id)
    assert [(r.sequence, r.language) for r in rows()] == [(1, "fr"), (2, "en")]


def test_a_draft_asks_nobody(any_desk: Desk) -> None:
    maelle = any_desk.house.person()
    service.accept(maelle.id, any_desk.in_force().id, "fr")
    service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Two"))
    assert queries.has_accepted_current(maelle.id)


def test_an_agreement_is_taken_back_and_given_again(any_desk: Desk) -> None:
    maelle, other, charter = any_desk.house.person(), any_desk.lead, any_desk.in_force()
    assert not service.withdraw(maelle.id)
    service.accept(other.id, charter.id, "fr")
    service.accept(maelle.id, charter.id, "fr")
    assert service.withdraw(maelle.id)
    assert not service.withdraw(maelle.id)
    assert queries.accepted(maelle.id) is None
    assert not queries.has_accepted_current(maelle.id)
    assert queries.has_accepted_current(other.id)
    service.accept(maelle.id, charter.id, "en")
    assert queries.has_accepted_current(maelle.id)
    kinds = [a.kind for a in queries.answers_of(maelle.id)]
    assert kinds == ["accepted", "withdrawn", "accepted"]
    assert [f["person_id"] for f in facts("charter.withdrawn")] == [str(maelle.id)]


def test_the_proof_outlives_leaving(any_desk: Desk) -> None:
    maelle = any_desk.house.person()
    answer = service.accept(maelle.id, any_desk.in_force().id, "fr")
    people.leave(maelle.id)
    outbox.drain()
    assert queries.answers_of(maelle.id) == [answer]
    assert proofs.verify().ok


def test_it_asks_the_database_once(desk: Desk, count_queries) -> None:  # type: ignore[no-untyped-def]
    maelle = desk.house.person()
    service.accept(maelle.id, desk.in_force().id, "fr")
    maelle_id = maelle.id
    assert count_queries(lambda: queries.has_accepted_current(maelle_id)) == 1


def test_without_a_charter_nobody_has_agreed_to_one(any_desk: Desk) -> None:
    with transaction() as session:
        for row in session.scalars(select(CharterVersion)):
            session.delete(row)
    assert queries.current() is None
    assert not queries.has_accepted_current(any_desk.lead.id)
    with pytest.raises(CharterNotAccepted):
        queries.require_accepted(any_desk.lead.id)


def test_an_answer_never_changes(any_desk: Desk) -> None:
    service.accept(any_desk.lead.id, any_desk.in_force().id, "fr")

    def redate() -> None:
        with transaction():
            rows()[0].accepted_at = clock.now() - dt.timedelta(days=9)

    with pytest.raises(RuntimeError, match="never changes"):
        redate()
    assert rows()[0].accepted_at == clock.now()


def _answers(desk: Desk) -> None:
    for name in ("Maëlle Kerjan", "Sofiane Belkhir"):
        someone = desk.house.person(name)
        service.accept(someone.id, desk.in_force().id, "fr")
        service.withdraw(someone.id)
        service.accept(someone.id, desk.in_force().id, "en")


def test_it_verifies_what_it_wrote(any_desk: Desk) -> None:
    _answers(any_desk)
    found = proofs.verify()
    assert found.ok and found.answers == 6


CHANGED: dict[str, object] = {
    "sequence": 7, "kind": "withdrawn", "language": "en", "organisation": "Autre",
    "text_hash": "0" * 64, "act": "other", "shown_as": "pdf", "sign_in": "oidc",
    "signed_in_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "software": "9",
    "accepted_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "digest": "0" * 64,
}  # fmt: skip


def test_it_finds_every_changed_column(any_desk: Desk) -> None:
    _answers(any_desk)
    first = rows()[0]
    target, before = first.id, {column: getattr(first, column) for column in CHANGED}
    for column, value in CHANGED.items():
        for written, holds in ((value, False), (before[column], True)):
            with transaction() as session:
                session.execute(
                    update(CharterAcceptance)
                    .where(CharterAcceptance.id == target)
                    .values({column: written})
                )
            assert proofs.verify().ok == holds, column


def test_it_finds_an_answer_that_was_taken_out(any_desk: Desk) -> None:
    _answers(any_desk)
    with transaction() as session:
        session.delete(next(r for r in rows() if r.sequence == 2))
    assert "sequence" in str(proofs.verify().first_difference)


@pytest.mark.parametrize("cut", [1, 2, 6])
def test_it_finds_that_the_last_answers_were_cut_off(any_desk: Desk, cut: int) -> None:
    _answers(any_desk)
    with transaction() as session:
        for row in rows()[-cut:]:  # in the order of the sequence: the ends of the chains
            session.delete(row)
    found = str(proofs.verify().first_difference)
    assert "cut off" in found


def test_it_needs_no_more_of_the_log_than_is_kept(any_desk: Desk) -> None:
    """Lines of the log go after a year, the answers stay: nothing is missing then."""
    _answers(any_desk)
    with transaction() as session:
        for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.at).limit(5)):
            session.delete(entry)
    assert proofs.verify().ok


def test_the_doctor_says_the_first_difference(any_desk: Desk) -> None:
    settings = any_desk.house.app.extensions["portevoix"]

    def found() -> tuple[str, str]:
        (finding,) = (f for f in doctor.examine(settings) if f.what == "charter")
        return finding.state, finding.text

    _answers(any_desk)
    assert found() == ("ok", "6 answers, every proof holds")
    with transaction() as session:
        session.delete(rows()[-1])
    state, text = found()
    assert state == "broken"
    assert "cut off" in text


def test_it_finds_a_text_that_was_rewritten_behind_its_back(any_desk: Desk) -> None:
    _answers(any_desk)
    with transaction() as session:
        session.execute(update(CharterVersion).values(body_fr="Autre chose"))
    assert "text" in str(proofs.verify().first_difference)


def test_it_counts_and_never_below_ten_members(any_desk: Desk) -> None:
    """Rule W2: a number, never names, and none in a small group."""
    charter = any_desk.in_force()
    members = [any_desk.lead, *(any_desk.house.person(f"Personne {n}") for n in range(8))]
    any_desk.house.person("Odile Roux", joined=False)
    for someone in members[:5]:
        service.accept(someone.id, charter.id, "fr")
    assert queries.agreed_count(charter.id) is None
    last = any_desk.house.person("La dixième")
    assert queries.agreed_count(charter.id) == 5
    service.withdraw(members[0].id)
    assert queries.agreed_count(charter.id) == 4
    service.accept(members[0].id, charter.id, "fr")
    assert queries.agreed_count(charter.id) == 5
    people.leave(last.id)
    assert queries.agreed_count(charter.id) is None
