"""The picture of an offer or of a story for other people's feeds, in the organisation's colours.

1,200 by 630 pixels (Open Graph), PNG, on the brand's deep ground with the flare of the
house. A file is named after everything it shows, so its address may be kept for ever.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import uuid
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app.settings.palette import palette

SIZE = (1200, 630)
MARGIN = 72
_STYLE = "2"  # a new drawing gets new names
_FONTS = Path(__file__).resolve().parent.parent.parent / "static" / "fonts"
_TITLE_SIZES = (104, 92, 82, 72, 64, 56, 48)
_TITLE_BOX = (SIZE[0] - 2 * MARGIN, 330)
_LEADING = 1.04


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows. `brand` is '#rrggbb', `line` stands above the title."""

    title: str
    line: str
    organisation: str
    brand: str

    @property
    def version(self) -> str:
        """Names this very picture."""
        shown = "\x1f".join((_STYLE, *astuple(self)))
        return hashlib.sha256(shown.encode()).hexdigest()[:12]


def card_file(folder: Path, owner_id: uuid.UUID, card: Card) -> bytes:
    """The picture as PNG, drawn at the first call and kept in `folder`, where each offer and
    each telling of a story keeps one."""
    file = folder / f"{owner_id.hex}-{card.version}.png"
    try:
        return file.read_bytes()
    except FileNotFoundError:
        drawn = draw(card)
    folder.mkdir(mode=0o750, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.write_bytes(drawn)
    draft.replace(file)
    for old in folder.glob(f"{owner_id.hex}-*.png"):
        if old != file:
            old.unlink(missing_ok=True)
    return drawn


def draw(card: Card) -> bytes:
    """The picture as PNG."""
    inks = palette(card.brand)
    image = _ground(inks)
    pen = ImageDraw.Draw(image)
    name = _cut(card.organisation, 44, 700, 580)
    _write(pen, (MARGIN, MARGIN - 8), name, 44, 700, inks["on_deep"])
    size, lines = _fitted(card.title)
    step = round(size * _LEADING)
    top = SIZE[1] - MARGIN - step * len(lines)
    for number, words in enumerate(lines):
        _write(pen, (MARGIN, top + number * step), words, size, 750, inks["on_deep"])
    told = " · ".join(part for part in card.line.split(" · ") if _runs(part.replace(" ", "")))
    line = _cut(told, 38, 600, _TITLE_BOX[0])
    _write(pen, (MARGIN, top - 62), line, 38, 600, inks["on_deep_soft"])
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _ground(inks: dict[str, str]) -> Image.Image:
    """The deep ground, the flare and its mouth; drawn twice as large for smooth edges."""
    w, h = SIZE[0] * 2, SIZE[1] * 2
    image = Image.new("RGB", (w, h), inks["deep"])
    pen = ImageDraw.Draw(image)
    x, y = round(w * 0.63), round(h * 0.145)
    edges = [(x, y - 22), (w, -h * 0.3), (w, h * 0.62), (x, y + 22)]
    pen.polygon(edges, _blend(inks["deep"], inks["on_deep"], 0.09))
    pen.ellipse((x - 130, y - 46, x - 38, y + 46), inks["voice"])
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def _blend(under: str, over: str, share: float) -> tuple[int, int, int]:
    a, b = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (under, over))
    r, g, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return r, g, blue


# --- letters -----------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _font(size: int, weight: int, extended: bool) -> ImageFont.FreeTypeFont:
    name = "bricolage-grotesque-ext.woff2" if extended else "bricolage-grotesque.woff2"
    font = ImageFont.truetype(str(_FONTS / name), size)
    font.set_variation_by_axes([weight])
    return font


def _is_extended(letter: str) -> bool | None:
    """Which of the two files holds a letter (`unicode-range` in base.css); None: neither."""
    at = ord(letter)
    if 0x20 <= at <= 0x7E or 0xA0 <= at <= 0xFF or at in (0x131, 0x152, 0x153, 0x2212, 0x2713):
        return False
    if 0x2009 <= at <= 0x2193:
        return False
    return True if 0x100 <= at <= 0x24F or 0x1E00 <= at <= 0x1EFF else None


def _runs(words: str) -> list[tuple[str, bool]]:
    """A text in pieces of one font file each; letters that neither file has are left out."""
    found: list[tuple[str, bool]] = []
    for letter in words:
        extended = _is_extended(letter)
        if extended is None:
            continue
        if found and found[-1][1] is extended:
            found[-1] = (found[-1][0] + letter, extended)
        else:
            found.append((letter, extended))
    return found


def _width(words: str, size: int, weight: int) -> float:
    return sum(_font(size, weight, extended).getlength(part) for part, extended in _runs(words))


def _write(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], words: str, size: int, weight: int, ink: str
) -> None:
    x, y = at
    ascent = _font(size, weight, False).getmetrics()[0]
    for part, extended in _runs(words):
        font = _font(size, weight, extended)
        pen.text((x, y + ascent), part, ink, font, anchor="ls")
        x += font.getlength(part)


def _fitted(title: str) -> tuple[int, list[str]]:
    """The largest size at which a title fits its box, and its lines; a very long one is cut."""
    words = title.split()
    for size in _TITLE_SIZES:
        lines = _wrapped(words, size)
        whole = all(_width(word, size, 750) <= _TITLE_BOX[0] for word in words)
        if whole and len(lines) * size * _LEADING <= _TITLE_BOX[1]:
            return size, _balanced(words, size, lines)
    most = int(_TITLE_BOX[1] / (size * _LEADING))
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(" ".join(lines[most - 1 :]), size, 750, _TITLE_BOX[0])]
    return size, lines


def _balanced(words: list[str], size: int, lines: list[str]) -> list[str]:
    """As many lines, but of like length: no word is left alone at the end."""
    for width in range(_TITLE_BOX[0] - 40, _TITLE_BOX[0] // 3, -40):
        narrower = _wrapped(words, size, width)
        widest = max(_width(line, size, 750) for line in narrower)
        if len(narrower) > len(lines) or widest > width:
            break
        lines = narrower
    return lines


def _wrapped(words: list[str], size: int, width: int = _TITLE_BOX[0]) -> list[str]:
    """Words in lines as wide as the box; a word that is wider goes on in the next line."""
    lines: list[str] = []
    for piece in (piece for word in words for piece in _pieces(word, size)):
        longer = f"{lines[-1]} {piece}" if lines else piece
        if lines and _width(longer, size, 750) <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines or [""]


def _pieces(word: str, size: int) -> list[str]:
    found = [""]
    for letter in word:
        if found[-1] and _width(found[-1] + letter, size, 750) > _TITLE_BOX[0]:
            found.append("")
        found[-1] += letter
    return found


def _cut(words: str, size: int, weight: int, width: float) -> str:
    """As much of a text as fits, with an ellipsis where something is missing."""
    if _width(words, size, weight) <= width:
        return words
    while words and _width(words + "…", size, weight) > width:
        words = words[:-1]
    return words.rstrip() + "…"
