"""One charter for all, and an entity's own where it has one: what is in force for whom."""

from __future__ import annotations

import uuid

import pytest

from app import outbox
from app.charters import proofs, queries, service
from app.charters.errors import (
    CharterNotAccepted,
    CharterNotCurrent,
    CharterUnchanged,
    NoSuchCharter,
)
from app.charters.queries import CharterVersionView
from app.db import transaction
from app.errors import NotFound
from app.people.models import Person
from app.settings import entities
from app.today.waiting import waits
from tests.charters.conftest import Desk


def entity(name: str = "Bois") -> uuid.UUID:
    return entities.make(name[:3].upper(), name, actor_id=None).id


def move(person: Person, entity_id: uuid.UUID | None) -> None:
    with transaction() as session:
        session.get_one(Person, person.id).entity_id = entity_id


def own_charter(desk: Desk, entity_id: uuid.UUID, word: str = "wood") -> CharterVersionView:
    """A version of an entity's own, in force."""
    now = queries.current(entity_id)
    assert now is not None
    texts = desk.texts(
        body_fr=f"{now.body_fr}\n\nUn mot {word}.", body_en=f"{now.body_en}\n\nA {word} word."
    )
    draft = service.save_draft(desk.lead.id, **texts, entity_id=entity_id)
    service.publish(desk.lead.id, draft)
    found = queries.current(entity_id)
    assert found is not None and found.id == draft
    return found


def agree(person: Person) -> queries.Acceptance:
    text = queries.current_for(person.id)
    assert text is not None
    return service.accept(person.id, text.id, "en")


def test_all_share_one_charter_until_an_entity_has_its_own(any_desk: Desk) -> None:
    bois, mer, shared = entity(), entity("Mer"), any_desk.in_force()
    maelle, yann = any_desk.house.person("Maëlle Kerjan"), any_desk.house.person("Yann Le Goff")
    move(maelle, bois)
    move(yann, mer)
    assert agree(maelle).version_id == agree(yann).version_id == shared.id
    own = own_charter(any_desk, bois)
    assert (own.number, own.entity_id, any_desk.in_force().id) == (2, bois, shared.id)
    assert not queries.has_accepted_current(maelle.id)
    assert queries.has_accepted_current(yann.id)
    with pytest.raises(CharterNotAccepted):
        queries.require_accepted(maelle.id)
    with pytest.raises(CharterNotCurrent):
        service.accept(maelle.id, shared.id, "en")
    with pytest.raises(CharterNotCurrent):
        service.accept(yann.id, own.id, "en")
    proof = agree(maelle)
    assert (proof.version_id, proof.number) == (own.id, 2)
    assert queries.has_accepted_current(maelle.id)
    assert proofs.verify().ok


def test_a_move_to_another_charter_asks_again_and_keeps_the_proofs(any_desk: Desk) -> None:
    bois, maelle = entity(), any_desk.house.person("Maëlle Kerjan")
    own = own_charter(any_desk, bois)
    first = agree(maelle)
    move(maelle, bois)
    assert not queries.has_accepted_current(maelle.id)
    (line,) = [wait for wait in waits(maelle.id) if wait.kind == "charter"]
    assert line.url == "/charter"
    second = agree(maelle)
    assert not [wait for wait in waits(maelle.id) if wait.kind == "charter"]
    move(maelle, None)
    assert not queries.has_accepted_current(maelle.id)
    third = agree(maelle)
    assert [a.number for a in queries.answers_of(maelle.id)] == [1, 2, 1]
    assert (second.version_id, third.version_id) == (own.id, first.version_id)
    assert third.id != first.id
    assert proofs.verify().ok


def test_a_new_shared_version_asks_only_those_whom_it_is_for(any_desk: Desk) -> None:
    bois = entity()
    maelle, yann = any_desk.house.person("Maëlle Kerjan"), any_desk.house.person("Yann Le Goff")
    move(maelle, bois)
    own_charter(any_desk, bois)
    agree(maelle)
    agree(yann)
    any_desk.publish()
    assert queries.has_accepted_current(maelle.id)
    assert not queries.has_accepted_current(yann.id)
    assert agree(yann).number == 3


def test_an_entity_shares_the_charter_of_all_again(any_desk: Desk) -> None:
    bois, maelle = entity(), any_desk.house.person("Maëlle Kerjan")
    move(maelle, bois)
    first = agree(maelle)
    own = own_charter(any_desk, bois)
    agree(maelle)
    assert service.share_again(bois, actor_id=any_desk.lead.id)
    assert not service.share_again(bois, actor_id=any_desk.lead.id)
    assert not queries.has_accepted_current(maelle.id)
    assert agree(maelle).version_id == first.version_id
    assert queries.version(own.number).id == own.id
    again = own_charter(any_desk, bois, "new")
    assert again.number == 3
    assert queries.entities_with_own() == {bois: 3}
    assert [view.number for view in queries.history(maelle.id)] == [3, 2]
    assert proofs.verify().ok


