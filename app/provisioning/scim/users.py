"""Users of a connection: people of the directory, and only that.

What a connection says goes through the directory's own use cases, so that a departure here
is a departure everywhere, in the same transaction. Nobody becomes a member by it, and
nothing here tells who is one (rules W1, W2).

Who a new user is: a person whom the directory has under the same employee number, even if
they had left, or under the same address, if they had not and hold no other number. A person
belongs to one connection at a time. An address of somebody who left goes to the newcomer,
and the page of the connection proposes that the two may be one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, clock
from app.config import LANGUAGES
from app.db import db, new_id, transaction
from app.errors import DomainError, InvalidInput
from app.people import service as people
from app.people.errors import LastAdmin, ReturnToConfirm
from app.people.kinds import ALUMNI
from app.people.lookup import load_person
from app.people.models import Person, SegmentPerson
from app.people.text import nowhere
from app.provisioning.scim import activity, group_roles, mapping, normalising, wire
from app.provisioning.scim.mapping import Fields, as_id
from app.provisioning.scim.models import ScimGroup, ScimUser
from app.provisioning.scim.problems import Refused, invalid, taken, unknown
from app.provisioning.scim.wire import JSONObject
from app.settings.models import Entity
from app.web import current_settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call says: the external id, the attributes that are kept, whether active."""

    external_id: str | None
    said: JSONObject
    active: bool | None

    @classmethod
    def of(cls, resource: JSONObject) -> Asked:
        said = mapping.kept(resource)
        return cls(resource.get("externalId") or None, said, said.get("active"))


@contextmanager
def _in_scim_words() -> Iterator[None]:
    """What the directory refuses, as SCIM says it."""
    try:
        yield
    except InvalidInput as error:
        if {"email", "employee_id"} & error.errors.keys():
            raise taken("Somebody else in the directory has this address or number.") from error
        raise invalid(f"Not accepted: {', '.join(sorted(error.errors))}.") from error
    except LastAdmin as error:
        detail = "This is the last administrator. Name another one first."
        raise Refused(403, None, detail) from error
    except DomainError as error:
        raise Refused(error.status, None, error.code) from error
    except IntegrityError as error:  # two calls at the same moment
        raise taken("Another user has this name, externalId or address.") from error


def _living(connection_id: uuid.UUID) -> tuple[Any, Any]:
    return ScimUser.connection_id == connection_id, ScimUser.deleted_at.is_(None)


def _load(session: Session, connection_id: uuid.UUID, user_id: str) -> ScimUser:
    """The user, locked. Raises `Refused` (404) for one of another connection as for none."""
    row = session.scalar(
        select(ScimUser)
        .where(*_living(connection_id), ScimUser.scim_id == as_id(user_id))
        .with_for_update()
    )
    if row is None:
        raise unknown()
    return row


# ---- Shown ----------------------------------------------------------------------------------


def service_address() -> str:
    """Where the service is."""
    return f"{current_settings().base_url}/scim/v2"


def shown(row: Any, departed: bool) -> JSONObject:
    """A user in SCIM's shape. `active` is what holds, whoever decided it; it is left out where
    the connection took its own word back."""
    said = dict(row.said)
    user_id, base = str(row.scim_id), service_address()
    if "active" in said:
        said["active"] = not departed
    schemas = [wire.CORE] + ([wire.ENTERPRISE] if said.get(wire.ENTERPRISE) else [])
    identified: JSONObject = {"schemas": schemas, "id": user_id}
    if row.external_id:
        identified["externalId"] = row.external_id
    meta = {
        "resourceType": "User",
        "created": row.created_at.isoformat().replace("+00:00", "Z"),
        "lastModified": row.modified_at.isoformat().replace("+00:00", "Z"),
        "location": f"{base}/Users/{user_id}",
    }
    return identified | said | {"meta": meta}


def is_gone(person: Person) -> bool:
    """Whether the person is no longer with the organisation, as an account of a former employee
    is not."""
    return person.departed_at is not None or person.kind == ALUMNI


def whoever_is_gone() -> ColumnElement[bool]:
    """The same for the database."""
    return or_(Person.departed_at.is_not(None), Person.kind == ALUMNI)


