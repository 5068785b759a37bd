"""People from files: as HR tools write them, with the lines that are wrong named, and undone."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from sqlalchemy import func, select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import directory, service, tallies
from app.people.directory import Profile
from app.people.models import Membership, Person
from app.people.transition_models import Placement
from app.privacy import purge
from app.provisioning.imports import queries, running, spool, states
from app.provisioning.imports import service as imports
from app.provisioning.imports.models import PeopleImportLine
from app.provisioning.imports.queries import ImportRow
from app.settings.models import Entity
from tests.conftest import House

FRENCH = """Matricule;Nom;Prénom;Courriel professionnel;Service;Établissement;Poste;Langue;Salaire
00123;KERJAN;Maëlle;Maelle.Kerjan@halvenne.example;Matière;Lorient;Cheffe d’atelier;Français;31000
00124;Rossignac;Théo;theo@halvenne.example;Taille;Grenoble;;Anglais;28000
"""
HEAD = "Nom complet;Courriel;Matricule\n"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PAUSE_SECONDS", (0.0, 0.0))


def take(data: str | bytes, tmp_path: Path, **more: Any) -> ImportRow:
    """The whole way of a file, at once."""
    file = tmp_path / f"people-{uuid.uuid4().hex}.csv"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return queries.get_import(imports.import_now(file, **more))


def counts(row: ImportRow) -> tuple[int, int, int, int]:
    return row.created_count, row.changed_count, row.same_count, row.refused_count


def faults(row: ImportRow) -> dict[int, str | None]:
    return {line.line: line.code for line in queries.all_refused(row)}


def by_email(email: str) -> Person:
    db.session.rollback()
    return db.session.scalars(
        select(Person).where(Person.email == email).execution_options(populate_existing=True)
    ).one()


def people() -> int:
    return db.session.scalar(select(func.count()).select_from(Person)) or 0


BOOKKEEPING = {
    "people_import", "people_import_line", "import_mapping", "audit_entry", "outbox_event",
    "outbox_delivery", "directory_cell", "directory_value",
}  # fmt: skip


def whole_base() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but those that tell of the import, and the sums of the counters."""
    db.session.rollback()
    found = {}
    for table in db.metadata.sorted_tables:
        if table.name not in BOOKKEEPING:
            rows = db.session.execute(select(table))
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    cells = db.metadata.tables["directory_cell"]
    keys = [cells.c[name] for name in tallies.FIELDS]
    sums = select(*keys, func.sum(cells.c.people)).group_by(*keys)
    found["values"] = [(field, *tallies.said(field)) for field in tallies.SAID]
    found["cells"] = sorted((tuple(row) for row in db.session.execute(sums) if row[-1]), key=repr)
    return found


# --- reading what HR tools write ----------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_it_reads_what_french_tools_write(
    app: Flask, tmp_path: Path, encoding: str, line_end: str
) -> None:
    row = take(FRENCH.replace("\n", line_end).encode(encoding), tmp_path)
    assert counts(row) == (2, 0, 0, 0)
    assert row.ignored_columns == ["Salaire"]
    maelle, theo = by_email("maelle.kerjan@halvenne.example"), by_email("theo@halvenne.example")
    assert (maelle.name, maelle.employee_id) == ("Maëlle KERJAN", "00123")
    assert (maelle.department, maelle.site) == ("Matière", "Lorient")
    assert (maelle.language, theo.language) == ("fr", "en")
    assert (theo.job_title, theo.kind) == (None, "employee")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_it_finds_the_separator_and_reads_words_in_quotes(
    app: Flask, tmp_path: Path, separator: str
) -> None:
    text = 'name,email,site\n"Lee, Ann; or\n""Annie"" | A.",ann@halvenne.example,Brest\n'
    head, _, rest = text.partition("\n")
    quoted, _, tail = rest.rpartition('",')
    data = head.replace(",", separator) + "\n" + quoted + '"' + ("," + tail).replace(",", separator)
    assert counts(take(data, tmp_path)) == (1, 0, 0, 0)
    assert by_email("ann@halvenne.example").name == 'Lee, Ann; or "Annie" | A.'


