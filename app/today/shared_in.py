"""What a phone's share sheet sends here: a page to make a story of, or to suggest to those
who do."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from app.errors import DomainError, InvalidInput
from app.integrations.text import safe_url
from app.library import proposals
from app.library.proposals import EnoughForToday
from app.web import access, redirect_to, render
from app.web.limits import limiter

shared_in = Blueprint("shared_in", __name__)

WRITE = "/studio/stories/new"
_ADDRESS = re.compile(r"https?://\S+")
_MOST = 2000


def _address() -> str:
    """The page that was shared: some telephones put its address among the words."""
    for name in ("url", "text", "title"):
        found = _ADDRESS.search(request.args.get(name, "")[: 2 * _MOST])
        if found and safe_url(found[0]):
            return found[0]
    return ""


def _title() -> str:
    title = " ".join(request.args.get("title", "").split())[:200]
    return "" if _ADDRESS.fullmatch(title) else title


@shared_in.get("/shared-in")
@access.signed_in
def arrive() -> Response:
    """Writers go on to a new story with the address in its place, members to a suggestion.
    Looking changes nothing."""
    roles = access.me().roles
    address = _address()
    if address and access.may_open(WRITE):
        return redirect_to(f"{WRITE}?{urlencode({'url': address})}")
    if "member" not in roles:
        return redirect_to("/join")
    return _page({"url": address, "title": _title(), "words": ""})


def _page(typed: dict[str, str], error: DomainError | None = None) -> Response:
    told = error.errors if isinstance(error, InvalidInput) else {}
    return render(
        "web/shared_in.html",
        error.status if error else 200,
        typed=typed,
        refusal="" if told or error is None else str(error.sentence),
        errors={name: " ".join(map(str, said)) for name, said in told.items()},
        most=proposals.MOST_WORDS,
    )


@shared_in.post("/proposals")
@access.role("member")
@limiter.limit("30 per hour", key_func=lambda: str(access.me().person_id))
def propose() -> Response:
    """Send a page to the editors. The same one twice is one."""
    typed = {name: request.form.get(name, "")[:_MOST] for name in ("url", "title", "words")}
    try:
        proposals.propose(access.me().person_id, **typed)
    except (InvalidInput, EnoughForToday) as error:
        return _page(typed, error)
    flash(_("The editors have it. If it is told, it carries your name."), "ok")
    return redirect_to("/library")
