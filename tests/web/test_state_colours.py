"""Colours that say a state: their own whatever the brand, and readable in both schemes."""

from __future__ import annotations

import re

import pytest

from app.settings.palette import _hex
from app.web.pages import STATIC

TOKENS = (STATIC / "css" / "tokens.css").read_text()
COLOUR = r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)"


def schemes(token: str) -> tuple[float, float]:
    """The luminance (WCAG 2.2) of a token in the light and in the dark scheme."""
    found = re.search(rf"--{token}: light-dark\({COLOUR}, {COLOUR}\);", TOKENS)
    assert found is not None, f"--{token} depends on something else than itself"
    values = [float(value) for value in found.groups()]
    return luminance(*values[:3]), luminance(*values[3:])


def luminance(lightness: float, chroma: float, hue: float) -> float:
    colour = _hex(lightness, chroma, hue)
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("state", ["ok", "stop"])
def test_a_state_is_readable_on_its_own_wash_whatever_the_brand(state: str) -> None:
    for ink, wash in zip(schemes(state), schemes(f"{state}-wash"), strict=True):
        low, high = sorted((ink, wash))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_done_thing_and_a_danger_have_washes_of_different_hues() -> None:
    hues = [
        re.search(rf"--{name}-wash: light-dark\({COLOUR}", TOKENS)[3] for name in ("ok", "stop")
    ]
    assert abs(float(hues[0]) - float(hues[1])) > 90
