"""The second factor: the code at sign-in, the app, the recovery codes, what the house asks."""

from __future__ import annotations

import io
import json
import uuid

import segno
from flask import Response, flash, request, session
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address

from app import crypto
from app.errors import InvalidInput
from app.people import factor_policy, known_browsers, queries, second_factor, sessions, steps
from app.people.errors import StepOver
from app.people.views import people
from app.people.views.common import (
    browser,
    by_field,
    confirm_first,
    let_in,
    local_path,
    render_for_visitor,
    with_next,
)
from app.people.views.devices import reader_key
from app.people.visitor_forms import check_visitor_form
from app.settings import organisation
from app.web import access, redirect_to, render
from app.web.limits import limiter
from app.web.security import csrf

PAGE = "/me/second-factor"
SECRET = "new_factor"  # nosec B105
CODES = "recovery_codes"
MOST_TYPED = 64

# --- at sign-in --------------------------------------------------------------------------


def _known_browser() -> str | None:
    """This browser's place of its own for the account whose sign-in waits."""
    step = steps.find(steps.CODE, sessions.held())
    if step is None or step.person_id is None:
        return None
    account = known_browsers.account_key(queries.person(step.person_id).email)
    return known_browsers.number_for(account)


def _code_key() -> str:
    number = _known_browser()
    return f"browser {number}" if number else get_remote_address()


def _code_page(status: int = 200, **context: object) -> Response:
    wanted = local_path(request.values.get("next"))
    return render_for_visitor("people/sign_in_step.html", status, next=wanted, **context)


@people.get("/sign-in/second-step")
@access.signed
def sign_in_step() -> Response:
    """The second step of signing in."""
    if steps.find(steps.CODE, sessions.held()) is None:
        return redirect_to(with_next("/sign-in", local_path(request.args.get("next"))))
    return _code_page()


@people.post("/sign-in/second-step")
@access.signed
@limiter.limit("10 per minute; 60 per hour", key_func=_code_key)
def sign_in_step_submit() -> Response:
    """By a code of the app, or a recovery code."""
    typed = request.form.get("code", "")[:MOST_TYPED]
    try:
        check_visitor_form()
        signed_in = second_factor.finish(
            sessions.held(), typed, browser(), is_known=_known_browser() is not None
        )
    except StepOver as error:
        return _code_page(error.status, problem=error.sentence, over=True)
    except InvalidInput as error:
        return _code_page(422, problem=error.sentence, over=_is_over())
    return let_in(signed_in, local_path(request.form.get("next")))


def _is_over() -> bool:
    return steps.find(steps.CODE, sessions.held()) is None


csrf.exempt(sign_in_step_submit)  # `check_visitor_form` stands in: there is no session yet


# --- one's own ---------------------------------------------------------------------------


@people.get("/me/second-factor")
@access.signed_in
def me_second_factor() -> Response:
    """What one has, what the house asks; whoever has one and has not shown it does so first."""
    reader, wanted = access.me(), local_path(request.args.get("next"))
    means = second_factor.means_of(reader.person_id, reader.login_id)
    if reader.withheld and (means.set_at or means.passkeys):
        return redirect_to(with_next("/me/confirmation", wanted))
    return render(
        "people/second_factor.html",
        200,
        layout="page",
        means=means,
        withheld=bool(reader.withheld),
        is_staff=factor_policy.is_staff(reader.roles | reader.withheld),
        next=wanted,
    )


def _sealed(purpose: str) -> str | None:
    """What waits in the session under a purpose, for this person alone."""
    sealed = session.get(purpose)
    if sealed is None:
        return None
    try:
        owner, _colon, text = crypto.decrypt(sealed, purpose).partition(":")
    except crypto.CannotDecrypt:
        return None
    return text if owner == str(access.me().person_id) else None


def _seal(purpose: str, text: str) -> None:
    session[purpose] = crypto.encrypt(f"{access.me().person_id}:{text}", purpose)


def _square(address: str) -> str:
    """A square for an app to scan, dark on white whatever the scheme."""
    out = io.BytesIO()
    segno.make_qr(address, error="m").save(
        out, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False, svgns=False,
        omitsize=True,
    )  # fmt: skip
    return out.getvalue().decode()


