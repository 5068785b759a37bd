"""The long checks at full counts: `make soak`.

Each check is a list of seeded rounds. What was done is written after every round, so an
interrupted run goes on where it stopped; `--fresh` begins again, `--only NAME` takes one
check, `--rounds N` fewer rounds of each. A failed round prints its seed and ends the run.

  replays   20 seeds of 50 shuffled replays each (1,000), every third seed with two workers at once
  races     20 rounds of 200 redemptions of ten items from four processes, on both databases
  storms    20 storms on the outbox: rollback, relay, queue, worker with its child alive
  kills     20 seeds of 24 SIGKILLs each (480) at system calls around the publishing call
  texts     20 seeds of 50 texts each (1,000), on both databases in turn
  crowds    on both databases and with two kinds of trouble: 1,000 posts due at once (99 % of the
            healthy ones within 30 s), the switch thrown among 500, a member who leaves
  secrets   on both databases, twice: a life with marked tokens and everything searched for
            them, and 10,000 connections whose keys are changed under traffic
  clicks    20 seeds of 18 SIGKILLs each (360) of web workers, of the web's main process and of the
            ingester in every phase, under load, on both databases in turn
  outages   PostgreSQL away for 30 s under 200 openings a second, SQLite locked for 30 s under 50,
            twice each
  imports   200,000 people by the console on both databases, twice: in ten minutes and 300 MiB,
            while pages answer; again, which changes nothing; undone to the last row
  purges    the demo and thousands of rows more, six years later, on both databases, twice: one
            purge leaves nothing overdue, 20 SIGKILLs each change nothing of how it ends
  journeys  the three journeys in all sixteen combinations
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.postgres import Server
    from tests.sharing.crowd import Installation

ROOT = Path(__file__).resolve().parents[1]
STATE = Path(os.environ.get("PORTEVOIX_SOAK_STATE", ROOT / "var" / "soak.json"))
REPLAYS_A_SEED = 50
KILLS_A_SEED = 24
TEXTS_A_SEED = 50
CROWD, CROWD_SECONDS = 1_000, 30.0
IMPORTED, IMPORT_SECONDS, IMPORT_MEBIBYTES = 200_000, 600.0, 300
HALTED, PLANNED = 500, 100
CONNECTIONS = 10_000
PURGED, PURGE_KILLS = 2_000, 20

Round = Callable[[int], str]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="portevoix-soak-") as made:
        yield Path(made)


def replays(seed: int) -> str:
    """Fifty stories of one seed on a fresh base."""
    from app import create_app, migrating
    from tests import replays as stories
    from tests.conftest import House, serving, settings_for

    with _folder() as folder:
        app = create_app(settings_for(folder))
        with app.app_context():
            migrating.upgrade()
        told = serving(app)
        next(told)
        try:
            for number in range(REPLAYS_A_SEED):
                story = seed * 1_000 + number
                stories.replay(House(app), story, in_threads=number % 3 == 0)
            assert stories.verified()
        finally:
            told.close()
    return f"{REPLAYS_A_SEED} replays, same state and balances as in order"


def races(seed: int) -> str:
    """One race on each database."""
    from app import create_app, migrating
    from tests import postgres
    from tests.conftest import settings_for
    from tests.rewards.race import race

    said = []
    server = postgres.start()
    try:
        with _folder() as folder:
            for url in (f"sqlite:///{folder / 'race.db'}", server.create(f"race_{seed}")):
                app = create_app(settings_for(folder, DATABASE_URL=url))
                with app.app_context():
                    migrating.upgrade()
                outcome = race(url, seed)
                assert outcome.is_fair, f"{url.split(':')[0]} seed {seed}: {outcome}"
                said.append(f"{url.split(':')[0]}: {outcome.sold} sold, {outcome.debits} debits")
    finally:
        server.stop()
    return "; ".join(said)


def storms(seed: int) -> str:
    """One storm; it asserts for itself."""
    from tests.jobs.storm import storm

    return str(storm(seed, 400))


def kills(seed: int) -> str:
    """Two dozen deaths around the publishing call."""
    from tests.sharing import kills as told

    _quick_passwords()
    with _folder() as folder:
        return str(told.kills(folder, seed, KILLS_A_SEED))


@contextmanager
def _database(seed: int) -> Iterator[tuple[str, Server | None]]:
    """Even seeds are told on SQLite, odd ones on a PostgreSQL that waits for the disk: its
    address and itself."""
    from tests import postgres

    if seed % 2 == 0:
        yield "", None
        return
    server = postgres.start(durable=True)
    try:
        yield server.create("soak"), server
    finally:
        server.stop()


@contextmanager
def _installation(seed: int, **more: str) -> Iterator[Installation]:
    """An installation with processes of its own."""
    from tests.sharing.crowd import Installation

    _quick_passwords()
    with _folder() as folder, _database(seed) as (url, server):
        place = Installation(folder / "data", url, server, **more)
        try:
            yield place
        finally:
            place.close()


def texts(seed: int) -> str:
    """Fifty texts, previewed, published, read."""
    from app import create_app, migrating
    from standin.linkedin import StandIn
    from tests.conftest import House, serving, settings_for
    from tests.sharing import texts as told
    from tests.sharing.conftest import linked

    with _folder() as folder, _database(seed) as (url, _), StandIn(lenient=True) as standin:
        variables = {"DATABASE_URL": url} if url else {}
        app = create_app(settings_for(folder, **linked(folder, standin, **variables)))
        with app.app_context():
            migrating.upgrade()
        product = serving(app)
        next(product)
        try:
            return str(told.check(House(app), standin, seed, TEXTS_A_SEED))
        finally:
            product.close()


def crowds(seed: int) -> str:
    """A crowd, a stop and a farewell, each on an installation of its own."""
    from tests.sharing import crowd

    trouble = crowd.TROUBLES[seed // 2 % 2]
    with _installation(seed) as place:
        told = crowd.publish(place, seed, CROWD, trouble=trouble)
        assert told.healthy <= CROWD_SECONDS, f"seed {seed}: {told}"
    with _installation(seed) as place:
        halt = crowd.halt(place, seed, HALTED, PLANNED)
    with _installation(seed) as place:
        person_id = crowd.leaver(place)
        place.start_workers()
        place.start_scheduler()
        farewell = crowd.leave(place, person_id, "nothing else to do")
        assert farewell.longest <= crowd.WITHIN, f"seed {seed}: {farewell}"
    return f"\n  {told}\n  {halt}\n  {farewell}\n "


def secrets(seed: int) -> str:
    """A life with marked tokens, and keys that change."""
    from tests.sharing import leak, rotation

    secret = leak.secret()
    client = {"LINKEDIN_CLIENT_ID": "marked", "LINKEDIN_CLIENT_SECRET": secret}
    with _installation(seed, SHARE_TIMEOUT_SECONDS="2", **client) as place:
        place.standin.register("marked", secret)
        life = leak.life(place, seed)
        life.judge()
    with _installation(seed) as place:
        changed = rotation.rotate(place.folder, seed, CONNECTIONS)
    return f"\n  {life}\n  {changed}\n "


def clicks(seed: int) -> str:
    """Each victim twice, in any order, while links are opened."""
    from tests.referrals import click_kills as told

    victims = random.Random(seed).sample([*told.VICTIMS, *told.VICTIMS], 2 * len(told.VICTIMS))
    server = "gunicorn" if seed % 4 == 3 else "granian"
    with _folder() as folder, _database(seed) as (url, _):
        return str(told.kills(folder / "data", seed, victims, database_url=url, server=server))


def outages(seed: int) -> str:
    """The database is away, or locked, and comes back."""
    from tests.referrals import click_kills as told

    with _folder() as folder, _database(seed) as (_, database):
        return str(told.outage(folder / "data", seed, 30.0, 200.0 if database else 50.0, database))


def imports(seed: int) -> str:
    """A large organisation comes by file, while somebody uses the site."""
    from tests.conftest import settings_for
    from tests.provisioning import long_import

    people = int(os.environ.get("PORTEVOIX_SOAK_IMPORTED", IMPORTED))
    with _folder() as folder, _database(seed) as (url, _):
        named = {"DATABASE_URL": url} if url else {}
        settings = settings_for(folder, **named)
        variables = {f"PORTEVOIX_{name}": value for name, value in named.items()} | {
            "PORTEVOIX_DATA_DIR": str(folder), "PORTEVOIX_ENV": "test",
            "PORTEVOIX_SECRET_KEY": settings.secret_keys[0],
        }  # fmt: skip
        told = long_import.bring(settings, variables, people, seed)
        assert told.seconds <= IMPORT_SECONDS, f"seed {seed}: {told}"
        assert told.mebibytes <= IMPORT_MEBIBYTES, f"seed {seed}: {told}"
    return str(told)


def purges(seed: int) -> str:
    """The nightly purge of the demo organisation and of what is planted into it."""
    from app import clock, create_app, demo, migrating, outbox
    from app.db import db
    from standin.linkedin import StandIn
    from tests.conftest import START, settings_for
    from tests.privacy import loaded, purge_kills

    _quick_passwords()
    count = int(os.environ.get("PORTEVOIX_SOAK_PURGED", PURGED))
    with _folder() as folder, _database(seed) as (url, server):
        data = folder / "data"
        data.mkdir()
        with StandIn(folder / "standin", lenient=True) as network:
            named = {"DATABASE_URL": url} if url else {}
            address = network.address
            settings = settings_for(
                data, LINKEDIN_API_URL=address, LINKEDIN_AUTH_URL=address, **named
            )
            network.set(also_versions=[settings.linkedin_version])
            clock.freeze(START)
            with create_app(settings).app_context():
                migrating.upgrade()
                demo.fill(network)
                clock.freeze(START)
                loaded.plant(count, seed)
                outbox.drain()
                db.session.remove()
                db.engine.dispose()
        place = purge_kills.Place(data, url, server, START + purge_kills.SIX_YEARS, batch=0)
        told = str(purge_kills.check(place, seed, PURGE_KILLS))
        clock.release()
    return told


def _quick_passwords() -> None:
    """Argon2id with less work, so that people join in no time."""
    from argon2 import PasswordHasher

    from app.people import passwords

    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=1024)


def journeys(number: int) -> str:
    """One combination of the three journeys on a product of its own."""
    from playwright.sync_api import sync_playwright

    from tests.browser import journeys as told
    from tests.browser.product import ALL, FLAGS, Product
    from tests.browser.test_journeys import CHROMIUM, a_code

    how = ALL[number % len(ALL)]
    with _folder() as folder:
        product = Product(folder / "data")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
                told.ambassador(browser, product, how)
                for blocked in (False, True):
                    told.candidate(browser, product, how, a_code(product), blocked=blocked)
                told.recruiter(browser, product, how)
                browser.close()
        finally:
            assert product.stop() == 0
    return f"{how}: ambassador, candidate (cookies allowed, blocked), recruiter"


CHECKS: dict[str, tuple[Round, int]] = {
    "replays": (replays, 20),
    "races": (races, 20),
    "storms": (storms, 20),
    "kills": (kills, 20),
    "texts": (texts, 20),
    "crowds": (crowds, 4),
    "secrets": (secrets, 4),
    "clicks": (clicks, 20),
    "outages": (outages, 4),
    "imports": (imports, 4),
    "purges": (purges, 4),
    "journeys": (journeys, 16),
}


def _state(fresh: bool) -> dict[str, int]:
    if fresh or not STATE.exists():
        return {}
    found: dict[str, int] = json.loads(STATE.read_text())
    return found


def _keep(state: dict[str, int]) -> None:
    STATE.parent.mkdir(parents=True, exist_ok=True)
    draft = STATE.with_suffix(".new")
    draft.write_text(json.dumps(state))
    shutil.move(draft, STATE)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=sorted(CHECKS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--fresh", action="store_true")
    asked = parser.parse_args()
    state, ran = _state(asked.fresh), set[str]()
    for name, (check, rounds) in CHECKS.items():
        if asked.only not in (None, name):
            continue
        for seed in range(state.get(name, 0), min(rounds, asked.rounds or rounds)):
            began = time.monotonic()
            ran.add(name)
            said = check(seed)
            print(f"{name} seed {seed}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
            _keep(state | {name: seed + 1})
            state[name] = seed + 1
    done = {name for name in CHECKS if asked.only in (None, name)} - ran
    if done:
        print("soak: done before, not run again (--fresh begins anew):", ", ".join(sorted(done)))
    print("soak: everything held", {name: state.get(name, 0) for name in CHECKS})
    return 0


if __name__ == "__main__":
    sys.exit(main())
