"""The resources of the API, one file for each part of the product."""

from flask_smorest import Blueprint

from app.api.resources import (
    boards,
    ledger,
    me,
    offers,
    people,
    referrals,
    rewards,
    shares,
    stories,
)

resources: tuple[Blueprint, ...] = (
    me.blueprint, offers.blueprint, referrals.blueprint, rewards.blueprint, people.blueprint,
    ledger.blueprint, shares.blueprint, stories.blueprint, boards.blueprint,
)  # fmt: skip
