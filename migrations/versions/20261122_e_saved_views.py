"""Saved views of the team's lists

Revision 8b2e74c3d1f5, after 7a1d63b2c0e4.
"""

import sqlalchemy as sa
from alembic import op

revision = "8b2e74c3d1f5"
down_revision = "7a1d63b2c0e4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=1000), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "person_id", "place", "name", name=op.f("uq_saved_view_person_id_place_name")
        ),
    )
    where = sa.text("is_default")
    op.create_index(
        "uq_saved_view_default", "saved_view", ["person_id", "place"], unique=True,
        sqlite_where=where, postgresql_where=where,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_saved_view_default", table_name="saved_view")
    op.drop_table("saved_view")
