"""Switches for every failure a client may meet; the socket part is in `server`.

A rule is `{"match": {...}, "times": 1, "after": 0, "action": {...}}`. The first rule that matches
and is due acts; the seeded mix is asked only when no rule did.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from standin.linkedin import errors
from standin.linkedin.wire import Answer, Json

KINDS = (
    "status", "drop_before", "drop_after_accept", "no_header", "silence", "slow", "half", "garbage",
)  # fmt: skip
_COMMITTING = frozenset({"drop_after_accept", "no_header", "slow", "half"})
_SECONDS = {"silence": 600.0, "slow": 2.0}


@dataclass(frozen=True, slots=True)
class Action:
    """What happens instead of an ordinary answer.

    `commit` says whether the request takes effect all the same; `seconds` is for silence and
    slow; `when` places the delay of slow before or after the effect; `form` of garbage is
    `bytes` (no HTTP) or `body` (HTTP around nonsense).
    """

    do: str
    error: str | None = None
    limit: str | None = None
    retry_after: float | None = None
    urn: str | None = None
    seconds: float = 0.0
    commit: bool = False
    when: str = "before"
    form: str = "bytes"

    def answer(self) -> Answer:
        """The answer of a `status` action."""
        return errors.named(self.error or "500", self.limit, self.retry_after, self.urn)


@dataclass(slots=True)
class Rule:
    """An action and the requests it is for."""

    action: Action
    method: str | None = None
    path_prefix: str = "/"
    member: str | None = None
    times: int | None = 1
    after: int = 0
    seen: int = 0
    used: int = 0

    def matches(self, method: str, target: str, member: str | None) -> bool:
        """`target` is the path with its query, as sent."""
        return (
            self.method in (None, method)
            and target.startswith(self.path_prefix)
            and self.member in (None, member)
        )

    def take(self) -> bool:
        """Counts a request that matched; whether the rule acts on it."""
        self.seen += 1
        if self.seen <= self.after or self.used == self.times:
            return False
        self.used += 1
        return True

    def as_json(self) -> Json:
        """The rule as it was set, with `seen` and `used`."""
        match = {"method": self.method, "path_prefix": self.path_prefix, "member": self.member}
        return {
            "match": match, "times": self.times, "after": self.after, "seen": self.seen,
            "used": self.used, "action": asdict(self.action),
        }  # fmt: skip


@dataclass(slots=True)
class Mix:
    """Actions with their probabilities, drawn from one seed for each request that matches."""

    seed: int
    shares: dict[str, float]
    rule: Rule
    drawn: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # nosec B311: repeatable on purpose

    def draw(self) -> Action | None:
        """The fate of the next request; nothing for an ordinary answer."""
        number = self._random.random()
        for shorthand, share in self.shares.items():
            number -= share
            if number < 0:
                self.drawn[shorthand] += 1
                return action_from(shorthand)
        self.drawn["none"] += 1
        return None

    def as_json(self) -> Json:
        """Seed, probabilities, and how often each was drawn."""
        match = self.rule.as_json()["match"]
        return {"seed": self.seed, "mix": self.shares, "match": match, "drawn": dict(self.drawn)}


class Faults:
    """All switches that are on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._mix: Mix | None = None

    def add(self, rules: list[Rule]) -> None:
        """Adds rules behind those that are there."""
        with self._lock:
            self._rules.extend(rules)

    def mix(self, mix: Mix) -> None:
        """Replaces the seeded mix."""
        with self._lock:
            self._mix = mix

    def clear(self) -> None:
        """Everything off."""
        with self._lock:
            self._rules.clear()
            self._mix = None

    def ask_by_member(self) -> bool:
        """Whether any rule needs to know who is calling."""
        with self._lock:
            return any(rule.member for rule in self._rules) or bool(
                self._mix and self._mix.rule.member
            )

    def pick(self, method: str, target: str, member: str | None) -> Action | None:
        """What befalls this request; each call counts as one."""
        with self._lock:
            for rule in self._rules:
                if rule.matches(method, target, member) and rule.take():
                    return rule.action
            if self._mix is not None and self._mix.rule.matches(method, target, member):
                return self._mix.draw()
            return None

    def as_json(self) -> Json:
        """Rules and mix with their tallies."""
        with self._lock:
            mix = self._mix.as_json() if self._mix else None
            return {"rules": [rule.as_json() for rule in self._rules], "mix": mix}


