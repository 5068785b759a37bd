"""Inviting: once a week, never after a no, taken back; open invitations, paper codes, requests."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from sqlalchemy import func, select

from app import clock
from app.audit.models import AuditEntry
from app.db import db
from app.errors import InvalidInput, NotFound
from app.outbox.models import OutboxEvent
from app.people import email_codes, invitations, open_invitations, queries, service
from app.people.errors import (
    InvitationOver,
    InvitationRevoked,
    InvitationUnknown,
    InvitedRecently,
    WrongMailCode,
)
from app.people.joining_models import EmailCode, InvitationRefusal, JoinRequest
from app.people.models import Login, Membership, Person
from app.people.open_invitations import Terms
from app.privacy import purge
from tests.people.conftest import PASSWORD, hidden, mailed_link, mails, press, words

WEEK = dt.timedelta(days=7)
CODE = re.compile(r"^(\d{6})$", re.MULTILINE)


def invited(app, person) -> str:
    with app.app_context():
        service.invite(person.id)
    return mailed_link(app, "join")


def newest_code(app) -> str:
    for message in reversed(mails(app)):
        if found := CODE.search(words(message)):
            return found[1]
    raise AssertionError("no code was mailed")


def made(app, **terms) -> str:
    """An open invitation; its code."""
    given = {"label": "Atelier de Caudan", "admission": "approval", "days": 30, "use_limit": 3}
    with app.app_context():
        batch = open_invitations.create(Terms(**given | terms))
        return open_invitations.batch(batch)[0].code


def to_the_code(app, client, code: str, email: str = "noe@mail.example", name="Noé Briand"):
    """Fill in the page of an open invitation; where the six figures are typed."""
    answer = press(client, f"/i/{code}", f"/i/{code}", name=name, email=email)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def type_code(app, client, where: str):
    return press(client, where, where, code=newest_code(app))


# --- by mail -----------------------------------------------------------------------------


def test_it_writes_to_nobody_twice_in_a_week(app, add):
    person = add()
    invited(app, person)
    with app.app_context():
        clock.travel(WEEK - dt.timedelta(hours=1))
        with pytest.raises(InvitedRecently):
            service.invite(person.id)
        clock.travel(dt.timedelta(hours=1))
        service.invite(person.id)
    assert len(mails(app)) == 2


def test_it_sends_nothing_more_after_a_no_and_tells_nobody(app, add, browser):
    person, other = add(language="en"), add("Ann Lee", language="en")
    invited(app, other)
    invited(app, person)
    (mail,) = [m for m in mails(app) if "maelle" in m["To"]]
    path = re.search(r"https?://[^/\s]+(/no-thanks/\S+)", words(mail))[1]
    assert path in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for _ in range(2):
        assert "Nothing has changed yet" in browser().get(path).get_data(as_text=True)
    assert browser().post(path).status_code == 200  # as a mail program presses: no form, no session
    assert "nothing more is sent" in browser().post(path).get_data(as_text=True)
    with app.app_context():
        facts = db.session.scalar(select(func.count()).select_from(OutboxEvent))
        told = db.session.scalars(select(AuditEntry.action)).all()
        assert "refus" not in " ".join(told) and "thank" not in " ".join(told)
        clock.travel(WEEK)
        service.invite(person.id)  # the same for both, whoever asks
        service.invite(other.id)
        one, two = invitations.sent_page().items
        assert (one.state, one.sent_at, one.again_at) == (two.state, two.sent_at, two.again_at)
        row = db.session.scalars(select(InvitationRefusal)).one()
        assert person.email not in row.address_hash
        assert facts < (db.session.scalar(select(func.count()).select_from(OutboxEvent)) or 0)
    assert [m["To"] for m in mails(app)[2:]] == ["Ann Lee <ann@halvenne.example>"]


def test_it_lets_in_whoever_changed_their_mind_after_a_no(app, add, browser):
    person = add()
    path = invited(app, person)
    with app.app_context():
        invitations.refuse(person.id)
    assert press(browser(), path, path).location == "/welcome"
    with app.app_context():
        assert db.session.scalars(select(InvitationRefusal)).all() == []


def test_it_reads_no_forged_no(app, add, browser):
    assert browser().get("/no-thanks/x").status_code == 404
    assert browser().post("/no-thanks/" + "ab" * 40).status_code == 404
    with app.app_context():
        invitations.refuse(add(joined=True).id)  # nothing to refuse for whoever takes part
        assert db.session.scalars(select(InvitationRefusal)).all() == []


def test_it_takes_an_invitation_back(app, add, browser):
    person = add()
    path = invited(app, person)
    with app.app_context():
        assert invitations.revoke(person.id)
        assert not invitations.revoke(person.id)
    for answer in (browser().get(path), browser().post(path, data={"password": PASSWORD})):
        assert answer.status_code == 410
        assert "has been taken back" in answer.get_data(as_text=True)
    clock.travel(WEEK)
    anew = invited(app, person)
    assert browser().get(path).status_code == 410
    assert browser().get(anew).status_code == 200


def test_it_does_not_open_for_somebody_else_who_is_signed_in(app, add, browser):
    person, other = add(), add("Ann Lee", joined=True)
    path, client = invited(app, person), browser(other)
    for answer in (client.get(path), press(client, "/me", path)):
        page = answer.get_data(as_text=True)
        assert answer.status_code == 409
        assert "This invitation is for somebody else" in page
        assert person.given_name not in page
    with app.app_context():
        assert not queries.person(person.id).is_member
    assert browser(person).get(path).status_code == 200


def test_it_reminds_those_who_have_not_answered_and_says_not_who(app, add, browser):
    admin = add("Nolwenn Le Bris", roles=["admin"], joined=True, language="en")
    quiet, said_no, joined, recent, gone, revoked = (
        add(name)
        for name in ("Una A", "Duo B", "Tria C", "Quatro D", "Cinq E", "Six F")
    )  # fmt: skip
    with app.app_context():
        for person in (quiet, said_no, joined, gone, revoked):
            service.invite(person.id)
        invitations.refuse(said_no.id)
        service.join(joined.id)
        service.depart(gone.id)
        invitations.revoke(revoked.id)
    before = len(mails(app))
    clock.travel(WEEK)
    with app.app_context():
        service.invite(recent.id)
    client = browser(admin)
    page = "/studio/people/invitations"
    assert press(client, page, page + "/reminders").status_code == 303
    assert sorted(m["To"] for m in mails(app)[before:]) == [
        "Quatro D <quatro@halvenne.example>", "Una A <una@halvenne.example>",
    ]  # fmt: skip
    press(client, page, page + "/reminders")
    assert len(mails(app)) == before + 2


def test_its_list_is_the_same_whatever_people_answered(app, add, browser):
    admin = add("Nolwenn Le Bris", roles=["admin"], joined=True, language="en")
    people = [add("Una Alba"), add("Duo Bravo"), add("Tria Coll"), add("Quatro Dour")]
    with app.app_context():
        for person in people:
            service.invite(person.id)
        service.join(people[1].id)
        invitations.refuse(people[2].id)
        service.join(people[3].id)
        service.leave(people[3].id)
    page = browser(admin).get("/studio/people/invitations").get_data(as_text=True)
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition('id="sent"')[2], re.DOTALL)[1:]
    plain = {
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|csrf_token\" value=\"[^\"]+\"|Una Alba|Duo Bravo|"
               r"Tria Coll|Quatro Dour|\b(una|duo|tria|quatro)@", "", row)
        for row in rows
    }  # fmt: skip
    assert len(rows) == 4 and len(plain) == 1


def test_it_pages_by_key(app, add):
    with app.app_context():
        for number in range(7):
            service.invite(add(f"Person{number} X").id)
            clock.travel(dt.timedelta(seconds=number % 2))
        found, after = [], None
        while True:
            page = invitations.sent_page(after, 3)
            found += [row.person_id for row in page.items]
            after = page.next
            if after is None:
                break
        assert len(found) == len(set(found)) == 7
        with pytest.raises(InvalidInput):
            invitations.sent_page("nonsense")


# --- counts ------------------------------------------------------------------------------


def populate(app, add, site: str, people: int, joined: int) -> None:
    with app.app_context():
        for number in range(people):
            person = add(f"{site}{number} X", email=f"{site}{number}@halvenne.example", site=site)
            if number < joined:
                service.join(person.id)


def test_it_counts_only_large_groups_and_lets_no_subtraction_tell(app, add, browser):
    populate(app, add, "Lorient", 20, 9)
    populate(app, add, "Caudan", 12, 6)
    populate(app, add, "Brest", 11, 11)  # all of them: the count would name each
    populate(app, add, "Vannes", 3, 1)
    with app.app_context():
        counts = invitations.joining_counts()
        assert (counts.whole.people, counts.whole.joined) == (46, 27)
        shown = {row.site: (row.people, row.joined) for row in counts.sites}
    # The rest (Brest, Vannes: 14 people, of whom 2 did not join) takes Caudan in.
    assert shown == {"Lorient": (20, 9), None: (26, 18)}


def test_it_tells_nothing_of_a_small_house(app, add, browser):
    lead = add("Pauline Conan", roles=["lead"], joined=True, language="en")
    populate(app, add, "Lorient", 8, 5)
    page = browser(lead).get("/studio/joining").get_data(as_text=True)
    assert "No figure to show" in page
    assert browser(lead).get("/studio/people/invitations").status_code == 403
    with app.app_context():
        assert invitations.joining_counts().whole is None


# --- open invitations --------------------------------------------------------------------


def test_a_poster_lets_somebody_in_with_a_private_address(app, browser):
    code, client = made(app, admission="paper", site="Caudan", department="Atelier"), browser()
    assert (
        press(
            client, "/invitation", "/invitation", code=f" {code[:4].lower()}-{code[4:]} "
        ).location
        == f"/i/{code}?lang=en"
    )
    where = to_the_code(app, client, code)
    with app.app_context():
        assert db.session.scalars(select(Person)).all() == []
    joining = type_code(app, client, where).location
    page = client.get(joining).get_data(as_text=True)
    assert "Hello Noé" in page and " checked" not in page and 'name="password"' not in page
    answer = press(client, joining, joining.partition("?")[0], purposes="ideas")
    assert answer.location == "/welcome"
    with app.app_context():
        person = db.session.scalars(select(Person)).one()
        assert (person.name, person.email, person.site, person.department) == (
            "Noé Briand", "noe@mail.example", "Caudan", "Atelier",
        )  # fmt: skip
        assert person.is_member and queries.has_consent(person.id, "ideas")
        assert db.session.scalars(select(JoinRequest)).all() == []
        assert db.session.scalars(select(EmailCode)).all() == []
    assert client.get("/me").status_code == 200
    assert browser().get(joining).status_code == 410
    assert "used up" in browser().get(f"/i/{code}").get_data(as_text=True)


def test_it_takes_addresses_of_its_domain_alone(app, browser):
    code, client = made(app, admission="domain", domain="@Halvenne.Example"), browser()
    for refused in ("noe@mail.example", "noe@evil-halvenne.example", "noe@sub.halvenne.example"):
        answer = press(client, f"/i/{code}", f"/i/{code}", name="Noé Briand", email=refused)
        assert answer.status_code == 422
        assert "end with @halvenne.example" in answer.get_data(as_text=True)
    assert "/join/open/" in type_code(
        app, client, to_the_code(app, client, code, "noe@halvenne.example")
    ).location  # fmt: skip


def test_it_counts_its_uses_also_between_two_at_once(app, browser):
    code = made(app, admission="domain", domain="mail.example", use_limit=1)
    one, two = browser(), browser()
    first = type_code(app, one, to_the_code(app, one, code, "a@mail.example")).location
    second = type_code(app, two, to_the_code(app, two, code, "b@mail.example")).location
    form = hidden(two, second)
    assert press(one, first, first).location == "/welcome"
    late = two.post(second, data={"csrf_token": form})
    assert late.status_code == 410 and "used up" in late.get_data(as_text=True)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 1


def test_it_asks_an_administrator_first(app, add, browser):
    admin = add("Nolwenn Le Bris", roles=["admin"], joined=True, language="en")
    code, client = made(app), browser()
    where = to_the_code(app, client, code)
    assert type_code(app, client, where).location == "/invitation/asked?lang=en"
    assert "An administrator looks at it" in client.get("/invitation/asked").get_data(as_text=True)
    (told,) = [m for m in mails(app) if m["Subject"] == "Somebody asks to be let in"]
    assert "nolwenn" in told["To"] and "Noé" not in words(told) + told["Subject"]
    studio = browser(admin)
    page = studio.get("/studio/people/invitations").get_data(as_text=True)
    assert "Noé Briand" in page
    path = re.search(r'action="(\S+/acceptance)"', page)[1]
    assert press(studio, "/studio/people/invitations", path).status_code == 303
    assert studio.post(path, data={"csrf_token": hidden(studio, "/me")}).status_code == 404
    link = mailed_link(app, "join")
    assert "Hello Noé" in browser().get(link).get_data(as_text=True)


def test_it_erases_a_request_that_is_turned_away_or_forgotten(app, add, browser):
    admin = add("Nolwenn Le Bris", roles=["admin"], joined=True)
    code = made(app)
    for address in ("a@mail.example", "b@mail.example"):
        client = browser()
        type_code(app, client, to_the_code(app, client, code, address))
    with app.app_context():
        first, second = open_invitations.asking()
        open_invitations.turn_away(first.id, actor_id=admin.id)
        with pytest.raises(NotFound):
            open_invitations.let_in(first.id, actor_id=admin.id)
        open_invitations.answer(code, "Trois", "c@mail.example", "fr")
        clock.travel(dt.timedelta(days=1))
        purge.run("join-requests")
        assert [row.email for row in db.session.scalars(select(JoinRequest))] == [second.email]
        clock.travel(dt.timedelta(days=29))
        purge.run("join-requests")
        assert db.session.scalars(select(JoinRequest)).all() == []
        assert db.session.scalars(select(Person.email)).all() == [admin.email]
    assert second.email == "b@mail.example"


def test_it_says_what_is_wrong_with_a_code(app, browser):
    with app.app_context():
        for typed, error in (("ABCDEFGH", InvitationUnknown), ("", InvitationUnknown)):
            with pytest.raises(error):
                open_invitations.by_code(typed)
    over, taken_back = made(app, days=1), made(app)
    with app.app_context():
        row = open_invitations.by_code(taken_back)
        open_invitations.revoke(row.batch_id)
        with pytest.raises(InvitationRevoked):
            open_invitations.by_code(taken_back)
    clock.travel(dt.timedelta(days=1))
    with app.app_context(), pytest.raises(InvitationOver):
        open_invitations.by_code(over)
    assert "is over" in browser().get(f"/i/{over}").get_data(as_text=True)
    assert "taken back" in browser().get(f"/i/{taken_back}").get_data(as_text=True)
    assert browser().get("/i/ABCDEFGH").status_code == 404
    wrong = press(browser(), "/invitation", "/invitation", code="ABCDEFGH")
    assert wrong.status_code == 422 and 'value="ABCDEFGH"' in wrong.get_data(as_text=True)


def test_it_leads_who_is_known_already_to_where_they_belong(app, add, browser):
    member, present, gone = add(joined=True), add("Ann Lee"), add("Old One")
    with app.app_context():
        service.depart(gone.id)
    code = made(app)
    client = browser()
    assert type_code(app, client, to_the_code(app, client, code, member.email)).location == "/"
    assert client.get("/me").status_code == 200
    client = browser()  # the directory knows her: nobody needs to be asked
    joining = type_code(app, client, to_the_code(app, client, code, present.email)).location
    assert press(client, joining, joining).location == "/welcome"
    client = browser()
    answer = type_code(app, client, to_the_code(app, client, code, gone.email))
    assert answer.status_code == 409 and "is closed" in answer.get_data(as_text=True)
    with app.app_context():
        assert queries.person(present.id).name == "Ann Lee"  # not what was typed


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"label": " "}, "label"), ({"admission": "anybody"}, "admission"), ({"days": 0}, "days"),
        ({"days": 181}, "days"), ({"use_limit": 0}, "use_limit"),
        ({"admission": "paper", "copies": 61}, "copies"),
        ({"admission": "domain", "domain": "no domain"}, "domain"), ({"language": "xx"}, "language"),
        ({"site": "x" * 201}, "site"),
    ],
)  # fmt: skip
def test_it_refuses_terms_that_make_no_sense(app, terms, field):
    with app.app_context(), pytest.raises(InvalidInput) as refused:
        made(app, **terms)
    assert field in refused.value.errors


def test_it_prints_a_poster_and_a_sheet_of_codes_in_both_languages(app, add, browser):
    studio = browser(add("Nolwenn Le Bris", roles=["admin"], joined=True))
    home = "/studio/people/invitations"
    poster = press(studio, home, home + "/open", label="Cantine", admission="approval", days="30",
                   use_limit="50", copies="12", language="fr").location  # fmt: skip
    page = studio.get(poster + "?in=en").get_data(as_text=True)
    assert page.count("<svg") > 1 and "/invitation" in page and "Until 17 December 2026" in page
    code = re.search(r'poster-letters">([2-9A-Z]{4}-[2-9A-Z]{4})<', page)[1]
    assert re.search(r'lang="fr"', studio.get(poster).get_data(as_text=True))
    assert not re.search(r"[01ILOU]", code)
    sheet = press(studio, home, home + "/open", label="Atelier", admission="paper", days="30",
                  use_limit="1", copies="12", language="fr").location  # fmt: skip
    codes = re.findall(r'poster-letters">([2-9A-Z-]{9})<', studio.get(sheet).get_data(as_text=True))
    assert len(codes) == len(set(codes)) == 12
    listed = studio.get(home).get_data(as_text=True)
    assert "0 of 12" in listed and "0 of 50" in listed
    assert press(studio, home, sheet + "/revocation").status_code == 303
    assert "taken back" in browser().get(f"/i/{codes[3].replace('-', '')}").get_data(as_text=True)
    wrong = press(studio, home, home + "/open", label="", admission="domain", days="x")
    assert wrong.status_code == 422


# --- six figures -------------------------------------------------------------------------


def ask(client, email: str) -> str:
    answer = press(client, "/sign-in/code", "/sign-in/code", email=email)
    assert answer.status_code == 303
    return answer.location


def test_it_signs_in_by_six_figures(app, add, browser):
    person, client = add(joined=True), browser()
    where = ask(client, person.email.upper())
    code = newest_code(app)
    assert press(client, where, where, code=f" {code[:3]} {code[3:]} ").location == "/"
    with app.app_context():
        assert db.session.scalars(select(Login.method)).all() == ["code"]
    again = press(browser(), where, where, code=code)
    assert again.status_code == 422


def test_it_gives_five_tries_and_ten_minutes(app, add, browser):
    person, client = add(joined=True), browser()
    where = ask(client, person.email)
    code = newest_code(app)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert press(client, where, where, code=wrong).status_code == 422
    assert press(client, where, where, code=code).status_code == 422
    where = ask(client, person.email)
    clock.travel(dt.timedelta(minutes=10))
    assert press(client, where, where, code=newest_code(app)).status_code == 422
    with app.app_context():
        purge.run("email-codes")
        assert db.session.scalars(select(EmailCode)).all() == []


def test_nobody_uses_up_the_tries_of_another_browser(app, add, browser):
    person, mine, theirs = add(joined=True), browser(), browser()
    where = ask(mine, person.email)
    code = newest_code(app)
    elsewhere = ask(theirs, person.email)
    for _ in range(6):
        press(theirs, elsewhere, elsewhere, code=code)
    assert press(mine, where, where, code=code).location == "/"


def test_it_tells_nobody_which_address_is_known(app, add, browser):
    staff = add("Sofiane Belkhir", roles=["recruiter"], joined=True)
    gone = add("Old One")
    with app.app_context():
        service.depart(gone.id)
    before = len(mails(app))
    for address in ("nobody@mail.example", staff.email, gone.email, "", "x" * 400):
        client = browser()
        where = ask(client, address)
        assert "six figures" in client.get(where).get_data(as_text=True)
        assert press(client, where, where, code="000000").status_code == 422
    assert len(mails(app)) == before


def test_it_reads_no_forged_address_of_a_code(app, browser):
    assert browser().get("/sign-in/code/x").status_code == 404
    with app.app_context(), pytest.raises(WrongMailCode):
        email_codes.check(uuid.uuid4(), "123456")


def test_it_keeps_no_code_and_no_address_where_they_could_be_read(app, add, browser):
    code_on_paper = made(app)
    client = browser()
    to_the_code(app, client, code_on_paper)
    figures = newest_code(app)
    with app.app_context():
        with db.engine.connect() as connection:
            dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
        payloads = str(db.session.scalars(select(OutboxEvent.payload)).all())
    assert code_on_paper not in dump and f"'{figures}'" not in dump
    assert "mail.example" not in payloads
