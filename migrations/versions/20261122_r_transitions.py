"""Joiners, movers, leavers

Revision fcad082bf4eb, after eb9cf71ae3da.
"""

revision = "fcad082bf4eb"
down_revision = "eb9cf71ae3da"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
