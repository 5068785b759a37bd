"""`make bench`: every benchmark, a table of ratios, and `var/bench.json`."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from pathlib import Path

import bench

OUT = Path(os.environ.get("PORTEVOIX_DATA_DIR", "var")) / "bench.json"


def main() -> None:
    """Run each module of `bench` that has a `main`; it prints its table and returns figures."""
    figures = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if not module.name.startswith("_"):
            print(f"\n{module.name}", flush=True)
            figures[module.name] = importlib.import_module(f"bench.{module.name}").main()
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1, default=str))


if __name__ == "__main__":
    main()
