"""The two-person rule as it is set now, in words for everybody."""

from __future__ import annotations

from flask_babel import gettext as _

from app import approvals
from app.approvals.kinds import all_kinds
from app.approvals.rule import OFF, ROLE_SENTENCES
from app.people.words import ROLE_NAMES
from app.web.i18n import points


def sentences() -> list[str]:
    """What waits, then who decides what."""
    rule = approvals.policy()
    return [str(ROLE_SENTENCES[rule.roles]), _points(rule), _money(rule), *_deciders(rule)]


def _points(rule: approvals.Policy) -> str:
    if not rule.points:
        return str(_("Points given or waived by hand do not wait."))
    if not rule.points_above:
        return str(_("Points given or waived by hand wait."))
    return str(
        _(
            "Points given or waived by hand wait where they are more than %(points)s.",
            points=points(rule.points_above),
        )
    )


def _money(rule: approvals.Policy) -> str:
    if rule.money:
        return str(_("Rewards that go through payroll and the amounts of rules wait."))
    return str(_("Rewards that go through payroll and the amounts of rules do not wait."))


def _deciders(rule: approvals.Policy) -> list[str]:
    if rule.roles == OFF and not rule.points and not rule.money:
        return []
    return [
        str(
            _(
                "“%(what)s” is decided by: %(roles)s.",
                what=kind.title,
                roles=", ".join(str(ROLE_NAMES[role]) for role in sorted(kind.roles)),
            )
        )
        for kind in all_kinds()
    ]
