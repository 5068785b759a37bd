"""My posts: the list, and the receipt of each with what may still be done about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Response, flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.errors import DomainError, InvalidInput, Sentence
from app.integrations.linkedin import little
from app.integrations.linkedin.posts import post_url
from app.media import service as media
from app.media.service import PictureView
from app.referrals import offers
from app.sharing import neighbours, posting, queries, reach, service, stop
from app.sharing.models import SENT, Share, SharingStop
from app.sharing.networks import NETWORKS, intent_url
from app.sharing.queries import ShareFilter
from app.sharing.reach import DECLARABLE, METRICS, Figure
from app.sharing.service import CHECKABLE
from app.sharing.views import sharing as blueprint
from app.sharing.views.sheet import local
from app.sharing.views.typed import read_moment
from app.sharing.words import METRIC_NAMES, NETWORK_NAMES, REASONS, STATUS_NAMES
from app.web import access, current_settings, redirect_to, render

PAGE: Final = 24

# What a list may be narrowed to; the name stands in the address.
VIEWS: Final[dict[str, tuple[str, ...]]] = {
    "": (),
    "planned": ("scheduled", "publishing"),
    "asks": ("paused", "unknown", "failed"),
    "online": ("published",),
    "elsewhere": ("intent",),
    "drafts": ("draft",),
    "ended": ("cancelled", "withdrawn"),
}
VIEW_NAMES: Final[dict[str, Sentence]] = {
    "": _l("All"),
    "planned": _l("Planned"),
    "asks": _l("Waiting for you"),
    "online": _l("Online"),
    "elsewhere": _l("Opened elsewhere"),
    "drafts": _l("Drafts"),
    "ended": _l("Ended"),
}
# (kind of stamp, icon) of each status.
SIGNS: Final[dict[str, tuple[str, str]]] = {
    "draft": ("", "pencil"),
    "scheduled": ("wait", "clock"),
    "paused": ("wait", "pause"),
    "publishing": ("wait", "send"),
    "published": ("ok", "check"),
    "unknown": ("wait", "circle-help"),
    "failed": ("stop", "triangle-alert"),
    "cancelled": ("", "x"),
    "withdrawn": ("", "undo-2"),
    "intent": ("", "external-link"),
}
# A network's own limit, where it is short enough to matter; an address counts about 23.
SHORT: Final = {"x": 280, "bluesky": 300, "mastodon": 500, "threads": 500}
LINK_UNITS: Final = 25

# States in which a post may have brought something.
EARNING: Final = ("published", "withdrawn", "unknown", "intent")

SAID: Final[dict[str, object]] = {
    "networks": NETWORK_NAMES,
    "statuses": STATUS_NAMES,
    "reasons": REASONS,
    "metrics": METRIC_NAMES,
    "signs": SIGNS,
}

# Seconds between two looks at a post on its way; after the last one the page says so.
WAITS: Final = (1, 1, 2, 2, 3, 5, 8, 13, 20, 30, 45, 60)
SOON: Final = dt.timedelta(minutes=2)


# --- the list ----------------------------------------------------------------------------


@blueprint.get("/shares")
@access.role("member")
def mine() -> Response:
    """My posts, newest first; the filter lives in the address."""
    view = request.args.get("view", "")
    view = view if view in VIEWS else ""
    wanted = ShareFilter(person_id=access.me().person_id, statuses=VIEWS[view])
    args = request.args
    found = queries.shares(wanted, after=args.get("after"), before=args.get("before"), limit=PAGE)
    return render(
        "sharing/mine.html",
        beside=found,
        figures=reach.reach_of(found.rows),
        view=view,
        views=VIEW_NAMES,
        said=SAID,
    )


# --- the receipt -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """One post as its author sees it. `code` is that of its personal link, `figures` what is
    known of each metric; `picture` or `drawn_url` hangs below the text; `stop` is what stands
    in its way; `earned` is what it brought."""

    share: Share
    code: str | None
    figures: dict[str, Figure | None]
    picture: PictureView | None
    drawn_url: str
    stop: SharingStop | None
    earned: neighbours.Earned | None

    # What leads on.

    @property
    def link(self) -> str:
        """The personal link, in full."""
        return f"{current_settings().base_url}/r/{self.code}" if self.code else ""

    @property
    def post_url(self) -> str:
        """The post on the network."""
        urn = self.share.post_urn
        return post_url(current_settings(), urn) if urn else ""

    @property
    def opens(self) -> str | None:
        """The address of the network's own window."""
        share = self.share
        if share.status != "intent":
            return None
        return intent_url(share.network, text=share.post_text, url=self.link, title=share.title)

    @property
    def whole_text(self) -> str:
        """What is pasted: the words, then the link."""
        return "\n\n".join(part for part in (self.share.post_text, self.link) if part)

    @property
    def too_long_for(self) -> int:
        """The network's own limit where the text passes it, else 0."""
        limit = SHORT.get(self.share.network, 0)
        return limit if limit and little.units(self.share.post_text) + LINK_UNITS > limit else 0

    @property
    def write_url(self) -> str:
        """Where the same words are taken up again."""
        share = self.share
        if share.story_id:
            return f"/library/{share.story_id}?text={share.language}&again={share.id}#composer"
        return f"/offers/{share.offer_id}/share?again={share.id}#composer"

    @property
    def publish_local(self) -> str:
        """The moment it is meant for, as the browser's own field wants it."""
        return local(self.share.publish_at) if self.share.publish_at else ""

    # Where it stands.

    @property
    def is_sent(self) -> bool:
        return self.share.phase == SENT

    @property
    def is_due(self) -> bool:
        """Whether a worker takes it within minutes."""
        at = max(filter(None, (self.share.publish_at, self.share.not_before)), default=None)
        return self.share.status == "scheduled" and (at is None or at <= clock.now() + SOON)

    @property
    def is_moving(self) -> bool:
        """Whether a worker is about to change it."""
        share = self.share
        is_leaving = share.status == "published" and share.withdrawal_asked_at is not None
        return share.status == "publishing" or is_leaving or self.is_due

    @property
    def is_checkable(self) -> bool:
        """Whether the network surely still remembers the text."""
        sent_at = self.share.sent_at
        return sent_at is not None and sent_at >= clock.now() - CHECKABLE

    @property
    def is_counted_there(self) -> bool:
        """Whether the network tells us its figures."""
        is_partner = current_settings().linkedin_mode == "community_management"
        return is_partner and NETWORKS[self.share.network].by_api

    @property
    def mark(self) -> str:
        """Changes when there is something new to see."""
        share = self.share
        return f"{share.status}.{share.phase or ''}.{share.reason or ''}.{share.tries}"

    # What may be done.

    @property
    def may_cancel(self) -> bool:
        share = self.share
        if share.reason == "check":
            return False
        is_on_its_way = share.status == "publishing" and share.withdrawal_asked_at is None
        return share.status in ("scheduled", "paused") or is_on_its_way

    @property
    def may_withdraw(self) -> bool:
        share = self.share
        if share.withdrawal_asked_at is not None:
            return False
        return share.status == "intent" or (share.status == "published" and bool(share.post_urn))

    @property
    def may_move(self) -> bool:
        return self.share.status in ("scheduled", "paused") and self.share.reason != "check"

    @property
    def may_declare(self) -> bool:
        is_seen = self.share.status == "intent" and not _is_private(self.share)
        return self.share.status == "published" or is_seen

    @property
    def needs_connection(self) -> bool:
        is_waiting = self.share.status in ("paused", "published")
        return is_waiting and self.share.reason in ("reconnect", "key")


