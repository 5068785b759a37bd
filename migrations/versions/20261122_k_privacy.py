"""Requests about personal data, what was erased

Revision e53c91b48d74, after d42b80a37c63.
"""

revision = "e53c91b48d74"
down_revision = "d42b80a37c63"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
