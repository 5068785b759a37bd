"""The team's pages about offers, as a browser meets them, with and without scripts."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db import db
from app.referrals import connections, import_forecast, imports, offers
from app.referrals.models import Connection, Offer
from tests.referrals import offers_kit as kit

PAGES = (
    "/studio/offers",
    "/studio/offers/new",
    "/studio/offers.csv",
    "/studio/imports",
    "/studio/imports/new",
    "/studio/connections",
    "/studio/connections/new",
)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def app(template: Path, tmp_path: Path) -> Iterator[Flask]:
    with kit.house(tmp_path, template) as app:
        yield app


@pytest.fixture
def rozenn(app: Flask) -> FlaskClient:
    """A recruiter's browser."""
    return kit.browser(app, kit.somebody("recruiter"))


def text(response: TestResponse) -> str:
    assert response.status_code == 200, response.status_code
    return response.get_data(as_text=True)


def only_offer() -> Offer:
    [offer] = kit.offers_by_id().values()
    return offer


def upload(client: FlaskClient, data: bytes, source: str = "csv", name: str = "a.csv") -> str:
    """Bring a file; the address of its preview."""
    response = kit.press(
        client, "/studio/imports/new", "/studio/imports",
        source=source, address="", file=(io.BytesIO(data), name),
    )  # fmt: skip
    assert response.status_code == 303, response.get_data(as_text=True)
    return response.location


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_it_opens_to_recruiters_and_administrators_only(app: Flask, page: str) -> None:
    for role, status in (("curator", 403), ("auditor", 403), ("recruiter", 200), ("admin", 200)):
        assert kit.browser(app, kit.somebody(role)).get(page).status_code == status
    assert kit.browser(app).get(page).status_code == 303


def test_it_changes_nothing_without_the_hidden_token(rozenn: FlaskClient) -> None:
    assert rozenn.post("/studio/offers", data={"title": "Ingénieure"}).status_code == 400
    assert kit.offers_by_id() == {}


@pytest.mark.parametrize(
    "path",
    [
        "/studio/offers/{id}/closure",
        "/studio/offers/{id}/publication",
        "/studio/imports/{id}/confirmation",
        "/studio/imports/{id}/cancellation",
        "/studio/imports/{id}/resumption",
        "/studio/imports/{id}/absent-closures",
        "/studio/connections/{id}/secrets",
        "/studio/connections/{id}/deletion",
    ],
)
def test_it_changes_things_by_post_and_only_those_that_are(rozenn: FlaskClient, path: str) -> None:
    unknown = path.format(id=uuid.uuid4())
    assert rozenn.get(unknown).status_code == 405
    fields = {"secret": "assez-long-pour-un-secret"}
    assert kit.press(rozenn, "/studio/offers/new", unknown, **fields).status_code == 404
    assert rozenn.get(path.format(id="7").rpartition("/")[0]).status_code == 404


# --- offers ----------------------------------------------------------------------------------


def test_it_writes_an_offer_and_opens_it(rozenn: FlaskClient) -> None:
    response = kit.press(
        rozenn, "/studio/offers/new", "/studio/offers",
        title="Ingénieure de neige", description="Dehors.\n\nTous les jours.", remote="",
        salary_min="42 000", country_codes="FR", status="open",
    )  # fmt: skip
    offer = only_offer()
    assert (response.status_code, response.location) == (303, f"/studio/offers/{offer.id}")
    assert (offer.status, offer.salary_min, offer.remote) == ("open", 42_000, None)
    page = text(rozenn.get(response.location))
    assert "The offer is open." in page
    assert f"/o/{offer.slug}" in page
    assert "Dehors.\n\nTous les jours.</textarea>" in page


def test_it_keeps_what_was_typed_and_says_what_is_wrong(rozenn: FlaskClient) -> None:
    response = kit.press(
        rozenn, "/studio/offers/new", "/studio/offers",
        title="", description="<b>mes mots</b>", salary_min="beaucoup", apply_url="javascript:1",
    )  # fmt: skip
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "&lt;b&gt;mes mots&lt;/b&gt;</textarea>" in page
    assert 'value="beaucoup"' in page
    for name in ("title", "salary_min", "apply_url"):
        assert f'id="{name}-error"' in page
        assert f'href="#{name}"' in page
    assert kit.offers_by_id() == {}


