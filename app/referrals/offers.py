"""Job offers: writing, opening and closing them, whoever or whatever asks.

People, the API and imports all come through here, so that an offer that opened or closed is
told to the rest of the house once (`offer.opened`, `offer.closed`) and in one way. Nothing
deletes an offer: links, referrals and points refer to it for years; a mistake is closed.
"""

from __future__ import annotations

import html
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import event, select, update
from sqlalchemy.orm import Mapper, Session

from app import audit, clock, outbox
from app.db import db, transaction
from app.errors import InvalidInput, Sentence
from app.integrations.text import BODY_LIMIT, clean_html, clean_text, fold, safe_url
from app.people import audiences
from app.people.audiences import KEPT, SEEN
from app.people.errors import check_form
from app.people.models import Person
from app.people.queries import holders
from app.referrals import reach, stages
from app.referrals.errors import UnknownOffer
from app.referrals.models import Connection, Offer, Referral
from app.referrals.reach import Within
from app.settings.models import Entity
from app.web.pressing import once

Fields = Mapping[str, object]
"""What was typed or sent, by field name: texts, whole numbers or None; see `check_offer`. Besides
them `audience` and `kept`, lists of segments by their identifiers: whom it is meant for, and which
limited roles keep it."""

REMOTES: Final = ("onsite", "hybrid", "remote")
INTERVALS: Final = ("year", "month", "week", "day", "hour")
STATUSES: Final = ("draft", "open", "closed")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
BY_PERSON: Final = "person"
BY_SOURCE: Final = "source"

_LINES: Final = {
    "location": 300, "department": 200, "contract": 80, "salary_text": 200,
    "external_id": 120, "external_job_id": 120,
}  # fmt: skip
_URL_LIMIT: Final = 1_000
_SALARY_LIMIT: Final = 100_000_000
_SLUG_WORDS: Final = 72
_TAG: Final = re.compile(
    r"</?(?:a|b|blockquote|br|code|div|em|h[1-6]|hr|i|li|ol|p|pre|span|strong|u|ul)\b"
)
_SLUG_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"})
_TAIL_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


# --- what a field may hold ---------------------------------------------------------------


