"""The copy of a candidate's data, behind a link that was sent to their mailbox (rule E5)."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from app.personal_data import CANDIDATE
from app.referrals import candidates
from app.referrals.candidate_pages import file_of, of_application
from app.referrals.public_frame import address, other_language, private, public, show
from app.rights import copy_links, my_data
from app.web import access
from app.web.i18n import language
from app.web.limits import limiter


@public.post("/c/<token>/copies")
@access.signed
@private
@limiter.limit("30/hour")
@limiter.limit("3 per hour", key_func=of_application)
def ask_for_copy(token: str) -> Response:
    """The link goes to the mailbox of the application, whoever pressed."""
    candidates.ask_for_copy(candidates.referral_of(token))
    return Response(
        status=303, headers={"Location": address(f"/c/{token}", sent="copy") + "#copy-link"}
    )


@public.get("/c/data/<key>")
@access.signed
@private
@limiter.limit("120/hour")
def copy(key: str) -> Response:
    """What the link leads to, and the one press that uses it."""
    copy_links.look(key)
    return show(
        "privacy/candidate_copy.html", parts=None, url=address(f"/c/data/{key}"),
        other_lang_url=other_language(f"/c/data/{key}", language()),
    )  # fmt: skip


@public.post("/c/data/<key>")
@access.signed
@private
@limiter.limit("120/hour")
def copy_shown(key: str) -> Response:
    """The link is used: everything, to read."""
    return show(
        "privacy/candidate_copy.html",
        parts=my_data.parts(CANDIDATE, copy_links.use(key)),
        file_url=address(f"/c/data/{key}/file"),
        again=_("The link in the mail does not open it again."),
        other_lang_url=None,
    )


@public.get("/c/data/<key>/file")
@access.signed
@private
@limiter.limit("120/hour")
def copy_file(key: str) -> Response:
    """The same as a file, for a quarter of an hour."""
    return file_of(copy_links.take_file(key))
