"""The database: one session, one way to write, the same rules on SQLite and PostgreSQL.

Reading needs no ceremony. Writing happens inside `transaction()`, once per use case: the
outermost block commits, inner ones join it, an exception undoes everything. A fact that
others must hear about is recorded in the same transaction (`app.outbox`).

SQLite: WAL, foreign keys on, `synchronous=FULL` (what was promised is on disk), `secure_delete`
(what was deleted is overwritten, not only let go of), and a write transaction begins with
BEGIN IMMEDIATE, so that a read never turns into a write half-way and fails; a read begins with
a plain BEGIN, so that readers never wait for a writer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Text,
    TypeDecorator,
    Uuid,
    event,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.pool import ConnectionPoolEntry
from uuid_utils.compat import uuid7

from app import clock, crypto
from app.config import Settings
from app.retention import Retention

__all__ = [
    "Base", "Encrypted", "JSONDict", "Model", "UTCDateTime", "connect_args", "db", "driver_failed",
    "in_transaction", "new_id", "primary_key", "transaction", "utc_column",
]  # fmt: skip

JSONDict = dict[str, Any]
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def new_id() -> uuid.UUID:
    """A fresh UUIDv7: random enough not to be guessed, ordered enough for an index."""
    return uuid7()


def read_id(text: str | None) -> uuid.UUID | None:
    """An identifier out of an address, a form or a file; None for any other text."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An instant in UTC. Refuses naive values; SQLite, which forgets zones, gets them back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[dt.datetime]:
        return dt.datetime

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone cannot be stored")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Encrypted(TypeDecorator[str]):
    """A secret at rest: written with the newest key, read with any."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.decrypt(value)


class Base(DeclarativeBase):
    """Root of every table. `__retention__` is required; a test walks the models for it."""

    __retention__: ClassVar[Retention]

    # The registry is given whole, because Flask-SQLAlchemy makes its own base from this one.
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(column_0_N_label)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            dt.datetime: UTCDateTime,
            uuid.UUID: Uuid,
            JSONDict: JSON,
            list[Any]: JSON,
            list[str]: JSON,
            list[int]: JSON,
        },
    )


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False, "autoflush": True},
)

if TYPE_CHECKING:

    class Model(Base):
        """What features inherit from."""

        __abstract__ = True

else:
    Model = db.Model


def primary_key() -> Mapped[uuid.UUID]:
    """The usual identifier column."""
    return mapped_column(Uuid, primary_key=True, default=new_id)


def utc_column(*, index: bool = False) -> Mapped[dt.datetime]:
    """An instant that is set by the product's clock when the row is made."""
    return mapped_column(UTCDateTime, default=clock.now, index=index)


def connect_args(url: str) -> dict[str, object]:
    """Driver arguments for one database address."""
    if url.startswith("sqlite"):
        # SQLAlchemy begins transactions itself (see `_on_begin`), the driver must not.
        return {"isolation_level": None, "timeout": 15}
    return {"connect_timeout": 5, "application_name": "portevoix"}


@event.listens_for(Engine, "connect")
def _on_connect(dbapi: Any, record: ConnectionPoolEntry) -> None:
    if type(dbapi).__module__.startswith("sqlite3"):
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "synchronous=FULL",
            "secure_delete=ON",
        ):
            dbapi.execute(f"PRAGMA {pragma}")


class _KeepsPrepared(psycopg.Connection[Any]):
    """psycopg forgets all that it prepared at each rollback, and each of our reads ends with
    one. It does so for tables made and undone in the same transaction, which only migrations
    do, in processes of their own. After an error its own way is taken."""

    def rollback(self) -> None:
        if self.pgconn.transaction_status == TransactionStatus.INTRANS:
            with self.lock:
                if self.pgconn.exec_(b"ROLLBACK").status == ExecStatus.COMMAND_OK:
                    return
        super().rollback()


@event.listens_for(Engine, "do_connect")
def _on_do_connect(
    dialect: Dialect, record: ConnectionPoolEntry, args: list[Any], given: dict[str, Any]
) -> Any:
    if dialect.name == "postgresql":
        return _KeepsPrepared.connect(*args, **given)
    return None


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("writes", False)
        statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.execute(statement)
        except BaseException as error:  # noqa: BLE001 - raised again
            driver_failed(connection, statement, error)


def driver_failed(connection: Connection, statement: str, error: BaseException) -> NoReturn:
    """Raise what SQLAlchemy raises where the driver failed. A connection that is lost, or that
    was left in the middle of a statement, is given up."""
    dialect, driver = connection.dialect, connection.connection.dbapi_connection
    if not isinstance(error, Exception):
        connection.invalidate(error)
    if not isinstance(error, dialect.loaded_dbapi.Error):
        raise error
    is_lost = dialect.is_disconnect(error, driver, None)
    raised = DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error,
        connection_invalidated=is_lost, dialect=dialect,
    )  # fmt: skip
    if is_lost:
        connection.invalidate(error)
    raise raised from error


def in_transaction() -> bool:
    """True inside a `transaction()` of this session."""
    return bool(db.session().info.get("depth"))


@contextmanager
def transaction() -> Iterator[Session]:
    """One use case, all or nothing. The outermost block commits.

    What was read before the block is read again inside it, because reading may have begun
    on an older snapshot: services load (and where it matters lock) their rows here.
    """
    session = db.session()
    if session.info.get("depth"):
        yield session
        return
    if session.in_transaction():
        session.rollback()
    session.expire_all()
    session.connection(execution_options={"writes": True})
    session.info["depth"] = 1
    session.info["after_commit"], session.info["before_commit"] = [], []
    try:
        yield session
        _finish(session)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["depth"] = 0
        session.info.pop("before_commit", None)
        callbacks = session.info.pop("after_commit", [])
    for callback in callbacks:
        callback()


def _finish(session: Session) -> None:
    last = session.info["before_commit"]
    if last:
        session.flush()
    for callback in last:
        callback()


def before_commit(callback: Any) -> None:
    """Do something last in the outermost transaction, once: for a row that many of them lock,
    which is then held for a moment only and never while another lock is waited for."""
    callbacks: list[Any] = db.session().info["before_commit"]
    if callback not in callbacks:
        callbacks.append(callback)


@dataclass(slots=True)
class _Gathered:
    """What one transaction has for one callback."""

    callback: Callable[[list[Any]], None]
    items: list[Any] = field(compare=False)

    def __call__(self) -> None:
        self.callback(self.items)


def gather(callback: Callable[[list[Any]], None], item: object) -> None:
    """Call something last in the outermost transaction, once, with everything that was gathered
    for it: for what is looked through from end to end, however many wish it."""
    gathered = _Gathered(callback, [item])
    for known in db.session().info["before_commit"]:
        if known == gathered:
            known.items.append(item)
            return
    before_commit(gathered)


def after_commit(callback: Any) -> None:
    """Call something cheap once the outermost transaction has committed; never on rollback."""
    callbacks: list[Any] = db.session().info["after_commit"]
    if callback not in callbacks:
        callbacks.append(callback)


def start(app: Flask, settings: Settings) -> None:
    """Bind the database of `settings` to `app`; no connection is opened yet."""
    url = settings.database_url
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    options: dict[str, object] = {"connect_args": connect_args(url)}
    if not settings.is_sqlite:
        options |= {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 10, "pool_timeout": 10}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