def test_it_answers_htmx_with_a_place_to_go_and_a_browser_with_303(rozenn: FlaskClient) -> None:
    token = kit.token(rozenn, "/studio/offers/new")
    fields = {"csrf_token": token, "title": "Menuisier"}
    response = rozenn.post("/studio/offers", data=fields, headers=HTMX)
    assert response.status_code == 204
    assert response.headers["HX-Redirect"] == f"/studio/offers/{only_offer().id}"


def test_it_changes_closes_and_opens_again(rozenn: FlaskClient) -> None:
    offer = offers.create_offer({"title": "Menuisier"}, None)
    here = f"/studio/offers/{offer.id}"
    kit.press(rozenn, here, here, title="Menuisière", location="Brest")
    assert (only_offer().title, only_offer().location) == ("Menuisière", "Brest")
    assert "Close this offer" in text(rozenn.get(here))
    assert kit.press(rozenn, here, f"{here}/closure").location == here
    assert only_offer().status == "closed"
    kit.press(rozenn, here, f"{here}/publication")
    assert only_offer().status == "open"


def test_it_does_not_let_the_reference_of_an_imported_offer_be_typed(rozenn: FlaskClient) -> None:
    imports.import_now("csv", data=kit.sheet("A;Charpentier;Lorient;"))
    here = f"/studio/offers/{only_offer().id}"
    page = text(rozenn.get(here))
    assert 'name="external_id"' not in page
    assert kit.press(rozenn, here, here, title="Charpentière").status_code == 303
    assert only_offer().external_id == "A"


def test_it_narrows_the_list_by_what_the_address_says(rozenn: FlaskClient) -> None:
    for title, fields in {
        "Ingénieure de neige": {"department": "Neige"},
        "Menuisier": {"location": "Brest"},
        "Brouillon": {"status": "draft"},
    }.items():
        offers.create_offer({"title": title, **fields}, None)

    def titles(query: str) -> list[str]:
        page = text(rozenn.get(f"/studio/offers?{query}"))
        return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)

    assert titles("") == ["Brouillon", "Menuisier", "Ingénieure de neige"]
    assert titles("q=INGENIEURE") == ["Ingénieure de neige"]
    assert titles("status=draft") == ["Brouillon"]
    assert titles("department=Neige") == ["Ingénieure de neige"]
    assert titles("location=Brest&status=open") == ["Menuisier"]
    assert titles("source=greenhouse") == []
    assert titles("status=nonsense&endpoint=x&_external=1") == titles("")
    assert "No offer fits" in text(rozenn.get("/studio/offers?q=xyz"))


def test_it_answers_htmx_with_a_fragment_and_a_browser_with_a_page(rozenn: FlaskClient) -> None:
    offers.create_offer({"title": "Menuisier"}, None)
    fragment = text(rozenn.get("/studio/offers?q=menu", headers=HTMX))
    assert "<html" not in fragment
    assert 'id="offers"' in fragment
    page = text(rozenn.get("/studio/offers?q=menu"))
    assert "<html" in page
    assert 'value="menu"' in page


