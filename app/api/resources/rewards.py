"""Rewards, redemptions and the rules of points."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import asdict
from typing import Any, cast

from flask import Response
from flask_babel import lazy_gettext as _l
from flask_smorest import Blueprint

from app.api import schemas
from app.api.idempotency import idempotent
from app.api.resources.common import Json, as_id, page, part_of, waits
from app.errors import Forbidden
from app.people import audiences
from app.play import guarded as guarded_rules
from app.play import rehearsal, rules
from app.play.rules import Rule, Terms
from app.rewards import effective, guarded, queries, service
from app.rewards.models import Reward
from app.web import access
from app.web.i18n import language, the_other

blueprint = Blueprint("api_rewards", __name__, description="Rewards, redemptions, rules")


Segments = Collection[tuple[uuid.UUID, str]]


def _reward(row: Reward | queries.RewardRow, meant_for: Segments | None = None) -> Json:
    """A reward; with `meant_for`, as the team sees it."""
    found: Json = {
        name: getattr(row, name)
        for name in ("id", "title", "description", "cost", "stock", "stock_left", "pay_class",
                     "created_at")
    }  # fmt: skip
    found |= {"deliverer": row.deliverer_id, "language": row.language, "translations": {}}
    if row.other_title and row.language:
        words = {"title": row.other_title, "description": row.other_description}
        found["translations"] = {the_other(row.language): words}
    if meant_for is not None:
        found["entity"] = row.entity_id
        found["audience"] = [segment_id for segment_id, _name in meant_for]
    return found


def _tongues(fields: Json) -> service.Tongues:
    """The languages of a new reward. Who gives one translation has said what its own is. Raises
    `InvalidInput`."""
    told = cast(dict[str, dict[str, str]], fields["translations"])
    language = cast(str | None, fields["language"])
    if not told:
        return service.Tongues(language)
    code, words = next(iter(told.items()))
    own = language or the_other(code)
    is_half = bool(fields["description"]) and not words["description"]
    if len(told) > 1 or own == code or is_half:
        sentence = _l("Give the title and the description in the other language here.")
        raise service.check_form({"translations": sentence})
    return service.Tongues(own, words["title"], words["description"])


@blueprint.get("/rewards")
@access.api("read")
@blueprint.arguments(schemas.RewardQuery, location="query")
@blueprint.response(200, schemas.page_of(schemas.RewardOut))
def rewards_list(query: dict[str, str | None]) -> Json:
    """What is on sale for the caller, in the terms of their entity; for HR, with `entity`, what
    its people find."""
    limit = int(str(query["limit"]))
    asked = _asked(query["entity"])
    found = queries.rewards(asked, after=query.get("after"), limit=limit)
    if asked.shopper is not None:
        return page([_reward(row) for row in found.rows], found.next, limit)
    meant = audiences.assigned([row.id for row in found.rows], audiences.SEEN)
    items = [_reward(row, meant.get(row.id, ())) for row in found.rows]
    return page(items, found.next, limit)


def _asked(entity: str | None) -> queries.RewardFilter:
    """One's own shelf, or that of an entity ("shared": what all share), for those who keep it."""
    if entity is None:
        return queries.RewardFilter(shopper=effective.reader(access.me().person_id))
    within = access.reach("hr", "admin")
    if within is not None and not within:
        raise Forbidden(_l("Your role does not allow this."))
    entity_id = None if entity == "shared" else as_id(entity)
    return queries.RewardFilter(entity_id=entity_id, within=within)


@blueprint.post("/rewards")
@idempotent
@access.api("rewards:write", "hr", "admin", within=True)
@blueprint.arguments(schemas.RewardIn)
@blueprint.response(201, schemas.RewardOut)
@blueprint.alt_response(202, schema=schemas.WaitsOut)
def create(fields: Json) -> Json | Response:
    """A new reward, on sale at once; 202 where the organisation asks for a second person first."""
    me, within = access.me().person_id, access.reach("hr", "admin")
    deliverer, entity = str(fields["deliverer"]), fields["entity"]
    asked = [str(text) for text in cast(list[object], fields["audience"])]
    audience = audiences.chosen(asked, field="audience", within=within)
    made = guarded.create_reward(
        title=str(fields["title"]),
        description=str(fields["description"]),
        cost=int(str(fields["cost"])),
        stock=None if fields["stock"] is None else int(str(fields["stock"])),
        pay_class=str(fields["pay_class"]),
        deliverer_id=me if deliverer == "me" else _known_or_none(deliverer),
        actor_id=me,
        entity_id=None if entity is None else _known_or_none(str(entity)),
        audience=audience,
        keepers=within or (),
        **asdict(_tongues(fields)),
    )
    if made.waits:
        return waits(made)
    return _reward(cast(Reward, made.result), [(segment_id, "") for segment_id in audience])


def _known_or_none(text: str) -> uuid.UUID:
    """A deliverer or an entity nobody knows is told by the service, at the field."""
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
@blueprint.arguments(schemas.Paging, location="query")
@blueprint.response(200, schemas.page_of(schemas.RuleOut))
def rules_list(query: Json) -> Json:
    """Every version of every rule of points."""
    return part_of(rules.versions(), lambda rule: rule.id, query, _rule)


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
@blueprint.alt_response(202, schema=schemas.WaitsOut)
def plan_rule(fields: dict[str, Any]) -> Json | Response:
    """The next version of a rule, from its start on; 202 where the organisation asks for a second
    person first."""
    starts_at = fields.pop("starts_at")
    actor = access.me().person_id
    made = guarded_rules.plan(Terms(**fields), starts_at=starts_at, actor_id=actor)
    return waits(made) if made.waits else _rule(cast(Rule, made.result))


@blueprint.post("/rules/<version_id>/rehearsal")
@idempotent
@access.api("read", "hr", "lead", "admin", "auditor")
@blueprint.arguments(schemas.RehearsalIn)
@blueprint.response(200, schemas.RehearsalOut)
def rehearse(fields: dict[str, Any], version_id: str) -> object:
    """Run a version over past acts; nothing changes."""
    return rehearsal.rehearse_version(as_id(version_id), days=fields["days"])
