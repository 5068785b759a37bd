"""What waits for a second person, and the roles that groups of a directory give

Revision 8b21d4e6f902, after 7a10c3d5e8f1.
"""

import sqlalchemy as sa
from alembic import op

revision = "8b21d4e6f902"
down_revision = "7a10c3d5e8f1"
branch_labels = None
depends_on = None

_OPEN = sa.text("outcome is null")


def upgrade() -> None:
    op.create_table(
        "approval_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("roles", sa.String(length=5), nullable=False),
        sa.Column("points", sa.Boolean(), nullable=False),
        sa.Column("points_above", sa.Integer(), nullable=False),
        sa.Column("money", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_policy")),
    )
    op.create_table(
        "approval_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["person.id"], name=op.f("fk_approval_request_subject_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["person.id"], name=op.f("fk_approval_request_requested_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name=op.f("fk_approval_request_decided_by_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
    )
    op.create_index(
        "uq_approval_request_open", "approval_request", ["key"], unique=True,
        sqlite_where=_OPEN, postgresql_where=_OPEN,
    )  # fmt: skip
    op.create_index(
        "ix_approval_request_outcome", "approval_request", ["outcome", "requested_at", "id"]
    )
    op.create_index("ix_approval_request_subject", "approval_request", ["subject_id"])
    op.create_index("ix_approval_request_requested", "approval_request", ["requested_at", "id"])
    op.create_table(
        "scim_group_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["scim_group.segment_id"],
            name=op.f("fk_scim_group_role_group_id_scim_group"),
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_scim_group_role_segment_id_segment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_group_role")),
    )  # fmt: skip
    op.create_index("ix_scim_group_role_group", "scim_group_role", ["group_id", "id"])
    # Who is on the list of a group because its directory wrote it there.
    op.execute(
        "update segment_person set source = 'scim' where source is null and exists ("
        "select 1 from scim_group join scim_user"
        " on scim_user.connection_id = scim_group.connection_id"
        " where scim_group.segment_id = segment_person.segment_id"
        " and scim_user.person_id = segment_person.person_id"
        " and scim_user.deleted_at is null)"
    )


def downgrade() -> None:
    op.execute("update segment_person set source = null where source = 'scim'")
    op.drop_index("ix_scim_group_role_group", "scim_group_role")
    op.drop_table("scim_group_role")
    op.drop_index("ix_approval_request_requested", "approval_request")
    op.drop_index("ix_approval_request_subject", "approval_request")
    op.drop_index("ix_approval_request_outcome", "approval_request")
    op.drop_index("uq_approval_request_open", "approval_request")
    op.drop_table("approval_request")
    op.drop_table("approval_policy")
