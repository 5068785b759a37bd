"""What the ledger knows of a line, whichever list it comes from; and visits of a day as one.

Twenty visits a day would bury the statement, so a page shows those of one post and day as one
line. The ledger, the file and the API keep each of them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.db import read_id
from app.ledger import queries as books
from app.ledger.codes import AWARD, REVERSAL
from app.play.rules import Rule
from app.play.share_awards import VISIT, day_of


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the ledger, or `count` visits that are told as one. `sequence` is its place
    in the account (0 for what is only awaited), `due_at` the end of its hold."""

    sequence: int
    id: uuid.UUID
    reference: str
    code: str
    state: str
    amount: int
    effective_at: dt.datetime
    changed_at: dt.datetime
    due_at: dt.datetime | None
    rule_id: uuid.UUID | None
    subject: uuid.UUID | None
    actor_code: str
    cause: str
    words: str
    balance_after: int | None
    owed: int
    is_reversal: bool
    is_reversed: bool
    is_settled: bool
    count: int = 1

    @property
    def is_on_the_way(self) -> bool:
        """Announced or on hold: nothing of it can be spent yet."""
        return self.amount > 0 and self.state in ("announced", "pending")


def of_entry(line: books.Line) -> Fact:
    """A line of the account."""
    later = line.settled_by is not None
    return Fact(
        line.sequence, line.id, line.reference, line.code, line.state, line.amount,
        line.effective_at, line.changed_at, line.due_at, read_id(line.rule_version),
        read_id(line.subject), line.actor_code, line.reason or "", line.words or "",
        None if later else line.available_after, line.owed, line.kind == REVERSAL,
        line.reversed_by is not None, later,
    )  # fmt: skip


def of_due(due: books.Due) -> Fact:
    """Something that is awaited."""
    at = due.due_at or dt.datetime.max.replace(tzinfo=dt.UTC)
    return Fact(
        0, due.id, "", due.code, "pending", due.amount, at, at, due.due_at,
        read_id(due.rule_version), read_id(due.subject), "rule", "", "", None, 0, False, False, False,
    )  # fmt: skip


Rules = Mapping[uuid.UUID, Rule]


def post_rule(fact: Fact, rules: Rules) -> Rule | None:
    """The rule of a line that is about a post; None for any other line."""
    rule = rules.get(fact.rule_id) if fact.rule_id else None
    return rule if rule is not None and fact.code == AWARD and rule.is_about_posts else None


def happened_at(fact: Fact, rule: Rule) -> dt.datetime:
    """When a post went out or a visit came: the hold, if any, counts from then on."""
    return fact.due_at - dt.timedelta(days=rule.hold_days) if fact.due_at else fact.effective_at


def gathered(facts: Iterable[Fact], rules: Rules) -> list[Fact]:
    """The same lines, with the visits of one post and day as one, where the first of them
    stood."""
    found: dict[object, list[Fact]] = {}
    for fact in facts:
        found.setdefault(_together(fact, rules), []).append(fact)
    return [_sum(alike) for alike in found.values()]


def _together(fact: Fact, rules: Rules) -> object:
    """What lines that are told as one have in common; anything else stands alone."""
    rule = post_rule(fact, rules)
    if rule is None or rule.fact != VISIT or fact.is_reversal or fact.words:
        return fact.id
    day = day_of(happened_at(fact, rule))
    return fact.subject, day, rule.id, fact.state, fact.is_reversed, fact.cause


def _sum(alike: Sequence[Fact]) -> Fact:
    first = alike[0]
    if len(alike) == 1:
        return first
    return replace(
        first,
        amount=sum(fact.amount for fact in alike),
        changed_at=max(fact.changed_at for fact in alike),
        count=len(alike),
    )


def page(facts: Sequence[Fact], rules: Rules, limit: int) -> tuple[list[Fact], int | None]:
    """The first `limit` lines of what has moved, gathered, and the place of the last line they
    used; None when they used all. What is on the way is shown elsewhere."""
    kept: list[Fact] = []
    seen: set[object] = set()
    place: int | None = None
    for fact in facts:
        if not fact.is_on_the_way:
            seen.add(_together(fact, rules))
            if len(seen) > limit:
                return gathered(kept, rules), place
            kept.append(fact)
        place = fact.sequence
    return gathered(kept, rules), None
