"""What a member reads and presses: the charter, what is new, the answer, the rights."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import outbox
from app.charters import proofs, queries, service
from app.charters.models import CharterAcceptance
from app.config import Settings
from app.db import db
from app.settings import save_organisation
from tests.charters.conftest import Desk

Count = Callable[[Callable[[], Any]], int]
PAGES = ("/charter", "/rights")


def text_of(client: FlaskClient, path: str, status: int = 200, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == status, response.get_data(as_text=True)[:400]
    return unescape(response.get_data(as_text=True))


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form that answers."""
    form = page.partition('action="/charter/acceptances"')[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: value for name, value in found if name != "csrf_token"}


def answers() -> list[CharterAcceptance]:
    db.session.rollback()
    return list(db.session.scalars(select(CharterAcceptance)))


@pytest.fixture
def member(desk: Desk) -> FlaskClient:
    return desk.house.browser(desk.house.person(email="maelle@halvenne.example"))


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_everybody_signed_in(desk: Desk, path: str) -> None:
    outside = desk.house.person("Odile Roux", joined=False)
    assert desk.house.browser(outside).get(path).status_code == 200
    stranger = desk.house.app.test_client().get(path)
    assert (stranger.status_code, stranger.location) == (303, f"/sign-in?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_it_answers_htmx_with_a_fragment(member: FlaskClient, path: str) -> None:
    assert "<!doctype html>" in text_of(member, path)
    fragment = text_of(member, path, **{"HX-Request": "true"})
    assert "<!doctype html>" not in fragment and "<h1>" in fragment


@pytest.mark.parametrize("path", [*PAGES, "/studio/charter", "/studio/charter/draft"])
def test_its_pages_ask_little(desk: Desk, count_queries: Count, path: str) -> None:
    desk.house.person("Inès Tavarès", "lead", email="lead@halvenne.example")
    maelle = desk.house.person("Maëlle Kerjan", "lead")
    service.accept(maelle.id, desk.in_force().id, "fr")
    desk.publish("deux")
    desk.publish("trois")
    browser = desk.house.browser(maelle)
    assert browser.get(path).status_code == 200
    assert count_queries(lambda: browser.get(path)) <= 8


@pytest.mark.parametrize(
    ("language", "title", "other"),
    [
        ("fr", "Parler de sa propre voix", "/charter?lang=en"),
        ("en", "Speaking in your own voice", "/charter?lang=fr"),
    ],
)
def test_it_shows_the_text_in_the_readers_language(
    desk: Desk, member: FlaskClient, language: str, title: str, other: str
) -> None:
    page = text_of(member, f"/charter?lang={language}")
    assert f"<h1>{title}</h1>" in page
    assert f'href="{other}"' in page
    for line in unescape(str(desk.in_force().html(language))).splitlines():
        assert line in page
    assert fields(page) == {
        "version": str(desk.in_force().id), "lang": language,
        "shown": desk.in_force().text_hash(language),
    }  # fmt: skip


def test_its_box_is_not_ticked_and_not_now_leads_on(member: FlaskClient) -> None:
    page = text_of(member, "/charter?lang=en")
    assert '<input type="checkbox" name="agree" value="1">' in page
    assert '<a class="button button-quiet" href="/">Not now</a>' in page


def test_it_records_an_agreement_and_leads_back(desk: Desk, member: FlaskClient) -> None:
    page = text_of(member, "/charter?lang=en&next=/offers?q=a%26b")
    assert fields(page)["next"] == "/offers?q=a&b"
    response = member.post("/charter/acceptances", data=fields(page) | {"agree": "1"})
    assert (response.status_code, response.location) == (303, "/offers?q=a&b")
    (answer,) = answers()
    assert (answer.language, answer.shown_as, answer.sign_in) == ("en", "page", "password")
    assert answer.act == "button “I agree”"
    assert answer.signed_in_at is not None
    assert answer.text_hash == desk.in_force().text_hash("en")
    after = text_of(member, "/charter?lang=en")
    assert "You agreed to version 1 on 17 November 2026" in after
    assert 'action="/charter/acceptances"' not in after


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "x"],
)
def test_it_leads_nowhere_else(member: FlaskClient, target: str) -> None:
    page = text_of(member, "/charter")
    response = member.post(
        "/charter/acceptances", data=fields(page) | {"agree": "1", "next": target}
    )
    assert response.location == "/charter#agreement"