def get(connection_id: uuid.UUID, user_id: str) -> JSONObject:
    """One user. Raises `Refused` (404)."""
    row = db.session.execute(
        select(ScimUser, whoever_is_gone())
        .join(Person, Person.id == ScimUser.person_id)
        .where(*_living(connection_id), ScimUser.scim_id == as_id(user_id))
    ).one_or_none()
    if row is None:
        raise unknown()
    return shown(row[0], bool(row[1]))


# ---- Created --------------------------------------------------------------------------------


def create(connection_id: uuid.UUID, body: JSONObject) -> JSONObject:
    """Take a user in. Raises `Refused`: `uniqueness`, `invalidValue`."""
    asked = Asked.of(wire.read("User", normalising.user_body(body)))
    asked.said["active"] = asked.active is not False
    fields = mapping.fields(asked.said)
    with _in_scim_words(), transaction() as session:
        _refuse_twins(session, connection_id, asked, None)
        row = _new_row(session, connection_id, fields)
        _keep(row, asked, fields)
        session.add(row)
        session.flush()
        _write(session, row, None, fields)
        _adopt_reports(session, row)
        _set_active(row, asked.said["active"])
        return shown(row, not asked.said["active"])


def _refuse_twins(
    session: Session, connection_id: uuid.UUID, asked: Asked, own: uuid.UUID | None
) -> None:
    same = [ScimUser.user_key == mapping.key(asked.said["userName"])]
    if asked.external_id:
        same.append(ScimUser.external_id == asked.external_id)
    found = select(ScimUser.id).where(*_living(connection_id), or_(*same))
    if {*session.scalars(found)} - {own}:
        raise taken("Another user of this connection has this userName or externalId.")


def _new_row(session: Session, connection_id: uuid.UUID, fields: Fields) -> ScimUser:
    """The row of a user whose person is found or made."""
    row = ScimUser(id=new_id(), connection_id=connection_id, said={})
    found = _recognised(session, fields)
    if found is not None and (found.departed_at is None or _has_number(found, fields)):
        row.person_id = row.scim_id = found.id
        _note(row, "adopted")
        return row
    if found is not None:
        row.former_id = found.id
        _free_address(session, fields.email)
    row.person_id = row.scim_id = _added(fields, row.id)
    _note(row, "created")
    return row


def _free_address(session: Session, email: str | None) -> None:
    """An address passes from somebody who left, and whom no connection keeps, to its new holder."""
    gone = select(Person.id).where(Person.email == (email or ""), Person.departed_at.is_not(None))
    person_id = session.scalar(gone)
    if person_id is not None and session.scalar(_held(person_id)) is None:
        load_person(session, person_id).email = f"{person_id}@departed.invalid"
        session.flush()


def _has_number(person: Person, fields: Fields) -> bool:
    return fields.employee_id is not None and person.employee_id == fields.employee_id


def _is_somebody_else(person: Person, fields: Fields) -> bool:
    """An address came back with another number while its holder is still here."""
    numbers = {person.employee_id, fields.employee_id} - {None}
    return person.departed_at is None and len(numbers) == 2


def _recognised(session: Session, fields: Fields) -> Person | None:
    """Who of the directory this is, or whose address it was. Raises `Refused` (409) where the
    person belongs to a connection already, or is not ours to change."""
    same = [Person.email == (fields.email or ""), Person.employee_id == (fields.employee_id or "")]
    found = [*session.scalars(select(Person).where(or_(*same)))]
    found.sort(key=lambda person: not _has_number(person, fields))
    if not found:
        return None
    person: Person = found[0]
    if session.scalar(_held(person.id)) is not None:
        raise taken("The person with this address or number belongs to a user already.")
    if person.kind == ALUMNI or _is_somebody_else(person, fields):
        raise taken("This address belongs to somebody else in the directory.")
    return person


def _held(person_id: uuid.UUID) -> Any:
    return select(ScimUser.id).where(ScimUser.person_id == person_id, ScimUser.deleted_at.is_(None))


