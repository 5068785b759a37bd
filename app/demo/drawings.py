"""Pictures of the demo, drawn in Halvenne's two inks: what is built, where, and by whom.

Every drawing is 1,600 by 1,000 pixels and the same at each start. Its seed decides the hour
of the day, the composition and the shapes; what matters stays in the middle, where every
crop keeps it (the square one takes the inner 1,000 columns).
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable

from app.demo import indoors, outdoors
from app.demo.ink import SIZE, Inks, Sheet
from app.settings.palette import palette

__all__ = ["DRAWINGS", "SIZE", "draw"]

DRAWINGS: dict[str, Callable[[Inks, random.Random, int], Sheet]] = {
    "bench": indoors.bench, "boards": indoors.boards, "bridge": outdoors.bridge,
    "crane": outdoors.crane, "forest": outdoors.forest, "hall": indoors.hall,
    "harbour": outdoors.harbour, "mountain": outdoors.mountain, "people": indoors.people,
    "pile": indoors.pile, "plan": indoors.plan, "rings": indoors.rings, "saw": indoors.saw,
    "school": outdoors.school, "tools": indoors.tools, "towns": outdoors.towns,
}  # fmt: skip


_TURNED = frozenset(("bench", "forest", "harbour", "saw", "school"))
"""What every other four seeds show the other way round."""


def draw(name: str, brand: str, seed: int) -> bytes:
    """One drawing as PNG, packed quickly: whoever keeps it packs it again."""
    sheet = DRAWINGS[name](palette(brand), random.Random(seed), seed)  # nosec B311
    if name in _TURNED and (seed // 4) % 2:
        sheet.mirror()
    out = io.BytesIO()
    sheet.finished().save(out, "PNG", compress_level=1)
    return out.getvalue()