def test_it_obeys_the_separator_that_a_spreadsheet_names(app: Flask, tmp_path: Path) -> None:
    row = take("sep=;\nName;Email\nAnn, the first;ann@halvenne.example\n", tmp_path)
    assert counts(row) == (1, 0, 0, 0)


def test_it_reads_dates_entities_and_managers(app: Flask, tmp_path: Path) -> None:
    with transaction() as session:
        session.add(Entity(code="HLV-1", name="Halvenne SA"))
    text = (
        "Matricule;Nom complet;Courriel;Société;Type de contrat;Date d'entrée;Date de sortie;"
        "Responsable (matricule);Famille de métiers\n"
        "1;Ann Lee;ann@x.example;hlv-1;CDI;01/02/2020;31/12/9999;;Atelier\n"
        "2;Bob Roy;bob@x.example;HLV-1;CDD;2024-03-05 00:00:00;30.06.2031;3;Atelier\n"
        "3;Cid Sol;cid@x.example;HLV-1;CDI;5/4/2021;;1;Bureau\n"
        "4;Dan Tor;dan@x.example;HLV-1;CDI;5/4/2021;;999;Bureau\n"
    )
    row = take(text, tmp_path)
    assert (counts(row), faults(row)) == ((4, 0, 0, 0), {5: "manager-unknown"})
    ann, bob, cid = (by_email(f"{n}@x.example") for n in ("ann", "bob", "cid"))
    assert (ann.hired_on, ann.ends_on, ann.contract) == (dt.date(2020, 2, 1), None, "CDI")
    assert (bob.hired_on, bob.ends_on) == (dt.date(2024, 3, 5), dt.date(2031, 6, 30))
    assert (bob.manager_id, cid.manager_id, ann.manager_id) == (cid.id, ann.id, None)
    assert {p.entity_id for p in (ann, bob, cid)} == {db.session.scalar(select(Entity.id))}
    assert (ann.function, cid.function) == ("Atelier", "Bureau")
    assert db.session.scalar(select(func.count()).select_from(Placement)) == 0
    assert counts(take(text, tmp_path)) == (0, 0, 4, 0)


def workbook(rows: list[list[Any]], *, start: int = 0) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "dd/mm/yyyy"})
    page = book.add_worksheet()
    for at, row in enumerate(rows, start=start):
        page.write_row(at, 0, row)
    book.close()
    return out.getvalue()


def test_it_reads_workbooks_with_the_same_line_numbers(app: Flask, tmp_path: Path) -> None:
    rows = [
        ["Matricule", "Nom complet", "Courriel", "Date d'entrée", "Téléphone"],
        ["00123", "Maëlle Kerjan", "maelle@x.example", dt.datetime(2020, 2, 1), "+33 6"],
        [124, "Deux\nLignes", "deux@x.example", None, None],
        ["125", "=1+1", "formule@x.example", None, None],
        ["", "Sans Rien", "", None, None],
    ]
    row = take(workbook(rows, start=2), tmp_path)
    assert (counts(row), faults(row)) == ((3, 0, 0, 1), {7: "missing-address"})
    assert by_email("maelle@x.example").hired_on == dt.date(2020, 2, 1)
    assert by_email("deux@x.example").employee_id == "124"
    assert row.ignored_columns == ["Téléphone"]


