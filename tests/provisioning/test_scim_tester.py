"""The public suite for SCIM servers, against a running product and in process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from scim2_client import BaseSyncSCIMClient
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server
from scim2_tester.discovery import get_all_available_tags
from werkzeug.serving import make_server

from tests.provisioning.scim_kit import connect


class OverTheWire(BaseSyncSCIMClient):
    """The suite's client on the HTTP library of the house."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self.http = http

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self.http.build_request("GET", endpoint).url).startswith(str(self.http.base_url))

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self.http.request(method, url, **more)


@pytest.fixture
def address(any_app: Flask) -> Iterator[str]:
    """The product behind a real socket of this machine."""
    server = make_server("127.0.0.1", 0, any_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/scim/v2"
    server.shutdown()
    thread.join()


def _faults(results: list[Any]) -> list[str]:
    return [
        f"{one.status.name} {one.resource_type} {one.title}: {one.reason}"
        for one in results
        if one.status not in (Status.SUCCESS, Status.COMPLIANT)
    ]


def test_it_passes_every_check_of_the_public_suite_over_http(any_app: Flask, address: str) -> None:
    directory = connect(any_app)
    headers = {"Authorization": f"Bearer {directory.token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as http:
        client = OverTheWire(http)
        client.discover()
        results = check_server(client)
    assert not _faults(results), "\n".join(_faults(results))
    assert len(results) > 50
    checked = {tag for one in results for tag in (one.tags or ())}
    assert {*get_all_available_tags()} <= checked, {*get_all_available_tags()} - checked


def test_it_passes_every_check_in_process(app: Flask) -> None:
    directory = connect(app)
    client = WSGISCIMClient(
        app,
        base_url="http://localhost/scim/v2",
        headers={"Authorization": f"Bearer {directory.token}"},
    )
    client.discover()
    assert not _faults(check_server(client))
