"""What will be forgotten, shown before it is: for administrators and auditors (feature F129)."""

from __future__ import annotations

from flask import Blueprint, Response

from app.privacy import purge
from app.web import access, render

blueprint = Blueprint("privacy_retention", __name__)

DAYS = 30


@blueprint.get("/studio/retention")
@access.role("admin", "auditor")
def page() -> Response:
    """Each rule with what is over tonight and within the month."""
    return render("privacy/retention.html", lines=purge.preview(DAYS), days=DAYS, most=purge.MOST)
