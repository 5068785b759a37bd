"""What a page says of itself: asked for by an editor, read in the background, read safely.

One row for each address. Reading happens in a handler without a transaction; its outcome is
kept either way, so that an editor is never left before a wheel that turns for ever.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock, outbox
from app.db import db, transaction
from app.errors import DomainError
from app.integrations.fetching import FetchFailed
from app.integrations.pages import fetch_picture, read_page
from app.integrations.text import clean_text, safe_url
from app.library.content import bad_address, wrong
from app.library.models import LinkPreview
from app.media import service as media

STILL_FRESH: Final = dt.timedelta(hours=1)
"""For so long a page that was read is not read again."""
GIVEN_UP: Final = dt.timedelta(minutes=3)
"""After so long without an outcome, the editor is told that nothing came."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a page. `state` is 'waiting', 'ready' or 'failed'."""

    id: uuid.UUID
    url: str
    state: str
    reason: str | None
    title: str
    description: str
    site_name: str
    picture_id: uuid.UUID | None

    @property
    def trouble(self) -> str:
        """Why nothing could be read, in words."""
        return str(_reasons().get(self.reason or "", _("This page could not be read.")))


def want(url: str) -> uuid.UUID:
    """Ask for a page to be read; the preview's identifier. A page that was read within the
    hour, or is being read, is not asked for again. Raises `InvalidInput` at `url`."""
    address = safe_url(url)
    if address is None:
        raise wrong({"url": bad_address()})
    now = clock.now()
    with transaction() as session:
        row = _row(session, address)
        if _is_good_enough(row, now):
            return row.id
        row.state, row.reason, row.asked_at, row.fetched_at = "waiting", None, now, None
        outbox.record("story.preview_wanted", preview_id=str(row.id))
    return row.id


def _row(session: Session, address: str) -> LinkPreview:
    """The locked row of an address, made on first use (then 'new'). Two editors at once make
    one."""
    digest = hashlib.sha256(address.encode()).hexdigest()
    known = select(LinkPreview).where(LinkPreview.url_hash == digest).with_for_update()
    row = session.scalar(known)
    if row is not None:
        return row
    row = LinkPreview(url_hash=digest, url=address, state="new")
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return session.scalars(known).one()
    return row


def _is_good_enough(row: LinkPreview, now: dt.datetime) -> bool:
    if row.state == "ready":
        return row.fetched_at is not None and row.fetched_at > now - STILL_FRESH
    return row.state == "waiting" and row.asked_at > now - GIVEN_UP


def preview(preview_id: uuid.UUID) -> Preview | None:
    """The state of a reading. One that never came back counts as failed."""
    row = db.session.get(LinkPreview, preview_id, populate_existing=True)
    if row is None:
        return None
    lost = row.state == "waiting" and row.asked_at <= clock.now() - GIVEN_UP
    return Preview(
        id=row.id,
        url=row.url,
        state="failed" if lost else row.state,
        reason="no-answer" if lost else row.reason,
        title=row.title,
        description=row.description,
        site_name=row.site_name,
        picture_id=row.picture_id,
    )


def _reasons() -> dict[str, str]:
    return {
        "unreachable": _("The page cannot be reached. Check its address, or try again later."),
        "refused-address": _("We only read public pages whose address starts with https://."),
        "wrong-type": _("There is no web page at this address."),
        "too-large": _("The page is too large to be read."),
        "too-slow": _("The page answers too slowly. Try again later."),
        "no-answer": _("Nothing came back from this page. Try again in a moment."),
    }


# --- reading, in the background ----------------------------------------------------------


@outbox.on("story.preview_wanted", "library.read_page", outside=True, timeout=90)
def read(preview_id: str) -> None:
    """Read the page and keep what it says. A second run of the same wish changes nothing."""
    row = db.session.get(LinkPreview, uuid.UUID(preview_id), populate_existing=True)
    if row is None or row.state != "waiting":
        return
    url = row.url
    db.session.rollback()  # nothing stays open while we talk
    try:
        facts = read_page(url)
    except FetchFailed as error:
        _keep(preview_id, state="failed", reason=error.code[:40])
        return
    _keep(
        preview_id,
        state="ready",
        title=clean_text(facts.title, 300),
        description=clean_text(facts.description, 600),
        site_name=clean_text(facts.site_name, 120),
        picture_id=_picture(facts.picture_url),
    )


def _picture(url: str | None) -> uuid.UUID | None:
    """The page's own picture, redrawn by us; None where there is none that we can take."""
    if not url:
        return None
    try:
        return media.add(fetch_picture(url), actor_id=None).id
    except DomainError:
        return None


def _keep(preview_id: str, **values: str | uuid.UUID | None) -> None:
    with transaction() as session:
        row = session.get(LinkPreview, uuid.UUID(preview_id), with_for_update=True)
        if row is None or row.state != "waiting":
            return
        for name, value in values.items():
            setattr(row, name, value)
        row.fetched_at = clock.now()
