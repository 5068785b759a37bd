"""The people of the demo: in the directory, joining, invited, leaving."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import uuid
from collections.abc import Iterator
from functools import partial

from app import crypto
from app.db import transaction
from app.demo.crowd import CROWD
from app.demo.data import PASSWORD, PEOPLE, DemoPerson
from app.demo.days import Act, Calendar
from app.people import invitations
from app.people import service as people
from app.people.models import Person
from app.people.queries import person_by_email

EVERYBODY: tuple[DemoPerson, ...] = (*PEOPLE, *CROWD)
_THANKED = ("maelle", "theo", "aminata", "pauline", "clemence")
_BY_KEY = {demo.key: demo for demo in EVERYBODY}
_NUMBERS = {demo.key: 1001 + place for place, demo in enumerate(EVERYBODY)}


def demo_person(key: str) -> DemoPerson:
    """Who goes by a key."""
    return _BY_KEY[key]


def employee_number(key: str) -> str:
    """How the HR tool numbers somebody."""
    return f"HV-{_NUMBERS[key]}"


def members() -> list[DemoPerson]:
    """Everybody who ever joined."""
    return [demo for demo in EVERYBODY if demo.joined is not None]


def id_of(key: str) -> uuid.UUID:
    """Somebody's entry in the directory. Raises `LookupError` before there is one."""
    person = person_by_email(_BY_KEY[key].email)
    if person is None:
        raise LookupError(key)
    return person.id


def token_of(email: str) -> str:
    """A demo person's bearer token: derived from the secret key, so it stays valid."""
    digest = hmac.new(crypto.stable_key("demo-token"), email.encode(), hashlib.sha256).digest()
    return "pvx_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def ensure_token(email: str) -> None:
    """Make sure the derived token of a demo person works, with all their roles allow."""
    person = person_by_email(email)
    if person is not None:
        people.ensure_token(person.id, token_of(email), people.allowed_scopes(person.roles))


def acts(calendar: Calendar) -> Iterator[Act]:
    """Everybody's own way."""
    for demo in EVERYBODY:
        minute = _NUMBERS[demo.key] % 50
        if demo.joined is not None:
            at = calendar.at(demo.joined, 8 if demo.is_named else 9, minute)
            yield Act(at, partial(_join, demo), alone=demo.is_named)
        if demo.left is not None:
            yield Act(calendar.at(demo.left, 17, minute), partial(_leave, demo))
        if demo.invited is not None:
            yield Act(calendar.at(demo.invited, 14, minute), partial(_invite, demo))


def enter_everybody() -> None:
    """The directory, as the HR tool gave it."""
    with transaction():
        for demo in EVERYBODY:
            _enter(demo)


def _enter(demo: DemoPerson) -> Person:
    found: Person | None = person_by_email(demo.email)
    if found is not None:
        return found
    return people.add_person(
        kind="employee", name=demo.name, email=demo.email, employee_id=employee_number(demo.key),
        language=demo.language, roles=list(demo.roles), department=demo.department,
        site=demo.site, job_title=demo.job_title,
    )  # fmt: skip


def _join(demo: DemoPerson) -> None:
    """Those who are named sign in with a password, the others by mail, as they do elsewhere."""
    person = _enter(demo)
    if not person.is_member:
        people.join(person.id, PASSWORD if demo.is_named else None, _choices(demo))
    if demo.is_named:
        ensure_token(demo.email)


def _choices(demo: DemoPerson) -> list[str]:
    """What they ticked: two of three may be thanked by name, some want ideas by mail. Those who
    are named decide about mail in front of whoever tries the demo."""
    chance = random.Random(f"choices {demo.key}")  # nosec B311
    wanted = ["recognition"] if demo.key in _THANKED or chance.random() < 0.6 else []
    if not demo.is_named and chance.random() < 0.2:
        wanted.append("ideas")
    return wanted


def _leave(demo: DemoPerson) -> None:
    person_id = id_of(demo.key)
    if demo.is_departed:
        people.depart(person_id, actor_id=id_of("nolwenn"))
    else:
        people.leave(person_id)


def _invite(demo: DemoPerson) -> None:
    invitations.invite(id_of(demo.key), actor_id=id_of("pauline"))
