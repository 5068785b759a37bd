"""Texts that a row holds twice: as they were written, and in the other language where somebody
wrote that, too. A statement that asks `in_other` wants the parameter `READS` with it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, bindparam
from sqlalchemy.orm import InstrumentedAttribute

READS: Final = "reads"
"""The parameter for the reader's language, always to be given; None: as it was written."""
READER: Final = bindparam(READS, type_=String)


def in_other(
    written: InstrumentedAttribute[Any], other: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Whether the reader is told the text `other` of a row that was `written` in a language."""
    return and_(other != "", written != READER)
