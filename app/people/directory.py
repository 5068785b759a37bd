"""The directory: who may be invited, and what they may do.

An entry is made for somebody by an administrator, an import or SCIM. It gives an address
and roles, and nothing else: taking part begins when the person joins (`membership`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.config import LANGUAGES
from app.db import transaction
from app.errors import InvalidInput, Sentence
from app.people.errors import LastAdmin, ReturnToConfirm, check_form
from app.people.logins import end_all_logins
from app.people.lookup import load_person, load_present
from app.people.membership import end_membership
from app.people.models import KINDS, ROLES, Credential, Identity, Person, RoleGrant
from app.people.proof_models import Passkey, RecoveryCode, SecondFactor
from app.people.text import is_nowhere, is_usable, normal_address, one_line
from app.people.tokens import delete_tokens

GRANTABLE = tuple(role for role in ROLES if role != "member")
_LENGTHS = {"name": 200, "employee_id": 80, "job_title": 200, "department": 200, "site": 200}


@dataclass(frozen=True, slots=True)
class Profile:
    """What the directory says of a person. `language` is one of `LANGUAGES`."""

    kind: str
    name: str
    email: str
    employee_id: str | None = None
    language: str = LANGUAGES[0]
    department: str | None = None
    site: str | None = None
    job_title: str | None = None

    @classmethod
    def of(cls, person: Person) -> Profile:
        return cls(
            person.kind, person.name, person.email, person.employee_id,
            person.language, person.department, person.site, person.job_title,
        )  # fmt: skip


def _cleaned(profile: Profile) -> Profile:
    return replace(
        profile,
        name=one_line(profile.name),
        email=normal_address(profile.email),
        employee_id=one_line(profile.employee_id) or None,
        department=one_line(profile.department) or None,
        site=one_line(profile.site) or None,
        job_title=one_line(profile.job_title) or None,
    )


def _faults(profile: Profile) -> Iterator[tuple[str, Sentence]]:
    if not profile.name:
        yield "name", _l("Give the person’s name.")
    if not is_usable(profile.email):
        yield "email", _l("Give a mail address such as name@company.org.")
    if profile.kind not in KINDS:
        yield "kind", _l("Choose one of: %(choices)s.", choices=", ".join(KINDS))
    if profile.language not in LANGUAGES:
        yield "language", _l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES))
    for field, most in _LENGTHS.items():
        if len(getattr(profile, field) or "") > most:
            yield field, _l("At most %(most)s characters.", most=most)


def _checked(profile: Profile) -> Profile:
    profile = _cleaned(profile)
    if faults := dict(_faults(profile)):
        raise check_form(faults)
    return profile


def _checked_roles(roles: Collection[str]) -> set[str]:
    if "member" in roles:
        raise check_form({"roles": _l("People become members by joining, of their own accord.")})
    if unknown := {*roles} - {*GRANTABLE}:
        names = ", ".join(sorted(unknown))
        raise check_form({"roles": _l("These roles do not exist: %(roles)s.", roles=names)})
    return {*roles}


def _refuse_taken(session: Session, profile: Profile, but: uuid.UUID | None) -> None:
    """The address and the employee number name one person each.

    An address that comes back with another employee number belongs to a newcomer: the
    entry of the person who left gives it up.
    """
    errors: dict[str, Sentence] = {}
    freed: list[Person] = []
    same = [Person.email == profile.email]
    if profile.employee_id:
        same.append(Person.employee_id == profile.employee_id)
    for other in session.scalars(select(Person).where(or_(*same))):
        if other.id == but:
            continue
        if profile.employee_id and other.employee_id == profile.employee_id:
            errors["employee_id"] = _l("Somebody has this employee number already.")
        elif other.departed_at is not None and profile.employee_id and other.employee_id:
            freed.append(other)
        else:
            errors["email"] = _l("Somebody has this address already.")
    if errors:
        raise check_form(errors)
    for other in freed:
        other.email = f"{other.id}@departed.invalid"
    session.flush()


@contextmanager
def _one_of_two_wins(session: Session) -> Iterator[None]:
    """Two entries for one address at the same moment: the second is told as usual."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        field = "employee_id" if "employee_id" in str(error.orig) else "email"
        raise check_form({field: _l("Somebody has this already.")}) from error


def add_person(
    *,
    kind: str,
    name: str,
    email: str,
    employee_id: str | None = None,
    language: str = LANGUAGES[0],
    roles: Collection[str] = (),
    department: str | None = None,
    site: str | None = None,
    job_title: str | None = None,
    actor_id: uuid.UUID | None = None,
) -> Person:
    """Make a directory entry. Raises `InvalidInput` by field; `member` cannot be given."""
    granted = _checked_roles(roles)
    profile = _checked(
        Profile(kind, name, email, employee_id, language, department, site, job_title)
    )
    with transaction() as session:
        _refuse_taken(session, profile, None)
        person = Person(**asdict(profile))
        person.role_grants = [RoleGrant(role=r, granted_by=actor_id) for r in sorted(granted)]
        with _one_of_two_wins(session):
            session.add(person)
        audit.record("person.added", "person", person.id, actor_id=actor_id, kind=kind)
        _note_roles(person, granted, set(), actor_id)
    return person


