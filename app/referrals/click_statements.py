"""The SQL that stores and counts openings in bulk: what the two databases do differently.

PostgreSQL, a round trip away, takes openings by COPY and sums as arrays; SQLite, inside our
process, takes row after row of a prepared statement. Values are written as the columns' types
would write them, without their work for each value: an opening has about 20 µs in all.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError


class Row(NamedTuple):
    """An opening as it is stored; instants in microseconds since 1970, ids as they travel. Only
    what speaks about others has a key."""

    at: int
    click_id: bytes
    link_id: bytes
    verdict: str
    visitor_key: str | None


class Total(NamedTuple):
    """What is added to the openings of a link with one verdict."""

    link_id: bytes
    verdict: str
    openings: int
    last_at: int


class Hour(NamedTuple):
    """The same for one hour (UTC)."""

    link_id: bytes
    hour: int
    verdict: str
    openings: int


class Seen(NamedTuple):
    """A stored opening that speaks about others by the same visitor key."""

    visitor_key: str
    at: int
    verdict: str


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_COLUMNS = "id, link_id, occurred_at, verdict, visitor_key"
_NULL = r"\N"
_COPY = f"COPY click ({_COLUMNS}) FROM STDIN"
_INSERT = f"INSERT INTO click ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # nosec B608

_SEEN = {
    "sqlite": "SELECT c.visitor_key, c.occurred_at, c.verdict FROM json_each(?) AS k "
    "CROSS JOIN click AS c ON c.visitor_key = k.value "
    "WHERE c.verdict IN ('person', 'head', 'probe') AND c.occurred_at > ? AND c.occurred_at < ?",
    "postgresql": "SELECT visitor_key, occurred_at, verdict FROM click "
    "WHERE visitor_key = ANY(%s) AND verdict IN ('person', 'head', 'probe') "
    "AND occurred_at > %s AND occurred_at < %s",
}

_ADD_TOTAL = (
    " ON CONFLICT (link_id, verdict) DO UPDATE SET count = click_count.count + excluded.count,"
    " last_at = CASE WHEN excluded.last_at > click_count.last_at THEN excluded.last_at"
    " ELSE click_count.last_at END"
)
_ADD_HOUR = (
    " ON CONFLICT (link_id, hour, verdict) DO UPDATE SET count = click_hour.count + excluded.count"
)
_TOTALS = {
    "sqlite": "INSERT INTO click_count (link_id, verdict, count, last_at) VALUES (?, ?, ?, ?)",
    "postgresql": "INSERT INTO click_count (link_id, verdict, count, last_at) SELECT * FROM "
    "unnest(%s::uuid[], %s::text[], %s::bigint[], %s::timestamptz[])",
}
_HOURS = {
    "sqlite": "INSERT INTO click_hour (link_id, hour, verdict, count) VALUES (?, ?, ?, ?)",
    "postgresql": "INSERT INTO click_hour (link_id, hour, verdict, count) SELECT * FROM "
    "unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::int[])",
}


def give_room(engine: Engine) -> None:
    """Let this process's connections keep 32 MB of a SQLite file in memory: links and visitor
    keys have no order, so a full batch touches thousands of its pages."""

    def on_connect(driver: Any, record: object) -> None:
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA cache_size=-32000")

    event.listen(engine, "connect", on_connect)


def constraint_errors(connection: Connection) -> tuple[type[Exception], ...]:
    """What is raised where a key is taken: by SQLAlchemy, or by a driver that is used bare."""
    return IntegrityError, cast(Any, connection.dialect).loaded_dbapi.IntegrityError


def insert_clicks(connection: Connection, rows: Sequence[Row]) -> None:
    """Store these openings. Raises one of `constraint_errors` where an id is taken."""
    if connection.dialect.name == "postgresql":
        _copy(connection, rows)
    else:
        text = _Texts(connection).of
        values = [
            (click.hex(), link.hex(), text(at), word, key) for at, click, link, word, key in rows
        ]
        connection.exec_driver_sql(_INSERT, values)


def _copy(connection: Connection, rows: Sequence[Row]) -> None:
    """Nothing in a row needs COPY's quoting: identifiers, a time, a word and figures."""
    driver, text = cast(Any, connection.connection.dbapi_connection), _Texts(connection).of
    lines = [
        f"{click.hex()}\t{link.hex()}\t{text(at)}\t{verdict}\t{key or _NULL}\n"
        for at, click, link, verdict, key in rows
    ]
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write("".join(lines))


def seen(connection: Connection, keys: Iterable[str], after: int, before: int) -> list[Seen]:
    """Openings by some visitor keys, between two instants, that speak about others."""
    wanted = list(keys)
    if not wanted:
        return []
    text = _Texts(connection).of
    if connection.dialect.name == "sqlite":
        given: tuple[object, ...] = (json.dumps(wanted), text(after), text(before))
    else:
        given = (wanted, text(after), text(before))
    found = connection.exec_driver_sql(_SEEN[connection.dialect.name], given)
    return [Seen(key, _microseconds(at), verdict) for key, at, verdict in found]


def add_totals(connection: Connection, totals: Sequence[Total]) -> None:
    """Add to the openings of links, in one order for all who do so at once."""
    text = _Texts(connection).of
    _add(
        connection,
        _TOTALS[connection.dialect.name] + _ADD_TOTAL,
        [(link.hex(), verdict, n, text(at)) for link, verdict, n, at in sorted(totals)],
    )


def add_hours(connection: Connection, hours: Sequence[Hour]) -> None:
    """The same by the hour."""
    text = _Texts(connection).of
    _add(
        connection,
        _HOURS[connection.dialect.name] + _ADD_HOUR,
        [(link.hex(), text(hour), verdict, n) for link, hour, verdict, n in sorted(hours)],
    )


def _add(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        connection.exec_driver_sql(statement, columns)
    else:
        connection.exec_driver_sql(statement, rows)


class _Texts:
    """Instants in UTC as SQLAlchemy writes them into SQLite, and for PostgreSQL with their zone.
    Many share their second."""

    def __init__(self, connection: Connection) -> None:
        self._zone = "" if connection.dialect.name == "sqlite" else "+00"
        self._seconds: dict[int, str] = {}

    def of(self, at: int) -> str:
        """The text of an instant."""
        second, rest = divmod(at, 1_000_000)
        text = self._seconds.get(second)
        if text is None:
            instant = _EPOCH + dt.timedelta(seconds=second)
            text = instant.replace(tzinfo=None).isoformat(" ")
            self._seconds[second] = text
        return f"{text}.{rest:06d}{self._zone}"


def _microseconds(at: str | dt.datetime) -> int:
    """The instant that a database gave, SQLite as a text."""
    instant = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    aware = instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant
    return (aware - _EPOCH) // _MICROSECOND
