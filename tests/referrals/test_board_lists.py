"""The board as a tool: paging, counts, filters, acts on several, ways back, tables."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import uuid

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import clock
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.people.models import Person
from app.referrals import attribution, board_export, offer_queries, offers, queries, service
from app.referrals.models import Referral
from app.referrals.offer_queries import OfferFilter
from app.referrals.queries import ReferralFilter
from tests.conftest import House


@pytest.fixture
def browser(house: House, sofiane: Person) -> FlaskClient:
    """The recruiter's, in English."""
    return house.browser(house.person("Anna Berg", "recruiter", language="en"))


def stage_of(referral_id: uuid.UUID) -> str:
    return db.session.get_one(Referral, referral_id, populate_existing=True).stage


def several(house: House, member: Person, n: int) -> list[uuid.UUID]:
    """`n` referrals, received an hour apart, the first one first."""
    made = []
    for number in range(n):
        made.append(house.referral(member, first_name=f"P{number}"))
        clock.freeze(clock.now() + dt.timedelta(hours=1))
    return made


@pytest.mark.parametrize("oldest", [False, True])
def test_it_pages_both_ways_without_losing_or_repeating(
    house: House, maelle: Person, oldest: bool
) -> None:
    made = several(house, maelle, 5)
    expected = made if oldest else made[::-1]
    f = ReferralFilter(running=True)
    first = queries.referrals(f, limit=2, oldest=oldest)
    assert first.previous is None
    second = queries.referrals(f, limit=2, after=first.next, oldest=oldest)
    third = queries.referrals(f, limit=2, after=second.next, oldest=oldest)
    assert third.next is None
    seen = [row.id for page in (first, second, third) for row in page.rows]
    assert seen == expected
    back = queries.referrals(f, limit=2, before=third.previous, oldest=oldest)
    assert back == second
    again = queries.referrals(f, limit=2, before=back.previous, oldest=oldest)
    assert [row.id for row in again.rows] == expected[:2]
    assert again.previous is None
    assert again.next == first.next


def test_a_place_nobody_gave_is_refused(browser: FlaskClient) -> None:
    for place in ("after=zzz", "before=zzz", "before=%00"):
        assert browser.get(f"/studio/referrals?{place}").status_code == 422
    with pytest.raises(InvalidInput):
        queries.referrals(ReferralFilter(), before="bm8")


def test_it_counts_each_stage_and_each_usual_filter(house: House, maelle: Person) -> None:
    theo = house.person("Théo Rossignac", "recruiter")
    one, two, three = several(house, maelle, 3)
    service.set_stage(two, "interview", actor_id=theo.id, actor_role="recruiter")
    service.assign(one, theo.id, theo.id)
    with transaction():
        referral = service.load(three)
        referral.promise_due_at = clock.now() - dt.timedelta(days=1)
        attribution.claim(referral, theo.id, "code-field", clock.now(), code="x")
    counts = queries.board_counts(ReferralFilter(running=True), theo.id)
    assert (counts.stages["received"].n, counts.stages["received"].late) == (2, 1)
    assert counts.stages["interview"].n == 1
    assert (counts.running.n, counts.mine.n, counts.unowned.n) == (3, 1, 2)
    assert (counts.late.n, counts.contested.n, counts.events) == (1, 1, 0)
    contested = queries.referrals(ReferralFilter(contested=True)).rows
    assert [row.id for row in contested] == [three]
    narrowed = queries.board_counts(ReferralFilter(site="Nowhere"), theo.id)
    assert narrowed.running.n == 0


def test_it_reads_the_same_on_both_databases(any_house: House) -> None:
    maelle = any_house.person()
    offer = any_house.offer("Charpente", department="Chantiers", contract="CDI")
    made = [*several(any_house, maelle, 2), any_house.referral(maelle, offer)]
    page = queries.referrals(ReferralFilter(running=True), limit=2)
    assert [row.id for row in page.rows] == [made[2], made[1]]
    rest = queries.referrals(ReferralFilter(running=True), limit=2, after=page.next)
    back = queries.referrals(ReferralFilter(running=True), limit=2, before=rest.previous)
    assert ([row.id for row in rest.rows], back) == ([made[0]], page)
    counts = queries.board_counts(ReferralFilter(offer_id=offer), maelle.id)
    assert (counts.stages["received"].n, counts.unowned.n, counts.contested.n) == (1, 1, 0)
    assert queries.offers_applied_to(offer)[0].title == "Charpente"
    facets = offer_queries.facets()
    assert [(f.value, f.count) for f in facets.departments] == [("Chantiers", 1)]
    assert [(f.value, f.count) for f in facets.locations] == [("Lorient", 3)]
    first = offer_queries.list_offers(OfferFilter(), limit=2)
    last = offer_queries.list_offers(OfferFilter(), limit=2, after=first.next)
    assert offer_queries.list_offers(OfferFilter(), limit=2, before=last.previous) == first
    upside = offer_queries.list_offers(OfferFilter(), oldest=True)
    assert [row.id for row in upside.rows] == [row.id for row in (*first.rows, *last.rows)][::-1]


