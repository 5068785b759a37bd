"""Carrying an import: the dry run, the run, what follows from it, and its undoing.

All of it goes batch by batch. Each batch is one short transaction that writes its people, its
lines of the report and the place it came to, and begins by finding the place where it left off:
a second process that works on the same import finds another one and stops, and an import that
was killed goes on where it stopped, without doing a line twice. Between two batches others may
write.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import CursorResult, Table, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, new_id, transaction
from app.people import bulk_entries, directory
from app.people.bulk_entries import PROFILE
from app.people.errors import LastAdmin, NoSuchPerson
from app.people.models import Person, RoleGrant
from app.provisioning.imports import spool, states
from app.provisioning.imports.lines import Record, Records, head_of
from app.provisioning.imports.models import ImportedPerson, PeopleImport, PeopleImportLine
from app.provisioning.imports.planning import (
    CHANGED,
    CREATED,
    REFUSED,
    SAME,
    Planned,
    Planner,
    entities,
    stamp,
)
from app.provisioning.imports.reading import Entry, Fault, Reader, clean

ASKED: Final = "people.import_asked"
BATCH: Final = 500
SAMPLE: Final = 20
"""Lines of each outcome that the dry run keeps to show."""
CHECK, RUN = "check", "run"
FREED, MANAGED, NOTE, ABSENT, DEPARTING, DEPARTED = (
    "freed", "managed", "note", "absent", "departing", "departed",
)  # fmt: skip
ENTRIES, MANAGERS, ABSENCES = "entries", "managers", "absences"
NO_ADDRESS: Final = "no_address"
"""Beside the outcomes of a dry run: people of the file whom no mail will reach."""

_ALIVE_SECONDS: Final = 15.0
_PAUSE_SECONDS: Final = (0.02, 0.1)
"""Between two batches nothing is written for as long as the batch took, within these limits."""
_TRIES: Final = 4

Tell = Callable[["Job"], None]


class Stopped(Exception):
    """The import is not where this process left it: cancelled, or carried by another one."""


@dataclass(slots=True)
class Job:
    """An import under way: what its row said when it was read, kept up with what is written."""

    id: uuid.UUID
    state: str
    phase: str
    separator: str
    headers: list[str]
    mapping: dict[str, str]
    language: str
    is_full: bool
    total: int
    done: int
    offset: int
    at_line: int
    started_by: uuid.UUID | None
    created_at: dt.datetime
    alive_at: float = float("-inf")
    tell: Tell | None = None

    def alive(self) -> None:
        """Tell the outbox, now and then, that somebody is at work; and whoever watches."""
        if clock.monotonic() - self.alive_at > _ALIVE_SECONDS:
            outbox.keep_alive(ASKED, "import_id", str(self.id))
            self.alive_at = clock.monotonic()
        if self.tell is not None:
            self.tell(self)


def load(import_id: uuid.UUID) -> Job | None:
    """The import as it stands."""
    row = db.session.get(PeopleImport, import_id, populate_existing=True)
    if row is None:
        return None
    return Job(
        row.id, row.state, row.phase, row.separator, row.headers, dict(row.mapping), row.language,
        row.is_full, row.total, row.done, row.offset, row.at_line, row.started_by, row.created_at,
    )  # fmt: skip


def carry(import_id: uuid.UUID, tell: Tell | None = None) -> None:
    """Do whatever this import waits for, or what is left of it. Heard twice, done once."""
    work = {
        states.CHECKING: check, states.RUNNING: run, states.UNDOING: undo,
        states.DEPARTING: let_go,
    }  # fmt: skip
    job = load(import_id)
    if job is None or job.state not in work:
        return
    job.tell = tell
    try:
        work[job.state](job)
    except Stopped:
        db.session.rollback()


# --- one step ----------------------------------------------------------------------------


def _step(session: Session, job: Job, **values: object) -> None:
    """Go on from the place where this process left off, first of all in its transaction.
    Raises `Stopped` where the import is elsewhere."""
    result = cast(
        "CursorResult[tuple[()]]",
        session.execute(
            update(PeopleImport)
            .where(
                PeopleImport.id == job.id,
                PeopleImport.state == job.state,
                PeopleImport.phase == job.phase,
                PeopleImport.done == job.done,
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        ),
    )
    if not result.rowcount:
        raise Stopped


def _moved(job: Job, **values: Any) -> None:
    """What was written is where this process goes on."""
    for name, value in values.items():
        setattr(job, name, value)


def _pause(began: float) -> None:
    """Let others write: SQLite has one writer at a time, and those who wait look now and then."""
    least, most = _PAUSE_SECONDS
    clock.sleep(min(max(least, clock.monotonic() - began), most))


def _counted(found: Counter[str]) -> dict[str, object]:
    return {
        f"{name}_count": getattr(PeopleImport, f"{name}_count") + found[name]
        for name in (CREATED, CHANGED, SAME, REFUSED)
        if found[name]
    }


def _batches(job: Job, file: BinaryIO) -> Iterator[list[tuple[int, Record]]]:
    """The records that are left, numbered, `BATCH` at a time; blank lines do not count."""
    if not job.offset:
        head = head_of(file)
        if head is None:
            raise spool.Unusable("no-header")
        job.offset, job.at_line = head.offset, head.line
    records = Records(file, job.separator, offset=job.offset, line=job.at_line)
    numbered = enumerate((r for r in records if not r.is_blank), start=job.done + 1)
    while batch := list(islice(numbered, BATCH)):
        yield batch


def _after(batch: Sequence[tuple[int, Record]]) -> dict[str, int]:
    position, last = batch[-1]
    return {"done": position, "offset": last.end, "at_line": last.next_line}


def _read(job: Job, work: Callable[[BinaryIO], None]) -> bool:
    """Work on the file; False where it is no use, which the import then says."""
    try:
        with spool.path_of(job.id).open("rb") as file:
            work(file)
    except FileNotFoundError:
        _fail(job, "file-gone")
        return False
    except spool.Unusable as error:
        _fail(job, error.code)
        return False
    return True


def _fail(job: Job, code: str) -> None:
    with transaction() as session:
        _step(session, job, state=states.FAILED, error=code, finished_at=clock.now())
        audit.record("people.import_failed", "people_import", job.id, code=code)
    forget_file(job.id)


def forget_file(import_id: uuid.UUID) -> None:
    """Delete the file, and say since when it is gone."""
    spool.forget(import_id)
    with transaction() as session:
        session.execute(
            update(PeopleImport)
            .where(PeopleImport.id == import_id, PeopleImport.file_gone_at.is_(None))
            .values(file_gone_at=clock.now())
        )


# --- the dry run -------------------------------------------------------------------------


def check(job: Job) -> None:
    """Count what a run would do and keep a sample and every refused line; nothing else is
    written. Whom the file spoke of is known to this process only, so a dry run that was
    interrupted begins again."""
    _begin_check(job)
    planner = Planner(job.language, entities())
    counts: Counter[str] = Counter()
    if _read(job, lambda file: _check_file(job, file, planner, counts)):
        absent, source = _foresee_absent(job, planner) if job.is_full else (0, 0)
        foreseen = {name: counts[name] for name in (CREATED, CHANGED, SAME, REFUSED, NO_ADDRESS)}
        foreseen |= {"absent": absent, "source": source}
        with transaction() as session:
            _step(session, job, state=states.CHECKED, total=job.done, foreseen=foreseen)


def _begin_check(job: Job) -> None:
    while True:
        with transaction() as session:
            ids = session.scalars(
                select(PeopleImportLine.id)
                .where(PeopleImportLine.import_id == job.id, PeopleImportLine.phase == CHECK)
                .limit(BATCH)
            ).all()
            session.execute(delete(PeopleImportLine).where(PeopleImportLine.id.in_(ids)))
            if not ids:
                start = {"done": 0, "offset": 0, "at_line": 0, "phase": ENTRIES}
                _step(session, job, **start)
                _moved(job, **start)
                return


def _check_file(job: Job, file: BinaryIO, planner: Planner, counts: Counter[str]) -> None:
    reader = Reader(job.headers, job.mapping)
    for batch in _batches(job, file):
        _refuse_many(batch)
        planned = planner.plan([reader.read(position, record) for position, record in batch])
        planner.note(planned)
        counts[NO_ADDRESS] += sum(p.no_address for p in planned)
        shown = [p for p in planned if _is_shown(p, counts)]
        began, place = clock.monotonic(), _after(batch)
        with transaction() as session:
            _step(session, job, **place)
            _report(session, job, CHECK, [_row(p, _sample(p)) for p in shown])
        _moved(job, **place)
        job.alive()
        _pause(began)


def _refuse_many(batch: Sequence[tuple[int, Record]]) -> None:
    if batch[-1][0] > spool.MOST_LINES:
        raise spool.Unusable("too-many-lines")


def _is_shown(planned: Planned, counts: Counter[str]) -> bool:
    counts[planned.outcome] += 1
    return planned.outcome == REFUSED or counts[planned.outcome] <= SAMPLE


def _sample(planned: Planned) -> dict[str, object]:
    """What the line would write: field → [before, after]."""
    return {
        name: [planned.before.get(name), value]
        for name, value in planned.after.items()
        if value is not None or name in planned.before
    }


def _foresee_absent(job: Job, planner: Planner) -> tuple[int, int]:
    """How many people of the files this one does not speak of, and of how many."""
    absent = source = 0
    last = uuid.UUID(int=0)
    while ids := db.session.scalars(_source().where(Person.id > last).limit(5_000)).all():
        last, source = ids[-1], source + len(ids)
        absent += sum(not planner.seen.has(id_) for id_ in ids)
        job.alive()
    return absent, source


def _source() -> Any:
    """The people whom files know and may propose as gone: present, and no administrator."""
    is_admin = exists().where(RoleGrant.person_id == Person.id, RoleGrant.role == "admin")
    return (
        select(Person.id)
        .join(ImportedPerson, ImportedPerson.person_id == Person.id)
        .where(Person.departed_at.is_(None), ~is_admin)
        .order_by(Person.id)
    )


# --- lines of the report -----------------------------------------------------------------


def _json(values: Mapping[str, object]) -> str | None:
    return json.dumps(values, default=str, ensure_ascii=False) if values else None


def _row(
    planned: Planned, before: Mapping[str, object], digest: str | None = None
) -> dict[str, object]:
    return {
        "position": planned.position, "line": planned.line, "outcome": planned.outcome,
        "field": planned.field, "code": planned.code,
        "value": clean(planned.value or "")[:100] or None, "person_id": planned.person_id,
        "before": _json(before), "digest": digest,
    }  # fmt: skip


def _report(session: Session, job: Job, phase: str, rows: Sequence[dict[str, object]]) -> None:
    if rows:
        table = cast(Table, PeopleImportLine.__table__)
        common = {"import_id": job.id, "phase": phase}
        blank = dict.fromkeys(("field", "code", "value", "person_id", "before", "digest", "undo"))
        session.connection().execute(
            insert(table), [{**blank, **common, "id": new_id(), **row} for row in rows]
        )


# --- the run -----------------------------------------------------------------------------


def run(job: Job) -> None:
    """Bring the people in, then say who manages them, then who is missing."""
    ok = True
    if job.phase == ENTRIES:
        ok = _read(job, lambda file: _run_file(job, file))
        if ok:
            _next_phase(job, MANAGERS, total=job.done)
    if ok and job.phase == MANAGERS:
        ok = "manager" not in job.mapping or _read(job, lambda file: _manage_file(job, file))
        if ok:
            _next_phase(job, ABSENCES)
    if ok:
        if job.is_full:
            _note_absent(job)
        _finish(job)


def _next_phase(job: Job, phase: str, **more: int) -> None:
    start = {"phase": phase, "done": 0, "offset": 0, "at_line": 0, **more}
    with transaction() as session:
        _step(session, job, **start)
    _moved(job, **start)


def _run_file(job: Job, file: BinaryIO) -> None:
    reader = Reader(job.headers, job.mapping)
    planner = Planner(job.language, entities())
    if job.done:
        _recall(job, planner)
    for batch in _batches(job, file):
        _refuse_many(batch)
        entries = [reader.read(position, record) for position, record in batch]
        began = clock.monotonic()
        planner.note(_write(job, planner, entries, _after(batch)))
        job.alive()
        _pause(began)


def _recall(job: Job, planner: Planner) -> None:
    """Whom the lines before this place spoke of, from what was written."""
    line = PeopleImportLine
    rows = db.session.execute(
        select(Person.id, Person.employee_id, Person.email)
        .join(line, line.person_id == Person.id)
        .where(line.import_id == job.id, line.phase == RUN, line.outcome != REFUSED)
        .execution_options(yield_per=5_000)
    )
    for person_id, number, address in rows:
        planner.seen.add(person_id, ("employee_id", number), ("email", address))


def _write(
    job: Job, planner: Planner, entries: list[Entry], place: dict[str, int]
) -> list[Planned]:
    """One batch. Where somebody else takes an address at the same moment, it is decided anew;
    in the end line by line, so that only the lines concerned are refused."""
    for attempt in range(_TRIES):
        try:
            with transaction() as session:
                planned = planner.plan(entries)
                _step(session, job, **place, **_counted(Counter(p.outcome for p in planned)))
                _apply(session, job, planned)
            _moved(job, **place)
            return planned
        except IntegrityError:
            clock.sleep(0.05 * attempt)
    with transaction() as session:
        planned = [_apply_alone(session, job, planner, entry) for entry in entries]
        _step(session, job, **place, **_counted(Counter(p.outcome for p in planned)))
    _moved(job, **place)
    return planned


def _apply_alone(session: Session, job: Job, planner: Planner, entry: Entry) -> Planned:
    try:
        with session.begin_nested():
            (planned,) = planner.plan([entry])
            _apply(session, job, [planned])
    except IntegrityError:
        entry.fault = Fault("", "conflict", entry.employee_id or entry.email)
        (planned,) = planner.plan([entry])
        _apply(session, job, [planned])
    return planned


def _apply(session: Session, job: Job, planned: list[Planned]) -> None:
    """Write a batch: addresses that are given up, new people, changes, and the report."""
    gone = {row.id: row.email for p in planned if p.outcome != REFUSED for row in p.freed}
    bulk_entries.change(session, {id_: {"email": departed_address(id_)} for id_ in gone})
    changed = {p.person_id: p.after for p in planned if p.outcome == CHANGED and p.person_id}
    moved = bulk_entries.change(session, changed)
    bulk_entries.add(
        session, [{"id": p.person_id, **p.after} for p in planned if p.outcome == CREATED]
    )
    known = [p.person_id for p in planned if p.person_id and p.outcome != REFUSED]
    _remember(session, job, known)
    stamps = _stamps(planned)
    rows = [_row(p, _before(p, moved), stamps.get(cast(uuid.UUID, p.person_id))) for p in planned]
    for p in planned:
        if p.outcome != REFUSED:
            rows += [_freed_row(p, row.id, gone[row.id]) for row in p.freed]
    _report(session, job, RUN, rows)


def departed_address(person_id: uuid.UUID) -> str:
    """What stands in for an address that somebody who left has given up."""
    return f"{person_id}@departed.invalid"


def _freed_row(planned: Planned, person_id: uuid.UUID, address: str) -> dict[str, object]:
    freed = replace(planned, outcome=FREED, person_id=person_id)
    return _row(freed, {"email": address})


def _before(planned: Planned, moved: Mapping[uuid.UUID, dt.datetime]) -> dict[str, object]:
    if planned.outcome != CHANGED:
        return {}
    at = moved.get(cast(uuid.UUID, planned.person_id))
    return {"values": planned.before, "moved_at": at.isoformat() if at else None}


def _stamps(planned: Iterable[Planned]) -> dict[uuid.UUID, str]:
    """What the import wrote of each person, as it stands now."""
    new = {p.person_id: stamp(p.after) for p in planned if p.outcome == CREATED and p.person_id}
    rows = bulk_entries.by_id(
        [p.person_id for p in planned if p.outcome == CHANGED and p.person_id]
    )
    return new | {id_: stamp(row._asdict()) for id_, row in rows.items()}


def _remember(session: Session, job: Job, ids: Sequence[uuid.UUID]) -> None:
    """These people are known by file from now on."""
    known = {*session.scalars(
        select(ImportedPerson.person_id).where(ImportedPerson.person_id.in_(ids))
    )}  # fmt: skip
    rows = [{"person_id": id_, "import_id": job.id} for id_ in ids if id_ not in known]
    if rows:
        session.connection().execute(insert(cast(Table, ImportedPerson.__table__)), rows)


# --- managers ----------------------------------------------------------------------------


def _manage_file(job: Job, file: BinaryIO) -> None:
    """Once everybody is there: who manages whom."""
    reader = Reader(job.headers, {"manager": job.mapping["manager"]})
    for batch in _batches(job, file):
        entries = {position: reader.read(position, record) for position, record in batch}
        began, place = clock.monotonic(), _after(batch)
        with transaction() as session:
            _step(session, job, **place)
            _manage(session, job, entries)
        _moved(job, **place)
        job.alive()
        _pause(began)


def _manage(session: Session, job: Job, entries: Mapping[int, Entry]) -> None:
    line = PeopleImportLine
    found = session.execute(
        select(line.position, line.person_id, line.outcome).where(
            line.import_id == job.id, line.phase == RUN,
            line.position.between(min(entries), max(entries)),
            line.outcome.in_((CREATED, CHANGED, SAME)),
        )
    )  # fmt: skip
    people = {p: (id_, outcome) for p, id_, outcome in found if id_ and entries[p].manager}
    numbers = {entries[position].manager for position in people}
    ids = bulk_entries.holders("employee_id", numbers)
    now = bulk_entries.by_id([id_ for id_, _outcome in people.values()])
    managers: dict[uuid.UUID, uuid.UUID | None] = {}
    rows: list[dict[str, object]] = []
    for position, (person_id, _outcome) in people.items():
        entry, manager = entries[position], ids.get(entries[position].manager)
        if manager is None:
            rows.append(_manager_row(entry, NOTE, person_id, code="manager-unknown"))
            continue
        manager = None if manager == person_id else manager
        if now[person_id].manager_id != manager:
            managers[person_id] = manager
            rows.append(_manager_row(entry, MANAGED, person_id, now[person_id].manager_id, manager))
    new = {id_ for id_, outcome in people.values() if outcome == CREATED}
    moved = bulk_entries.set_managers(session, managers, new)
    for row in rows:
        at = moved.get(cast(uuid.UUID, row["person_id"]))
        if row["outcome"] == MANAGED:
            row["before"] = _json({**cast("dict[str, object]", row["before"]),
                                   "moved_at": at.isoformat() if at else None})  # fmt: skip
    _report(session, job, RUN, rows)


def _manager_row(
    entry: Entry,
    outcome: str,
    person_id: uuid.UUID,
    before: uuid.UUID | None = None,
    after: uuid.UUID | None = None,
    code: str | None = None,
) -> dict[str, object]:
    managed = outcome == MANAGED
    return {
        "position": entry.position, "line": entry.line, "outcome": outcome, "field": "manager",
        "code": code, "value": None if managed else entry.manager[:100], "person_id": person_id,
        "before": {"values": {"manager_id": before}} if managed else None,
        "digest": after.hex if after else None,
    }  # fmt: skip


# --- who is missing ----------------------------------------------------------------------


def _note_absent(job: Job) -> None:
    """People whom files know and this one does not speak of: proposed, and nothing more."""
    line = PeopleImportLine
    spoken_of = exists().where(
        line.person_id == Person.id, line.import_id == job.id, line.phase == RUN
    )
    source = select(func.count()).select_from(_source().order_by(None).subquery())
    with transaction() as session:
        _step(session, job, source_count=session.scalar(source) or 0)
    last = uuid.UUID(int=0)
    while True:
        with transaction() as session:
            missing = _source().where(Person.id > last, ~spoken_of).limit(BATCH)
            ids = session.scalars(missing).all()
            if not ids:
                return
            place = {"done": job.done + len(ids)}
            _step(session, job, **place, absent_count=PeopleImport.absent_count + len(ids))
            rows = [
                {
                    "position": job.total + job.done + n,
                    "line": 0,
                    "outcome": ABSENT,
                    "person_id": id_,
                }
                for n, id_ in enumerate(ids, start=1)
            ]
            _report(session, job, RUN, rows)
        last = ids[-1]
        _moved(job, **place)
        job.alive()


def _finish(job: Job) -> None:
    with transaction() as session:
        _step(session, job, state=states.DONE, phase="", finished_at=clock.now())
        row = session.execute(
            select(
                PeopleImport.created_count, PeopleImport.changed_count, PeopleImport.same_count,
                PeopleImport.refused_count, PeopleImport.absent_count,
            ).where(PeopleImport.id == job.id)
        ).one()  # fmt: skip
        audit.record(
            "people.imported", "people_import", job.id, actor_id=job.started_by, created=row[0],
            changed=row[1], same=row[2], refused=row[3], absent=row[4],
        )  # fmt: skip
    job.state = states.DONE
    forget_file(job.id)


# --- departures that somebody confirmed --------------------------------------------------


def let_go(job: Job) -> None:
    """End the access of those whose departure was confirmed, one by one."""
    line = PeopleImportLine
    query = (
        select(line.id, line.person_id)
        .where(line.import_id == job.id, line.phase == RUN, line.outcome == DEPARTING)
        .order_by(line.position)
        .limit(50)
    )
    while rows := db.session.execute(query).all():
        for line_id, person_id in rows:
            _let_go(job, line_id, person_id)
        job.alive()
    with transaction() as session:
        _step(session, job, state=states.DONE)


def _let_go(job: Job, line_id: uuid.UUID, person_id: uuid.UUID | None) -> None:
    with transaction() as session:
        _step(session, job, departed_count=PeopleImport.departed_count + 1)
        try:
            if person_id:
                directory.depart(person_id, actor_id=job.started_by)
        except (NoSuchPerson, LastAdmin):
            _step(session, job, departed_count=PeopleImport.departed_count - 1)
        session.execute(
            update(PeopleImportLine).where(PeopleImportLine.id == line_id).values(outcome=DEPARTED)
        )


# --- undoing -----------------------------------------------------------------------------


def undo(job: Job) -> None:
    """Take the lines back, the last one first, so that every state on the way was one before."""
    if job.phase == MANAGERS:
        _undo_lines(job, (MANAGED,), _undo_managers)
        with transaction() as session:
            start = {"phase": ENTRIES, "done": job.total}
            _step(session, job, **start)
        _moved(job, **start)
    _undo_lines(job, (CREATED, CHANGED, FREED, SAME), _undo_entries)
    with transaction() as session:
        _step(session, job, state=states.UNDONE, phase="", undone_at=clock.now())
        session.execute(delete(ImportedPerson).where(ImportedPerson.import_id == job.id))
        row = session.execute(
            select(PeopleImport.undone_count, PeopleImport.kept_count).where(
                PeopleImport.id == job.id
            )
        ).one()
        audit.record(
            "people.import_undone", "people_import", job.id, actor_id=job.started_by,
            undone=row[0], kept=row[1],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Line:
    """A line to take back: `values` are those before it."""

    id: uuid.UUID
    outcome: str
    person_id: uuid.UUID
    values: dict[str, Any]
    moved_at: dt.datetime | None
    digest: str | None


Verdicts = dict[uuid.UUID, str]
"""What became of each line: 'done', or why it stays."""


def _undo_lines(
    job: Job,
    outcomes: tuple[str, ...],
    take_back: Callable[[Session, Job, list[_Line]], Verdicts],
) -> None:
    """Batches with the borders of the run: between two of them everything fitted together."""
    while job.done > 0:
        first = (job.done - 1) // BATCH * BATCH
        began = clock.monotonic()
        with transaction() as session:
            lines = _lines(session, job, outcomes, first + 1, job.done)
            verdicts = take_back(session, job, lines)
            people = {
                line.id: verdicts[line.id] for line in lines if line.outcome in (CREATED, CHANGED)
            }
            undone = sum(verdict == "done" for verdict in people.values())
            _step(
                session, job, done=first, undone_count=PeopleImport.undone_count + undone,
                kept_count=PeopleImport.kept_count + len(people) - undone,
            )  # fmt: skip
            _say(session, verdicts)
        _moved(job, done=first)
        job.alive()
        _pause(began)


def _lines(
    session: Session, job: Job, outcomes: tuple[str, ...], low: int, high: int
) -> list[_Line]:
    line = PeopleImportLine
    rows = session.execute(
        select(line.id, line.outcome, line.person_id, line.before, line.digest).where(
            line.import_id == job.id, line.phase == RUN, line.position.between(low, high),
            line.outcome.in_([o for o in outcomes if o != SAME]), line.undo.is_(None),
            line.person_id.is_not(None),
        )
    )  # fmt: skip
    return [_line(*row) for row in rows]


def _line(
    id_: uuid.UUID,
    outcome: str,
    person_id: uuid.UUID | None,
    before: str | None,
    digest: str | None,
) -> _Line:
    said = json.loads(before) if before else {}
    values = said if outcome == FREED else said.get("values", {})
    moved_at = said.get("moved_at")
    return _Line(
        id_, outcome, cast(uuid.UUID, person_id), {k: _value(k, v) for k, v in values.items()},
        dt.datetime.fromisoformat(moved_at) if moved_at else None, digest,
    )  # fmt: skip


def _value(name: str, value: Any) -> Any:
    """A value as its column takes it, from JSON."""
    if value is None:
        return None
    if name in ("hired_on", "ends_on"):
        return dt.date.fromisoformat(value)
    return uuid.UUID(value) if name in ("entity_id", "manager_id") else value


def _say(session: Session, verdicts: Verdicts) -> None:
    for verdict in {*verdicts.values()}:
        ids = [id_ for id_, said in verdicts.items() if said == verdict]
        session.execute(
            update(PeopleImportLine).where(PeopleImportLine.id.in_(ids)).values(undo=verdict)
        )


def _undo_managers(session: Session, job: Job, lines: list[_Line]) -> Verdicts:
    now = bulk_entries.by_id([line.person_id for line in lines])
    known = bulk_entries.by_id(
        [line.values["manager_id"] for line in lines if line.values.get("manager_id")]
    )
    verdicts: Verdicts = {}
    back: dict[uuid.UUID, dict[str, object]] = {}
    moved: dict[uuid.UUID, dt.datetime] = {}
    for line in lines:
        row, manager = now.get(line.person_id), line.values.get("manager_id")
        wrote = uuid.UUID(hex=line.digest) if line.digest else None
        if row is None or row.manager_id != wrote or (manager and manager not in known):
            verdicts[line.id] = "since"
            continue
        verdicts[line.id], back[line.person_id] = "done", {"manager_id": manager}
        if line.moved_at:
            moved[line.person_id] = line.moved_at
    bulk_entries.restore(session, back, moved)
    return verdicts


def _undo_entries(session: Session, job: Job, lines: list[_Line]) -> Verdicts:
    now = bulk_entries.by_id([line.person_id for line in lines])
    joined = bulk_entries.joined_since(now.keys(), job.created_at)
    verdicts = {line.id: _verdict(line, now.get(line.person_id), joined) for line in lines}
    _remove_created(session, job, lines, verdicts)
    _refuse_taken(lines, verdicts)
    back = {
        line.person_id: line.values
        for line in lines
        if line.outcome != CREATED and verdicts[line.id] == "done"
    }
    moved = {
        line.person_id: line.moved_at
        for line in lines
        if line.moved_at and verdicts[line.id] == "done"
    }
    bulk_entries.restore(session, back, moved)
    return verdicts


def _verdict(line: _Line, row: Any, joined: set[uuid.UUID]) -> str:
    if row is None or line.person_id in joined:
        return "since"
    if line.outcome == FREED:
        return "done" if row.email == departed_address(line.person_id) else "since"
    return "done" if stamp(row._asdict()) == line.digest else "since"


def _remove_created(session: Session, job: Job, lines: list[_Line], verdicts: Verdicts) -> None:
    new = {
        line.person_id: line.id
        for line in lines
        if line.outcome == CREATED and verdicts[line.id] == "done"
    }
    session.execute(delete(ImportedPerson).where(ImportedPerson.person_id.in_(new.keys())))
    removed = bulk_entries.remove(session, new.keys())
    for person_id, line_id in new.items():
        if person_id not in removed:
            verdicts[line_id] = "spoken-of"


def _refuse_taken(lines: list[_Line], verdicts: Verdicts) -> None:
    """Who cannot have their address or number back, because somebody else holds it and keeps it.
    One who keeps theirs may be in another's way, so it is asked until nobody is added."""
    held = {
        name: bulk_entries.holders(name, {line.values.get(name) for line in lines} - {None})
        for name in ("email", "employee_id")
    }
    while True:
        back = {
            line.person_id: line
            for line in lines
            if line.outcome != CREATED and verdicts[line.id] == "done"
        }
        refused = [line for line in back.values() if _is_taken(line, back, held)]
        for line in refused:
            verdicts[line.id] = "taken"
        if not refused:
            return


def _is_taken(
    line: _Line,
    back: Mapping[uuid.UUID, _Line],
    held: Mapping[str, Mapping[object, uuid.UUID]],
) -> bool:
    for name, holders in held.items():
        holder = holders.get(line.values.get(name))
        if holder is None or holder == line.person_id:
            continue
        if holder not in back or name not in back[holder].values:
            return True
    return False


__all__ = ["ASKED", "PROFILE", "Job", "carry", "departed_address", "forget_file", "load"]
