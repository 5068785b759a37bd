"""The page on which administrators decide about signing in with the identity provider."""

from __future__ import annotations

import uuid

from flask import Response, flash, request
from flask_babel import gettext as _

from app.approvals.words import tell_waiting
from app.db import read_id
from app.errors import InvalidInput
from app.people import provider_groups, provider_settings
from app.people.directory import GRANTABLE
from app.people.oidc import Provider
from app.people.provider_claims import shape_of
from app.people.views import people
from app.people.views.common import by_field
from app.people.words import ROLE_DUTIES, ROLE_NAMES
from app.web import access, current_settings, redirect_to, render

PAGE = "/studio/people/provider"
LIST = "list"
"""What stands for a place on a segment's list among the roles that a group may give."""


def _page(status: int = 200, error: InvalidInput | None = None, **typed: object) -> Response:
    """The page; with `error`, as it came back, `typed` being what was written into a form."""
    settings = current_settings()
    return render(
        "people/provider_settings.html",
        status,
        issuer=settings.oidc_issuer,
        shape=shape_of((settings.oidc_issuer or "").rstrip("/")).name,
        known=Provider(settings) if settings.oidc_issuer else None,
        chosen=provider_settings.chosen(),
        mappings=provider_groups.mappings(),
        segments=provider_groups.segment_choices(),
        gifts=[
            (role, _("%(role)s: %(duty)s", role=ROLE_NAMES[role], duty=ROLE_DUTIES[role]))
            for role in GRANTABLE
        ],
        role_names=ROLE_NAMES,
        problem=error.sentence if error else None,
        errors=by_field(error) if error else {},
        typed=typed,
    )


@people.get(PAGE)
@access.role("admin")
def provider_page() -> Response:
    """What holds now."""
    return _page()


@people.post(PAGE)
@access.role("admin")
def provider_page_submit() -> Response:
    """Decide anew about domains, new entries and passwords."""
    form = request.form
    domains = form.get("domains", "")[:20_000]
    try:
        provider_settings.save(
            domains.replace(",", " ").replace(";", " ").split(),
            creates_people="creates_people" in form,
            offers_password="offers_password" in form,
            actor_id=access.me().person_id,
        )
    except InvalidInput as error:
        return _page(
            422, error, domains=domains, creates_people="creates_people" in form,
            offers_password="offers_password" in form,
        )  # fmt: skip
    flash(_("Kept. This holds from the next sign-in."), "ok")
    return redirect_to(PAGE)


def _segment(raw: str) -> uuid.UUID | None:
    """The segment chosen, None for the whole organisation; one that nobody has for nonsense."""
    return read_id(raw) or uuid.UUID(int=0) if raw else None


@people.post(f"{PAGE}/mappings")
@access.role("admin")
def provider_mapping_submit() -> Response:
    """Have a group give something."""
    form = request.form
    role = None if form.get("gives") == LIST else form.get("gives", "")
    try:
        waits = provider_groups.submit_mapping(
            form.get("value", ""), role, _segment(form.get("segment_id", "")),
            actor_id=access.me().person_id,
        )  # fmt: skip
    except InvalidInput as error:
        return _page(
            422, error, value=form.get("value", "")[:300], gives=form.get("gives"),
            segment_id=form.get("segment_id"),
        )  # fmt: skip
    if waits:
        tell_waiting()
    else:
        flash(_("The group gives this from each person’s next sign-in."), "ok")
    return redirect_to(f"{PAGE}#groups")


@people.post(f"{PAGE}/mappings/<uuid:mapping_id>/removal")
@access.role("admin")
def provider_mapping_removal(mapping_id: uuid.UUID) -> Response:
    """Take a line away, and what it alone gave."""
    provider_groups.remove_mapping(mapping_id, actor_id=access.me().person_id)
    flash(_("The line is gone, and what it alone gave."), "ok")
    return redirect_to(f"{PAGE}#groups")
