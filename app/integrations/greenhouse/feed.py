"""The Job Board list: `GET …/v1/boards/{token}/jobs?content=true`.

Only live posts appear, all in one answer. `id` is the post (our key), `internal_job_id` the
job that web hooks name (null for a prospect post). Contract and remote work are the
customer's own fields, found in `metadata` by name. The list holds no salary; a single job
asked with `pay_transparency=true` does, in cents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from app.integrations.postings import (
    MAX_ROWS,
    Collector,
    FeedError,
    FeedFault,
    FeedReading,
    FeedSettings,
    Posting,
    Salary,
    Workplace,
    countries_in,
    is_remote_place,
    split_places,
    workplace_of,
)
from app.integrations.text import (
    Json,
    JsonObject,
    UnreadableJson,
    as_id,
    as_object,
    as_objects,
    as_text,
    clean_html,
    clean_text,
    detect_language,
    fold,
    html_to_text,
    parse_date,
    read_json,
    safe_url,
)

HOSTS: Final = frozenset({"boards-api.greenhouse.io"})

_CONTRACT_NAMES: Final = (
    *("type de contrat", "contrat", "nature du contrat", "contract type", "type of contract"),
    *("contract", "employment type", "type d emploi", "type of employment"),
)
_WORKPLACE_NAMES: Final = (
    *("teletravail", "travail a distance", "mode de travail", "remote", "remote work"),
    *("workplace", "workplace type", "work mode", "work arrangement", "remote policy"),
)
_NO_DEPARTMENT: Final = "no department"
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)*")


def feed_url(token: str) -> str:
    """The address of a board's list. Raises `FeedError("bad-token")` on anything but a token."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", token):
        raise FeedError("bad-token")
    return f"https://boards-api.greenhouse.io/v1/boards/{token}/jobs?content=true"


def read_feed(data: bytes, settings: FeedSettings | None = None) -> FeedReading:
    """Read the whole list. `Rejected.line` is the row's number in `jobs`, from 1.

    Raises `FeedError`: `empty`, `truncated`, `html`, `too-large`, `not-utf8`, `not-json`,
    `wrong-shape`. A readable list without any job is a reading that is not complete.
    """
    settings = settings or FeedSettings()
    listing = _document(data, settings.max_bytes)
    jobs = listing.get("jobs")
    if not isinstance(jobs, list):
        raise FeedError("wrong-shape")
    if len(jobs) > MAX_ROWS:
        raise FeedError("too-large")
    rows = Collector()
    for line, job in enumerate(jobs, start=1):
        _read_row(rows, line, job, settings)
    total = as_object(listing.get("meta")).get("total")
    if isinstance(total, int) and total > len(jobs):
        rows.doubt("fewer-rows-than-announced", str(total)[:20])
    return rows.reading()


def read_job(data: bytes, settings: FeedSettings | None = None) -> FeedReading:
    """Read the answer for one job (`…/jobs/{id}?pay_transparency=true`), salary included.

    Raises `FeedError` like `read_feed`. The reading is never complete: it says nothing about
    the other jobs.
    """
    settings = settings or FeedSettings()
    rows = Collector()
    _read_row(rows, 1, _document(data, settings.max_bytes), settings)
    rows.doubt("single-job")
    return rows.reading()


def _document(data: bytes, max_bytes: int) -> JsonObject:
    if len(data) > max_bytes:
        raise FeedError("too-large")
    document = data.removeprefix(b"\xef\xbb\xbf")
    if document.lstrip()[:1] == b"<":
        raise FeedError("html")
    try:
        value = read_json(document)
    except UnreadableJson as error:
        raise FeedError(_fault(error)) from None
    if not isinstance(value, dict):
        raise FeedError("wrong-shape")
    return value


def _fault(error: UnreadableJson) -> FeedFault:
    if error.truncated:
        return "truncated"
    faults: dict[str, FeedFault] = {"empty": "empty", "not-utf8": "not-utf8"}
    return faults.get(error.code, "not-json")


def _read_row(rows: Collector, line: int, row: Json, settings: FeedSettings) -> None:
    """Add one job, or say why not."""
    job = as_object(row)
    external_id, title = as_id(job.get("id")), as_text(job.get("title"))
    url = _address(job, settings)
    if not isinstance(row, dict):
        rows.reject(line, "wrong-shape", "")
    elif not external_id:
        rows.reject(line, "missing-id", title or "")
    elif not title:
        rows.reject(line, "missing-title", external_id, external_id)
    elif url is None and job.get("absolute_url"):
        rows.reject(line, "bad-url", str(job["absolute_url"])[:200], external_id)
    else:
        posting = _posting(job, external_id, title, url, settings)
        rows.add(line, posting)
        _remark(rows, line, job, posting, settings)


