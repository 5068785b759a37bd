"""A guide for each kind of user, in both languages, whose every door opens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.people.words import ROLE_NAMES
from app.today.guides import KINDS
from app.web.glossary import TERMS
from tests.conftest import House

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "guides"
_LINK = re.compile(r"\]\((/[^)#]*)")
EVERY_ROLE = tuple(role for role in ROLE_NAMES if role != "member")


def _text(kind: str, language: str) -> str:
    return (FOLDER / f"{kind}.{language}.md").read_text("utf-8")


def test_each_role_has_a_guide() -> None:
    assert set().union(*(whose for _title, whose in KINDS.values())) == set(ROLE_NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_the_same_in_both_languages(kind: str) -> None:
    french, english = _text(kind, "fr"), _text(kind, "en")
    assert french.count("\n## ") == english.count("\n## ")
    assert _LINK.findall(french) == _LINK.findall(english)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_set_as_french_is_set(kind: str) -> None:
    text = re.sub(r"\]\([^)]*\)", "]", _text(kind, "fr"))
    assert not re.search(r"[^\s\u202f\u00a0][;:!?»]", text)
    assert "'" not in text and not re.search(r"« |«[^\u202f\u00a0]", text)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_door_of_every_guide_opens(house: House, language: str) -> None:
    reader = house.person("Maëlle Kerjan", *EVERY_ROLE, language=language)
    browser = house.browser(reader)
    doors = set()
    for kind in KINDS:
        page = browser.get(f"/guide/{kind}")
        assert page.status_code == 200
        assert _text(kind, language).split("\n")[0].removeprefix("## ")[:12] in page.text
        doors |= set(_LINK.findall(_text(kind, language)))
    assert {door: browser.get(door).status_code for door in sorted(doors)} == dict.fromkeys(
        sorted(doors), 200
    )


def test_the_reader_finds_their_own_first(house: House) -> None:
    browser = house.browser(house.person("Sofiane Belkhir", "recruiter", language="en"))
    page = browser.get("/guide").text
    assert page.index("/guide/recruiter") < page.index("What others do here")
    assert page.index("/guide/hr") > page.index("What others do here")
    for term in TERMS.values():
        assert str(term.word) in page


def test_an_unknown_guide_is_not_found(house: House) -> None:
    browser = house.browser(house.person("Maëlle Kerjan"))
    assert browser.get("/guide/..%2Fsecrets").status_code == 404
    assert browser.get("/guide/nobody").status_code == 404


def test_every_term_that_a_page_explains_is_a_word_of_ours() -> None:
    asked = {
        code
        for page in FOLDER.parent.rglob("*.html")
        for code in re.findall(r'help\("([a-z-]+)"\)', page.read_text("utf-8"))
    }
    assert {"on-hold", "visibility", "share-unknown"} <= asked <= set(TERMS)


def test_a_term_is_explained_where_it_stands(house: House) -> None:
    page = house.browser(house.person("Maëlle Kerjan", language="en")).get("/play").text
    assert "What does “On the way” mean?" in page
    assert str(TERMS["on-hold"].meaning) in page
