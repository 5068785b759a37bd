"""`Idempotency-Key`: the same POST twice is one change and the same answer.

The key, the change and the answer are stored in one transaction, so a caller who lost the
answer may ask again at any moment. A refused POST changed nothing and is not kept.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Callable
from typing import ParamSpec

from flask import Response, make_response, request
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError, PendingRollbackError

from app import clock, retention
from app.api.models import IdempotencyKey
from app.db import db, transaction
from app.errors import DomainError, InvalidInput
from app.web import access

P = ParamSpec("P")
MAX_KEY = 255


class KeyReused(DomainError):
    """The key was used for another request."""

    status = 422
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__(_l("This Idempotency-Key was used for another request."))


def idempotent(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let a POST honour `Idempotency-Key`."""

    @functools.wraps(view)
    def honoured(*args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*args, **kwargs)
        if not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput(_l("The Idempotency-Key has 1 to %(max)d characters.", max=MAX_KEY))
        try:
            return _once(key, lambda: view(*args, **kwargs))
        except (IntegrityError, PendingRollbackError):
            return _once(key, lambda: view(*args, **kwargs))  # the other copy won: its answer

    return honoured


def _caller() -> str:
    who = access.reader()
    text = str(who.person_id) if who else f"public:{request.path}"
    return hashlib.sha256(text.encode()).hexdigest()


def _asked() -> str:
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    digest.update(request.get_data(cache=True))
    return digest.hexdigest()


def _once(key: str, act: Callable[[], Response]) -> Response:
    caller, asked = _caller(), _asked()
    with transaction() as session:
        kept = session.get(IdempotencyKey, (caller, key))
        if kept is not None and kept.created_at > clock.now() - _kept_for():
            if kept.asked != asked:
                raise KeyReused
            return _again(kept)
        if kept is not None:
            session.delete(kept)
            session.flush()
        row = IdempotencyKey(caller=caller, key=key, asked=asked, status=0, body="")
        session.add(row)
        session.flush()
        response = make_response(act())
        row = session.get_one(IdempotencyKey, (caller, key))
        row.status, row.body = response.status_code, response.get_data(as_text=True)
        db.session.flush()
        return response


def _kept_for() -> dt.timedelta:
    return retention.IDEMPOTENCY.after or dt.timedelta(days=2)


def _again(kept: IdempotencyKey) -> Response:
    response = make_response(kept.body, kept.status)
    response.content_type = "application/json"
    response.headers["Idempotent-Replay"] = "true"
    return response
