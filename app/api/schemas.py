"""Shapes of the JSON API. Times are RFC 3339 in UTC, identifiers opaque strings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import marshmallow as ma
from marshmallow import validate

from app.config import LANGUAGES
from app.people.models import KINDS
from app.play.rehearsal import PERIODS
from app.rewards.models import PAY_CLASSES


class Instant(ma.fields.AwareDateTime):
    """RFC 3339 in UTC, written with a Z."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=dt.UTC, **kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if value is None:
            return None
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class Strict(ma.Schema):
    """Unknown fields are refused with their name, so a typing mistake is not silent."""

    class Meta:
        unknown = ma.RAISE


class Paging(ma.Schema):
    """Query of a list."""

    class Meta:
        unknown = ma.EXCLUDE

    after = ma.fields.String(metadata={"description": "The `next` of the page before."})
    limit = ma.fields.Integer(load_default=50, validate=validate.Range(1, 200))


class Consent(ma.Schema):
    purpose = ma.fields.String()
    text_version = ma.fields.String()
    granted_at = Instant(allow_none=True)
    withdrawn_at = Instant(allow_none=True)


class Grant(ma.Schema):
    network = ma.fields.String()
    state = ma.fields.String()
    expires_at = Instant(allow_none=True)


class Me(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()
    email = ma.fields.String()
    kind = ma.fields.String()
    language = ma.fields.String()
    member = ma.fields.Boolean()
    roles = ma.fields.List(ma.fields.String())
    consents = ma.fields.List(ma.fields.Nested(Consent))
    grants = ma.fields.List(ma.fields.Nested(Grant))


class Balance(ma.Schema):
    available = ma.fields.Integer()
    pending = ma.fields.Integer()
    status_points = ma.fields.Integer()


class BoardPlace(ma.Schema):
    rank = ma.fields.Integer()
    name = ma.fields.String(metadata={"description": "First name and initial."})
    points = ma.fields.Integer()
    is_me = ma.fields.Boolean()


class Leaderboard(ma.Schema):
    """A month's points. Only members who agreed to be named are, at most ten, and none while
    fewer than `threshold` people have points. `my_rank` is for the caller alone."""

    id = ma.fields.String(attribute="period")
    starts_on = ma.fields.Date()
    ends_on = ma.fields.Date()
    is_shown = ma.fields.Boolean()
    threshold = ma.fields.Integer()
    items = ma.fields.List(ma.fields.Nested(BoardPlace), attribute="places")
    my_points = ma.fields.Integer()
    my_rank = ma.fields.Integer(allow_none=True)


class RuleRef(ma.Schema):
    name = ma.fields.String()
    version = ma.fields.Integer()


class Entry(ma.Schema):
    id = ma.fields.String()
    amount = ma.fields.Integer(metadata={"description": "Points, signed."})
    state = ma.fields.String()
    code = ma.fields.String()
    reference = ma.fields.String()
    rule = ma.fields.Nested(RuleRef, allow_none=True)
    reason = ma.fields.String()
    effective_at = Instant()
    due_at = Instant(allow_none=True)


class OfferIn(Strict):
    """`title` is needed; an offer is open at once unless `status` says `draft`."""

    title = ma.fields.String(required=True)
    description = ma.fields.String(load_default="")
    location = ma.fields.String(allow_none=True)
    department = ma.fields.String(allow_none=True)
    contract = ma.fields.String(allow_none=True)
    remote = ma.fields.String(allow_none=True)
    language = ma.fields.String(allow_none=True)
    apply_url = ma.fields.String(allow_none=True)
    status = ma.fields.String(validate=validate.OneOf(("draft", "open")))
    external_id = ma.fields.String(allow_none=True)
    source = ma.fields.String(allow_none=True)
    entity = ma.fields.String(allow_none=True, metadata={"description": "Code of the company."})
    audience = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "Segments whose members meet it; none: everybody."},
    )
    kept = ma.fields.List(
        ma.fields.String(),
        metadata={"description": "Segments whose recruiters keep it, besides those of the whole "
                  "organisation."},
    )  # fmt: skip