def update_person(
    person_id: uuid.UUID, profile: Profile, *, actor_id: uuid.UUID | None = None
) -> bool:
    """Change what the directory says; False when it said so already. Whoever has no address may
    go on without one.

    Raises `InvalidInput` by field, `NoSuchPerson`.
    """
    with transaction() as session:
        person = load_person(session, person_id)
        if not profile.email.strip() and is_nowhere(person.email):
            profile = replace(profile, email=person.email)
        profile = _checked(profile)
        if person.kind == "alumni" and profile.kind == "employee":
            raise ReturnToConfirm
        if Profile.of(person) == profile:
            return False
        _refuse_taken(session, profile, person.id)
        with _one_of_two_wins(session):
            for field, value in asdict(profile).items():
                setattr(person, field, value)
        audit.record("person.changed", "person", person_id, actor_id=actor_id)
    return True


def set_language(person_id: uuid.UUID, language: str) -> None:
    """The language of pages and mails, the person's own choice. Raises `InvalidInput`."""
    if language not in LANGUAGES:
        raise InvalidInput(_l("Choose one of: %(choices)s.", choices=", ".join(LANGUAGES)))
    with transaction() as session:
        load_person(session, person_id).language = language


def change_roles(
    person_id: uuid.UUID, roles: Collection[str], *, actor_id: uuid.UUID | None = None
) -> None:
    """Give exactly these roles for the whole organisation; those for a segment stay
    (`segments_reach`). Raises `InvalidInput`, `LastAdmin`, `Departed`, `NoSuchPerson`.

    Tokens need no change: a token never does more than its person may at that moment.
    """
    wanted = _checked_roles(roles)
    with transaction() as session:
        person = load_present(session, person_id)
        held = {grant.role for grant in person.role_grants if grant.segment_id is None}
        if "admin" in held - wanted:
            _keep_an_admin(session, person_id)
        kept = [g for g in person.role_grants if g.segment_id is not None or g.role in wanted]
        person.role_grants = kept + [
            RoleGrant(role=role, granted_by=actor_id) for role in sorted(wanted - held)
        ]
        _note_roles(person, wanted - held, held - wanted, actor_id)


def _keep_an_admin(session: Session, person_id: uuid.UUID) -> None:
    """Locks the administrators' grants, so that two cannot take each other's away at once."""
    everywhere = RoleGrant.role == "admin", RoleGrant.segment_id.is_(None)
    grants = select(RoleGrant.person_id).where(*everywhere).order_by(RoleGrant.id)
    if not {*session.scalars(grants.with_for_update())} - {person_id}:
        raise LastAdmin


def _note_roles(
    person: Person, given: set[str], taken: set[str], actor_id: uuid.UUID | None
) -> None:
    for role in sorted(given):
        audit.record("role.given", "person", person.id, actor_id=actor_id, role=role)
    for role in sorted(taken):
        audit.record("role.taken", "person", person.id, actor_id=actor_id, role=role)


def depart(
    person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None, cause: str = "administrator"
) -> bool:
    """The person left the organisation: at once, no access of any kind remains.

    `cause` says how it became known, for the log: 'administrator', 'end-date', 'linked' (the entry
    gave its place to another one of the same person), or the name of the import. False when it
    was known already. Raises `NoSuchPerson`, `LastAdmin`.
    """
    with transaction() as session:
        person = load_person(session, person_id)
        if person.departed_at is not None:
            return False
        if any(g.role == "admin" and g.segment_id is None for g in person.role_grants):
            _keep_an_admin(session, person_id)
        end_membership(person)
        person.departed_at = clock.now()
        held = {grant.role for grant in person.role_grants}
        person.role_grants = []
        _note_roles(person, set(), held, actor_id)
        forget_ways_in(session, person_id)
        audit.record("person.departed", "person", person_id, actor_id=actor_id, cause=cause)
        outbox.record("person.departed", person_id=str(person_id))
    return True


def forget_ways_in(session: Session, person_id: uuid.UUID) -> None:
    """Sessions, tokens, password, passkeys, second factors, the provider's link: all gone."""
    end_all_logins(person_id)
    delete_tokens(person_id)
    for way in (Credential, Identity, Passkey, SecondFactor, RecoveryCode):
        session.execute(delete(way).where(way.person_id == person_id))


def come_back(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> bool:
    """The person is with the organisation again, without roles; joining stays their own act.

    False when they never left. Raises `NoSuchPerson`.
    """
    with transaction() as session:
        person = load_person(session, person_id)
        if person.departed_at is None:
            return False
        person.departed_at = person.ends_on = None
        audit.record("person.returned", "person", person_id, actor_id=actor_id)
        outbox.record("person.returned", person_id=str(person_id))
    return True


def unlink_identities(person_id: uuid.UUID, *, actor_id: uuid.UUID | None = None) -> None:
    """Forget how the identity provider names the person; the next sign-in links anew."""
    with transaction() as session:
        load_person(session, person_id)
        session.execute(delete(Identity).where(Identity.person_id == person_id))
        audit.record("identity.unlinked", "person", person_id, actor_id=actor_id)
