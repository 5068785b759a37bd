"""A house of one's own for the tests of offers, imports and connections."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app import clock, config, create_app, outbox
from app.db import db, transaction
from app.outbox.models import OutboxEvent
from app.people.models import Person, RoleGrant
from app.people.service import start_login
from app.people.sessions import KEY
from app.referrals.models import Offer
from app.settings import save_organisation

START = dt.datetime(2026, 11, 17, 9, 0, tzinfo=dt.UTC)
SAMPLES = Path(__file__).parent.parent / "samples" / "ats"
GREENHOUSE = (SAMPLES / "greenhouse" / "jobs.json").read_bytes()
FRENCH_CSV = (SAMPLES / "generic" / "jobs_fr.csv").read_bytes()


@contextmanager
def house(folder: Path, template: Path | None = None, **variables: str) -> Iterator[Flask]:
    """The product on a copy of an empty database, its clock held at START."""
    if template is not None:
        shutil.copy(template, folder / "portevoix.db")
    app = installation(folder, **variables)
    clock.freeze(START)
    with app.app_context():
        save_organisation(name="Halvenne", brand="#00573a")
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
            clock.release()


def installation(folder: Path, **variables: str) -> Flask:
    """The product on what is in a folder."""
    env = {
        "PORTEVOIX_DATA_DIR": str(folder),
        "PORTEVOIX_ENV": "test",
        "PORTEVOIX_LOCALE": "en",
        "PORTEVOIX_SECRET_KEY": "a-key-for-tests-only-0123456789",
    }
    settings = config.load(env | {f"PORTEVOIX_{n}": v for n, v in variables.items()})
    app = create_app(settings)
    app.test_client_class = Browser
    return app


def somebody(*roles: str, name: str = "Rozenn Le Gall") -> uuid.UUID:
    """A person of the directory with these roles."""
    with transaction() as session:
        person = Person(name=name, email=f"{uuid.uuid4().hex}@halvenne.example", language="en")
        session.add(person)
        session.flush()
        session.add_all([RoleGrant(person_id=person.id, role=role) for role in roles])
        return person.id


class Browser(FlaskClient):
    """Each request in a context of its own, as a server has it: nothing leaks from one to the
    next through `g` or the session of the test."""

    def open(self, *args, **kwargs):
        with self.application.app_context():
            return super().open(*args, **{"buffered": True, **kwargs})


def browser(app: Flask, person_id: uuid.UUID | None = None) -> FlaskClient:
    """A browser; with a person, signed in as them."""
    client = app.test_client()
    if person_id is not None:
        signed_in = start_login(person_id, "Mozilla/5.0 Firefox/140.0", "password")
        with client.session_transaction() as session:
            session[KEY] = signed_in.token
    return client


def token(client: FlaskClient, path: str) -> str:
    """The hidden token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found, f"no form on {path}"
    return found[1]


def press(client: FlaskClient, page: str, path: str, **fields: object):
    """Send a form of `page` to `path`, as a browser without scripts does."""
    return client.post(
        path, data={"csrf_token": token(client, page), **fields}, content_type="multipart/form-data"
    )


def look_again() -> None:
    """Forget what this test has read: others have written since."""
    db.session.rollback()
    db.session.expire_all()


def work() -> None:
    """Let the workers do everything that is due."""
    look_again()
    outbox.drain()
    look_again()


def facts(kind: str) -> list[dict[str, object]]:
    """What the rest of the house was told, oldest first."""
    rows = db.session.scalars(
        select(OutboxEvent.payload).where(OutboxEvent.kind == kind).order_by(OutboxEvent.id)
    )
    return list(rows)


def offers_by_id() -> dict[str | None, Offer]:
    """Every offer as it is stored now, by its identifier at the source."""
    look_again()
    rows = db.session.scalars(select(Offer))
    return {offer.external_id: offer for offer in rows}


def job(number: int, **fields: object) -> dict[str, object]:
    """One post of a Greenhouse board."""
    return {
        "id": number,
        "internal_job_id": number + 1000,
        "title": f"Métier {number}",
        "absolute_url": f"https://boards.greenhouse.io/halvenne/jobs/{number}",
        "location": {"name": "Lorient"},
        "content": "&lt;p&gt;Un travail bien fait.&lt;/p&gt;",
        "updated_at": "2026-11-01T09:00:00+01:00",
        **fields,
    }


def board(*numbers: int, **fields: object) -> bytes:
    """A Greenhouse board with these posts."""
    jobs = [job(n, **fields) for n in numbers]
    return json.dumps({"jobs": jobs, "meta": {"total": len(jobs)}}).encode()


def sheet(*rows: str, header: str = "reference;intitule;ville;statut") -> bytes:
    """A French spreadsheet."""
    return "\n".join((header, *rows, "")).encode()
