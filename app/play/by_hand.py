"""Points that a named human gives, or no longer asks back: the verbs, and the two-person rule.

`give` does it for somebody who is known to take part; the console and the demo act so, with the
server's authority. Whoever acts for the programme names a work address (`submit_give`,
`submit_waive`) and is never told whether it is that of somebody who takes part (rule W2): the
answer, what waits for a second person, the audit trail and the work done are the same for a
member, for who did not join or left, and for an address that nobody has. Only the member's own
account and mailbox know.

A human's words are kept beside the transfer, where they can be erased; while the act waits they
and the address as it was typed are kept encrypted and go with an erasure, too.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app import approvals, audit, crypto, ledger, outbox
from app.approvals import Payload, Submitted
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import DomainError, InvalidInput
from app.ledger.chain import Transfer
from app.ledger.codes import ADJUSTMENT, WAIVER
from app.ledger.models import LedgerAccount
from app.ledger.service import MAX_WORDS
from app.people.errors import NoSuchPerson, NotMember
from app.people.lookup import load_member
from app.people.models import Person
from app.people.text import is_usable, normal_address, one_line
from app.play import accounts
from app.web.i18n import points as written

KIND: Final = "play.by_hand"
GIVE, WAIVE = "give", "waive"
ACTS: Final = (GIVE, WAIVE)
MOST: Final = 1_000_000
ACTIONS: Final = {GIVE: "points.given", WAIVE: "points.waived"}
"""What the audit trail calls each."""
NOTED: Final = "by_hand"
"""What the audit trail says that an act of the page was about: the press, not a line of points,
which only somebody who takes part has."""
_SEALED: Final = "points-by-hand"


def give(
    person_id: uuid.UUID, points: int, words: str, *, actor_id: uuid.UUID, reference: str
) -> None:
    """Credit a member for a reason in words. The same reference is the same credit, however often
    it is sent. Raises `InvalidInput` by field, `NoAccount`, `NoSuchPerson`."""
    _check(points, words)
    with transaction() as session:
        account = _account(session, person_id)
        made = _credit(account, points, words, actor_id, reference)
        if not made.replayed:
            audit.record(ACTIONS[GIVE], "transfer", made.id, actor_id=actor_id, points=points)


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


def _credit(
    account: uuid.UUID, points: int, words: str, actor_id: uuid.UUID, reference: str
) -> Transfer:
    return _booked(ADJUSTMENT, account, points, words, actor_id, reference)


def _booked(
    code: str, account: uuid.UUID, points: int, words: str, actor_id: uuid.UUID, reference: str
) -> Transfer:
    """One line with its reason, and the fact that its member hears by mail."""
    made = ledger.transfer(code, reference, account, points, actor=ledger.by_person(actor_id))
    if not made.replayed:
        ledger.annotate(made.id, words.strip())
        outbox.record("points.by_hand", transfer_id=str(made.id))
    return made


def _check(points: int, words: str, address: str | None = None) -> None:
    errors = {}
    if address is not None and not is_usable(normal_address(address)):
        errors["address"] = _l("Give a work address, like name@company.com.")
    if not 1 <= points <= MOST:
        errors["points"] = _l("Give a whole number of points from 1 to 1,000,000.")
    if not 1 <= len(words.strip()) <= MAX_WORDS:
        errors["words"] = _l("Say why, in at most %(most)d characters.", most=MAX_WORDS)
    if errors:
        raise InvalidInput(_l("Please check the form."), errors)


# ---- By address, under the two-person rule


def submit_give(
    address: str, points: int, words: str, *, actor_id: uuid.UUID, key: str
) -> Submitted:
    """Credit whoever has this work address, if they take part; by two people above the
    organisation's threshold, and always where it is the reader's own. `key` is the press: the
    same press is one act. Raises `InvalidInput` by field, and nothing that depends on who it is.
    """
    return _submit(GIVE, address, points, words, actor_id, key)


def submit_waive(
    address: str, points: int, words: str, *, actor_id: uuid.UUID, key: str
) -> Submitted:
    """No longer ask back, up to `points`, what a correction left whoever has this address owing;
    otherwise as `submit_give`."""
    return _submit(WAIVE, address, points, words, actor_id, key)


def _submit(
    act: str, address: str, points: int, words: str, actor_id: uuid.UUID, key: str
) -> Submitted:
    label, words = one_line(address), words.strip()
    _check(points, words, label)
    person_id = _whose(label)
    reference = _reference(act, label, points, words, str(actor_id), key)
    payload: Payload = {
        "act": act,
        "person_id": str(person_id or ""),
        "points": points,
        "label": crypto.encrypt(label, _SEALED),
        "words": crypto.encrypt(words, _SEALED),
        "reference": reference,
    }
    # Nobody gives themselves points alone, however few.
    if actor_id != person_id and not approvals.policy().guards_points(points):
        _apply(payload, actor_id)
        return approvals.DONE
    return approvals.submit(KIND, payload, actor_id=actor_id, subject_id=person_id, once=reference)


def _whose(address: str) -> uuid.UUID | None:
    """The entry of the directory with this address, whether they take part or not: it must never
    be the second person, and an erasure must reach the request."""
    return db.session.scalar(select(Person.id).where(Person.email == normal_address(address)))


def _reference(*said: object) -> str:
    """The name of one press with what it said: keyed, so that it tells nothing."""
    return f"by-hand-{crypto.fingerprint(json.dumps(said), _SEALED)[:32]}"


def _apply(payload: Payload, actor_id: uuid.UUID) -> None:
    """Once for each press. The audit trail tells what was asked for, never whether anybody
    received it."""
    act, reference = str(payload["act"]), str(payload["reference"])
    points, person_id = int(str(payload["points"])), _person_in(payload)
    with transaction() as session:
        _hold(session, {actor_id, person_id} if person_id else {actor_id})
        if _is_done(session, reference):
            return
        audit.record(ACTIONS[act], NOTED, reference, actor_id=actor_id, points=points)
        words = crypto.decrypt(str(payload["words"]), _SEALED)
        _take_effect(session, act, person_id, (points, words, actor_id, reference))


def _person_in(payload: Payload) -> uuid.UUID | None:
    return uuid.UUID(str(payload["person_id"])) if payload["person_id"] else None


def _hold(session: Session, people: set[uuid.UUID]) -> None:
    """The same press waits for itself; in one order, so that two never wait for each other."""
    rows = select(Person.id).where(Person.id.in_(people)).order_by(Person.id)
    session.execute(rows.with_for_update()).all()


def _is_done(session: Session, reference: str) -> bool:
    noted = exists().where(AuditEntry.target_kind == NOTED, AuditEntry.target_id == reference)
    return bool(session.scalar(select(noted)))


def _take_effect(
    session: Session,
    act: str,
    person_id: uuid.UUID | None,
    said: tuple[int, str, uuid.UUID, str],
) -> None:
    """On a member's account; otherwise the same is booked on an account of nobody and undone, so
    that the answer takes as long."""
    verb = _VERBS[act]
    account = _account_of_member(session, person_id)
    if account is not None:
        verb(account, *said)
    else:
        approvals.rehearse(lambda: verb(ledger.open_account(), *said))


def _account_of_member(session: Session, person_id: uuid.UUID | None) -> uuid.UUID | None:
    try:
        return _account(session, person_id) if person_id else None
    except (NoAccount, NoSuchPerson):
        return None


def _relieve(
    account: uuid.UUID, points: int, words: str, actor_id: uuid.UUID, reference: str
) -> None:
    """No longer ask back what is owed, up to `points`; nothing where nothing is owed."""
    row = select(LedgerAccount.id).where(LedgerAccount.id == account).with_for_update()
    db.session.execute(row).all()
    points = min(points, ledger.balance(account).owed)
    if points:
        _booked(WAIVER, account, points, words, actor_id, reference)


_VERBS: Final[dict[str, Callable[..., object]]] = {GIVE: _credit, WAIVE: _relieve}


# ---- In words, for who asked and who decides


def _describe(payloads: Sequence[Payload]) -> list[str]:
    return [_sentence(payload) for payload in payloads]


def _sentence(payload: Payload) -> str:
    """The address as it was typed, and nothing that the directory knows of it (rule W2)."""
    said = {
        "address": _opened(payload, "label"),
        "points": written(int(str(payload["points"]))),
        "words": _opened(payload, "words"),
    }
    if payload["act"] == GIVE:
        return str(_("Give %(address)s %(points)s points, if they take part: “%(words)s”", **said))
    return str(
        _(
            "No longer ask up to %(points)s points back from %(address)s, if they take part and "
            "owe them: “%(words)s”",
            **said,
        )
    )


def _opened(payload: Payload, part: str) -> str:
    """What a human typed; none once the key that kept it is gone, long after a decision."""
    try:
        return crypto.decrypt(str(payload.get(part, "")), _SEALED)
    except crypto.CannotDecrypt:
        return "…"


def start() -> None:
    """Bring points by hand as a kind of act."""
    roles = frozenset({"hr", "admin"})
    approvals.register(
        approvals.Kind(KIND, _l("Points given or waived by hand"), roles, _apply, _describe)
    )
