"""Which tracking systems we know. A new one is a folder of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.integrations.events import AtsEvent, EventSettings
from app.integrations.greenhouse import feed as greenhouse_feed
from app.integrations.greenhouse import webhook as greenhouse_webhook
from app.integrations.postings import FeedReading, FeedSettings


class ParsesEvents(Protocol):
    """Reads a verified body; raises `events.UnreadableBody`."""

    def __call__(self, raw: bytes, settings: EventSettings | None = None) -> AtsEvent: ...


class ReadsFeed(Protocol):
    """Reads a whole feed; raises `postings.FeedError`."""

    def __call__(self, data: bytes, settings: FeedSettings | None = None) -> FeedReading: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """All that the receiver and the importer need to know of one vendor.

    `success_status` is the one answer that this vendor counts as delivered: 202 makes some
    send again for hours, 200 makes others. `verify(secrets, headers, body)` takes the
    secrets newest first and raises `events.BadSignature`. `event_id(headers, body)` is the
    delivery key. Fetch `feed_url(token)` only from `feed_hosts`, without redirects.
    """

    kind: str
    success_status: int
    verify: Callable[[Sequence[str], Mapping[str, str], bytes], None]
    parse: ParsesEvents
    event_id: Callable[[Mapping[str, str], bytes], str]
    read_feed: ReadsFeed
    feed_url: Callable[[str], str]
    feed_hosts: frozenset[str]


CONNECTORS: Final[Mapping[str, Connector]] = {
    "greenhouse": Connector(
        kind="greenhouse",
        success_status=greenhouse_webhook.SUCCESS_STATUS,
        verify=greenhouse_webhook.verify,
        parse=greenhouse_webhook.parse,
        event_id=greenhouse_webhook.event_id,
        read_feed=greenhouse_feed.read_feed,
        feed_url=greenhouse_feed.feed_url,
        feed_hosts=greenhouse_feed.HOSTS,
    ),
}
