"""The lease of those who run once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from app import clock
from app.jobs import lease

LENGTH = dt.timedelta(seconds=10)


def test_it_is_taken_once_and_renewed_by_its_holder(in_app: Flask) -> None:
    assert lease.hold("x", "a", LENGTH)
    assert not lease.hold("x", "b", LENGTH)
    assert lease.hold("x", "a", LENGTH)
    assert lease.hold("y", "b", LENGTH)


def test_it_passes_on_when_it_has_ended(in_app: Flask) -> None:
    clock.freeze(clock.now())
    assert lease.hold("x", "a", LENGTH)
    clock.travel(dt.timedelta(seconds=9))
    assert not lease.hold("x", "b", LENGTH)
    clock.travel(dt.timedelta(seconds=2))
    assert lease.hold("x", "b", LENGTH)
    assert not lease.hold("x", "a", LENGTH)


def test_it_passes_on_at_once_when_it_is_given_back(in_app: Flask) -> None:
    assert lease.hold("x", "a", LENGTH)
    lease.release("x", "somebody else")
    assert not lease.hold("x", "b", LENGTH)
    lease.release("x", "a")
    assert lease.hold("x", "b", LENGTH)


def test_it_goes_to_one_of_many_who_ask_at_once(app: Flask) -> None:
    def ask(holder: int) -> bool:
        with app.app_context():
            return lease.hold("x", str(holder), LENGTH)

    for _ in range(3):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(8)))
        assert sum(answers) == 1
        with app.app_context():
            lease.release("x", str(answers.index(True)))
