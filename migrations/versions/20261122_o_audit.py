"""The audit trail, to be searched

Revision c97ad5f8c1b8, after b86fc4e7b0a7.
"""

revision = "c97ad5f8c1b8"
down_revision = "b86fc4e7b0a7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
