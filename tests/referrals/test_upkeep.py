"""F129: candidates are forgotten when their time is over, and not before."""

from __future__ import annotations

import datetime as dt

from app import clock, outbox
from app.db import db
from app.privacy import purge
from app.referrals import service
from app.referrals.models import Candidate, Referral
from tests.conftest import House


def test_a_candidate_is_erased_three_months_after_the_end(house: House) -> None:
    maelle, recruiter = house.person(), house.person("Sofiane Belkhir", "recruiter")
    ended, running = house.referral(maelle), house.referral(maelle)
    service.set_stage(ended, "closed", actor_id=recruiter.id, actor_role="recruiter")
    outbox.drain()
    clock.travel(dt.timedelta(days=90))
    assert purge.run("candidates")["candidates"] == 0
    clock.travel(dt.timedelta(days=3))
    assert purge.run("candidates")["candidates"] == 1
    assert purge.run("candidates")["candidates"] == 0
    rows = {
        r: db.session.get_one(Candidate, db.session.get_one(Referral, r).candidate_id)
        for r in (ended, running)
    }
    assert rows[ended].email is None and rows[ended].erased_at is not None
    assert rows[running].email is not None
