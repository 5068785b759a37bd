"""Connections to applicant tracking systems: their address for us, and the secrets we share.

Secrets and keys are write only: they are stored encrypted and no page, answer or log ever
shows them again. A connection's webhook address is unguessable and never changes; a deleted
connection stays as a row, because offers and referrals were born from it.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets as random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app import audit, clock, crypto
from app.db import JSONDict, db, transaction
from app.errors import InvalidInput, NotFound, Sentence
from app.integrations.registry import CONNECTORS
from app.integrations.text import clean_text, safe_url
from app.people import audiences
from app.people.audiences import KEPT
from app.referrals.models import Connection
from app.settings.models import Entity
from app.web import current_settings
from app.web.pressing import once

CSV: Final = "csv"
KINDS: Final = tuple(dict.fromkeys((*CONNECTORS, CSV)))
"""What offers can be imported from: every tracking system we know, and a plain file."""
SENDERS: Final = tuple(kind for kind in KINDS if kind != CSV)
"""The kinds that send us signed events."""

_NAMES: Final = {"greenhouse": "Greenhouse", "csv": "CSV"}
_SECRET_MIN, _SECRET_MAX, _SECRETS_KEPT = 8, 500, 2
_SETTINGS_LIMIT: Final = 20_000


class UnknownConnection(NotFound):
    """No such connection, or it was deleted."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such connection."))


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as pages and answers may show it: without anything secret."""

    id: uuid.UUID
    public_id: str
    kind: str
    name: str
    api_url: str | None
    settings: JSONDict
    has_secret: bool
    has_api_key: bool
    entity_id: uuid.UUID | None
    created_at: dt.datetime
    synced_at: dt.datetime | None
    heard_at: dt.datetime | None

    @property
    def kind_name(self) -> str:
        return kind_name(self.kind)

    @property
    def webhook_url(self) -> str:
        return webhook_url(self)

    @property
    def hears(self) -> bool:
        """Whether this kind sends events at all."""
        return self.kind in SENDERS


def kind_name(kind: str) -> str:
    """A kind as its vendor writes it."""
    return _NAMES.get(kind, kind.capitalize())


def webhook_url(connection: Connection | ConnectionRow) -> str:
    """The full address this connection's events are sent to."""
    return f"{current_settings().base_url}/webhooks/ats/{connection.public_id}"


def secrets_of(connection: Connection) -> list[str]:
    """The shared secrets, newest first. Raises `crypto.CannotDecrypt` without the right key."""
    found: list[str] = json.loads(connection.secrets_json)
    return found


# --- what a field may hold ---------------------------------------------------------------


def _check_name(name: object, errors: dict[str, Sentence]) -> str:
    value = clean_text(name, 1_000) if isinstance(name, str) else ""
    if not value:
        errors["name"] = _l("Give the connection a name.")
    elif len(value) > 120:
        errors["name"] = _l("%(max)d characters at most; you wrote %(n)d.", max=120, n=len(value))
    return value


def _is_secret(value: str) -> bool:
    return _SECRET_MIN <= len(value) <= _SECRET_MAX and value.isprintable()


def _check_secrets(given: object, errors: dict[str, Sentence]) -> list[str]:
    values = given if isinstance(given, list | tuple) else [None]
    kept = [value.strip() for value in values if isinstance(value, str)]
    if len(kept) != len(values) or len(kept) > 5:
        errors["secrets"] = _l("Give a list of at most five secrets, newest first.")
    elif not all(_is_secret(value) for value in kept):
        errors["secrets"] = _l("A secret has 8 to 500 characters, on one line.")
    return kept