class _Check:
    """Cleans the fields that were given and gathers what is wrong with them."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.values: dict[str, object] = {}
        self.errors: dict[str, Sentence] = {}

    def text(self, name: str) -> str | None:
        """The field as typed, '' for null, None when it was not given or is no text."""
        if name not in self.fields:
            return None
        value = self.fields[name]
        if value is None:
            return ""
        if not isinstance(value, str):
            self.errors[name] = _l("Give a text here.")
            return None
        return value

    def line(self, name: str, limit: int) -> None:
        """One clean line of at most `limit` characters; identifiers may be null."""
        typed = self.text(name)
        if typed is None:
            return
        value = clean_text(typed, len(typed) + 1)
        if len(value) > limit:
            self.errors[name] = _too_long(limit, len(value))
        self.values[name] = value or None if name.startswith("external") else value

    def choice(self, name: str, among: tuple[str, ...]) -> None:
        """One of `among`, or nothing."""
        typed = self.text(name)
        if typed is None:
            return
        if typed and typed not in among:
            self.errors[name] = _l("Choose one of: %(choices)s.", choices=", ".join(among))
        self.values[name] = typed or None


def _too_long(limit: int, length: int) -> Sentence:
    sentence: Sentence = _l("%(max)d characters at most; you wrote %(n)d.", max=limit, n=length)
    return sentence


def check_offer(fields: Fields, *, partial: bool = False) -> dict[str, object]:
    """The columns these fields stand for, cleaned. Raises `InvalidInput` by field.

    Known fields: `title` (1 to 300 characters), `description` (HTML or plain text, at most
    200 kB), `location`, `country_codes`, `department`, `contract`, `remote` (onsite, hybrid,
    remote or nothing), `language`, `salary_min`, `salary_max` (whole units of
    `salary_currency`), `salary_interval`, `salary_text`, `apply_url` (http or https),
    `recruiter_id`, `entity` (the code of one), `external_id`, `external_job_id`. Others are
    passed over. With `partial` a missing title is no error.
    """
    check = _Check(fields)
    _check_title(check, partial)
    _check_description(check)
    for name, limit in _LINES.items():
        check.line(name, limit)
    check.choice("remote", REMOTES)
    check.choice("salary_interval", INTERVALS)
    _check_language(check)
    _check_countries(check)
    _check_salary(check)
    _check_apply_url(check)
    _check_recruiter(check)
    _check_entity(check)
    if check.errors:
        raise InvalidInput(_l("Something in the form needs another look."), check.errors)
    return check.values


def _check_title(check: _Check, partial: bool) -> None:
    if "title" not in check.fields and partial:
        return
    check.line("title", 300)
    if not check.values.get("title") and "title" not in check.errors:
        check.errors["title"] = _l("Give the offer a title.")


def _check_description(check: _Check) -> None:
    typed = check.text("description")
    if typed is None:
        return
    size = len(typed.encode("utf-8", "replace"))
    if size > BODY_LIMIT:
        check.errors["description"] = _l(
            "This text is too long: %(size)d kB, and 200 kB fit.", size=-(-size // 1000)
        )
        return
    check.values["description_html"] = as_html(typed)


def _check_language(check: _Check) -> None:
    typed = check.text("language")
    if not typed:
        return
    if not LANGUAGE.fullmatch(typed):
        check.errors["language"] = _l("Give a language as two letters, such as fr or en.")
    check.values["language"] = typed


def _check_countries(check: _Check) -> None:
    """A list of codes, or one text with commas as a form sends it."""
    if "country_codes" not in check.fields:
        return
    given = check.fields["country_codes"] or []
    codes = re.split(r"[\s,;]+", given.strip()) if isinstance(given, str) else given
    if not isinstance(codes, list | tuple) or not all(isinstance(code, str) for code in codes):
        check.errors["country_codes"] = _l("Give a list of countries.")
        return
    found = sorted({code.upper() for code in codes if code})
    if len(found) > 60 or not all(re.fullmatch("[A-Z]{2}", code) for code in found):
        check.errors["country_codes"] = _l("Give countries by their two letters, such as FR, BE.")
    check.values["country_codes"] = found


def _check_salary(check: _Check) -> None:
    low, high = _amount(check, "salary_min"), _amount(check, "salary_max")
    if low is not None and high is not None and low > high:
        check.errors["salary_max"] = _l("The highest salary is below the lowest.")
    currency = check.text("salary_currency")
    if currency is not None:
        if currency and not re.fullmatch(r"[A-Za-z]{3}", currency):
            check.errors["salary_currency"] = _l("Give a currency as three letters, such as EUR.")
        check.values["salary_currency"] = currency.upper() or None


def _amount(check: _Check, name: str) -> int | None:
    """A whole amount as a number, or as a form writes it ("42 000")."""
    if name not in check.fields:
        return None
    value = check.fields[name]
    if isinstance(value, str):
        digits = re.sub(r"[\s\u00a0\u2009\u202f]", "", value)
        value = int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else digits or None
    if value is not None and not _is_amount(value):
        check.errors[name] = _l("Give a whole amount without decimals, such as 42000.")
        return None
    check.values[name] = value
    return value if isinstance(value, int) else None


def _is_amount(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _SALARY_LIMIT


def _check_apply_url(check: _Check) -> None:
    typed = check.text("apply_url")
    if typed is None:
        return
    url = safe_url(typed) if typed.strip() else None
    if typed.strip() and (url is None or len(url) > _URL_LIMIT):
        check.errors["apply_url"] = _l("Give a full address that starts with https://.")
    check.values["apply_url"] = url


def _check_recruiter(check: _Check) -> None:
    if "recruiter_id" not in check.fields:
        return
    given = check.fields["recruiter_id"] or None
    try:
        recruiter = None if given is None else uuid.UUID(str(given))
    except ValueError:
        recruiter = uuid.UUID(int=0)
    if recruiter is not None and db.session.get(Person, recruiter) is None:
        check.errors["recruiter_id"] = _l("We know no such person.")
    check.values["recruiter_id"] = recruiter


def _check_entity(check: _Check) -> None:
    typed = check.text("entity")
    if typed is None:
        return
    code = typed.strip()
    found = db.session.scalar(select(Entity.id).where(Entity.code == code)) if code else None
    if code and found is None:
        check.errors["entity"] = _l("Choose one of the entities.")
    check.values["entity_id"] = found


# --- texts -------------------------------------------------------------------------------


def as_html(typed: str) -> str:
    """The description as safe HTML. Plain text becomes paragraphs and lists of its dashes."""
    if _TAG.search(typed.lower()):
        return clean_html(typed)
    blocks = re.split(r"\n\s*\n", typed.replace("\r\n", "\n").replace("\r", "\n"))
    return clean_html("\n".join(_block(block.strip("\n ")) for block in blocks if block.strip()))


def _block(block: str) -> str:
    """One paragraph; lines that begin with a dash or a bullet are a list."""
    out: list[str] = []
    for is_item, lines in _runs(block.split("\n")):
        if is_item:
            items = "".join(f"<li>{escape(line.lstrip('-*•– ').strip())}</li>" for line in lines)
            out.append(f"<ul>{items}</ul>")
        else:
            out.append(f"<p>{Markup('<br>').join(line.strip() for line in lines)}</p>")
    return "".join(out)


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Neighbouring lines of the same sort: list items or words."""
    runs: list[tuple[bool, list[str]]] = []
    for line in lines:
        is_item = bool(re.match(r"\s*[-*•–] ", line))
        if runs and runs[-1][0] is is_item:
            runs[-1][1].append(line)
        else:
            runs.append((is_item, [line]))
    return runs


