"""Erasure: two steps, at once, for good; the ledger whole; a list that outlives a restore."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

import pytest

from app import clock, ledger, outbox, rights
from app.db import db, transaction
from app.errors import DomainError
from app.ledger.models import LedgerEntry
from app.people import queries
from app.people import service as people
from app.people.errors import NoSuchPerson
from app.people.models import Consent, Person
from app.personal_data import CANDIDATE, PERSON, Names, Subject
from app.play.models import PointsAccount
from app.provisioning.imports.personal import blank
from app.referrals import candidates, service
from app.referrals.models import Candidate, Referral
from app.rights import erasing, listing
from app.rights.models import Erasure
from tests.conftest import START, House


@pytest.fixture
def admin(house: House) -> Person:
    return house.person("Anne Admin", "admin")


@pytest.fixture
def maelle(house: House, admin: Person) -> Person:
    return house.person("Maëlle Kerjan", email="maelle@halvenne.example")


def _list(house: House) -> Path:
    return erasing.list_file(house.app.extensions["portevoix"])


def _hire(house: House, referral_id: uuid.UUID) -> None:
    """As a recruiter notes it."""
    recruiter = house.person("Réa Recruteuse", "recruiter").id
    service.set_stage(
        referral_id, "hired", actor_id=recruiter, actor_role="recruiter", starts_on=START.date()
    )
    outbox.drain()


# --- by the person -----------------------------------------------------------------------


def test_it_says_first_what_goes_and_what_stays(house: House, maelle: Person) -> None:
    page = house.browser(maelle).get("/me/erasure?lang=en").text
    assert "What goes" in page and "What stays, and why" in page
    assert "Your passkeys" in page and "article 17.3" in page
    assert "Posts on LinkedIn are yours" in page


def test_nothing_goes_before_the_box_is_ticked(house: House, maelle: Person) -> None:
    answer = house.browser(maelle).post("/me/erasure?lang=en")
    assert answer.status_code == 422 and "Tick the box first" in answer.text
    assert db.session.get_one(Person, maelle.id).erased_at is None


def test_a_member_leaves_and_is_erased_in_one_act(house: House, maelle: Person) -> None:
    browser, other = house.browser(maelle), house.browser(maelle)
    answer = browser.post("/me/erasure", data={"understood": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/erased")
    assert "Everything is erased" in browser.get("/erased?lang=en").text
    assert other.get("/me").status_code == 303
    found = db.session.get_one(Person, maelle.id, populate_existing=True)
    assert (found.name, found.is_member, found.roles) == ("—", False, frozenset())
    assert found.email.endswith("@erased.invalid")
    assert queries.person_by_email("maelle@halvenne.example") is None


def test_somebody_who_never_joined_can_be_erased_too(house: House, admin: Person) -> None:
    somebody = house.person("Léo Autre", joined=False)
    assert rights.erase(PERSON, somebody.id, asked_by=rights.ADMIN, actor_id=admin.id)
    assert db.session.get_one(Person, somebody.id).name == "—"


# --- by others ---------------------------------------------------------------------------


def test_an_administrator_erases_on_request_and_reads_what_stays(
    house: House, admin: Person, maelle: Person
) -> None:
    browser = house.browser(admin)
    path = f"/studio/people/{maelle.id}/erasure"
    assert "Maëlle Kerjan" in browser.get(path).text
    answer = browser.post(path, data={"understood": "1"})
    page = browser.get(answer.headers["Location"] + "?lang=en").text
    assert "The person is erased" in page and "article 17.3" in page
    assert browser.get(path).status_code == 404
    assert "Maëlle" not in browser.get("/studio/people?departed=1").text


def test_nobody_but_an_administrator_erases_others(house: House, maelle: Person) -> None:
    recruiter = house.person("Réa Recruteuse", "recruiter")
    path = f"/studio/people/{maelle.id}/erasure"
    for method in ("GET", "POST"):
        assert house.browser(recruiter).open(path, method=method).status_code == 403


def test_the_api_erases_and_then_knows_nobody(house: House, admin: Person, maelle: Person) -> None:
    caller = house.caller(admin)
    key = {"Idempotency_Key": "once"}
    made = caller.post(f"/people/{maelle.id}/erasure", **key)
    assert made["id"] == str(maelle.id) and made["stays"]
    assert caller.post(f"/people/{maelle.id}/erasure", **key) == made
    assert caller.call("POST", f"/people/{maelle.id}/erasure").status_code == 404
    assert caller.call("POST", f"/people/{uuid.uuid4()}/erasure").status_code == 404
    names = [row["name"] for row in caller.get("/people")["items"]]
    assert "—" not in names and "Maëlle Kerjan" not in names


def test_the_last_administrator_names_another_one_first(house: House, admin: Person) -> None:
    with pytest.raises(DomainError):
        rights.erase(PERSON, admin.id, asked_by=rights.SELF)
    assert db.session.get_one(Person, admin.id).name == "Anne Admin"
    answer = house.browser(admin).post("/me/erasure", data={"understood": "1"})
    assert answer.status_code == 409
    assert not _list(house).exists(), "nothing was erased, so nothing is listed"


# --- what is left ------------------------------------------------------------------------


def test_the_ledger_is_not_written_to(house: House, maelle: Person) -> None:
    house.referral(maelle)
    account = db.session.scalar(
        db.select(PointsAccount.account_id).where(PointsAccount.person_id == maelle.id)
    )
    assert account is not None
    before = ledger.balance(account)
    lines = db.session.query(LedgerEntry).count()
    rights.erase(PERSON, maelle.id, asked_by=rights.SELF)
    outbox.drain()
    assert before.available > 0 and ledger.balance(account) == before
    assert db.session.query(LedgerEntry).count() == lines and ledger.verify().ok
    assert db.session.get_one(PointsAccount, account).person_id is None


def test_an_erased_candidate_leaves_what_is_still_to_be_paid(house: House, maelle: Person) -> None:
    """F129: the referrer's points on hold are posted when their day comes."""
    referral_id = house.referral(maelle)
    _hire(house, referral_id)
    account = db.session.scalars(
        db.select(PointsAccount.account_id).where(PointsAccount.person_id == maelle.id)
    ).one()
    held = ledger.balance(account)
    assert held.pending > 0
    candidate_id = db.session.get_one(Referral, referral_id).candidate_id
    assert candidate_id is not None
    candidates.erase(referral_id)
    assert ledger.balance(account).pending == held.pending
    clock.freeze(START + dt.timedelta(days=400))
    with transaction():
        outbox.record("periodic.play.post_due")
    outbox.drain()
    after = ledger.balance(account)
    assert (after.pending, after.available) == (0, held.available + held.pending)
    assert db.session.get_one(Candidate, candidate_id).name is None