def _added(fields: Fields, row_id: uuid.UUID) -> uuid.UUID:
    return people.add_person(
        kind="employee",
        name=fields.name,
        email=fields.email or nowhere(row_id),
        employee_id=fields.employee_id,
        language=fields.language or _our_language(),
        department=fields.department,
        job_title=fields.job_title,
    ).id


def _our_language() -> str:
    locale = current_settings().locale
    return locale if locale in LANGUAGES else LANGUAGES[0]


# ---- Changed --------------------------------------------------------------------------------


def replace_user(connection_id: uuid.UUID, user_id: str, body: JSONObject) -> JSONObject:
    """The whole user anew. Two omissions are no removal: `active`, because a client that
    leaves it out does not mean a departure, and `externalId`, which some send once only.

    Raises `Refused`.
    """
    asked = Asked.of(wire.read("User", normalising.user_body(body), replacing=True))
    with _in_scim_words(), transaction() as session:
        row = _load(session, connection_id, user_id)
        if asked.active is None and "active" in row.said:
            asked.said["active"] = not is_gone(load_person(session, row.person_id))
        return _change(
            session, row, replace(asked, external_id=asked.external_id or row.external_id)
        )


def patch(connection_id: uuid.UUID, user_id: str, body: JSONObject) -> JSONObject:
    """All operations, or none. Raises `Refused`."""
    found = normalising.operations(body)
    with _in_scim_words(), transaction() as session:
        row = _load(session, connection_id, user_id)
        person = load_person(session, row.person_id)
        before = shown(row, is_gone(person))
        own = {name: value for name, value in before.items() if name not in ("meta", "schemas")}
        operations = normalising.for_user(found, before["id"])
        if not operations:
            return before
        return _change(session, row, Asked.of(wire.patched("User", own, operations)))


def _change(session: Session, row: ScimUser, asked: Asked) -> JSONObject:
    before, after = mapping.fields(row.said), mapping.fields(asked.said)
    _refuse_twins(session, row.connection_id, asked, row.id)
    was = (row.said, row.external_id)
    _keep(row, asked, after)
    session.flush()
    _set_active(row, asked.said.get("active"))
    if load_person(session, row.person_id).kind != ALUMNI:
        _write(session, row, before, after)
    if (row.said, row.external_id) != was:
        row.modified_at = clock.now()
        activity.count(row.connection_id, "changed")
    return shown(row, is_gone(load_person(session, row.person_id)))


def _keep(row: ScimUser, asked: Asked, fields: Fields) -> None:
    row.said, row.external_id = asked.said, asked.external_id
    row.user_key = mapping.key(asked.said["userName"])
    row.email, row.manager_ref = fields.email, (fields.manager or "")[: mapping.MOST] or None


def _write(session: Session, row: ScimUser, before: Fields | None, after: Fields) -> None:
    """Bring what changed into the directory's entry."""
    changed = {
        name: getattr(after, name)
        for name in Fields.__slots__
        if (getattr(after, name) != getattr(before, name) if before else getattr(after, name))
    }
    if not changed:
        return
    person = load_person(session, row.person_id)
    _write_profile(person, row, changed)
    if "function" in changed:
        person.function = (changed["function"] or "")[:200] or None
    if "entity" in changed:
        person.entity_id = _entity(session, changed["entity"])
    if "manager" in changed:
        person.manager_id = _manager(session, row, changed["manager"])
    session.flush()


def _write_profile(person: Person, row: ScimUser, changed: dict[str, Any]) -> None:
    profile = people.Profile.of(person)
    names = ("name", "email", "employee_id", "department", "job_title")
    given = {name: changed[name] for name in names if name in changed}
    if "email" in given:
        given["email"] = given["email"] or nowhere(row.id)
        if given["email"] != person.email:
            _free_address(db.session(), given["email"])
    if changed.get("language"):
        given["language"] = changed["language"]
    if given:
        people.update_person(person.id, replace(profile, **given))


def _entity(session: Session, name: str | None) -> uuid.UUID | None:
    if not name:
        return None
    return session.scalar(
        select(Entity.id)
        .where(func.lower(Entity.name) == name.lower(), Entity.archived_at.is_(None))
        .order_by(Entity.id)
        .limit(1)
    )


