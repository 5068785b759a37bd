"""The ingester: openings from the spool into the database, each once and counted. F32, F38."""

from __future__ import annotations

import datetime as dt
import fcntl
import itertools
import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select, text

from app import clock, outbox
from app.cli import doctor
from app.db import db, new_id, transaction
from app.outbox.models import OutboxEvent
from app.privacy import purge
from app.referrals import clicks, ingester, links, queries, spool
from app.referrals.models import Click, ClickCount, ClickHour, SpoolFile
from app.sharing import reach
from app.supervisor import processes
from tests.conftest import START, House
from tests.supervisor.running import eventually

MICROSECOND = dt.timedelta(microseconds=1)
SECOND = dt.timedelta(seconds=1)
LINK, SHARE = uuid.uuid4(), uuid.uuid4()
_names = itertools.count()


def line(
    at: float = 0.0, verdict: str = "person", key: object = None, share: uuid.UUID | None = None,
    link: uuid.UUID = LINK,
) -> spool.Line:  # fmt: skip
    """An opening so many seconds after START, by a visitor of its own unless `key` says whose."""
    marks = uuid.uuid4().hex * 2 if key is None else f"{key:0>16}" * 4
    return spool.Line(new_id(), link, share, START + at * SECOND, verdict, marks)


class Folder:
    """This host's spool, with files of writers that live or are gone."""

    def __init__(self, app: Flask) -> None:
        self.app, self.settings = app, app.extensions["portevoix"]
        self.path = spool.folder(self.settings)
        spool.host_of(self.path)
        clock.freeze(START + dt.timedelta(minutes=1))

    def left(self, *lines: spool.Line, then: bytes = b"") -> Path:
        """A file whose writer is gone."""
        path = self.path / f"{next(_names):032x}{spool.SUFFIX}"
        path.write_bytes(b"".join(map(spool.pack, lines)) + then)
        return path

    def files(self) -> list[str]:
        return sorted(path.name for path in self.path.glob(f"*{spool.SUFFIX}"))

    def ingest(self) -> int:
        return ingester.ingest(self.settings)


@pytest.fixture
def folder(any_app: Flask) -> Folder:
    return Folder(any_app)


@pytest.fixture
def here(app: Flask) -> Folder:
    """The same on SQLite only."""
    return Folder(app)


def stored() -> list[str]:
    """The verdicts of all openings in the order of their time."""
    db.session.rollback()
    return list(db.session.scalars(select(Click.verdict).order_by(Click.occurred_at, Click.id)))


