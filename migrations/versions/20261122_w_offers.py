"""Offers of entities and segments

Revision ad43f608b124, after 9c32e5f7a013.
"""

import sqlalchemy as sa
from alembic import op

revision = "ad43f608b124"
down_revision = "9c32e5f7a013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("entity", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("keeps_offers", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    for table in ("offer", "connection"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("entity_id", sa.Uuid(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_entity_id_entity"), "entity", ["entity_id"], ["id"]
            )


def downgrade() -> None:
    for table in ("connection", "offer"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"fk_{table}_entity_id_entity"), type_="foreignkey")
            batch_op.drop_column("entity_id")
    with op.batch_alter_table("entity", schema=None) as batch_op:
        batch_op.drop_column("keeps_offers")
