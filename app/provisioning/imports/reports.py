"""The refused lines as a spreadsheet: line, column, value and reason, in the reader's language."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import xlsxwriter
from flask import Response
from flask_babel import gettext as _

from app.provisioning.imports import queries
from app.provisioning.imports.queries import ImportRow
from app.web import sheets

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def header() -> list[str]:
    return [_("Line"), _("Column"), _("Value"), _("Reason")]


def rows(row: ImportRow) -> Iterator[list[sheets.Cell]]:
    """Column names are those of the file, so that its author finds them."""
    titles = {field: str(title) for field, title in row.mapping.items()}
    titles.setdefault("name", titles.get("family") or titles.get("given") or "")
    for line in queries.all_refused(row):
        yield [line.line, titles.get(line.field or "", ""), line.value, str(line.reason)]


def as_csv(row: ImportRow) -> Response:
    """Words that a spreadsheet would run get an apostrophe."""
    return sheets.download(_("refused-lines"), header(), rows(row), sheets.delimiter())


def as_workbook(row: ImportRow) -> Response:
    """The same as a workbook, written to disk row by row; every word is a word in it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    _fill(file, rows(row))
    file.seek(0)
    response = Response(iter(lambda: file.read(65_536), b""), content_type=XLSX)
    response.call_on_close(file.close)
    name = _("refused-lines")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _fill(file: object, lines: Iterable[list[sheets.Cell]]) -> None:
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False})
    page = book.add_worksheet()
    page.set_column(1, 3, 30)
    for number, line in enumerate([header(), *[]]):
        _write(page, number, line, book.add_format({"bold": True}))
    for number, cells in enumerate(lines, start=1):
        _write(page, number, cells, None)
    book.close()


def _write(page: object, number: int, cells: Iterable[sheets.Cell], style: object) -> None:
    for at, cell in enumerate(cells):
        said = sheets.neutral(cell)
        if isinstance(said, int):
            page.write_number(number, at, said, style)  # type: ignore[attr-defined]
        else:
            page.write_string(number, at, said, style)  # type: ignore[attr-defined]