def kept_key(opening: spool.Line) -> str | None:
    """A visitor key as it is stored; what speaks about no other opening has none."""
    at = (opening.occurred_at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // MICROSECOND
    is_speaking = opening.verdict in ("person", "head", "probe")
    return clicks.kept(at, opening.visitor_key) if is_speaking else None


def ids() -> Counter[uuid.UUID]:
    db.session.rollback()
    return Counter(db.session.scalars(select(Click.id)))


def agrees() -> bool:
    """Whether the figures are what the rows add up to."""
    db.session.rollback()
    rows = db.session.execute(select(Click.link_id, Click.occurred_at, Click.verdict)).all()
    total = Counter((row.link_id, row.verdict) for row in rows)
    hours = Counter(
        (row.link_id, row.occurred_at.replace(minute=0, second=0, microsecond=0), row.verdict)
        for row in rows
    )
    counts = {(c.link_id, c.verdict): c.count for c in db.session.scalars(select(ClickCount))}
    by_hour = {
        (h.link_id, h.hour, h.verdict): h.count for h in db.session.scalars(select(ClickHour))
    }
    return (dict(total), dict(hours)) == (counts, by_hour)


# ---- What is stored


def test_it_stores_what_stands_in_the_spool_as_it_was(folder: Folder) -> None:
    given = [line(0), line(1.000001, "robot"), line(2, "self")]
    folder.left(*given)
    assert folder.ingest() == 3
    rows = db.session.scalars(select(Click).order_by(Click.occurred_at)).all()
    assert [(r.id, r.link_id, r.occurred_at, r.verdict, r.visitor_key) for r in rows] == [
        (o.click_id, o.link_id, o.occurred_at, o.verdict, kept_key(o)) for o in given
    ]
    assert agrees()
    assert folder.ingest() == 0


def test_it_keeps_figures_by_link_verdict_and_hour(folder: Folder) -> None:
    other = uuid.uuid4()
    folder.left(*[line(n) for n in range(5)], line(6, "robot"), line(7, link=other))
    folder.ingest()
    clock.travel(dt.timedelta(hours=1))
    folder.left(line(3600), line(3601, "robot"), line(-90))
    folder.ingest()
    found = {
        (c.link_id, c.verdict): (c.count, c.last_at) for c in db.session.scalars(select(ClickCount))
    }
    assert found == {
        (LINK, "person"): (7, START + 3600 * SECOND),
        (LINK, "robot"): (2, START + 3601 * SECOND),
        (other, "person"): (1, START + 7 * SECOND),
    }
    assert db.session.scalar(select(func.count()).select_from(ClickHour)) == 6
    assert agrees()


def test_it_reads_on_where_it_was_while_the_writer_lives(folder: Folder) -> None:
    writer = spool.Spool(folder.path)
    for number in range(4):
        assert writer.append(line(number))
        assert folder.ingest() == 1
    [row] = db.session.scalars(select(SpoolFile))
    assert (row.host, row.position) == (spool.host_of(folder.path), 4 * spool.SIZE)
    assert folder.files() == [row.name]
    writer.close()
    assert folder.ingest() == 0
    assert folder.files() == []
    assert db.session.scalars(select(SpoolFile)).all() == []
    assert stored() == ["person"] * 4


def test_it_removes_a_file_only_once_its_lines_are_committed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def note(path: Path) -> None:
        with db.engine.connect() as another:
            seen.append(another.scalar(select(func.count()).select_from(Click)))
        path.unlink()

    monkeypatch.setattr(ingester, "remove", note)
    folder.left(line(0), line(1))
    folder.ingest()
    assert seen == [2]


def test_it_takes_many_in_parts_from_all_files_alike(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingester, "BATCH", 7)
    given = [line(n / 10) for n in range(100)]
    for start in range(3):
        folder.left(*given[start::3])
    assert folder.ingest() == 100
    assert ids() == Counter(o.click_id for o in given)
    assert folder.files() == []
    assert agrees()


def test_posts_get_one_fact_for_each_batch(folder: Folder) -> None:
    others = uuid.uuid4()
    folder.left(
        *[line(n, share=SHARE) for n in range(2, 9)],
        line(1, "robot", share=SHARE), line(10, share=others), line(11),
    )  # fmt: skip
    folder.ingest()
    facts = db.session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "share.visited"))
    assert {fact.payload["share_id"]: fact.payload["since"] for fact in facts} == {
        str(SHARE): (START + 2 * SECOND).isoformat(),
        str(others): (START + 10 * SECOND).isoformat(),
    }
    assert outbox.drain() > 0


# ---- What is counted


def test_a_repeat_is_known_in_a_batch_and_after_it(folder: Folder) -> None:
    folder.left(line(0, key=1), line(3, key=1), line(4, key=2))
    folder.ingest()
    folder.left(line(9.9, key=1), line(10, key=1), line(20.5, key=2))
    folder.ingest()
    assert stored() == ["person", "repeat", "person", "repeat", "person", "person"]
    assert agrees()