def as_typed(description_html: str) -> str:
    """The description as its writer sees it again: plain text where it is nothing more."""
    tags = set(re.findall(r"</?([a-z0-9]+)", description_html))
    if tags - {"p", "br", "ul", "li"} or re.search(r"<p>\s*[-*•–] ", description_html):
        return description_html
    text = re.sub(r"\s*<br>\s*", "\n", description_html)
    text = re.sub(r"<li>(.*?)</li>\s*", r"- \1\n", text, flags=re.DOTALL)
    text = re.sub(r"</p>\s*|</ul>\s*", "\n\n", re.sub(r"<p>|<ul>\s*", "", text))
    return html.unescape(re.sub(r"\n{3,}", "\n\n", text).strip())


def make_slug(title: str) -> str:
    """A readable, unique address of at most 80 characters, made once and kept for ever."""
    words = re.sub(r"[^a-z0-9]+", "-", fold(title).translate(_SLUG_LETTERS)).strip("-")
    if len(words) > _SLUG_WORDS:
        words = words[:_SLUG_WORDS].rsplit("-", 1)[0].strip("-") or words[:_SLUG_WORDS]
    tail = "".join(secrets.choice(_TAIL_LETTERS) for _ in range(7))
    return f"{words or 'offre'}-{tail}"


def _search_text(offer: Offer) -> str:
    parts = (offer.title, offer.location, offer.department, offer.contract, offer.external_id)
    return fold(" ".join(part for part in parts if part))


@event.listens_for(Offer, "before_insert")
@event.listens_for(Offer, "before_update")
def _keep_search_text(mapper: Mapper[Any], connection: Any, offer: Offer) -> None:
    """Whoever writes an offer, the lists find it by what it says now."""
    offer.search_text = _search_text(offer)


# --- use cases ---------------------------------------------------------------------------


def load(offer_id: uuid.UUID, within: Within = None) -> Offer:
    """One offer that a role keeps, locked for the rest of the transaction. Raises
    `UnknownOffer`."""
    offer = db.session.get(Offer, offer_id, with_for_update=True, populate_existing=True)
    if offer is None:
        raise UnknownOffer
    reach.must_keep(offer_id, within)
    return offer


def find(offer_id: uuid.UUID) -> Offer:
    """One offer to look at, without a lock. Raises `UnknownOffer`."""
    offer = db.session.get(Offer, offer_id)
    if offer is None:
        raise UnknownOffer
    return offer


def find_met(offer_id: uuid.UUID, person_id: uuid.UUID) -> Offer:
    """A published offer, open or closed, that is meant for somebody. Raises `UnknownOffer`."""
    offer = find(offer_id)
    if offer.status == "draft":
        raise UnknownOffer
    reach.must_meet(offer_id, person_id)
    return offer


def create_offer(
    fields: Fields,
    actor_id: uuid.UUID | None,
    *,
    within: Within = None,
    id_: uuid.UUID | None = None,
) -> Offer:
    """A new offer, open or as a draft (`status`, by default open).

    `source` may name a kind of tracking system: then the offer belongs to that kind's
    default connection, and its `external_id` there is where an import or a signed event
    will find it. A role that reaches some segments (`within`) writes offers of its own, kept
    by and meant for all of these or the part it chose. What was made under `id_` before is the
    answer. Raises `InvalidInput` by field.
    """
    return once(Offer, id_, lambda made: _create(made, fields, actor_id, within))


