"""Many due posts at once, with the processes of a real installation: two workers, a scheduler,
a queue server, and a LinkedIn that is slow.

`publish(...)`: everybody's post is due at one moment and one member is in trouble; how long
until 99 of 100 healthy ones are online. `halt(...)`: the switch is thrown in the middle.
`leave(...)`: how long until nothing of a member is left. The suite takes slices of these,
`make soak` tells them at full counts.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import os
import random
import shutil
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select, update

from app import clock, create_app, migrating
from app.db import db, transaction
from app.demo.drawings import draw
from app.jobs import process, scheduler, worker
from app.jobs.queue import connect
from app.library import service as library
from app.library.models import Story
from app.media import service as media
from app.outbox import service as relay
from app.outbox.models import DONE, OutboxDelivery
from app.people import service as people
from app.people.models import Membership
from app.play import accounts, rules
from app.schedule import SCHEDULE
from app.settings import save_organisation
from app.sharing import disclosures, grants, publisher, service, stop
from app.sharing.models import Grant, GrantRevocation, Share
from app.supervisor import queue_server
from standin.linkedin import StandIn
from tests.conftest import House, settings_for
from tests.jobs.conftest import Server as QueueServer
from tests.jobs.conftest import start_server
from tests.postgres import Server
from tests.sharing import flow, kit
from tests.sharing.conftest import linked

log = logging.getLogger(__name__)

SLOW = {"slow:0.15": 0.25, "slow:0.2": 0.25, "slow:0.25": 0.25, "slow:0.3": 0.25}
"""Every call takes 150 to 300 ms before it takes effect."""
UNEVEN = {"slow:0.1": 0.25, "slow:0.5": 0.25, "slow:1": 0.25, "slow:1.5": 0.25}
"""So that a few posts are spread over some seconds."""
HEALTHY = 0.99
PATIENCE = 180.0
TROUBLES = ("silence:600", "401-revoked")
AT_ONCE = 100  # members made in one transaction


class Installation:
    """One product with its queue server, its LinkedIn and as many processes as wanted. Its
    clock runs: all processes share the real one."""

    def __init__(
        self,
        folder: Path,
        database_url: str = "",
        database: Server | None = None,
        **more: str,
    ) -> None:
        self.folder, self.database = folder, database
        folder.mkdir(exist_ok=True)
        clock.release()
        self.parts: dict[str, int] = {}
        self._opened = ExitStack()
        try:
            self._open(database_url, more)
        except BaseException:
            self.close()
            raise

    def _open(self, database_url: str, more: dict[str, str]) -> None:
        runtime = queue_server.runtime_folder()
        self._opened.callback(shutil.rmtree, runtime, ignore_errors=True)
        self.server = start_server(runtime, self.folder)
        self._opened.callback(_end_server, self.server)
        self.standin = self._opened.enter_context(StandIn(process=True, lenient=True))
        variables = linked(self.folder, self.standin, REDIS_URL=self.server.url) | more
        if database_url:
            variables["DATABASE_URL"] = database_url
        self.settings = settings_for(self.folder, **variables)
        self.app = create_app(self.settings)
        self._opened.enter_context(self.app.app_context())
        self._opened.callback(_let_go)
        self._prepare()
        self.house = House(self.app)

    def _prepare(self) -> None:
        migrating.upgrade()
        save_organisation(name="Halvenne", brand="#00664a", privacy_contact="vie@halvenne.example")
        rules.ensure_defaults(clock.now() - dt.timedelta(days=365))
        disclosures.ensure_defaults()

    def close(self) -> None:
        """End every process and remove what is not in the folder."""
        for name in list(self.parts):
            self.end(name)
        self._opened.close()

    def database_files(self) -> list[Path]:
        """What PostgreSQL keeps on disk, its journal included, brought there first; SQLite's
        are in the folder."""
        if self.database is None:
            return []
        with psycopg.connect(self.database.address("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        return [path for path in (self.database.home / "data").rglob("*") if path.is_file()]

    # --- processes -------------------------------------------------------------------------

    def start_workers(self, count: int = 2, logs: int = logging.INFO) -> None:
        """Real workers; back when the queue server knows them."""
        for number in range(count):
            self._fork(f"worker {number + 1}", lambda: worker.run(self.app, self.server.url), logs)
        client = connect(self.server.url)
        eventually(lambda: client.scard("rq:workers") >= count, "the workers are there")
        client.close()

    def start_scheduler(self, logs: int = logging.INFO) -> None:
        """The real one, with everything that happens by the clock."""
        self._fork(
            "scheduler",
            lambda: scheduler.run(self.app, self.settings, self.server.url, SCHEDULE),
            logs,
        )

    def _fork(self, name: str, work: Callable[[], int], logs: int) -> None:
        db.session.remove()
        db.engine.dispose()
        sys.stdout.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                process.die_with(parent)
                self._own_output(name, logs)
                status = work()
            except SystemExit as asked:
                status = int(asked.code or 0)
            finally:
                os._exit(status)
        self.parts[name] = pid

    def _own_output(self, name: str, level: int) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        output = os.open(self.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(output, 1)
        os.dup2(output, 2)
        logging.basicConfig(stream=os.fdopen(2, "w", closefd=False), level=level, force=True)
        log.info("%s begins", name)

    def end(self, name: str) -> None:
        """SIGKILL; a worker's job goes with it."""
        pid = self.parts.pop(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _end_server(server: QueueServer) -> None:
    server.process.kill()
    server.process.wait()


def _let_go() -> None:
    """No connection to the database stays open."""
    db.session.remove()
    db.engine.dispose()


@pytest.fixture
def variables() -> dict[str, str]:
    """Settings of the installation of a test."""
    return {}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path, variables: dict[str, str]
) -> Iterator[Installation]:
    """An installation with processes of its own, on each database; it does not wait long."""
    url, server, folder = "", None, tmp_path / "data"
    folder.mkdir()
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
        server = request.getfixturevalue("postgres_server")
    else:
        shutil.copy(template, folder / "portevoix.db")
    made = Installation(folder, url, server, **{"SHARE_TIMEOUT_SECONDS": "2"} | variables)
    yield made
    made.close()


