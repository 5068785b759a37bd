"""A slice of the shuffled replays; all of them run in `make soak`."""

from __future__ import annotations

import random

import pytest

from tests import replays
from tests.conftest import House


@pytest.mark.parametrize("slice_", range(4))
def test_shuffled_replays_end_as_the_orderly_delivery(house: House, slice_: int) -> None:
    seeds = [random.SystemRandom().randrange(10**9) for _ in range(4)]
    print("seeds", seeds)
    for seed in seeds:
        replays.replay(house, seed)
    assert replays.verified()


def test_replays_that_arrive_while_others_are_processed_end_alike(any_house: House) -> None:
    seeds = [random.SystemRandom().randrange(10**9) for _ in range(3)]
    print("seeds", seeds)
    for seed in seeds:
        replays.replay(any_house, seed, in_threads=True)
    assert replays.verified()
