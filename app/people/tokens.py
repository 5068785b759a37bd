"""Tokens of the API: scoped, hashed at rest, shown once, never more than their person may do.

What a scope needs is told by `SCOPE_ROLES`. It is asked when a token is made and again at
every call (`usable_scopes`), so a role that is taken away takes its scopes with it.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import uuid
from collections.abc import Collection

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit, clock
from app.crypto import token_hash
from app.db import transaction
from app.errors import NotFound, Sentence
from app.people.errors import check_form
from app.people.lookup import load_present
from app.people.models import ROLES, AccessToken, Person
from app.people.text import one_line

PREFIX = "pvx_"
_FORMAT = re.compile(r"pvx_[A-Za-z0-9_-]{43}")

SCOPE_ROLES: dict[str, frozenset[str]] = {
    "read": frozenset(ROLES),
    "stories:write": frozenset({"contributor", "curator", "admin"}),
    "shares:write": frozenset({"member"}),
    "offers:write": frozenset({"recruiter", "admin"}),
    "referrals:write": frozenset({"member", "recruiter", "admin"}),
    "rewards:write": frozenset({"hr", "admin"}),
    "redemptions:write": frozenset({"member", "hr", "admin"}),
    "rules:write": frozenset({"hr", "lead", "admin"}),
    "people:write": frozenset({"admin"}),
    "connections:write": frozenset({"recruiter", "admin"}),
    "ledger:read": frozenset({"auditor", "hr", "lead", "admin", "sponsor"}),
    "scim": frozenset({"admin"}),
}


_WHOLE: frozenset[str] = frozenset({"scim"})
"""Scopes that no part of the organisation limits."""


def allowed_scopes(roles: Collection[str]) -> frozenset[str]:
    """Every scope that somebody with these roles may put into a token."""
    return frozenset(scope for scope, enough in SCOPE_ROLES.items() if enough & {*roles})


def scopes_of(person: Person) -> frozenset[str]:
    """The whole directory is kept by administrators of the whole organisation only."""
    everywhere = {grant.role for grant in person.role_grants if grant.segment_id is None}
    return allowed_scopes(person.roles) - (_WHOLE - allowed_scopes(everywhere))


def usable_scopes(scopes: Collection[str], roles: Collection[str]) -> frozenset[str]:
    """What a token may do now."""
    return frozenset(scopes) & allowed_scopes(roles)


def new_token() -> str:
    """256 random bits behind a prefix that a scanner of leaked secrets recognises."""
    return PREFIX + secrets.token_urlsafe(32)


def _refuse(name: str, scopes: set[str], allowed: frozenset[str]) -> None:
    errors: dict[str, Sentence] = {}
    if not name or len(name) > 120:
        errors["name"] = _l("Give the token a name of at most 120 characters.")
    if not scopes:
        errors["scopes"] = _l("Choose what the token may do.")
    elif beyond := scopes - allowed:
        listed = ", ".join(sorted(beyond))
        errors["scopes"] = _l("Your roles do not allow: %(scopes)s.", scopes=listed)
    if errors:
        raise check_form(errors)


def _refuse_mixture(scopes: set[str]) -> None:
    """A machine that manages people never speaks in a member's name."""
    if {"scim", "shares:write"} <= scopes:
        raise check_form(
            {"scopes": _l("Sharing in your name and managing the directory need two tokens.")}
        )


def issue_token(
    person_id: uuid.UUID,
    name: str,
    scopes: Collection[str],
    *,
    token: str | None = None,
    expires_at: dt.datetime | None = None,
    by_console: bool = False,
) -> str:
    """Make a token for the person who asks for it; its plain text is returned this once.

    The only callers are the person's own page and the console (`by_console`, which may mix
    any scopes that the roles allow). Raises `InvalidInput` by field, `Departed`, `NoSuchPerson`.
    """
    plain, wanted, name = token or new_token(), {*scopes}, one_line(name)
    if not _FORMAT.fullmatch(plain):
        raise ValueError("a token is pvx_ and 43 characters")
    with transaction() as session:
        person = load_present(session, person_id)
        _refuse(name, wanted, scopes_of(person))
        if not by_console:
            _refuse_mixture(wanted)
        row = _row(person, name, wanted, plain, expires_at)
        session.add(row)
        session.flush()
        audit.record("token.made", "token", row.id, actor_id=person_id, scopes=" ".join(row.scopes))
    return plain


def _row(
    person: Person, name: str, scopes: set[str], plain: str, expires_at: dt.datetime | None
) -> AccessToken:
    return AccessToken(
        person_id=person.id,
        name=name,
        token_hash=token_hash(plain),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )


def ensure_token(person_id: uuid.UUID, token: str, scopes: Collection[str]) -> None:
    """For the demo: this very token works and has these scopes, however often it is asked."""
    with transaction() as session:
        row = session.scalar(select(AccessToken).where(AccessToken.token_hash == token_hash(token)))
        if row is None:
            issue_token(person_id, "Demo", scopes, token=token, by_console=True)
            return
        if row.person_id != person_id:
            raise ValueError("this token belongs to somebody else")
        row.scopes, row.revoked_at, row.expires_at = sorted(scopes), None, None


def revoke_token(person_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """Take back one of the person's own tokens, at once. Raises `NotFound` for another's."""
    with transaction() as session:
        row = _own(session, person_id, token_id)
        if row.revoked_at is None:
            row.revoked_at = clock.now()
            audit.record("token.revoked", "token", token_id, actor_id=person_id)


def _own(session: Session, person_id: uuid.UUID, token_id: uuid.UUID) -> AccessToken:
    row = session.get(AccessToken, token_id)
    if row is None or row.person_id != person_id:
        raise NotFound(_l("There is no such token among yours."))
    return row


def delete_tokens(person_id: uuid.UUID) -> None:
    """Every token of the person is gone, its hash included (rule E6)."""
    with transaction() as session:
        session.execute(delete(AccessToken).where(AccessToken.person_id == person_id))
