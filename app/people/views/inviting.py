"""Bringing people in: invitations that were sent, open invitations and their posters, those who
ask to be let in, and, for the team, counts."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence

import segno
from flask import Response, flash, request
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.config import LANGUAGES
from app.errors import InvalidInput, NotFound
from app.people import (
    invitations,
    inviting_many,
    open_invitations,
    personal_codes,
    queries,
    segments_queries,
    segments_reach,
    service,
)
from app.people.errors import InvitedRecently
from app.people.joining_models import OpenInvitation
from app.people.models import Person
from app.people.open_invitations import ADMISSIONS, Terms, spelled
from app.people.views import people
from app.people.views.common import by_field
from app.people.words import LANGUAGE_NAMES
from app.web import access, current_settings, pressing, redirect_to, render
from app.web.i18n import day
from app.web.pages import url_with

HOME = "/studio/people/invitations"


def _page(status: int = 200, error: InvalidInput | None = None) -> Response:
    page = invitations.sent_page(request.args.get("after"))
    return render(
        "people/invitations.html",
        status,
        rows=page.items,
        next_url=url_with(after=page.next) if page.next else None,
        first_url=url_with() if request.args.get("after") else None,
        batches=open_invitations.batches(),
        asking=open_invitations.asking(),
        segments=segments_queries.choices(),
        under_way=inviting_many.under_way(),
        languages=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES],
        admissions=ADMISSIONS,
        typed=request.form,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
    )


@people.get(HOME)
@access.role("admin")
def invitations_page() -> Response:
    """What was sent, by whom one may come in, who asks. Nobody's answer shows here."""
    return _page()


@people.get("/studio/joining")
@access.role("lead", "sponsor", "admin")
def joining_counts() -> Response:
    """How many take part: counts, of large groups alone (rule W2)."""
    return render("people/joining.html", counts=invitations.joining_counts())


@people.post(HOME + "/reminders")
@access.role("admin")
def invitations_remind() -> Response:
    """Once more to whoever has not answered; who that is stays unsaid."""
    invitations.remind(actor_id=access.me().person_id)
    flash(_("A mail goes to those who have not answered and had none this week."), "ok")
    if invitations.reminders_wait():
        flash(
            _(
                "It leaves on the next working morning: nobody is reminded at night or at the weekend."
            ),
            "info",
        )
    return redirect_to(HOME)


@people.post(HOME + "/<uuid:person_id>/mails")
@access.role("admin")
def invitation_again(person_id: uuid.UUID) -> Response:
    """One invitation once more; the answer never tells who has joined."""
    try:
        service.invite(person_id, actor_id=access.me().person_id)
        flash(_("A mail is on its way, unless this person has joined already."), "ok")
    except InvitedRecently as error:
        flash(str(error.sentence), "info")
    return redirect_to(HOME)


@people.post(HOME + "/<uuid:person_id>/revocation")
@access.role("admin")
def invitation_revocation(person_id: uuid.UUID) -> Response:
    """Its link opens nothing any more."""
    invitations.revoke(person_id, actor_id=access.me().person_id)
    flash(_("The link of this invitation opens nothing any more."), "ok")
    return redirect_to(HOME)


# --- open invitations --------------------------------------------------------------------


@people.post(HOME + "/open")
@access.role("admin")
def open_invitation_submit() -> Response:
    """Make one, and go to its sheet."""
    me = access.me().person_id
    id_ = pressing.id_for(OpenInvitation, me)
    if pressing.came_before(OpenInvitation, id_):
        return redirect_to(f"{HOME}/open/{id_}")
    try:
        batch_id = open_invitations.create(_terms(), actor_id=me, id_=id_)
    except InvalidInput as error:
        return _page(422, error)
    return redirect_to(f"{HOME}/open/{batch_id}")


def _terms() -> Terms:
    form = request.form
    return Terms(
        label=form.get("label", ""),
        admission=form.get("admission", ""),
        days=_number("days"),
        use_limit=_number("use_limit"),
        copies=_number("copies"),
        domain=form.get("domain", ""),
        site=form.get("site", ""),
        department=form.get("department", ""),
        language=form.get("language", ""),
    )


