"""My data: the page and the file (rule E5)."""

from __future__ import annotations

from flask import Blueprint, Response, stream_with_context

from app.personal_data import PERSON
from app.rights import my_data
from app.web import access, render
from app.web.limits import limiter

blueprint = Blueprint("privacy_my_data", __name__)


def _me() -> str:
    return str(access.me().person_id)


@blueprint.get("/me/data")
@access.signed_in
@limiter.limit("60 per hour", key_func=_me)
def page() -> Response:
    """Everything kept about the reader, to read and to print."""
    response = render("privacy/my_data.html", parts=my_data.parts(PERSON, access.me().person_id))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/me/data.json")
@access.signed_in
@limiter.limit("60 per hour", key_func=_me)
def file() -> Response:
    """The same as a file, for people and for programs."""
    return Response(
        stream_with_context(my_data.as_json(PERSON, access.me().person_id)),
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="portevoix.json"',
            "Cache-Control": "no-store",
        },
    )
