"""The directory's pages: for administrators, and silent about who takes part."""

from __future__ import annotations

import re
import uuid

import pytest

from app.people import queries, service
from app.people.service import GRANTABLE
from tests.people.conftest import mailed_link, mails, press

ENTRY = {
    "kind": "employee", "name": "Théo Rossignac", "email": "theo@halvenne.example",
    "employee_id": "0042", "language": "fr", "department": "Taille", "site": "Lorient",
    "job_title": "Charpentier",
}  # fmt: skip


@pytest.fixture
def admin(add):
    return add("Inès Duval", roles=["admin"])


def somebody(app, email: str = ENTRY["email"]):
    with app.app_context():
        return queries.person_by_email(email)


def test_it_lists_searches_and_pages_by_address(app, add, admin, browser):
    for n in range(60):
        add(f"Person {n:02}", email=f"{n}@halvenne.example", site="Brest" if n % 2 else None)
    client = browser(admin)
    first = client.get("/studio/people").get_data(as_text=True)
    assert first.count("data-row") == 50
    following = re.search(r'href="(/studio/people\?after=[^"]+)" rel="next"', first)
    second = client.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert second.count("data-row") == 11
    assert 'rel="next"' not in second
    found = client.get("/studio/people?site=Brest").get_data(as_text=True)
    assert found.count("data-row") == 30
    assert "30 people" in found
    found = client.get("/studio/people?q=PERSON 1&site=Brest").get_data(as_text=True)
    assert found.count("data-row") == 6
    assert 'value="PERSON 1"' in found
    nobody = client.get("/studio/people?q=zzz").get_data(as_text=True)
    assert "Nobody found" in nobody


def test_it_shows_a_name_as_words_and_never_as_markup(add, admin, browser):
    add("<b>Robert</b>", email="r@halvenne.example")
    page = browser(admin).get("/studio/people?q=<b>").get_data(as_text=True)
    assert "<b>Robert" not in page
    assert "&lt;b&gt;Robert" in page


def test_it_never_tells_who_takes_part(app, add, admin, browser):
    """Rule W2: the pages of a member and of a non-member differ in nothing but their names."""
    add("Anne Martin", email="aaaa@halvenne.example", joined=True)
    add("Anne Martin", email="bbbb@halvenne.example")
    gone = add("Anne Martin", email="cccc@halvenne.example", joined=True)
    with app.app_context():
        service.leave(gone.id)
    client, pages = browser(admin), []
    for letter in "abc":
        person = somebody(app, f"{letter * 4}@halvenne.example")
        shown = client.get(f"/studio/people/{person.id}").get_data(as_text=True)
        invited = press(
            client,
            f"/studio/people/{person.id}",
            f"/studio/people/{person.id}/invitations",
        )
        after = client.get(invited.location).get_data(as_text=True)
        row = client.get(f"/studio/people?q={letter * 4}").get_data(as_text=True)
        told = shown + after + row
        for known in (str(person.id), letter * 4):
            told = told.replace(known, "…")
        pages.append(re.sub(r'(csrf_token" value=|X-CSRFToken": )"[^"]+"', "", told))
    assert pages[0] == pages[1] == pages[2]


def test_it_adds_somebody_and_invites_where_it_was_ticked(app, admin, browser):
    client = browser(admin)
    answer = press(
        client, "/studio/people/new", "/studio/people", **ENTRY, roles=["curator", "hr"], invite="1"
    )
    person = somebody(app)
    assert (answer.status_code, answer.location) == (303, f"/studio/people/{person.id}")
    assert person.roles == {"curator", "hr"}
    assert {g.granted_by for g in person.role_grants} == {admin.id}
    assert (person.employee_id, person.site) == ("0042", "Lorient")
    assert mailed_link(app, "join")
    assert "is in the directory" in client.get(answer.location).get_data(as_text=True)


def test_it_adds_without_inviting(app, admin, browser):
    press(browser(admin), "/studio/people/new", "/studio/people", **ENTRY)
    assert somebody(app)
    assert mails(app) == []


def test_it_gives_the_form_back_with_what_was_typed(app, add, admin, browser):
    client = browser(admin)
    taken = ENTRY | {"email": admin.email}
    answer = press(client, "/studio/people/new", "/studio/people", **taken, roles=["hr"])
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Somebody has this address already." in page
    assert 'value="Théo Rossignac"' in page
    assert 'value="hr" checked' in page
    assert answer.get_data(as_text=True).count('aria-invalid="true"') == 1
    assert somebody(app) is None


def test_it_makes_no_member_by_hand(app, admin, browser):
    client = browser(admin)
    assert 'value="member"' not in client.get("/studio/people/new").get_data(as_text=True)
    answer = press(client, "/studio/people/new", "/studio/people", **ENTRY, roles=["member"])
    assert answer.status_code == 422
    assert somebody(app) is None


