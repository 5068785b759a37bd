"""Imports: what a file changes, and all the ways in which one goes wrong."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput
from app.integrations.csv_feed import sniff
from app.outbox.models import Lease
from app.referrals import (
    connections,
    fetching,
    import_forecast,
    import_run,
    import_words,
    imports,
    offers,
)
from app.referrals.import_forecast import Forecast
from app.referrals.models import Offer, OfferImport, OfferImportLine
from tests.referrals import offers_kit as kit


@pytest.fixture(autouse=True)
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    with kit.house(tmp_path, template) as app:
        yield app


def now(data: bytes, source: str = "greenhouse") -> imports.ImportReport:
    return imports.import_now(source, data=data, origin="file")


def counts(report: imports.ImportReport) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, refused, closed."""
    return (
        report.created, report.updated, report.unchanged, report.refused, report.closed,
    )  # fmt: skip


def statuses() -> dict[str | None, str]:
    return {external_id: offer.status for external_id, offer in kit.offers_by_id().items()}


def lines(report: imports.ImportReport, outcome: str) -> list[tuple[str | None, str | None]]:
    return [(line.value, line.code) for line in imports.list_lines(report.id, outcome)]


# --- a file that is as it should be ---------------------------------------------------------


def test_it_makes_the_offers_that_the_sample_board_describes() -> None:
    report = now(kit.GREENHOUSE)
    expected = json.loads((kit.SAMPLES / "greenhouse" / "jobs.expected.json").read_text())
    found = kit.offers_by_id()
    assert set(found) == {job["external_id"] for job in expected["jobs"]}
    for job in expected["jobs"]:
        offer = found[job["external_id"]]
        assert (offer.title, offer.language, offer.status) == (
            job["title"],
            job["language"],
            "open",
        )
        assert offer.location == ", ".join(job["locations"])
        assert offer.country_codes == job["country_codes"]
        assert (offer.department or None) == job["department"]
        # The sample tells of a contract for this one that stands nowhere in its feed.
        if job["external_id"] != "4011005":
            assert (offer.contract or None) == job["employment_type"]
        assert (offer.remote, offer.apply_url) == (job["workplace"], job["apply_url"])
    assert counts(report) == (7, 0, 0, 1, 0)
    assert [(line.line, line.code) for line in report.refused_lines] == [(1, "duplicate-id")]
    assert len(kit.facts("offer.opened")) == 7


def test_it_names_the_job_of_webhooks_beside_the_post_of_the_feed() -> None:
    now(kit.board(1))
    assert kit.offers_by_id()["1"].external_job_id == "1001"


def test_it_keeps_an_open_pool_open() -> None:
    now(kit.board(1, internal_job_id=None))
    assert statuses() == {"1": "open"}


def test_it_changes_nothing_when_the_same_file_comes_twice() -> None:
    now(kit.GREENHOUSE)
    before = {key: offer.updated_at for key, offer in kit.offers_by_id().items()}
    clock.travel(dt.timedelta(hours=1))
    report = now(kit.GREENHOUSE)
    assert counts(report) == (0, 0, 7, 1, 0)
    assert {key: offer.updated_at for key, offer in kit.offers_by_id().items()} == before
    assert len(kit.facts("offer.opened")) == 7


def test_it_changes_an_offer_whose_text_changed_and_leaves_its_address() -> None:
    now(kit.board(1, 2))
    slug = kit.offers_by_id()["1"].slug
    changed = json.dumps({"jobs": [kit.job(1, title="Charpentière"), kit.job(2)]}).encode()
    assert counts(now(changed)) == (0, 1, 1, 0, 0)
    offer = kit.offers_by_id()["1"]
    assert (offer.title, offer.slug) == ("Charpentière", slug)


def test_it_reads_the_french_sheet_and_keeps_what_is_filled_as_closed() -> None:
    report = now(kit.FRENCH_CSV, "csv")
    assert counts(report) == (8, 0, 0, 0, 0)
    found = kit.offers_by_id()
    assert (found["SB6"].status, found["SB6"].closed_reason) == ("closed", "source")
    assert (found["SB0"].salary_min, found["SB0"].salary_currency) == (42_000, "EUR")
    assert len(kit.facts("offer.opened")) == 7
    assert counts(now(kit.FRENCH_CSV, "csv")) == (0, 0, 8, 0, 0)


