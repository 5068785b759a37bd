"""HR and administrators: what stands on the shelf."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, SelectField, StringField, TextAreaField

from app.errors import InvalidInput
from app.people.queries import person_by_email
from app.play.numbers import whole
from app.rewards import queries, service, words
from app.rewards.errors import NoSuchReward
from app.rewards.models import PAY_CLASSES
from app.rewards.queries import RewardFilter, RewardRow
from app.rewards.views import rewards
from app.web import access, redirect_to, render

PAGE = 50


class RewardForm(FlaskForm):
    """What is offered, as it is typed; `service` decides whether it can be taken."""

    title = StringField(_l("Title"))
    description = TextAreaField(_l("Description"))
    cost = StringField(_l("Price in points"))
    stock = StringField(_l("Stock"))
    unlimited = BooleanField(_l("No limit"))
    pay_class = SelectField(_l("How payroll sees it"))
    deliverer = EmailField(_l("Who delivers it"))

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.pay_class.choices = [(code, words.pay_class_name(code)) for code in PAY_CLASSES]

    def terms(self) -> service.Terms:
        """The form as a service takes it; what is no number or nobody stays out of bounds."""
        person = person_by_email(self.deliverer.data or "")
        return service.Terms(
            title=self.title.data or "",
            description=self.description.data or "",
            cost=whole(self.cost.data, otherwise=0),
            stock=None if self.unlimited.data else whole(self.stock.data, otherwise=-1),
            pay_class=self.pay_class.data or "",
            deliverer_id=person.id if person else uuid.UUID(int=0),
        )

    def show(self, error: InvalidInput) -> None:
        """Put each sentence at its field."""
        for name, sentences in error.errors.items():
            self[name].errors = [str(sentence) for sentence in sentences]


@rewards.get("/studio/rewards")
@access.role("hr", "admin")
def catalogue() -> Response:
    """What is on sale, with `state=low` what is nearly sold out, with `state=withdrawn` what
    is no longer on sale."""
    state, q = request.args.get("state", ""), request.args.get("q", "")[:80]
    asked = RewardFilter(withdrawn=state == "withdrawn", low=state == "low", q=q)
    rows, next_cursor = queries.rewards(asked, after=request.args.get("after"), limit=PAGE)
    return render(
        "rewards/catalogue.html",
        rows=rows,
        next_cursor=next_cursor,
        asked=asked,
        past=asked.withdrawn,
        pay_class_name=words.pay_class_name,
    )


@rewards.get("/studio/rewards/new")
@access.role("hr", "admin")
def new() -> Response:
    """An empty form; the reader is proposed as deliverer in it."""
    form = RewardForm(formdata=None)
    return _form(form, None)


def _form(form: RewardForm, row: RewardRow | None, status: int = 200) -> Response:
    return render("rewards/form.html", status, form=form, row=row)


@rewards.post("/studio/rewards")
@access.role("hr", "admin")
def create() -> Response:
    """A new reward, on sale at once."""
    form = RewardForm()
    terms = form.terms()
    try:
        service.create_reward(
            title=terms.title, description=terms.description, cost=terms.cost, stock=terms.stock,
            pay_class=terms.pay_class, deliverer_id=terms.deliverer_id,
            actor_id=access.me().person_id,
        )  # fmt: skip
    except InvalidInput as error:
        form.show(error)
        return _form(form, None, error.status)
    flash(_("“%(title)s” is on the shelf.", title=terms.title), "ok")
    return redirect_to("/studio/rewards")


def _row(reward_id: uuid.UUID) -> RewardRow:
    row = queries.reward(reward_id)
    if row is None:
        raise NoSuchReward
    return row


@rewards.get("/studio/rewards/<uuid:reward_id>")
@access.role("hr", "admin")
def edit(reward_id: uuid.UUID) -> Response:
    """The reward as it is offered today."""
    row = _row(reward_id)
    form = RewardForm(
        formdata=None,
        title=row.title,
        description=row.description,
        cost=str(row.cost),
        stock="" if row.stock is None else str(row.stock),
        unlimited=row.stock is None,
        pay_class=row.pay_class,
        deliverer=row.deliverer_email,
    )
    return _form(form, row)


@rewards.post("/studio/rewards/<uuid:reward_id>")
@access.role("hr", "admin")
def update(reward_id: uuid.UUID) -> Response:
    """Other terms from now on."""
    row, form = _row(reward_id), RewardForm()
    terms = form.terms()
    try:
        service.update_reward(
            reward_id, title=terms.title, description=terms.description, cost=terms.cost,
            stock=terms.stock, pay_class=terms.pay_class, deliverer_id=terms.deliverer_id,
            actor_id=access.me().person_id,
        )  # fmt: skip
    except InvalidInput as error:
        form.show(error)
        return _form(form, row, error.status)
    flash(_("“%(title)s” was changed.", title=terms.title), "ok")
    return redirect_to("/studio/rewards")


@rewards.post("/studio/rewards/<uuid:reward_id>/withdrawal")
@access.role("hr", "admin")
def withdraw(reward_id: uuid.UUID) -> Response:
    """Off the shelf; what was redeemed before is still delivered."""
    row = _row(reward_id)
    service.withdraw_reward(reward_id, actor_id=access.me().person_id)
    flash(_("“%(title)s” is off the shelf.", title=row.title), "ok")
    return redirect_to("/studio/rewards")
