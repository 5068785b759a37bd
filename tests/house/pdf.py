"""The words of a printed page, as far as a look for names needs them.

Text in such a file is numbers of glyphs; each font brings a table from glyphs to characters. Every
run of glyphs is read by every table of the file, so the words are there, among others.
"""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>")
_RUN = re.compile(rb"<([0-9A-Fa-f]+)>|\(((?:[^()\\]|\\.)*)\)", re.DOTALL)

Table = dict[int, str]


def pdf_text(data: bytes) -> str:
    """Every run of text, read by every font; without the spaces that only a layout makes."""
    streams = [*_unpacked(data)]
    tables = [_table(each) for each in streams if b"beginbf" in each]
    drawn = [each for each in streams if b"BT" in each and b"ET" in each]
    return "\n".join(_read(each, table) for each in drawn for table in tables)


def _unpacked(data: bytes) -> list[bytes]:
    found = []
    for packed in _STREAM.findall(data):
        try:
            found.append(zlib.decompress(packed))
        except zlib.error:
            found.append(packed)
    return found


def _table(stream: bytes) -> Table:
    found: Table = {}
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL):
        for glyph, text in _PAIR.findall(part):
            found[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be", "replace")
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", stream, re.DOTALL):
        for first, last, text in _RANGE.findall(part):
            for number in range(int(first, 16), int(last, 16) + 1):
                found[number] = chr(int(text, 16) + number - int(first, 16))
    return found


def _read(stream: bytes, table: Table) -> str:
    text = []
    for packed, literal in _RUN.findall(stream):
        glyphs = bytes.fromhex(packed.decode()) if packed else _plain(literal)
        pairs = zip(glyphs[::2], glyphs[1::2], strict=False)
        text.append("".join(table.get(high << 8 | low, "") for high, low in pairs))
    return "".join(text)


_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _plain(literal: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        sign = found[1]
        return bytes([int(sign, 8) & 255]) if sign.isdigit() else _ESCAPED.get(sign, sign)

    return re.sub(rb"\\([0-7]{1,3}|.)", one, literal, flags=re.DOTALL)
