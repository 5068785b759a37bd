"""A reader's own views of the team's lists: keep, name, order, choose, forget."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _

from app.errors import InvalidInput
from app.people import saved_views
from app.people.models import ROLES, SavedView
from app.people.views import people
from app.people.views.common import by_field
from app.web import access, redirect_to, render

# Whoever works on a list of the team; which list, its declaration says.
staff = access.role(*(role for role in ROLES if role != "member"), within=True)


def _list_of(view: SavedView) -> str:
    return f"/studio/views/{view.place}"


def _form(place: str, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    """What is being kept, with what was typed."""
    lists = saved_views.my_list(place)
    return render(
        "people/keep_view.html",
        status,
        lists=lists,
        query=saved_views.cleaned(lists, request.values.get("query", "")),
        typed=request.values,
        errors=errors or {},
    )


@people.get("/studio/views/<place>/new")
@staff
def view_new(place: str) -> Response:
    """The filters of `query`, to be given a name."""
    return _form(place)


@people.post("/studio/views/<place>")
@staff
def view_keep(place: str) -> Response:
    """Keep them; back to the list as they show it."""
    me, form = access.me(), request.form
    lists = saved_views.my_list(place)
    try:
        view = saved_views.keep(
            lists,
            me.person_id,
            form.get("name", ""),
            form.get("query", ""),
            default="default" in form,
        )
    except InvalidInput as error:
        return _form(place, error.status, by_field(error))
    flash(_("“%(name)s” is kept, for you alone.", name=view.name), "ok")
    return redirect_to(f"{lists.path}?{view.query}")


def _arrange(
    place: str, status: int = 200, wrong: tuple[uuid.UUID, str, dict[str, str]] | None = None
) -> Response:
    return render("people/views.html", status, bar=saved_views.bar(place, ""), wrong=wrong)


@people.get("/studio/views/<place>")
@staff
def views_arrange(place: str) -> Response:
    """Every view of one list, to rename, order, choose and remove."""
    return _arrange(place)


@people.post("/studio/views/<uuid:view_id>/name")
@staff
def view_rename(view_id: uuid.UUID) -> Response:
    """Another name."""
    typed = request.form.get("name", "")
    try:
        view = saved_views.rename(view_id, access.me().person_id, typed)
    except InvalidInput as error:
        place = request.form.get("place", "")
        return _arrange(place, error.status, (view_id, typed, by_field(error)))
    return redirect_to(_list_of(view))


@people.post("/studio/views/<uuid:view_id>/default")
@staff
def view_default(view_id: uuid.UUID) -> Response:
    """The list opens on it, or no longer does."""
    yes = request.form.get("default") == "1"
    view = saved_views.choose_default(view_id, access.me().person_id, default=yes)
    if yes:
        flash(_("The list opens on “%(name)s” from now on.", name=view.name), "ok")
    else:
        flash(_("The list opens without your filters again."), "ok")
    return redirect_to(_list_of(view))


@people.post("/studio/views/<uuid:view_id>/rank")
@staff
def view_rank(view_id: uuid.UUID) -> Response:
    """One place nearer to the beginning."""
    return redirect_to(_list_of(saved_views.move_up(view_id, access.me().person_id)))


@people.post("/studio/views/<uuid:view_id>/deletion")
@staff
def view_forget(view_id: uuid.UUID) -> Response:
    """Remove it; what it showed is untouched."""
    view = saved_views.forget(view_id, access.me().person_id)
    flash(_("“%(name)s” is removed. Nothing of the list was changed.", name=view.name), "ok")
    return redirect_to(_list_of(view))
