"""`/leaderboards`: a month's points, with the names of those who chose to be named."""

from __future__ import annotations

from flask_smorest import Blueprint

from app.api import schemas
from app.play import scores
from app.web import access

blueprint = Blueprint("api_boards", __name__, description="Points of a month")


@blueprint.get("/leaderboards/<board_id>")
@access.api("read", "member")
@blueprint.response(200, schemas.Leaderboard)
def leaderboard(board_id: str) -> object:
    """A month as `2026-11`, or `month` for the present one."""
    return scores.board(access.me().person_id, "" if board_id == "month" else board_id)
