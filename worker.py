"""`python worker.py` is `portevoix worker`: one process that runs jobs."""

from __future__ import annotations

from app.cli import main

if __name__ == "__main__":
    main(["worker"])
