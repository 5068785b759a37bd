"""Starting, stopping, and leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from pathlib import Path

import pytest

from app import clock
from app.supervisor import lock, processes, queue_server
from tests.supervisor.conftest import Start
from tests.supervisor.running import Running, children_of, eventually, is_alive


def all_gone(pids: list[int]) -> bool:
    return not any(map(is_alive, pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_status_0_and_leaves_nothing(start: Start, number: signal.Signals) -> None:
    product = start()
    product.wait_until_up()
    everything, state = product.everything(), product.state()
    assert len(everything) >= 8
    began = clock.monotonic()
    assert product.stop(number) == 0
    took = clock.monotonic() - began
    print(f"stopped after {took:.2f} s")
    assert took < 10
    assert all_gone(everything)
    assert not Path(state.runtime).exists()
    assert lock.read(product.folder) is None
    with pytest.raises(OSError, match="refused"):
        product.get()


def test_it_finishes_requests_and_jobs_under_way_when_it_stops(start: Start) -> None:
    product = start()
    product.wait_until_up()
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(product.get("/slow?seconds=1.5")))
    asking.start()
    product.record(1, kind="tiny.work", seconds=1.5)
    clock.sleep(0.7)
    assert product.stop() == 0
    asking.join()
    assert answers
    again = start(port=product.port)
    again.wait_until_up()
    from tests.supervisor.test_kills import effects

    assert effects(again, "tiny.outside") == {1: 1}


def with_work(product: Running, seconds: int) -> list[int]:
    """Every process of it, a work-horse that works for so long among them."""
    product.record(1, kind="tiny.work", seconds=seconds)
    eventually(lambda: len(product.everything()) >= 9, "a work-horse is at work")
    return product.everything()


def test_it_ends_at_once_at_the_second_signal(start: Start) -> None:
    product = start()
    product.wait_until_up()
    everything = with_work(product, 20)
    began = clock.monotonic()
    product.process.send_signal(signal.SIGINT)
    clock.sleep(0.6)
    assert product.process.poll() is None
    assert product.stop(signal.SIGINT) == 0
    assert clock.monotonic() - began < 3
    assert all_gone(everything)


def test_it_does_not_wait_longer_than_ten_seconds_for_work_that_does_not_end(start: Start) -> None:
    product = start()
    product.wait_until_up()
    everything = with_work(product, 25)
    began = clock.monotonic()
    assert product.stop() == 0
    took = clock.monotonic() - began
    print(f"stopped after {took:.2f} s with a job that does not end")
    assert took < 10
    assert all_gone(everything)


def test_it_leaves_no_process_when_it_is_killed(start: Start) -> None:
    product = start()
    product.wait_until_up()
    everything = with_work(product, 20)
    product.process.kill()
    product.process.wait()
    took = eventually(lambda: all_gone(everything), "every process is gone", 5)
    print(f"killed: nothing left after {took:.2f} s")


def test_it_starts_again_after_it_was_killed_and_tidies_up(start: Start) -> None:
    product = start()
    product.wait_until_up()
    runtime = Path(product.state().runtime)
    everything = product.everything()
    product.process.kill()
    product.process.wait()
    again = start(port=product.port)  # at once, while parts of the first are dying
    eventually(lambda: all_gone(everything), "every process is gone", 5)
    again.wait_until_up()
    assert not runtime.exists()
    assert again.stop() == 0


def test_a_second_one_in_the_same_folder_says_so_and_ends(start: Start) -> None:
    first = start()
    first.wait_until_up()
    second = start(name="data")
    assert second.process.wait(10) == 1
    assert f"already runs in {first.folder} (by process {first.process.pid})" in first.said()
    assert first.answers()
    assert first.process.poll() is None


def test_it_names_an_address_that_is_taken(start: Start) -> None:
    first = start()
    first.wait_until_up()
    second = start(name="other", port=first.port)
    assert second.process.wait(10) == 1
    assert f"cannot listen on 127.0.0.1:{first.port}" in second.said()
    assert lock.read(second.folder) is None


def test_the_second_start_takes_less_than_five_seconds(start: Start) -> None:
    product = start()
    product.wait_until_up()
    assert product.stop() == 0
    again = start(port=product.port)
    took = again.wait_until_up()
    print(f"second start: answers after {took:.2f} s")
    assert took < 8  # 5 on a machine that does nothing else
    assert again.stop() == 0


def test_it_ends_when_it_is_told_to_while_it_starts(start: Start) -> None:
    for pause in (0.2, 0.5, 0.8):
        product = start()
        clock.sleep(pause)
        everything = product.everything()
        assert product.stop() in (0, -signal.SIGTERM)  # by the kernel, before anything began
        assert all_gone(everything)


def test_it_starts_empty_when_the_queue_server_cannot_read_its_files(start: Start) -> None:
    product = start()
    product.wait_until_up()
    product.record(1)
    assert product.stop() == 0
    for file in (product.folder / queue_server.FOLDER).rglob("*.aof"):
        file.write_bytes(b"this is no append-only file\n" * 100)
    again = start(port=product.port)
    again.wait_until_up()
    aside = again.folder.glob(f"{queue_server.FOLDER}.unreadable-*")
    eventually(lambda: any(again.folder.glob(f"{queue_server.FOLDER}.unreadable-*")), "put aside")
    from tests.supervisor.test_kills import effects

    again.record(2)
    eventually(lambda: effects(again).get(2), "the fact took effect")
    assert list(aside)


def test_it_shows_where_it_is_and_what_the_welcome_says(start: Start) -> None:
    product = start()
    product.wait_until_up()
    eventually(lambda: "welcome" in product.said(), "the welcome")
    assert re.search(rf"Portevoix is at http://[\w.]+:{product.port}", product.said())
    assert str(product.process.pid) == (product.folder / lock.LOCK_FILE).read_text()


def test_it_opens_no_thread_and_no_database_before_it_forks(start: Start) -> None:
    product = start()
    product.wait_until_up()
    threads = list(Path(f"/proc/{product.process.pid}/task").iterdir())
    assert len(threads) == 1
    files = []
    for file in Path(f"/proc/{product.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            files.append(os.readlink(file))
    assert files
    assert not [name for name in files if "portevoix.db" in name]


def test_every_process_would_die_with_the_one_that_started_it(start: Start) -> None:
    """Ends each process that has children, from the top, and looks at what stays."""
    product = start()
    product.wait_until_up()
    main = product.part("web")
    workers = [pid for pid in product.everything() if processes.session_of(pid) == main]
    processes.send(main, signal.SIGKILL)
    eventually(lambda: all_gone(workers), "the web workers are gone", 5)


@pytest.mark.parametrize("server", ["gunicorn"])
def test_the_fallback_server_serves_and_is_watched_too(start: Start, server: str) -> None:
    product = start(PORTEVOIX_SERVER=server)
    product.wait_until_up()
    main = product.part("web")
    eventually(lambda: len(children_of(main)) == 2, "both workers are there")
    workers = children_of(main)
    assert int(product.get()) in workers
    processes.send(main, signal.SIGKILL)
    eventually(lambda: all_gone(workers), "its workers are gone", 5)
    eventually(lambda: product.part("web") != main, "it is started again")
    eventually(product.answers, "it answers again")
    home = Path.home() / ".gunicorn"
    assert not (home / "gunicorn.ctl").exists()
    everything = product.everything()
    assert product.stop() == 0
    assert all_gone(everything)


def test_a_wrong_number_of_workers_is_a_wrong_setting(start: Start) -> None:
    product: Running = start(PORTEVOIX_WEB_WORKERS="none")
    assert product.process.wait(10) != 0
    assert "PORTEVOIX_WEB_WORKERS" in product.said()