def test_the_proof_of_choices_stays_without_a_name(house: House, admin: Person) -> None:
    person = house.person("Zoé Preuve", joined=False)
    people.join(person.id, purposes=["recognition"])
    rights.erase(PERSON, person.id, asked_by=rights.SELF)
    proof = db.session.scalars(db.select(Consent).where(Consent.person_id == person.id)).one()
    assert proof.withdrawn_at is not None and proof.text_version


def test_nothing_about_an_erased_person_can_be_changed(
    house: House, admin: Person, maelle: Person
) -> None:
    rights.erase(PERSON, maelle.id, asked_by=rights.SELF)
    for act in (people.come_back, people.depart, people.leave, people.join, people.invite):
        with pytest.raises(NoSuchPerson):
            act(maelle.id)  # type: ignore[operator]
    assert not rights.erase(PERSON, maelle.id, asked_by=rights.SELF)


def test_the_same_address_may_begin_anew(house: House, admin: Person, maelle: Person) -> None:
    before = maelle.id
    rights.erase(PERSON, before, asked_by=rights.SELF)
    again = house.person("Maëlle Kerjan", email="maelle@halvenne.example").id
    assert again != before
    assert rights.reapply() == 0
    assert db.session.get_one(Person, again).erased_at is None


# --- the list ----------------------------------------------------------------------------


