"""The house's sign in the organisation's colours, for a phone's home screen.

The flare of the house on the brand's deep ground, drawn at the first call and kept in the data
folder. A file is named after everything it shows, so its address may be kept for ever.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from app.settings.palette import palette

Point = tuple[float, float]

SIZES: Final = {"icon-180": 180, "icon-192": 192, "icon-512": 512, "maskable-512": 512}
"""Pixels by name. Apple's own is 180; a maskable one may be cut to any shape."""

_STYLE: Final = "1"  # a new drawing gets new names
_SMOOTH: Final = 4
# The mark of `templates/_macros/ui.html`, in a square of 32.
_BOX: Final = 32
_MOUTH: Final = (4.6, 16.0, 3.6)
_FLARES: Final[tuple[tuple[Point, ...], ...]] = (
    ((10, 10.2), (13.4, 10.2), (17, 16), (13.4, 21.8), (10, 21.8), (13.2, 16)),
    ((17.6, 3.4), (23.4, 3.4), (31, 16), (23.4, 28.6), (17.6, 28.6), (25, 16)),
)
_SHARE: Final = {"icon": 0.66, "maskable": 0.5}
"""How much of the width the mark takes; a maskable one keeps it inside the safe circle."""


def version(brand: str) -> str:
    """Names these very pictures."""
    return hashlib.sha256(f"{_STYLE}\x1f{brand}".encode()).hexdigest()[:12]


def icon_file(folder: Path, name: str, brand: str) -> bytes:
    """One of `SIZES` as PNG. A disk that is full costs time, not the picture."""
    file = folder / f"{name}-{version(brand)}.png"
    try:
        return file.read_bytes()
    except FileNotFoundError:
        drawn = draw(name, brand)
    with suppress(OSError):
        _keep(file, drawn)
    return drawn


def _keep(file: Path, drawn: bytes) -> None:
    file.parent.mkdir(mode=0o750, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.write_bytes(drawn)
    draft.replace(file)


@lru_cache(maxsize=8)
def draw(name: str, brand: str) -> bytes:
    """The picture as PNG: a whole square, which every system cuts to its own shape."""
    size, inks = SIZES[name], palette(brand)
    wide = size * _SMOOTH
    image = Image.new("RGB", (wide, wide), inks["deep"])
    pen = ImageDraw.Draw(image)
    unit = wide * _SHARE[name.partition("-")[0]] / _BOX
    edge = (wide - unit * _BOX) / 2
    for flare in _FLARES:
        pen.polygon([(edge + x * unit, edge + y * unit) for x, y in flare], inks["on_deep"])
    x, y, r = (part * unit for part in _MOUTH)
    pen.ellipse((edge + x - r, edge + y - r, edge + x + r, edge + y + r), inks["voice"])
    out = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
