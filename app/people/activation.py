"""The activation gate (rule W3): figures of one person, for anybody but that person, stay off
until an administrator has recorded when staff were told and, where there is a council, when it
was consulted. In France: Code du travail, articles L1222-4 and L2312-38.

What is recorded is append only and audited; the newest row counts. Pages that show such figures
ask `is_open()` and carry the dates at their foot (`layout/_activation.html`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Final

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import audit
from app.db import db, transaction
from app.errors import Sentence
from app.people.errors import check_form
from app.people.joining_models import ActivationRecord
from app.web.pages import local_today

EARLIEST: Final = dt.date(2000, 1, 1)

TEXT: tuple[Sentence, ...] = (
    _l(
        "With these dates, figures of a named person become visible to others: the month’s list "
        "of those who chose to be named."
    ),
    _l(
        "The impact assessment counts this as a score of employees: it must be proportionate, "
        "known beforehand to those concerned, and never used for an appraisal or a sanction."
    ),
    _l("I confirm that staff were informed on this date and that the council, where there is one, was consulted before."),
)  # fmt: skip
"""What an administrator confirms (rule D2)."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What is recorded now; all None before anything was. `council_on` is None where no council
    applies. A date to come counts from that day on."""

    staff_notice_on: dt.date | None = None
    council_applies: bool = True
    council_on: dt.date | None = None
    recorded_at: dt.datetime | None = None

    def is_open_on(self, day: dt.date) -> bool:
        told = self.staff_notice_on is not None and self.staff_notice_on <= day
        heard = not self.council_applies or (self.council_on is not None and self.council_on <= day)
        return told and heard


def current() -> Activation:
    """The newest record."""
    row = db.session.scalars(
        select(ActivationRecord)
        .order_by(ActivationRecord.recorded_at.desc(), ActivationRecord.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return Activation()
    return Activation(row.staff_notice_on, row.council_applies, row.council_on, row.recorded_at)


def is_open() -> bool:
    """Whether figures of one person may be shown to others."""
    return current().is_open_on(local_today())


def text_hash() -> str:
    """The SHA-256 of what is confirmed, in English, the language it is written in."""
    with force_locale("en"):
        return hashlib.sha256("\n".join(map(str, TEXT)).encode()).hexdigest()


def record(
    staff_notice_on: dt.date | None,
    council_on: dt.date | None = None,
    *,
    council_applies: bool = True,
    confirmed: bool,
    actor_id: uuid.UUID | None = None,
) -> Activation:
    """Record the dates, or with None take them back: the figures go off again at once.

    Raises `InvalidInput` by field.
    """
    _check(staff_notice_on, council_on, council_applies=council_applies, confirmed=confirmed)
    with transaction() as session:
        row = ActivationRecord(
            staff_notice_on=staff_notice_on,
            council_applies=council_applies,
            council_on=council_on if council_applies else None,
            text_hash=text_hash(),
            recorded_by=actor_id,
        )
        session.add(row)
        audit.record(
            "activation.recorded", "organisation", 1, actor_id=actor_id,
            staff_notice_on=_iso(staff_notice_on), council_applies=council_applies,
            council_on=_iso(row.council_on), text_hash=row.text_hash,
        )  # fmt: skip
    return current()


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _check(
    staff_notice_on: dt.date | None, council_on: dt.date | None, *, council_applies: bool,
    confirmed: bool,
) -> None:  # fmt: skip
    errors: dict[str, Sentence] = {}
    for field, day in (("staff_notice_on", staff_notice_on), ("council_on", council_on)):
        if day is not None and day < EARLIEST:
            errors[field] = _l("Give the year with four figures.")
    if staff_notice_on is not None and council_applies and council_on is None:
        errors["council_on"] = _l("Give the date, or say that no council applies.")
    if staff_notice_on is not None and not confirmed:
        errors["confirmed"] = _l("Read the three sentences and confirm them.")
    if errors:
        raise check_form(errors)


def history(limit: int = 50) -> list[ActivationRecord]:
    """Everything that was recorded, the newest first."""
    return list(
        db.session.scalars(
            select(ActivationRecord)
            .order_by(ActivationRecord.recorded_at.desc(), ActivationRecord.id.desc())
            .limit(limit)
        )
    )
