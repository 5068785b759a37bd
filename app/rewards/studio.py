"""HR and administrators: what stands on the shelf."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField

from app import clock
from app.approvals.words import tell_waiting
from app.db import read_id
from app.errors import InvalidInput
from app.people import audiences, saved_views
from app.people.audiences import KEPT, SEEN
from app.people.queries import person_by_email
from app.people.words import LANGUAGE_NAMES
from app.play.numbers import whole
from app.rewards import guarded, overrides, queries, service, words
from app.rewards.errors import NoSuchReward
from app.rewards.models import PAY_CLASSES, Reward
from app.rewards.overrides import EntityRow, OwnTerms
from app.rewards.queries import RewardFilter, RewardRow
from app.rewards.views import rewards
from app.settings import entities
from app.settings.models import Entity
from app.web import access, current_settings, pressing, redirect_to, render
from app.web.i18n import language, the_other
from app.web.pages import url_with

PAGE = 50
NOBODY = uuid.UUID(int=0)
SEGMENTS = {"audience": SEEN, "keepers": KEPT}
KEEPERS = ("hr", "admin")
keeper = access.role(*KEEPERS, within=True)
LIST = saved_views.declare(
    "rewards", "/studio/rewards", ("state", "class", "entity", "q"), KEEPERS, _l("The shelf"),
    usual={"state": "sale"}, within=True,
)  # fmt: skip
STATES = ("sale", "low", "orphaned", "withdrawn")


def reach() -> frozenset[uuid.UUID] | None:
    """Which segments' rewards the reader keeps: None for all rewards."""
    return access.reach(*KEEPERS)


def person_of(address: str | None) -> uuid.UUID:
    person = person_by_email(address or "")
    return person.id if person else NOBODY


class RewardForm(FlaskForm):
    """What is offered, as it is typed; `service` decides whether it can be taken."""

    title = StringField(_l("Title"))
    description = TextAreaField(_l("Description"))
    language = SelectField(_l("Language of the title and the description"))
    other_title = StringField(_l("Title in the other language"))
    other_description = TextAreaField(_l("Description in the other language"))
    cost = StringField(_l("Price in points"))
    stock = StringField(_l("Stock"))
    unlimited = BooleanField(_l("No limit"))
    pay_class = SelectField(_l("How payroll sees it"))
    is_open_outside = BooleanField(_l("Former employees and partners may ask for it, too"))
    deliverer = EmailField(_l("Who delivers it"))

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.language.choices = [*LANGUAGE_NAMES.items()]
        self.pay_class.choices = [(code, words.pay_class_name(code)) for code in PAY_CLASSES]
        self.beside: dict[str, str] = {}
        """What is wrong with the entity and the segments, which are no fields of this form."""

    def terms(self) -> service.Terms:
        """The form as a service takes it; what is no number or nobody stays out of bounds."""
        return service.Terms(
            title=self.title.data or "",
            description=self.description.data or "",
            cost=whole(self.cost.data, otherwise=0),
            stock=None if self.unlimited.data else whole(self.stock.data, otherwise=-1),
            pay_class=self.pay_class.data or "",
            deliverer_id=person_of(self.deliverer.data),
        )

    def tongues(self) -> service.Tongues:
        """The same of its languages."""
        return service.Tongues(
            language=self.language.data,
            other_title=self.other_title.data or "",
            other_description=self.other_description.data or "",
        )

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            if name in self:
                self[name].errors = [str(sentence) for sentence in sentences]
            else:
                self.beside[name] = " ".join(str(sentence) for sentence in sentences)
                self.form_errors.append(self.beside[name])


def _named(field: str, reward_id: uuid.UUID | None = None) -> list[uuid.UUID] | None:
    """The segments the form names for a field; None, where it says nothing of it, leaves those
    of a reward that exists. Raises `InvalidInput`."""
    if field not in request.form and reward_id is not None:
        return None
    before = [one for one, _name in _had(field, reward_id)] if reward_id else None
    asked = request.form.getlist(field)
    return audiences.chosen(asked, field=field, within=reach(), before=before)


