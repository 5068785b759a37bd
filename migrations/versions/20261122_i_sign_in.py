"""Passkeys, second factors, devices

Revision c31a7f926b52, after b20f6e815a41.
"""

revision = "c31a7f926b52"
down_revision = "b20f6e815a41"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
