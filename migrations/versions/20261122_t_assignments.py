"""Whom things are meant for, and which segment keeps them

Revision 7a10c3d5e8f1, after 0dbe193c05fc.
"""

import sqlalchemy as sa
from alembic import op

revision = "7a10c3d5e8f1"
down_revision = "0dbe193c05fc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assignment",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=4), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_assignment_segment_id_segment")
        ),
        sa.PrimaryKeyConstraint("subject_id", "purpose", "segment_id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_segment", "assignment", ["segment_id"])


def downgrade() -> None:
    op.drop_index("ix_assignment_segment", "assignment")
    op.drop_table("assignment")
