"""The demo: Halvenne lives through five months in a few seconds, by the product's own verbs.

Nothing is written behind the services: people join, links are taken, clicks recorded,
applications received, stages set, points awarded by the outbox, each at its own moment of
the product's clock. So every figure on the screens is earned, and the ledger verifies.
"""

from __future__ import annotations

import datetime as dt
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app

from app import clock
from app.config import Settings
from app.demo import carrying, charter, days, offers, people, referring, spending, telling
from app.demo.carrying import Network
from app.demo.data import ORGANISATION, PASSWORD, PEOPLE
from app.demo.days import LIVED, Act, Calendar, Tell
from app.demo.offers import ensure_connection, secret_of_connection
from app.demo.people import ensure_token, token_of
from app.demo.pictures import Easel
from app.people import activation
from app.people.queries import person_by_email
from app.people.service import set_sign_in_policy
from app.play import rules
from app.referrals import connections
from app.settings import organisation, save_organisation
from app.web import current_settings

__all__ = [
    "accounts_text", "describe", "ensure_connection", "ensure_token", "fill", "is_filled",
    "linkedin_members", "secret_of_connection", "token_of",
]  # fmt: skip

MARK = "demo_filled"


def is_filled(data_dir: Path) -> bool:
    """The demo was filled to its end."""
    return (data_dir / MARK).exists()


def fill(network: Network | None = None, tell: Tell | None = None) -> bool:
    """Fill the demo organisation; False when it was filled before. A fill that was killed is
    taken up where it stopped.

    `network` is the LinkedIn stand-in at our own LinkedIn address; without one nothing is
    published. `tell` hears of each day: which one, of how many.
    """
    data_dir = _settings().data_dir
    with _alone(data_dir):
        if is_filled(data_dir):
            return False
        calendar = Calendar(days.present(), _settings().timezone)
        try:
            _live(calendar, network, tell)
        finally:
            clock.release()
        (data_dir / MARK).write_text(calendar.present.isoformat())
    return True


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One fill at a time: a second one waits, and finds it done."""
    with (data_dir / f"{MARK}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _settings() -> Settings:
    return current_settings()


def _live(calendar: Calendar, network: Network | None, tell: Tell | None) -> None:
    """Everything in the order of its time, so that balances grow as they would have."""
    clock.freeze(calendar.at(LIVED, 7, 0))
    _found()
    if network is not None:
        network.add_members({"sub": sub, "name": name} for sub, name in linkedin_members())
    drawn = Easel(telling.drawings(), people.id_of(telling.CURATOR))
    with drawn as easel, _mail_stays_here():
        days.live(calendar, _acts(calendar, easel, network), tell)
    clock.freeze(calendar.present)
    if network is not None:
        network.set_clock(calendar.present)


@contextmanager
def _mail_stays_here() -> Iterator[None]:
    """Letters of an invented past go to the mail folder, whatever server is set."""
    mailman = current_app.extensions["mailman"]
    before, mailman.backend = mailman.backend, "app.mail.folder"
    try:
        yield
    finally:
        mailman.backend = before


def _found() -> None:
    """The house itself, its people in the directory, the connection to its tracking system."""
    if organisation() is None:
        save_organisation(
            name=ORGANISATION["name"],
            brand=ORGANISATION["brand"],
            about=ORGANISATION["about"],
            other_about=ORGANISATION["other_about"],
            privacy_contact=ORGANISATION["privacy_contact"],
        )
    # Whoever tries the demo signs in with the password that it prints, and nothing else.
    set_sign_in_policy(is_required=False, grace_days=14)
    rules.ensure_defaults(clock.now())
    people.enter_everybody()
    told_on = clock.now().date() - dt.timedelta(days=20)
    activation.record(
        told_on, told_on - dt.timedelta(days=30), confirmed=True,
        actor_id=people.id_of("nolwenn"),
    )  # fmt: skip
    ensure_connection()


def _acts(calendar: Calendar, easel: Easel, network: Network | None) -> Iterator[Act]:
    yield from people.acts(calendar)
    yield from charter.acts(calendar)
    yield from offers.acts(calendar)
    yield from spending.acts(calendar)
    yield from telling.acts(calendar, easel)
    yield from carrying.acts(calendar, network)
    yield from referring.acts(calendar)


def describe() -> dict[str, object]:
    """What `portevoix demo --json` prints: people with their password and token, and how to
    speak as the demo's tracking system."""
    found = []
    for demo in PEOPLE:
        ensure_token(demo.email)
        person = person_by_email(demo.email)
        if person is not None:
            found.append(
                {
                    "id": str(person.id), "name": person.name, "email": demo.email,
                    "language": person.language,
                    "password": PASSWORD, "roles": sorted(person.roles),
                    "token": token_of(demo.email), **carrying.stands_for(person.id),
                }
            )  # fmt: skip
    connection = ensure_connection()
    return {
        "base_url": _settings().base_url,
        "people": found,
        "connections": [
            {
                "id": str(connection.id), "kind": connection.kind,
                "webhook_url": connections.webhook_url(connection),
                "secret": secret_of_connection(),
            }
        ],
    }  # fmt: skip


def linkedin_members() -> list[tuple[str, str]]:
    """The demo's people as LinkedIn knows them: (member id, name). Who is named may connect any
    time, whether they did or not."""
    there = dict.fromkeys((*PEOPLE, *carrying.connected()))
    return [(carrying.member_id(demo.key), demo.name) for demo in there]


def accounts_text(described: dict[str, object]) -> str:
    """The demo's accounts, as a terminal shows them."""
    found = described["people"]
    lines = [f"Demo accounts, all with the password {PASSWORD}:"]
    if isinstance(found, list):
        lines += [f"  {p['email']:<28} {p['language']}  {', '.join(p['roles'])}" for p in found]
    lines.append(f"Mails are written to {_settings().data_dir / 'mail'}.")
    return "\n".join(lines)
