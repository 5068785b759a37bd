"""Every verb in any order: a slice of what `make soak` runs at full counts."""

from __future__ import annotations

import random

import pytest

from tests.ledger.life import live


@pytest.mark.usefixtures("books")
def test_no_order_of_moves_breaks_a_balance() -> None:
    seed = random.randrange(1_000_000)
    print(f"lives seed={seed}")
    live(examples=8, steps=40, at=seed)
