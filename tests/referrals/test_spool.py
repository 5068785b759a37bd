"""What was kept is on disk, whatever happens to the disk, the process or the clock."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import resource
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import clock
from app.referrals import spool
from app.referrals.spool import SIZE, Line, Spool

AT = dt.datetime(2026, 11, 17, 9, 0, 0, 123456, tzinfo=dt.UTC)


def line(**fields: object) -> Line:
    given = {
        "click_id": uuid.uuid4(), "link_id": uuid.uuid4(), "share_id": None, "occurred_at": AT,
        "verdict": "person", "visitor_key": os.urandom(32).hex(),
    } | fields  # fmt: skip
    return Line(**given)  # type: ignore[arg-type]


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.clicks"))


def kept(folder: Path) -> list[Line]:
    """Every line of a folder; a torn or damaged record is an error."""
    found = []
    for file in files(folder):
        raw = file.read_bytes()
        assert len(raw) % SIZE == 0, f"{file.name} ends with a torn record"
        records = [spool.unpack(raw[at : at + SIZE]) for at in range(0, len(raw), SIZE)]
        found += [each for each in records if each is not None]
        assert len(found) >= len(records)
    return found


@pytest.mark.parametrize("share_id", [None, uuid.uuid4()])
@pytest.mark.parametrize("verdict", spool.VERDICTS)
def test_a_record_says_what_was_packed(verdict: str, share_id: uuid.UUID | None) -> None:
    made = line(verdict=verdict, share_id=share_id)
    assert spool.unpack(spool.pack(made)) == made


def test_a_torn_or_damaged_record_is_none() -> None:
    whole = spool.pack(line())
    for length in (0, 1, SIZE - 1, SIZE + 1):
        assert spool.unpack((whole + b"x")[:length]) is None
    for place in range(SIZE):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        assert spool.unpack(bytes(damaged)) is None
    assert spool.unpack(bytes(SIZE)) is None


def test_it_keeps_lines_in_a_private_file_that_is_locked(tmp_path: Path) -> None:
    writer, lines = Spool(tmp_path / "spool"), [line() for _ in range(3)]
    assert [writer.append(each) for each in lines] == [True] * 3
    assert kept(writer.folder) == lines
    [file] = files(writer.folder)
    assert file.stat().st_mode & 0o077 == 0
    assert writer.folder.stat().st_mode & 0o077 == 0
    assert not _is_free(file)
    writer.close()
    assert _is_free(file)


def _is_free(file: Path) -> bool:
    with file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_nothing_is_opened_before_the_first_line(tmp_path: Path) -> None:
    Spool(tmp_path / "spool")
    assert not (tmp_path / "spool").exists()


def test_threads_share_waits_and_each_line_is_kept_once(tmp_path: Path) -> None:
    writer = Spool(tmp_path)
    lines = [[line() for _ in range(120)] for _ in range(8)]
    answers: list[bool] = []

    def write(mine: list[Line]) -> None:
        answers.extend([writer.append(each) for each in mine])

    _together([lambda mine=mine: write(mine) for mine in lines])
    assert answers == [True] * 8 * 120
    found = [each.click_id for each in kept(tmp_path)]
    assert len(found) == len(set(found)) == 8 * 120
    assert set(found) == {each.click_id for mine in lines for each in mine}


def _together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread was never told"


def test_a_lone_line_after_a_crowd_does_not_wait_for_it(tmp_path: Path) -> None:
    writer = Spool(tmp_path)
    _together([lambda: [writer.append(line()) for _ in range(20)] and None for _ in range(8)])
    for _ in range(10):
        assert writer.append(line())
    began = time.perf_counter()
    assert writer.append(line())
    assert time.perf_counter() - began < 1.0


def test_a_full_file_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "LIMIT", 3 * SIZE)
    writer, lines = Spool(tmp_path), [line() for _ in range(7)]
    for each in lines:
        assert writer.append(each)
    assert [file.stat().st_size // SIZE for file in files(tmp_path)] == [3, 3, 1]
    assert [_is_free(file) for file in files(tmp_path)] == [True, True, False]
    assert kept(tmp_path) == lines


def test_a_clock_that_is_set_back_loses_and_overwrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "LIMIT", 2 * SIZE)
    writer, lines = Spool(tmp_path), []
    clock.freeze(AT)
    try:
        for _ in range(6):
            lines.append(line(occurred_at=clock.now()))
            assert writer.append(lines[-1])
            clock.travel(dt.timedelta(hours=-1))
    finally:
        clock.release()
    assert {each.click_id for each in kept(tmp_path)} == {each.click_id for each in lines}
    assert {each.occurred_at for each in kept(tmp_path)} == {each.occurred_at for each in lines}


# --- what the disk refuses ---------------------------------------------------------------


@contextmanager
def limit(kind: int, value: int) -> Iterator[None]:
    """A limit of this process, for a moment."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (value, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def test_what_does_not_fit_is_cut_off_counted_and_writing_goes_on(tmp_path: Path) -> None:
    writer, lines = Spool(tmp_path), [line() for _ in range(4)]
    assert writer.append(lines[0])
    with limit(resource.RLIMIT_FSIZE, 2 * SIZE + SIZE // 2):
        assert writer.append(lines[1])
        assert not writer.append(lines[2])
        assert not writer.append(lines[2])
        assert kept(tmp_path) == lines[:2]
    assert spool.lost(tmp_path) == 2
    at = spool.last_lost_at(tmp_path)
    assert at is not None
    assert abs(clock.now() - at) < dt.timedelta(minutes=1)
    assert writer.append(lines[3])
    assert kept(tmp_path) == [*lines[:2], lines[3]]
    assert len(files(tmp_path)) == 1


def test_of_a_batch_that_does_not_fit_the_first_are_kept(tmp_path: Path) -> None:
    writer, lines = Spool(tmp_path), [line() for _ in range(5)]
    assert writer.append(lines[0])
    with limit(resource.RLIMIT_FSIZE, 3 * SIZE + 1):
        assert writer._keep([spool.pack(each) for each in lines[1:]]) == 2
    assert kept(tmp_path) == lines[:3]
    assert spool.lost(tmp_path) == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with next to no room where one may be mounted; else a small limit."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "none", str(folder)],
        capture_output=True, check=False,
    ).returncode == 0  # fmt: skip
    if mounted:
        yield folder / "spool"
        subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    with limit(resource.RLIMIT_FSIZE, 12_345):
        yield folder / "spool"


