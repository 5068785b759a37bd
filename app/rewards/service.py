"""Selling rewards for points: the shelf, and what becomes of each redemption.

A redemption takes one from the stock and reserves the points in one short transaction. What it
costs and which stock it comes from is for `effective` to say. Rows are locked in one order
everywhere (a redemption that is settled, the reward, what an entity says of it, the person that
a foreign key names, the member's account), so no two acts ever wait for each other. Whoever
loses a race is told why and has lost nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import audit, clock, ledger, outbox
from app.config import LANGUAGES
from app.db import db, new_id, transaction
from app.errors import InvalidInput, Sentence
from app.ledger.errors import InsufficientPoints
from app.people import audiences
from app.people.models import Membership, Person
from app.people.segments_reach import is_within, reach_of
from app.play import accounts
from app.rewards import effective
from app.rewards.effective import Sale
from app.rewards.errors import (
    MembersOnly,
    NoSuchRedemption,
    NoSuchReward,
    NotTheDeliverer,
    RedemptionSettled,
    RewardWithdrawn,
)
from app.rewards.models import (
    CANCELLED,
    FULFILLED,
    PAY_CLASSES,
    RESERVED,
    Redemption,
    Reward,
    RewardOverride,
)
from app.settings.models import Entity
from app.web.pressing import once

MAX_COST = 1_000_000
MAX_STOCK = 1_000_000
MAX_TITLE, MAX_DESCRIPTION = 120, 1000
STAFF = frozenset({"hr", "admin"})
#: Why a redemption is called off; the ledger keeps the word with the points it gives back.
BY_CHOICE = "cancelled"
CANCELLATION_REASONS = (BY_CHOICE, "out-of-stock", "mistake")
_KEYS = uuid.UUID("0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is offered. `cost` in points; `stock` is all that was ever on sale, None without
    limit; the deliverer is the person who hands it over."""

    title: str
    description: str
    cost: int
    stock: int | None
    pay_class: str
    deliverer_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Tongues:
    """In which language the title and the description are, None where nobody says, and both in
    the other one, for its readers; empty where there is one language."""

    language: str | None = None
    other_title: str = ""
    other_description: str = ""


# ---- The shelf


def create_reward(
    *,
    title: str,
    description: str,
    cost: int,
    stock: int | None,
    pay_class: str,
    deliverer_id: uuid.UUID,
    actor_id: uuid.UUID,
    entity_id: uuid.UUID | None = None,
    is_open_outside: bool = False,
    audience: Collection[uuid.UUID] = (),
    keepers: Collection[uuid.UUID] = (),
    language: str | None = None,
    other_title: str = "",
    other_description: str = "",
    id_: uuid.UUID | None = None,
) -> Reward:
    """Put a reward on sale, at once: for everybody, or for one entity, for some segments
    (`audience`). `keepers` are the segments whose limited roles keep it; `is_open_outside` opens
    it to former employees and partners whatever its class; for the last texts see `Tongues`.
    What was made under `id_` before is the answer. Raises `InvalidInput` by field."""
    terms = _cleaned(Terms(title, description, cost, stock, pay_class, deliverer_id))
    tongues = _in_both(Tongues(language, other_title, other_description))

    def make(made: uuid.UUID) -> Reward:
        reward = Reward(
            **asdict(terms), **asdict(tongues), id=made, stock_left=stock, entity_id=entity_id,
            is_open_outside=is_open_outside,
        )  # fmt: skip
        session = db.session()
        _check(session, terms, tongues, entity_id)
        session.add(reward)
        session.flush()
        audiences.assign(session, reward.id, audiences.SEEN, audience)
        audiences.assign(session, reward.id, audiences.KEPT, keepers)
        audit.record("reward.created", "reward", reward.id, actor_id=actor_id, cost=cost)
        return reward

    return once(Reward, id_, make)


