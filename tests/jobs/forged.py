"""What a forged job would like to be called."""

from __future__ import annotations

import os
from pathlib import Path


def leave_a_trace(*_: object) -> None:
    Path(os.environ["FORGED"]).touch()
