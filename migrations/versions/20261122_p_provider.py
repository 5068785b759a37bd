"""What the identity provider says of groups

Revision da8be609d2c9, after c97ad5f8c1b8.
"""

import sqlalchemy as sa
from alembic import op

revision = "da8be609d2c9"
down_revision = "c97ad5f8c1b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("creates_people", sa.Boolean(), nullable=False),
        sa.Column("offers_password", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_settings")),
    )
    op.create_table(
        "provider_mapping",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_provider_mapping_segment_id_segment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_mapping")),
    )
    with op.batch_alter_table("provider_mapping", schema=None) as batch_op:
        batch_op.create_index("ix_provider_mapping_value", ["value", "id"], unique=False)
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=20), nullable=True))
    with op.batch_alter_table("segment_person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(length=20), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("segment_person", schema=None) as batch_op:
        batch_op.drop_column("source")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_column("source")
    op.drop_table("provider_mapping")
    op.drop_table("provider_settings")