def test_it_never_rounds_a_wage_that_has_cents() -> None:
    now(kit.FRENCH_CSV, "csv")
    wage = kit.offers_by_id()["SB2"]
    assert (wage.salary_min, wage.salary_max) == (None, None)
    assert "12,10" in wage.salary_text


def test_it_closes_what_the_file_no_longer_holds_and_opens_what_comes_back() -> None:
    now(kit.board(1, 2, 3))
    report = now(kit.board(1, 2))
    assert counts(report) == (0, 0, 2, 0, 1)
    assert lines(report, "closed") == [("3", "absent")]
    assert statuses() == {"1": "open", "2": "open", "3": "closed"}
    assert len(kit.facts("offer.closed")) == 1
    assert counts(now(kit.board(1, 2, 3))) == (0, 1, 2, 0, 0)
    assert statuses()["3"] == "open"


def test_it_leaves_an_offer_closed_that_a_person_closed() -> None:
    now(kit.board(1, 2))
    offers.close_offer(kit.offers_by_id()["1"].id, None)
    report = now(kit.board(1, 2))
    assert statuses()["1"] == "closed"
    assert ("1", "closed-by-person") in lines(report, "unchanged")


def test_it_closes_a_row_that_the_file_calls_filled() -> None:
    now(kit.sheet("A;Charpentier;Lorient;Publiée", "B;Menuisière;Brest;Publiée"), "csv")
    report = now(kit.sheet("A;Charpentier;Lorient;Pourvue", "B;Menuisière;Brest;Publiée"), "csv")
    assert counts(report) == (0, 0, 1, 0, 1)
    assert lines(report, "closed") == [("A", "closed-at-source")]
    assert kit.facts("offer.closed")[0]["reason"] == "source"


def test_it_touches_no_offer_of_another_source() -> None:
    by_hand = offers.create_offer({"title": "À la main"}, None)
    other = connections.create_connection(kind="greenhouse", name="Autre", actor_id=None)
    imports.import_now(str(other.id), data=kit.board(1, 2), origin="x")
    default = connections.default_connection("greenhouse")
    assert default.id == other.id
    second = connections.create_connection(kind="greenhouse", name="Seconde", actor_id=None)
    imports.import_now(str(second.id), data=kit.board(7), origin="x")
    assert db.session.scalar(select(func.count()).select_from(Offer)) == 4
    assert db.session.get(Offer, by_hand.id).status == "open"
    assert statuses()["1"] == "open"


def test_it_cuts_to_length_what_the_table_cannot_hold_and_refuses_a_long_reference() -> None:
    long = kit.sheet(f"{'A' * 121};Charpentier;Lorient;", f"B;Menuisière;{'Brest ' * 80};")
    report = now(long, "csv")
    assert counts(report) == (1, 0, 0, 1, 0)
    assert [line.code for line in report.refused_lines] == ["id-too-long"]
    assert len(kit.offers_by_id()["B"].location) <= 300


def test_it_tells_the_line_the_value_and_the_reason_of_each_refused_row() -> None:
    report = now(
        kit.sheet("A;Charpentier;Lorient;", ";Sans référence;Brest;", "C;;Vannes;", "A;Encore;;"),
        "csv",
    )
    told = [(line.line, line.value, str(line.reason)) for line in report.refused_lines]
    assert [(line, value) for line, value, _reason in told] == [
        (2, "A"), (3, "Sans référence"), (4, "C"),
    ]  # fmt: skip
    assert all(reason.endswith(".") for *_told, reason in told)


def test_it_reports_a_value_that_it_left_out() -> None:
    file = kit.sheet("A;Charpentier;31/02/2026", header="reference;intitule;date_publication")
    report = now(file, "csv")
    assert report.created == 1
    assert lines(report, "note") == [("31/02/2026", "bad-date")]


def test_it_takes_a_sheet_with_a_mark_and_windows_letters() -> None:
    rows = kit.sheet("A;Chargée d’études;Saint-Égrève;")
    assert now(b"\xef\xbb\xbf" + rows, "csv").created == 1
    again = rows.decode().replace("\n", "\r\n").encode("cp1252")
    assert counts(now(again, "csv")) == (0, 0, 1, 0, 0)
    assert kit.offers_by_id()["A"].location == "Saint-Égrève"


