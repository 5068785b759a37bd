"""Passkeys: what they open, and everything that must not open anything."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import func, select

from app import clock
from app.db import db, transaction
from app.people import passkeys, queries, service, steps
from app.people.errors import PasskeyTooWeak, WrongPasskey
from app.people.models import Login
from app.people.passkeys import Site, other_address, site
from app.people.proof_models import Passkey, SignInStep
from app.people.sign_in_mails import WORDS
from app.privacy import purge
from tests.people.authenticator import ORIGIN, Authenticator, LocalClient
from tests.people.conftest import PASSWORD, hidden, mails, press, words

HERE = Site("localhost", ORIGIN)


def local(app, person=None) -> LocalClient:
    """A browser at `localhost`; with a person, signed in as them."""
    client = LocalClient(app, app.response_class)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    if person is not None:
        with app.app_context():
            service.set_language(person.id, "en")
            signed_in = service.start_login(person.id, "", "password")
        with client.session_transaction() as session:
            session["login"] = signed_in.token
    return client


def make(client, key: Authenticator, name: str = "My phone"):
    """Make a passkey by the page's own forms."""
    token = hidden(client, "/me/passkeys/new")
    asked = client.post("/me/passkeys/challenges", data={"csrf_token": token})
    answer = key.make(asked.get_data(as_text=True))
    return client.post(
        "/me/passkeys", data={"csrf_token": token, "name": name, "credential": answer}
    )


def ask(client) -> tuple[str, str]:
    """The options of a sign-in, and the form's token."""
    token = hidden(client, "/sign-in")
    asked = client.post("/sign-in/passkey/challenges", data={"csrf_token": token})
    assert asked.status_code == 200, asked.get_data(as_text=True)
    return asked.get_data(as_text=True), token


def enter(client, key: Authenticator, **fields: str):
    options, token = ask(client)
    form = {"csrf_token": token, "credential": key.sign(options), **fields}
    return client.post("/sign-in/passkey", data=form)


@pytest.fixture
def maelle(add):
    return add(joined=True)


@pytest.fixture
def key(app, maelle) -> Authenticator:
    """A passkey of Maëlle's."""
    made = Authenticator()
    assert make(local(app, maelle), made).location == "/me/passkeys"
    return made


def test_it_signs_in_without_a_name_or_a_password(app, key):
    client = local(app)
    answer = enter(client, key, next="/me/tokens")
    assert (answer.status_code, answer.location) == (303, "/me/tokens")
    assert "Maëlle Kerjan" in client.get("/me").get_data(as_text=True)
    with app.app_context():
        login = db.session.scalars(select(Login).where(Login.method == "passkey")).one()
        assert login.verified_at == clock.now()


def test_it_asks_for_nothing_that_names_a_person(app, key):
    options = json.loads(ask(local(app))[0])
    assert options["rpId"] == "localhost"
    assert not options.get("allowCredentials")


def test_it_gives_a_token_that_was_not_there_before(app, key):
    client = local(app)
    with client.session_transaction() as session:
        session["login"] = "x" * 43
    enter(client, key)
    with client.session_transaction() as session:
        assert session["login"] != "x" * 43
        assert "ceremony" not in session


def test_it_takes_an_answer_once(app, key):
    client = local(app)
    options, token = ask(client)
    with client.session_transaction() as session:
        kept = dict(session)
    form = {"csrf_token": token, "credential": key.sign(options)}
    assert client.post("/sign-in/passkey", data=form).status_code == 303
    thief = local(app)
    with thief.session_transaction() as session:
        session.update(kept)
    assert thief.post("/sign-in/passkey", data=form).status_code == 422
    assert thief.get("/me").status_code == 303


def test_it_takes_no_answer_of_another_browser(app, key):
    options, _token = ask(local(app))
    other = local(app)
    _options, token = ask(other)
    form = {"csrf_token": token, "credential": key.sign(options)}
    assert other.post("/sign-in/passkey", data=form).status_code == 422


def test_it_takes_no_answer_after_five_minutes(app, key):
    client = local(app)
    options, token = ask(client)
    clock.travel(dt.timedelta(minutes=5))
    form = {"csrf_token": token, "credential": key.sign(options)}
    assert client.post("/sign-in/passkey", data=form).status_code == 422


def test_it_keeps_a_challenge_for_what_it_was_made_for(app, maelle, key, inside):
    options, token = passkeys.confirm_options(maelle.id, HERE)
    with pytest.raises(WrongPasskey):
        passkeys.sign_in(token, key.sign(options), "", HERE)
    options, token = passkeys.sign_in_options(HERE)
    with pytest.raises(WrongPasskey):
        passkeys.confirm(maelle.id, token, key.sign(options), HERE)


def test_it_refuses_an_answer_made_for_another_site(inside, key):
    options, token = passkeys.sign_in_options(HERE)
    with pytest.raises(WrongPasskey):
        passkeys.sign_in(token, key.sign(options, "https://evil.example"), "", HERE)


