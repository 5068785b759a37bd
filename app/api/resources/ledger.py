"""The ledger's own proof."""

from __future__ import annotations

from flask_smorest import Blueprint

from app import ledger
from app.api import schemas
from app.web import access

blueprint = Blueprint("api_ledger", __name__, description="The ledger's proof")


@blueprint.get("/ledger/verification")
@access.api("ledger:read", "auditor", "hr", "lead", "admin", "sponsor")
@blueprint.response(200, schemas.Verification)
def verification() -> object:
    """Recount everything: sums, balances against entries, chains, seals."""
    return ledger.verify()
