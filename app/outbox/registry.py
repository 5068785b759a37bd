"""Which handlers hear which facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Payload = dict[str, str | int | bool | None]
Function = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Handler:
    """`outside` handlers talk to the network (mail, partners): they run without a
    transaction, under a lease, and are marked done right after. `timeout` in seconds."""

    name: str
    kind: str
    function: Function
    outside: bool
    timeout: int


_by_name: dict[str, Handler] = {}
_by_kind: dict[str, list[Handler]] = {}


def on(
    kind: str, name: str, *, outside: bool = False, timeout: int = 60
) -> Callable[[Function], Function]:
    """Declare a handler of facts of one kind. `name` is stable: deliveries are stored by it."""

    def declare(function: Function) -> Function:
        if name in _by_name:
            raise ValueError(f"two handlers are called {name}")
        handler = Handler(name, kind, function, outside, timeout)
        _by_name[name] = handler
        _by_kind.setdefault(kind, []).append(handler)
        return function

    return declare


def handlers_of(kind: str) -> list[Handler]:
    """The handlers of one kind of fact, in order of declaration."""
    return _by_kind.get(kind, [])


def registered(name: str) -> Handler | None:
    """The handler of that name, or None when this version no longer has it."""
    return _by_name.get(name)
