"""The first page of a new member: one small act that nobody else sees, or none at all."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response

from app.library import follows
from app.library import queries as library
from app.library.follows import FollowedTopic
from app.people import audiences
from app.referrals import offer_queries
from app.web import access, render
from app.web.i18n import language

welcome = Blueprint("welcome", __name__)

TOPICS = 6


@welcome.get("/welcome")
@access.role("member")
def show() -> Response:
    """Topics to follow, a story to read, an offer to look at."""
    story = library.latest(1, language(), mine=audiences.mine(access.me().person_id))
    offer = offer_queries.open_offers(access.me().person_id, limit=1).rows
    return render(
        "today/welcome.html",
        topics=_topics(access.me().person_id),
        story=story[0] if story else None,
        offer=offer[0] if offer else None,
    )


def _topics(person_id: uuid.UUID) -> list[FollowedTopic]:
    """What is talked about now, and whether they follow it."""
    followed = {topic.code for topic in follows.followed(person_id)}
    return [
        FollowedTopic(row.id, row.code, row.name, row.code in followed)
        for row in library.shown_topics(audiences.mine(person_id), language())[:TOPICS]
    ]