def _create(id_: uuid.UUID, fields: Fields, actor_id: uuid.UUID | None, within: Within) -> Offer:
    values = check_offer(fields)
    status = _initial_status(fields)
    said = {
        SEEN: _segments(fields, "audience", within), KEPT: _segments(fields, "kept", within)
    }  # fmt: skip
    with transaction() as session:
        connection = _connection_of(fields, within)
        if connection is not None:
            values.setdefault("entity_id", connection.entity_id)
        _check_entity_in_use(values, None)
        _check_identifier(connection, values.get("external_id"), within)
        values.setdefault("country_codes", [])
        offer = Offer(
            **values,
            id=id_,
            slug=make_slug(str(values["title"])),
            status="draft",
            source=connection.kind if connection else "manual",
            connection_id=connection.id if connection else None,
        )
        session.add(offer)
        session.flush()
        for purpose, chosen in said.items():
            audiences.assign(session, offer.id, purpose, chosen or ())
        if connection is not None and not said[KEPT]:
            reach.keep_as(session, offer.id, connection.id)
        audit.record("offer.created", "offer", offer.id, actor_id=actor_id)
        if status == "open":
            mark_open(offer)
            audit.record("offer.opened", "offer", offer.id, actor_id=actor_id)
    return offer


def _segments(
    fields: Fields, name: str, within: Within, before: list[uuid.UUID] | None = None
) -> list[uuid.UUID] | None:
    """The segments that a field names, None where nothing is said of them. `before` are those of
    an offer that exists. Raises `InvalidInput` on the field."""
    if name not in fields and (before is not None or within is None):
        return None
    given = fields.get(name) or []
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise check_form({name: _l("Give a list of segments.")})
    return audiences.chosen(given, field=name, within=within, before=before)


def _check_entity_in_use(values: Mapping[str, object], before: uuid.UUID | None) -> None:
    """An entity out of use stays where it was, and is not chosen anew."""
    chosen = values.get("entity_id")
    if chosen is None or chosen == before:
        return
    if db.session.scalar(select(Entity.archived_at).where(Entity.id == chosen)) is not None:
        raise check_form({"entity": _l("Choose one of the entities.")})


def _initial_status(fields: Fields) -> str:
    status = fields.get("status") or "open"
    if status not in ("draft", "open"):
        raise InvalidInput(
            _l("Something in the form needs another look."),
            {"status": _l("A new offer is either a draft or open.")},
        )
    return str(status)


def _connection_of(fields: Fields, within: Within) -> Connection | None:
    """Connections are for roles of the whole organisation: a limited one writes by hand."""
    from app.referrals.connections import KINDS, default_connection

    source = fields.get("source") or "manual"
    if source == "manual":
        return None
    known = KINDS if within is None else ()
    if source not in known:
        raise InvalidInput(
            _l("Something in the form needs another look."),
            {"source": _l("Choose one of: %(choices)s.", choices=", ".join(("manual", *known)))},
        )
    return default_connection(str(source))


def _check_identifier(
    connection: Connection | None,
    external_id: object,
    within: Within,
    but: uuid.UUID | None = None,
) -> None:
    """Two offers of one source never share an identifier, hand-made ones included; of these a
    limited role is told about its own alone."""
    if not external_id:
        return
    taken = select(Offer.id).where(
        Offer.source == (connection.kind if connection else "manual"),
        Offer.connection_id == connection.id if connection else Offer.connection_id.is_(None),
        Offer.external_id == external_id,
        Offer.id != but if but else Offer.id.is_not(None),
        reach.kept_offers(within if connection is None else None),
    )
    if db.session.execute(taken).first() is not None:
        raise InvalidInput(
            _l("Something in the form needs another look."),
            {"external_id": _l("Another offer has this identifier already.")},
        )


def update_offer(
    offer_id: uuid.UUID, fields: Fields, actor_id: uuid.UUID | None, *, within: Within = None
) -> Offer:
    """Change the given fields and no others; the address of its page stays.

    Raises `InvalidInput` by field, `UnknownOffer`.
    """
    values = check_offer(fields, partial=True)
    with transaction() as session:
        offer = load(offer_id, within)
        _check_entity_in_use(values, offer.entity_id)
        if "external_id" in values and values["external_id"] != offer.external_id:
            home = session.get(Connection, offer.connection_id) if offer.connection_id else None
            _check_identifier(home, values["external_id"], within, but=offer.id)
        _check_range(offer, values)
        changed = [name for name, value in values.items() if getattr(offer, name) != value]
        for name in changed:
            setattr(offer, name, values[name])
        changed += _assigned(session, offer, fields, within)
        if changed:
            offer.updated_at = clock.now()
            names = ",".join(sorted(changed))
            audit.record("offer.updated", "offer", offer.id, actor_id=actor_id, fields=names)
    return offer


