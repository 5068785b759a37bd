"""Taking in a picture that a stranger made: nothing of the file survives, only what it shows.

The limits are decided from the first bytes and the header, before anything is decoded. What
is left is decoded once, shrunk on the way where the format can, turned upright, brought to
sRGB and painted on a canvas of ours: EXIF with its places, comments, profiles, and whatever
hides behind the last byte stay behind. Sizes are made each from the next larger one.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageCms

from app.errors import DomainError, Sentence

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
MAX_WEBP_PIXELS: Final = 25_000_000
"""Its decoder takes twice the memory of the others."""
MAX_SIDE: Final = 12_000
MIN_WIDTH: Final = 200
MIN_HEIGHT: Final = 100
WIDTHS: Final = (1600, 1200, 640, 320)
NETWORK_WIDTH: Final = 1200
NETWORK_BYTES: Final = 5_000_000
"""LinkedIn and X read pictures of up to 5 MB."""
_TALLEST: Final = 6000
"""LinkedIn wants pictures to fit 6,000 by 6,000."""

_WEBP_QUALITY: Final = 82
_JPEG_QUALITIES: Final = (82, 72, 60, 45, 30)
_MAX_SCANS: Final = 64
_MAX_PROFILE: Final = 1024 * 1024
_STYLE: Final = "1"  # a new way of drawing gets new names

_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",), "gif": ("GIF",),
}  # fmt: skip

_REFUSALS: Final[Mapping[str, Sentence]] = {
    "too-large": _l("This picture is larger than 20 MB. Save it smaller and try again."),
    "too-many-pixels": _l(
        "This picture has too many pixels: we take 50 million (25 million in a WebP), and no side"
        " over 12,000. Save it smaller and try again."
    ),
    "not-a-picture": _l("This file is not a picture. Choose a JPEG, PNG, WebP or GIF."),
    "unsupported-format": _l("We cannot open this kind of picture. Save it as JPEG, PNG or WebP."),
    "broken": _l("This picture is damaged. Save it again, or choose another one."),
    "too-small": _l("This picture is too small: it should be at least 200 by 100 pixels."),
}

# What decoders raise when a file is not what it says.
_DECODER_ERRORS: Final = (
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, LookupError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip

# Our own limits are below the decoder's; its warning would only mean that they were passed by.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class PictureRefused(DomainError):
    """A file that is not taken in. `code`: too-large (413), too-many-pixels, not-a-picture,
    unsupported-format, broken or too-small (422)."""

    def __init__(self, code: str) -> None:
        super().__init__(_REFUSALS[code])
        self.code = code
        self.status = 413 if code == "too-large" else 422


@dataclass(frozen=True, slots=True)
class Redrawn:
    """A picture drawn by us. `digest` names what it shows; `width` and `height` are those of
    the largest size; `sizes` holds files by width and extension ('webp' in every size, 'jpg'
    in the one for networks), largest first."""

    digest: str
    width: int
    height: int
    has_alpha: bool
    sizes: dict[int, dict[str, bytes]]


def redraw(data: bytes) -> Redrawn:
    """Draw the picture in `data` again, in every size. Raises `PictureRefused`, nothing else.

    The largest ones take up to 500 MB of memory for two seconds: draw one at a time.
    """
    kind = _admitted(data)
    try:
        canvas = _canvas(data, kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused("too-many-pixels") from error
    except _DECODER_ERRORS as error:
        raise PictureRefused("broken") from error
    return _redrawn(canvas)


def sizes_of(data: bytes, widths: tuple[int, ...] = WIDTHS) -> Iterator[tuple[int, Image.Image]]:
    """(width, picture) of each size, the largest first, not encoded. `widths` from large to
    small; the first is the largest that is kept. Raises `PictureRefused`."""
    return _smaller_and_smaller(_canvas(data, _admitted(data), widths), widths)


# --- before decoding -----------------------------------------------------------------------

_OTHERS: Final = (
    b"%PDF-", b"%!PS", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\0\0\1\0", b"\0\0\2\0",
    b"8BPS", b"\xff\x0a", b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51", b"gimp xcf",
    b"qoif", b"\x76\x2f\x31\x01",
)  # fmt: skip


def kind_of(data: bytes) -> str | None:
    """'jpeg', 'png', 'webp' or 'gif' by the first bytes; 'other-picture' for what is one but is
    not opened here; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    other = data.startswith(_OTHERS) or data[4:8] == b"ftyp" or _is_svg(data[:4096])
    return "other-picture" if other else None


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    begins = text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg"))
    return begins and b"<svg" in text and b"<html" not in text


