"""Many posts at once, a slice (`make soak` has a thousand and their seconds): two real workers,
a slow LinkedIn, one member in trouble. And leaving, with the seconds it took."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from app import clock, create_app
from app.db import db
from app.sharing import grants, publisher
from standin.linkedin import StandIn
from tests.conftest import House, serving, settings_for
from tests.postgres import Server
from tests.sharing import crowd, kit
from tests.sharing.conftest import linked
from tests.sharing.crowd import Installation, place, variables

__all__ = ["place", "variables"]


def test_a_crowd_is_published_once_each_and_trouble_stays_where_it_is(place: Installation) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    print(crowd.publish(place, seed, 50))


def test_leaving_cancels_revokes_and_forgets_within_a_minute(place: Installation) -> None:
    person_id = crowd.leaver(place)
    place.start_workers()
    place.start_scheduler()
    told = crowd.leave(place, person_id, "nothing else to do")
    print(told)
    assert told.longest <= crowd.WITHIN
    assert grants.grant_of(person_id) is None and place.standin.posts() == []


# --- side by side in one job -------------------------------------------------------------


def test_what_becomes_due_meanwhile_does_not_wait_for_a_silent_one(
    house: House, standin: StandIn
) -> None:
    """One job is under way with one silent member; two more press, and are online before her
    silence ends."""
    story_id = kit.story(house)
    silent, *others = [kit.member(house, name) for name in ("Ana", "Bea", "Cy")]
    standin.fault("silence:600", path="/", member=crowd.subject_of(silent.id), times=None)
    pressed = [kit.press(silent, story_id)]
    job = threading.Thread(target=_publish, args=(house,))
    job.start()
    clock.sleep(0.3)
    pressed += [kit.press(person, story_id) for person in others]
    crowd.eventually(lambda: crowd.states()[("published", None)] == 2, "the others", seconds=1.5)
    assert job.is_alive(), "hers is still being waited for"
    job.join(10)
    db.session.rollback()
    assert [kit.share(one.id).status for one in pressed] == ["unknown", "published", "published"]


def _publish(house: House) -> None:
    """One job; without a database it fails, and the outbox would try again."""
    with house.app.app_context(), contextlib.suppress(SQLAlchemyError):
        publisher.publish_due()


def test_a_job_calls_as_many_hands_as_there_is_work(house: House, standin: StandIn) -> None:
    """Twenty posts of a second each are online in much less than twenty seconds, though the job
    began with one."""
    story_id = kit.story(house)
    people = [kit.member(house, f"Personne {number}") for number in range(20)]
    standin.mix(1, {"slow:1": 1.0}, path="/rest/posts", method="POST")
    kit.press(people[0], story_id)
    job = threading.Thread(target=_publish, args=(house,))
    began = clock.monotonic()
    job.start()
    clock.sleep(0.2)
    crowd.press_all([person.id for person in people[1:]], story_id, "Ensemble")
    job.join(30)
    db.session.rollback()
    assert crowd.states() == {("published", None): 20}
    assert clock.monotonic() - began < 10
    assert len(standin.posts()) == 20


@pytest.mark.postgres
def test_the_networks_answer_survives_a_moment_without_a_database(
    standin: StandIn, tmp_path: Path, postgres_server: Server, postgres_database: str
) -> None:
    """The database is gone when the answer arrives, and back some seconds later: the post is
    known as published, not as unknown."""
    name = urlsplit(postgres_database).path.lstrip("/")
    where = linked(tmp_path, standin, DATABASE_URL=postgres_database)
    for app in serving(create_app(settings_for(tmp_path, **where))):
        house = House(app)
        pressed = kit.press(kit.member(house), kit.story(house))
        standin.fault({"do": "slow", "seconds": 1.0, "when": "after"}, path="/rest/posts")
        db.session.remove()
        job = threading.Thread(target=_publish, args=(house,))
        job.start()
        crowd.eventually(standin.posts, "the post is there")
        _close_doors(postgres_server, name)
        clock.sleep(1.8)
        assert job.is_alive(), "its outcome is not written yet"
        _tell(postgres_server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        job.join(20)
        found = kit.share(pressed.id)
        assert (found.status, found.post_urn) == ("published", standin.posts()[0]["urn"])


def _close_doors(server: Server, name: str) -> None:
    _tell(server, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    _tell(
        server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )


def _tell(server: Server, statement: str) -> None:
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_member_with_several_due_posts_has_one_under_way(house: House, standin: StandIn) -> None:
    story_id, ana = kit.story(house), kit.member(house, "Ana")
    for words in ("Un", "Deux", "Trois"):
        kit.press(ana, story_id, words)
    taken = publisher.claims(8)
    assert [claim.person_id for claim in taken] == [ana.id]
    assert publisher.claims(8) == []
    publisher.attempt(taken[0])
    publisher.publish_due()
    assert [post["text"].rsplit("\n", 1)[1] for post in standin.posts()] == ["Un", "Deux", "Trois"]
