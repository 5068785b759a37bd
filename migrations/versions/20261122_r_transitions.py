"""Joiners, movers, leavers

Revision fcad082bf4eb, after eb9cf71ae3da.
"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "fcad082bf4eb"
down_revision = "eb9cf71ae3da"
branch_labels = None
depends_on = None


def _at(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)


def upgrade() -> None:
    op.create_table(
        "placement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column("site", sa.String(length=200), nullable=True),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("manager_id", sa.Uuid(), nullable=True),
        _at("started_at"),
        _at("ended_at"),
        _to("placement", "person_id", "person"),
        _to("placement", "entity_id", "entity"),
        _to("placement", "manager_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_person", "placement", ["person_id", "ended_at"])
    op.create_table(
        "role_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        _at("noted_at"),
        _at("settled_at", True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        _to("role_review", "person_id", "person"),
        _to("role_review", "segment_id", "segment"),
        _to("role_review", "settled_by", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_review")),
    )
    op.create_index("ix_role_review_open", "role_review", ["settled_at", "noted_at"])
    op.create_index("ix_role_review_person", "role_review", ["person_id"])
    op.create_table(
        "held_invitation",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        _at("asked_at"),
        _to("held_invitation", "person_id", "person"),
        _to("held_invitation", "asked_by", "person"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_held_invitation")),
    )
    op.create_table(
        "personal_address",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        _at("given_at"),
        _at("confirmed_at", True),
        _to("personal_address", "person_id", "person"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_personal_address")),
    )
    op.create_table(
        "alumnus",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text_version", sa.String(length=40), nullable=False),
        _at("opened_at"),
        _at("returned_at", True),
        _to("alumnus", "person_id", "person"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_alumnus")),
    )
    rule = op.create_table(
        "leaver_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("after_window", sa.String(length=10), nullable=False),
        _at("starts_at"),
        _at("created_at"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _to("leaver_rule", "created_by", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaver_rule")),
        sa.UniqueConstraint("version", name=op.f("uq_leaver_rule_version")),
    )
    op.create_index("ix_leaver_rule_start", "leaver_rule", ["starts_at"])
    op.create_table(
        "leaver_account",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        _at("left_at"),
        _at("due_at"),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        _at("settled_at", True),
        _to("leaver_account", "account_id", "ledger_account"),
        _to("leaver_account", "rule_id", "leaver_rule"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_leaver_account")),
    )
    op.create_index("ix_leaver_account_due", "leaver_account", ["outcome", "due_at"])
    _start_rule(rule)


def _start_rule(rule: sa.Table) -> None:
    """An organisation that runs already starts with thirty days and expiry."""
    organisation = sa.table("organisation", sa.column("id"))
    if op.get_bind().execute(sa.select(organisation.c.id)).first() is None:
        return
    now = sa.func.current_timestamp()
    first = {"id": uuid.uuid4(), "version": 1, "window_days": 30, "after_window": "expired"}
    op.execute(sa.insert(rule).values(**first, starts_at=now, created_at=now))


def downgrade() -> None:
    for table in (
        "leaver_account", "leaver_rule", "alumnus", "personal_address", "held_invitation",
        "role_review", "placement",
    ):  # fmt: skip
        op.drop_table(table)