def test_each_line_has_one_draft_of_its_own(any_desk: Desk) -> None:
    bois = entity()
    ours = service.save_draft(any_desk.lead.id, **any_desk.texts(title_en="Ours"))
    theirs = service.save_draft(any_desk.lead.id, **any_desk.texts(), entity_id=bois)
    assert theirs == service.save_draft(
        any_desk.lead.id, **any_desk.texts(title_en="Theirs"), entity_id=bois
    )
    drafts = [queries.with_draft(line)[0] for line in (None, bois)]
    assert [draft and (draft.id, draft.title("en")) for draft in drafts] == [
        (ours, "Ours"), (theirs, "Theirs"),
    ]  # fmt: skip
    assert service.discard_draft(any_desk.lead.id, bois)
    assert queries.with_draft()[0] is not None
    with pytest.raises(NotFound):
        service.save_draft(any_desk.lead.id, **any_desk.texts(), entity_id=uuid.uuid4())


def test_it_is_no_override_to_say_what_all_share(desk: Desk) -> None:
    draft = service.save_draft(desk.lead.id, **desk.texts(), entity_id=entity())
    with pytest.raises(CharterUnchanged):
        service.publish(desk.lead.id, draft)


def test_a_member_reads_what_changes_and_why(desk: Desk) -> None:
    bois = entity()
    maelle = desk.house.person("Maëlle Kerjan", language="en")
    agree(maelle)
    own_charter(desk, bois)
    move(maelle, bois)
    browser = desk.house.browser(maelle)
    page = browser.get("/charter").text
    assert "Your entity has a charter of its own" in page
    assert "A wood word." in page and "What is new since version 1" in page
    version = queries.current(bois)
    assert version is not None
    form = {"agree": "1", "version": str(version.id), "shown": version.text_hash("en")}
    assert browser.post("/charter/acceptances", data=form).status_code == 303
    outbox.drain()
    assert "You agreed to version 2" in browser.get("/charter").text
    move(maelle, None)
    back = browser.get("/charter").text
    assert "The charter that all entities share is in force for you" in back


def test_another_entitys_charter_is_unknown(desk: Desk) -> None:
    bois = entity()
    own = own_charter(desk, bois)
    maelle, yann = desk.house.person("Maëlle Kerjan"), desk.house.person("Yann Le Goff")
    move(maelle, bois)
    path = f"/charter/{own.file_name('en')}"
    told = [
        desk.house.browser(person).get(path).status_code for person in (maelle, yann, desk.lead)
    ]
    assert told == [200, 404, 200]
    agree(maelle)
    move(maelle, None)
    assert desk.house.browser(maelle).get(path).status_code == 200
    with pytest.raises(NoSuchCharter):
        queries.readable(99, maelle.id, is_team=True)


def test_the_lead_gives_an_entity_its_own_and_takes_it_back(desk: Desk) -> None:
    bois, lead = entity(), desk.house.browser(desk.lead)
    of = f"?entity={bois}"
    texts = desk.texts(body_en="A body of wood.")
    assert "The shared charter" in lead.get("/studio/charter?lang=en").text
    saved = lead.post(f"/studio/charter/draft{of}", data=texts)
    assert saved.location == f"/studio/charter/draft/preview{of}"
    assert "A body of wood." in lead.get(saved.location).text
    draft = queries.with_draft(bois)[0]
    assert draft is not None
    form = {"version": str(draft.id), "seen": service.fingerprint(draft)}
    assert lead.post(f"/studio/charter/draft/publication{of}", data=form).status_code == 303
    page = lead.get(f"/studio/charter{of}&lang=en").text
    assert "In force for the people of Bois" in page
    assert "What differs from the shared charter" in page
    assert "A body of wood." in page
    assert "A charter of its own, version 2" in lead.get("/studio/charter?lang=en").text
    admin = desk.house.browser(desk.house.person("Marc Quéméner", "admin", language="en"))
    told = admin.get("/studio/entities").text
    assert "a charter of its own, version 2" in told
    assert "Archive Bois?" in told
    assert lead.post(f"/studio/charter/entities/{bois}/removal").status_code == 303
    assert queries.entities_with_own() == {}
    assert "have the charter that all share" in lead.get(f"/studio/charter{of}&lang=en").text
    for path in ("/studio/charter?entity=x", f"/studio/charter/draft?entity={uuid.uuid4()}"):
        assert lead.get(path).status_code == 404


def test_agreement_to_an_entitys_charter_is_counted_among_its_people(desk: Desk) -> None:
    bois = entity()
    own = own_charter(desk, bois)
    for number in range(12):
        person = desk.house.person(f"Camille {number}")
        if number < 4:
            move(person, bois)
            agree(person)
    assert queries.agreed_count(own.id, bois) is None
    assert queries.agreed_count(desk.in_force().id) == 0
