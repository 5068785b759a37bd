"""What waits for a second person

Revision f64da2c59e85, after e53c91b48d74.
"""

revision = "f64da2c59e85"
down_revision = "e53c91b48d74"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
