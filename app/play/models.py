"""What acts are worth: rules with versions, the accounts of members, the awards made."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app import retention
from app.db import Model, primary_key, utc_column

# Everything that can ever be worth points: acts inside the product. No figure of a network and
# no review of the employer is among them, so no rule can name one (rules N1, N3).
SHARE_FACTS = ("share", "own-words", "visit")
REFERRAL_FACTS = ("application", "interview", "hire")
FACTS = (*REFERRAL_FACTS, *SHARE_FACTS)
PERIODS = ("day", "week")


class RuleVersion(Model):
    """What one fact is worth from `starts_at` on. `amount` is paid at once, `held_amount`
    when `hold_days` have passed: after the contract's start for a hire, after the fact for the
    others. `cap` limits how often a member is rewarded for it in one `cap_period` ('day',
    'week'); None means no limit. A version never changes."""

    __tablename__ = "rule_version"
    __retention__ = retention.PROGRAMME
    __table_args__ = (
        UniqueConstraint("fact", "version"),
        Index("ix_rule_start", "fact", "starts_at"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    fact: Mapped[str] = mapped_column(String(30))
    version: Mapped[int]
    name_fr: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    amount: Mapped[int]
    held_amount: Mapped[int] = mapped_column(default=0)
    hold_days: Mapped[int] = mapped_column(default=0)
    cap: Mapped[int | None]
    cap_period: Mapped[str | None] = mapped_column(String(5))
    starts_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = utc_column()
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)


class PointsAccount(Model):
    """The only place that knows whose account is whose. Erasure empties this row."""

    __tablename__ = "points_account"
    __retention__ = retention.MEMBERSHIP

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), unique=True)
    opened_at: Mapped[dt.datetime] = utc_column()


class Award(Model):
    """One part of one award for one fact about one referral. `attempt` counts how often the
    fact came true again after it was undone; at most one attempt is live.

    `state`: 'waiting' (the person has not joined), 'posted', 'held', 'undone'.
    """

    __tablename__ = "award"
    __retention__ = retention.LEDGER
    __table_args__ = (
        UniqueConstraint("referral_id", "fact", "part", "hire_key", "attempt"),
        Index("ix_award_due", "state", "due_on"),
        Index("ix_award_person", "person_id", "state"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    referral_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("referral.id"))
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    fact: Mapped[str] = mapped_column(String(30))
    part: Mapped[str] = mapped_column(String(10))
    hire_key: Mapped[str] = mapped_column(String(64), default="")
    attempt: Mapped[int] = mapped_column(default=1)
    amount: Mapped[int]
    rule_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rule_version.id"))
    transfer_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(String(10))
    due_on: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = utc_column()


class ShareAward(Model):
    """What one fact about one share was worth: the post itself, the member's own words, one
    visit (`key` is the click's id). At most one row for each, whatever comes twice.

    `occurred_at` is the fact's own time, `day` its day on the organisation's wall clock: the
    rule's limit counts in this order. `state`: 'posted', 'held' (until `due_at`), 'undone', or
    'capped' (above the limit: `amount` 0, told so). `attempt` counts how often it was given.
    """

    __tablename__ = "share_award"
    __retention__ = retention.LEDGER
    __table_args__ = (
        UniqueConstraint("share_id", "fact", "key"),
        Index("ix_share_award_cap", "person_id", "fact", "day", "occurred_at"),
        Index("ix_share_award_due", "state", "person_id", "due_at"),
    )

    id: Mapped[uuid.UUID] = primary_key()
    share_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"))
    fact: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(40), default="")
    occurred_at: Mapped[dt.datetime]
    day: Mapped[dt.date]
    attempt: Mapped[int] = mapped_column(default=0)
    amount: Mapped[int] = mapped_column(default=0)
    rule_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rule_version.id"))
    transfer_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = utc_column()


class Score(Model):
    """What a member earned in one month on the organisation's calendar, from the ledger.
    `reached_at`: when the figure was first seen, so that of equals the earlier stands first;
    `rank_key` is minus the points, so that an ordinary index has the order of the list. Rebuilt
    from the ledger at any time."""

    __tablename__ = "score"
    __retention__ = retention.MEMBERSHIP
    __table_args__ = (
        Index("ix_score_rank", "period", "rank_key", "reached_at", "account_id"),
    )  # fmt: skip

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
    rank_key: Mapped[int] = mapped_column(BigInteger)
    reached_at: Mapped[dt.datetime]


class ScoreStep(Model):
    """How many members have exactly so many points in a month: a rank is a sum over the steps
    above one's own, however many people there are."""

    __tablename__ = "score_step"
    __retention__ = retention.PROGRAMME

    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    people: Mapped[int] = mapped_column(default=0)


class ScoreMark(Model):
    """One row: up to which transfer the scores have been brought."""

    __tablename__ = "score_mark"
    __retention__ = retention.PROGRAMME

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    transfer_id: Mapped[uuid.UUID]


class LeaverRule(Model):
    """What becomes of a leaver's points, from `starts_at` on. They are frozen for `window_days`
    after the last day (or after the last of them came off hold); who has not kept an account
    by then loses them ('expired') or has them turned into a donation of the organisation
    ('donated'). A version never changes."""

    __tablename__ = "leaver_rule"
    __retention__ = retention.PROGRAMME
    __table_args__ = (Index("ix_leaver_rule_start", "starts_at"),)

    id: Mapped[uuid.UUID] = primary_key()
    version: Mapped[int] = mapped_column(unique=True)
    window_days: Mapped[int]
    after_window: Mapped[str] = mapped_column(String(10))
    starts_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = utc_column()
    created_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("person.id"), index=True)


class LeaverAccount(Model):
    """The points of somebody who left the organisation, under one version of the rule.

    `due_at` is when the rule is to be applied next; `outcome` is None while the points
    are frozen, then 'kept' (as a former employee), 'returned', 'expired' or 'donated'."""

    __tablename__ = "leaver_account"
    __retention__ = retention.LEDGER
    __table_args__ = (Index("ix_leaver_account_due", "outcome", "due_at"),)

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_account.id"), primary_key=True)
    rule_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("leaver_rule.id"))
    left_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    outcome: Mapped[str | None] = mapped_column(String(10))
    settled_at: Mapped[dt.datetime | None]
