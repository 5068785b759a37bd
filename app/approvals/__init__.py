"""The two-person rule: what moves money, points or roles waits for a second person.

It knows no feature: each registers its kinds of act (`kinds.register`) and submits them
(`service.submit`). When a second person is asked for is the organisation's choice (`rule`).
"""

from flask import Flask

from app.approvals.kinds import Kind, Payload, know_people, register
from app.approvals.rule import Policy, policy
from app.approvals.service import DONE, Submitted, rehearse, submit

__all__ = [
    "DONE", "Kind", "Payload", "Policy", "Submitted", "know_people", "policy", "register", "rehearse", "start",
    "submit",
]  # fmt: skip


def start(app: Flask) -> None:
    """Register what happens by the clock, and what is declared."""
    from app.approvals import handlers, models, personal, rule  # noqa: F401

    rule.start()
    personal.declare()