def test_a_visitor_counts_once_within_ten_seconds_however_late_a_file_is_read(
    folder: Folder,
) -> None:
    folder.left(line(5, key=1))
    folder.ingest()
    folder.left(line(0, key=1), line(14.9, key=1), line(-5, key=1), line(15, key=1))
    folder.ingest()
    assert stored() == ["person", "repeat", "person", "repeat", "person"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_files_are_read_in_the_order_of_time(folder: Folder, order: tuple[int, int]) -> None:
    first = [line(0, "head", key=1), line(30, key=2)]
    second = [line(1.9, key=1), line(31, key=2)]
    for number in order:
        folder.left(*(first, second)[number])
    folder.ingest()
    assert stored() == ["head", "scanner", "person", "repeat"]


@pytest.mark.parametrize(
    ("verdict", "seconds", "then"),
    [("head", 1.9, "scanner"), ("probe", 1.9, "scanner"), ("head", 2, "person"),
     ("head", -0.1, "person"), ("prefetch", 1, "person"), ("robot", 1, "person")],
)  # fmt: skip
@pytest.mark.parametrize("apart", [False, True])
def test_a_page_asked_for_right_after_its_head_is_a_scanners(
    folder: Folder, verdict: str, seconds: float, then: str, apart: bool
) -> None:
    folder.left(line(0, verdict, key=1))
    if apart:
        folder.ingest()
    folder.left(line(seconds, key=1))
    folder.ingest()
    assert sorted(stored()) == sorted([verdict, then])


def test_fifty_colleagues_behind_one_address_are_people(folder: Folder) -> None:
    people = [line(n * 11, key=1) for n in range(50)]
    for start in range(2):
        folder.left(*people[start::2])
    clock.travel(dt.timedelta(minutes=10))
    folder.ingest()
    assert stored() == ["person"] * 50


def test_what_comes_while_a_pass_runs_waits_for_the_next(folder: Folder) -> None:
    """So that a HEAD in one file is read before the GET that followed it in another."""
    clock.freeze(START)
    folder.left(line(0), line(0.5, key=1))
    assert folder.ingest() == 1
    clock.travel(SECOND)
    assert folder.ingest() == 1


def test_it_goes_on_when_the_clock_was_set_back(folder: Folder) -> None:
    clock.freeze(START)
    writer = spool.Spool(folder.path)
    writer.append(line(3600, key=1))
    writer.append(line(-1, key=1))
    writer.append(line(-2))
    assert folder.ingest() == 3
    assert stored() == ["person"] * 3
    assert agrees()
    writer.close()


# ---- What is broken


def test_a_torn_last_line_is_left_out_and_said_once(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.left(line(0), then=spool.pack(line(1))[:-7])
    assert folder.ingest() == 1
    assert folder.ingest() == 0
    assert folder.files() == []
    [said] = [r.getMessage() for r in caplog.records if "torn" in r.getMessage()]
    assert str(spool.SIZE - 7) in said


def test_damage_in_the_middle_is_said_and_counted_and_the_rest_read(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder.left(*[line(n) for n in range(9)])
    raw = bytearray(path.read_bytes())
    raw[4 * spool.SIZE + 20] ^= 1
    raw[8 * spool.SIZE] ^= 1
    path.write_bytes(raw)
    assert folder.ingest() == 9
    assert stored() == ["person"] * 7
    assert "2 damaged records" in caplog.text
    assert ingester.state(folder.settings).damaged == 2
    assert folder.files() == []


def test_a_last_record_that_is_not_whole_yet_waits_while_its_writer_lives(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder.left(line(0))
    with path.open("r+b") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        writer.seek(0, os.SEEK_END)
        writer.write(bytes(spool.SIZE))
        writer.flush()
        assert folder.ingest() == 1
        writer.seek(spool.SIZE)
        writer.write(spool.pack(line(1)))
        writer.flush()
        assert folder.ingest() == 1
    assert stored() == ["person"] * 2
    assert "damaged" not in caplog.text


def test_openings_that_are_known_already_are_not_counted_again(folder: Folder) -> None:
    """A spool folder that came back from a copy, whose notes in the database are gone."""
    given = [line(n) for n in range(6)]
    folder.left(*given[:4])
    folder.ingest()
    folder.left(*given, given[5])
    assert folder.ingest() == 7
    assert ids() == Counter(o.click_id for o in given)
    assert agrees()
    folder.left(*given)
    folder.ingest()
    assert agrees()


def test_a_file_that_is_shorter_than_its_position_is_over(folder: Folder) -> None:
    """After a power cut: what was read was not on disk yet."""
    writer = spool.Spool(folder.path)
    for number in range(3):
        writer.append(line(number))
    folder.ingest()
    [path] = folder.path.glob(f"*{spool.SUFFIX}")
    os.truncate(path, spool.SIZE)
    writer.close()
    assert folder.ingest() == 0
    assert folder.files() == []
    assert stored() == ["person"] * 3


def test_nothing_is_kept_of_a_batch_that_fails(folder: Folder) -> None:
    folder.left(line(0), line(1))

    def refuse(*_: object) -> None:
        raise RuntimeError("the disk is full")

    event.listen(db.session(), "before_commit", refuse)
    try:
        with pytest.raises(RuntimeError):
            folder.ingest()
    finally:
        event.remove(db.session(), "before_commit", refuse)
    assert stored() == []
    assert db.session.scalars(select(SpoolFile)).all() == []
    assert folder.ingest() == 2
    assert agrees()


# ---- Two at once


def test_a_second_ingester_without_the_lock_stores_nothing_twice(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingester, "BATCH", 20)
    writer = spool.Spool(folder.path)
    given = [line(n / 100) for n in range(400)]
    for each in given:
        writer.append(each)
    db.session.remove()
    start = threading.Barrier(3)

    def work() -> None:
        with folder.app.app_context():
            mine = ingester.Ingester(folder.path)
            start.wait()
            for _ in range(60):
                mine.step()
            mine.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    folder.ingest()
    assert ids() == Counter(o.click_id for o in given)
    assert agrees()


def test_an_ingester_that_was_overtaken_starts_from_what_is_known(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    writer = spool.Spool(folder.path)
    writer.append(line(0))
    slow = ingester.Ingester(folder.path)
    assert slow.step() == 1
    writer.append(line(1))
    assert folder.ingest() == 1
    assert slow.step() == 0
    assert "another ingester" in caplog.text
    writer.append(line(2))
    assert slow.step() == 1
    assert stored() == ["person"] * 3
    slow.close()
    writer.close()


# ---- What is read of it


def test_pages_read_figures_and_never_count_openings(
    house: House, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    here = Folder(house.app)
    maelle = house.person()
    link = links.link_for(maelle.id, house.offer(), "link")
    here.left(*[line(n, link=link.id) for n in range(4)], line(5, "robot", link=link.id))
    here.ingest()
    with transaction() as session:
        session.execute(delete(Click))  # the figures are all that is read
    [row] = queries.links_of(maelle.id)
    assert (row.clicks, row.raw_clicks) == (4, 5)
    assert queries.verdicts(link.id) == {"person": 4, "robot": 1}
    assert reach.visits([link.id, uuid.uuid4()]) == {link.id: 4}
    assert count_queries(lambda: queries.links_of(maelle.id)) == 1


def test_figures_are_whole_numbers_on_both_databases(any_house: House) -> None:
    here = Folder(any_house.app)
    maelle = any_house.person()
    link = links.link_for(maelle.id, any_house.offer(), "link")
    here.left(line(0, link=link.id))
    here.ingest()
    [row] = queries.links_of(maelle.id)
    assert (type(row.clicks), type(row.raw_clicks)) == (int, int)


def test_operators_see_what_waits(here: Folder, app: Flask) -> None:
    path = here.left(line(0), line(1))
    told = app.test_client().get("/metrics").get_data(as_text=True)
    assert f"portevoix_spool_waiting_bytes {float(path.stat().st_size)}" in told
    here.ingest()
    told = app.test_client().get("/metrics").get_data(as_text=True)
    assert "portevoix_spool_waiting_bytes 0.0" in told
    for name in ("spool_pass_age_seconds", "spool_damaged_openings", "clicks_lost_total"):
        assert f"portevoix_{name} 0.0" in told


# ---- What is forgotten


def test_openings_are_forgotten_after_25_months_and_their_total_stays(folder: Folder) -> None:
    old, other = -761 * 86_400, uuid.uuid4()
    folder.left(line(old), line(old + 1, "robot"), line(old, link=other), line(0))
    folder.ingest()
    purge.run("openings", "spool-files")
    assert stored() == ["person"]
    hours = db.session.scalars(select(ClickHour)).all()
    assert [(h.link_id, h.verdict) for h in hours] == [(LINK, "person")]
    assert queries.verdicts(LINK) == {"person": 2, "robot": 1}
    assert reach.visits([other]) == {other: 1}


def test_notes_about_spool_files_of_hosts_that_are_gone_are_forgotten(folder: Folder) -> None:
    with transaction() as session:
        session.add(SpoolFile(host="f" * 32, name="gone", position=1))
        session.add(SpoolFile(host=spool.host_of(folder.path), name="removed", position=1))
    writer = spool.Spool(folder.path)
    writer.append(line(0))
    folder.ingest()
    purge.run("openings", "spool-files")
    names = select(SpoolFile.name).order_by(SpoolFile.name)
    assert set(db.session.scalars(names)) == {"gone", *folder.files()}
    clock.travel(dt.timedelta(days=31))
    folder.ingest()  # says that its file is still here
    purge.run("openings", "spool-files")
    assert list(db.session.scalars(names)) == folder.files()
    writer.close()


@pytest.mark.parametrize("gap", [-1, 1])
def test_it_knows_a_repeat_on_both_sides_of_ten_minutes(folder: Folder, gap: int) -> None:
    border = 600 - START.timestamp() % 600
    for at in (border - gap, border + gap):
        folder.left(line(at, key=7))
        clock.freeze(START + dt.timedelta(minutes=20))
        folder.ingest()
    assert sorted(stored()) == ["person", "repeat"]


def test_keys_are_looked_up_without_reading_all_openings(app: Flask) -> None:
    plan = db.session.execute(
        text(
            "explain query plan select 1 from json_each('[]') k "
            "cross join click c on c.visitor_key = k.value"
        )
    ).all()
    assert "ix_click_visitor_key" in str(plan)


def test_forgetting_keys_reads_only_those_that_are_there(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "BATCH", 3)
    folder.left(*[line(n) for n in range(8)], line(50 * 3600))
    clock.travel(dt.timedelta(hours=50))
    folder.ingest()
    purge.run("visitor-keys")
    db.session.rollback()
    kept = select(func.count()).where(Click.visitor_key.is_not(None))
    assert db.session.scalar(kept) == 1
    if db.engine.dialect.name == "sqlite":
        plan = "explain query plan select id from click where visitor_key is not null"
        assert "ix_click_visitor_key" in str(db.session.execute(text(plan)).all())


# ---- The process


def _forked(folder: Folder) -> int:
    """The real process, with the real clock."""
    db.session.remove()
    db.engine.dispose()
    clock.release()
    return processes.fork("pv-ingester", lambda: ingester.run(folder.app))


def _counted() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Click)) or 0


def _now_line() -> spool.Line:
    return spool.Line(new_id(), LINK, None, clock.now(), "person", uuid.uuid4().hex * 2)


def test_it_reads_what_comes_within_a_moment_and_ends_with_a_last_pass(folder: Folder) -> None:
    pid = _forked(folder)
    try:
        writer = spool.Spool(folder.path)
        took = []
        for number in range(1, 6):
            began = clock.monotonic()
            writer.append(_now_line())
            eventually(lambda n=number: _counted() == n, "the opening is stored", 10)  # type: ignore[misc]
            took.append(clock.monotonic() - began)
        print(f"stored after {sorted(took)[2] * 1000:.0f} ms")
        os.kill(pid, signal.SIGSTOP)
        writer.append(_now_line())
        writer.close()
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        status = processes.take_leave(pid)
    assert status == 0
    assert _counted() == 6
    assert folder.files() == []


def test_a_second_one_waits_until_the_first_is_gone(here: Folder) -> None:
    first = _forked(here)
    eventually(lambda: ingester.state(here.settings).passed_at, "the first one works", 10)
    second = _forked(here)
    writer = spool.Spool(here.path)
    try:
        clock.sleep(0.3)
        os.kill(first, signal.SIGSTOP)  # it holds the lock and does nothing
        writer.append(_now_line())
        clock.sleep(0.6)
        assert _counted() == 0
        os.kill(first, signal.SIGKILL)
        eventually(lambda: _counted() == 1, "the second one works", 10)
    finally:
        for pid in (first, second):
            processes.send(pid, signal.SIGKILL)
            processes.take_leave(pid)
        writer.close()


def test_one_that_waits_ends_when_it_is_asked_to(here: Folder) -> None:
    first = _forked(here)
    eventually(lambda: ingester.state(here.settings).passed_at, "the first one works", 10)
    second = _forked(here)
    clock.sleep(0.3)
    for pid in (second, first):
        os.kill(pid, signal.SIGTERM)
        assert processes.take_leave(pid) == 0


def test_it_costs_next_to_nothing_while_nobody_comes(here: Folder) -> None:
    pid = _forked(here)
    writer = spool.Spool(here.path)
    try:
        writer.append(_now_line())
        eventually(lambda: _counted() == 1, "it works", 10)
        ticks = os.sysconf("SC_CLK_TCK")

        def spent() -> float:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / ticks

        before = spent()
        clock.sleep(3.0)
        idle = (spent() - before) / 3.0
        print(f"idle: {idle * 100:.1f} % of a processor")
        assert idle < 0.05
    finally:
        processes.send(pid, signal.SIGKILL)
        processes.take_leave(pid)
        writer.close()


def test_the_doctor_says_when_nothing_reads_the_spool(here: Folder) -> None:
    def findings() -> list[tuple[str, str]]:
        found = doctor.examine(here.settings)
        return [(each.state, each.text) for each in found if each.what == "spool"]

    clock.release()
    assert findings() == [("ok", "0 bytes of openings wait")]
    here.left(line(0))
    [(state, said)] = findings()
    assert state == "broken"
    assert f"{spool.SIZE} bytes" in said
    ingester.note_damaged(here.path, 3)  # touches the lock's file, as a pass does
    assert findings() == [
        ("ok", f"{spool.SIZE} bytes of openings wait"),
        ("note", "3 damaged records were left out so far"),
    ]
