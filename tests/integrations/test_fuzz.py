"""Whatever arrives, only the declared errors come out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.integrations.csv_feed import read_csv, sniff
from app.integrations.events import AtsEvent, BadSignature, UnreadableBody
from app.integrations.greenhouse import feed, webhook
from app.integrations.postings import FeedError, FeedReading
from app.integrations.registry import CONNECTORS

Sample = Callable[[str], bytes]

_slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["2026-11-09T16:20:00Z", "1", "pvx_7Qk2mZ", "<b>", "&lt;p&gt;", "\ud800"])
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _objects(*keys: str) -> st.SearchStrategy[dict[str, object]]:
    """Objects that hold some of these keys, each with any value at all."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, _values))


_application = _objects(
    *("id", "rejected_at", "prospect", "applied_at", "last_activity_at", "source", "credited_to"),
    *("rejection_reason", "current_stage", "custom_fields", "candidate", "jobs", "job", "offer"),
)
_payload = st.fixed_dictionaries(
    {},
    optional={
        "application": _application | _values,
        "person": _objects("id", "new_candidate_id", "deleted_application_ids") | _values,
        "job": _objects("id", "status", "closed_at") | _values,
        "job_post": _objects("id", "job_id", "updated_at") | _values,
        **dict.fromkeys(
            ("id", "job_id", "live", "external", "candidate_id", "anonymized_fields"), _values
        ),
    },
)
_job = _objects(
    *("id", "internal_job_id", "title", "updated_at", "first_published", "location", "language"),
    *("absolute_url", "metadata", "content", "departments", "offices", "pay_input_ranges"),
)


def _storable(found: AtsEvent | FeedReading) -> None:
    """Every text in it can be written as UTF-8 and into PostgreSQL, which refuses NUL."""
    text = json.dumps(dataclasses.asdict(found), default=str, ensure_ascii=False)
    assert b"\\u0000" not in text.encode()


def _checked(event: AtsEvent) -> None:
    """What every caller may rely on, whatever was sent."""
    for moment in (event.occurred_at, event.resolved_at):
        assert moment is None or moment.utcoffset() is not None
    assert len(event.codes) <= 20
    _storable(event)


def _sound(reading: FeedReading) -> None:
    identifiers = [posting.external_id for posting in reading.postings]
    assert len(set(identifiers)) == len(identifiers)
    assert set(identifiers) <= reading.seen_ids
    for posting in reading.postings:
        assert posting.title
    _storable(reading)


@given(st.binary() | st.text().map(str.encode))
@example(b"[" * 100_000)
@example(b'{"action":' * 100_000)
@example(b"1" * 5_000)
@example(b'{"action":"hire_candidate","payload":{"application":{"id":' + b"1" * 5_000 + b"}}}")
@example(b"\x1f\x8b\x08\x00")
@_slow
def test_it_reads_any_bytes_or_says_why_not(data: bytes) -> None:
    with contextlib.suppress(UnreadableBody):
        webhook.parse(data)
    for read in (feed.read_feed, feed.read_job, read_csv, sniff):
        with contextlib.suppress(FeedError):
            read(data)


@given(action=st.sampled_from([*webhook._READERS, "other"]), payload=_payload | _values)
@_slow
def test_it_reads_an_event_of_any_shape(action: str, payload: object) -> None:
    body = json.dumps({"action": action, "payload": payload}).encode()
    with contextlib.suppress(UnreadableBody):
        _checked(webhook.parse(body))


@given(st.lists(_job | _values, max_size=4), _values)
@_slow
def test_it_reads_a_feed_of_any_shape(jobs: list[object], total: object) -> None:
    data = json.dumps({"jobs": jobs, "meta": {"total": total}}).encode()
    with contextlib.suppress(FeedError):
        _sound(feed.read_feed(data))


_cell = st.text(alphabet=st.sampled_from("a1é;,\t|\"'\r\n <>&=-/€ "), max_size=12)


@given(
    header=st.lists(
        st.sampled_from(["id", "titre", "url", "salaire", "date", "sexe", ""]), max_size=6
    ),
    rows=st.lists(st.lists(_cell, max_size=6), max_size=6),
    delimiter=st.sampled_from(";,\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
)
@_slow
def test_it_reads_a_spreadsheet_of_any_shape(
    header: list[str], rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    lines = [delimiter.join(cells) for cells in [["id", "titre", *header], *rows]]
    data = "\n".join(lines).encode(encoding)
    with contextlib.suppress(FeedError):
        _sound(read_csv(data))
        sniff(data)


@given(data=st.data())
@_slow
def test_it_survives_damage_to_a_real_file(sample: Sample, data: st.DataObject) -> None:
    body = bytearray(sample("generic/jobs_fr.csv"))
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FeedError):
        _sound(read_csv(bytes(body)))


@given(st.lists(st.text()), st.dictionaries(st.text() | st.just("Signature"), st.text()))
@_slow
def test_it_trusts_no_signature_made_by_chance(secrets: list[str], headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        webhook.verify(secrets, headers, b"{}")
    assert webhook.event_id(headers, b"{}")


@given(st.text())
def test_it_makes_no_address_that_leaves_its_host(token: str) -> None:
    for connector in CONNECTORS.values():
        with contextlib.suppress(FeedError):
            assert connector.feed_url(token).isascii()