def test_it_corrects_an_entry(app, add, admin, browser):
    add("Théo Rossignac", email=ENTRY["email"])
    person, client = somebody(app), browser(admin)
    path = f"/studio/people/{person.id}"
    assert press(client, path, path, **ENTRY | {"site": "Grenoble"}).status_code == 303
    assert somebody(app).site == "Grenoble"
    wrong = press(client, path, path, **ENTRY | {"email": "nobody", "site": "Brest"})
    assert wrong.status_code == 422
    assert 'value="Brest"' in wrong.get_data(as_text=True)
    assert somebody(app).site == "Grenoble"


def test_it_gives_and_takes_roles(app, add, admin, browser):
    person = add("Théo Rossignac", email=ENTRY["email"], roles=["hr"])
    client, path = browser(admin), f"/studio/people/{person.id}"
    assert press(client, path, f"{path}/roles", roles=["lead", "sponsor"]).status_code == 303
    assert somebody(app).roles == {"lead", "sponsor"}
    assert press(client, path, f"{path}/roles").status_code == 303
    assert somebody(app).roles == frozenset()
    own = f"/studio/people/{admin.id}"
    refused = press(client, own, f"{own}/roles", roles=["hr"])
    assert refused.status_code == 409
    assert "At least one administrator" in refused.get_data(as_text=True)


def test_it_ends_every_access_at_a_departure_and_takes_back(app, add, admin, browser):
    person = add("Théo Rossignac", email=ENTRY["email"], joined=True, roles=["hr"])
    theirs, client = browser(person), browser(admin)
    path = f"/studio/people/{person.id}"
    assert press(client, path, f"{path}/departure").status_code == 303
    assert theirs.get("/me").status_code == 303
    gone = client.get(path).get_data(as_text=True)
    assert "/roles" not in gone
    assert "/invitations" not in gone
    assert "Théo" not in client.get("/studio/people").get_data(as_text=True)
    assert "Théo" in client.get("/studio/people?departed=1").get_data(as_text=True)
    assert press(client, path, f"{path}/return").status_code == 303
    assert somebody(app).roles == frozenset()


def test_it_refuses_an_unknown_person(admin, browser):
    client = browser(admin)
    unknown = f"/studio/people/{uuid.uuid4()}"
    assert client.get(unknown).status_code == 404
    assert client.get("/studio/people/none").status_code == 404
    for act in ("", "/invitations", "/roles", "/departure", "/return", "/identities/removal"):
        assert press(client, "/studio/people/new", unknown + act, **ENTRY).status_code == 404


def test_it_is_for_administrators_alone(add, admin, browser):
    others = [role for role in GRANTABLE if role != "admin"]
    person = add("Théo Rossignac", joined=True, roles=others)
    client = browser(person)
    entry = f"/studio/people/{admin.id}"
    for path in ("/studio/people", "/studio/people/new", entry):
        assert client.get(path).status_code == 403
        assert browser().get(path).status_code == 303
    acts = ("", "/invitations", "/roles", "/departure", "/return", "/identities/removal")
    for path in ("/studio/people", *(entry + act for act in acts)):
        refused = press(client, "/me", path, **ENTRY, roles=["admin"])
        assert refused.status_code == 403


def test_it_refuses_acts_by_looking_and_forms_without_their_token(admin, browser):
    client, entry = browser(admin), f"/studio/people/{admin.id}"
    for act in ("/invitations", "/roles", "/departure", "/return", "/identities/removal"):
        assert client.get(entry + act).status_code == 405
        assert client.post(entry + act).status_code == 400


def test_it_answers_htmx_with_the_list_and_a_browser_with_a_page(admin, browser):
    client = browser(admin)
    page = client.get("/studio/people").get_data(as_text=True)
    part = client.get("/studio/people", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<!doctype html>" in page
    assert "<!doctype html>" not in part
    assert "data-row" in part


def test_it_offers_to_invite_a_person_with_the_box_ticked(admin, browser):
    client = browser(admin)
    assert 'href="/studio/people/new?invite=1"' in client.get("/studio/people").text
    box = r'<input[^>]*name="invite"[^>]*>'
    invited = re.search(box, client.get("/studio/people/new?invite=1").text)
    added = re.search(box, client.get("/studio/people/new").text)
    assert "checked" in invited[0]
    assert "checked" not in added[0]


FOLDER = "No mail server is configured: it was written to the mail folder"


@pytest.mark.parametrize("joined", [False, True])
def test_it_tells_where_a_mail_went_that_no_server_carries(add, admin, browser, joined):
    """Rule W2: said of everybody alike."""
    person = add("Anne Martin", email="anne@halvenne.example", joined=joined)
    client = browser(admin)
    where = f"/studio/people/{person.id}"
    press(client, where, f"{where}/invitations")
    assert FOLDER in client.get(where).text
    assert FOLDER not in client.get(where).text


def test_it_says_nothing_of_a_folder_when_nobody_was_invited(add, admin, browser):
    client = browser(admin)
    press(client, "/studio/people/new", "/studio/people", **ENTRY)
    assert FOLDER not in client.get("/studio/people").text
