"""Scores of a period

Revision 7a1d63b2c0e4, after 6f0c52a1b9d3.
"""

import sqlalchemy as sa
from alembic import op

revision = "7a1d63b2c0e4"
down_revision = "6f0c52a1b9d3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "score",
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("rank_key", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["ledger_account.id"],
            name=op.f("fk_score_account_id_ledger_account"),
        ),
        sa.PrimaryKeyConstraint("period", "account_id", name=op.f("pk_score")),
    )  # fmt: skip
    op.create_index(
        "ix_score_rank", "score",
        ["period", "rank_key", "reached_at", "account_id"], unique=False,
    )  # fmt: skip
    op.create_table(
        "score_step",
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("period", "points", name=op.f("pk_score_step")),
    )
    op.create_table(
        "score_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_mark")),
    )


def downgrade() -> None:
    for table in ("score_mark", "score_step", "score"):
        op.drop_table(table)
