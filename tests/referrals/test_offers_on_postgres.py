"""The same on PostgreSQL: what rests on locks, on sorting and on the database's own types."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.db import db
from app.referrals import connections, imports, offer_queries, offers
from app.web.cursors import throughout
from tests.referrals import offers_kit as kit

pytestmark = pytest.mark.postgres

ANYBODY = uuid.uuid4()
"""Somebody of no segment and no entity."""


@pytest.fixture(autouse=True)
def app(postgres_database: str, tmp_path: Path) -> Iterator[Flask]:
    with kit.house(tmp_path, DATABASE_URL=postgres_database) as app:
        yield app


def side_by_side(app: Flask, n: int, act: Any) -> list[Any]:
    """`act` in `n` threads that start together, each with its own session; what they return."""
    found: list[Any] = []
    gate = threading.Barrier(n)

    def go() -> None:
        with app.app_context():
            gate.wait()
            found.append(act())

    threads = [threading.Thread(target=go) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == n
    return found


def test_it_imports_closes_and_doubles_nothing() -> None:
    for _ in range(2):
        imports.import_now("greenhouse", data=kit.GREENHOUSE)
        imports.import_now("csv", data=kit.FRENCH_CSV)
    assert len(kit.offers_by_id()) == 15
    imports.import_now("greenhouse", data=kit.board(4011001, 4011002, 4011003, 4011004))
    status = {key: offer.status for key, offer in kit.offers_by_id().items()}
    assert [status[key] for key in ("4011004", "4011005", "SB0")] == ["open", "closed", "open"]


def test_it_lets_a_second_import_wait(app: Flask) -> None:
    connections.default_connection("greenhouse")
    board = kit.board(*range(1, 201))
    reports = side_by_side(app, 2, lambda: imports.import_now("greenhouse", data=board))
    assert sorted((r.created, r.unchanged) for r in reports) == [(0, 200), (200, 0)]


def test_it_makes_one_default_for_all_who_ask_at_once(app: Flask) -> None:
    found = side_by_side(app, 4, lambda: connections.default_connection("csv").id)
    assert len(set(found)) == 1


def test_it_closes_an_offer_once_for_all_who_close_it_at_once(app: Flask) -> None:
    offer_id = offers.create_offer({"title": "Menuisier"}, None).id
    side_by_side(app, 4, lambda: offers.close_offer(offer_id, None))
    db.session.rollback()
    assert len(kit.facts("offer.closed")) == 1


def test_it_searches_and_walks_like_on_sqlite() -> None:
    for title in ("Ingénieur·e NEIGE", "Menuisier", "Œnologue"):
        offers.create_offer({"title": title}, None)
    assert [r.title for r in offer_queries.open_offers(ANYBODY, q="INGENIEUR neige").rows] == [
        "Ingénieur·e NEIGE"
    ]
    parts = throughout(lambda after: offer_queries.open_offers(ANYBODY, after=after, limit=1))
    seen = [row.title for row in parts]
    assert seen == ["Œnologue", "Menuisier", "Ingénieur·e NEIGE"]


def test_it_takes_no_text_that_the_database_cannot_hold() -> None:
    offer = offers.create_offer({"title": "Menui\x00sier", "description": "a\x00b"}, None)
    assert (offer.title, offer.description_html) == ("Menuisier", "<p>ab</p>")
    sheet = kit.sheet("A;Char\x01pentier;Lorient;")
    assert imports.import_now("csv", data=sheet, origin="a\x00.csv").created == 1
    odd = offer_queries.OfferFilter(q="\x00", department="\x00", external_id="a\x00\ud800")
    assert offer_queries.list_offers(odd).rows == []