def test_it_has_words_for_every_column_and_every_code() -> None:
    header = ";".join(import_words.FIELDS)
    assert set(import_words.FIELDS) >= set(sniff(kit.sheet("A;B", header=header)).mapping)
    assert "external_id" in import_words.FIELDS
    assert str(import_words.fault("missing-column", "title")) == (
        "No column holds the field “Title”. Say which one does."
    )


# --- files that are not ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "suspicious"),
    [
        (b"", "empty", "empty"),
        (kit.board(1, 2, 3)[:-40], "truncated", "truncated"),
        (b"<!doctype html><title>Sign in</title>", "html", "html"),
        (b'{"error": "no such board"}', "wrong-shape", None),
        (b"\xff\xfe\x00", "not-utf8", None),
        (b"[1, 2", "truncated", "truncated"),
        (b'{"jobs": NaN}', "not-json", None),
    ],
)
def test_it_closes_nothing_when_the_file_cannot_be_read(
    data: bytes, code: str, suspicious: str | None
) -> None:
    now(kit.board(1, 2, 3))
    report = now(data)
    assert (report.ok, report.error, report.suspicious) == (False, code, suspicious)
    assert (report.state, str(report.error_sentence)[-1]) == ("failed", ".")
    assert set(statuses().values()) == {"open"}


def test_it_refuses_a_file_above_25_megabytes() -> None:
    report = now(b" " * (25 * 1024 * 1024 + 1))
    assert (report.error, report.ok) == ("too-large", False)
    with pytest.raises(InvalidInput) as caught:
        imports.start_import("csv", b"x" * (25 * 1024 * 1024 + 1), "huge.csv", None)
    assert set(caught.value.errors) == {"file"}


def test_it_names_the_column_that_is_missing() -> None:
    report = now(b"ville;contrat\nLorient;CDI\n", "csv")
    assert report.error == "missing-column"
    assert "Reference" in str(report.error_sentence)


def test_it_keeps_everything_open_when_the_list_is_empty() -> None:
    now(kit.board(1, 2))
    report = now(kit.board())
    assert (report.ok, report.suspicious, report.closed, report.kept) == (True, "empty", 0, 2)
    assert set(statuses().values()) == {"open"}


def test_it_keeps_everything_open_when_more_than_half_is_gone() -> None:
    now(kit.board(1, 2, 3, 4))
    assert now(kit.board(1, 2)).closed == 2
    now(kit.board(1, 2, 3, 4))
    report = now(kit.board(1))
    assert (report.suspicious, report.closed, report.kept) == ("shrunk", 0, 3)
    assert set(statuses().values()) == {"open"}


def test_it_keeps_everything_open_when_rows_are_announced_and_missing() -> None:
    now(kit.board(1, 2, 3))
    short = json.dumps({"jobs": [kit.job(1), kit.job(2)], "meta": {"total": 3}}).encode()
    report = now(short)
    assert (report.suspicious, report.closed, report.kept) == ("truncated", 0, 1)


def test_it_keeps_everything_open_when_a_row_has_no_reference() -> None:
    now(kit.sheet("A;Un;Lorient;", "B;Deux;Brest;", "C;Trois;Vannes;"), "csv")
    report = now(kit.sheet("A;Un;Lorient;", "B;Deux;Brest;", ";Trois;Vannes;"), "csv")
    assert (report.suspicious, report.closed, report.kept) == ("incomplete", 0, 1)


def test_it_does_not_call_a_refused_row_absent() -> None:
    now(kit.board(1, 2))
    broken = json.dumps({"jobs": [kit.job(1), kit.job(2, title="")]}).encode()
    report = now(broken)
    assert (report.refused, report.closed) == (1, 0)
    assert statuses()["2"] == "open"


def test_it_believes_the_third_equal_odd_file() -> None:
    now(kit.board(1, 2, 3, 4))
    assert now(kit.board(1)).closed == 0
    assert now(kit.board(1)).closed == 0
    report = now(kit.board(1))
    assert (report.suspicious, report.closed) == (None, 3)
    assert len(kit.facts("offer.closed")) == 3


