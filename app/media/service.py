"""Taking a picture in, finding it again, giving it to pages and to networks."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from app.db import db, in_transaction, transaction
from app.errors import NotFound, Unavailable
from app.media import drawing, store
from app.media.drawing import NETWORK_WIDTH, Redrawn
from app.media.models import Picture
from app.prepared import Reading

_ORPHAN_SECONDS: Final = 3600.0
"""How long a file may wait for its row: writing precedes the row by seconds."""
_TURN_SECONDS: Final = 30.0
_drawing_turn = threading.BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture for pages. `width` and `height` are those of its largest file."""

    id: uuid.UUID
    digest: str
    width: int
    height: int
    has_alpha: bool
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureUrls:
    """Addresses below /media/. `src` and `srcset` are WebP, `jpeg` is for other people's feeds;
    `width` and `height` keep the room of the picture free while it is on its way."""

    src: str
    srcset: str
    jpeg: str
    width: int
    height: int


def add(data: bytes, *, actor_id: uuid.UUID | None) -> Picture:
    """Draw a picture again and keep it; the same picture twice is one row.

    Call it outside a transaction: drawing takes a second. The files are on the disk before
    the row is. Raises `drawing.PictureRefused`, and `Unavailable` where there is no room.
    """
    if in_transaction():
        raise RuntimeError("a picture is drawn outside the transaction")
    drawn = _drawn(data)
    files = _files(drawn)
    _keep(files)
    try:
        row = _row(drawn, actor_id)
    except IntegrityError:  # somebody added the same one at this moment
        row = _row(drawn, actor_id)
    lost = {name: content for name, content in files.items() if not store.path_of(name).exists()}
    if lost:  # old files without a row, which a sweep took away just before there was one
        _keep(lost)
    return row


def _drawn(data: bytes) -> Redrawn:
    """One at a time in a process, for the memory it takes."""
    if not _drawing_turn.acquire(timeout=_TURN_SECONDS):
        raise Unavailable(_l("Many pictures arrive at once. Please try again in a moment."))
    try:
        return drawing.redraw(data)
    except MemoryError as error:
        raise Unavailable(_l("We cannot open a picture of this size for the moment.")) from error
    finally:
        _drawing_turn.release()


def _files(drawn: Redrawn) -> dict[str, bytes]:
    return {
        _name(drawn.digest, width, extension): content
        for width, by_extension in drawn.sizes.items()
        for extension, content in by_extension.items()
    }


def _keep(files: dict[str, bytes]) -> None:
    try:
        store.keep(files)
    except OSError as error:
        raise Unavailable(
            _l("There is no room for this picture. Nothing was kept; your administrator can help.")
        ) from error


def _row(drawn: Redrawn, actor_id: uuid.UUID | None) -> Picture:
    with transaction() as session:
        found = session.scalar(select(Picture).where(Picture.digest == drawn.digest))
        if found is None:
            found = Picture(
                digest=drawn.digest,
                width=drawn.width,
                height=drawn.height,
                has_alpha=drawn.has_alpha,
                widths=list(drawn.sizes),
                added_by=actor_id,
            )
            session.add(found)
            session.flush()
    return found


def picture(picture_id: uuid.UUID | None) -> PictureView | None:
    """One picture, or None."""
    return pictures([picture_id]).get(picture_id) if picture_id else None


# Built once: building it costs more than asking.
_SEVERAL: Final = Reading(
    select(
        Picture.id,
        Picture.digest,
        Picture.width,
        Picture.height,
        Picture.has_alpha,
        Picture.widths,
    ).where(Picture.id.in_(bindparam("ids", expanding=True)))
)


def pictures(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PictureView]:
    """Several pictures by id, in one read; ids that are unknown are left out."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = _SEVERAL.all({"ids": [*wanted]})
    return {
        id_: PictureView(id_, digest, width, height, has_alpha, tuple(widths))
        for id_, digest, width, height, has_alpha, widths in rows
    }


def urls(of: Picture | PictureView) -> PictureUrls:
    """Where pages find the sizes of a picture."""
    sizes = sorted(of.widths)
    return PictureUrls(
        src=_url(of.digest, _middle(sizes), "webp"),
        srcset=", ".join(f"{_url(of.digest, width, 'webp')} {width}w" for width in sizes),
        jpeg=_url(of.digest, _middle(sizes), "jpg"),
        width=of.width,
        height=of.height,
    )


def jpeg_for_network(picture_id: uuid.UUID) -> bytes:
    """The picture as networks take it: JPEG, at most 1,200 wide, less than 5 MB, no metadata.

    Raises `NotFound`, or `Unavailable` where its file cannot be read.
    """
    found = picture(picture_id)
    if found is None:
        raise NotFound(_l("There is no such picture."))
    try:
        return store.path_of(_name(found.digest, _middle(found.widths), "jpg")).read_bytes()
    except OSError as error:
        raise Unavailable(_l("This picture cannot be read for the moment.")) from error


def sweep() -> int:
    """Remove files that no row knows and drafts that were never finished, once they are an hour
    old. How many went."""
    gone = 0
    for shelf, files in store.shelves():
        mine = select(Picture.digest).where(Picture.digest.startswith(shelf))
        known = set(db.session.scalars(mine))
        strangers = [file for file in files if file.name.partition("-")[0] not in known]
        gone += sum(store.remove_older(file, _ORPHAN_SECONDS) for file in strangers)
    return gone


def _middle(widths: Iterable[int]) -> int:
    """The width that networks get, and readers whose browser cannot choose."""
    return max(width for width in widths if width <= NETWORK_WIDTH)


def _name(digest: str, width: int, extension: str) -> str:
    return f"{digest}-{width}.{extension}"


def _url(digest: str, width: int, extension: str) -> str:
    return f"/media/{_name(digest, width, extension)}"
