"""The public page of an offer: the link that leads to it, the form in two steps, its pictures."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import segno
from flask import Response, current_app, request
from flask_babel import gettext as _

from app import crypto
from app.config import LANGUAGES
from app.errors import InvalidInput
from app.integrations.text import html_to_text
from app.media.cards import Card, card_file
from app.referrals import candidates, hits, links, neighbours, service, visitors
from app.referrals import public_queries as queries
from app.referrals import public_words as words
from app.referrals.attribution import normalised
from app.referrals.clicks import Hit
from app.referrals.errors import LinkWithdrawn, OfferClosed, UnknownOffer
from app.referrals.models import Offer
from app.referrals.notice import CURRENT_NOTICE, full_notice, short_notice
from app.referrals.public_frame import (
    address,
    asked_language,
    form_token,
    is_fresh,
    mishap,
    other_language,
    private,
    public,
    show,
)
from app.referrals.public_queries import Mention
from app.referrals.service import Application
from app.settings import entities, organisation
from app.settings.pages import shown
from app.web import access, current_settings
from app.web.i18n import language
from app.web.limits import limiter

FOR_EVER = "public, max-age=31536000, immutable"

# --- the link ----------------------------------------------------------------------------


@public.get("/r/<code>")
@access.public
def follow(code: str) -> Response:
    """Record the opening, then lead on to the offer."""
    answer = hits.hit(
        hits.door_of(current_app),
        code,
        Hit(request.method, {k.lower(): v for k, v in request.headers}, request.remote_addr or ""),
        secret=visitors.secret_of_day(current_settings()),
        reader_id=_signed_in(),
        language=asked_language(),
    )
    if answer.status == 302 and answer.location:
        response = Response(status=302, headers={"Location": answer.location})
    elif answer.status == 410:
        response = _withdrawn(answer.location)
    else:
        response = mishap(
            404,
            _("This link leads nowhere here"),
            _("Perhaps a letter is missing: links are easily cut when they are copied."),
            todo=_("Ask the person who sent it to you to send it once more."),
        )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _signed_in() -> uuid.UUID | None:
    """Whose session this is, so that one's own and colleagues' openings are told apart."""
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return None
    reader = access.reader()
    return reader.person_id if reader else None


def _withdrawn(offer_url: str | None) -> Response:
    return mishap(
        410,
        _("This link was withdrawn"),
        _("The person who shared it took it back, or its time is over. Nothing was noted."),
        todo=_("The offer itself may still be open.") if offer_url else "",
        action=(offer_url, _("See the offer")) if offer_url else None,
    )


# --- the page ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Typed:
    """The first step as it was typed."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    visibility: str = "ends"
    is_confirmed: bool = False


def _offer(slug: str) -> Offer:
    row = queries.offer_of(slug)
    if row is None:
        raise UnknownOffer
    return row


@public.get("/o/<slug>")
@access.public
def offer(slug: str) -> Response:
    """An offer, who recommends it, and the first step of applying."""
    row = _offer(slug)
    if row.status == "closed":
        return _closed(row)
    mention = queries.mention_of(row.id, request.args.get("r", ""), request.args.get("k", ""))
    return _page(row, mention, Typed())


def _page(
    row: Offer,
    mention: Mention | None,
    typed: Typed,
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    is_stale: bool = False,
) -> Response:
    org, path = shown(), f"/o/{row.slug}"
    carried = {"r": mention.code if mention else None, "k": mention.click_id if mention else None}
    return show(
        "referrals/public/offer.html",
        status,
        offer=row,
        mention=mention,
        typed=typed,
        errors=errors or {},
        is_stale=is_stale,
        kicker=words.kicker(row),
        facts=words.facts(row),
        follower=queries.follower_name(row),
        rewarded=words.rewarded(neighbours.rewarded()) if mention else "",
        notice=short_notice(org.name, org.privacy_contact),
        notice_version=CURRENT_NOTICE,
        token=form_token(row.slug),
        action=address(f"{path}/applications"),
        without_mention=address(path),
        privacy_url=address("/privacy"),
        other_lang_url=other_language(path, language(), **carried),
        **_head(row),
    )