def test_counts_stop_where_they_would_cost_too_much(
    house: House, maelle: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(house, maelle, 3)
    monkeypatch.setattr(queries, "COUNTED", 2)
    counts = queries.board_counts(ReferralFilter(), maelle.id)
    assert counts.stages["received"].n == 2
    page = house.browser(house.person("Anna Berg", "recruiter")).get("/studio/referrals")
    assert "<b>1+</b>" in page.get_data(as_text=True)


def test_each_filter_is_a_chip_that_takes_it_away(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    offer = house.offer("Charpente", location="Limoges")
    house.referral(maelle, offer)
    page = browser.get(
        f"/studio/referrals?offer={offer}&site=Limoges&stage=received&q=nadia"
    ).get_data(as_text=True)
    assert "Nadia Ferrand" in page
    links = re.findall(r'class="chip chip-off" href="([^"]+)"', page)
    assert len(links) == 4
    for name in ("offer", "site", "stage", "q"):
        assert sum(f"{name}=" not in link for link in links) == 1
    assert "Nadia" not in browser.get("/studio/referrals?site=Lorient").get_data(as_text=True)


def test_a_fragment_is_what_htmx_asks_for(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    house.referral(maelle)
    part = browser.get("/studio/referrals?view=all", headers={"HX-Request": "true"})
    text = part.get_data(as_text=True)
    assert "<html" not in text
    assert 'id="board"' in text and "Nadia Ferrand" in text


def test_several_are_moved_and_what_cannot_be_is_told_beside_its_name(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    ready, same, refused = several(house, maelle, 3)
    anna = house.person("Anna Ek", "recruiter")
    service.set_stage(ready, "hired", actor_id=anna.id, actor_role="recruiter")
    for done in ("hired", "trial_passed"):
        service.set_stage(same, done, actor_id=anna.id, actor_role="recruiter")
    chosen = [str(each) for each in (ready, same, refused)]
    form = {"referral": chosen, "stage": "trial_passed", "back": "/studio/referrals?view=all"}
    answer = browser.post("/studio/referrals/stages", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Done for 1 of 3." in page
    assert "It was so already" in page
    assert "Record the hire first" in page
    assert 'href="/studio/referrals?view=all"' in page
    assert [stage_of(each) for each in (ready, same, refused)] == [
        "trial_passed",
        "trial_passed",
        "received",
    ]


def test_an_unknown_referral_keeps_none_of_the_others_waiting(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    one = house.referral(maelle)
    chosen = [str(uuid.uuid4()), "nonsense", str(one)]
    page = browser.post("/studio/referrals/stages", data={"referral": chosen, "stage": "screened"})
    assert "Done for 1 of 2." in page.get_data(as_text=True)
    assert stage_of(one) == "screened"


def test_who_follows_is_put_back_where_nobody_changed_it_since(
    house: House, maelle: Person
) -> None:
    anna = house.person("Anna Berg", "recruiter", language="en")
    pauline = house.person("Pauline Delmotte", "recruiter")
    browser = house.browser(anna)
    one, two = several(house, maelle, 2)
    service.assign(one, pauline.id, anna.id)
    form = {"referral": [str(one), str(two)], "mine": "1"}
    page = browser.post("/studio/referrals/owners", data=form).get_data(as_text=True)
    assert "Done for 2 of 2." in page
    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    undo: dict[str, list[str]] = {}
    for name, value in fields:
        undo.setdefault(name, []).append(value)
    assert undo["before"] == [str(pauline.id), ""]
    service.assign(two, pauline.id, anna.id)  # meanwhile
    assert browser.post("/studio/referrals/owners/undo", data=undo).status_code == 303
    rows = {row.id: row.owner_name for row in queries.referrals(ReferralFilter()).rows}
    assert rows == {one: "Pauline Delmotte", two: "Pauline Delmotte"}
    told = browser.get("/studio/referrals?all=1").get_data(as_text=True)
    assert "Taken back for one." in told
    assert "One was changed by somebody since" in told


def test_a_next_step_for_several_is_put_back_with_its_day(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    one, two = several(house, maelle, 2)
    day = db.session.get_one(Referral, one).promise_due_at
    form = {"referral": [str(one), str(two)], "next_step": "Visite jeudi", "due_on": "2026-12-01"}
    page = browser.post("/studio/referrals/next-steps", data=form).get_data(as_text=True)
    assert db.session.get_one(Referral, one, populate_existing=True).next_step == "Visite jeudi"
    undo: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        undo.setdefault(name, []).append(value)
    browser.post("/studio/referrals/next-steps/undo", data=undo)
    for each in (one, two):
        row = db.session.get_one(Referral, each, populate_existing=True)
        assert row.next_step is None
    assert db.session.get_one(Referral, one, populate_existing=True).promise_due_at == day
    long = form | {"next_step": "x" * 201}
    assert "200 characters at most" in browser.post(
        "/studio/referrals/next-steps", data=long
    ).get_data(as_text=True)


@pytest.mark.parametrize("path", ["stages", "owners", "next-steps"])
def test_nothing_chosen_changes_nothing_and_leads_back(browser: FlaskClient, path: str) -> None:
    for back in ("https://evil.example", "//evil.example", "/studio/referrals.evil", "/me"):
        answer = browser.post(f"/studio/referrals/{path}", data={"back": back})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/studio/referrals")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/studio/referrals.csv"), ("GET", "/studio/referrals/columns"),
        ("GET", "/studio/referrals/columns.csv"), ("POST", "/studio/referrals/next-steps"),
        ("POST", "/studio/referrals/owners/undo"), ("POST", "/studio/referrals/next-steps/undo"),
    ],
)  # fmt: skip
def test_only_recruiters_and_administrators_use_it(house: House, method: str, path: str) -> None:
    for nobody in (house.person(), house.person("Marc Le Goff", "hr", "lead", "curator")):
        assert house.browser(nobody).open(path, method=method).status_code == 403


def table(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_table_holds_what_the_filters_show_and_runs_nothing(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    house.referral(maelle, house.offer("-2+3+cmd|' /C calc'!A0"), first_name="=HYPERLINK(1)")
    house.referral(maelle, house.offer("Elsewhere", location="Brest"), first_name="Bo")
    answer = browser.get("/studio/referrals.csv?site=Lorient")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="referrals.csv"'
    header, row, *end = table(answer.get_data(as_text=True))
    assert end == [[], ["Not for appraisal or sanction."]]
    cells = dict(zip(header, row, strict=True))
    assert cells["Person"] == "'=HYPERLINK(1) Ferrand"
    assert cells["Offer"].startswith("'-2+3")
    assert cells["Stage"] == "Received"
    assert cells["Received"].endswith("Z")
    noted = select(func.count()).where(AuditEntry.action == "referrals.exported")
    assert db.session.scalar(noted) == 1


def test_each_column_is_defined(house: House, browser: FlaskClient) -> None:
    header, *_rows = table(browser.get("/studio/referrals.csv").get_data(as_text=True))
    defined = table(browser.get("/studio/referrals/columns.csv").get_data(as_text=True))[1:]
    assert [name for name, _definition in defined] == header
    assert all(len(definition) > 20 for _name, definition in defined)
    page = browser.get("/studio/referrals/columns?view=late&after=x").get_data(as_text=True)
    assert 'href="/studio/referrals.csv?view=late"' in page
    with house.app.test_request_context("/"):
        assert len(board_export.columns()) == len(header)


def test_a_phone_reaches_every_place_of_a_team_with_all_roles(house: House) -> None:
    everything = house.person(
        "Nolwenn Madec", "admin", "hr", "lead", "recruiter", "curator", language="en"
    )
    page = house.browser(everything).get("/studio/referrals").get_data(as_text=True)
    sheet = page[page.index("places-sheet") : page.index("</details>", page.index("places-sheet"))]
    near = page[page.index("places-list") : page.index("places-far")]
    assert near.count("<li>") == 4
    for path in ("/studio/offers", "/studio/rules", "/studio/people"):
        assert f'href="{path}"' in sheet
    assert 'href="/"' in sheet
    letters = re.findall(r'data-go="(\w)"', page)
    assert len(letters) == len(set(letters)) >= 9


def test_several_offers_are_closed_and_opened_with_what_was_left(
    house: House, browser: FlaskClient
) -> None:
    one, two = house.offer("Une"), house.offer("Deux")
    back = "/studio/offers?status=open"
    form = {"offer": [str(one), str(two)], "back": back}
    answer = browser.post("/studio/offers/closures", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, back)
    assert {row.status for row in offer_queries.named([one, two])} == {"closed"}
    offers.open_offer(one, None)
    gone = str(uuid.uuid4())
    page = browser.post(
        "/studio/offers/closures", data=form | {"offer": [str(one), str(two), gone]}
    )
    assert "Done for 1 of 3." in page.get_data(as_text=True)
    assert "It was so already" in page.get_data(as_text=True)
    assert "There is no such offer." in page.get_data(as_text=True)
    browser.post("/studio/offers/publications", data=form)
    assert {row.status for row in offer_queries.named([one, two])} == {"open"}
    nothing = browser.post("/studio/offers/closures", data={"back": "//evil.example"})
    assert nothing.headers["Location"] == "/studio/offers?all=1"
    member = house.browser(house.person())
    assert member.post("/studio/offers/closures", data=form).status_code == 403


def test_a_stage_must_be_chosen_for_several(
    house: House, maelle: Person, browser: FlaskClient
) -> None:
    one = house.referral(maelle)
    for stage in ("", "promoted"):
        form = {"referral": [str(one)], "stage": stage}
        assert browser.post("/studio/referrals/stages", data=form).status_code == 303
        assert "Choose a stage." in browser.get("/studio/referrals?all=1").get_data(as_text=True)
    assert stage_of(one) == "received"
