"""Where SCIM and signing in meet: the directory's own key of a person is the same in both.

Entra ID sends `oid` in the ID token and, mapped so, as `externalId`; Okta its user id.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select

from app.db import db
from app.people import identities
from app.provisioning.scim.models import ScimConnection, ScimUser


def people_of(external_id: str) -> frozenset[uuid.UUID]:
    """Whom any connection names so now; more than one where two connections disagree."""
    found = select(ScimUser.person_id).where(
        ScimUser.connection_id.in_(select(ScimConnection.id)),
        ScimUser.external_id == external_id,
        ScimUser.deleted_at.is_(None),
    )
    return frozenset(db.session.scalars(found))


def start() -> None:
    """Have first sign-ins ask here."""
    identities.find_external_ids_with(people_of)
