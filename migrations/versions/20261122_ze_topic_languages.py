"""A topic's name, and what the organisation does, in a second language

Revision d81f4b6c2e07, after c3907be41f62.
"""

import sqlalchemy as sa
from alembic import op

revision = "d81f4b6c2e07"
down_revision = "c3907be41f62"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("topic", sa.Column("language", sa.String(length=5), nullable=True))
    op.add_column(
        "topic", sa.Column("other_name", sa.String(length=60), nullable=False, server_default="")
    )
    op.add_column("topic", sa.Column("other_code", sa.String(length=60), nullable=True))
    op.create_index("ix_topic_other_code", "topic", ["other_code"], unique=True)
    op.add_column(
        "organisation",
        sa.Column("other_about", sa.String(length=500), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("organisation", "other_about")
    op.drop_index("ix_topic_other_code", "topic")
    for name in ("other_code", "other_name", "language"):
        op.drop_column("topic", name)
