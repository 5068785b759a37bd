"""The demo: Halvenne lives through some months in a few seconds, by the product's own verbs.

Nothing is written behind the services: people join, links are taken, clicks recorded,
applications received, stages set, points awarded by the outbox, each at its own moment of
the product's clock. So every figure on the screens is earned, and the ledger verifies.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import random
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from app import clock, crypto, outbox
from app.config import Settings
from app.db import db, transaction
from app.demo import telling
from app.demo.data import (
    CLICKS,
    OFFERS,
    ORGANISATION,
    PASSWORD,
    PEOPLE,
    REDEMPTIONS,
    REFERRALS,
    REWARDS,
    WORDS,
    DemoOffer,
    DemoPerson,
    DemoReferral,
)  # fmt: skip
from app.people import service as people
from app.people.models import Person
from app.people.queries import person_by_email
from app.play import rules
from app.referrals import clicks, connections, imports, links, service, visitors
from app.referrals.models import Connection, Offer, OfferLink
from app.referrals.notice import CURRENT_NOTICE
from app.rewards import queries as reward_queries
from app.rewards import service as rewards
from app.settings import organisation, save_organisation

MARK = "demo_filled"
LIVED = dt.timedelta(days=150)


def is_filled(data_dir: Path) -> bool:
    """The demo was filled to its end."""
    return (data_dir / MARK).exists()


def token_of(email: str) -> str:
    """A demo person's bearer token: derived from the secret key, so it stays valid."""
    digest = hmac.new(crypto.stable_key("demo-token"), email.encode(), hashlib.sha256).digest()
    return "pvx_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def secret_of_connection() -> str:
    """The signature secret of the demo's tracking system, derived likewise."""
    return hmac.new(crypto.stable_key("demo-connection"), b"greenhouse", hashlib.sha256).hexdigest()


def _settings() -> Settings:
    found: Settings = current_app.extensions["portevoix"]
    return found


def fill() -> bool:
    """Fill the demo organisation; False when it was filled before. A fill that was killed is
    taken up: each step looks first whether it was done."""
    data_dir = _settings().data_dir
    if is_filled(data_dir):
        return False
    present = clock.now()
    try:
        _live(present)
    finally:
        clock.release()
    (data_dir / MARK).write_text(present.isoformat())
    return True


def _at(present: dt.datetime, days_ago: float, hour: int = 10) -> None:
    """Move the clock of this process to a working hour some days ago."""
    at = (present - dt.timedelta(days=days_ago)).replace(hour=hour, minute=12, second=0)
    clock.freeze(min(at, present))


def _live(present: dt.datetime) -> None:
    """Everything in the order of its time, so that balances grow as they would have."""
    clock.freeze(present - LIVED)
    _begin()
    members = {p.key: _person(p) for p in PEOPLE}
    outbox.drain()
    _rewards(members)
    acts = [
        *_offer_acts(present, members),
        *_redemption_acts(members),
        *telling.acts(members),
    ]
    for number, referral in enumerate(REFERRALS):
        acts += _Told(present, number, referral, members).acts()
    for days_ago, hour, act in sorted(acts, key=lambda a: (-a[0], a[1])):
        _at(present, days_ago, hour)
        act()
        outbox.drain()
    clock.freeze(present)
    for key, reference in WORDS:
        offer_id = _offer_id(reference)
        if offer_id is not None:
            links.recommend(members[key], offer_id, WORDS[key, reference])
    telling.connect(members)
    outbox.drain()


def _begin() -> None:
    if organisation() is None:
        save_organisation(
            name=ORGANISATION["name"],
            brand=ORGANISATION["brand"],
            about=ORGANISATION["about"],
            privacy_contact=ORGANISATION["privacy_contact"],
        )
    rules.ensure_defaults(clock.now())
    telling.begin(clock.now())


def _person(demo: DemoPerson) -> uuid.UUID:
    """One person, in the directory, joined, with a token for everything they may do."""
    found: Person | None = person_by_email(demo.email)
    if found is None:
        number = PEOPLE.index(demo) + 1
        found = people.add_person(
            kind="employee", name=demo.name, email=demo.email, employee_id=f"HV-{1000 + number}",
            language=demo.language, roles=list(demo.roles), department=demo.department,
            site=demo.site, job_title=demo.job_title,
        )  # fmt: skip
    person_id = found.id
    if not found.is_member:
        people.join(person_id, password=PASSWORD)
    telling.agree(demo, found)
    ensure_token(demo.email)
    return person_id


