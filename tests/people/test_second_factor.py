"""The second factor: codes that count once, recovery codes, and what waits without them."""

from __future__ import annotations

import datetime as dt
import html
import re
from email.message import EmailMessage
from pathlib import Path

import pyotp
import pytest
from babel.support import Translations
from sqlalchemy import func, select

from app import clock, crypto
from app.audit.models import AuditEntry
from app.db import db
from app.people import factor_policy, recovery_codes, second_factor, service, steps
from app.people.errors import CodesTooSoon, StepOver, WrongCode
from app.people.models import Login
from app.people.proof_models import RecoveryCode, SecondFactor, SignInStep
from app.people.second_factor import Waiting
from app.people.sign_in_mails import WORDS
from app.privacy import purge
from tests.people.conftest import PASSWORD, hidden, mailed_link, mails, press, words

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


TRANSLATIONS = Path(__file__).parents[2] / "translations"


def code_at(secret: str, at: dt.datetime | None = None) -> str:
    return pyotp.TOTP(secret).at(at or clock.now())


def turn_on(app, person) -> tuple[str, list[str]]:
    """Set up an app for a person, outside any browser: its secret and the recovery codes."""
    with app.app_context():
        secret = second_factor.new_secret()
        codes = second_factor.turn_on(person.id, secret, code_at(secret), login_id=None)
    clock.travel(dt.timedelta(seconds=30))
    return secret, codes


def by_password(client, email: str, **fields: str):
    return press(client, "/sign-in", "/sign-in", email=email, password=PASSWORD, **fields)


def with_code(client, code: str, **fields: str):
    return press(client, "/sign-in/second-step", "/sign-in/second-step", code=code, **fields)


def only(client, path: str) -> str:
    return html.unescape(client.get(path).get_data(as_text=True))


def require(app, days: int = 14) -> None:
    with app.app_context():
        service.set_sign_in_policy(is_required=True, grace_days=days)


@pytest.fixture
def admin(add):
    return add("Nolwenn Tanguy", joined=True, roles=["admin"])


# --- setting up --------------------------------------------------------------------------


def shown_secret(client) -> str:
    page = only(client, "/me/second-factor/new")
    found = re.search(r'id="new-secret">([A-Z2-7 ]+)<', page)
    assert found
    assert "<svg" in page
    return found[1].replace(" ", "")


def set_up(client, **fields: str):
    secret = shown_secret(client)
    page = "/me/second-factor/new"
    return secret, press(client, page, "/me/second-factor", code=code_at(secret), **fields)


def test_it_is_set_up_with_an_app_and_gives_ten_codes_once(app, admin, browser):
    client = browser(admin)
    _secret, answer = set_up(client, next="/studio/people")
    assert answer.location == "/me/second-factor/codes?next=/studio/people"
    page = client.get(answer.location)
    codes = re.findall(r"<code>([a-z2-9-]{19})</code>", page.get_data(as_text=True))
    assert len(set(codes)) == recovery_codes.COUNT
    assert page.headers["Cache-Control"] == "no-store"
    assert client.get(answer.location).status_code == 303
    with app.app_context():
        kept = db.session.scalars(select(RecoveryCode.code_hash)).all()
        assert len(kept) == 10
        assert not {c.replace("-", "") for c in codes} & {*kept}