def _admitted(data: bytes) -> str:
    """The kind of a file that may be opened."""
    if len(data) > MAX_BYTES:
        raise PictureRefused("too-large")
    kind = kind_of(data)
    if kind is None:
        raise PictureRefused("not-a-picture")
    if kind not in _FORMATS:
        raise PictureRefused("unsupported-format")
    return kind


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if width > MAX_SIDE or height > MAX_SIDE or width * height > most:
        raise PictureRefused("too-many-pixels")


def _harmless(data: bytes, kind: str) -> bytes:
    """What the decoder may see of a file."""
    if kind == "webp":
        _check_webp(data)
    if kind == "jpeg":
        _check_scans(data)
    return _painting_chunks(data) if kind == "png" else data


def _check_webp(data: bytes) -> None:
    """The size that a WebP declares: its decoder makes room for two such canvases at once.
    Layout: RFC 9649, sections 2.5 to 2.7."""
    name, body = data[12:16], data[20:30]
    width = height = 0
    if name == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    elif name == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif name == b"VP8 ":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    _check_size(width, height, MAX_WEBP_PIXELS)


_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA


def _check_scans(data: bytes) -> None:
    """A scan of 75 bytes makes the decoder go over the whole picture once more, so that 20 MB
    of them keep it busy for hours. Photographs have about ten."""
    at, scans = 2, 0
    while found := _MARKER.search(data, at):
        marker = data[found.start() + 1]
        if marker == _JPEG_END:
            return
        scans += marker == _JPEG_SCAN
        if scans > _MAX_SCANS:
            raise PictureRefused("broken")
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")


_PNG_PAINTS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"iCCP"})


def _painting_chunks(data: bytes) -> bytes:
    """A PNG without the chunks that do not change what it shows: texts that unpack to
    gigabytes, frames after the first."""
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        name, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name in _PNG_PAINTS and not (name == b"iCCP" and _is_bomb(data[at + 8 : end - 4])):
            kept.append(data[at:end])
        if name == b"IEND":
            break
        at = end
    return b"".join(kept)


def _is_bomb(profile: bytes) -> bool:
    """Whether a packed colour profile (name, NUL, method, zlib) is larger than profiles are."""
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(profile[profile.index(0) + 2 :], _MAX_PROFILE)
    except (ValueError, zlib.error):
        return True
    return not unpacker.eof


# --- decoding ------------------------------------------------------------------------------

_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def _canvas(data: bytes, kind: str, widths: tuple[int, ...] = WIDTHS) -> Image.Image:
    """The picture upright, in sRGB, at its largest size, on a canvas of ours."""
    file = io.BytesIO(_harmless(data, kind))
    with Image.open(file, formats=_FORMATS[kind]) as image:
        _check_size(*image.size)
        if kind != "jpeg":  # only a JPEG tells its orientation before it is decoded
            image.load()
        turn = _TURNS.get(_orientation(image))
        on_its_side = turn is not None and turn in _ON_ITS_SIDE
        width, height = image.size[::-1] if on_its_side else image.size
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            raise PictureRefused("too-small")
        fitted = _fitted(width, height, widths)
        profile = image.info.get("icc_profile")
        shrunk = _shrunk(image, fitted[::-1] if on_its_side else fitted)
    upright = shrunk if turn is None else shrunk.transpose(turn)
    return _painted(_in_srgb(upright, profile))


