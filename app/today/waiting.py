"""What waits for this member, each with one thing to do. Nothing here is urgent, and nothing
is invented to bring anybody back: a line stands for something they began themselves.

Four kinds, read in one statement: the charter in a version they have not read; a post that
waits for their word, or of which we do not know what became; their LinkedIn connection, when
it ends; a reward they chose, until it is handed over.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import (
    Integer,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)

from app import clock
from app.charters.models import ACCEPTED, CharterAcceptance
from app.charters.queries import in_force_for
from app.db import UTCDateTime
from app.people.models import Person
from app.prepared import Reading
from app.rewards import effective
from app.rewards.models import RESERVED, Redemption, Reward, RewardOverride
from app.sharing import grants
from app.sharing.models import Grant, Share
from app.sharing.words import REASONS
from app.web.i18n import day, language
from app.web.two_languages import READS

MOST: Final = 8
"""Lines of one kind."""
_Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Wait:
    """One line. `kind`: 'charter', 'unknown', 'paused', 'connection', 'reward'; `at`: when it
    came or, for a connection, when it ends."""

    kind: str
    title: str
    line: str
    url: str
    act: str
    at: dt.datetime | None


def waits(person_id: uuid.UUID) -> list[Wait]:
    """Everything that waits for one member: what stops their posts first."""
    now = clock.now()
    values = {
        "person_id": person_id,
        "soon": now + grants.REMIND_BEFORE,
        "missed": now + grants.REFRESH_MISSED,
        READS: language(),
    }
    waiting = [_wait(*row) for row in _WAITS.all(values)]
    return sorted(waiting, key=lambda wait: (_ORDER.index(wait.kind), wait.at or clock.now()))


_ORDER: Final = ("charter", "unknown", "paused", "connection", "reward")


# A union's columns need one type each on PostgreSQL. Columns are never cast: SQLite would read
# the number at the beginning of a date.
_NO_KEY: Final = cast(null(), Uuid)
_NO_TEXT: Final = cast(null(), String)
_NO_TIME: Final = cast(null(), UTCDateTime)
_NO_NUMBER: Final = cast(null(), Integer)
_ME: Final = bindparam("person_id", type_=Person.id.type)


def _columns(kind: Any, key: Any, title: Any, more: Any, at: Any, number: Any) -> _Rows:
    """The same six columns for each kind."""
    return select(
        kind.label("kind"), key.label("key"), title.label("title"), more.label("more"),
        at.label("at"), number.label("number"),
    )  # fmt: skip


def _word(kind: str) -> Any:
    return cast(literal(kind), String)


def _charter() -> _Rows:
    """An agreement that stands, to another version than the one in force for this member. Who
    never agreed is asked when they share, not here."""
    last = (
        select(CharterAcceptance.kind, CharterAcceptance.version_id)
        .where(CharterAcceptance.person_id == _ME)
        .order_by(CharterAcceptance.sequence.desc())
        .limit(1)
        .subquery()
    )
    return (
        _columns(_word("charter"), _NO_KEY, _NO_TEXT, _NO_TEXT, _NO_TIME, _NO_NUMBER)
        .select_from(last)
        .where(last.c.kind == ACCEPTED, last.c.version_id != in_force_for(_ME))
    )


def _connection() -> _Rows:
    """A connection that ended, or ends within a week and is not renewed without the member."""
    soon = bindparam("soon", type_=UTCDateTime)
    by_ourselves = and_(
        Grant.refresh_token.is_not(None),
        or_(Grant.refresh_expires_at.is_(None), Grant.refresh_expires_at > soon),
        Grant.expires_at > bindparam("missed", type_=UTCDateTime),
    )
    ends_soon = and_(Grant.expires_at <= soon, ~by_ourselves)
    return _columns(
        _word("connection"), Grant.id, _NO_TEXT, Grant.state, Grant.expires_at, _NO_NUMBER
    ).where(Grant.person_id == _ME, or_(Grant.state == grants.RECONNECT, ends_soon))


def _posts() -> _Rows:
    """Posts that wait for a word of their author."""
    mine = (
        select(Share.id, Share.status, Share.title, Share.reason, Share.created_at)
        .where(Share.person_id == _ME, Share.status.in_(("unknown", "paused")))
        .order_by(Share.created_at.desc(), Share.id.desc())
        .limit(MOST)
        .subquery()
    )
    return _columns(
        mine.c.status, mine.c.id, mine.c.title, mine.c.reason, mine.c.created_at, _NO_NUMBER
    )


def _rewards() -> _Rows:
    """Rewards on their way, with the one who hands them over."""
    mine = (
        select(Redemption.id, effective.title.label("title"), Person.name, Redemption.created_at)
        .join(Reward, Reward.id == Redemption.reward_id)
        .outerjoin(RewardOverride, effective.redeemed())
        .join(Person, Person.id == effective.deliverer)
        .where(Redemption.person_id == _ME, Redemption.status == RESERVED)
        .order_by(Redemption.created_at.desc(), Redemption.id.desc())
        .limit(MOST)
        .subquery()
    )
    return _columns(
        _word("reward"), mine.c.id, mine.c.title, mine.c.name, mine.c.created_at, _NO_NUMBER
    )


_WAITS: Final = Reading(
    select(union_all(_charter(), _connection(), _posts(), _rewards()).subquery())
)


# --- into words --------------------------------------------------------------------------


def _wait(
    kind: str, key: uuid.UUID, title: str, more: str, at: dt.datetime | None, number: int
) -> Wait:
    """One row as its line. For a post `title` is that of its card, `more` the code of why it
    waits; for a reward its name and who hands it over; for a connection its state."""
    title = title or str(_("Without a title"))
    if kind == "charter":
        return Wait(
            kind, str(_("The charter has a new version")),
            str(_("Your posts wait until you have read what changed. You decide then.")),
            "/charter", str(_("Read what changed")), None,
        )  # fmt: skip
    if kind == "connection":
        return _of_connection(more, at)
    if kind == "reward":
        return Wait(
            kind, title, str(_("Reserved for you. %(name)s hands it over.", name=more)),
            f"/play/redemptions/{key}", str(_("See the receipt")), at,
        )  # fmt: skip
    if kind == "unknown":
        return Wait(
            kind, title,
            str(_("We do not know whether this post is online. You can see it on your profile.")),
            f"/shares/{key}", str(_("Say what you see")), at,
        )  # fmt: skip
    why = REASONS.get(more or "")
    words = str(why) if why else str(_("This post waits for your word."))
    return Wait(kind, title, words, f"/shares/{key}", str(_("Decide")), at)


def _of_connection(state: str, ends_at: dt.datetime | None) -> Wait:
    if state == grants.RECONNECT or ends_at is None or ends_at <= clock.now():
        title = _("Your LinkedIn connection has ended")
    else:
        title = _("Your LinkedIn connection ends on %(day)s", day=day(ends_at))
    return Wait(
        "connection", str(title),
        str(_("Renew it if you want to go on posting from here. Nothing happens otherwise.")),
        "/sharing/linkedin", str(_("See the connection")), ends_at,
    )  # fmt: skip