def action_from(given: object) -> Action:
    """An action from its JSON object or its shorthand `name[:seconds][+commit]`."""
    if isinstance(given, str):
        return _action(_from_shorthand(given))
    if isinstance(given, Mapping):
        return _action(dict(given))
    raise ValueError("an action is an object or a word")


def rule_from(given: object) -> Rule:
    """A rule from JSON. Raises ValueError."""
    if not isinstance(given, Mapping) or not {"action"} <= set(given) <= _RULE_FIELDS:
        raise ValueError(f"a rule has an action, and may have {', '.join(sorted(_RULE_FIELDS))}")
    times, after = given.get("times", 1), given.get("after", 0)
    if not (times is None or _is_count(times)) or not _is_count(after):
        raise ValueError("times is a number or null, after a number")
    rule = _matching(given.get("match", {}), action_from(given["action"]))
    rule.times, rule.after = times, after
    return rule


def mix_from(given: Mapping[str, Any]) -> Mix:
    """A mix from `{"seed": 7, "mix": {"500": 0.1}, "match": {...}}`; posts when no match is given."""
    shares, seed = given.get("mix"), given.get("seed", 0)
    if not isinstance(shares, Mapping) or not isinstance(seed, int):
        raise ValueError("a mix has a seed and probabilities by action")
    if not all(isinstance(p, int | float) and p >= 0 for p in shares.values()):
        raise ValueError("probabilities are numbers")
    if sum(shares.values()) > 1.000001:
        raise ValueError("the probabilities of a mix add up to one at most")
    for shorthand in shares:
        action_from(shorthand)
    posts = {"method": "POST", "path_prefix": "/rest/posts"}
    rule = _matching(given.get("match", posts), Action("slow"))
    return Mix(seed, dict(shares), rule)


_RULE_FIELDS = {"match", "times", "after", "action"}
_MATCH_FIELDS = {"method", "path_prefix", "member"}


def _matching(match: object, action: Action) -> Rule:
    if not isinstance(match, Mapping) or not set(match) <= _MATCH_FIELDS:
        raise ValueError(f"a match may have {', '.join(sorted(_MATCH_FIELDS))}")
    method, member = match.get("method"), match.get("member")
    prefix = match.get("path_prefix") or "/"
    if not all(isinstance(value, str | None) for value in (method, member, prefix)):
        raise ValueError("a match is made of words")
    member = member.removeprefix("urn:li:person:") if member else None
    return Rule(action, method.upper() if method else None, prefix, member)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _from_shorthand(words: str) -> Json:
    head, _, tail = words.partition("+")
    name, _, seconds = head.partition(":")
    given: Json = {"do": name} if name in KINDS else {"do": "status", "error": name}
    if seconds:
        given["seconds"] = float(seconds)
    if tail == "commit":
        given["commit"] = True
    elif tail:
        raise ValueError(f"{words}: only +commit may follow")
    return given


def _action(given: Json) -> Action:
    kind = given.get("do")
    if kind not in KINDS:
        raise ValueError(f"an action does one of {', '.join(KINDS)}, not {kind!r}")
    if kind == "status" and not errors.is_known(str(given.get("error"))):
        raise ValueError(f"there is no documented error called {given.get('error')!r}")
    defaults: Json = {"commit": kind in _COMMITTING, "seconds": _SECONDS.get(kind, 0.0)}
    try:
        return Action(**(defaults | given))
    except TypeError as error:
        raise ValueError(f"an action of this kind does not take that: {error}") from error
