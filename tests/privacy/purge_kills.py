"""The purge, killed as often as wanted, ends as one that nobody touched (Shows 6).

A loaded base is copied; one copy is purged in one go, others by processes that are killed at
seeded steps until enough of them died. Each copy that came to its end is compared with the first,
table by table. Numbers that the purge itself draws (of an entry of the audit trail, of a fact)
differ from run to run: they are compared as "some number".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import random
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import inspect, text

from app import clock, create_app, ledger
from app.charters import proofs
from app.db import db
from app.privacy import purge
from app.privacy.purge_rules import FILE_RULES, RULES
from app.rights import listing
from tests.conftest import settings_for
from tests.postgres import Server
from tests.privacy import purge_run

SIX_YEARS = dt.timedelta(days=6 * 365 + 2)
_NUMBER = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

State = dict[str, str]
"""A digest for each table, and for the files."""


@dataclass
class Report:
    """What was done. `whole` counts copies that were killed, came to their end and compared."""

    rows: int = 0
    tables: int = 0
    overdue: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0
    kills: list[int] = field(default_factory=list)
    whole: int = 0

    def __str__(self) -> str:
        return (
            f"{self.rows} rows in {self.tables} tables, six years later {sum(self.overdue.values())} "
            f"overdue under {len(self.overdue)} rules; one run of {self.seconds:.1f} s and "
            f"{self.steps} steps left none, a second changed nothing; {len(self.kills)} kills at "
            f"steps {self.kills}, {self.whole} copies brought to their end: the same, table by table"
        )


@dataclass
class Place:
    """A base and the copies that are made of it. The base is left as it is."""

    folder: Path
    url: str
    server: Server | None
    at: dt.datetime
    batch: int
    copies: int = 0

    def copy(self) -> Copy:
        """Another installation with the same database and the same files."""
        self.copies += 1
        folder = self.folder.with_name(f"copy-{self.copies}")
        shutil.copytree(self.folder, folder)
        url = self.url
        if self.server is not None:
            url = self.server.create(f"copy_{self.copies}", self.url.split("/")[3].split("?")[0])
        return Copy(self, folder, url)


@dataclass
class Copy:
    """One of them."""

    place: Place
    folder: Path
    url: str

    def purge(self, fatal: int = 0) -> dict[str, Any] | None:
        """Purge it in a process that dies at a step; what it reports, None when it died."""
        told = self.folder / "told.json"
        child = os.fork()
        if child == 0:
            purge_run.carry_out(self.folder, self.url, self.place.at, self.place.batch, fatal, told)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return None
        assert status == 0, f"the purge ended with {status}"
        found: dict[str, Any] = json.loads(told.read_text())
        return found

    @contextlib.contextmanager
    def open(self) -> Iterator[Flask]:
        """Its database, in this process, at the moment of the purge."""
        app = create_app(
            settings_for(self.folder, **({"DATABASE_URL": self.url} if self.url else {}))
        )
        with app.app_context():
            clock.freeze(self.place.at)
            yield app
            db.session.remove()
            db.engine.dispose()

    def remove(self) -> None:
        """Its files and its database."""
        shutil.rmtree(self.folder)
        if self.place.server is not None:
            self.place.server.drop(f"copy_{self.folder.name.removeprefix('copy-')}")


def numbers() -> frozenset[str]:
    """Every number that stands in a table."""
    found: set[str] = set()
    for rows in _tables().values():
        for line in rows:
            found.update(_NUMBER.findall(line))
    return frozenset(found)


def state(folder: Path, known: frozenset[str]) -> State:
    """A digest of each table and of the files, where numbers that were not `known` are alike."""

    def alike(line: str) -> str:
        return _NUMBER.sub(lambda one: one[0] if one[0] in known else "*", line)

    found = {name: _digest(sorted(map(alike, rows))) for name, rows in _tables().items()}
    mails = sorted(path.name for path in (folder / "mail").glob("*.eml"))
    listed = {(one.kind, str(one.subject_id)) for one in listing.read(folder / listing.NAME)}
    return found | {"(mails)": _digest(mails), "(erased)": _digest(sorted(map(str, listed)))}


def _tables() -> dict[str, list[str]]:
    db.session.rollback()
    return {
        name: [str(tuple(row)) for row in db.session.execute(text(f'select * from "{name}"'))]
        for name in sorted(inspect(db.engine).get_table_names())
    }


def _digest(lines: list[str]) -> str:
    return f"{len(lines)} rows, {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:16]}"


def check(place: Place, seed: int, kills: int) -> Report:
    """Purge copies of a base, one in one go and some killed; raises where they differ."""
    report = Report()
    known, whole = _undisturbed(place, report)
    chance, copy = random.Random(seed), place.copy()
    while len(report.kills) < kills:
        fatal = chance.randint(1, max(report.steps * 2 // kills, 2))
        if copy.purge(fatal) is None:
            report.kills.append(fatal)
        else:
            copy = _compare(copy, known, whole, report)
    while copy.purge() is None:
        pass
    _compare(copy, known, whole, report).remove()
    return report


def _undisturbed(place: Place, report: Report) -> tuple[frozenset[str], State]:
    copy = place.copy()
    with copy.open():
        tables = _tables()
        report.rows, report.tables = sum(map(len, tables.values())), len(tables)
        report.overdue = _overdue()
        known = numbers()
        assert min(report.overdue.values()) > 0, f"nothing to forget: {report.overdue}"
    told = copy.purge()
    assert told is not None
    report.seconds, report.steps = told["seconds"], told["steps"]
    with copy.open():
        left = _overdue()
        assert not any(left.values()), f"still overdue: {left}"
        found = state(copy.folder, known)
        again = purge.run()
        assert not any(again.values()), again
        assert state(copy.folder, known) == found, "a second run changed something"
        _verify()
    copy.remove()
    return known, found


def _overdue() -> dict[str, int]:
    return {rule.key: purge.overdue(rule, clock.now()) for rule in (*RULES, *FILE_RULES)}


def _verify() -> None:
    assert ledger.verify().ok
    assert proofs.verify().ok, proofs.verify()


def _compare(copy: Copy, known: frozenset[str], whole: State, report: Report) -> Copy:
    """Compare a copy that came to its end; the next copy."""
    with copy.open():
        found = state(copy.folder, known)
        _verify()
    wrong = {name: (whole.get(name), found.get(name)) for name in whole | found
             if whole.get(name) != found.get(name)}  # fmt: skip
    assert not wrong, f"killed at {report.kills}: {wrong}"
    report.whole += 1
    copy.remove()
    return copy.place.copy()
