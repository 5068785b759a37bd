"""SIGKILL at system-call boundaries around the publishing call, with a faulty network mixed in.

Each blow: a member presses, the relay hands the fact to the real queue, a real worker forks its
child, and one of the two dies at a system call that the seed chose, somewhere between the
connection to LinkedIn and the end of the job. Then time passes and an ordinary worker takes
over. What must hold, every time: never two posts; each share ends in a true state; an unknown
one only where the request had begun to leave, or where the network itself left us in the dark.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import shutil
import signal
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import clock, create_app, migrating
from app.db import db
from app.jobs import worker
from app.jobs.queue import DeliveryQueue, connect
from app.jobs.relay import relay_once
from app.sharing import publisher, service
from app.sharing.models import Share
from app.supervisor import queue_server
from standin.linkedin import CLIENT_ID, CLIENT_SECRET, StandIn
from tests.conftest import START, House, serving, settings_for, waits_for_the_disk
from tests.jobs.conftest import Server, start_server
from tests.sharing import kit
from tests.sharing.tracing import Course, Plan, Tracer

# The network's own tricks; those that leave us in the dark first.
DARK = ("drop_after_accept", "500", "silence:600+commit", "silence:600", "half")
PLAIN = ("429", "no_header", "409", "503")
FAULTS: tuple[str | None, ...] = (None, None, None, None, None, *DARK, *PLAIN)
TRUE_ENDS = ("published", "unknown")


@dataclass
class Report:
    """What some blows did."""

    blows: int = 0
    posts: int = 0
    published: int = 0
    unknown: int = 0
    kills: int = 0
    kills_while_leaving: int = 0
    kills_after_leaving: int = 0
    dark_faults: int = 0
    victims: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        victims = ", ".join(f"{name} {count}" for name, count in sorted(self.victims.items()))
        return (
            f"{self.kills} kills ({victims}; {self.kills_while_leaving} after the request began "
            f"to leave, {self.kills_after_leaving} after its last byte), {self.dark_faults} faults "
            f"that tell nothing: {self.posts} posts of {self.blows} shares, none twice; "
            f"{self.published} published, {self.unknown} unknown"
        )


class Range:
    """One product, one queue server, one stand-in, and as many blows as wanted."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.report = Report()
        self.ends = contextlib.ExitStack()
        try:
            self._open(folder)
        except BaseException:
            self.ends.close()
            raise

    def _open(self, folder: Path) -> None:
        self.runtime = queue_server.runtime_folder()
        self.ends.callback(shutil.rmtree, self.runtime, ignore_errors=True)
        self.server: Server = start_server(self.runtime, folder / "queue-data")
        self.ends.callback(self.server.process.wait)
        self.ends.callback(self.server.process.kill)
        self.standin = self.ends.enter_context(StandIn(process=True, lenient=True))
        address = self.standin.address
        self.app = create_app(
            settings_for(
                folder, LINKEDIN_AUTH_URL=address, LINKEDIN_API_URL=address,
                LINKEDIN_CLIENT_ID=CLIENT_ID, LINKEDIN_CLIENT_SECRET=CLIENT_SECRET,
                SHARE_TIMEOUT_SECONDS="1", REDIS_URL=self.server.url,
            )
        )  # fmt: skip
        waits_for_the_disk(self.app)
        with self.app.app_context():
            migrating.upgrade()
        living = serving(self.app)
        next(living)
        self.ends.callback(living.close)
        self.house = House(self.app)
        self.story_id = kit.story(self.house)
        self.undisturbed = self._measure()

    def close(self) -> None:
        """Nothing of it is left."""
        self.ends.close()

    def _measure(self) -> Course:
        """How many system calls an undisturbed job makes after its claim and its connection."""
        course, share_id = self._job(Plan(self.port, None), None)
        assert self._share(share_id).status == "published", "the undisturbed one is published"
        assert course.sent_whole and course.calls_since_commit > course.calls > 20, course
        return course

    def _plan(self) -> Plan:
        """Two thirds of the blows between the connection and the end, one third from the claim."""
        victim = self.chance.choice(("child", "worker"))
        if self.chance.random() < 1 / 3:
            at = self.chance.randint(1, self.undisturbed.calls_since_commit)
            return Plan(self.port, at, victim, since_commit=True)
        return Plan(self.port, self.chance.randint(1, self.undisturbed.calls), victim)

    @property
    def port(self) -> int:
        return int(self.standin.address.rsplit(":", 1)[1])

    def _job(self, plan: Plan, fault: str | None) -> tuple[Course, uuid.UUID]:
        member = kit.member(self.house, f"Personne {self.report.blows}")
        share_id = service.press(
            member.id, kit.Wish(story_id=self.story_id, words=f"Coup n° {self.report.blows}")
        ).id
        self.standin.clear_faults()
        if fault is not None:
            self.standin.fault(fault, path="/rest/posts", method="POST", times=1)
        self._hand_over()
        return self._work(plan), share_id

    def _hand_over(self) -> None:
        """The relay's own pass; only the publishing is left to the worker."""
        queue = DeliveryQueue(connection=connect(self.server.url))
        queue.connection.flushall()
        relay_once(queue, dt.timedelta(seconds=0))
        db.session.remove()
        db.engine.dispose()

    def _work(self, plan: Plan) -> Course:
        """A real worker in a process of its own, until its child is over."""
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(ready, 1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            status = 1
            try:
                status = worker.run(self.app, self.server.url)
            finally:
                os._exit(status)
        tracer = Tracer(pid, plan)
        os.write(go, b".")
        os.close(ready)
        os.close(go)
        return tracer.follow()

    def _share(self, share_id: uuid.UUID) -> Share:
        return db.session.get_one(Share, share_id, populate_existing=True)

    def blow(self) -> None:
        """One press, one death, one recovery, one look."""
        report = self.report
        report.blows += 1
        fault, plan = self.chance.choice(FAULTS), self._plan()
        course, share_id = self._job(plan, fault)
        report.kills += course.killed
        if course.killed:
            report.victims[plan.victim] = report.victims.get(plan.victim, 0) + 1
        report.kills_while_leaving += course.killed and course.began_to_send
        report.kills_after_leaving += course.killed and course.sent_whole
        report.dark_faults += fault in DARK
        self._recover(share_id)
        self._judge(share_id, fault, course)

    def _recover(self, share_id: uuid.UUID) -> None:
        """Leases end, days pass, an ordinary worker takes over."""
        for hours in (0.2, 1, 25, 26, 27):
            clock.freeze(clock.now() + dt.timedelta(hours=hours))
            publisher.publish_due()
            if self._share(share_id).status in TRUE_ENDS:
                break
        clock.freeze(START)

    def _judge(self, share_id: uuid.UUID, fault: str | None, course: Course) -> None:
        share, report = self._share(share_id), self.report
        posts: list[dict[str, Any]] = [
            post for post in self.standin.posts() if post["text"] == share.post_text
        ]
        said = f"{fault} {course} {share.status} {share.reason}"
        assert len(posts) <= 1, f"posted twice: {said}"
        assert share.status in TRUE_ENDS, f"no true end: {said}"
        report.posts += len(posts)
        if share.status == "published":
            report.published += 1
            assert len(posts) == 1 and share.post_urn in (None, posts[0]["urn"]), said
        else:
            report.unknown += 1
            killed = course.killed and course.began_to_send
            assert killed or fault in (*DARK, "503"), f"unknown without need: {said}"


def kills(folder: Path, seed: int, wanted: int) -> Report:
    """Blows of one seed until so many processes were killed (a job that a fault cuts short may
    end before its blow falls); raises `AssertionError` where a promise was broken."""
    folder.mkdir(exist_ok=True)
    place = Range(folder, seed)
    try:
        while place.report.kills < wanted:
            place.blow()
    finally:
        place.close()
    return place.report
