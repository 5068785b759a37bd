"""What Today and the library cost with a hundred thousand stories: as a ratio of the same page
with a thousand, and of the same template on constant data.

Two installations on each database, filled alike but for the number of stories: texts in two
languages, three topics of forty, a shared picture on every other story, one story in three
passed on by a colleague, as many offers and visits. The reader follows topics, has posts with
visits, referrals, points and things that wait, the same in both; the newest stories are the
same, too, so all sides write the same page.

Our side is the whole WSGI application of the product: session cookie and sign-in read from the
database, access rule of the page, CSRF token, language, every query, template, headers of
safety. Constant data is what the view gave its template at such a request, kept once: a Flask
application with one view renders it again with the same compiled template and translations,
and asks nobody anything; its CSRF token is a constant as well. A third row, for information,
puts the constant data into our whole application in the place of the page's view: its
difference to ours is what the page itself reads. Answers leave unpacked on all sides.

What counts is processor time for each answer, of this process and of the database's. The
sides take turns every few requests, three rounds, medians; rows without a target are for
information. Run alone: `python -m bench.pages`.
"""

from __future__ import annotations

import datetime as dt
import gc
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, make_response, render_template, template_rendered
from flask_babel import Babel
from sqlalchemy import Table, insert, select, text
from werkzeug.test import EnvironBuilder

from app import clock, create_app, migrating, outbox
from app.db import db, new_id, transaction
from app.library import follows
from app.library.models import Story, StoryText, StoryTopic, Topic
from app.people.models import Person
from app.referrals import service as referrals
from app.referrals.models import ClickCount
from app.sharing.models import Share
from app.web import access
from bench._databases import databases, settle
from bench._table import ROUNDS, Row, compare, show
from tests.conftest import START, House, serving, settings_for
from tests.today.conftest import Morning

STORIES = (1_000, 100_000)
REQUESTS, TURN = 60, 5
TOPICS, PICTURES, COLLEAGUES, MINE, BATCH = 40, 8, 30, 12, 5_000
APART = dt.timedelta(hours=2)
"""Between two stories, in the small library and in the large one."""

PAGES = {
    "Today": ("member", "/", True),
    "Library": ("member", "/library", True),
    "Library, my topics": ("member", "/library?topics=mine", False),
    "Library, a word": ("member", "/library?q=charpente", False),
    "Studio, the week": ("curator", "/studio", False),
    "Studio, stories": ("curator", "/studio/stories", False),
}

Ask = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """A filled installation, and the session cookies of its readers by their role."""

    app: Flask
    cookies: dict[str, str]


# --- filling -----------------------------------------------------------------------------


def _put(table: Any, rows: list[dict[str, Any]]) -> None:
    """So many rows at once, as they are."""
    assert isinstance(table, Table)
    with transaction() as session:
        session.connection().execute(insert(table), rows)


def _fill(app: Flask, stories: int) -> tuple[uuid.UUID, uuid.UUID]:
    """The organisation, its people and stories; a member and an editor by their ids."""
    morning = Morning(House(app))
    pictures = [morning.picture(f"#{40 + n * 20:02x}664a") for n in range(PICTURES)]
    colleagues = [morning.member(f"Collègue {n}", site="Limoges").id for n in range(COLLEAGUES)]
    topics = [{"id": new_id(), "code": f"sujet-{n}", "name": f"Sujet {n}", "is_sensitive": False}
              for n in range(TOPICS)]  # fmt: skip
    _put(Topic.__table__, topics)
    authors = [morning.contributor.id, *colleagues[:9]]
    told = [topic["id"] for topic in topics]
    for first in range(0, stories, BATCH):
        _stories(range(first, min(first + BATCH, stories)), authors, colleagues, told, pictures)
    _past(morning, morning.maelle)
    settle(db.engine)
    return morning.maelle.id, morning.curator.id


