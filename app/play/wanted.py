"""Which lines of a statement are asked for: the filter that lives in its address."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import format_date
from flask_babel import gettext as _

from app.ledger.codes import AWARD, CODES, REDEMPTION
from app.ledger.queries import Only
from app.play import rules
from app.play.facts import Fact
from app.play.models import SHARE_FACTS
from app.web.pages import current_settings, local_today

# What a reader may ask for, and the states of the ledger it stands for.
STATES: Final[dict[str, tuple[str, ...]]] = {
    "in": ("available",),
    "waiting": ("pending",),
    "out": ("spent", "pending"),
    "back": ("cancelled", "expired"),
}
# The acts whose rules a kind of line follows; None for a kind that follows none.
KINDS: Final[dict[str, tuple[str, ...] | None]] = {
    "posts": SHARE_FACTS,
    "referrals": ("application", "interview", "hire"),
    "rewards": None,
    "other": None,
}
_CODES_OUT = tuple(code for code, rule in CODES.items() if not rule.credits and code != "waiver")
_OTHER = tuple(code for code in CODES if code not in (AWARD, REDEMPTION))
_PERIOD = re.compile(r"(2\d{3})(?:-(0[1-9]|1[0-2]))?")
MONTHS, YEARS = 6, 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter; empty words leave nothing out. `period` is '2026-11' or '2026', `about` what
    the lines are about: a post, a recruitment or a receipt."""

    state: str = ""
    kind: str = ""
    period: str = ""
    about: uuid.UUID | None = None

    @property
    def is_narrow(self) -> bool:
        return bool(self.state or self.kind or self.period or self.about)

    def only(self) -> Only | None:
        """The same for the ledger; None for every line. One statement where a kind is asked."""
        if not self.is_narrow:
            return None
        since, until = self._bounds()
        return Only(
            codes=self._codes(),
            rule_versions=_versions(self.kind),
            subject=str(self.about) if self.about else "",
            states=STATES.get(self.state, ()),
            since=since,
            until=until,
        )

    def _codes(self) -> tuple[str, ...]:
        of_kind = {"rewards": (REDEMPTION,), "other": _OTHER}.get(self.kind, ())
        if self.state == "waiting":
            return (AWARD,) if not of_kind else ("none",)
        if self.state != "out":
            return of_kind
        # "none" matches nothing: such lines never take points away.
        return tuple(c for c in _CODES_OUT if not of_kind or c in of_kind) or ("none",)

    def _bounds(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        found = _PERIOD.fullmatch(self.period)
        if found is None:
            return None, None
        year, month = int(found[1]), int(found[2] or 1)
        past = year + 1 if not found[2] or month == 12 else year
        following = 1 if not found[2] or month == 12 else month + 1
        return _start(year, month), _start(past, following)

    def keeps(self, fact: Fact, fact_of_rule: str | None) -> bool:
        """Whether something that is on the way belongs to what is asked for. It has no place in
        a period that is over, so only the other parts of the filter count."""
        if self.state not in ("", "waiting") or (self.period and self.state != "waiting"):
            return False
        acts = KINDS.get(self.kind)
        if self.kind and (acts is None or fact_of_rule not in acts):
            return False
        return self.about is None or fact.subject == self.about


def _start(year: int, month: int) -> dt.datetime:
    """The first instant of a month on the organisation's wall clock."""
    return dt.datetime(year, month, 1, tzinfo=current_settings().timezone).astimezone(dt.UTC)


def _versions(kind: str) -> tuple[str, ...] | None:
    acts = KINDS.get(kind)
    if acts is None:
        return None
    return tuple(str(rule.id) for rule in rules.versions() if rule.fact in acts)


def read(args: Mapping[str, str]) -> Wanted:
    """The filter of an address; what nobody offers there is left aside."""
    state, kind, period = args.get("state", ""), args.get("kind", ""), args.get("period", "")
    try:
        about = uuid.UUID(args.get("about", ""))
    except ValueError:
        about = None
    return Wanted(
        state if state in STATES else "",
        kind if kind in KINDS else "",
        period if _PERIOD.fullmatch(period) else "",
        about,
    )


def states() -> list[tuple[str, str]]:
    """The choices of the form."""
    return [
        ("", _("Everything")), ("in", _("Came in")), ("waiting", _("On the way")),
        ("out", _("Went out")), ("back", _("Taken back or expired")),
    ]  # fmt: skip


def kinds() -> list[tuple[str, str]]:
    """The choices of the form."""
    return [
        ("", _("All kinds")), ("posts", _("Posts and visits")), ("referrals", _("Recruitments")),
        ("rewards", _("Rewards")), ("other", _("By a person, or settled")),
    ]  # fmt: skip


def periods(chosen: str) -> list[tuple[str, str]]:
    """The choices of the form: some months, some years, and what the address asks for."""
    today = local_today()
    found = [("", _("All the time"))]
    first = today.replace(day=1)
    for _month in range(MONTHS):
        found.append((f"{first:%Y-%m}", _name(first)))
        first = (first - dt.timedelta(days=1)).replace(day=1)
    found += [(str(year), str(year)) for year in range(today.year, today.year - YEARS, -1)]
    if chosen and chosen not in dict(found):
        month = dt.date(int(chosen[:4]), int(chosen[5:] or 1), 1)
        found.append((chosen, _name(month) if chosen[5:] else chosen))
    return found


def _name(month: dt.date) -> str:
    text: str = format_date(month, "LLLL y")
    return text[:1].upper() + text[1:]
