"""What a member reads: the charter in force, their agreement and its proof, their rights."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app.charters import proofs, queries, service
from app.charters.errors import CharterNotCurrent, NoSuchCharter
from app.charters.queries import Acceptance, CharterVersionView
from app.charters.service import Circumstances
from app.config import LANGUAGES
from app.people.queries import person
from app.people.views.common import local_path
from app.web import access, redirect_to, render
from app.web.i18n import language

charters = Blueprint("charters", __name__)

_FILE = re.compile(r"charter-([1-9][0-9]{0,5})-(fr|en)\.md")


@charters.get("/charter")
@access.signed_in
def charter() -> Response:
    """The text in force: first what changed for whoever agreed to an older one."""
    return _page(next_path=local_path(request.args.get("next")))


def _page(status: int = 200, *, next_path: str, problem: str = "") -> Response:
    reader, lang = access.me(), language()
    versions, answers = queries.history(reader.person_id), queries.answers_of(reader.person_id)
    present = versions[0] if versions else None
    standing = answers[0] if answers and answers[0].stands else None
    return render(
        "charters/charter.html",
        status,
        charter=present,
        older=versions[1:],
        answers=answers,
        standing=standing if present and standing and standing.number == present.number else None,
        news=_news(versions, answers, lang),
        is_member="member" in reader.roles,
        next_path=next_path,
        problem=problem,
        other_language=_other_language_url(lang, next_path),
    )


def _news(
    versions: list[CharterVersionView], answers: list[Acceptance], lang: str
) -> dict[str, object] | None:
    """What is new since the version this person agreed to last; None when nothing is. With
    `moved`, another charter is in force for them than the one of that version: their entity's
    own, or the shared one."""
    agreed = next((a for a in answers if a.stands), None)
    if agreed is None or not versions or agreed.number == versions[0].number:
        return None
    known = next((v for v in versions if v.number == agreed.number), None)
    since = known or queries.version(agreed.number)
    later = [v for v in reversed(versions) if known and v.number > known.number and v.note(lang)]
    return {
        "since": since,
        "moved": "" if known else "own" if versions[0].entity_id else "shared",
        "notes": later,
        "changes": queries.difference(since, versions[0], lang),
    }


def _other_language_url(lang: str, next_path: str) -> str:
    """The same page in the other language, also for a form that came back."""
    args = {"lang": LANGUAGES[1] if lang == LANGUAGES[0] else LANGUAGES[0]}
    return f"/charter?{urlencode(args | ({'next': next_path} if next_path else {}))}"


@charters.post("/charter/acceptances")
@access.role("member")
def accept() -> Response:
    """Agree to the text on the page, and go back to where one came from."""
    next_path = local_path(request.form.get("next"))
    if not request.form.get("agree"):
        problem = _("Tick the box if you agree. If you do not, nothing happens.")
        return _page(422, next_path=next_path, problem=problem)
    try:
        service.accept(
            access.me().person_id,
            _version_id(),
            language(),
            _circumstances(_("I agree")),
            shown_hash=request.form.get("shown"),
        )
    except CharterNotCurrent as error:
        return _page(error.status, next_path=next_path, problem=str(error.sentence))
    flash(_("Noted. Your proof is on the charter’s page, and a copy comes by mail."), "ok")
    return redirect_to(next_path or "/charter#agreement")


def _version_id() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("version", ""))
    except ValueError:
        raise CharterNotCurrent from None


def _circumstances(label: str) -> Circumstances:
    known = queries.sign_in_of(access.me().login_id)
    method, at = known or (None, None)
    return Circumstances(f"button “{label}”", "page", method, at)


@charters.post("/charter/withdrawals")
@access.signed_in
def withdraw() -> Response:
    """Take the agreement back, from now on."""
    if service.withdraw(access.me().person_id, _circumstances(_("Take back"))):
        flash(_("Taken back. Sharing waits until you agree again; nothing else changes."), "ok")
    return redirect_to("/charter#agreement")


@charters.get("/charter/<name>")
@access.signed_in
def download(name: str) -> Response:
    """One published version in one language, as Markdown."""
    asked = _FILE.fullmatch(name)
    if asked is None:
        raise NoSuchCharter
    reader = access.me()
    is_team = bool(reader.roles & {"lead", "admin"})
    text = queries.readable(int(asked[1]), reader.person_id, is_team=is_team).text(asked[2])
    return _file(text, name, "text/markdown")


@charters.get("/charter/acceptances/<uuid:answer_id>")
@access.signed_in
def proof(answer_id: uuid.UUID) -> Response:
    """The reader's own proof as plain text, with the exact text they answered."""
    reader = access.me()
    answer = queries.answer(reader.person_id, answer_id)
    text = queries.version(answer.number)
    paper = proofs.paper(answer, text, person(reader.person_id).name)
    return _file(paper, f"charter-{answer.number}-{answer.accepted_at:%Y-%m-%d}.txt", "text/plain")


def _file(text: str, name: str, kind: str) -> Response:
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@charters.get("/rights")
@access.signed_in
def rights() -> Response:
    """One page: free choice, free speech, loyalty, what is kept, how to stop, who to ask."""
    return render("charters/rights.html", is_member="member" in access.me().roles)
