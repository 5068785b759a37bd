"""The routes around people: coming in, one's own pages, the directory."""

from flask import Blueprint

people = Blueprint("people", __name__)

from app.people.views import (  # noqa: E402, F401
    activating,
    code_door,
    devices,
    door,
    duties,
    inviting,
    inviting_many,
    joining,
    me,
    passkeys,
    provider,
    provider_settings,
    resting,
    saved_views,
    second_factor,
    segments,
    studio,
    transitions,
    unsubscribing,
)