def test_it_hands_the_codes_over_as_a_file(admin, browser):
    client = browser(admin)
    _secret, answer = set_up(client)
    page = client.get(answer.location).get_data(as_text=True)
    sealed = re.search(r'name="secret_codes" value="([^"]+)"', page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert sealed and token
    form = {"csrf_token": token[1], "secret_codes": sealed[1]}
    file = client.post("/me/second-factor/codes/file", data=form)
    shown = re.findall(r"<code>([a-z2-9-]{19})</code>", page)
    assert [line for line in file.get_data(as_text=True).split("\n") if "-" in line] == shown
    assert file.headers["Content-Disposition"].startswith("attachment")


def test_it_opens_nobody_elses_codes(add, admin, browser):
    client, other = browser(admin), browser(add(joined=True))
    _secret, answer = set_up(client)
    page = client.get(answer.location).get_data(as_text=True)
    sealed = re.search(r'name="secret_codes" value="([^"]+)"', page)
    assert sealed
    for content in (sealed[1], "nonsense"):
        stolen = press(other, "/me", "/me/second-factor/codes/file", secret_codes=content)
        assert stolen.location == "/me/second-factor"


def test_it_keeps_the_same_secret_while_the_page_is_loaded_again(admin, browser):
    client = browser(admin)
    assert shown_secret(client) == shown_secret(client)


def test_it_shows_the_secret_to_its_person_alone(add, admin, browser):
    client, other = browser(admin), browser(add(joined=True))
    with client.session_transaction() as session:
        client.get("/me/second-factor/new")
    secret = shown_secret(client)
    with client.session_transaction() as session:
        sealed = session["new_factor"]
    assert secret not in sealed
    with other.session_transaction() as session:
        session["new_factor"] = sealed
    assert shown_secret(other) != secret


def test_it_wants_a_code_of_that_app_first(app, admin, browser):
    client = browser(admin)
    shown_secret(client)
    answer = press(client, "/me/second-factor/new", "/me/second-factor", code="000000")
    assert answer.status_code == 422
    assert "not the code your app shows" in answer.get_data(as_text=True)
    with app.app_context():
        assert not second_factor.has_app(admin.id)


def test_it_signs_out_the_other_devices_and_renews_this_one(admin, browser):
    client, other = browser(admin), browser(admin)
    with client.session_transaction() as session:
        before = session["login"]
    set_up(client)
    with client.session_transaction() as session:
        assert session["login"] != before
    assert client.get("/studio/people/sign-in").status_code == 200
    assert other.get("/me").status_code == 303


def test_it_keeps_the_secret_encrypted(app, admin):
    secret, _codes = turn_on(app, admin)
    with app.app_context(), db.engine.connect() as connection:
        stored = connection.exec_driver_sql("select secret from second_factor").scalar_one()
    assert secret not in stored
    assert crypto.decrypt(stored) == secret


def test_it_asks_who_one_is_before_it_changes_anything(app, admin, browser):
    turn_on(app, admin)
    client = browser(admin)
    clock.travel(dt.timedelta(minutes=10))
    page = "/me"
    for path in ("/me/second-factor/removal", "/me/second-factor/codes", "/me/second-factor"):
        assert press(client, page, path).location.startswith("/me/confirmation?next=")
    with app.app_context():
        assert second_factor.has_app(admin.id)


def test_it_is_switched_off_by_its_person(app, add, browser):
    maelle = add(joined=True)
    turn_on(app, maelle)
    client = browser(maelle)
    answer = press(client, "/me/second-factor", "/me/second-factor/removal")
    assert answer.location == "/me/second-factor"
    with app.app_context():
        assert not second_factor.has_app(maelle.id)
        assert recovery_codes.left(maelle.id) == 0
    assert by_password(browser(), maelle.email).location == "/"


# --- signing in --------------------------------------------------------------------------


def test_it_asks_for_a_code_after_the_password_and_lets_nobody_in_before(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser()
    answer = by_password(client, admin.email, next="/studio/people/sign-in")
    assert answer.location == "/sign-in/second-step?next=/studio/people/sign-in"
    assert client.get("/me").status_code == 303
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Login)) == 0
    answer = with_code(client, code_at(secret), next="/studio/people/sign-in")
    assert answer.location == "/studio/people/sign-in"
    assert client.get("/studio/people/sign-in").status_code == 200


