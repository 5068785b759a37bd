"""The Greenhouse Job Board list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from app.integrations.greenhouse.feed import feed_url, read_feed, read_job
from app.integrations.postings import FeedError, FeedReading, FeedSettings, Posting, Salary
from app.integrations.text import JsonObject

Sample = Callable[[str], bytes]


def _listing(*jobs: JsonObject, total: int | None = None) -> bytes:
    body: JsonObject = {"jobs": list(jobs)}
    if total is not None:
        body["meta"] = {"total": total}
    return json.dumps(body).encode()


def _job(**changes: object) -> JsonObject:
    job: JsonObject = {"id": 1, "internal_job_id": 2, "title": "Comptable H/F"}
    return {**job, **changes}  # type: ignore[dict-item]


def _only(reading: FeedReading) -> Posting:
    (posting,) = reading.postings
    return posting


def _as_expected(posting: Posting) -> dict[str, object]:
    return {
        "external_id": posting.external_id,
        "title": posting.title,
        "language": posting.language,
        "department": posting.department,
        "locations": list(posting.locations),
        "country_codes": list(posting.country_codes),
        "workplace": posting.workplace,
        "employment_type": posting.contract,
        "salary": posting.salary,
        "apply_url": posting.apply_url,
        "open": posting.is_open,
        "updated_at": posting.updated_at,
        "kind": posting.kind,
    }


def test_it_reads_the_sample_list_as_expected(sample: Sample) -> None:
    reading = read_feed(sample("greenhouse/jobs.json"))
    expected = json.loads(sample("greenhouse/jobs.expected.json"))
    for job in expected["jobs"]:
        job["updated_at"] = datetime.fromisoformat(job["updated_at"])
        if job["external_id"] == "4011005":
            # The expectation says CDI, yet this row's `metadata` is null and no other key
            # says it: there is nothing to read, and we invent nothing.
            job["employment_type"] = None
    assert len(reading.postings) == expected["count"]
    assert [_as_expected(posting) for posting in reading.postings] == expected["jobs"]
    assert reading.complete


def test_it_keeps_both_identifiers_and_reports_the_row_that_lost(sample: Sample) -> None:
    reading = read_feed(sample("greenhouse/jobs.json"))
    assert [posting.job_id for posting in reading.postings] == [
        *("2100001", "2100002", "2100003", "2100004", "2100005", "2100006"),
        None,
    ]
    assert [(row.line, row.code, row.value) for row in reading.rejected] == [
        (1, "duplicate-id", "4011001")
    ]


def test_it_unescapes_and_sanitises_the_descriptions(sample: Sample) -> None:
    by_id = {p.external_id: p for p in read_feed(sample("greenhouse/jobs.json")).postings}
    assert "du code libre, de la R&amp;D.</p>" in by_id["4011001"].description_html
    assert "twice &lt; we ship" in by_id["4011002"].description_html
    assert "onerror" not in by_id["4011006"].description_html
    assert "<img" not in by_id["4011006"].description_html
    assert by_id["4011004"].description_html.count("<h3>") > 20


def test_it_reads_the_pay_of_a_single_job_from_cents(sample: Sample) -> None:
    reading = read_job(sample("greenhouse/job_with_pay.json"))
    assert _only(reading).salary == Salary(
        minimum=Decimal(42_000),
        maximum=Decimal(52_000),
        currency="EUR",
        interval=None,
        raw="Fourchette France, 4200000-5200000 cents, EUR, Brut annuel",
    )
    assert not reading.complete


def test_it_adds_up_no_pay_in_two_currencies() -> None:
    ranges = [
        {"min_cents": 100_00, "max_cents": 200_00, "currency_type": "EUR"},
        {"min_cents": 300_00, "max_cents": 400_00, "currency_type": "USD"},
    ]
    salary = _only(read_feed(_listing(_job(pay_input_ranges=ranges)))).salary
    assert salary is not None
    assert (salary.minimum, salary.maximum, salary.currency) == (None, None, None)
    assert "40000 cents" in salary.raw


@pytest.mark.parametrize(
    ("updates", "winner"),
    [
        (("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), 0),
        (("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"), 1),
        (("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), 1),
        (("2026-01-01T00:00:00Z", None), 0),
        ((None, "2026-01-01T00:00:00Z"), 1),
        ((None, None), 1),
    ],
)
def test_it_keeps_the_newest_of_two_rows_else_the_last(
    updates: tuple[str | None, str | None], winner: int
) -> None:
    rows = [
        _job(id="7", title="row 0", updated_at=updates[0]),
        _job(id=7, title="row 1", updated_at=updates[1]),
    ]
    reading = read_feed(_listing(*rows))
    assert _only(reading).title == f"row {winner}"
    assert [row.line for row in reading.rejected] == [2 - winner]


@pytest.mark.parametrize(
    ("value", "workplace"),
    [
        ("Total", "remote"),
        ("Full remote", "remote"),
        ("100 % télétravail", "remote"),
        ("Partiel", "hybrid"),
        ("Hybride", "hybrid"),
        ("2 jours/semaine", "hybrid"),
        (["Télétravail partiel"], "hybrid"),
        ("Non", "onsite"),
        ("On-site", "onsite"),
        (False, "onsite"),
        (True, "remote"),
        (None, None),
        ("Selon accord", None),
    ],
)
def test_it_understands_the_usual_words_for_remote_work(
    value: object, workplace: str | None
) -> None:
    metadata = [{"id": 1, "name": "Télétravail", "value": value}]
    assert _only(read_feed(_listing(_job(metadata=metadata)))).workplace == workplace


def test_it_notes_a_word_it_does_not_know() -> None:
    metadata = [{"id": 1, "name": "Remote", "value": "Selon accord"}]
    reading = read_feed(_listing(_job(metadata=metadata, updated_at="hier")))
    assert [(note.line, note.code, note.value) for note in reading.notes] == [
        (1, "bad-date", "hier"),
        (1, "unknown-workplace", "Selon accord"),
    ]


def test_it_prefers_the_fields_that_an_administrator_named() -> None:
    metadata = [
        {"name": "Contract", "value": "Permanent"},
        {"name": "Nature juridique", "value": "Apprentissage"},
        {"name": "Mode", "value": "Nomade"},
    ]
    settings = FeedSettings(
        contract_names=("nature juridique",),
        workplace_names=("MODE",),
        workplace_words={"nomade": "remote"},
    )
    posting = _only(read_feed(_listing(_job(metadata=metadata)), settings))
    assert (posting.contract, posting.workplace) == ("Apprentissage", "remote")


@pytest.mark.parametrize(
    ("location", "places", "workplace"),
    [
        ("Paris", ("Paris",), None),
        ("Lyon/Paris ; Lille | Brest", ("Lyon", "Paris", "Lille", "Brest"), None),
        ("Nantes ou Rennes", ("Nantes", "Rennes"), None),
        ("Lyon / Lyon", ("Lyon",), None),
        ("New York, NY, United States", ("New York, NY, United States",), None),
        ("Remote - EU", (), "remote"),
        ("Télétravail", (), "remote"),
        ("Paris / Remote", ("Paris",), None),
        ("", (), None),
    ],
)  # fmt: skip
def test_it_reads_places_from_one_free_text(
    location: str, places: tuple[str, ...], workplace: str | None
) -> None:
    posting = _only(read_feed(_listing(_job(location={"name": location}))))
    assert (posting.locations, posting.workplace) == (places, workplace)


def test_it_takes_no_state_for_a_country() -> None:
    offices = [{"location": "San Francisco, CA"}, {"location": "Dover, DE"}, {"location": None}]
    assert _only(read_feed(_listing(_job(offices=offices)))).country_codes == ()


@pytest.mark.parametrize(
    ("changes", "code", "seen"),
    [
        ({"id": None}, "missing-id", set()),
        ({"id": True}, "missing-id", set()),
        ({"title": " \u200b "}, "missing-title", {"1"}),
        ({"absolute_url": "javascript:alert(1)"}, "bad-url", {"1"}),
        ({"absolute_url": "/jobs/1"}, "bad-url", {"1"}),
    ],
)
def test_it_reports_a_bad_row_and_reads_the_others(
    changes: dict[str, object], code: str, seen: set[str]
) -> None:
    reading = read_feed(_listing(_job(**changes), _job(id=9)))
    assert [(row.line, row.code) for row in reading.rejected] == [(1, code)]
    assert _only(reading).external_id == "9"
    assert reading.seen_ids == seen | {"9"}
    assert reading.complete is bool(seen)


def test_it_resolves_a_relative_address_against_the_feed() -> None:
    settings = FeedSettings(base_url="https://jobs.example/feed")
    posting = _only(read_feed(_listing(_job(absolute_url="/o/1")), settings))
    assert posting.apply_url == "https://jobs.example/o/1"


def test_it_is_not_complete_when_rows_are_missing() -> None:
    assert read_feed(_listing(_job(), total=1)).complete
    reading = read_feed(_listing(_job(), total=2))
    assert not reading.complete
    assert [note.code for note in reading.notes] == ["fewer-rows-than-announced"]
    assert [note.code for note in read_feed(_listing()).notes] == ["no-rows"]
    assert not read_feed(_listing()).complete


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"<!DOCTYPE html><html></html>", "html"),
        (b"\xef\xbb\xbf <html>", "html"),
        (b'{"jobs": [{"id": 1, "title": "Compta', "truncated"),
        (b'{"jobs": [{"id": 1}', "truncated"),
        (b'{"jobs": []} and more', "not-json"),
        (b'{"jobs": [], "jobs": []}', "not-json"),
        (b'{"jobs": "\xe9"}', "not-utf8"),
        (b'{"jobs": "\xc3', "truncated"),
        (b"[]", "wrong-shape"),
        (b'{"jobs": {}}', "wrong-shape"),
        (b'{"status": 404, "error": "Job not found"}', "wrong-shape"),
        (b"[" * 100_000, "not-json"),
        (b'{"jobs": [' + b"0," * 50_001 + b"0]}", "too-large"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_it_refuses_a_feed_that_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(FeedError) as refused:
        read_feed(data)
    assert refused.value.code == code


def test_it_refuses_a_feed_above_the_cap() -> None:
    with pytest.raises(FeedError, match="too-large"):
        read_feed(_listing(_job()), FeedSettings(max_bytes=10))


def test_it_reads_a_feed_cut_anywhere_as_truncated(sample: Sample) -> None:
    data = sample("greenhouse/jobs.json").rstrip()
    for length in range(1, len(data), 997):
        with pytest.raises(FeedError, match="truncated"):
            read_feed(data[:length])


def test_it_makes_addresses_from_tokens_only() -> None:
    assert feed_url("lumiereverte-fictif") == (
        "https://boards-api.greenhouse.io/v1/boards/lumiereverte-fictif/jobs?content=true"
    )
    for token in ("", "a/b", "a?b", "..", "a\n", "é", "x" * 101):
        with pytest.raises(FeedError, match="bad-token"):
            feed_url(token)
