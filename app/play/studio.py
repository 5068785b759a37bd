"""Rules of points, for who answers for them: versions in time, the next one, its rehearsal."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, cast

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, SelectField, StringField

from app import clock
from app.approvals.words import tell_waiting
from app.db import new_id
from app.errors import InvalidInput, NotFound
from app.people import saved_views, thresholds
from app.play import guarded, rehearsal, rule_words, rules
from app.play.models import FACTS, SHARE_FACTS
from app.play.numbers import whole
from app.play.rehearsal import Rehearsal
from app.play.rules import AT_ONCE, Rule, Terms
from app.play.views import RuleState, play, rule_states
from app.web import access, current_settings, redirect_to, render
from app.web.i18n import day, language
from app.web.pages import local_today

READERS = ("hr", "lead", "admin", "auditor")
WRITERS = ("hr", "lead", "admin")
NO_NUMBER = -1


@dataclass(frozen=True, slots=True)
class History:
    """One rule: its versions, the newest first, and what each says otherwise than the one
    before it."""

    fact: str
    states: list[RuleState]
    changes: dict[uuid.UUID, list[rule_words.Change]]

    @property
    def in_force(self) -> Rule | None:
        return next((s.rule for s in self.states if s.state == "in force"), None)


def _histories(state: str = "") -> list[History]:
    """Each rule; of its versions those in one state, each told against the one before it."""
    found = rule_states()
    whole = [_history(fact, [s for s in found if s.rule.fact == fact]) for fact in FACTS]
    if not state:
        return whole
    return [replace(h, states=[s for s in h.states if s.state == state]) for h in whole]


def _history(fact: str, states: list[RuleState]) -> History:
    changes = {
        later.rule.id: rule_words.changes(later.rule, earlier.rule)
        for later, earlier in pairwise(states)
    }
    return History(fact, states, changes)


LIST = saved_views.declare("rules", "/studio/rules", ("state",), READERS, _l("Rules of points"))


def _states() -> dict[str, str]:
    """What the versions can be narrowed to."""
    return {"in force": _("In force"), "coming": _("Coming"), "past": _("Past")}


@play.get("/studio/rules")
@access.role(*READERS)
@saved_views.opens_on(LIST)
def studio_rules() -> Response:
    """Every rule with its versions in time, or those in one state."""
    states, asked = _states(), request.args.get("state", "")
    state = asked if asked in states else ""
    return render(
        "play/studio_rules.html",
        histories=_histories(state),
        state=state,
        states=states,
        words=rule_words,
        may_write=bool({*WRITERS} & access.me().roles),
        may_give=access.may_open("/studio/points/by-hand"),
    )


# ---- A new version


class RuleForm(FlaskForm):
    """What the next version says, as it is typed; `rules` decides whether it can be taken."""

    fact = HiddenField()
    key = HiddenField()
    name_fr = StringField(_l("Name in French"))
    name_en = StringField(_l("Name in English"))
    amount = StringField(_l("Points at once"))
    held_amount = StringField(_l("Points on hold"))
    hold_days = StringField(_l("Days on hold"))
    cap = StringField(_l("Limit"))
    cap_period = SelectField(_l("The limit counts by"))
    starts_at = DateField(_l("Starts on"))

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.cap_period.choices = [("day", _("the day")), ("week", _("the week, from Monday"))]

    def terms(self) -> Terms:
        """The form as a version; what is no number stays out of bounds."""
        fact, cap = self.fact.data or "", (self.cap.data or "").strip()
        has_limit = fact in SHARE_FACTS and bool(cap)
        return Terms(
            fact=fact,
            name_fr=" ".join((self.name_fr.data or "").split()),
            name_en=" ".join((self.name_en.data or "").split()),
            amount=_points(self.amount.data),
            held_amount=0 if fact in AT_ONCE else _points(self.held_amount.data),
            hold_days=0 if fact in AT_ONCE else _points(self.hold_days.data),
            cap=whole(cap, otherwise=NO_NUMBER) if has_limit else None,
            cap_period=self.cap_period.data if has_limit else None,
        )

    def start(self) -> dt.datetime | None:
        """Midnight of the day, on the organisation's clock; None for today: from now on. Raises
        `InvalidInput` for what is no day."""
        zone = current_settings().timezone
        if self.starts_at.data is None:
            sentence = _l("Give a day.")
            raise InvalidInput(_l("Please check the form."), {"starts_at": sentence})
        if self.starts_at.data == clock.today(zone):
            return None
        return dt.datetime.combine(self.starts_at.data, dt.time(), zone).astimezone(dt.UTC)

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            self[name].errors = [str(sentence) for sentence in sentences]


def _points(text: str | None) -> int:
    """An empty field is a zero."""
    return whole(text, otherwise=NO_NUMBER) if (text or "").strip() else 0


class NoSuchFact(NotFound):
    """No act of that name can be worth points."""

    def __init__(self) -> None:
        super().__init__(_l("There is no such rule."))


@play.get("/studio/rules/<fact>/new")
@access.role(*WRITERS)
def new_version(fact: str) -> Response:
    """The form, filled with what holds today."""
    if fact not in FACTS:
        raise NoSuchFact
    rule = _history(fact, [s for s in rule_states() if s.rule.fact == fact]).in_force
    form = RuleForm(
        formdata=None,
        fact=fact,
        key=str(new_id()),
        name_fr=rule.name_fr if rule else "",
        name_en=rule.name_en if rule else "",
        amount=str(rule.amount) if rule else "",
        held_amount=str(rule.held_amount) if rule else "",
        hold_days=str(rule.hold_days) if rule else "",
        cap=str(rule.cap) if rule and rule.cap is not None else "",
        cap_period=(rule.cap_period if rule else None) or "day",
        starts_at=local_today() + dt.timedelta(days=1),
    )
    return _form(form)


def _form(form: RuleForm, status: int = 200) -> Response:
    fact = form.fact.data or ""
    if fact not in FACTS:
        raise NoSuchFact
    return render(
        "play/rule_form.html",
        status,
        form=form,
        fact=fact,
        fact_name=rule_words.fact_name(fact),
        condition=rule_words.condition_of(fact),
        has_hold=fact not in AT_ONCE,
        has_limit=fact in SHARE_FACTS,
        today=local_today(),
    )


@play.post("/studio/rules")
@access.role(*WRITERS)
def plan_version() -> Response:
    """Rehearse what was typed; with `step=sure` prepare it, with `step=edit` go on typing."""
    form, step = RuleForm(), request.form.get("step", "rehearse")
    if step == "edit":
        return _form(form)
    try:
        terms, start = form.terms(), form.start()
        if step == "sure":
            return _planned(form, terms, start)
        at = rules.check_plan(terms, start)
        return _rehearsed(form, terms, at, is_now=start is None)
    except InvalidInput as error:
        form.show(error)
        return _form(form, error.status)


def _planned(form: RuleForm, terms: Terms, start: dt.datetime | None) -> Response:
    key = (form.key.data or "")[:64] or None
    made = guarded.plan(terms, starts_at=start, actor_id=access.me().person_id, key=key)
    if made.waits:
        tell_waiting()
        return redirect_to(f"/studio/rules#{terms.fact}")
    rule = cast(Rule, made.result)
    name, number = rule.name(language()), rule.version
    if rule.starts_at > clock.now():
        text = _(
            "Version %(version)d of “%(name)s” starts on %(day)s. Until then you may withdraw it.",
            version=number, name=name, day=day(rule.starts_at),
        )  # fmt: skip
    else:
        text = _("Version %(version)d of “%(name)s” is in force.", version=number, name=name)
    flash(text, "ok")
    return redirect_to(f"/studio/rules#{rule.fact}")


def _rehearsed(form: RuleForm, terms: Terms, at: dt.datetime, *, is_now: bool) -> Response:
    before = rules.in_force(terms.fact, at)
    found = rehearsal.rehearse(terms, days=request.form.get("days", 0, type=int))
    return _rehearsal_page(
        terms,
        found,
        form=form,
        changes=rule_words.changes(terms, before) if before else [],
        at=at,
        is_now=is_now,
        planned=[
            s.rule for s in rule_states() if s.state == "coming" and s.rule.fact == terms.fact
        ],
    )


def _rehearsal_page(terms: Terms, found: Rehearsal, **more: object) -> Response:
    shown = more | {
        "found": found,
        "terms": terms,
        "name": terms.name_fr if language() == "fr" else terms.name_en,
        "fact_name": rule_words.fact_name(terms.fact),
        "words": rule_words,
        "periods": rehearsal.PERIODS,
        "smallest": thresholds.joining(),
    }
    return render("play/rule_rehearsal.html", **cast(dict[str, Any], shown))


@play.get("/studio/rules/<uuid:version_id>/rehearsal")
@access.role(*READERS)
def rehearse_version(version_id: uuid.UUID) -> Response:
    """A version that exists, over the days before today."""
    rule = rules.version(version_id)
    found = rehearsal.rehearse(rule.terms, days=request.args.get("days", 0, type=int))
    return _rehearsal_page(rule.terms, found, form=None, rule=rule)


@play.post("/studio/rules/<uuid:version_id>/withdrawal")
@access.role(*WRITERS)
def withdraw_version(version_id: uuid.UUID) -> Response:
    """Take back a version that has not started."""
    try:
        rule = rules.withdraw(version_id, actor_id=access.me().person_id)
    except rules.RuleStarted as refusal:
        flash(str(refusal.sentence), "stop")
        return redirect_to("/studio/rules")
    except rules.NoSuchRule:
        flash(_("This version was withdrawn already."), "wait")
        return redirect_to("/studio/rules")
    flash(
        _(
            "Version %(version)d of “%(name)s” is withdrawn. What is in force stays.",
            version=rule.version, name=rule.name(language()),
        ),
        "ok",
    )  # fmt: skip
    return redirect_to(f"/studio/rules#{rule.fact}")
