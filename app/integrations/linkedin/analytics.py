"""LinkedIn's own figures of one post (section 7), for `community_management` mode.

One metric per call. An empty list is no value: unknown is never zero.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from app.config import Settings
from app.integrations.linkedin import outcomes
from app.integrations.linkedin.outcomes import NotSent, Refusal
from app.integrations.linkedin.posts import rest_headers
from app.integrations.linkedin.wire import PAUSES, Away, Timeouts, ask, patiently
from app.integrations.text import Json, JsonObject, as_objects

METRICS: Final = ("IMPRESSION", "MEMBERS_REACHED", "REACTION")


class NotRead(Exception):
    """A figure that could not be read; `outcome` says why, `counts` what was read before."""

    def __init__(self, outcome: NotSent | Refusal, counts: dict[str, int | None]) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome
        self.counts = counts


class _NoAnswer(Exception):
    def __init__(self, outcome: NotSent | Refusal) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class Analytics:
    """Reads figures on behalf of one installation; a token comes with each call."""

    def __init__(
        self,
        settings: Settings,
        *,
        timeouts: Timeouts | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._settings = settings
        self._timeouts = timeouts or Timeouts.of(settings)
        self._pauses = pauses

    def post_counts(
        self, token: str, urn: str, metrics: tuple[str, ...] = METRICS
    ) -> dict[str, int | None]:
        """Each metric's lifetime total of a post; None where LinkedIn has no value.

        Raises `NotRead`, with what the calls before brought; nothing is tried after it.
        """
        counts: dict[str, int | None] = {}
        for metric in metrics:
            try:
                counts[metric] = _count(self._read(token, urn, metric), metric)
            except _NoAnswer as none:
                raise NotRead(none.outcome, counts) from None
        return counts

    def _read(self, token: str, urn: str, metric: str) -> JsonObject:
        url = f"{self._settings.linkedin_api_url}/rest/memberCreatorPostAnalytics?{_query(urn, metric)}"
        try:
            headers = rest_headers(self._settings, token)
            answer = patiently(
                lambda: ask("GET", url, headers=headers, timeouts=self._timeouts), self._pauses
            )
        except Away as away:
            raise _NoAnswer(NotSent(away.reason, retry=away.reason != "request")) from None
        if answer.status != 200:
            raise _NoAnswer(outcomes.of_reading(answer))
        if not isinstance(answer.object.get("elements"), list):
            raise _NoAnswer(NotSent("unclear", retry=True))
        return answer.object


def _query(urn: str, metric: str) -> str:
    """Rest.li wants its parentheses and the colon after the key bare, the URN encoded whole."""
    key = "ugc" if urn.startswith("urn:li:ugcPost:") else "share"
    entity = f"({key}:{quote(urn, safe='')})"
    return f"q=entity&entity={entity}&queryType={quote(metric, safe='')}&aggregation=TOTAL"


def _count(answer: JsonObject, metric: str) -> int | None:
    """The number of the element about this metric."""
    for element in as_objects(answer.get("elements")):
        count = element.get("count")
        if _metric(element.get("metricType")) not in (metric, None):
            continue
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            return count
    return None


def _metric(told: Json) -> Json:
    """`metricType` is a word from version 202605 on, before an object of one word."""
    return next(iter(told.values()), None) if isinstance(told, dict) else told
