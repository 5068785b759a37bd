"""A fact names those who are to hear it; the relay makes their deliveries

Revision b41d7a9e0c53, after 3f6f0d9b52c8.
"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "b41d7a9e0c53"
down_revision = "3f6f0d9b52c8"
branch_labels = None
depends_on = None

EVENT = sa.table(
    "outbox_event",
    sa.column("id", sa.Uuid()),
    sa.column("hearers", sa.Text()),
    sa.column("due_at", sa.DateTime(timezone=True)),
)
DELIVERY = sa.table(
    "outbox_delivery",
    sa.column("id", sa.Uuid()),
    sa.column("event_id", sa.Uuid()),
    sa.column("handler", sa.String()),
    sa.column("state", sa.String()),
    sa.column("not_before", sa.DateTime(timezone=True)),
    sa.column("attempts", sa.Integer()),
)


def upgrade() -> None:
    op.add_column("outbox_event", sa.Column("hearers", sa.Text(), nullable=True))
    op.add_column("outbox_event", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_event_untold",
        "outbox_event",
        ["id"],
        sqlite_where=sa.text("hearers is not null"),
        postgresql_where=sa.text("hearers is not null"),
    )


def downgrade() -> None:
    """The version before looks at deliveries only: those that wait are made first."""
    connection = op.get_bind()
    untold = sa.select(EVENT).where(EVENT.c.hearers.is_not(None))
    for event_id, hearers, due_at in connection.execute(untold).all():
        connection.execute(
            sa.insert(DELIVERY),
            [
                {
                    "id": uuid.uuid4(), "event_id": event_id, "handler": name,
                    "state": "pending", "not_before": due_at, "attempts": 0,
                }
                for name in hearers.split(",")
            ],
        )  # fmt: skip
    op.drop_index("ix_outbox_event_untold", table_name="outbox_event")
    op.drop_column("outbox_event", "due_at")
    op.drop_column("outbox_event", "hearers")