def test_it_gives_a_token_that_was_not_there_before(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser()
    by_password(client, admin.email)
    with client.session_transaction() as session:
        half = session["half"]
    with_code(client, code_at(secret))
    with client.session_transaction() as session:
        assert "half" not in session
        assert session["login"] != half


def test_it_takes_a_code_once(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    code = code_at(secret)
    first, second = browser(), browser()
    by_password(first, admin.email)
    by_password(second, admin.email)
    assert with_code(first, code).status_code == 303
    assert with_code(second, code).status_code == 422
    clock.travel(dt.timedelta(seconds=30))
    assert with_code(second, code_at(secret)).status_code == 303


def test_it_takes_no_code_that_is_older_than_one_it_took(app, admin, inside):
    secret, _codes = turn_on(app, admin)
    before = code_at(secret)
    clock.travel(dt.timedelta(seconds=30))
    second_factor.check_code(admin.id, code_at(secret), is_known=True)
    with pytest.raises(WrongCode):
        second_factor.check_code(admin.id, before, is_known=True)


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_it_forgives_a_clock_that_is_half_a_minute_off(app, admin, inside, seconds, good):
    secret, _codes = turn_on(app, admin)
    clock.travel(dt.timedelta(minutes=5))
    code = code_at(secret, clock.now() + dt.timedelta(seconds=seconds))
    if good:
        second_factor.check_code(admin.id, code, is_known=True)
    else:
        with pytest.raises(WrongCode):
            second_factor.check_code(admin.id, code, is_known=True)


def test_it_takes_a_recovery_code_once_however_it_is_typed(app, admin, browser):
    _secret, codes = turn_on(app, admin)
    first, second = browser(), browser()
    by_password(first, admin.email)
    by_password(second, admin.email)
    assert with_code(first, f" {codes[3].upper().replace('-', ' ')} ").status_code == 303
    assert with_code(second, codes[3]).status_code == 422
    assert with_code(second, codes[4]).status_code == 303
    assert "8 are left" in only(second, "/me/second-factor?lang=en")
    subjects = [message["Subject"] for message in mails(app)]
    assert subjects.count(told("recovery-code")) == 2


def test_it_takes_no_recovery_code_of_somebody_else_nor_of_an_older_ten(app, add, admin, inside):
    _secret, codes = turn_on(app, admin)
    _other, others = turn_on(app, add(joined=True))
    new = second_factor.renew_codes(admin.id)
    for code in (others[0], codes[0]):
        with pytest.raises(WrongCode):
            second_factor.check_code(admin.id, code, is_known=True)
    second_factor.check_code(admin.id, new[0], is_known=True)


def test_it_begins_again_after_five_wrong_codes(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser()
    by_password(client, admin.email)
    token = hidden(client, "/sign-in/second-step")
    answers = [
        client.post("/sign-in/second-step", data={"csrf_token": token, "code": f"00000{n}"})
        for n in range(5)
    ]
    assert [answer.status_code for answer in answers] == [422] * 5
    assert "Begin again" in answers[-1].get_data(as_text=True)
    late = client.post("/sign-in/second-step", data={"csrf_token": token, "code": code_at(secret)})
    assert late.status_code == 410
    assert client.get("/sign-in/second-step").location == "/sign-in"


def test_it_waits_ten_minutes_for_a_code(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser()
    by_password(client, admin.email)
    token = hidden(client, "/sign-in/second-step")
    clock.travel(dt.timedelta(minutes=10))
    form = {"csrf_token": token, "code": code_at(secret)}
    assert client.post("/sign-in/second-step", data=form).status_code == 410


def test_it_cannot_be_counted_anew_by_sending_an_older_cookie(app, admin, inside):
    turn_on(app, admin)
    waiting = second_factor.enter(admin.id, FIREFOX, "password")
    assert isinstance(waiting, Waiting)
    for _ in range(5):
        with pytest.raises(WrongCode):
            second_factor.finish(waiting.token, "000000", FIREFOX, is_known=True)
    with pytest.raises(StepOver):
        second_factor.finish(waiting.token, "000000", FIREFOX, is_known=True)


def guess(admin, times: int, *, is_known: bool = False) -> None:
    for _ in range(times):
        with pytest.raises(WrongCode):
            second_factor.check_code(admin.id, "000000", is_known=is_known)
        clock.travel(dt.timedelta(minutes=6))


def test_it_slows_wrong_codes_of_a_stranger_and_not_the_owners_browser(app, admin, inside):
    secret, codes = turn_on(app, admin)
    guess(admin, 12)
    with pytest.raises(WrongCode):
        second_factor.check_code(admin.id, "000000", is_known=False)
    with pytest.raises(CodesTooSoon) as refused:
        second_factor.check_code(admin.id, code_at(secret), is_known=False)
    assert "secondes" in str(refused.value.sentence)
    second_factor.check_code(admin.id, code_at(secret), is_known=True)
    guess(admin, 6)
    with pytest.raises(WrongCode):
        second_factor.check_code(admin.id, "000000", is_known=False)
    second_factor.check_code(admin.id, codes[0], is_known=False)


def test_it_never_waits_longer_than_five_minutes(app, admin, inside):
    secret, _codes = turn_on(app, admin)
    guess(admin, 40)
    second_factor.check_code(admin.id, code_at(secret), is_known=False)


def test_it_tells_the_owner_that_somebody_knows_the_password(app, admin):
    turn_on(app, admin)
    with app.app_context():
        guess(admin, 9)
    (message,) = [m for m in mails(app) if has_subject(m, "wrong-codes")]
    assert "/sign-in/password" in words(message)


def has_subject(message: EmailMessage, what: str) -> bool:
    """Long ones are folded, with room where there was none."""
    wanted = {"".join(words.split()) for words in (told(what), str(WORDS[what][0]))}
    return "".join(str(message["Subject"]).split()) in wanted


def told(what: str) -> str:
    """The subject of a mail."""
    spoken = Translations.load(str(TRANSLATIONS), ["fr"])  # the language of the people here
    return str(spoken.gettext(str(WORDS[what][0])))


def test_it_asks_after_a_new_password_as_well(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser()
    press(client, "/sign-in/password", "/sign-in/password", email=admin.email)
    path = mailed_link(app, "password")
    answer = press(client, path, path, password="une phrase toute neuve, et longue")
    assert answer.location == "/sign-in/second-step"
    assert client.get("/me").status_code == 303
    assert with_code(client, code_at(secret)).status_code == 303


def test_it_throws_out_with_a_new_password_whoever_knew_the_one_before(app, admin, inside):
    turn_on(app, admin)
    waiting = service.sign_in(admin.email, PASSWORD, FIREFOX)
    assert isinstance(waiting, Waiting)
    service.set_password(admin.id, "une phrase toute neuve, et longue")
    assert steps.find(steps.CODE, waiting.token) is None


def test_it_is_not_asked_of_whoever_comes_from_the_identity_provider(app, admin):
    turn_on(app, admin)
    require(app, 0)
    client = app.test_client()
    with app.app_context():
        signed_in = service.start_login(admin.id, FIREFOX, "oidc")
    with client.session_transaction() as session:
        session["login"] = signed_in.token
    assert not signed_in.asks_factor
    assert client.get("/studio/people/sign-in").status_code == 200


# --- what waits without one --------------------------------------------------------------


def test_it_asks_the_team_at_the_next_sign_in_and_lets_them_go_on(app, admin, browser):
    client = browser()
    answer = by_password(client, admin.email, next="/studio/people/sign-in")
    assert answer.location == "/me/second-factor?next=/studio/people/sign-in"
    page = only(client, answer.location)
    assert 'href="/studio/people/sign-in"' in page
    assert client.get("/studio/people/sign-in").status_code == 200


def test_it_asks_no_member(add, browser):
    maelle = add(joined=True)
    assert by_password(browser(), maelle.email).location == "/"


def test_it_closes_the_teams_pages_after_the_grace_and_leaves_the_members_open(app, admin, browser):
    by_password(browser(), admin.email)
    clock.travel(dt.timedelta(days=13))
    client = browser()
    by_password(client, admin.email)
    assert client.get("/studio/people/sign-in").status_code == 200
    clock.travel(dt.timedelta(days=1))
    later = browser()
    by_password(later, admin.email)
    door = later.get("/studio/people/sign-in")
    assert (door.status_code, door.location) == (
        303, "/me/second-factor?next=/studio/people/sign-in",
    )  # fmt: skip
    assert later.get("/").status_code == 200
    assert later.get("/me").status_code == 200
    page = only(later, door.location)
    assert "Another time" not in page
    assert "/studio" not in only(later, "/me").replace("/me/second-factor", "")


def test_it_opens_them_once_the_factor_is_set_up(app, admin, browser):
    require(app, 0)
    client = browser(admin)
    assert client.get("/studio/people/sign-in").status_code == 303
    set_up(client)
    assert client.get("/studio/people/sign-in").status_code == 200


def test_it_keeps_every_page_of_the_team_shut_meanwhile(app, admin, browser):
    """Whatever a role opens, and not only what a member may open as well."""
    require(app, 0)
    client = browser(admin)
    rules = [r for r in app.url_map.iter_rules() if "GET" in (r.methods or ()) and not r.arguments]
    tried = 0
    for rule in rules:
        declared = getattr(app.view_functions[rule.endpoint], "access", None)
        if declared is None or "admin" not in declared.roles or "member" in declared.roles:
            continue
        if declared.who != "role":
            continue
        tried += 1
        answer = client.get(rule.rule)
        assert answer.status_code == 303, rule.rule
        assert answer.location.startswith("/me/second-factor"), rule.rule
    assert tried > 15


def test_it_makes_no_token_meanwhile(app, admin, browser):
    require(app, 0)
    client = browser(admin)
    form = {"name": "Feed", "scopes": ["read"], "days": "30"}
    answer = press(client, "/me/tokens", "/me/tokens", **form)
    assert answer.location.startswith("/me/second-factor")


def test_it_leaves_tokens_of_programs_alone(app, admin):
    require(app, 0)
    with app.app_context():
        token = service.issue_token(admin.id, "Feed", ["people:write"])
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/probe/people:write", headers=headers).status_code == 200


def test_it_asks_for_the_code_where_a_session_began_without_one(app, admin, browser):
    secret, _codes = turn_on(app, admin)
    client = browser(admin)
    door = client.get("/studio/people/sign-in")
    assert client.get(door.location).location.startswith("/me/confirmation")
    page = only(client, "/me/confirmation")
    assert 'name="password"' not in page
    fields = {"code": code_at(secret), "next": "/studio/people/sign-in"}
    answer = press(client, "/me/confirmation", "/me/confirmation", **fields)
    assert answer.location == "/studio/people/sign-in"
    assert client.get("/studio/people/sign-in").status_code == 200


def test_it_is_no_proof_to_give_the_password_again(app, admin, browser):
    turn_on(app, admin)
    client = browser(admin)
    press(client, "/me/confirmation", "/me/confirmation", password=PASSWORD)
    assert client.get("/studio/people/sign-in").status_code == 303


def test_it_keeps_what_was_typed_on_a_page_that_has_shut(app, admin, browser):
    client = browser(admin)
    token = hidden(client, "/studio/people/new")
    require(app, 0)
    client.get("/me")
    form = {"csrf_token": token, "name": "Ada Lovelace", "email": "ada@halvenne.example"}
    answer = client.post(
        "/studio/people", data=form, headers={"Referer": "http://localhost/studio/people/new"}
    )
    assert answer.location == "/me/second-factor?next=/studio/people/new"
    set_up(client)
    assert 'value="Ada Lovelace"' in only(client, "/studio/people/new")


# --- the administrators ------------------------------------------------------------------


def test_it_is_decided_by_an_administrator(app, admin, browser):
    client = browser(admin)
    page = path = "/studio/people/sign-in"
    assert press(client, page, path, grace_days="30", required="1").status_code == 303
    with app.app_context():
        assert factor_policy.policy() == factor_policy.Policy(True, 30)
    for wrong in ("", "-1", "91", "9999", "x", "²"):
        assert press(client, page, path, grace_days=wrong, required="1").status_code == 422
    assert press(client, page, path, grace_days="30").status_code == 303
    with app.app_context():
        assert not factor_policy.policy().is_required
        noted = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "sign_in.policy")
        ).all()
    assert [entry.details["required"] for entry in noted] == [True, False]
    assert {entry.actor_id for entry in noted} == {admin.id}


def test_it_asks_nobody_where_the_organisation_does_not(app, admin, browser):
    with app.app_context():
        service.set_sign_in_policy(is_required=False, grace_days=14)
    assert by_password(browser(), admin.email).location == "/"


def test_it_is_reset_by_another_administrator_and_the_person_is_told(app, add, admin, browser):
    recruiter = add("Sofiane Belkhir", joined=True, roles=["recruiter"])
    turn_on(app, recruiter)
    client, theirs = browser(admin), browser(recruiter)
    path = f"/studio/people/{recruiter.id}"
    assert press(client, "/me", f"{path}/second-factor/reset").location == path
    with app.app_context():
        assert not second_factor.has_app(recruiter.id)
        assert recovery_codes.left(recruiter.id) == 0
        (noted,) = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "second_factor.reset")
        )
        assert (noted.actor_id, noted.target_id) == (admin.id, str(recruiter.id))
    assert theirs.get("/me").status_code == 303
    (message,) = [m for m in mails(app) if has_subject(m, "factor-reset")]
    assert recruiter.email in message["To"]


def test_it_is_not_reset_by_oneself_this_way(app, admin, browser):
    turn_on(app, admin)
    with app.app_context():
        session = service.start_login(admin.id, FIREFOX, "password", verified=True)
    client = browser()
    with client.session_transaction() as kept:
        kept["login"] = session.token
    answer = press(client, "/me", f"/studio/people/{admin.id}/second-factor/reset")
    assert answer.status_code == 403
    with app.app_context():
        assert second_factor.has_app(admin.id)


def test_it_leaves_nothing_of_somebody_who_departed(app, add, inside):
    recruiter = add("Sofiane Belkhir", joined=True, roles=["recruiter"])
    turn_on(app, recruiter)
    service.depart(recruiter.id)
    for table in (SecondFactor, RecoveryCode):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0


def test_it_forgets_sign_ins_that_nobody_finished(app, admin, inside):
    turn_on(app, admin)
    second_factor.enter(admin.id, FIREFOX, "password")
    clock.travel(dt.timedelta(minutes=11))
    purge.run("sign-in-steps")
    assert db.session.scalar(select(func.count()).select_from(SignInStep)) == 0