_ON_ITS_SIDE: Final = frozenset(_TURNS[number] for number in (5, 6, 7, 8))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 where there is none or none that can be read."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except _DECODER_ERRORS:
        return 1


def _fitted(width: int, height: int, widths: tuple[int, ...]) -> tuple[int, int]:
    """The largest size to keep. One that is hardly larger than a usual width takes that."""
    scale = min(1.0, widths[0] / width, _TALLEST / height)
    top = max(1, round(width * scale))
    top = next((usual for usual in widths if usual < top <= usual * 1.1), top)
    return top, max(1, round(height * top / width))


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Decoded at `size`. A JPEG is shrunk to nearly that while it is decoded."""
    image.draft("RGB", size)
    image.load()
    flat = _eight_bits(image)
    if flat.size == size:
        return flat
    has_alpha = flat.mode == "RGBA"  # weighed by its alpha, or hidden colours would bleed
    source = flat.convert("RGBa") if has_alpha else flat
    small = source.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small.convert("RGBA") if has_alpha else small


def _eight_bits(image: Image.Image) -> Image.Image:
    """In L, RGB, RGBA or CMYK."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 257)).convert("L")
    if image.has_transparency_data and image.mode != "RGBA":
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In RGB or RGBA; a profile that is too large or does not fit the picture is left out."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and len(profile) <= _MAX_PROFILE:
        try:
            source = ImageCms.getOpenProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(image, source, target, outputMode=mode)
        except (ImageCms.PyCMSError, *_DECODER_ERRORS):
            found = None
        if found is not None:
            return found
    return image.convert(mode)


def _painted(image: Image.Image) -> Image.Image:
    """On a new canvas, without the transparency that is not used."""
    mode = image.mode
    if mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        mode = "RGB"
    canvas = Image.new(mode, image.size)
    canvas.paste(image.convert(mode))
    return canvas


# --- files ---------------------------------------------------------------------------------


def _redrawn(canvas: Image.Image) -> Redrawn:
    shape = f"{_STYLE}:{canvas.mode}:{canvas.width}x{canvas.height}:"
    digest = hashlib.sha256(shape.encode() + canvas.tobytes()).hexdigest()
    sizes: dict[int, dict[str, bytes]] = {}
    has_jpeg = False
    for size, drawn in _smaller_and_smaller(canvas, WIDTHS):
        sizes[size] = {"webp": _webp(drawn)}
        if size <= NETWORK_WIDTH and not has_jpeg:
            sizes[size]["jpg"] = _jpeg(drawn)
            has_jpeg = True
    return Redrawn(digest, canvas.width, canvas.height, canvas.mode == "RGBA", sizes)


def _smaller_and_smaller(
    canvas: Image.Image, widths: tuple[int, ...]
) -> Iterator[tuple[int, Image.Image]]:
    """The canvas, then each usual width below it, drawn from the one before: shrinking a small
    picture costs a fraction of shrinking the large one again."""
    width, height = canvas.size
    yield width, canvas
    for size in widths:
        if size < width:
            at = (size, max(1, round(height * size / width)))
            canvas = canvas.resize(at, Image.Resampling.LANCZOS)
            yield size, canvas


def _webp(canvas: Image.Image) -> bytes:
    out = io.BytesIO()
    canvas.save(out, "WEBP", quality=_WEBP_QUALITY, method=4)
    return out.getvalue()


def _jpeg(canvas: Image.Image) -> bytes:
    """For networks that take no WebP: on white, in the best quality that is light enough.

    Neither progressive nor optimised: for those the library sets aside one byte a pixel, and
    fails on pictures that need more.
    """
    flat = Image.new("RGB", canvas.size, "white")
    flat.paste(canvas, mask=canvas if canvas.mode == "RGBA" else None)
    for quality in _JPEG_QUALITIES:
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=quality, subsampling=0)
        if out.tell() < NETWORK_BYTES:
            break
    return out.getvalue()