def _had(field: str, reward_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
    return audiences.assigned([reward_id], SEGMENTS[field]).get(reward_id, [])


@rewards.get("/studio/rewards")
@keeper
@saved_views.opens_on(LIST)
def catalogue() -> Response:
    """What is on sale; with `state` what is nearly sold out (`low`), what somebody hands over
    who has left (`orphaned`), or what is no longer on sale (`withdrawn`); with `class` what
    payroll sees so, with `entity` what its people find, in their terms."""
    args, asked = request.args, _asked()
    page = queries.rewards(asked, after=args.get("after"), before=args.get("before"), limit=PAGE)
    entity = entities.entity(asked.entity_id) if asked.entity_id else None
    return render(
        "rewards/catalogue.html",
        beside=page,
        state=_state(),
        asked=asked,
        entity=entity,
        entities=_entity_choices(entity),
        narrowed=_narrowed(asked, entity),
        meant_for=audiences.assigned([row.id for row in page.rows], SEEN),
        classes=[(code, words.pay_class_name(code)) for code in PAY_CLASSES],
        pay_class_name=words.pay_class_name,
        now=clock.now(),
    )


def _state() -> str:
    state = request.args.get("state", "")
    return state if state in STATES else STATES[0]


def _asked() -> RewardFilter:
    """What the address asks for."""
    state, pay_class = _state(), request.args.get("class", "")
    return RewardFilter(
        withdrawn=state == "withdrawn",
        low=state == "low",
        orphaned=state == "orphaned",
        pay_class=pay_class if pay_class in PAY_CLASSES else "",
        q=request.args.get("q", "")[:80].replace("\x00", ""),
        entity_id=read_id(request.args.get("entity")),
        with_hidden=True,
        within=reach(),
        language=language(),
    )


def _entity_choices(chosen: Entity | None) -> list[tuple[str, str]]:
    """The entities in use, and the chosen one in any case; none where there is none."""
    rows = entities.entities()
    if chosen is not None and chosen not in rows:
        rows.append(chosen)
    return [(str(row.id), row.name) for row in rows]


def _narrowed(f: RewardFilter, entity: Entity | None) -> list[tuple[str, str]]:
    """Each narrower filter in words, and the address without it."""
    state = _state()
    found = [
        (_("“%(words)s”", words=f.q.strip()) if f.q.strip() else "", "q"),
        (words.pay_class_name(f.pay_class) if f.pay_class else "", "class"),
        (_("For %(entity)s", entity=entity.name) if entity else "", "entity"),
    ]
    return [(text, url_with(**{name: None, "state": state})) for text, name in found if text]


@rewards.get("/studio/rewards/new")
@keeper
def new() -> Response:
    """An empty form; the reader is proposed as deliverer in it."""
    form = RewardForm(formdata=None, language=current_settings().locale)
    return _form(form, None)


def _form(form: RewardForm, row: RewardRow | None, status: int = 200) -> Response:
    return render(
        "rewards/form.html",
        status,
        form=form,
        row=row,
        other=the_other(form.language.data or ""),
        segments={field: _segments(field, row, form.is_submitted()) for field in SEGMENTS},
        is_limited=reach() is not None,
        entities=[(one.id, one.name) for one in entities.entities()] if row is None else [],
        entity_id=request.form.get("entity", ""),
        differing=overrides.by_entity(row.id) if row and row.entity_id is None else [],
    )


def _segments(field: str, row: RewardRow | None, was_sent: bool) -> dict[str, object]:
    """What the boxes of a field show: the choices, those ticked, those out of the reader's reach."""
    within, had = reach(), _had(field, row.id) if row else []
    ids = [segment_id for segment_id, _name in had]
    return {
        "rows": audiences.choices(within, ids),
        "picked": request.form.getlist(field) if was_sent else ids,
        "others": [one for one in had if within is not None and one[0] not in within],
    }


@rewards.post("/studio/rewards")
@keeper
def create() -> Response:
    """A new reward, on sale at once."""
    form = RewardForm()
    terms, entity = form.terms(), request.form.get("entity", "")
    id_ = pressing.id_for(Reward, access.me().person_id)
    if pressing.came_before(Reward, id_):
        return redirect_to("/studio/rewards")
    try:
        made = guarded.create_reward(
            title=terms.title, description=terms.description, cost=terms.cost, stock=terms.stock,
            pay_class=terms.pay_class, deliverer_id=terms.deliverer_id,
            entity_id=read_id(entity) or NOBODY if entity else None,
            is_open_outside=bool(form.is_open_outside.data), audience=_named("audience") or (),
            keepers=_named("keepers") or (), actor_id=access.me().person_id, id_=id_,
            **asdict(form.tongues()),
        )  # fmt: skip
    except InvalidInput as error:
        form.show(error)
        return _form(form, None, error.status)
    if made.waits:
        tell_waiting()
        return redirect_to("/studio/rewards")
    flash(_("“%(title)s” is on the shelf.", title=terms.title), "ok")
    return redirect_to("/studio/rewards")


def _row(reward_id: uuid.UUID) -> RewardRow:
    row = queries.reward(reward_id, within=reach())
    if row is None:
        raise NoSuchReward
    return row


@rewards.get("/studio/rewards/<uuid:reward_id>")
@keeper
def edit(reward_id: uuid.UUID) -> Response:
    """The reward as it is offered today."""
    row = _row(reward_id)
    form = RewardForm(
        formdata=None,
        title=row.title,
        description=row.description,
        language=row.language or current_settings().locale,
        other_title=row.other_title,
        other_description=row.other_description,
        cost=str(row.cost),
        stock="" if row.stock is None else str(row.stock),
        unlimited=row.stock is None,
        pay_class=row.pay_class,
        is_open_outside=row.is_open_outside,
        deliverer=row.deliverer_email,
    )
    return _form(form, row)


@rewards.post("/studio/rewards/<uuid:reward_id>")
@keeper
def update(reward_id: uuid.UUID) -> Response:
    """Other terms from now on."""
    row, form = _row(reward_id), RewardForm()
    terms = form.terms()
    try:
        made = guarded.update_reward(
            reward_id, title=terms.title, description=terms.description, cost=terms.cost,
            stock=terms.stock, pay_class=terms.pay_class, deliverer_id=terms.deliverer_id,
            is_open_outside=bool(form.is_open_outside.data),
            audience=_named("audience", reward_id), keepers=_named("keepers", reward_id),
            actor_id=access.me().person_id, **asdict(form.tongues()),
        )  # fmt: skip
    except InvalidInput as error:
        form.show(error)
        return _form(form, row, error.status)
    if made.waits:
        tell_waiting()
        return redirect_to("/studio/rewards")
    flash(_("“%(title)s” was changed.", title=terms.title), "ok")
    return redirect_to("/studio/rewards")


@rewards.post("/studio/rewards/<uuid:reward_id>/withdrawal")
@keeper
def withdraw(reward_id: uuid.UUID) -> Response:
    """Off the shelf; what was redeemed before is still delivered."""
    row = _row(reward_id)
    service.withdraw_reward(reward_id, actor_id=access.me().person_id)
    flash(_("“%(title)s” is off the shelf.", title=row.title), "ok")
    return redirect_to("/studio/rewards")


# ---- Said otherwise for one entity


class OwnForm(FlaskForm):
    """What one entity says of a shared reward. What is left empty stands as it is shared."""

    is_hidden = BooleanField(_l("It is not on their shelf"))
    cost = StringField(_l("Price in points"))
    has_own_stock = BooleanField(_l("They have a stock of their own"))
    stock = StringField(_l("Stock"))
    unlimited = BooleanField(_l("No limit"))
    deliverer = EmailField(_l("Who delivers it"))
    description = TextAreaField(_l("Description"))

    def terms(self) -> OwnTerms:
        """The form as a service takes it; what is no number or nobody stays out of bounds."""
        limited = bool(self.has_own_stock.data) and not self.unlimited.data
        cost, address = (self.cost.data or "").strip(), (self.deliverer.data or "").strip()
        return OwnTerms(
            is_hidden=bool(self.is_hidden.data),
            cost=whole(cost, otherwise=0) if cost else None,
            description=self.description.data,
            deliverer_id=person_of(address) if address else None,
            has_own_stock=bool(self.has_own_stock.data),
            stock=whole(self.stock.data, otherwise=-1) if limited else None,
        )

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            self[name if name in self else "is_hidden"].errors = [str(s) for s in sentences]


def _of_entity(reward_id: uuid.UUID, entity_id: uuid.UUID) -> tuple[RewardRow, EntityRow]:
    row = _row(reward_id)
    found = next((e for e in overrides.by_entity(reward_id) if e.entity_id == entity_id), None)
    if row.entity_id is not None or row.withdrawn_at is not None or found is None:
        raise NoSuchReward
    return row, found


@rewards.get("/studio/rewards/<uuid:reward_id>/entities/<uuid:entity_id>")
@keeper
def edit_own(reward_id: uuid.UUID, entity_id: uuid.UUID) -> Response:
    """What this entity says of it today."""
    row, entity = _of_entity(reward_id, entity_id)
    terms = entity.terms or OwnTerms()
    form = OwnForm(
        formdata=None,
        is_hidden=terms.is_hidden,
        cost="" if terms.cost is None else str(terms.cost),
        has_own_stock=terms.has_own_stock,
        stock="" if terms.stock is None else str(terms.stock),
        unlimited=terms.has_own_stock and terms.stock is None,
        deliverer=entity.deliverer_email or "",
        description=terms.description or "",
    )
    return render("rewards/entity.html", form=form, row=row, entity=entity)


@rewards.post("/studio/rewards/<uuid:reward_id>/entities/<uuid:entity_id>")
@keeper
def update_own(reward_id: uuid.UUID, entity_id: uuid.UUID) -> Response:
    """Other terms for its people from now on."""
    row, entity = _of_entity(reward_id, entity_id)
    form = OwnForm()
    try:
        made = guarded.override(reward_id, entity_id, form.terms(), actor_id=access.me().person_id)
    except InvalidInput as error:
        form.show(error)
        return render("rewards/entity.html", error.status, form=form, row=row, entity=entity)
    if made.waits:
        tell_waiting()
    else:
        flash(_("Saved for %(entity)s.", entity=entity.name), "ok")
    return redirect_to(f"/studio/rewards/{reward_id}#entities")


@rewards.post("/studio/rewards/<uuid:reward_id>/entities/<uuid:entity_id>/removal")
@keeper
def remove_own(reward_id: uuid.UUID, entity_id: uuid.UUID) -> Response:
    """Its people find it as it is shared."""
    entity = _of_entity(reward_id, entity_id)[1]
    made = guarded.share_again(reward_id, entity_id, actor_id=access.me().person_id)
    if made.waits:
        tell_waiting()
    else:
        flash(_("%(entity)s has it as it is shared.", entity=entity.name), "ok")
    return redirect_to(f"/studio/rewards/{reward_id}#entities")
