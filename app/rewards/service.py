"""Selling rewards for points: the shelf, and what becomes of each redemption.

A redemption takes one from the stock and reserves the points in one short transaction. Rows
are locked in one order everywhere (a redemption that is settled, the reward, the person that
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
from app.db import db, new_id, transaction
from app.errors import InvalidInput, Sentence
from app.ledger.errors import InsufficientPoints
from app.people import kinds
from app.people.models import Membership, Person
from app.play import accounts
from app.rewards.errors import (
    MembersOnly,
    NoSuchRedemption,
    NoSuchReward,
    NotForThisKind,
    NotTheDeliverer,
    OutOfStock,
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
)

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
) -> Reward:
    """Put a reward on sale, at once. Raises `InvalidInput` by field."""
    terms = _cleaned(Terms(title, description, cost, stock, pay_class, deliverer_id))
    with transaction() as session:
        _check(session, terms)
        reward = Reward(**asdict(terms), stock_left=stock)
        session.add(reward)
        session.flush()
        audit.record("reward.created", "reward", reward.id, actor_id=actor_id, cost=cost)
    return reward


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
) -> Reward:
    """Change what is offered from now on; redemptions made before keep their price.

    Raises `InvalidInput` by field (a stock below what is taken included), `NoSuchReward`,
    `RewardWithdrawn`.
    """
    terms = _cleaned(Terms(title, description, cost, stock, pay_class, deliverer_id))
    with transaction() as session:
        reward = _locked(session, reward_id)
        if reward.withdrawn_at is not None:
            raise RewardWithdrawn
        _check(session, terms)
        left = _left(session, reward_id, stock)
        audit.record(
            "reward.changed",
            "reward",
            reward_id,
            actor_id=actor_id,
            cost=cost,
            cost_before=reward.cost,
        )
        for field, value in asdict(terms).items():
            setattr(reward, field, value)
        reward.stock_left = left
    return reward


def withdraw_reward(reward_id: uuid.UUID, *, actor_id: uuid.UUID) -> bool:
    """Take a reward off the shelf; what was redeemed before is still delivered.

    False when that was done already. Raises `NoSuchReward`.
    """
    with transaction() as session:
        reward = _locked(session, reward_id)
        if reward.withdrawn_at is not None:
            return False
        reward.withdrawn_at = clock.now()
        audit.record("reward.withdrawn", "reward", reward_id, actor_id=actor_id)
    return True


def _locked(session: Session, reward_id: uuid.UUID) -> Reward:
    reward = session.get(Reward, reward_id, with_for_update=True, populate_existing=True)
    if reward is None:
        raise NoSuchReward
    return reward


def _left(session: Session, reward_id: uuid.UUID, stock: int | None) -> int | None:
    """What can still be sold under our lock when `stock` is all there ever was."""
    if stock is None:
        return None
    taken = session.scalar(
        select(func.count())
        .select_from(Redemption)
        .where(Redemption.reward_id == reward_id, Redemption.status != CANCELLED)
    )
    if stock < (taken or 0):
        sentence = _l(
            "%(taken)d are reserved or delivered already: give at least that.", taken=taken
        )
        raise _check_form({"stock": sentence})
    return stock - (taken or 0)


def _check_form(errors: dict[str, Sentence]) -> InvalidInput:
    return InvalidInput(_l("Please check the form."), errors)


def _cleaned(terms: Terms) -> Terms:
    return Terms(
        " ".join(terms.title.split()), terms.description.strip(), terms.cost, terms.stock,
        terms.pay_class, terms.deliverer_id,
    )  # fmt: skip


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


def _check(session: Session, terms: Terms) -> None:
    errors = dict(_faults(terms))
    present = select(Person.id).where(Person.id == terms.deliverer_id, Person.departed_at.is_(None))
    if session.scalar(present) is None:
        errors["deliverer"] = _l("Name somebody who works here to deliver it.")
    if errors:
        raise _check_form(errors)


# ---- Redemptions


def redeem(person_id: uuid.UUID, reward_id: uuid.UUID, *, key: str | None = None) -> Redemption:
    """Reserve one of a reward and its price in points, both at once.

    The same `key` by the same person for the same reward is the same redemption, however
    often it is sent. Raises `MembersOnly`, `NoSuchReward`, `RewardWithdrawn`, `OutOfStock`,
    `InsufficientPoints`; then neither stock nor points have moved.
    """
    redemption_id = _named(person_id, reward_id, key) if key else new_id()
    with transaction() as session:
        cost = _take_one(session, reward_id)
        known = session.get(Redemption, redemption_id) if key else None
        if known is not None:
            if cost is not None:
                put_back(session, reward_id)
            return known
        _require_member(session, person_id)
        if cost is None:
            raise _why_not(session, reward_id)
        _require_open_to(session, person_id, reward_id)
        return _reserve(session, redemption_id, person_id, reward_id, cost)


def _named(person_id: uuid.UUID, reward_id: uuid.UUID, key: str) -> uuid.UUID:
    """The identifier that a form's one-time key stands for."""
    return uuid.uuid5(_KEYS, f"{person_id}:{reward_id}:{key}")


