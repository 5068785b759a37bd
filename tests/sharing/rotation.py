"""Ten thousand connections whose keys are changed while other processes read and renew them.

The operator's way: the new key goes before the old one, every process is started again, the
secrets are written anew (here once cut short by a SIGKILL and once to the end), the old key is
dropped. Meanwhile two processes read tokens, renew them as LinkedIn would, and disconnect
members. Afterwards each token must be what was written last, readable with the new key alone.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert, select

from app import clock, crypto, outbox
from app.cli.keys import rotate_all
from app.crypto import CannotDecrypt
from app.db import db, new_id, transaction
from app.integrations.linkedin.oauth import Tokens
from app.people.models import Membership, Person
from app.sharing import grants, sealing
from app.sharing.models import Grant, GrantRevocation
from tests.sharing.crowd import eventually

OLD: Final = "the-key-of-last-year-0123456789"
NEW: Final = "the-key-of-this-year-9876543210"
TRAFFIC: Final = 2
AFTERWARDS: Final = 0.5  # seconds of traffic after the change
BATCH: Final = 1_000
SCOPES: Final = ["openid", "profile", "w_member_social"]


@dataclass
class Report:
    """What happened while the keys were changed."""

    seed: int
    connections: int
    seconds: float = 0.0
    cut_short_at: int = 0
    rewritten: int = 0
    unreadable: int = 0
    reads: int = 0
    renewals: int = 0
    ended: int = 0
    database: str = ""
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.database}: {self.connections} connections of two tokens rewritten in "
            f"{self.seconds:.1f} s (cut short once after {self.cut_short_at}), meanwhile "
            f"{self.reads} reads, {self.renewals} renewals and {self.ended} endings by {TRAFFIC} "
            f"processes; wrong: {self.wrong[:3] or 'none'}"
        )


def token_of(number: int, generation: int) -> str:
    """The access token of one member after so many renewals."""
    return f"AQX-{number}-{generation}-" + "x" * 300


def _refresh_of(number: int) -> str:
    return f"AQW-{number}-" + "y" * 300


# --- the connections ---------------------------------------------------------------------


def fill(count: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """So many members with a connection, in set statements; (person, grant) of each."""
    made: list[tuple[uuid.UUID, uuid.UUID]] = []
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        ids = [(new_id(), new_id()) for _ in numbers]
        with transaction() as session:
            rows = [_rows(number, *pair) for number, pair in zip(numbers, ids, strict=True)]
            for model, place in ((Person, 0), (Membership, 1), (Grant, 2)):
                session.execute(insert(model), [row[place] for row in rows])
        made += ids
    return made


def _rows(number: int, person_id: uuid.UUID, grant_id: uuid.UUID) -> tuple[dict[str, Any], ...]:
    now = clock.now()
    person = {
        "id": person_id, "name": f"Camille {number}", "email": f"clef-{number}@halvenne.example",
    }  # fmt: skip
    membership = {"id": new_id(), "person_id": person_id, "notice_version": "1"}
    grant = {
        "id": grant_id, "person_id": person_id, "mode": "self_serve", "subject": f"clef{number}",
        "scopes": SCOPES, "expires_at": now + dt.timedelta(days=60), "consent_version": "1",
        "access_token": sealing.seal(grant_id, person_id, token_of(number, 0)),
        "refresh_token": sealing.seal(grant_id, person_id, _refresh_of(number)),
        "refresh_expires_at": now + dt.timedelta(days=365),
    }  # fmt: skip
    return person, membership, grant


# --- traffic -----------------------------------------------------------------------------


class Traffic:
    """One process that reads, renews and ends connections of its own part, until it is told to
    stop; then it writes down how it left them."""

    def __init__(self, members: dict[int, tuple[uuid.UUID, uuid.UUID]], seed: int) -> None:
        self.members, self.chance = members, random.Random(seed)
        self.generation = dict.fromkeys(members, 0)
        self.reads = self.renewals = 0
        self.ended: list[int] = []
        self.wrong: list[str] = []
        self.stopping = False

    def run(self, began: Path) -> None:
        """Until SIGTERM; `began` is there once it is at work."""
        signal.signal(signal.SIGTERM, self._stop)
        while not self.stopping:
            self._act(self.chance.choice(list(self.members)))
            if self.renewals == 5:
                began.touch()
            clock.sleep(0.002)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _act(self, number: int) -> None:
        person_id, grant_id = self.members[number]
        db.session.rollback()
        grant = grants.grant_of(person_id)
        if grant is None:
            self.wrong.append(f"{number} is gone")
            return
        self._read(number, grant)
        what = self.chance.random()
        if what < 0.5:
            self.generation[number] += 1
            grants.renew(grant_id, self._renewed(number))
            self.renewals += 1
        elif what < 0.52:
            grants.end(person_id)
            self.ended.append(number)
            del self.members[number]

    def _read(self, number: int, grant: Grant) -> None:
        self.reads += 1
        try:
            found = sealing.access_token(grant), sealing.refresh_token(grant)
        except (CannotDecrypt, sealing.TokenMisplaced) as error:
            self.wrong.append(f"{number}: {type(error).__name__}")
            return
        if found != (token_of(number, self.generation[number]), _refresh_of(number)):
            self.wrong.append(f"{number}: {found[0][:20]}, not of {self.generation[number]}")

    def _renewed(self, number: int) -> Tokens:
        now = clock.now()
        return Tokens(
            access_token=token_of(number, self.generation[number]),
            expires_at=now + dt.timedelta(days=60),
            refresh_token=_refresh_of(number),
            refresh_expires_at=now + dt.timedelta(days=365),
            scopes=tuple(SCOPES),
        )

    def told(self) -> dict[str, Any]:
        return {
            "generation": self.generation, "ended": self.ended, "reads": self.reads,
            "renewals": self.renewals, "wrong": self.wrong,
        }  # fmt: skip


def _process(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; its pid."""
    db.session.remove()
    db.engine.dispose()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