def test_it_starts_counting_again_when_an_odd_file_differs() -> None:
    now(kit.board(1, 2, 3, 4, 5))
    now(kit.board(1))
    now(kit.board(2))
    assert now(kit.board(1)).closed == 0
    now(b"<html>")
    assert now(kit.board(1)).closed == 0
    assert set(statuses().values()) == {"open"}


def test_it_closes_what_was_missing_on_a_persons_word() -> None:
    me = kit.somebody()
    now(kit.board(1, 2, 3, 4))
    report = now(kit.board(1))
    assert imports.close_missing(report.id, me) == 3
    again = imports.report(report.id)
    assert (again.closed, again.kept, again.suspicious) == (3, 0, None)
    assert statuses() == {"1": "open", "2": "closed", "3": "closed", "4": "closed"}


def test_it_closes_nothing_on_the_word_about_an_older_file() -> None:
    now(kit.board(1, 2, 3, 4))
    old = now(kit.board(1))
    now(kit.board(1, 2, 3, 4))
    with pytest.raises(imports.ImportNotOpen):
        imports.close_missing(old.id, None)
    assert set(statuses().values()) == {"open"}


# --- look first, then confirm ---------------------------------------------------------------


def test_it_shows_the_rows_before_anything_changes() -> None:
    import_id = imports.start_import("csv", kit.FRENCH_CSV, "jobs_fr.csv", None)
    preview = imports.preview(import_id)
    assert preview.mapping["title"] == "intitule"
    assert [posting.external_id for posting in preview.rows][:2] == ["SB0", "SB1"]
    assert preview.ignored == ("code_postal",)
    assert preview.missing == ()
    assert kit.offers_by_id() == {}


def test_it_reads_the_rows_with_the_columns_that_were_chosen() -> None:
    file = b"numero;metier;lieu_dit\n7;Charpentier;Lorient\n"
    import_id = imports.start_import("csv", file, "a.csv", None)
    assert set(imports.preview(import_id).missing) == {"external_id", "title"}
    chosen = {"external_id": "numero", "title": "metier", "location": "lieu_dit", "status": "gone"}
    assert imports.preview(import_id, chosen).rows[0].locations == ("Lorient",)
    with pytest.raises(InvalidInput) as caught:
        imports.confirm(import_id, {"title": "metier"}, None)
    assert set(caught.value.errors) == {"external_id"}
    imports.confirm(import_id, chosen, None)
    outbox.drain()
    assert kit.offers_by_id()["7"].location == "Lorient"


def test_it_never_reads_a_column_about_persons() -> None:
    file = b"reference;intitule;date_naissance\nA;Charpentier;1980\n"
    import_id = imports.start_import("csv", file, "a.csv", None)
    preview = imports.preview(import_id)
    assert preview.forbidden == ("date_naissance",)
    assert all("1980" not in row for row in preview.sample)
    with pytest.raises(InvalidInput) as caught:
        imports.confirm(import_id, {**preview.mapping, "location": "date_naissance"}, None)
    assert set(caught.value.errors) == {"location"}


def test_it_shows_the_beginning_of_a_long_file() -> None:
    rows = [f"R{n};Métier {n};Lorient;{'texte ' * 60}" for n in range(2_000)]
    file = kit.sheet(*rows, header="reference;intitule;ville;description")
    assert len(file) > 500_000
    import_id = imports.start_import("csv", file, "long.csv", None)
    preview = imports.preview(import_id)
    assert [posting.external_id for posting in preview.rows] == [f"R{n}" for n in range(10)]
    assert preview.import_row.total == 2_000


