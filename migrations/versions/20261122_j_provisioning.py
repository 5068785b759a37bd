"""Imports of people, SCIM connections

Revision d42b80a37c63, after c31a7f926b52.
"""

revision = "d42b80a37c63"
down_revision = "c31a7f926b52"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