def update_reward(
    reward_id: uuid.UUID,
    *,
    title: str,
    description: str,
    cost: int,
    stock: int | None,
    pay_class: str,
    deliverer_id: uuid.UUID,
    actor_id: uuid.UUID,
    is_open_outside: bool | None = None,
    audience: Collection[uuid.UUID] | None = None,
    keepers: Collection[uuid.UUID] | None = None,
    language: str | None = None,
    other_title: str | None = None,
    other_description: str | None = None,
) -> Reward:
    """Change what is offered from now on; redemptions made before keep their price. What is
    None stays as it was; the entity of a reward never changes.

    Raises `InvalidInput` by field (a stock below what is taken included), `NoSuchReward`,
    `RewardWithdrawn`.
    """
    terms = _cleaned(Terms(title, description, cost, stock, pay_class, deliverer_id))
    with transaction() as session:
        reward = locked(session, reward_id)
        if reward.withdrawn_at is not None:
            raise RewardWithdrawn
        tongues = _in_both(_said(reward, language, other_title, other_description))
        _check(session, terms, tongues)
        left = left_of(session, reward_id, stock)
        audit.record(
            "reward.changed",
            "reward",
            reward_id,
            actor_id=actor_id,
            cost=cost,
            cost_before=reward.cost,
        )
        for field, value in (asdict(terms) | asdict(tongues)).items():
            setattr(reward, field, value)
        reward.stock_left = left
        if is_open_outside is not None:
            reward.is_open_outside = is_open_outside
        _assign(session, reward_id, audience, keepers)
    return reward


def _assign(
    session: Session,
    reward_id: uuid.UUID,
    audience: Collection[uuid.UUID] | None,
    keepers: Collection[uuid.UUID] | None,
) -> None:
    for purpose, segment_ids in ((audiences.SEEN, audience), (audiences.KEPT, keepers)):
        if segment_ids is not None:
            audiences.assign(session, reward_id, purpose, segment_ids)


def withdraw_reward(reward_id: uuid.UUID, *, actor_id: uuid.UUID) -> bool:
    """Take a reward off the shelf; what was redeemed before is still delivered.

    False when that was done already. Raises `NoSuchReward`.
    """
    with transaction() as session:
        reward = locked(session, reward_id)
        if reward.withdrawn_at is not None:
            return False
        reward.withdrawn_at = clock.now()
        audit.record("reward.withdrawn", "reward", reward_id, actor_id=actor_id)
    return True


def restore_reward(reward_id: uuid.UUID, *, actor_id: uuid.UUID) -> bool:
    """Put a withdrawn reward back on the shelf, in the terms and with the stock it had.

    False when it is there. Raises `NoSuchReward`.
    """
    with transaction() as session:
        reward = locked(session, reward_id)
        if reward.withdrawn_at is None:
            return False
        reward.withdrawn_at = None
        audit.record("reward.restored", "reward", reward_id, actor_id=actor_id)
    return True


def locked(session: Session, reward_id: uuid.UUID) -> Reward:
    """A reward under our lock. Raises `NoSuchReward`."""
    reward = session.get(Reward, reward_id, with_for_update=True, populate_existing=True)
    if reward is None:
        raise NoSuchReward
    return reward


def left_of(
    session: Session, reward_id: uuid.UUID, stock: int | None, own_of: uuid.UUID | None = None
) -> int | None:
    """What can still be sold under our lock when `stock` is all there ever was: of the shared
    stock, or of the own one of the entity `own_of`. Raises `InvalidInput` on `stock`."""
    if stock is None:
        return None
    taken = session.scalar(
        select(func.count())
        .select_from(Redemption)
        .where(
            Redemption.reward_id == reward_id,
            Redemption.status != CANCELLED,
            Redemption.from_own_stock.is_(own_of is not None),
            *((Redemption.entity_id == own_of,) if own_of is not None else ()),
        )
    )
    if stock < (taken or 0):
        sentence = _l(
            "%(taken)d are reserved or delivered already: give at least that.", taken=taken
        )
        raise check_form({"stock": sentence})
    return stock - (taken or 0)


