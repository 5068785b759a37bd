"""Imports of people, SCIM connections

Revision d42b80a37c63, after c31a7f926b52.
"""

import sqlalchemy as sa
from alembic import op

revision = "d42b80a37c63"
down_revision = "c31a7f926b52"
branch_labels = None
depends_on = None

_COUNTS = (
    "created",
    "changed",
    "same",
    "refused",
    "source",
    "absent",
    "departed",
    "undone",
    "kept",
)


def upgrade() -> None:
    op.create_table(
        "people_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("error", sa.String(length=60), nullable=True),
        sa.Column("separator", sa.String(length=1), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("header_key", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("ignored_columns", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("at_line", sa.Integer(), nullable=False),
        sa.Column("foreseen", sa.JSON(), nullable=True),
        *(sa.Column(f"{name}_count", sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["started_by"], ["person.id"], name=op.f("fk_people_import_started_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_import")),
    )
    with op.batch_alter_table("people_import", schema=None) as batch_op:
        batch_op.create_index("ix_people_import_state", ["state"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_people_import_created_at"), ["created_at"], unique=False
        )
    op.create_table(
        "people_import_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("phase", sa.String(length=5), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=32), nullable=True),
        sa.Column("undo", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["people_import.id"],
            name=op.f("fk_people_import_line_import_id_people_import"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_import_line")),
    )
    with op.batch_alter_table("people_import_line", schema=None) as batch_op:
        batch_op.create_index(
            "ix_people_import_line_outcome",
            ["import_id", "phase", "outcome", "position"],
            unique=False,
        )
        batch_op.create_index(
            "ix_people_import_line_position", ["import_id", "phase", "position"], unique=False
        )
        batch_op.create_index(
            "ix_people_import_line_person", ["person_id", "import_id"], unique=False
        )
    op.create_table(
        "imported_person",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["people_import.id"],
            name=op.f("fk_imported_person_import_id_people_import"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_imported_person_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_imported_person")),
    )
    with op.batch_alter_table("imported_person", schema=None) as batch_op:
        batch_op.create_index("ix_imported_person_import", ["import_id"], unique=False)
    op.create_table(
        "import_mapping",
        sa.Column("header_key", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("header_key", name=op.f("pk_import_mapping")),
    )


def downgrade() -> None:
    op.drop_table("import_mapping")
    op.drop_table("imported_person")
    op.drop_table("people_import_line")
    op.drop_table("people_import")