class OfferOut(ma.Schema):
    """`entity`, `audience` and `kept` are told to staff, of what their role reaches."""

    id = ma.fields.String()
    title = ma.fields.String()
    description = ma.fields.String()
    location = ma.fields.String()
    department = ma.fields.String()
    contract = ma.fields.String()
    remote = ma.fields.String(allow_none=True)
    language = ma.fields.String()
    apply_url = ma.fields.String(allow_none=True)
    status = ma.fields.String()
    external_id = ma.fields.String(allow_none=True)
    source = ma.fields.String()
    public_url = ma.fields.String()
    opened_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    entity = ma.fields.String(allow_none=True)
    audience = ma.fields.List(ma.fields.String())
    kept = ma.fields.List(ma.fields.String())


class OfferQuery(Paging):
    status = ma.fields.String(validate=validate.OneOf(("draft", "open", "closed")))
    q = ma.fields.String(load_default="")
    external_id = ma.fields.String()
    source = ma.fields.String()
    entity = ma.fields.String(load_default="", metadata={"description": "Code of the company."})


class LinkIn(Strict):
    channel = ma.fields.String(load_default="link")


class LinkOut(ma.Schema):
    id = ma.fields.String()
    code = ma.fields.String()
    url = ma.fields.String()
    channel = ma.fields.String()
    offer_id = ma.fields.String()
    created_at = Instant()


class ApplicationIn(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    code = ma.fields.String(load_default="", allow_none=True)
    click_id = ma.fields.String(load_default="", allow_none=True)
    first_name = ma.fields.String(load_default="")
    last_name = ma.fields.String(load_default="")
    email = ma.fields.String(load_default="")
    visibility = ma.fields.String(load_default="ends")
    notice_version = ma.fields.String(load_default="")
    language = ma.fields.String(load_default="")


class ApplicationOut(ma.Schema):
    """The private address goes to the mailbox and nowhere else."""

    id = ma.fields.String()
    offer_id = ma.fields.String()
    status = ma.fields.String()
    visibility = ma.fields.String()
    message = ma.fields.String()


class ContactIn(ma.Schema):
    class Meta:
        unknown = ma.EXCLUDE

    offer_id = ma.fields.String()
    candidate = ma.fields.Dict()
    confirmed = ma.fields.Boolean()


class HistoryLine(ma.Schema):
    stage = ma.fields.String()
    occurred_at = Instant()
    source = ma.fields.String()


class PersonRef(ma.Schema):
    id = ma.fields.String()
    name = ma.fields.String()


class ClaimOut(ma.Schema):
    person = ma.fields.Nested(PersonRef, allow_none=True)
    kind = ma.fields.String()
    claimed_at = Instant()
    outcome = ma.fields.String()
    reason = ma.fields.String(allow_none=True)


class DecisionOut(ma.Schema):
    rule_version = ma.fields.String()
    reason = ma.fields.String()
    decided_at = Instant()


class Attribution(ma.Schema):
    claims = ma.fields.List(ma.fields.Nested(ClaimOut))
    winner = ma.fields.Nested(PersonRef, allow_none=True)
    decision = ma.fields.Nested(DecisionOut, allow_none=True)


class ReferralOut(ma.Schema):
    id = ma.fields.String()
    offer_id = ma.fields.String(allow_none=True)
    offer_title = ma.fields.String(allow_none=True)
    candidate_name = ma.fields.String(allow_none=True)
    visibility = ma.fields.String()
    stage = ma.fields.String(allow_none=True)
    stage_at = Instant()
    closure_reason = ma.fields.String(allow_none=True)
    received_at = Instant()
    hired_at = Instant(allow_none=True)
    starts_on = ma.fields.Date(allow_none=True)
    external_id = ma.fields.String(allow_none=True)
    referrer = ma.fields.Nested(PersonRef, allow_none=True)
    channel = ma.fields.String(allow_none=True)
    history = ma.fields.List(ma.fields.Nested(HistoryLine))
    attribution = ma.fields.Nested(Attribution)


class ReferralQuery(Paging):
    external_id = ma.fields.String()
    stage = ma.fields.String()
    offer_id = ma.fields.String()


class StageIn(Strict):
    stage = ma.fields.String(required=True)
    occurred_at = Instant()
    external_event_id = ma.fields.String(validate=validate.Length(1, 180))
    closure_reason = ma.fields.String(allow_none=True)
    starts_on = ma.fields.Date(allow_none=True)


_IN_FULL = {"chance prize": "chance prize (free, unlinked)"}


class PayClass(ma.fields.String):
    """The classes of payroll, in full: a prize of chance is free, and nothing leads to it."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:
        return super()._serialize(_IN_FULL.get(value, value), attr, obj, **more)

    def _deserialize(self, value: Any, *others: Any, **more: Any) -> Any:
        short = {full: kept for kept, full in _IN_FULL.items()}
        text = super()._deserialize(value, *others, **more)
        return short.get(text, text)


class RewardWords(Strict):
    """The same reward in another language: the description, too, where it has one."""

    title = ma.fields.String(required=True, validate=validate.Length(1, 120))
    description = ma.fields.String(load_default="", validate=validate.Length(max=1000))


class RewardIn(Strict):
    """Price, stock and deliverer must be there; `stock` null means unlimited. `translations` are
    by language, as those of a story."""

    title = ma.fields.String(required=True)
    description = ma.fields.String(load_default="")
    language = ma.fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(LANGUAGES)
    )
    translations = ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.Nested(RewardWords), load_default=dict,
    )  # fmt: skip
    cost = ma.fields.Integer(required=True, strict=True)
    stock = ma.fields.Integer(required=True, allow_none=True, strict=True)
    pay_class = PayClass(required=True, validate=validate.OneOf((*PAY_CLASSES, *_IN_FULL.values())))
    deliverer = ma.fields.String(required=True)
    entity = ma.fields.String(
        load_default=None, allow_none=True,
        metadata={"description": "The entity on whose shelf alone it stands; null: all share it."},
    )  # fmt: skip
    audience = ma.fields.List(
        ma.fields.String(), load_default=list,
        metadata={"description": "The segments it is meant for; none: everybody."},
    )  # fmt: skip


class RewardQuery(Paging):
    """For HR and administrators, `entity` shows what its people find."""

    entity = ma.fields.String(
        load_default=None,
        metadata={"description": "An entity, or `shared` for what all share; for HR alone."},
    )


class RewardWordsOut(ma.Schema):
    title = ma.fields.String()
    description = ma.fields.String()


class RewardOut(ma.Schema):
    """`translations` holds the languages other than the reward's own."""

    id = ma.fields.String()
    title = ma.fields.String()
    description = ma.fields.String()
    language = ma.fields.String(
        allow_none=True, metadata={"description": "Of its title; null where nobody said."}
    )
    translations = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(RewardWordsOut))
    cost = ma.fields.Integer()
    stock = ma.fields.Integer(allow_none=True)
    stock_left = ma.fields.Integer(allow_none=True)
    pay_class = PayClass()
    deliverer = ma.fields.String()
    created_at = Instant()
    entity = ma.fields.String(
        allow_none=True, metadata={"description": "For HR: whose own it is; null: all share it."}
    )
    audience = ma.fields.List(
        ma.fields.String(), metadata={"description": "For HR: the segments it is meant for."}
    )


