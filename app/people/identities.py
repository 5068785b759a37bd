"""People as an identity provider names them: by issuer and lasting key, never by address alone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.db import transaction
from app.errors import InvalidInput
from app.people import provider_groups
from app.people.directory import add_person
from app.people.errors import NotInDirectory, NoWorkAddress, OtherDomain, OtherIdentity
from app.people.lookup import load_person
from app.people.models import Identity, Person
from app.people.provider_claims import Claims
from app.people.provider_settings import Chosen, chosen
from app.people.text import is_usable, normal_address, one_line
from app.web import current_settings

__all__ = ["Claims", "ExternalFinder", "find_external_ids_with", "recognise"]

log = logging.getLogger(__name__)

ExternalFinder = Callable[[str], Collection[uuid.UUID]]

_find_external: ExternalFinder = lambda external_id: ()  # noqa: E731


def find_external_ids_with(finder: ExternalFinder) -> None:
    """Say how the people whom a provisioning client names `externalId` are found: that client's
    tables stand above us."""
    global _find_external
    _find_external = finder


def recognise(claims: Claims) -> uuid.UUID:
    """The person these claims stand for, with what their groups give.

    The first time, the directory's own key or a verified address in a domain of this connection
    links them to the one entry that has it; from then on the lasting key decides, so an address
    may change hands without opening an account.

    Raises `NotInDirectory`, `NoWorkAddress`, `OtherDomain`, and `OtherIdentity` where the entry
    is linked to another account.
    """
    with transaction() as session:
        decided = chosen(session)
        if claims.workspace is not None and decided.domains:
            _check_workspace(claims, decided)
        person_id = _known(session, claims) or _found(session, claims, decided)
        person = load_person(session, person_id)
        if person.departed_at is not None:
            raise NotInDirectory
        _link(session, claims, person_id)
        provider_groups.apply(session, person, claims.groups)
        return person_id


def _check_workspace(claims: Claims, decided: Chosen) -> None:
    if claims.workspace not in decided.domains:
        raise OtherDomain


def _issuers(claims: Claims) -> tuple[str, str]:
    """With and without the slash: some providers write it, and may stop doing so."""
    return claims.issuer.rstrip("/"), claims.issuer.rstrip("/") + "/"


def _known(session: Session, claims: Claims) -> uuid.UUID | None:
    return session.scalar(
        select(Identity.person_id).where(
            Identity.issuer.in_(_issuers(claims)), Identity.subject == claims.subject
        )
    )


def _found(session: Session, claims: Claims, decided: Chosen) -> uuid.UUID:
    """Whom the claims mean at a first sign-in; one entry or none."""
    same = {*_find_external(claims.external_id)} if claims.external_id else set()
    if len(same) == 1:
        return same.pop()
    address = _own_address(claims, decided)
    person_id = _by_address(session, address)
    if person_id is None and decided.creates_people:
        return _created(session, claims, address)
    if person_id is None:
        raise NotInDirectory
    return person_id


def _own_address(claims: Claims, decided: Chosen) -> str:
    address = normal_address(claims.email or "")
    if not is_usable(address):
        raise NoWorkAddress
    if not decided.owns(address):
        raise OtherDomain
    return address


def _by_address(session: Session, address: str) -> uuid.UUID | None:
    return session.scalar(select(Person.id).where(Person.email == address))


def _created(session: Session, claims: Claims, address: str) -> uuid.UUID:
    """An entry of the directory and nothing more: taking part stays the person's own act."""
    name = one_line(claims.name)[:200].strip() or address.partition("@")[0]
    language = current_settings().locale
    try:
        return add_person(kind="employee", name=name, email=address, language=language).id
    except InvalidInput as error:  # another tab was faster
        person_id = _by_address(session, address)
        if person_id is None:
            raise NotInDirectory from error
        return person_id


def _link(session: Session, claims: Claims, person_id: uuid.UUID) -> None:
    subjects = session.scalars(
        select(Identity.subject).where(
            Identity.person_id == person_id, Identity.issuer.in_(_issuers(claims))
        )
    ).all()
    if not subjects:
        issuer = claims.issuer.rstrip("/")
        session.add(Identity(person_id=person_id, issuer=issuer, subject=claims.subject))
        audit.record("identity.linked", "person", person_id, actor_id=person_id)
    elif claims.subject not in subjects:
        raise OtherIdentity
