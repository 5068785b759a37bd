"""Text, HTML, addresses, dates, amounts and JSON that strangers wrote."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from app.integrations.text import (
    BODY_LIMIT,
    Json,
    UnreadableJson,
    as_id,
    clean_html,
    clean_text,
    detect_language,
    fold,
    html_to_text,
    parse_date,
    parse_day,
    parse_decimal,
    read_json,
    safe_url,
)

# --- one-line text ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("  Cheffe\t de \r\n chantier ", "Cheffe de chantier"),
        ("De\u0301veloppeur", "Développeur"),
        ("a\u202eb\u2066c\u200bd\ufeffe\x00f\x85g", "abcdefg"),
        ("Poste \U000e0041\U000e0042caché", "Poste caché"),
        ("orphan \ud800 half", "orphan half"),
        ("24\u00a0h par semaine", "24\u00a0h par semaine"),
        ("Informaticienne 👩\u200d💻 !", "Informaticienne 👩\u200d💻 !"),
        ("a\u200db", "ab"),
        ("", ""),
    ],
)
def test_it_cleans_one_line(written: str, clean: str) -> None:
    assert clean_text(written) == clean


@pytest.mark.parametrize(
    ("written", "limit", "kept"),
    [
        ("abcdef", 3, "abc"),
        ("ab\u0323\u0307", 2, "a"),
        ("x👩\u200d💻", 2, "x"),
        ("x👩\u200d💻", 3, "x"),
        ("x👍\U0001f3fd", 2, "x"),
        ("🇫🇷🇬🇧", 3, "🇫🇷"),
        ("e" + "\u0327" * 9, 4, "ȩ" + "\u0327" * 3),
    ],
)
def test_it_never_cuts_inside_a_character(written: str, limit: int, kept: str) -> None:
    assert clean_text(written, limit) == kept


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(1, 40))
def test_it_cleans_a_clean_line_no_further(text: str, limit: int) -> None:
    once = clean_text(text, limit)
    assert clean_text(once, limit) == once
    assert len(once) <= limit
    assert unicodedata.is_normalized("NFC", once)
    once.encode()


def test_it_folds_case_accents_and_punctuation() -> None:
    assert fold("  Référence_de l’OFFRE (n°) ") == "reference de l offre n"


# --- HTML ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("<p onclick='x()' style='color:red'>Bonjour</p>", "<p>Bonjour</p>"),
        ("<script>alert(1)</script><style>p{}</style>Texte", "Texte"),
        ("<img src=x onerror=alert(1)>Avant<br>après", "Avant<br>après"),
        ("<h1>Titre</h1>", "<h2>Titre</h2>"),
        ("<b id=1>gras", "<b>gras</b>"),
        ("a\u202eb<p>&#8238;c</p>", "ab<p>c</p>"),
    ],
)
def test_it_keeps_only_harmless_html(written: str, clean: str) -> None:
    assert clean_html(written) == clean


def test_it_gives_html_whose_tags_survive_normalisation() -> None:
    # `>` and U+0338 are one character in NFC: joined after cleaning, they would undo a tag.
    for written in ("<p>\u0338x</p>", "<p>&#824;x</p>", "<p>\u05b0&#824;x</p>"):
        cleaned = clean_html(written)
        assert unicodedata.normalize("NFC", cleaned) == cleaned


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example/x", "/rel"],
)
def test_it_drops_the_address_of_a_dangerous_or_relative_link(address: str) -> None:
    assert "href" not in clean_html(f'<a href="{address}">x</a>')


def test_it_keeps_web_and_mail_links() -> None:
    cleaned = clean_html(
        '<a href="https://a.example/?b=1&amp;c=2">a</a><a href="mailto:x@a.example">'
    )
    assert 'href="https://a.example/?b=1&amp;c=2"' in cleaned
    assert 'href="mailto:x@a.example"' in cleaned
    assert 'rel="noopener noreferrer nofollow"' in cleaned


def test_it_resolves_relative_links_against_the_base() -> None:
    cleaned = clean_html('<a href="/jobs/1">x</a>', base="https://a.example/feed")
    assert 'href="https://a.example/jobs/1"' in cleaned


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("&lt;p&gt;R&amp;amp;D&amp;nbsp;: l&#x27;été&lt;/p&gt;", "<p>R&amp;D&nbsp;: l'été</p>"),
        ("&amp;lt;p&amp;gt;deux fois&amp;lt;/p&amp;gt;", "<p>deux fois</p>"),
        ("&amp;amp;lt;p&amp;amp;gt;", "&amp;lt;p&amp;gt;"),
        ("&lt;p&gt;1 &amp;lt; 2&lt;/p&gt;", "<p>1 &lt; 2</p>"),
    ],
)
def test_it_unescapes_an_escaped_feed_once_and_at_most_twice(written: str, clean: str) -> None:
    assert clean_html(written, escaped=True) == clean


def test_it_caps_a_description_and_leaves_it_well_formed() -> None:
    cleaned = clean_html("<p>" + "é & " * 100_000)
    assert 0.9 * BODY_LIMIT < len(cleaned.encode()) <= BODY_LIMIT
    assert cleaned.endswith("</p>")


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 40_000,
        "<p>" + "".join(f"<font color={n}>" for n in range(2_500)) + "</p><p>x" * 2_500,
        "<p>" + "".join(f'<b id="<{n}">' for n in range(1_200)) + "</p><p>x" * 2_500,
        '<a href="https://a.example/">' * 5_000,
        "<b " * 60_000,
        "&" * 300_000,
        "e" + "\u0301" * 300_000,
    ],
    ids=["nested", "reopened", "reopened-quoted", "links", "unfinished", "entities", "accents"],
)
@pytest.mark.timeout(20)
def test_it_survives_html_made_to_explode(bomb: str) -> None:
    assert len(clean_html(bomb).encode()) <= BODY_LIMIT
    html_to_text(bomb)


def test_it_reads_the_words_of_html() -> None:
    assert html_to_text("<h2>Poste</h2><p>R&amp;D&nbsp;: 1 &lt; 2</p><ul><li>a<li>b</ul>") == (
        "Poste\nR&D : 1 < 2\na\nb"
    )


_ALLOWED = {
    *("a", "b", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "li", "ol", "p", "pre", "strong", "u", "ul"),
}
_MARKUP = [
    *("<p>", "</p>", "<b id=1>", "</b>", "<li>", "<ul>", "<h1>", "<table><td>", "<!--", "-->"),
    *("<script>", "<svg><style>", "<math><mtext>", "<a href='javascript:x'>", "<a href=//x>"),
    *("&lt;", "&amp;", "&#824;", "&#769;", "&#8238;", "&nbsp", "<", ">", '"', "'", "=", "e", " "),
    *("\u0338", "\u0301", "\u200d", "\u202e", "\ud800", "👩", "\n"),
]


@given(st.lists(st.sampled_from(_MARKUP) | st.text(max_size=3), max_size=25), st.booleans())
def test_it_lets_nothing_but_harmless_tags_and_links_through(
    parts: list[str], escaped: bool
) -> None:
    cleaned = clean_html("".join(parts), escaped=escaped)
    assert unicodedata.is_normalized("NFC", cleaned)
    for node in LexborHTMLParser(f"<body>{cleaned}").css("body *"):
        assert node.tag in _ALLOWED
        assert set(node.attributes) <= {"href", "rel"}
        assert re.match("https?:|mailto:", node.attributes.get("href") or "https:")
    html_to_text(cleaned).encode()


# --- addresses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "base", "address"),
    [
        (" https://a.example/o?gh_jid=4 ", None, "https://a.example/o?gh_jid=4"),
        ("http://a.example", None, "http://a.example"),
        ("/o/1", "https://a.example/feed.json", "https://a.example/o/1"),
        ("//b.example/o", "https://a.example/", "https://b.example/o"),
        ("/o/1", None, None),
        ("javascript:alert(1)", "https://a.example/", None),
        ("data:text/html,x", None, None),
        ("ftp://a.example/", None, None),
        ("https://user:secret@a.example/", None, None),
        ("https://a.example\\@b.example/", None, None),
        ("https://a.example/a b", None, None),
        ("https://a.example/\u202egnp.exe", None, None),
        ("https://a.example:99999/", None, None),
        ("https://[::1/", None, None),
        ("https:///o", None, None),
        ("https://a.example/" + "x" * 2_000, None, None),
        ("", None, None),
    ],
)
def test_it_takes_web_addresses_only(written: str, base: str | None, address: str | None) -> None:
    assert safe_url(written, base) == address


# --- dates -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-09T16:20:00Z",
        "2026-11-09t16:20:00.000z",
        "2026-11-09T17:20:00+01:00",
        "2026-11-09T16:20:00",
        "2026-11-09 16:20:00 UTC",
        "Mon, 09 Nov 2026 16:20:00 GMT",
        "9 Nov 2026 17:20:00 +0100",
        1_794_241_200,
        1_794_241_200_000,
        "1794241200000",
    ],
)
def test_it_reads_the_same_moment_in_every_format(written: str | int) -> None:
    assert parse_date(written) == datetime(2026, 11, 9, 16, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("14/09/2026", datetime(2026, 9, 14, tzinfo=UTC)),
        ("1/2/2026 9:05", datetime(2026, 2, 1, 9, 5, tzinfo=UTC)),
        ("01/02/2026 18h30", datetime(2026, 2, 1, 18, 30, tzinfo=UTC)),
        ("31/02/2026", None),
        ("09/14/2026", None),
    ],
)
def test_it_reads_french_dates_where_they_are_expected(
    written: str, moment: datetime | None
) -> None:
    assert parse_date(written, day_first=True) == moment
    assert parse_date(written) is None


@pytest.mark.parametrize(
    "written",
    ["", "soon", "2026", "2026-13-01", "0001-01-01T00:00:00+14:00", 20261109, -5, 0, True, None,
     float("nan"), float("inf"), "١٧٩٤٢٤١٢٠٠", [], {}],
)  # fmt: skip
def test_it_takes_nothing_else_for_a_date(written: Json) -> None:
    assert parse_date(written) is None
    assert parse_date(10**5_000) is None


def test_it_reads_a_day() -> None:
    assert parse_day("2027-01-04") == parse_day("2027-01-04T00:00:00Z") == date(2027, 1, 4)
    assert [parse_day(v) for v in ("04/01/2027", "2027-02-30", "2027-01-041", None, 5)] == [
        None
    ] * 5


# --- amounts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("42 000,00", "42000"),
        ("42\u202f000,50 €", "42000.5"),
        ("42\u00a0000", "42000"),
        ("42.000,00", "42000"),
        ("42,000.00", "42000"),
        ("1.234.567", "1234567"),
        ("42.000", "42000"),
        ("42,000", "42000"),
        ("12,10", "12.1"),
        ("12.10", "12.1"),
        ("0,125", "0.125"),
        ("38 k€", "38000"),
        ("45,5K EUR", "45500"),
        ("£38,000", "38000"),
    ],
)
def test_it_reads_amounts_as_spreadsheets_write_them(written: str, amount: str) -> None:
    assert parse_decimal(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    ["", "selon profil", "42 000 – 52 000", "-5", "1e9", "NaN", "Infinity", "12 5", "1,2,3", "٤٢",
     "9" * 31, "42.000.00"],
)  # fmt: skip
def test_it_takes_nothing_else_for_an_amount(written: str) -> None:
    assert parse_decimal(written) is None


# --- language --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Développeur·se Python / Flask 🐍 (H/F/X)", "fr"),
        ("Comptable H/F", "fr"),
        ("Senior Data Engineer — Remote (EU)", "en"),
        ("You will own our event pipelines and make them boring.", "en"),
        ("Poste en CDI pour la vente, avec une équipe de six personnes", "fr"),
        ("12345 !!", None),
        ("", None),
    ],
)
def test_it_tells_french_from_english(text: str, language: str | None) -> None:
    assert detect_language(text) == language


# --- JSON ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe{\x00}\x00", "not-utf8"),
        (b'{"a": NaN}', "not-a-number"),
        (b'{"a": -Infinity}', "not-a-number"),
        (b'{"a": 1e999}', "not-a-number"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "too-many-digits"),
        (b'{"a": 0.' + b"9" * 5_000 + b"}", "too-many-digits"),
        (b"[" * 100_000, "too-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate-key"),
        (b'{"a": {"b": 1, "b": 1}}', "duplicate-key"),
        (b"{'a': 1}", "not-json"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b"{} {}", "not-json"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_it_refuses_json_that_is_not_strict(data: bytes, code: str) -> None:
    with pytest.raises(UnreadableJson) as refused:
        read_json(data)
    assert refused.value.code == code


def test_it_tells_json_that_breaks_off_anywhere_from_json_that_is_wrong() -> None:
    whole = '{"a": ["é\\u00e9", true, null, -12.5, {"b": {}}]}'.encode()
    for length in range(1, len(whole)):
        with pytest.raises(UnreadableJson) as refused:
            read_json(whole[:length])
        assert refused.value.truncated, whole[:length]
    with pytest.raises(UnreadableJson) as refused:
        read_json(b'{"a": oops, "b": 1}')
    assert not refused.value.truncated


def test_it_reads_identifiers_as_text() -> None:
    assert as_id(1) == as_id("1") == as_id(" 1 ") == "1"
    others: list[Json] = [None, True, 1.0, "", [], {}, 10**5_000]
    assert [as_id(value) for value in others] == [None] * len(others)
