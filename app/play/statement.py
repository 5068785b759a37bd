"""The statement: every line of points with its rule, its evidence and its reason in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app import ledger
from app.errors import InvalidInput
from app.ledger import Balance
from app.ledger import queries as books
from app.ledger.codes import AWARD, CODES, REDEMPTION
from app.play import accounts, facts, moves, neighbours, posts, rule_words
from app.play.facts import Fact
from app.play.moves import Move
from app.play.neighbours import Told
from app.play.posts import Posts
from app.play.rules import Rule, by_ids
from app.play.share_awards import day_of
from app.play.wanted import Wanted
from app.referrals import queries as referrals
from app.referrals.queries import ReferralFilter, ReferralRow
from app.referrals.words import channel_names
from app.web.i18n import day

MAX_WAITING = 400
EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Line:
    """One line as its person reads it. Amounts in points, signed. `count` visits of one post
    and day are told as one line on a page.

    `state` is the ledger's (announced, pending, available, spent, cancelled, expired).
    `balance_after` is None for a line that moved the balance later than it was written;
    `changed_at` then says when. `is_void`: it never came to count, or its points are back.
    `moved_at` is the day under which a page shows it, `phase` that of a `Move`.
    """

    id: uuid.UUID
    amount: int
    state: str
    code: str
    reference: str
    fact: str | None
    rule: Rule | None
    title: str
    about: str
    reason: str
    evidence: str
    by: str
    url: str
    effective_at: dt.datetime
    changed_at: dt.datetime
    due_at: dt.datetime | None
    balance_after: int | None
    is_void: bool
    count: int
    moved_at: dt.datetime
    phase: str

    @property
    def is_on_the_way(self) -> bool:
        """Announced or on hold: shown with its date, never among what can be spent."""
        return self.amount > 0 and self.state in ("announced", "pending")

    @property
    def note(self) -> str:
        """Under the title: what happened to points that the balance already knew, or did not
        know yet, then what the line is about."""
        return " · ".join(part for part in (self._phase_words(), self.about) if part)

    def _phase_words(self) -> str:
        if self.phase == moves.RELEASED:
            if self.earned_at > self.moved_at:
                return str(_("Now available"))
            return str(_("Now available, earned on %(day)s", day=day(self.earned_at)))
        if self.phase == moves.RETURNED:
            return str(_("The points are back"))
        return self.state_name if self.is_void else ""

    @property
    def earned_at(self) -> dt.datetime:
        """When what the points are for happened: the hold of a post counts from then on."""
        rule = self.rule
        if rule is not None and rule.is_about_posts and self.due_at:
            return self.due_at - dt.timedelta(days=rule.hold_days)
        return self.effective_at

    @property
    def state_name(self) -> str:
        """The state in words."""
        if self.state == "pending":
            return str(_("on hold") if self.amount > 0 else _("reserved"))
        names: dict[str, str] = {
            "announced": _("announced"),
            "available": _("available"),
            "spent": _("spent"),
            "cancelled": _("cancelled"),
            "expired": _("expired"),
        }
        return names.get(self.state, self.state)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the page of a statement shows: what has moved, and what is on the way. `earlier` is
    the cursor of the lines before, `unlisted` the points on the way that are too many to list.
    """

    balance: Balance
    lines: list[Line]
    earlier: str | None
    pending: list[Line]
    unlisted: int
    account_id: uuid.UUID | None = None


def statement(
    person_id: uuid.UUID,
    *,
    language: str,
    after: str | None = None,
    limit: int = 50,
    wanted: Wanted = EVERYTHING,
) -> Statement:
    """Balances, one page of lines and what is on the way, explained together: the same few
    reads however many lines. Raises `InvalidInput` for an `after` that was never given."""
    place, account = _place(after), accounts.account_of(person_id)
    if account is None:
        return Statement(accounts.balance_of(person_id), [], None, [], 0)
    found: list[Move] = []
    if wanted.state != "waiting":
        found = moves.moves(account, person_id, after=place, only=wanted.only())
    waiting = _waiting(account)
    on_the_way = sum(fact.amount for fact in waiting)
    rules = _rules([*found, *waiting])
    if wanted.is_narrow:
        waiting = [fact for fact in waiting if wanted.keeps(fact, _fact_of(fact, rules))]
    shown, earlier = _page(found, rules, limit)
    waiting_told = facts.gathered(waiting, rules)
    explained = _explain(person_id, [*shown, *waiting_told], rules, language)
    balance = ledger.balance(account)
    return Statement(
        balance=balance,
        lines=explained[: len(shown)],
        earlier=earlier,
        pending=explained[len(shown) :],
        unlisted=0 if wanted.is_narrow else max(0, balance.pending - on_the_way),
        account_id=account,
    )


