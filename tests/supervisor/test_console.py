"""The console: words, statuses, and what each command does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, select, text

import app as package
from app import clock, crypto, migrating
from app.cli import COMMANDS, main
from app.cli.keys import rotate_all
from app.db import Encrypted, db, transaction
from app.outbox import service
from app.supervisor import lock
from tests.jobs import tiny

Run = Callable[..., Result]
SECRETS = ("a-secret-key-of-the-tests", "mail-secret", "oidc-secret")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command on the tiny product; keywords become PORTEVOIX_ variables."""
    monkeypatch.setattr(package, "create_app", tiny.create)
    monkeypatch.setattr(migrating, "heads", lambda: set())

    def call(*words: str, **variables: str) -> Result:
        env = {f"PORTEVOIX_{name}": value for name, value in variables.items()}
        return CliRunner().invoke(main, words, env={"PORTEVOIX_DATA_DIR": str(data), **env})

    yield call
    clock.release()


@pytest.fixture
def house(data: Path) -> Iterator[Flask]:
    """The installation that the commands find."""
    made = tiny.create(tiny.settings_in(data))
    tiny.prepare(made)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


def facts_of(made: Flask) -> set[int]:
    with made.app_context():
        found = tiny.facts()
        db.session.remove()
        db.engine.dispose()
        return found


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS), ("keys", "rotate")])
def test_every_command_has_help(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 60


def test_a_wrong_word_ends_with_2(run: Run) -> None:
    assert run("dance").exit_code == 2
    assert run("outbox", "status", "--loud").exit_code == 2


def test_a_wrong_setting_names_its_variable_and_ends_with_2(run: Run) -> None:
    result = run("outbox", "status", LOCALE="de")
    assert result.exit_code == 2
    assert result.stderr.startswith("PORTEVOIX_LOCALE: ")
    assert "Traceback" not in result.output


def test_a_part_alone_asks_for_a_queue_server(run: Run) -> None:
    for part in ("worker", "scheduler", "web"):
        result = run(part)
        assert result.exit_code == 2
        assert result.stderr.startswith("PORTEVOIX_REDIS_URL: ")


def test_a_database_without_tables_is_said_in_words(run: Run) -> None:
    result = run("outbox", "status")
    assert result.exit_code == 1
    assert "the database cannot be used" in result.stderr


def test_the_console_answers_quickly_because_it_imports_late() -> None:
    code = "import sys, app.cli; print('sqlalchemy' in sys.modules, 'rq' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_outbox_status_counts(run: Run, house: Flask) -> None:
    with house.app_context():
        tiny.promise(1)
    result = run("outbox", "status")
    assert result.exit_code == 0
    assert re.search(r"^pending +2$", result.output, re.MULTILINE)
    assert "nothing runs here" in result.output


def test_doctor_is_content_with_a_fresh_installation(run: Run, house: Flask) -> None:
    result = run("doctor")
    assert "broken" not in result.output.replace("broken  schedule", "")
    for what in ("database", "queue", "data folder", "clock", "mail", "fonts", "keys", "pictures"):
        assert what in result.output


def test_doctor_finds_what_is_broken_and_tells_no_secret(run: Run, house: Flask) -> None:
    result = run(
        "doctor",
        SECRET_KEY=SECRETS[0],
        SMTP_URL=f"smtp://someone:{SECRETS[1]}@127.0.0.1:1",
        REDIS_URL=f"redis://someone:{SECRETS[1]}@127.0.0.1:1/0",
        OIDC_ISSUER="https://id.example",
        OIDC_CLIENT_ID="portevoix",
        OIDC_CLIENT_SECRET=SECRETS[2],
    )
    assert result.exit_code == 1
    assert re.search(r"^broken +mail +127.0.0.1:1", result.output, re.MULTILINE)
    assert re.search(r"^broken +queue", result.output, re.MULTILINE)
    assert re.search(r"^broken +sign-in +id.example", result.output, re.MULTILINE)
    assert not [secret for secret in SECRETS if secret in result.output]


def test_doctor_tells_no_password_of_a_database(run: Run) -> None:
    url = f"postgresql://someone:{SECRETS[0]}@127.0.0.1:1/portevoix?password={SECRETS[1]}"
    result = run("doctor", DATABASE_URL=url)
    assert result.exit_code == 1
    assert re.search(r"^broken +database", result.output, re.MULTILINE)
    assert not [secret for secret in SECRETS if secret in result.output]


def test_keys_are_rotated_row_by_row_and_the_old_one_can_go(house: Flask) -> None:
    tables = MetaData()
    secret = Table(
        "tiny_secret", tables, Column("id", Integer, primary_key=True), Column("word", Encrypted)
    )
    old, new = "the-old-key-of-the-tests", "the-new-key-of-the-tests"
    with house.app_context():
        tables.create_all(db.engine)
        crypto.start((old,))
        with transaction() as session:
            session.execute(secret.insert(), [{"id": n, "word": f"word {n}"} for n in range(5)])
            session.execute(secret.insert(), [{"id": 9, "word": None}])
        crypto.start((new, old))
        (count,) = rotate_all(tables)
        assert (count.rewritten, count.unreadable) == (5, 0)
        crypto.start((new,))
        words = db.session.scalars(select(secret.c.word).order_by(secret.c.id)).all()
        assert words == [*(f"word {n}" for n in range(5)), None]
        crypto.start(("a-key-that-knows-nothing",))
        (count,) = rotate_all(tables)
        assert (count.rewritten, count.unreadable) == (0, 5)


# Backup and restore


def put_media(data: Path, name: str, words: str) -> None:
    (data / "media" / name).parent.mkdir(parents=True, exist_ok=True)
    (data / "media" / name).write_text(words)


def test_a_backup_brings_everything_back_but_holds_no_key(
    run: Run, house: Flask, data: Path, tmp_path: Path
) -> None:
    with house.app_context():
        tiny.promise(1)
    put_media(data, "a/one.webp", "one")
    file = tmp_path / "backup.tar"
    result = run("backup", str(file))
    assert result.exit_code == 0, result.output
    with tarfile.open(file) as tar:
        names = tar.getnames()
    assert not [name for name in names if "key" in name or "secret" in name]
    assert file.stat().st_mode & 0o077 == 0

    with house.app_context():
        tiny.promise(2)
        db.session.remove()
        db.engine.dispose()
    put_media(data, "a/two.webp", "two")
    result = run("restore", str(file))
    assert result.exit_code == 0, result.output
    assert facts_of(house) == {1}
    assert [p.name for p in (data / "media").rglob("*.webp")] == ["one.webp"]
    kept = sorted(p.name for p in data.glob("*before-restore*"))
    assert [name.split(".before")[0] for name in kept] == ["media", "portevoix.db"]


def test_a_backup_holds_pictures_wherever_they_are_kept(
    run: Run, house: Flask, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a disk" / "é"
    url = f"file://{quote(str(folder))}"
    folder.mkdir(parents=True)
    (folder / "one.webp").write_text("one")
    file = tmp_path / "backup.tar"
    assert run("backup", str(file), MEDIA_URL=url).exit_code == 0
    with tarfile.open(file) as tar:
        assert "media/one.webp" in tar.getnames()
    (folder / "one.webp").unlink()
    result = run("restore", str(file), MEDIA_URL=url)
    assert result.exit_code == 0, result.output
    assert (folder / "one.webp").read_text() == "one"


def test_a_backup_of_a_running_product_is_one_moment(
    run: Run, house: Flask, data: Path, tmp_path: Path
) -> None:
    """While somebody writes: each fact with its deliveries, or neither."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        with house.app_context():
            while not stop.is_set():
                tiny.promise(number)
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        clock.sleep(0.3)
        assert run("backup", str(tmp_path / "backup.tar")).exit_code == 0
    finally:
        stop.set()
        writer.join()
    with house.app_context():
        db.engine.dispose()
    assert run("restore", str(tmp_path / "backup.tar")).exit_code == 0
    with house.app_context():
        count = len(tiny.facts())
        while service.tell():
            pass
        deliveries = db.session.execute(text("select count(*) from outbox_delivery")).scalar_one()
    assert count > 0
    assert deliveries == 2 * count


def spoil_middle(file: Path) -> None:
    words = bytearray(file.read_bytes())
    words[len(words) // 3] ^= 1
    file.write_bytes(bytes(words))


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: -3 * 10240])


def add_stranger(file: Path) -> None:
    with tarfile.open(file, "a") as tar:
        tar.add(__file__, arcname="media/../../stranger.py")


def no_tar(file: Path) -> None:
    file.write_text("hello")


@pytest.mark.parametrize("spoil", [spoil_middle, cut_short, add_stranger, no_tar])
def test_a_spoilt_backup_is_refused_and_changes_nothing(
    run: Run, house: Flask, data: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    with house.app_context():
        tiny.promise(1)
    put_media(data, "one.webp", "one" * 50_000)
    file = tmp_path / "backup.tar"
    assert run("backup", str(file)).exit_code == 0
    spoil(file)
    before = sorted(p.name for p in data.rglob("*") if "up.lock" not in p.name)
    result = run("restore", str(file))
    assert result.exit_code == 1
    assert result.stderr.startswith("portevoix: ")
    assert sorted(p.name for p in data.rglob("*") if "up.lock" not in p.name) == before
    assert facts_of(house) == {1}
    assert not (tmp_path / "stranger.py").exists()


def test_it_restores_nothing_under_a_running_product(
    run: Run, house: Flask, data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    assert run("backup", str(file)).exit_code == 0
    held = lock.acquire(data)
    result = run("restore", str(file))
    assert result.exit_code == 1
    assert "Stop it first" in result.stderr
    lock.os.close(held)


def test_a_backup_into_a_folder_that_is_not_there_is_said_in_words(run: Run, house: Flask) -> None:
    result = run("backup", "/nowhere/at/all.tar")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


@pytest.mark.postgres
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="no pg_dump here")
def test_a_backup_of_postgresql_brings_everything_back(
    run: Run, data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server, name = request.getfixturevalue("postgres_server"), f"b_{uuid.uuid4().hex}"
    url = server.create(name)
    made = tiny.create(tiny.settings_in(data, PORTEVOIX_DATABASE_URL=url))
    tiny.prepare(made)
    with made.app_context():
        tiny.promise(1)
    file = tmp_path / "backup.tar"
    result = run("backup", str(file), DATABASE_URL=url)
    assert result.exit_code == 0, result.output
    with made.app_context():
        tiny.promise(2)
        db.session.remove()
        db.engine.dispose()
    result = run("restore", str(file), DATABASE_URL=url)
    assert result.exit_code == 0, result.output
    assert facts_of(made) == {1}
    result = run("restore", str(file))
    assert result.exit_code == 1
    assert "other kind of database" in result.stderr
    server.drop(name)
