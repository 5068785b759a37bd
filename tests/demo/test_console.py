"""What the console says of a demo that was filled before."""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner

from app import clock
from app.cli import main
from app.demo import MARK, PASSWORD


def test_it_prints_the_accounts_of_a_demo_that_is_there(template: Path, tmp_path: Path) -> None:
    shutil.copy(template, tmp_path / "portevoix.db")
    (tmp_path / MARK).write_text("2026-11-22")
    env = {"PORTEVOIX_DATA_DIR": str(tmp_path), "PORTEVOIX_SECRET_KEY": "of-the-tests-0123456789"}
    said = CliRunner().invoke(main, ["demo"], env=env)
    clock.release()
    assert said.exit_code == 0, said.output
    assert "was filled before" in said.output
    assert PASSWORD in said.output
