"""Where a referral stands, folded from everything known about it.

Events arrive twice, late and in any order. So the standing is never changed by an event; it
is computed from the set of all of them, sorted by the time each *happened* by its source's
own clock. The same set gives the same standing, whatever the order of arrival: this is what
makes a shuffled replay harmless, and what the awards of `app.play` rest on.

A hire is named by its key (application, offer id, `resolved_at`). An un-hire names the hire
it undoes; hearing that hire again does not bring it back, a new hire has a new key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

PIPELINE = ("received", "screened", "interview", "offer")
ENDS = ("hired", "trial_passed", "closed")
OVER = ("trial_passed", "closed")
# What comes first when two things happened in the same instant.
_RANK = {"stage": 0, "reopened": 1, "hired": 2, "trial_passed": 3, "unhired": 4, "closed": 5}
MANUAL = "manual:"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `kind` as in `ReferralEvent`; `by_person` is a recruiter's hand."""

    kind: str
    occurred_at: dt.datetime
    stage: str | None = None
    closure_reason: str | None = None
    hire_key: str | None = None
    starts_on: dt.date | None = None
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Hire:
    """A live hire. `keys` holds every name it is known by (a recruiter's, then the system's)."""

    key: str
    keys: frozenset[str]
    hired_at: dt.datetime
    starts_on: dt.date | None


@dataclass(slots=True)
class _State:
    pipeline: str = "received"
    pipeline_at: dt.datetime | None = None
    hire: Hire | None = None
    passed_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    closure_reason: str | None = None
    reached: set[str] = field(default_factory=set)
    ended_ever: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands. `reached` holds milestones that stay reached ('interview');
    `ended_ever` is true once a hire or a closure was known, undone since or not."""

    stage: str
    stage_at: dt.datetime
    closure_reason: str | None
    hire: Hire | None
    trial_passed: bool
    closed_at: dt.datetime | None
    reached: frozenset[str]
    ended_ever: bool


def hire_key(source: str, application: str, offer_id: str, resolved_at: dt.datetime | None) -> str:
    """The name of one hire, the same for every delivery that tells of it."""
    when = resolved_at.astimezone(dt.UTC).isoformat() if resolved_at else ""
    return hashlib.sha256(f"{source}|{application}|{offer_id}|{when}".encode()).hexdigest()[:32]


def _sort_key(fact: Fact) -> tuple[dt.datetime, int, str, str]:
    return fact.occurred_at, _RANK[fact.kind], fact.stage or "", fact.hire_key or ""


def _undoing_after_hiring(facts: list[Fact]) -> list[Fact]:
    """An un-hire never comes before the hire it names, whatever its clock says."""
    hired_at: dict[str, dt.datetime] = {}
    for fact in facts:
        if fact.kind == "hired" and fact.hire_key:
            known = hired_at.get(fact.hire_key, fact.occurred_at)
            hired_at[fact.hire_key] = max(known, fact.occurred_at)
    return [
        replace(f, occurred_at=max(f.occurred_at, hired_at[f.hire_key]))
        if f.kind == "unhired" and f.hire_key in hired_at
        else f
        for f in facts
    ]


def fold(received_at: dt.datetime, facts: Iterable[Fact]) -> Standing:
    """The standing that a set of facts amounts to."""
    state = _State(pipeline_at=received_at)
    for fact in sorted(_undoing_after_hiring(list(facts)), key=_sort_key):
        _APPLY[fact.kind](state, fact)
    return _standing(state, received_at)


def _on_stage(state: _State, fact: Fact) -> None:
    if fact.stage not in PIPELINE:
        return
    if PIPELINE.index(fact.stage) >= PIPELINE.index("interview"):
        state.reached.add("interview")
    if state.hire is not None and not fact.by_person:
        return  # a tracking system says so with an un-hire; a late stage change is history
    state.hire, state.passed_at = None, None
    state.closed_at, state.closure_reason = None, None
    if fact.stage != state.pipeline:
        state.pipeline, state.pipeline_at = fact.stage, fact.occurred_at


def _on_hired(state: _State, fact: Fact) -> None:
    state.reached.add("interview")
    state.ended_ever = True
    state.closed_at, state.closure_reason = None, None
    key = fact.hire_key or MANUAL
    current = state.hire
    if current is not None and (key in current.keys or _same_hire(current, key)):
        state.hire = replace(
            current, keys=current.keys | {key}, starts_on=fact.starts_on or current.starts_on
        )
        return
    state.hire, state.passed_at = (
        Hire(key, frozenset({key}), fact.occurred_at, fact.starts_on),
        None,
    )


def _same_hire(current: Hire, key: str) -> bool:
    """A recruiter's press and the system's event tell of one hire, not of two."""
    return key.startswith(MANUAL) or all(k.startswith(MANUAL) for k in current.keys)


def _on_unhired(state: _State, fact: Fact) -> None:
    if state.hire is None:
        return
    if fact.hire_key is None or fact.hire_key in state.hire.keys:
        state.hire, state.passed_at = None, None


def _on_trial_passed(state: _State, fact: Fact) -> None:
    if state.hire is not None:
        state.passed_at = fact.occurred_at


def _on_closed(state: _State, fact: Fact) -> None:
    state.ended_ever = True
    state.closed_at, state.closure_reason = fact.occurred_at, fact.closure_reason or "other"


def _on_reopened(state: _State, fact: Fact) -> None:
    state.closed_at, state.closure_reason = None, None


_APPLY = {
    "stage": _on_stage,
    "hired": _on_hired,
    "unhired": _on_unhired,
    "trial_passed": _on_trial_passed,
    "closed": _on_closed,
    "reopened": _on_reopened,
}


def _standing(state: _State, received_at: dt.datetime) -> Standing:
    stage, at = state.pipeline, state.pipeline_at or received_at
    if state.hire is not None:
        stage, at = "hired", state.hire.hired_at
        if state.passed_at is not None:
            stage, at = "trial_passed", state.passed_at
    if state.closed_at is not None:
        stage, at = "closed", state.closed_at
    return Standing(
        stage=stage,
        stage_at=at,
        closure_reason=state.closure_reason,
        hire=state.hire,
        trial_passed=state.passed_at is not None,
        closed_at=state.closed_at,
        reached=frozenset(state.reached),
        ended_ever=state.ended_ever,
    )


def visible_stage(stage: str, visibility: str) -> str | None:
    """What the referrer may see of a stage, by the candidate's choice. None: nothing yet."""
    if visibility == "all" or stage in ENDS:
        return stage
    return "received" if visibility == "ends" else None
