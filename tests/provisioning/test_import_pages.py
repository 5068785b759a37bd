"""The administrators' pages of imports, and the command that does the same."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app import clock, outbox
from app.audit.models import AuditEntry
from app.cli import main
from app.db import db
from app.people import service
from app.people.models import Person
from app.provisioning.imports import columns, queries, running, spool
from tests.conftest import House

LIST = "/studio/people/imports"
TEXT = (
    "Matricule;Nom complet;Courriel;Service;Date de naissance;Hobby\n"
    "1;Ann Lee;ann@x.example;Taille;01/01/1980;MARKED\n"
    "2;Bob Roy;bob@x.example;Taille;01/01/1981;MARKED\n"
    "3;Cid Sol;=bad address;Taille;01/01/1982;MARKED\n"
)


@pytest.fixture
def admin(house: House) -> FlaskClient:
    person = house.person("Ada Min", "admin", email="ada@x.example")
    service.set_language(person.id, "en")
    return house.browser(person)


def upload(client: FlaskClient, data: str | bytes = TEXT, name: str = "people.csv") -> Any:
    raw = data.encode() if isinstance(data, str) else data
    return client.post(LIST, data={"file": (io.BytesIO(raw), name)})


def chosen(**more: str) -> dict[str, str]:
    fields = {"employee_id": "Matricule", "name": "Nom complet", "email": "Courriel",
              "department": "Service"}  # fmt: skip
    return {f"column-{name}": title for name, title in (fields | more).items()}


def test_a_file_is_chosen_mapped_looked_at_confirmed_and_undone(
    house: House, admin: FlaskClient
) -> None:
    assert b"No import yet" in admin.get(LIST).data
    page = upload(admin).location
    mapping = admin.get(page).get_data(as_text=True)
    assert "must not be kept of people:</b> Date de naissance" in mapping
    assert "chosen now:</b> Hobby" in mapping
    assert '<option value="Courriel" selected>' in mapping
    assert "MARKED" not in mapping and "1980" not in mapping
    assert '<option value="Date de naissance"' not in mapping
    assert admin.post(f"{page}/checks", data=chosen()).location == page
    running_page = admin.get(page).get_data(as_text=True)
    assert 'hx-trigger="every 2s"' in running_page and "Go on with it" not in running_page
    outbox.drain()
    checked = admin.get(page).get_data(as_text=True)
    assert "2 new entries" in checked and "1 line refused" in checked
    assert "This is no mail address" in checked and "Ann Lee" in checked
    assert "Columns left out:</b> Date de naissance, Hobby" in checked
    assert names() == {"Ada Min"}
    assert admin.post(f"{page}/confirmation").location == page
    outbox.drain()
    assert names() == {"Ada Min", "Ann Lee", "Bob Roy"}
    report = admin.get(page).get_data(as_text=True)
    assert "2 new entries" in report and "Undo this import" in report
    history = admin.get(LIST).get_data(as_text=True)
    assert "people.csv" in history and "Ada Min" in history
    admin.post(f"{page}/undoing")
    outbox.drain()
    assert "2 entries are as they were before." in admin.get(page).get_data(as_text=True)
    assert names() == {"Ada Min"}


def names() -> set[str]:
    db.session.rollback()
    return {*db.session.scalars(select(Person.name))}


def test_a_column_about_what_must_not_be_kept_is_refused(admin: FlaskClient) -> None:
    page = upload(admin).location
    answer = admin.post(f"{page}/checks", data=chosen(site="Date de naissance"))
    assert answer.status_code == 422
    assert "It is never read" in answer.get_data(as_text=True)
    answer = admin.post(f"{page}/checks", data=chosen(email="", employee_id=""))
    assert answer.status_code == 422
    assert "Say which column holds the name" in answer.get_data(as_text=True)


def test_a_file_that_is_no_table_is_told_at_once(admin: FlaskClient) -> None:
    for data in (b"%PDF-1.7", b"", b"\n\n"):
        answer = upload(admin, data)
        assert answer.status_code == 422
        assert "field-error" in answer.get_data(as_text=True)
    assert admin.post(LIST, data={}).status_code == 422


def test_the_refused_lines_come_as_data_in_both_kinds_of_file(admin: FlaskClient) -> None:
    page = upload(admin).location
    admin.post(f"{page}/checks", data=chosen())
    outbox.drain()
    text = admin.get(f"{page}/refused.csv").get_data(as_text=True)
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
    assert rows[1] == [
        "4", "Courriel", "'=bad address", "This is no mail address such as name@company.org.",
    ]  # fmt: skip
    raw = admin.get(f"{page}/refused.xlsx").data
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
    assert sheet[1] == [4.0, *rows[1][1:]]
    taken = select(AuditEntry.target_id).where(AuditEntry.action == "people.refused_exported")
    assert db.session.scalars(taken).all() == [page.rsplit("/", 1)[1]] * 2
    service.set_language(db.session.scalars(select(Person.id)).one(), "fr")
    french = admin.get(f"{page}/refused.csv").get_data(as_text=True)
    assert french.splitlines()[1].startswith("4;Courriel;'=bad address;")


def test_a_long_file_is_taken_from_an_administrator_alone(
    house: House, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.app.config["MAX_CONTENT_LENGTH"] = 100_000
    try:
        long = TEXT + "".join(f"{n};P {n};p{n}@x.example;Taille;;\n" for n in range(10, 5_000))
        assert upload(admin, long).status_code == 303
        member = house.browser(house.person("Mem Ber", email="m@x.example"))
        assert upload(member, long).status_code == 403
        assert upload(house.app.test_client(), long).status_code in (302, 303, 401, 413)
        assert admin.post("/studio/people", data={"name": "x" * 200_000}).status_code == 413
        monkeypatch.setattr(spool, "MOST_BYTES", 50_000)
        monkeypatch.setattr("app.provisioning.imports.views._FORM_BYTES", 0)
        assert upload(admin, long).status_code == 413
    finally:
        house.app.config["MAX_CONTENT_LENGTH"] = 26 * 1024 * 1024


def test_nobody_but_an_administrator_comes_near(house: House, admin: FlaskClient) -> None:
    page = upload(admin).location
    roles = ["hr", "lead", "auditor", "recruiter", "curator"]
    other = house.browser(house.person("Oth Er", *roles, email="o@x.example"))
    for path in (LIST, f"{LIST}/new", page, f"{page}/refused.csv", f"{page}/refused.xlsx"):
        assert other.get(path).status_code == 403
    for act in ("checks", "columns", "confirmation", "cancellation", "resumption", "undoing",
                "departures"):  # fmt: skip
        assert other.post(f"{page}/{act}").status_code == 403
        assert admin.post(f"{LIST}/{'0' * 8}-0000-7000-8000-{'0' * 12}/{act}").status_code in (
            404, 422,
        )  # fmt: skip


def test_acts_that_come_too_late_change_nothing(admin: FlaskClient) -> None:
    page = upload(admin).location
    for act in ("confirmation", "undoing", "resumption", "departures"):
        assert admin.post(f"{page}/{act}", data={"who": "all"}).status_code == 409
    admin.post(f"{page}/cancellation")
    for act in ("checks", "columns", "confirmation", "undoing"):
        assert admin.post(f"{page}/{act}", data=chosen()).status_code == 409
    assert names() == {"Ada Min"}


def test_an_import_that_nobody_carries_can_be_asked_to_go_on(admin: FlaskClient) -> None:
    from app.outbox.models import OutboxDelivery
    from app.outbox.service import tell

    page = upload(admin).location
    admin.post(f"{page}/checks", data=chosen())
    tell()
    for delivery in db.session.scalars(select(OutboxDelivery)):
        delivery.state = "done"
    db.session.connection().commit()
    assert "Go on with it" in admin.get(page).get_data(as_text=True)
    assert admin.post(f"{page}/resumption").status_code == 303
    outbox.drain()
    assert "What importing will do" in admin.get(page).get_data(as_text=True)


def test_departures_are_confirmed_on_the_page(house: House, admin: FlaskClient) -> None:
    for text in (TEXT, "\n".join(TEXT.splitlines()[:2]) + "\n"):
        page = upload(admin, text).location
        admin.post(f"{page}/checks", data=chosen() | {"full": "1"})
        outbox.drain()
        admin.post(f"{page}/confirmation")
        outbox.drain()
    listed = admin.get(f"{page}?show=absent").get_data(as_text=True)
    ticks = listed[listed.index('name="line"') :]
    assert "Bob Roy" in ticks and "Ann Lee" not in ticks and "Ada Min" not in ticks
    unsure = admin.post(f"{page}/departures", data={"who": "all"})
    assert unsure.status_code == 422 and "Confirm it twice" in unsure.get_data(as_text=True)
    admin.post(f"{page}/departures", data={"who": "all", "sure": "1"})
    outbox.drain()
    gone = db.session.scalars(select(Person.name).where(Person.departed_at.is_not(None))).all()
    assert gone == ["Bob Roy"]
    assert "1 departure confirmed" in admin.get(page).get_data(as_text=True)


def test_each_page_asks_little(
    admin: FlaskClient, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    lines = [f"{n};P {n};p{n}@x.example;Taille;;" for n in range(60)]
    lines += [f"{n};P {n};none;Taille;;" for n in range(100, 230)]
    page = upload(admin, TEXT + "\n".join(lines)).location
    budgets = [(LIST, 7), (f"{LIST}/new", 4), (page, 5)]
    admin.post(f"{page}/checks", data=chosen())
    budgets.append((page, 5))
    for path, most in budgets[:3]:
        assert count_queries(lambda path=path: admin.get(path)) <= most, path
    outbox.drain()
    assert count_queries(lambda: admin.get(page)) <= 13
    admin.post(f"{page}/confirmation")
    outbox.drain()
    assert count_queries(lambda: admin.get(page)) <= 7
    first = admin.get(page).get_data(as_text=True)
    assert first.count('scope="row"') == queries.LINES
    assert "after=" in first


def test_the_list_is_narrowed_and_read_both_ways(house: House, admin: FlaskClient) -> None:
    for number in range(3):
        upload(admin, name=f"people-{number}.csv")
    admin.post(f"{upload(admin, name='gone.csv').location}/cancellation")

    def shown(query: str) -> list[str]:
        page = admin.get(f"{LIST}?{query}").get_data(as_text=True)
        return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)

    assert shown("state=open") == ["people-2.csv", "people-1.csv", "people-0.csv"]
    assert shown("state=over") == ["gone.csv"]
    assert shown("state=failed") == []
    assert shown("q=PEOPLE+1") == ["people-1.csv"]
    assert len(shown("state=nonsense")) == 4
    first = queries.list_imports(limit=3)
    last = queries.list_imports(after=first.next, limit=3)
    assert [row.origin for row in last.rows] == ["people-0.csv"]
    assert (first.previous, last.next) == (None, None)
    assert queries.list_imports(before=last.previous, limit=3) == first
    assert admin.get(f"{LIST}?after=zzz").status_code == 422


def test_every_word_of_an_import_is_there() -> None:
    """Codes that are written somewhere have a sentence."""
    from app.provisioning.imports import words

    source = "".join(f.read_text() for f in Path(running.__file__).parent.glob("*.py"))
    written = {*re.findall(r'Fault\([^,()]+, "([a-z-]+)"', source)}
    assert written and written <= {*words.REASONS}
    assert {*re.findall(r'Unusable\("([a-z-]+)"\)', source)} <= {*words.FAULTS}
    assert {*words.FIELDS} == {*columns.FIELDS}


# --- the console -------------------------------------------------------------------------


@pytest.fixture
def console(tmp_path: Path, template: Path) -> Iterator[Callable[..., Result]]:
    shutil.copy(template, tmp_path / "portevoix.db")
    env = {
        "PORTEVOIX_DATA_DIR": str(tmp_path), "PORTEVOIX_ENV": "test", "PORTEVOIX_LOCALE": "en",
        "PORTEVOIX_SECRET_KEY": "a-key-for-tests-only-0123456789",
    }  # fmt: skip
    yield lambda *words: CliRunner().invoke(main, ["people", "import", *words], env=env)
    clock.release()


def test_the_console_does_the_same_with_its_exit_statuses(
    console: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(TEXT)
    dry = console(str(file), "--dry-run", "--json")
    assert dry.stdout, (dry.exit_code, dry.stderr)
    told = json.loads(dry.stdout)
    assert (dry.exit_code, told["created"], told["refused"]) == (1, 2, 1)
    assert told["refused_lines"][0]["line"] == 4
    assert told["refused_lines"][0]["code"] == "bad-address"
    assert told["ignored_columns"] == ["Date de naissance", "Hobby"]
    done = console(str(file))
    assert (done.exit_code, done.stdout) == (1, "2 added, 0 changed, 0 unchanged, 1 refused\n")
    assert "line 4, Courriel: " in done.stderr
    file.write_text("\n".join(TEXT.splitlines()[:3]) + "\n")
    again = console(str(file), "--full")
    assert again.exit_code == 0
    assert again.stdout.startswith("0 added, 0 changed, 2 unchanged, 0 refused\n0 people")
    mapped = console(str(file), "--mapping", "site=Hobby", "--json")
    assert (mapped.exit_code, json.loads(mapped.stdout)["changed"]) == (0, 2)
    for words in (
        ["--mapping", "site=Date de naissance"], ["--mapping", "shoe=Hobby"],
        ["--mapping", "site=Nowhere"],
    ):  # fmt: skip
        assert console(str(file), *words).exit_code == 2
    file.write_text("not a list\n")
    refused = console(str(file))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr
    assert console(str(tmp_path / "none.csv")).exit_code == 2
