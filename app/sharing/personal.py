"""What sharing keeps about people: the connection to a network, posts, figures."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import rights
from app.personal_data import PERSON, Row, Subject, deletes, holds, plain, rows
from app.referrals import links
from app.sharing import grants
from app.sharing.models import Grant, GrantRevocation, IdeaMail, NetworkQuota, ReachFigure, Share

_TEXTS = {"words": "", "post_text": "", "title": "", "summary": "", "alt": "",
          "disclosure_text": ""}  # fmt: skip


def _posts(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    query = select(Share).where(Share.person_id == person_id).order_by(Share.created_at, Share.id)
    for row in session.scalars(query.execution_options(yield_per=500)):
        yield {
            "network": row.network, "status": row.status, "reason": row.reason,
            "language": row.language, "format": row.format, "words": row.words,
            "post_text": row.post_text, "title": row.title, "summary": row.summary,
            "code": row.code, "post": row.post_urn, "created_at": plain(row.created_at),
            "publish_at": plain(row.publish_at), "published_at": plain(row.published_at),
            "withdrawn_at": plain(row.withdrawn_at), "seen_at": plain(row.seen_at),
        }  # fmt: skip


def _figures(session: Session, person_id: uuid.UUID) -> Iterator[Row]:
    query = (
        select(ReachFigure, Share.title)
        .join(Share, Share.id == ReachFigure.share_id)
        .where(Share.person_id == person_id)
        .order_by(ReachFigure.taken_at)
    )
    for row, title in session.execute(query):
        yield {
            "title": title, "metric": row.metric, "value": row.value, "truth": row.truth,
            "taken_at": plain(row.taken_at),
        }  # fmt: skip


def _disconnect(session: Session, subject: Subject) -> None:
    """Tokens go and the network is told; posts that wait are cancelled. After a restore the
    network knows already."""
    if subject.asked_by == rights.LIST:
        session.execute(delete(Grant).where(Grant.person_id == subject.id))
    grants.end(subject.id, "left")
    session.execute(delete(NetworkQuota).where(NetworkQuota.holder == str(subject.id)))


def _empty_posts(session: Session, subject: Subject) -> None:
    """A post keeps its dates and its number for figures and points. An attempt that is under way
    finds another number: what the network answers is not written."""
    theirs = Share.person_id == subject.id
    session.execute(
        update(Share)
        .where(theirs, Share.status == "publishing")
        .values(status="unknown", lease_until=None, phase=None)
    )
    session.execute(
        update(Share)
        .where(theirs)
        .values(
            **_TEXTS, post_urn=None, code=None, caption_id=None, picture_id=None,
            poll_due_at=None, attempt=Share.attempt + 1,
        )
    )  # fmt: skip
    links.changed()


def _forget_figures(session: Session, subject: Subject) -> None:
    mine = select(Share.id).where(Share.person_id == subject.id)
    session.execute(delete(ReachFigure).where(ReachFigure.share_id.in_(mine)))


def declare() -> None:
    """Say all of it."""
    holds(
        "sharing.grants", Grant, GrantRevocation, title=_l("Your connection to LinkedIn"),
        purpose=_l("to post in your name what you press"), basis="consent", source="network",
        recipients=("network",),
        exports={PERSON: rows(Grant, Grant.person_id,
                              hides=("id", "access_token", "refresh_token"))},
        erasures={PERSON: _disconnect},
    )  # fmt: skip
    holds(
        "sharing.posts", Share, title=_l("What you shared"),
        purpose=_l("to post it, to follow its link, and to count its points"), basis="contract",
        source="you", recipients=("network", "public"), exports={PERSON: _posts},
        erasures={PERSON: _empty_posts},
        stays=_l(
            "Posts on LinkedIn are yours: they stay there until you delete them. Here a post "
            "keeps its date and its number, without its text and without its address."
        ),
    )  # fmt: skip
    holds(
        "sharing.figures", ReachFigure, title=_l("Figures of your posts"),
        purpose=_l("to show you what your posts brought"), basis="contract", source="network",
        recipients=("you",), exports={PERSON: _figures}, erasures={PERSON: _forget_figures},
    )  # fmt: skip
    holds(
        "sharing.ideas", IdeaMail, title=_l("When you last got ideas by mail"),
        purpose=_l("to write at most once a week"), basis="consent", source="use",
        recipients=("you",), exports={PERSON: rows(IdeaMail, IdeaMail.person_id)},
        erasures={PERSON: deletes(IdeaMail, IdeaMail.person_id)},
    )  # fmt: skip
