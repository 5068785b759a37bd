"""Referrals of the demo: a link, an application, the stages by a recruiter's hand or by the
tracking system's own signed events."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from app import clock
from app.db import db
from app.demo import visits
from app.demo.applicants import REFERRALS, DemoReferral
from app.demo.days import Act, Calendar
from app.demo.offers import SAMPLES, ensure_connection, offer_id, secret_of_connection
from app.demo.people import demo_person, employee_number, id_of
from app.integrations.registry import CONNECTORS
from app.referrals import ats, connections, links, service
from app.referrals.models import OfferLink, Referral
from app.referrals.notice import CURRENT_NOTICE

_MOMENT = dt.timedelta(seconds=30)


def acts(calendar: Calendar) -> Iterator[Act]:
    """Every application's own way."""
    for number, demo in enumerate(REFERRALS):
        yield from _Told(calendar, number, demo).acts()
    for tracked in TRACKED:
        yield from _tracked(calendar, tracked)


@dataclass(frozen=True, slots=True)
class _Told:
    """One referral of the demo: its link, its application, its path."""

    calendar: Calendar
    number: int
    demo: DemoReferral

    def acts(self) -> Iterator[Act]:
        demo, at, minute = self.demo, self.calendar.at, self.number
        yield Act(at(demo.applied + 2, 10, minute), self.take_link)
        if demo.also_by:
            yield Act(at(demo.applied, 19, minute), self.apply_again)
        yield Act(self.applied_at, self.apply)
        for days_ago, stage in demo.path:
            yield Act(at(days_ago, 11, minute), partial(self.reach, stage))
        if demo.next_step:
            day = min(days_ago for days_ago, _stage in demo.path)
            yield Act(at(day, 12, minute), self.say_next)

    def take_link(self) -> None:
        links.link_for(id_of(self.demo.by), offer_id(self.demo.offer), self.demo.channel)

    def apply(self) -> None:
        link = links.link_for(id_of(self.demo.by), offer_id(self.demo.offer), self.demo.channel)
        click_id = visits.by_hand(link.id)
        service.apply(link.offer_id, _form(self.demo, link.code, click_id))

    def apply_again(self) -> None:
        """The same person, by another colleague's link: the first one keeps the credit."""
        link = links.link_for(id_of(self.demo.also_by or ""), offer_id(self.demo.offer), "message")
        service.apply(link.offer_id, _form(self.demo, link.code, None))

    @property
    def applied_at(self) -> dt.datetime:
        return self.calendar.at(self.demo.applied, 17, self.number)

    def referral_id(self) -> uuid.UUID:
        """By its link and moment, which stay when the person is forgotten."""
        return db.session.scalars(
            select(Referral.id)
            .join(OfferLink, OfferLink.id == Referral.link_id)
            .where(
                OfferLink.person_id == id_of(self.demo.by),
                OfferLink.offer_id == offer_id(self.demo.offer),
                OfferLink.channel == self.demo.channel,
                Referral.received_at.between(self.applied_at, self.applied_at + _MOMENT),
            )
        ).one()

    def reach(self, stage: str) -> None:
        demo = self.demo
        starts = self.calendar.present.date() - dt.timedelta(days=demo.starts or 0)
        referral_id = self.referral_id()
        row = db.session.get_one(Referral, referral_id)
        service.set_stage(
            referral_id, stage, actor_id=row.owner_id or id_of("sofiane"), actor_role="recruiter",
            external_event_id=f"demo:{self.number}:{clock.now().date()}:{stage}",
            closure_reason=demo.closure_reason,
            starts_on=starts if demo.starts is not None else None,
        )  # fmt: skip

    def say_next(self) -> None:
        due = self.calendar.moment(-1 - self.number % 5, 16, 0)
        service.set_next_step(self.referral_id(), self.demo.next_step, due, id_of("sofiane"))


def _mailbox(demo: DemoReferral) -> str:
    full = f"{demo.first_name}.{demo.last_name}".lower().replace(" ", "-")
    plain = unicodedata.normalize("NFKD", full).encode("ascii", "ignore").decode()
    return f"{plain}@mail.example"


def _form(demo: DemoReferral, code: str, click_id: str | None) -> service.Application:
    return service.Application(
        first_name=demo.first_name,
        last_name=demo.last_name,
        email=_mailbox(demo),
        visibility=demo.visibility,
        notice_version=CURRENT_NOTICE,
        code=code,
        click_id=click_id,
    )


