"""What a departure does to links and referrals.

The written rule: an open referral keeps who brought it, and what it earned by the last day. A link
of somebody who left still opens the offer, because the reader is not to blame, but it names nobody
and nobody is credited for what begins after the departure. It lives again with an account as a
former employee, or after a return.
"""

from __future__ import annotations

import uuid

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import Sentence
from app.people.transitions import DEPARTURE, Effect, tells, tells_person


@tells
def _tell(person_id: uuid.UUID, transition: str) -> list[Effect]:
    """The same for everybody, without counts: the directory never tells who takes part (W2)."""
    if transition != DEPARTURE:
        return []
    return [
        Effect(_("Links still open the offers, without a name; nobody is credited for new ones.")),
        Effect(_("Open referrals keep who brought them."), stays=True),
    ]


@tells_person
def _words(person_id: uuid.UUID) -> list[Sentence]:
    return [
        _l("People you recommended stay recommended by you: open referrals keep your name for "
           "the recruiters."),
        _l("Your links still open the offers, without your name, and bring nothing new to you."),
    ]  # fmt: skip