def check_form(errors: dict[str, Sentence]) -> InvalidInput:
    return InvalidInput(_l("Please check the form."), errors)


def _cleaned(terms: Terms) -> Terms:
    return Terms(
        " ".join(terms.title.split()), terms.description.strip(), terms.cost, terms.stock,
        terms.pay_class, terms.deliverer_id,
    )  # fmt: skip


def _in_both(tongues: Tongues) -> Tongues:
    title = " ".join(tongues.other_title.split())
    return Tongues(tongues.language or None, title, tongues.other_description.strip())


def _said(
    reward: Reward, language: str | None, title: str | None, description: str | None
) -> Tongues:
    """What is None stays as it was."""
    return Tongues(
        reward.language if language is None else language,
        reward.other_title if title is None else title,
        reward.other_description if description is None else description,
    )


def _missing(terms: Terms, tongues: Tongues) -> Iterator[tuple[str, Sentence]]:
    """Both texts or neither: nobody meets a title in one language above a text in another."""
    is_told = bool(tongues.other_title or tongues.other_description)
    if (tongues.language is None and is_told) or tongues.language not in (None, *LANGUAGES):
        yield "language", _l("Choose the language of the title and the description.")
    if len(tongues.other_title) > MAX_TITLE or (is_told and not tongues.other_title):
        yield "other_title", _l("Give a title of at most %(most)d characters.", most=MAX_TITLE)
    if len(tongues.other_description) > MAX_DESCRIPTION:
        yield "other_description", _l("At most %(most)d characters.", most=MAX_DESCRIPTION)
    if is_told and terms.description and not tongues.other_description:
        yield "other_description", _l("Give the description in this language, too.")


def _faults(terms: Terms) -> Iterator[tuple[str, Sentence]]:
    if not 1 <= len(terms.title) <= MAX_TITLE:
        yield "title", _l("Give a title of at most %(most)d characters.", most=MAX_TITLE)
    if len(terms.description) > MAX_DESCRIPTION:
        yield "description", _l("At most %(most)d characters.", most=MAX_DESCRIPTION)
    if not 1 <= terms.cost <= MAX_COST:
        yield "cost", _l("Give a whole number of points from 1 to 1,000,000.")
    if terms.stock is not None and not 0 <= terms.stock <= MAX_STOCK:
        yield "stock", _l("Give a whole number from 0 to 1,000,000, or no limit.")
    if terms.pay_class not in PAY_CLASSES:
        yield "pay_class", _l("Choose how payroll will see it.")


def _check(
    session: Session, terms: Terms, tongues: Tongues, entity_id: uuid.UUID | None = None
) -> None:
    errors = {**dict(_faults(terms)), **dict(_missing(terms, tongues))}
    if not is_present(session, terms.deliverer_id):
        errors["deliverer"] = _l("Name somebody who works here to deliver it.")
    if entity_id is not None and not is_in_use(session, entity_id):
        errors["entity"] = _l("Choose one of the entities.")
    if errors:
        raise check_form(errors)


def is_present(session: Session, person_id: uuid.UUID) -> bool:
    """Whether somebody works here."""
    present = select(Person.id).where(Person.id == person_id, Person.departed_at.is_(None))
    return session.scalar(present) is not None


def is_in_use(session: Session, entity_id: uuid.UUID) -> bool:
    """Whether an entity is there and not archived."""
    found = select(Entity.id).where(Entity.id == entity_id, Entity.archived_at.is_(None))
    return session.scalar(found) is not None


# ---- Redemptions


