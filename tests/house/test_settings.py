"""Settings are checked at the start, with a message that names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import SettingsError, load


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORTEVOIX_SECRET_KEY", "short"),
        ("PORTEVOIX_DATABASE_URL", "mysql://here"),
        ("PORTEVOIX_REDIS_URL", "http://here"),
        ("PORTEVOIX_BASE_URL", "portevoix.example"),
        ("PORTEVOIX_LOCALE", "de"),
        ("PORTEVOIX_TIMEZONE", "Mars/Olympus"),
        ("PORTEVOIX_SMTP_URL", "mailto:me"),
        ("PORTEVOIX_TRUSTED_PROXIES", "-1"),
        ("PORTEVOIX_ENV", "staging"),
        ("PORTEVOIX_CLOCK", "2026-11-21T12:00:00Z"),
        ("PORTEVOIX_OIDC_ISSUER", "ftp://idp"),
        ("PORT", "80000"),
    ],
)
def test_a_wrong_value_names_its_variable(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"PORTEVOIX_DATA_DIR": str(tmp_path), variable: value})
    assert refused.value.variable == variable


def test_it_makes_a_secret_once_and_keeps_it_private(tmp_path: Path) -> None:
    env = {"PORTEVOIX_DATA_DIR": str(tmp_path)}
    first, second = load(env), load(env)
    assert first.secret_keys == second.secret_keys
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_test_clock_needs_the_test_environment(tmp_path: Path) -> None:
    env = {
        "PORTEVOIX_DATA_DIR": str(tmp_path),
        "PORTEVOIX_ENV": "test",
        "PORTEVOIX_CLOCK": "2026-11-21T12:00:00Z",
    }
    found = load(env).clock
    assert found is not None
    assert found.isoformat() == "2026-11-21T12:00:00+00:00"
