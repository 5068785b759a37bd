"""SCIM connections and groups

Revision eb9cf71ae3da, after da8be609d2c9.
"""

import sqlalchemy as sa
from alembic import op

revision = "eb9cf71ae3da"
down_revision = "da8be609d2c9"
branch_labels = None
depends_on = None

LIVING = sa.text("deleted_at is null")


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
    )


def _unique_living(name: str, table: str, *columns: str) -> None:
    op.create_index(
        name, table, [*columns], unique=True, sqlite_where=LIVING, postgresql_where=LIVING
    )


def upgrade() -> None:
    op.create_table(
        "scim_connection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        _time("created_at"),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _time("used_at", nullable=True),
        _key("scim_connection", "created_by", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_connection")),
    )
    op.create_index(
        "uq_scim_connection_default", "scim_connection", ["is_default"], unique=True,
        sqlite_where=sa.text("is_default"), postgresql_where=sa.text("is_default"),
    )  # fmt: skip
    op.create_table(
        "scim_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        _time("created_at"),
        _time("used_at", nullable=True),
        _key("scim_token", "connection_id", "scim_connection"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_scim_token_token_hash")),
    )
    op.create_index("ix_scim_token_connection", "scim_token", ["connection_id", "created_at"])
    op.create_table(
        "scim_count",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        _key("scim_count", "connection_id", "scim_connection"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_count")),
        sa.UniqueConstraint(
            "connection_id", "day", "what", name=op.f("uq_scim_count_connection_id_day_what")
        ),
    )
    op.create_table(
        "scim_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("scim_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=300), nullable=True),
        sa.Column("user_key", sa.String(length=300), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("manager_ref", sa.String(length=300), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("former_id", sa.Uuid(), nullable=True),
        _time("created_at"),
        _time("modified_at"),
        _time("deleted_at", nullable=True),
        _key("scim_user", "connection_id", "scim_connection"),
        _key("scim_user", "person_id", "person"),
        _key("scim_user", "former_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_user")),
    )
    _unique_living("uq_scim_user_name", "scim_user", "connection_id", "user_key")
    _unique_living("uq_scim_user_external", "scim_user", "connection_id", "external_id")
    _unique_living("uq_scim_user_id", "scim_user", "scim_id")
    _unique_living("uq_scim_user_person", "scim_user", "person_id")
    op.create_index(
        "ix_scim_user_page", "scim_user", ["connection_id", "id"],
        sqlite_where=LIVING, postgresql_where=LIVING,
    )  # fmt: skip
    op.create_index("ix_scim_user_email", "scim_user", ["connection_id", "email"])
    op.create_index("ix_scim_user_modified", "scim_user", ["connection_id", "modified_at"])
    op.create_index("ix_scim_user_manager", "scim_user", ["connection_id", "manager_ref"])
    op.create_index("ix_scim_user_gone", "scim_user", ["person_id"])
    op.create_table(
        "scim_group",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=300), nullable=True),
        sa.Column("display_name", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        _time("created_at"),
        _time("modified_at"),
        _time("deleted_at", nullable=True),
        _key("scim_group", "segment_id", "segment"),
        _key("scim_group", "connection_id", "scim_connection"),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_scim_group")),
    )
    _unique_living("uq_scim_group_name", "scim_group", "connection_id", "name_key")
    _unique_living("uq_scim_group_external", "scim_group", "connection_id", "external_id")


def downgrade() -> None:
    for table in ("scim_group", "scim_user", "scim_count", "scim_token", "scim_connection"):
        op.drop_table(table)