def redeem(person_id: uuid.UUID, reward_id: uuid.UUID, *, key: str | None = None) -> Redemption:
    """Reserve one of a reward and its price in points, both at once, as it is offered to this
    person.

    The same `key` by the same person for the same reward is the same redemption, however
    often it is sent. Raises `MembersOnly`, `NoSuchReward`, `NotForThisKind`, `RewardWithdrawn`,
    `OutOfStock`, `InsufficientPoints`; then neither stock nor points have moved.
    """
    redemption_id = _named(person_id, reward_id, key) if key else new_id()
    with transaction() as session:
        is_known = _hold(session, reward_id)
        known = session.get(Redemption, redemption_id) if key else None
        if known is not None:
            return known
        _require_member(session, person_id)
        if not is_known:
            raise NoSuchReward
        sale = effective.sale(session, person_id, reward_id)
        _move(session, reward_id, sale.entity_id if sale.from_own_stock else None, -1)
        return _reserve(session, redemption_id, person_id, reward_id, sale)


def _named(person_id: uuid.UUID, reward_id: uuid.UUID, key: str) -> uuid.UUID:
    """The identifier that a form's one-time key stands for."""
    return uuid.uuid5(_KEYS, f"{person_id}:{reward_id}:{key}")


def _hold(session: Session, reward_id: uuid.UUID) -> bool:
    """Keep a reward, its price and every stock of it still until the end of the transaction;
    False where there is none. What is read after this is what stands under the lock."""
    held = select(Reward.id).where(Reward.id == reward_id).with_for_update(key_share=True)
    return session.scalar(held) is not None


def _move(session: Session, reward_id: uuid.UUID, own_of: uuid.UUID | None, by: int) -> None:
    """Add to the shared stock, or to the own one of an entity, under the lock of the reward. A
    stock without limit stays so; none can fall below zero, as the tables check."""
    model: type[Reward | RewardOverride] = Reward if own_of is None else RewardOverride
    which = (
        (Reward.id == reward_id,)
        if own_of is None
        else (RewardOverride.reward_id == reward_id, RewardOverride.entity_id == own_of)
    )
    session.execute(
        update(model)
        .where(*which)
        .values(stock_left=model.stock_left + by)
        .execution_options(synchronize_session=False)
    )


def put_back(session: Session, redemption: Redemption) -> None:
    """What a redemption took is in its stock again; nowhere, where that is kept no more."""
    _hold(session, redemption.reward_id)
    own_of = redemption.entity_id if redemption.from_own_stock else None
    _move(session, redemption.reward_id, own_of, 1)


def _require_member(session: Session, person_id: uuid.UUID) -> None:
    """Raises `MembersOnly`. The share lock is the one that the new row's foreign key would
    take; taken here it comes before the account, as it does where points are awarded."""
    takes_part = (
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.id == person_id, Person.departed_at.is_(None), Membership.left_at.is_(None))
        .with_for_update(read=True, key_share=True, of=Person)
    )
    if session.scalar(takes_part) is None:
        raise MembersOnly


def _reserve(
    session: Session,
    redemption_id: uuid.UUID,
    person_id: uuid.UUID,
    reward_id: uuid.UUID,
    sale: Sale,
) -> Redemption:
    account = accounts.account_of(person_id)
    if account is None:  # joined this very moment: the account follows, empty
        raise InsufficientPoints(0, sale.cost)
    held = ledger.reserve(
        _reference(redemption_id),
        account,
        sale.cost,
        subject=str(redemption_id),
        actor=ledger.by_person(person_id),
    )
    redemption = Redemption(
        id=redemption_id,
        reward_id=reward_id,
        person_id=person_id,
        status=RESERVED,
        transfer_id=held.id,
        **asdict(sale),
    )
    session.add(redemption)
    session.flush()
    audit.record(
        "redemption.reserved", "redemption", redemption_id, actor_id=person_id, cost=sale.cost
    )
    outbox.record("redemption.reserved", redemption_id=str(redemption_id))
    return redemption


def _reference(redemption_id: uuid.UUID) -> str:
    return f"redemption-{redemption_id}"