def _posting(
    job: JsonObject, external_id: str, title: str, url: str | None, settings: FeedSettings
) -> Posting:
    content = job.get("content")
    description = content if isinstance(content, str) else ""
    description = clean_html(description, escaped=True, base=settings.base_url)
    location = _location(job)
    offices = [as_text(office.get("location")) or "" for office in as_objects(job.get("offices"))]
    prospect = "internal_job_id" in job and job["internal_job_id"] is None
    places = split_places(location)
    return Posting(
        external_id=external_id,
        job_id=as_id(job.get("internal_job_id")),
        title=title,
        description_html=description,
        language=_language(job) or detect_language(f"{title} {html_to_text(description)}"),
        department=_department(job),
        locations=places,
        country_codes=countries_in([*offices, *places]),
        workplace=_workplace(job, location, settings),
        contract=_metadata_text(job, (*settings.contract_names, *_CONTRACT_NAMES)),
        salary=_salary(as_objects(job.get("pay_input_ranges"))),
        apply_url=url,
        published_at=parse_date(job.get("first_published")),
        updated_at=parse_date(job.get("updated_at")),
        kind="prospect_post" if prospect else "job",
    )


def _remark(
    rows: Collector, line: int, job: JsonObject, posting: Posting, settings: FeedSettings
) -> None:
    """Note the values that were there and could not be used."""
    if job.get("updated_at") and posting.updated_at is None:
        rows.note(line, "bad-date", str(job["updated_at"])[:200])
    written = _metadata_text(job, (*settings.workplace_names, *_WORKPLACE_NAMES))
    if written and workplace_of(written, settings.workplace_words) is None:
        rows.note(line, "unknown-workplace", written)


def _address(job: JsonObject, settings: FeedSettings) -> str | None:
    """The hosted page, or the customer's own page; its `gh_jid` is needed and stays."""
    written = job.get("absolute_url")
    return safe_url(written, settings.base_url) if isinstance(written, str) else None


def _location(job: JsonObject) -> str:
    """One free text for all places; the office list names the organisation's, not the job's."""
    name = as_object(job.get("location")).get("name")
    return name if isinstance(name, str) else ""


def _language(job: JsonObject) -> str | None:
    found = _LANGUAGE.fullmatch(as_text(job.get("language")) or "")
    return found[1].lower() if found else None


def _department(job: JsonObject) -> str | None:
    """The first department; "No Department" is what a board calls having none."""
    names = (as_text(department.get("name")) for department in as_objects(job.get("departments")))
    return next((name for name in names if name and fold(name) != _NO_DEPARTMENT), None)


def _workplace(job: JsonObject, location: str, settings: FeedSettings) -> Workplace | None:
    """What the customer's field says; without one, a location such as "Remote - EU" tells."""
    written = _metadata_text(job, (*settings.workplace_names, *_WORKPLACE_NAMES))
    if written:
        return workplace_of(written, settings.workplace_words)
    return "remote" if is_remote_place(location) else None


def _metadata_text(job: JsonObject, names: Iterable[str]) -> str | None:
    """The value of the first custom field that bears one of these names and has a value."""
    values = {
        fold(as_text(item.get("name")) or ""): _value_text(item.get("value"))
        for item in as_objects(job.get("metadata"))
    }
    found = (values.get(fold(name)) for name in names)
    return next((value for value in found if value), None)


def _value_text(value: Json) -> str | None:
    """A field's value as one line: a choice, several choices, or a yes/no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return clean_text(", ".join(text for item in value if (text := as_text(item)))) or None
    return as_text(value)


def _salary(ranges: list[JsonObject]) -> Salary | None:
    """The advertised range, from cents. Ranges in several currencies keep their words only."""
    if not ranges:
        return None
    currencies = {as_text(pay.get("currency_type")) for pay in ranges}
    single = len(currencies) == 1
    lows = [amount for pay in ranges if (amount := _from_cents(pay.get("min_cents")))]
    highs = [amount for pay in ranges if (amount := _from_cents(pay.get("max_cents")))]
    return Salary(
        minimum=min(lows, default=None) if single else None,
        maximum=max(highs, default=None) if single else None,
        currency=currencies.pop() if single else None,
        interval=None,
        raw=clean_text(" | ".join(_pay_words(pay) for pay in ranges)),
    )


def _from_cents(cents: Json) -> Decimal | None:
    if isinstance(cents, bool) or not isinstance(cents, int) or cents <= 0:
        return None
    return Decimal(cents) / 100


def _pay_words(pay: JsonObject) -> str:
    """The range as the vendor sent it, title and explanation included."""
    blurb = pay.get("blurb")
    words = (
        as_text(pay.get("title")),
        f"{pay.get('min_cents')}-{pay.get('max_cents')} cents",
        as_text(pay.get("currency_type")),
        html_to_text(blurb) if isinstance(blurb, str) else None,
    )
    return ", ".join(word for word in words if word)
