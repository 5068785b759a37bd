"""The shelf under the two-person rule: what the studio and the API call.

Where the organisation asks for a second person about money, a reward that goes through payroll
waits before it is put on sale, for the first time or again, and before its price, its stock or its class changes, for all or
for one entity. Everything else holds at once. The demo uses `service` and is not bound.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, TypedDict, Unpack, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import approvals
from app.approvals import Payload, Submitted
from app.db import db, read_id, transaction
from app.rewards import overrides, service, words
from app.rewards.models import Reward, RewardOverride
from app.rewards.overrides import OwnTerms
from app.settings.models import Entity
from app.web.i18n import points

KIND: Final = "rewards.money"
PAID: Final = frozenset({"cash bonus", "voucher"})
"""Classes that go through payroll (rule G1)."""
TERMS: Final = ("cost", "stock", "pay_class")
OWN_TERMS: Final = ("cost", "has_own_stock", "stock")
CREATE, CHANGE, OVERRIDE, SHARE = "create", "change", "override", "share"
RESTORE: Final = "restore"
_IDS: Final = frozenset({"deliverer_id", "entity_id", "id_"})
_LISTS: Final = frozenset({"audience", "keepers"})


class Offered(TypedDict, total=False):
    """What is offered, as `service.create_reward` and `update_reward` take it, without who does
    it. A reward that is changed has its entity already."""

    title: str
    description: str
    cost: int
    stock: int | None
    pay_class: str
    deliverer_id: uuid.UUID
    entity_id: uuid.UUID | None
    is_open_outside: bool
    audience: Collection[uuid.UUID] | None
    keepers: Collection[uuid.UUID] | None
    language: str | None
    other_title: str
    other_description: str
    id_: uuid.UUID


def create_reward(*, actor_id: uuid.UUID, **fields: Unpack[Offered]) -> Submitted:
    """`service.create_reward`: its reward is the `result` where it does not wait. Raises
    `InvalidInput` as it does. One `id_` is one request, and one reward once that is approved."""
    payload = _payload(CREATE, None, {**fields, **_lists(fields)})
    if not (_is_asked() and fields["pay_class"] in PAID):
        return Submitted(result=_apply(payload, actor_id))
    return _submit(payload, actor_id, once=str(fields.get("id_", "")))


def update_reward(
    reward_id: uuid.UUID, *, actor_id: uuid.UUID, **fields: Unpack[Offered]
) -> Submitted:
    """`service.update_reward`: its reward is the `result` where it does not wait. Raises as it
    does."""
    payload = _payload(CHANGE, reward_id, fields)
    before = db.session.get(Reward, reward_id) if _is_asked() else None
    is_paid = before is not None and PAID & {before.pay_class, fields["pay_class"]}
    if not is_paid or all(getattr(before, name) == fields.get(name) for name in TERMS):
        return Submitted(result=_apply(payload, actor_id))
    return _submit(payload, actor_id)


def change_reward(
    reward_id: uuid.UUID, *, actor_id: uuid.UUID, **changes: Unpack[Offered]
) -> Submitted:
    """`update_reward` with all that is not named as it stands."""
    with transaction() as session:
        fields = _standing(service.locked(session, reward_id))
        fields.update(changes)
        return update_reward(reward_id, actor_id=actor_id, **fields)


def _standing(reward: Reward) -> Offered:
    return Offered(
        title=reward.title, description=reward.description, cost=reward.cost, stock=reward.stock,
        pay_class=reward.pay_class, deliverer_id=reward.deliverer_id,
        is_open_outside=reward.is_open_outside,
    )  # fmt: skip


def restore_reward(reward_id: uuid.UUID, *, actor_id: uuid.UUID) -> Submitted:
    """`service.restore_reward`. Raises as it does."""
    payload = _payload(RESTORE, reward_id, {})
    reward = db.session.get(Reward, reward_id) if _is_asked() else None
    if reward is None or reward.withdrawn_at is None or reward.pay_class not in PAID:
        return Submitted(result=_apply(payload, actor_id))
    return _submit(payload, actor_id)


def override(
    reward_id: uuid.UUID, entity_id: uuid.UUID, terms: OwnTerms, *, actor_id: uuid.UUID
) -> Submitted:
    """`overrides.override`; to hide a reward moves no money. Raises as it does."""
    said: Payload = {**asdict(terms), "entity_id": entity_id}
    payload = _payload(OVERRIDE, reward_id, said)
    if terms.is_hidden or not _moves(reward_id, entity_id, terms):
        return Submitted(result=_apply(payload, actor_id))
    return _submit(payload, actor_id)


def share_again(reward_id: uuid.UUID, entity_id: uuid.UUID, *, actor_id: uuid.UUID) -> Submitted:
    """`overrides.share_again`. Raises as it does."""
    payload = _payload(SHARE, reward_id, {"entity_id": entity_id})
    if not _moves(reward_id, entity_id, OwnTerms()):
        return Submitted(result=_apply(payload, actor_id))
    return _submit(payload, actor_id)


def _is_asked() -> bool:
    return approvals.policy().money


def _submit(payload: Payload, actor_id: uuid.UUID, *, once: str = "") -> Submitted:
    approvals.rehearse(lambda: _apply(payload, actor_id))
    return approvals.submit(KIND, payload, actor_id=actor_id, once=once)


def _moves(reward_id: uuid.UUID, entity_id: uuid.UUID, wanted: OwnTerms) -> bool:
    """Whether the price or the stock of a reward of payroll would be others for an entity."""
    reward = db.session.get(Reward, reward_id) if _is_asked() else None
    if reward is None or reward.pay_class not in PAID:
        return False
    before = db.session.get(RewardOverride, (reward_id, entity_id)) or OwnTerms()
    return any(getattr(before, name) != getattr(wanted, name) for name in OWN_TERMS)


# ---- There and back: what waits is kept as JSON


def _payload(act: str, reward_id: uuid.UUID | None, fields: Mapping[str, object]) -> Payload:
    said = {name: _plain(value) for name, value in fields.items()}
    return {"act": act, "reward_id": str(reward_id) if reward_id else None, "said": said}


def _lists(fields: Mapping[str, object]) -> dict[str, object]:
    """A new reward has segments or none; there is nothing that could stay as it was."""
    return {name: fields.get(name) or () for name in _LISTS}


def _plain(value: object) -> object:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Collection) and not isinstance(value, str):
        return sorted(str(each) for each in value)
    return value


def _said(payload: Payload) -> dict[str, Any]:
    found = dict(cast(dict[str, Any], payload["said"]))
    for name, value in found.items():
        if name in _IDS and value is not None:
            found[name] = uuid.UUID(value)
        elif name in _LISTS and value is not None:
            found[name] = [uuid.UUID(each) for each in value]
    return found


def _apply(payload: Payload, actor_id: uuid.UUID) -> object:
    act, said = payload["act"], _said(payload)
    reward_id = read_id(str(payload["reward_id"] or ""))
    if reward_id is None:
        return service.create_reward(**said, actor_id=actor_id)
    if act == RESTORE:
        return service.restore_reward(reward_id, actor_id=actor_id)
    if act == CHANGE:
        return service.update_reward(reward_id, **said, actor_id=actor_id)
    entity_id = said.pop("entity_id")
    if act == SHARE:
        return overrides.share_again(reward_id, entity_id, actor_id=actor_id)
    overrides.override(reward_id, entity_id, OwnTerms(**said), actor_id=actor_id)
    return None


# ---- In words


def _describe(payloads: Sequence[Payload]) -> list[str]:
    ids = {found for each in payloads if (found := read_id(str(each["reward_id"] or "")))}
    rows = db.session.scalars(select(Reward).where(Reward.id.in_(ids))) if ids else ()
    rewards = {str(row.id): row for row in rows}
    named = {str(said["entity_id"]) for each in payloads if (said := _said(each)).get("entity_id")}
    entities: dict[str, str] = {}
    if named:
        wanted = select(Entity.id, Entity.name).where(Entity.id.in_(map(uuid.UUID, named)))
        entities = {str(row.id): row.name for row in db.session.execute(wanted)}
    return [_sentence(each, rewards, entities) for each in payloads]


def _sentence(payload: Payload, rewards: dict[str, Reward], entities: dict[str, str]) -> str:
    said, before = _said(payload), rewards.get(str(payload["reward_id"]))
    entity = entities.get(str(said.get("entity_id")), "")
    if payload["act"] == CREATE:
        terms = _terms(said["pay_class"], said["cost"], said["stock"])
        text = _("Put “%(title)s” on sale: %(terms)s.", title=said["title"], terms=terms)
    elif before is None:
        text = _("Change a reward that is no longer there.")
    elif payload["act"] == RESTORE:
        terms = _terms(before.pay_class, before.cost, before.stock)
        text = _("Put “%(title)s” back on sale: %(terms)s.", title=before.title, terms=terms)
    elif payload["act"] == CHANGE:
        text = _(
            "Change “%(title)s” from %(before)s to %(after)s.",
            title=before.title,
            before=_terms(before.pay_class, before.cost, before.stock),
            after=_terms(said["pay_class"], said["cost"], said["stock"]),
        )
    elif payload["act"] == SHARE:
        text = _("Take “%(title)s” back to its shared terms.", title=before.title)
    else:
        stock = said["stock"] if said["has_own_stock"] else before.stock
        terms = _terms(before.pay_class, said["cost"] or before.cost, stock)
        text = _("Offer “%(title)s” there as %(terms)s.", title=before.title, terms=terms)
    return f"{entity}: {text}" if entity else str(text)


def _terms(pay_class: str, cost: int, stock: int | None) -> str:
    """Voucher, 120 points each, 5 in all."""
    kind = words.pay_class_name(pay_class)
    if stock is None:
        return str(_("%(kind)s, %(cost)s points each, no limit", kind=kind, cost=points(cost)))
    return str(
        _(
            "%(kind)s, %(cost)s points each, %(stock)s in all",
            kind=kind, cost=points(cost), stock=points(stock),
        )
    )  # fmt: skip


def _link(payload: Payload) -> str:
    return f"/studio/rewards/{payload['reward_id']}" if payload["reward_id"] else ""


def start() -> None:
    """Bring rewards of payroll as a kind of act."""
    roles = frozenset({"hr", "admin"})
    approvals.register(
        approvals.Kind(KIND, _l("Rewards of payroll"), roles, _apply, _describe, _link)
    )
