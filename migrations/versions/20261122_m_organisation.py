"""Settings of the organisation and its entities

Revision a75eb3d6af96, after f64da2c59e85.
"""

import sqlalchemy as sa
from alembic import op

revision = "a75eb3d6af96"
down_revision = "f64da2c59e85"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("logo_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("logo_src", sa.String(length=200), nullable=True))
        batch_op.add_column(
            sa.Column("sender_name", sa.String(length=120), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("joining_threshold", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("team_threshold", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_organisation_logo_id_picture"), "picture", ["logo_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_organisation_logo_id_picture"), type_="foreignkey")
        for name in ("team_threshold", "joining_threshold", "sender_name", "logo_src", "logo_id"):
            batch_op.drop_column(name)
