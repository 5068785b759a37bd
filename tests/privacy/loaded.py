"""A base that has something to forget under every rule of the purge, by the hundred.

Whatever a table needs is filled in by its columns; what makes a row overdue one day is said
here. Everything is dated at the present: time makes it old.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Date, String, Uuid, inspect, select, update

from app import clock, ledger
from app.api.models import IdempotencyKey
from app.audit.models import AuditEntry
from app.charters import queries as charter
from app.charters import service as charters
from app.db import Encrypted, UTCDateTime, db, new_id, transaction
from app.outbox.models import DONE, OutboxDelivery, OutboxEvent
from app.people.consents import TAKING_PART, note_given
from app.people.directory import add_person
from app.people.joining_models import EmailCode, JoinRequest, OpenInvitation
from app.people.models import Consent, Login, Membership, ParkedForm, Person
from app.people.proof_models import SignInStep
from app.play.models import Score, ScoreStep
from app.privacy.models import Correction, DataRequest
from app.privacy.purge_rules import RULES
from app.provisioning.imports.models import PeopleImport, PeopleImportLine
from app.referrals.models import (
    AtsEvent,
    Candidate,
    CandidateCode,
    Click,
    ClickHour,
    Connection,
    OfferImport,
    OfferImportLine,
    Referral,
    SpoolFile,
)
from app.rights.models import CopyLink, Erasure
from app.sharing.models import IdeaMail, NetworkQuota

Values = dict[str, Any]


def row(model: type[Any], number: int, **values: Any) -> Any:
    """A row of a model: the values given, and something for every other column that must have
    one. `number` makes it unlike the others."""
    return model(**{**_needed(model, number, values), **values})


def _needed(model: type[Any], number: int, given: Values) -> Values:
    found: Values = {}
    for attribute in inspect(model).column_attrs:
        column = attribute.columns[0]
        if attribute.key not in given and not column.nullable and column.default is None:
            found[attribute.key] = _anything(
                column, str(model.__annotations__.get(attribute.key)), number
            )
    return found


def _anything(column: Any, annotation: str, number: int) -> Any:
    if isinstance(column.type, Uuid):
        return _parent(column) or new_id()
    if isinstance(column.type, UTCDateTime):
        return clock.now()
    if isinstance(column.type, Date):
        return clock.now().date()
    if isinstance(column.type, JSON):
        return [] if "list" in annotation else {}
    if isinstance(column.type, String | Encrypted):
        return f"{number:x}-{uuid.uuid4().hex}"[: getattr(column.type, "length", None) or 40]
    return {int: 1, bool: False}[column.type.python_type]


def _parent(column: Any) -> uuid.UUID | None:
    """The number of any row that the column may point to."""
    key = next(iter(column.foreign_keys), None)
    found: uuid.UUID | None = (
        db.session.scalar(select(key.column).limit(1)) if key is not None else None
    )
    return found


def plant(count: int, seed: int) -> None:
    """Something for every rule, `count` rows of each table; a tenth of that of those who are
    erased, because one of them is many rows."""
    chance = random.Random(seed)
    with transaction() as session:
        charters.ensure_default(clock.now())
        few = max(count // 10, 4)
        people = [_person(n) for n in range(2 * few)]
        session.flush()
        _leave(people[:few], people[few:])
        _candidates(few)
        _imports(count)
        _openings(count)
        _facts(count)
        _scores(count)
        _corrections(count)
        for n in range(count):
            session.add_all(_simple(n, chance))
        session.add_all(row(IdeaMail, n, person_id=p.id) for n, p in enumerate(people))
        session.flush()
        for rule in RULES:  # tables that nothing above speaks of
            later = clock.now() + dt.timedelta(days=4_000)
            if session.execute(rule.overdue(later).limit(1)).first() is None:
                session.add_all(row(rule.model, n) for n in range(count))


def _person(number: int) -> Person:
    """Somebody who took part, with the proofs of what they answered."""
    mark = f"{number:x}{uuid.uuid4().hex[:6]}"
    person_id = add_person(
        kind="employee", name=f"Planté {mark}", email=f"planted.{mark}@halvenne.example",
        employee_id=f"P{mark}", site="Brest", department="Bois",
    ).id  # fmt: skip
    db.session.add(row(Membership, number, person_id=person_id))
    db.session.flush()
    db.session.add(row(Consent, number, person_id=person_id, purpose="recognition"))
    note_given(db.session(), person_id, TAKING_PART, language="fr", act="joining")
    current = charter.current_for(person_id)
    assert current is not None
    charters.accept(person_id, current.id, "fr")
    return db.session.get_one(Person, person_id)


def _leave(departed: Sequence[Person], left: Sequence[Person]) -> None:
    for person in departed:
        person.departed_at = clock.now()
    theirs = Membership.person_id.in_([person.id for person in left])
    db.session.execute(update(Membership).where(theirs).values(left_at=clock.now()))


def _candidates(count: int) -> None:
    """Whose recruitment ended, with what a tracking system sent about them and their codes."""
    connection = db.session.scalar(select(Connection).limit(1))
    if connection is None:
        connection = row(Connection, 0, kind="greenhouse", secrets_json="[]")
        db.session.add(connection)
        db.session.flush()
    for n in range(count):
        candidate = row(Candidate, n, email=f"c{n}@mail.example", first_name="Zoé",
                        last_name=f"Semée{n:x}q", address_hash=uuid.uuid4().hex)  # fmt: skip
        db.session.add(candidate)
        db.session.flush()
        referral = row(Referral, n, candidate_id=candidate.id, stage="closed",
                       ended_at=clock.now(), message=f"Bonjour {n}")  # fmt: skip
        db.session.add(referral)
        db.session.flush()
        db.session.add_all([
            row(CandidateCode, n, referral_id=referral.id),
            row(AtsEvent, n, connection_id=connection.id, referral_id=referral.id, body="{}",
                state="applied"),
        ])  # fmt: skip


def _imports(count: int) -> None:
    for model, line in ((PeopleImport, PeopleImportLine), (OfferImport, OfferImportLine)):
        for n in range(max(count // 100, 2)):
            one = row(model, n)
            db.session.add(one)
            db.session.flush()
            db.session.add_all(row(line, k, import_id=one.id, line=k) for k in range(100))


def _openings(count: int) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for n in range(count):
        link = new_id()
        db.session.add_all([
            row(ClickHour, n, link_id=link, hour=hour, verdict="person", count=2),
            *(row(Click, n, id=new_id(), link_id=link, occurred_at=hour, verdict="person",
                  visitor_key=uuid.uuid4().hex) for _ in range(2)),
        ])  # fmt: skip


def _facts(count: int) -> None:
    for n in range(count):
        event = row(OutboxEvent, n, kind="planted")
        db.session.add(event)
        db.session.flush()
        db.session.add(row(OutboxDelivery, n, event_id=event.id, handler="planted", state=DONE))


def _simple(n: int, chance: random.Random) -> list[Any]:
    """A row of each table that stands alone; some are a little older than others."""
    ago = clock.now() - dt.timedelta(minutes=chance.randint(0, 500))
    return [
        row(AuditEntry, n, at=ago), row(Login, n, seen_at=ago), row(ParkedForm, n),
        row(SignInStep, n), row(EmailCode, n), row(CopyLink, n), row(JoinRequest, n,
            invitation_id=_invitation(), asked_at=None if n % 2 else ago, created_at=ago),
        row(IdempotencyKey, n), row(SpoolFile, n), row(NetworkQuota, n),
        row(DataRequest, n, closed_at=ago), row(Erasure, n, erased_at=ago),
        row(ScoreStep, n, period=f"2026-{n % 12 + 1:02}", points=1_000_000 + n),
    ]  # fmt: skip


def _corrections(count: int) -> None:
    """Answered ones; the register's lines of others are among the simple rows."""
    for n in range(count):
        request = row(DataRequest, n, closed_at=clock.now())
        db.session.add(request)
        db.session.flush()
        db.session.add(row(Correction, n, request_id=request.id, answered_at=clock.now()))


def _scores(count: int) -> None:
    """A year of months for accounts that nobody has."""
    for n in range(count // 12 + 1):
        account = ledger.open_account()
        db.session.add_all(
            row(Score, n, period=f"2026-{month:02}", account_id=account) for month in range(1, 13)
        )


def _invitation() -> uuid.UUID:
    found: uuid.UUID | None = db.session.scalar(select(OpenInvitation.id).limit(1))
    if found is None:
        one = row(OpenInvitation, 0, code="ABCDEFGH")
        db.session.add(one)
        db.session.flush()
        found = one.id
    return found
