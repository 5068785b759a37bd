"""What changed between two versions, for whoever agreed to the first."""

from __future__ import annotations

import time

import pytest

from app.charters import queries
from app.charters.differences import Change, Piece, difference
from tests.charters.conftest import Desk

BEFORE = """# Une charte

Nous parlons avec nos mots.

## Le respect

- Ce qui est confidentiel reste chez nous.
- Parlez des gens comme s’ils vous lisaient.

## La fin

Merci.
"""


def seen(change: Change) -> str:
    marks = {"same": "{}", "added": "[+{}+]", "removed": "[-{}-]"}
    words = " ".join(marks[p.kind].format(p.words) for p in change.pieces)
    return f"{change.kind} / {change.under} / {words}"


def test_it_finds_nothing_in_the_same_text() -> None:
    assert difference(BEFORE, BEFORE) == []
    assert difference(BEFORE, BEFORE.replace("- ", "* ") + "\n\n") == []


def test_it_marks_the_words_of_a_paragraph_that_was_rewritten() -> None:
    after = BEFORE.replace("avec nos mots", "avec nos propres mots")
    assert [seen(c) for c in difference(BEFORE, after)] == [
        "changed / Une charte / Nous parlons avec nos [+propres+] mots."
    ]


def test_it_tells_what_came_and_what_went_and_under_which_heading() -> None:
    after = BEFORE.replace("- Ce qui est confidentiel reste chez nous.\n", "").replace(
        "Merci.", "Merci.\n\n## Les images\n\n- Demandez l’accord."
    )
    assert [seen(c) for c in difference(BEFORE, after)] == [
        "removed / Le respect / [-Ce qui est confidentiel reste chez nous.-]",
        "added /  / [+Les images+]",
        "added / Les images / [+Demandez l’accord.+]",
    ]


def test_it_pairs_a_rewritten_paragraph_past_a_new_one() -> None:
    after = BEFORE.replace(
        "- Parlez des gens comme s’ils vous lisaient.",
        "- Rien à voir avec le reste.\n- Parlez des gens comme s’ils étaient là.",
    )
    found = [seen(c) for c in difference(BEFORE, after)]
    assert found[0] == "added / Le respect / [+Rien à voir avec le reste.+]"
    assert found[1].startswith("changed / Le respect / Parlez des gens comme s’ils [-")
    assert len(found) == 2


def test_it_shows_an_address_that_changed_under_the_same_words() -> None:
    (change,) = difference("See [the page](/rights).", "See [the page](/charter).")
    assert change.pieces == (
        Piece("same", "See the page"), Piece("removed", "(/rights)."), Piece("added", "(/charter)."),
    )  # fmt: skip


def test_it_keeps_the_narrow_spaces_of_french() -> None:
    (change,) = difference("Une erreur\u202f? Oui.", "Une faute\u202f? Oui.")
    assert change.pieces[-2:] == (Piece("added", "faute\u202f?"), Piece("same", "Oui."))


def test_it_compares_the_title_too(desk: Desk) -> None:
    first = desk.in_force()
    second = desk.publish(title_en="Speaking up")
    found = queries.difference(first, second, "en")
    assert seen(found[0]) == "changed /  / Speaking [-in your own voice-] [+up+]" or (
        found[0].kind == "removed"
    )
    assert [c.kind for c in queries.difference(first, second, "fr")] == ["added"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- a\n" * 300, "- a\n" * 299),
        ("".join(f"- {n} x\n" for n in range(300)), "".join(f"- {n} y\n" for n in range(300))),
        ("a " * 10_000, "a b " * 5_000),
        ("".join(f"w{n} " for n in range(3_300)), "".join(f"w{n} " for n in range(3_300, 0, -1))),
    ],
)
def test_it_compares_the_longest_texts_quickly(before: str, after: str) -> None:
    begun = time.perf_counter()
    assert difference(before, after)
    assert time.perf_counter() - begun < 3
