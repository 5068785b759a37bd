"""A reward in a second language

Revision c3907be41f62, after 9e3b57c0a1d4.
"""

import sqlalchemy as sa
from alembic import op

revision = "c3907be41f62"
down_revision = "9e3b57c0a1d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reward", sa.Column("language", sa.String(length=5), nullable=True))
    for name, length in (("other_title", 120), ("other_description", 1000)):
        op.add_column(
            "reward",
            sa.Column(name, sa.String(length=length), nullable=False, server_default=""),
        )


def downgrade() -> None:
    for name in ("other_description", "other_title", "language"):
        op.drop_column("reward", name)
