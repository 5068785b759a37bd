"""`python -m app.provisioning.imports.workbook FILE`: the first sheet with content, as CSV.

A process of its own, with memory and time of its own: a workbook is a compressed file, and what
it unfolds to is its author's choice. Ends with 1 where it cannot be read, 3 where it has too many
rows, 4 where it is empty. Row n of the sheet is line n of the text.
"""

from __future__ import annotations

import csv
import datetime as dt
import resource
import sys
import zipfile
from collections.abc import Iterator
from typing import Final, TextIO

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MOST_MEMORY: Final = 2 * 1024**3
MOST_UNFOLDED: Final = 1024**3
MOST_ROWS: Final = 200_050
MOST_COLUMNS: Final = 1_000

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def words(cell: Cell) -> str:
    """A cell as a person would have typed it: whole numbers whole, days as ISO, one line."""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return " ".join(str(cell).split())


def _sheets(book: CalamineWorkbook) -> Iterator[CalamineSheet]:
    for number, about in enumerate(book.sheets_metadata):
        if about.typ is SheetTypeEnum.WorkSheet and about.visible is SheetVisibleEnum.Visible:
            yield book.get_sheet_by_index(number)


def unfold(name: str, out: TextIO) -> int:
    """Write the sheet; the exit status."""
    with zipfile.ZipFile(name) as packed:
        if sum(part.file_size for part in packed.infolist()) > MOST_UNFOLDED:
            return 3
    with CalamineWorkbook.from_path(name) as book:
        sheet = next((sheet for sheet in _sheets(book) if sheet.height), None)
        if sheet is None:
            return 4
        if sheet.height > MOST_ROWS or sheet.width > MOST_COLUMNS:
            return 3
        writer = csv.writer(out, delimiter=",", lineterminator="\n")
        for row in sheet.iter_rows():
            writer.writerow([words(cell) for cell in row])
    return 0


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    try:
        return unfold(sys.argv[1], sys.stdout)
    except Exception:  # noqa: BLE001 - whatever it was, the file cannot be read
        return 1


if __name__ == "__main__":
    sys.exit(main())
