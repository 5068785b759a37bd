"""The register of processing (GDPR, article 30; rule T2), read from the declarations that
exports, erasures and the purge use, so that it cannot say anything else than the code does."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import personal_data
from app.errors import Sentence
from app.personal_data import BASES, CANDIDATE, PERSON, RECIPIENTS, SOURCES, Holding
from app.rights.retention_words import kept_for

SUBJECTS: Final[dict[str, Sentence]] = {PERSON: _l("members"), CANDIDATE: _l("candidates")}


class Line(NamedTuple):
    """One processing in words; `tables` are the names of tables."""

    key: str
    title: str
    purpose: str
    basis: str
    subjects: str
    source: str
    recipients: str
    kept: str
    transfers: str
    tables: tuple[str, ...]


def lines(subject: str | None = None) -> list[Line]:
    """Every declaration in the reader's language; with `subject`, those about such people."""
    return [_line(holding) for holding in personal_data.holdings(subject)]


def _line(holding: Holding) -> Line:
    kinds = [kind for kind in (PERSON, CANDIDATE) if kind in {*holding.exports, *holding.erasures}]
    goes_out = "network" in holding.recipients
    return Line(
        holding.key,
        str(holding.title),
        str(holding.purpose),
        str(BASES[holding.basis]),
        ", ".join(str(SUBJECTS[kind]) for kind in kinds),
        str(SOURCES[holding.source]),
        ", ".join(str(RECIPIENTS[code]) for code in holding.recipients),
        kept_for(holding.retention),
        _("to the network you post on, at your press") if goes_out else _("none"),
        tuple(sorted(table.__tablename__ for table in holding.tables)),
    )


def header() -> list[str]:
    """The columns of the table."""
    return [
        _("Code"), _("Processing"), _("Purpose"), _("Legal basis"), _("About"), _("From"),
        _("Recipients"), _("Kept"), _("Transfers"), _("Tables"),
    ]  # fmt: skip