def test_htmx_is_told_where_to_go(member: FlaskClient) -> None:
    given = fields(text_of(member, "/charter")) | {"agree": "1"}
    response = member.post("/charter/acceptances", data=given, headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, "/charter#agreement")


def test_a_box_that_is_not_ticked_is_no_agreement(member: FlaskClient) -> None:
    given = fields(text_of(member, "/charter?lang=en&next=/offers"))
    response = member.post("/charter/acceptances", data=given)
    assert response.status_code == 422
    page = unescape(response.get_data(as_text=True))
    assert "Tick the box if you agree" in page and 'aria-invalid="true"' in page
    assert fields(page)["next"] == "/offers"
    assert 'href="/charter?lang=fr&next=%2Foffers"' in page
    assert answers() == []


@pytest.mark.parametrize("version", ["", "no-uuid", "0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4"])
def test_it_shows_the_present_text_when_another_one_was_sent(
    desk: Desk, member: FlaskClient, version: str
) -> None:
    given = fields(text_of(member, "/charter?lang=en")) | {"agree": "1", "version": version}
    response = member.post("/charter/acceptances", data=given)
    page = unescape(response.get_data(as_text=True))
    assert response.status_code == 409
    assert "This is not the charter in force" in page
    assert fields(page)["version"] == str(desk.in_force().id)
    assert answers() == []


def test_it_records_nothing_when_the_text_changed_under_the_reader(
    desk: Desk, member: FlaskClient
) -> None:
    given = fields(text_of(member, "/charter")) | {"agree": "1"}
    desk.publish()
    assert member.post("/charter/acceptances", data=given).status_code == 409
    given = fields(text_of(member, "/charter")) | {"agree": "1"}
    save_organisation(name="Kerlann", brand="#00664a")
    assert member.post("/charter/acceptances", data=given).status_code == 409
    assert answers() == []


def test_only_members_answer(desk: Desk) -> None:
    client = desk.house.browser(desk.house.person("Odile Roux", joined=False))
    page = text_of(client, "/charter?lang=en")
    assert 'action="/charter/acceptances"' not in page
    assert "What joining means" in page
    given = {"version": str(desk.in_force().id), "agree": "1", "lang": "fr"}
    assert client.post("/charter/acceptances", data=given).status_code == 403
    assert answers() == []


def test_it_shows_first_what_is_new(desk: Desk, member: FlaskClient) -> None:
    member.post("/charter/acceptances", data=fields(text_of(member, "/charter")) | {"agree": "1"})
    body = desk.in_force().body_en.replace("Write as you speak.", "Write as you would speak.")
    desk.publish(body_en=body, note_en="How to write", note_fr="Comment écrire")
    desk.publish("last", note_en="One word more", note_fr="Un mot de plus")
    page = text_of(member, "/charter?lang=en")
    news, _, whole = page.partition("The whole text")
    assert "What is new since version 1" in news
    assert news.index("How to write") < news.index("One word more")
    marked = '<ins><span class="hidden-text">[added: </span>would<span class="hidden-text">]</span>'
    assert marked in news
    assert "under “The words are yours”" in news
    assert "<ins>" not in whole and "Write as you would speak." in whole
    assert fields(page)["version"] == str(desk.in_force().id)
    assert "What is new" not in text_of(desk.house.browser(desk.lead), "/charter?lang=en")


def test_it_says_so_when_only_the_other_language_changed(desk: Desk, member: FlaskClient) -> None:
    member.post("/charter/acceptances", data=fields(text_of(member, "/charter")) | {"agree": "1"})
    desk.publish(body_en=desk.in_force().body_en)
    assert "No word changed in this language" in text_of(member, "/charter?lang=en")


def test_it_takes_an_agreement_back(member: FlaskClient) -> None:
    member.post("/charter/acceptances", data=fields(text_of(member, "/charter")) | {"agree": "1"})
    assert 'action="/charter/withdrawals"' in text_of(member, "/charter")
    for _ in range(2):
        assert member.post("/charter/withdrawals").location == "/charter#agreement"
    assert [a.kind for a in answers()] == ["accepted", "withdrawn"]
    page = text_of(member, "/charter?lang=en")
    assert 'action="/charter/acceptances"' in page
    assert "Took back version 1" in page and "Agreed to version 1" in page


