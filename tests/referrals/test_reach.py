"""Whom offers are shown to, and which of them a role for a segment keeps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import audiences, saved_views
from app.people.audiences import KEPT, SEEN
from app.people.models import Person, RoleGrant, Segment, SegmentPerson
from app.referrals import (
    connections,
    imports,
    links,
    offer_queries,
    offers,
    queries,
    reach,
    service,
)
from app.referrals.errors import CannotFollow, UnknownOffer, UnknownReferral
from app.referrals.models import Offer, Referral
from app.referrals.queries import ReferralFilter
from app.settings import entities
from app.settings.models import Entity
from app.sharing.subjects import shareable
from tests.conftest import House, masked
from tests.referrals import offers_kit as kit

NOWHERE = uuid.UUID("0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4")


def segment(name: str, *people: Person) -> uuid.UUID:
    with transaction() as session:
        row = Segment(name=name, rule=None)
        session.add(row)
        session.flush()
        session.add_all(SegmentPerson(segment_id=row.id, person_id=each.id) for each in people)
    return row.id


def limited(house: House, name: str, segment_id: uuid.UUID, role: str = "recruiter") -> Person:
    """Somebody who holds a role for one segment."""
    person = house.person(name, language="en")
    with transaction() as session:
        session.add(RoleGrant(person_id=person.id, role=role, segment_id=segment_id))
    db.session.expire_all()
    return person


def company(name: str, *, keeps_offers: bool = False) -> Entity:
    made = entities.make(name[:3].upper(), name, actor_id=None)
    entities.change(made.id, made.code, name, keeps_offers=keeps_offers, actor_id=None)
    return made


def met(person: Person) -> set[str]:
    return {row.title for row in offer_queries.open_offers(person.id).rows}


@dataclass
class Parts:
    """Two parts of the organisation, an offer kept by each and one by neither; a referral to
    each; a recruiter of the first part."""

    north: uuid.UUID
    south: uuid.UUID
    own: uuid.UUID
    others: uuid.UUID
    nobodys: uuid.UUID
    own_file: uuid.UUID
    others_file: uuid.UUID
    nobodys_file: uuid.UUID
    anne: Person


@pytest.fixture
def parts(house: House, maelle: Person) -> Parts:
    north, south = segment("North"), segment("South")
    own = house.offer("Own offer", kept=[str(north)], audience=[])
    others = house.offer("Other offer", kept=[str(south)])
    nobodys = house.offer("Nobody offer")
    files = [house.referral(maelle, each) for each in (own, others, nobodys)]
    anne = limited(house, "Anne Martin", north)
    return Parts(north, south, own, others, nobodys, *files, anne)


# --- members -----------------------------------------------------------------------------


def test_it_shows_an_offer_to_the_segments_it_is_meant_for(house: House, maelle: Person):
    theo = house.person("Théo Rossignac", language="en")
    house.offer("For all")
    part = house.offer("For a part", audience=[str(segment("Chantier", maelle))])
    assert met(maelle) == {"For all", "For a part"}
    assert met(theo) == {"For all"}
    browser = house.browser(theo)
    for path in ("/offers", "/offers?q=part", "/", "/welcome"):
        assert "For a part" not in browser.get(path).text, path
    assert {f.count for f in offer_queries.facets(person_id=theo.id).locations} == {1}
    told = [browser.get(f"/offers/{each}") for each in (part, NOWHERE)]
    assert [answer.status_code for answer in told] == [404, 404]
    for act in ("links", "recommendation", "share"):
        codes = {browser.post(f"/offers/{each}/{act}", data={"words": "x"}).status_code
                 for each in (part, NOWHERE)}  # fmt: skip
        assert len(codes) == 1 and codes <= {404, 405}, act
    for each in (part, NOWHERE):
        with pytest.raises(UnknownOffer):
            links.link_for(theo.id, each, "link")
        with pytest.raises(UnknownOffer):
            shareable(theo.id, None, each, None)
    assert "For a part" in house.browser(maelle).get(f"/offers/{part}").text


def test_it_answers_for_a_closed_offer_of_others_as_for_none(house: House, maelle: Person):
    part = house.offer("For a part", audience=[str(segment("Elsewhere"))])
    offers.close_offer(part, None)
    with pytest.raises(UnknownOffer):
        links.link_for(maelle.id, part, "link")


def test_it_never_punishes_a_candidate_for_whom_an_offer_is_meant(house: House, maelle: Person):
    """The public page, a link that was given out and the referrals through it stay."""
    offer = house.offer("Meant for others by now")
    link = links.link_for(maelle.id, offer, "link")
    referral = house.referral(maelle, offer)
    offers.update_offer(offer, {"audience": [str(segment("Elsewhere"))]}, None)
    assert met(maelle) == set()
    visitor = house.app.test_client()
    answer = visitor.get(f"/r/{link.code}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    assert answer.status_code == 302
    assert "Meant for others by now" in visitor.get(answer.headers["Location"]).text
    assert links.link_for(maelle.id, offer, "link").code == link.code
    browser = house.browser(maelle)
    assert browser.get(f"/offers/{offer}").status_code == 200
    assert "Meant for others by now" in browser.get("/referrals?tab=links").text
    assert queries.referral(referral, referrer_id=maelle.id) is not None
    assert service.apply(offer, house.application(code=link.code)) is not None


def test_it_keeps_the_offers_of_an_entity_to_its_own_people(house: House, maelle: Person):
    apart, shared = company("Scierie", keeps_offers=True), company("Atelier")
    with transaction() as session:
        session.get_one(Person, maelle.id).entity_id = apart.id
    theo = house.person("Théo Rossignac")
    house.offer("At the saw", entity=apart.code)
    house.offer("At the nursery", entity=shared.code)
    everybody = segment("Chantier", theo)
    house.offer("Said by itself", entity=apart.code, audience=[str(everybody)])
    assert met(maelle) == {"At the saw", "At the nursery"}
    assert met(theo) == {"At the nursery", "Said by itself"}
    entities.change(apart.id, apart.code, "Scierie", keeps_offers=False, actor_id=None)
    assert met(theo) == {"At the saw", "At the nursery", "Said by itself"}


def test_it_leafs_on_today_through_what_is_meant_for_the_reader(house: House, maelle: Person):
    house.offer("Hidden", audience=[str(segment("Elsewhere"))])
    assert "Hidden" not in house.browser(maelle).get("/").text
    house.offer("Here", audience=[str(segment("Mine", maelle))])
    assert "Here" in house.browser(maelle).get("/").text


def test_it_narrows_down_to_a_company_in_the_address(house: House, maelle: Person, sofiane: Person):
    saw = company("Scierie")
    house.offer("At the saw", entity=saw.code)
    referral = house.referral(maelle, house.offer("At the office"))
    member, recruiter = house.browser(maelle), house.browser(sofiane)
    for browser, path in ((member, "/offers"), (recruiter, "/studio/offers")):
        shown = browser.get(f"{path}?entity={saw.code}").text
        assert "At the saw" in shown and "At the office" not in shown
        assert "Scierie" in browser.get(path).text
    assert str(referral) not in recruiter.get(f"/studio/referrals?entity={saw.code}").text
    assert str(referral) in recruiter.get("/studio/referrals").text
    assert "Scierie" in recruiter.get("/studio/offers.csv").text


def test_it_names_the_company_that_hires_on_the_public_page(house: House):
    saw = company("Scierie")
    offer = db.session.get_one(Offer, house.offer("At the saw", entity=saw.code))
    page = house.app.test_client().get(f"/o/{offer.slug}").text
    assert '"hiringOrganization": {"@type": "Organization", "name": "Scierie"' in page
    assert '"parentOrganization": {"@type": "Organization", "name": "Halvenne"}' in page


def test_it_takes_no_entity_that_is_out_of_use_or_unknown(house: House):
    saw = company("Scierie")
    kept = house.offer("At the saw", entity=saw.code)
    entities.archive(saw.id, True, actor_id=None)
    offers.update_offer(kept, {"title": "Still at the saw", "entity": saw.code}, None)
    for code in (saw.code, "NONE"):
        with pytest.raises(InvalidInput) as caught:
            house.offer("x", entity=code)
        assert set(caught.value.errors) == {"entity"}


# --- a recruiter of one part -------------------------------------------------------------


def test_it_opens_to_a_limited_recruiter_what_their_segment_keeps(house: House, parts: Parts):
    browser = house.browser(parts.anne)
    for path in ("/studio/offers", "/studio/offers.csv", "/studio/referrals?view=all",
                 "/studio/referrals.csv?view=all"):  # fmt: skip
        page = browser.get(path).text
        assert "Own offer" in page, path
        assert "Other offer" not in page and "Nobody offer" not in page, path
    board = browser.get("/studio/referrals?view=all").text
    assert str(parts.own_file) in board and str(parts.others_file) not in board
    assert "/studio/events" not in board
    assert browser.get(f"/studio/offers/{parts.own}").status_code == 200
    assert browser.get(f"/studio/referrals/{parts.own_file}").status_code == 200
    counts = queries.board_counts(ReferralFilter(within=frozenset({parts.north})), parts.anne.id)
    assert (counts.running.n, counts.stages["received"].n, counts.events) == (1, 1, 0)


def test_it_notes_when_a_limited_recruiter_opens_a_file(house: House, parts: Parts):
    browser = house.browser(parts.anne)
    for each in (parts.own_file, parts.others_file):
        browser.get(f"/studio/referrals/{each}")
    opened = select(AuditEntry.target_id, AuditEntry.actor_role).where(
        AuditEntry.action == "referral.opened", AuditEntry.actor_id == parts.anne.id
    )
    assert [tuple(row) for row in db.session.execute(opened)] == [
        (str(parts.own_file), "recruiter")
    ]


ACTS: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/studio/offers/{offer}", {}),
    ("POST", "/studio/offers/{offer}", {"title": "Taken over"}),
    ("POST", "/studio/offers/{offer}/closure", {}),
    ("POST", "/studio/offers/{offer}/publication", {}),
    ("GET", "/studio/referrals/{file}", {}),
    ("POST", "/studio/referrals/{file}/stages", {"stage": "interview"}),
    ("POST", "/studio/referrals/{file}/next-step", {"next_step": "Soon"}),
    ("POST", "/studio/referrals/{file}/owner", {"owner": ""}),
]


@pytest.mark.parametrize(("method", "path", "form"), ACTS)
def test_it_answers_for_others_as_for_unknown(
    house: House, parts: Parts, method: str, path: str, form: dict[str, str]
):
    browser = house.browser(parts.anne)
    told = []
    for offer, file in ((parts.others, parts.others_file), (parts.nobodys, parts.nobodys_file),
                        (NOWHERE, NOWHERE)):  # fmt: skip
        answer = browser.open(path.format(offer=offer, file=file), method=method, data=form)
        told.append((answer.status_code, masked(answer.text, offer, file)))
    assert told[0][0] == 404
    assert told[0] == told[1] == told[2]
    own = browser.open(path.format(offer=parts.own, file=parts.own_file), method=method, data=form)
    assert own.status_code in (200, 303)
    db.session.expire_all()
    kept = db.session.get_one(Referral, parts.others_file)
    assert (kept.stage, kept.next_step) == ("received", None)
    assert db.session.get_one(Offer, parts.others).status == "open"
    assert db.session.get_one(Offer, parts.others).title == "Other offer"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/studio/referrals/stages", {"stage": "interview"}),
        ("/studio/referrals/next-steps", {"next_step": "Soon"}),
        ("/studio/referrals/owners", {"mine": "1"}),
    ],
)
def test_it_leaves_referrals_of_others_alone_in_bulk(
    house: House, parts: Parts, path: str, form: dict[str, str]
):
    browser = house.browser(parts.anne)
    pages = []
    for other in (parts.others_file, NOWHERE):
        chosen = [str(parts.own_file), str(other)]
        pages.append(browser.post(path, data=form | {"referral": chosen}).text)
    assert all("There is no such referral." in page for page in pages)
    assert not any("Other offer" in page for page in pages)
    db.session.expire_all()
    other = db.session.get_one(Referral, parts.others_file)
    assert (other.stage, other.next_step, other.owner_id) == ("received", None, None)


def test_it_leaves_offers_of_others_open_in_bulk(house: House, parts: Parts):
    chosen = [str(parts.own), str(parts.others), str(parts.nobodys), str(NOWHERE)]
    page = house.browser(parts.anne).post("/studio/offers/closures", data={"offer": chosen}).text
    assert page.count("There is no such offer.") == 3
    assert "Other offer" not in page
    assert {each.status for each in (db.session.get_one(Offer, parts.others),
                                     db.session.get_one(Offer, parts.nobodys))} == {"open"}  # fmt: skip
    assert db.session.get_one(Offer, parts.own).status == "closed"


def test_it_keeps_what_is_of_no_single_offer_from_limited_recruiters(house: House, parts: Parts):
    browser = house.browser(parts.anne)
    for path in ("/studio/events", "/studio/connections", "/studio/imports"):
        assert browser.get(path).status_code == 403, path
    form = {"offer": str(parts.own), "keeper": str(parts.south)}
    assert browser.post("/studio/offers/keepers", data=form).status_code == 403
    page = browser.get("/studio/offers").text
    assert "/studio/imports" not in page and "/studio/connections" not in page


def test_a_limited_recruiter_writes_offers_of_their_segment(house: House, parts: Parts):
    browser = house.browser(parts.anne)
    browser.post("/studio/offers", data={"title": "New here", "status": "open"})
    made = db.session.scalars(select(Offer).where(Offer.title == "New here")).one()
    for purpose in (SEEN, KEPT):
        assert audiences.assigned([made.id], purpose)[made.id] == [(parts.north, "North")]
    for field in ("kept", "audience"):
        refused = browser.post("/studio/offers", data={"title": "x", field: str(parts.south)})
        assert refused.status_code == 422, field
    changed = {"title": "New here", "kept": [str(parts.north), str(parts.south)]}
    assert browser.post(f"/studio/offers/{made.id}", data=changed).status_code == 422
    with pytest.raises(InvalidInput):
        offers.create_offer({"title": "x", "source": "greenhouse"}, None, within={parts.north})
    offers.update_offer(parts.others, {"external_id": "A-1"}, None)
    mine = {"title": "x", "external_id": "A-1"}
    offers.create_offer(mine, None, within={parts.north})
    with pytest.raises(InvalidInput):
        offers.create_offer(mine, None, within={parts.north})


def test_a_limited_recruiter_keeps_what_they_share(house: House, parts: Parts):
    """What others keep as well stays theirs, and nobody lets go of an offer by mistake."""
    offers.update_offer(parts.own, {"kept": [str(parts.north), str(parts.south)]}, None)
    within = frozenset({parts.north})
    offers.update_offer(parts.own, {"kept": [str(parts.north)]}, None, within=within)
    assert {i for i, _ in reach.segments_of(parts.own, KEPT)} == {parts.north, parts.south}
    with pytest.raises(InvalidInput):
        offers.update_offer(parts.own, {"kept": [""]}, None, within=within)


def test_it_hands_offers_to_a_segment_one_by_one_and_several(
    house: House, parts: Parts, sofiane: Person
):
    browser = house.browser(sofiane)
    page = browser.get(f"/studio/offers/{parts.others}?lang=en").text
    assert "Recruiters who keep it" in page
    kept = {"title": "Other offer", "kept": ["", str(parts.north)]}
    assert browser.post(f"/studio/offers/{parts.others}", data=kept).status_code == 303
    chosen = [str(parts.nobodys), str(parts.others)]
    browser.post("/studio/offers/keepers", data={"offer": chosen, "keeper": str(parts.north)})
    hers = house.browser(parts.anne).get("/studio/offers").text
    assert all(title in hers for title in ("Own offer", "Other offer", "Nobody offer"))
    browser.post("/studio/offers/keepers", data={"offer": chosen, "keeper": ""})
    hers = house.browser(parts.anne).get("/studio/offers").text
    assert "Own offer" in hers and "Other offer" not in hers
    wrong = {"offer": chosen, "keeper": str(NOWHERE)}
    assert browser.post("/studio/offers/keepers", data=wrong).status_code == 303
    assert reach.segments_of(parts.others, KEPT) == []


def test_it_entrusts_referrals_only_to_who_can_open_them(
    house: House, parts: Parts, sofiane: Person
):
    assert [each.name for each in reach.recruiters()] == ["Anne Martin", "Sofiane Belkhir"]
    south = limited(house, "Zoé South", parts.south)
    hers = reach.recruiters(frozenset({parts.north}))
    assert [each.name for each in hers] == ["Anne Martin", "Sofiane Belkhir"]
    assert [each.name for each in reach.recruiters_of(parts.others)] == [
        "Sofiane Belkhir", "Zoé South",
    ]  # fmt: skip
    assert [each.name for each in reach.recruiters_of(None)] == ["Sofiane Belkhir"]
    service.assign(parts.own_file, parts.anne.id, sofiane.id)
    for person in (south, house.person("Nobody Known")):
        with pytest.raises(CannotFollow):
            service.assign(parts.own_file, person.id, sofiane.id)
    with pytest.raises(UnknownReferral):
        service.assign(parts.others_file, None, parts.anne.id, within={parts.north})
    page = house.browser(sofiane).get(f"/studio/referrals/{parts.own_file}").text
    assert "Anne Martin" in page and "Zoé South" not in page


def test_it_frees_running_referrals_from_who_can_open_them_no_more(
    house: House, parts: Parts, sofiane: Person
):
    service.assign(parts.own_file, parts.anne.id, sofiane.id)
    offers.hand_over(parts.own, parts.south, sofiane.id)
    db.session.expire_all()
    assert db.session.get_one(Referral, parts.own_file).owner_id is None
    assert not offers.hand_over(parts.own, parts.south, sofiane.id)


def test_a_limited_recruiter_has_saved_views(house: House, parts: Parts):
    browser = house.browser(parts.anne)
    browser.post("/studio/views/offers", data={"name": "Mine", "query": "status=open"})
    board = saved_views.team_list("offers", frozenset(), {"recruiter"})
    assert [view.name for view in saved_views.views_of(board, parts.anne.id)] == ["Mine"]
    assert "Mine" in browser.get("/studio/offers").text
    assert browser.get("/studio/views/redemptions/new").status_code == 404


def test_it_gives_what_a_connection_brings_its_keepers_and_its_company(
    house: House, parts: Parts, sofiane: Person
):
    saw = company("Scierie")
    connection = connections.default_connection("greenhouse")
    form = {"name": "Greenhouse", "entity": saw.code, "kept": ["", str(parts.north)]}
    browser = house.browser(sofiane)
    path = f"/studio/connections/{connection.id}"
    assert browser.post(path, data=form).status_code == 303
    assert "Scierie" in browser.get(path).text
    imports.import_now("greenhouse", data=kit.board(1, 2))
    brought = kit.offers_by_id()
    for key in ("1", "2"):
        assert brought[key].entity_id == saw.id
        assert reach.segments_of(brought[key].id, KEPT) == [(parts.north, "North")]
    offers.hand_over(brought["1"].id, None, sofiane.id)
    imports.import_now("greenhouse", data=kit.board(1, 2, title="Changed"))
    assert reach.segments_of(kit.offers_by_id()["1"].id, KEPT) == []
    connections.delete_connection(connection.id, None)
    assert audiences.assigned([connection.id], KEPT) == {}


# --- programs ----------------------------------------------------------------------------


def test_a_program_of_a_limited_recruiter_meets_the_same(house: House, parts: Parts):
    program = house.caller(db.session.get_one(Person, parts.anne.id))
    offers.update_offer(parts.others, {"audience": [str(parts.south)]}, None)
    draft = offers.create_offer({"title": "Draft of others", "status": "draft"}, None)
    shown = {row["title"]: row for row in program.get("/offers")["items"]}
    assert set(shown) == {"Own offer", "Nobody offer"}
    assert shown["Own offer"]["kept"] == [str(parts.north)]
    assert "kept" not in shown["Nobody offer"]
    answers: list[Any] = []
    for each in (parts.others, draft.id, NOWHERE):
        answers += [program.call("GET", f"/offers/{each}"),
                    program.call("POST", f"/offers/{each}/links", {"channel": "link"})]  # fmt: skip
    for each in (parts.others, parts.nobodys, NOWHERE):
        answers.append(program.call("POST", f"/offers/{each}/closure"))
    for each in (parts.others_file, parts.nobodys_file, NOWHERE):
        answers.append(program.call("GET", f"/referrals/{each}"))
        answers.append(program.call("POST", f"/referrals/{each}/stages", {"stage": "interview"}))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json["type"] for answer in answers}) == 1
    assert [row["id"] for row in program.get("/referrals")["items"]] == [str(parts.own_file)]
    assert program.get(f"/referrals/{parts.own_file}")["candidate_name"]
    program.post(f"/referrals/{parts.own_file}/stages", {"stage": "interview"})
    made = program.post("/offers", {"title": "By a program"})
    assert made["kept"] == made["audience"] == [str(parts.north)]
    program.post(f"/offers/{parts.own}/closure")


def test_a_program_says_whom_an_offer_is_meant_for_to_staff_alone(
    house: House, maelle: Person, sofiane: Person
):
    saw, part = company("Scierie"), segment("Chantier", maelle)
    staff, member = house.caller(sofiane), house.caller(maelle)
    fields = {"title": "At the saw", "entity": saw.code, "audience": [str(part)]}
    made = staff.post("/offers", fields)
    assert (made["entity"], made["audience"], made["kept"]) == (saw.code, [str(part)], [])
    seen = member.get(f"/offers/{made['id']}")
    assert not {"entity", "audience", "kept"} & set(seen)
    assert len(member.get(f"/offers?entity={saw.code}")["items"]) == 1
    assert staff.call("POST", "/offers", {"title": "x", "audience": ["y"]}).status_code == 422


def test_a_limited_recruiter_still_reads_their_own_referrals(house: House, parts: Parts):
    theirs = house.referral(parts.anne, parts.others)
    program = house.caller(db.session.get_one(Person, parts.anne.id))
    assert program.get(f"/referrals/{theirs}")["referrer"]["id"] == str(parts.anne.id)
    opened = select(AuditEntry.id).where(AuditEntry.action == "referral.opened")
    assert db.session.scalars(opened).all() == []


def test_limited_hr_reads_the_referrals_its_segment_keeps(house: House, parts: Parts):
    program = house.caller(limited(house, "Marc Aubin", parts.north, "hr"))
    assert [row["id"] for row in program.get("/referrals")["items"]] == [str(parts.own_file)]
    answers = [program.call("GET", f"/referrals/{each}") for each in (parts.others_file, NOWHERE)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json["title"] == answers[1].json["title"]
    program.get(f"/referrals/{parts.own_file}")
    opened = select(AuditEntry.actor_role).where(AuditEntry.action == "referral.opened")
    assert db.session.scalars(opened).all() == ["hr"]


def test_it_offers_whose_offers_are_shown_to_whom_on_the_page_of_entities(house: House):
    saw = company("Scierie")
    browser = house.browser(house.person("Nolwenn Prigent", "admin", language="en"))
    form = {"code": saw.code, "name": "Scierie", "offers": "own"}
    assert browser.post(f"/studio/entities/{saw.id}", data=form).status_code == 303
    assert "offers for its own people" in browser.get("/studio/entities").text
    del form["offers"]
    browser.post(f"/studio/entities/{saw.id}", data=form)
    db.session.expire_all()
    assert db.session.get_one(Entity, saw.id).keeps_offers
