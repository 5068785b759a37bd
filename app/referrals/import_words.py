"""What an import says, code by code: stored as codes, put into words when somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from flask_babel import lazy_gettext as _l

from app.errors import Sentence

FAULTS: Final[Mapping[str, Sentence]] = {
    "empty": _l("This file holds nothing."),
    "truncated": _l("This file stops in the middle. Fetch or export it once more."),
    "html": _l("This is a web page, not a list of offers. Check the address, or export again."),
    "too-large": _l("This file is larger than 25 MB, or holds more than 50,000 rows."),
    "not-utf8": _l("The letters of this file cannot be read. Save it as UTF-8."),
    "not-json": _l("This is not the JSON that this tracking system sends."),
    "wrong-shape": _l("This does not look like a list of offers from this tracking system."),
    "header-unreadable": _l("The first line should hold the names of the columns."),
    "bad-token": _l("This is not the name of a job board."),
    "unreachable": _l("Nobody answers at this address. Check it, or try again in a while."),
    "refused-address": _l(
        "We do not fetch from this address. Give a public one that starts with https://."
    ),
    "not-a-feed": _l("What this address sends is not a list of offers."),
}
"""Why a file as a whole cannot be used."""

REASONS: Final[Mapping[str, Sentence]] = {
    "missing-id": _l("This row has no reference, so it could not be found again next time."),
    "missing-title": _l("This row has no title."),
    "duplicate-id": _l("Another row of this file has the same reference. The newer one was used."),
    "bad-url": _l("The application address cannot be used: it should start with https://."),
    "wrong-cell-count": _l("This row does not have as many cells as the first line."),
    "unclosed-quote": _l("A quotation mark is opened here and never closed."),
    "cell-too-long": _l("A cell of this row is longer than we can read."),
    "wrong-shape": _l("This row is not an offer."),
    "id-too-long": _l("The reference has more than 120 characters."),
    "conflict": _l("Somebody changed this offer at the same moment. The next import will take it."),
    "unstorable": _l("This row holds a value that cannot be kept."),
    "bad-date": _l("This date was left out: it cannot be read for sure."),
    "bad-salary": _l("This salary was left out: it cannot be read for sure."),
    "unknown-status": _l("We do not know this status, so the offer is not shown."),
    "unknown-workplace": _l("We do not know this way of working; it was left out."),
    "unknown-country": _l("We do not know this country; it was left out."),
    "fewer-rows-than-announced": _l("The list announces more offers than it holds."),
    "no-rows": _l("The list holds no offer."),
    "unfinished-last-row": _l("The last row is not whole."),
    "closed-at-source": _l("It is closed in the file."),
    "closed-by-person": _l("It is in the file, but somebody closed it here; it stays closed."),
    "reopened": _l("It is in the file again, so it is open again."),
    "absent": _l("It is no longer in the file."),
    "kept": _l("It is missing from the file. It stays open until you say otherwise."),
}  # fmt: skip
"""What happened to one row, or what was left out of it."""

SUSPICIONS: Final[Mapping[str, Sentence]] = {
    "empty": _l("This file holds no offer at all. Nothing was closed."),
    "truncated": _l("This file seems to stop too early. Nothing was closed."),
    "html": _l("A web page came instead of the list. Nothing was closed."),
    "incomplete": _l(
        "Some rows could not be recognised, so nobody can say which offers are gone."
        " Nothing was closed."
    ),
    "shrunk": _l("This file holds less than half of the offers that are open. Nothing was closed."),
}  # fmt: skip
"""Why absence closed nothing this time."""

DOUBTS: Final[Mapping[str, Sentence]] = {
    "empty": _l("They stay open, because this file holds no offer at all."),
    "truncated": _l("They stay open, because this file seems to stop too early."),
    "incomplete": _l(
        "They stay open, because some rows could not be recognised and nobody can say which"
        " offers are gone."
    ),
    "shrunk": _l(
        "They stay open, because this file holds less than half of the offers that are open."
    ),
}  # fmt: skip
"""Why absence would close nothing, said beforehand."""

_UNREADABLE: Final[Sentence] = _l("This file cannot be read.")
_ODD: Final[Sentence] = _l("Something about this file is odd. Nothing was closed.")

FIELDS: Final[Mapping[str, Sentence]] = {
    "external_id": _l("Reference"),
    "title": _l("Title"),
    "description": _l("Description"),
    "location": _l("Place"),
    "country": _l("Country"),
    "department": _l("Department"),
    "contract": _l("Contract"),
    "workplace": _l("Remote work"),
    "language": _l("Language"),
    "salary": _l("Salary, as words"),
    "salary_min": _l("Lowest salary"),
    "salary_max": _l("Highest salary"),
    "currency": _l("Currency"),
    "salary_interval": _l("Salary period"),
    "apply_url": _l("Application address"),
    "status": _l("Status"),
    "published_at": _l("Published on"),
    "updated_at": _l("Changed on"),
    "job_id": _l("Requisition"),
}
"""What the columns of a file may be, in the order of the page that maps them."""


def fault(code: str, detail: str = "") -> Sentence:
    """Why the file cannot be used. `detail` names the column that is missing."""
    if code == "missing-column":
        name = FIELDS.get(detail)
        if name is not None:
            asked = _l("No column holds the field “%(field)s”. Say which one does.", field=name)
            return cast(Sentence, asked)
        return cast(Sentence, _l("The file has no column “%(column)s”.", column=detail))
    return FAULTS.get(code) or _UNREADABLE


def reason(code: str | None) -> Sentence:
    """What happened to a row; nothing for a row that was simply taken."""
    return REASONS.get(code or "", code or "")


def suspicion(code: str | None) -> Sentence:
    """Why nothing was closed."""
    return SUSPICIONS.get(code or "") or _ODD


def doubt(code: str | None) -> Sentence:
    """Why nothing would be closed."""
    return DOUBTS.get(code or "") or DOUBTS["incomplete"]
