"""Job lists from a spreadsheet: what a French export really looks like.

Semicolons, decimal commas, `DD/MM/YYYY`, a byte-order mark or windows-1252, line breaks
inside quotes. An administrator maps the columns once (`sniff` proposes a mapping), then
`read_csv` reads every file the same way. The file is refused as a whole only when its header
cannot be used; a bad row is reported by its physical line.

Columns about persons that nobody may ask for (birth date, nationality, …) are never read
into anything: not into a posting, not into the sample that `sniff` shows.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from app.integrations.postings import (
    MAX_ROWS,
    Collector,
    FeedError,
    FeedReading,
    FeedSettings,
    Posting,
    Salary,
    Status,
    Workplace,
    countries_in,
    country_of,
    currency_of,
    interval_of,
    is_remote_place,
    split_places,
    status_of,
    workplace_of,
)
from app.integrations.text import (
    clean_html,
    clean_text,
    detect_language,
    fold,
    html_to_text,
    parse_date,
    parse_decimal,
    safe_url,
)

Encoding = Literal["utf-8", "windows-1252"]

REQUIRED_FIELDS: Final = ("external_id", "title")

# Headers as French and English exports write them, folded. "state" is not a status here:
# in most exports it is a region.
_SYNONYMS: Final[Mapping[str, str]] = {
    "external_id": "reference|ref|reference offre|reference de l offre|ref offre|id|identifiant"
    "|id offre|code offre|numero offre|external id|job id|posting id|job reference"
    "|reference number",
    "job_id": "requisition|requisition id|id requisition|job requisition id|code requisition"
    "|reference poste|numero de poste",
    "title": "intitule|titre|intitule du poste|intitule de l offre|titre de l offre|poste"
    "|nom du poste|libelle|title|job title|job|position|posting title|job posting title",
    "department": "service|departement|direction|equipe|pole|department|team|business unit",
    "location": "ville|lieu|lieu de travail|localisation|site|commune|city|location|locations"
    "|primary location|office|place",
    "country": "pays|code pays|country|country code",
    "contract": "contrat|type de contrat|nature du contrat|contract|contract type"
    "|employment type|type of contract",
    "workplace": "teletravail|travail a distance|mode de travail|remote|remote work|workplace"
    "|workplace type|work mode",
    "salary_min": "salaire min|salaire minimum|salaire mini|salaire de|remuneration min"
    "|salary min|min salary|minimum salary|salary from",
    "salary_max": "salaire max|salaire maximum|salaire maxi|salaire a|remuneration max"
    "|salary max|max salary|maximum salary|salary to",
    "salary": "salaire|remuneration|salary|pay|compensation",
    "currency": "devise|monnaie|currency|salary currency",
    "salary_interval": "periode|periodicite|periode salaire|salaire periode|interval"
    "|salary period|salary interval|pay period",
    "apply_url": "url|lien|lien de candidature|url de candidature|url candidature|lien offre"
    "|url offre|link|apply url|job url|apply link|external url|application url",
    "published_at": "date publication|date de publication|publie le|publiee le|date"
    "|published at|publication date|date posted|posted on|posted at",
    "updated_at": "date mise a jour|date de mise a jour|mise a jour|modifie le|modifiee le"
    "|date modification|date de modification|updated at|last updated|last modified",
    "status": "statut|statut offre|etat|status|job status|posting status",
    "language": "langue|language|lang|locale",
    "description": "description|descriptif|description du poste|texte|contenu|annonce"
    "|job description|content|body",
}
# Must M1 of our notes on trust and law, with the special categories of GDPR article 9. The
# words are looked for in folded headers, whole.
_FORBIDDEN: Final = re.compile(
    r"\b(?:naissance|birth\w*|dob|ne le|nee le|age|sexe|sex|gender|genre|civilite"
    r"|nationalite\w*|nationalit(?:y|ies)|citizenship|etat civil|situation (?:familiale"
    r"|maritale|matrimoniale)|marital\w*|enfants?|child(?:ren)?|grossesse|pregnan\w*|photos?"
    r"|portrait|securite sociale|secu|nir|insee|ssn|social security|iban|rib|bic|bank\w*"
    r"|bancaires?|handicap\w*|rqth|disabilit\w*|sante|health|religion\w*|ethni\w*|race"
    r"|syndicat\w*|syndical\w*|trade union|orientation sexuelle)\b"
)

_SAMPLE_ROWS: Final = 5
_DELIMITERS: Final = (";", "\t", ",", "|")
_EXCEL_HINT: Final = re.compile(r"sep=([;,|\t])", re.IGNORECASE)
_HAS_TAGS: Final = re.compile(
    r"</?(?:p|br|ul|ol|li|div|span|strong|b|em|i|h[1-6]|a)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class CsvShape:
    """What a file looks like, for the page where an administrator maps its columns.

    `mapping` is a proposal: our field name to the header as written. `sample` holds the
    first rows, cells in the order of `header`; the cells of `forbidden_columns` are empty
    there. `ignored_columns` are those the proposal does not use, forbidden ones included.
    """

    encoding: Encoding
    delimiter: str
    header: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: int
    sample: tuple[tuple[str, ...], ...]
    ignored_columns: tuple[str, ...]
    forbidden_columns: tuple[str, ...]


def sniff(data: bytes, settings: FeedSettings | None = None) -> CsvShape:
    """Look at a file before it is mapped. Raises `FeedError` like `read_csv`."""
    table = _read_table(data, settings or FeedSettings())
    mapping = _suggest(table.header)
    allowed = [not is_forbidden(name) for name in table.header]
    return CsvShape(
        encoding=table.encoding,
        delimiter=table.delimiter,
        header=table.header,
        mapping=mapping,
        rows=len(table.records),
        sample=tuple(
            tuple(
                clean_text(cell) if keep else ""
                for cell, keep in zip(record.cells, allowed, strict=False)
            )
            for record in table.records[:_SAMPLE_ROWS]
        ),
        ignored_columns=_unused(table.header, mapping),
        forbidden_columns=tuple(name for name in table.header if is_forbidden(name)),
    )


def read_csv(
    data: bytes, mapping: Mapping[str, str] | None = None, settings: FeedSettings | None = None
) -> FeedReading:
    """Read a job list. `mapping` is our field name to header; None takes the proposal.

    Fields: the keys of `sniff(…).mapping` on a full file; others are ignored. A header that
    may not be asked for counts as unmapped. Raises `FeedError`: `empty`, `truncated`,
    `html`, `too-large`, `not-utf8` (neither UTF-8 nor windows-1252), `header-unreadable`,
    `missing-column` (`detail`: the header that the mapping names and the file lacks, or the
    required field that no column serves).
    """
    settings = settings or FeedSettings()
    table = _read_table(data, settings)
    mapping = _suggest(table.header) if mapping is None else mapping
    columns = _columns(table.header, mapping)
    rows = Collector()
    for record in table.records:
        _read_record(rows, record, len(table.header), columns, settings)
    if table.unfinished:
        rows.doubt(table.unfinished)
    used = {field: table.header[at] for field, at in columns.items()}
    return rows.reading(_unused(table.header, used))


def is_forbidden(header: str) -> bool:
    """Whether a column bears the name of something about a person that we never read."""
    return bool(_FORBIDDEN.search(fold(header)))


# --- the file --------------------------------------------------------------------------


_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAX_LINES: Final = 2_000_000
_MAX_LINE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Record:
    """One row and how it stands in the file: the line where it begins, its raw lines.

    `fault` is why its cells cannot be used.
    """

    line: int
    cells: tuple[str, ...]
    raw: tuple[str, ...]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    encoding: Encoding
    delimiter: str
    header: tuple[str, ...]
    records: tuple[_Record, ...]
    unfinished: str | None


class _Lines(Iterator[str]):
    """The physical lines of a text, one after the other; `current` are those since `mark`."""

    def __init__(self, text: str) -> None:
        self._found = _LINE.finditer(text)
        self.number = 0
        self.current: list[str] = []

    def __next__(self) -> str:
        line = next(self._found)[0]
        self.number += 1
        if self.number > _MAX_LINES or len(line) > _MAX_LINE:
            raise FeedError("too-large")
        self.current.append(line)
        return line

    def mark(self) -> None:
        self.current = []


def _read_table(data: bytes, settings: FeedSettings) -> _Table:
    if len(data) > settings.max_bytes:
        raise FeedError("too-large")
    encoding, text = _decode(data)
    if not text.strip():
        raise FeedError("empty")
    if text.lstrip().startswith("<"):
        raise FeedError("html")
    skipped, delimiter = _header_line(text)
    lines = _Lines(text)
    for _ in range(skipped):
        next(lines, None)
    records = _records(lines, delimiter)
    header = _header(records[0] if records else None)
    body, unfinished = _check_end(records[1:], len(header))
    return _Table(encoding, delimiter, header, body, unfinished)


def _decode(data: bytes) -> tuple[Encoding, str]:
    """UTF-8 with or without a mark, else windows-1252, the French spreadsheet's default."""
    if b"\x00" in data[:4_096]:
        raise FeedError("not-utf8")
    try:
        return "utf-8", data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = error.end == len(data) and "end of data" in error.reason
        if cut and not data[: error.start].isascii():
            raise FeedError("truncated") from None
    try:
        return "windows-1252", data.decode("cp1252")
    except UnicodeDecodeError:
        raise FeedError("not-utf8") from None


