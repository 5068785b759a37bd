"""When a second person is asked for: the organisation's choice, and changing it.

The set-up, the console and the demo are not bound: they make a house before anybody is in it, or
act with the server's own authority. To ask less often is itself an act for two people.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import audit, clock
from app.approvals import service
from app.approvals.kinds import Kind, Payload, register
from app.approvals.models import ApprovalPolicy
from app.db import db, transaction
from app.errors import InvalidInput, Sentence

OFF, ADMIN, ALL = "off", "admin", "all"
ROLE_CHOICES: Final = (OFF, ADMIN, ALL)
"""Which roles wait when they are given: none, the administrator's, every role of the team."""
MOST: Final = 1_000_000
KIND: Final = "approvals.policy"


@dataclass(frozen=True, slots=True)
class Policy:
    """`roles` is one of `ROLE_CHOICES`. With `points`, points given by hand wait where they are
    more than `points_above`. With `money`, rewards that go through payroll and the amounts of
    rules do."""

    roles: str = ADMIN
    points: bool = True
    points_above: int = 0
    money: bool = False

    def guards_role(self, role: str) -> bool:
        """Whether giving this role waits."""
        return self.roles == ALL or (self.roles == ADMIN and role == "admin")

    def guards_points(self, points: int) -> bool:
        """Whether giving, or waiving, so many points by hand waits."""
        return self.points and points > self.points_above


def policy() -> Policy:
    """What holds now."""
    row = db.session.get(ApprovalPolicy, 1)
    if row is None:
        return Policy()
    return Policy(row.roles, row.points, row.points_above, row.money)


def change(wanted: Policy, *, actor_id: uuid.UUID) -> service.Submitted:
    """Decide anew. What asks more often holds at once; where anything would ask less often, the
    whole change waits for a second person. Raises `InvalidInput` by field."""
    if faults := _faults(wanted):
        raise InvalidInput(_l("Please check the form."), faults)
    with transaction():
        before = policy()
        payload = {
            name: value for name, value in asdict(wanted).items() if getattr(before, name) != value
        }
        if not payload:
            return service.DONE
        if not _is_lower(before, wanted):
            _apply(payload, actor_id)
            return service.DONE
        return service.submit(KIND, payload, actor_id=actor_id)


def _faults(wanted: Policy) -> dict[str, Sentence]:
    faults: dict[str, Sentence] = {}
    if wanted.roles not in ROLE_CHOICES:
        faults["approve_roles"] = _l("Choose one of them.")
    if not 0 <= wanted.points_above <= MOST:
        faults["points_above"] = _l("Give a whole number of points from 0 to 1,000,000.")
    return faults


def _is_lower(before: Policy, after: Policy) -> bool:
    """Whether anything that waits today would not. A threshold counts only where it was asked."""
    return (
        ROLE_CHOICES.index(after.roles) < ROLE_CHOICES.index(before.roles)
        or (before.points and (not after.points or after.points_above > before.points_above))
        or (before.money and not after.money)
    )


def _apply(payload: Payload, actor_id: uuid.UUID) -> None:
    with transaction() as session:
        row = session.get(ApprovalPolicy, 1, with_for_update=True, populate_existing=True)
        after = replace(policy() if row else Policy(), **payload)  # type: ignore[arg-type]
        if row is None:
            session.add(row := ApprovalPolicy(id=1))
        for name, value in asdict(after).items():
            setattr(row, name, value)
        row.changed_at = clock.now()
        session.flush()
        audit.record(
            "approvals.changed", "organisation", 1, actor_id=actor_id, roles=after.roles,
            points=after.points, points_above=after.points_above, money=after.money,
        )  # fmt: skip


def _describe(payloads: Sequence[Payload]) -> list[str]:
    return [
        str(_("Change the two-person rule. %(changes)s", changes=" ".join(_changes(payload))))
        for payload in payloads
    ]


def _changes(payload: Payload) -> list[str]:
    found: list[str] = []
    if "roles" in payload:
        found.append(str(ROLE_SENTENCES[str(payload["roles"])]))
    if "points" in payload:
        found.append(
            str(
                _("Points by hand wait.") if payload["points"] else _("Points by hand do not wait.")
            )
        )
    if "points_above" in payload:
        above = str(payload["points_above"])
        found.append(str(_("Points by hand wait above %(points)s points.", points=above)))
    if "money" in payload:
        found.append(
            str(
                _("Rewards of payroll and amounts of rules wait.")
                if payload["money"]
                else _("Rewards of payroll and amounts of rules do not wait.")
            )
        )
    return found


ROLE_SENTENCES: Final[dict[str, Sentence]] = {
    OFF: _l("No role waits when it is given."),
    ADMIN: _l("The role of an administrator waits when it is given."),
    ALL: _l("Every role of the team waits when it is given."),
}


def start() -> None:
    """Bring the change of the rule as a kind of its own."""
    register(
        Kind(
            KIND, _l("The two-person rule"), frozenset({"admin"}), _apply, _describe,
            lambda payload: "/studio/organisation#two-people",
        )
    )  # fmt: skip
