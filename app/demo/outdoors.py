"""What Halvenne draws outside: mountains, forests, sites, schools, bridges, the harbour."""

from __future__ import annotations

import math
from itertools import pairwise

from app.demo.ink import (
    SIZE,
    Chance,
    Inks,
    Light,
    Point,
    Sheet,
    crown,
    down_to_foot,
    fir,
    hill,
    light_of,
    person,
    ridge,
)


def mountain(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Three roofs under the snow, with a range behind."""
    hour = seed - 10
    light = light_of(inks, hour)
    sheet = Sheet(light.sky)
    sheet.disc(
        light.sun, chance.randint(380, 1220), chance.randint(230, 330), chance.randint(90, 160)
    )
    far = ridge(chance, 640, 420, chance.choice((6, 7, 8)))
    sheet.poly(light.far, *down_to_foot(far))
    for before, top, after in zip(far, far[1:], far[2:], strict=False):
        if top[1] < before[1] - 80 and top[1] < after[1] - 80:
            cap = inks["voice"] if light.sky == inks["paper"] else inks["paper"]
            _snow(sheet, cap, before, top, after)
    sheet.poly(light.middle, *down_to_foot(ridge(chance, 740, 190, 9)))
    snow = inks["on_deep_soft"] if light.is_dark else inks["paper"]
    sheet.poly(snow, *down_to_foot(hill(850, 40, chance.uniform(0, 6), 1.2)))
    for x in (150, 520, 1080, 1480):
        fir(sheet, inks["brand_ink"], inks["ink"], x + chance.randint(-50, 50), 900,
            chance.randint(170, 290))  # fmt: skip
    for x, w in ((330, 300), (790, 440), (1240, 330)):
        _chalet(sheet, inks, x + chance.randint(-50, 50), w * chance.uniform(0.85, 1.1))
    if seed % 3 == 0:
        _flakes(sheet, inks["paper"], chance)
    return sheet


def _snow(sheet: Sheet, ink: str, before: Point, top: Point, after: Point) -> None:
    """A cap on a summit, with a jagged hem."""

    def towards(end: Point, part: float) -> Point:
        return top[0] + (end[0] - top[0]) * part, top[1] + (end[1] - top[1]) * part

    left, right = towards(before, 0.36), towards(after, 0.36)
    low = max(left[1], right[1])
    sheet.poly(ink, left, top, right, (top[0] + (right[0] - top[0]) * 0.4, low - 24),
               (top[0], low + 16), (top[0] + (left[0] - top[0]) * 0.4, low - 18))  # fmt: skip


def _chalet(sheet: Sheet, inks: Inks, x: float, w: float) -> None:
    y = 830
    sheet.box(inks["brand_ink"], x - w * 0.4, y - 10, x + w * 0.4, 960)
    for board in range(-3, 4):
        sheet.line(inks["deep"], 3, (x + board * w * 0.1, y), (x + board * w * 0.1, 960))
    sheet.poly(inks["brand_ink"], (x - w * 0.4, y), (x, y - w * 0.36), (x + w * 0.4, y))
    sheet.poly(inks["paper"], (x - w * 0.54, y + 18), (x, y - w * 0.4), (x + w * 0.54, y + 18),
               (x + w * 0.54, y - 42), (x, y - w * 0.4 - 76), (x - w * 0.54, y - 42))  # fmt: skip
    sheet.box(inks["voice"], x - w * 0.09, y + 20, x + w * 0.09, y + 96)
    sheet.line(inks["brand_ink"], 5, (x, y + 20), (x, y + 96))


def _flakes(sheet: Sheet, ink: str, chance: Chance) -> None:
    for _ in range(90):
        sheet.disc(ink, chance.randint(0, 1600), chance.randint(0, 900), chance.uniform(3, 8))


def forest(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Trunks one behind the other, a light between them, one tree marked, a walker."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    sheet.disc(
        light.sun, chance.randint(480, 1120), chance.randint(330, 480), chance.randint(180, 270)
    )
    if (seed // 6) % 2:
        return _firs(sheet, inks, light, chance)
    front = inks["brand_ink_dark"] if light.is_dark else inks["deep"]
    for depth, ink in enumerate((light.far, light.middle, front)):
        foot = 780 + 70 * depth
        sheet.poly(ink, *down_to_foot(hill(foot, 22, chance.uniform(0, 6), 1.5)))
        _trunks(sheet, ink, chance, depth, foot)
    x = chance.choice((430, 1130))
    w = 34
    sheet.poly(inks["brand_ink"], (x - w, 960), (x - w * 0.8, 0), (x + w * 0.8, 0), (x + w, 960))
    sheet.box(light.accent, x - w * 0.92, 470, x + w * 0.92, 540)
    person(sheet, light.figure, light.accent, 800 + chance.randint(-70, 70), 950, 230)
    return sheet


def _trunks(sheet: Sheet, ink: str, chance: Chance, depth: int, foot: float) -> None:
    x = chance.randint(-40, 60)
    while x < SIZE[0]:
        w = (9, 15, 24)[depth] * chance.uniform(0.7, 1.3)
        sheet.poly(ink, (x - w, foot + 60), (x - w * 0.7, 0), (x + w * 0.7, 0), (x + w, foot + 60))
        for _ in range(2):
            y, side = chance.randint(60, 560), chance.choice((-1, 1))
            sheet.line(ink, w * 0.45, (x, y), (x + side * w * 4, y - w * 3))
        x += round((70, 130, 330)[depth] * chance.uniform(0.7, 1.4))


def _firs(sheet: Sheet, inks: Inks, light: Light, chance: Chance) -> Sheet:
    front = inks["solid"] if light.is_dark else inks["deep"]
    for depth, ink in enumerate((light.far, light.middle, front)):
        base = 600 + 130 * depth
        sheet.poly(ink, *down_to_foot(hill(base, 30, chance.uniform(0, 6), 1.1)))
        x = chance.randint(-30, 60)
        while x < SIZE[0] + 60:
            fir(sheet, ink, ink, x, base + 50, chance.randint(190, 300) + 70 * depth)
            x += round((85, 150, 300)[depth] * chance.uniform(0.8, 1.3))
    fir(sheet, light.accent, inks["brand_ink"], chance.choice((560, 1000)), 930, 420)
    person(sheet, inks["on_deep"], inks["brand_ink_dark"], 800 + chance.randint(-40, 40), 950, 200)
    return sheet


def school(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A timber building with lit windows, trees beside it, children in the yard."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    sheet.disc(light.sun, chance.choice((360, 1240)), 240, chance.randint(80, 130))
    is_dark = light.sky in (inks["deep"], inks["brand_ink_dark"])
    sheet.poly(light.far if not is_dark else inks["solid"],
               *down_to_foot(hill(640, 60, chance.uniform(0, 6), 1)))  # fmt: skip
    left, right = 250 - chance.randint(0, 60), 1350 + chance.randint(0, 60)
    top = 420 + chance.randint(-30, 30)
    slates = inks["solid"] if light.is_dark else inks["deep"]
    _roof(sheet, inks, slates, (seed // 6) % 3, (left, right), top)
    wall = inks["brand_ink_dark"] if light.is_dark else inks["brand_ink"]
    sheet.box(wall, left, top, right, 800)
    for x in range(round(left) + 24, round(right), 24):
        sheet.line(inks["solid"], 3, (x, top), (x, 800))
    _panes(sheet, inks, chance, (left, right), top)
    yard = inks["deep"] if light.ground == wall else light.ground
    sheet.box(yard, 0, 800, 1600, 1000)
    is_pale = yard == inks["brand_ink_dark"]
    for x in (left - 60, right + 50):
        crown(sheet, inks["solid"], inks["ink"], x, 830, chance.randint(300, 400))
    for number in range(4 + seed % 3):
        x = 360 + number * 190 + chance.randint(-60, 60)
        tall = chance.choice((110, 120, 130, 190))
        third = inks["deep"] if is_pale else inks["brand_ink_dark"]
        body = chance.choice((inks["voice"], inks["paper"], third))
        person(
            sheet,
            inks["ink"] if is_pale else inks["on_deep"],
            body,
            x,
            880 + chance.randint(0, 40),
            tall,
        )
    return sheet


def _roof(sheet: Sheet, inks: Inks, ink: str, shape: int, sides: Point, top: float) -> None:
    """One slope (0), two (1) or the teeth of a workshop (2)."""
    left, right = sides
    if shape == 0:
        sheet.poly(ink, (left - 40, top + 10), (left - 40, top - 40), (right + 40, top - 190),
                   (right + 40, top + 10))  # fmt: skip
    elif shape == 1:
        middle = (left + right) / 2
        sheet.poly(ink, (left - 50, top + 10), (middle, top - 230), (right + 50, top + 10))
        sheet.disc(inks["voice"], middle, top - 85, 46)
    else:
        wide = (right - left) / 4
        for number in range(4):
            x = left + number * wide
            sheet.poly(ink, (x, top + 4), (x, top - 150), (x + wide, top + 4))
            sheet.poly(
                inks["voice"], (x + 16, top - 14), (x + 16, top - 108), (x + wide * 0.55, top - 14)
            )


def _panes(sheet: Sheet, inks: Inks, chance: Chance, sides: Point, top: float) -> None:
    left, right = sides
    count = chance.choice((5, 6, 7))
    wide = (right - left) / count
    door = count // 2
    for number in range(count):
        x = left + number * wide + wide * 0.17
        ink = inks["voice"] if chance.random() < 0.65 else inks["voice_wash"]
        if number == door:
            sheet.box(inks["paper"], x, 560, x + wide * 0.66, 800)
            sheet.line(inks["brand_ink"], 6, (x + wide * 0.33, 560), (x + wide * 0.33, 800))
            continue
        sheet.box(ink, x, top + 60, x + wide * 0.66, 700)
        sheet.line(inks["brand_ink"], 6, (x + wide * 0.33, top + 60), (x + wide * 0.33, 700))
        sheet.line(inks["brand_ink"], 6, (x, top + 160), (x + wide * 0.66, top + 160))


def bridge(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A footbridge of timber over a river, with two people on it."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    sheet.disc(
        light.sun, chance.randint(420, 1180), chance.randint(230, 330), chance.randint(110, 170)
    )
    back = light.far if light.far != light.sky else inks["solid"]
    sheet.poly(back, *down_to_foot(hill(560, 70, chance.uniform(0, 6), 1.3)))
    water = inks["wash"] if light.sky != inks["wash"] else inks["paper"]
    water = inks["brand_ink"] if light.is_dark else water
    sheet.box(water, 0, 740, 1600, 1000)
    _waves(sheet, light.middle if water != light.middle else inks["solid"], chance)
    wood = (
        inks["voice"] if light.sky in (inks["deep"], inks["brand_ink_dark"]) else inks["brand_ink"]
    )
    for x, side in ((0, 1), (1600, -1)):
        sheet.poly(inks["ink"] if light.is_dark else inks["deep"],
                   (x, 1000), (x, 590), (x + side * 190, 600), (x + side * 330, 1000))  # fmt: skip
    _span(sheet, wood, (seed // 6) % 3)
    crown(sheet, inks["solid"], inks["ink"], chance.choice((90, 1510)), 610, 330)
    for x in (chance.randint(480, 700), chance.randint(800, 1100)):
        person(sheet, light.figure, light.accent if x < 700 else light.figure, x, 580, 130)
    sheet.box(wood, 120, 580, 1480, 612)
    return sheet


def _span(sheet: Sheet, ink: str, shape: int) -> None:
    """An arch below (0), a lattice above (1) or stays from two masts (2)."""
    if shape == 0:
        bow = [(800 + 620 * math.cos(a), 850 - 230 * math.sin(a))
               for a in (math.pi - step * math.pi / 24 for step in range(25))]  # fmt: skip
        sheet.line(ink, 24, *bow)
        for x, y in bow[2:-2:2]:
            sheet.line(ink, 9, (x, 600), (x, y))
        sheet.line(ink, 8, (150, 520), (1450, 520))
        for x in range(150, 1451, 130):
            sheet.line(ink, 8, (x, 520), (x, 600))
    elif shape == 1:
        sheet.line(ink, 16, (150, 600), (280, 400), (1320, 400), (1450, 600))
        steps = [(280 + 130 * n, 400 if n % 2 == 0 else 600) for n in range(9)]
        for before, after in pairwise(steps):
            sheet.line(ink, 10, before, after)
        for x in range(280, 1321, 260):
            sheet.line(ink, 9, (x, 400), (x, 600))
    else:
        for x in (460, 1140):
            sheet.line(ink, 26, (x, 900), (x, 190))
            for far in (110, 210, 310):
                sheet.line(ink, 6, (x, 210), (x - far, 600))
                sheet.line(ink, 6, (x, 210), (x + far, 600))


def _waves(sheet: Sheet, ink: str, chance: Chance) -> None:
    for _ in range(26):
        x, y, long = chance.randint(-50, 1600), chance.randint(765, 985), chance.randint(60, 190)
        sheet.line(ink, 5, (x, y), (x + long, y))


def crane(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A site: a frame that grows, a wall in the air, three people who guide it."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    is_left = seed % 2 == 0
    sun = (chance.randint(280, 380), chance.randint(120, 190))
    sheet.disc(light.sun, 1050 if is_left else 520, *sun)
    back = light.far if light.far != light.sky else inks["solid"]
    sheet.poly(back, *down_to_foot(hill(760, 40, chance.uniform(0, 6), 1.4)))
    sheet.box(light.ground, 0, 860, 1600, 1000)
    x0 = 240 if is_left else 780
    _skeleton(sheet, light.near, chance.choice((2, 3)), x0)
    hook = (1130 if is_left else 470) + chance.randint(-40, 40)
    _mast(sheet, inks, light, hook, is_left)
    _load(sheet, inks, light, (seed // 6) % 3, hook, 400 + chance.randint(0, 70))
    _crew(sheet, inks, light, chance, hook)
    return sheet


def _crew(sheet: Sheet, inks: Inks, light: Light, chance: Chance, x: float) -> None:
    """Three people in helmets, below what hangs at x."""
    head = inks["ink"] if light.ground == inks["brand_ink_dark"] else inks["on_deep"]
    for dx, name in ((-210, "voice"), (20, "paper"), (190, "brand_ink_dark")):
        body = inks["solid"] if inks[name] == light.ground else inks[name]
        at = x + dx + chance.randint(-30, 30)
        person(sheet, head, body, at, 930, 210, inks["voice"])


def _skeleton(sheet: Sheet, ink: str, floors: int, x0: float) -> None:
    """Posts, beams and braces of a building without walls."""
    bay, high = 190, 190
    top = 860 - floors * high
    for number in range(4):
        sheet.line(ink, 22, (x0 + number * bay, 860), (x0 + number * bay, top))
    for floor in range(1, floors + 1):
        y = 860 - floor * high
        sheet.line(ink, 22, (x0 - 11, y), (x0 + 3 * bay + 11, y))
        sheet.line(ink, 9, (x0 + bay * (floor % 3), y), (x0 + bay * (floor % 3 + 1), y + high))
    sheet.line(
        ink, 18, (x0 - 40, top + 8), (x0 + bay * 1.5, top - 150), (x0 + bay * 3 + 40, top + 8)
    )


def _mast(sheet: Sheet, inks: Inks, light: Light, hook: float, is_left: bool) -> None:
    ink = inks["on_deep_soft"] if light.is_dark else inks["ink"]
    x = 1440 if is_left else 160
    sheet.line(ink, 8, (x - 22, 860), (x - 22, 90))
    sheet.line(ink, 8, (x + 22, 860), (x + 22, 90))
    steps = [(x + (22 if n % 2 else -22), 860 - n * 44) for n in range(18)]
    sheet.line(ink, 5, *steps)
    far = hook - 160 if is_left else hook + 160
    sheet.line(ink, 12, (x + (150 if is_left else -150), 120), (far, 120))
    sheet.line(ink, 4, (x, 50), (far, 118))
    sheet.line(ink, 4, (x, 50), (x + (150 if is_left else -150), 118))
    sheet.line(ink, 5, (hook, 120), (hook, 300))


def _load(sheet: Sheet, inks: Inks, light: Light, shape: int, x: float, y: float) -> None:
    """What hangs: a wall with windows (0), a truss (1) or a bare panel (2)."""
    rope = inks["on_deep_soft"] if light.is_dark else inks["ink"]
    reach, low = (120, y + 60) if shape == 1 else (170, y)
    sheet.line(rope, 4, (x - reach, low), (x, 295), (x + reach, low))
    wood = inks["voice"] if light.sky != inks["voice"] else inks["paper"]
    if shape == 1:
        sheet.line(
            wood, 22, (x - 240, y + 130), (x, y - 10), (x + 240, y + 130), (x - 240, y + 130)
        )
        sheet.line(wood, 12, (x - 120, y + 130), (x - 120, y + 60), (x, y + 130), (x + 120, y + 60),
                   (x + 120, y + 130))  # fmt: skip
        sheet.line(wood, 12, (x, y), (x, y + 130))
        return
    sheet.box(wood, x - 230, y, x + 230, y + 230)
    for board in range(-3, 4):
        sheet.line(inks["brand_ink"], 3, (x + board * 58, y), (x + board * 58, y + 230))
    if shape == 0:
        for dx in (-150, 50):
            sheet.box(light.sky, x + dx, y + 60, x + dx + 110, y + 170)


def harbour(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Boats before a timber hall on the quay, a lighthouse at the end of the mole."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    sun = (chance.randint(620, 1000), chance.randint(250, 360), chance.randint(110, 180))
    sheet.disc(light.sun, *sun)
    wall = inks["solid"] if light.is_dark else inks["brand_ink"]
    for number in range(3):
        _gable(sheet, inks, light, wall, 180 + number * 260, number == seed % 3)
    _lighthouse(sheet, inks, light, wall)
    sheet.box(inks["ink"], 0, 690, 1600, 740)
    sheet.box(inks["brand_ink"] if light.is_dark else inks["solid"], 0, 740, 1600, 1000)
    _waves(sheet, inks["brand_ink_dark"], chance)
    for number in range(3):
        _boat(sheet, inks, chance, 350 + number * 420 + chance.randint(-70, 70))
    for _ in range(4):
        _gull(sheet, light.figure, chance.randint(300, 1300), chance.randint(120, 280))
    return sheet


def _gable(sheet: Sheet, inks: Inks, light: Light, wall: str, x: float, is_lit: bool) -> None:
    sheet.box(wall, x, 470, x + 260, 700)
    slates = inks["brand_ink_dark"] if light.is_dark else inks["deep"]
    sheet.poly(slates, (x - 12, 476), (x + 130, 330), (x + 272, 476))
    sheet.box(inks["voice"] if is_lit else inks["voice_wash"], x + 60, 530, x + 200, 700)
    sheet.line(wall, 8, (x + 130, 530), (x + 130, 700))


def _lighthouse(sheet: Sheet, inks: Inks, light: Light, wall: str) -> None:
    tower = inks["paper"] if light.sky != inks["paper"] else inks["brand_ink_dark"]
    sheet.poly(tower, (1340, 700), (1362, 320), (1428, 320), (1450, 700))
    sheet.box(inks["voice"], 1352, 250, 1438, 322)
    sheet.poly(wall, (1340, 252), (1395, 196), (1450, 252))
    sheet.poly(wall, (1353, 480), (1437, 480), (1440, 540), (1350, 540))


def _boat(sheet: Sheet, inks: Inks, chance: Chance, x: float) -> None:
    y, w = 850 + chance.randint(-20, 70), chance.randint(130, 180)
    sail = chance.choice((inks["paper"], inks["voice"], inks["voice_wash"]))
    sheet.line(inks["ink"], 8, (x, y), (x, y - w * 1.9))
    sheet.poly(sail, (x + 10, y - 30), (x + 10, y - w * 1.85), (x + w * 0.8, y - 30))
    sheet.poly(
        inks["brand_ink_dark"], (x - 10, y - 30), (x - 10, y - w * 1.4), (x - w * 0.55, y - 30)
    )
    sheet.poly(
        inks["ink"], (x - w, y - 8), (x + w, y - 8), (x + w * 0.7, y + 52), (x - w * 0.7, y + 52)
    )
    sheet.line(inks["voice"], 7, (x - w * 0.93, y + 6), (x + w * 0.93, y + 6))


def _gull(sheet: Sheet, ink: str, x: float, y: float) -> None:
    sheet.line(
        ink, 6, (x - 36, y - 10), (x - 14, y - 18), (x, y), (x + 14, y - 18), (x + 36, y - 10)
    )


# --- the three towns -----------------------------------------------------------------------

# Degrees east and north, going round.
_COAST: tuple[Point, ...] = (
    (2.4, 51.0), (1.6, 50.8), (1.5, 50.1), (0.2, 49.7), (0.1, 49.4), (-1.2, 49.4), (-1.3, 49.7),
    (-1.9, 49.7), (-1.6, 48.7), (-3.0, 48.85), (-4.75, 48.5), (-4.4, 48.2), (-4.3, 47.85),
    (-2.8, 47.5), (-2.1, 47.1), (-1.2, 46.1), (-1.1, 45.5), (-1.25, 44.6), (-1.7, 43.35),
    (-0.5, 42.85), (0.7, 42.7), (1.9, 42.45), (3.1, 42.45), (3.1, 43.1), (4.2, 43.5), (5.3, 43.25),
    (6.4, 43.1), (7.5, 43.8), (7.0, 44.3), (6.9, 45.1), (7.0, 45.9), (6.1, 46.25), (6.9, 47.2),
    (7.6, 47.6), (8.2, 48.97), (6.4, 49.4), (5.5, 49.55), (4.2, 49.97), (3.2, 50.7),
)  # fmt: skip
_TOWNS: tuple[Point, ...] = ((-3.37, 47.75), (1.26, 45.83), (5.72, 45.19))


def _on_map(east: float, north: float) -> Point:
    return 795 + (east - 1.75) * 72, 500 - (north - 46.75) * 104


def towns(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A map with three towns and the line between them; rings around one of them."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    for y in range(40, SIZE[1], 60):
        wave = hill(y, 7, y / 37 + seed, 7)
        sheet.line(light.far if light.far != light.sky else inks["paper"], 3, *wave)
    is_dark = light.is_dark
    sheet.poly(inks["solid"] if is_dark else inks["brand_ink"], *(_on_map(*p) for p in _COAST))
    places = [_on_map(*town) for town in _TOWNS]
    at = places[seed % 3]
    for r in (165, 120, 75):
        sheet.ring(inks["brand_ink_dark"], 5, *at, r)
    for before, after in pairwise(places):
        for part in range(15):
            a, b = part / 15, (part + 0.6) / 15
            sheet.line(inks["on_deep"], 9, _between(before, after, a), _between(before, after, b))
    _train(
        sheet, inks, *_between(*chance.choice(list(pairwise(places))), chance.uniform(0.5, 0.66))
    )
    for number, place in enumerate(places):
        sheet.disc(inks["ink"], *place, 42)
        sheet.disc(inks["voice"] if number == seed % 3 else inks["paper"], *place, 32)
    return sheet


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _train(sheet: Sheet, inks: Inks, x: float, y: float) -> None:
    sheet.box(inks["voice"], x - 78, y - 40, x + 78, y + 22, 20)
    for dx in (-50, -6, 38):
        sheet.box(inks["deep"], x + dx - 12, y - 26, x + dx + 16, y - 4, 4)
    for dx in (-44, 44):
        sheet.disc(inks["ink"], x + dx, y + 26, 13)
