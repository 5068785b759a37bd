"""The palette of the style sheet worked out on the server, for what CSS cannot reach: mails
and drawn cards.

The same rules as `static/css/tokens.css`, light scheme unless said; both change together.
Colours go through OKLCH (conversion: Björn Ottosson, "A perceptual color space", 2020).
"""

from __future__ import annotations

import math

Triple = tuple[float, float, float]

_TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_LMS_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_LAB_TO_LMS = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
_TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def _times(matrix: tuple[Triple, Triple, Triple], v: Triple) -> Triple:
    x, y, z = (row[0] * v[0] + row[1] * v[1] + row[2] * v[2] for row in matrix)
    return x, y, z


def _linear(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def _gamma(v: float) -> float:
    return 12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055


def _cubed(v: Triple) -> Triple:
    return v[0] ** 3, v[1] ** 3, v[2] ** 3


def _to_oklch(colour: str) -> Triple:
    r, g, b = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    l_, m_, s_ = _times(_TO_LMS, (r, g, b))
    lightness, a, bb = _times(_LMS_TO_LAB, (l_ ** (1 / 3), m_ ** (1 / 3), s_ ** (1 / 3)))
    chroma = math.hypot(a, bb)
    return lightness, chroma, math.degrees(math.atan2(bb, a)) % 360 if chroma > 1e-6 else 0.0


def _rgb(lightness: float, chroma: float, hue: float) -> Triple:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    return _times(_TO_RGB, _cubed(_times(_LAB_TO_LMS, (lightness, a, b))))


def _exists(v: Triple) -> bool:
    return all(-1e-4 <= channel <= 1 + 1e-4 for channel in v)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """Into sRGB by lowering the chroma until the colour exists; lightness and hue are kept."""
    if not _exists(_rgb(lightness, chroma, hue)):
        low, high = 0.0, chroma
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if _exists(_rgb(lightness, middle, hue)) else (low, middle)
        chroma = low
    channels = (_gamma(min(1.0, max(0.0, v))) for v in _rgb(lightness, chroma, hue))
    return "#" + "".join(f"{round(255 * v):02x}" for v in channels)


def _between(v: float) -> float:
    return min(1.0, max(0.0, v))


def palette(brand: str) -> dict[str, str]:
    """Every ink as #rrggbb for a brand colour, contrast kept whatever it is."""
    lightness, c, h = _to_oklch(brand)
    bright = lightness > 0.6
    green = _between((75 - abs(h - 165)) / 20)
    lamp = 80 - 58 * _between((45 - abs(h - 85)) / 10)
    solid = max(lightness, 0.7) if bright else min(lightness, 0.53 - 0.06 * green)
    return {
        "solid": _hex(solid, min(c, 0.24), h),
        "on_solid": _hex(0.2, c * 0.2, h) if bright else "#ffffff",
        "brand_ink": _hex(0.42, min(c, 0.13), h),
        "brand_ink_dark": _hex(0.83, min(c, 0.11), h),
        "wash": _hex(0.945, min(c * 0.4, 0.034), h),
        "deep": _hex(0.3, min(c * 0.75, 0.085), h),
        "on_deep": _hex(0.975, min(c * 0.1, 0.012), h),
        "on_deep_soft": _hex(0.86, min(c * 0.25, 0.03), h),
        "paper": _hex(0.987, min(c * 0.03, 0.004), h),
        "ink": _hex(0.22, min(c * 0.25, 0.03), h),
        "ink_soft": _hex(0.44, min(c * 0.18, 0.02), h),
        "voice": _hex(0.865, 0.125, lamp),
        "voice_wash": _hex(0.938, 0.06, lamp + 4),
    }
