"""The routes around people: coming in, one's own pages, the directory."""

from flask import Blueprint

people = Blueprint("people", __name__)

from app.people.views import (  # noqa: E402, F401
    door,
    joining,
    me,
    provider,
    saved_views,
    studio,
    unsubscribing,
)
