"""Bringing people in by file: choose, say what the columns are, look, confirm, watch, undo.

Nothing is written to the directory before somebody has seen what it would be. An import makes
directory entries only: no mail, no membership, no points.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.db import db, new_id, transaction
from app.errors import DomainError, InvalidInput, NotFound
from app.people.text import one_line
from app.provisioning.imports import columns, running, spool, states, words
from app.provisioning.imports.columns import Choice
from app.provisioning.imports.lines import head_of
from app.provisioning.imports.models import ImportMapping, PeopleImport, PeopleImportLine
from app.provisioning.imports.running import ABSENT, ASKED, DEPARTING, ENTRIES, MANAGERS, RUN
from app.web import current_settings

UNDO_WITHIN: Final = dt.timedelta(days=30)
KEPT_FOR: Final = dt.timedelta(hours=24)
ASKS_TWICE: Final = 0.10
"""Departures of more than this part of the people known by file are confirmed twice."""


class UnknownImport(NotFound):
    """No such import."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such import."))


class ImportMoved(DomainError):
    """What was asked made sense in an earlier state only."""

    code = "import-moved-on"

    def __init__(self) -> None:
        super().__init__(_l("This import has gone on meanwhile. Look at where it stands now."))


class ImportBusy(DomainError):
    """Another import writes to the directory."""

    code = "import-busy"

    def __init__(self) -> None:
        super().__init__(_l("Another import is under way. Wait until it has ended."))


def unusable(code: str) -> InvalidInput:
    """The file as a whole is no use."""
    return InvalidInput(_l("This file cannot be imported."), {"file": words.fault(code)})


# --- the file and its columns ------------------------------------------------------------


def start_import(source: BinaryIO, origin: str, actor_id: uuid.UUID | None) -> uuid.UUID:
    """Keep a file and look at its first line; the id of its import, in state `MAPPING`.

    `origin` is the file's name. Raises `InvalidInput` on the field `file`.
    """
    import_id = new_id()
    try:
        size = spool.receive(import_id, source)
        return _begin(import_id, size, origin, actor_id)
    except spool.Unusable as error:
        spool.forget(import_id)
        raise unusable(error.code) from error
    except BaseException:
        spool.forget(import_id)
        raise


def _begin(import_id: uuid.UUID, size: int, origin: str, actor_id: uuid.UUID | None) -> uuid.UUID:
    with spool.path_of(import_id).open("rb") as file:
        head = head_of(file)
    if head is None or not any(cell.strip() for cell in head.titles):
        raise spool.Unusable("no-header")
    titles = columns.unique_titles(head.titles)
    key = columns.key_of(titles)
    with transaction() as session:
        known = session.get(ImportMapping, key)
        choice = columns.choose(titles, known.mapping if known else columns.guess(titles))
        session.add(
            PeopleImport(
                id=import_id, origin=one_line(origin)[:200] or "people.csv", started_by=actor_id,
                state=states.MAPPING, separator=head.separator, headers=titles, header_key=key,
                mapping=dict(choice.mapping), ignored_columns=choice.ignored,
                language=current_settings().locale, size=size,
            )
        )  # fmt: skip
        audit.record("people.import_started", "people_import", import_id, actor_id=actor_id)
    return import_id


