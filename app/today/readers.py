"""What Today needs to know of its reader: one read."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, func, select

from app.integrations.text import fold
from app.people.models import Login, Person
from app.play.models import PointsAccount
from app.prepared import Reading
from app.web.access import Reader


@dataclass(frozen=True, slots=True)
class Member:
    """The reader. `seen_elsewhere`: when another of their devices was last used; `site` and
    `department` as the directory has them, '' where it does not know."""

    id: uuid.UUID
    language: str
    site: str
    department: str
    account_id: uuid.UUID | None
    seen_elsewhere: dt.datetime | None


_ELSEWHERE: Final = (
    select(func.max(Login.seen_at))
    .where(Login.person_id == Person.id, Login.id.is_distinct_from(bindparam("login_id")))
    .correlate(Person)
    .scalar_subquery()
)
_MEMBER: Final = Reading(
    select(Person.site, Person.department, PointsAccount.account_id, _ELSEWHERE)
    .outerjoin(PointsAccount, PointsAccount.person_id == Person.id)
    .where(Person.id == bindparam("person_id"))
)


def member(reader: Reader, language: str) -> Member:
    """The reader of this page, who reads it in `language`."""
    values = {"person_id": reader.person_id, "login_id": reader.login_id}
    site, department, account_id, seen_elsewhere = _MEMBER.one(values)
    return Member(
        reader.person_id, language, site or "", department or "", account_id, seen_elsewhere
    )


@lru_cache(maxsize=2_048)
def bare(text: str) -> str:
    """`text` folded. Sites, titles and topics are few, and compared at every look."""
    return fold(text)


def last_visit(here: dt.datetime | None, reader: Member) -> dt.datetime | None:
    """The later of the last visit in this browser and the last use of another device."""
    known = [at for at in (here, reader.seen_elsewhere) if at is not None]
    return max(known) if known else None
