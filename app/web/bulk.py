"""One act on several rows of a list: each in its own transaction, each with its outcome.

A row that cannot be treated keeps none of the others waiting. What can be taken back is taken
back the same way. `web/outcomes.html` tells what became of each.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from flask import request

from app.db import read_id
from app.errors import DomainError, InvalidInput, Sentence

MOST: Final = 200
WAITS: Final = "waits"
"""What an act answers that somebody else has to decide about first."""

Code = Literal["done", "same", "waits", "refused"]
Before = TypeVar("Before")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Before]):
    """What became of one row: 'done', 'same' (it was so already), 'waits' (for a second person)
    or 'refused', with why. `before` is what the act replaced, so that it can be put back."""

    id: uuid.UUID
    code: Code
    sentences: tuple[Sentence, ...] = ()
    before: Before | None = None


# An act on one row: what it replaced, or None when there was nothing to do.
Act = Callable[[uuid.UUID], Before | Literal["waits"] | None]


def each(ids: Iterable[uuid.UUID], act: Act[Before]) -> list[Outcome[Before]]:
    """The act on each, in order; at most `MOST`."""
    return [_one(row_id, act) for row_id in list(dict.fromkeys(ids))[:MOST]]


def _one(row_id: uuid.UUID, act: Act[Before]) -> Outcome[Before]:
    try:
        before = act(row_id)
    except InvalidInput as error:
        told = tuple(sentence for each in error.errors.values() for sentence in each)
        return Outcome(row_id, "refused", told or (error.sentence,))
    except DomainError as error:
        return Outcome(row_id, "refused", (error.sentence,))
    if before == WAITS:
        return Outcome(row_id, "waits")
    return Outcome(row_id, "same" if before is None else "done", before=before)


def chosen(name: str) -> list[uuid.UUID]:
    """The rows that the form names under `name`; what is no id is left out."""
    found = [read_id(text) for text in request.form.getlist(name)[:MOST]]
    return [each for each in found if each is not None]
