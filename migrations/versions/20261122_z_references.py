"""References that are looked up when what they name is deleted have an index

Deleting a row, each table that may refer to it is asked: without an index, from end to end.

Revision 5d1c07e2b9a4, after cf65182ad346.
"""

from alembic import op

revision = "5d1c07e2b9a4"
down_revision = "cf65182ad346"
branch_labels = None
depends_on = None

REFERENCES = (
    ("activation_record", "recorded_by"),
    ("approval_request", "decided_by"),
    ("approval_request", "requested_by"),
    ("ats_event", "referral_id"),
    ("charter_version", "created_by"),
    ("charter_version", "published_by"),
    ("claim", "person_id"),
    ("correction", "person_id"),
    ("decision", "claim_id"),
    ("held_invitation", "asked_by"),
    ("identity", "person_id"),
    ("leaver_rule", "created_by"),
    ("offer", "recruiter_id"),
    ("offer_import", "started_by"),
    ("offer_import_line", "offer_id"),
    ("offer_link", "person_id"),
    ("open_invitation", "created_by"),
    ("parked_form", "person_id"),
    ("people_import", "started_by"),
    ("person", "manager_id"),
    ("picture", "added_by"),
    ("placement", "manager_id"),
    ("recommendation", "offer_id"),
    ("redemption", "settled_by"),
    ("referral", "owner_id"),
    ("reward", "deliverer_id"),
    ("reward_override", "deliverer_id"),
    ("role_grant", "granted_by"),
    ("role_review", "settled_by"),
    ("rule_version", "created_by"),
    ("scim_connection", "created_by"),
    ("scim_user", "former_id"),
    ("segment", "created_by"),
    ("share", "picture_id"),
    ("sharing_stop", "lifted_by"),
    ("sharing_stop", "stopped_by"),
    ("sign_in_step", "person_id"),
    ("story", "published_by"),
)


def upgrade() -> None:
    for table, column in REFERENCES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in reversed(REFERENCES):
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
