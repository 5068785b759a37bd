"""Lines of points about posts and visits, in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Uuid, cast, func, literal, null, select

from app.db import db
from app.play import rule_words
from app.play.facts import Fact, happened_at
from app.play.models import ShareAward
from app.play.rules import Rule
from app.play.share_awards import (
    ABOVE_LIMIT,
    CAPPED,
    OWN_WORDS,
    VISIT,
    WITHDRAWN,
    day_of,
    period_of,
)
from app.sharing.models import Share
from app.sharing.words import NETWORK_NAMES
from app.web.i18n import day, moment


@dataclass(frozen=True, slots=True)
class Post:
    """What a line says of its post."""

    id: uuid.UUID
    title: str
    network: str
    own_words_percent: int | None

    @property
    def url(self) -> str:
        return f"/shares/{self.id}"

    @property
    def name(self) -> str:
        """“Title”, LinkedIn."""
        network = NETWORK_NAMES.get(self.network, self.network)
        if not self.title:
            return str(network)
        if self.title.startswith(("«", "“")):  # somebody's words, in their own marks
            return str(_("%(title)s, %(network)s", title=self.title, network=network))
        return str(_("“%(title)s”, %(network)s", title=self.title, network=network))


@dataclass(frozen=True, slots=True)
class Posts:
    """The posts of one page of lines, and how many facts of a kind and day came above their
    limit, whichever post they were about."""

    by_id: dict[uuid.UUID, Post]
    above: dict[tuple[str, dt.date], int]


NO_POSTS = Posts({}, {})


def posts_of(person_id: uuid.UUID, ids: Collection[uuid.UUID], days: Collection[dt.date]) -> Posts:
    """What lines about these posts, of these days, need; one statement, none without posts."""
    if not ids or not days:
        return NO_POSTS
    about = select(
        Share.id, Share.title, Share.network, Share.own_words_percent, cast(null(), ShareAward.day.type)
    ).where(Share.person_id == person_id, Share.id.in_(ids))  # fmt: skip
    first, last = period_of(min(days), "week")[0], period_of(max(days), "week")[1]
    above = (
        select(
            cast(null(), Uuid), ShareAward.fact, literal(""), func.count(), ShareAward.day
        )
        .where(
            ShareAward.person_id == person_id,
            ShareAward.state == CAPPED,
            ShareAward.day.between(first, last),
        )
        .group_by(ShareAward.fact, ShareAward.day)
    )  # fmt: skip
    found = Posts({}, {})
    for id_, text, network, number, on in db.session.execute(about.union_all(above)).all():
        if id_ is not None:
            found.by_id[id_] = Post(id_, text, network, number)
        else:
            found.above[text, on] = number
    return found


def title(fact: Fact, rule: Rule, language: str) -> str:
    """What a line is called: the rule's name, or how many visits it stands for."""
    if fact.count == 1:
        return rule.name(language)
    return str(ngettext("%(num)d visit", "%(num)d visits", fact.count))


def each(fact: Fact, rule: Rule, language: str) -> str:
    """The rule of a line that stands for several visits, and how its amount adds up."""
    return str(
        _(
            "Rule “%(name)s”, version %(version)d: %(count)d times %(each)d, %(sum)d points.",
            name=rule.name(language), version=rule.version, count=fact.count,
            each=fact.amount // fact.count, sum=fact.amount,
        )
    )  # fmt: skip


def limits(fact: Fact, rule: Rule, known: Posts) -> str:
    """What limits the rule, and how much came above the limit; empty for other rules."""
    parts = [rule_words.limit(rule), rule_words.above(_more(fact, rule, known))]
    return " ".join(part for part in parts if part)


def _more(fact: Fact, rule: Rule, known: Posts) -> int:
    """How many of the same kind came above the limit in the same day or week."""
    if rule.cap_period is None:
        return 0
    first, last = period_of(day_of(happened_at(fact, rule)), rule.cap_period)
    return sum(
        n for (code, on), n in known.above.items() if code == rule.fact and first <= on <= last
    )


def evidence(fact: Fact, rule: Rule, post: Post | None) -> str:
    """What the line rests on."""
    if fact.is_reversal:
        return str(_("Your post"))
    at = happened_at(fact, rule)
    if rule.fact == VISIT:
        return str(
            ngettext("Visit on %(day)s", "%(num)d visits on %(day)s", fact.count, day=day(at))
        )
    if rule.fact == OWN_WORDS and post is not None and post.own_words_percent is not None:
        return str(_("%(percent)d%% of the text is your own", percent=post.own_words_percent))
    return str(_("Published on %(moment)s", moment=moment(at)))


def why_gone(cause: str) -> str:
    """Why points of a post or a visit went away; empty for any other reason."""
    causes: dict[str, str] = {
        WITHDRAWN: _("The post was withdrawn within 24 hours."),
        ABOVE_LIMIT: _("Above the limit: an earlier one became known later."),
    }
    return causes.get(cause, "")
