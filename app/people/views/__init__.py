"""The routes around people: coming in, one's own pages, the directory."""

from flask import Blueprint

people = Blueprint("people", __name__)

from app.people.views import door, joining, me, provider, studio, unsubscribing  # noqa: E402, F401
