"""The one-time address of the first start, and what the set-up creates.

The address works once, for thirty minutes, and only from this machine unless the operator
said otherwise. The ticket lies in the data folder as a hash; the terminal prints the rest.
"""

from __future__ import annotations

import datetime as dt
import hmac
import json
import secrets
import uuid
from pathlib import Path

from flask_babel import lazy_gettext as _l

from app import clock, crypto
from app.charters import service as charters
from app.db import transaction
from app.errors import DomainError, Gone
from app.people import service as people
from app.play import rules
from app.settings import organisation, save_organisation
from app.sharing import disclosures

VALID_FOR = dt.timedelta(minutes=30)
_FILE = "setup_ticket"


class AlreadySetUp(DomainError):
    """The organisation exists: its administrators change it from inside."""

    code = "already-set-up"

    def __init__(self) -> None:
        super().__init__(_l("This installation is set up. Please sign in."))


def needed() -> bool:
    """True until somebody has set the organisation up."""
    return organisation() is None


def make_ticket(data_dir: Path) -> str:
    """A fresh one-time ticket; earlier ones stop working."""
    ticket = secrets.token_urlsafe(24)
    until = (clock.now() + VALID_FOR).isoformat()
    file = data_dir / _FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps({"hash": crypto.token_hash(ticket), "until": until}))
    return ticket


def check_ticket(data_dir: Path, ticket: str) -> None:
    """Raises `Gone` for a used, wrong or old ticket, `AlreadySetUp` when there is nothing to do."""
    if not needed():
        raise AlreadySetUp
    try:
        kept = json.loads((data_dir / _FILE).read_text())
        good = hmac.compare_digest(str(kept["hash"]), crypto.token_hash(ticket))
        alive = dt.datetime.fromisoformat(str(kept["until"])) > clock.now()
    except (OSError, ValueError, KeyError):
        good = alive = False
    if not (good and alive):
        raise Gone(
            _l("This set-up address is used up or too old. Start Portevoix again for a new one.")
        )


def complete() -> None:
    """Give an organisation what this version brings with it and an older one did not have: its
    first rules, charter and wordings. What it has stays as it is."""
    if organisation() is None:
        return
    with transaction():
        rules.ensure_defaults(clock.now())
        charters.ensure_default(clock.now())
        disclosures.ensure_defaults()


def set_up(
    data_dir: Path, *, name: str, brand: str, about: str, admin_name: str, email: str,
    password: str, language: str,
) -> uuid.UUID:  # fmt: skip
    """Create the organisation, what it begins with and its first administrator, who joins by the
    same act; their id. Raises `InvalidInput` by field."""
    with transaction():
        if not needed():
            raise AlreadySetUp
        save_organisation(name=name, brand=brand, about=about, privacy_contact=email)
        complete()
        person = people.add_person(
            kind="employee", name=admin_name, email=email, language=language,
            roles=["admin", "recruiter", "hr"],
        )  # fmt: skip
        people.join(person.id, password=password)
    (data_dir / _FILE).unlink(missing_ok=True)
    return person.id
