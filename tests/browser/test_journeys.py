"""Two combinations of each journey; `make soak` reads all sixteen. F25, F46, F47, F48, F50,
F56, F60, F65, F69."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import journeys, sharing
from tests.browser.product import FLAGS, USUAL, Combination, Product

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("product") / "data")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


def a_code(product: Product) -> str:
    """A personal link of the demo."""
    base = sqlite3.connect(product.folder / "portevoix.db")
    query = (
        "select l.code from offer_link l join offer o on o.id = l.offer_id "
        "where o.external_id = 'HV-01' and l.revoked_at is null limit 1"
    )
    return str(base.execute(query).fetchone()[0])


@pytest.mark.parametrize("how", USUAL, ids=str)
def test_the_ambassadors_journey(browser: Browser, product: Product, how: Combination) -> None:
    journeys.ambassador(browser, product, how)


@pytest.mark.parametrize("how", USUAL, ids=str)
def test_the_candidates_journey_stores_nothing(
    browser: Browser, product: Product, how: Combination
) -> None:
    journeys.candidate(browser, product, how, a_code(product), blocked=not how.scripts)


@pytest.mark.parametrize("how", USUAL, ids=str)
def test_the_recruiters_journey(browser: Browser, product: Product, how: Combination) -> None:
    journeys.recruiter(browser, product, how)


PHONES = [Combination(360, "fr", "light", True), Combination(360, "en", "dark", False)]


@pytest.mark.parametrize("how", PHONES, ids=str)
def test_three_gestures_from_the_notification_to_the_post(
    browser: Browser, product: Product, how: Combination
) -> None:
    """F1, F3, F12, F18, F91, F98, F115."""
    sharing.share(browser, product, how)