def _head(row: Offer) -> dict[str, object]:
    """What machines read: search engines, and the previews of networks."""
    base, org, card = current_settings().base_url, organisation(), _card(row)
    url = f"{base}/o/{row.slug}"
    name, company = org.name if org else "", _company(row)
    said = html_to_text(row.description_html).replace("\n", " ")
    return {
        "canonical": address(url),
        "alternates": [(code, f"{url}?lang={code}") for code in LANGUAGES] + [("x-default", url)],
        "posting": words.job_posting(row, name, org.website if org else None, url, company),
        "company": company,
        "summary": said if len(said) <= 200 else said[:199].rsplit(" ", 1)[0] + "…",
        "card_url": f"{url}/card-{card.version}.png",
        "card_line": card.line,
    }


def _company(row: Offer) -> str:
    """The entity that hires, or ''."""
    return next(iter(entities.names([row.entity_id]).values()), "")


def _closed(row: Offer, status: int = 200) -> Response:
    org = organisation()
    return show(
        "referrals/public/closed.html",
        status,
        offer=row,
        kicker=words.kicker(row),
        website=org.website if org else None,
        other_lang_url=other_language(f"/o/{row.slug}", language()),
    )


# --- applying ----------------------------------------------------------------------------


def _mailbox() -> str:
    """Whose mailbox a form would reach, for one offer: a key without the address."""
    slug = (request.view_args or {}).get("slug", "")
    return crypto.fingerprint(f"{slug}|{normalised(request.form.get('email', ''))}", "form-limit")


@public.post("/o/<slug>/applications")
@access.public
@limiter.limit("60/minute")
@limiter.limit("6/hour", key_func=_mailbox)
def apply(slug: str) -> Response:
    """The first step. What comes back for a second look keeps everything that was typed."""
    row, form = _offer(slug), request.form
    typed = Typed(
        form.get("first_name", ""),
        form.get("last_name", ""),
        form.get("email", ""),
        form.get("visibility", ""),
        form.get("notice") == "1",
    )
    code, click = form.get("code", "").strip(), form.get("click_id", "")
    if row.status == "closed":
        return _closed(row, 409)
    if not is_fresh(form.get("csrf_token"), row.slug):
        mention = queries.mention_of(row.id, code, click)
        return _page(row, mention, typed, status=422, is_stale=True)
    try:
        referral_id = service.apply(row.id, _application(typed, code, click))
    except OfferClosed:
        return _closed(row, 409)
    except InvalidInput as error:
        errors = {field: " ".join(map(str, said)) for field, said in error.errors.items()}
        mention = None if "code" in errors else queries.mention_of(row.id, code, click)
        return _page(row, mention, typed, status=422, errors=errors)
    step = candidates.step_token(referral_id)
    return _go(address(f"/o/{slug}/next/{step}", r=code or None))


def _application(typed: Typed, code: str, click: str) -> Application:
    return Application(
        first_name=typed.first_name,
        last_name=typed.last_name,
        email=typed.email,
        visibility=typed.visibility,
        notice_version=request.form.get("notice_version", "") if typed.is_confirmed else "",
        code=code or None,
        click_id=click or None,
        language=language(),
    )


def _go(url: str) -> Response:
    return Response(status=303, headers={"Location": url})


@public.get("/o/<slug>/next/<step>")
@access.signed
@private
def second_step(slug: str, step: str) -> Response:
    """What may be added, all of it optional."""
    candidates.referral_of_step(step)
    return _second_step(_offer(slug), step, {}, {})


