"""The list of imports of offers: narrowed in the address, read both ways, with saved views."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.db import transaction
from app.referrals import connections, imports
from app.referrals.imports import ImportFilter
from app.referrals.models import OfferImport
from tests.conftest import House

PATH = "/studio/imports"


@pytest.fixture
def recruiter(house: House) -> FlaskClient:
    return house.browser(house.person("Anna Berg", "recruiter", language="en"))


def run(origin: str, state: str = "done", **fields: object) -> OfferImport:
    with transaction() as session:
        made = OfferImport(
            kind="csv", origin=origin, state=state, mapping={}, ignored_columns=[], **fields
        )
        session.add(made)
    return made


def shown(browser: FlaskClient, query: str) -> set[str]:
    answer = browser.get(f"{PATH}?{query}")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    return {name for name in ("juin.csv", "juillet.csv", "mai.csv") if f">{name}</a>" in page}


def test_it_is_narrowed_by_state_words_and_source(house: House, recruiter: FlaskClient) -> None:
    source = connections.create_connection(kind="csv", name="Outil", actor_id=None).id
    run("mai.csv", "preview")
    run("juin.csv", connection_id=source)
    run("juillet.csv", suspicious="empty")
    assert shown(recruiter, "state=open") == {"mai.csv"}
    assert shown(recruiter, "state=done") == {"juin.csv", "juillet.csv"}
    assert shown(recruiter, "state=odd") == {"juillet.csv"}
    assert shown(recruiter, "state=working") == set()
    assert shown(recruiter, "q=JUI") == {"juin.csv", "juillet.csv"}
    assert shown(recruiter, f"source={source}") == {"juin.csv"}
    assert shown(recruiter, "state=none-such&source=x") == {"mai.csv", "juin.csv", "juillet.csv"}


def test_it_is_read_forwards_and_backwards(house: House) -> None:
    made = [run(f"{n}.csv").id for n in range(5)][::-1]
    first = imports.list_imports(limit=2)
    second = imports.list_imports(after=first.next, limit=2)
    last = imports.list_imports(after=second.next, limit=2)
    assert [row.id for page in (first, second, last) for row in page.rows] == made
    assert (first.previous, last.next) == (None, None)
    assert imports.list_imports(before=last.previous, limit=2) == second
    assert imports.list_imports(before=second.previous, limit=2) == first
    assert imports.list_imports(ImportFilter(q="4 csv"), limit=2).next is None


@pytest.mark.parametrize("place", ["after=zzz", "before=zzz"])
def test_it_refuses_a_place_it_never_gave(recruiter: FlaskClient, place: str) -> None:
    assert recruiter.get(f"{PATH}?{place}").status_code == 422


def test_it_opens_on_the_view_of_its_reader(house: House, recruiter: FlaskClient) -> None:
    run("mai.csv", "preview")
    kept = {"name": "À confirmer", "query": "state=open&after=x", "default": "1"}
    assert recruiter.post("/studio/views/imports", data=kept).location == f"{PATH}?state=open"
    assert recruiter.get(PATH).location == f"{PATH}?state=open"
    assert recruiter.get(PATH, headers={"HX-Request": "true"}).status_code == 200
    assert "All" in recruiter.get(f"{PATH}?all=1").get_data(as_text=True)


def test_its_views_are_not_for_a_role_of_a_part(house: House) -> None:
    lead = house.browser(house.person("Pauline Delmotte", "lead", language="en"))
    assert lead.get("/studio/views/imports").status_code == 404
