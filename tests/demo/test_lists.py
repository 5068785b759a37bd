"""Lists that are read part by part: on, and back by the same parts."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from flask.testing import FlaskClient

from app.library import studio as stories
from app.people.queries import person_by_email
from app.referrals import board, member_views, studio_offers
from app.rewards import studio as shelf
from app.rewards import views as rewards
from app.sharing.views import mine
from tests.conftest import House
from tests.demo.conftest import Filled, opened

pytestmark = pytest.mark.timeout(900)

LISTS: list[tuple[str, str, ModuleType]] = [
    ("maelle", "/offers", member_views),
    ("maelle", "/referrals", member_views),
    ("maelle", "/shares", mine),
    ("maelle", "/play/rewards", rewards),
    ("aminata", "/play/redemptions", rewards),
    ("ines", "/studio/stories?all=1", stories),
    ("sofiane", "/studio/offers?all=1", studio_offers),
    ("sofiane", "/studio/referrals?view=all", board),
    ("marc", "/studio/rewards", shelf),
]
PARTS = 4


@pytest.fixture(scope="module")
def lived_in(filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo to sign in to."""
    folder = tmp_path_factory.mktemp("lists") / "data"
    shutil.copytree(filled.whole, folder)
    return folder


@pytest.fixture
def house(lived_in: Path) -> Iterator[House]:
    for app in opened(lived_in):
        yield House(app)


def _reader(house: House, name: str) -> FlaskClient:
    person = person_by_email(f"{name}@halvenne.example")
    assert person is not None
    return house.browser(person)


def _read(client: FlaskClient, address: str) -> tuple[list[str], dict[str, str]]:
    """What stands in one part, and the ways on and back."""
    page = client.get(address)
    assert page.status_code == 200, address
    main = page.get_data(as_text=True).split("<main", 1)[1].split("</main", 1)[0]
    rows = re.findall(r'<(?:h\d|th)[^>]*>\s*<a href="(/[^"]+/[0-9a-f-]{36})"', main)
    ways = re.findall(r'href="([^"]+)" rel="(prev|next)"', main)
    return rows, {name: html.unescape(way) for way, name in ways}


@pytest.mark.parametrize(("who", "address", "module"), LISTS, ids=[line[1] for line in LISTS])
def test_it_leads_on_and_back_by_the_same_parts(
    house: House, who: str, address: str, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    client = _reader(house, who)
    rows, ways = _read(client, address)
    assert "prev" not in ways
    parts = [rows]
    while "next" in ways and len(parts) < PARTS:
        rows, ways = _read(client, ways["next"])
        parts.append(rows)
    assert len(parts) > 2 and all(len(part) == 1 for part in parts)
    assert len({*map(tuple, parts)}) == len(parts)
    back = [rows]
    while "prev" in ways:
        rows, ways = _read(client, ways["prev"])
        back.append(rows)
    assert back[::-1] == parts
