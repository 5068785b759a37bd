"""What error pages say: what happened, what was kept, what to do, for each kind of trouble."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import request
from flask_babel import gettext as _


@dataclass(frozen=True, slots=True)
class Mishap:
    """One page's words; `action` is (address, label), for the one useful thing to do."""

    title: str
    happened: str = ""
    kept: str = ""
    todo: str = ""
    action: tuple[str, str] | None = None


def words(status: int) -> Mishap:
    """The words for a status; its English name where we have none."""
    found = _words().get(status)
    return found or Mishap(HTTPStatus(status).phrase, _("Nothing was changed."))


def _words() -> dict[int, Mishap]:
    unchanged = _("Nothing was changed.")
    return {
        400: Mishap(
            _("This request cannot be read"), unchanged, todo=_("Go back one page and try again.")
        ),
        403: Mishap(
            _("This is not yours to open"),
            _("It exists, but not for your role."),
            todo=_("If you think it should be yours, ask your administrator."),
        ),
        404: Mishap(
            _("There is no such page"),
            _("The address may be old or mistyped."),
            todo=_("Start again from the first page, or go back to where you were."),
        ),
        405: Mishap(_("This address does not do that"), unchanged),
        409: Mishap(
            _("This does not go together"),
            unchanged,
            todo=_("Go back, load the page again, and see how it stands now."),
        ),
        410: Mishap(
            _("This was withdrawn"),
            _("It existed, and its owner took it back."),
            todo=_("What is there today is on the first page."),
        ),
        413: Mishap(
            _("This is too large"),
            _("Nothing was sent on. Documents may weigh up to 25 MB."),
            kept=_typed(),
            todo=_("Go back, choose something smaller, and try again."),
        ),
        415: Mishap(_("This kind of content is not read here"), unchanged),
        422: Mishap(
            _("Something in the form needs another look"),
            unchanged,
            kept=_typed(),
            todo=_("Go back and look at the form once more."),
        ),
        429: Mishap(
            _("A little slower, please"),
            _("There were many requests from here in a short time."),
            kept=_typed(),
            todo=_("Wait a minute, then try again."),
        ),
    }


def refused(status: int, sentence: str) -> Mishap:
    """A refusal by the rules of the product, which say themselves what is wrong."""
    usual = _words().get(status, Mishap(""))
    happened = usual.happened if status in (404, 410) else ""
    if request.method == "POST":
        happened = _("Nothing was changed.")
    return Mishap(sentence, happened, _typed(), usual.todo)


def away() -> Mishap:
    """The database does not answer."""
    return Mishap(
        _("We cannot reach our records for a moment"),
        _("Nothing was changed."),
        kept=_typed(),
        todo=_("Wait a few seconds and try again."),
        action=_again(),
    )


def internal() -> Mishap:
    """Our mistake."""
    return Mishap(
        _("Something broke on our side"),
        _("It was noted. Nothing you sent was half done."),
        kept=_typed(),
        todo=_("Try again in a moment."),
        action=_again(),
    )


def _typed() -> str:
    """What a form held is still there, one step back."""
    if request.method != "POST":
        return ""
    return str(_("What you typed is still in your browser: go back one page."))


def _again() -> tuple[str, str] | None:
    """A page can be loaded once more; a form is sent again by its own button."""
    if request.method != "GET":
        return None
    return request.full_path.rstrip("?"), str(_("Try again"))