def test_it_leads_through_a_long_list_once(rozenn: FlaskClient) -> None:
    imports.import_now("greenhouse", data=kit.board(*range(1, 121)))
    seen: list[str] = []
    path = "/studio/offers?status=open"
    while path:
        page = text(rozenn.get(path))
        seen += re.findall(r'<th scope="row"><a href="/studio/offers/([^"]+)"', page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == 120
    assert len(set(seen)) == 120


@pytest.mark.parametrize(
    "query", ["after=x", "after=%00", "q=%F0%9F", "limit=-1", "q=" + "a" * 900]
)
def test_it_never_breaks_on_an_address_that_nobody_gave(rozenn: FlaskClient, query: str) -> None:
    assert rozenn.get(f"/studio/offers?{query}").status_code in (200, 422)
    assert rozenn.get(f"/studio/imports?{query}").status_code in (200, 422)
    assert rozenn.get(f"/studio/imports/new?{query}").status_code == 200


def test_it_exports_what_the_list_shows_and_runs_nothing(rozenn: FlaskClient) -> None:
    offers.create_offer({"title": "=cmd|' /C calc'!A0", "location": "@Lorient"}, None)
    offers.create_offer({"title": "Menuisier", "status": "draft"}, None)
    response = rozenn.get("/studio/offers.csv?status=open&lang=fr")
    rows = list(csv.reader(io.StringIO(text(response).lstrip("\ufeff")), delimiter=";"))
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert len(rows) == 2
    assert rows[1][1] == "'=cmd|' /C calc'!A0"
    assert rows[1][3] == "'@Lorient"


# --- imports ---------------------------------------------------------------------------------


def test_it_shows_confirms_and_reports(rozenn: FlaskClient) -> None:
    here = upload(rozenn, kit.FRENCH_CSV)
    page = text(rozenn.get(here))
    assert "Développeur·se Python / Flask" in page
    assert "Columns that will be left out:" in page
    assert "code_postal" in page
    assert '<option value="intitule" selected>' in page
    assert kit.offers_by_id() == {}

    assert kit.press(rozenn, here, f"{here}/confirmation").location == here
    page = text(rozenn.get(here))
    assert 'hx-trigger="every 2s"' in page
    assert f'href="{here}"' in page
    kit.work()
    page = text(rozenn.get(here))
    assert "hx-trigger" not in page
    assert "What became of each row" in page
    assert page.count("<tr>") == 1 + 8
    assert "/studio/imports" in text(rozenn.get("/studio/imports"))


def test_it_shows_the_rows_again_with_other_columns(rozenn: FlaskClient) -> None:
    here = upload(rozenn, b"numero;metier;lieu_dit\n7;Charpentier;Kerlouan\n")
    assert "Say which column holds: Reference, Title." in text(rozenn.get(here))
    chosen = "column-external_id=numero&column-title=metier&column-location=lieu_dit"
    fragment = text(rozenn.get(f"{here}?{chosen}", headers=HTMX))
    assert "<td>Kerlouan</td>" in fragment
    assert 'id="preview"' in fragment


def test_it_says_beside_each_column_what_is_missing_and_keeps_the_others(
    rozenn: FlaskClient,
) -> None:
    here = upload(rozenn, b"numero;metier;lieu_dit\n7;Charpentier;Kerlouan\n")
    fields = {"column-external_id": "", "column-title": "metier", "column-location": "lieu_dit"}
    response = kit.press(rozenn, here, f"{here}/confirmation", **fields)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert 'id="column-external_id-error"' in page
    assert '<option value="lieu_dit" selected>' in page
    fields["column-external_id"] = "numero"
    assert kit.press(rozenn, here, f"{here}/confirmation", **fields).status_code == 303
    kit.work()
    assert only_offer().location == "Kerlouan"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This file holds nothing."),
        (b"<!doctype html><p>Sign in</p>", "This is a web page"),
        (b'{"jobs": [{"id": 1, "ti', "This file stops in the middle."),
        (b'{"jobs": 3}', "This does not look like a list of offers"),
    ],
)
def test_it_says_at_once_that_a_file_cannot_be_read(
    rozenn: FlaskClient, data: bytes, words: str
) -> None:
    response = kit.press(
        rozenn, "/studio/imports/new", "/studio/imports",
        source="greenhouse", address="", file=(io.BytesIO(data), "a.json"),
    )  # fmt: skip
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert words in page
    assert 'id="file-error"' in page
    assert '<option value="greenhouse" selected>' in page or "selected>Greenhouse" in page


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"source": "csv", "address": ""}, "file"),
        ({"source": "csv", "address": "http://127.0.0.1/jobs.csv"}, "address"),
        ({"source": "csv", "address": "file:///etc/passwd"}, "address"),
        ({"source": "abacus", "file": (io.BytesIO(b"a;b\n"), "a.csv")}, "source"),
    ],
)
def test_it_keeps_the_import_form_and_says_what_is_wrong(
    rozenn: FlaskClient, fields: dict[str, object], name: str
) -> None:
    response = kit.press(rozenn, "/studio/imports/new", "/studio/imports", **fields)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert f'id="{name}-error"' in page
    assert str(fields.get("address", "")) in page


