"""The candidate's own page: where one stands, what comes next, and what one may do.

The address shows; to act, a code from the mailbox is typed once and then carried by the
page itself, as a hidden field, for as long as it is good. An act answers with the page, so
that the code never stands in an address.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from flask import Response, request
from flask_babel import gettext as _

from app import crypto
from app.errors import DomainError, Gone, InvalidInput
from app.personal_data import CANDIDATE
from app.referrals import candidates
from app.referrals import public_queries as queries
from app.referrals.attribution import normalised
from app.referrals.errors import WrongCode
from app.referrals.public_frame import (
    address,
    form_token,
    is_fresh,
    mishap,
    other_language,
    private,
    public,
    show,
)
from app.referrals.public_queries import Application
from app.referrals.service import promise_days
from app.referrals.stage_words import for_candidate
from app.rights import my_data
from app.settings.pages import shown
from app.web import access
from app.web.i18n import language
from app.web.limits import limiter

ACTS = ("visibility", "correction", "copy", "withdrawal", "erasure")
AGAIN = "candidate-again"


@dataclass(slots=True)
class State:
    """What an act adds to the page: `code` once it was good, `open` the door to show open,
    `said` what was done, which stands where the act `done` is (or at the head, once it is
    no longer offered)."""

    open: str = ""
    code: str = ""
    is_asked: bool = False
    said: str = ""
    done: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)


def _application(token: str) -> tuple[uuid.UUID, Application]:
    """Raises `NotFound`, or `Gone` for an address that has expired or a person erased."""
    referral_id = candidates.referral_of(token)
    found = queries.application(referral_id)
    if found is None:
        raise Erased
    return referral_id, found


class Erased(Gone):
    """Everything about this person was erased."""

    def __init__(self) -> None:
        super().__init__(_("This page was erased"))


@public.errorhandler(Erased)
def _on_erased(error: Erased) -> Response:
    return mishap(
        410,
        str(error.sentence),
        _("Everything that named this person is gone, and the page with it."),
    )


def _page(token: str, found: Application, state: State, status: int = 200) -> Response:
    org = shown()
    return show(
        "referrals/candidate/page.html",
        status,
        mine=found,
        state=state,
        words=for_candidate(found.stage, found.closure_reason, org.name),
        roles=_role_words(),
        promise_days=promise_days(),
        url=address(f"/c/{token}"),
        act_url={act: address(f"/c/{token}/{act}") for act in (*ACTS, "codes", "copies")},
        is_copy_sent=request.args.get("sent") == "copy",
        privacy_url=address("/privacy"),
        again_url=address("/c"),
        other_lang_url=other_language(f"/c/{token}", language()),
    )


def _role_words() -> dict[str, str]:
    return {
        "recruiter": _("Recruiting team"), "hr": _("Human resources"),
        "lead": _("The team’s lead"), "admin": _("Administration"),
    }  # fmt: skip


@public.get("/c/<token>")
@access.signed
@private
def page(token: str) -> Response:
    """Reading needs the address alone."""
    _id, found = _application(token)
    door = request.args.get("act", "")
    return _page(token, found, State(open=door, is_asked=door in ACTS))


# --- the code ----------------------------------------------------------------------------


def of_application() -> str:
    """Counts by application, whichever of its addresses is used."""
    try:
        return candidates.referral_of(str((request.view_args or {}).get("token"))).hex
    except DomainError:
        return request.remote_addr or ""


@public.post("/c/<token>/codes")
@access.signed
@private
@limiter.limit("30/hour")
@limiter.limit("5 per 15 minutes", key_func=of_application)
def send_code(token: str) -> Response:
    """A code goes to the mailbox; the page then asks for it."""
    referral_id, _found = _application(token)
    candidates.send_code(referral_id)
    act = request.form.get("act", "")
    act = act if act in ACTS else "visibility"
    return Response(
        status=303, headers={"Location": address(f"/c/{token}", act=act) + f"#act-{act}"}
    )


# --- acts --------------------------------------------------------------------------------


@public.get("/c/<token>/<act>")
@access.signed
@private
def back(token: str, act: str) -> Response:
    """The address of an act, opened again, is the page."""
    _application(token)
    return Response(status=303, headers={"Location": address(f"/c/{token}")})


@public.post("/c/<token>/<any(visibility,correction,copy,withdrawal,erasure):act>")
@access.signed
@private
@limiter.limit("120/hour")
def act(token: str, act: str) -> Response:
    """One act, with its code."""
    referral_id, found = _application(token)
    code = request.form.get("code", "")
    state = State(open=act, is_asked=True)
    try:
        candidates.check_code(referral_id, code)
    except WrongCode as error:
        state.errors["code"] = str(error.sentence)
        return _page(token, found, state, error.status)
    state.code = code.strip()
    try:
        return _ACTS[act](token, referral_id, state)
    except InvalidInput as error:
        state.errors |= {name: " ".join(map(str, said)) for name, said in error.errors.items()}
        return _page(token, found, state, error.status)


def _acted(token: str, said: str, state: State) -> Response:
    """The page as it is now, with what was done."""
    state.said, state.done, state.open = said, state.open, ""
    _id, found = _application(token)
    return _page(token, found, state)


def _visibility(token: str, referral_id: uuid.UUID, state: State) -> Response:
    candidates.choose_visibility(referral_id, request.form.get("visibility", ""))
    return _acted(token, _("Your choice is kept, and counts from now on."), state)


def _correction(token: str, referral_id: uuid.UUID, state: State) -> Response:
    """The code alone opens the fields; the details are not shown to the address alone."""
    if "first_name" not in request.form:
        _id, found = _application(token)
        return _page(token, found, state)
    names = ("first_name", "last_name", "phone")
    state.typed = {name: request.form.get(name, "") for name in names}
    candidates.correct(referral_id, **state.typed)
    return _acted(token, _("Your details are corrected."), state)


def _copy(token: str, referral_id: uuid.UUID, state: State) -> Response:
    candidate_id = candidates.candidate_of(referral_id)
    if candidate_id is None:
        raise Erased
    return file_of(candidate_id)


def file_of(candidate_id: uuid.UUID) -> Response:
    """Everything kept about a candidate, as a file."""
    return Response(
        my_data.as_json(CANDIDATE, candidate_id),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="portevoix.json"'},
    )


def _withdrawal(token: str, referral_id: uuid.UUID, state: State) -> Response:
    candidates.withdraw(referral_id)
    return _acted(token, _("Your application is withdrawn."), state)


def _erasure(token: str, referral_id: uuid.UUID, state: State) -> Response:
    candidates.erase(referral_id)
    return show("referrals/candidate/erased.html", other_lang_url=None)


_ACTS = {
    "visibility": _visibility,
    "correction": _correction,
    "copy": _copy,
    "withdrawal": _withdrawal,
    "erasure": _erasure,
}


# --- a new address -----------------------------------------------------------------------


def _mailbox() -> str:
    return crypto.fingerprint(normalised(request.form.get("email", "")), "form-limit")


@public.get("/c")
@access.public
def again() -> Response:
    """Ask for one's private address once more."""
    return _again(is_sent=request.args.get("sent") == "1")


def _again(
    status: int = 200, *, is_sent: bool = False, email: str = "", error: str = ""
) -> Response:
    return show(
        "referrals/candidate/again.html",
        status,
        is_sent=is_sent,
        email=email,
        error=error,
        token=form_token(AGAIN),
        action=address("/c"),
        other_lang_url=other_language("/c", language(), sent="1" if is_sent else None),
    )


@public.post("/c")
@access.public
@limiter.limit("20/hour")
@limiter.limit("3/hour", key_func=_mailbox)
def send_again() -> Response:
    """The answer is the same whether or not somebody applied from this address."""
    email = request.form.get("email", "")
    if not is_fresh(request.form.get("csrf_token"), AGAIN):
        stale = _("This page had waited for long. Please send it once more.")
        return _again(422, email=email, error=stale)
    try:
        candidates.new_address(email)
    except InvalidInput as error:
        return _again(422, email=email, error=str(error.errors["email"][0]))
    return Response(status=303, headers={"Location": address("/c", sent="1")})