def test_the_list_names_nobody_and_is_readable_by_us_alone(house: House, maelle: Person) -> None:
    rights.erase(PERSON, maelle.id, asked_by=rights.SELF)
    file = _list(house)
    assert file.stat().st_mode & 0o777 == 0o600
    [entry] = listing.read(file)
    assert (entry.kind, entry.subject_id) == (PERSON, maelle.id)
    assert "maelle" not in file.read_text().lower()


def test_a_person_who_came_back_with_an_old_database_is_erased_at_the_start(
    house: House, admin: Person, maelle: Person
) -> None:
    """A database put back by hand: its rows do not know, the list does."""
    listing.add(_list(house), [listing.Entry(PERSON, maelle.id, START)])
    assert rights.reapply() == 1
    assert db.session.get_one(Person, maelle.id, populate_existing=True).name == "—"
    assert rights.reapply() == 0
    assert len(listing.read(_list(house))) == 1


def test_another_copy_of_the_list_is_taken_over(
    house: House, admin: Person, maelle: Person, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere.erased"
    stranger = listing.Entry(CANDIDATE, uuid.uuid4(), START)
    listing.add(copy, [listing.Entry(PERSON, maelle.id, START), stranger])
    assert rights.reapply([copy]) == 1
    assert len(listing.read(_list(house))) == 2
    assert db.session.query(Erasure).count() == 2, "who is not here is noted, and asked once"


def test_a_list_that_was_lost_is_written_again(house: House, admin: Person, maelle: Person) -> None:
    rights.erase(PERSON, maelle.id, asked_by=rights.SELF)
    _list(house).unlink()
    assert rights.reapply() == 0
    assert [e.subject_id for e in listing.read(_list(house))] == [maelle.id]


def test_a_torn_last_line_is_left_out_and_any_other_is_said(tmp_path: Path) -> None:
    file, entry = tmp_path / "erased.list", listing.Entry(PERSON, uuid.uuid4(), START)
    listing.add(file, [entry])
    with file.open("ab") as out:
        out.write(b'{"kind": "per')
    assert [e.subject_id for e in listing.read(file)] == [entry.subject_id]
    listing.add(file, [entry])
    with pytest.raises(ValueError, match="cannot be read"):
        listing.read(file)


def test_the_last_administrator_of_an_old_backup_is_erased_again_all_the_same(
    house: House, admin: Person
) -> None:
    listing.add(_list(house), [listing.Entry(PERSON, admin.id, START)])
    assert rights.reapply() == 1


def test_an_import_finds_the_other_lines_where_they_were(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("Nom;E-mail\nZoé Mark;zoe@x.example\r\nLéo;leo@x.example\n".encode())
    size = file.stat().st_size
    blank(file, Names([Subject(PERSON, uuid.uuid4(), ("zoe@x.example", "Zoé Mark"))]))
    first, second, third = file.read_bytes().splitlines()
    assert (first, second.strip(), third) == (b"Nom;E-mail", b"", "Léo;leo@x.example".encode())
    assert file.stat().st_size == size


def test_what_a_restore_put_aside_goes_after_a_week(house: House) -> None:
    data = house.app.extensions["portevoix"].data_dir
    old = data / f"media.before-restore-{START - dt.timedelta(days=8):%Y%m%dT%H%M%S}"
    new = data / f"portevoix.db.before-restore-{START - dt.timedelta(days=6):%Y%m%dT%H%M%S}"
    old.mkdir()
    (old / "one.webp").write_text("one")
    new.write_text("two")
    assert erasing.forget_copies() == 1
    assert new.exists() and not old.exists()
