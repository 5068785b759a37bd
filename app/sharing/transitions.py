"""What a departure does to posts and connections, said beforehand (the doing is in `handlers`)."""

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
        Effect(_("Planned posts are cancelled; what is online stays its author’s.")),
        Effect(_("Connections to networks end: the permission is taken back, its tokens deleted.")),
    ]


@tells_person
def _words(person_id: uuid.UUID) -> list[Sentence]:
    return [
        _l("Posts that wait are cancelled. What is online stays yours."),
        _l("LinkedIn is disconnected: your permission is taken back there and deleted here."),
    ]