@pytest.mark.parametrize("kind", ["greenhouse", "csv"])
@pytest.mark.parametrize("data", [b"", b"<html><body>Sign in</body></html>"])
def test_it_takes_no_unreadable_file_from_a_person(kind: str, data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        imports.start_import(kind, data, "a", None)
    assert set(caught.value.errors) == {"file"}
    assert imports.list_imports().rows == []


def test_it_carries_out_what_was_confirmed_once() -> None:
    import_id = imports.start_import("greenhouse", kit.GREENHOUSE, "jobs.json", None)
    imports.confirm(import_id, None, None)
    imports.confirm(import_id, None, None)
    assert len(kit.facts("offers.import_confirmed")) == 1
    assert imports.get_import(import_id).state == "queued"
    outbox.drain()
    row = imports.get_import(import_id)
    assert (row.state, row.created_count, row.done, row.total) == ("done", 7, 8, 8)
    assert db.session.scalar(select(OfferImport.file)) is None
    assert import_run.run(import_id)
    assert imports.get_import(import_id).created_count == 7


def test_it_forgets_the_file_of_an_import_that_is_given_up() -> None:
    import_id = imports.start_import("greenhouse", kit.GREENHOUSE, "jobs.json", None)
    imports.cancel(import_id, None)
    imports.cancel(import_id, None)
    assert db.session.scalar(select(OfferImport.file)) is None
    for late in (imports.preview, lambda i: imports.confirm(i, None, None)):
        with pytest.raises(imports.ImportNotOpen):
            late(import_id)
    assert kit.offers_by_id() == {}


def test_it_knows_no_import_that_never_was() -> None:
    for ask in (imports.get_import, imports.preview, imports.report):
        with pytest.raises(imports.UnknownImport):
            ask(uuid.uuid4())


# --- what confirming would do ---------------------------------------------------------------


def foreseen_and_done(
    data: bytes, source: str = "greenhouse"
) -> tuple[Forecast, imports.ImportReport]:
    """The forecast of a file, and the report once it was carried out."""
    import_id = imports.start_import(source, data, "file", None)
    forecast = imports.preview(import_id).forecast
    assert forecast is not None
    imports.confirm(import_id, None, None)
    outbox.drain()
    return forecast, imports.report(import_id)


def _five() -> bytes:
    """One of each: changed, the same, refused, new; 5 and 6 are missing."""
    jobs = [kit.job(1, title="Charpentière"), kit.job(2), kit.job(3, title=""), kit.job(4)]
    return json.dumps({"jobs": [*jobs, kit.job(7)]}).encode()


@pytest.mark.parametrize(
    ("before", "data", "source"),
    [
        ([], kit.GREENHOUSE, "greenhouse"),
        ([kit.GREENHOUSE], kit.GREENHOUSE, "greenhouse"),
        ([kit.board(1, 2, 3, 4, 5, 6)], _five(), "greenhouse"),
        ([kit.board(1, 2, 3, 4)], kit.board(1), "greenhouse"),
        ([kit.board(1, 2, 3, 4), kit.board(1), kit.board(1)], kit.board(1), "greenhouse"),
        ([kit.board(1, 2, 3), kit.board(1, 2)], kit.board(1, 2, 3), "greenhouse"),
        ([kit.board(1, 2)], kit.board(), "greenhouse"),
        (
            [kit.sheet("A;Un;Lorient;Publiée", "B;Deux;Brest;Publiée", "C;Trois;Vannes;Publiée")],
            kit.sheet("A;Un;Lorient;Pourvue", "B;Deux;Brest;Publiée", ";Trois;Vannes;Publiée"),
            "csv",
        ),
        ([], kit.sheet(f"{'A' * 121};Charpentier;Lorient;", "B;Menuisière;Brest;"), "csv"),
    ],
)
def test_it_foresees_what_then_happens(before: list[bytes], data: bytes, source: str) -> None:
    for earlier in before:
        now(earlier, source)
    foreseen, done = foreseen_and_done(data, source)
    closing = foreseen.absent if foreseen.doubt is None else 0
    kept = foreseen.absent if foreseen.doubt is not None else 0
    assert counts(done) == (
        foreseen.created, foreseen.updated, foreseen.unchanged, foreseen.refused_count,
        foreseen.closed + closing,
    )  # fmt: skip
    assert done.kept == kept
    assert sum(n for _reason, n in foreseen.refused) == len(done.refused_lines)


def test_it_changes_nothing_by_foreseeing() -> None:
    now(kit.board(1, 2, 3, 4))
    import_id = imports.start_import("greenhouse", kit.board(1, 2, 3, 9), "file", None)
    forecast = imports.preview(import_id).forecast
    assert (forecast.created, forecast.unchanged, forecast.absent) == (1, 3, 1)
    assert statuses() == dict.fromkeys("1234", "open")


def test_it_foresees_nothing_of_a_file_too_long_to_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_forecast, "MOST_ROWS", 2)
    for source, data in (
        ("greenhouse", kit.board(1, 2, 3)),
        ("csv", kit.sheet("A;Un;Lorient;", "B;Deux;Brest;", "C;Trois;Vannes;")),
    ):
        preview = imports.preview(imports.start_import(source, data, "long", None))
        assert preview.forecast is None
        assert len(preview.rows) == 3