def _take_one(session: Session, reward_id: uuid.UUID) -> int | None:
    """Take one from the stock and answer its price, or None when there is nothing to take.

    The condition is part of the write: whoever comes second at the last one finds none. The
    row stays locked, so the price cannot change under the redemption.
    """
    return session.scalar(
        update(Reward)
        .where(
            Reward.id == reward_id,
            Reward.withdrawn_at.is_(None),
            Reward.stock_left.is_(None) | (Reward.stock_left > 0),
        )
        .values(stock_left=Reward.stock_left - 1)
        .returning(Reward.cost)
        .execution_options(synchronize_session=False)
    )


def put_back(session: Session, reward_id: uuid.UUID) -> None:
    session.execute(
        update(Reward)
        .where(Reward.id == reward_id)
        .values(stock_left=Reward.stock_left + 1)
        .execution_options(synchronize_session=False)
    )


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


def _require_open_to(session: Session, person_id: uuid.UUID, reward_id: uuid.UUID) -> None:
    """Raises `NotForThisKind` where a reward goes through payroll and the person does not."""
    row = session.execute(
        select(Person.kind, Reward.pay_class)
        .join(Reward, Reward.id == reward_id)
        .where(Person.id == person_id)
    ).one()
    if not kinds.may_ask_for(row.kind, row.pay_class):
        raise NotForThisKind


def _why_not(session: Session, reward_id: uuid.UUID) -> NoSuchReward | RewardWithdrawn | OutOfStock:
    row = session.execute(select(Reward.withdrawn_at).where(Reward.id == reward_id)).one_or_none()
    if row is None:
        return NoSuchReward()
    return RewardWithdrawn() if row.withdrawn_at is not None else OutOfStock()


def _reserve(
    session: Session,
    redemption_id: uuid.UUID,
    person_id: uuid.UUID,
    reward_id: uuid.UUID,
    cost: int,
) -> Redemption:
    account = accounts.account_of(person_id)
    if account is None:  # joined this very moment: the account follows, empty
        raise InsufficientPoints(0, cost)
    held = ledger.reserve(
        _reference(redemption_id),
        account,
        cost,
        subject=str(redemption_id),
        actor=ledger.by_person(person_id),
    )
    redemption = Redemption(
        id=redemption_id,
        reward_id=reward_id,
        person_id=person_id,
        cost=cost,
        status=RESERVED,
        transfer_id=held.id,
    )
    session.add(redemption)
    session.flush()
    audit.record("redemption.reserved", "redemption", redemption_id, actor_id=person_id, cost=cost)
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
        raise _check_form({"reason": _l("Choose a reason.")})
    with transaction() as session:
        redemption = _for_settling(session, redemption_id, actor_id)
        if _is_settled(redemption, CANCELLED):
            return redemption
        put_back(session, redemption.reward_id)
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
    deliverer = select(Reward.deliverer_id).where(Reward.id == redemption.reward_id)
    if session.scalar(deliverer) == actor_id:
        return True
    actor = session.get(Person, actor_id)
    return actor is not None and bool(STAFF & actor.roles)


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
    """One redemption, for its member, its deliverer, HR and administrators.

    Raises `NoSuchRedemption` for everybody else.
    """
    row = db.session.execute(
        select(Redemption, Reward.deliverer_id)
        .join(Reward, Reward.id == Redemption.reward_id)
        .where(Redemption.id == redemption_id)
    ).one_or_none()
    if row is None or not (person_id in (row[0].person_id, row[1]) or STAFF & {*roles}):
        raise NoSuchRedemption
    redemption: Redemption = row[0]
    return redemption
