"""What an opened link costs, as a ratio of a bare Flask view that only answers 302.

Both sides run on the same server with the same workers and threads, at the same time, and
are asked in turns by one client (`_load.py`), three rounds, medians. Our side is the whole
product with its ingester: an opening is on disk, safe from a power cut, before it is answered.
Its way into the database is within the processor time, to the last opening; while visitors
come the ingester gives way to them. The bare view keeps nothing. Where rounds differ by more
than 60 % nothing is said. Run alone: `python -m bench.hit`, or with fewer recorded openings
`python -m bench.hit 100000`.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response

from app import config, create_app
from app.db import db, new_id, transaction
from app.migrating import upgrade
from app.people import service as people
from app.referrals import ingester, links, offers
from app.referrals.models import OfferLink
from app.settings import save_organisation
from app.supervisor import granian_worker, options, processes, web
from bench import _load
from bench._load import Load
from bench._table import ROUNDS, Row, compare, show

SECONDS, WARM_SECONDS, LINKS = 4.0, 1.0, 1_000
CLICKS = 10_000_000
DURABILITY = "durability: ours on disk (fdatasync) before the 302; bare Flask keeps nothing"
_TICK = os.sysconf("SC_CLK_TCK")

# What browsers sent in the autumn of 2026: what they say, and which versions of them.
_BROWSERS = [
    f"Mozilla/5.0 {said}".replace("#", str(version))
    for said, versions in {
        "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/#.0.0.0 "
        "Safari/537.36": range(136, 142),
        "(Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/#.0.0.0 Mobile "
        "Safari/537.36": range(136, 142),
        "(iPhone; CPU iPhone OS 18_# like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.# Mobile/15E148 Safari/604.1": range(7),
        "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.# Safari/605.1.15": range(7),
        "(X11; Linux x86_64; rv:#.0) Gecko/20100101 Firefox/#.0": range(140, 146),
    }.items()
    for version in versions
]


@dataclass(frozen=True, slots=True)
class Turn:
    """One side in one round. `cpu` is seconds for one answer, of all its processes."""

    load: Load
    cpu: float


@dataclass(frozen=True, slots=True)
class Side:
    """A running server, and what it is asked for."""

    pid: int
    port: int
    requests: Sequence[bytes]
    folder: Path | None = None

    def asking(self, requests: Sequence[bytes]) -> Side:
        return Side(self.pid, self.port, requests, self.folder)


# --- the sides ---------------------------------------------------------------------------


def _bare() -> Flask:
    """A view that only answers 302."""
    app = Flask("bare")

    @app.get("/r/<code>")
    def follow(code: str) -> Response:
        return Response(status=302, headers={"Location": f"/o/somewhere?r={code}"})

    return app


def _product(folder: Path, clicks: int) -> tuple[Flask, list[str]]:
    """An installation with some links and so many recorded openings; the links' codes."""
    env = {"PORTEVOIX_DATA_DIR": str(folder), "PORTEVOIX_SECRET_KEY": "of-a-benchmark-0123456789"}
    app = create_app(config.load(env))
    with app.app_context():
        upgrade()
        save_organisation(name="Halvenne", brand="#00664a", privacy_contact="vie@halvenne.example")
        codes, ids = _links()
        if clicks:
            _fill(ids, clicks)
        db.session.remove()
        db.engine.dispose()
    return app, codes


def _links() -> tuple[list[str], list[uuid.UUID]]:
    person = people.add_person(
        kind="employee", name="Maëlle Kerjan", email="maelle@halvenne.example", roles=[]
    )
    people.join(person.id)
    offer = offers.create_offer(
        {"title": "Conduite de travaux", "location": "Lorient"}, actor_id=None
    )
    rows = [
        OfferLink(
            id=new_id(), code=links.new_code(), person_id=person.id, offer_id=offer.id,
            channel="link", share_id=new_id(),
        )
        for _ in range(LINKS)
    ]  # fmt: skip
    with transaction() as session:
        session.add_all(rows)
    return [row.code for row in rows], [row.id for row in rows]