def _header_line(text: str) -> tuple[int, str]:
    """How many lines come before the header, and what separates its cells."""
    for number, line in enumerate(_Lines(text)):
        hint = _EXCEL_HINT.fullmatch(line.rstrip("\r\n"))
        if hint:
            return number + 1, hint[1]
        if line.strip():
            bare = re.sub(r'"[^"]*"', "", line)
            return number, max(_DELIMITERS, key=bare.count)
    raise FeedError("empty")


def _records(lines: _Lines, delimiter: str) -> list[_Record]:
    """Every row from the header on, blank ones left out. Raises `FeedError("too-large")`."""
    reader = csv.reader(lines, delimiter=delimiter)
    records: list[_Record] = []
    while len(records) <= MAX_ROWS + 1:
        lines.mark()
        line, fault = lines.number + 1, None
        try:
            cells = tuple(next(reader))
        except StopIteration:
            return records
        except csv.Error:
            cells, fault = (), "cell-too-long"
        if fault or any(cell.strip() for cell in cells):
            records.append(_Record(line, cells, tuple(lines.current), fault))
    raise FeedError("too-large")


def _header(record: _Record | None) -> tuple[str, ...]:
    """The column names, at least two of them."""
    names = tuple(clean_text(cell, 100) for cell in record.cells) if record else ()
    if sum(bool(fold(name)) for name in names) < 2:
        raise FeedError("header-unreadable")
    return names


