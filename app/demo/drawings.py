"""Pictures of the demo, drawn in Halvenne's two inks: what is built, and who built it.

Every drawing is 1,600 by 1,000 pixels and the same at each start.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw

from app.settings.palette import palette

SIZE = (1600, 1000)
_SCALE = 2  # drawn larger, for smooth edges
Pen = ImageDraw.ImageDraw
Inks = dict[str, str]
Point = tuple[float, float]


def _sheet(ground: str) -> tuple[Image.Image, Pen]:
    image = Image.new("RGB", (SIZE[0] * _SCALE, SIZE[1] * _SCALE), ground)
    return image, ImageDraw.Draw(image)


def _at(*points: Point) -> list[Point]:
    return [(x * _SCALE, y * _SCALE) for x, y in points]


def _line(pen: Pen, ink: str, width: float, *points: Point) -> None:
    pen.line(_at(*points), ink, max(round(width * _SCALE), 1), joint="curve")


def _disc(pen: Pen, ink: str, x: float, y: float, r: float) -> None:
    pen.ellipse([v * _SCALE for v in (x - r, y - r, x + r, y + r)], ink)


def _person(pen: Pen, head: str, body: str, x: float, ground: float, tall: float) -> None:
    """Somebody standing, `tall` pixels high."""
    r = tall * 0.13
    _disc(pen, head, x, ground - tall + r, r)
    shoulder = ground - tall + 2.2 * r
    pen.polygon(
        _at((x - r * 1.5, shoulder + r), (x - r, shoulder), (x + r, shoulder),
            (x + r * 1.5, shoulder + r), (x + r * 0.9, ground), (x - r * 0.9, ground)), body,
    )  # fmt: skip


def hall(inks: Inks, chance: random.Random) -> Image.Image:
    """A hall seen from inside: frames one behind the other, a sun at the end."""
    image, pen = _sheet(inks["paper"])
    cx, cy = 900.0 + chance.randint(-120, 120), 560.0
    _disc(pen, inks["voice"], cx, cy, 290)
    pen.polygon(_at((0, 1000), (0, 940), (cx - 95, 745), (cx + 95, 745), (1600, 900), (1600, 1000)),
                inks["brand_ink_dark"])  # fmt: skip
    for number in range(7):
        scale = 0.12 * 1.52**number
        w, h, ridge = 700 * scale, 390 * scale, 620 * scale
        left, right, floor = cx - w, cx + w, cy + 155 + 110 * scale
        ink, width = inks["brand_ink"], 5 + 26 * scale
        top = floor - h
        _line(
            pen,
            ink,
            width,
            (left, floor),
            (left, top),
            (cx, floor - ridge),
            (right, top),
            (right, floor),
        )
        _line(pen, ink, width * 0.55, (left, top), (right, top))
        _line(
            pen,
            ink,
            width * 0.4,
            (left + w * 0.3, top),
            (cx, floor - ridge * 0.97),
            (right - w * 0.3, top),
        )
    for _ in range(3):
        x = cx + chance.randint(-240, 260)
        _person(
            pen,
            inks["ink"],
            chance.choice((inks["ink"], inks["voice"])),
            x,
            830,
            chance.randint(110, 140),
        )
    return image


def mountain(inks: Inks, chance: random.Random) -> Image.Image:
    """Roofs under the snow, with a range behind."""
    image, pen = _sheet(inks["voice_wash"])
    _disc(pen, inks["voice"], 1180, 300, 150)
    for level, ink in enumerate((inks["brand_ink_dark"], inks["solid"], inks["deep"])):
        base, points = 620 + 120 * level, [(0.0, 1000.0)]
        for step in range(9):
            lift = chance.randint(60, 320) / (level + 1)
            points.append((step * 200.0, base - (lift if step % 2 else lift / 3)))
        pen.polygon(_at(*points, (1600, 1000)), ink)
    for x, w in ((260, 360), (700, 460), (1240, 300)):
        y = 860
        pen.polygon(_at((x - w / 2, y), (x, y - w * 0.45), (x + w / 2, y)), inks["paper"])
        pen.rectangle(_at((x - w * 0.4, y), (x + w * 0.4, 1000)), inks["brand_ink"])
        pen.rectangle(_at((x - w * 0.08, y + 40), (x + w * 0.08, y + 110)), inks["voice"])
    return image


def rings(inks: Inks, chance: random.Random) -> Image.Image:
    """The end of a trunk: its years, and one that was marked."""
    image, pen = _sheet(inks["wash"])
    cx, cy, marked = 620.0, 520.0, chance.randint(5, 9)
    for number in range(15, 0, -1):
        r = number * 42 + chance.randint(-6, 6)
        ink = inks["voice"] if number == marked else inks["paper"] if number % 2 else inks["wash"]
        outline = [
            (cx + (r + 9 * math.sin(3 * a + number)) * math.cos(a),
             cy + (r + 7 * math.cos(2 * a + number)) * 0.92 * math.sin(a))
            for a in (step * math.tau / 120 for step in range(120))
        ]  # fmt: skip
        pen.polygon(_at(*outline), ink)
        _line(pen, inks["brand_ink"], 4, *outline, outline[0])
    _line(pen, inks["ink"], 6, (cx, cy), (1420, 240))
    _disc(pen, inks["ink"], cx, cy, 12)
    return image


def bench(inks: Inks, chance: random.Random) -> Image.Image:
    """A joint on the bench: two pieces that fit, a pencil line between."""
    image, pen = _sheet(inks["deep"])
    pen.rectangle(_at((0, 760), (1600, 1000)), inks["brand_ink"])
    gap = chance.randint(40, 110)
    left = (
        (120, 330),
        (720, 330),
        (720, 430),
        (900, 430),
        (900, 560),
        (720, 560),
        (720, 660),
        (120, 660),
    )
    right = (
        (1480, 330),
        (720 + gap, 330),
        (720 + gap, 430),
        (900 + gap, 430),
        (900 + gap, 560),
        (720 + gap, 560),
        (720 + gap, 660),
        (1480, 660),
    )
    pen.polygon(_at(*left), inks["voice"])
    pen.polygon(_at(*right), inks["paper"])
    for y in (400, 470, 540, 600):
        _line(pen, inks["brand_ink"], 2, (150, y), (690, y + chance.randint(-8, 8)))
        _line(pen, inks["brand_ink_dark"], 2, (930 + gap, y), (1450, y + chance.randint(-8, 8)))
    _line(pen, inks["on_deep"], 3, (80, 250), (1520, 250))
    pen.polygon(_at((1180, 740), (1220, 700), (1500, 880), (1460, 910)), inks["on_deep"])
    return image


def people(inks: Inks, chance: random.Random) -> Image.Image:
    """A team in a row before a wall of timber."""
    image, pen = _sheet(inks["wash"])
    for x in range(0, 1600, 100):
        pen.rectangle(
            _at((x + 6, 120), (x + 94, 760)),
            inks["paper"] if (x // 100) % 2 else inks["brand_ink_dark"],
        )
    pen.rectangle(_at((0, 760), (1600, 1000)), inks["brand_ink"])
    for number in range(7):
        tall = chance.randint(330, 430)
        ink = (
            inks["voice"]
            if number == 3
            else chance.choice((inks["deep"], inks["solid"], inks["ink"]))
        )
        _person(pen, inks["ink"], ink, 220 + number * 190, 860, tall)
    return image


DRAWINGS: dict[str, Callable[[Inks, random.Random], Image.Image]] = {
    "hall": hall, "mountain": mountain, "rings": rings, "bench": bench, "people": people,
}  # fmt: skip


def draw(name: str, brand: str, seed: int) -> bytes:
    """One drawing as PNG."""
    image = DRAWINGS[name](palette(brand), random.Random(seed))  # nosec B311
    out = io.BytesIO()
    image.resize(SIZE, Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()
