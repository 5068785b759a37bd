"""The table of tracking systems that we know."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from app.integrations.registry import CONNECTORS
from app.integrations.text import JsonObject


def test_it_asks_only_hosts_on_its_list() -> None:
    for kind, connector in CONNECTORS.items():
        address = urlsplit(connector.feed_url("some-token"))
        assert connector.kind == kind
        assert address.scheme == "https"
        assert address.hostname in connector.feed_hosts


def test_it_gives_every_vendor_the_answer_it_wants(manifest: list[JsonObject]) -> None:
    wanted = {entry["vendor"]: entry["ack"] for entry in manifest}
    for kind, connector in CONNECTORS.items():
        assert connector.success_status == wanted[kind]


def test_it_receives_a_sample_from_end_to_end(sample: Callable[[str], bytes]) -> None:
    connector = CONNECTORS["greenhouse"]
    headers = json.loads(sample("greenhouse/hired.headers.json"))
    body = sample("greenhouse/hired.body.json")
    connector.verify(["gh-sample-secret-not-real-000000"], headers, body)
    assert connector.event_id(headers, body) == headers["Greenhouse-Event-ID"]
    assert connector.parse(body).kind == "hired"
    assert len(connector.read_feed(sample("greenhouse/jobs.json")).postings) == 7
