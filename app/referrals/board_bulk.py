"""Several referrals of the board at once: what was asked, what became of each, and the way back."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.db import read_id
from app.referrals import bulk, queries, reach
from app.referrals.board import PATH, as_date, board, promised, record_stage, staff
from app.referrals.bulk import Outcome
from app.referrals.models import STAGES
from app.referrals.queries import ReferralFilter
from app.referrals.words import stage_names
from app.web import access, redirect_to, render
from app.web.bulk import MOST, each
from app.web.bulk import chosen as chosen_rows


def _chosen() -> list[uuid.UUID]:
    return chosen_rows("referral")


def _back() -> str:
    """Back to the list as it was; only ever to that list."""
    target = request.form.get("back", "")
    return target if target.partition("?")[0] == PATH else PATH


def _nothing_chosen() -> Response:
    flash(_("Choose at least one referral first."), "wait")
    return redirect_to(_back())


@board.post("/referrals/stages")
@staff
def bulk_stage() -> Response:
    """One stage for several referrals. It cannot be taken back: each person is told by mail."""
    chosen, stage = _chosen(), request.form.get("stage", "")
    if not chosen:
        return _nothing_chosen()
    if stage not in STAGES:
        flash(_("Choose a stage."), "stop")
        return redirect_to(_back())
    outcomes = each(chosen, bulk.to_stage(stage, record_stage, reach.mine()))
    if all(each.code == "done" for each in outcomes):
        n = len(outcomes)
        flash(ngettext("One referral moved.", "%(num)d referrals moved.", n), "ok")
        return redirect_to(_back())
    return _outcomes(outcomes, _("Change stage: %(stage)s", stage=stage_names().get(stage, stage)))


@board.post("/referrals/owners")
@staff
def bulk_owner() -> Response:
    """Entrust several referrals to one recruiter, or to oneself."""
    chosen, me = _chosen(), access.me().person_id
    if not chosen:
        return _nothing_chosen()
    owner = me if "mine" in request.form else read_id(request.form.get("owner"))
    within = reach.mine()
    known = {each.id: each.name for each in reach.recruiters(within)}
    if owner is None or owner not in known:
        flash(_("Choose a recruiter."), "stop")
        return redirect_to(_back())
    outcomes = each(chosen, bulk.to_owner(owner, me, within))
    title = _("Entrusted to %(name)s", name=known[owner])
    return _outcomes(outcomes, title, undo="owners", given=str(owner))


@board.post("/referrals/next-steps")
@staff
def bulk_next_step() -> Response:
    """The same next step for several people."""
    chosen = _chosen()
    if not chosen:
        return _nothing_chosen()
    words, day = request.form.get("next_step", "").strip(), as_date(request.form.get("due_on"))
    if not words:
        flash(_("Say what happens next."), "stop")
        return redirect_to(_back())
    act = bulk.to_next_step(words, promised(day), access.me().person_id, reach.mine())
    outcomes = each(chosen, act)
    return _outcomes(outcomes, _("Next: %(words)s", words=words), undo="next-steps", given=words)


def _outcomes(outcomes: list[Outcome], title: str, undo: str = "", given: str = "") -> Response:
    """What became of each, with its name; and, where it can be, a way back."""
    ids = tuple(each.id for each in outcomes)
    asked = ReferralFilter(ids=ids, within=reach.mine())
    rows = queries.referrals(asked, limit=MOST).rows
    return render(
        "web/outcomes.html",
        spot="board",
        title=title,
        outcomes=outcomes,
        named={row.id: (row.candidate_name, row.offer_title) for row in rows},
        path=PATH,
        list_name=_("Referrals"),
        unnamed=_("Name erased or not known"),
        undo=_way_back(outcomes, undo, given),
        back=_back(),
    )


def _way_back(outcomes: list[Outcome], undo: str, given: str) -> dict[str, object] | None:
    """The form that puts back what each had before; None where nothing can be put back."""
    fields = [("given", given)]
    for one in outcomes:
        if one.before is not None:
            fields.append(("referral", str(one.id)))
            fields += _had(one.before, undo)
    return {"url": f"{PATH}/{undo}/undo", "fields": fields} if undo and fields[1:] else None


def _had(before: bulk.Before, undo: str) -> list[tuple[str, str]]:
    if undo == "owners":
        return [("before", str(before.owner_id or ""))]
    due = before.due_at.isoformat() if before.due_at else ""
    return [("before", before.next_step or ""), ("due", due)]


def _moment(text: str) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


@board.post("/referrals/owners/undo")
@staff
def undo_owners() -> Response:
    """Back to whoever followed each before."""
    within = reach.mine()
    known = {each.id for each in reach.recruiters(within)}
    owners = [read_id(text) for text in request.form.getlist("before")]
    before = [(a, b if b in known else None) for a, b in zip(_chosen(), owners, strict=False)]
    given = read_id(request.form.get("given"))
    return _taken_back(bulk.owners_back(before, given, access.me().person_id, within))


@board.post("/referrals/next-steps/undo")
@staff
def undo_next_steps() -> Response:
    """Back to what each said before."""
    form = request.form
    dues = [_moment(text) for text in form.getlist("due")]
    before = list(zip(_chosen(), form.getlist("before"), dues, strict=False))
    given = form.get("given", "")
    return _taken_back(bulk.next_steps_back(before, given, access.me().person_id, reach.mine()))


def _taken_back(outcomes: list[Outcome]) -> Response:
    done = sum(each.code == "done" for each in outcomes)
    if done:
        flash(ngettext("Taken back for one.", "Taken back for %(num)d.", done), "ok")
    if done < len(outcomes):
        left = len(outcomes) - done
        flash(
            ngettext(
                "One was changed by somebody since and stays as it is.",
                "%(num)d were changed by somebody since and stay as they are.",
                left,
            ),
            "wait",
        )
    return redirect_to(_back())