def _second_step(
    row: Offer, step: str, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    """The same whoever applied, and whether or not they had applied before."""
    code = request.args.get("r") or None
    return show(
        "referrals/public/next.html",
        status,
        offer=row,
        typed=typed,
        errors=errors,
        limit=service.MAX_MESSAGE,
        action=address(f"/o/{row.slug}/next/{step}", r=code),
        skip_url=address(f"/o/{row.slug}/done/{step}", r=code),
        other_lang_url=other_language(f"/o/{row.slug}/next/{step}", language(), r=code),
    )


@public.post("/o/<slug>/next/<step>")
@access.signed
@private
@limiter.limit("60/minute")
def complete(slug: str, step: str) -> Response:
    """Keep what was added."""
    referral_id, row = candidates.referral_of_step(step), _offer(slug)
    typed = {name: request.form.get(name, "") for name in ("phone", "profile_url", "message")}
    try:
        service.complete(referral_id, **typed)
    except InvalidInput as error:
        errors = {field: " ".join(map(str, said)) for field, said in error.errors.items()}
        return _second_step(row, step, typed, errors, 422)
    return _go(address(f"/o/{slug}/done/{step}", r=request.args.get("r")))


@public.get("/o/<slug>/done/<step>")
@access.signed
@private
def done(slug: str, step: str) -> Response:
    """It arrived; what comes by mail, and the employer's own form where there is one."""
    candidates.referral_of_step(step)
    row = _offer(slug)
    mention = queries.mention_of(row.id, request.args.get("r", ""), "")
    code = mention.code if mention else None
    return show(
        "referrals/public/done.html",
        offer=row,
        code=code,
        handover_url=_handover(row) if row.apply_url else None,
        other_lang_url=other_language(f"/o/{row.slug}/done/{step}", language(), r=code),
    )


def _handover(row: Offer) -> str:
    """The employer's form, with the one parameter that its tracking system understands."""
    url = row.apply_url or ""
    token = queries.greenhouse_source(row)
    parts = urlsplit(url)
    if token is None or "gh_src=" in parts.query:
        return url
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(query=query + urlencode({"gh_src": token})).geturl()


# --- pictures ----------------------------------------------------------------------------


def _card(row: Offer) -> Card:
    org = shown()
    line = " · ".join(part for part in (row.contract, row.location) if part)
    return Card(row.title, line, org.name, org.brand)


def card_of(row: Offer) -> bytes:
    """The offer's picture as PNG, for its page and for posts about it."""
    return card_file(current_settings().data_dir / "cards", row.id, _card(row))


@public.get("/o/<slug>/card-<version>.png")
@access.public
def card(slug: str, version: str) -> Response:
    """The offer's picture. An earlier one leads on to the one of today."""
    row = _offer(slug)
    wanted = _card(row)
    if version != wanted.version:
        today = f"/o/{row.slug}/card-{wanted.version}.png"
        return Response(status=302, headers={"Location": today})
    content = card_of(row)
    return Response(content, content_type="image/png", headers={"Cache-Control": FOR_EVER})


@public.get("/links/<code>/qr.<kind>")
@access.public
def qr(code: str, kind: str) -> Response:
    """A link as a square to scan, dark on white, for a badge or a poster."""
    target = links.find(code)
    if target is None or kind not in ("svg", "png"):
        raise UnknownOffer
    if not target.alive:
        raise LinkWithdrawn
    square, out = segno.make_qr(f"{current_settings().base_url}/r/{code}", error="m"), io.BytesIO()
    if kind == "svg":
        square.save(out, kind="svg", scale=8, border=4, dark="#000", light="#fff", xmldecl=False)
        content_type = "image/svg+xml"
    else:
        square.save(out, kind="png", scale=16, border=4, dark="#000", light="#fff")
        content_type = "image/png"
    return Response(out.getvalue(), content_type=content_type)


# --- one's data --------------------------------------------------------------------------


@public.get("/privacy")
@access.public
def privacy() -> Response:
    """The notice in full."""
    org = shown()
    return show(
        "referrals/public/privacy.html",
        chapters=full_notice(org.name, org.privacy_contact),
        again_url=address("/c"),
        other_lang_url=other_language("/privacy", language()),
    )
