"""The administrators' pages about connections."""

from __future__ import annotations

import re
import uuid

from app.people import service as people
from tests.conftest import House
from tests.provisioning.scim_kit import Directory


def test_it_makes_watches_rotates_and_removes_a_connection(house: House) -> None:
    admin = house.person("Admin", "admin", email="admin@halvenne.example")
    browser = house.browser(admin)
    assert "SCIM" in browser.get("/studio/scim?lang=en").text
    made = browser.post("/studio/scim", data={"name": "Halvenne", "kind": "entra"})
    assert made.status_code == 303
    place = made.headers["Location"]
    page = browser.get(f"{place}?lang=en").text
    token = re.search(r"pvs_[A-Za-z0-9_-]{43}", page)
    assert token and "/scim/v2" in page and "aadOptscim062020" in page
    assert token[0] not in browser.get(place).text  # once
    entra = Directory(house.app.test_client(), token[0], uuid.UUID(place.rsplit("/", 1)[1]))
    gone = house.person("Ana Avant", email="ana@halvenne.example", joined=False)
    people.depart(gone.id)
    user = entra.user(userName="ana@halvenne.example")
    entra.refused("GET", f"/Users/{uuid.uuid4()}", status=404)
    page = browser.get(f"{place}?lang=en").text
    assert "Refused: 404" in page and "New in the directory" in page
    assert f"/studio/people/{user['id']}" in page and "Ana Avant" in page
    browser.post(f"{place}/tokens")
    assert (
        "pvs_" in browser.get(place).text
        and "The one before" in browser.get(f"{place}?lang=en").text
    )
    browser.post(f"{place}/tokens/ending")
    assert entra.call("GET", "/Users").status_code == 401
    listed = browser.get("/studio/scim?lang=en").text
    assert "1 call refused" in listed, listed[listed.index("<main") :]
    assert browser.post(f"{place}/removal").status_code == 303
    assert browser.get(place).status_code == 404


def test_it_says_what_a_connection_lacks(house: House) -> None:
    browser = house.browser(house.person("Admin", "admin"))
    for data in (
        {"name": "", "kind": "entra"},
        {"name": "A", "kind": "x"},
        {"name": "A" * 121, "kind": "okta"},
    ):
        assert browser.post("/studio/scim", data=data).status_code == 422
    assert 'href="/studio/scim/' not in browser.get("/studio/scim").text


def test_it_is_for_administrators(house: House) -> None:
    for role in ("recruiter", "hr", "lead", "auditor"):
        browser = house.browser(house.person("Staff", role))
        assert browser.get("/studio/scim").status_code == 403
        assert browser.post("/studio/scim", data={"name": "A", "kind": "okta"}).status_code == 403
        assert browser.get(f"/studio/scim/{uuid.uuid4()}").status_code == 403