def ensure_token(email: str) -> None:
    """Make sure the derived token of a demo person works, with all their roles allow."""
    person = person_by_email(email)
    if person is not None:
        people.ensure_token(person.id, token_of(email), people.allowed_scopes(person.roles))


Act = tuple[float, int, Callable[[], object]]  # days ago, hour of that day, what is done


def _offer_acts(present: dt.datetime, members: dict[str, uuid.UUID]) -> list[Act]:
    """The offers come in by the CSV import, as they would for anybody."""
    ensure_connection()

    def publish(offer: DemoOffer) -> None:
        if _offer_id(offer.reference) is not None:
            return
        upto = [o for o in OFFERS if o.days_ago >= offer.days_ago]
        imports.import_now(
            "csv", data=_csv(upto, present), origin="halvenne.csv", actor_id=members["sofiane"]
        )
        with transaction() as session:
            for row in session.scalars(select(Offer).where(Offer.source == "csv")):
                row.recruiter_id = members["sofiane"]

    return [(o.days_ago, 9, partial(publish, o)) for o in OFFERS]


def ensure_connection() -> Connection:
    """The demo's Greenhouse, with its derived secret."""
    with transaction() as session:
        connection = connections.default_connection("greenhouse")
        if connections.secrets_of(connection) != [secret_of_connection()]:
            connection = session.get_one(Connection, connection.id)
            connection.secrets_json = json.dumps([secret_of_connection()])
        return connection


def _offer_id(reference: str) -> uuid.UUID | None:
    return db.session.scalar(
        select(Offer.id).where(Offer.source == "csv", Offer.external_id == reference)
    )


def _csv(offers: list[DemoOffer], present: dt.datetime) -> bytes:
    head = (
        "reference;intitule;service;ville;pays;contrat;teletravail;salaire_min;salaire_max;"
        "devise;description;date_publication;statut"
    )
    lines = [head]
    for o in offers:
        day = (present - dt.timedelta(days=o.days_ago)).strftime("%d/%m/%Y")
        description = o.description.replace('"', '""')
        currency = "EUR" if o.salary[0] else ""
        lines.append(
            f"{o.reference};{o.title};{o.department};{o.place};France;{o.contract};{o.remote};"
            f'{o.salary[0]};{o.salary[1]};{currency};"{description}";{day};Publiée'
        )
    return ("\n".join(lines) + "\n").encode()


def _rewards(members: dict[str, uuid.UUID]) -> None:
    known = _reward_ids()
    for title, description, cost, stock, pay_class, deliverer in REWARDS:
        if title not in known:
            rewards.create_reward(
                title=title, description=description, cost=cost, stock=stock, pay_class=pay_class,
                deliverer_id=members[deliverer], actor_id=members["marc"],
            )  # fmt: skip


@dataclass
class _Told:
    """One referral of the demo: its link, its clicks, its application, its path."""

    present: dt.datetime
    number: int
    demo: DemoReferral
    members: dict[str, uuid.UUID]
    link: OfferLink | None = None
    click_id: str | None = None
    referral_id: uuid.UUID | None = None

    def acts(self) -> list[Act]:
        demo = self.demo
        found: list[Act] = [
            (demo.applied + 2, 10, self.take_link),
            (demo.applied, 17, self.apply),
        ]
        if demo.also_by:
            found.append((demo.applied - 1, 8, self.apply_again))
        found += [(days_ago, 11, partial(self.reach, stage)) for days_ago, stage in demo.path]
        if demo.next_step:
            found.append((min(d for d, _stage in demo.path), 12, self.say_next))
        return found

    @property
    def offer_id(self) -> uuid.UUID:
        found = _offer_id(self.demo.offer)
        if found is None:
            raise LookupError(self.demo.offer)
        return found

    def take_link(self) -> None:
        self.link = links.link_for(self.members[self.demo.by], self.offer_id, self.demo.channel)
        self.click_id = _clicks(self.present, self.demo, self.link, self.number)

    def apply(self) -> None:
        if self.link is not None:
            form = _form(self.demo, self.link.code, self.click_id)
            self.referral_id = service.apply(self.offer_id, form)

    def apply_again(self) -> None:
        """The same person, by another colleague's link: the first one keeps the credit."""
        other = links.link_for(self.members[self.demo.also_by or ""], self.offer_id, "message")
        service.apply(self.offer_id, _form(self.demo, other.code, None))

    def reach(self, stage: str) -> None:
        if self.referral_id is None:
            return
        demo = self.demo
        starts = (self.present - dt.timedelta(days=demo.starts)).date() if demo.starts else None
        service.set_stage(
            self.referral_id, stage, actor_id=self.members["sofiane"], actor_role="recruiter",
            external_event_id=f"demo:{self.number}:{stage}", closure_reason=demo.closure_reason,
            starts_on=starts,
        )  # fmt: skip

    def say_next(self) -> None:
        if self.referral_id is not None:
            service.set_next_step(
                self.referral_id, self.demo.next_step, None, self.members["sofiane"]
            )


