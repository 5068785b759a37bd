"""What is sent, and how small: static files packed once, pages packed as they leave.

Static files are read, hashed and packed at their first request and then kept in memory, a
few hundred kilobytes a process: no build step, no copies to keep in step on disk. Pages are
packed by Flask-Compress. Pictures and fonts are packed already, streams leave as they come,
and an answer of a few hundred bytes fits one network packet either way.

A packed page can betray what it holds (BREACH): somebody who makes a reader's browser ask
for it again and again, each time with another guess in the address, sees by the length which
guess the page repeats. The CSRF token alone would stand it: its constant half is worthless
without the signature, which changes every second. But a signed-in page holds names too. So
what another site makes a signed-in browser ask for leaves unpacked; browsers say so in
`Sec-Fetch-Site`. Those that do not say it are left to the session cookie, whose SameSite
keeps it out of all that another site asks for, but links that a person follows. Pages read
without a session, private addresses included, show nothing of the reader who was made to
ask, and a program's bearer token is not the browser's to send.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from flask import Flask, Response, abort, current_app, request
from flask_compress import Compress
from werkzeug.security import safe_join

from app.web.pages import STATIC

SMALLEST_PACKED = 860
"""Bytes. Below this the header that says "packed" and the work eat what is gained."""

FOR_EVER = "public, max-age=31536000, immutable"
A_MONTH = "public, max-age=2592000"

# Python's own table differs between versions and reads the machine's.
KINDS = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PACKED_FILES = frozenset(
    {".css", ".html", ".js", ".json", ".md", ".svg", ".txt", ".webmanifest"}
)  # fmt: skip
PACKED_PAGES = frozenset(
    {
        "application/json", "application/manifest+json", "application/problem+json",
        "application/scim+json", "image/svg+xml", "text/css", "text/html", "text/javascript",
    }
)  # fmt: skip

CODINGS = ("zstd", "br", "gzip")
"""For pages, best first: zstd takes a third of Brotli's time for four hundredths more bytes."""

_packer = Compress()


@dataclass(frozen=True)
class Copy:
    """A static file in memory. `version` is the hash that its address carries."""

    kind: str
    plain: bytes
    version: str
    packable: bool

    @cached_property
    def packed(self) -> dict[str, bytes]:
        """By coding, at the level that is worth it only once; empty when packing gains little."""
        if not self.packable or len(self.plain) < SMALLEST_PACKED:
            return {}
        return {
            "br": brotli.compress(self.plain, mode=brotli.MODE_TEXT, quality=11),
            "gzip": gzip.compress(self.plain, compresslevel=9, mtime=0),
        }


@lru_cache(maxsize=512)
def _copy(path: Path) -> Copy:
    plain = path.read_bytes()
    return Copy(
        kind=KINDS.get(path.suffix, "application/octet-stream"),
        plain=plain,
        version=hashlib.sha256(plain).hexdigest()[:10],
        packable=path.suffix in PACKED_FILES,
    )


def static_file(filename: str) -> Response:
    """One file of `static/`, as small as the browser can read it. 404 where there is none."""
    found = safe_join(str(STATIC), filename)
    if found is None or not Path(found).is_file():
        abort(404)
    copy = _copy(Path(found))
    coding = request.accept_encodings.best_match([*copy.packed, "identity"])
    if coding in copy.packed:
        response = Response(copy.packed[coding], content_type=copy.kind)
        response.headers["Content-Encoding"] = coding
        response.set_etag(f"{copy.version}:{coding}")
    else:
        response = Response(copy.plain, content_type=copy.kind)
        response.set_etag(copy.version)
    if copy.packed:
        response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = _how_long(copy)
    # A part of a packed file is no use to anybody.
    response.make_conditional(
        request, accept_ranges=coding not in copy.packed, complete_length=len(copy.plain)
    )
    return response


def _how_long(copy: Copy) -> str:
    """For ever under its own hash. Another version's address may be asked for while servers
    are changed one after the other: that answer must not stay."""
    asked = request.args.get("v")
    if asked is None:
        return A_MONTH
    return FOR_EVER if asked == copy.version else "no-cache"


def _is_whole(response: Response) -> bool:
    """Something to pack: all of an answer, of a kind that shrinks, and nobody forbids it."""
    return (
        response.status_code in (200, 201, 202)
        and response.mimetype in PACKED_PAGES
        and not response.is_streamed
        and "Content-Encoding" not in response.headers
        and not response.cache_control.no_transform
        and (response.calculate_content_length() or 0) >= SMALLEST_PACKED
    )


def _is_drawn_from_outside() -> bool:
    """Another site made a signed-in browser ask."""
    return (
        request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
        and current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    )


def _refuses() -> bool:
    """The browser names a coding that it cannot read, which Flask-Compress may yet choose."""
    return any(not wish and name in CODINGS for name, wish in request.accept_encodings)


def _pack(response: Response) -> Response:
    if request.endpoint == "static" or not _is_whole(response):
        return response
    response.vary.add("Accept-Encoding")
    if _refuses() or _is_drawn_from_outside():
        return response
    return _packer.after_request(response)


def start(app: Flask) -> None:
    """Come before whatever else changes answers: functions run from the last registered to
    the first, and nothing may change a page that is packed."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_MIMETYPES=sorted(PACKED_PAGES),
        COMPRESS_MIN_SIZE=SMALLEST_PACKED,
        COMPRESS_ALGORITHM=list(CODINGS),
        COMPRESS_STREAMS=False,
    )
    _packer.init_app(app)
    app.after_request(_pack)
    app.view_functions["static"] = static_file
