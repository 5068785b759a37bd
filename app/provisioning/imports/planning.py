"""What each line of a file would do, decided alike for the dry run and for the run.

A person is recognised by the employee number (and the entity's code where both are known), then
by the address. One of the two is enough: whoever comes with a number alone has no address, until
a line brings one. Two people are never made one: an address that comes with another number is a
newcomer's, a number or an address whose holder has no word of the name in common is refused, and
so is the second line about the same person.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from typing import Final

from sqlalchemy import select

from app import clock
from app.db import db, new_id
from app.people import bulk_entries
from app.people.bulk_entries import PROFILE, Known
from app.people.text import fold, is_nowhere, nowhere
from app.provisioning.imports.reading import Entry, Fault
from app.settings.models import Entity

CREATED: Final = "created"
CHANGED: Final = "changed"
SAME: Final = "same"
REFUSED: Final = "refused"

_STAMPED: Final = (*PROFILE, "departed_at", "suspended_at")


@dataclass(slots=True)
class Planned:
    """One line: its outcome and, for a person, what is written (`after`) over what (`before`).
    `freed` are people who left and whose address goes to this newcomer; `no_address`: no mail
    will reach the person."""

    position: int
    line: int
    outcome: str
    field: str | None = None
    code: str | None = None
    value: str | None = None
    person_id: uuid.UUID | None = None
    after: dict[str, object] = made(default_factory=dict)
    before: dict[str, object] = made(default_factory=dict)
    freed: list[Known] = made(default_factory=list)
    no_address: bool = False


def stamp(row: Mapping[str, object]) -> str:
    """Stands for all that an import may have written of a person, and for their presence."""
    said = repr([str(row.get(name) or "") for name in _STAMPED])
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


class Seen:
    """Whom this file has spoken of. Hashes only: two hundred thousand people take 40 MB."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def add(self, *keys: object) -> None:
        self._known.update(hash(key) for key in keys if key)

    def has(self, *keys: object) -> bool:
        return any(hash(key) in self._known for key in keys if key)


def entities() -> dict[str, uuid.UUID]:
    """The entities that a file may name: folded code → id."""
    rows = db.session.execute(select(Entity.code, Entity.id).where(Entity.archived_at.is_(None)))
    return {fold(code): id_ for code, id_ in rows}


@dataclass(slots=True)
class Planner:
    """Decides for one file, batch after batch. `language` is for those whose line names none."""

    language: str
    entities: dict[str, uuid.UUID]
    seen: Seen = made(default_factory=Seen)

    def plan(self, entries: Sequence[Entry]) -> list[Planned]:
        """A decision for each line, against the directory as it stands now. Inside a
        transaction nothing changes between this and the writing."""
        known = bulk_entries.by_number_or_address(
            {e.employee_id for e in entries if e.employee_id},
            {e.email for e in entries if e.email},
        )
        batch = _Batch(self, known)
        return [batch.decide(entry) for entry in entries]

    def note(self, planned: Iterable[Planned]) -> None:
        """The file has spoken of these; said once what they did is kept."""
        for each in planned:
            if each.outcome != REFUSED:
                self.seen.add(*_spoken(each))


def _spoken(planned: Planned) -> Iterator[object]:
    """What the file has spoken of with a line: the person, the address and number they have now,
    and the address they had, which another number may take over."""
    yield planned.person_id
    yield from _keys(planned.after)
    if was := planned.before.get("email"):
        yield ("was", was)


