"""What is configured, reachable or missing.

Every check answers with findings and never with a secret: addresses are shown without
passwords, and of an unexpected error only its kind.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import smtplib
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from app.cli import context

if TYPE_CHECKING:
    from app.config import Settings

OK, NOTE, BROKEN = "ok", "note", "broken"
LITTLE_SPACE_BYTES = 1 << 30
NO_SPACE_BYTES = 100 << 20
SMTP_SECONDS = 5.0
SPOOL_IS_LATE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `state` is ok, note (worth knowing) or broken."""

    state: str
    what: str
    text: str


Check = Callable[["Settings"], Iterator[Finding]]


@click.command()
@click.option("--outside", is_flag=True, help="Call LinkedIn's addresses as well.")
def doctor(outside: bool) -> None:
    """Say what is configured, reachable or missing; ends with 1 where something is broken."""
    settings = context.settings()
    broken = False
    with context.application(settings):
        for finding in examine(settings, outside=outside):
            broken |= finding.state == BROKEN
            click.echo(f"{finding.state:7} {finding.what:12} {finding.text}")
    sys.exit(1 if broken else 0)


def examine(settings: Settings, *, outside: bool = False) -> Iterator[Finding]:
    """Every finding, in the order of the checks; with `outside` those that call others, too."""
    for name, check in (CHECKS | OUTSIDE if outside else CHECKS).items():
        try:
            yield from check(settings)
        except Exception as error:  # noqa: BLE001  (its words may hold an address with a password)
            yield Finding(BROKEN, name, f"could not be examined ({type(error).__name__})")


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding(OK, "address", settings.base_url)
    host = urlsplit(settings.base_url).hostname or ""
    if not settings.is_https and host not in ("localhost", "127.0.0.1", "::1"):
        yield Finding(NOTE, "address", "not https: browsers will not keep people signed in safely")
    if settings.env == "test":
        yield Finding(NOTE, "environment", "PORTEVOIX_ENV=test allows what only tests need")


def _sign_in(settings: Settings) -> Iterator[Finding]:
    from app.people.oidc import Provider, ProviderAway, ProviderRefused

    if not settings.oidc_issuer:
        yield Finding(OK, "sign-in", "local accounts only (no PORTEVOIX_OIDC_ISSUER)")
        return
    host = urlsplit(settings.oidc_issuer).hostname
    try:
        Provider(settings).begin(settings.locale)
    except (ProviderAway, ProviderRefused) as away:
        yield Finding(BROKEN, "sign-in", f"{host} cannot be used ({away})")
    else:
        yield Finding(OK, "sign-in", f"accounts of {host}")


def _keys(settings: Settings) -> Iterator[Finding]:
    if os.environ.get("PORTEVOIX_SECRET_KEY"):
        yield Finding(OK, "keys", f"{len(settings.secret_keys)} from PORTEVOIX_SECRET_KEY")
        return
    text = f"only in {settings.data_dir / 'secret_key'}: keep a copy elsewhere, no backup holds it"
    yield Finding(NOTE, "keys", text)


