"""Topics that members follow; what the editors' lists are read by

Revision 9c3f85d4e2a6, after 8b2e74c3d1f5.
"""

import sqlalchemy as sa
from alembic import op

revision = "9c3f85d4e2a6"
down_revision = "8b2e74c3d1f5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "topic_follow",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("topic_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_topic_follow_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"],
            ["topic.id"],
            name=op.f("fk_topic_follow_topic_id_topic"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "topic_id", name=op.f("pk_topic_follow")),
    )
    with op.batch_alter_table("topic_follow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topic_follow_topic_id"), ["topic_id"], unique=False)
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.create_index("ix_story_made", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_story_status", ["status", "created_at", "id"], unique=False)
        batch_op.create_index("ix_story_planned", ["visible_from"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.drop_index("ix_story_planned")
        batch_op.drop_index("ix_story_status")
        batch_op.drop_index("ix_story_made")
    op.drop_table("topic_follow")
