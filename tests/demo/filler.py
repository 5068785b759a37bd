"""Fills the demo into a folder that holds an empty database: `python -m tests.demo.filler DIR`.

Says each day that begins, so that whoever started it can end it in the middle.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app import clock, create_app, demo
from standin.linkedin import StandIn
from tests.conftest import START, settings_for


def main(folder: Path) -> None:
    with StandIn(folder / "standin", lenient=True) as network:
        settings = settings_for(
            folder,
            LINKEDIN_API_URL=network.address,
            LINKEDIN_AUTH_URL=network.address,
            SMTP_URL="smtp://127.0.0.1:9",  # nobody answers there: a mail that is sent fails
        )
        network.set(also_versions=[settings.linkedin_version])
        clock.freeze(START)
        with create_app(settings).app_context():
            demo.fill(network, lambda day, days: print(f"day {day} of {days}", flush=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