def _form(demo: DemoReferral, code: str, click_id: str | None) -> service.Application:
    full = f"{demo.first_name}.{demo.last_name}".lower().replace(" ", "-")
    mailbox = unicodedata.normalize("NFKD", full).encode("ascii", "ignore").decode()
    return service.Application(
        first_name=demo.first_name,
        last_name=demo.last_name,
        email=f"{mailbox}@mail.example",
        visibility=demo.visibility,
        notice_version=CURRENT_NOTICE,
        code=code,
        click_id=click_id,
    )


def _clicks(present: dt.datetime, demo: DemoReferral, link: OfferLink, number: int) -> str | None:
    """Openings over two days, people and robots, through the classifier of the real hit."""
    chance = random.Random(number)  # nosec B311
    secret = visitors.secret_of_day(_settings())
    signed, before = None, clock.now()
    for browser, most in CLICKS:
        for _ in range(chance.randint(1, most)):
            clock.freeze(present - dt.timedelta(days=demo.applied + chance.random() * 2))
            address = str(ipaddress.IPv4Address(0xC0000200 + chance.randrange(256)))
            hit = clicks.Hit("GET", {"user-agent": browser}, address)
            verdict = clicks.classify(hit)
            click_id = clicks.record(link.id, verdict, clicks.visitor_key(secret, hit, link.id))
            signed = clicks.sign(click_id, link.id) if verdict == "person" else signed
    clock.freeze(before)
    return signed


def _reward_ids() -> dict[str, uuid.UUID]:
    rows, _next = reward_queries.on_sale(limit=200)
    return {row.title: row.id for row in rows}


def _has_redeemed(person_id: uuid.UUID, reward_id: uuid.UUID) -> bool:
    theirs = reward_queries.RedemptionFilter(person_id=person_id, reward_id=reward_id)
    return bool(reward_queries.redemptions(theirs, limit=1)[0])


def _redemption_acts(members: dict[str, uuid.UUID]) -> list[Act]:
    """Points that were earned by then buy a book."""

    def redeem(key: str, title: str, delivered: bool) -> None:
        reward_id = _reward_ids()[title]
        if _has_redeemed(members[key], reward_id):
            return
        redemption = rewards.redeem(members[key], reward_id)
        if delivered:
            rewards.fulfil(redemption.id, members["marc"])

    return [
        (when, 12, partial(redeem, key, title, delivered))
        for key, title, when, delivered in REDEMPTIONS
    ]


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
                    "password": PASSWORD, "roles": sorted(person.roles),
                    "token": token_of(demo.email), **telling.stands_for(person.id),
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
    """The demo's people as LinkedIn knows them: (member id, name)."""
    return [(telling.member_id(person.key), person.name) for person in PEOPLE]


def accounts_text(described: dict[str, object]) -> str:
    """The demo's accounts, as a terminal shows them."""
    found = described["people"]
    lines = [f"Demo accounts, all with the password {PASSWORD}:"]
    if isinstance(found, list):
        lines += [f"  {p['email']:<28} {', '.join(p['roles'])}" for p in found]
    return "\n".join(lines)