def eventually(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> float:
    """Wait until `holds()` is true; after how many seconds it was."""
    began = clock.monotonic()
    while not holds():
        assert clock.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        clock.sleep(0.1)
    return clock.monotonic() - began


def tomorrow() -> dt.datetime:
    """The same time of the next day."""
    return clock.now() + dt.timedelta(days=1)


def _fresh() -> None:
    """What other processes have committed counts."""
    db.session.rollback()


# --- people who share --------------------------------------------------------------------


def members(count: int, mark: str = "foule") -> list[uuid.UUID]:
    """People who joined, agreed to the charter and connected a profile of their own."""
    found: list[uuid.UUID] = []
    while len(found) < count:
        with transaction() as session:
            for number in range(len(found), min(len(found) + AT_ONCE, count)):
                person = people.add_person(
                    kind="employee", name=f"Camille {number}", email=f"{mark}-{number}@halvenne.example"
                )  # fmt: skip
                people.join(person.id)
                accounts.open_for(person.id)
                kit.accept(person.id)
                kit.connect(person.id, subject=f"{mark}{number}")
                found.append(person.id)
            session.flush()
            session.expunge_all()
    return found


def story_with_picture(house: House) -> uuid.UUID:
    """A story whose post needs three calls: a place for its picture, the picture, the post."""
    story_id = kit.story(house)
    author = db.session.get_one(Story, story_id).published_by
    picture = media.add(draw("rings", "#00664a", 1), actor_id=None)
    library.change_story(story_id, {"picture_id": picture.id, "alt": "Des anneaux."}, author)
    return story_id


def press_all(
    person_ids: list[uuid.UUID], story_id: uuid.UUID, words: str, at: dt.datetime | None = None
) -> None:
    """Everybody presses, each with words of their own."""
    for first in range(0, len(person_ids), AT_ONCE):
        with transaction() as session:
            for person_id in person_ids[first : first + AT_ONCE]:
                text = f"{words} {person_id.hex[-6:]}"
                service.press(person_id, kit.Wish(story_id=story_id, words=text, publish_at=at))
            session.flush()
            session.expunge_all()


def forget_the_rest() -> None:
    """What was recorded while the people were made was handled long ago."""
    while relay.tell():
        pass
    with transaction() as session:
        session.execute(
            update(OutboxDelivery)
            .where(OutboxDelivery.state != DONE, OutboxDelivery.handler != "sharing.publish")
            .values(state=DONE, done_at=clock.now())
        )


def states(person_ids: list[uuid.UUID] | None = None) -> Counter[tuple[str, str | None]]:
    """How many posts are in each state, with its reason."""
    _fresh()
    wanted = select(Share.status, Share.reason, func.count()).group_by(Share.status, Share.reason)
    if person_ids is not None:
        wanted = wanted.where(Share.person_id.in_(person_ids))
    return Counter({(row[0], row[1]): row[2] for row in db.session.execute(wanted)})


def _count(status: str) -> int:
    _fresh()
    found = db.session.scalar(select(func.count()).select_from(Share).where(Share.status == status))
    return found or 0


def _posted_at(post: dict[str, object]) -> dt.datetime:
    return dt.datetime.fromisoformat(str(post["created_at"]))


# --- everybody at once -------------------------------------------------------------------


@dataclass
class Publication:
    """What became of one crowd. Times in seconds from the moment everything was due."""

    seed: int
    people: int
    trouble: str
    first: float = 0.0
    half: float = 0.0
    healthy: float = 0.0
    everybody: float = 0.0
    troubled: str = ""
    settings: str = ""
    database: str = ""

    def __str__(self) -> str:
        return (
            f"{self.database}, {self.people} posts due at once, one member in trouble "
            f"({self.trouble}; hers ended {self.troubled}), {self.settings}: 99 % of the healthy ones "
            f"published after {self.healthy:.1f} s (the first {self.first:.1f}, half {self.half:.1f}, "
            f"the last {self.everybody:.1f})"
        )


def publish(
    place: Installation, seed: int, count: int, *, picture: bool = True, trouble: str = ""
) -> Publication:
    """So many members, each with one post that is due; two workers."""
    chance = random.Random(seed)
    told = Publication(seed, count, trouble or chance.choice(TROUBLES))
    told.database = place.settings.database_url.split(":")[0]
    story_id = (story_with_picture if picture else kit.story)(place.house)
    crowd = members(count)
    unlucky = crowd[chance.randrange(count // 10, count)]
    press_all(crowd, story_id, "Chapeau à l’équipe.")
    forget_the_rest()
    place.standin.fault(told.trouble, path="/", member=subject_of(unlucky), times=None)
    place.standin.mix(seed, SLOW, path="/", method=None)
    told.settings = (
        f"{3 if picture else 1} call(s) a post of 150 to 300 ms, 2 workers of "
        f"{publisher.THREADS} threads"
    )
    _run(place, told)
    _judge(place, told, crowd, unlucky)
    return told


def subject_of(person_id: uuid.UUID) -> str:
    found = grants.grant_of(person_id)
    assert found is not None
    return found.subject


def _run(place: Installation, told: Publication) -> None:
    place.start_workers()
    place.start_scheduler()
    began = clock.monotonic()
    healthy = told.people - 1
    marks = {
        "first": 1,
        "half": healthy // 2,
        "healthy": math.ceil(HEALTHY * healthy),
        "everybody": healthy,
    }
    for name, wanted in marks.items():
        eventually(lambda least=wanted: _count("published") >= least, f"{name}: {states()}")
        setattr(told, name, clock.monotonic() - began)


def _judge(
    place: Installation, told: Publication, crowd: list[uuid.UUID], unlucky: uuid.UUID
) -> None:
    """Every healthy one once, hers in a true state."""
    wanted = {"silence:600": "unknown", "401-revoked": "paused"}[told.trouble]
    eventually(lambda: _still_moving([unlucky]) == 0 or _tries(unlucky), "hers has come to an end")
    told.troubled = " ".join(filter(None, next(iter(states([unlucky])))))
    posts = Counter(post["author"]["urn"].rsplit(":", 1)[1] for post in place.standin.posts())
    rows = db.session.execute(select(Grant.person_id, Grant.subject)).all()
    subjects = {row.person_id: row.subject for row in rows}
    healthy = [p for p in crowd if p != unlucky]
    assert states(healthy) == {("published", None): len(healthy)}, f"{told}: {states(healthy)}"
    assert [posts[subjects[p]] for p in healthy] == [1] * len(healthy), f"{told}: not once each"
    assert posts[subjects[unlucky]] == 0, f"{told}: her calls never took effect"
    assert told.troubled.split()[0] in (wanted, "scheduled", "publishing"), told


def _still_moving(person_ids: list[uuid.UUID]) -> int:
    found = states(person_ids)
    return sum(n for (status, _), n in found.items() if status in ("scheduled", "publishing"))


def _tries(person_id: uuid.UUID) -> int:
    """How often it was certain that nothing had been posted."""
    return db.session.scalar(select(Share.tries).where(Share.person_id == person_id)) or 0


# --- the switch --------------------------------------------------------------------------


@dataclass
class Halt:
    """What became of a crowd whose sharing was stopped. Times in seconds from the stop."""

    seed: int
    due: int
    later: int
    before: int = 0
    after: int = 0
    last: float | None = None
    paused: int = 0
    asked: int = 0
    again: int = 0
    database: str = ""

    def __str__(self) -> str:
        last = "none" if self.last is None else f"{self.last:.2f} s after it"
        return (
            f"{self.database}, {self.due} posts due and {self.later} planned, stopped with "
            f"{self.before} online: {self.after} left after the stop (the last one {last}), "
            f"{self.paused} paused; lifted: {self.asked} authors asked, {self.later} planned again, "
            f"none left by itself, {self.again} after a press"
        )


AFTER_STOP = 5.0


def halt(
    place: Installation, seed: int, due: int, later: int, slow: dict[str, float] = SLOW
) -> Halt:
    """So many posts are due and workers at work when sharing is stopped, and then goes on."""
    told = Halt(seed, due, later, database=place.settings.database_url.split(":")[0])
    story_id = story_with_picture(place.house)
    lead = place.house.person("Paul Lead", "lead").id
    crowd = members(due)
    planners = random.Random(seed).sample(crowd, later)
    press_all(crowd, story_id, "Maintenant.")
    press_all(planners, story_id, "Demain.", tomorrow())
    forget_the_rest()
    place.standin.mix(seed, slow, path="/", method=None)
    place.start_workers()
    place.start_scheduler()
    eventually(lambda: _count("published") >= due // 10, "the workers are at work")
    stop_id, stopped_at = _throw(lead)
    _stopped(place, told, stopped_at)
    _lifted(place, told, lead, stop_id)
    _pressed_again(place, told)
    return told


def _throw(lead: uuid.UUID) -> tuple[uuid.UUID, dt.datetime]:
    """Stop all sharing; the moment from which it was stopped."""
    _fresh()
    made = stop.stop(lead, "Un accident. Merci d’attendre.")
    return made.id, clock.now()


def _stopped(place: Installation, told: Halt, stopped_at: dt.datetime) -> None:
    """None leaves after five seconds, though the workers go on looking."""
    eventually(lambda: _count("publishing") == 0, "nothing is under way any more")
    clock.sleep(max(0.0, AFTER_STOP + 3.0 - (clock.now() - stopped_at).total_seconds()))
    offsets = [(_posted_at(post) - stopped_at).total_seconds() for post in place.standin.posts()]
    told.before, told.after = sum(o <= 0 for o in offsets), sum(o > 0 for o in offsets)
    told.last = max((o for o in offsets if o > 0), default=None)
    assert max(offsets) <= AFTER_STOP, f"{told}: one left {max(offsets):.1f} s after the stop"
    found = states()
    told.paused = found[("paused", "stopped")]
    assert found == {
        ("published", None): told.before + told.after,
        ("paused", "stopped"): told.due + told.later - told.before - told.after,
    }, f"{told}: {found}"
    assert told.paused > told.later, f"{told}: it came too late to show anything"


def _lifted(place: Installation, told: Halt, lead: uuid.UUID, stop_id: uuid.UUID) -> None:
    """Whose moment has passed is asked; the rest is planned again; nothing leaves by itself."""
    posts = len(place.standin.posts())
    told.asked = stop.lift(lead, stop_id)
    publisher.publish_due()
    clock.sleep(3.0)
    found = states()
    assert told.asked == told.due - posts, told
    assert found == {
        ("published", None): posts,
        ("paused", "asks"): told.asked,
        ("scheduled", None): told.later,
    }, f"{told}: {found}"
    assert len(place.standin.posts()) == posts, f"{told}: one left without a press"


def _pressed_again(place: Installation, told: Halt) -> None:
    """One author presses again: that post leaves, and no other."""
    posts = len(place.standin.posts())
    asked = db.session.scalars(select(Share).where(Share.reason == "asks").limit(1)).one()
    service.reschedule(asked.person_id, asked.id, None)
    eventually(lambda: _count("published") > posts, "the one that was pressed again is online")
    clock.sleep(1.0)
    told.again = len(place.standin.posts()) - posts
    assert told.again == 1 and kit.share(asked.id).status == "published", told


# --- leaving -----------------------------------------------------------------------------


@dataclass
class Departure:
    """How long it took until nothing was left of a member, in seconds from the press."""

    busy: str
    cancelled: float = 0.0
    forgotten: float = 0.0
    revoked: float = 0.0
    gone: float = 0.0
    database: str = ""

    def __str__(self) -> str:
        return (
            f"{self.database}, {self.busy}: planned posts cancelled {self.cancelled:.1f} s after "
            f"leaving, connection deleted {self.forgotten:.1f} s, token refused by LinkedIn "
            f"{self.revoked:.1f} s, its last copy gone here {self.gone:.1f} s"
        )

    @property
    def longest(self) -> float:
        """Until the last of it."""
        return max(self.cancelled, self.forgotten, self.revoked, self.gone)


WITHIN = 60.0
PLANNED = 2


def leaver(place: Installation, subject: str = "pArt1rA9xZ") -> uuid.UUID:
    """A member who connected as members do, and has posts planned."""
    place.standin.add_members([{"sub": subject, "name": "Odile Roux"}])
    person = flow.newcomer(place.house, "Odile Roux")
    flow.connect(place.house.browser(person), place.standin, subject)
    story_id = kit.story(place.house)
    for days in range(1, PLANNED + 1):
        press_all(
            [person.id], story_id, f"Dans {days} jours.", clock.now() + dt.timedelta(days=days)
        )
    return person.id


def leave(place: Installation, person_id: uuid.UUID, busy: str) -> Departure:
    """One press; then look at the database and at LinkedIn until nothing is left."""
    told = Departure(busy, database=place.settings.database_url.split(":")[0])
    subject = subject_of(person_id)
    _fresh()
    people.leave(person_id)
    began = clock.monotonic()
    looks: dict[str, Callable[[], bool]] = {
        "cancelled": lambda: states([person_id]) == {("cancelled", "left"): PLANNED},
        "forgotten": lambda: _rows(Grant, Grant.person_id == person_id) == 0,
        "revoked": lambda: _token_states(place, subject) == {"revoked"},
        "gone": lambda: _rows(GrantRevocation, GrantRevocation.id.is_not(None)) == 0,
    }
    while looks:
        for name in list(looks):
            if (name != "gone" or "forgotten" not in looks) and looks[name]():
                setattr(told, name, clock.monotonic() - began)
                del looks[name]
        assert clock.monotonic() - began < PATIENCE, f"{told}: not yet {', '.join(looks)}"
        clock.sleep(0.05)
    assert _rows(Membership, Membership.left_at.is_not(None)) == 1
    return told


def _rows(model: type[Grant | GrantRevocation | Membership], where: object) -> int:
    _fresh()
    return db.session.scalar(select(func.count()).select_from(model).where(where)) or 0  # type: ignore[arg-type]


def _token_states(place: Installation, subject: str) -> set[str]:
    return {token["state"] for token in place.standin.tokens() if token["member"] == subject}
