"""A whole life of connections with marked secrets, and a search for the marks everywhere.

Members connect, are refused, publish, fail, renew, withdraw, disconnect and leave, with real
workers, scheduler, queue server and LinkedIn. Every access token, refresh token, authorization
code, state and the client secret that passed is known here. Then everything an installation
keeps is turned inside out: each column of each table, the files of the database and of its
journal, the data folder, the queue server's keys and its file, logs and mails. None of the
marks may be found, whole or in part, in clear or merely encoded; words that must be found show
that the search sees what is there.
"""

from __future__ import annotations

import base64
import email
import json
import logging
import secrets
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import inspect, select

from app import outbox
from app.db import db, transaction
from app.integrations.linkedin.oauth import LinkedInAuth, Tokens
from app.jobs.queue import TASK, connect
from app.outbox import service as outbox_service
from app.people import service as people
from app.people.models import Person
from app.sharing import grants, sealing, service
from app.sharing.models import Grant, GrantRevocation
from tests.sharing import crowd, flow, kit
from tests.sharing.crowd import Installation, eventually

PIECE: Final = 24  # signs of a mark that betray it
SIXTY_DAYS: Final = 5_184_000  # seconds
KEPT: Final = 50_000_000  # bytes of one file that are searched inside compressed parts, too


# --- marks and how to find them ----------------------------------------------------------


class Marks:
    """Secrets that passed, by what they are."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._patterns: dict[str, list[bytes]] = {}

    def add(self, kind: str, value: str | None) -> None:
        """Remember one; the same again changes nothing."""
        if value and value not in self.values.values():
            self.counts[kind] += 1
            name = f"{kind} {self.counts[kind]}"
            self.values[name] = value
            self._patterns[name] = _patterns(value)

    def found_in(self, content: bytes) -> set[str]:
        """The names of those that `content` holds, in clear or encoded."""
        return {
            name
            for name, patterns in self._patterns.items()
            if any(pattern in content for pattern in patterns)
        }

    def __str__(self) -> str:
        return ", ".join(f"{count} × {kind}" for kind, count in sorted(self.counts.items()))


def _patterns(value: str) -> list[bytes]:
    """Two pieces of a secret, as they are and as they look in hex, base 64 or an address."""
    pieces = {value[3 : 3 + PIECE], value[-PIECE:]}
    found: set[bytes] = set()
    for piece in pieces:
        raw = piece.encode()
        found |= {
            raw,
            raw.hex().encode(),
            raw.hex().upper().encode(),
            quote(piece, safe="").encode(),
        }
        found |= {form for at in range(3) for form in _in_base64(raw, at)}
    return sorted(found)


def _in_base64(raw: bytes, at: int) -> set[bytes]:
    """What of `raw` is the same wherever it stands in a text of base 64, `at` being its place
    modulo three."""
    packed = base64.b64encode(bytes(at) + raw)
    first, last = -(-at * 8 // 6), (at + len(raw)) * 8 // 6
    inner = packed[first:last]
    return {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}


def unpacked(content: bytes) -> Iterator[bytes]:
    """`content`, and whatever is packed in it with zlib, as jobs of the queue are."""
    yield content
    at = -1
    while (at := content.find(b"x\x9c", at + 1)) >= 0:
        try:
            yield zlib.decompressobj().decompress(content[at:])
        except zlib.error:
            continue


# --- everything that an installation keeps -----------------------------------------------


@dataclass
class Search:
    """One look at everything. `found` are marks and where; `seen` are the words that must be
    found, by place."""

    marks: Marks
    words: dict[str, list[str]]
    bytes_in: Counter[str] = field(default_factory=Counter)
    found: set[tuple[str, str]] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def look(self, place: str, content: bytes) -> None:
        """Look into one piece of one place."""
        self.bytes_in[place] += len(content)
        self.found |= {(place, name) for name in self.marks.found_in(content)}
        for word in self.words.get(place, []):
            if word.encode() in content:
                self.seen.add((place, word))

    def missed(self) -> set[tuple[str, str]]:
        """Words that must be there and were not seen: the search is blind there."""
        return {(place, word) for place, words in self.words.items() for word in words} - self.seen

    def __str__(self) -> str:
        sizes = ", ".join(f"{place} {size:,}" for place, size in sorted(self.bytes_in.items()))
        return f"{self.marks}; bytes searched: {sizes}; found: {sorted(self.found) or 'none'}"


def search(place: Installation, look: Search) -> None:
    """Rows, files, queue, logs and mails of one installation."""
    _rows(look)
    for file in sorted(path for path in place.folder.rglob("*") if path.is_file()):
        _file(look, place.folder, file)
    for file in place.database_files():
        look.look("database files", _content(file))
    client = connect(place.server.url)
    _queue(look, client)
    client.close()


def _rows(look: Search) -> None:
    """Every column of every table as the database has it, before anything is decrypted."""
    db.session.rollback()
    with db.engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            place = {"audit_entry": "audit", "outbox_event": "outbox"}.get(name, "rows")
            for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"'):
                for value in row:
                    look.look(place, _bytes(value))


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    return str(value).encode("utf-8", "surrogatepass")


def _content(file: Path) -> bytes:
    """What is in a file; nothing if it has just gone, as those of a journal do."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _file(look: Search, folder: Path, file: Path) -> None:
    where = file.relative_to(folder).parts[0]
    content = _content(file)
    if where == "mail":
        look.look("mails", content)
        message = email.message_from_bytes(content, policy=policy.default)
        for value in message.values():
            look.look("mails", str(value).encode())
        for part in message.walk():
            look.look("mails", part.get_payload(decode=True) or b"")
        return
    place = "logs" if file.suffix == ".log" else "files"
    if where.startswith("portevoix.db"):
        place = "database files"
    if where == "queue":
        place = "queue file"
    for piece in unpacked(content) if len(content) < KEPT else [content]:
        look.look(place, piece)