def test_it_takes_a_file_or_an_address_but_not_both(rozenn: FlaskClient) -> None:
    response = kit.press(
        rozenn, "/studio/imports/new", "/studio/imports",
        source="csv", address="https://a.example/", file=(io.BytesIO(b"a;b\n"), "a.csv"),
    )  # fmt: skip
    assert 'id="address-error"' in response.get_data(as_text=True)


def test_it_says_no_to_a_file_that_is_too_large_before_reading_it(rozenn: FlaskClient) -> None:
    response = kit.press(
        rozenn, "/studio/imports/new", "/studio/imports",
        source="csv", address="", file=(io.BytesIO(b"x" * 27 * 1024 * 1024), "a.csv"),
    )  # fmt: skip
    assert response.status_code == 413
    just_above = kit.press(
        rozenn, "/studio/imports/new", "/studio/imports",
        source="csv", address="", file=(io.BytesIO(b"x" * (25 * 1024 * 1024 + 1)), "a.csv"),
    )  # fmt: skip
    assert just_above.status_code == 422
    assert 'id="file-error"' in just_above.get_data(as_text=True)


def test_it_asks_before_it_closes_what_an_odd_file_lacks(rozenn: FlaskClient) -> None:
    imports.import_now("greenhouse", data=kit.board(1, 2, 3, 4))
    here = f"/studio/imports/{imports.import_now('greenhouse', data=kit.board(1)).id}"
    page = text(rozenn.get(here))
    assert "This file holds less than half of the offers that are open." in page
    assert "3 open offers are missing from this file." in page
    page = text(rozenn.get(f"{here}?outcome=kept"))
    assert page.count("Missing, kept open") >= 3
    response = kit.press(rozenn, here, f"{here}/absent-closures")
    assert response.location == here
    assert "3 offers were closed." in text(rozenn.get(here))
    assert [o.status for o in kit.offers_by_id().values()].count("closed") == 3


def test_it_gives_an_import_up(rozenn: FlaskClient) -> None:
    here = upload(rozenn, kit.FRENCH_CSV)
    assert kit.press(rozenn, here, f"{here}/cancellation").status_code == 303
    page = text(rozenn.get(here))
    assert "This import was given up." in page
    fields = {"column-title": "intitule", "column-external_id": "reference"}
    late = kit.press(rozenn, "/studio/imports/new", f"{here}/confirmation", **fields)
    assert late.status_code == 409


def test_it_shows_refused_rows_by_line_and_exports_them(rozenn: FlaskClient) -> None:
    rows = kit.sheet("A;Charpentier;Lorient;", "B;;Brest;", ";=1+1;Vannes;")
    report = imports.import_now("csv", data=rows)
    here = f"/studio/imports/{report.id}"
    page = text(rozenn.get(f"{here}?outcome=refused"))
    assert "This row has no title." in page
    assert "Charpentier" not in page
    exported = list(
        csv.reader(
            io.StringIO(text(rozenn.get(f"{here}/report.csv?outcome=refused")).lstrip("\ufeff"))
        )
    )
    assert [row[0] for row in exported[1:]] == ["3", "4"]
    assert exported[2][2] == "'=1+1"
    assert len(list(csv.reader(io.StringIO(text(rozenn.get(f"{here}/report.csv")))))) == 4


def test_it_counts_a_running_import_and_offers_to_go_on_when_it_stopped(
    rozenn: FlaskClient,
) -> None:
    import_id = imports.start_import("greenhouse", kit.board(1, 2), "a.json", None)
    imports.confirm(import_id, None, None)
    with db.session.begin_nested():
        db.session.execute(
            imports.update(imports.OfferImport).values(state="running", done=1, total=2)
        )
    db.session.commit()
    here = f"/studio/imports/{import_id}"
    page = text(rozenn.get(here))
    assert "1 of 2 rows dealt with" in page
    assert "Nobody seems to be working on this import." in page
    assert kit.press(rozenn, here, f"{here}/resumption").location == here
    kit.work()
    assert len(kit.offers_by_id()) == 2


