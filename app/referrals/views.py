"""The blueprints of the referral side, in one list."""

from __future__ import annotations

from flask import Blueprint

from app.referrals import board_bulk  # noqa: F401 (its routes belong to the board's blueprint)
from app.referrals.board import board
from app.referrals.member_views import member
from app.referrals.public_views import public
from app.referrals.studio_offers import blueprint as studio_offers
from app.referrals.webhooks import webhooks
from app.web.security import csrf

# Nothing is stored on a visitor's device, so these carry signed tokens instead of a session.
for _blueprint in (public, webhooks):
    csrf.exempt(_blueprint)

blueprints: tuple[Blueprint, ...] = (public, webhooks, member, board, studio_offers)
