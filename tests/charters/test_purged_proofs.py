"""Proofs go five years after somebody left, a person's whole chain at once, and the rest holds."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import func, select

from app import clock, outbox, retention, rights
from app.audit.models import AuditEntry
from app.charters import proofs, service
from app.charters.models import CharterAcceptance
from app.db import db, transaction
from app.people import service as people
from app.people.joining_models import ConsentRecord
from app.people.models import Consent, Membership
from app.personal_data import PERSON
from app.privacy import purge
from app.privacy.purge_rules import RULES
from tests.charters.conftest import Desk
from tests.conftest import START

KEYS = ("charter-answers", "choices", "choice-proofs")
PROOFS = (CharterAcceptance, Consent, ConsentRecord)
KEPT = retention.MEMBERSHIP.after or dt.timedelta(0)
DAY = dt.timedelta(days=1)


def proofs_of(person_id: uuid.UUID) -> list[int]:
    """How many answers to the charter, choices and answers to choices there are of theirs."""
    db.session.rollback()
    return [
        db.session.scalar(
            select(func.count()).select_from(model).where(model.person_id == person_id)
        ) or 0
        for model in PROOFS
    ]  # fmt: skip


def someone(desk: Desk, name: str) -> uuid.UUID:
    """A member who answered the charter three times, and said yes to a choice; their number."""
    person_id = desk.house.person(name).id
    people.give_consent(person_id, "recognition")
    service.accept(person_id, desk.in_force().id, "fr")
    service.withdraw(person_id)
    service.accept(person_id, desk.in_force().id, "en")
    outbox.drain()
    return person_id


def planned() -> list[tuple[int, int]]:
    """What goes tonight and within thirty days, by rule."""
    due = {line.key: (line.now, line.soon) for line in purge.preview(30)}
    return [due[key] for key in KEYS]


def test_they_go_five_years_after_leaving_and_those_of_members_stay(any_desk: Desk) -> None:
    leaver, member = someone(any_desk, "Ines Roux"), someone(any_desk, "Maëlle Kerjan")
    clock.freeze(START + 400 * DAY)
    people.leave(leaver)
    had, kept = proofs_of(leaver), proofs_of(member)
    assert had == [3, 1, 4] and kept == [3, 1, 2]
    clock.freeze(START + 400 * DAY + KEPT - DAY)
    assert planned() == [(0, 1)] * 3
    assert purge.run(*KEYS) == dict.fromkeys(KEYS, 0)
    assert proofs_of(leaver) == had
    clock.freeze(START + 400 * DAY + KEPT + DAY)
    assert planned() == [(1, 0)] * 3
    assert purge.run(*KEYS) == dict.fromkeys(KEYS, 1)
    assert proofs_of(leaver) == [0, 0, 0] and proofs_of(member) == kept
    found = proofs.verify()
    assert found.ok and found.answers == 3, "before the audit log forgot as well"
    purge.run()
    assert proofs.verify().ok and proofs_of(member) == kept
    assert purge.run(*KEYS) == dict.fromkeys(KEYS, 0)


def test_of_an_erased_person_they_go_five_years_after_they_left(any_desk: Desk) -> None:
    """The membership is gone with the erasure: the last answer, which is leaving, tells when."""
    leaver, member = someone(any_desk, "Ines Roux"), someone(any_desk, "Maëlle Kerjan")
    clock.freeze(START + 400 * DAY)
    people.leave(leaver)
    clock.freeze(START + 800 * DAY)
    assert rights.erase(PERSON, leaver, asked_by=rights.SELF)
    outbox.drain()
    gone = Membership.person_id == leaver
    assert db.session.scalar(select(Membership.id).where(gone)) is None
    assert proofs_of(leaver) == [3, 1, 4], "what was answered stays as proof"
    clock.freeze(START + 400 * DAY + KEPT - DAY)
    purge.run()
    assert proofs_of(leaver) == [3, 1, 4] and proofs.verify().ok
    clock.freeze(START + 400 * DAY + KEPT + DAY)
    purge.run()
    assert proofs_of(leaver) == [0, 0, 0] and proofs_of(member) == [3, 1, 2]
    assert proofs.verify().ok


def test_who_takes_part_again_begins_a_chain_that_holds(any_desk: Desk) -> None:
    leaver = someone(any_desk, "Ines Roux")
    people.leave(leaver)
    clock.freeze(START + KEPT + DAY)
    purge.run(*KEYS)
    people.join(leaver)
    answer = service.accept(leaver, any_desk.in_force().id, "fr")
    assert proofs_of(leaver) == [1, 0, 1] and proofs.verify().ok
    clock.freeze(START + 3 * KEPT)
    purge.run()
    assert proofs_of(leaver) == [1, 0, 1], "they take part"
    row = db.session.get_one(CharterAcceptance, answer.id)
    assert (row.sequence, proofs.verify().ok) == (1, True)


def test_who_comes_back_while_the_purge_runs_keeps_theirs(any_desk: Desk) -> None:
    leaver = someone(any_desk, "Ines Roux")
    people.leave(leaver)
    clock.freeze(START + KEPT + DAY)
    rules = [rule for rule in RULES if rule.key in KEYS]
    keys = [tuple(key) for key in db.session.execute(rules[0].overdue(clock.now()))]
    assert keys == [(leaver,)]
    db.session.rollback()
    people.join(leaver)
    for rule in rules:
        with transaction() as session:
            rule.forget(session, keys)
    assert proofs_of(leaver) == [3, 1, 5]
    assert proofs.verify().ok


def test_a_chain_that_lost_its_end_still_counts_as_cut_off(any_desk: Desk) -> None:
    """Forgetting some takes nothing away from what is proved of the others."""
    leaver, member = someone(any_desk, "Ines Roux"), someone(any_desk, "Maëlle Kerjan")
    people.leave(leaver)
    clock.freeze(START + KEPT - DAY)
    service.withdraw(member)
    clock.freeze(START + KEPT + DAY)
    purge.run()
    assert proofs.verify().ok
    with transaction() as session:
        session.delete(
            session.scalars(
                select(CharterAcceptance)
                .where(CharterAcceptance.person_id == member)
                .order_by(CharterAcceptance.sequence.desc())
            ).first()
        )
    assert "cut off" in str(proofs.verify().first_difference)


@pytest.mark.parametrize("key", KEYS)
def test_the_page_of_what_is_forgotten_names_them(desk: Desk, key: str) -> None:
    admin = desk.house.person("Pauline Ferré", "admin")
    page = desk.house.browser(admin).get("/studio/retention?lang=en").text
    title = {
        "charter-answers": "Answers of a person to the charter, five years after they left",
        "choices": "Choices of a person, five years after they left",
        "choice-proofs": "Proofs of a person’s choices, five years after they left",
    }[key]
    assert f">{title}<" in page


def test_what_the_audit_log_says_of_a_chain_goes_with_it(any_desk: Desk) -> None:
    """Its time was over long ago; left behind, it would count the chain as cut off."""
    leaver, member = someone(any_desk, "Ines Roux"), someone(any_desk, "Maëlle Kerjan")
    people.leave(leaver)
    clock.freeze(START + KEPT + DAY)
    purge.run(*KEYS)
    answered = AuditEntry.action.in_(["charter.accepted", "charter.withdrawn"])
    assert set(db.session.scalars(select(AuditEntry.actor_id).where(answered))) == {member}
    assert proofs.verify().ok