def fulfil(redemption_id: uuid.UUID, actor_id: uuid.UUID) -> Redemption:
    """It was handed over: the points are spent for good. The same again changes nothing.

    For the deliverer, HR and administrators. Raises `NoSuchRedemption`, `NotTheDeliverer`,
    `RedemptionSettled` when it was cancelled.
    """
    with transaction() as session:
        redemption = _for_settling(session, redemption_id, actor_id)
        if not _delivers(session, redemption, actor_id):
            raise NotTheDeliverer
        if _is_settled(redemption, FULFILLED):
            return redemption
        _settle(redemption, FULFILLED, actor_id)
        ledger.post(
            redemption.transfer_id,
            f"{_reference(redemption_id)}-post",
            actor=ledger.by_person(actor_id),
        )
        outbox.record("redemption.fulfilled", redemption_id=str(redemption_id))
    return redemption


def cancel(redemption_id: uuid.UUID, actor_id: uuid.UUID, *, reason: str = BY_CHOICE) -> Redemption:
    """Give points and stock back. The same again changes nothing.

    For the member herself while it is reserved, the deliverer, HR and administrators.
    `reason` is one of `CANCELLATION_REASONS`. Raises `InvalidInput`, `NoSuchRedemption`,
    `RedemptionSettled` when it was delivered.
    """
    if reason not in CANCELLATION_REASONS:
        raise check_form({"reason": _l("Choose a reason.")})
    with transaction() as session:
        redemption = _for_settling(session, redemption_id, actor_id)
        if _is_settled(redemption, CANCELLED):
            return redemption
        put_back(session, redemption)
        _settle(redemption, CANCELLED, actor_id, reason=reason)
        ledger.void(
            redemption.transfer_id,
            f"{_reference(redemption_id)}-void",
            reason,
            actor=ledger.by_person(actor_id),
        )
        outbox.record("redemption.cancelled", redemption_id=str(redemption_id), reason=reason)
    return redemption


def _for_settling(session: Session, redemption_id: uuid.UUID, actor_id: uuid.UUID) -> Redemption:
    """The redemption, locked, for somebody it concerns; for others it does not exist."""
    redemption = session.get(
        Redemption, redemption_id, with_for_update=True, populate_existing=True
    )
    if redemption is None or not (
        redemption.person_id == actor_id or _delivers(session, redemption, actor_id)
    ):
        raise NoSuchRedemption
    return redemption


def _delivers(session: Session, redemption: Redemption, actor_id: uuid.UUID) -> bool:
    """Who hands it over, and HR and administrators within whose reach the member is."""
    if effective.deliverer_of(session, redemption.id) == actor_id:
        return True
    return is_within(redemption.person_id, reach_of(actor_id, STAFF))


def _is_settled(redemption: Redemption, as_asked: str) -> bool:
    if redemption.status not in (RESERVED, as_asked):
        raise RedemptionSettled(redemption.status)
    return redemption.status == as_asked


def _settle(
    redemption: Redemption, status: str, actor_id: uuid.UUID, *, reason: str | None = None
) -> None:
    redemption.status = status
    redemption.settled_at, redemption.settled_by = clock.now(), actor_id
    db.session.flush()
    audit.record(
        f"redemption.{status}", "redemption", redemption.id, actor_id=actor_id, reason=reason
    )


def readable(redemption_id: uuid.UUID, person_id: uuid.UUID, roles: Collection[str]) -> Redemption:
    """One redemption, for its member, its deliverer, HR and administrators: everywhere by
    `roles`, else as far as they reach. Raises `NoSuchRedemption` for everybody else.
    """
    redemption = db.session.get(Redemption, redemption_id)
    if redemption is None or not (
        redemption.person_id == person_id
        or STAFF & {*roles}
        or _delivers(db.session(), redemption, person_id)
    ):
        raise NoSuchRedemption
    return redemption
