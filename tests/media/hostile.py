"""Pictures as strangers may send them, made here byte by byte.

Each maker returns the bytes of one file. What may never reach an output is written as
`MARKS`: a maker hides some of them where a decoder does not look.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

SCRIPT = b"<script>alert('MARK-5f1d')</script>"
MARKS = (
    b"MARK-5f1d", b"<script", b"Exif\x00", b"EXIF", b"eXIf", b"ICC_PROFILE", b"ICCP", b"acsp", b"XMP ",
    b"ns.adobe.com", b"tEXt", b"iTXt", b"zTXt", b"GPS 47.75",
)  # fmt: skip
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#" xmlns:xap="http://ns.adobe.com/xap/1.0/">' + SCRIPT + b"</rdf:RDF></x:xmpmeta>"
)
JUNK = random.Random(20261122)


@lru_cache(maxsize=32)
def scene(width: int = 400, height: int = 300, mode: str = "RGB") -> Image.Image:
    """Left half red over green, right half blue over white: orientation and colours show."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (0, height // 2, width // 2, height))
    image.paste("blue", (width // 2, 0, width, height // 2))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """`image` as a file of that format."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = 400, height: int = 300, **options: object) -> bytes:
    return saved(scene(width, height), "JPEG", quality=90, **options)


def png(width: int = 400, height: int = 300) -> bytes:
    return saved(scene(width, height), "PNG")


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """One PNG chunk with its length and its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


PNG_SIGN = b"\x89PNG\r\n\x1a\n"
PNG_HEAD = len(PNG_SIGN) + 25  # the signature and the header chunk


def png_with(*chunks: bytes, width: int = 400, height: int = 300) -> bytes:
    """A good PNG with `chunks` put behind its header."""
    whole = png(width, height)
    return whole[:PNG_HEAD] + b"".join(chunks) + whole[PNG_HEAD:]


@lru_cache
def inflated(size: int) -> bytes:
    """A zlib stream of a few kilobytes that grows to `size` zeros."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


# --- bombs ----------------------------------------------------------------------------------


def png_of(width: int, height: int) -> bytes:
    """A small file that declares a large picture."""
    data = chunk(b"IDAT", zlib.compress(bytes(100_000), 9))
    return PNG_SIGN + header(width, height) + data + chunk(b"IEND")


def png_with_more_data_than_declared() -> bytes:
    return PNG_SIGN + header(400, 300) + chunk(b"IDAT", inflated(128 << 20)) + chunk(b"IEND")


def text_bomb() -> bytes:
    return png_with(*(chunk(b"zTXt", b"Comment\0\0" + inflated(128 << 20)),) * 3)


def profile_bomb() -> bytes:
    return png_with(chunk(b"iCCP", b"ICC\0\0" + inflated(128 << 20)))


def chunk_flood() -> bytes:
    return png_with(chunk(b"teSt") * 100_000)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose frame header declares another size."""
    whole = jpeg()
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


def jpeg_with_two_frames() -> bytes:
    """The first frame header is modest, the second one is not."""
    whole = jpeg()
    at = whole.index(b"\xff\xc0")
    length = 2 + int.from_bytes(whole[at + 2 : at + 4], "big")
    second = whole[at : at + 5] + struct.pack(">HH", 65_000, 65_000) + whole[at + 9 : at + length]
    return whole[: at + length] + second + whole[at + length :]


@lru_cache
def scan_bomb(scans: int = 20_000) -> bytes:
    """A progressive JPEG of 36 megapixels whose last scan is repeated: each repetition takes
    76 bytes, and the decoder goes over the whole picture for it."""
    whole = saved(Image.new("RGB", (6000, 6000), "teal"), "JPEG", progressive=True, quality=50)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * scans + b"\xff\xd9"


def webp_of(width: int, height: int) -> bytes:
    """A lossless WebP of a few bytes that declares a large picture."""
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 26) + b"\x2f" + struct.pack("<I", bits) + bytes(21)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_canvas_of(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is large and whose picture is small."""
    image = saved(scene(), "WEBP")[12:]
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides + image
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_of(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + saved(scene(), "GIF")[10:]


def gif_with_frame_of(width: int, height: int) -> bytes:
    """A modest screen whose first frame is far larger."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\x00"
    screen = b"GIF89a" + struct.pack("<HHBBB", 400, 300, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + frame + b"\x3b"


def _frames(count: int) -> list[Image.Image]:
    return [Image.new("L", (400, 300), n % 200) for n in range(count)]


@lru_cache
def animated_gif() -> bytes:
    first = scene().convert("P")
    return saved(first, "GIF", save_all=True, append_images=_frames(1000), comment=SCRIPT)


@lru_cache
def animated_webp() -> bytes:
    more = [frame.convert("RGB") for frame in _frames(200)]
    return saved(scene(), "WEBP", save_all=True, append_images=more, lossless=True, method=0)


@lru_cache
def animated_png() -> bytes:
    return saved(scene(), "PNG", save_all=True, append_images=_frames(20))


# --- files that are something else ----------------------------------------------------------


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as folder:
        folder.writestr("photo.jpg", jpeg())
    return out.getvalue()


def box(brand: bytes) -> bytes:
    """The beginning of a file of the ISO family: HEIC, AVIF, MP4."""
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1" + brand + bytes(400)


HTML = b"<!doctype html><title>MARK-5f1d</title>" + SCRIPT
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj"


# --- good pictures that carry something -----------------------------------------------------


def located(orientation: int) -> bytes:
    """A photograph with a position, a maker, a thumbnail's worth of words and a direction."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "MARK-5f1d"
    exif[0x8825] = {1: "N", 2: (47.0, 45.0, 3.0), 3: "W", 4: (3.0, 22.0, 0.0), 29: "GPS 47.75"}
    return jpeg(exif=exif)


def turned(width: int, height: int, orientation: int) -> bytes:
    """Stored as `width` by `height`, to be shown turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(width, height, exif=exif)


def jpeg_polyglot() -> bytes:
    return jpeg(comment=b"*/=1;" + SCRIPT) + HTML


def jpeg_with_segment(marker: int, body: bytes) -> bytes:
    whole = jpeg()
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
    return whole[:2] + segment + whole[2:]


def jpeg_with_looping_exif() -> bytes:
    """A directory whose sub-directories all point back to it."""
    entries = b"".join(
        struct.pack("<HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005, 0x014A)
    )
    tiff = b"II*\0" + struct.pack("<IH", 8, 4) + entries + struct.pack("<I", 8)
    return jpeg_with_segment(0xE1, b"Exif\0\0" + tiff)


def jpeg_with_profile(profile: bytes) -> bytes:
    return saved(scene(), "JPEG", quality=90, icc_profile=profile)


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lab() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@lru_cache
def swapped_profile() -> bytes:
    """sRGB whose red primary is called green and the other way round."""
    return srgb().replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def png_with_texts() -> bytes:
    info = PngInfo()
    info.add_text("Comment", SCRIPT.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    info.add_text("Long", "MARK-5f1d" * 1000, zip=True)
    return saved(scene(), "PNG", pnginfo=info)


def webp_with_everything() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "MARK-5f1d"
    return saved(scene(), "WEBP", exif=exif, xmp=XMP, icc_profile=srgb())


def palette_png() -> bytes:
    """256 colours, the first of them transparent, and transparent at the left edge."""
    image = scene().convert("P", palette=Image.Palette.ADAPTIVE, colors=200)
    image.putdata([0 if n % 400 < 40 else v or 1 for n, v in enumerate(image.get_flattened_data())])
    return saved(image, "PNG", transparency=0)


def key_colour_png() -> bytes:
    """RGB in which one colour, white, means transparent."""
    return saved(scene(), "PNG", transparency=(255, 255, 255))


def grey_16_png() -> bytes:
    """A horizontal ramp over all 65,536 greys."""
    row = b"".join(struct.pack(">H", x * 65_535 // 399) for x in range(400))
    data = zlib.compress((b"\0" + row) * 300)
    return PNG_SIGN + header(400, 300, 16, 0) + chunk(b"IDAT", data) + chunk(b"IEND")


def colour_16_png() -> bytes:
    row = struct.pack(">HHH", 65_535, 32_768, 0) * 400
    data = zlib.compress((b"\0" + row) * 300)
    return PNG_SIGN + header(400, 300, 16, 2) + chunk(b"IDAT", data) + chunk(b"IEND")


def half_transparent() -> Image.Image:
    image = scene().convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, 200, 300))
    return image


def grey_alpha_png() -> bytes:
    return saved(half_transparent().convert("LA"), "PNG")


def opaque_rgba_png() -> bytes:
    return saved(scene().convert("RGBA"), "PNG")


def noise(width: int, height: int, kind: str = "PNG", **options: object) -> bytes:
    """What compresses worst."""
    data = JUNK.randbytes(width * height * 3)
    return saved(Image.frombytes("RGB", (width, height), data), kind, **options)


Maker = Callable[[], bytes]
