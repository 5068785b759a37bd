"""Statements that are compiled once for each kind of database and then run by its driver.

SQLAlchemy says what the SQL is and how a value is stored; what it does around each execution
costs a posting of the ledger more than its four statements do. A statement runs on the connection of the
session's transaction, so it commits and is undone with everything else, and what the driver
raises is what SQLAlchemy would have raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from psycopg import RawCursor
from sqlalchemy import Connection, Dialect, Executable

from app.db import driver_failed

#: A place in a row and what turns its value into, or back from, what the driver takes.
_Change = tuple[int, Callable[[Any], Any]]
#: Those that psycopg would otherwise have to look for and replace.
_PLACEHOLDERS = {"sqlite": "qmark", "postgresql": "numeric_dollar"}


class _Plan(NamedTuple):
    """A statement as one driver takes it."""

    sql: str
    order: Callable[[list[Any]], Sequence[Any]] | None
    binds: list[_Change]
    results: list[_Change]
    execute: Callable[[Any, Any, Sequence[Any]], Any]
    execute_each: Callable[[Any, Any, Sequence[Sequence[Any]]], Any]


class Prepared:
    """One statement whose parameters are given as a list, in the order of `names`; a
    dictionary holds one for each kind of database. The lists that are given are changed."""

    def __init__(
        self, statement: Executable | Mapping[str, Executable], names: Sequence[str]
    ) -> None:
        self._statement = statement
        self._names = list(names)
        self._plans: dict[str, _Plan] = {}

    def run(self, connection: Connection, values: list[Any]) -> int:
        """Run it; how many rows it wrote."""
        return int(self._execute(connection, self._plan(connection), values).rowcount)

    def run_each(self, connection: Connection, rows: Sequence[list[Any]]) -> None:
        """Run it once for each of these rows."""
        if len(rows) < 2:  # psycopg wraps many in messages of their own
            for row in rows:
                self.run(connection, row)
            return
        plan = self._plan(connection)
        changed = [_change(row, plan.binds) for row in rows]
        given = [plan.order(row) for row in changed] if plan.order else changed
        try:
            plan.execute_each(connection.connection.dbapi_connection, plan.sql, given)
        except BaseException as error:  # noqa: BLE001 - raised again
            driver_failed(connection, plan.sql, error)

    def row(self, connection: Connection, values: list[Any]) -> list[Any] | None:
        """Run it; the first row that it finds."""
        plan = self._plan(connection)
        found = self._execute(connection, plan, values).fetchone()
        return None if found is None else _change(list(found), plan.results)

    def _execute(self, connection: Connection, plan: _Plan, values: list[Any]) -> Any:
        driver = connection.connection.dbapi_connection
        given = _change(values, plan.binds)
        try:
            return plan.execute(driver, plan.sql, plan.order(given) if plan.order else given)
        except BaseException as error:  # noqa: BLE001 - raised again
            driver_failed(connection, plan.sql, error)

    def _plan(self, connection: Connection) -> _Plan:
        name = connection.dialect.name
        return self._plans.get(name) or self._plans.setdefault(name, self._made(connection))

    def _made(self, connection: Connection) -> _Plan:
        dialect, statement = connection.dialect, self._statement
        chosen: Any = statement[dialect.name] if isinstance(statement, Mapping) else statement
        compiled = chosen.compile(dialect=_plain(dialect))
        kinds = [compiled.binds[name].type.dialect_impl(dialect) for name in self._names]
        read = chosen.selected_columns if chosen.is_select else ()
        found = [column.type.dialect_impl(dialect) for column in read]
        return _Plan(
            compiled.string,
            _order(self._names, compiled.positiontup),
            _changes(kind.bind_processor(dialect) for kind in kinds),
            _changes(kind.result_processor(dialect, None) for kind in found),
            *_EXECUTE[dialect.name],
        )


def _plain(dialect: Dialect) -> Dialect:
    """The same dialect, with the placeholders of the database itself."""
    style: Any = type(dialect)
    return cast(Dialect, style(paramstyle=_PLACEHOLDERS[dialect.name]))


def _order(given: list[str], wanted: list[str]) -> Callable[[list[Any]], Sequence[Any]] | None:
    """From the order of the names to that of the placeholders, unless it is the same."""
    if given == wanted:
        return None
    return itemgetter(*(given.index(name) for name in wanted))


def _changes(processors: Iterable[Callable[[Any], Any] | None]) -> list[_Change]:
    return [(at, process) for at, process in enumerate(processors) if process is not None]


def _change(row: list[Any], changes: list[_Change]) -> list[Any]:
    for at, process in changes:
        value = row[at]
        if value is not None:
            row[at] = process(value)
    return row


class _Execute(NamedTuple):
    """How a driver runs a statement once, and once for each of some rows."""

    once: Callable[[Any, Any, Sequence[Any]], Any]
    each: Callable[[Any, Any, Sequence[Sequence[Any]]], Any]


_EXECUTE = {
    "sqlite": _Execute(
        lambda driver, sql, values: driver.execute(sql, values),
        lambda driver, sql, rows: driver.executemany(sql, rows),
    ),
    "postgresql": _Execute(
        lambda driver, sql, values: RawCursor(driver).execute(sql, values),
        lambda driver, sql, rows: RawCursor(driver).executemany(sql, rows),
    ),
}