def _check_end(records: list[_Record], width: int) -> tuple[tuple[_Record, ...], str | None]:
    """The rows, the last one marked when the file stops inside it, and the reason for doubt."""
    if not records:
        return (), None
    last = records[-1]
    odd_quotes = sum(line.count('"') for line in last.raw) % 2 == 1
    if odd_quotes and (len(last.raw) > 1 or len(last.cells) != width):
        return (*records[:-1], replace(last, fault="unclosed-quote")), "unclosed-quote"
    short = len(last.cells) < width and not last.raw[-1].endswith(("\r", "\n"))
    return tuple(records), "unfinished-last-row" if short else None


# --- columns ---------------------------------------------------------------------------

_FIELD_BY_HEADER: Final[Mapping[str, str]] = {
    word: field for field, words in _SYNONYMS.items() for word in words.split("|")
}


def _suggest(header: tuple[str, ...]) -> dict[str, str]:
    """Our field to header, for the headers we recognise; the first column of a kind wins."""
    mapping: dict[str, str] = {}
    for name in header:
        field = _FIELD_BY_HEADER.get(fold(name))
        if field and not is_forbidden(name):
            mapping.setdefault(field, name)
    return mapping


def _columns(header: tuple[str, ...], mapping: Mapping[str, str]) -> dict[str, int]:
    """Our field to the position of its column."""
    folded = [fold(name) for name in header]
    columns: dict[str, int] = {}
    for field, name in mapping.items():
        if field not in _SYNONYMS or is_forbidden(name):
            continue
        if not fold(name) or fold(name) not in folded:
            raise FeedError("missing-column", clean_text(name, 100))
        columns[field] = folded.index(fold(name))
    for field in REQUIRED_FIELDS:
        if field not in columns:
            raise FeedError("missing-column", field)
    return columns


def _unused(header: tuple[str, ...], mapping: Mapping[str, str]) -> tuple[str, ...]:
    used = {fold(name) for name in mapping.values()}
    return tuple(name for name in header if name and fold(name) not in used)


# --- rows ------------------------------------------------------------------------------


