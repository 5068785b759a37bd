"""Tables for a spreadsheet: CSV that opens right in French and English, and runs nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context
from flask_babel import gettext as _

from app.web.i18n import language

Cell = str | int | dt.datetime | dt.date | None

# A cell that begins with one of these is a formula to a spreadsheet, full width signs included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(cell: Cell) -> str | int:
    """The cell as data: words that a spreadsheet would run get an apostrophe before them."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        return cell.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, int):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def delimiter() -> str:
    """What parts the cells in the reader's spreadsheet: semicolons in French."""
    return ";" if language() == "fr" else ","


def notice() -> str:
    """What a list of people’s activity may not serve, in the reader's language (rule W7)."""
    return str(_("Not for appraisal or sanction."))


def _lines(
    header: Sequence[str], rows: Iterable[Sequence[Cell]], parted_by: str, ends_with: str
) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=parted_by, lineterminator="\r\n")
    buffer.write("\ufeff")  # without the mark, Excel reads accents wrongly
    writer.writerow(header)
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])
        if buffer.tell() > 16_384:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    if ends_with:
        writer.writerows([[], [ends_with]])
    yield buffer.getvalue()


def download(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    parted_by: str = ";",
    *,
    ends_with: str = "",
) -> Response:
    """The table as a file, sent while it is read. Words are neutralised, numbers stay numbers.
    `ends_with` is a last line after an empty one, so that programs find the header first."""
    body = stream_with_context(_lines(header, rows, parted_by, ends_with))
    response = Response(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def activity(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], parted_by: str = ";"
) -> Response:
    """A table with lines about what people do. It ends with the notice, and holds no number by
    which human resources know somebody (rule W7)."""
    return download(name, header, rows, parted_by, ends_with=notice())
