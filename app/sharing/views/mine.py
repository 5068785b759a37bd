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
from app.integrations.linkedin.posts import post_url
from app.media import service as media
from app.media.service import PictureView
from app.sharing import networks, posting, queries, reach, service, stop
from app.sharing.models import SENT, Share, SharingStop
from app.sharing.queries import ShareFilter
from app.sharing.reach import DECLARABLE, METRICS, Figure, Reach
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
# A network's own limit, where it is short enough to matter; an address counts 23 on most.
SHORT: Final = {"x": 280, "bluesky": 300, "mastodon": 500, "threads": 500}
LINK_UNITS: Final = 25

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
    rows, next_cursor = queries.shares(wanted, after=request.args.get("after"), limit=PAGE)
    return render(
        "sharing/mine.html",
        rows=rows,
        figures=reach.reach_of(rows),
        next_cursor=next_cursor,
        view=view,
        views=VIEW_NAMES,
        said=SAID,
    )


# --- the receipt -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """One post as its author sees it. `link` is the personal link, `opens` the address of the
    network's own window; `wait` the seconds until the next look, None when nothing moves."""

    share: Share
    link: str | None
    code: str | None
    post_url: str | None
    opens: str | None
    whole_text: str
    too_long_for: int
    figures: list[tuple[str, Figure | None]]
    picture: PictureView | None
    stop: SharingStop | None
    write_url: str
    is_moving: bool
    is_due: bool
    is_checkable: bool
    is_sent: bool
    is_counted_there: bool
    mark: str

    @property
    def may_cancel(self) -> bool:
        share = self.share
        if share.reason == "check":
            return False
        return share.status in ("scheduled", "paused") or (
            share.status == "publishing" and share.withdrawal_asked_at is None
        )

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
        if self.share.status == "intent":
            return networks.NETWORKS[self.share.network].channel not in ("link", "qr", "email")
        return self.share.status == "published"

    def figure_of(self, metric: str) -> Figure | None:
        return dict(self.figures).get(metric)

    @property
    def publish_local(self) -> str:
        """The moment it is meant for, as the browser's own field wants it."""
        return local(self.share.publish_at) if self.share.publish_at else ""

    @property
    def needs_connection(self) -> bool:
        return self.share.reason in ("reconnect", "key")


def _receipt(share: Share) -> Receipt:
    settings = current_settings()
    code = posting.code_of(share) if share.link_id else None
    link = f"{settings.base_url}/r/{code}" if code else None
    both = "\n\n".join(part for part in (share.post_text, link or "") if part)
    opens = None
    if share.status == "intent" and link:
        opens = networks.intent_url(
            share.network, text=share.post_text, url=link, title=share.title
        )
    limit = SHORT.get(share.network, 0)
    is_over = limit and len(share.post_text) + LINK_UNITS > limit
    return Receipt(
        share=share,
        link=link,
        code=code,
        post_url=post_url(settings, share.post_urn) if share.post_urn else None,
        opens=opens,
        whole_text=both,
        too_long_for=limit if is_over else 0,
        figures=_figures(share, reach.reach_of([share])[share.id]),
        picture=media.picture(share.picture_id),
        stop=stop.standing(posting.topics_of(share)) if share.reason == "stopped" else None,
        write_url=_write_url(share),
        is_moving=_is_moving(share),
        is_due=_is_due(share),
        is_checkable=_is_checkable(share),
        is_sent=share.phase == SENT,
        is_counted_there=settings.linkedin_mode == "community_management"
        and networks.NETWORKS[share.network].by_api,
        mark=_mark(share),
    )


def _figures(share: Share, found: Reach) -> list[tuple[str, Figure | None]]:
    """What there is to know about this one: a copied link has no views to count."""
    is_private = networks.NETWORKS[share.network].channel in ("link", "qr", "email", "message")
    return [(m, found[m]) for m in METRICS if m == "clicks" or found[m] or not is_private]


def _write_url(share: Share) -> str:
    if share.story_id:
        return f"/library/{share.story_id}?text={share.language}&again={share.id}#composer"
    return f"/offers/{share.offer_id}/share?again={share.id}#composer"


def _is_due(share: Share) -> bool:
    at = max(filter(None, (share.publish_at, share.not_before)), default=None)
    return share.status == "scheduled" and (at is None or at <= clock.now() + SOON)


def _is_moving(share: Share) -> bool:
    """Whether a worker is about to change it."""
    is_leaving = share.status == "published" and share.withdrawal_asked_at is not None
    return share.status == "publishing" or is_leaving or _is_due(share)


def _is_checkable(share: Share) -> bool:
    return share.sent_at is not None and share.sent_at >= clock.now() - CHECKABLE


def _mark(share: Share) -> str:
    """Changes when there is something new to see."""
    return f"{share.status}.{share.phase or ''}.{share.reason or ''}.{share.tries}"


@blueprint.get("/shares/<uuid:share_id>")
@access.role("member")
def one(share_id: uuid.UUID) -> Response:
    """The receipt of one post. A draft leads back to where it is written."""
    share = queries.own_share(access.me().person_id, share_id)
    if share.status == "draft":
        return redirect_to(_write_url(share))
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
    share = queries.own_share(access.me().person_id, share_id)
    look = request.args.get("look", 0, type=int)
    is_new = request.args.get("mark") != _mark(share)
    look = 0 if is_new else min(max(look, 0) + 1, len(WAITS))
    part = render_template(
        "sharing/_watch.html",
        receipt=_receipt(share),
        share=share,
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
