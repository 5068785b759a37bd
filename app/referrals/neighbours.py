"""What features above referrals add to their pages.

Imports go down only, so an offer cannot ask the points what an application brings to whoever
recommended it. The feature that knows says here, once, at the start, who tells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

Teller = Callable[[], Collection[str]]

_tellers: list[Teller] = []


def rewarded_by(teller: Teller) -> None:
    """`teller` names the facts about an application made now that give its referrer points:
    any of 'application', 'interview', 'hire'. The last one to say so counts."""
    _tellers[:] = [teller]


def rewarded() -> Collection[str]:
    """The facts that give points now; none where nobody gives points."""
    return _tellers[0]() if _tellers else ()