def _fill(ids: Sequence[uuid.UUID], count: int) -> None:
    """Openings of the past two years, as an ingester would have left them: ids and instants
    rise, the keys of visitors are forgotten."""
    with contextlib.closing(db.engine.raw_connection()) as pooled:
        driver = pooled.dbapi_connection
        assert driver is not None
        driver.execute("PRAGMA synchronous=OFF")
        indexes = driver.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'click' AND sql LIKE 'CREATE I%'"
        ).fetchall()
        for name, _ in indexes:
            driver.execute(f"DROP INDEX {name}")
        driver.execute("CREATE TEMP TABLE opened (n INTEGER PRIMARY KEY, id TEXT)")
        driver.executemany(
            "INSERT INTO opened VALUES (?, ?)", [(n, link_id.hex) for n, link_id in enumerate(ids)]
        )
        driver.execute("BEGIN")
        driver.execute(
            "WITH RECURSIVE made(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM made WHERE n < ?) "
            "INSERT INTO click (id, link_id, occurred_at, verdict) "
            "SELECT printf('0180%012x%016x', made.n, made.n), opened.id, "
            "strftime('%Y-%m-%d %H:%M:%S.000000', 1730000000 + made.n * 60000000 / ?, 'unixepoch'), "
            "CASE made.n % 4 WHEN 0 THEN 'robot' ELSE 'person' END "
            "FROM made CROSS JOIN opened ON opened.n = (made.n * 7919) % ?",
            (count - 1, count, len(ids)),
        )
        hour = "strftime('%Y-%m-%d %H:00:00.000000', occurred_at)"
        driver.execute(
            "INSERT INTO click_count (link_id, verdict, count, last_at) SELECT link_id, verdict, "
            "count(*), max(occurred_at) FROM click GROUP BY link_id, verdict"
        )
        driver.execute(
            "INSERT INTO click_hour (link_id, hour, verdict, count) "
            f"SELECT link_id, {hour}, verdict, count(*) FROM click GROUP BY 1, 2, 3"
        )
        for _, made_by in indexes:
            driver.execute(made_by)
        driver.execute("COMMIT")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def _running(app: Flask, *, bare: bool = False) -> Iterator[tuple[int, int]]:
    """Serve an application as `web` does; (pid, port)."""
    listener = web.bind("127.0.0.1", 0)
    web.listen(listener)
    given = options.load({})

    def work() -> int:
        if not bare:
            return web.serve(app, listener, given, ingester.run)
        return web.Prefork(
            given.web_workers, lambda: granian_worker.run(app, listener, given.threads)
        ).run()

    pid = processes.fork("pv-bench", work)
    port: int = listener.getsockname()[1]
    listener.close()
    try:
        yield pid, port
    finally:
        processes.send(pid, signal.SIGTERM)
        processes.take_leave(pid)


def _requests(codes: Sequence[str]) -> list[bytes]:
    """What browsers ask for when a person follows a link; in a fixed random order."""
    chance = random.Random(7)  # nosec B311
    return [
        (
            f"GET /r/{codes[n % len(codes)]} HTTP/1.1\r\nHost: localhost\r\n"
            f"User-Agent: {chance.choice(_BROWSERS)}\r\n"
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
            "Accept-Language: fr,fr-FR;q=0.8,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
            "Referer: https://www.linkedin.com/\r\nUpgrade-Insecure-Requests: 1\r\n"
            "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
            "Sec-Fetch-Site: cross-site\r\nConnection: keep-alive\r\n\r\n"
        ).encode()
        for n in range(4_000)
    ]


# --- measuring ---------------------------------------------------------------------------


