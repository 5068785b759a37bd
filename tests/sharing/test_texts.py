"""A slice of the texts (`make soak` has them all), and that the generator covers what it says."""

from __future__ import annotations

import os
from collections import Counter

from app.integrations.linkedin.little import MAX_UNITS
from standin.linkedin import StandIn
from tests.conftest import House
from tests.sharing import texts


def test_members_read_what_the_preview_promised(any_house: House, standin: StandIn) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    report = texts.check(any_house, standin, seed, 25)
    print(report)
    assert report.equal == report.texts == 25


def test_the_texts_have_every_piece_and_fill_the_room() -> None:
    """Twenty seeds of fifty: each family in a hundred texts at least, the limit met exactly."""
    told = [one for seed in range(20) for one in texts.texts(seed, 50)]
    families = Counter(name for one in told for name in one.families)
    assert len(told) == 1000 and len({one.read for one in told}) == 1000
    assert set(families) == {*texts.PIECES, "any sign"} and min(families.values()) >= 100
    lengths = [texts.units(one.post) for one in told]
    assert lengths.count(MAX_UNITS) >= 50 and max(lengths) == MAX_UNITS
    assert sum(one.typed != one.read for one in told) >= 500
    for sign in texts.RESERVED:
        assert sum(sign in one.read for one in told) >= 100, sign
