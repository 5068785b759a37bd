"""People from a CSV file: as HR tools write it, with the lines that are wrong named."""

from __future__ import annotations

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput
from app.people import queries, service
from app.people.models import Membership, Person
from app.people.people_csv import import_people

pytestmark = pytest.mark.usefixtures("inside")

FRENCH = """Matricule;Nom;Prénom;Courriel professionnel;Service;Établissement;Poste;Langue;Salaire
00123;KERJAN;Maëlle;Maelle.Kerjan@halvenne.example;Matière;Lorient;Cheffe d’atelier;Français;31000
00124;Rossignac;Théo;theo@halvenne.example;Taille;Grenoble;;Anglais;28000
"""
ENGLISH = (
    "name,email,employee_id,site\n"
    '"Lee, Ann",ann@halvenne.example,7,Brest\n'
    "Hugo Meynard,hugo@halvenne.example,8,Brest\n"
)


def by_email(email: str) -> Person:
    person = queries.person_by_email(email)
    assert person is not None
    return person


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Person))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_it_reads_what_french_tools_write(encoding, line_end):
    report = import_people(FRENCH.replace("\n", line_end).encode(encoding))
    assert (report.created, report.changed, report.faults) == (2, 0, [])
    assert report.ignored_columns == ["Salaire"]
    maelle, theo = by_email("maelle.kerjan@halvenne.example"), by_email("theo@halvenne.example")
    assert (maelle.name, maelle.employee_id) == ("Maëlle KERJAN", "00123")
    assert (maelle.department, maelle.site) == ("Matière", "Lorient")
    assert (maelle.language, theo.language) == ("fr", "en")
    assert (theo.job_title, theo.kind) == (None, "employee")


def test_it_reads_commas_and_tabs_and_words_in_quotes():
    assert import_people(ENGLISH.encode(), language="en").created == 2
    assert by_email("ann@halvenne.example").name == "Lee, Ann"
    assert by_email("ann@halvenne.example").language == "en"
    tabs = "Nom complet\tCourriel\nInès Duval\tines@halvenne.example\n"
    assert import_people(tabs.encode()).created == 1


def test_it_changes_nothing_the_second_time():
    import_people(FRENCH.encode())
    acts = db.session.scalar(select(func.count()).select_from(AuditEntry))
    report = import_people(FRENCH.encode())
    assert (report.created, report.changed, report.unchanged) == (0, 0, 2)
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == acts


def test_it_keeps_a_person_by_number_when_the_address_changes():
    import_people(FRENCH.encode())
    known = by_email("theo@halvenne.example").id
    report = import_people(FRENCH.replace("theo@", "theo.rossignac@").encode())
    assert (report.changed, report.unchanged) == (1, 1)
    db.session.expire_all()
    assert by_email("theo.rossignac@halvenne.example").id == known


def test_it_leaves_alone_what_the_file_does_not_hold(add):
    person = add("Théo Rossignac", site="Lorient", roles=["hr"], language="en", employee_id="1")
    report = import_people(
        b"Nom complet;Courriel;Matricule\nTheo Rossignac;theo@halvenne.example;\n"
    )
    assert report.changed == 1
    db.session.expire_all()
    kept = queries.person(person.id)
    assert (kept.name, kept.site, kept.language) == ("Theo Rossignac", "Lorient", "en")
    assert (kept.employee_id, kept.roles) == ("1", {"hr"})


def test_it_names_bad_lines_by_their_number_and_goes_on():
    text = (
        "Nom complet;Courriel;Matricule\n"
        "Inès Duval;ines@halvenne.example;1\n"
        ";sans.nom@halvenne.example;2\n"
        "\n"
        "Sans Adresse;;3\n"
        '"Deux\nLignes";deux@halvenne.example;4\n'
        "Même Numéro;meme@halvenne.example;1;trop;de;cases\n"
        "Inès Encore;meme@halvenne.example;9\n"
        "Trop Court\n"
        "Gaël Le Goff;gael@halvenne.example;5\n"
    )
    report = import_people(text.encode())
    assert [fault.line for fault in report.faults] == [3, 5, 9, 10]
    assert all(fault.sentence for fault in report.faults)
    assert report.created == 3
    assert by_email("gael@halvenne.example").employee_id == "5"
    assert by_email("deux@halvenne.example").name == "Deux Lignes"
    assert by_email("meme@halvenne.example").employee_id == "1"


def test_it_says_that_a_line_is_about_somebody_who_left(add):
    person = add("Théo Rossignac", employee_id="00124")
    service.depart(person.id)
    with force_locale("en"):
        report = import_people(FRENCH.encode())
    (fault,) = report.faults
    assert (fault.line, fault.sentence) == (3, "This person has left the organisation.")
    db.session.expire_all()
    assert queries.person(person.id).departed_at is not None


def test_it_makes_no_members_gives_no_roles_and_ends_no_access(add):
    add("Inès Duval", roles=["admin"], joined=True)
    text = "Nom complet;Courriel;Roles;Role\nThéo;theo@halvenne.example;admin;admin\n"
    report = import_people(text.encode())
    assert report.ignored_columns == ["Roles", "Role"]
    assert by_email("theo@halvenne.example").roles == frozenset()
    assert by_email("ines@halvenne.example").roles == {"admin", "member"}
    assert db.session.scalar(select(func.count()).select_from(Membership)) == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\xff\xfe\x00", b"Nom complet;Matricule\nx;1\n", b"Courriel\na@b.example\n",
     b"%PDF-1.7\n\x00\x01", b"a" * 200_000],
)  # fmt: skip
def test_it_refuses_a_file_without_a_usable_first_line(data):
    with pytest.raises(InvalidInput) as caught:
        import_people(data)
    assert list(caught.value.errors) == ["file"]
    assert count() == 0


def test_it_survives_bytes_that_make_no_sense():
    head = b"Nom complet;Courriel\n"
    report = import_people(
        head
        + b"In\xe8s;ines@halvenne.example\n"
        + b"\x00\x01\x02;\x00@\x00\n"
        + b"x" * 140_000
        + b";long@halvenne.example\n"
        + b"=cmd|'/c calc'!A1;formula@halvenne.example\n"
    )
    assert {f.line for f in report.faults} >= {3, 4}
    assert by_email("ines@halvenne.example").name == "Inès"


def test_it_takes_hundreds_in_batches():
    lines = "".join(f"Person {n};p{n}@halvenne.example;{n}\n" for n in range(450))
    report = import_people(f"Nom complet;Courriel;Matricule\n{lines}".encode())
    assert (report.created, report.faults) == (450, [])
    assert count() == 450
