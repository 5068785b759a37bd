"""Two demos, filled once for all tests here: one in one go, one that was killed twice."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from app import clock, create_app, demo
from app.db import db
from tests.conftest import START, settings_for

SEED = 20_261_122
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Filled:
    """The folders of the two, and on which days the second one was killed: at any moment of the
    first, and when a post left on the second or soon after."""

    whole: Path
    killed: Path
    killed_on: tuple[int, int]


def _start(folder: Path, *dies_on: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.demo.filler", str(folder), *dies_on]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _kill_on(day: int, folder: Path, delay: float) -> None:
    """SIGKILL some moments into one day."""
    process = _start(folder)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"day {day} "):
            break
    clock.sleep(delay)
    process.kill()
    process.wait()
    process.stdout.close()
    assert not demo.is_filled(folder)


def _die_with_a_post(day: int, folder: Path) -> None:
    """SIGKILL as the first post from that day on leaves."""
    process = _start(folder, str(day))
    process.communicate(timeout=800)
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="session")
def filled(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    chance = random.Random(SEED)
    days = (chance.randint(62, 100), chance.randint(120, 145))
    folders = [tmp_path_factory.mktemp(name) for name in ("whole", "killed")]
    for folder in folders:
        shutil.copy(template, folder / "portevoix.db")
    whole = _start(folders[0])
    _kill_on(days[0], folders[1], chance.random() / 2)
    _die_with_a_post(days[1], folders[1])
    for process in (whole, _start(folders[1])):
        process.communicate(timeout=800)
        assert process.returncode == 0
    return Filled(folders[0], folders[1], days)


def opened(folder: Path) -> Iterator[Flask]:
    clock.freeze(START)
    app = create_app(settings_for(folder))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    clock.release()


@pytest.fixture
def halvenne(filled: Filled) -> Iterator[Flask]:
    """The demo that was filled in one go, at the moment it is dated by. Read it only."""
    yield from opened(filled.whole)


@pytest.fixture
def killed_halvenne(filled: Filled) -> Iterator[Flask]:
    """The one that was killed and taken up."""
    yield from opened(filled.killed)
