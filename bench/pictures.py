"""What the sizes of a photo cost, as a ratio of opening and shrinking it once for each size.

A photo of twelve megapixels with the detail of one: soft shapes under fine grain, as JPEG.
Both sides draw 1,200, 640 and 320 pixels with the same filter. The second row encodes, too;
encoding costs both sides the same. Run alone: `python -m bench.pictures`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageFilter

from app.media import drawing
from bench._table import Row, alternate, compare, show

SIZE = (4000, 3000)
WIDTHS = (1200, 640, 320)


def _photo() -> bytes:
    shapes = Image.effect_mandelbrot((SIZE[0] // 8, SIZE[1] // 8), (-2.0, -1.2, 0.6, 1.2), 60)
    soft = shapes.resize(SIZE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(6))
    grain = Image.effect_noise(SIZE, 24)
    channels = [Image.blend(soft.rotate(turn), grain, 0.15 + turn / 2000) for turn in (0, 90, 180)]
    out = io.BytesIO()
    Image.merge("RGB", channels).save(out, "JPEG", quality=90)
    return out.getvalue()


def _plainly(data: bytes) -> list[Image.Image]:
    found = []
    for width in WIDTHS:
        with Image.open(io.BytesIO(data)) as image:
            height = round(image.height * width / image.width)
            found.append(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
    return found


def _ours(data: bytes) -> list[Image.Image]:
    return [canvas for _width, canvas in drawing.sizes_of(data, widths=WIDTHS)]


def _encoded(canvases: list[Image.Image]) -> None:
    for canvas in canvases:
        canvas.save(io.BytesIO(), "WEBP", quality=82, method=4)


def rows() -> Iterator[Row]:
    """The two rows."""
    data = _photo()
    drawn = alternate({"ours": lambda: _ours(data), "plain": lambda: _plainly(data)}, count=3)
    yield compare("three sizes of a 12-megapixel photo : plain Pillow", "s", drawn["ours"],
                  drawn["plain"], most=0.3)  # fmt: skip
    whole = alternate(
        {"ours": lambda: _encoded(_ours(data)), "plain": lambda: _encoded(_plainly(data))}, count=3
    )
    yield compare("the same, with WebP files", "s", whole["ours"], whole["plain"])


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
