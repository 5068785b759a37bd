"""Rules of points under the two-person rule: what the studio and the API call.

Where the organisation asks for a second person about money, a version whose points or limit are
others than those in force at its start waits. A start that is over when it is approved becomes
that moment: nothing counts backwards. The set-up and the demo use `rules` and are not bound.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import approvals, clock
from app.approvals import Payload, Submitted
from app.play import rule_words, rules
from app.play.rules import Terms
from app.web.i18n import day

KIND: Final = "play.rule"
AMOUNTS: Final = ("amount", "held_amount", "cap", "cap_period")


def plan(
    terms: Terms, *, starts_at: dt.datetime | None, actor_id: uuid.UUID, key: str | None = None
) -> Submitted:
    """`rules.plan`: its rule is the `result` where it does not wait. Raises as it does."""
    if not approvals.policy().money:
        made = rules.plan(terms, starts_at=starts_at, actor_id=actor_id, key=key)
        return Submitted(result=made)
    before = rules.in_force(terms.fact, starts_at or clock.now())
    if before is not None and _amounts(before.terms) == _amounts(terms):
        made = rules.plan(terms, starts_at=starts_at, actor_id=actor_id, key=key)
        return Submitted(result=made)
    rules.check_plan(terms, starts_at)
    payload: Payload = {
        "terms": terms._asdict(),
        "starts_at": starts_at.isoformat() if starts_at else None,
        "key": key,
    }
    return approvals.submit(KIND, payload, actor_id=actor_id)


def _amounts(terms: Terms) -> list[object]:
    return [getattr(terms, name) for name in AMOUNTS]


def _terms(payload: Payload) -> Terms:
    return Terms(**cast(dict[str, Any], payload["terms"]))


def _start(payload: Payload) -> dt.datetime | None:
    """When it starts; None, from now on, where that moment is over."""
    said = payload["starts_at"]
    at = dt.datetime.fromisoformat(str(said)) if said else None
    return at if at is not None and at > clock.now() else None


def _apply(payload: Payload, actor_id: uuid.UUID) -> object:
    key = payload["key"]
    return rules.plan(
        _terms(payload), starts_at=_start(payload), actor_id=actor_id,
        key=str(key) if key else None,
    )  # fmt: skip


def _describe(payloads: Sequence[Payload]) -> list[str]:
    facts = {_terms(payload).fact for payload in payloads}
    in_force = rules.all_in_force(facts, clock.now())
    return [_sentence(payload, in_force.get(_terms(payload).fact)) for payload in payloads]


def _sentence(payload: Payload, before: rules.Rule | None) -> str:
    terms, start = _terms(payload), _start(payload)
    said = _worth(terms)
    when = _("from %(day)s", day=day(start)) if start else _("from the approval on")
    what = rule_words.fact_name(terms.fact)
    if before is None:
        return str(_("“%(what)s” gives %(after)s, %(when)s.", what=what, after=said, when=when))
    return str(
        _(
            "“%(what)s” gives %(after)s, %(when)s; today it gives %(before)s.",
            what=what, after=said, when=when, before=_worth(before.terms),
        )
    )  # fmt: skip


def _worth(terms: Terms) -> str:
    """The points of a version and its limit, as part of a sentence."""
    amounts, limit = rule_words.amounts(terms), rule_words.limit(terms)
    return f"{amounts} ({limit.rstrip('.')})" if limit else amounts


def start() -> None:
    """Bring amounts of rules as a kind of act."""
    roles = frozenset({"hr", "lead", "admin"})
    approvals.register(
        approvals.Kind(
            KIND, _l("Rules of points"), roles, _apply, _describe, lambda payload: "/studio/rules"
        )
    )