class RedemptionIn(Strict):
    reward_id = ma.fields.String(required=True)


class RedemptionOut(ma.Schema):
    id = ma.fields.String()
    reward_id = ma.fields.String()
    person_id = ma.fields.String()
    cost = ma.fields.Integer()
    status = ma.fields.String()
    created_at = Instant()
    settled_at = Instant(allow_none=True)


class RuleOut(ma.Schema):
    id = ma.fields.String()
    fact = ma.fields.String()
    name = ma.fields.String()
    version = ma.fields.Integer()
    amount = ma.fields.Integer()
    held_amount = ma.fields.Integer()
    hold_days = ma.fields.Integer()
    cap = ma.fields.Integer(
        allow_none=True, metadata={"description": "How often in one period; null: no limit."}
    )
    cap_period = ma.fields.String(allow_none=True, metadata={"description": "day or week"})
    starts_at = Instant()


class RuleIn(Strict):
    """The next version of a rule. `starts_at` null: from now on; it may not be over."""

    fact = ma.fields.String(required=True)
    name_fr = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    amount = ma.fields.Integer(required=True, strict=True)
    held_amount = ma.fields.Integer(load_default=0, strict=True)
    hold_days = ma.fields.Integer(load_default=0, strict=True)
    cap = ma.fields.Integer(load_default=None, allow_none=True, strict=True)
    cap_period = ma.fields.String(load_default=None, allow_none=True)
    starts_at = Instant(load_default=None, allow_none=True)


class RehearsalIn(Strict):
    days = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.OneOf(PERIODS),
        metadata={"description": "How far to look back; null: as usual for the rule."},
    )  # fmt: skip


