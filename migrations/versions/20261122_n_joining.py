"""Consents by channel, pauses, activation, transitions

Revision b86fc4e7b0a7, after a75eb3d6af96.
"""

import sqlalchemy as sa
from alembic import op

revision = "b86fc4e7b0a7"
down_revision = "a75eb3d6af96"
branch_labels = None
depends_on = None

TABLES = (
    "activation_record", "pause", "consent_record", "consent_text", "email_code", "join_request",
    "open_invitation", "invitation_refusal", "invitation",
)  # fmt: skip


def _moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _words(name: str, length: int, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _of(table: str, column: str, target: str, **more: str) -> sa.ForeignKeyConstraint:
    kept = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(kept), **more)


def upgrade() -> None:
    _invitations()
    _codes()
    _consents()
    op.create_table(
        "pause",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _moment("began_at"),
        _moment("ends_at", nullable=True),
        _of("pause", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_pause")),
    )
    op.create_index("ix_pause_ends", "pause", ["ends_at"])
    op.create_table(
        "activation_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_notice_on", sa.Date(), nullable=True),
        sa.Column("council_applies", sa.Boolean(), nullable=False),
        sa.Column("council_on", sa.Date(), nullable=True),
        _words("text_hash", 64),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        _moment("recorded_at"),
        _of("activation_record", "recorded_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation_record")),
    )
    op.create_index(op.f("ix_activation_record_recorded_at"), "activation_record", ["recorded_at"])


def _invitations() -> None:
    op.create_table(
        "invitation",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _moment("sent_at"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        _of("invitation", "person_id", "person.id"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_invitation")),
    )
    op.create_index("ix_invitation_sent", "invitation", ["sent_at", "person_id"])
    op.create_table(
        "invitation_refusal",
        _words("address_hash", 64),
        _moment("refused_at"),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_invitation_refusal")),
    )
    op.create_table(
        "open_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        _words("label", 120),
        _words("site", 200, nullable=True),
        _words("department", 200, nullable=True),
        _words("language", 5),
        _words("admission", 10),
        _words("domain", 254, nullable=True),
        sa.Column("use_limit", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        _words("code_hash", 64),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", nullable=True),
        _of("open_invitation", "created_by", "person.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_open_invitation_code_hash")),
    )
    op.create_index("ix_open_invitation_batch", "open_invitation", ["batch_id"])


def _codes() -> None:
    op.create_table(
        "join_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        _words("name", 200),
        _words("email", 254),
        _words("language", 5),
        _moment("created_at"),
        _moment("verified_at", nullable=True),
        _moment("asked_at", nullable=True),
        _of("join_request", "invitation_id", "open_invitation.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
    )
    op.create_index("ix_join_request_asked", "join_request", ["asked_at", "id"])
    op.create_index(op.f("ix_join_request_created_at"), "join_request", ["created_at"])
    op.create_table(
        "email_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        _words("code_hash", 64),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        _moment("expires_at"),
        _of("email_code", "person_id", "person.id"),
        _of("email_code", "request_id", "join_request.id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_code")),
    )
    op.create_index(op.f("ix_email_code_person_id"), "email_code", ["person_id"])
    op.create_index(op.f("ix_email_code_request_id"), "email_code", ["request_id"])


def _consents() -> None:
    op.create_table(
        "consent_text",
        _words("text_hash", 64),
        _words("purpose", 40),
        _words("version", 40),
        _words("language", 5),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("first_shown_at"),
        sa.PrimaryKeyConstraint("text_hash", name=op.f("pk_consent_text")),
    )
    op.create_table(
        "consent_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _words("purpose", 40),
        _words("channel", 20),
        _words("answer", 10),
        _words("text_hash", 64),
        _words("act", 20),
        _moment("answered_at"),
        _of("consent_record", "person_id", "person.id"),
        _of("consent_record", "text_hash", "consent_text.text_hash"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_record")),
    )
    op.create_index("ix_consent_record_person", "consent_record", ["person_id", "answered_at"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
