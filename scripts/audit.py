"""Looks the locked packages up among known vulnerabilities; honest about what it could not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

NAME = "dependency audit"
COMMAND = [
    *(sys.executable, "-m", "pip_audit", "--requirement", "requirements/dev.txt"),
    *("--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"),
]
UNREACHABLE = ("ConnectionError", "ServiceError", "Could not connect", "timed out", "HTTPError")


def main() -> int:
    """Ends with 0 unless a vulnerability is known or the audit itself is broken."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(sign in done.stderr for sign in UNREACHABLE):
            print(f"{NAME}: not audited (advisory service unreachable)")
            return 0
        print(f"{NAME}: FAILED\n{done.stderr.strip()}")
        return 1
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        print(f"{NAME}: not audited (advisory service unreachable)")
        return 0
    known = [(p, v) for p in asked for v in p["vulns"]]
    for package, vulnerability in known:
        fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}")
    print(f"{NAME}: {'FAILED' if known else 'ok'} ({len(asked)} of {len(packages)} looked up)")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
