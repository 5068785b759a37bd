"""Local passwords: Argon2id, no composition rules, twelve characters, none of the usual ones.

Length and a list of what everybody tries first are what helps (NIST SP 800-63B, CNIL
recommendation of 2022). A hash is made again at sign-in when its parameters have grown.
"""

from __future__ import annotations

import re
import uuid
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit, clock, outbox
from app.crypto import fingerprint
from app.db import db, transaction
from app.errors import Sentence
from app.people.common_passwords import COMMON
from app.people.errors import NoSuchPerson, WrongSignIn, check_form
from app.people.links import RESET, Ticket, new_ticket, person_of
from app.people.logins import SignedIn, end_all_logins
from app.people.lookup import load_present
from app.people.models import Credential, Person
from app.people.second_factor import Waiting, enter, forgive
from app.people.text import normal_address

SHORTEST, LONGEST = 12, 200

_hasher = PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """What a password is compared with where there is no account: the same work."""
    return _hasher.hash(str(uuid.uuid4()))


def _is_usual(password: str) -> bool:
    """One of the usual ones, also when it is repeated or has figures and signs around it."""
    lowered = password.lower()
    word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lowered)
    unit = re.sub(r"^(.+?)\1+$", r"\1", lowered)
    return bool({lowered, word, unit} & COMMON) or len(unit) == 1


def _fault(password: str, person: Person) -> Sentence | None:
    own = {person.email, person.name.lower(), person.email.partition("@")[0]}
    fault: Sentence | None = None
    if len(password) < SHORTEST:
        fault = _l("Use at least %(least)s characters; a short sentence does well.", least=SHORTEST)
    elif len(password) > LONGEST:
        fault = _l("Use at most %(most)s characters.", most=LONGEST)
    elif _is_usual(password):
        fault = _l("This one is among the first that anybody would try.")
    elif password.lower() in own:
        fault = _l("Your own name or address is too easily guessed.")
    return fault


def hashed(password: str, person_id: uuid.UUID) -> str:
    """The hash of a new password. Slow on purpose, so called before a transaction.

    Raises `InvalidInput` on the field `password`, `NoSuchPerson`.
    """
    person = db.session.get(Person, person_id)
    if person is None:
        raise NoSuchPerson
    if fault := _fault(password, person):
        raise check_form({"password": fault})
    return _hasher.hash(password)


def store_hash(session: Session, person_id: uuid.UUID, password_hash: str) -> None:
    """Keep the hash; the one before is gone."""
    credential = session.get(Credential, person_id) or Credential(person_id=person_id)
    credential.password_hash, credential.changed_at = password_hash, clock.now()
    session.add(credential)


def set_password(person_id: uuid.UUID, password: str, *, but: uuid.UUID | None = None) -> None:
    """Give a person a new password and end their devices, except the login `but`.

    Raises `InvalidInput` on the field `password`, `Departed`, `NoSuchPerson`.
    """
    password_hash = hashed(password, person_id)
    with transaction() as session:
        load_present(session, person_id)
        store_hash(session, person_id, password_hash)
        forgive(session, person_id)
        end_all_logins(person_id, but=but)
        audit.record("password.set", "person", person_id, actor_id=person_id)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


def knows_password(person_id: uuid.UUID, password: str) -> bool:
    """Whether this is the person's present password."""
    stored = db.session.scalar(
        select(Credential.password_hash).where(Credential.person_id == person_id)
    )
    return _matches(password, stored or _nobodys_hash())


def change_password(
    person_id: uuid.UUID, current: str, new: str, *, but: uuid.UUID | None = None
) -> None:
    """The same, by the person, who shows that they know the one before.

    Raises `InvalidInput` on the fields `current` and `password`.
    """
    if not knows_password(person_id, current):
        raise check_form({"current": _l("This is not your present password.")})
    set_password(person_id, new, but=but)


def sign_in(email: str, password: str, browser: str) -> SignedIn | Waiting:
    """Sign a device in by address and password, or ask for the code of a second factor.

    Raises `WrongSignIn` whatever was wrong.

    An address without an account takes as long as a wrong password, and reads the same.
    """
    found = db.session.execute(
        select(Person.id, Credential.password_hash)
        .join(Credential, Credential.person_id == Person.id)
        .where(Person.email == normal_address(email), Person.departed_at.is_(None))
    ).one_or_none()
    known = _matches(password, found.password_hash if found else _nobodys_hash())
    if found is None or not known:
        raise WrongSignIn
    renewed = _hasher.hash(password) if _hasher.check_needs_rehash(found.password_hash) else None
    with transaction() as session:
        if renewed is not None:
            store_hash(session, found.id, renewed)
        return enter(found.id, browser, "password")


def forget_password(email: str) -> None:
    """Send a link to choose a new one, where there is a local account; silent otherwise."""
    address = normal_address(email)
    with transaction() as session:
        person = session.scalar(
            select(Person)
            .join(Credential, Credential.person_id == Person.id)
            .where(Person.email == address, Person.departed_at.is_(None))
        )
        audit.record("password.asked", "account", fingerprint(address, "account")[:32])
        if person is not None:
            ticket = new_ticket(RESET, person)
            outbox.record(
                "password.forgotten",
                person_id=str(person.id),
                expires_at=ticket.expires_at,
                state=ticket.state,
            )


def reset_password(ticket: Ticket, password: str, browser: str) -> SignedIn | Waiting:
    """Choose a new password with a link from the mailbox, once; signs the device in, or asks for
    the code of a second factor.

    Raises `InvalidInput` on the field `password`, `LinkUsed`, `Departed`, `NoSuchPerson`.
    """
    password_hash = hashed(password, ticket.person_id)
    with transaction() as session:
        load_present(session, ticket.person_id)
        person_of(ticket)
        store_hash(session, ticket.person_id, password_hash)
        forgive(session, ticket.person_id)
        end_all_logins(ticket.person_id)
        audit.record("password.reset", "person", ticket.person_id, actor_id=ticket.person_id)
        return enter(ticket.person_id, browser, "reset")
