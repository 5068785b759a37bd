"""Segments, entities, what the directory says of people

Revision b20f6e815a41, after a1d4960e5f37.
"""

import sqlalchemy as sa
from alembic import op

revision = "b20f6e815a41"
down_revision = "a1d4960e5f37"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity")),
        sa.UniqueConstraint("code", name=op.f("uq_entity_code")),
    )
    op.create_table(
        "segment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["person.id"], name=op.f("fk_segment_created_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index("ix_segment_name", ["name", "id"], unique=False)
    op.create_table(
        "segment_person",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_segment_person_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_segment_person_segment_id_segment")
        ),
        sa.PrimaryKeyConstraint("segment_id", "person_id", name=op.f("pk_segment_person")),
    )
    with op.batch_alter_table("segment_person", schema=None) as batch_op:
        batch_op.create_index("ix_segment_person_person", ["person_id"], unique=False)
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("function", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("contract", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("hired_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("ends_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("entity_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("manager_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_person_entity_id_entity"), "entity", ["entity_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_person_manager_id_person"), "person", ["manager_id"], ["id"]
        )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_constraint("uq_role_grant_person_id_role", type_="unique")
        batch_op.add_column(sa.Column("segment_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_role_grant_segment_id_segment"), "segment", ["segment_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_role_grant_person_id_role_segment_id"),
            ["person_id", "role", "segment_id"],
        )
        batch_op.create_index(
            "uq_role_grant_everywhere",
            ["person_id", "role"],
            unique=True,
            sqlite_where=sa.text("segment_id is null"),
            postgresql_where=sa.text("segment_id is null"),
        )


def downgrade() -> None:
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index("uq_role_grant_everywhere")
        batch_op.drop_constraint(
            batch_op.f("uq_role_grant_person_id_role_segment_id"), type_="unique"
        )
        batch_op.drop_constraint(batch_op.f("fk_role_grant_segment_id_segment"), type_="foreignkey")
        batch_op.drop_column("segment_id")
        batch_op.create_unique_constraint("uq_role_grant_person_id_role", ["person_id", "role"])
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_person_manager_id_person"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_person_entity_id_entity"), type_="foreignkey")
        for name in (
            "suspended_at", "manager_id", "entity_id", "ends_on", "hired_on", "contract", "function"
        ):  # fmt: skip
            batch_op.drop_column(name)
    op.drop_table("segment_person")
    op.drop_table("segment")
    op.drop_table("entity")
