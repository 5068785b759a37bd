"""Those who lead the programme: versions, the draft, its publication, and never a name."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from app.charters import queries, service
from tests.charters.conftest import Desk
from tests.charters.test_reading_pages import text_of

DRAFT = "/studio/charter/draft"
PAGES = ("/studio/charter", DRAFT, f"{DRAFT}/preview")


@pytest.fixture
def lead(desk: Desk) -> FlaskClient:
    return desk.house.browser(desk.lead)


def published(page: str) -> dict[str, str]:
    """The hidden fields of the form that publishes."""
    form = page.partition(f'action="{DRAFT}/publication"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value for name, value in found if name != "csrf_token"}


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_leads_and_administrators(desk: Desk, path: str) -> None:
    service.save_draft(desk.lead.id, **desk.texts(title_en="Two"))
    for role in ("lead", "admin"):
        client = desk.house.browser(desk.house.person("Inès", role, joined=False))
        assert client.get(path).status_code == 200
    for role in ("curator", "hr", "recruiter", "auditor", "contributor"):
        client = desk.house.browser(desk.house.person("Théo", role))
        assert client.get(path).status_code == 403
        for act in (DRAFT, f"{DRAFT}/publication", f"{DRAFT}/removal"):
            assert client.post(act, data=desk.texts()).status_code == 403
    assert desk.house.app.test_client().get(path).status_code == 303
    assert desk.in_force().number == 1 and queries.with_draft()[0] is not None


@pytest.mark.parametrize("path", PAGES)
def test_it_answers_htmx_with_a_fragment(desk: Desk, lead: FlaskClient, path: str) -> None:
    service.save_draft(desk.lead.id, **desk.texts(title_en="Two"))
    assert "<!doctype html>" in text_of(lead, path)
    assert "<!doctype html>" not in text_of(lead, path, **{"HX-Request": "true"})


def test_a_new_draft_starts_from_the_version_in_force(desk: Desk, lead: FlaskClient) -> None:
    page = text_of(lead, f"{DRAFT}?lang=en")
    assert 'value="Parler de sa propre voix"' in page
    assert "{organisation} lends you its stories" in page
    assert queries.with_draft()[0] is None


def test_it_writes_reads_and_publishes(desk: Desk, lead: FlaskClient) -> None:
    body = desk.in_force().body_en.replace("Write as you speak.", "Write as you would speak.")
    typed = desk.texts(body_en=body, note_fr="Une nuance", note_en="A shade")
    response = lead.post(DRAFT, data=typed)
    assert (response.status_code, response.location) == (303, f"{DRAFT}/preview")
    preview = text_of(lead, f"{DRAFT}/preview?lang=en")
    assert "Write as you would speak." in preview and "Parler de sa propre voix" in preview
    assert "No word changes in this language." in preview
    assert "every member is asked to agree to it before their next share" in preview
    assert 'href="/studio/charter/draft/preview"' in text_of(lead, "/studio/charter")
    response = lead.post(f"{DRAFT}/publication", data=published(preview))
    assert (response.status_code, response.location) == (303, "/studio/charter")
    now = desk.in_force()
    assert (now.number, now.note("en")) == (2, "A shade")
    page = text_of(lead, "/studio/charter?lang=en")
    assert page.count("<tr>") == 1 + 2
    assert "In force" in page and "Past" in page and "A shade" in page
    assert lead.get(f"{DRAFT}/preview").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title_fr", "", "A title is needed"),
        ("body_en", " ", "The text is missing"),
        ("body_fr", "x" * 20_001, "At most 20,000 characters; this has 20,001"),
        ("title_en", "x" * 121, "At most 120 characters; this has 121"),
        ("note_en", "x" * 501, "At most 500 characters; this has 501"),
        ("note_fr", "", "Say it in this language, too"),
    ],
)
def test_it_keeps_what_was_typed_and_says_what_is_wrong(
    desk: Desk, lead: FlaskClient, field: str, value: str, told: str
) -> None:
    typed = desk.texts(
        title_fr="Mon titre à moi", body_en="Words I typed", body_fr="Mes mots <à> moi",
        note_fr="Ma note", note_en="My note",
    ) | {field: value}  # fmt: skip
    response = lead.post(f"{DRAFT}?lang=en", data=typed)
    page = unescape(response.get_data(as_text=True))
    assert response.status_code == 422
    assert f'id="{field}-error"' in page and page.count('-error"><svg') == 1
    assert told.replace(",", "") in page.replace(",", "")
    for name, words in typed.items():
        assert name == field or words in page
    assert queries.with_draft()[0] is None


def test_a_huge_form_is_no_crash(desk: Desk, lead: FlaskClient) -> None:
    assert lead.post(DRAFT, data=desk.texts(body_fr="x" * 500_000)).status_code == 422
    assert lead.post(DRAFT).status_code == 422


def test_it_publishes_only_what_was_read(desk: Desk, lead: FlaskClient) -> None:
    service.save_draft(desk.lead.id, **desk.texts(title_en="Seen"))
    seen = published(text_of(lead, f"{DRAFT}/preview"))
    service.save_draft(desk.lead.id, **desk.texts(title_en="By a colleague"))
    response = lead.post(f"{DRAFT}/publication", data=seen)
    assert response.status_code == 409
    page = unescape(response.get_data(as_text=True))
    assert "By a colleague" in page
    for wrong in ({}, {"version": seen["version"]}, {"version": "x"}):
        assert lead.post(f"{DRAFT}/publication", data=wrong).status_code in (404, 409)
    assert desk.in_force().number == 1
    assert lead.post(f"{DRAFT}/publication", data=published(page)).status_code == 303
    assert lead.post(f"{DRAFT}/publication", data=published(page)).status_code == 409


def test_it_does_not_ask_everyone_again_for_nothing(desk: Desk, lead: FlaskClient) -> None:
    lead.post(DRAFT, data=desk.texts())
    given = published(text_of(lead, f"{DRAFT}/preview"))
    response = lead.post(f"{DRAFT}/publication?lang=en", data=given)
    assert response.status_code == 409
    assert "exactly what the version in force says" in response.get_data(as_text=True)


def test_it_discards_a_draft(desk: Desk, lead: FlaskClient) -> None:
    service.save_draft(desk.lead.id, **desk.texts(title_en="Two"))
    assert f'action="{DRAFT}/removal"' in text_of(lead, "/studio/charter")
    for _ in range(2):
        assert lead.post(f"{DRAFT}/removal").location == "/studio/charter"
    assert queries.with_draft()[0] is None and desk.in_force().number == 1


def test_it_shows_a_count_and_never_a_name(desk: Desk, lead: FlaskClient) -> None:
    people = [desk.house.person(f"Prénom{n} Nom{n}") for n in range(8)]
    for someone in people[:3]:
        service.accept(someone.id, desk.in_force().id, "fr")
    page = text_of(lead, "/studio/charter?lang=en")
    assert "fewer than 10 members no figure is shown" in page
    desk.house.person("Prénom9 Nom9")
    for path in ("/studio/charter?lang=en", DRAFT):
        assert "Nom" not in re.sub(r"<[^>]*>", "", text_of(lead, path)).replace("Nommez", "").replace(
            "nommez", ""
        )  # fmt: skip
    assert "3 members have agreed so far." in text_of(lead, "/studio/charter?lang=en")


def test_it_warns_when_there_is_no_charter(desk: Desk, lead: FlaskClient) -> None:
    from sqlalchemy import select

    from app.charters.models import CharterVersion
    from app.db import transaction

    with transaction() as session:
        for row in session.scalars(select(CharterVersion)):
            session.delete(row)
    assert "Members cannot share before there is one" in text_of(lead, "/studio/charter?lang=en")
    assert lead.get(DRAFT).status_code == 200
    given = {f"{part}_{lang}": "Texte" for part in ("title", "body") for lang in ("fr", "en")}
    assert lead.post(DRAFT, data=given).status_code == 303
    lead.post(f"{DRAFT}/publication", data=published(text_of(lead, f"{DRAFT}/preview")))
    assert desk.in_force().number == 1
