"""Rounds of invitations: everybody of the directory, or of a segment, who had none yet

Revision 3f6f0d9b52c8, after 8e27c1f40a6d.
"""

import sqlalchemy as sa
from alembic import op

revision = "3f6f0d9b52c8"
down_revision = "8e27c1f40a6d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitation_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("is_limited", sa.Boolean(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("place", sa.Uuid(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_invitation_round_segment_id_segment")
        ),
        sa.ForeignKeyConstraint(
            ["started_by"], ["person.id"], name=op.f("fk_invitation_round_started_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_round")),
    )
    for column in ("segment_id", "started_at", "started_by"):
        op.create_index(op.f(f"ix_invitation_round_{column}"), "invitation_round", [column])


def downgrade() -> None:
    op.drop_table("invitation_round")
