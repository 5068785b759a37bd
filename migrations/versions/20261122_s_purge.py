"""What was purged, requests and their due dates

Revision 0dbe193c05fc, after fcad082bf4eb.
"""

revision = "0dbe193c05fc"
down_revision = "fcad082bf4eb"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
