"""Settings of the organisation and its entities

Revision a75eb3d6af96, after f64da2c59e85.
"""

revision = "a75eb3d6af96"
down_revision = "f64da2c59e85"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
