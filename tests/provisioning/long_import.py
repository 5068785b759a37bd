"""A large organisation brought in by the console, while somebody uses the site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from app import clock, create_app, migrating
from app.config import Settings
from app.db import db
from app.people import directory, service, tallies
from app.people.models import Person
from app.people.sessions import KEY
from app.provisioning.imports import queries, running
from app.provisioning.imports import service as imports
from app.settings import save_organisation
from tests.provisioning.crowd import write_file

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds, MiB, and how long a page and a write took meanwhile (the slowest, seconds)."""

    people: int
    seconds: float
    again_seconds: float
    undo_seconds: float
    mebibytes: int
    pages: int
    slowest_page: float
    slowest_write: float

    def __str__(self) -> str:
        return (
            f"{self.people} people in {self.seconds:.0f} s (dry run and run), again in "
            f"{self.again_seconds:.0f} s, undone in {self.undo_seconds:.0f} s, "
            f"{self.mebibytes} MiB at most; meanwhile {self.pages} pages, the slowest "
            f"{self.slowest_page * 1000:.0f} ms, the slowest write {self.slowest_write * 1000:.0f} ms"
        )


def bring(settings: Settings, variables: dict[str, str], people: int, seed: int) -> Told:
    """Import `people`, import them again (nothing changes), undo it all; raises where it differs."""
    file = settings.data_dir / "crowd.csv"
    write_file(file, people, seed)
    app = create_app(settings)
    clock.release()
    with app.app_context():
        migrating.upgrade()
        save_organisation(name="Halvenne", brand="#00664a", privacy_contact="v@halvenne.example")
        admin = directory.add_person(
            kind="employee", name="Ada Min", email="ada@halvenne.example", roles=["admin"]
        ).id
        token = service.start_login(admin, "", "password").token
        db.session.remove()
    client = app.test_client()
    with client.session_transaction() as session:
        session[KEY] = token
    pages: list[float] = []
    writes: list[float] = []

    def use() -> None:
        for path in ("/studio/people", "/studio/people/imports"):
            began = time.monotonic()
            assert client.get(path).status_code == 200
            pages.append(time.monotonic() - began)
        began = time.monotonic()
        with app.app_context():
            directory.set_language(admin, ("fr", "en")[len(writes) % 2])
        writes.append(time.monotonic() - began)

    seconds, most, report = _console(file, variables, use)
    assert (report["created"], report["refused"], report["ignored_columns"]) == (
        people, 0, ["Date de naissance"],
    )  # fmt: skip
    again_seconds, most_again, again = _console(file, variables, use)
    assert (again["same"], again["created"], again["changed"]) == (people, 0, 0)
    with app.app_context():
        assert tallies.count_everybody() == people + 1
        undo_seconds = _undo(report["import"])
        left = db.session.scalar(select(func.count()).select_from(Person))
        assert (left, tallies.count_everybody()) == (1, 1), left
        db.session.remove()
        db.engine.dispose()
    return Told(
        people, seconds, again_seconds, undo_seconds, max(most, most_again) // 1024, len(pages),
        max(pages), max(writes),
    )  # fmt: skip


def _undo(import_id: str) -> float:
    import uuid

    began = time.monotonic()
    imports.undo(uuid.UUID(import_id), None)
    running.carry(uuid.UUID(import_id))
    row = queries.get_import(uuid.UUID(import_id))
    assert (row.undone_count, row.kept_count) == (row.created_count, 0)
    return time.monotonic() - began


def _console(file: Path, variables: dict[str, str], meanwhile: object) -> tuple[float, int, dict]:
    """The command in a process of its own: seconds, most KiB of memory, its report."""
    began = time.monotonic()
    command = [sys.executable, "-m", "app.cli", "people", "import", str(file), "--json"]
    out = file.with_suffix(".json")
    with out.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, stdout=said,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        most = 0
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            meanwhile()
            time.sleep(0.3)
    assert process.returncode == 0, (process.returncode, out.read_text()[:2_000])
    return time.monotonic() - began, most, json.loads(out.read_text())


def _memory(pid: int) -> int:
    """The most memory that was resident, in KiB."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except FileNotFoundError:
        pass
    return 0
