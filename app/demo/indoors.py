"""What Halvenne draws under a roof: halls, joints, saws, tools, plans, figures in wood."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.demo.ink import (
    DAWN,
    DAY,
    NIGHT,
    SIZE,
    Chance,
    Inks,
    Light,
    Point,
    Sheet,
    light_of,
    person,
)

# What the pictures of figures show: the lengths of the boards, or (marked, all) for a pile.
FIGURES: dict[int, tuple[int, ...]] = {26: (52, 27, 14, 7), 30: (13, 21), 75: (46, 31, 15, 8)}


def hall(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A hall seen from inside: frames one behind the other, a sun at the end, three people."""
    light = light_of(inks, seed - 3)
    sheet = Sheet(light.sky)
    cx, cy = 800.0 + chance.randint(-150, 150), 560.0
    sheet.disc(light.sun, cx, cy - chance.randint(0, 60), chance.randint(220, 300))
    far, slope = cy + 168, 110 / 700  # the floor meets the foot of every frame
    sheet.poly(light.ground, (0, 1000), (0, far + slope * (cx - 84)), (cx - 84, far),
               (cx + 84, far), (1600, far + slope * (1516 - cx)), (1600, 1000))  # fmt: skip
    for number in range(7):
        ink = light.middle if number < 3 else light.near
        _frame(sheet, ink, (seed // 6) % 3, cx, cy, 0.12 * 1.52**number)
    for side in (-1, 0, 1):
        x = cx + side * 150 + chance.randint(-50, 50)
        body = light.accent if side == 1 else light.figure
        person(
            sheet, light.figure, body, x, 860 + chance.randint(-20, 30), chance.randint(150, 190)
        )
    return sheet


def _frame(sheet: Sheet, ink: str, shape: int, cx: float, cy: float, scale: float) -> None:
    """One frame: with a ridge (0), an arch (1) or a flat lattice (2)."""
    w, h, ridge_at = 700 * scale, 390 * scale, 620 * scale
    floor, width = cy + 155 + 110 * scale, 5 + 26 * scale
    top, left, right = floor - h, cx - w, cx + w
    if shape == 1:
        bow = [(cx - w * math.cos(a), floor - ridge_at * math.sin(a) ** 0.8)
               for a in (step * math.pi / 24 for step in range(25))]  # fmt: skip
        sheet.line(ink, width, *bow)
        sheet.line(ink, width * 0.4, (cx - w * 0.83, top), (cx + w * 0.83, top))
        return
    if shape == 2:
        _lattice(sheet, ink, width, (left, right), floor, h)
        return
    sheet.line(ink, width, (left, floor), (left, top), (cx, floor - ridge_at), (right, top),
               (right, floor))  # fmt: skip
    sheet.line(ink, width * 0.55, (left, top), (right, top))
    sheet.line(ink, width * 0.4, (left + w * 0.3, top), (cx, floor - ridge_at * 0.97),
               (right - w * 0.3, top))  # fmt: skip


def _lattice(
    sheet: Sheet, ink: str, width: float, sides: Point, floor: float, height: float
) -> None:
    left, right = sides
    low, high, bay = floor - height, floor - height * 1.42, (right - left) / 8
    sheet.line(ink, width, (left, floor), (left, high), (right, high), (right, floor))
    sheet.line(ink, width * 0.6, (left, low), (right, low))
    zigzag = [(left + bay * step, low if step % 2 else high) for step in range(9)]
    sheet.line(ink, width * 0.4, *zigzag)


# --- at the bench --------------------------------------------------------------------------

_PROFILES: tuple[tuple[Point, ...], ...] = (
    ((0, 0), (0, 0.3), (180, 0.3), (180, 0.7), (0, 0.7), (0, 1)),  # a tenon
    ((0, 0), (0, 0.32), (170, 0.18), (170, 0.82), (0, 0.68), (0, 1)),  # a dovetail
    ((-60, 0), (0, 0.22), (-70, 0.42), (200, 0.58), (130, 0.78), (190, 1)),  # a scarf
    ((0, 0), (120, 0), (120, 0.2), (0, 0.2), (0, 0.4), (120, 0.4), (120, 0.6), (0, 0.6),
     (0, 0.8), (120, 0.8), (120, 1), (0, 1)),  # fingers
)  # fmt: skip


def bench(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A joint on the bench: two pieces that fit, a pencil line above, a tool below."""
    light = light_of(inks, (NIGHT, DAWN, DAY, seed)[seed % 4])
    sheet = Sheet(light.sky)
    sheet.box(inks["brand_ink"] if light.is_dark else light.near, 0, 770, 1600, 1000)
    top, bottom = 320 - chance.randint(0, 30), 650 + chance.randint(0, 30)
    gap, at = chance.randint(50, 130), 690 + chance.randint(-50, 50)
    pieces = [inks[ink] for ink in ("voice", "paper", "brand_ink_dark") if inks[ink] != light.sky]
    first, second = pieces[:2] if seed % 3 else pieces[1::-1]
    profile = [(at + x, top + y * (bottom - top)) for x, y in _PROFILES[(seed // 2) % 4]]
    sheet.poly(first, (90, top), *profile, (90, bottom))
    sheet.poly(second, *[(x + gap, y) for x, y in profile], (1510, bottom), (1510, top))
    _grain(sheet, inks["brand_ink"], chance, (110, at - 90), (top, bottom))
    _grain(sheet, inks["brand_ink"], chance, (at + gap + 230, 1490), (top, bottom))
    pencil = inks["on_deep"] if light.is_dark else inks["ink"]
    sheet.line(pencil, 4, (80, top - 80), (1520, top - 80))
    for x in (80, at + gap / 2 + 90, 1520):
        sheet.line(pencil, 4, (x, top - 105), (x, top - 55))
    _lying(sheet, inks, inks["on_deep"], (seed // 3) % 3, chance.randint(300, 900))
    return sheet


def _grain(sheet: Sheet, ink: str, chance: Chance, across: Point, rows: Point) -> None:
    """Lines of the wood, a little uneven."""
    (left, right), (top, bottom) = across, rows
    for number in range(1, 6):
        y = top + (bottom - top) * number / 6 + chance.randint(-12, 12)
        bend, start = chance.randint(-14, 14), left + chance.randint(0, 120)
        sheet.line(ink, 2.5, (start, y), ((start + right) / 2, y + bend), (right, y - bend / 2))


def _lying(sheet: Sheet, inks: Inks, steel: str, which: int, x: float) -> None:
    """On the bench's edge: a pencil (0), a chisel (1) or a square (2)."""
    warm, dark = inks["voice"], inks["ink"]
    if which == 0:
        sheet.poly(warm, (x, 850), (x + 310, 800), (x + 316, 836), (x + 6, 886))
        sheet.poly(steel, (x + 310, 800), (x + 380, 807), (x + 316, 836))
        sheet.poly(dark, (x + 357, 805), (x + 380, 807), (x + 359, 816))
    elif which == 1:
        sheet.box(warm, x, 828, x + 190, 876, 20)
        sheet.poly(steel, (x + 190, 838), (x + 390, 832), (x + 430, 872), (x + 190, 866))
    else:
        sheet.poly(steel, (x, 800), (x + 34, 800), (x + 34, 900), (x + 400, 900), (x + 400, 934),
                   (x, 934))  # fmt: skip
        sheet.box(warm, x, 800, x + 34, 934)


def rings(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """The end of a trunk: its years, and one that was marked."""
    light = light_of(inks, (4, 3, 2, 1)[seed % 4])
    sheet, count = Sheet(light.sky), chance.randint(11, 15)
    cx, cy = 800 + (-1) ** seed * chance.randint(60, 220), 500 + chance.randint(-60, 60)
    marked, step = chance.randint(4, count - 2), 640 / count
    mark = inks["solid"] if light.sky == inks["voice"] else inks["voice"]
    phase, wobble = chance.uniform(0, 6), chance.uniform(5, 10)
    for number in range(count, 0, -1):
        r = number * step + chance.uniform(-6, 6)
        ink = inks["paper"] if number % 2 else inks["wash"]
        outline = [
            (cx + (r + wobble * math.sin(3 * a + phase)) * math.cos(a),
             cy + (r + wobble * math.cos(2 * a + number / 3)) * 0.94 * math.sin(a))
            for a in (turn * math.tau / 96 for turn in range(97))
        ]  # fmt: skip
        sheet.poly(mark if number == marked else ink, *outline)
        sheet.line(inks["brand_ink"], 14 if number == count else 4, *outline)
    angle = chance.uniform(-0.9, -0.2) + (math.pi / 2 * (seed % 2))
    end = (cx + 760 * math.cos(angle), cy + 760 * math.sin(angle))
    sheet.line(inks["solid"] if light.is_dark else inks["ink"], 6, (cx, cy), end)
    sheet.disc(inks["ink"], cx, cy, 13)
    return sheet


# --- people ---------------------------------------------------------------------------------


def people(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A team in a row before a wall of timber."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    _wall(sheet, inks, light, (seed // 2) % 3)
    count = 4 + seed % 4
    wide = 1180 / count
    sheet.box(light.ground, 0, 790, 1600, 1000)
    foot = inks["ink"] if light.ground != inks["ink"] else inks["brand_ink"]
    marked = chance.randrange(count)
    bodies = [inks[ink] for ink in ("deep", "solid", "ink", "solid")]
    shift = chance.randrange(4)
    for number in range(count):
        body = inks["voice"] if number == marked else bodies[(number + shift) % 4]
        helmet = inks["voice"] if chance.random() < 0.35 and number != marked else ""
        x = 210 + wide * (number + 0.5) + chance.randint(-9, 9)
        tall = chance.randint(420, 590 - 16 * count)
        sheet.box(foot, x - 90, 898, x + 90, 912, 7)
        person(sheet, inks["ink"], body, x, 905, tall, helmet)
        _worn(sheet, inks, chance.choice(("bun", "apron", "belt", "roll", "")), x, tall)
    return sheet


def _worn(sheet: Sheet, inks: Inks, what: str, x: float, tall: float) -> None:
    """What tells people apart: tied hair, an apron, a belt, a plan under the arm."""
    top, hip, wide = 905 - tall * 0.77, 905 - tall * 0.44, tall * 0.155
    if what == "bun":
        sheet.disc(inks["ink"], x - wide * 0.75, 905 - tall * 0.96, tall * 0.05)
    elif what == "apron":
        sheet.box(inks["brand_ink_dark"], x - wide * 0.6, top + tall * 0.12, x + wide * 0.6,
                  hip + tall * 0.08, 10)  # fmt: skip
        for side in (-1, 1):
            sheet.line(inks["brand_ink_dark"], 6, (x + side * wide * 0.5, top + tall * 0.14),
                       (x + side * wide * 0.3, top))  # fmt: skip
    elif what == "belt":
        sheet.box(inks["voice_wash"], x - wide, hip - 22, x + wide, hip - 8)
        sheet.box(inks["voice_wash"], x + wide * 0.4, hip - 22, x + wide * 0.8, hip + 26, 5)
    elif what == "roll":
        sheet.line(inks["paper"], 26, (x - wide * 1.15, hip - 40), (x + wide * 0.7, hip - 92))
        sheet.line(inks["brand_ink"], 4, (x - wide * 0.5, hip - 48), (x - wide * 0.38, hip - 74))


def _wall(sheet: Sheet, inks: Inks, light: Light, way: int) -> None:
    """Boards upright (0), logs end on (1) or shelves of planks (2)."""
    pale, other = inks["paper"], inks["brand_ink_dark"]
    if light.sky == pale:
        pale = inks["wash"]
    if way == 0:
        for x in range(0, SIZE[0], 100):
            sheet.box(pale if (x // 100) % 2 else other, x + 5, 110, x + 95, 790)
    elif way == 1:
        for row in range(5):
            for x in range(-60, SIZE[0] + 60, 150):
                at = (x + 75 * (row % 2), 720 - row * 132)
                sheet.disc(other if (x // 150 + row) % 3 else pale, *at, 71)
                sheet.ring(inks["brand_ink"], 4, *at, 44)
                sheet.ring(inks["brand_ink"], 4, *at, 20)
    else:
        for row in range(8):
            y = 730 - row * 80
            shift = (row * 137) % 260
            for x in range(-shift, SIZE[0], 520):
                sheet.box(other if (x // 260 + row) % 2 else pale, x + 4, y, x + 516, y + 68)


# --- machines and tools ---------------------------------------------------------------------


def saw(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A blade that bites into a plank, and the chips that fly."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    cx, r = 800 + chance.randint(-120, 120), chance.randint(290, 350)
    _windows(sheet, light, seed)
    pale = inks["wash"] if light.sky in (inks["paper"], inks["voice_wash"]) else inks["paper"]
    _blade(sheet, pale, inks["brand_ink"], cx, 640, r, chance.randint(26, 38))
    sheet.box(
        inks["voice"] if light.sky != inks["voice"] else inks["paper"], -10, 520, cx - 40, 650
    )
    _grain(sheet, inks["brand_ink"], chance, (0, cx - 60), (520, 650))
    sheet.box(inks["brand_ink"] if light.is_dark else inks["deep"], 0, 650, 1600, 1000)
    sheet.box(inks["solid"], 0, 650, 1600, 690)
    for x in (210, 1290):
        sheet.disc(inks["brand_ink_dark"], x + 50, 830, 34)
        sheet.disc(inks["deep"], x + 50, 830, 14)
    chips = inks["voice"] if light.sky != inks["voice"] else inks["deep"]
    for _ in range(60):
        _chip(sheet, chips, chance, cx + 60)
    return sheet


def _blade(sheet: Sheet, ink: str, edge: str, cx: float, cy: float, r: float, teeth: int) -> None:
    points: list[Point] = []
    for tooth in range(teeth):
        for turn, reach in ((0.0, 1.0), (0.25, 1.09), (0.4, 1.0)):
            a = (tooth + turn) * math.tau / teeth
            points.append((cx + r * reach * math.cos(a), cy + r * reach * math.sin(a)))
    sheet.poly(edge, *[(x, y) for x, y in points])
    sheet.disc(ink, cx, cy, r * 0.93)
    sheet.ring(edge, 5, cx, cy, r * 0.62)
    for hole in range(6):
        a = hole * math.tau / 6 + 0.4
        sheet.disc(edge, cx + r * 0.77 * math.cos(a), cy + r * 0.77 * math.sin(a), r * 0.05)
    sheet.disc(edge, cx, cy, r * 0.24)


def _windows(sheet: Sheet, light: Light, seed: int) -> None:
    """Light from above: three panes."""
    for number in range(3):
        x = 130 + number * 480 + (seed % 5) * 12
        sheet.poly(light.sun, (x, 90), (x + 380, 90), (x + 380, 290), (x, 290))
        for bar in (125, 255):
            sheet.box(light.sky, x + bar - 4, 90, x + bar + 4, 290)


def _chip(sheet: Sheet, ink: str, chance: Chance, x: float) -> None:
    far = chance.random() ** 1.4
    at = (x + 60 + 560 * far, 600 - 380 * math.sin(far * 2.4) * chance.uniform(0.2, 1))
    a, long = chance.uniform(0, math.tau), chance.uniform(14, 34)
    across = (math.cos(a) * long, math.sin(a) * long)
    sheet.poly(ink, at, (at[0] + across[0], at[1] + across[1]),
               (at[0] + across[0] - across[1] * 0.4, at[1] + across[1] + across[0] * 0.4))  # fmt: skip


def tools(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Five tools on a wall, and the shelf with shavings below them."""
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    for x in range(80, SIZE[0], 90):
        for y in range(70, 760, 90):
            sheet.disc(light.far, x, y, 5)
    dark = inks["on_deep"] if light.is_dark else inks["deep"]
    steel = inks["brand_ink_dark"] if light.sky != inks["brand_ink_dark"] else inks["paper"]
    hung = [_chisel, _mallet, _square, _handsaw, _plane]
    chance.shuffle(hung)
    marked = chance.randrange(5)
    for number, tool in enumerate(hung):
        wood = light.accent if number == marked else inks["solid"]
        x = 260 + number * 270
        sheet.disc(dark, x, 180, 12)
        tool(sheet, wood, steel, x)
    sheet.box(inks["brand_ink"], 0, 800, 1600, 850)
    sheet.box(inks["ink"] if light.is_dark else inks["deep"], 0, 850, 1600, 1000)
    for _ in range(11):
        x, r = chance.randint(200, 1400), chance.randint(20, 42)
        sheet.ring(inks["voice"] if light.sky != inks["voice"] else inks["paper"], 9, x, 800 - r, r)
    return sheet


def _chisel(sheet: Sheet, wood: str, steel: str, x: float) -> None:
    sheet.box(wood, x - 34, 190, x + 34, 400, 28)
    sheet.poly(steel, (x - 22, 400), (x + 22, 400), (x + 32, 690), (x - 32, 640))


def _mallet(sheet: Sheet, wood: str, steel: str, x: float) -> None:
    sheet.box(steel, x - 20, 300, x + 20, 690, 18)
    sheet.poly(wood, (x - 110, 200), (x + 110, 200), (x + 96, 370), (x - 96, 370))


def _square(sheet: Sheet, wood: str, steel: str, x: float) -> None:
    sheet.box(steel, x - 84, 200, x - 42, 680)
    for y in range(250, 660, 45):
        sheet.line(wood, 4, (x - 84, y), (x - 62, y))
    sheet.box(wood, x - 84, 180, x + 104, 250)


def _handsaw(sheet: Sheet, wood: str, steel: str, x: float) -> None:
    sheet.poly(steel, (x - 76, 350), (x + 62, 350), (x + 14, 700), (x - 36, 700))
    for tooth in range(14):
        y = 360 + tooth * 24
        edge = x + 62 - (y - 350) * 48 / 350
        sheet.poly(steel, (edge - 4, y), (edge + 15, y + 10), (edge - 6, y + 24))
    sheet.box(wood, x - 88, 190, x + 76, 360, 50)
    sheet.box(steel, x - 34, 236, x + 24, 306, 26)


def _plane(sheet: Sheet, wood: str, steel: str, x: float) -> None:
    sheet.box(wood, x - 62, 190, x + 62, 690, 34)
    sheet.poly(steel, (x - 40, 380), (x + 40, 380), (x + 40, 470), (x - 40, 430))
    sheet.disc(steel, x, 280, 32)
    sheet.box(steel, x - 20, 540, x + 20, 630, 20)


def plan(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """A building on the drawing board: walls, doors, one room marked, a measured length."""
    is_blue = seed % 2 == 0
    ground, faint = ("deep", "brand_ink") if is_blue else ("paper", "wash")
    ink = inks["on_deep"] if is_blue else inks["brand_ink"]
    sheet = Sheet(inks[ground])
    for place in range(0, SIZE[0], 80):
        sheet.line(inks[faint], 2.5, (place, 0), (place, 1000))
        sheet.line(inks[faint], 2.5, (0, place), (1600, place))
    xs = [280.0]
    while len(xs) < 4:
        xs.append(xs[-1] + chance.randint(210, 300))
    xs.append(1320.0)
    ys = (200.0, 200.0 + chance.randint(220, 330), 800.0)
    column, row = chance.randrange(4), chance.randrange(2)
    sheet.box(inks["voice"], xs[column], ys[row], xs[column + 1], ys[row + 1])
    _walls(sheet, ink, xs, ys)
    for x in xs[:-1]:  # one for each column, up or down
        _door(sheet, inks[ground], ink, x + 40, ys[1], chance.choice((-1, 1)))
    _lying(sheet, inks, ink, seed % 3, chance.randint(940, 1060))
    return sheet


def _walls(sheet: Sheet, ink: str, xs: Sequence[float], ys: Sequence[float]) -> None:
    """Thick outside, thin inside, and the length of the whole below."""
    left, right = xs[0], xs[-1]
    for y in (ys[0], ys[2]):
        sheet.line(ink, 18, (left - 9, y), (right + 9, y))
    for x in xs:
        sheet.line(ink, 18 if x in (left, right) else 8, (x, ys[0]), (x, ys[2]))
    sheet.line(ink, 8, (left, ys[1]), (right, ys[1]))
    for x in (left, right):
        sheet.line(ink, 3, (x, 840), (x, 900))
    sheet.line(ink, 3, (left, 870), (right, 870))


def _door(sheet: Sheet, ground: str, ink: str, x: float, y: float, side: int) -> None:
    sheet.box(ground, x, y - 6, x + 80, y + 6)
    arc = [(x + 80 * math.cos(a), y + side * 80 * math.sin(a))
           for a in (step * math.pi / 20 for step in range(11))]  # fmt: skip
    sheet.line(ink, 3, *arc)
    sheet.line(ink, 5, (x, y), (x, y + side * 80))


# --- figures -------------------------------------------------------------------------------


def boards(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Lengths compared: one board for each figure, the figure at its end."""
    values = FIGURES.get(seed) or tuple(chance.randint(5, 60) for _ in range(4))
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    step = 760 / len(values)
    tall = min(step * 0.62, 150)
    text = inks["on_deep"] if light.is_dark else inks["ink"]
    marked = values.index(max(values))
    plain = inks["brand_ink_dark"] if light.sky != inks["brand_ink_dark"] else inks["paper"]
    sheet.line(text, 6, (370, 90), (370, 910))
    for number, value in enumerate(values):
        y = 120 + step * (number + 0.5)
        end = 385 + max(700 * value / max(values), 14)
        sheet.box(light.accent if number == marked else plain, 385, y - tall / 2, end, y + tall / 2)
        if end > 580:
            _grain(sheet, inks["brand_ink"], chance, (400, end - 20), (y - tall / 2, y + tall / 2))
        sheet.number(text, tall * 0.82, end + 28, y - 4, value)
    return sheet


def pile(inks: Inks, chance: Chance, seed: int) -> Sheet:
    """Logs in a pile, some of them marked: so many out of all."""
    marked, count = FIGURES.get(seed) or (chance.randint(3, 12), 21)
    light = light_of(inks, seed)
    sheet = Sheet(light.sky)
    sheet.box(light.ground, 0, 880, 1600, 1000)
    places = _places(count)
    r = min(780 / (2 + 1.74 * places[-1][1]), 130)
    plain = inks["brand_ink_dark"] if light.sky != inks["brand_ink_dark"] else inks["paper"]
    chosen = set(chance.sample(range(count), marked))
    for number, (column, row) in enumerate(places):
        at = (800 + column * 2 * r, 880 - r - row * r * 1.74)
        sheet.disc(inks["brand_ink"], *at, r * 0.98)
        sheet.disc(light.accent if number in chosen else plain, *at, r * 0.88)
        for part in (0.62, 0.36):
            sheet.ring(inks["brand_ink"], 4, *at, r * part)
        sheet.disc(inks["brand_ink"], *at, r * 0.08)
    return sheet


def _places(count: int) -> list[Point]:
    """Where each log of a pile lies: (column from the middle, row), each row one shorter."""
    foot = 1
    while foot * (foot + 1) // 2 < count:
        foot += 1
    found: list[Point] = []
    for row in range(foot):
        across = foot - row
        found += [(at - (across - 1) / 2, float(row)) for at in range(across)]
    return found[:count]