def test_it_escapes_what_a_file_says(rozenn: FlaskClient) -> None:
    here = upload(rozenn, kit.sheet("A;<script>alert(1)</script>;Lorient;"), name="<img src=x>.csv")
    page = text(rozenn.get(here))
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


# --- connections -----------------------------------------------------------------------------


def test_it_adds_a_connection_and_shows_its_address_but_not_its_secret(rozenn: FlaskClient) -> None:
    page = text(rozenn.get("/studio/connections/new"))
    found = re.search(r'name="secret"[^>]*value="([^"]{40,})"', page)
    assert found
    response = kit.press(
        rozenn, "/studio/connections/new", "/studio/connections",
        kind="greenhouse", name="Grenoble", secret=found[1], api_key="clef-secrete",
    )  # fmt: skip
    [row] = connections.list_connections()
    assert response.location == f"/studio/connections/{row.id}"
    for path in (response.location, "/studio/connections"):
        page = text(rozenn.get(path))
        assert row.webhook_url in page
        assert found[1] not in page
        assert "clef-secrete" not in page
    assert connections.secrets_of(connections.default_connection("greenhouse")) == [found[1]]


def test_it_keeps_what_was_typed_of_a_connection(rozenn: FlaskClient) -> None:
    response = kit.press(
        rozenn, "/studio/connections/new", "/studio/connections",
        kind="greenhouse", name="", secret="court", api_url="ftp://a",
    )  # fmt: skip
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    for name in ("name", "secret", "api_url"):
        assert f'id="{name}-error"' in page
    assert 'value="ftp://a"' in page
    assert 'value="court"' in page
    assert connections.list_connections() == []


def test_it_replaces_a_secret_renames_and_deletes(rozenn: FlaskClient) -> None:
    made = connections.create_connection(
        kind="greenhouse", name="Grenoble", secrets=["premier-secret"], api_key="k1", actor_id=None
    )
    here = f"/studio/connections/{made.id}"
    assert kit.press(rozenn, here, f"{here}/secrets", secret="court").status_code == 422
    kit.press(rozenn, here, f"{here}/secrets", secret="deuxieme-secret")
    kit.press(rozenn, here, here, name="Annecy", api_url="", api_key="")
    kit.look_again()
    row = db.session.get(Connection, made.id)
    assert connections.secrets_of(row) == ["deuxieme-secret", "premier-secret"]
    assert (row.name, row.api_key) == ("Annecy", "k1")
    kit.press(rozenn, here, here, name="Annecy", forget_api_key="1")
    kit.look_again()
    assert not connections.get_connection(made.id).has_api_key
    assert kit.press(rozenn, here, f"{here}/deletion").location == "/studio/connections"
    assert rozenn.get(here).status_code == 404
    assert "Annecy" not in text(rozenn.get("/studio/connections"))


# --- what an import would do, before it is confirmed ----------------------------------------


def test_it_counts_above_the_button_what_importing_will_do(rozenn: FlaskClient) -> None:
    imports.import_now(
        "csv", data=kit.sheet("A;Un;Lorient;", "B;Deux;Brest;", "C;Trois;Vannes;"), origin="x"
    )
    where = upload(rozenn, kit.sheet("A;Un;Brest;", "B;Deux;Brest;", "D;;Vannes;", "E;Cinq;Auray;"))
    page = text(rozenn.get(where))
    shown = re.search(r'id="forecast".*?(?=<div class="form-press">)', page, re.DOTALL)
    assert shown is not None
    said = " ".join(re.sub(r"<[^>]+>", " ", shown[0]).split())
    for words in (
        "1 new offer", "1 changed", "1 unchanged", "1 row refused", "1 × This row has no title.",
        "1 open offer is missing from this file. It will be closed.",
    ):  # fmt: skip
        assert words in said


def test_it_says_honestly_that_a_long_file_is_not_counted(
    rozenn: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_forecast, "MOST_ROWS", 1)
    page = text(rozenn.get(upload(rozenn, kit.sheet("A;Un;Brest;", "B;Deux;Brest;"))))
    assert "is not counted beforehand" in page
    assert "new offer" not in page