class RehearsedSum(ma.Schema):
    rewarded = ma.fields.Integer(metadata={"description": "Acts that are worth something."})
    beyond = ma.fields.Integer(metadata={"description": "Acts above the limit."})
    at_once = ma.fields.Integer()
    held = ma.fields.Integer()
    points = ma.fields.Integer()


class RehearsedSegment(ma.Schema):
    site = ma.fields.String(
        allow_none=True, metadata={"description": "null: the smaller sites together"}
    )
    people = ma.fields.Integer()
    before = ma.fields.Integer()
    after = ma.fields.Integer()


class RehearsalOut(ma.Schema):
    """Sums over past acts: as it was, and as rehearsed. Nobody is named; groups of fewer than
    ten people are not told apart."""

    fact = ma.fields.String()
    days = ma.fields.Integer()
    since = Instant()
    until = Instant()
    facts = ma.fields.Integer()
    before = ma.fields.Nested(RehearsedSum)
    after = ma.fields.Nested(RehearsedSum)
    people = ma.fields.Integer(
        allow_none=True, metadata={"description": "Members concerned; null: fewer than ten."}
    )
    segments = ma.fields.List(ma.fields.Nested(RehearsedSegment))


class ConnectionIn(Strict):
    kind = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    secrets = ma.fields.List(ma.fields.String(), load_default=list)
    api_url = ma.fields.String(allow_none=True, load_default=None)
    api_key = ma.fields.String(allow_none=True, load_default=None)
    settings = ma.fields.Dict(load_default=dict)


class ConnectionOut(ma.Schema):
    id = ma.fields.String()
    kind = ma.fields.String()
    name = ma.fields.String()
    webhook_url = ma.fields.String()
    api_url = ma.fields.String(allow_none=True)
    settings = ma.fields.Dict()
    created_at = Instant()


class PersonIn(Strict):
    kind = ma.fields.String(load_default="employee", validate=validate.OneOf(KINDS))
    name = ma.fields.String(required=True)
    email = ma.fields.String(required=True)
    employee_id = ma.fields.String(allow_none=True, load_default=None)
    language = ma.fields.String(load_default="fr")
    roles = ma.fields.List(ma.fields.String(), load_default=list)
    department = ma.fields.String(allow_none=True, load_default=None)
    site = ma.fields.String(allow_none=True, load_default=None)
    job_title = ma.fields.String(allow_none=True, load_default=None)


class PersonOut(ma.Schema):
    id = ma.fields.String()
    kind = ma.fields.String()
    name = ma.fields.String()
    email = ma.fields.String(allow_none=True)
    employee_id = ma.fields.String(allow_none=True)
    language = ma.fields.String()
    roles = ma.fields.List(ma.fields.String())
    roles_waiting = ma.fields.List(ma.fields.String())
    departed_at = Instant(allow_none=True)


class WaitsOut(ma.Schema):
    """The act waits for a second person, at `url`."""

    waits_for = ma.fields.String()
    request_id = ma.fields.String()
    url = ma.fields.String()


class ErasureOut(ma.Schema):
    """`stays`: what is kept all the same, without a name, and why."""

    id = ma.fields.String()
    erased_at = Instant()
    stays = ma.fields.List(ma.fields.String())


class Difference(ma.Schema):
    """The first row that is wrong: `what` differs in the row `id` of `table`."""

    what = ma.fields.String()
    table = ma.fields.String()
    id = ma.fields.String()
    account_id = ma.fields.String(allow_none=True)
    sequence = ma.fields.Integer(allow_none=True)
    expected = ma.fields.String()
    found = ma.fields.String()


class Verification(ma.Schema):
    ok = ma.fields.Boolean()
    accounts = ma.fields.Integer()
    transfers = ma.fields.Integer()
    entries = ma.fields.Integer()
    seals = ma.fields.Integer()
    first_difference = ma.fields.Nested(Difference, allow_none=True)


def page_of(item: type[ma.Schema]) -> type[ma.Schema]:
    """The envelope of a list of `item`: items, next, limit."""
    fields: dict[str, Any] = {
        "items": ma.fields.List(ma.fields.Nested(item)),
        "next": ma.fields.String(allow_none=True),
        "limit": ma.fields.Integer(),
    }
    return type(f"{item.__name__}Page", (ma.Schema,), fields)