def test_a_full_disk_keeps_whole_records_and_the_count(small_disk: Path) -> None:
    writer, lines = Spool(small_disk), [line() for _ in range(400)]
    answers = [writer.append(each) for each in lines]
    assert answers[0]
    assert not answers[-1]
    fitting = [each for each, is_kept in zip(lines, answers, strict=True) if is_kept]
    assert kept(small_disk) == fitting
    assert spool.lost(small_disk) == answers.count(False)
    assert len(files(small_disk)) == 1, "refusals leave no litter"


def test_threads_on_a_full_disk_all_hear_it(small_disk: Path) -> None:
    writer, answers = Spool(small_disk), []
    _together([lambda: answers.extend([writer.append(line()) for _ in range(80)])] * 8)
    assert answers.count(True) == len(kept(small_disk))
    assert answers.count(False) == spool.lost(small_disk) > 0


def test_without_a_descriptor_left_it_says_so_and_counts_when_it_can(tmp_path: Path) -> None:
    writer = Spool(tmp_path)
    with limit(resource.RLIMIT_NOFILE, 3):
        assert not writer.append(line())
    assert writer.append(line())
    assert spool.lost(tmp_path) == 1


def test_a_file_that_cannot_follow_lets_the_present_one_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "LIMIT", 2 * SIZE)
    writer = Spool(tmp_path)
    for _ in range(2):
        assert writer.append(line())
    with limit(resource.RLIMIT_NOFILE, 3):
        assert writer.append(line())
    assert [file.stat().st_size for file in files(tmp_path)] == [3 * SIZE]
    assert spool.lost(tmp_path) == 0


