"""Figures of a member's posts (reference, section 7): deterministic, growing with age."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import sqlite3
from dataclasses import dataclass
from typing import NoReturn

from standin.linkedin import errors, posts, restli
from standin.linkedin.rest import Caller, check_urn, versioned
from standin.linkedin.wire import Answer, Json, Refused, Request, as_json, refuse_input
from standin.linkedin.world import World

_FIRST_METRICS = ("IMPRESSION", "MEMBERS_REACHED", "RESHARE", "REACTION", "COMMENT")
_LATER_METRICS = (
    "POST_SAVE", "POST_SEND", "LINK_CLICKS", "PREMIUM_CTA_CLICKS",
    "FOLLOWER_GAINED_FROM_CONTENT", "PROFILE_VIEW_FROM_CONTENT",
)  # fmt: skip
_NO_DAILY = frozenset(
    {
        "MEMBERS_REACHED", "LINK_CLICKS", "FOLLOWER_GAINED_FROM_CONTENT",
        "PROFILE_VIEW_FROM_CONTENT",
    }
)  # fmt: skip
_SHARE_OF_IMPRESSIONS = {
    "IMPRESSION": 1.0, "MEMBERS_REACHED": 0.62, "REACTION": 0.03, "COMMENT": 0.006,
    "RESHARE": 0.003, "POST_SAVE": 0.004, "POST_SEND": 0.002, "LINK_CLICKS": 0.02,
    "PREMIUM_CTA_CLICKS": 0.001, "FOLLOWER_GAINED_FROM_CONTENT": 0.001,
    "PROFILE_VIEW_FROM_CONTENT": 0.01,
}  # fmt: skip
_METRIC_TYPE = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"
_RESOURCE = "memberCreatorPostAnalytics"
_SCOPE = "r_member_postAnalytics"


@dataclass(frozen=True, slots=True)
class _Asked:
    metric: str
    daily: bool
    first: dt.date | None
    last: dt.date | None  # not included, as in `end`


def read(world: World, request: Request) -> Answer:
    """GET `/rest/memberCreatorPostAnalytics`, finders `entity` and `me`."""
    caller = versioned(world, request)
    caller.need_scope(_SCOPE, _RESOURCE, "FINDER")
    given = restli.parameters(request.raw_query)
    finder = _single(given, "q")
    if finder not in ("entity", "me"):
        _wrong("q", "entity or me is expected")
    asked = _asked(caller, given, finder)
    if finder == "entity":
        return _of_entity(caller, given, asked)
    return _of_member(caller, asked)


def followers(world: World, request: Request) -> Answer:
    """GET `/rest/memberFollowersCount?q=me` for `r_member_profileAnalytics`."""
    caller = versioned(world, request)
    caller.need_scope("r_member_profileAnalytics", "memberFollowersCount", "FINDER")
    if request.query.get("q") != "me":
        _wrong("q", "me is expected")
    count = 180 + _seed(caller.urn) % 2_400
    return _elements([{"memberFollowersCount": count}])


def _asked(caller: Caller, given: dict[str, list[str]], finder: str) -> _Asked:
    """Exactly one metric, and no refused combination."""
    metric = _single(given, "queryType")
    version = caller.version or ""
    known = _FIRST_METRICS + (_LATER_METRICS if version >= "202604" else ())
    if metric not in known:
        _wrong("queryType", f"exactly one of {', '.join(known)} is expected")
    aggregation = _single(given, "aggregation") if "aggregation" in given else "TOTAL"
    if aggregation not in ("TOTAL", "DAILY"):
        _wrong("aggregation", "TOTAL or DAILY is expected")
    daily = aggregation == "DAILY"
    if daily and (metric in _NO_DAILY or (metric == "IMPRESSION" and finder == "entity")):
        _wrong("aggregation", f"DAILY is not available for {metric} with q={finder}")
    first, last = _date_range(given)
    return _Asked(metric, daily, first, last)


def _single(given: dict[str, list[str]], name: str) -> str:
    """The one plain value of a parameter."""
    values = given.get(name, [])
    if not values:
        refuse_input("MISSING_FIELD", f"/{name}", "the parameter is required")
    value = _value(name, values[0]) if len(values) == 1 else None
    if not isinstance(value, str):
        _wrong(name, "exactly one value is expected")
    return value


def _date_range(given: dict[str, list[str]]) -> tuple[dt.date | None, dt.date | None]:
    if "dateRange" not in given:
        return None, None
    value = _value("dateRange", given["dateRange"][0])
    if not isinstance(value, dict) or set(value) != {"start", "end"}:
        _wrong("dateRange", "start and end are expected")
    first, last = _date(value["start"]), _date(value["end"])
    if first >= last:
        _wrong("dateRange", "start is before end")
    return first, last


def _date(value: restli.Value) -> dt.date:
    parts = value if isinstance(value, dict) else {}
    try:
        return dt.date(*(int(str(parts[name])) for name in ("year", "month", "day")))
    except (KeyError, ValueError):
        _wrong("dateRange", "year, month and day are expected")


def _value(name: str, raw: str) -> restli.Value:
    try:
        return restli.value(raw)
    except restli.Unreadable as error:
        _wrong(name, str(error))


def _wrong(name: str, description: str) -> NoReturn:
    refuse_input("INVALID_VALUE_FOR_FIELD", f"/{name}", description)


def _of_entity(caller: Caller, given: dict[str, list[str]], asked: _Asked) -> Answer:
    """One own post; no elements while it is too young for figures."""
    row = _entity(caller, given)
    kind = "share" if row["urn"].startswith("urn:li:share:") else "ugc"
    target = {"targetEntity": {kind: row["urn"]}}
    figures = _figures(caller.world, [row], asked)
    return _elements([_element(caller, asked, count, day) | target for day, count in figures])


def _of_member(caller: Caller, asked: _Asked) -> Answer:
    """All posts of the member together; `dateRange` may be empty."""
    rows = caller.world.store.all(
        "SELECT * FROM post WHERE author = ? AND deleted_at IS NULL", caller.urn
    )
    found = [
        _element(caller, asked, count, day) | {"dateRange": _range(day)}
        for day, count in _figures(caller.world, rows, asked)
    ]
    return _elements(found, total=len(found))


def _entity(caller: Caller, given: dict[str, list[str]]) -> sqlite3.Row:
    """The caller's post named by `(share:…)` or `(ugc:…)`."""
    if len(given.get("entity", [])) != 1:
        refuse_input("MISSING_FIELD", "/entity", "the parameter is required once")
    value = _value("entity", given["entity"][0])
    if not isinstance(value, dict) or len(value) != 1:
        _wrong("entity", "(share:…) or (ugc:…) is expected")
    ((kind, urn),) = value.items()
    if kind not in ("share", "ugc"):
        _wrong("entity", "the key is share or ugc")
    row = posts.find(
        caller.world, check_urn(urn, ("share",) if kind == "share" else ("ugcPost",), "/entity")
    )
    if row is None or row["deleted_at"] is not None:
        raise Refused(errors.not_found("Post not found"))
    caller.act_as(row["author"], _RESOURCE, "FINDER")
    return row


