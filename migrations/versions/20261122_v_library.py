"""Stories and the segments they are kept by

Revision 9c32e5f7a013, after 8b21d4e6f902.
"""

revision = "9c32e5f7a013"
down_revision = "8b21d4e6f902"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