def _is_private(share: Share) -> bool:
    """Passed on from hand to hand: nobody counts views there."""
    return NETWORKS[share.network].channel in ("link", "qr", "email", "message")


def _receipt(share: Share) -> Receipt:
    found = reach.reach_of([share])[share.id]
    drawn = f"/o/{offers.find(share.offer_id).slug}/card-today.png" if share.offer_id else ""
    return Receipt(
        share=share,
        code=posting.code_of(share) if share.link_id else None,
        figures={
            m: found[m] for m in METRICS if m == "clicks" or found[m] or not _is_private(share)
        },
        picture=media.picture(share.picture_id),
        drawn_url=drawn,
        stop=stop.standing(posting.topics_of(share)) if share.reason == "stopped" else None,
        earned=neighbours.earned(share.id) if share.status in EARNING else None,
    )


@blueprint.get("/shares/<uuid:share_id>")
@access.role("member")
def one(share_id: uuid.UUID) -> Response:
    """The receipt of one post. A draft leads back to where it is written."""
    share = queries.own_share(access.me().person_id, share_id)
    if share.status == "draft":
        return redirect_to(_receipt(share).write_url)
    return _page(share)


def _page(
    share: Share,
    status: int = 200,
    *,
    refusal: str = "",
    errors: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    return render(
        "sharing/one.html",
        status,
        receipt=_receipt(share),
        share=share,
        refusal=refusal,
        errors=errors or {},
        typed=typed or {},
        declarable=DECLARABLE,
        said=SAID,
        look=0,
        wait=WAITS[0],
    )


@blueprint.get("/shares/<uuid:share_id>/state")
@access.role("member")
def state(share_id: uuid.UUID) -> Response:
    """One look at a post on its way: nothing new and when to look again, or what is new."""
    receipt = _receipt(queries.own_share(access.me().person_id, share_id))
    is_new = request.args.get("mark") != receipt.mark
    asked = request.args.get("look", 0, type=int)
    look = 0 if is_new else min(max(asked, 0) + 1, len(WAITS))
    part = render_template(
        "sharing/_watch.html",
        receipt=receipt,
        share=receipt.share,
        is_new=is_new,
        errors={},
        typed={},
        declarable=DECLARABLE,
        said=SAID,
        look=look,
        wait=WAITS[look] if look < len(WAITS) else None,
    )
    return make_response(part)


# --- acts --------------------------------------------------------------------------------


def _act(share_id: uuid.UUID, act: Callable[[uuid.UUID], object], done: str) -> Response:
    """One act on one's own post; a refusal is told on the receipt, which shows what is true."""
    me = access.me().person_id
    try:
        act(me)
    except InvalidInput as error:
        errors = {name: " ".join(map(str, said)) for name, said in error.errors.items()}
        share = queries.own_share(me, share_id)
        return _page(share, error.status, errors=errors, typed=request.form.to_dict())
    except DomainError as error:
        share = queries.own_share(me, share_id)
        return _page(share, error.status, refusal=str(error.sentence))
    if done:
        flash(done, "ok")
    return redirect_to(f"/shares/{share_id}")


@blueprint.post("/shares/<uuid:share_id>/withdrawal")
@access.role("member")
def withdraw(share_id: uuid.UUID) -> Response:
    """Cancel it before it is sent; take it off the network after."""
    return _act(share_id, lambda me: service.withdraw(me, share_id), "")


@blueprint.post("/shares/<uuid:share_id>/moment")
@access.role("member")
def move(share_id: uuid.UUID) -> Response:
    """Send it now, or at another moment. For a paused one this is a new press."""

    def act(me: uuid.UUID) -> Share:
        at = None
        if request.form.get("when") == "at":
            at = read_moment(request.form.get("at", ""), current_settings().timezone)
        return service.reschedule(me, share_id, at)

    return _act(share_id, act, "")


@blueprint.post("/shares/<uuid:share_id>/check")
@access.role("member")
def check(share_id: uuid.UUID) -> Response:
    """An unknown one: send it if it is missing. The network refuses a text that it has."""
    return _act(share_id, lambda me: service.check(me, share_id), "")


@blueprint.post("/shares/<uuid:share_id>/answer")
@access.role("member")
def answer(share_id: uuid.UUID) -> Response:
    """An unknown one: the author looked, and says whether it is online."""
    online = request.form.get("online") == "yes"
    done = _("Noted, on your word.")
    return _act(share_id, lambda me: service.declare(me, share_id, online=online), done)


@blueprint.post("/shares/<uuid:share_id>/figures")
@access.role("member")
def figures(share_id: uuid.UUID) -> Response:
    """What the author read on the network."""
    typed = {metric: request.form.get(metric, "") for metric in DECLARABLE}
    done = _("Noted. These figures carry the word “declared”, and bring no points.")
    return _act(share_id, lambda me: reach.declare(me, share_id, typed), done)
