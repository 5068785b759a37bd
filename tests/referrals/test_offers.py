"""Offers: what may be written, and what the house hears of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.referrals import connections, offer_queries, offers
from app.referrals.errors import UnknownOffer
from app.referrals.models import Offer
from app.web.cursors import throughout
from tests.referrals import offers_kit as kit

ANYBODY = uuid.uuid4()
"""Somebody of no segment and no entity."""


@pytest.fixture(autouse=True)
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    with kit.house(tmp_path, template) as app:
        yield app


def make(title: str = "Ingénieure de neige", **fields: object) -> Offer:
    return offers.create_offer({"title": title, **fields}, None)


def wrong(**fields: object) -> set[str]:
    """The fields that are refused."""
    with pytest.raises(InvalidInput) as caught:
        make(**{"title": "Ingénieure", **fields})
    return set(caught.value.errors)


def test_it_opens_an_offer_at_once_and_says_so_once() -> None:
    me = kit.somebody()
    offer = offers.create_offer({"title": "Ingénieure de neige", "location": "Grenoble"}, me)
    assert (offer.status, offer.opened_at, offer.source) == ("open", kit.START, "manual")
    assert kit.facts("offer.opened") == [{"offer_id": str(offer.id)}]
    acts = db.session.scalars(select(AuditEntry.action).where(AuditEntry.actor_id == me)).all()
    assert sorted(acts) == ["offer.created", "offer.opened"]


def test_it_keeps_a_draft_to_itself_until_it_is_published() -> None:
    offer = make(status="draft")
    assert kit.facts("offer.opened") == []
    offers.open_offer(offer.id, None)
    offers.open_offer(offer.id, None)
    assert len(kit.facts("offer.opened")) == 1


def test_it_closes_once_and_opens_again() -> None:
    offer = make()
    offers.close_offer(offer.id, None)
    offers.close_offer(offer.id, None)
    assert kit.facts("offer.closed") == [{"offer_id": str(offer.id), "reason": "person"}]
    again = offers.reopen_offer(offer.id, None)
    assert (again.status, again.closed_at, again.closed_reason) == ("open", None, None)


def test_it_says_nothing_when_a_draft_is_set_aside() -> None:
    offers.close_offer(make(status="draft").id, None)
    assert kit.facts("offer.closed") == []


def test_it_does_not_know_an_offer_that_never_was() -> None:
    with pytest.raises(UnknownOffer):
        offers.close_offer(uuid.uuid4(), None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \u200b\u202e "),
        ("title", "x" * 301),
        ("title", 12),
        ("description", "é" * 100_001),
        ("description", ["<p>"]),
        ("location", "x" * 301),
        ("department", "x" * 201),
        ("contract", "x" * 81),
        ("remote", "partly"),
        ("language", "français"),
        ("apply_url", "javascript:alert(1)"),
        ("apply_url", "ftp://halvenne.example/a"),
        ("apply_url", "https://halvenne.example@evil.example/"),
        ("apply_url", "https://halvenne.example/" + "a" * 1_000),
        ("salary_min", "42 000,50"),
        ("salary_min", -1),
        ("salary_min", True),
        ("salary_max", 10**12),
        ("salary_currency", "euros"),
        ("salary_interval", "fortnight"),
        ("country_codes", ["France"]),
        ("country_codes", 3),
        ("recruiter_id", "me"),
        ("recruiter_id", "8f14e45f-ceea-467f-ab5d-2f4f1c1f5f3a"),
        ("status", "closed"),
        ("source", "carrier-pigeon"),
        ("external_id", "x" * 121),
    ],
)
def test_it_refuses_by_field(field: str, value: object) -> None:
    assert wrong(**{field: value}) == {field}
    assert db.session.scalars(select(Offer)).all() == []


def test_it_refuses_a_range_upside_down_also_when_one_end_comes_alone() -> None:
    assert wrong(salary_min=50_000, salary_max=42_000) == {"salary_max"}
    offer = make(salary_min=40_000, salary_max=50_000)
    with pytest.raises(InvalidInput) as caught:
        offers.update_offer(offer.id, {"salary_min": 60_000}, None)
    assert set(caught.value.errors) == {"salary_min"}


def test_it_reads_amounts_and_countries_as_a_form_sends_them() -> None:
    offer = make(salary_min="42\u202f000", salary_max="52 000", country_codes="fr, BE;fr")
    assert (offer.salary_min, offer.salary_max) == (42_000, 52_000)
    assert offer.country_codes == ["BE", "FR"]


def test_it_lets_no_script_into_a_description() -> None:
    offer = make(description='<p onclick="x()">Bonjour<script>alert(1)</script> <b>à vous</b></p>')
    assert offer.description_html == "<p>Bonjour <b>à vous</b></p>"


def test_it_makes_paragraphs_and_lists_of_plain_text_and_gives_the_text_back() -> None:
    typed = "Nous & vous <3\nà Lorient\n\nVotre semaine :\n- la neige\n- le vent"
    offer = make(description=typed)
    assert offer.description_html == (
        "<p>Nous &amp; vous &lt;3<br>à Lorient</p>\n"
        "<p>Votre semaine :</p><ul><li>la neige</li><li>le vent</li></ul>"
    )
    again = offers.as_html(offers.as_typed(offer.description_html))
    assert offers.as_html(offers.as_typed(again)) == again
    assert "&lt;3" in again


def test_it_shows_html_as_html_when_it_is_more_than_plain_text() -> None:
    more = make(description="<h2>Le poste</h2><p>Ici</p>").description_html
    assert offers.as_typed(more) == more


@pytest.mark.parametrize(
    ("title", "start"),
    [
        ("Chef·fe de chœur (H/F/X) 🐍", "chef-fe-de-choeur-h-f-x-"),
        ("Инженер", "offre-"),
        ("Développeur " + "très " * 60, "developpeur-tres-tres-"),
    ],
)
def test_it_gives_a_readable_address_of_at_most_80_characters(title: str, start: str) -> None:
    slug = offers.make_slug(title)
    assert slug.startswith(start)
    assert len(slug) <= 80
    assert slug != offers.make_slug(title)


def test_it_keeps_the_address_when_the_title_changes() -> None:
    offer = make()
    slug = offer.slug
    changed = offers.update_offer(offer.id, {"title": "Ingénieur·e des sols"}, None)
    assert (changed.title, changed.slug) == ("Ingénieur·e des sols", slug)


def test_it_notes_what_changed_and_nothing_when_nothing_did() -> None:
    offer = make(location="Grenoble")
    offers.update_offer(offer.id, {"location": "Grenoble", "title": "Ingénieure de neige"}, None)
    offers.update_offer(offer.id, {"location": "Annecy"}, None)
    rows = db.session.scalars(
        select(AuditEntry.details).where(AuditEntry.action == "offer.updated")
    ).all()
    assert rows == [{"fields": "location"}]


def test_it_ties_an_offer_of_a_tracking_system_to_its_default_connection() -> None:
    offer = make(source="greenhouse", external_id="4011001")
    assert offer.connection_id == connections.default_connection("greenhouse").id
    assert wrong(source="greenhouse", external_id="4011001") == {"external_id"}
    assert make(source="csv", external_id="4011001").source == "csv"


def test_it_never_gives_one_reference_to_two_offers_of_the_house() -> None:
    first = make(external_id="H-1")
    second = make(external_id="H-2")
    with pytest.raises(InvalidInput):
        offers.update_offer(second.id, {"external_id": "H-1"}, None)
    assert offers.update_offer(first.id, {"external_id": "H-1"}, None).external_id == "H-1"


def test_it_finds_an_offer_without_its_case_and_accents() -> None:
    make("Ingénieur·e NEIGE", location="Saint-Égrève")
    make("Menuisier", location="Lorient")
    found = [row.title for row in offer_queries.open_offers(ANYBODY, q="INGENIEUR egreve").rows]
    assert found == ["Ingénieur·e NEIGE"]
    assert offer_queries.open_offers(ANYBODY, q="100%_").rows == []


def test_it_finds_a_title_as_it_is_now() -> None:
    offer = make("Menuisier")
    offers.update_offer(offer.id, {"title": "Charpentière"}, None)
    assert offer_queries.open_offers(ANYBODY, q="menuisier").rows == []
    assert len(offer_queries.open_offers(ANYBODY, q="charpentiere").rows) == 1


def test_it_walks_through_all_open_offers_once() -> None:
    made = [make(f"Métier {n}") for n in range(7)]
    make("brouillon", status="draft")
    offers.close_offer(make("fini").id, None)
    parts = throughout(lambda after: offer_queries.open_offers(ANYBODY, after=after, limit=3))
    seen = [row.id for row in parts]
    assert seen == [offer.id for offer in reversed(made)]


def test_it_counts_what_the_list_can_be_narrowed_by() -> None:
    make(department="Neige", contract="CDI")
    make(department="Neige")
    make(department="Sols", status="draft")
    found = offer_queries.facets()
    assert [(f.value, f.count) for f in found.departments] == [("Neige", 2)]
    assert [f.value for f in found.contracts] == ["CDI"]
    assert (
        offer_queries.open_offers(ANYBODY, department="Neige", contract="CDI").rows[0].contract
        == "CDI"
    )


def test_it_shows_an_address_only_for_what_was_published() -> None:
    draft, closed = make(status="draft"), make()
    offers.close_offer(closed.id, None)
    assert offer_queries.offer_by_slug(closed.slug).row.status == "closed"
    with pytest.raises(UnknownOffer):
        offer_queries.offer_by_slug(draft.slug)


def test_it_refuses_a_place_in_the_list_that_nobody_gave() -> None:
    with pytest.raises(InvalidInput):
        offer_queries.open_offers(ANYBODY, after="nonsense")


def test_it_shows_drafts_only_to_those_who_may_write() -> None:
    make(status="draft")
    make("Menuisier")
    anybody, staff = {"within": frozenset()}, {"within": None}
    met = offer_queries.api_offers(reader_id=ANYBODY, **anybody)
    assert ([row.title for row in met.rows], met.next) == (["Menuisier"], None)
    assert len(offer_queries.api_offers(reader_id=ANYBODY, **staff).rows) == 2
    first = offer_queries.api_offers(reader_id=ANYBODY, limit=1, **staff)
    second = offer_queries.api_offers(reader_id=ANYBODY, limit=1, after=first.next, **staff)
    assert first.next is not None and second.rows[0].id != first.rows[0].id
