"""Passkeys (WebAuthn): made on one's own page, good for signing in without a password or a name.

A passkey belongs to the host name of this installation; browsers know none for a bare address,
so on `127.0.0.1` there are none, and the page says where there are. Each challenge is good once,
for five minutes, in the browser that asked for it (`steps`).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from app import audit, clock
from app.db import db, transaction
from app.errors import NotFound, Sentence
from app.people import steps
from app.people.errors import PasskeyTooWeak, WrongPasskey, check_form
from app.people.factor_policy import is_staff
from app.people.logins import SignedIn, end_logins_by, start_login
from app.people.lookup import load_present
from app.people.models import Person
from app.people.proof_models import Passkey
from app.people.second_factor import Waiting, enter, tell
from app.people.text import one_line

LONGEST_NAME = 60
MOST = 20
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "hybrid", "smart-card"})


@dataclass(frozen=True, slots=True)
class Site:
    """What passkeys of this installation are bound to: a host name and an origin."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """One's own passkey, for its owner."""

    id: uuid.UUID
    name: str
    created_at: dt.datetime
    used_at: dt.datetime | None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def site(base_url: str, asked_host: str) -> Site | None:
    """The site for a request to `asked_host` (with its port), None where no passkey can work.

    On a bare loopback address, as in development, the same installation is also `localhost`.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if _is_address(host):
        port = f":{parts.port}" if parts.port else ""
        if host not in ("127.0.0.1", "::1") or asked_host != f"localhost{port}":
            return None
        return Site("localhost", f"http://localhost{port}")
    if parts.scheme != "https" and host != "localhost":
        return None
    return Site(host, f"{parts.scheme}://{parts.netloc}")


def other_address(base_url: str) -> str | None:
    """Where the same installation has passkeys, for one on a bare loopback address."""
    parts = urlsplit(base_url)
    if parts.hostname not in ("127.0.0.1", "::1"):
        return None
    return f"http://localhost:{parts.port}" if parts.port else "http://localhost"


# --- making one --------------------------------------------------------------------------


def _described(person_id: uuid.UUID) -> list[PublicKeyCredentialDescriptor]:
    ids = db.session.scalars(select(Passkey.credential_id).where(Passkey.person_id == person_id))
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in ids]


def new_options(person_id: uuid.UUID, organisation: str, where: Site) -> tuple[str, str]:
    """What the browser needs to make a passkey, as JSON, and the token of its challenge.

    The team's roles need one that asks for a PIN, a finger or a face.
    """
    person = db.session.get_one(Person, person_id)
    wanted = UserVerificationRequirement
    options = generate_registration_options(
        rp_id=where.host,
        rp_name=organisation,
        user_id=person_id.bytes,
        user_name=person.email,
        user_display_name=person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=wanted.REQUIRED if is_staff(person.roles) else wanted.PREFERRED,
        ),
        exclude_credentials=_described(person_id),
    )
    challenge = bytes_to_base64url(options.challenge)
    token = steps.begin(steps.PASSKEY_NEW, person_id=person_id, challenge=challenge)
    return options_to_json(options), token


def register(person_id: uuid.UUID, name: str, token: object, answer: str, where: Site) -> uuid.UUID:
    """Keep a new passkey under a name. Raises `InvalidInput` on the field `name`, `WrongPasskey`,
    `PasskeyTooWeak`, `Departed`, `NoSuchPerson`."""
    name = _checked_name(name)
    step = steps.take(steps.PASSKEY_NEW, token)
    if step is None or step.person_id != person_id or step.challenge is None:
        raise WrongPasskey
    made = _verified_new(answer, step.challenge, where)
    with transaction() as session:
        person = load_present(session, person_id)
        if is_staff(person.roles) and not made.user_verified:
            raise PasskeyTooWeak
        if len(_described(person_id)) >= MOST:
            most = MOST
            raise check_form({"name": _l("At most %(most)s. Remove one first.", most=most)})
        row = Passkey(
            person_id=person_id,
            name=name,
            credential_id=bytes_to_base64url(made.credential_id),
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            transports=_transports(answer),
        )
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise WrongPasskey from error
        audit.record("passkey.added", "passkey", row.id, actor_id=person_id)
        tell(person_id, "passkey-added")
    return row.id


def _verified_new(answer: str, challenge: str, where: Site) -> VerifiedRegistration:
    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=where.host,
            expected_origin=where.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise WrongPasskey from error


def _transports(answer: str) -> list[str]:
    """How the browser says the passkey is reached; only words of the standard are kept."""
    told: Any = json.loads(answer).get("response", {}).get("transports", [])
    return sorted({t for t in told if isinstance(t, str)} & _TRANSPORTS) if told else []


def _checked_name(name: str) -> str:
    name = one_line(name)
    fault: Sentence | None = None
    if not name:
        fault = _l("Give it a name by which you will know it.")
    elif len(name) > LONGEST_NAME:
        fault = _l("At most %(most)s characters.", most=LONGEST_NAME)
    if fault is not None:
        raise check_form({"name": fault})
    return name


# --- using one ---------------------------------------------------------------------------


def sign_in_options(where: Site) -> tuple[str, str]:
    """For signing in, without a name: the browser offers the passkeys it has for this site."""
    return _asked(steps.PASSKEY_SIGN_IN, None, where)


def confirm_options(person_id: uuid.UUID, where: Site) -> tuple[str, str]:
    """For showing once more who one is, with one of one's own passkeys."""
    return _asked(steps.PASSKEY_CONFIRM, person_id, where)