def _number(name: str) -> int:
    typed = request.form.get(name, "").strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0


@people.get(HOME + "/open/<uuid:batch_id>")
@access.role("admin")
def open_invitation(batch_id: uuid.UUID) -> Response:
    """A poster on A4, or a sheet of codes to cut out, in the language of the invitation."""
    return _sheet(open_invitations.batch(batch_id))


@people.get("/studio/people/<uuid:person_id>/code")
@access.role("admin", within=True)
def personal_code(person_id: uuid.UUID) -> Response:
    """The code of one person, to be cut out and given to them."""
    segments_reach.must_reach(person_id, access.reach("admin"))
    person, row = queries.person(person_id), personal_codes.code_of(person_id)
    if row is None or not open_invitations.is_for_paper(person):
        raise NotFound(_l("There is no code to print for this person. Make one on their page."))
    return _sheet([row], person)


def _sheet(rows: Sequence[OpenInvitation], holder: Person | None = None) -> Response:
    asked = request.args.get("in", "")
    in_language = asked if asked in LANGUAGES else rows[0].language
    return render(
        "people/poster.html",
        invitation=rows[0],
        holder=holder,
        languages=LANGUAGE_NAMES,
        in_language=in_language,
        said=_poster_words(rows[0], in_language),
        codes=[(spelled(row.code), _address(row.code), _square(row.code)) for row in rows],
        where=f"{current_settings().base_url}/invitation".partition("://")[2],
    )


def _poster_words(row: OpenInvitation, in_language: str) -> dict[str, str]:
    """The paper speaks its own language, whatever its printer reads."""
    with force_locale(in_language):
        return {
            "title": _("Lend your voice, when you want to"),
            "text": _(
                "Stories and job offers, passed on in your own words to people you know. "
                "Taking part is free; not taking part, or leaving, has no effect on your work."
            ),
            "scan": _("Scan with the camera of your phone"),
            "or_type": _("Or type this code at"),
            "free": _("You need no address of the company: a private one will do.")
            if row.admission != "domain"
            else _("You need an address that ends with @%(domain)s.", domain=row.domain),
            "once": _("For one person, once."),
            "until": _("Until %(day)s.", day=day(row.expires_at)),
        }


def _address(code: str) -> str:
    return f"{current_settings().base_url}/i/{code}"


def _square(code: str) -> Markup:
    """The address as a square to scan. Its colours are attributes: the page allows no styles."""
    out = io.BytesIO()
    segno.make_qr(_address(code), error="q").save(
        out, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, svgns=False,
        nl=False, omitsize=True,
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # nosec B704 (drawn here, of our own address)


@people.post(HOME + "/open/<uuid:batch_id>/revocation")
@access.role("admin")
def open_invitation_revocation(batch_id: uuid.UUID) -> Response:
    """Nobody comes in by it any more."""
    open_invitations.revoke(batch_id, actor_id=access.me().person_id)
    flash(_("Nobody comes in by this invitation any more."), "ok")
    return redirect_to(HOME + "#open")


# --- who asks ----------------------------------------------------------------------------


@people.post(HOME + "/requests/<uuid:request_id>/acceptance")
@access.role("admin")
def join_request_acceptance(request_id: uuid.UUID) -> Response:
    """Into the directory, with an invitation by mail."""
    open_invitations.let_in(request_id, actor_id=access.me().person_id)
    flash(_("This person is in the directory. Their invitation is on its way."), "ok")
    return redirect_to(HOME)


@people.post(HOME + "/requests/<uuid:request_id>/refusal")
@access.role("admin")
def join_request_refusal(request_id: uuid.UUID) -> Response:
    """What they typed is erased."""
    open_invitations.turn_away(request_id, actor_id=access.me().person_id)
    flash(_("The request is erased. Nothing was sent."), "ok")
    return redirect_to(HOME)
