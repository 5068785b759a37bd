"""Nothing that an installation keeps holds a secret of LinkedIn's in clear: a whole life with
marked tokens on each database, and the proof that the search would find them."""

from __future__ import annotations

import base64
import json
import os
import zlib
from urllib.parse import quote

import pytest

from app import audit, mail
from app.db import transaction
from app.jobs.queue import connect
from app.sharing import letters
from tests.sharing import leak
from tests.sharing.crowd import Installation, place

__all__ = ["place"]


@pytest.fixture
def variables() -> dict[str, str]:
    return {"LINKEDIN_CLIENT_ID": "marked", "LINKEDIN_CLIENT_SECRET": leak.secret()}


@pytest.fixture
def marked(place: Installation) -> Installation:
    """An installation whose client secret is marked."""
    place.standin.register("marked", place.settings.linkedin_client_secret or "")
    return place


def test_no_secret_is_kept_in_clear(marked: Installation) -> None:
    seed = int.from_bytes(os.urandom(3), "big")
    print("seed", seed)
    outcome = leak.life(marked, seed)
    print(outcome)
    outcome.judge()
    counts = outcome.after.marks.counts
    assert min(counts[kind] for kind in ("access token", "refresh token", "code", "state")) >= 8


def test_the_search_finds_what_is_planted(marked: Installation) -> None:
    """One mark in each place, none of them plain to see."""
    place, marks = marked, leak.Marks()
    planted = {name: leak.secret() for name in ("audit", "files", "logs", "mails", "queue")}
    for name, value in planted.items():
        marks.add(name, value)
    with transaction():
        audit.record(
            "test.planted", "test", "1", note=base64.b64encode(planted["audit"].encode()).decode()
        )
    (place.folder / "media" / "x.bin").write_bytes(zlib.compress(planted["files"].encode()))
    (place.folder / "some.log").write_text(f"GET /callback?code={quote(planted['logs'], safe='')}")
    _plant_in_mail(place, planted["mails"])
    _plant_in_queue(place, planted["queue"])
    look = leak.Search(marks, {})
    leak.search(place, look)
    assert look.found >= {(name, f"{name} 1") for name in planted} | {
        ("database files", "audit 1"), ("queue file", "queue 1")
    }  # fmt: skip


def _plant_in_mail(place: Installation, value: str) -> None:
    """In a name with accents: the transport wraps and encodes it."""
    letter = letters.Letter("Objet", ("Un mot.",), "/shares", "Voir", "Parce que.")
    link = "http://localhost/shares"
    mail.send(
        "a@halvenne.example", "é" * 20 + value, "share-letter", "fr",
        letter=letter, greeted="Ana", link=link,
    )  # fmt: skip
    written = [file.read_bytes() for file in (place.folder / "mail").iterdir()]
    assert not any(value.encode() in one for one in written), "plain to see: shows nothing"


def _plant_in_queue(place: Installation, value: str) -> None:
    """As RQ packs the arguments of a job."""
    client = connect(place.server.url)
    client.hset(
        "rq:job:planted", "data", zlib.compress(json.dumps(["f", None, [value], {}]).encode())
    )
    client.close()


def test_a_mark_is_found_however_it_is_written() -> None:
    marks, value = leak.Marks(), leak.secret()
    marks.add("token", value)
    for at in range(6):
        padded = b"x" * at + value.encode() + b"y" * 5
        for form in (
            padded,
            base64.b64encode(padded),
            base64.urlsafe_b64encode(padded),
            padded.hex().encode(),
        ):
            assert marks.found_in(b"..." + form + b"...") == {"token 1"}
    assert marks.found_in(value[:30].encode()) == {"token 1"}, "cut off"
    assert marks.found_in(value[::-1].encode()) == set()
