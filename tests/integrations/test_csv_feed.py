"""Job lists from spreadsheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.integrations import csv_feed
from app.integrations.csv_feed import is_forbidden, read_csv, sniff
from app.integrations.postings import FeedError, FeedReading, FeedSettings, Posting, Salary

Sample = Callable[[str], bytes]


def _only(reading: FeedReading) -> Posting:
    (posting,) = reading.postings
    return posting


def _row(header: str, cells: str) -> Posting:
    return _only(read_csv(f"reference;intitule;{header}\n1;Comptable;{cells}\n".encode()))


# --- the sample ------------------------------------------------------------------------


def test_it_reads_the_french_sample(sample: Sample) -> None:
    reading = read_csv(sample("generic/jobs_fr.csv"))
    by_id = {posting.external_id: posting for posting in reading.postings}
    assert list(by_id) == [f"SB{number}" for number in range(8)]
    assert (reading.rejected, reading.notes, reading.complete) == ((), (), True)
    assert reading.ignored_columns == ("code_postal",)
    assert by_id["SB0"] == Posting(
        external_id="SB0",
        title="Développeur·se Python / Flask 🐍 (H/F/X)",
        language="fr",
        department="Technologie",
        locations=("Lyon",),
        country_codes=("FR",),
        workplace="hybrid",
        contract="CDI",
        salary=Salary(Decimal(42_000), Decimal(52_000), "EUR", None, "42 000,00 – 52 000,00 EUR"),
        apply_url="https://bleu.example/o/0",
        published_at=datetime(2026, 9, 14, tzinfo=UTC),
        raw_status="Publiée",
    )


def test_it_reads_the_odd_rows_of_the_sample(sample: Sample) -> None:
    by_id = {p.external_id: p for p in read_csv(sample("generic/jobs_fr.csv")).postings}
    assert (by_id["SB1"].locations, by_id["SB1"].workplace) == ((), "remote")
    assert by_id["SB2"].salary == Salary(
        Decimal("12.10"), Decimal(13), "EUR", None, "12,10 – 13,00 EUR"
    )
    assert by_id["SB4"].salary is None
    assert by_id["SB5"].country_codes == ("GB",)
    assert by_id["SB6"].salary == Salary(Decimal(36_000), None, "EUR", None, "36 000,00 – EUR")
    assert (by_id["SB6"].is_open, by_id["SB6"].raw_status) == (False, "Pourvue")
    assert (by_id["SB7"].is_open, by_id["SB7"].kind) == (True, "prospect_post")


def test_it_describes_the_sample_for_the_mapping_page(sample: Sample) -> None:
    shape = sniff(sample("generic/jobs_fr.csv"))
    assert (shape.encoding, shape.delimiter, shape.rows) == ("utf-8", ";", 8)
    assert shape.mapping == {
        "external_id": "reference",
        "title": "intitule",
        "department": "service",
        "location": "ville",
        "country": "pays",
        "contract": "contrat",
        "workplace": "teletravail",
        "salary_min": "salaire_min",
        "salary_max": "salaire_max",
        "currency": "devise",
        "apply_url": "url",
        "published_at": "date_publication",
        "status": "statut",
    }
    assert shape.ignored_columns == ("code_postal",)
    assert shape.sample[2][:4] == ("SB2", "Conseiller(ère) de vente – temps partiel 24 h",
                                   "Magasins", "Nantes")  # fmt: skip
    assert len(shape.sample) == 5


# --- encodings, delimiters, lines ------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_it_reads_every_usual_form(delimiter: str, encoding: str, named: str, end: str) -> None:
    lines = [["Référence", "Intitulé"], ["1", "Chargé d’études – 40 €"]]
    data = end.join(delimiter.join(line) for line in lines).encode(encoding)
    assert sniff(data).encoding == named
    posting = _only(read_csv(data))
    assert (posting.external_id, posting.title) == ("1", "Chargé d’études – 40 €")


def test_it_sniffs_the_delimiter_on_the_header_alone() -> None:
    data = b'"reference, interne";intitule\n1;a,b,c,d,e\n'
    assert sniff(data).delimiter == ";"
    mapping = {"external_id": "reference, interne", "title": "intitule"}
    assert _only(read_csv(data, mapping)).title == "a,b,c,d,e"


def test_it_obeys_the_hint_that_excel_writes() -> None:
    reading = read_csv(b"sep=;\r\nid;title\r\n1;\r\n")
    assert [(row.line, row.code) for row in reading.rejected] == [(3, "missing-title")]
    assert sniff(b"sep=\t\r\nid\ta,b,c,d\n").delimiter == "\t"


def test_it_reads_quoted_line_breaks_and_reports_physical_lines() -> None:
    data = (
        b"id;title;description\n"
        b'1;A;"first\r\nsecond ""quoted""; here"\n'
        b"\n"
        b"2;;x\n"
        b'3;C;"a\nb\nc"\n'
        b"4;D\n"
        b"5;E;x;y\n"
        b"6;F;x;\n"
        b";G;x\n"
    )
    reading = read_csv(data)
    assert [p.external_id for p in reading.postings] == ["1", "3", "6"]
    assert reading.postings[0].description_html == '<p>first</p><p>second "quoted"; here</p>'
    assert [(row.line, row.code, row.value) for row in reading.rejected] == [
        (5, "missing-title", "2"),
        (9, "wrong-cell-count", "2"),
        (10, "wrong-cell-count", "4"),
        (12, "missing-id", "G"),
    ]
    assert reading.seen_ids == {"1", "2", "3", "4", "5", "6"}
    assert not reading.complete


def test_it_stays_complete_when_every_bad_row_is_known_by_its_identifier() -> None:
    reading = read_csv(b"id;title\n1;A\n2;\n")
    assert reading.complete
    assert reading.seen_ids == {"1", "2"}


def test_it_reports_an_address_it_cannot_use() -> None:
    reading = read_csv(b"id;title;url\n1;A;javascript:alert(1)\n2;B;\n3;C;/o/3\n")
    assert [(row.line, row.code) for row in reading.rejected] == [(2, "bad-url"), (4, "bad-url")]
    based = read_csv(b"id;title;url\n3;C;/o/3\n", None, FeedSettings(base_url="https://a.example"))
    assert _only(based).apply_url == "https://a.example/o/3"


def test_it_keeps_the_newest_of_two_rows_else_the_last() -> None:
    data = b"id;title;updated at\n1;new;02/01/2026\n1;old;01/01/2026\n2;first;\n2;last;\n"
    reading = read_csv(data)
    assert [posting.title for posting in reading.postings] == ["new", "last"]
    assert [(row.line, row.code) for row in reading.rejected] == [
        (3, "duplicate-id"),
        (4, "duplicate-id"),
    ]


# --- files that stop in the middle -----------------------------------------------------


def test_it_doubts_a_file_that_ends_inside_quotes() -> None:
    reading = read_csv(b'id;title\n1;A\n2;"B\n3;C\n4;D\n')
    assert [posting.external_id for posting in reading.postings] == ["1"]
    assert [(row.line, row.code) for row in reading.rejected] == [(3, "unclosed-quote")]
    assert not reading.complete


def test_it_takes_a_lone_inch_mark_for_what_it_is() -> None:
    reading = read_csv(b'id;title\n1;Ecran 24" (H/F)\n\n')
    assert _only(reading).title == 'Ecran 24" (H/F)'
    assert reading.complete


def test_it_doubts_a_file_whose_last_row_is_unfinished() -> None:
    reading = read_csv(b"id;title;url\n1;A;\n2;B")
    assert [note.code for note in reading.notes] == ["unfinished-last-row"]
    assert not reading.complete


def test_it_tells_a_cut_letter_from_an_old_encoding() -> None:
    whole = "id;title\n1;Chargé d'été".encode()
    with pytest.raises(FeedError, match="truncated"):
        read_csv(whole[:-1])
    assert _only(read_csv("id;title\n1;Charge fixé".encode("cp1252"))).title == "Charge fixé"


def test_it_goes_on_after_a_cell_that_is_too_long() -> None:
    reading = read_csv(b"id;title\n1;" + b"x" * 200_000 + b"\n2;B\n")
    assert [(row.line, row.code) for row in reading.rejected] == [(2, "cell-too-long")]
    assert _only(reading).external_id == "2"
    assert not reading.complete


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "empty"),
        (b"<!doctype html><html>", "html"),
        (b"id\n1\n", "header-unreadable"),
        (b";;;\n;x;;\n1;2;3;4\n", "header-unreadable"),
        (b"sep=;", "header-unreadable"),
        (b"PK\x03\x04\x14\x00\x06\x00", "not-utf8"),
        ("id;title\n1;é\n".encode("utf-16"), "not-utf8"),
        (b"id;title\n1;\x81\n", "not-utf8"),
        (b"id;title\n" + b"1;A\n" * 50_001, "too-large"),
        (b"id;title" + b";" * 1_000_001, "too-large"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_it_refuses_a_file_whose_header_cannot_be_used(data: bytes, code: str) -> None:
    for read in (read_csv, sniff):
        with pytest.raises(FeedError) as refused:
            read(data)
        assert refused.value.code == code


def test_it_refuses_a_file_above_the_cap() -> None:
    with pytest.raises(FeedError, match="too-large"):
        read_csv(b"id;title\n1;A\n", None, FeedSettings(max_bytes=10))


# --- columns ---------------------------------------------------------------------------


def test_it_names_the_column_that_is_missing() -> None:
    for mapping, detail in [
        (None, "external_id"),
        ({"title": "titre"}, "external_id"),
        ({"external_id": "numero", "title": "absente"}, "absente"),
    ]:
        with pytest.raises(FeedError) as refused:
            read_csv(b"numero;titre;x\n1;A;\n", mapping)
        assert (refused.value.code, refused.value.detail) == ("missing-column", detail)


def test_it_follows_a_mapping_made_by_hand() -> None:
    mapping = {"external_id": "NUMERO", "title": "Désignation", "unknown": "nowhere"}
    reading = read_csv("numéro;désignation;ville\n1;A;Lyon\n".encode(), mapping)
    assert (_only(reading).title, _only(reading).locations) == ("A", ())
    assert reading.ignored_columns == ("ville",)


def test_it_recognises_english_headers() -> None:
    header = "Job ID,Job Title,Department,City,Country,Contract type,Remote,Min salary,Status"
    posting = _only(
        read_csv(f'{header}\n7,Buyer,Ops,Leeds,UK,Permanent,No,"38,000",Open\n'.encode())
    )
    assert (posting.department, posting.country_codes) == ("Ops", ("GB",))
    assert (posting.contract, posting.workplace, posting.is_open) == ("Permanent", "onsite", True)
    assert posting.salary == Salary(Decimal(38_000), None, None, None, "38,000 –")


def test_it_names_each_header_for_one_field_only() -> None:
    words = Counter(word for words in csv_feed._SYNONYMS.values() for word in words.split("|"))
    assert [word for word, count in words.items() if count > 1] == []
    assert [word for word in words if is_forbidden(word)] == []


@pytest.mark.parametrize(
    "header",
    ["Date de naissance", "birth_date", "Birthdate", "Âge", "Sexe", "gender", "Nationalité",
     "nationality", "Situation familiale", "marital-status", "Nb enfants", "children", "Photo",
     "N° sécurité sociale", "SSN", "NIR", "IBAN", "Compte bancaire", "RQTH", "handicap",
     "Religion", "Civilité", "Syndicat"],
)  # fmt: skip
def test_it_never_reads_what_nobody_may_ask_for(header: str) -> None:
    data = f"reference;intitule;{header}\n1;A;MARKER\n".encode()
    shape = sniff(data)
    assert shape.forbidden_columns == shape.ignored_columns == (header,)
    assert "MARKER" not in repr(shape)
    mapping = {"external_id": "reference", "title": "intitule", "department": header}
    for chosen in (None, mapping):
        reading = read_csv(data, chosen)
        assert "MARKER" not in repr(reading)
        assert reading.ignored_columns == (header,)


def test_it_does_not_let_a_mapping_use_a_forbidden_column_for_a_title() -> None:
    with pytest.raises(FeedError) as refused:
        read_csv(b"id;nationalite\n1;A\n", {"external_id": "id", "title": "nationalite"})
    assert refused.value.detail == "title"


# --- values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "is_open", "kind"),
    [
        ("Publiée", True, "job"),
        ("EN LIGNE", True, "job"),
        ("open", True, "job"),
        ("", True, "job"),
        ("Pourvue", False, "job"),
        ("clôturée", False, "job"),
        ("Closed", False, "job"),
        ("Brouillon", False, "job"),
        ("Vivier", True, "prospect_post"),
        ("Talent pool", True, "prospect_post"),
    ],
)
def test_it_understands_the_usual_statuses(word: str, is_open: bool, kind: str) -> None:
    posting = _row("statut", word)
    assert (posting.is_open, posting.kind, posting.raw_status) == (is_open, kind, word or None)


def test_it_shows_no_posting_whose_status_it_does_not_know() -> None:
    data = b"id;title;status\n1;A;En relecture\n"
    reading = read_csv(data)
    assert not _only(reading).is_open
    assert [(n.line, n.code, n.value) for n in reading.notes] == [
        (2, "unknown-status", "En relecture")
    ]
    settings = FeedSettings(status_words={"en relecture": "open"})
    assert _only(read_csv(data, None, settings)).is_open


def test_it_leaves_a_bad_value_out_and_says_so() -> None:
    header = "id;title;pays;teletravail;salaire_min;salaire_max;date_publication"
    reading = read_csv(
        f"{header}\n1;A;Syldavie;bof;52 000;42 000;hier\n2;B;;;selon profil;;\n".encode()
    )
    assert [(note.line, note.code) for note in reading.notes] == [
        (2, "unknown-country"),
        (2, "unknown-workplace"),
        (2, "bad-salary"),
        (2, "bad-date"),
        (3, "bad-salary"),
    ]
    first = reading.postings[0].salary
    assert first is not None
    assert (first.minimum, first.maximum, first.raw) == (None, None, "52 000 – 42 000")
    assert reading.postings[0].published_at is None


@pytest.mark.parametrize(
    ("header", "cells", "salary"),
    [
        ("salaire", "selon profil", Salary(None, None, None, None, "selon profil")),
        ("salaire_min;devise;periode", "12,10;€;heure",
         Salary(Decimal("12.10"), None, "EUR", "hour", "12,10 – € heure")),
        ("salaire_max;devise", "50 k€;$",
         Salary(None, Decimal(50_000), None, None, "– 50 k€ $")),
        ("salaire_min;salaire_max", "0;0", Salary(None, None, None, None, "0 – 0")),
        ("devise", "EUR", None),
    ],
)  # fmt: skip
def test_it_reads_pay_and_invents_none(header: str, cells: str, salary: Salary | None) -> None:
    assert _row(header, cells).salary == salary


@pytest.mark.parametrize(
    ("cell", "html"),
    [
        ("Un & deux", "<p>Un &amp; deux</p>"),
        ("1 < 2 et 3 > 2", "<p>1 &lt; 2 et 3 &gt; 2</p>"),
        ("<p onclick=x>a</p><script>x</script>", "<p>a</p>"),
        ("&lt;p&gt;a&lt;/p&gt;", "<p>a</p>"),
        ("", ""),
    ],
)
def test_it_makes_safe_html_of_any_description(cell: str, html: str) -> None:
    data = f'id;title;description\n1;A;"{cell}"\n'.encode()
    assert _only(read_csv(data)).description_html == html


def test_it_prefers_the_language_that_is_written() -> None:
    assert _row("langue", "en-GB").language == "en"
    assert _row("langue;description", ";Vous serez dans une équipe").language == "fr"
