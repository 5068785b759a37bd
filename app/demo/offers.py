"""The demo's offers come in as anybody's would: from the HR tool's file, a feed, an agency."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import clock, crypto
from app.db import db, transaction
from app.demo.days import LONGEST_LEASE, Act, Calendar
from app.demo.people import id_of, members
from app.demo.vacancies import OFFERS, WORDS, DemoOffer
from app.referrals import connections, imports, links
from app.referrals.errors import OfferClosed
from app.referrals.models import Connection, Offer

SAMPLES = Path(__file__).parent / "samples"
HR_TOOL, AGENCY, BOARD = "Outil RH de Halvenne", "Agence Renfort", "Greenhouse de Halvenne"
# Since when the other two have brought offers, and the rows that were gone a while later.
BOARD_SINCE, BOARD_AGAIN, BOARD_GONE = 47, 8, ("5204005",)
AGENCY_SINCE, AGENCY_AGAIN = 38, 14
_HEAD = (
    "reference;intitule;service;ville;pays;contrat;teletravail;salaire_min;salaire_max;"
    "devise;description;date_publication;statut"
)


def secret_of_connection() -> str:
    """The signature secret of the demo's tracking system, derived from the secret key."""
    return hmac.new(crypto.stable_key("demo-connection"), b"greenhouse", hashlib.sha256).hexdigest()


def ensure_connection() -> Connection:
    """The demo's Greenhouse, with its derived secret."""
    with transaction() as session:
        connection = connections.default_connection("greenhouse")
        if connections.secrets_of(connection) != [secret_of_connection()]:
            connection = session.get_one(Connection, connection.id)
            connection.secrets_json = json.dumps([secret_of_connection()])
        return connection


def acts(calendar: Calendar) -> Iterator[Act]:
    """Imports, each on its day, and members who take a link without anybody applying yet."""
    days = {o.days_ago for o in OFFERS} | {o.filled for o in OFFERS if o.filled is not None}
    for day in days:
        yield Act(calendar.at(day, 8, 35), partial(_from_hr_tool, calendar, day), alone=True)
    for day in (BOARD_SINCE, BOARD_AGAIN):
        yield Act(calendar.at(day, 8, 40), partial(_from_board, calendar, day), alone=True)
    for day in (AGENCY_SINCE, AGENCY_AGAIN):
        yield Act(calendar.at(day, 8, 45), partial(_from_agency, calendar, day), alone=True)
    for (key, reference), words in WORDS.items():
        day = next(o.days_ago for o in OFFERS if o.reference == reference)
        yield Act(calendar.at(max(day - 2, 0), 12, 30), partial(_recommend, key, reference, words))
    yield from _links(calendar)


def offer_id(reference: str) -> uuid.UUID:
    """An offer by its reference there. Raises `LookupError`."""
    found = db.session.scalar(select(Offer.id).where(Offer.external_id == reference))
    if found is None:
        raise LookupError(reference)
    return found


# --- imports -----------------------------------------------------------------------------


def _source(kind: str, name: str) -> str:
    """A connection of that name, made on first use."""
    known = [row.name for row in connections.list_connections()]
    if name not in known:
        connections.create_connection(kind=kind, name=name, actor_id=id_of("nolwenn"))
    return name


def _take_in(kind: str, name: str, data: bytes, origin: str) -> None:
    report = imports.import_now(
        _source(kind, name), data=data, origin=origin, actor_id=id_of("sofiane"), on_wait=_let_pass
    )
    if report.error:
        raise RuntimeError(f"the demo's {origin} was refused: {report.error}")
    with transaction() as session:
        for row in session.scalars(select(Offer).where(Offer.recruiter_id.is_(None))):
            row.recruiter_id = id_of(_recruiter(row))


def _let_pass() -> None:
    """An import that died with an earlier fill holds its place for a while of the held clock."""
    clock.travel(LONGEST_LEASE)


def _recruiter(offer: Offer) -> str:
    return "nadege.coulaud" if "Limoges" in (offer.location or "") else "sofiane"


def _from_hr_tool(calendar: Calendar, day: int) -> None:
    rows = [_row(calendar, o, day) for o in OFFERS if o.days_ago >= day]
    _take_in("csv", HR_TOOL, "\n".join([_HEAD, *rows, ""]).encode(), "halvenne.csv")


def _row(calendar: Calendar, o: DemoOffer, day: int) -> str:
    published = calendar.at(o.days_ago).strftime("%d/%m/%Y")
    description = o.description.replace('"', '""')
    currency = "EUR" if o.salary[0] else ""
    status = "Pourvue" if o.filled is not None and o.filled >= day else "Publiée"
    return (
        f"{o.reference};{o.title};{o.department};{o.place};France;{o.contract};{o.remote};"
        f'{o.salary[0]};{o.salary[1]};{currency};"{description}";{published};{status}'
    )


def _from_board(calendar: Calendar, day: int) -> None:
    feed: dict[str, Any] = json.loads((SAMPLES / "greenhouse.jobs.json").read_text("utf-8"))
    gone = BOARD_GONE if day == BOARD_AGAIN else ()
    feed["jobs"] = [job for job in feed["jobs"] if str(job["id"]) not in gone]
    for place, job in enumerate(feed["jobs"]):
        job["first_published"] = calendar.at(BOARD_SINCE + place).isoformat()
        job["updated_at"] = calendar.at(day, 7, 2 * place).isoformat()
    feed["meta"]["total"] = len(feed["jobs"])
    _take_in("greenhouse", BOARD, json.dumps(feed).encode(), "greenhouse.jobs.json")


def _from_agency(calendar: Calendar, day: int) -> None:
    """The agency's file says at its second coming that a post is filled."""
    text = (SAMPLES / "jobs_fr.csv").read_text("utf-8")
    dates = [calendar.at(AGENCY_SINCE + n).strftime("%d/%m/%Y") for n in range(8)]
    if day == AGENCY_SINCE:
        text = text.replace("Pourvue", "Publiée")
    _take_in("csv", AGENCY, text.format(*dates).encode(), "renfort.csv")


# --- members and offers ------------------------------------------------------------------


def _recommend(key: str, reference: str, words: str) -> None:
    links.recommend(id_of(key), offer_id(reference), words)


def _links(calendar: Calendar) -> Iterator[Act]:
    """Somebody thinks of somebody and takes a link; nobody may ever apply by it."""
    chance = random.Random("links")  # nosec B311
    crowd = [demo for demo in members() if demo.left is None]
    for offer in OFFERS:
        upto = offer.filled + 1 if offer.filled is not None else 0
        for demo in chance.sample(crowd, 5):
            oldest = min(offer.days_ago, demo.joined or 0) - 1
            day = chance.randint(upto, max(upto, offer.days_ago - 1))
            channel = chance.choice(("message", "linkedin", "email", "link", "qr"))
            if day <= oldest:
                take = partial(_take_link, demo.key, offer.reference, channel)
                yield Act(calendar.at(day, 13, chance.randrange(50)), take)


def _take_link(key: str, reference: str, channel: str) -> None:
    with suppress(OfferClosed):  # filled the same morning
        links.link_for(id_of(key), offer_id(reference), channel)