def _asked(kind: str, person_id: uuid.UUID | None, where: Site) -> tuple[str, str]:
    options = generate_authentication_options(
        rp_id=where.host,
        allow_credentials=_described(person_id) if person_id else None,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    challenge = bytes_to_base64url(options.challenge)
    return options_to_json(options), steps.begin(kind, person_id=person_id, challenge=challenge)


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey that answered. `verified` says that it asked for PIN, finger or face."""

    person_id: uuid.UUID
    verified: bool


def sign_in(token: object, answer: str, browser: str, where: Site) -> SignedIn | Waiting:
    """Sign a device in with a passkey. Raises `WrongPasskey`, `PasskeyTooWeak`."""
    shown = _shown(steps.PASSKEY_SIGN_IN, token, answer, where)
    if shown.verified:
        return start_login(shown.person_id, browser, "passkey", verified=True)
    if is_staff(db.session.get_one(Person, shown.person_id).roles):
        raise PasskeyTooWeak
    return enter(shown.person_id, browser, "passkey")


def confirm(person_id: uuid.UUID, token: object, answer: str, where: Site) -> bool:
    """Show who one is with one's own passkey; True when it asked for PIN, finger or face.

    Raises `WrongPasskey`."""
    shown = _shown(steps.PASSKEY_CONFIRM, token, answer, where)
    if shown.person_id != person_id:
        raise WrongPasskey
    return shown.verified


def _shown(kind: str, token: object, answer: str, where: Site) -> Shown:
    """Check an answer against its challenge, once, and note the use."""
    step = steps.take(kind, token)
    if step is None or step.challenge is None:
        raise WrongPasskey
    with transaction() as session:
        row = session.scalar(
            select(Passkey)
            .join(Person, Person.id == Passkey.person_id)
            .where(Passkey.credential_id == _said_id(answer), Person.departed_at.is_(None))
            .with_for_update(of=Passkey)
        )
        if row is None or _said_owner(answer) not in (None, row.person_id):
            raise WrongPasskey
        checked = _verified(answer, step.challenge, row, where)
        # A counter that goes back means a copy; the library refuses it.
        row.sign_count, row.used_at = checked.new_sign_count, clock.now()
        audit.record("passkey.used", "passkey", row.id, actor_id=row.person_id)
        return Shown(row.person_id, checked.user_verified)


def _verified(answer: str, challenge: str, row: Passkey, where: Site) -> VerifiedAuthentication:
    try:
        return verify_authentication_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=where.host,
            expected_origin=where.origin,
            credential_public_key=base64url_to_bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise WrongPasskey from error


def _said(answer: str) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError as error:
        raise WrongPasskey from error
    if not isinstance(said, dict) or not isinstance(said.get("response"), dict):
        raise WrongPasskey
    return said


def _said_id(answer: str) -> str:
    return str(_said(answer).get("id", ""))[:1400]


def _said_owner(answer: str) -> uuid.UUID | None:
    """Whose passkey it says it is; security keys may leave that out where the id was given."""
    handle = _said(answer)["response"].get("userHandle")
    if not handle:
        return None
    try:
        return uuid.UUID(bytes=base64url_to_bytes(str(handle)))
    except ValueError as error:
        raise WrongPasskey from error


# --- keeping them ------------------------------------------------------------------------


def passkeys_of(person_id: uuid.UUID) -> list[PasskeyRow]:
    """The newest first."""
    rows = db.session.execute(
        select(Passkey.id, Passkey.name, Passkey.created_at, Passkey.used_at)
        .where(Passkey.person_id == person_id)
        .order_by(Passkey.created_at.desc(), Passkey.id.desc())
    )
    return [PasskeyRow(*row) for row in rows]


def rename(person_id: uuid.UUID, passkey_id: uuid.UUID, name: str) -> None:
    """Raises `InvalidInput` on the field `name`, `NotFound` for anybody else's."""
    name = _checked_name(name)
    with transaction() as session:
        changed = session.execute(
            update(Passkey)
            .where(Passkey.id == passkey_id, Passkey.person_id == person_id)
            .values(name=name)
            .returning(Passkey.id)
        )
        if changed.first() is None:
            raise NotFound(_l("There is no such passkey among yours."))


def remove(person_id: uuid.UUID, passkey_id: uuid.UUID, *, but: uuid.UUID | None = None) -> None:
    """It opens nothing any more, and neither do the devices that a passkey signed in, except the
    login `but`. Raises `NotFound` for anybody else's."""
    with transaction() as session:
        row = session.get(Passkey, passkey_id, with_for_update=True)
        if row is None or row.person_id != person_id:
            raise NotFound(_l("There is no such passkey among yours."))
        session.delete(row)
        end_logins_by(person_id, "passkey", but=but)
        audit.record("passkey.removed", "passkey", passkey_id, actor_id=person_id)
        tell(person_id, "passkey-removed")
