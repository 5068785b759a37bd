"""Sums of single values of the directory

Revision 8e27c1f40a6d, after 5d1c07e2b9a4.
"""

import sqlalchemy as sa
from alembic import op

revision = "8e27c1f40a6d"
down_revision = "5d1c07e2b9a4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_value",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_value")),
    )
    op.create_index("ix_directory_value_field", "directory_value", ["field", "value"])
    # Whatever was summed before is summed again, into both tables, by the next fold.
    op.execute("update directory_cell set is_folded = false")
    op.drop_index("ix_directory_cell_open", table_name="directory_cell")
    op.create_index(
        "ix_directory_cell_open", "directory_cell", ["id"],
        sqlite_where=sa.text("is_folded = 0"), postgresql_where=sa.text("not is_folded"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_directory_cell_open", table_name="directory_cell")
    op.create_index(
        "ix_directory_cell_open", "directory_cell", ["id"],
        sqlite_where=sa.text("not is_folded"), postgresql_where=sa.text("not is_folded"),
    )  # fmt: skip
    op.drop_table("directory_value")
