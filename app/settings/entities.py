"""The entities of the organisation: companies and sites that share what the others have."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, clock
from app.db import db, transaction
from app.errors import InvalidInput, NotFound, Sentence
from app.settings.models import Entity

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def entities(*, archived: bool = False) -> list[Entity]:
    """Those in use by name, or all of them."""
    wanted = select(Entity).order_by(Entity.name, Entity.id)
    return list(
        db.session.scalars(wanted if archived else wanted.where(Entity.archived_at.is_(None)))
    )


def entity(entity_id: uuid.UUID) -> Entity:
    """One of them. Raises `NotFound`."""
    found = db.session.get(Entity, entity_id)
    if found is None:
        raise NotFound(_l("There is no such entity."))
    return found


def _checked(code: str, name: str) -> tuple[str, str]:
    faults: dict[str, Sentence] = {}
    if not _CODE.fullmatch(code.strip()):
        faults["code"] = _l("Letters, figures, dots and dashes, at most 40.")
    if not name.strip() or len(name.strip()) > 120:
        faults["name"] = _l("Give a name of at most 120 characters.")
    if faults:
        raise InvalidInput(_l("Please check the form."), faults)
    return code.strip(), name.strip()


def make(code: str, name: str, *, actor_id: uuid.UUID | None) -> Entity:
    """A new one. Raises `InvalidInput` by field."""
    code, name = _checked(code, name)
    try:
        with transaction() as session:
            row = Entity(code=code, name=name)
            session.add(row)
            session.flush()
            audit.record("entity.made", "entity", row.id, actor_id=actor_id)
    except IntegrityError as error:
        raise _taken() from error
    return row


def names(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """What these entities are called, in one read; none where there is nothing to name."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(Entity.id, Entity.name).where(Entity.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def change(
    entity_id: uuid.UUID,
    code: str,
    name: str,
    *,
    keeps_offers: bool | None = None,
    actor_id: uuid.UUID | None,
) -> None:
    """Another code or name, and whether its offers are for its own people only (None: as it
    was). Raises `InvalidInput` by field, `NotFound`."""
    code, name = _checked(code, name)
    try:
        with transaction():
            row = entity(entity_id)
            row.code, row.name = code, name
            if keeps_offers is not None:
                row.keeps_offers = keeps_offers
            audit.record("entity.changed", "entity", entity_id, actor_id=actor_id)
    except IntegrityError as error:
        raise _taken() from error


def archive(entity_id: uuid.UUID, is_archived: bool, *, actor_id: uuid.UUID | None) -> None:
    """Take it out of use or back into it; who belongs to it stays. Raises `NotFound`."""
    with transaction():
        row = entity(entity_id)
        row.archived_at = clock.now() if is_archived else None
        act = "entity.archived" if is_archived else "entity.changed"
        audit.record(act, "entity", entity_id, actor_id=actor_id)


def _taken() -> InvalidInput:
    sentence = _l("Another entity has this code already.")
    return InvalidInput(_l("Please check the form."), {"code": sentence})