def test_a_folder_that_cannot_be_is_a_loss_and_nothing_worse(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "spool").write_text("in the way")
    writer = Spool(tmp_path / "spool")
    assert [writer.append(line()) for _ in range(5)] == [False] * 5
    assert spool.lost(tmp_path / "spool") == 0
    assert len(caplog.records) == 1, "said at most once a minute"
    assert os.strerror(errno.EEXIST) in caplog.text


def test_a_disk_error_leaves_the_file_and_begins_another(tmp_path: Path) -> None:
    """A descriptor that was closed under it stands for a device that fails: EBADF for EIO."""
    writer, lines = Spool(tmp_path), [line() for _ in range(3)]
    assert writer.append(lines[0])
    assert writer._file is not None
    os.dup2(os.open(os.devnull, os.O_RDONLY), writer._file.descriptor)
    assert not writer.append(lines[1])
    assert writer.append(lines[2])
    assert kept(tmp_path) == [lines[0], lines[2]]
    assert len(files(tmp_path)) == 2
    assert spool.lost(tmp_path) == 1


# --- processes ---------------------------------------------------------------------------


def _in_child(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        act()
        status = 0
    finally:
        os._exit(status)


def test_a_forked_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    writer, mine, its = Spool(tmp_path), line(), line()
    assert writer.append(mine)
    ready, go = os.pipe(), os.pipe()

    def child() -> None:
        assert writer.append(its)
        os.write(ready[1], b"x")
        os.read(go[0], 1)

    pid = _in_child(child)
    assert os.read(ready[0], 1) == b"x"
    assert {each.click_id for each in kept(tmp_path)} == {mine.click_id, its.click_id}
    first, second = files(tmp_path)
    writer.close()
    assert (_is_free(first), _is_free(second)) == (True, False), "the child holds its own alone"
    os.write(go[1], b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert _is_free(second)


def test_losses_of_several_processes_add_up(tmp_path: Path) -> None:
    def child() -> None:
        writer = Spool(tmp_path)
        assert writer.append(line())
        with limit(resource.RLIMIT_FSIZE, SIZE):
            for _ in range(50):
                assert not writer.append(line())

    for pid in [_in_child(child) for _ in range(4)]:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert spool.lost(tmp_path) == 200


def test_no_kill_takes_what_was_answered(tmp_path: Path) -> None:
    for round_ in range(5):
        folder = tmp_path / str(round_)
        told = _answered_until_killed(folder, 0.05 + 0.02 * round_)
        found = set()
        for file in files(folder):
            raw = file.read_bytes()
            for at in range(0, len(raw), SIZE):
                record = spool.unpack(raw[at : at + SIZE])
                found |= {record.click_id} if record else set()
        assert told
        assert told <= found
        assert all(_is_free(file) for file in files(folder))


def _answered_until_killed(folder: Path, seconds: float) -> set[uuid.UUID]:
    """The click ids for which four threads of a child said that they are kept."""
    reading, writing = os.pipe()

    def child() -> None:
        writer = Spool(folder)

        def write() -> None:
            while True:
                made = line()
                if writer.append(made):
                    os.write(writing, made.click_id.bytes)

        _together([write] * 4)

    pid = _in_child(child)
    os.close(writing)
    told = os.read(reading, 16)
    killer = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
    killer.start()
    while part := os.read(reading, 65536):
        told += part
    os.waitpid(pid, 0)
    os.close(reading)
    return {uuid.UUID(bytes=told[at : at + 16]) for at in range(0, len(told) - 15, 16)}


def test_the_name_of_the_host_is_made_once(tmp_path: Path) -> None:
    names: list[str] = []
    _together([lambda: names.append(spool.host_of(tmp_path / "spool"))] * 8)
    assert len(set(names)) == 1
    assert len(names[0]) == 32
    assert spool.host_of(tmp_path / "spool") == names[0]
    assert [file.name for file in (tmp_path / "spool").iterdir()] == ["host"]