def _stories(
    numbers: range,
    authors: list[uuid.UUID],
    colleagues: list[uuid.UUID],
    topics: list[uuid.UUID],
    pictures: list[uuid.UUID],
) -> None:
    """Stories by their number, 0 the newest."""
    stories, texts, about, shares = [], [], [], []
    for n in numbers:
        story_id, at = new_id(), START - n * APART
        stories.append({
            "id": story_id, "slug": f"recit-{n}", "kind": "article", "language": "fr",
            "networks": [], "is_commercial": False, "evidence": "", "status": "published",
            "picture_id": pictures[n % PICTURES] if n % 2 else None,
            "author_id": authors[n % len(authors)], "published_at": at, "version": 1,
            "search_text": f"recit {n} une charpente de trente huit metres", "created_at": at,
            "updated_at": at,
        })  # fmt: skip
        texts += [
            {"story_id": story_id, "language": language, "title": f"{title} {n}",
             "summary": "Le gymnase tient par ses seuls assemblages, et cela se voit.",
             "body": "Lundi, six heures, la grue attend. " * 40, "alt": "Une halle."}
            for language, title in (("fr", "Trente-huit mètres"), ("en", "Thirty-eight metres"))
        ]  # fmt: skip
        about += [
            {"story_id": story_id, "topic_id": topics[(n * 7 + k) % TOPICS]} for k in range(3)
        ]
        if n % 3 == 0:
            shares.append(_share(story_id, colleagues[n % COLLEAGUES], at))
    for table, rows in ((Story, stories), (StoryText, texts), (StoryTopic, about), (Share, shares)):
        _put(table.__table__, rows)


def _share(story_id: uuid.UUID, person_id: uuid.UUID, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(), "story_id": story_id, "person_id": person_id, "network": "linkedin",
        "language": "fr", "words": "Chapeau.", "disclosure": "none", "disclosure_text": "",
        "format": "article", "post_text": "Chapeau.", "title": "Trente-huit mètres",
        "link_id": new_id(), "status": "published", "attempt": 1, "tries": 1,
        "is_declared": False, "published_at": at, "created_at": at, "updated_at": at,
    }  # fmt: skip


def _past(morning: Morning, reader: Person) -> None:
    """What the reader did: posts with visits, one that waits, referrals, topics followed."""
    newest = db.session.scalars(
        select(Story.id).order_by(Story.published_at.desc()).limit(MINE * 3)
    ).all()
    for n, story_id in enumerate(newest[::3]):
        link_id = new_id()
        morning.post(story_id, reader, title=f"Publication {n}", link_id=link_id)
        _put(ClickCount.__table__, [
            {"link_id": link_id, "verdict": "person", "count": n, "last_at": START},
        ])  # fmt: skip
    morning.post(newest[1], reader, status="paused", reason="asks", published_at=None)
    for n in range(5):
        follows.follow(reader.id, f"sujet-{n * 8}")
        referral = morning.house.referral(reader, morning.house.offer(f"Offre {n}"))
        referrals.set_stage(
            referral, "interview", actor_id=morning.curator.id, actor_role="recruiter"
        )
        morning.house.offer(f"Libre {n}")
    outbox.drain()


@contextmanager
def _place(url: str, stories: int) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="portevoix-bench-") as made:
        app = create_app(settings_for(Path(made), DATABASE_URL=url))
        with app.app_context():
            migrating.upgrade()
        with contextmanager(serving)(app):
            member, curator = _fill(app, stories)
            cookies = {"member": _cookie(app, member), "curator": _cookie(app, curator)}
        clock.freeze(START)
        yield Place(app, cookies)
        with app.app_context():
            db.engine.dispose()


def _cookie(app: Flask, person_id: uuid.UUID) -> str:
    """A signed-in browser's, after a first look: it holds a login and what a CSRF token needs."""
    browser = House(app).browser(db.session.get_one(Person, person_id))
    app.config["WTF_CSRF_ENABLED"] = True
    browser.get("/", follow_redirects=True)
    cookie = browser.get_cookie("portevoix")
    assert cookie is not None
    return f"portevoix={cookie.value}"


# --- asking ------------------------------------------------------------------------------


def _asking(app: Flask, path: str, cookie: str) -> Ask:
    """One request to a WSGI application, the answer read to its end."""
    environ = EnvironBuilder(path, headers={"Cookie": cookie}).get_environ()

    def ask() -> bytes:
        told: list[str] = []
        answer = app.wsgi_app(
            environ.copy(), lambda status, _headers, _info=None: told.append(status)
        )
        body = b"".join(answer)
        answer.close()
        assert told == ["200 OK"], told
        return body

    return ask


def _drawn(app: Flask, path: str, cookie: str) -> tuple[Any, dict[str, Any]]:
    """The template of a page and all that it was given."""
    seen: list[tuple[Any, dict[str, Any]]] = []

    def keep(_app: Flask, template: Any, context: dict[str, Any], **_more: Any) -> None:
        seen.append((template, context))

    with template_rendered.connected_to(keep, app):
        _asking(app, path, cookie)()
    return seen[-1]