def _keys(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name in ("employee_id", "email"):
        if value := values.get(name):
            yield (name, value)


class _Batch:
    def __init__(self, planner: Planner, known: Iterable[Known]) -> None:
        self._planner, self._seen = planner, Seen()
        self._by_number: dict[str, Known] = {}
        self._by_address: dict[str, Known] = {}
        for row in known:
            self._by_address[row.email] = row
            if row.employee_id:
                self._by_number[row.employee_id] = row

    def decide(self, entry: Entry) -> Planned:
        known = self._holder(entry)
        try:
            if entry.fault:
                raise entry.fault
            planned = self._decide(entry, known)
        except Fault as fault:
            return Planned(
                entry.position, entry.line, REFUSED, fault.field or None, fault.code, fault.value,
                known.id if known else None,
            )  # fmt: skip
        self._seen.add(*_spoken(planned), *_keys(entry.values))
        return planned

    def _holder(self, entry: Entry) -> Known | None:
        """Whom the line speaks of, as far as anybody can tell."""
        if found := self._by_number.get(entry.employee_id):
            return found
        found = self._by_address.get(entry.email)
        if found is not None and entry.employee_id and found.employee_id:
            return None  # the address of somebody with another number: a newcomer, or a fault
        return found

    def _decide(self, entry: Entry, known: Known | None) -> Planned:
        self._refuse_twice(entry, known)
        values = dict(entry.values)
        if entry.entity:
            values["entity_id"] = self._entity(entry.entity)
        freed = self._freed(entry, known)
        if known is None:
            return self._create(entry, values, freed)
        _refuse_another(entry, values, known)
        return self._change(entry, values, known, freed)

    def _refuse_twice(self, entry: Entry, known: Known | None) -> None:
        number, address = ("employee_id", entry.employee_id), ("email", entry.email)
        for seen in (self._seen, self._planner.seen):
            if entry.employee_id and seen.has(number):
                raise Fault("employee_id", "twice", entry.employee_id)
            was = ("was", entry.email)
            if entry.email and (seen.has(address) or (not entry.employee_id and seen.has(was))):
                raise Fault("email", "twice", entry.email)
            if known is not None and seen.has(known.id):
                raise Fault("", "twice", entry.employee_id or entry.email)

    def _entity(self, code: str) -> uuid.UUID:
        found = self._planner.entities.get(fold(code))
        if found is None:
            raise Fault("entity", "unknown-entity", code)
        return found

    def _freed(self, entry: Entry, known: Known | None) -> list[Known]:
        """Who gives up the line's address: somebody who left and had another number."""
        other = self._by_address.get(entry.email)
        if other is None or (known is not None and other.id == known.id):
            return []
        if self._seen.has(("was", entry.email)) or self._planner.seen.has(("was", entry.email)):
            return []  # a line before this one gave its holder another
        if other.departed_at is None or not (entry.employee_id and other.employee_id):
            raise Fault("email", "address-taken", entry.email)
        return [other]

    def _create(self, entry: Entry, values: dict[str, object], freed: list[Known]) -> Planned:
        if not entry.email and not entry.employee_id:
            raise Fault("email", "missing-address")
        if not values.get("name"):
            raise Fault("name", "missing-name")
        last_day = values.get("ends_on")
        if last_day is not None and str(last_day) < clock.today().isoformat():
            raise Fault("ends_on", "ended", str(last_day))
        blank: dict[str, object] = {"kind": "employee", "language": self._planner.language}
        person_id = new_id()
        address = {"email": entry.email or nowhere(person_id)}
        return Planned(
            entry.position, entry.line, CREATED, person_id=person_id, freed=freed,
            after={**dict.fromkeys(PROFILE), **blank, **values, **address},
            no_address=not entry.email,
        )  # fmt: skip

    def _change(
        self, entry: Entry, values: dict[str, object], known: Known, freed: list[Known]
    ) -> Planned:
        """A cell that is empty says nothing of how somebody is recognised, called or spoken to."""
        new = {
            name: value
            for name, value in values.items()
            if value != getattr(known, name)
            and (value is not None or name not in ("name", "email", "employee_id"))
        }
        before = {name: getattr(known, name) for name in new}
        return Planned(
            entry.position, entry.line, CHANGED if new else SAME, person_id=known.id, after=new,
            before=before, freed=freed, no_address=not entry.email and is_nowhere(known.email),
        )  # fmt: skip


def _refuse_another(entry: Entry, values: Mapping[str, object], known: Known) -> None:
    """What suggests that line and entry are two people."""
    if known.departed_at is not None:
        raise Fault("", "departed", entry.employee_id or entry.email)
    is_same_address = bool(entry.email) and entry.email == known.email
    is_same_number = bool(entry.employee_id) and entry.employee_id == known.employee_id
    entity, name = values.get("entity_id"), str(values.get("name") or "")
    is_other_entity = bool(entity and known.entity_id and entity != known.entity_id)
    if is_other_entity and entry.email and not is_same_address:
        raise Fault("entity", "other-entity", entry.entity)
    if (is_same_address and is_same_number) or not name:
        return
    words, known_words = {*fold(name).split()}, {*fold(known.name).split()}
    is_alone = is_other_entity and not entry.email
    is_sure = words == known_words if is_alone else words & known_words
    if not is_sure:  # numbers of two entities may be the same
        raise Fault("name", "another-person", name)
