"""Clicks from the spool, counted as they are stored

Revision 6f0c52a1b9d3, after 38b19b44f76e.
"""

import sqlalchemy as sa
from alembic import op

revision = "6f0c52a1b9d3"
down_revision = "38b19b44f76e"
branch_labels = None
depends_on = None

# The hour of a click, as each database writes it.
_HOUR = {
    "sqlite": "strftime('%Y-%m-%d %H:00:00.000000', occurred_at)",
    "postgresql": "date_trunc('hour', occurred_at, 'UTC')",
}


def upgrade() -> None:
    op.create_table(
        "click_count",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "verdict", name=op.f("pk_click_count")),
    )
    op.create_table(
        "click_hour",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "hour", "verdict", name=op.f("pk_click_hour")),
    )
    op.create_table(
        "spool_file",
        sa.Column("host", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("host", "name", name=op.f("pk_spool_file")),
    )
    version = op.create_table(
        "link_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_version")),
    )
    op.bulk_insert(version, [{"id": 1, "version": 0}])
    _count_what_is_there()
    op.drop_index("ix_click_visitor_key", table_name="click")
    there = sa.text("visitor_key is not null")
    op.create_index(
        "ix_click_visitor_key", "click", ["visitor_key"],
        sqlite_where=there, postgresql_where=there,
    )  # fmt: skip


def _count_what_is_there() -> None:
    hour = _HOUR[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO click_count (link_id, verdict, count, last_at) "
        "SELECT link_id, verdict, count(*), max(occurred_at) FROM click GROUP BY link_id, verdict"
    )
    op.execute(
        "INSERT INTO click_hour (link_id, hour, verdict, count) "  # nosec B608
        f"SELECT link_id, {hour}, verdict, count(*) FROM click GROUP BY link_id, {hour}, verdict"
    )


def downgrade() -> None:
    op.drop_index("ix_click_visitor_key", table_name="click")
    op.create_index("ix_click_visitor_key", "click", ["visitor_key"])
    for table in ("link_version", "spool_file", "click_hour", "click_count"):
        op.drop_table(table)