def _queue(look: Search, client: Redis) -> None:
    for key in client.scan_iter(count=1000):
        look.look("queue", key)
        for piece in _values(client, key):
            for part in unpacked(piece):
                look.look("queue", part)


def _values(client: Redis, key: bytes) -> list[bytes]:
    kind = client.type(key).decode()
    read: dict[str, Callable[[], Any]] = {
        "string": lambda: [client.get(key)],
        "hash": lambda: [piece for pair in client.hgetall(key).items() for piece in pair],
        "list": lambda: client.lrange(key, 0, -1),
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1),
        "stream": lambda: [_bytes(str(entry)) for entry in client.xrange(key)],
        # Its time ran out while the others were read: the queue is in use.
        "none": list,
    }
    return [piece for piece in read[kind]() if piece is not None]


# --- a life of connections ---------------------------------------------------------------


class Life:
    """Members with marked secrets, from the first consent to the last farewell."""

    def __init__(self, place: Installation, seed: int) -> None:
        self.place, self.marks = place, Marks()
        self.word = f"temoin-{seed}"
        self.marks.add("client secret", place.settings.linkedin_client_secret)
        self.subjects: dict[uuid.UUID, str] = {}
        self.story_id = crowd.story_with_picture(place.house)
        place.standin.set(partner=True)  # refresh tokens are given

    def member(self, name: str) -> tuple[Person, FlaskClient]:
        """Somebody who joined and has a browser of their own."""
        person = flow.newcomer(self.place.house, f"{name} {self.word}")
        subject = f"{name}{secrets.token_hex(4)}"
        self.subjects[person.id] = subject
        self.place.standin.add_members([{"sub": subject, "name": f"{name} {self.word}"}])
        return person, self.place.house.browser(person)

    def consent(self, browser: FlaskClient, subject: str, decision: str = "allow") -> str:
        """There and back; the address that leads back, its secrets noted."""
        address = flow.go(browser)
        self.marks.add("state", flow.state_in(address))
        path = flow.agree(self.place.standin, address, subject, decision)
        if decision == "allow":
            self.marks.add("code", flow.code_in(path))
        return path

    def connected(self, name: str) -> tuple[Person, FlaskClient]:
        """Somebody who connected LinkedIn."""
        person, browser = self.member(name)
        with self.listening():
            answer = browser.get(self.consent(browser, self.subjects[person.id]))
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.note_tokens(person.id)
        return person, browser

    def note_tokens(self, person_id: uuid.UUID) -> str:
        """The tokens as they are stored now; the access token."""
        db.session.rollback()
        grant = grants.grant_of(person_id)
        assert grant is not None
        token = sealing.access_token(grant)
        self.marks.add("access token", token)
        self.marks.add("refresh token", sealing.refresh_token(grant))
        return token

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note every token that LinkedIn hands out, those that are never stored, too."""
        plain, marks = LinkedInAuth._tokens, self.marks

        def heard(auth: LinkedInAuth, told: Any) -> Tokens:
            marks.add("access token", told.get("access_token"))
            marks.add("refresh token", told.get("refresh_token"))
            return plain(auth, told)

        LinkedInAuth._tokens = heard  # type: ignore[method-assign]
        try:
            yield
        finally:
            LinkedInAuth._tokens = plain  # type: ignore[method-assign]

    # --- acts ----------------------------------------------------------------------------

    def refusals(self) -> None:
        """Every way back that ends without a connection, with secrets on it."""
        standin = self.place.standin
        ada, ada_browser = self.connected("Ada")
        bo, bo_browser = self.member("Bo")
        own, other = self.subjects[bo.id], self.subjects[ada.id]
        with self.listening():
            bo_browser.get(self.consent(bo_browser, own, "cancel_authorize"))
            assert bo_browser.get(self.consent(ada_browser, other)).status_code == 400
            used = self.consent(bo_browser, other)
            assert bo_browser.get(used).status_code == 409, "another member's profile"
            assert bo_browser.get(used).status_code == 400, "the same way back again"
            for fault, path in (
                ("500", "/oauth/v2/accessToken"),
                ("garbage", "/oauth/v2/accessToken"),
                ("half", "/oauth/v2/accessToken"),
                ("403", "/v2/userinfo"),
            ):
                standin.fault(fault, path=path, times=1)
                bo_browser.get(self.consent(bo_browser, own))
                standin.clear_faults()
        assert grants.grant_of(ada.id) is not None

    def posts(self) -> None:
        """One published and withdrawn, and one for each kind of trouble, told by mail."""
        wanted = {
            None: "published", "403": "failed", "drop_after_accept": "unknown",
            "401-revoked": "paused", "400-FIELD_LENGTH_TOO_LONG": "failed",
        }  # fmt: skip
        for number, (fault, status) in enumerate(wanted.items()):
            person, browser = self.connected(f"Cy{number}")
            if fault is not None:
                self.place.standin.fault(
                    fault, path="/rest/posts", method="POST", member=crowd.subject_of(person.id)
                )
            share_id = self._press(person)
            eventually(lambda one=share_id, end=status: self._is(one, end), f"{fault}: {status}")
            if status == "paused":  # the member connects again
                with self.listening():
                    browser.get(self.consent(browser, self.subjects[person.id]))
                self.note_tokens(person.id)
            if status == "published":
                service.withdraw(person.id, share_id)
                eventually(lambda one=share_id: self._is(one, "withdrawn"), "withdrawn")

    def _press(self, person: Person) -> uuid.UUID:
        wish = kit.Wish(story_id=self.story_id, words=f"Chapeau. {self.word}")
        return service.press(person.id, wish).id

    def _is(self, share_id: uuid.UUID, status: str) -> bool:
        db.session.rollback()
        return kit.share(share_id).status == status

    def renewals(self) -> None:
        """A token that we renew ourselves, and one that LinkedIn will not renew."""
        self.place.standin.set(token_seconds=SIXTY_DAYS // 60)
        dora, _ = self.connected("Dora")
        before = self.note_tokens(dora.id)
        self._remind()
        eventually(lambda: self.note_tokens(dora.id) != before, "renewed")
        self.place.standin.fault("500", path="/oauth/v2/accessToken", times=None)
        self._remind()
        self.quiet()
        self.place.standin.clear_faults()
        self.place.standin.set(token_seconds=SIXTY_DAYS)

    def _remind(self) -> None:
        with transaction():
            outbox.record("periodic.sharing.remind")

    def quiet(self) -> None:
        """Everything that is due has been handled."""
        eventually(_nothing_waits, "all is quiet")

    def farewells(self) -> None:
        """One disconnects, one leaves, and all the others leave; nothing of theirs stays."""
        _, browser = self.connected("Eve")
        assert browser.post(f"{flow.PAGE}/ending").status_code == 303
        left, _ = self.connected("Flo")
        service.press(
            left.id, kit.Wish(story_id=self.story_id, words="Demain", publish_at=crowd.tomorrow())
        )
        for person_id in self.subjects:
            people.leave(person_id)
        eventually(lambda: self._all_gone(), "nothing is left")

    def _all_gone(self) -> bool:
        db.session.rollback()
        kept = [db.session.scalars(select(model.id)).first() for model in (Grant, GrantRevocation)]
        return kept == [None, None]


def _nothing_waits() -> bool:
    db.session.rollback()
    return outbox_service.oldest_waiting() is None


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """Everything that any library says, at its most talkative, in a file."""
    handler = logging.FileHandler(file)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    root.info("the web begins")
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def secret() -> str:
    """A client secret that is easy to find."""
    return f"WPL_AP1.{secrets.token_urlsafe(32)}"


@dataclass
class Outcome:
    """Both looks: while everything is connected, and after everybody has left."""

    seed: int
    alive: Search
    after: Search

    def __str__(self) -> str:
        return f"while connected: {self.alive}\n  after all had left: {self.after}"

    def judge(self) -> None:
        """Nothing was found, and the search was blind nowhere."""
        for look in (self.alive, self.after):
            assert look.found == set(), f"seed {self.seed}: {look}"
            assert look.missed() == set(), f"seed {self.seed}: not seen: {look.missed()}"


def life(place: Installation, seed: int) -> Outcome:
    """A whole life on one installation; what was found in it."""
    with logged(place.folder / "web.log"):
        told = Life(place, seed)
        place.start_workers(logs=logging.DEBUG)
        place.start_scheduler(logs=logging.DEBUG)
        told.refusals()
        told.posts()
        told.renewals()
        alive = _looked(place, told)
        told.farewells()
        return Outcome(seed, alive, _looked(place, told))


def _looked(place: Installation, told: Life) -> Search:
    told.quiet()
    words = {
        "rows": [told.word],
        "audit": ["grant.stored"],
        "outbox": ["share_id"],
        "database files": [told.word],
        "files": ["WEBP"],
        "mails": [told.word],
        "logs": ["the web begins", "worker 1 begins", "worker 2 begins", "scheduler begins"],
        "queue": [TASK],
        "queue file": [TASK],
    }
    look = Search(told.marks, words)
    search(place, look)
    return look
