"""How the demo writes a story down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoText:
    """A story in one language."""

    title: str
    summary: str
    body: str
    alt: str
    captions: tuple[tuple[str, str], ...]  # (kind, words)


@dataclass(frozen=True, slots=True)
class DemoStory:
    """One story and how it lives; `drawing` is (name, seed), `shared_by` tells who opened it
    elsewhere and how many people came by their link.

    It was published `days_ago`; `expires_in_days` and `visible_in_days` count from that day,
    so that a story of yesterday with `visible_in_days=6` waits five more days. `status` is
    "published", "draft", or "withdrawn" for one that was published first. `site` names the one
    whose people it is meant for; such a story was not carried yet.
    """

    key: str
    kind: str
    topics: tuple[str, ...]
    days_ago: int
    fr: DemoText
    en: DemoText
    url: str | None = None
    drawing: tuple[str, int] | None = None
    expires_in_days: int | None = None
    is_commercial: bool = False
    status: str = "published"
    shared_by: tuple[tuple[str, str, int], ...] = ()  # (person, network, visits)
    visible_in_days: int | None = None
    site: str = ""