def _page(
    found: Sequence[Move], rules: dict[uuid.UUID, Rule], limit: int
) -> tuple[list[Move], str | None]:
    """The newest lines, the visits of a day as one, and the cursor of those before."""
    _some, cut_at = facts.page(found, rules, limit)
    if cut_at is None and len(found) == books.MAX_LINES and found[-1].sequence > 1:
        cut_at = found[-1].sequence
    kept = [move for move in found if cut_at is None or move.sequence >= cut_at]
    return moves.gathered(kept, rules), str(cut_at) if cut_at is not None else None


def lines(
    person_id: uuid.UUID,
    *,
    language: str,
    after: str | None = None,
    limit: int = 50,
    wanted: Wanted = EVERYTHING,
) -> tuple[list[Line], str | None]:
    """One page of a person's statement, newest first, each line by itself, and the cursor of
    the next.

    Raises `InvalidInput` for an `after` that was never given.
    """
    place, account = _place(after), accounts.account_of(person_id)
    if account is None:
        return [], None
    found, earlier = _entries(account, place, limit, wanted)
    return _explain(person_id, found, _rules(found), language), earlier


def pending(person_id: uuid.UUID, *, language: str) -> list[Line]:
    """What is announced or on hold, soonest first, the visits of one post and day as one."""
    account = accounts.account_of(person_id)
    if account is None:
        return []
    waiting = _waiting(account)
    rules = _rules(waiting)
    return _explain(person_id, facts.gathered(waiting, rules), rules, language)


def _entries(
    account: uuid.UUID, after: int | None, limit: int, wanted: Wanted
) -> tuple[list[Fact], str | None]:
    found = ledger.entries(account, after=after, limit=limit, only=wanted.only())
    # The first transfer of an account is its place 1, so a full page knows if more come.
    more = len(found) == limit and found[-1].sequence > 1
    return [facts.of_entry(entry) for entry in found], str(found[-1].sequence) if more else None


def _waiting(account: uuid.UUID) -> list[Fact]:
    """Only what comes in: a reserved reward has left the balance already."""
    found = ledger.waiting(account, limit=MAX_WAITING)
    return [facts.of_due(due) for due in found if CODES[due.code].credits]


def _rules(found: Sequence[Fact]) -> dict[uuid.UUID, Rule]:
    return by_ids({fact.rule_id for fact in found if fact.rule_id})


def _fact_of(fact: Fact, rules: dict[uuid.UUID, Rule]) -> str | None:
    rule = rules.get(fact.rule_id) if fact.rule_id else None
    return rule.fact if rule else None


def _place(after: str | None) -> int | None:
    if not after:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        sentence = _l("This place in the list cannot be read.")
        raise InvalidInput(sentence, {"after": sentence})
    return int(after)


# ---- Into words


@dataclass(frozen=True, slots=True)
class _Known:
    """What the lines of one page refer to, each kind read at once."""

    rules: dict[uuid.UUID, Rule]
    referrals: dict[uuid.UUID, ReferralRow]
    posts: Posts
    told: dict[uuid.UUID, Told]
    channels: dict[str, str]
    language: str


def _explain(
    person_id: uuid.UUID, found: Sequence[Fact], rules: dict[uuid.UUID, Rule], language: str
) -> list[Line]:
    subjects: dict[str, set[uuid.UUID]] = defaultdict(set)
    post_ids, days = set(), set()
    for fact in found:
        if fact.subject is None:
            continue
        if rule := facts.post_rule(fact, rules):
            post_ids.add(fact.subject)
            days.add(day_of(facts.happened_at(fact, rule)))
        else:
            subjects[fact.code].add(fact.subject)
    known = _Known(
        rules=rules,
        referrals=_referrals(person_id, subjects.pop(AWARD, set())),
        posts=posts.posts_of(person_id, post_ids, days),
        told=neighbours.told(subjects),
        channels=channel_names(),
        language=language,
    )
    return [_line(fact, known) for fact in found]


