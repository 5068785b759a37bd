"""A network that fails between pressing and answer: the press again makes nothing more.

A form that makes something carries a key of its own (`press_key()` in its template), which stays
with it when it comes back, after an error or after an ended session. The key and the person who
presses name what is made, so nobody's key reaches what somebody else made, and a key can be any
text. The table's primary key decides between two presses at the same moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, flash, has_request_context, request
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from app.db import Model, db, new_id, read_id, transaction
from app.errors import DomainError

FIELD = "key"
LONGEST = 64
_KEYS = uuid.UUID("0198a4b6-8c1e-7b35-a0d2-6e4b9d7f3c58")

Made = TypeVar("Made", bound=Model)


def press_key() -> str:
    """The key for a form: the one that it came with, else a fresh one."""
    return _typed() or str(new_id())


def _typed() -> str:
    return request.form.get(FIELD, "")[:LONGEST] if has_request_context() else ""


def id_for(what: type[Model], actor_id: uuid.UUID) -> uuid.UUID:
    """The identifier of what this request's form makes for this person; a fresh one where the
    form has no key."""
    key = _typed()
    if not key:
        return new_id()
    named = uuid.uuid5(_KEYS, f"{what.__tablename__}:{actor_id}:{key}")
    given_out = read_id(key)
    if given_out is None or given_out.version != 7:
        return named
    return _in_order(named, given_out)


def _in_order(named: uuid.UUID, given_out: uuid.UUID) -> uuid.UUID:
    """As a UUIDv7 of the moment when the key was given out: lists stand in the order of these."""
    random = named.int & ((1 << 76) - 1)
    return uuid.UUID(int=given_out.int >> 80 << 80 | 7 << 76 | random)


def came_before(what: type[Model], id_: uuid.UUID) -> bool:
    """Whether a press before this one made it; then its reader is told so."""
    if db.session.get(what, id_) is None:
        return False
    flash(_("Your first press was heard: this was kept once, and nothing was added."), "ok")
    return True


def once(what: type[Made], id_: uuid.UUID | None, make: Callable[[uuid.UUID], Made]) -> Made:
    """What `make` makes under this identifier, or what a press before made under it. Without an
    identifier it is always made. Raises what `make` raises; then nothing was made."""
    with transaction() as session:
        if id_ is None:
            return make(new_id())
        if (known := session.get(what, id_)) is not None:
            return known
        try:
            with session.begin_nested():
                return make(id_)
        except (IntegrityError, DomainError):
            # The same press at the same moment: the other one made it, and what must be unique
            # in it may have been seen as taken.
            if (other := session.get(what, id_)) is None:
                raise
            return other


def start(app: Flask) -> None:
    """Let templates give out keys."""
    app.jinja_env.globals["press_key"] = press_key