def test_it_refuses_a_copy_whose_counter_goes_back(inside, key):
    options, token = passkeys.sign_in_options(HERE)
    passkeys.sign_in(token, key.sign(options), "", HERE)
    key.count -= 2
    options, token = passkeys.sign_in_options(HERE)
    with pytest.raises(WrongPasskey):
        passkeys.sign_in(token, key.sign(options), "", HERE)


def test_it_takes_those_that_do_not_count(app, maelle):
    key = Authenticator(counts=False)
    make(local(app, maelle), key)
    assert enter(local(app), key).status_code == 303
    assert enter(local(app), key).status_code == 303


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", '{"response": {}}', '{"id": "x", "response": {"userHandle": "%%"}}',
     '{"id": "x", "response": {"userHandle": "AAAA"}}', "x" * 30_000],
)  # fmt: skip
def test_it_reads_no_sense_into_nonsense(app, key, answer):
    client = local(app)
    _options, token = ask(client)
    form = {"csrf_token": token, "credential": answer}
    told = client.post("/sign-in/passkey", data=form)
    assert told.status_code == 422
    assert "does not open an account here" in told.get_data(as_text=True)


def test_it_says_the_same_for_an_unknown_one_and_for_somebody_who_left(app, maelle, key):
    strange = Authenticator()
    strange.owner = maelle.id.bytes
    unknown = enter(local(app), strange)
    with app.app_context():
        service.depart(maelle.id)
    departed = enter(local(app), key)
    assert unknown.status_code == departed.status_code == 422
    told = "does not open an account here"
    assert told in unknown.get_data(as_text=True)
    assert told in departed.get_data(as_text=True)


def test_it_wants_a_passkey_of_the_team_to_ask_for_pin_finger_or_face(app, add):
    recruiter = add("Sofiane Belkhir", joined=True, roles=["recruiter"])
    answer = make(local(app, recruiter), Authenticator(verifies=False))
    assert answer.status_code == 422
    assert "PIN, finger or face" in answer.get_data(as_text=True)
    with app.app_context():
        options, _token = passkeys.new_options(recruiter.id, "Halvenne", HERE)
        wanted = json.loads(options)["authenticatorSelection"]
    assert (wanted["userVerification"], wanted["residentKey"]) == ("required", "required")


def test_it_refuses_the_team_a_sign_in_without_pin_finger_or_face(app, maelle):
    key = Authenticator(verifies=False)
    make(local(app, maelle), key)
    assert enter(local(app), key).status_code == 303
    with app.app_context():
        service.change_roles(maelle.id, ["hr"])
        options, token = passkeys.sign_in_options(HERE)
        with pytest.raises(PasskeyTooWeak):
            passkeys.sign_in(token, key.sign(options), "", HERE)


def test_it_counts_as_both_factors_for_the_team(app, add):
    admin = add("Nolwenn Tanguy", joined=True, roles=["admin"])
    with app.app_context():
        service.set_sign_in_policy(is_required=True, grace_days=0)
    key, client = Authenticator(), local(app, admin)
    assert client.get("/studio/people").status_code == 303
    make(client, key)
    entered = local(app)
    assert enter(entered, key).location == "/"
    assert entered.get("/studio/people").status_code == 200


def test_it_opens_the_teams_pages_of_a_session_that_began_with_a_password(app, add):
    admin = add("Nolwenn Tanguy", joined=True, roles=["admin"])
    with app.app_context():
        service.set_sign_in_policy(is_required=True, grace_days=0)
    key, client = Authenticator(), local(app, admin)
    make(client, key)
    door = client.get("/studio/people")
    assert door.location == "/me/second-factor?next=/studio/people"
    assert client.get(door.location).location.startswith("/me/confirmation")
    token = hidden(client, "/me/confirmation")
    asked = client.post("/me/confirmation/challenges", data={"csrf_token": token})
    form = {
        "csrf_token": token, "credential": key.sign(asked.get_data(as_text=True)),
        "next": "/studio/people",
    }  # fmt: skip
    assert client.post("/me/confirmation/passkey", data=form).location == "/studio/people"
    assert client.get("/studio/people").status_code == 200


def test_it_confirms_nobody_by_the_passkey_of_somebody_else(app, add, maelle, key, inside):
    other = add("Théo Rossignac", joined=True)
    options, token = passkeys.confirm_options(other.id, HERE)
    with pytest.raises(WrongPasskey):
        passkeys.confirm(other.id, token, key.sign(options), HERE)


def test_it_registers_nothing_for_a_challenge_of_somebody_else(app, add, maelle, inside):
    other = add("Théo Rossignac", joined=True)
    options, token = passkeys.new_options(maelle.id, "Halvenne", HERE)
    with pytest.raises(WrongPasskey):
        passkeys.register(other.id, "Mine", token, Authenticator().make(options), HERE)