def _element(caller: Caller, asked: _Asked, count: int, day: dt.date | None) -> Json:
    """`metricType` is a text from 202605 on, an object before. The number is `count`."""
    later = (caller.version or "") >= "202605"
    element: Json = {
        "count": count,
        "metricType": asked.metric if later else {_METRIC_TYPE: asked.metric},
    }
    return element if day is None else element | {"dateRange": _range(day)}


def _elements(found: list[Json], total: int | None = None) -> Answer:
    paging: Json = {"start": 0, "count": 10, "links": []}
    if total is not None:
        paging["total"] = total
    return as_json({"paging": paging, "elements": found})


def _range(day: dt.date | None) -> Json:
    if day is None:
        return {}
    return {"start": _parts(day), "end": _parts(day + dt.timedelta(days=1))}


def _parts(day: dt.date) -> Json:
    return {"year": day.year, "month": day.month, "day": day.day}


def _figures(
    world: World, rows: list[sqlite3.Row], asked: _Asked
) -> list[tuple[dt.date | None, int]]:
    """One sum, or one number for each day; nothing when no post is old enough."""
    delay = world.knobs.analytics_delay_seconds
    old = [row for row in rows if world.timestamp() - row["created_at"] >= delay]
    if not old:
        return []
    today = world.clock.now().date()
    born = min(_born(row) for row in old)
    first = max(asked.first or born, born)
    last = min(asked.last or today + dt.timedelta(days=1), today + dt.timedelta(days=1))
    days = [first + dt.timedelta(days=n) for n in range((last - first).days)]
    counts = [sum(_on(row, asked.metric, day) for row in old) for day in days]
    if asked.daily:
        return list(zip(days, counts, strict=True))
    return [(None, sum(counts))]


def _born(row: sqlite3.Row) -> dt.date:
    return dt.datetime.fromtimestamp(row["created_at"], dt.UTC).date()


def _on(row: sqlite3.Row, metric: str, day: dt.date) -> int:
    """What a post gained on a day."""
    age = (day - _born(row)).days
    return _until(row["urn"], metric, age + 1) - _until(row["urn"], metric, age)


def _until(urn: str, metric: str, days: int) -> int:
    """What a post had in its first `days` days: most of it early, then ever less."""
    if days <= 0:
        return 0
    all_ever = (60 + _seed(urn) % 1_900) * _SHARE_OF_IMPRESSIONS[metric]
    return math.floor(all_ever * (1 - math.exp(-0.7 * days)))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
