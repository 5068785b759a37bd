"""Several rewards of the shelf at once: what was asked, what became of each, and the way back."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.audit.models import AuditEntry
from app.db import new_id
from app.people.queries import person_by_email
from app.play.numbers import whole
from app.rewards import bulk, queries
from app.rewards.service import MAX_STOCK
from app.rewards.studio import LIST, keeper, reach
from app.rewards.views import rewards
from app.web import access, pressing, redirect_to, render
from app.web.bulk import Act, chosen, each
from app.web.i18n import language

Fields = list[tuple[str, str]]
PATH: Final = LIST.path


def _back() -> str:
    """Back to the list as it was; only ever to that list."""
    target = request.form.get("back", "")
    return target if target.partition("?")[0] == PATH else PATH


def _me() -> uuid.UUID:
    return access.me().person_id


@rewards.post("/studio/rewards/withdrawals")
@keeper
def shelf_withdraw() -> Response:
    """Several off the shelf."""
    act = bulk.off_sale(_me(), reach())
    return _several(act, _("Taken off the shelf"), undo="publications")


@rewards.post("/studio/rewards/publications")
@keeper
def shelf_restore() -> Response:
    """Several on sale again."""
    act = bulk.on_sale(_me(), reach())
    return _several(act, _("Put back on sale"), undo="withdrawals")


@rewards.post("/studio/rewards/stocks")
@keeper
def shelf_stock() -> Response:
    """So many more of each."""
    more = whole(request.form.get("more"), otherwise=0)
    if not 1 <= more <= MAX_STOCK:
        flash(_("Say how many more there are of each, from 1 to 1,000,000."), "stop")
        return redirect_to(_back())
    fewer = "fewer" in request.form
    title = ngettext("%(num)d more of each", "%(num)d more of each", more)
    return _several(
        bulk.stock(-more if fewer else more, _me(), reach(), pressing.id_for(AuditEntry, _me())),
        title,
        undo="stocks",
        fields=[("more", str(more)), ("fewer", "1"), ("key", str(new_id()))],
    )


@rewards.post("/studio/rewards/deliverers")
@keeper
def shelf_deliverer() -> Response:
    """Another person hands over several."""
    address = request.form.get("deliverer", "").strip()
    person = person_by_email(address)
    if person is None:
        flash(_("Nobody here has the address “%(address)s”.", address=address[:100]), "stop")
        return redirect_to(_back())
    title = _("Handed over by %(name)s", name=person.name)
    return _several(bulk.deliverer(person.id, _me(), reach()), title)


def _several(
    act: Act[bool], title: str, *, undo: str = "", fields: Fields | None = None
) -> Response:
    """The same for each that was chosen, then what became of each, with a way back from what was
    done; where this is the way back, the list again."""
    ids, back = chosen("reward"), _back()
    if not ids:
        flash(_("Choose at least one reward first."), "wait")
        return redirect_to(back)
    outcomes = each(ids, act)
    done = [one.id for one in outcomes if one.code == "done"]
    if "undo" in request.form and len(done) == len(outcomes):
        flash(ngettext("Taken back for one.", "Taken back for %(num)d.", len(done)), "ok")
        return redirect_to(back)
    if "undo" in request.form:
        undo = ""
    names = queries.titles(ids, within=reach(), language=language())
    return render(
        "web/outcomes.html",
        spot="rewards",
        title=title,
        outcomes=outcomes,
        named={key: (name, "") for key, name in names.items()},
        unnamed=_("A reward that is not there"),
        path=PATH,
        list_name=LIST.name,
        undo=_way_back(undo, done, fields or []) if undo and done else None,
        back=back,
    )


def _way_back(act: str, ids: list[uuid.UUID], fields: Fields) -> dict[str, object]:
    chosen_ones = [("reward", str(each)) for each in ids]
    return {"url": f"{PATH}/{act}", "fields": [("undo", "1"), *fields, *chosen_ones]}
