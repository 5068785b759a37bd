"""Fills the demo into a folder that holds an empty database:
`python -m tests.demo.filler DIR [DAY]`.

Says each day that begins, so that whoever started it can end it in the middle. With DAY it ends
itself, from that day on, at the worst moment: a post leaves, its answer is not written yet.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from app import clock, create_app, demo
from app.sharing import publisher
from standin.linkedin import StandIn
from tests.conftest import START, settings_for


def main(folder: Path, dies_on: int | None) -> None:
    def tell(day: int, days: int) -> None:
        print(f"day {day} of {days}", flush=True)
        if day == dies_on:
            _die_with_the_next_post()

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
            demo.fill(network, tell)


def _die_with_the_next_post() -> None:
    """SIGKILL between the mark that a request leaves and what the network says of it."""
    mark = publisher.mark_sent

    def mark_and_die(claimed: publisher.Claim, calls: int = 1) -> bool:
        mark(claimed, calls)
        os.kill(os.getpid(), signal.SIGKILL)
        return False

    publisher.mark_sent = mark_and_die


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else None)
