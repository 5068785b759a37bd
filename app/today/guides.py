"""A short guide for each kind of user, and the words of the house, inside the product."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.errors import NotFound, Sentence
from app.web import access, render
from app.web.glossary import TERMS
from app.web.i18n import language
from app.web.markdown import to_html

guides = Blueprint("guides", __name__)

#: Address, title, and the roles it is written for. Everybody may read all of them.
KINDS: Final[dict[str, tuple[Sentence, frozenset[str]]]] = {
    "ambassador": (_l("Share, recommend, leave"), frozenset({"member"})),
    "editor": (_l("Write and publish stories"), frozenset({"contributor", "curator"})),
    "recruiter": (_l("Offers and referrals"), frozenset({"recruiter"})),
    "hr": (_l("Rules, rewards, deliveries"), frozenset({"hr"})),
    "lead": (_l("Lead the programme"), frozenset({"lead"})),
    "sponsor": (_l("Sponsor the programme"), frozenset({"sponsor"})),
    "auditor": (_l("Audit"), frozenset({"auditor"})),
    "administrator": (_l("People, access, upkeep"), frozenset({"admin"})),
    "candidate": (_l("What a candidate sees"), frozenset()),
}


@guides.get("/guide")
@access.signed_in
def index() -> Response:
    """All guides, those for the reader's roles first, and the words of the house."""
    who = access.me()
    roles = who.roles | {*who.reach}
    mine = [kind for kind, (_title, whose) in KINDS.items() if whose & roles]
    return render(
        "guides/index.html",
        kinds=KINDS,
        mine=mine,
        others=[kind for kind in KINDS if kind not in mine],
        terms=sorted(TERMS.items(), key=lambda item: str(item[1].word)),
    )


@guides.get("/guide/<kind>")
@access.signed_in
def guide(kind: str) -> Response:
    """One guide, in the reader's language."""
    if kind not in KINDS:
        raise NotFound(_("There is no such guide."))
    return render("guides/guide.html", title=KINDS[kind][0], words=to_html(_text(kind)))


def _text(kind: str) -> str:
    folder = Path(str(current_app.template_folder)) / "guides"
    return (folder / f"{kind}.{language()}.md").read_text("utf-8")
