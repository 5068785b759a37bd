"""The first page of the team: the week at once. What is empty, what waits, what worked."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import Blueprint, Response, request
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from app import clock
from app.approvals import queries as approvals
from app.library import week as calendar
from app.library.views import viewer
from app.sharing import carried
from app.today.first_steps import first_steps
from app.today.places import staff_places
from app.web import access, current_settings, render
from app.web.pages import redirect_to

week = Blueprint("week", __name__)

WORKED: Final = dt.timedelta(days=30)
FURTHEST: Final = 520
"""Weeks from today to which one may leaf."""


@week.get("/studio")
@access.role(
    "contributor", "curator", "recruiter", "hr", "lead", "sponsor", "auditor", "admin", within=True
)
def show() -> Response:
    """The editors' week, as far as their role reaches; whoever has no part in it goes on to their
    own first place."""
    reader, roles = viewer(), access.me().roles
    if not reader.is_staff:
        places = staff_places()
        return redirect_to(places[0].url if places else "/guide")
    zone, now = current_settings().timezone, clock.now()
    today = now.astimezone(zone).date()
    monday = _within_reach(calendar.monday_of(request.args.get("week", ""), today), today)
    days = calendar.week(monday, zone, reader.writes, reader.language)
    drafts = calendar.drafts(reader)
    empty = [day for day in days if _is_empty(day, today)]
    return render(
        "today/week.html",
        days=days,
        rest=days[5:],
        today=today,
        monday=monday,
        sunday=monday + dt.timedelta(days=6),
        number=monday.isocalendar().week,
        before=calendar.week_name(monday - dt.timedelta(days=7)),
        after=calendar.week_name(monday + dt.timedelta(days=7)),
        is_now=monday <= today <= monday + dt.timedelta(days=6),
        empty={day.date for day in empty},
        headline=_headline(days, len(empty), len(drafts)),
        steps=first_steps(current_settings(), access.me().person_id) if "admin" in roles else [],
        to_approve=approvals.count_for(access.me().person_id, roles),
        drafts=drafts,
        placeable=[d for d in drafts if not d.is_sensitive and not d.has_day],
        figures=carried.carried(slot.id for day in days for slot in day.slots),
        worked=carried.most_visited(now - WORKED, within=reader.writes),
        topics=calendar.freshness(now, reader.writes, reader.language),
        old_days=calendar.OLD_DAYS,
        now=now,
        zone=zone,
        day_name=_day_name,
    )


def _within_reach(monday: dt.date, today: dt.date) -> dt.date:
    """An address may name any week; ten years either way are shown."""
    return monday if abs((monday - today).days) <= FURTHEST * 7 else calendar.monday_of("", today)


def _is_empty(day: calendar.Day, today: dt.date) -> bool:
    """A working day, today or later, on which nothing new appears."""
    return day.date >= today and day.date.weekday() < 5 and not day.slots


def _headline(week: list[calendar.Day], empty: int, drafts: int) -> str:
    if not drafts and not any(day.slots for day in week):
        return str(_("An empty week"))
    days = ngettext("%(num)d empty day", "%(num)d empty days", empty)
    texts = ngettext("%(num)d text to read again", "%(num)d texts to read again", drafts)
    if empty and drafts:
        return str(_("%(days)s, %(texts)s", days=days, texts=texts))
    if empty:
        return str(days)
    if drafts:
        return str(texts)
    is_full = all(day.slots for day in week[:5])
    return str(_("A full week, and nothing waits") if is_full else _("Nothing waits"))


def _day_name(day: dt.date) -> str:
    """Mon., lun.: as short as the language has it, with a capital."""
    text = str(format_date(day, "EEE"))
    return text[:1].upper() + text[1:]
