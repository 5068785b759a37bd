"""The reader of little text. Expectations are written by hand from section 5.2 of the reference."""

from __future__ import annotations

import pytest

from standin.linkedin import little
from standin.linkedin.little import Hashtag, Mention, Text

RESERVED = ["|", "{", "}", "@", "[", "]", "(", ")", "<", ">", "#", "\\", "*", "_", "~"]

# (as sent, as a member reads it)
TABLE = [
    ("", ""),
    ("Bonjour", "Bonjour"),
    # The documented failure: cut before the parenthesis, the blank before it stays.
    ("This is a test. (This is also a test.)", "This is a test. "),
    (r"This is a test. \(This is also a test.\)", "This is a test. (This is also a test.)"),
    # Not reserved.
    ("& \" ' / : - + = % ! ? . , ; ` $ ^", "& \" ' / : - + = % ! ? . , ; ` $ ^"),
    ("un\n\ndeux\r\ntrois\rquatre", "un\n\ndeux\r\ntrois\rquatre"),
    ("é à ç 👩‍🌾🇫🇷 e\u0301 \u202eabc\u202c \u200b", "é à ç 👩‍🌾🇫🇷 e\u0301 \u202eabc\u202c \u200b"),
    # Hashtags.
    ("#vent", "#vent"),
    ("Le #vent, puis", "Le #vent, puis"),
    (r"#bois\_local !", "#bois_local !"),
    ("#bois_local", "#bois"),
    ("#été2026", "#été2026"),
    ("#2026", ""),
    (r"\#2026", "#2026"),
    ("avant #½ après", "avant "),
    ("# seul", ""),
    ("a#b", "a"),
    ("&#39;", "&"),
    (r"\_#mot", "_"),
    ("#un#deux", "#un"),
    ("#un #deux", "#un #deux"),
    ("(#mot", ""),
    (r"\(#mot\)", "(#mot)"),
    ("#e\u0301te", "#e\u0301te"),
    (r"#\_\_", "#__"),
    # Mentions.
    ("Avec @[Halvenne](urn:li:organization:123) ici", "Avec Halvenne ici"),
    ("@[Nour B.](urn:li:person:aB-c_9)", "Nour B."),
    (r"@[Atelier \(Lorient\)](urn:li:organization:1)", "Atelier (Lorient)"),
    ("@[Nom (urn:li:person:abc)", ""),
    ("@[Nom](urn:li:share:1)", ""),
    ("@[](urn:li:person:abc)", ""),
    ("Ecrire à nom@example.org", "Ecrire à nom"),
    (r"Ecrire à nom\@example.org", "Ecrire à nom@example.org"),
    # Templates.
    (r"{hashtag|\#|bois} et", "#bois et"),
    (r"{hashtag|\#|bois\_local}", "#bois_local"),
    ("{hashtag|#|bois}", ""),
    (r"{hashtag|\#|bois", ""),
    (r"{hashtag|\#|12}", ""),
    ("{autre}", ""),
    # Backslashes.
    ("fin\\", "fin"),
    (r"fin\\", "fin\\"),
    (r"C:\dossier", "C:"),
    (r"\\\(", "\\("),
    (r"\\(", "\\"),
    # An address, escaped and not.
    (r"https://ex.org/a\_b\~c?x=1\#y", "https://ex.org/a_b~c?x=1#y"),
    ("https://ex.org/a_b", "https://ex.org/a"),
]


@pytest.mark.parametrize(("sent", "read"), TABLE)
def test_it_reads_what_members_read(sent: str, read: str) -> None:
    assert little.visible(little.read(sent)) == read


@pytest.mark.parametrize("sign", RESERVED)
def test_an_escaped_reserved_sign_is_itself(sign: str) -> None:
    assert little.visible(little.read(f"avant \\{sign} après")) == f"avant {sign} après"
    assert not little.is_cut(f"avant \\{sign} après")


@pytest.mark.parametrize("sign", RESERVED)
def test_an_unescaped_reserved_sign_cuts(sign: str) -> None:
    assert little.visible(little.read(f"avant {sign} après")) == "avant "
    assert little.is_cut(f"avant {sign} après")


def test_it_knows_its_fifteen_signs() -> None:
    assert frozenset(RESERVED) == little.RESERVED
    assert len(RESERVED) == 15


def test_it_tells_the_elements() -> None:
    text = r"Chez @[Halvenne](urn:li:organization:7)\: #bois\_vif {hashtag|\#|vent}"
    assert little.read(text.replace(r"\:", ":")) == [
        Text("Chez "), Mention("Halvenne", "urn:li:organization:7"), Text(": "),
        Hashtag("bois_vif"), Text(" "), Hashtag("vent"),
    ]  # fmt: skip


def test_reads_come_back_in_template_form() -> None:
    assert little.stored(little.read(r"\(a\) #b\_c")) == r"\(a\) {hashtag|\#|b\_c}"


def test_it_measures_utf_16() -> None:
    assert [little.units(text) for text in ("", "é", "e\u0301", "👍", "👩‍🌾")] == [0, 1, 2, 2, 5]
