"""What the identity provider says of groups

Revision da8be609d2c9, after c97ad5f8c1b8.
"""

revision = "da8be609d2c9"
down_revision = "c97ad5f8c1b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
