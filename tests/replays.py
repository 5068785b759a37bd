"""Shuffled replays of a hire, its undoing and a rehire (F58, F59): whatever the order and the
repetition of arrival, the referral and the balances end as after one orderly delivery.

`replay(house, seed)` is one story; the suite tells a slice of them, `make soak` all.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import random
import threading
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import ledger, outbox
from app.db import db
from app.integrations.registry import CONNECTORS
from app.people.models import Person
from app.play import accounts
from app.play.models import Award
from app.referrals import ats, connections, links, service
from app.referrals.models import Connection, Referral
from app.referrals.notice import CURRENT_NOTICE

SAMPLES = Path(__file__).parent / "samples" / "ats" / "greenhouse"
T0 = dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC)


def _iso(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def story(chance: random.Random, application: int, code: str, email: str) -> list[dict[str, Any]]:
    """Events in their true order: stages, hire, undoing (as the vendor sends it, naming no
    offer, or with its offer), sometimes a refusal and its undoing, a rehire."""
    hired = json.loads((SAMPLES / "hired.body.json").read_text())
    moved = json.loads((SAMPLES / "stage_change.body.json").read_text())
    rejected = json.loads((SAMPLES / "rejected.body.json").read_text())

    def about(body: dict[str, Any], action: str, days: float, **more: Any) -> dict[str, Any]:
        event = copy.deepcopy(body)
        event["action"] = action
        told = event["payload"]["application"]
        told.update(id=application, credited_to=None)
        told["candidate"]["email_addresses"] = [{"value": email, "type": "personal"}]
        told["custom_fields"] = {
            "referral_code": {"name": "Code", "type": "short_text", "value": code}
        }
        told["last_activity_at"] = _iso(T0 + dt.timedelta(days=days))
        told.update(more)
        return event

    def hire(days: float, offer: int) -> dict[str, Any]:
        event = about(hired, "hire_candidate", days)
        told = event["payload"]["application"]
        del told["last_activity_at"]
        told["offer"] = {
            "id": offer, "version": 1, "created_at": _iso(T0), "sent_at": "2026-11-03",
            "resolved_at": _iso(T0 + dt.timedelta(days=days)), "starts_at": "2027-01-04",
            "custom_fields": {},
        }  # fmt: skip
        return event

    first = hire(5, 99110)
    undo = about(moved, "unhire_candidate", 6)
    if chance.random() < 0.5:
        undo["payload"]["application"]["offer"] = first["payload"]["application"]["offer"]
    events = [
        about(moved, "candidate_stage_change", 2, current_stage={"id": 1, "name": "Présélection"}),
        about(moved, "candidate_stage_change", 4, current_stage={"id": 2, "name": "Entretien"}),
        first,
        undo,
    ]
    if chance.random() < 0.4:
        no = about(rejected, "reject_candidate", 7)
        no["payload"]["application"]["rejected_at"] = _iso(T0 + dt.timedelta(days=7))
        events += [no, about(moved, "unreject_candidate", 7.5)]
    if chance.random() < 0.8:
        events.append(hire(8, 99111))
    return events


def _send(connection_id: uuid.UUID, events: list[dict[str, Any]], chance: random.Random) -> None:
    connection = db.session.get_one(Connection, connection_id)
    connector = CONNECTORS["greenhouse"]
    for event in events:
        raw = json.dumps(event).encode()
        said = connector.parse(raw, ats.event_settings(connection))
        ats.receive(connection, str(uuid.UUID(int=chance.getrandbits(128))), said, raw)


Outcome = tuple[str, str | None, int, int, int, int]


def _outcome(referral_id: uuid.UUID, person_id: uuid.UUID) -> Outcome:
    row = db.session.get_one(Referral, referral_id, populate_existing=True)
    have = accounts.balance_of(person_id)
    live = db.session.scalars(
        select(Award.hire_key).where(
            Award.referral_id == referral_id, Award.fact == "hire", Award.part == "now",
            Award.state != "undone",
        )
    ).all()  # fmt: skip
    assert len(live) <= 1, "more than one live award for a hire"
    return (
        row.stage,
        row.closure_reason,
        have.available,
        have.pending,
        have.status_points,
        have.owed,
    )


def _begin(house: Any, email: str) -> tuple[Person, str, uuid.UUID, Connection]:
    person = house.person("Maëlle Kerjan")
    offer_id = house.offer()
    link = links.link_for(person.id, offer_id, "email")
    visibility = "all" if uuid.uuid4().int % 2 else "ends"
    form = house.application(
        code=link.code, email=email, visibility=visibility, notice_version=CURRENT_NOTICE
    )
    referral_id = service.apply(offer_id, form)
    outbox.drain()
    return person, link.code, referral_id, connections.default_connection("greenhouse")


def replay(house: Any, seed: int, *, in_threads: bool = False) -> None:
    """One story delivered in order once, and shuffled with repetitions; both must end alike."""
    chance = random.Random(seed)
    ordered_mail, shuffled_mail = f"o{seed}@mail.example", f"s{seed}@mail.example"
    application = chance.randrange(10**6, 10**9)
    ends: list[Outcome] = []
    events: list[dict[str, Any]] = []
    for mailbox, number in ((ordered_mail, application), (shuffled_mail, application + 1)):
        person, code, referral_id, connection = _begin(house, mailbox)
        # The same visibility on both sides: it decides when points are credited.
        db.session.rollback()
        from app.referrals.candidates import choose_visibility

        choose_visibility(referral_id, "all" if seed % 2 else "ends")
        events = story(random.Random(seed), number, code, mailbox)
        if mailbox == ordered_mail:
            for event in events:
                _send(connection.id, [event], chance)
                outbox.drain()
        else:
            _shuffled(house, connection.id, events, chance, in_threads=in_threads)
        ends.append(_outcome(referral_id, person.id))
    assert ends[0] == ends[1], f"seed {seed}: ordered {ends[0]}, shuffled {ends[1]}"


def _shuffled(
    house: Any,
    connection_id: uuid.UUID,
    events: list[dict[str, Any]],
    chance: random.Random,
    *,
    in_threads: bool,
) -> None:
    batch = [*events, *chance.choices(events, k=chance.randint(1, 4))]
    chance.shuffle(batch)
    if not in_threads:
        for event in batch:
            _send(connection_id, [event], chance)
            if chance.random() < 0.6:
                outbox.drain()
        outbox.drain()
        return
    halves = batch[::2], batch[1::2]
    threads = [
        threading.Thread(
            target=_worker, args=(house.app, connection_id, half, chance.getrandbits(32))
        )
        for half in halves
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    outbox.drain()


def _worker(app: Any, connection_id: uuid.UUID, events: list[dict[str, Any]], seed: int) -> None:
    """Another worker of the same installation: receives and handles while others do."""
    with app.app_context():
        chance = random.Random(seed)
        for event in events:
            _send(connection_id, [event], chance)
            _drain_patiently()
        db.session.remove()


def _drain_patiently() -> None:
    """As a worker does: what fails is handed over again."""
    for _ in range(20):
        try:
            outbox.drain()
        except Exception:  # noqa: BLE001  a deadlock that the database resolved; it comes again
            db.session.rollback()
        else:
            return


def verified() -> bool:
    """The ledger of all these stories holds."""
    return ledger.verify().ok
