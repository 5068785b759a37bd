"""What requests keep about people: who asked, who decided, who profits; by number alone."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.approvals import service
from app.approvals.models import ApprovalRequest
from app.personal_data import PERSON, Subject, holds, rows


def _erase(session: Session, subject: Subject) -> None:
    service.forget(session, subject.id)


def declare() -> None:
    """Say it."""
    holds(
        "approvals.requests", ApprovalRequest,
        title=_l("What waited for a second person"),
        purpose=_l("so that no single person moves money, points or roles"),
        basis="interest", source="use", recipients=("administrators", "hr"),
        exports={
            PERSON: rows(
                ApprovalRequest, ApprovalRequest.requested_by, ApprovalRequest.decided_by,
                ApprovalRequest.subject_id, hides=("id", "key", "payload"),
                order=ApprovalRequest.requested_at,
            )
        },
        erasures={PERSON: _erase},
        stays=_l("Who asked and who decided stays by number, without a name, for a year."),
    )  # fmt: skip
