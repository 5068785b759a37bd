"""The address of every picture file. Names tell nothing and cannot be guessed."""

from __future__ import annotations

from flask import Blueprint, Response, send_file

from app.media import store
from app.web import access

media = Blueprint("media", __name__)

_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}


@media.get("/media/<name>")
@access.public
def file(name: str) -> Response:
    """One size of a picture. It never changes under its name, so it may be kept for ever."""
    path = store.path_of(name) if store.NAME.fullmatch(name) else None
    if path is None or not path.is_file():
        return Response("", 404, {"Cache-Control": "no-store"}, content_type="text/plain")
    kind = _TYPES[path.suffix[1:]]
    response = send_file(path, mimetype=kind, etag=name, max_age=31_536_000, conditional=True)
    response.cache_control.immutable = True
    return response


# A file that was opened by its address runs nothing and loads nothing.
file.__dict__["talisman_view_options"] = {
    "content_security_policy": {"default-src": "'none'", "frame-ancestors": "'none'"}
}
