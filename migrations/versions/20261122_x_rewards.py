"""Rewards and charters of entities

Revision be540719c235, after ad43f608b124.
"""

import sqlalchemy as sa
from alembic import op

revision = "be540719c235"
down_revision = "ad43f608b124"
branch_labels = None
depends_on = None

WITH_ENTITY = ("reward", "redemption", "charter_version")


def upgrade() -> None:
    for table in WITH_ENTITY:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("entity_id", sa.Uuid(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_entity_id_entity"), "entity", ["entity_id"], ["id"]
            )
    op.add_column(
        "reward",
        sa.Column("is_open_outside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "redemption",
        sa.Column("from_own_stock", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "reward_override",
        sa.Column("reward_id", sa.Uuid(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(length=1000), nullable=True),
        sa.Column("deliverer_id", sa.Uuid(), nullable=True),
        sa.Column("has_own_stock", sa.Boolean(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("stock_left", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stock_left is null or stock_left >= 0", name=op.f("ck_reward_override_stock")
        ),
        sa.ForeignKeyConstraint(
            ["reward_id"], ["reward.id"], name=op.f("fk_reward_override_reward_id_reward")
        ),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entity.id"], name=op.f("fk_reward_override_entity_id_entity")
        ),
        sa.ForeignKeyConstraint(
            ["deliverer_id"], ["person.id"], name=op.f("fk_reward_override_deliverer_id_person")
        ),
        sa.PrimaryKeyConstraint("reward_id", "entity_id", name=op.f("pk_reward_override")),
    )
    op.create_index("ix_reward_override_entity", "reward_override", ["entity_id"])
    op.create_table(
        "entity_charter",
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entity.id"], name=op.f("fk_entity_charter_entity_id_entity")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["charter_version.id"],
            name=op.f("fk_entity_charter_version_id_charter_version"),
        ),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_entity_charter")),
    )


def downgrade() -> None:
    op.drop_table("entity_charter")
    op.drop_index("ix_reward_override_entity", table_name="reward_override")
    op.drop_table("reward_override")
    op.drop_column("redemption", "from_own_stock")
    op.drop_column("reward", "is_open_outside")
    for table in WITH_ENTITY:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_entity_id_entity"), type_="foreignkey")
            batch_op.drop_column("entity_id")
