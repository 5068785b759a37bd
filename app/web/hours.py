"""When nobody is written to unasked: in the evening, at night, at weekends (rule W9).

On the wall clock of the organisation. What somebody asked for by a press leaves at once; what
leaves by the clock, or reminds, waits for the next working morning.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from app.web.pages import current_settings

MORNING: Final = dt.time(8)
EVENING: Final = dt.time(19)


def is_working_day(now: dt.datetime) -> bool:
    """Monday to Friday on the organisation's wall clock."""
    return now.astimezone(current_settings().timezone).weekday() < 5


def until_working_hours(now: dt.datetime) -> dt.timedelta:
    """How long to wait from `now` until somebody may be reminded; nothing on a working day
    between 08:00 and 19:00."""
    zone = current_settings().timezone
    wall = now.astimezone(zone)
    if wall.weekday() < 5 and MORNING <= wall.time() < EVENING:
        return dt.timedelta(0)
    day = wall.date() if wall.time() < MORNING else wall.date() + dt.timedelta(days=1)
    while day.weekday() >= 5:
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, MORNING, zone).astimezone(dt.UTC) - now
