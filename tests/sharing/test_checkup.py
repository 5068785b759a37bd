"""Whether LinkedIn is set up, and until when: what `doctor` says, and that it tells no secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import clock
from app.cli import doctor
from app.config import Settings
from app.sharing.checkup import Finding, findings
from standin.linkedin import CLIENT_SECRET, StandIn
from tests.conftest import START, settings_for
from tests.sharing.conftest import linked


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    clock.freeze(START)
    yield
    clock.release()


def settings_at(
    folder: Path, base_url: str = "https://voix.halvenne.example", **more: str
) -> Settings:
    """An installation that talks to LinkedIn itself."""
    given = {"LINKEDIN_CLIENT_ID": "78abc", "LINKEDIN_CLIENT_SECRET": "the-secret"} | more
    return replace(settings_for(folder, **given), base_url=base_url)


def test_it_says_that_nothing_is_set_up(tmp_path: Path) -> None:
    (found,) = findings(settings_for(tmp_path))
    assert found.state == "ok" and found.text.startswith("not set up")


def test_it_is_content_with_linkedins_own_addresses(tmp_path: Path) -> None:
    found = findings(settings_at(tmp_path))
    assert found == [
        Finding(
            "ok", "self_serve, returns to https://voix.halvenne.example/sharing/linkedin/callback"
        ),
        Finding("ok", "version 202609, good until about 2027-09-15"),
    ]


@pytest.mark.parametrize(
    ("version", "state", "word"),
    [
        ("202609", "ok", "good until"),
        ("202601", "note", "ends about 2027-01-15"),
        ("202511", "broken", "ended about 2026-11-15"),
        ("202613", "broken", "is none"),
    ],
)
def test_it_knows_until_when_a_version_is_good(
    tmp_path: Path, version: str, state: str, word: str
) -> None:
    found = findings(settings_at(tmp_path, LINKEDIN_VERSION=version))[1]
    assert found.state == state and word in found.text


def test_it_notes_sixty_days_ahead(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    states = []
    for day in (16, 17, 18):
        clock.freeze(dt.datetime(2027, 7, day, tzinfo=dt.UTC))
        states.append(findings(settings)[1].state)
    assert states == ["ok", "note", "note"]


def test_linkedin_returns_to_https_only(tmp_path: Path) -> None:
    found = findings(settings_at(tmp_path, "http://voix.halvenne.example"))
    assert found[-1] == Finding("broken", "LinkedIn returns to https addresses only (BASE_URL)")
    assert findings(settings_at(tmp_path, "http://127.0.0.1:8000"))[-1].state == "note"


def test_it_says_when_the_addresses_are_others(tmp_path: Path, standin: StandIn) -> None:
    found = findings(settings_for(tmp_path, **linked(tmp_path, standin)))
    host = standin.address.removeprefix("http://")
    assert found[-1] == Finding("note", f"not LinkedIn's own addresses: {host}")
    assert standin.requests()["counts"] == {}


def test_it_calls_them_only_when_asked(tmp_path: Path, standin: StandIn) -> None:
    settings = settings_for(tmp_path, **linked(tmp_path, standin))
    host = standin.address.removeprefix("http://")
    assert findings(settings, outside=True)[-2:] == [Finding("ok", f"{host} answers")] * 2
    standin.fault("503", path="/v2/userinfo")
    assert findings(settings, outside=True)[-1] == Finding("broken", f"{host} answers 503")


def test_it_says_when_nobody_answers(tmp_path: Path) -> None:
    nobody = {"LINKEDIN_AUTH_URL": "http://127.0.0.1:9", "LINKEDIN_API_URL": "http://127.0.0.1:9"}
    found = findings(settings_at(tmp_path, **nobody), outside=True)
    assert found[-1] == Finding("broken", "127.0.0.1:9 cannot be reached (unreachable)")


def test_doctor_tells_it_and_no_secret(tmp_path: Path, standin: StandIn) -> None:
    settings = settings_for(tmp_path, **linked(tmp_path, standin))
    told = [*doctor._linkedin(settings)]
    assert [f.what for f in told] == ["linkedin"] * 3
    assert len([*doctor._linkedin_called(settings)]) == 5
    assert CLIENT_SECRET not in str(told)
