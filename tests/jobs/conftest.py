"""A queue server and databases that are real, a product that is tiny."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis

from app import clock
from app.config import Settings
from app.db import db
from app.jobs import worker
from app.jobs.queue import DeliveryQueue, connect
from app.supervisor import processes, queue_server
from tests.jobs import tiny

Start = Callable[[], int]


@dataclass
class Server:
    """A queue server of the tests."""

    process: subprocess.Popen[bytes]
    url: str
    path: Path


def start_server(folder: Path, data: Path) -> Server:
    """Started as `up` starts it."""
    data.mkdir(exist_ok=True)
    (data / queue_server.FOLDER).mkdir(exist_ok=True)
    path = queue_server.socket_in(folder)
    process = subprocess.Popen(
        queue_server.command(queue_server.find(), path, data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = clock.monotonic() + 10
    while not queue_server.answers(path):
        assert clock.monotonic() < deadline, "the queue server does not answer"
        clock.sleep(0.01)
    return Server(process, f"unix://{path}", path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A queue server for one test."""
    folder = queue_server.runtime_folder()
    running = start_server(folder, tmp_path / "queue-data")
    yield running
    running.process.kill()
    running.process.wait()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh installation, on each database in turn."""
    env = {"PORTEVOIX_RELAY_RESEND_SECONDS": "2"}
    if request.param == "sqlite":
        yield tiny.settings_in(tmp_path / "data", **env)
        return
    databases = request.getfixturevalue("postgres_server")
    name = f"jobs_{uuid.uuid4().hex}"
    url = databases.create(name)
    yield tiny.settings_in(tmp_path / "data", PORTEVOIX_DATABASE_URL=url, **env)
    databases.drop(name)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The tiny product with its tables, outside any context."""
    made = tiny.create(settings)
    tiny.prepare(made)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """The tiny product, inside its context."""
    with app.app_context():
        yield app


@pytest.fixture
def client(server: Server) -> Iterator[Redis]:
    made = connect(server.url)
    yield made
    made.close()


@pytest.fixture
def queue(client: Redis) -> DeliveryQueue:
    return DeliveryQueue(connection=client)


@pytest.fixture
def start(app: Flask, server: Server) -> Iterator[Start]:
    """Start a worker in a process of its own; its pid."""
    started: list[int] = []

    def begin() -> int:
        with app.app_context():
            db.engine.dispose()
        started.append(processes.fork("worker", lambda: worker.run(app, server.url)))
        return started[-1]

    yield begin
    for pid in started:
        processes.end_session(pid)
        processes.take_leave(pid)


@pytest.fixture(autouse=True)
def running_clock() -> Iterator[None]:
    yield
    clock.release()
