"""The board as a table for a spreadsheet: its columns, and what each of them says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from app.referrals.queries import ReferralRow
from app.referrals.words import channel_names, closure_reasons, stage_names
from app.web.sheets import Cell


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its definition, and its cell of a row."""

    name: str
    definition: str
    cell: Callable[[ReferralRow], Cell]


def columns() -> list[Column]:
    """The columns in order, in the reader's language."""
    return [*_who_and_what(), *_where_it_stands(), *_end()]


def _who_and_what() -> list[Column]:
    channels = channel_names()
    return [
        Column(_("Referral"), _("Our number for this referral; it is in the address of its page."),
               lambda r: str(r.id)),
        Column(_("Received"), _("When the application arrived, or when the recruitment system "
                                "says that it did. In universal time."),
               lambda r: r.received_at),
        Column(_("Person"), _("The name as the person gave it. Empty once it was erased, or when "
                              "only the recruitment system knows it."),
               lambda r: r.candidate_name),
        Column(_("Offer"), _("The title of the offer as it is now."), lambda r: r.offer_title),
        Column(_("Place"), _("The place of the offer."), lambda r: r.offer_location),
        Column(_("Recommended by"), _("Who is credited, by the rule in force when it was decided. "
                                      "Empty when the person came by themselves."),
               lambda r: r.referrer_name),
        Column(_("Through"), _("For which channel the colleague made the link that was used."),
               lambda r: channels.get(r.channel or "", r.channel)),
    ]  # fmt: skip


def _where_it_stands() -> list[Column]:
    stages = stage_names()
    return [
        Column(_("Stage"), _("Where it stands, worked out from everything known about it."),
               lambda r: stages.get(r.stage or "", r.stage)),
        Column(_("Stage since"), _("When that stage began, by the clock of whoever told it."),
               lambda r: r.stage_at),
        Column(_("Followed by"), _("The recruiter it is entrusted to."), lambda r: r.owner_name),
        Column(_("Answer promised by"), _("Until when the person was promised to hear from you. "
                                          "Empty when nothing is promised any more."),
               lambda r: r.promise_due_at),
        Column(_("Next step"), _("What happens next, as the person reads it on their page."),
               lambda r: r.next_step),
    ]  # fmt: skip


def _end() -> list[Column]:
    reasons = closure_reasons()
    return [
        Column(_("Hired"), _("When the hire was decided. Empty for a hire that was undone."),
               lambda r: r.hired_at),
        Column(_("Start of the contract"), _("The first day of work, where it is known."),
               lambda r: r.starts_on),
        Column(_("Reason of the end"), _("Why it was closed; empty while it is not."),
               lambda r: reasons.get(r.closure_reason or "", r.closure_reason)),
        Column(_("Application number"), _("The number of your recruitment system."),
               lambda r: r.external_id),
    ]  # fmt: skip


def header() -> list[str]:
    """The first line."""
    return [column.name for column in columns()]


def lines(rows: Iterable[ReferralRow]) -> Iterator[list[Cell]]:
    """A line for each referral."""
    shown = columns()
    for row in rows:
        yield [column.cell(row) for column in shown]
