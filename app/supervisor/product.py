"""What the supervisor runs, told from outside so that it depends on no feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

# Imported when it is needed: a second start in the same folder is told so at once.
if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings
    from app.jobs.periodic import Periodic


@dataclass(frozen=True, slots=True)
class Companion:
    """Something that runs beside the product's own parts; `title` is what `ps` shows."""

    name: str
    title: str
    work: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Product:
    """`create` imports and builds the application; `schedule` gives its periodic jobs;
    `prepare` brings the database to this version; `welcome`, called once the web answers, may
    fill the demo and returns what the terminal shows (accounts, or the address of the set-up).
    The last two run in processes of their own. `ingest` runs beside the web workers of each
    host, and a moment longer. `addresses` is where companions listen, noted for the console."""

    create: Callable[[Settings], Flask]
    schedule: Callable[[], Sequence[Periodic]]
    prepare: Callable[[Flask], object]
    welcome: Callable[[Flask], str] | None = None
    ingest: Callable[[Flask], int] | None = None
    companions: Sequence[Companion] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