def _framed(app: Flask, path: str, cookie: str) -> tuple[Flask, Ask]:
    """The same page from constant data, with all of the product around it."""
    template, context = _drawn(app, path, cookie)
    ours = create_app(app.extensions["portevoix"])
    endpoint = ours.url_map.bind("localhost").match(path, "GET")[0]
    drawn = access.signed_in(lambda: make_response(render_template(template, **context)))
    ours.view_functions[endpoint] = drawn
    return ours, _asking(ours, path, cookie)


def _on_constant_data(app: Flask, path: str, cookie: str) -> Ask:
    """The same page, from what its view gave the template."""
    template, context = _drawn(app, path, cookie)
    with app.app_context():
        icon = app.jinja_env.globals["home_icon"]()  # it reads the organisation
    context |= {"csrf_token": lambda: "constant", "home_icon": lambda: icon}
    ask = _asking(app, path, cookie)
    bare = Flask("bare", static_folder=app.static_folder)
    bare.secret_key = app.secret_key
    bare.extensions["portevoix"] = app.extensions["portevoix"]
    bare.config["BABEL_TRANSLATION_DIRECTORIES"] = app.config["BABEL_TRANSLATION_DIRECTORIES"]
    Babel(bare, locale_selector=lambda: context["lang"])
    bare.add_url_rule(path.partition("?")[0], view_func=lambda: template.render(context))
    again = _asking(bare, path, cookie)
    # But for the token it is the same page.
    lengths = len(again()), len(ask())
    assert abs(lengths[0] - lengths[1]) < 400, (path, lengths)
    return again


def _processes(app: Flask) -> list[Path]:
    """Where the system says how long the database's own processes ran; none with SQLite."""
    if not str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("postgresql"):
        return []
    mine = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    with app.app_context(), db.engine.connect() as connection:
        return [Path(f"/proc/{pid}/schedstat") for (pid,) in connection.execute(text(mine))]


def _spent(others: list[Path]) -> float:
    """Seconds of processor so far."""
    spent = time.process_time()
    for path in others:
        with suppress(OSError):  # a connection that was given up before the measuring
            spent += int(path.read_text().split()[0]) / 1e9
    return spent


def _times(sides: dict[str, tuple[Ask, list[Path]]]) -> dict[str, list[float]]:
    """Milliseconds of processor for one answer of each side, round by round."""
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        spent = dict.fromkeys(sides, 0.0)
        gc.collect()
        for _ in range(REQUESTS // TURN):
            for side, (ask, others) in sides.items():
                before = _spent(others)
                for _ in range(TURN):
                    ask()
                spent[side] += _spent(others) - before
        for side, seconds in spent.items():
            times[side].append(seconds / REQUESTS * 1e3)
    return times


def rows() -> Iterator[Row]:
    """One row for each page and database, three for those that are promised."""
    for name, address in databases():
        yield from _on(name, address)


def _on(database: str, address: Callable[[str], str]) -> Iterator[Row]:
    with ExitStack() as open_places:
        small, large = (
            open_places.enter_context(_place(address(f"pages_{count}"), count)) for count in STORIES
        )
        for name, (role, path, is_promised) in PAGES.items():
            sides = {}
            for size, place in (("small", small), ("large", large)):
                ask = _asking(place.app, path, place.cookies[role])
                for _ in range(TURN):
                    ask()
                sides[size] = ask, _processes(place.app)
            if is_promised:
                constant = _on_constant_data(large.app, path, large.cookies[role])
                sides["constant"] = constant, []
                ours, framed = _framed(large.app, path, large.cookies[role])
                framed()
                # Its own connections were opened by the call above.
                sides["framed"] = framed, _processes(large.app)
            times = _times(sides)
            if is_promised:
                with ours.app_context():
                    db.engine.dispose()
            yield compare(
                f"{name} at {STORIES[1]:,} stories : at {STORIES[0]:,}", "ms", times["large"],
                times["small"], most=1.1 if is_promised else None, note=database,
            )  # fmt: skip
            if is_promised:
                yield compare(
                    f"{name} at {STORIES[1]:,} stories : constant data", "ms", times["large"],
                    times["constant"], most=2.5, note=database,
                )  # fmt: skip
                yield compare(
                    f"{name} at {STORIES[1]:,} stories : the product on constant data", "ms",
                    times["large"], times["framed"], note=database,
                )  # fmt: skip
    clock.release()


def main() -> list[dict[str, object]]:
    """Print the table; the same as plain values."""
    return show(rows())


if __name__ == "__main__":
    main()