def test_it_refuses_what_is_no_table_before_anything_is_written(app: Flask, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    import zipfile

    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (1024**3 + 1))
    for data in (
        b"", b"\n", b"\xff\xfe\x00", b"Nom complet;Service\nx;1\n", b"Courriel\na@b.example\n",
        b"%PDF-1.7\n\x00\x01", b"a" * 200_000, b"\xd0\xcf\x11\xe0rest", b"PK\x03\x04rest",
        bomb.getvalue(),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as caught:
            take(data, tmp_path)
        assert caught.value.errors
    assert people() == 0
    assert list(spool.folder().iterdir()) == []


def test_it_refuses_a_file_that_is_too_large(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 1_000)
    with pytest.raises(InvalidInput):
        take(HEAD + "x" * 1_000, tmp_path)
    monkeypatch.setattr(spool, "MOST_LINES", 3)
    with pytest.raises(InvalidInput):
        take(HEAD + "".join(f"P{n};p{n}@x.example;{n}\n" for n in range(4)), tmp_path)
    assert people() == 0


# --- lines that are wrong ----------------------------------------------------------------


def test_it_names_bad_lines_by_their_number_and_goes_on(app: Flask, tmp_path: Path) -> None:
    text = (
        HEAD + "Inès Duval;ines@halvenne.example;1\n"
        ";sans.nom@halvenne.example;2\n"
        "\n"
        "Sans Rien;;\n"
        '"Deux\nLignes";deux@halvenne.example;4\n'
        "Trop De Cases;trop@halvenne.example;11;trop;de;cases\n"
        "Inès Encore;ines.encore@halvenne.example;1\n"
        "Même Adresse;ines@halvenne.example;9\n"
        "Trop Court\n"
        '"Jamais fermé;jamais@halvenne.example;12\n'
        "Gaël Le Goff;gael@halvenne.example;5;;\n"
    )
    row = take(text, tmp_path)
    assert faults(row) == {
        3: "missing-name", 5: "missing-address", 8: "too-many-cells", 9: "twice", 10: "twice",
        11: "missing-address", 12: "quote-not-closed",
    }  # fmt: skip
    assert counts(row) == (3, 0, 0, 7)
    assert by_email("gael@halvenne.example").employee_id == "5"
    assert by_email("deux@halvenne.example").name == "Deux Lignes"


def test_it_refuses_a_line_of_a_megabyte_as_one_line(app: Flask, tmp_path: Path) -> None:
    text = (
        HEAD + "A Un;a@x.example;1\n" + "x" * 1_000_000 + ";b@x.example;2\n"
        '"' + "y" * 1_000_000 + '";c@x.example;3\n' + ";" * 500 + "z\n" + "D Quatre;d@x.example;4\n"
    )
    row = take(text, tmp_path)
    assert counts(row) == (2, 0, 0, 3)
    assert faults(row) == {3: "line-too-long", 4: "line-too-long", 5: "too-many-cells"}


def test_it_reads_a_file_of_five_hundred_columns(app: Flask, tmp_path: Path) -> None:
    more = [f"Libre {n}" for n in range(497)]
    text = ";".join(["Nom complet", "Courriel", "Matricule", *more]) + "\n"
    row = take(text + "A Un;a@x.example;1" + ";x" * 497 + "\n", tmp_path)
    assert counts(row) == (1, 0, 0, 0)
    assert len(row.ignored_columns) == 497


def test_it_takes_odd_letters_as_data(app: Flask, tmp_path: Path) -> None:
    row = take(
        HEAD + "Ine\u0300s\u200b Du\u202eval\ufeff;ines@x.example;\u200e7\n"
        "=cmd|'/c calc'!A1;=x@x.example;+8\n"
        "A\0B;nul@x.example;\0\n"
        "王 小明;wang@x.example;9\n",
        tmp_path,
    )
    assert counts(row) == (4, 0, 0, 0)
    assert by_email("ines@x.example").name == "Inès Duval"
    assert by_email("ines@x.example").employee_id == "7"
    assert by_email("=x@x.example").name == "=cmd|'/c calc'!A1"
    assert by_email("nul@x.example").name == "A B"


BROKEN = [
    ("missing-name", lambda n: f";b{n}@x.example;{n};;;;"),
    ("missing-address", lambda n: f"B {n};;;;;;"),
    ("bad-address", lambda n: f"B {n};b{n} at x;{n};;;;"),
    ("number-spoilt", lambda n: f"B {n};b{n}@x.example;1,2E+5;;;;"),
    ("too-long", lambda n: f"{'B' * 201};b{n}@x.example;{n};;;;"),
    ("bad-date", lambda n: f"B {n};b{n}@x.example;{n};31/02/2024;;;"),
    ("dates-crossed", lambda n: f"B {n};b{n}@x.example;{n};01/02/2034;01/01/2034;;"),
    ("ended", lambda n: f"B {n};b{n}@x.example;{n};;01/01/2001;;"),
    ("unknown-kind", lambda n: f"B {n};b{n}@x.example;{n};;;robot;"),
    ("unknown-language", lambda n: f"B {n};b{n}@x.example;{n};;;;klingon"),
    ("too-many-cells", lambda n: f"B {n};b{n}@x.example;{n};;;;;x"),
    ("quote-not-closed", lambda n: f'"B {n};b{n}@x.example;{n};;;;'),
    ("line-too-long", lambda n: f"{'B' * 70_000};b{n}@x.example;{n};;;;"),
    ("twice", lambda n: "Known 0;known0@x.example;k0;;;;"),
    ("address-taken", lambda n: f"B {n};staying@x.example;{n};;;;"),
    ("another-person", lambda n: f"Quite Other;other{n}@x.example;stay;;;;"),
    ("departed", lambda n: "Gone Away;gone@x.example;gone;;;;"),
]  # fmt: skip


def test_a_half_broken_file_tells_each_line_and_its_undoing_leaves_the_base_as_before(
    any_app: Flask, tmp_path: Path
) -> None:
    any_house = House(any_app)
    any_house.person(
        "Known 0", joined=False, email="old0@x.example", employee_id="k0", site="Brest"
    )
    any_house.person("Staying Here", email="staying@x.example", employee_id="stay")
    gone = any_house.person("Gone Away", joined=False, email="gone@x.example", employee_id="gone")
    any_house.person("Given Up", joined=False, email="free@x.example", employee_id="given")
    service.depart(gone.id)
    service.depart(by_email("free@x.example").id)
    outbox.drain()
    before = whole_base()
    lines, expected = [], {}
    head = "Nom complet;Courriel;Matricule;Date d'entrée;Date de sortie;Type;Langue"
    good = iter(range(10_000))
    lines.append("Known 0;known0@x.example;k0;;;;en")
    lines.append("New Comer;free@x.example;newcomer;;;;")
    for number, (code, broken) in enumerate(BROKEN * 90):
        n = 20_000 + number
        lines.append(broken(n))
        expected[len(lines) + 1] = code
        lines += [
            f"Good {n};good{n}@x.example;{n};01/02/2020;;;fr" for n in (next(good), next(good))
        ]
    row = take("\n".join([head, *lines]) + "\n", tmp_path)
    assert faults(row) == expected
    assert counts(row) == (len(BROKEN) * 180 + 1, 1, 0, len(BROKEN) * 90)
    assert people() == 4 + row.created_count
    assert tallies.count_everybody() == 2 + row.created_count
    assert by_email("free@x.example").name == "New Comer"
    imports.undo(row.id, None)
    running.carry(row.id)
    assert whole_base() == before
    undone = queries.get_import(row.id)
    assert (undone.state, undone.undone_count, undone.kept_count) == (
        states.UNDONE, row.created_count + 1, 0
    )  # fmt: skip


# --- who is who --------------------------------------------------------------------------


def test_it_changes_nothing_the_second_time(app: Flask, tmp_path: Path) -> None:
    take(FRENCH, tmp_path)
    before = whole_base()
    assert counts(take(FRENCH, tmp_path)) == (0, 0, 2, 0)
    assert whole_base() == before


def test_it_keeps_a_person_by_number_when_the_address_changes(app: Flask, tmp_path: Path) -> None:
    take(FRENCH, tmp_path)
    known = by_email("theo@halvenne.example").id
    row = take(FRENCH.replace("theo@", "theo.rossignac@"), tmp_path)
    assert counts(row) == (0, 1, 1, 0)
    assert by_email("theo.rossignac@halvenne.example").id == known


def test_it_leaves_alone_what_the_file_does_not_hold(house: House, tmp_path: Path) -> None:
    person = house.person(
        "Théo Rossignac", "hr", joined=False, site="Lorient", language="en", employee_id="1",
        email="theo@x.example",
    )  # fmt: skip
    row = take(HEAD + "Theo Rossignac;theo@x.example;\n", tmp_path)
    assert counts(row) == (0, 1, 0, 0)
    kept = by_email("theo@x.example")
    assert (kept.id, kept.name, kept.site, kept.language) == (
        person.id, "Theo Rossignac", "Lorient", "en"
    )  # fmt: skip
    assert (kept.employee_id, kept.roles) == ("1", {"hr"})


def test_people_may_pass_their_addresses_on_within_a_file(app: Flask, tmp_path: Path) -> None:
    take(HEAD + "Ann Lee;one@x.example;1\nAnn Roy;two@x.example;2\n", tmp_path)
    before = whole_base()
    swapped = take(HEAD + "Ann Roy;one@x.example;2\nAnn Lee;two@x.example;1\n", tmp_path)
    assert faults(swapped) == {2: "address-taken", 3: "address-taken"}
    moved = take(HEAD + "Ann Lee;three@x.example;1\nAnn Roy;one@x.example;2\n", tmp_path)
    assert counts(moved) == (0, 2, 0, 0)
    assert by_email("one@x.example").name == "Ann Roy"
    imports.undo(moved.id, None)
    running.carry(moved.id)
    assert whole_base() == before


def test_an_address_with_a_new_number_is_a_new_person(house: House, tmp_path: Path) -> None:
    old = house.person("Ann Lee", joined=False, email="ann@x.example", employee_id="1")
    service.depart(old.id)
    row = take(HEAD + "Ann Roy;ann@x.example;2\n", tmp_path)
    assert counts(row) == (1, 0, 0, 0)
    assert by_email("ann@x.example").id != old.id
    assert by_email(f"{old.id}@departed.invalid").name == "Ann Lee"


def test_the_same_number_in_another_entity_is_not_the_same_person(
    house: House, tmp_path: Path
) -> None:
    with transaction() as session:
        session.add_all([Entity(code="A", name="A"), Entity(code="B", name="B")])
    head = "Nom complet;Courriel;Matricule;Société\n"
    take(head + "Ann Lee;ann@x.example;7;A\n", tmp_path)
    row = take(head + "Ann Roy;roy@x.example;7;B\n", tmp_path)
    assert faults(row) == {2: "other-entity"}
    moved = take(head + "Ann Lee;ann@x.example;7;B\n", tmp_path)
    assert counts(moved) == (0, 1, 0, 0)
    assert faults(take(head + "Ann Lee;ann@x.example;7;C\n", tmp_path)) == {2: "unknown-entity"}


def test_it_writes_the_place_that_a_mover_leaves(app: Flask, tmp_path: Path) -> None:
    take("Nom;Courriel;Matricule;Service\nAnn;ann@x.example;1;Taille\n", tmp_path)
    before = whole_base()
    row = take("Nom;Courriel;Matricule;Service\nAnn;ann@x.example;1;Matière\n", tmp_path)
    placement = db.session.scalars(select(Placement)).one()
    assert (placement.department, by_email("ann@x.example").department) == ("Taille", "Matière")
    imports.undo(row.id, None)
    running.carry(row.id)
    assert whole_base() == before


def test_it_makes_entries_and_nothing_else(house: House, tmp_path: Path) -> None:
    house.person("Admin", "admin", email="admin@x.example")
    outbox.drain()
    before, mails = whole_base(), len([*app_folder(house.app).glob("mail/*.eml")])
    text = "".join(f"Person {n};p{n}@x.example;{n}\n" for n in range(1_000))
    row = take(HEAD + text, tmp_path)
    assert counts(row) == (1_000, 0, 0, 0)
    outbox.drain()
    after = whole_base()
    grown = {name for name in after if after[name] != before[name]}
    assert grown == {"person", "person_word", "imported_person", "cells"}
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1
    told = db.session.scalars(select(AuditEntry).where(AuditEntry.target_id == str(row.id))).all()
    assert {entry.action for entry in told} >= {"people.import_confirmed", "people.imported"}
    assert "Person" not in json.dumps([entry.details for entry in told])
    folder = app_folder(house.app)
    assert len([*folder.glob("mail/*.eml")]) == mails
    assert [*(folder / "imports").iterdir()] == []


def app_folder(app: Flask) -> Path:
    return Path(app.extensions["portevoix"].data_dir)


# --- columns -----------------------------------------------------------------------------


def test_it_never_reads_what_must_not_be_kept_of_people(app: Flask, tmp_path: Path) -> None:
    forbidden = [
        "Date de naissance", "N° de sécurité sociale", "IBAN", "Sexe", "Nationalité",
        "Situation familiale", "Photo", "Téléphone mobile", "Adresse", "Birth date", "Gender",
        "Phone", "Home address", "Salaire", "Civilité", "E-mail personnel", "Code postal",
    ]  # fmt: skip
    text = HEAD.strip() + ";" + ";".join(forbidden) + "\n"
    text += "Ann Lee;ann@x.example;1;" + ";".join(["MARKED"] * len(forbidden)) + "\n"
    row = take(text, tmp_path)
    assert row.ignored_columns == forbidden
    assert "MARKED" not in repr(whole_base())
    file = tmp_path / "again.csv"
    file.write_text(text)
    for title in forbidden:
        with pytest.raises(InvalidInput) as caught:
            imports.import_now(file, mapping={"site": title})
        assert list(caught.value.errors) == ["site"]


def test_it_remembers_the_columns_of_a_set_of_titles(app: Flask, tmp_path: Path) -> None:
    take("Qui;Courriel;Où\nAnn;ann@x.example;Brest\n", tmp_path,
         mapping={"name": "Qui", "site": "Où"})  # fmt: skip
    take("Où;Qui;Courriel\nLorient;Bob;bob@x.example\n", tmp_path)
    assert (by_email("bob@x.example").name, by_email("bob@x.example").site) == ("Bob", "Lorient")


def test_it_says_which_columns_are_missing_before_anything(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        take("Service;Poste\nx;y\n", tmp_path)
    assert list(caught.value.errors) == ["email", "name"]


# --- the dry run -------------------------------------------------------------------------


def test_the_dry_run_foresees_the_run_and_writes_nothing(house: House, tmp_path: Path) -> None:
    house.person("Known Person", joined=False, email="known@x.example", employee_id="k")
    house.person("Same Person", joined=False, email="same@x.example", employee_id="s")
    before = whole_base()
    text = (
        HEAD + "Known Changed;known@x.example;k\nSame Person;same@x.example;s\n"
        "New One;new@x.example;1\nNew One;new@x.example;1\nNew Two;new@x.example;2\nx;;\n"
    )
    dry = take(text, tmp_path, dry_run=True)
    assert dry.foreseen == {
        "created": 1, "changed": 1, "same": 1, "refused": 3, "absent": 0, "source": 0,
        "no_address": 0,
    }  # fmt: skip
    assert whole_base() == before
    (change,) = queries.list_lines(dry.id, "check", "changed")
    (field,) = change.changes
    assert (change.line, field.before, field.after) == (2, "Known Person", "Known Changed")
    done = take(text, tmp_path)
    assert counts(done) == (1, 1, 1, 3)
    told = {line.line: line.code for line in queries.list_lines(dry.id, "check", "refused")}
    assert told == faults(done)


# --- going on after a death, stopping ----------------------------------------------------


class Killed(BaseException):
    pass


def crowd(n: int) -> str:
    head = "Nom complet;Courriel;Matricule;Matricule responsable\n"
    return head + "".join(f"P {k};p{k}@x.example;{k};{k // 10}\n" for k in range(n))


def started(text: str, *, is_full: bool = False) -> uuid.UUID:
    """A file that was looked at and confirmed; nobody works on it yet."""
    import_id = imports.start_import(io.BytesIO(text.encode()), "people.csv", None)
    row = queries.get_import(import_id)
    imports.check(import_id, row.mapping, is_full=is_full, actor_id=None)
    running.carry(import_id)
    imports.confirm(import_id, None)
    return import_id


@pytest.mark.parametrize("seed", range(6))
def test_it_goes_on_after_a_death_without_doing_a_line_twice(
    app: Flask, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    import random

    monkeypatch.setattr(running, "BATCH", 50)
    dice = random.Random(seed)
    before = whole_base()
    import_id = started(crowd(430))
    real = running._report

    def report(*given: Any) -> None:
        real(*given)
        if dice.random() < 0.35:
            raise Killed

    def carried() -> None:
        for _ in range(200):
            try:
                running.carry(import_id)
                return
            except Killed:
                db.session.rollback()
        raise AssertionError("it never ended")

    monkeypatch.setattr(running, "_report", report)
    carried()
    row = queries.get_import(import_id)
    assert (row.state, counts(row), people()) == (states.DONE, (430, 0, 0, 0), 430)
    lines = db.session.execute(
        select(PeopleImportLine.outcome, func.count())
        .where(PeopleImportLine.phase == "run")
        .group_by(PeopleImportLine.outcome)
    )
    assert {row[0]: row[1] for row in lines} == {"created": 430, "managed": 429}
    said = running._say

    def say(*given: Any) -> None:
        said(*given)
        if dice.random() < 0.35:
            raise Killed

    monkeypatch.setattr(running, "_say", say)
    imports.undo(import_id, None)
    carried()
    assert whole_base() == before
    assert queries.get_import(import_id).undone_count == 430


def test_two_processes_on_one_import_do_each_line_once(any_app: Flask) -> None:
    import threading

    import_id = started(crowd(2_300))

    def work() -> None:
        with any_app.app_context():
            running.carry(import_id)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running.carry(import_id)
    row = queries.get_import(import_id)
    assert (row.state, counts(row), people()) == (states.DONE, (2_300, 0, 0, 0), 2_300)


def test_it_stops_where_somebody_stops_it_and_can_be_undone_from_there(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 50)
    before = whole_base()
    import_id = started(crowd(400))

    def tell(job: running.Job) -> None:
        if job.done == 150:
            imports.cancel(import_id, None)

    running.carry(import_id, tell)
    row = queries.get_import(import_id)
    assert (row.state, row.created_count, people()) == (states.CANCELLED, 150, 150)
    assert not spool.path_of(import_id).exists()
    imports.undo(import_id, None)
    running.carry(import_id)
    assert whole_base() == before


def test_only_one_import_writes_at_a_time(app: Flask) -> None:
    started(crowd(3))
    with pytest.raises(imports.ImportBusy):
        started(crowd(3))


# --- undoing -----------------------------------------------------------------------------


def test_it_does_not_undo_who_joined_or_changed_since(house: House, tmp_path: Path) -> None:
    text = HEAD + "".join(f"P {n};p{n}@x.example;{n}\n" for n in range(6))
    known = house.person("P 5", joined=False, email="p5@x.example", site="Brest")
    row = take(text, tmp_path)
    assert counts(row) == (5, 1, 0, 0)
    service.join(by_email("p1@x.example").id)
    changed = by_email("p2@x.example")
    directory.update_person(changed.id, Profile.of(changed).__class__(
        "employee", "Renamed", "p2@x.example", "2"))  # fmt: skip
    service.change_roles(by_email("p3@x.example").id, ["curator"])
    outbox.drain()
    imports.undo(row.id, None)
    running.carry(row.id)
    done = queries.get_import(row.id)
    assert (done.undone_count, done.kept_count) == (3, 3)
    kept = {line.name: line.undo for line in queries.not_undone(done)}
    assert kept == {"P 1": "since", "Renamed": "since", "P 3": "spoken-of"}
    assert by_email("p5@x.example").id == known.id
    assert by_email("p5@x.example").employee_id is None
    assert people() == 4


def test_undoing_ends_after_thirty_days_and_the_report_goes(app: Flask, tmp_path: Path) -> None:
    row = take(HEAD + "Ann;ann@x.example;1\nx;;\n", tmp_path)
    assert row.can_undo
    clock.shift(dt.timedelta(days=30, minutes=1)) if hasattr(clock, "shift") else clock.freeze(
        clock.now() + dt.timedelta(days=30, minutes=1)
    )
    with pytest.raises(imports.ImportMoved):
        imports.undo(row.id, None)
    assert purge.run("people-import-lines") == {"people-import-lines": 4}
    assert people() == 1


def test_files_go_after_a_day(app: Flask) -> None:
    import_id = imports.start_import(io.BytesIO(HEAD.encode() + b"Ann;a@x.example;1\n"), "x", None)
    assert spool.path_of(import_id).stat().st_mode & 0o077 == 0
    assert spool.folder().stat().st_mode & 0o077 == 0
    clock.freeze(clock.now() + dt.timedelta(hours=23))
    imports.forget_files()
    assert spool.path_of(import_id).exists()
    clock.freeze(clock.now() + dt.timedelta(hours=2))
    imports.forget_files()
    assert not spool.path_of(import_id).exists()
    assert queries.get_import(import_id).state == states.FAILED


# --- a full file -------------------------------------------------------------------------


def test_a_full_file_proposes_who_is_missing_and_ends_nothing_by_itself(
    house: House, tmp_path: Path
) -> None:
    admin = house.person("Admin", "admin", email="p0@x.example", employee_id="0")
    house.person("By Hand", email="hand@x.example")
    everybody = [f"P {n};p{n}@x.example;{n}\n" for n in range(1, 20)]
    take(HEAD + "Admin;p0@x.example;0\n" + "".join(everybody), tmp_path)
    row = take(HEAD + "".join(everybody[:-3]) + "P 17;not-an-address;17\n", tmp_path, is_full=True)
    assert (row.absent_count, row.source_count) == (2, 19)
    assert {line.name for line in queries.absent(row)} == {"P 18", "P 19"}
    assert all(p.departed_at is None for p in db.session.scalars(select(Person)))
    with pytest.raises(InvalidInput):
        imports.confirm_departures(row.id, None, is_sure=False, actor_id=admin.id)
    one = queries.absent(row)[0]
    assert imports.confirm_departures(row.id, [one.id], is_sure=False, actor_id=admin.id) == 1
    running.carry(row.id)
    assert by_email("p18@x.example").departed_at is not None
    assert by_email("p19@x.example").departed_at is None
    assert imports.confirm_departures(row.id, None, is_sure=True, actor_id=admin.id) == 1
    running.carry(row.id)
    done = queries.get_import(row.id)
    assert (done.state, done.departed_count) == (states.DONE, 2)
    assert by_email("hand@x.example").departed_at is None


def test_the_dry_run_of_a_full_file_counts_who_is_missing(app: Flask, tmp_path: Path) -> None:
    everybody = [f"P {n};p{n}@x.example;{n}\n" for n in range(10)]
    take(HEAD + "".join(everybody), tmp_path)
    dry = take(HEAD + "".join(everybody[:4]), tmp_path, is_full=True, dry_run=True)
    assert dry.foreseen is not None
    assert (dry.foreseen["absent"], dry.foreseen["source"]) == (6, 10)


# --- both databases, a slice of the long check -------------------------------------------


def test_it_brings_in_five_thousand_people_quickly(any_app: Flask, tmp_path: Path) -> None:
    from tests.provisioning.crowd import write_file

    file = tmp_path / "crowd.csv"
    write_file(file, 5_000, seed=1)
    import_id = imports.import_now(file)
    row = queries.get_import(import_id)
    assert (row.created_count, row.refused_count) == (5_000, 0)
    assert tallies.count_everybody() == 5_000
    assert tallies.reconcile_cells() == 0
    assert tallies.reconcile_words() == 0
    assert counts(queries.get_import(imports.import_now(file))) == (0, 0, 5_000, 0)
