"""Whole numbers as people write them in a form."""

from __future__ import annotations

import re

# 1500, 1 500, 1,500 or 1.500; never 1,5.
_WHOLE = re.compile(r"[0-9]{1,9}|[0-9]{1,3}([\s,.'’][0-9]{3}){1,2}")


def whole(text: str | None, *, otherwise: int) -> int:
    """The number that was typed; `otherwise` for anything that is none."""
    text = (text or "").strip()
    if not _WHOLE.fullmatch(text):
        return otherwise
    return int("".join(c for c in text if c.isdigit()))