def _manager(session: Session, row: ScimUser, named: str | None) -> uuid.UUID | None:
    """The person whom the connection names by id or by externalId; nobody where it names
    somebody whom it has not brought yet, or the person themselves."""
    if named is None:
        return None
    by = [ScimUser.external_id == named]
    if found := as_id(named):
        by.append(ScimUser.scim_id == found)
    person_id = session.scalar(
        select(ScimUser.person_id).where(*_living(row.connection_id), or_(*by)).limit(1)
    )
    return person_id if person_id != row.person_id else None


def _adopt_reports(session: Session, row: ScimUser) -> None:
    """People who came before their manager have one now."""
    if not row.external_id:
        return
    waiting = select(ScimUser.person_id).where(
        *_living(row.connection_id),
        ScimUser.manager_ref == row.external_id,
        ScimUser.person_id != row.person_id,
    )
    session.execute(
        update(Person)
        .where(Person.id.in_(waiting), Person.manager_id.is_(None))
        .values(manager_id=row.person_id)
        .execution_options(synchronize_session=False)
    )


def _set_active(row: ScimUser, active: bool | None) -> None:
    """Departure and return, by the same use cases as everywhere. The return of a former employee
    who kept an account is confirmed by an administrator (`ReturnToConfirm`)."""
    person = load_person(db.session(), row.person_id)
    if person.kind == ALUMNI:
        if active is True:
            raise ReturnToConfirm
    elif active is False and people.depart(person.id, cause="scim"):
        _note(row, "departed")
    elif active is True and people.come_back(person.id):
        _note(row, "returned")


def _note(row: ScimUser, what: str) -> None:
    activity.count(row.connection_id, what)
    audit.record(f"scim.{what}", "person", row.person_id, connection=str(row.connection_id))


# ---- Deleted --------------------------------------------------------------------------------


def remove(connection_id: uuid.UUID, user_id: str) -> None:
    """The person departs; of what the connection said, only whom it meant is kept.

    Raises `Refused`.
    """
    with _in_scim_words(), transaction() as session:
        row = _load(session, connection_id, user_id)
        _set_active(row, False)
        row.deleted_at = row.modified_at = clock.now()
        row.user_key, row.email, row.manager_ref, row.said = None, None, None, {}
        own_groups = select(ScimGroup.segment_id).where(ScimGroup.connection_id == connection_id)
        session.execute(
            delete(SegmentPerson)
            .where(
                SegmentPerson.person_id == row.person_id, SegmentPerson.segment_id.in_(own_groups)
            )
            .execution_options(synchronize_session=False)
        )
        group_roles.follow(session, {row.person_id})
        _note(row, "deleted")


def move(entry_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """An entry was joined to another one of the same person: the user is that person now, under
    the same SCIM id, and on the same lists."""
    with transaction() as session:
        row = session.scalar(
            select(ScimUser)
            .where(ScimUser.person_id == entry_id, ScimUser.deleted_at.is_(None))
            .with_for_update()
        )
        if row is None:
            return
        row.person_id, row.former_id = person_id, None
        own_groups = select(ScimGroup.segment_id).where(
            ScimGroup.connection_id == row.connection_id
        )
        listed = select(SegmentPerson.segment_id).where(
            SegmentPerson.person_id == entry_id, SegmentPerson.segment_id.in_(own_groups)
        )
        for segment_id in session.scalars(listed).all():
            session.delete(session.get_one(SegmentPerson, (segment_id, entry_id)))
            session.merge(
                SegmentPerson(segment_id=segment_id, person_id=person_id, source=group_roles.SOURCE)
            )
        session.flush()
        group_roles.follow(session, {entry_id, person_id})


def forget(person_id: uuid.UUID) -> None:
    """For an erasure: nothing that any connection said of the person remains."""
    with transaction() as session:
        session.execute(
            update(ScimUser).where(ScimUser.former_id == person_id).values(former_id=None)
        )
        session.execute(delete(ScimUser).where(ScimUser.person_id == person_id))