@pytest.mark.parametrize("language", ["fr", "en"])
def test_it_hands_every_published_version_out_as_markdown(
    desk: Desk, member: FlaskClient, language: str
) -> None:
    first = desk.in_force()
    desk.publish()
    service.save_draft(desk.lead.id, **desk.texts(title_en="Not yet"))
    response = member.get(f"/charter/charter-1-{language}.md")
    assert response.data == first.text(language).encode()
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    assert f'href="/charter/charter-1-{language}.md"' in text_of(
        member, f"/charter?lang={language}"
    )
    for name in ("charter-3-fr.md", "charter-0-fr.md", "charter-1-de.md", "charter-01-fr.md",
                 "x", "charter-999999-fr.md", "charter-9999999999-fr.md"):  # fmt: skip
        assert member.get(f"/charter/{name}").status_code == 404


def test_it_hands_the_proof_out_to_its_owner_only(desk: Desk, member: FlaskClient) -> None:
    shown = desk.in_force().text("fr")
    page = text_of(member, "/charter?lang=fr")
    member.post("/charter/acceptances", data=fields(page) | {"agree": "1"})
    save_organisation(name="Kerlann", brand="#00664a")
    desk.publish()
    (answer,) = answers()
    response = member.get(f"/charter/acceptances/{answer.id}?lang=en")
    paper = response.get_data(as_text=True)
    head, _, text = paper.partition(proofs.CUT)
    assert text == shown
    assert hashlib.sha256(text.encode()).hexdigest() in head
    assert "Maëlle Kerjan" in head and "Agreed to the charter" in head
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    other = desk.house.browser(desk.lead)
    assert other.get(f"/charter/acceptances/{answer.id}").status_code == 404


def test_it_sends_a_copy(desk: Desk, member: FlaskClient) -> None:
    """Rule K2: the text that was agreed to, by mail, in the person's language."""
    member.post("/charter/acceptances", data=fields(text_of(member, "/charter")) | {"agree": "1"})
    outbox.drain()
    settings = desk.house.app.extensions["portevoix"]
    assert isinstance(settings, Settings)
    mails = [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        for file in Path(settings.data_dir, "mail").glob("*.eml")
    ]
    found = [
        part.get_content()
        for message in mails
        if "maelle@" in str(message["To"])
        for part in message.walk()
        if part.get_content_type() == "text/plain"
    ]
    (copy,) = [text for text in found if "SHA-256" in text]
    assert "Parler de sa propre voix" in copy and "Halvenne vous prête" in copy
    assert answers()[0].text_hash in copy


def test_nothing_written_in_a_charter_acts_on_the_page(desk: Desk, member: FlaskClient) -> None:
    member.post("/charter/acceptances", data=fields(text_of(member, "/charter")) | {"agree": "1"})
    hostile = (
        "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n"
        "![y](https://evil.example/p.png)"
    )
    desk.publish(
        body_fr=hostile, body_en=hostile, title_fr="<b>Titre", title_en="<b>Title",
        note_fr="<i>note", note_en="<i>note",
    )  # fmt: skip
    for client in (member, desk.house.browser(desk.lead)):
        raw = client.get("/charter?lang=en").get_data(as_text=True)
        assert "<script>alert" not in raw and "<img src=x" not in raw
        assert "evil.example/p.png" not in raw.partition("charter-text")[2]
        assert 'href="javascript' not in raw
        assert "<b>Title" not in raw and "<i>note" not in raw
        assert "&lt;script&gt;" in raw


def test_it_says_when_there_is_no_charter(desk: Desk, member: FlaskClient) -> None:
    from app.charters.models import CharterVersion
    from app.db import transaction

    with transaction() as session:
        for row in session.scalars(select(CharterVersion)):
            session.delete(row)
    assert queries.current() is None
    assert "Nothing to agree to yet" in text_of(member, "/charter?lang=en")


def test_the_rights_are_on_one_page(desk: Desk, member: FlaskClient) -> None:
    page = text_of(member, "/rights?lang=en")
    for promise in ("Taking part is voluntary", "freedom of speech", "loyalty", "No ranking names you",
                    "What is kept about you", "How to stop", "vie@halvenne.example"):  # fmt: skip
        assert promise in page
    for way in ("/sharing/linkedin", "/charter#agreement", "/me/leaving"):
        assert f'href="{way}"' in page
    outside = desk.house.browser(desk.house.person("Odile Roux", joined=False))
    assert 'href="/me/leaving"' not in text_of(outside, "/rights?lang=en")


def test_the_page_of_leaving_leads_to_the_rights(member: FlaskClient) -> None:
    assert 'href="/rights"' in text_of(member, "/me/leaving")
