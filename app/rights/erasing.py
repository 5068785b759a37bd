"""Erasing a subject: every declaration of `personal_data` at once, or none.

The rows that name somebody are emptied or deleted in one transaction; the ledger is not touched
at all, so it stays whole and balanced (rules E2, E3). The subject's number goes on the erasure
list before the transaction ends: a power cut may leave somebody on the list whose erasure did
not take effect, and the next start then finishes what they had asked for; the opposite cannot
happen.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from flask import current_app
from sqlalchemy import inspect, select
from sqlalchemy.exc import OperationalError

from app import audit, clock, outbox, personal_data
from app.config import Settings
from app.db import after_commit, before_commit, db, transaction
from app.personal_data import Subject
from app.rights import listing
from app.rights.listing import Entry
from app.rights.models import Erasure

log = logging.getLogger(__name__)

SELF, ADMIN, API, SCIM = "self", "admin", "api", "scim"
CANDIDATE_PAGE, TIME, LIST = "candidate", "time", "list"
BUSY_MS: Final = 1_000
COPIES_KEPT: Final = dt.timedelta(days=7)
_COPY: Final = ".before-restore-"


class JournalBusy(Exception):
    """Somebody reads an older state, so the journal cannot be emptied yet: tried again."""


def _settings() -> Settings:
    return cast(Settings, current_app.extensions["portevoix"])


def list_file(settings: Settings) -> Path:
    """Where the erasure list lies."""
    return settings.data_dir / listing.NAME


def erase(
    kind: str, subject_id: uuid.UUID, *, asked_by: str, actor_id: uuid.UUID | None = None
) -> bool:
    """Erase one subject everywhere, at once. False where there is nobody to erase (any more).

    Joins an open transaction. What a declaration raises undoes everything.
    """
    with transaction() as session:
        subject = personal_data.identify(session, kind, subject_id, asked_by=asked_by)
        if subject is None:
            return False
        personal_data.erase_all(session, subject)
        _note(subject, asked_by, actor_id)
    return True


def _note(subject: Subject, asked_by: str, actor_id: uuid.UUID | None) -> None:
    session, now = db.session(), clock.now()
    known = session.scalar(
        select(Erasure).where(Erasure.kind == subject.kind, Erasure.subject_id == subject.id)
    )
    if known is None:
        session.add(
            Erasure(kind=subject.kind, subject_id=subject.id, erased_at=now, asked_by=asked_by)
        )
    audit.record(
        f"{subject.kind}.erased", subject.kind, subject.id, actor_id=actor_id, asked_by=asked_by
    )
    told: dict[str, str | int | bool | None] = {f"{subject.kind}_id": str(subject.id)}
    outbox.record_each(f"{subject.kind}.erased", [told])
    if asked_by != LIST:
        file, entry = list_file(_settings()), Entry(subject.kind, subject.id, now)
        before_commit(lambda: listing.add(file, [entry]))
    after_commit(_sweep_quietly)


# --- what deleting leaves behind ---------------------------------------------------------


def _sweep_quietly() -> None:
    """At once where nobody stands in the way; else the fact's handler does it (`handlers`)."""
    with contextlib.suppress(JournalBusy, OSError, OperationalError):
        sweep()


def sweep() -> None:
    """Leave no trace beside the tables: the database's journal is written back and cut to
    nothing. Raises `JournalBusy`.

    SQLite overwrites what is deleted with zeros (`secure_delete`, see `app.db`), so what is
    no longer in a table is no longer in the file either; its journal would keep the older
    pages until they happen to be overwritten.
    """
    if not _settings().is_sqlite:
        return
    with db.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        if driver is None:
            return
        cursor = driver.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            answer = cursor.fetchone()
        finally:
            cursor.execute("PRAGMA busy_timeout=15000")
            cursor.close()
    if answer is None or answer[0]:
        raise JournalBusy


def forget_copies() -> int:
    """Remove what `restore` put aside more than a week ago: it holds people as they were; how
    many. Put back by hand before that, it is brought in line with the list at the next start."""
    limit, gone = clock.now() - COPIES_KEPT, 0
    for path in _settings().data_dir.glob(f"*{_COPY}*"):
        stamp = path.name.split(_COPY, 1)[1][:15]
        with contextlib.suppress(ValueError):
            put_aside = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)
            if put_aside < limit:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                gone += 1
    return gone


# --- after a restore ---------------------------------------------------------------------


def _erase_again(entry: Entry) -> bool:
    """Whether there was somebody to erase; who never was in this database is only noted."""
    if erase(entry.kind, entry.subject_id, asked_by=LIST):
        return True
    with transaction() as session:
        session.add(
            Erasure(
                kind=entry.kind,
                subject_id=entry.subject_id,
                erased_at=entry.erased_at,
                asked_by=LIST,
            )
        )
    return False


def _noted() -> dict[tuple[str, uuid.UUID], Entry]:
    """What this database knows to be erased."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table(Erasure.__tablename__):
            return {}
        columns = (Erasure.kind, Erasure.subject_id, Erasure.erased_at)
        rows = connection.execute(select(*columns)).all()
    return {(row.kind, row.subject_id): Entry(*row) for row in rows}


def reapply(also: Iterable[Path] = ()) -> int:
    """Erase again whoever is on the list and back in the database; how many. `also`: copies of
    the list from elsewhere, which are taken over. Done after a restore and at every start.

    Raises `ValueError` for a list that cannot be read.
    """
    file = list_file(_settings())
    known = {(entry.kind, entry.subject_id): entry for entry in listing.read(file)}
    found = dict(known)
    for other in also:
        found |= {(entry.kind, entry.subject_id): entry for entry in listing.read(other)}
    noted = _noted()
    found |= {key: entry for key, entry in noted.items() if key not in found}
    listing.add(file, [entry for key, entry in found.items() if key not in known])
    missing = [entry for key, entry in found.items() if key not in noted]
    done = [e for e in missing if _erase_again(e)]
    if done:
        log.info("%d erased again after a restore", len(done))
    return len(done)
