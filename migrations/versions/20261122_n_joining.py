"""Consents by channel, pauses, activation, transitions

Revision b86fc4e7b0a7, after a75eb3d6af96.
"""

revision = "b86fc4e7b0a7"
down_revision = "a75eb3d6af96"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
