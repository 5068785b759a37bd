"""Deliveries that are not done, without what is: the failed ones, too

Revision a5c82e6f1d39, after d81f4b6c2e07.
"""

import sqlalchemy as sa
from alembic import op

revision = "a5c82e6f1d39"
down_revision = "d81f4b6c2e07"
branch_labels = None
depends_on = None

NAME, TABLE, COLUMNS = "ix_outbox_delivery_open", "outbox_delivery", ["state", "not_before"]


def _only(words: str) -> None:
    op.drop_index(NAME, table_name=TABLE)
    where = sa.text(words)
    op.create_index(NAME, TABLE, COLUMNS, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    _only("state <> 'done'")


def downgrade() -> None:
    _only("state in ('pending', 'sent')")
