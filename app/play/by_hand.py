"""Points that a named human gives, or no longer asks back: the verbs, and the two-person rule.

`give` and `waive` do it; whoever acts for the programme uses `submit_give` and `submit_waive`,
which wait for a second person as the organisation's rule asks. The console and the demo act with
the server's authority and are not bound. A human's words are kept beside the transfer, where they
can be erased; while the act waits they are kept encrypted and go with an erasure, too.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import approvals, audit, crypto, ledger
from app.approvals import Payload, Submitted
from app.db import db, new_id, transaction
from app.errors import DomainError, InvalidInput
from app.ledger.codes import ADJUSTMENT, WAIVER
from app.ledger.service import MAX_WORDS
from app.people.errors import NotMember
from app.people.lookup import load_member
from app.people.models import Membership, Person
from app.play import accounts
from app.web.i18n import points as written

KIND: Final = "play.by_hand"
GIVE, WAIVE = "give", "waive"
MOST: Final = 1_000_000
_SEALED: Final = "points-by-hand"

Verb = Callable[..., None]


def give(
    person_id: uuid.UUID, points: int, words: str, *, actor_id: uuid.UUID, reference: str
) -> None:
    """Credit a member for a reason in words. The same reference is the same credit, however often
    it is sent. Raises `InvalidInput` by field, `NoAccount`, `NoSuchPerson`."""
    _check(points, words)
    with transaction() as session:
        account = _account(session, person_id)
        by = ledger.by_person(actor_id)
        made = ledger.transfer(ADJUSTMENT, reference, account, points, actor=by)
        ledger.annotate(made.id, words.strip())
        audit.record("points.given", "transfer", made.id, actor_id=actor_id, points=points)


def waive(
    person_id: uuid.UUID, points: int, words: str, *, actor_id: uuid.UUID, reference: str
) -> None:
    """No longer ask back what a correction left a member owing. Raises as `give`, and `AboveDebt`
    where less is owed."""
    _check(points, words)
    with transaction() as session:
        account = _account(session, person_id)
        by = ledger.by_person(actor_id)
        made = ledger.transfer(WAIVER, reference, account, points, actor=by)
        ledger.annotate(made.id, words.strip())
        audit.record("points.waived", "transfer", made.id, actor_id=actor_id, points=points)


class NoAccount(DomainError):
    """Points belong to people who take part; why somebody does not is told to nobody."""

    code = "no-account"

    def __init__(self) -> None:
        super().__init__(_l("No points can be given to this person at present."))


def _account(session: Session, person_id: uuid.UUID) -> uuid.UUID:
    try:
        return accounts.open_for(load_member(session, person_id).id)
    except NotMember as error:
        raise NoAccount from error


def _check(points: int, words: str) -> None:
    errors = {}
    if not 1 <= points <= MOST:
        errors["points"] = _l("Give a whole number of points from 1 to 1,000,000.")
    if not 1 <= len(words.strip()) <= MAX_WORDS:
        errors["words"] = _l("Say why, in at most %(most)d characters.", most=MAX_WORDS)
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)


# ---- Under the two-person rule


def submit_give(person_id: uuid.UUID, points: int, words: str, *, actor_id: uuid.UUID) -> Submitted:
    """`give`, by two people above the organisation's threshold. Raises as it does."""
    return _submit(GIVE, person_id, points, words, actor_id)


def submit_waive(
    person_id: uuid.UUID, points: int, words: str, *, actor_id: uuid.UUID
) -> Submitted:
    """`waive`, by two people above the organisation's threshold. Raises as it does."""
    return _submit(WAIVE, person_id, points, words, actor_id)


def _submit(
    act: str, person_id: uuid.UUID, points: int, words: str, actor_id: uuid.UUID
) -> Submitted:
    payload: Payload = {
        "act": act,
        "person_id": str(person_id),
        "points": points,
        "words": crypto.encrypt(words, _SEALED),
        "reference": f"by-hand-{new_id()}",
    }
    # Nobody gives themselves points alone, however few.
    if actor_id != person_id and not approvals.policy().guards_points(points):
        _apply(payload, actor_id)
        return approvals.DONE
    approvals.rehearse(lambda: _apply(payload, actor_id))
    return approvals.submit(KIND, payload, actor_id=actor_id, subject_id=person_id)


def _apply(payload: Payload, actor_id: uuid.UUID) -> None:
    verb: Verb = give if payload["act"] == GIVE else waive
    verb(
        uuid.UUID(str(payload["person_id"])),
        int(str(payload["points"])),
        crypto.decrypt(str(payload["words"]), _SEALED),
        actor_id=actor_id,
        reference=str(payload["reference"]),
    )


def _describe(payloads: Sequence[Payload]) -> list[str]:
    names = _members({uuid.UUID(str(payload["person_id"])) for payload in payloads})
    return [_sentence(payload, names) for payload in payloads]


def _members(person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of those who take part: nobody else is named to the team (rule W2)."""
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.id.in_(person_ids), Person.departed_at.is_(None), Membership.left_at.is_(None)
        )
    )
    return {row.id: row.name for row in rows}


def _sentence(payload: Payload, names: dict[uuid.UUID, str]) -> str:
    name = names.get(uuid.UUID(str(payload["person_id"]))) or str(_("somebody who is not named"))
    said = {
        "name": name,
        "points": written(int(str(payload["points"]))),
        "words": _words(payload),
    }
    if payload["act"] == GIVE:
        return str(_("Give %(name)s %(points)s points: “%(words)s”", **said))
    return str(_("No longer ask %(points)s points back from %(name)s: “%(words)s”", **said))


def _words(payload: Payload) -> str:
    """The human's words; none once the key that kept them is gone, long after a decision."""
    try:
        return crypto.decrypt(str(payload["words"]), _SEALED)
    except crypto.CannotDecrypt:
        return "…"


def start() -> None:
    """Bring points by hand as a kind of act."""
    roles = frozenset({"hr", "admin"})
    approvals.register(
        approvals.Kind(KIND, _l("Points given or waived by hand"), roles, _apply, _describe)
    )