def _referrals(person_id: uuid.UUID, ids: set[uuid.UUID]) -> dict[uuid.UUID, ReferralRow]:
    """Only what this person may see of each: hidden ones stay away."""
    if not ids:
        return {}
    asked = ReferralFilter(referrer_id=person_id, ids=tuple(ids))
    return {row.id: row for row in referrals.referrals(asked, limit=len(ids)).rows}


def _line(fact: Fact, known: _Known) -> Line:
    rule = known.rules.get(fact.rule_id) if fact.rule_id else None
    told = _told(fact, known)
    row = known.referrals.get(fact.subject) if fact.subject and fact.code == AWARD else None
    return Line(
        id=fact.id,
        amount=fact.amount,
        state=fact.state,
        code=fact.code,
        reference=fact.reference,
        fact=rule.fact if rule else None,
        rule=rule,
        title=_title(fact, rule, told, known.language),
        about=told.about if told and not fact.is_reversal else _about(fact, rule, row, known),
        reason=_reason(fact, rule, known),
        evidence=told.evidence if told else _evidence(fact, row, known),
        by=_by(fact),
        url=told.url if told else f"/referrals/{row.id}" if row else "",
        effective_at=fact.effective_at,
        changed_at=fact.changed_at,
        due_at=fact.due_at,
        balance_after=fact.balance_after,
        is_void=_is_void(fact),
        count=fact.count,
        moved_at=fact.moved_at if isinstance(fact, Move) else fact.effective_at,
        phase=fact.phase if isinstance(fact, Move) else "",
    )


def _is_void(fact: Fact) -> bool:
    if isinstance(fact, Move):
        return fact.phase == moves.NEVER
    return fact.is_settled and fact.state in ("cancelled", "expired") and not fact.is_reversed


def _told(fact: Fact, known: _Known) -> Told | None:
    """The words of the feature that the line is about, posts included."""
    rule = facts.post_rule(fact, known.rules)
    if rule is None:
        return known.told.get(fact.subject) if fact.subject else None
    post = known.posts.by_id.get(fact.subject) if fact.subject else None
    return Told(
        title=posts.title(fact, rule, known.language),
        about=post.name if post else "",
        evidence=posts.evidence(fact, rule, post),
        url=post.url if post else "",
    )


def _rule_name(fact: Fact, rule: Rule, language: str) -> str:
    """The rule, and which of its two parts: the second one was held."""
    name = rule.name(language)
    return str(_("%(name)s, second part", name=name)) if fact.due_at and rule.amount else name


def _title(fact: Fact, rule: Rule | None, told: Told | None, language: str) -> str:
    if fact.is_reversal:
        return str(_("Correction"))
    if told:
        return told.title
    if rule is not None and fact.code == AWARD:
        return _rule_name(fact, rule, language)
    names: dict[str, str] = {
        "award": _("Points"),
        "adjustment": _("Given by a person"),
        "deduction": _("Taken by a person"),
        "redemption": _("Reward"),
        "expiry": _("Expired"),
        "donation": _("Given to a good cause"),
        "recovery": _("Settled against an earlier correction"),
        "waiver": _("Waived"),
    }
    return names.get(fact.code, fact.code)


def _about(fact: Fact, rule: Rule | None, row: ReferralRow | None, known: _Known) -> str:
    parts = [_rule_name(fact, rule, known.language)] if fact.is_reversal and rule else []
    post = known.posts.by_id.get(fact.subject) if fact.subject else None
    if post is not None:
        parts.append(post.name)
    if row is not None:
        parts += [p for p in (row.candidate_name, row.offer_title) if p]
    return " · ".join(parts)


def _reason(fact: Fact, rule: Rule | None, known: _Known) -> str:
    parts = [fact.words] if fact.words else []
    if rule is not None and not fact.is_reversal:
        parts.append(_rule_words(fact, rule, known))
    elif not fact.words:
        parts.append(_code_words(fact))
    parts.append(_state_words(fact, rule))
    return " ".join(part for part in parts if part)


def _rule_words(fact: Fact, rule: Rule, known: _Known) -> str:
    limits = posts.limits(fact, rule, known.posts)
    if fact.count > 1:
        words = posts.each(fact, rule, known.language)
    else:
        words = ngettext(
            "Rule “%(name)s”, version %(version)d: %(num)d point.",
            "Rule “%(name)s”, version %(version)d: %(num)d points.",
            fact.amount, name=rule.name(known.language), version=rule.version,
        )  # fmt: skip
    return f"{words} {limits}" if limits else str(words)


