"""SCIM connections and groups

Revision eb9cf71ae3da, after da8be609d2c9.
"""

revision = "eb9cf71ae3da"
down_revision = "da8be609d2c9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
