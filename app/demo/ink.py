"""The pens of the demo's pictures: a sheet drawn at twice its size, and the light it stands in.

Lengths and places are in pixels of the finished picture, from its upper left corner.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

SIZE = (1600, 1000)
_SCALE = 2  # drawn larger, for smooth edges
_FIGURES = Path(__file__).parents[2] / "static" / "fonts" / "bricolage-grotesque.woff2"
Inks = dict[str, str]
Point = tuple[float, float]
Chance = random.Random


@dataclass(frozen=True, slots=True)
class Light:
    """Which ink is what at one hour of the day; `far` to `near` go from pale to strong."""

    sky: str
    sun: str
    far: str
    middle: str
    near: str
    ground: str
    figure: str
    accent: str
    is_dark: bool


_HOURS: tuple[tuple[str, ...], ...] = (
    ("paper", "voice", "brand_ink_dark", "solid", "brand_ink", "brand_ink_dark", "ink", "voice"),
    ("voice_wash", "voice", "brand_ink_dark", "solid", "deep", "brand_ink", "ink", "voice"),
    ("deep", "voice", "brand_ink", "solid", "brand_ink_dark", "ink", "on_deep", "voice"),
    ("voice", "paper", "brand_ink_dark", "solid", "deep", "deep", "ink", "paper"),
    ("wash", "paper", "brand_ink_dark", "solid", "brand_ink", "deep", "ink", "voice"),
    ("brand_ink_dark", "voice_wash", "wash", "solid", "deep", "brand_ink", "ink", "voice"),
)
DAY, DAWN, NIGHT, NOON, MIST, SPRING = range(len(_HOURS))


def light_of(inks: Inks, hour: int) -> Light:
    """The light of an hour, counted round and round."""
    at = hour % len(_HOURS)
    sky, sun, far, middle, near, ground, figure, accent = (inks[name] for name in _HOURS[at])
    return Light(sky, sun, far, middle, near, ground, figure, accent, is_dark=at == NIGHT)


class Sheet:
    """Paper of 1,600 by 1,000."""

    def __init__(self, ground: str) -> None:
        self._image = Image.new("RGB", (SIZE[0] * _SCALE, SIZE[1] * _SCALE), ground)
        self._pen = ImageDraw.Draw(self._image)

    def finished(self) -> Image.Image:
        """The picture at its size."""
        return self._image.reduce(_SCALE)

    def mirror(self) -> None:
        """Left becomes right, in what is drawn so far."""
        self._image = ImageOps.mirror(self._image)
        self._pen = ImageDraw.Draw(self._image)

    def poly(self, ink: str, *points: Point) -> None:
        self._pen.polygon([(x * _SCALE, y * _SCALE) for x, y in points], ink)

    def box(self, ink: str, x0: float, y0: float, x1: float, y1: float, r: float = 0) -> None:
        """A rectangle between two corners, rounded by `r`."""
        corners = (x0 * _SCALE, y0 * _SCALE, x1 * _SCALE, y1 * _SCALE)
        if r:
            self._pen.rounded_rectangle(corners, r * _SCALE, ink)
        else:
            self._pen.rectangle(corners, ink)

    def line(self, ink: str, width: float, *points: Point) -> None:
        at = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._pen.line(at, ink, max(round(width * _SCALE), 1), joint="curve")

    def disc(self, ink: str, x: float, y: float, r: float) -> None:
        self._pen.ellipse([v * _SCALE for v in (x - r, y - r, x + r, y + r)], ink)

    def ring(self, ink: str, width: float, x: float, y: float, r: float) -> None:
        at = [v * _SCALE for v in (x - r, y - r, x + r, y + r)]
        self._pen.ellipse(at, None, ink, round(width * _SCALE))

    def slice(self, ink: str, x: float, y: float, r: float, start: float, end: float) -> None:
        """A part of a disc, in degrees clockwise from three o'clock."""
        at = [v * _SCALE for v in (x - r, y - r, x + r, y + r)]
        self._pen.pieslice(at, start, end, ink)

    def number(self, ink: str, size: float, x: float, y: float, value: int) -> None:
        """A figure that begins at x and is centred on y, in the house's display face."""
        font = ImageFont.truetype(str(_FIGURES), size * _SCALE)
        self._pen.text((x * _SCALE, y * _SCALE), str(value), ink, font, anchor="lm")


def person(
    sheet: Sheet, head: str, body: str, x: float, ground: float, tall: float, helmet: str = ""
) -> None:
    """Somebody standing, `tall` high, with a helmet where it has an ink."""
    r = tall * 0.105
    wide, hip, top = tall * 0.155, ground - tall * 0.44, ground - tall * 0.77
    sheet.disc(head, x, ground - tall + r, r)
    if helmet:
        sheet.slice(helmet, x, ground - tall + r * 0.92, r * 1.22, 180, 360)
        sheet.box(helmet, x - r * 1.5, ground - tall + r * 0.8, x + r * 1.5, ground - tall + r)
    sheet.box(body, x - wide, top, x + wide, hip, wide * 0.9)
    sheet.box(body, x - wide, top + wide, x + wide, hip)
    sheet.box(body, x - wide * 0.72, hip - 2, x - wide * 0.12, ground)
    sheet.box(body, x + wide * 0.12, hip - 2, x + wide * 0.72, ground)


def ridge(chance: Chance, base: float, height: float, steps: int) -> list[Point]:
    """The outline of a range of mountains, from the left edge to the right one."""
    wide = SIZE[0] / steps
    points = []
    for step in range(steps + 1):
        lift = height * chance.uniform(0.55, 1.0) if step % 2 else height * chance.uniform(0, 0.3)
        shift = 0 if step in (0, steps) else wide * chance.uniform(-0.25, 0.25)
        points.append((step * wide + shift, base - lift))
    return points


def hill(base: float, height: float, phase: float, waves: float) -> list[Point]:
    """The outline of soft ground, from the left edge to the right one."""
    return [
        (x, base - height * math.sin(phase + x * waves * math.tau / SIZE[0]))
        for x in range(0, SIZE[0] + 1, 40)
    ]


def down_to_foot(outline: Sequence[Point]) -> list[Point]:
    """An outline made a surface that reaches the lower edge."""
    return [*outline, (SIZE[0], SIZE[1]), (0, SIZE[1])]


def fir(sheet: Sheet, ink: str, trunk: str, x: float, ground: float, tall: float) -> None:
    """A conifer in three storeys."""
    sheet.box(trunk, x - tall * 0.025, ground - tall * 0.2, x + tall * 0.025, ground)
    for storey, wide in enumerate((0.22, 0.17, 0.11)):
        foot = ground - tall * (0.1 + 0.25 * storey)
        sheet.poly(ink, (x - tall * wide, foot), (x, foot - tall * 0.42), (x + tall * wide, foot))


def crown(sheet: Sheet, ink: str, trunk: str, x: float, ground: float, tall: float) -> None:
    """A broad tree."""
    sheet.box(trunk, x - tall * 0.03, ground - tall * 0.5, x + tall * 0.03, ground)
    for dx, dy, r in ((0, 0.72, 0.28), (-0.2, 0.58, 0.2), (0.21, 0.6, 0.19)):
        sheet.disc(ink, x + dx * tall, ground - dy * tall, r * tall)
