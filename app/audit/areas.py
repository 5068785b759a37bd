"""Which acts the audit page shows, by area, and which belong to a person alone.

Shown are acts of the team: settings, rights, points and rewards, what was published, exports
and openings of a candidate's file. What somebody did about their own taking part (joining,
consents, posts, passwords) is theirs: a list of it would name those who left or never shared
(rule W2), so they find it among their own data and nobody finds it here. A test reads the code
and fails on an act that is in neither list.
"""

from __future__ import annotations

from typing import Final

SETTINGS, RIGHTS, POINTS, CONTENT, EXPORTS, FILES = (
    "settings", "rights", "points", "content", "exports", "files",
)  # fmt: skip

AREAS: Final[dict[str, frozenset[str]]] = {
    SETTINGS: frozenset({
        "activation.recorded", "approvals.changed", "charter.discarded", "charter.drafted", "charter.published",
        "charter.shared_again",
        "connection.created", "connection.deleted", "connection.secret_rotated",
        "connection.updated", "disclosure.added", "disclosure.put_first", "disclosure.retired",
        "entity.archived", "entity.changed", "entity.made", "leaver_rule.started",
        "organisation.saved", "provider.changed", "scim.connection_made",
        "scim.connection_removed", "scim.token_ended", "scim.token_made", "sharing.cap",
        "sharing.resumed", "sharing.stopped", "sharing.trouble", "sign_in.policy",
    }),
    RIGHTS: frozenset({
        "approval.alone", "approval.approved", "approval.asked", "approval.declined",
        "approval.expired", "approval.withdrawn", "identity.unlinked", "invitation.held", "invitation.revoked",
        "invitations.begun", "invitations.reminded", "invitations.resumed", "invitations.stopped",
        "join_request.let_in", "join_request.turned_away",
        "open_invitation.made", "open_invitation.revoked", "partner.added", "people.import_cancelled",
        "people.import_checked", "people.import_confirmed", "people.import_departures",
        "people.import_failed", "people.import_resumed", "people.import_started",
        "people.import_undo_asked", "people.import_undone", "people.imported", "person.added",
        "person.changed", "person.departed", "person.invited", "person.last_day",
        "person.resumed", "person.returned", "person.suspended", "person.taken_back",
        "provider.mapping_added", "provider.mapping_removed", "role.given", "role.reviewed",
        "role.taken", "scim.adopted", "scim.created", "scim.deleted", "scim.departed",
        "scim.group_changed", "scim.group_created", "scim.group_deleted", "scim.mapping_added",
        "scim.mapping_removed", "scim.returned",
        "second_factor.reset", "segment.archived", "segment.changed", "segment.created",
        "segment.entered", "segment.left",
        "segment.people_added", "segment.person_added", "segment.person_removed",
        "segment.restored",
    }),
    POINTS: frozenset({
        "points.given", "points.waived",
        "redemption.cancelled", "redemption.fulfilled", "reward.changed", "reward.created",
        "reward.overridden", "reward.restocked", "reward.restored",
        "reward.shared_again",
        "reward.withdrawn", "rule.started", "rule.withdrawn",
    }),
    CONTENT: frozenset({
        "offer.closed", "offer.created", "offer.opened", "offer.updated",
        "offers.absent_closed", "offers.import_cancelled", "offers.import_confirmed",
        "offers.import_failed", "offers.import_resumed", "offers.imported", "story.changed",
        "story.created", "story.discarded", "story.published", "story.withdrawn",
        "topic.named", "topic.ordinary", "topic.sensitive",
    }),
    EXPORTS: frozenset({
        "audit.exported", "people.refused_exported", "redemptions.exported",
        "redemptions.printed", "referrals.exported",
    }),
    FILES: frozenset({
        "ats.dismissed", "ats.matched", "referral.assigned", "referral.next_step",
        "referral.opened", "referral.stage", "request.closed", "request.extended",
        "request.opened",
    }),
}  # fmt: skip

SHOWN: Final = frozenset().union(*AREAS.values())
OWN: Final[frozenset[str]] = frozenset({
    "alumni.opened", "address.confirmed", "address.given", "address.withdrawn", "candidate.corrected",
    "candidate.copy_asked", "candidate.erased", "candidate.visibility", "candidate.withdrew", "charter.accepted",
    "charter.declined", "charter.withdrawn", "consent.given", "consent.withdrawn",
    "correction.asked", "correction.withdrawn", "grant.ended",
    "grant.refused", "grant.stored", "identity.linked", "link.revoked", "login.ended",
    "member.joined", "member.left", "passkey.added", "passkey.removed", "passkey.used",
    "password.asked", "password.reset", "password.set", "person.erased", "points.settled", "recovery_code.used",
    "recovery_codes.renewed", "redemption.reserved", "second_factor.removed",
    "second_factor.set", "share.checked", "share.declared", "share.figures_declared",
    "share.pressed", "share.withdrawn", "story.proposed", "token.made", "token.revoked",
})  # fmt: skip


def area_of(action: str) -> str | None:
    """The area that shows an act; None where it is a person's own."""
    return next((area for area, actions in AREAS.items() if action in actions), None)
