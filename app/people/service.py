"""The verbs around people that other packages and pages may call.

Directory: `add_person`, `update_person`, `change_roles`, `depart`, `come_back`, `invite`.
Membership: `join`, `leave`, `give_consent`, `withdraw_consent`. Signing in: `sign_in`,
`start_login`, `sign_out`, `end_login`, `set_password`. API: `issue_token`, `revoke_token`.

Facts recorded, each with `person_id`: `person.invited`, `person.joined`, `person.left`,
`person.departed`, `consent.given`, `consent.withdrawn`, `password.forgotten`.
"""

from app.people.directory import (
    GRANTABLE,
    Profile,
    add_person,
    change_roles,
    come_back,
    depart,
    set_language,
    unlink_identities,
    update_person,
)
from app.people.factor_policy import set_policy as set_sign_in_policy
from app.people.invitations import invite
from app.people.logins import SignedIn, end_all_logins, end_login, sign_out, start_login
from app.people.membership import give_consent, join, leave, withdraw_consent
from app.people.passwords import (
    change_password,
    forget_password,
    reset_password,
    set_password,
    sign_in,
)
from app.people.tokens import (
    SCOPE_ROLES,
    allowed_scopes,
    ensure_token,
    issue_token,
    new_token,
    revoke_token,
    scopes_of,
    usable_scopes,
)

__all__ = [
    "GRANTABLE", "SCOPE_ROLES", "Profile", "SignedIn", "add_person", "allowed_scopes",
    "change_password", "change_roles", "come_back", "depart", "end_all_logins", "end_login",
    "ensure_token", "forget_password", "give_consent", "invite", "issue_token", "join", "leave",
    "new_token", "reset_password", "revoke_token", "scopes_of", "set_language", "set_password",
    "set_sign_in_policy", "sign_in",
    "sign_out", "start_login", "unlink_identities", "update_person", "usable_scopes",
    "withdraw_consent",
]  # fmt: skip
