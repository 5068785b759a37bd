"""What becomes of pictures that strangers send.

The two tables below were written before the code that decides (`app.media.drawing`): first
what each file deserves, refusal with its code or the size of what is drawn, then the rules.
A picture that a person could have meant is drawn again without what it carried; a file that
could only be meant to hurt, or that no reader could show, is refused.
"""

from __future__ import annotations

import io
import random
import time

import pytest
from PIL import Image

from app.media.drawing import (
    MAX_BYTES,
    PictureRefused,
    Redrawn,
    kind_of,
    redraw,
)
from tests.media import hostile as h

# What damaged EXIF makes the decoder say; and its warning counts as in production.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning"),
]

REFUSED: dict[str, tuple[h.Maker, str]] = {
    # larger than it looks
    "png of 40,000 × 40,000": (lambda: h.png_of(40_000, 40_000), "too-many-pixels"),
    "png a little over 50 megapixels": (lambda: h.png_of(8_000, 6_251), "too-many-pixels"),
    "png of 100 megapixels": (lambda: h.png_of(10_000, 10_000), "too-many-pixels"),
    "png 12,001 wide": (lambda: h.png_of(12_001, 300), "too-many-pixels"),
    "png 12,001 high": (lambda: h.png_of(300, 12_001), "too-many-pixels"),
    "png as large as can be declared": (lambda: h.png_of(2**31 - 1, 2**31 - 1), "too-many-pixels"),
    "jpeg of 65,500 × 65,500": (lambda: h.jpeg_of(65_500, 65_500), "too-many-pixels"),
    "webp of 16,383 × 16,383": (lambda: h.webp_of(16_383, 16_383), "too-many-pixels"),
    "webp a little over 25 megapixels": (lambda: h.webp_of(8_000, 3_126), "too-many-pixels"),
    "webp canvas of 16 million": (lambda: h.webp_canvas_of(1 << 24, 200), "too-many-pixels"),
    "gif screen of 65,535 × 65,535": (lambda: h.gif_of(65_535, 65_535), "too-many-pixels"),
    "gif frame beyond its screen": (lambda: h.gif_with_frame_of(20_000, 20_000), "too-many-pixels"),
    "21 MB of photograph": (lambda: h.jpeg() + bytes(21 * 1024 * 1024), "too-large"),
    "one byte over the limit": (lambda: bytes(MAX_BYTES + 1), "too-large"),
    "jpeg of 20,000 scans": (h.scan_bomb, "broken"),
    "jpeg with two frame headers": (h.jpeg_with_two_frames, "too-many-pixels"),
    # something else by its name
    "nothing": (lambda: b"", "not-a-picture"),
    "text": (lambda: b"I am a picture, really. " * 40, "not-a-picture"),
    "a web page": (lambda: h.HTML * 20, "not-a-picture"),
    "a web page, then a photograph": (lambda: h.HTML + h.jpeg(), "not-a-picture"),
    "a folder of photographs": (h.zipped, "not-a-picture"),
    "zeros": (lambda: bytes(4096), "not-a-picture"),
    "half a signature": (lambda: h.PNG_SIGN[:5], "not-a-picture"),
    # pictures of kinds that we do not open
    "svg": (lambda: h.SVG, "unsupported-format"),
    "svg without a prologue": (lambda: b"\xef\xbb\xbf  <svg onload='x()'></svg>", "unsupported-format"),
    "pdf": (lambda: h.PDF, "unsupported-format"),
    "heic": (lambda: h.box(b"heic"), "unsupported-format"),
    "avif": (lambda: h.box(b"avif"), "unsupported-format"),
    "tiff": (lambda: h.saved(h.scene(), "TIFF"), "unsupported-format"),
    "big-endian tiff": (lambda: b"MM\0*" + bytes(100), "unsupported-format"),
    "bmp": (lambda: h.saved(h.scene(), "BMP"), "unsupported-format"),
    "ico": (lambda: h.saved(h.scene(256, 256), "ICO"), "unsupported-format"),
    "jpeg 2000": (lambda: h.saved(h.scene(), "JPEG2000"), "unsupported-format"),
    "photoshop": (lambda: b"8BPS\0\1" + bytes(100), "unsupported-format"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported-format"),
    # broken or lying
    "half a jpeg": (lambda: h.jpeg()[: len(h.jpeg()) // 2], "broken"),
    "half a png": (lambda: h.png()[: len(h.png()) // 2], "broken"),
    "half a webp": (lambda: (f := h.saved(h.scene(), "WEBP"))[: len(f) // 2], "broken"),
    "half a gif": (lambda: (f := h.saved(h.scene(), "GIF"))[: len(f) // 2], "broken"),
    "a jpeg's first bytes": (lambda: h.jpeg()[:24], "broken"),
    "a jpeg sign before noise": (lambda: b"\xff\xd8\xff\xe0" + b"noise " * 99, "broken"),
    "a png sign before a web page": (lambda: h.PNG_SIGN + h.HTML, "broken"),
    "a png with a wrong checksum": (
        lambda: h.PNG_SIGN + h.header(400, 300)[:-1] + b"\0" + h.png()[33:], "broken"),
    "a png whose data is noise": (
        lambda: h.PNG_SIGN + h.header(400, 300) + h.chunk(b"IDAT", b"no zlib") + h.chunk(b"IEND"),
        "broken"),
    "a png without data": (
        lambda: h.PNG_SIGN + h.header(400, 300) + h.chunk(b"IEND"), "broken"),
    "a webp header before nothing": (lambda: h.webp_of(400, 300), "broken"),
    # too small for anybody
    "one pixel": (lambda: h.png(1, 1), "too-small"),
    "a tracking gif": (lambda: h.saved(h.scene(1, 1), "GIF"), "too-small"),
    "199 wide": (lambda: h.png(199, 400), "too-small"),
    "99 high": (lambda: h.jpeg(400, 99), "too-small"),
    "120 wide once turned": (lambda: h.turned(300, 120, 6), "too-small"),
}  # fmt: skip

DRAWN: dict[str, tuple[h.Maker, tuple[int, int], bool]] = {
    # name: maker, width and height, whether it keeps transparency
    "plain jpeg": (h.jpeg, (400, 300), False),
    "plain png": (h.png, (400, 300), False),
    "plain webp": (lambda: h.saved(h.scene(), "WEBP"), (400, 300), False),
    "plain gif": (lambda: h.saved(h.scene(), "GIF"), (400, 300), False),
    "the smallest": (lambda: h.png(200, 100), (200, 100), False),
    # words and places hidden in a good picture
    "jpeg with a position, upright": (lambda: h.located(1), (400, 300), False),
    "jpeg with a position, on its side": (lambda: h.located(6), (300, 400), False),
    "300 wide once turned": (lambda: h.turned(120, 300, 8), (300, 120), False),
    "jpeg that is a web page too": (h.jpeg_polyglot, (400, 300), False),
    "jpeg with a script as its comment": (lambda: h.jpeg(comment=h.SCRIPT), (400, 300), False),
    "jpeg with xmp": (
        lambda: h.jpeg_with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + h.XMP), (400, 300), False),
    "jpeg with a photoshop block": (
        lambda: h.jpeg_with_segment(0xED, b"Photoshop 3.0\x008BIM" + h.SCRIPT * 9), (400, 300), False),
    "jpeg whose exif is noise": (
        lambda: h.jpeg_with_segment(0xE1, b"Exif\0\0" + h.JUNK.randbytes(500)), (400, 300), False),
    "jpeg whose exif runs in circles": (h.jpeg_with_looping_exif, (400, 300), False),
    "jpeg with a 4 MB profile": (
        lambda: h.jpeg_with_profile(b"acsp" + bytes(4 << 20)), (400, 300), False),
    "jpeg with a profile of noise": (
        lambda: h.jpeg_with_profile(h.JUNK.randbytes(3000)), (400, 300), False),
    "jpeg with another space's profile": (lambda: h.jpeg_with_profile(h.lab()), (400, 300), False),
    "jpeg with its profile": (lambda: h.jpeg_with_profile(h.srgb()), (400, 300), False),
    "png with texts": (h.png_with_texts, (400, 300), False),
    "png with a script behind its end": (lambda: h.png() + h.HTML, (400, 300), False),
    "webp with exif, xmp and profile": (h.webp_with_everything, (400, 300), False),
    "gif with a comment": (lambda: h.saved(h.scene(), "GIF", comment=h.SCRIPT), (400, 300), False),
    # bombs beside a good picture: they are never unpacked
    "png with 384 MB of packed text": (h.text_bomb, (400, 300), False),
    "png with 128 MB of packed profile": (h.profile_bomb, (400, 300), False),
    "png with 128 MB of packed rows": (h.png_with_more_data_than_declared, (400, 300), False),
    "png with 100,000 empty chunks": (h.chunk_flood, (400, 300), False),
    "gif of 1,001 frames": (h.animated_gif, (400, 300), False),
    "webp of 201 frames": (h.animated_webp, (400, 300), False),
    "png of 21 frames": (h.animated_png, (400, 300), False),
    # every way to write a colour
    "cmyk jpeg": (lambda: h.saved(h.scene(mode="CMYK"), "JPEG"), (400, 300), False),
    "grey jpeg": (lambda: h.saved(h.scene(mode="L"), "JPEG"), (400, 300), False),
    "progressive jpeg": (lambda: h.jpeg(progressive=True), (400, 300), False),
    "jpeg of two views": (
        lambda: h.saved(h.scene(), "MPO", save_all=True, append_images=[h.scene()]), (400, 300), False),
    "grey png of 16 bits": (h.grey_16_png, (400, 300), False),
    "colour png of 16 bits": (h.colour_16_png, (400, 300), False),
    "black and white png": (lambda: h.saved(h.scene(mode="1"), "PNG"), (400, 300), False),
    "palette png with transparency": (h.palette_png, (400, 300), True),
    "png with a transparent key colour": (h.key_colour_png, (400, 300), True),
    "grey png with transparency": (h.grey_alpha_png, (400, 300), True),
    "png with transparency": (lambda: h.saved(h.half_transparent(), "PNG"), (400, 300), True),
    "webp with transparency": (lambda: h.saved(h.half_transparent(), "WEBP"), (400, 300), True),
    "png that could be transparent and is not": (h.opaque_rgba_png, (400, 300), False),
    # sizes
    "as wide as the widest": (lambda: h.jpeg(1600, 400), (1600, 400), False),
    "wider than the widest": (lambda: h.jpeg(4000, 1000), (1600, 400), False),
    "a tower": (lambda: h.png(300, 12_000), (150, 6_000), False),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(name: str) -> None:
    make, code = REFUSED[name]
    data = make()
    began = time.monotonic()
    with pytest.raises(PictureRefused) as caught:
        redraw(data)
    assert caught.value.code == code
    assert caught.value.status == (413 if code == "too-large" else 422)
    assert str(caught.value.sentence).endswith(".")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("name", DRAWN)
def test_it_draws_again(name: str) -> None:
    make, size, has_alpha = DRAWN[name]
    data = make()
    began = time.monotonic()
    drawn = redraw(data)
    assert time.monotonic() - began < 4
    assert (drawn.width, drawn.height) == size
    assert drawn.has_alpha is has_alpha
    for width, files in drawn.sizes.items():
        for extension, file in files.items():
            _check_file(file, extension, (width, round(size[1] * width / size[0])), drawn)


def _check_file(file: bytes, extension: str, size: tuple[int, int], drawn: Redrawn) -> None:
    with Image.open(io.BytesIO(file)) as image:
        image.load()
        assert image.format == {"webp": "WEBP", "jpg": "JPEG"}[extension]
        assert abs(image.width - size[0]) <= 1 and abs(image.height - size[1]) <= 1
        assert image.mode == ("RGBA" if drawn.has_alpha and extension == "webp" else "RGB")
        assert not image.getexif()
        assert not {"icc_profile", "comment", "xmp", "exif", "photoshop"} & set(image.info)
        assert getattr(image, "n_frames", 1) == 1
    assert [mark for mark in h.MARKS if mark in file] == []


def _largest(drawn: Redrawn, extension: str = "webp") -> Image.Image:
    width = max(w for w, files in drawn.sizes.items() if extension in files)
    return Image.open(io.BytesIO(drawn.sizes[width][extension]))


def _colour(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The pixel at a place given in shares of width and height."""
    found = image.getpixel((round(image.width * x), round(image.height * y)))
    assert isinstance(found, tuple)
    return found


def _is_near(colour: tuple[int, ...], expected: tuple[int, ...], within: int = 12) -> bool:
    return all(abs(a - b) <= within for a, b in zip(colour, expected, strict=True))


RED, GREEN, BLUE, WHITE = (254, 0, 0), (0, 255, 1), (0, 0, 254), (255, 255, 255)

CORNERS = {
    # orientation: top left, top right, bottom left, bottom right, as a person sees them
    1: (RED, BLUE, GREEN, WHITE), 2: (BLUE, RED, WHITE, GREEN), 3: (WHITE, GREEN, BLUE, RED),
    4: (GREEN, WHITE, RED, BLUE), 5: (RED, GREEN, BLUE, WHITE), 6: (GREEN, RED, WHITE, BLUE),
    7: (WHITE, BLUE, GREEN, RED), 8: (BLUE, WHITE, RED, GREEN),
}  # fmt: skip


@pytest.mark.parametrize("orientation", CORNERS)
def test_it_turns_a_photograph_upright(orientation: int) -> None:
    image = _largest(redraw(h.located(orientation)))
    assert image.size == ((400, 300) if orientation < 5 else (300, 400))
    found = [_colour(image, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    assert all(map(_is_near, found, CORNERS[orientation])), found


def test_it_shows_the_first_frame_of_a_film() -> None:
    for make in (h.animated_gif, h.animated_webp, h.animated_png):
        image = _largest(redraw(make()))
        assert _is_near(_colour(image, 0.25, 0.25), RED)
        assert _is_near(_colour(image, 0.75, 0.25), BLUE)


def test_it_keeps_the_greys_of_sixteen_bits() -> None:
    image = _largest(redraw(h.grey_16_png()))
    for x in (0.1, 0.5, 0.9):
        assert _is_near(_colour(image, x, 0.5), (round(255 * x),) * 3, 6)
    assert _is_near(_colour(_largest(redraw(h.colour_16_png())), 0.5, 0.5), (255, 128, 0))


def test_it_keeps_the_colours_of_print() -> None:
    image = _largest(redraw(h.saved(h.scene(mode="CMYK"), "JPEG", quality=95)))
    assert _is_near(_colour(image, 0.25, 0.25), RED)
    assert _is_near(_colour(image, 0.75, 0.75), WHITE)


def test_it_brings_a_profile_to_srgb() -> None:
    plain = _largest(redraw(h.jpeg_with_profile(h.srgb())))
    assert _is_near(_colour(plain, 0.25, 0.25), RED)
    swapped = _largest(redraw(h.jpeg_with_profile(h.swapped_profile())))
    assert _is_near(_colour(swapped, 0.25, 0.25), GREEN)
    assert _is_near(_colour(swapped, 0.75, 0.25), BLUE)


def test_it_keeps_transparency_for_pages_and_puts_white_under_it_for_networks() -> None:
    for make in (h.palette_png, lambda: h.saved(h.half_transparent(), "PNG"), h.grey_alpha_png):
        drawn = redraw(make())
        assert _colour(_largest(drawn), 0.02, 0.25)[3] == 0
        assert _colour(_largest(drawn), 0.9, 0.6)[3] == 255
        assert _is_near(_colour(_largest(drawn, "jpg"), 0.02, 0.25), WHITE)


@pytest.mark.parametrize(
    ("width", "sizes", "for_networks"),
    [
        (4000, [1600, 1200, 640, 320], 1200),
        (1600, [1600, 1200, 640, 320], 1200),
        (1400, [1400, 1200, 640, 320], 1200),
        (1210, [1200, 640, 320], 1200),
        (1199, [1199, 640, 320], 1199),
        (700, [640, 320], 640),
        (500, [500, 320], 500),
        (240, [240], 240),
    ],
)
def test_it_makes_the_sizes_that_pages_need(
    width: int, sizes: list[int], for_networks: int
) -> None:
    drawn = redraw(h.jpeg(width, 200))
    assert list(drawn.sizes) == sizes
    assert drawn.width == sizes[0]
    assert all("webp" in files for files in drawn.sizes.values())
    assert [w for w, files in drawn.sizes.items() if "jpg" in files] == [for_networks]


def test_it_names_a_picture_after_what_it_shows() -> None:
    plain = redraw(h.jpeg())
    assert redraw(h.jpeg(comment=h.SCRIPT)).digest == plain.digest
    assert redraw(h.jpeg_polyglot()).digest == plain.digest
    assert redraw(h.located(6)).digest != plain.digest
    assert redraw(h.jpeg(401)).digest != plain.digest
    assert len(plain.digest) == 64


def test_it_gives_networks_less_than_five_megabytes() -> None:
    drawn = redraw(h.noise(1200, 3000))
    file = drawn.sizes[1200]["jpg"]
    assert 500_000 < len(file) < 5_000_000
    assert Image.open(io.BytesIO(file)).size == (1200, 3000)


def test_it_answers_every_damage_with_a_drawing_or_a_refusal() -> None:
    """300 files, each a good one with some bytes changed, moved or lost."""
    chance = random.Random(3)
    good = [
        h.located(6), h.png_with_texts(), h.webp_with_everything(), h.palette_png(),
        h.saved(h.scene(), "GIF", comment=h.SCRIPT), h.jpeg(progressive=True),
    ]  # fmt: skip
    fates = {"drawn": 0}
    for number in range(300):
        data = bytearray(good[number % len(good)])
        for _ in range(chance.choice((1, 3, 10, 100))):
            at = chance.randrange(min(len(data), chance.choice((64, 1000, 10_000))))
            data[at] = chance.choice((0, 255, chance.randrange(256)))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            redraw(bytes(data))
            fates["drawn"] += 1
        except PictureRefused as refused:
            fates[refused.code] = fates.get(refused.code, 0) + 1
    assert sum(fates.values()) == 300
    assert fates["drawn"] > 30 and fates["broken"] > 30, fates


def test_it_tells_kinds_by_their_first_bytes() -> None:
    found = [kind_of(data) for data in (h.jpeg(), h.png(), h.SVG, h.HTML, b"")]
    assert found == ["jpeg", "png", "other-picture", None, None]