def _new_page(secret: str, status: int = 200, **context: object) -> Response:
    org, person = organisation(), queries.person(access.me().person_id)
    address = second_factor.app_address(secret, person.email, org.name if org else "Portevoix")
    response = render(
        "people/new_second_factor.html",
        status,
        layout="page",
        square=_square(address),
        address=address,
        secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        next=local_path(request.values.get("next")),
        **context,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@people.get("/me/second-factor/new")
@access.signed_in
def me_second_factor_new() -> Response:
    """A secret for an app; it waits, sealed, in the person's own session until a code shows that
    the app has it, so that a page that is loaded again still fits the app."""
    if first := confirm_first(with_next(f"{PAGE}/new", local_path(request.args.get("next")))):
        return first
    secret = _sealed(SECRET) or second_factor.new_secret()
    _seal(SECRET, secret)
    return _new_page(secret)


@people.post("/me/second-factor")
@access.signed_in
@limiter.limit("10 per minute", key_func=reader_key)
def me_second_factor_submit() -> Response:
    """The first code of the app: from now on it is asked at each sign-in."""
    wanted = local_path(request.form.get("next"))
    secret, first = _sealed(SECRET), confirm_first(with_next(f"{PAGE}/new", wanted))
    if first or secret is None:
        return first or redirect_to(with_next(f"{PAGE}/new", wanted))
    reader, typed = access.me(), request.form.get("code", "")[:MOST_TYPED]
    try:
        codes = second_factor.turn_on(reader.person_id, secret, typed, login_id=reader.login_id)
    except InvalidInput as error:
        return _new_page(secret, 422, problem=error.sentence, errors=by_field(error))
    session.pop(SECRET, None)
    return _show_codes(codes, wanted)


def _show_codes(codes: list[str], to: str = "") -> Response:
    """They travel to the next page sealed, in the person's own cookie, and are shown there once.
    What this session may do has changed, so it has a new token."""
    _seal(CODES, json.dumps(codes))
    login_id = access.me().login_id
    if login_id is not None:
        sessions.renew(login_id)
    return redirect_to(with_next(f"{PAGE}/codes", to))


@people.get("/me/second-factor/codes")
@access.signed_in
def me_recovery_codes() -> Response:
    """The recovery codes, this once."""
    codes = _sealed(CODES)
    sealed = session.pop(CODES, None)
    if codes is None:
        return redirect_to(PAGE)
    response = render(
        "people/recovery_codes.html",
        200,
        layout="page",
        codes=json.loads(codes),
        sealed=sealed,
        next=local_path(request.args.get("next")),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@people.post("/me/second-factor/codes/file")
@access.signed_in
def me_recovery_codes_file() -> Response:
    """The codes of the page as a file; the page brings them, sealed: they are kept nowhere."""
    try:
        opened = crypto.decrypt(request.form.get("secret_codes", ""), CODES)
    except crypto.CannotDecrypt:
        return redirect_to(PAGE)
    owner, _colon, codes = opened.partition(":")
    if owner != str(access.me().person_id):
        return redirect_to(PAGE)
    text = "\n".join([_("Recovery codes. Each works once."), "", *json.loads(codes), ""])
    name = 'attachment; filename="portevoix-recovery-codes.txt"'
    return Response(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )


@people.post("/me/second-factor/codes")
@access.signed_in
@limiter.limit("10 per hour", key_func=reader_key)
def me_recovery_codes_renewal() -> Response:
    """Ten new ones; those before are worth nothing."""
    if first := confirm_first(PAGE):
        return first
    return _show_codes(second_factor.renew_codes(access.me().person_id))


@people.post("/me/second-factor/removal")
@access.signed_in
def me_second_factor_removal() -> Response:
    """Switch it off."""
    if first := confirm_first(PAGE):
        return first
    reader = access.me()
    second_factor.turn_off(reader.person_id)
    if reader.login_id is not None:
        sessions.renew(reader.login_id)
    flash(_("Signing in no longer asks for a code."), "ok")
    return redirect_to(PAGE)


# --- the administrators' -----------------------------------------------------------------


@people.post("/studio/people/<uuid:person_id>/second-factor/reset")
@access.role("admin")
def directory_factor_reset(person_id: uuid.UUID) -> Response:
    """For whoever lost phone and codes; they are told by mail."""
    second_factor.reset(person_id, actor_id=access.me().person_id)
    flash(_("App, recovery codes and passkeys are forgotten. The person is told by mail."), "ok")
    return redirect_to(f"/studio/people/{person_id}")


def _policy_page(status: int = 200, **context: object) -> Response:
    rule = factor_policy.policy()
    shown = {"is_required": rule.is_required, "grace_days": rule.grace_days, **context}
    return render("people/sign_in_policy.html", status, layout="page", **shown)


@people.get("/studio/people/sign-in")
@access.role("admin")
def sign_in_policy() -> Response:
    """What the team has to show at our own door."""
    return _policy_page()


@people.post("/studio/people/sign-in")
@access.role("admin")
def sign_in_policy_submit() -> Response:
    """Decide it."""
    typed, required = request.form.get("grace_days", "").strip(), "required" in request.form
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else -1
    try:
        factor_policy.set_policy(
            is_required=required, grace_days=days, actor_id=access.me().person_id
        )
    except InvalidInput as error:
        shown = {"is_required": required, "grace_days": typed[:9], "errors": by_field(error)}
        return _policy_page(422, problem=error.sentence, **shown)
    flash(_("This holds from now on."), "ok")
    return redirect_to("/studio/people/sign-in")
