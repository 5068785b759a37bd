"""Rewards, redemptions and the rules of points."""

from __future__ import annotations

import uuid
from typing import Any

from flask_smorest import Blueprint

from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page
from app.people import kinds
from app.play import rehearsal, rules
from app.play.rules import Rule, Terms
from app.rewards import queries, service
from app.rewards.models import Reward
from app.web import access
from app.web.i18n import language

blueprint = Blueprint("api_rewards", __name__, description="Rewards, redemptions, rules")


def _reward(row: Reward | queries.RewardRow) -> Json:
    found: Json = {
        name: getattr(row, name)
        for name in ("id", "title", "description", "cost", "stock", "stock_left", "pay_class",
                     "created_at")
    }  # fmt: skip
    found["deliverer"] = row.deliverer_id
    return found


@blueprint.get("/rewards")
@access.api("read")
@blueprint.arguments(schemas.Paging, location="query")
@blueprint.response(200, schemas.page_of(schemas.RewardOut))
def rewards_list(query: dict[str, str]) -> Json:
    """What is on sale."""
    limit = int(query["limit"])
    rows, next_cursor = queries.on_sale(
        after=query.get("after"), limit=limit, classes=kinds.classes_for_reader()
    )
    return page([_reward(row) for row in rows], next_cursor, limit)


@blueprint.post("/rewards")
@idempotent
@access.api("rewards:write", "hr", "admin")
@blueprint.arguments(schemas.RewardIn)
@blueprint.response(201, schemas.RewardOut)
def create(fields: Json) -> Json:
    """A new reward, on sale at once."""
    me = access.me().person_id
    deliverer = str(fields["deliverer"])
    reward = service.create_reward(
        title=str(fields["title"]),
        description=str(fields["description"]),
        cost=int(str(fields["cost"])),
        stock=None if fields["stock"] is None else int(str(fields["stock"])),
        pay_class=str(fields["pay_class"]),
        deliverer_id=me if deliverer == "me" else _person_id(deliverer),
        actor_id=me,
    )
    return _reward(reward)


def _person_id(text: str) -> uuid.UUID:
    """A deliverer nobody knows is told by the service, at the field."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


@blueprint.post("/redemptions")
@idempotent
@access.api("redemptions:write", "member")
@blueprint.arguments(schemas.RedemptionIn)
@blueprint.response(201, schemas.RedemptionOut)
def redeem(fields: Json) -> object:
    """Reserve a reward: stock and points at once."""
    return service.redeem(access.me().person_id, as_id(str(fields["reward_id"])))


@blueprint.get("/redemptions/<redemption_id>")
@access.api("read")
@blueprint.response(200, schemas.RedemptionOut)
def one(redemption_id: str) -> object:
    """One redemption, for its member, its deliverer, HR and administrators."""
    return service.readable(as_id(redemption_id), access.me().person_id, access.me().roles)


@blueprint.post("/redemptions/<redemption_id>/fulfilment")
@idempotent
@access.api("redemptions:write")
@blueprint.response(201, schemas.RedemptionOut)
def fulfil(redemption_id: str) -> object:
    """It was handed over."""
    return service.fulfil(as_id(redemption_id), access.me().person_id)


@blueprint.post("/redemptions/<redemption_id>/cancellation")
@idempotent
@access.api("redemptions:write")
@blueprint.response(201, schemas.RedemptionOut)
def cancel(redemption_id: str) -> object:
    """Give points and stock back."""
    return service.cancel(as_id(redemption_id), access.me().person_id)


@blueprint.get("/rules")
@access.api("read")
@blueprint.response(200, schemas.page_of(schemas.RuleOut))
def rules_list() -> Json:
    """Every version of every rule of points."""
    return page([_rule(r) for r in rules.versions()], None, 200)


def _rule(r: Rule) -> Json:
    return {
        "id": r.id, "fact": r.fact, "name": r.name(language()), "version": r.version,
        "amount": r.amount, "held_amount": r.held_amount, "hold_days": r.hold_days,
        "cap": r.cap, "cap_period": r.cap_period, "starts_at": r.starts_at,
    }  # fmt: skip


@blueprint.post("/rules")
@idempotent
@access.api("rules:write", "hr", "lead", "admin")
@blueprint.arguments(schemas.RuleIn)
@blueprint.response(201, schemas.RuleOut)
def plan_rule(fields: dict[str, Any]) -> Json:
    """The next version of a rule, from its start on."""
    starts_at = fields.pop("starts_at")
    actor = access.me().person_id
    return _rule(rules.plan(Terms(**fields), starts_at=starts_at, actor_id=actor))


@blueprint.post("/rules/<version_id>/rehearsal")
@idempotent
@access.api("read", "hr", "lead", "admin", "auditor")
@blueprint.arguments(schemas.RehearsalIn)
@blueprint.response(200, schemas.RehearsalOut)
def rehearse(fields: dict[str, Any], version_id: str) -> object:
    """Run a version over past acts; nothing changes."""
    return rehearsal.rehearse_version(as_id(version_id), days=fields["days"])