def _code_words(fact: Fact) -> str:
    if fact.is_reversal:
        return str(_("Counter-entry: a line is never erased, it is compensated."))
    names: dict[str, str] = {
        "award": _("Points awarded."),
        "adjustment": _("Given by the team."),
        "deduction": _("Taken by the team."),
        "redemption": _("Exchanged for a reward, at the price shown that day."),
        "expiry": _("These points had reached their last day."),
        "donation": _("The organisation turns these points into a donation."),
        "recovery": _("An earlier correction could not be taken back in full; this settles it."),
        "waiver": _("The team waived what was left of a correction."),
    }
    return names.get(fact.code, "")


def _state_words(fact: Fact, rule: Rule | None) -> str:
    """What the state means for this line, and since when."""
    if fact.is_reversal:
        why = posts.why_gone(fact.cause) if rule is not None and rule.is_about_posts else ""
        return " ".join(part for part in (why, _owed_words(fact)) if part)
    if fact.is_reversed:
        return str(_("Taken back on %(day)s by a line of its own.", day=day(fact.changed_at)))
    if fact.state in ("announced", "pending") and fact.amount > 0:
        return _held_words(rule)
    if not fact.is_settled:
        return ""
    if fact.state in ("cancelled", "expired"):
        why = posts.why_gone(fact.cause) if rule is not None and rule.is_about_posts else ""
        return " ".join(part for part in (_cause_words(fact), why) if part)
    if fact.code == REDEMPTION:
        return str(_("Handed over on %(day)s.", day=day(fact.changed_at)))
    return str(_("On hold at first, available since %(day)s.", day=day(fact.changed_at)))


def _held_words(rule: Rule | None) -> str:
    if rule is not None and rule.is_about_posts:
        return rule_words.wait(rule)
    if rule is None or not rule.hold_days:
        return str(_("On hold until it is confirmed."))
    return str(
        _(
            "On hold until the trial period ends, %(days)d days after the start.",
            days=rule.hold_days,
        )
    )


def _owed_words(fact: Fact) -> str:
    if not fact.owed:
        return ""
    return str(
        ngettext(
            "%(num)d point was no longer there: a later award settles it, your balance never "
            "goes below zero.",
            "%(num)d points were no longer there: later awards settle them, your balance never "
            "goes below zero.",
            fact.owed,
        )
    )


def _cause_words(fact: Fact) -> str:
    causes: dict[str, str] = {
        "cancelled": _("Cancelled on %(day)s.", day=day(fact.changed_at)),
        "departure": _("Ended on %(day)s, with the departure.", day=day(fact.changed_at)),
        "duplicate": _(
            "Withdrawn on %(day)s: it had been counted already.", day=day(fact.changed_at)
        ),
        "expired": _("Expired on %(day)s.", day=day(fact.changed_at)),
        "mistake": _("Withdrawn on %(day)s: it was a mistake.", day=day(fact.changed_at)),
        "not-confirmed": _("Withdrawn on %(day)s: it was not confirmed.", day=day(fact.changed_at)),
        "out-of-stock": _(
            "Cancelled on %(day)s: it could no longer be had.", day=day(fact.changed_at)
        ),
        "undone": _(
            "Withdrawn on %(day)s: what it rested on was undone.", day=day(fact.changed_at)
        ),
    }
    return causes.get(fact.cause, "")


def _evidence(fact: Fact, row: ReferralRow | None, known: _Known) -> str:
    if row is not None and row.channel:
        channel = known.channels.get(row.channel, row.channel)
        return str(_("Your link “%(channel)s”", channel=channel))
    if fact.code == AWARD and fact.subject is not None:
        return str(_("Credited to you in the recruitment system"))
    return ""


def _by(fact: Fact) -> str:
    returned = isinstance(fact, Move) and fact.phase == moves.RETURNED
    if fact.code == REDEMPTION and not fact.is_reversal and not returned:
        return str(_("you"))
    if isinstance(fact, Move) and returned and fact.is_own:
        return str(_("you"))
    if fact.actor_code == "person":
        return str(_("the team"))
    return str(_("the rule, automatically"))