def _assigned(session: Session, offer: Offer, fields: Fields, within: Within) -> list[str]:
    """Say the segments that the fields name; the names of the fields that changed something."""
    changed: list[str] = []
    for name, purpose in (("audience", SEEN), ("kept", KEPT)):
        before = [segment_id for segment_id, _name in reach.segments_of(offer.id, purpose)]
        chosen = _segments(fields, name, within, before)
        if chosen is None:
            continue
        if purpose == KEPT and within is not None and not {*chosen} & {*within}:
            raise check_form({name: _l("Keep at least one of your own segments.")})
        if audiences.assign(session, offer.id, purpose, chosen):
            changed.append(name)
    if "kept" in changed:
        _release(session, offer)
    return changed


def _release(session: Session, offer: Offer) -> None:
    """Whoever does not reach the offer any more follows none of its running referrals."""
    able = {each.id for each in reach.recruiters_of(offer.id)}
    unable = {each.id for each in holders(reach.RECRUITER)} - able
    if offer.recruiter_id in unable:
        offer.recruiter_id = None
    if unable:
        session.execute(
            update(Referral)
            .where(
                Referral.offer_id == offer.id,
                Referral.owner_id.in_(unable),
                Referral.stage.not_in(stages.OVER),
            )
            .values(owner_id=None)
        )


def hand_over(
    offer_id: uuid.UUID, segment_id: uuid.UUID | None, actor_id: uuid.UUID | None
) -> bool:
    """One segment keeps the offer from now on, or (None) only the roles of the whole
    organisation; False when it was so. Raises `InvalidInput` on `kept`, `UnknownOffer`."""
    wanted = [] if segment_id is None else [str(segment_id)]
    with transaction() as session:
        offer = load(offer_id)
        if not _assigned(session, offer, {"kept": wanted}, None):
            return False
        offer.updated_at = clock.now()
        audit.record("offer.updated", "offer", offer.id, actor_id=actor_id, fields="kept")
    return True


def _check_range(offer: Offer, values: Mapping[str, object]) -> None:
    """One end of the range may be sent alone: it is compared with the one that stays."""
    low = values.get("salary_min", offer.salary_min)
    high = values.get("salary_max", offer.salary_max)
    if isinstance(low, int) and isinstance(high, int) and low > high:
        field = "salary_max" if "salary_max" in values else "salary_min"
        raise InvalidInput(
            _l("Something in the form needs another look."),
            {field: _l("The highest salary is below the lowest.")},
        )


def open_offer(offer_id: uuid.UUID, actor_id: uuid.UUID | None, *, within: Within = None) -> Offer:
    """Publish a draft or reopen a closed offer. An open one stays as it is."""
    with transaction():
        offer = load(offer_id, within)
        if mark_open(offer):
            audit.record("offer.opened", "offer", offer.id, actor_id=actor_id)
    return offer


publish_offer = open_offer
reopen_offer = open_offer


def close_offer(
    offer_id: uuid.UUID,
    actor_id: uuid.UUID | None,
    reason: str = BY_PERSON,
    *,
    within: Within = None,
) -> Offer:
    """Take no more links and applications; those there are live on. Twice is once.

    `reason` is a code: 'person', or 'source' when the tracking system said so (only the
    latter may be undone by the next import).
    """
    with transaction():
        offer = load(offer_id, within)
        if mark_closed(offer, reason):
            audit.record("offer.closed", "offer", offer.id, actor_id=actor_id, reason=reason)
    return offer


def mark_open(offer: Offer) -> bool:
    """Open it and tell the house, inside a transaction; False when it was open."""
    if offer.status == "open":
        return False
    now = clock.now()
    offer.status, offer.opened_at = "open", now
    offer.closed_at, offer.closed_reason, offer.updated_at = None, None, now
    outbox.record("offer.opened", offer_id=str(offer.id))
    return True


def mark_closed(offer: Offer, reason: str) -> bool:
    """Close it and tell the house, inside a transaction; False when it was closed."""
    if offer.status == "closed":
        return False
    was_open = offer.status == "open"
    now = clock.now()
    offer.status, offer.closed_reason = "closed", reason
    offer.closed_at = offer.updated_at = now
    if was_open:
        outbox.record("offer.closed", offer_id=str(offer.id), reason=reason)
    return True


def public_path(offer: Offer) -> str:
    """The path of the offer's page for everybody."""
    return f"/o/{offer.slug}"