def _read_record(
    rows: Collector, record: _Record, width: int, columns: Mapping[str, int], settings: FeedSettings
) -> None:
    """Add one row, or say why not."""
    cells = {
        field: record.cells[at].strip() if at < len(record.cells) else ""
        for field, at in columns.items()
    }
    external_id = clean_text(cells["external_id"], 200)
    url = safe_url(cells.get("apply_url", ""), settings.base_url)
    if record.fault:
        rows.reject(record.line, record.fault, external_id, external_id)
    elif len(record.cells) < width or any(cell.strip() for cell in record.cells[width:]):
        rows.reject(record.line, "wrong-cell-count", str(len(record.cells)), external_id)
    elif not external_id:
        rows.reject(record.line, "missing-id", cells["title"])
    elif not clean_text(cells["title"]):
        rows.reject(record.line, "missing-title", external_id, external_id)
    elif url is None and cells.get("apply_url"):
        rows.reject(record.line, "bad-url", cells["apply_url"], external_id)
    else:
        row = _Row(rows, record.line, cells, settings)
        rows.add(record.line, _posting(row, external_id, url))


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one good row by our field names, and where to note what is odd in it."""

    rows: Collector
    line: int
    cells: Mapping[str, str]
    settings: FeedSettings

    def cell(self, field: str) -> str:
        return clean_text(self.cells.get(field, ""))

    def note(self, code: str, value: str) -> None:
        self.rows.note(self.line, code, value)


def _posting(row: _Row, external_id: str, url: str | None) -> Posting:
    title, status = row.cell("title"), _status(row)
    description = _description(row)
    places = split_places(row.cells.get("location", ""))
    words = f"{title} {html_to_text(description)}"
    return Posting(
        external_id=external_id,
        job_id=row.cell("job_id") or None,
        title=title,
        description_html=description,
        language=_language(row) or detect_language(words),
        department=row.cell("department") or None,
        locations=places,
        country_codes=_countries(row, places),
        workplace=_workplace(row),
        contract=row.cell("contract") or None,
        salary=_salary(row),
        apply_url=url,
        is_open=status in {"open", "pool"},
        published_at=_date(row, "published_at"),
        updated_at=_date(row, "updated_at"),
        kind="prospect_post" if status == "pool" else "job",
        raw_status=row.cell("status") or None,
    )


def _status(row: _Row) -> Status | None:
    """A row without a status is open; one whose status we do not know is not shown."""
    written = row.cell("status")
    status = status_of(written, row.settings.status_words) if written else "open"
    if status is None:
        row.note("unknown-status", written)
    return status


def _description(row: _Row) -> str:
    """The cell as safe HTML; a plain text gets its paragraphs from its line breaks."""
    written = row.cells.get("description", "")
    if not written or _HAS_TAGS.search(written) or written.startswith("&lt;"):
        escaped = written.startswith("&lt;")
        return clean_html(written, escaped=escaped, base=row.settings.base_url)
    lines = (html.escape(line.strip(), quote=False) for line in written.splitlines())
    return clean_html("".join(f"<p>{line}</p>" for line in lines if line))


def _language(row: _Row) -> str | None:
    found = re.match(r"([A-Za-z]{2})(?![A-Za-z])", row.cell("language"))
    return found[1].lower() if found else None


def _countries(row: _Row, places: tuple[str, ...]) -> tuple[str, ...]:
    written = row.cell("country")
    if not written:
        return countries_in(places)
    code = country_of(written)
    if code is None:
        row.note("unknown-country", written)
    return (code,) if code else ()


def _workplace(row: _Row) -> Workplace | None:
    written = row.cell("workplace")
    if not written:
        return "remote" if is_remote_place(row.cell("location")) else None
    place = workplace_of(written, row.settings.workplace_words)
    if place is None:
        row.note("unknown-workplace", written)
    return place


def _date(row: _Row, field: str) -> datetime | None:
    written = row.cell(field)
    moment = parse_date(written, day_first=True)
    if written and moment is None:
        row.note("bad-date", written)
    return moment


def _salary(row: _Row) -> Salary | None:
    """Bounds, currency and period as far as the file says them, and its own words."""
    written = [row.cell(field) for field in ("salary_min", "salary_max", "salary")]
    if not any(written):
        return None
    minimum, maximum = _amount(row, "salary_min"), _amount(row, "salary_max")
    if minimum and maximum and minimum > maximum:
        row.note("bad-salary", f"{minimum} > {maximum}")
        minimum = maximum = None
    units = (row.cell("currency"), row.cell("salary_interval"))
    bounds = f"{written[0]} – {written[1]}".strip() if any(written[:2]) else ""
    return Salary(
        minimum=minimum,
        maximum=maximum,
        currency=currency_of(units[0]),
        interval=interval_of(units[1]),
        raw=clean_text(" ".join(part for part in (written[2], bounds, *units) if part)),
    )


def _amount(row: _Row, field: str) -> Decimal | None:
    """A bound; zero is how exports write that there is none."""
    written = row.cell(field)
    amount = parse_decimal(written)
    if written and amount is None:
        row.note("bad-salary", written)
    return amount or None