def _is_private_enough(url: str) -> bool:
    """A key must not travel in clear; only on this very machine may it."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


def _check_api_url(given: object, errors: dict[str, Sentence]) -> str | None:
    if given is None or given == "":
        return None
    url = safe_url(given) if isinstance(given, str) else None
    if url is None or len(url) > 500 or not _is_private_enough(url):
        errors["api_url"] = _l("Give a full address that starts with https://.")
    return url


def _check_api_key(given: object, errors: dict[str, Sentence]) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > _SECRET_MAX or not given.isprintable():
        errors["api_key"] = _l("A key has at most 500 characters, on one line.")
        return None
    return given.strip()


def _is_settings(given: object) -> TypeGuard[JSONDict]:
    """A JSON object of bearable size with texts as its keys."""
    try:
        fits = len(json.dumps(given, allow_nan=False)) <= _SETTINGS_LIMIT
    except (TypeError, ValueError, RecursionError):
        return False
    return fits and isinstance(given, dict) and all(isinstance(key, str) for key in given)


def _check_settings(given: object, errors: dict[str, Sentence]) -> JSONDict:
    if given is None:
        return {}
    if not _is_settings(given):
        errors["settings"] = _l("Give the settings as one object, at most 20 kB.")
        return {}
    return given


def _check_entity(given: object, errors: dict[str, Sentence]) -> uuid.UUID | None:
    """The entity of a code; an archived one brings no more offers."""
    code = given.strip() if isinstance(given, str) else ""
    if not code:
        return None
    query = select(Entity.id).where(Entity.code == code, Entity.archived_at.is_(None))
    found = db.session.scalar(query)
    if found is None:
        errors["entity"] = _l("Choose one of the entities.")
    return found


def _raise(errors: dict[str, Sentence]) -> None:
    if errors:
        raise InvalidInput(_l("Something in the form needs another look."), errors)


# --- use cases ---------------------------------------------------------------------------


def create_connection(
    *,
    kind: str,
    name: str,
    actor_id: uuid.UUID | None,
    secrets: Sequence[str] = (),
    api_url: str | None = None,
    api_key: str | None = None,
    settings: Mapping[str, object] | None = None,
    id_: uuid.UUID | None = None,
) -> Connection:
    """A new connection with an unguessable address; what was made under `id_` before is the
    answer. Raises `InvalidInput` by field."""
    errors: dict[str, Sentence] = {}
    if kind not in KINDS:
        errors["kind"] = _l("Choose one of: %(choices)s.", choices=", ".join(KINDS))
    row = Connection(
        public_id=random.token_urlsafe(24),
        kind=kind,
        name=_check_name(name, errors),
        secrets_json=json.dumps(_check_secrets(list(secrets), errors)),
        api_url=_check_api_url(api_url, errors),
        api_key=_check_api_key(api_key, errors),
        settings=_check_settings(settings, errors),
    )
    _raise(errors)
    return once(Connection, id_, lambda made: _add(made, row, actor_id))


def _add(id_: uuid.UUID, row: Connection, actor_id: uuid.UUID | None) -> Connection:
    with transaction() as session:
        row.id = id_
        session.add(row)
        session.flush()
        audit.record("connection.created", "connection", row.id, actor_id=actor_id, kind=row.kind)
    return row


def load(connection_id: uuid.UUID) -> Connection:
    """One live connection, locked for the rest of the transaction. Raises `UnknownConnection`."""
    row = db.session.get(Connection, connection_id, with_for_update=True, populate_existing=True)
    if row is None or row.deleted_at is not None:
        raise UnknownConnection
    return row


def update_connection(
    connection_id: uuid.UUID, fields: Mapping[str, object], actor_id: uuid.UUID | None
) -> Connection:
    """Change `name`, `api_url`, `api_key` ('' removes it), `settings` or `secrets`, where given;
    and, for the offers that it will bring, their `entity` (a code) and the segments that keep
    them (`kept`, identifiers).

    Raises `InvalidInput` by field, `UnknownConnection`.
    """
    errors: dict[str, Sentence] = {}
    values: dict[str, object] = {}
    if "name" in fields:
        values["name"] = _check_name(fields["name"], errors)
    if "api_url" in fields:
        values["api_url"] = _check_api_url(fields["api_url"], errors)
    if fields.get("api_key") is not None:
        values["api_key"] = _check_api_key(fields["api_key"], errors)
    if "settings" in fields:
        values["settings"] = _check_settings(fields["settings"], errors)
    if "secrets" in fields:
        values["secrets_json"] = json.dumps(_check_secrets(fields["secrets"], errors))
    if "entity" in fields:
        values["entity_id"] = _check_entity(fields["entity"], errors)
    _raise(errors)
    with transaction() as session:
        row = load(connection_id)
        for column, value in values.items():
            setattr(row, column, value)
        if (kept := _kept(row.id, fields)) is not None:
            audiences.assign(session, row.id, KEPT, kept)
            values["kept"] = kept
        audit.record(
            "connection.updated", "connection", row.id, actor_id=actor_id, fields=",".join(values)
        )
    return row


def _kept(connection_id: uuid.UUID, fields: Mapping[str, object]) -> list[uuid.UUID] | None:
    given = fields.get("kept")
    if not isinstance(given, list):
        return None
    before = [
        each for each, _name in audiences.assigned([connection_id], KEPT).get(connection_id, [])
    ]
    return audiences.chosen([str(each) for each in given], field="kept", before=before)


def proposed_secret() -> str:
    """A fresh secret to copy into the tracking system before it is saved here."""
    return random.token_urlsafe(32)


def rotate_secret(connection_id: uuid.UUID, secret: str, actor_id: uuid.UUID | None) -> Connection:
    """Put a new secret before the one in use, which goes on being accepted; older ones go.

    The same secret again changes nothing. Raises `InvalidInput` by field, `UnknownConnection`.
    """
    errors: dict[str, Sentence] = {}
    [new] = _check_secrets([secret], errors)
    _raise(errors)
    with transaction():
        row = load(connection_id)
        others = [old for old in secrets_of(row) if old != new]
        row.secrets_json = json.dumps([new, *others][:_SECRETS_KEPT])
        audit.record("connection.secret_rotated", "connection", row.id, actor_id=actor_id)
    return row


def delete_connection(connection_id: uuid.UUID, actor_id: uuid.UUID | None) -> None:
    """Stop listening and forget the secrets; offers and referrals stay. Twice is once."""
    with transaction() as session:
        row = session.get(Connection, connection_id, with_for_update=True)
        if row is None:
            raise UnknownConnection
        if row.deleted_at is None:
            row.deleted_at, row.secrets_json, row.api_key = clock.now(), "[]", None
            audiences.forget(session, row.id)
            audit.record("connection.deleted", "connection", row.id, actor_id=actor_id)


# --- reads -------------------------------------------------------------------------------


def _live(kind: str | None = None) -> list[Connection]:
    query = select(Connection).where(Connection.deleted_at.is_(None))
    if kind is not None:
        query = query.where(Connection.kind == kind)
    return list(db.session.scalars(query.order_by(Connection.created_at, Connection.id)))


def default_connection(kind: str) -> Connection:
    """What a kind alone stands for: its oldest live connection, made here when there is none.

    The address of one made here follows from the installation's key and the number of those
    deleted before, so that two processes asking at once make the same one.
    """
    with transaction() as session:
        found = _live(kind)
        if found:
            return found[0]
        deleted = session.scalar(
            select(func.count())
            .select_from(Connection)
            .where(Connection.kind == kind, Connection.deleted_at.is_not(None))
        )
        public_id = crypto.fingerprint(f"{kind}:{deleted}", "default-connection")
        row = Connection(
            public_id=public_id, kind=kind, name=kind_name(kind), secrets_json="[]", settings={}
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            made = select(Connection).where(Connection.public_id == public_id)
            return session.scalars(made).one()
        audit.record("connection.created", "connection", row.id, kind=kind)
        return row


def resolve(kind_or_connection: str) -> Connection:
    """The connection somebody means: a kind, or an id, public id or exact name of one.

    Raises `UnknownConnection`.
    """
    wanted = kind_or_connection.strip()
    if wanted.lower() in KINDS:
        return default_connection(wanted.lower())
    for row in _live():
        if wanted in (str(row.id), row.public_id, row.name):
            return row
    raise UnknownConnection


def _row(connection: Connection) -> ConnectionRow:
    return ConnectionRow(
        id=connection.id,
        public_id=connection.public_id,
        kind=connection.kind,
        name=connection.name,
        api_url=connection.api_url,
        settings=connection.settings,
        has_secret=_has_secret(connection),
        has_api_key=bool(connection.api_key),
        entity_id=connection.entity_id,
        created_at=connection.created_at,
        synced_at=connection.synced_at,
        heard_at=connection.heard_at,
    )


def _has_secret(connection: Connection) -> bool:
    return bool(secrets_of(connection))


def list_connections() -> list[ConnectionRow]:
    """The live connections, oldest first."""
    return [_row(connection) for connection in _live()]


def get_connection(connection_id: uuid.UUID) -> ConnectionRow:
    """One live connection. Raises `UnknownConnection`."""
    found = db.session.get(Connection, connection_id)
    if found is None or found.deleted_at is not None:
        raise UnknownConnection
    return _row(found)
