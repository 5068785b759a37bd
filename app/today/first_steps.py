"""The first steps of a fresh installation: what an administrator does once, and what is done.

Everything is found out from what is there, so a step needs no tick. The list goes when all is
done, or when the installation is no longer fresh: an organisation may well do without LinkedIn.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import exists, select

from app import clock
from app.audit.models import AuditEntry
from app.charters import queries as charters
from app.charters.models import CharterVersion
from app.config import Settings
from app.db import db
from app.library.models import Story
from app.people import activation
from app.referrals.models import Offer
from app.settings import organisation
from app.sharing import checkup

FRESH: Final = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `url` is empty where it is done in the settings of the installation."""

    label: str
    url: str
    is_done: bool
    hint: str = ""


def first_steps(settings: Settings, person_id: uuid.UUID) -> list[Step]:
    """The steps, in order; none when all is done, after `FRESH`, and in the demo."""
    org = organisation()
    if settings.demo or org is None or clock.now() - org.created_at > FRESH:
        return []
    steps = _steps(settings, person_id)
    return [] if all(step.is_done for step in steps) else steps


def _steps(settings: Settings, person_id: uuid.UUID) -> list[Step]:
    story, offer, invited, own_charter = _found()
    return [
        Step(
            _("Set the mail server"), "", settings.smtp_url is not None,
            _("PORTEVOIX_SMTP_URL. Until then mails are written to the mail folder."),
        ),
        Step(
            _("Read the charter, and agree or change it"), "/studio/charter",
            own_charter or charters.has_accepted_current(person_id),
        ),
        Step(
            _("Record when staff, and the council where there is one, were told"),
            "/studio/activation", activation.current().recorded_at is not None,
            _("Until then no figure of one person shows to anybody else."),
        ),
        Step(
            _("Connect LinkedIn"), "/studio/sharing", checkup.connection(settings).is_configured,
            _("Optional. Without it, members share with LinkedIn’s own window."),
        ),
        Step(_("Write the first story"), "/studio/stories/new", story),
        Step(_("Add the first offer, or import them"), "/studio/offers", offer),
        Step(_("Invite the first person"), "/studio/people/new?invite=1", invited),
    ]  # fmt: skip


def _found() -> Any:
    """Whether there is a story, an offer, an invitation, a charter beyond the first; one query.
    That somebody was invited says nothing of who takes part (rule W2)."""
    return db.session.execute(
        select(
            exists(select(Story.id)),
            exists(select(Offer.id)),
            exists(
                select(AuditEntry.id).where(
                    AuditEntry.target_kind == "person", AuditEntry.action == "person.invited"
                )
            ),
            exists(
                select(CharterVersion.id).where(
                    CharterVersion.number > 1, CharterVersion.published_at.is_not(None)
                )
            ),
        )
    ).one()