# --- the change --------------------------------------------------------------------------


def rotate(folder: Path, seed: int, count: int) -> Report:
    """Change the keys of so many connections under traffic; raises `AssertionError` where a
    token was lost. Inside an application's context; the keys of this process change."""
    report = Report(seed, count, database=db.engine.dialect.name)
    outbox.service.set_waker(None)
    crypto.start((OLD,))
    ids = fill(count)
    crypto.start((NEW, OLD))  # every process was started again with both
    shares = [dict(list(enumerate(ids))[part::TRAFFIC]) for part in range(TRAFFIC)]
    files = [folder / f"traffic-{part}.json" for part in range(TRAFFIC)]
    pids = [_process(_traffic(*given, seed)) for given in zip(shares, files, strict=True)]
    try:
        eventually(lambda: all(_began(file).exists() for file in files), "there is traffic")
        report.cut_short_at = _cut_short(count)
        began = clock.monotonic()
        counted = {one.table: one for one in rotate_all(db.metadata)}
        report.seconds = clock.monotonic() - began
        report.rewritten = counted["share_grant"].rewritten
        report.unreadable = sum(one.unreadable for one in counted.values())
        clock.sleep(AFTERWARDS)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        ended = [os.waitpid(pid, 0)[1] for pid in pids]
    assert ended == [0] * TRAFFIC, f"seed {seed}: traffic ended with {ended}"
    _judge(report, ids, [json.loads(file.read_text()) for file in files])
    return report


def _traffic(
    members: dict[int, tuple[uuid.UUID, uuid.UUID]], file: Path, seed: int
) -> Callable[[], None]:
    def work() -> None:
        traffic = Traffic(members, seed + min(members))
        traffic.run(_began(file))
        file.write_text(json.dumps(traffic.told()))

    return work


def _began(file: Path) -> Path:
    return file.with_suffix(".began")


def _cut_short(count: int) -> int:
    """A rotation that is killed in the middle; how many rows it had written."""

    def work() -> None:
        rotate_all(db.metadata)

    pid = _process(work)
    eventually(lambda: _written_with_new() >= count // 3, "a third is rewritten")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return _written_with_new()


def _written_with_new() -> int:
    """How many rows the new key alone opens, counted on a sample of a hundred."""
    db.session.rollback()
    table = Grant.__table__.name
    rows = db.session.connection().exec_driver_sql(f"SELECT access_token FROM {table}").all()
    sample = rows[:: max(1, len(rows) // 100)]
    return len(rows) * sum(_opens(row[0], NEW) for row in sample) // max(1, len(sample))


def _opens(token: str, key: str) -> bool:
    kept = crypto._keys
    crypto.start((key,))
    try:
        crypto.decrypt(token)
    except CannotDecrypt:
        return False
    else:
        return True
    finally:
        crypto.start(kept)


def _judge(
    report: Report, ids: list[tuple[uuid.UUID, uuid.UUID]], told: list[dict[str, Any]]
) -> None:
    """Every connection is there and says what was written last, with the new key alone."""
    for one in told:
        report.reads += one["reads"]
        report.renewals += one["renewals"]
        report.ended += len(one["ended"])
        report.wrong += one["wrong"]
    generation = {int(n): g for one in told for n, g in one["generation"].items()}
    gone = {n for one in told for n in one["ended"]}
    crypto.start((OLD,))
    assert _readable(Grant, Grant.access_token) == 0, f"{report}: written with the old key"
    crypto.start((NEW,))
    db.session.remove()
    left = {number: pair for number, pair in enumerate(ids) if number not in gone}
    assert db.session.scalar(select(func.count()).select_from(Grant)) == len(left), str(report)
    for number, (person_id, _) in left.items():
        grant = grants.grant_of(person_id)
        assert grant is not None
        wanted = token_of(number, generation[number])
        assert sealing.access_token(grant) == wanted, f"{report}: {number}"
        assert sealing.refresh_token(grant) == _refresh_of(number), f"{report}: {number}"
        db.session.expunge(grant)
    waiting = _readable(GrantRevocation, GrantRevocation.token)
    assert waiting == 2 * len(gone), f"{report}: {waiting} tokens wait for their revocation"
    assert report.unreadable == 0 and not report.wrong, f"seed {report.seed}: {report}"
    assert report.rewritten >= report.connections - len(gone), str(report)


def _readable(model: type[Grant | GrantRevocation], column: Any) -> int:
    """How many rows the keys of this moment open."""
    db.session.rollback()
    name, table = column.key, model.__table__.name
    rows = db.session.connection().exec_driver_sql(f"SELECT {name} FROM {table}").all()
    return sum(_opens(row[0], crypto._keys[0]) for row in rows)
