"""Forms that wait for their author to sign in

Revision a1d4960e5f37, after 9c3f85d4e2a6.
"""

import sqlalchemy as sa
from alembic import op

revision = "a1d4960e5f37"
down_revision = "9c3f85d4e2a6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parked_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_parked_form_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_form")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_parked_form_key_hash")),
    )
    with op.batch_alter_table("parked_form", schema=None) as batch_op:
        batch_op.create_index("ix_parked_form_expires", ["expires_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("parked_form", schema=None) as batch_op:
        batch_op.drop_index("ix_parked_form_expires")

    op.drop_table("parked_form")
