"""Saved views: the filters of one of the team's lists, kept by one person under a name.

A list declares itself once, with the parameters of its address that are filters. Only those are
ever kept or given back, so a view can neither hold a place in a list (a cursor) nor lead
anywhere else. A view belongs to its person: to everybody else it does not exist.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec
from urllib.parse import parse_qsl, urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from app.db import db, transaction
from app.errors import NotFound, Sentence
from app.people.errors import check_form
from app.people.models import Person, SavedView
from app.people.text import one_line
from app.web import access
from app.web.pages import is_htmx

MOST: Final = 12
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 1000
LONGEST_VALUE: Final = 200
PLAIN: Final = "all"
"""`?all=1` opens a list without any filter, whatever its reader's usual view."""

P = ParamSpec("P")


class UnknownView(NotFound):
    """No such view, or another person's: the two are never told apart."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such view."))


@dataclass(frozen=True, slots=True)
class TeamList:
    """A list of the team. `parameters` are the filters of its address, in the order in which
    they are kept; `usual` are values that say nothing, as the list has them anyway. `within`: a
    role that was given for a segment opens the list as well."""

    place: str
    path: str
    parameters: tuple[str, ...]
    roles: frozenset[str]
    name: Sentence
    usual: Mapping[str, str]
    within: bool = False


_lists: dict[str, TeamList] = {}


def declare(
    place: str,
    path: str,
    parameters: Collection[str],
    roles: Collection[str],
    name: Sentence,
    usual: Mapping[str, str] | None = None,
    *,
    within: bool = False,
) -> TeamList:
    """Say that a list has saved views; called once where its pages are."""
    _lists[place] = TeamList(
        place, path, tuple(parameters), frozenset(roles), name, usual or {}, within
    )
    return _lists[place]


def team_list(place: str, roles: frozenset[str], limited: Collection[str] = ()) -> TeamList:
    """A declared list that these roles may open, `limited` ones being held for segments alone.
    Raises `UnknownView`."""
    found = _lists.get(place)
    if found is None or not found.roles & (roles | {*limited} if found.within else roles):
        raise UnknownView
    return found


def my_list(place: str) -> TeamList:
    """A declared list that the reader may open. Raises `UnknownView`."""
    who = access.me()
    return team_list(place, who.roles, who.reach)


def cleaned(lists: TeamList, query: str) -> str:
    """The filters of an address, in one order whatever the order they came in: each declared
    name once, its first value that is not empty, at most 200 characters of it."""
    given: dict[str, str] = {}
    try:
        pairs = parse_qsl(query[: 4 * LONGEST_QUERY].lstrip("?"), max_num_fields=50)
    except ValueError:
        return ""
    for name, value in pairs:
        given.setdefault(name, one_line(value)[:LONGEST_VALUE])
    kept = ((name, given.get(name)) for name in lists.parameters)
    return urlencode({name: v for name, v in kept if v and v != lists.usual.get(name)})


# --- reads ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tab:
    """One view as a link."""

    id: uuid.UUID
    name: str
    url: str
    query: str
    is_default: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands above a list. `query` are the filters of this page; `can_keep` says that they
    are some, that no view has them yet, and that there is room for one more."""

    place: str
    path: str
    name: Sentence
    tabs: tuple[Tab, ...]
    query: str
    plain_url: str
    can_keep: bool

    @property
    def is_plain(self) -> bool:
        return not self.query


def views_of(lists: TeamList, person_id: uuid.UUID) -> list[SavedView]:
    """A person's views of one list, in the order they chose."""
    return list(
        db.session.scalars(
            select(SavedView)
            .where(SavedView.person_id == person_id, SavedView.place == lists.place)
            .order_by(SavedView.position, SavedView.id)
            .limit(MOST)
        )
    )


def bar(place: str, query: str | None = None) -> Bar:
    """The reader's views of a list, for the page they are on (or for a query given)."""
    who = access.me()
    lists = my_list(place)
    here = cleaned(
        lists, request.query_string.decode("utf-8", "replace") if query is None else query
    )
    tabs = tuple(
        Tab(
            id=view.id,
            name=view.name,
            url=f"{lists.path}?{view.query}",
            query=view.query,
            is_default=view.is_default,
            is_current=view.query == here,
        )
        for view in views_of(lists, who.person_id)
    )
    has_default = any(tab.is_default for tab in tabs)
    return Bar(
        place=place,
        path=lists.path,
        name=lists.name,
        tabs=tabs,
        query=here,
        plain_url=f"{lists.path}?{PLAIN}=1" if has_default else lists.path,
        can_keep=bool(here) and len(tabs) < MOST and not any(tab.is_current for tab in tabs),
    )


