"""The activation gate: no figure of one person for others before both dates; thresholds."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import select

from app import clock
from app.audit.models import AuditEntry
from app.db import db, transaction
from app.errors import InvalidInput
from app.people import activation, thresholds
from app.people.joining_models import ActivationRecord
from app.settings.models import Organisation
from tests.people.conftest import press

TODAY = dt.date(2026, 11, 17)
DAY = dt.timedelta(days=1)
HOME = "/studio/activation"


@pytest.fixture
def admin(add):
    return add("Nolwenn Le Bris", roles=["admin"], joined=True, language="en")


@pytest.mark.parametrize(
    ("told", "council", "applies", "is_open"),
    [
        (TODAY, TODAY - DAY, True, True), (TODAY, None, False, True), (TODAY + DAY, TODAY, True, False),
        (TODAY, TODAY + DAY, True, False), (None, TODAY, True, False),
    ],
)  # fmt: skip
def test_it_opens_with_both_dates_come(app, told, council, applies, is_open):
    with app.app_context():
        assert not activation.is_open()
        activation.record(told, council, council_applies=applies, confirmed=True)
        assert activation.is_open() is is_open
        clock.travel(2 * DAY)
        assert activation.is_open() is (told is not None)


def test_it_is_recorded_on_its_page_and_audited(app, admin, browser):
    studio = browser(admin)
    assert "shows nobody" in studio.get(HOME).get_data(as_text=True)
    answer = press(studio, HOME, HOME, staff_notice_on="2026-11-02", council_on="2026-10-06",
                   confirmed="1")  # fmt: skip
    assert answer.status_code == 303
    page = studio.get(HOME).get_data(as_text=True)
    assert "Staff were informed of these figures on 2 November 2026" in page
    assert "The council was consulted on 6 October 2026" in page
    with app.app_context():
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "activation.recorded")
        ).one()
        assert entry.actor_id == admin.id
        assert entry.details["council_on"] == "2026-10-06"
        assert entry.details["text_hash"] == activation.text_hash()


def test_it_is_never_confirmed_beforehand(app, admin, browser):
    studio = browser(admin)
    page = studio.get(HOME).get_data(as_text=True)
    assert " checked" not in page.partition("<main")[2].partition("</main>")[0]
    answer = press(studio, HOME, HOME, staff_notice_on="2026-11-02", council_on="2026-10-06")
    assert answer.status_code == 422
    assert 'value="2026-11-02"' in answer.get_data(as_text=True)
    for wrong in ({"council_on": ""}, {"council_on": "x"}, {"staff_notice_on": "0026-11-02"}):
        typed = {"staff_notice_on": "2026-11-02", "council_on": "2026-10-06", "confirmed": "1"}
        assert press(studio, HOME, HOME, **(typed | wrong)).status_code == 422
    with app.app_context():
        assert db.session.scalars(select(ActivationRecord)).all() == []


def test_it_is_taken_back_and_every_record_stays(app, admin, browser):
    studio = browser(admin)
    with app.app_context():
        activation.record(TODAY, None, council_applies=False, confirmed=True, actor_id=admin.id)
    assert re.search(
        r'name="no_council" value="1" checked', studio.get(HOME).get_data(as_text=True)
    )
    clock.travel(DAY)
    studio = browser(admin)
    assert press(studio, HOME, HOME, staff_notice_on="").status_code == 303
    with app.app_context():
        assert not activation.is_open()
        assert len(activation.history()) == 2
    assert "Taken back" in studio.get(HOME).get_data(as_text=True)


def test_it_is_read_by_few_and_recorded_by_administrators(app, add, browser):
    lead = browser(add("Pauline Conan", roles=["lead"], joined=True, language="en"))
    assert lead.get(HOME).status_code == 200
    assert 'name="confirmed"' not in lead.get(HOME).get_data(as_text=True)
    assert press(lead, "/me", HOME, staff_notice_on="2026-11-02").status_code == 403
    assert browser(add(joined=True)).get(HOME).status_code == 403


def test_it_refuses_dates_of_no_sense(app):
    with app.app_context(), pytest.raises(InvalidInput):
        activation.record(dt.date(1999, 1, 1), TODAY, confirmed=True)


# --- thresholds --------------------------------------------------------------------------


def test_thresholds_may_be_raised_and_never_lowered(app):
    with app.app_context():
        assert (thresholds.joining(), thresholds.team()) == (10, 5)
        with transaction() as session:
            row = session.get(Organisation, 1)
            row.joining_threshold, row.team_threshold = 25, 2
        assert (thresholds.joining(), thresholds.team()) == (25, 5)


def test_a_part_is_told_only_where_it_tells_of_nobody():
    assert thresholds.told_part(6, 12, 10) == 6
    for part, whole in ((12, 12), (0, 12), (4, 12), (8, 12), (5, 9)):
        assert thresholds.told_part(part, whole, 10) is None
    assert thresholds.told(7, 9, 10) is None
    assert thresholds.told(7, 10, 10) == 7


def test_groups_stand_apart_only_when_large_and_no_rest_is_small():
    groups = {"a": range(30), "b": range(100, 112), "": range(200, 203)}
    assert [(name, len(ids)) for name, ids in thresholds.apart(groups, 10)] == [
        ("a", 30),
        (None, 15),
    ]
    assert thresholds.apart({"a": range(9)}, 10) == []
