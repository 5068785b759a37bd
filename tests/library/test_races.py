"""Two people at once: one topic, one change, one fact, one reading."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.db import db
from app.errors import DomainError
from app.library import previews, service
from app.library.errors import StoryChanged
from app.library.material import material
from app.library.models import LinkPreview, Topic
from tests.library.conftest import Desk, facts


def at_once(desk: Desk, *acts: Callable[[], object]) -> list[DomainError]:
    """Run the acts side by side, each with a session of its own; what they were refused."""
    gate, refused = threading.Barrier(len(acts)), list[DomainError]()
    broken: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        with desk.house.app.app_context():
            gate.wait(10)
            try:
                act()
            except DomainError as error:
                refused.append(error)
            except Exception as error:  # noqa: BLE001  (told by the test's own thread)
                broken.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    db.session.rollback()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert broken == []
    db.session.expire_all()
    return refused


def test_they_make_one_topic(any_desk: Desk) -> None:
    actor = any_desk.curator.id
    made = [
        lambda n=n: service.create_story({"title": f"R{n}", "topics": ["Neuf", f"T{n}"]}, actor)
        for n in range(6)
    ]
    assert at_once(any_desk, *made) == []
    assert db.session.query(Topic).filter_by(code="neuf").count() == 1
    assert db.session.query(Topic).count() == 7


def test_one_change_is_kept_and_the_others_are_told(any_desk: Desk) -> None:
    found, actor = any_desk.draft(), any_desk.curator.id
    refused = at_once(
        any_desk,
        *[lambda n=n: service.change_story(found, {"title": f"R{n}"}, actor, 1) for n in range(5)],
    )
    assert [type(error) for error in refused] == [StoryChanged] * 4
    assert any_desk.row(found).version == 2
    assert material(found).title.startswith("R")


def test_a_publication_is_told_once(any_desk: Desk) -> None:
    found, actor = any_desk.draft(), any_desk.curator.id
    assert at_once(any_desk, *[lambda: service.publish_story(found, actor)] * 5) == []
    assert len(facts("story.published")) == 1


def test_a_page_is_asked_for_once(any_desk: Desk) -> None:
    url = "https://halvenne.example/un"
    assert at_once(any_desk, *[lambda: previews.want(url)] * 5) == []
    assert db.session.query(LinkPreview).count() == 1
    assert len(facts("story.preview_wanted")) == 1
