"""Reads a request's body to its end, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from standin.linkedin.wire import Refused, problem

BODY_BYTES = 110 * 1024 * 1024
_LINE_BYTES = 65_537


class Gone(Exception):
    """The client left before its request was whole."""


def body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    """The whole body, in however many pieces it comes.

    Raises Gone when it ends early, Refused when it is too large or its framing makes no sense.
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _chunks(stream)
    length = headers.get("content-length", "0").strip()
    if not (length.isascii() and length.isdecimal()):
        raise Refused(problem(400, "Content-Length is not a number"))
    _check_size(int(length))
    return _exactly(stream, int(length))


def _chunks(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    while (size := _chunk_size(stream)) > 0:
        _check_size(size + sum(map(len, parts)))
        parts.append(_exactly(stream, size))
        _exactly(stream, 2)
    while _line(stream).strip():  # trailers
        pass
    return b"".join(parts)


def _chunk_size(stream: BinaryIO) -> int:
    try:
        return int(_line(stream).partition(b";")[0].strip(), 16)
    except ValueError:
        raise Refused(problem(400, "A chunk has no size")) from None


def _check_size(size: int) -> None:
    if not 0 <= size <= BODY_BYTES:
        raise Refused(problem(413, "The body is too large"))


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length) if length else b""
    if len(data) < length:
        raise Gone
    return data


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise Gone
    return line
