"""What one person shared of a story, and what waits for their word, without their whole past

Revision 9e3b57c0a1d4, after b41d7a9e0c53.
"""

import sqlalchemy as sa
from alembic import op

revision = "9e3b57c0a1d4"
down_revision = "b41d7a9e0c53"
branch_labels = None
depends_on = None

WAITING = sa.text("status in ('unknown', 'paused')")


def upgrade() -> None:
    op.drop_index("ix_share_story", table_name="share")
    op.create_index("ix_share_story", "share", ["story_id", "status", "person_id"])
    op.create_index(
        "ix_share_waiting",
        "share",
        ["person_id", "created_at", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_share_waiting", table_name="share")
    op.drop_index("ix_share_story", table_name="share")
    op.create_index("ix_share_story", "share", ["story_id", "status"])