# --- what the tracking system says -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracked:
    """An application that lives in the tracking system. With `applied` it began here; else the
    member is credited over there, by employee number. Times are days before today."""

    by: str
    post: str
    job: int
    application: int
    first_name: str
    last_name: str
    applied: int | None
    stages: tuple[tuple[int, str], ...]
    hired: int | None = None
    starts: int = 0


TRACKED = (
    Tracked("zofia.wolska", "5204002", 5200002, 990501, "Maren", "Lindqvist", 36,
            ((33, "Application review"), (26, "Entretien technique"), (18, "Offre")), 13, -9),
    Tracked("mathilde.perrin", "5204001", 5200001, 990502, "Samuel", "Vernay", None,
            ((15, "Présélection"), (7, "Entretien technique"))),
    Tracked("priya.raman", "5204001", 5200001, 990503, "Hanna", "Osei", 6, ((5, "Screening"),)),
)  # fmt: skip


def _tracked(calendar: Calendar, told: Tracked) -> Iterator[Act]:
    minute = told.application % 50
    if told.applied is not None:
        yield Act(calendar.at(told.applied + 1, 10, minute), partial(_link_of, told))
        yield Act(calendar.at(told.applied, 16, minute), partial(_apply_here, told))
    for days_ago, stage in told.stages:
        at = calendar.at(days_ago, 15, minute)
        yield Act(at, partial(_hear, told, _stage_body, f"{told.application}-{days_ago}", stage))
    if told.hired is not None:
        starts = calendar.present.date() - dt.timedelta(days=told.starts)
        at = calendar.at(told.hired, 15, minute)
        yield Act(at, partial(_hear, told, _hired_body, f"{told.application}-hired", str(starts)))


def _link_of(told: Tracked) -> str:
    return links.link_for(id_of(told.by), offer_id(told.post), "linkedin").code


def _apply_here(told: Tracked) -> None:
    link = links.link_for(id_of(told.by), offer_id(told.post), "linkedin")
    service.apply(
        link.offer_id,
        service.Application(
            first_name=told.first_name, last_name=told.last_name, email=_address(told),
            visibility="all", notice_version=CURRENT_NOTICE, code=link.code,
            click_id=visits.by_hand(link.id), language="en",
        ),
    )  # fmt: skip


def _address(told: Tracked) -> str:
    return f"{told.first_name}.{told.last_name}@mail.example".lower()


def _hear(told: Tracked, body_of: Any, event_id: str, said: str) -> None:
    """A signed event comes through the door: verified, read, stored; a worker applies it."""
    raw = json.dumps(body_of(told, said)).encode()
    connection, connector = ensure_connection(), CONNECTORS["greenhouse"]
    digest = hmac.new(secret_of_connection().encode(), raw, hashlib.sha256).hexdigest()
    headers = {"signature": f"sha256 {digest}", "greenhouse-event-id": f"halvenne-{event_id}"}
    connector.verify(connections.secrets_of(connection), headers, raw)
    event = connector.parse(raw, ats.event_settings(connection))
    ats.receive(connection, connector.event_id(headers, raw), event, raw)


def _body(name: str, told: Tracked) -> dict[str, Any]:
    """The vendor's sample, about our application."""
    body: dict[str, Any] = json.loads((SAMPLES / f"greenhouse.{name}.json").read_text("utf-8"))
    application = body["payload"]["application"]
    person = demo_person(told.by)
    application["id"] = told.application
    application["credited_to"] = {
        "id": 5620, "email": person.email, "name": person.name,
        "employee_id": employee_number(told.by),
    }  # fmt: skip
    candidate = application["candidate"]
    candidate["id"] = told.application + 1_000
    candidate["first_name"], candidate["last_name"] = told.first_name, told.last_name
    candidate["email_addresses"] = [{"value": _address(told), "type": "personal"}]
    for job in (*application["jobs"], application.get("job", {})):
        job["id"], job["job_post_id"] = told.job, int(told.post)
    return body


def _stage_body(told: Tracked, stage: str) -> dict[str, Any]:
    body = _body("stage_change", told)
    application = body["payload"]["application"]
    application["applied_at"] = application["last_activity_at"] = clock.now().isoformat()
    application["current_stage"] = {"id": 33, "name": stage, "interviews": []}
    return body


def _hired_body(told: Tracked, starts: str) -> dict[str, Any]:
    body = _body("hired", told)
    application = body["payload"]["application"]
    application["custom_fields"] = {}
    application["offer"] |= {
        "id": told.application + 2_000, "resolved_at": clock.now().isoformat(),
        "starts_at": starts, "created_at": clock.now().isoformat(),
    }  # fmt: skip
    return body
