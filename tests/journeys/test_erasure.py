"""Somebody whose every field is a mark uses everything and is erased: no mark is left anywhere,
the ledger is whole, and a backup from before does not bring them back (rules E1 to E4)."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from app import ledger, outbox, rights
from app.charters.proofs import verify as verify_answers
from app.cli import main
from app.db import db, transaction
from app.jobs.queue import DeliveryQueue, connect
from app.ledger.models import LedgerEntry, LedgerTransfer
from app.outbox import service as deliveries
from app.people import joining_models, personal_address, proof_models
from app.people import service as people
from app.people.models import Person, Segment, SegmentPerson
from app.personal_data import PERSON
from app.play.models import PointsAccount
from app.provisioning.imports import service as imports
from app.provisioning.imports import spool
from app.referrals import candidates, service
from app.referrals.models import Candidate, Offer, Recommendation, Referral
from app.rewards import service as rewards
from app.rights import listing
from app.sharing.models import Share
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.jobs.conftest import Server, server
from tests.privacy import traces
from tests.sharing import kit
from tests.sharing.conftest import any_app, app, linkedin, standin
from tests.web.test_parked_forms import Reader

__all__ = ["any_app", "app", "linkedin", "server", "standin"]

FIELDS = (
    "name", "mail", "number", "title", "department", "site", "function", "contract", "words",
    "view", "token", "parked", "why", "own", "subject", "passkey", "note", "key",
)  # fmt: skip
MEMBER = {field: f"zqm{field}x" for field in FIELDS}
MAIL = f"{MEMBER['mail']}@halvenne.example"
OWN = f"{MEMBER['own']}@home.example"
APPLICANT = {field: f"zqc{field}x" for field in ("first", "last", "mail", "profile", "message")} | {
    "phone": "+33 6 98 76 54 31"
}
THEIRS = f"{APPLICANT['mail']}@mail.example"
MARKS = [*MEMBER.values(), *APPLICANT.values()]


def _member(house: House) -> Person:
    """Comes in by the API, by a file and by hand, and joins."""
    admin = house.person("Anne Admin", "admin", "hr")
    admin_id = admin.id
    with transaction() as session:
        session.add(Segment(name="Chantiers", rule=None))
    made = house.caller(admin).post(
        "/people",
        {"name": f"{MEMBER['name']} Mark", "email": MAIL, "kind": "employee", "language": "fr"},
        Idempotency_Key="made-by-a-program",
    )
    person_id = uuid.UUID(made["id"])
    with transaction() as session:
        person = session.get_one(Person, person_id)
        for field, column in (
            ("number", "employee_id"), ("title", "job_title"), ("department", "department"),
            ("site", "site"), ("function", "function"), ("contract", "contract"),
        ):  # fmt: skip
            setattr(person, column, MEMBER[field])
        segment = session.scalars(select(Segment).where(Segment.name == "Chantiers")).one()
        session.add(SegmentPerson(segment_id=segment.id, person_id=person_id))
    _import(admin_id)
    people.invite(person_id, actor_id=admin_id)
    people.join(person_id, password=f"un poirier {MEMBER['own']}", purposes=["recognition"])
    people.change_roles(person_id, ["recruiter"], actor_id=admin_id)
    outbox.drain()
    return kit.kept(person_id)


def _import(admin_id: uuid.UUID) -> None:
    """A file of the HR tool knows them, and stays in the data folder."""
    file = (
        "Nom;E-mail;Matricule\n"
        f"{MEMBER['name']} Mark;{MAIL};{MEMBER['number']}\nLéo Autre;leo@halvenne.example;7\n"
    )
    imports.start_import(io.BytesIO(file.encode()), f"{MAIL}.csv", admin_id)


def _uses_everything(house: House, person: Person, standin: StandIn) -> uuid.UUID:
    """Every room of the house; the id of a post that is planned."""
    kit.accept(person.id)
    kit.connect(person.id, subject=MEMBER["subject"], token=MEMBER["token"] + "-grant")
    person = kit.kept(person.id)
    story_id = kit.story(house)
    caller = house.caller(person)
    shared = {"story_id": str(story_id), "network": "linkedin", "text": MEMBER["words"]}
    caller.post("/shares", shared, 202, Idempotency_Key=MEMBER["key"])
    outbox.drain()
    planned = kit.press(
        person, story_id, MEMBER["words"] + " demain", publish_at=START + dt.timedelta(days=2)
    )
    people.issue_token(person.id, MEMBER["token"], ["read"], expires_at=None)
    personal_address.give_address(person.id, OWN)
    _through_pages(house, person)
    _rows_of_their_own(person)
    outbox.drain()
    return planned.id


def _rows_of_their_own(person: Person) -> None:
    with transaction() as session:
        session.add(
            proof_models.Passkey(
                person_id=person.id, name=MEMBER["passkey"], credential_id=MEMBER["passkey"],
                public_key=MEMBER["passkey"], sign_count=1, transports=[],
            )
        )  # fmt: skip
        session.merge(proof_models.SecondFactor(person_id=person.id, secret=MEMBER["passkey"]))
        session.add(joining_models.Pause(person_id=person.id))


def _through_pages(house: House, person: Person) -> None:
    """A saved view, a recommendation, and a form that waits because its session had ended."""
    browser = house.browser(person)
    view = {"name": MEMBER["view"], "query": f"q={MEMBER['view']}"}
    saved = browser.post("/studio/views/referrals", data=view)
    assert saved.status_code < 400, saved.get_data(as_text=True)
    offer_id = house.offer("Menuiserie")
    with transaction() as session:
        session.add(Recommendation(person_id=person.id, offer_id=offer_id, words=MEMBER["why"]))
        session.get_one(Offer, offer_id).recruiter_id = person.id
    reader = Reader(house, person)
    typed = {"name": MEMBER["parked"], "days": "30", "csrf_token": reader.token("/me/tokens")}
    people.end_all_logins(person.id)
    away = reader.send("/me/tokens", typed, "/me/tokens")
    assert away.headers["Location"].startswith("/sign-in")


def _refers(house: House, person: Person) -> uuid.UUID:
    """Somebody applies through their link and is hired: points now, and points on hold."""
    referral_id = house.referral(
        person, email=THEIRS, first_name=APPLICANT["first"], last_name=APPLICANT["last"]
    )
    service.complete(
        referral_id, phone=APPLICANT["phone"],
        profile_url=f"https://{APPLICANT['profile']}.example", message=APPLICANT["message"],
    )  # fmt: skip
    candidates.send_code(referral_id)
    candidates.ask_for_copy(referral_id)
    outbox.drain()
    return referral_id


def _redeems(house: House, person: Person) -> None:
    """One reward that was handed over, one that is on order; words beside a line."""
    admin_id = db.session.scalars(select(Person.id).where(Person.name == "Anne Admin")).one()
    account = db.session.scalars(
        select(PointsAccount.account_id).where(PointsAccount.person_id == person.id)
    ).one()
    made = ledger.transfer(
        "adjustment", f"gift-{uuid.uuid4()}", account, 900, actor=ledger.by_person(admin_id)
    )
    ledger.annotate(made.id, MEMBER["note"])
    reward = rewards.create_reward(
        title="Panier du potager", description="", cost=100, stock=5, pay_class="gift in kind",
        deliverer_id=admin_id, actor_id=admin_id,
    )  # fmt: skip
    reward_id = reward.id
    done = rewards.redeem(person.id, reward_id)
    rewards.fulfil(done.id, admin_id)
    rewards.redeem(person.id, reward_id)
    outbox.drain()


def _old_log(data: Path) -> None:
    """A log of another day, packed; ours say no names, and this one shows that packed ones are
    looked into."""
    with gzip.open(data / "web.log.1.gz", "wb") as out:
        out.write(b"GET /me/data 200\n")


def _queued(server: Server) -> DeliveryQueue:
    """Everything that is due stands in a real queue, as the relay puts it there."""
    queue = DeliveryQueue(connection=connect(server.url))
    due = deliveries.due(10_000, resend_after=dt.timedelta(0))
    assert due
    queue.offer(due, result_ttl=500)
    return queue


def _books() -> tuple[int, int, int]:
    """Sum of all entries, lines, transfers."""
    return (
        db.session.scalar(select(func.coalesce(func.sum(LedgerEntry.amount), 0))) or 0,
        db.session.scalar(select(func.count()).select_from(LedgerEntry)) or 0,
        db.session.scalar(select(func.count()).select_from(LedgerTransfer)) or 0,
    )


def _console(app: Flask, *words: str) -> str:
    settings = app.extensions["portevoix"]
    env = {
        "PORTEVOIX_DATA_DIR": str(settings.data_dir), "PORTEVOIX_ENV": "test",
        "PORTEVOIX_SECRET_KEY": settings.secret_keys[0],
        "PORTEVOIX_DATABASE_URL": settings.database_url,
    }  # fmt: skip
    db.session.remove()
    db.engine.dispose()
    done = CliRunner().invoke(main, words, env=env)
    assert done.exit_code == 0, done.output
    return done.output


def _traces(app: Flask, data: Path, marks: list[str]) -> list[str]:
    db.session.remove()
    return traces.in_tables(marks) + traces.in_files(data, marks)


@pytest.mark.timeout(600)
def test_nothing_of_an_erased_person_or_candidate_is_left(
    any_app: Flask, standin: StandIn, server: Server, tmp_path: Path
) -> None:
    house, data = House(any_app), any_app.extensions["portevoix"].data_dir
    person = _member(house)
    person_id = person.id
    planned = _uses_everything(house, person, standin)
    referral_id = _refers(house, person)
    candidate_id = db.session.get_one(Referral, referral_id).candidate_id
    assert candidate_id is not None
    _redeems(house, person)
    _old_log(data)
    before = tmp_path.parent / f"{tmp_path.name}-before.tar"
    _console(any_app, "backup", str(before))

    # They are everywhere, so that what follows can fail.
    known = {trace.split(": ")[1] for trace in traces.in_tables(MARKS)}
    assert {*MARKS} - known == set()
    assert any("eml" in trace for trace in traces.in_files(data, [MEMBER["mail"]]))
    assert any(".csv" in trace for trace in traces.in_files(spool.folder(), [MEMBER["mail"]]))
    books = _books()

    assert rights.erase(PERSON, person_id, asked_by=rights.ADMIN)
    assert db.session.get_one(Share, planned, populate_existing=True).status == "cancelled"
    queue = _queued(server)
    assert traces.in_queue(queue.connection, MARKS) == []
    outbox.drain()
    candidates.erase(referral_id)
    _queued(server)
    assert traces.in_queue(queue.connection, MARKS) == []
    outbox.drain()
    assert traces.in_files(server.path.parent, MARKS) == []
    assert _traces(any_app, data, MARKS) == []
    assert _books() == books and ledger.verify().ok and verify_answers().ok
    linked = select(PointsAccount).where(PointsAccount.person_id == person_id)
    assert db.session.scalar(linked) is None

    after = data / "after.tar"
    _console(any_app, "backup", str(after))
    assert traces.in_files(data, MARKS) == []
    assert (data / listing.NAME).stat().st_mode & 0o077 == 0
    after.unlink()

    # A backup from before brings nobody back.
    said = _console(any_app, "restore", str(before))
    assert "Erased again, because they had asked for it since: 2." in said
    assert _traces(any_app, data, MARKS) == []
    assert ledger.verify().ok and verify_answers().ok
    assert db.session.get_one(Person, person_id).erased_at is not None
    assert db.session.get_one(Candidate, candidate_id).erased_at is not None
    assert _console(any_app, "migrate")
    assert _traces(any_app, data, MARKS) == []
