"""Whatever is killed comes back, alone; what was promised is done once."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from app import clock
from app.jobs.queue import connect
from tests.supervisor.running import Running, children_of, eventually, is_alive


@pytest.fixture(autouse=True)
def whole(product: Running) -> Iterator[None]:
    """Every test begins and ends with a product that works."""
    yield
    eventually(product.answers, "the web answers")
    assert product.process.poll() is None, product.said()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def effects(product: Running, handler: str = "tiny.count") -> dict[int, int]:
    """How often each fact took effect."""
    with closing(sqlite3.connect(product.folder / "portevoix.db", timeout=15)) as connection:
        rows = connection.execute(
            "select number, count(*) from tiny_effect where handler = ? group by number", (handler,)
        )
        return dict(rows.fetchall())


def came_back(product: Running, name: str, old: int) -> float:
    """Wait until the part runs again under another pid; the seconds it took."""

    def is_back() -> bool:
        pid = product.state().parts.get(name)
        return pid not in (None, old) and is_alive(pid or 0)

    return eventually(is_back, f"{name} is back")


def busy_horses(product: Running) -> dict[str, int]:
    """Workers that are in the middle of something long, and the processes that do it."""

    def horses() -> dict[str, int]:
        parts = product.state().parts.items()
        workers = {name: children_of(pid) for name, pid in parts if name.startswith("worker")}
        return {name: horses[0] for name, horses in workers.items() if horses}

    found: dict[str, int] = {}

    def look() -> bool:
        before = horses()
        clock.sleep(0.3)
        found.update(before.items() & horses().items())
        return bool(found)

    eventually(look, "a worker is busy")
    return found


def done_once(product: Running, number: int) -> bool:
    """Both handlers of the fact took effect; never twice."""
    counts = [effects(product, name).get(number, 0) for name in ("tiny.count", "tiny.mirror")]
    assert max(counts) <= 1
    return counts == [1, 1]


def test_it_hears_a_wake_up_at_once(product: Running) -> None:
    took = []
    for number in range(40, 45):
        product.record(number)
        took.append(eventually(lambda n=number: effects(product).get(n), "took effect"))  # type: ignore[misc]
    print(f"from request to effect: {sorted(took)[2]:.2f} s")
    assert sorted(took)[2] < 0.9


def test_it_replaces_a_web_worker_and_loses_no_connection(product: Running) -> None:
    main = product.part("web")
    before = children_of(main)
    assert len(before) >= 1
    kill(before[0])
    answers = {int(product.get()) for _ in range(20)}
    assert before[0] not in answers
    eventually(lambda: len(children_of(main)) == len(before), "another worker")
    assert product.part("web") == main


def test_it_lets_no_worker_of_a_killed_web_server_answer(product: Running) -> None:
    main = product.part("web")
    before = children_of(main)
    kill(main)
    eventually(lambda: not any(map(is_alive, before)), "its workers are gone", 5)
    print(f"web back after {came_back(product, 'web', main):.2f} s")
    answers = {int(product.get()) for _ in range(30)}
    assert answers <= set(children_of(product.part("web")))
    assert "web killed by SIGKILL" in product.said()


def test_it_keeps_connections_waiting_while_the_web_server_comes_back(product: Running) -> None:
    main = product.part("web")
    old = children_of(main)
    kill(main)
    eventually(lambda: not any(map(is_alive, old)), "its workers are gone", 5)
    assert int(product.get(seconds=10)) not in old
    came_back(product, "web", main)


def test_it_does_again_what_killed_work_horses_had_begun(product: Running) -> None:
    product.record(1, seconds=1.5)
    horses = busy_horses(product)
    assert not done_once(product, 1)
    for horse in horses.values():
        kill(horse)
    seconds = eventually(lambda: done_once(product, 1), "the fact took effect")
    print(f"work-horses killed: done {seconds:.2f} s later")


def test_it_takes_the_work_horse_down_with_its_worker(product: Running) -> None:
    product.record(2, seconds=1.5)
    horses = busy_horses(product)
    workers = {name: product.part(name) for name in horses}
    assert not done_once(product, 2)
    for worker in workers.values():
        kill(worker)
    eventually(lambda: not any(map(is_alive, horses.values())), "the work-horses are gone", 5)
    for name, worker in workers.items():
        came_back(product, name, worker)
    seconds = eventually(lambda: done_once(product, 2), "the fact took effect", 30)
    print(f"workers killed: done {seconds:.2f} s later")


def test_it_goes_on_with_another_scheduler(product: Running) -> None:
    old = product.part("scheduler")
    kill(old)
    product.record(3)
    came_back(product, "scheduler", old)
    eventually(lambda: effects(product).get(3), "the fact took effect")


def test_it_starts_the_queue_server_again_and_loses_nothing(product: Running) -> None:
    old = product.part("queue server")
    kill(old)
    began = [product.record(number) for number in range(10, 20)]
    came_back(product, "queue server", old)
    wanted = dict.fromkeys(range(10, 10 + len(began)), 1)
    seconds = eventually(lambda: wanted.items() <= effects(product).items(), "all took effect")
    print(f"queue server killed: all done {seconds:.2f} s later")


def test_it_sends_again_what_was_flushed(product: Running) -> None:
    client = connect(product.state().redis_url)
    for number in range(20, 30):
        product.record(number)
        client.flushall()
    client.close()
    wanted = dict.fromkeys(range(20, 30), 1)
    eventually(lambda: wanted.items() <= effects(product).items(), "all took effect")


def test_it_keeps_time(product: Running) -> None:
    before = effects(product, "tiny.tick").get(0, 0)
    eventually(lambda: effects(product, "tiny.tick").get(0, 0) > before, "the clock ticks", 8)


def test_it_never_has_more_parts_than_it_should(product: Running) -> None:
    parts = product.state().parts
    assert set(parts) == {"queue server", "web", "worker 1", "worker 2", "scheduler"}
    eventually(lambda: set(children_of(product.process.pid)) == set(parts.values()), "only parts")