def opens_on(
    lists: TeamList,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """The bare address of a list opens the reader's usual view of it, if they chose one.

    Stands under the access rule: `@access.role(…)`, then `@opens_on(LIST)`.
    """

    def declare_on(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def opened(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not request.query_string and not is_htmx():
                usual = _usual(lists, access.me().person_id)
                if usual:
                    response = redirect(f"{lists.path}?{usual}", 302)
                    response.headers["Cache-Control"] = "no-store"
                    return response
            return view(*args, **kwargs)

        return opened

    return declare_on


def _usual(lists: TeamList, person_id: uuid.UUID) -> str | None:
    return db.session.scalar(
        select(SavedView.query).where(
            SavedView.person_id == person_id,
            SavedView.place == lists.place,
            SavedView.is_default,
        )
    )


# --- writes --------------------------------------------------------------------------------


def keep(
    lists: TeamList, person_id: uuid.UUID, name: str, query: str, *, default: bool = False
) -> SavedView:
    """Keep filters under a name; under a name in use, that view shows these from now on.

    Raises `InvalidInput` on `name` or `query`.
    """
    name, kept = _checked_name(name), cleaned(lists, query)
    if not kept:
        raise check_form({"query": _l("There is no filter to keep on this page.")})
    if len(kept) > LONGEST_QUERY:
        raise check_form({"query": _l("These filters are too long to be kept.")})
    with transaction() as session:
        _lock(session, person_id)
        view = session.scalar(_named(lists.place, person_id, name))
        if view is None:
            view = _new(session, lists, person_id, name)
        view.query = kept
        session.flush()
        if default:
            _set_default(session, view)
    return view


def _new(session: Session, lists: TeamList, person_id: uuid.UUID, name: str) -> SavedView:
    count, last = session.execute(
        select(func.count(), func.max(SavedView.position)).where(
            SavedView.person_id == person_id, SavedView.place == lists.place
        )
    ).one()
    if count >= MOST:
        raise check_form({"name": _l("You have %(max)d views of this list, which is as many as it "
                                     "takes. Remove one first.", max=MOST)})  # fmt: skip
    view = SavedView(
        person_id=person_id, place=lists.place, name=name, query="", position=(last or 0) + 1
    )
    session.add(view)
    return view


def rename(view_id: uuid.UUID, person_id: uuid.UUID, name: str) -> SavedView:
    """Another name. Raises `InvalidInput` on `name`, `UnknownView`."""
    name = _checked_name(name)
    with transaction() as session:
        view = _load(session, view_id, person_id)
        same = session.scalar(_named(view.place, person_id, name))
        if same is not None and same.id != view.id:
            raise check_form({"name": _l("You have a view of this name already.")})
        view.name = name
    return view


def choose_default(view_id: uuid.UUID, person_id: uuid.UUID, *, default: bool) -> SavedView:
    """The list opens on this view from now on, or no longer does. Raises `UnknownView`."""
    with transaction() as session:
        view = _load(session, view_id, person_id)
        if default:
            _set_default(session, view)
        else:
            view.is_default = False
    return view


def move_up(view_id: uuid.UUID, person_id: uuid.UUID) -> SavedView:
    """One place nearer to the beginning. Raises `UnknownView`."""
    with transaction() as session:
        view = _load(session, view_id, person_id)
        before = session.scalar(
            select(SavedView)
            .where(
                SavedView.person_id == person_id,
                SavedView.place == view.place,
                SavedView.position < view.position,
            )
            .order_by(SavedView.position.desc())
            .limit(1)
        )
        if before is not None:
            before.position, view.position = view.position, before.position
    return view


def forget(view_id: uuid.UUID, person_id: uuid.UUID) -> SavedView:
    """Remove it; the list itself is untouched. Raises `UnknownView`."""
    with transaction() as session:
        view = _load(session, view_id, person_id)
        session.delete(view)
    return view


def _checked_name(name: str) -> str:
    name = one_line(name)
    if not name:
        raise check_form({"name": _l("Give it a name.")})
    if len(name) > LONGEST_NAME:
        raise check_form({"name": _l("%(max)d characters at most.", max=LONGEST_NAME)})
    return name


def _lock(session: Session, person_id: uuid.UUID) -> None:
    """One change of a person's views at a time."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def _load(session: Session, view_id: uuid.UUID, person_id: uuid.UUID) -> SavedView:
    _lock(session, person_id)
    view = session.get(SavedView, view_id, populate_existing=True)
    if view is None or view.person_id != person_id:
        raise UnknownView
    return view


def _named(place: str, person_id: uuid.UUID, name: str) -> Select[SavedView]:
    return select(SavedView).where(
        SavedView.person_id == person_id, SavedView.place == place, SavedView.name == name
    )


def _set_default(session: Session, view: SavedView) -> None:
    session.execute(
        update(SavedView)
        .where(SavedView.person_id == view.person_id, SavedView.place == view.place)
        .values(is_default=False)
    )
    view.is_default = True
