"""Statements that are compiled once for each kind of database and then run by its driver.

SQLAlchemy says what the SQL is and how a value is stored; what it does around each execution
costs a posting of the ledger more than its four statements do. A statement runs on the connection of the
session's transaction, so it commits and is undone with everything else, and what the driver
raises is what SQLAlchemy would have raised.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from psycopg import RawCursor
from sqlalchemy import Connection, Dialect, Executable, Select
from sqlalchemy.sql.visitors import cloned_traverse

from app.db import db, driver_failed

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


class Reading:
    """A SELECT that a page runs at every look: built once, compiled once for each kind of database
    and each length of its lists, and run by the driver in the session's transaction. What it
    finds are named tuples with the columns' keys. Whoever listens to the engine's statements hears
    these, too: then they go SQLAlchemy's own way.

    Values that stand in the statement are written into its text, and those of a parameter with
    `literal_execute` as well. Then PostgreSQL plans it once for all values: of an unknown LIMIT it
    expects a tenth of the table, finds its general plan too dear and plans at each look."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        columns = statement.selected_columns
        self._statement = statement
        row: Any = namedtuple("Row", [str(c.key) for c in columns], rename=True)  # type: ignore[misc]
        self._made: Callable[[Iterable[Any]], Any] = row._make
        self._compiled: dict[str, _Compiled] = {}

    def all(self, values: Mapping[str, Any]) -> list[Any]:
        """What it finds for these parameters. A list must not be longer than a page."""
        connection = _flushed()
        if connection.dispatch.before_cursor_execute:
            return [*map(self._made, connection.execute(self._statement, values))]
        name = connection.dialect.name
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = _Compiled(self._statement, connection.dialect)
        sql, given = known.asked(values)
        try:
            found = known.execute(connection.connection.dbapi_connection, sql, given).fetchall()
        except BaseException as error:  # noqa: BLE001 - raised again
            driver_failed(connection, sql, error)
        if changes := known.results:
            found = [_change(list(row), changes) for row in found]
        return [*map(self._made, found)]

    def first(self, values: Mapping[str, Any]) -> Any | None:
        """The first that it finds, or None."""
        found = self.all(values)
        return found[0] if found else None

    def one(self, values: Mapping[str, Any]) -> Any:
        """The one that there is."""
        (row,) = self.all(values)
        return row


def _flushed() -> Connection:
    """The connection of the session, which has told the database what it knows."""
    session = db.session()
    session.flush()
    return session.connection()


class _Text(NamedTuple):
    """The SQL for lists of some lengths. `places`: the parameter of each placeholder, its place in
    the list (None: it is none), and what changes it; `constants` stand at theirs already."""

    sql: str
    constants: list[Any]
    places: Sequence[tuple[int, str, int | None, Callable[[Any], Any] | None]]


class _Compiled:
    """A SELECT as one kind of database takes it."""

    def __init__(self, statement: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        self._compiled = cast(Select[Any], _spelt(statement)).compile(dialect=_plain(dialect))
        binds = self._compiled.binds
        self._asked = {name for name, bind in binds.items() if bind.required}
        self._lists = [name for name in self._asked if binds[name].expanding]
        self._written = [name for name in self._asked if binds[name].literal_execute]
        self._texts: dict[tuple[Any, ...], _Text] = {}
        kinds = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
        self.results = _changes(kind.result_processor(dialect, None) for kind in kinds)
        self._changes = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect)
            for name, bind in binds.items()
        }
        self.execute = _EXECUTE[dialect.name].once

    def asked(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The SQL, and what stands at its placeholders."""
        shape = (
            *(len(values[name]) for name in self._lists),
            *(values[name] for name in self._written),
        )
        text = self._texts.get(shape) or self._texts.setdefault(shape, self._text(values))
        given = text.constants.copy()
        for at, name, place, change in text.places:
            value = values[name] if place is None else values[name][place]
            given[at] = value if change is None or value is None else change(value)
        return text.sql, given

    def _text(self, values: Mapping[str, Any]) -> _Text:
        if held := {*values} & {*self._compiled.binds} - self._asked:
            raise ValueError(f"the statement holds a value of its own for {', '.join(held)}")
        state = self._compiled.construct_expanded_state(values, escape_names=False)
        owners: dict[str, tuple[str, int | None]] = {name: (name, None) for name in self._asked}
        for name in self._lists:
            for place, each in enumerate(state.parameter_expansion.get(name, ())):
                owners[each] = name, place
        order = state.positiontup or ()
        constants: list[Any] = [None] * len(order)
        places = []
        for at, each in enumerate(order):
            change = state.processors.get(each) or self._changes.get(each)
            if each in owners:
                places.append((at, *owners[each], change))
            else:
                value = state.parameters[each]
                constants[at] = value if change is None or value is None else change(value)
        return _Text(state.statement, constants, places)


def _spelt(statement: Select[*tuple[Any, ...]]) -> Any:
    """The statement with the values that it holds in its text."""

    def write(bind: Any) -> None:
        kinds = bind.value if isinstance(bind.value, list | tuple) else [bind.value]
        if not bind.required and all(isinstance(value, int | str) for value in kinds):
            bind.literal_execute = True

    return cloned_traverse(statement, {}, {"bindparam": write})


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
