"""The lines of a separated file, one at a time and none of them too long.

The file is UTF-8 here, whatever it was (`spool`). A line that is too long, or a quotation mark
that nobody closes, costs that one line and not the file: what was read ahead is given back.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

LONGEST_LINE: Final = 64 * 1024
"""Bytes of one line of content."""
LONGEST_RECORD: Final = 50
"""Lines that the quoted cells of one record may span."""
MOST_COLUMNS: Final = 1_000
SEPARATORS: Final = ";,\t|"

_SKIPPED: Final = 1024 * 1024
_NAMED_SEPARATOR: Final = re.compile(r'"?sep=([;,\t|])"?\s*')


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it stands, its cells or the code of what is wrong with it, the byte
    and the line after it."""

    line: int
    cells: list[str]
    code: str | None
    end: int
    next_line: int

    @property
    def is_blank(self) -> bool:
        return self.code is None and not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    is_long: bool
    end: int


class _NotClosed(Exception):
    """The record goes on for longer than a record may."""


class Records:
    """The records of a file from a byte on; `line` is the number of the line that begins there."""

    def __init__(self, file: BinaryIO, separator: str, *, offset: int = 0, line: int = 1) -> None:
        self._file, self._separator = file, separator
        self._ahead: deque[_Line] = deque()
        self._number, self._offset = line, offset
        file.seek(offset)

    def __iter__(self) -> Iterator[Record]:
        while (first := self._next_line()) is not None:
            yield self._record(first)

    def _next_line(self) -> _Line | None:
        if self._ahead:
            return self._ahead.popleft()
        raw = self._file.readline(LONGEST_LINE + 1)
        if not raw:
            return None
        is_long, size = len(raw) > LONGEST_LINE, len(raw)
        while not raw.endswith(b"\n") and (raw_more := self._file.readline(_SKIPPED)):
            is_long, size = True, size + len(raw_more)
            if raw_more.endswith(b"\n"):
                break
        self._offset += size
        text = "" if is_long else raw.decode("utf-8", "replace")
        found = _Line(self._number, text, is_long, self._offset)
        self._number += 1
        return found

    def _record(self, first: _Line) -> Record:
        if first.is_long:
            return _refused(first, "line-too-long")
        if '"' not in first.text:
            cells = first.text.rstrip("\r\n").split(self._separator)
            return Record(first.number, cells, None, first.end, first.number + 1)
        return self._quoted(first)

    def _quoted(self, first: _Line) -> Record:
        taken = [first]
        try:
            cells = next(csv.reader(self._feed(taken), delimiter=self._separator))
        except _NotClosed:
            self._ahead.extendleft(reversed(taken[1:]))
            return _refused(first, "quote-not-closed")
        except csv.Error:
            self._ahead.extendleft(reversed(taken[1:]))
            return _refused(first, "unreadable")
        return Record(first.number, cells, None, taken[-1].end, taken[-1].number + 1)

    def _feed(self, taken: list[_Line]) -> Iterator[str]:
        size = len(taken[0].text)
        yield taken[0].text
        while True:
            more = self._next_line()
            if more is None:
                raise _NotClosed
            taken.append(more)
            size += len(more.text)
            if more.is_long or size > LONGEST_LINE or len(taken) > LONGEST_RECORD:
                raise _NotClosed
            yield more.text


def _refused(first: _Line, code: str) -> Record:
    """One line is lost; the next one begins a record."""
    return Record(first.number, [], code, first.end, first.number + 1)


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file says: its separator, its titles, where the content begins."""

    separator: str
    titles: list[str]
    offset: int
    line: int


def head_of(file: BinaryIO) -> Head | None:
    """The first line that says something, as titles; None when there is none to be used.

    A line `sep=;`, which a spreadsheet writes above its titles, names the separator.
    """
    offset, named = 0, ""
    for line in range(1, 21):
        file.seek(offset)
        raw = file.readline(LONGEST_LINE + 1)
        if not raw or len(raw) > LONGEST_LINE:
            return None
        text = raw.decode("utf-8", "replace")
        said = _NAMED_SEPARATOR.fullmatch(text)
        if said is None and text.strip(' \t\r\n;,|"'):
            return _head(file, named or SEPARATORS, offset, line)
        named, offset = said[1] if said else named, offset + len(raw)
    return None


def _head(file: BinaryIO, separators: str, offset: int, line: int) -> Head | None:
    """Read with the separator that gives the titles the most cells."""

    def first(separator: str) -> Record:
        return next(iter(Records(file, separator, offset=offset, line=line)))

    separator = max(separators, key=lambda each: len(first(each).cells))
    record = first(separator)
    if record.code or len(record.cells) > MOST_COLUMNS:
        return None
    return Head(separator, record.cells, record.end, record.next_line)
