"""While the database is away every page says so, keeps what was typed, and tells when to
come back; nothing is a 5xx but 503."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import settings_for


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """The product before a database that nobody answers for."""
    app = create_app(settings_for(tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/none"))
    return app.test_client()


@pytest.mark.parametrize("path", ["/o/some-offer", "/r/ABCDEFGHJK", "/c"])
def test_a_page_says_so_and_when_to_come_back(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept-Language": "fr"})
    if path == "/c":
        assert answer.status_code in (200, 503)
        return
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert 'lang="fr"' in answer.get_data(as_text=True)


def test_a_form_is_not_half_done(client: FlaskClient) -> None:
    answer = client.post("/o/some-offer/applications", data={"first_name": "Nadia"})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_a_program_gets_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer pvx_" + "x" * 43})
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"].endswith("unavailable")
    hook = client.post("/webhooks/ats/x", data=b"{}", headers={"Content-Type": "application/json"})
    assert hook.status_code == 503


def test_the_operator_reads_which_part_is_missing(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json["parts"]["database"] is False


def test_the_operator_reads_that_the_folder_of_pictures_is_gone(tmp_path: Path) -> None:
    media = tmp_path / "a disk" / "media"
    app = create_app(settings_for(tmp_path, MEDIA_URL=f"file://{quote(str(media))}"))
    assert app.test_client().get("/readyz").json["parts"]["storage"] is True
    media.rmdir()
    assert app.test_client().get("/readyz").json["parts"]["storage"] is False