def _locked(session: Session, import_id: uuid.UUID, *expected: str) -> PeopleImport:
    row = session.get(PeopleImport, import_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise UnknownImport
    if expected and row.state not in expected:
        raise ImportMoved
    return row


def check_choice(titles: list[str], mapping: Mapping[str, object]) -> Choice:
    """The mapping as it will be used. Raises `InvalidInput`, by field where one is at fault."""
    asked = {field: str(title) for field, title in mapping.items() if title}
    choice = columns.choose(titles, asked)
    errors = {
        field: _l("This column is about what must not be kept of people. It is never read.")
        for field, title in asked.items()
        if title in choice.forbidden
    }
    errors |= {
        field: _l("The file has no column “%(column)s”.", column=title)
        for field, title in asked.items()
        if title not in titles
    }
    if choice.missing and not errors:
        errors = {field: words.fault("missing-column") for field in choice.missing}
    if errors:
        raise InvalidInput(_l("Some columns need another look."), errors)
    return choice


def check(
    import_id: uuid.UUID, mapping: Mapping[str, str], *, is_full: bool, actor_id: uuid.UUID | None
) -> None:
    """Take the columns as chosen, remember them for files with the same titles, and have the dry
    run begin. Raises `InvalidInput` by field, `UnknownImport`, `ImportMoved`."""
    with transaction() as session:
        row = _locked(session, import_id, states.MAPPING, states.CHECKED)
        choice = check_choice(row.headers, mapping)
        row.mapping, row.ignored_columns = dict(choice.mapping), choice.ignored
        row.is_full, row.foreseen = is_full, None
        _ask(row, states.CHECKING, ENTRIES, 0)
        known = session.get(ImportMapping, row.header_key)
        if known is None:
            session.add(ImportMapping(header_key=row.header_key, mapping=dict(choice.mapping)))
        else:
            known.mapping, known.updated_at = dict(choice.mapping), clock.now()
        audit.record(
            "people.import_checked", "people_import", import_id, actor_id=actor_id, full=is_full
        )


def _ask(row: PeopleImport, state: str, phase: str, done: int) -> None:
    """Have a worker carry the import on from the beginning of a phase."""
    row.state, row.phase = state, phase
    row.done, row.offset, row.at_line = done, 0, 0
    outbox.record(ASKED, import_id=str(row.id))


def choose_again(import_id: uuid.UUID) -> None:
    """Back to the columns, before anything is written."""
    with transaction() as session:
        row = _locked(session, import_id, states.MAPPING, states.CHECKED)
        row.state = states.MAPPING


# --- the run -----------------------------------------------------------------------------


def _refuse_beside_another(session: Session, import_id: uuid.UUID) -> None:
    writes = (states.RUNNING, states.UNDOING, states.DEPARTING)
    other = select(PeopleImport.id).where(
        PeopleImport.state.in_(writes), PeopleImport.id != import_id
    )
    if session.execute(other.limit(1)).first() is not None:
        raise ImportBusy


def confirm(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Let what was seen be done. Confirming twice is confirming once.

    Raises `UnknownImport`, `ImportMoved`, `ImportBusy`.
    """
    with transaction() as session:
        row = _locked(session, import_id, states.CHECKED, states.RUNNING)
        if row.state == states.RUNNING:
            return
        _refuse_beside_another(session, import_id)
        _ask(row, states.RUNNING, ENTRIES, 0)
        audit.record("people.import_confirmed", "people_import", import_id, actor_id=actor_id)


def cancel(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Stop here: what is written stays and can be undone, the rest of the file is not read.
    Twice is once. Raises `UnknownImport`, `ImportMoved`."""
    with transaction() as session:
        row = _locked(session, import_id)
        if row.state == states.CANCELLED:
            return
        if row.state not in (*states.OPEN, states.RUNNING):
            raise ImportMoved
        if row.state == states.RUNNING and row.phase == ENTRIES:
            row.total = row.done
        row.state, row.finished_at = states.CANCELLED, clock.now()
        audit.record("people.import_cancelled", "people_import", import_id, actor_id=actor_id)
    running.forget_file(import_id)


def resume(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Ask the workers to go on with an import that nobody carries any more."""
    with transaction() as session:
        _locked(session, import_id, *states.AT_WORK)
        outbox.record(ASKED, import_id=str(import_id))
        audit.record("people.import_resumed", "people_import", import_id, actor_id=actor_id)


def can_undo(state: str, created_at: dt.datetime, written: int) -> bool:
    """Whether what an import wrote can still be taken back."""
    ended = state in (states.DONE, states.CANCELLED, states.FAILED)
    return ended and written > 0 and clock.now() - created_at < UNDO_WITHIN


def undo(import_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Take back what an import wrote, as far as nobody concerned joined or changed since.

    Raises `UnknownImport`, `ImportMoved` (also after thirty days), `ImportBusy`.
    """
    with transaction() as session:
        row = _locked(session, import_id)
        if row.state == states.UNDOING:
            return
        if not can_undo(row.state, row.created_at, row.created_count + row.changed_count):
            raise ImportMoved
        _refuse_beside_another(session, import_id)
        _ask(row, states.UNDOING, MANAGERS, row.total)
        audit.record("people.import_undo_asked", "people_import", import_id, actor_id=actor_id)


# --- departures --------------------------------------------------------------------------


def confirm_departures(
    import_id: uuid.UUID,
    line_ids: Collection[uuid.UUID] | None,
    *,
    is_sure: bool,
    actor_id: uuid.UUID | None,
) -> int:
    """End the access of people whom a full file did not speak of: those named, or all; how many.

    Raises `InvalidInput` on `sure` where more than a tenth of the people known by file would go
    and nobody said twice that they should; `UnknownImport`, `ImportMoved`, `ImportBusy`.
    """
    line = PeopleImportLine
    proposed = (line.import_id == import_id) & (line.phase == RUN) & (line.outcome == ABSENT)
    with transaction() as session:
        row = _locked(session, import_id, states.DONE)
        _refuse_beside_another(session, import_id)
        if line_ids is not None:
            proposed &= line.id.in_(line_ids)
        ids = session.scalars(select(line.id).where(proposed)).all()
        if len(ids) + row.departed_count > ASKS_TWICE * row.source_count and not is_sure:
            raise InvalidInput(
                _l("Please check the list."),
                {"sure": _l("This is more than a tenth of the people known by file. Confirm it twice.")},
            )  # fmt: skip
        if ids:
            session.execute(
                update(line).where(proposed).values(outcome=DEPARTING)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
            _ask(row, states.DEPARTING, "", 0)
            audit.record(
                "people.import_departures", "people_import", import_id, actor_id=actor_id,
                people=len(ids),
            )  # fmt: skip
    return len(ids)


# --- for the console ---------------------------------------------------------------------


def import_now(
    file: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    is_full: bool = False,
    dry_run: bool = False,
    actor_id: uuid.UUID | None = None,
    tell: Callable[[running.Job], None] | None = None,
) -> uuid.UUID:
    """Read a file here and now, by the same steps as the pages; the id of its import.

    `mapping` is field → title and goes before what is guessed. Raises `InvalidInput` where the
    file or its columns cannot be used, `ImportBusy`.
    """
    with file.open("rb") as source:
        import_id = start_import(source, file.name, actor_id)
    try:
        _columns_now(import_id, mapping or {}, is_full, actor_id)
        _carry_now(import_id, tell)
        if dry_run:
            cancel(import_id, actor_id)
        else:
            confirm(import_id, actor_id)
            _carry_now(import_id, tell)
    except BaseException:
        with suppress(DomainError):
            cancel(import_id, actor_id)
        raise
    db.session.rollback()
    return import_id


def _columns_now(
    import_id: uuid.UUID, mapping: Mapping[str, str], is_full: bool, actor_id: uuid.UUID | None
) -> None:
    row = db.session.get_one(PeopleImport, import_id)
    guessed = {f: str(t) for f, t in row.mapping.items() if t not in mapping.values()}
    check(import_id, {**guessed, **mapping}, is_full=is_full, actor_id=actor_id)


def _carry_now(import_id: uuid.UUID, tell: Callable[[running.Job], None] | None) -> None:
    running.carry(import_id, tell)
    db.session.rollback()
    row = db.session.get_one(PeopleImport, import_id, populate_existing=True)
    if row.state == states.FAILED:
        raise unusable(row.error or "")


# --- forgetting --------------------------------------------------------------------------


def forget_files() -> None:
    """Files that were kept for a day, and drafts of those that never arrived."""
    limit = clock.now() - KEPT_FOR
    rows = select(PeopleImport.id, PeopleImport.state, PeopleImport.created_at).where(
        PeopleImport.created_at < limit, PeopleImport.file_gone_at.is_(None)
    )
    for import_id, state, created_at in db.session.execute(rows).all():
        if state in states.OPEN:
            _expire(import_id)
        if state != states.RUNNING or created_at < limit - KEPT_FOR:
            running.forget_file(import_id)
    for draft in spool.old_files(limit.timestamp()):
        if draft.name.startswith("draft-"):
            draft.unlink(missing_ok=True)


def _expire(import_id: uuid.UUID) -> None:
    with transaction() as session:
        session.execute(
            update(PeopleImport)
            .where(PeopleImport.id == import_id, PeopleImport.state.in_(states.OPEN))
            .values(state=states.FAILED, error="file-gone", finished_at=clock.now())
        )
