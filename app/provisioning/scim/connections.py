"""Connections and their tokens: made, changed and removed by administrators."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import uuid

from flask_babel import lazy_gettext as _l
from sqlalchemy import Update, delete, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app import audit, clock
from app.crypto import token_hash
from app.db import db, new_id, transaction
from app.errors import NotFound, Sentence
from app.people.errors import check_form
from app.people.text import one_line
from app.provisioning.scim import group_roles
from app.provisioning.scim.models import (
    KINDS,
    ScimConnection,
    ScimCount,
    ScimGroup,
    ScimToken,
    ScimUser,
)
from app.web.pressing import once

log = logging.getLogger(__name__)

PREFIX = "pvs_"
TOUCH_EVERY = dt.timedelta(minutes=5)
DEFAULT_NAME = "SCIM"


def new_token() -> str:
    """256 random bits behind a prefix that a scanner of leaked secrets recognises."""
    return PREFIX + secrets.token_urlsafe(32)


def create(
    name: str, kind: str, *, actor_id: uuid.UUID | None, id_: uuid.UUID | None = None
) -> tuple[uuid.UUID, str]:
    """Make a connection; its token is returned this once. What was made under `id_` before is
    the answer, without a token (""). Raises `InvalidInput` by field."""
    name = one_line(name)
    errors: dict[str, Sentence] = {}
    if not name or len(name) > 120:
        errors["name"] = _l("Give the connection a name of at most 120 characters.")
    if kind not in KINDS:
        errors["kind"] = _l("Choose one of: %(choices)s.", choices=", ".join(KINDS))
    if errors:
        raise check_form(errors)
    plain = ""

    def make(made: uuid.UUID) -> ScimConnection:
        nonlocal plain
        session = db.session()
        row = ScimConnection(id=made, name=name, kind=kind, created_by=actor_id)
        session.add(row)
        session.flush()
        plain = _add_token(session, row.id)
        audit.record("scim.connection_made", "scim_connection", row.id, actor_id=actor_id)
        return row

    return once(ScimConnection, id_, make).id, plain


def _add_token(session: Session, connection_id: uuid.UUID) -> str:
    plain = new_token()
    session.add(ScimToken(connection_id=connection_id, token_hash=token_hash(plain)))
    session.flush()
    return plain


def _load(session: Session, connection_id: uuid.UUID) -> ScimConnection:
    found = select(ScimConnection).where(ScimConnection.id == connection_id).with_for_update()
    row = session.scalar(found)
    if row is None:
        raise NotFound(_l("There is no such connection."))
    return row


def _tokens(session: Session, connection_id: uuid.UUID) -> list[uuid.UUID]:
    newest = (ScimToken.created_at.desc(), ScimToken.id.desc())
    return [
        *session.scalars(
            select(ScimToken.id).where(ScimToken.connection_id == connection_id).order_by(*newest)
        )
    ]


def rotate(connection_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> str:
    """A new token; the one before it works on, older ones end. Raises `NotFound`."""
    with transaction() as session:
        _load(session, connection_id)
        plain = _add_token(session, connection_id)
        _end(session, _tokens(session, connection_id)[2:])
        audit.record("scim.token_made", "scim_connection", connection_id, actor_id=actor_id)
    return plain


def _end(session: Session, token_ids: list[uuid.UUID]) -> None:
    session.execute(delete(ScimToken).where(ScimToken.id.in_(token_ids)))


def retire(connection_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> None:
    """Only the newest token works from now on. Raises `NotFound`."""
    with transaction() as session:
        _load(session, connection_id)
        older = _tokens(session, connection_id)[1:]
        _end(session, older)
        if older:
            audit.record("scim.token_ended", "scim_connection", connection_id, actor_id=actor_id)


def remove(connection_id: uuid.UUID, *, actor_id: uuid.UUID | None) -> None:
    """Nothing is written through it any more. People stay in the directory as they are, its
    groups stay as lists. Raises `NotFound`."""
    with transaction() as session:
        row = _load(session, connection_id)
        group_roles.forget_connection(session, connection_id)
        for table in (ScimToken, ScimCount, ScimUser, ScimGroup):
            session.execute(delete(table).where(table.connection_id == connection_id))
        session.delete(row)
        audit.record("scim.connection_removed", "scim_connection", connection_id, actor_id=actor_id)


def default_connection() -> uuid.UUID:
    """The one that the product's own tokens use, made when it is first needed."""
    wanted = select(ScimConnection.id).where(ScimConnection.is_default)
    found = db.session.scalar(wanted)
    if found is not None:
        return found
    try:
        with transaction() as session:
            row = ScimConnection(id=new_id(), name=DEFAULT_NAME, kind="other", is_default=True)
            session.add(row)
            audit.record("scim.connection_made", "scim_connection", row.id)
        return row.id
    except IntegrityError:  # somebody else made it at the same moment
        return db.session.execute(wanted).scalar_one()


def connection_of(token: str) -> uuid.UUID | None:
    """Whose token this is, or None. Notes the use, at most every five minutes."""
    row = db.session.execute(
        select(ScimToken.id, ScimToken.connection_id, ScimToken.used_at).where(
            ScimToken.token_hash == token_hash(token)
        )
    ).one_or_none()
    if row is None:
        return None
    now = clock.now()
    if row.used_at is None or now - row.used_at >= TOUCH_EVERY:
        _touch(row.id, row.connection_id, now)
    found: uuid.UUID = row.connection_id
    return found


def _touch(token_id: uuid.UUID, connection_id: uuid.UUID, now: dt.datetime) -> None:
    """A busy database is no reason to refuse a call."""
    try:
        with transaction() as session:
            session.execute(update(ScimToken).where(ScimToken.id == token_id).values(used_at=now))
            session.execute(_used(connection_id, now))
    except OperationalError:
        log.warning("the use of a SCIM token could not be noted")


def _used(connection_id: uuid.UUID, now: dt.datetime) -> Update:
    return update(ScimConnection).where(ScimConnection.id == connection_id).values(used_at=now)


def note_use(connection_id: uuid.UUID) -> None:
    """Note that the connection is used now, at most every five minutes."""
    now = clock.now()
    used_at = db.session.scalar(
        select(ScimConnection.used_at).where(ScimConnection.id == connection_id)
    )
    if used_at is not None and now - used_at < TOUCH_EVERY:
        return
    try:
        with transaction() as session:
            session.execute(_used(connection_id, now))
    except OperationalError:
        log.warning("the use of a SCIM connection could not be noted")
