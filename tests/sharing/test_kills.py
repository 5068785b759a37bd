"""A slice of the kills (`make soak` has them all), and the orphan of a killed worker."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from app import clock
from app.db import db
from app.library import service as library
from app.media import service as media
from app.sharing import publisher
from standin.linkedin import StandIn
from tests.conftest import START, House
from tests.sharing import kit, tracing
from tests.sharing.kills import kills

pytestmark = pytest.mark.skipif(not tracing.is_possible(), reason="needs ptrace on Linux")


def test_a_kill_at_any_system_call_never_posts_twice(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    report = kills(tmp_path / "range", seed, 12)
    print(report)
    assert report.kills == 12


def _orphan(after: float) -> int:
    """A worker that is killed while its child lives on (as where the kernel does not end it);
    the pid of the child."""
    db.session.remove()
    db.engine.dispose()
    told, tell = os.pipe()
    worker = os.fork()
    if worker == 0:
        child = os.fork()
        if child == 0:
            publisher.publish_due()
            os._exit(0)
        os.write(tell, str(child).encode())
        signal.pause()
    child = int(os.read(told, 20))
    clock.sleep(after)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    return child


def _wait_for(pid: int) -> None:
    """An orphan is nobody's child here: look whether it lives."""
    deadline = clock.monotonic() + 20
    while Path(f"/proc/{pid}/stat").exists() and clock.monotonic() < deadline:
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        clock.sleep(0.05)


@pytest.mark.parametrize("where", ["/rest/images", "/rest/posts"])
def test_an_orphaned_child_and_a_second_worker_make_one_post(
    house: House, standin: StandIn, where: str
) -> None:
    """Caught before the last byte (at its picture) the orphan gives way; caught after it, the
    second worker may only say "unknown", and the orphan's answer settles it."""
    member, story_id = kit.member(house), kit.story(house)
    _give_picture(story_id)
    share_id = kit.press(member, story_id).id
    standin.fault("slow:1.5", path=where, method="POST", times=1)
    child = _orphan(after=0.7)
    clock.freeze(START.replace(hour=START.hour + 1))  # for this worker its lease is long over
    publisher.publish_due()
    seen = kit.share(share_id).status
    _wait_for(child)
    db.session.rollback()  # look at what it wrote, not at what was there before
    found = kit.share(share_id)
    assert seen == ("published" if where == "/rest/images" else "unknown")
    assert found.status == "published" and len(standin.posts()) == 1
    assert found.post_urn == standin.posts()[0]["urn"]


def _give_picture(story_id: object) -> None:
    from app.demo.drawings import draw
    from app.library.models import Story

    story = db.session.get_one(Story, story_id)
    picture = media.add(draw("rings", "#00664a", 1), actor_id=None)
    author = story.published_by
    library.change_story(story.id, {"picture_id": picture.id, "alt": "Des anneaux."}, author)