# --- killed, and side by side ---------------------------------------------------------------

KILLED = """
import sys
from pathlib import Path
from app import create_app, config
from app.referrals import imports
from tests.referrals import offers_kit as kit

app = kit.installation(Path(sys.argv[1]))
with app.app_context():
    imports.import_now("greenhouse", data=kit.board(*range(1, 1_501)), origin="killed")
"""


def _kill_half_way(folder: Path) -> uuid.UUID:
    """Start an import in a process of its own and kill it between the first and last chunk."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], env=environment)
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            db.session.rollback()
            row = db.session.execute(select(OfferImport.id, OfferImport.done)).one_or_none()
            if row is not None and row.done >= 150:
                process.kill()
                process.wait()
                return row.id
            assert process.poll() is None, "the import ended before it could be killed"
            time.sleep(0.002)
        raise AssertionError("the import did not begin")
    finally:
        process.kill()
        process.wait()


def test_it_goes_on_where_it_was_killed_and_doubles_nothing(tmp_path: Path) -> None:
    clock.release()
    import_id = _kill_half_way(tmp_path)
    db.session.rollback()
    row = imports.get_import(import_id)
    assert (row.state, row.total) == ("running", 1_500)
    assert 150 <= row.done < 1_500
    assert len(kit.offers_by_id()) == row.done

    assert not import_run.run(import_id)  # its turn has not run out yet
    clock.travel(dt.timedelta(minutes=1))
    assert imports.has_stopped(imports.get_import(import_id))
    imports.resume(import_id, None)
    outbox.drain()
    row = imports.get_import(import_id)
    assert (row.state, row.done, row.created_count) == ("done", 1_500, 1_500)
    assert len(kit.offers_by_id()) == 1_500
    assert sum(imports.count_lines(import_id).values()) == 1_500
    assert len(kit.facts("offer.opened")) == 1_500


def test_it_finishes_a_killed_import_before_the_next_of_its_connection(tmp_path: Path) -> None:
    clock.release()
    killed = _kill_half_way(tmp_path)
    clock.travel(dt.timedelta(minutes=1))
    report = now(kit.board(*range(1, 1_001)))
    assert imports.get_import(killed).state == "done"
    assert counts(report) == (0, 0, 1_000, 0, 500)


def test_two_imports_of_one_connection_at_once_make_no_doubles(app: Flask) -> None:
    """Whether the second has to wait depends on the machine; what comes of it does not."""
    clock.release()
    done: list[imports.ImportReport] = []
    gate = threading.Barrier(2)

    def go() -> None:
        with app.app_context():
            gate.wait()
            done.append(imports.import_now("greenhouse", data=kit.board(*range(1, 301))))

    connections.default_connection("greenhouse")
    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts(report) for report in done) == [(0, 0, 300, 0, 0), (300, 0, 0, 0, 0)]
    assert len(kit.offers_by_id()) == 300


def _somebody_works_on(source: str) -> None:
    name = import_run._lease_name(connections.default_connection(source).id)
    with transaction() as session:
        session.add(Lease(name=name, holder="else", until=clock.now() + import_run.LEASE))


def test_it_says_that_a_confirmed_import_waits_and_looks_again() -> None:
    _somebody_works_on("greenhouse")
    import_id = imports.start_import("greenhouse", kit.board(1), "a", None)
    imports.confirm(import_id, None, None)
    outbox.drain()
    row = imports.get_import(import_id)
    assert row.state == "queued"
    assert imports.waits_for_another(row)
    clock.travel(import_run.LEASE * 2)
    outbox.drain()
    assert imports.get_import(import_id).state == "done"


def test_it_gives_up_waiting_on_the_console_and_leaves_nothing_behind() -> None:
    _somebody_works_on("greenhouse")
    told: list[bool] = []
    with pytest.raises(imports.ImportBusy):
        imports.import_now(
            "greenhouse", data=kit.board(1), wait_seconds=0, on_wait=lambda: told.append(True)
        )
    assert told == [True]
    assert imports.list_imports().rows[0].state == "cancelled"
    clock.travel(import_run.LEASE * 2)
    now(kit.board(2))
    assert set(kit.offers_by_id()) == {"2"}


def test_it_changes_nothing_more_once_its_turn_was_lost() -> None:
    connection = connections.default_connection("greenhouse")
    with import_run._turn(connection.id) as turn:
        assert turn is not None
        with transaction() as session:
            session.get(Lease, turn.name).holder = "somebody else"
        with pytest.raises(import_run.LeaseLost), transaction():
            turn.prove()


def test_it_calls_the_next_import_of_a_connection_when_one_ends() -> None:
    first = imports.start_import("greenhouse", kit.board(1), "a", None)
    second = imports.start_import("greenhouse", kit.board(1, 2), "b", None)
    imports.confirm(second, None, None)
    imports.confirm(first, None, None)
    assert import_run.run(first)
    assert {"import_id": str(second)} in kit.facts("offers.import_confirmed")[2:]
    outbox.drain()
    assert [imports.get_import(i).state for i in (first, second)] == ["done", "done"]
    assert set(statuses().values()) == {"open"}


def test_it_writes_one_line_for_each_row_and_each_closing() -> None:
    now(kit.board(*range(1, 131)))
    report = now(kit.board(*range(1, 71)))
    numbers = db.session.scalars(
        select(OfferImportLine.line)
        .where(OfferImportLine.import_id == report.id)
        .order_by(OfferImportLine.line)
    ).all()
    assert list(numbers) == list(range(1, 131))
    assert counts(report) == (0, 0, 70, 0, 60)


# --- fetching -------------------------------------------------------------------------------

BOARD = kit.board(1, 2)


class Feeds(http.server.BaseHTTPRequestHandler):
    """A source on this machine, with all its bad days."""

    def do_GET(self) -> None:
        answers = {
            "/jobs": (200, {"Content-Type": "application/json"}, BOARD),
            "/html": (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
            "/picture": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
            "/gone": (404, {}, b""),
            "/away": (302, {"Location": "http://169.254.169.254/latest"}, b""),
            "/moved": (301, {"Location": "/jobs"}, b""),
            "/long": (200, {"Content-Length": str(26 * 1024 * 1024)}, b"x"),
        }
        if self.path == "/endless":
            self._endless()
            return
        status, headers, body = answers[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 1024 * 1024)
        except OSError:
            return

    def log_message(self, *words: object) -> None:
        """Tests are quiet."""


@pytest.fixture(scope="module")
def feeds() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feeds) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_it_fetches_from_this_machine_for_the_console(feeds: str) -> None:
    report = imports.import_now("greenhouse", url=f"{feeds}/moved")
    assert counts(report) == (2, 0, 0, 0, 0)
    assert imports.list_imports().rows[0].origin == f"{feeds}/moved"
    assert imports.import_now("greenhouse", url=f"{feeds}/html").suspicious == "html"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/gone", "unreachable"),
        ("/away", "refused-address"),
        ("/long", "too-large"),
        ("/endless", "too-large"),
        ("/picture", "not-a-feed"),
    ],
)
def test_it_says_why_nothing_usable_came(feeds: str, path: str, code: str) -> None:
    with pytest.raises(fetching.FetchFailed) as caught:
        fetching.fetch(feeds + path, console=True)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/jobs",
        "https://127.0.0.1/jobs",
        "https://localhost/jobs",
        "https://[::1]/jobs",
        "https://10.0.0.1/jobs",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "http://boards-api.greenhouse.io/v1/boards/halvenne/jobs",
        "https://a:b@example.org/",
        "https://example.org:8443/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "jobs.json",
        "",
        "https://exa mple.org/",
    ],
)
def test_it_fetches_nothing_but_public_https_for_a_browser(url: str) -> None:
    with pytest.raises(fetching.FetchFailed) as caught:
        fetching.fetch(url)
    assert caught.value.code == "refused-address"


def test_it_stops_waiting_for_a_source_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 1.0)

    class Drip(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
                    self.wfile.write(bytes([letter]))
                    time.sleep(0.05)
            except OSError:
                return

        def log_message(self, *words: object) -> None:
            """Tests are quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(fetching.FetchFailed) as caught:
            fetching.fetch(f"http://127.0.0.1:{server.server_address[1]}/", console=True)
        assert caught.value.code == "unreachable"
        assert time.monotonic() - began < 5
        server.shutdown()