def _database(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy import make_url

    from app import migrating

    url = make_url(settings.database_url)
    shown = url.set(query={}).render_as_string(hide_password=True)
    if settings.is_sqlite and not os.path.exists(url.database or ""):
        yield Finding(NOTE, "database", f"{shown} does not exist yet; `up` or `migrate` makes it")
        return
    why = migrating.reachable()
    if why is not None:
        yield Finding(BROKEN, "database", f"{shown} cannot be reached ({why})")
    elif migrating.is_current():
        yield Finding(OK, "database", f"{shown}, at the newest version")
    else:
        yield Finding(BROKEN, "database", f"{shown} is not at the newest version: run `migrate`")


def _queue(settings: Settings) -> Iterator[Finding]:
    from redis.exceptions import RedisError

    from app.jobs.queue import look
    from app.supervisor import queue_server

    if settings.redis_url is None:
        try:
            yield Finding(OK, "queue", f"embedded, {queue_server.find()} (not running now)")
        except queue_server.NoQueueServer as error:
            yield Finding(BROKEN, "queue", str(error))
        return
    try:
        state = look(settings.redis_url)
    except RedisError as error:
        yield Finding(BROKEN, "queue", f"cannot be reached ({type(error).__name__})")
        return
    yield Finding(OK, "queue", f"version {state.version}, {state.waiting} waiting")
    if state.workers:
        yield Finding(OK, "workers", str(state.workers))
    else:
        yield Finding(BROKEN, "workers", "none: what follows from facts waits (run `worker`)")


def _outbox(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from app import clock
    from app.db import db
    from app.outbox import service
    from app.outbox.models import FAILED, Lease

    try:
        failed = service.counts_open()[FAILED]
        until = db.session.scalar(select(Lease.until).where(Lease.name == "scheduler"))
    except SQLAlchemyError:
        return  # the database check has told why
    if failed:
        yield Finding(NOTE, "outbox", f"{failed} deliveries given up: see `outbox status`")
    if until is not None and until > clock.now():
        yield Finding(OK, "scheduler", "at work")
    elif settings.redis_url is not None:
        yield Finding(BROKEN, "scheduler", "none: nothing is handed to the workers")


def _schedule(settings: Settings) -> Iterator[Finding]:
    from app.outbox import handlers_of
    from app.schedule import SCHEDULE

    unheard = [entry.name for entry in SCHEDULE if not handlers_of(entry.kind)]
    if unheard:
        yield Finding(BROKEN, "schedule", f"nobody listens to {', '.join(unheard)}")
    else:
        yield Finding(
            OK, "schedule", f"{len(SCHEDULE)} periodic jobs, times of {settings.timezone}"
        )


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    free = shutil.disk_usage(folder).free
    text = f"{folder}, {free / (1 << 30):.1f} GiB free"
    state = BROKEN if free < NO_SPACE_BYTES else NOTE if free < LITTLE_SPACE_BYTES else OK
    yield Finding(state, "data folder", text)


def _pictures(settings: Settings) -> Iterator[Finding]:
    from app.media.store import folder_of

    folder = folder_of(settings)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    yield Finding(OK, "pictures", str(folder))


def _spool(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from app import clock
    from app.referrals import ingester

    try:
        found = ingester.state(settings)
    except SQLAlchemyError:
        return  # the database check has told why
    since = clock.now() - found.passed_at if found.passed_at else None
    if found.waiting and (since is None or since > SPOOL_IS_LATE):
        text = f"{found.waiting} bytes of openings wait and nothing reads them (run `web`)"
        yield Finding(BROKEN, "spool", text)
    else:
        yield Finding(OK, "spool", f"{found.waiting} bytes of openings wait")
    if found.lost:
        yield Finding(NOTE, "spool", f"{found.lost} openings could not be kept so far: see the log")
    if found.damaged:
        yield Finding(NOTE, "spool", f"{found.damaged} damaged records were left out so far")


def _clock(settings: Settings) -> Iterator[Finding]:
    from rq.utils import now as real_now

    from app import clock

    offset = clock.now() - real_now()
    if abs(offset) < dt.timedelta(seconds=1):
        yield Finding(OK, "clock", f"{clock.now():%Y-%m-%dT%H:%M:%SZ}")
        return
    state = NOTE if settings.env == "test" else BROKEN
    text = f"{offset.total_seconds():+.0f} s from this machine's (PORTEVOIX_CLOCK at first start)"
    yield Finding(state, "clock", text)


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None:
        yield Finding(NOTE, "mail", f"nothing is sent: messages go to {settings.data_dir / 'mail'}")
        return
    parts = urlsplit(settings.smtp_url)
    host, port = parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        _greet(parts.scheme, host, port)
    except (OSError, smtplib.SMTPException) as error:
        yield Finding(BROKEN, "mail", f"{host}:{port} cannot be used ({type(error).__name__})")
        return
    yield Finding(OK, "mail", f"{host}:{port}")


def _greet(scheme: str, host: str, port: int) -> None:
    """Connect, encrypt where asked for, and leave; nobody signs in and nothing is sent."""
    secure = ssl.create_default_context()
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=secure)
    else:
        server = smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
    with server:
        if scheme == "smtp+starttls":
            server.starttls(context=secure)
        server.noop()


def _linkedin(settings: Settings) -> Iterator[Finding]:
    from app.sharing import checkup

    for state, text in checkup.findings(settings):
        yield Finding(state, "linkedin", text)


def _linkedin_called(settings: Settings) -> Iterator[Finding]:
    from app.sharing import checkup

    for state, text in checkup.findings(settings, outside=True):
        yield Finding(state, "linkedin", text)


def _charter(settings: Settings) -> Iterator[Finding]:
    from sqlalchemy.exc import SQLAlchemyError

    from app.charters import proofs

    try:
        seen = proofs.verify()
    except SQLAlchemyError:
        return  # the database check has told why
    if seen.first_difference is not None:
        text = f"the proof of an answer does not hold: {seen.first_difference}"
        yield Finding(BROKEN, "charter", text)
    else:
        yield Finding(OK, "charter", f"{seen.answers} answers, every proof holds")


def _fonts(settings: Settings) -> Iterator[Finding]:
    from PIL import ImageFont

    from app import ROOT

    fonts = sorted((ROOT / "static" / "fonts").glob("*.woff2"))
    unreadable = []
    for font in fonts:
        try:
            ImageFont.truetype(str(font), 20)
        except OSError:
            unreadable.append(font.name)
    if unreadable or not fonts:
        yield Finding(BROKEN, "fonts", f"cannot be read: {', '.join(unreadable) or 'none there'}")
    else:
        yield Finding(OK, "fonts", f"{len(fonts)} readable")


CHECKS: dict[str, Check] = {
    "settings": _settings,
    "sign-in": _sign_in,
    "keys": _keys,
    "database": _database,
    "queue": _queue,
    "outbox": _outbox,
    "schedule": _schedule,
    "data folder": _data_dir,
    "pictures": _pictures,
    "spool": _spool,
    "clock": _clock,
    "mail": _mail,
    "linkedin": _linkedin,
    "charter": _charter,
    "fonts": _fonts,
}
OUTSIDE: dict[str, Check] = {"linkedin": _linkedin_called}