def test_it_registers_one_passkey_once(app, maelle, key):
    answer = make(local(app, maelle), key)
    assert answer.status_code == 422
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Passkey)) == 1


def test_it_asks_who_one_is_before_it_adds_or_removes(app, maelle, key):
    client = local(app, maelle)
    clock.travel(dt.timedelta(minutes=10))
    assert client.get("/me/passkeys/new").location == "/me/confirmation?next=/me/passkeys/new"
    with app.app_context():
        (row,) = passkeys.passkeys_of(maelle.id)
    removal = f"/me/passkeys/{row.id}/removal"
    assert press(client, "/me/passkeys", removal).location == "/me/confirmation?next=/me/passkeys"
    wrong = press(client, "/me/confirmation", "/me/confirmation", password="not this one")
    assert wrong.status_code == 422
    fields = {"password": PASSWORD, "next": "/me/passkeys"}
    confirmed = press(client, "/me/confirmation", "/me/confirmation", **fields)
    assert confirmed.location == "/me/passkeys"
    assert press(client, "/me/passkeys", removal).location == "/me/passkeys"
    assert enter(local(app), key).status_code == 422


def test_it_signs_out_what_a_removed_passkey_had_signed_in(app, maelle, key):
    there = local(app)
    enter(there, key)
    client = local(app, maelle)
    with app.app_context():
        (row,) = passkeys.passkeys_of(maelle.id)
    press(client, "/me/passkeys", f"/me/passkeys/{row.id}/removal")
    assert there.get("/me").status_code == 303
    assert client.get("/me").status_code == 200


def test_it_is_renamed_by_its_owner_alone(app, add, maelle, key):
    client, stranger = local(app, maelle), local(app, add("Théo Rossignac", joined=True))
    with app.app_context():
        (row,) = passkeys.passkeys_of(maelle.id)
    path = f"/me/passkeys/{row.id}"
    assert press(client, "/me/passkeys", f"{path}/name", name=" ").status_code == 422
    assert press(client, "/me/passkeys", f"{path}/name", name="Ring").status_code == 303
    assert "Ring" in client.get("/me/passkeys").get_data(as_text=True)
    assert press(stranger, "/me", f"{path}/name", name="Mine").status_code == 404
    assert press(stranger, "/me", f"{path}/removal").status_code == 404
    assert "Ring" not in stranger.get("/me/passkeys").get_data(as_text=True)


def test_it_tells_the_owner_by_mail(app, maelle, key):
    (message,) = [m for m in mails(app) if m["Subject"] == str(WORDS["passkey-added"][0])]
    assert "maelle@halvenne.example" in message["To"]
    assert "/sign-in/password" in words(message)


def test_it_has_no_passkeys_at_a_bare_address_and_says_so(app, add, browser, maelle):
    page = browser(maelle).get("/me/passkeys").get_data(as_text=True)
    assert "http://localhost:8000" in page
    assert "/me/passkeys/new" not in page
    assert "passkey.js" not in browser().get("/sign-in").get_data(as_text=True)


@pytest.mark.parametrize(
    ("base", "asked", "found"),
    [
        ("https://voix.halvenne.example", "voix.halvenne.example",
         Site("voix.halvenne.example", "https://voix.halvenne.example")),
        ("https://voix.halvenne.example:8443", "x",
         Site("voix.halvenne.example", "https://voix.halvenne.example:8443")),
        ("http://localhost:8000", "localhost:8000", HERE),
        ("http://127.0.0.1:8000", "localhost:8000", HERE),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", None),
        ("http://127.0.0.1:8000", "evil.example:8000", None),
        ("https://10.0.0.7", "10.0.0.7", None),
        ("http://[::1]:8000", "localhost:8000", HERE),
        ("http://voix.halvenne.example", "voix.halvenne.example", None),
    ],
)  # fmt: skip
def test_it_is_bound_to_the_name_of_the_installation(base, asked, found):
    assert site(base, asked) == found


def test_it_knows_the_other_name_of_a_loopback_address_only():
    assert other_address("http://127.0.0.1:8000") == "http://localhost:8000"
    assert other_address("https://10.0.0.7") is None


def test_it_forgets_what_nobody_finished(inside):
    steps.begin(steps.PASSKEY_SIGN_IN, challenge="x")
    clock.travel(dt.timedelta(minutes=6))
    purge.run("sign-in-steps")
    assert db.session.scalar(select(func.count()).select_from(SignInStep)) == 0


def test_it_leaves_no_passkey_of_somebody_who_departed(app, maelle, key, inside):
    service.depart(maelle.id)
    assert passkeys.passkeys_of(maelle.id) == []
    assert queries.person(maelle.id).departed_at is not None


def test_it_keeps_neither_more_nor_other_than_the_standard_says(app, maelle, key, inside):
    with transaction() as session:
        row = session.scalars(select(Passkey)).one()
        assert row.transports == []
        assert row.sign_count == key.count
        assert len(row.public_key) < 200