def _cpu(pid: int) -> float:
    """Seconds of processor that a server with all its processes has used so far."""
    used = 0.0
    for member in processes.members(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            used += sum(map(int, fields[11:15])) / _TICK
    return used


def _settle(side: Side) -> None:
    """Until what was opened is in the database."""
    if side.folder is None:
        return
    settings = config.load({
        "PORTEVOIX_DATA_DIR": str(side.folder),
        "PORTEVOIX_SECRET_KEY": "of-a-benchmark-0123456789",
    })  # fmt: skip

    app = create_app(settings)
    with app.app_context():
        deadline = time.monotonic() + 120
        while ingester.state(settings).waiting and time.monotonic() < deadline:
            db.session.rollback()
            time.sleep(0.05)
        db.session.remove()
        db.engine.dispose()


def _ask(side: Side, seconds: float = SECONDS, connections: int = _load.CONNECTIONS) -> Turn:
    before = _cpu(side.pid)
    load = _load.run(side.port, side.requests, seconds, b"HTTP/1.1 302 ", connections)
    _settle(side)
    return Turn(load, (_cpu(side.pid) - before) / load.answers)


def _warm(side: Side) -> None:
    """Until both workers have most likely been asked for every link."""
    answers = 0
    while answers < 10 * LINKS:
        answers += _ask(side, WARM_SECONDS).load.answers


def _alternate(ours: Side, theirs: Side) -> tuple[list[Turn], list[Turn]]:
    """Rounds of both, turn by turn, after both are warm."""
    for side in (ours, theirs):
        _warm(side)
    rounds = [(_ask(ours), _ask(theirs)) for _ in range(ROUNDS)]
    return [our for our, _ in rounds], [their for _, their in rounds]


def _rates(turns: Sequence[Turn]) -> list[float]:
    return [turn.load.rate for turn in turns]


def run(clicks: int = CLICKS) -> Iterator[Row]:
    """Measure everything on the embedded database."""
    folder = Path(tempfile.mkdtemp(prefix="portevoix-bench-", dir=os.environ.get("TMPDIR")))
    try:
        with contextlib.ExitStack() as running:
            empty, codes = _product(folder / "empty", 0)
            full, known = _product(folder / "full", clicks)
            hot = _requests(codes[:1])
            ours = Side(*running.enter_context(_running(empty)), hot, folder / "empty")
            bare = Side(*running.enter_context(_running(_bare(), bare=True)), hot)
            yield from _against_flask(ours, bare)
            spread = ours.asking(_requests(codes))
            alone, many = _alternate(ours, spread)
            work = "one hot link : a thousand links"
            yield compare(work, "req/s", _rates(alone), _rates(many), least=0.95)
            large = Side(*running.enter_context(_running(full)), _requests(known), folder / "full")
            late, early = _alternate(large, spread)
            work = f"after {clicks:,} openings : at the first"
            yield compare(work, "req/s", _rates(late), _rates(early), least=0.95)
    finally:
        shutil.rmtree(folder)


def _against_flask(ours: Side, bare: Side) -> Iterator[Row]:
    our, their = _alternate(ours, bare)
    yield compare("opened link : bare Flask", "req/s", _rates(our), _rates(their), least=1.5)
    slow, slow_there = ([turn.load.p99 * 1e3 for turn in side] for side in (our, their))
    yield compare("its p99 : bare Flask", "ms", slow, slow_there, most=1.0)
    cost, cost_there = ([turn.cpu * 1e6 for turn in side] for side in (our, their))
    work = "its processor, ingester included : bare Flask"
    yield compare(work, "µs", cost, cost_there, most=0.6)
    busy = max(turn.load.client_share for turn in (*our, *their))
    print(f"(the client took up to {busy:.0%} of a core)", flush=True)


def main() -> list[dict[str, object]]:
    """Print the table as it comes; answer it as plain values."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else CLICKS
    print(DURABILITY)
    return show(run(count))


if __name__ == "__main__":
    main()
