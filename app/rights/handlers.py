"""What is left to do once somebody was erased, tried again until it is done."""

from __future__ import annotations

from app import outbox
from app.db import db
from app.rights.erasing import forget_copies, sweep


@outbox.on("person.erased", "erasure.sweep_person", outside=True)
def on_person_erased(person_id: str) -> None:
    """The journal."""
    db.session.remove()
    sweep()


@outbox.on("candidate.erased", "erasure.sweep_candidate", outside=True)
def on_candidate_erased(candidate_id: str) -> None:
    """The same."""
    db.session.remove()
    sweep()


@outbox.on("periodic.house.forget", "erasure.forget_copies")
def on_night() -> None:
    """What a restore put aside."""
    forget_copies()
