"""The information notice of the public form: one text per version and language.

What the candidate confirmed is the version; the words of every version stay here, so the
proof can be shown years later. Durations come from `app.retention`, which the nightly job
obeys. Content: GDPR art. 13 and rule P6 (controller, purpose, retention, rights, contact).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask_babel import format_timedelta
from flask_babel import gettext as _

from app import retention

CURRENT_NOTICE = "2026-11"
NOTICE_VERSIONS = (CURRENT_NOTICE,)


@dataclass(frozen=True, slots=True)
class Line:
    """One point of a notice: what it is about, and what is said."""

    about: str
    words: str


def duration(kept: retention.Retention) -> str:
    """How long a class is kept, in words: "3 months", "12 mois"."""
    return span(kept.after or dt.timedelta(0))


def span(length: dt.timedelta) -> str:
    """A length of time in words; whole months from two months on."""
    unit = "month" if length.days >= 60 else "day" if length.days > 2 else "hour"
    if unit == "month":
        length = dt.timedelta(days=round(length.days / 30.4) * 30.5)
    return str(format_timedelta(length, granularity=unit, threshold=1_000))


def short_notice(organisation: str, contact: str) -> list[Line]:
    """What stands above the button of the form, in the reader's language."""
    kept = duration(retention.CANDIDATE)
    lines = [
        Line(_("Who is responsible"), organisation),
        Line(_("What for"), _("To answer you about this offer, because you ask. Nothing else.")),
        Line(_("Who reads it"), _("The recruiting team. No machine decides anything.")),
        Line(_("How long"), _("Until %(duration)s after this recruitment ends.", duration=kept)),
        Line(
            _("Your rights"),
            _("See, correct, copy, withdraw, erase: at any time, on your private page."),
        ),
    ]
    if contact:
        lines.append(Line(_("Contact"), contact))
    return lines


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the full notice: a title, sentences, then points."""

    title: str
    sentences: list[str]
    lines: list[Line]


def full_notice(organisation: str, contact: str) -> list[Chapter]:
    """The page "Your data", in the reader's language."""
    return [
        _when_applying(organisation),
        _when_opening_a_link(),
        _durations(),
        _rights(organisation, contact),
    ]


def _when_applying(organisation: str) -> Chapter:
    return Chapter(
        _("When you apply"),
        [
            _(
                "%(org)s is responsible for what you send. It serves to answer your application "
                "to one offer, because you asked for it (GDPR, article 6.1.b), and for nothing "
                "else.",
                org=organisation,
            ),
            _("No score is computed, no machine decides anything: people read, people answer."),
        ],
        [
            Line(
                _("What you give"),
                _(
                    "Your first and last name and your mail address; a phone number, a profile "
                    "and a few words if you like. Nothing is looked up elsewhere."
                ),
            ),
            Line(
                _("Where your recommendation comes from"),
                _(
                    "From the code in the link you opened. It stands on the page and in the "
                    "form, and you may take it away before you apply."
                ),
            ),
            Line(
                _("Who reads it"),
                _(
                    "The recruiting team; each opening of your file is noted and shown to you. "
                    "The person who recommended you sees the stages you choose, never your answers."
                ),
            ),
            Line(
                _("Where else it goes"),
                _(
                    "To the tracking system of the recruiting team, where it uses one to follow "
                    "applications."
                ),
            ),
        ],
    )


def _when_opening_a_link() -> Chapter:
    return Chapter(
        _("When you open a link"),
        [
            _(
                "These pages store nothing on your device: no cookie, no tracker, no call to "
                "another site."
            ),
        ],
        [
            Line(
                _("What is counted"),
                _(
                    "That a link was opened, when, and whether by a person or a program. Your "
                    "address and your browser’s description are not kept."
                ),
            ),
            Line(
                _("How repeats are recognised"),
                _(
                    "By a key made from part of the address, with a secret that changes every "
                    "day. It is erased after 48 hours, and the secret with it."
                ),
            ),
        ],
    )


def _durations() -> Chapter:
    kept = duration(retention.CANDIDATE)
    return Chapter(
        _("How long it is kept"),
        [_("The product itself obeys these durations: it erases every hour what is due.")],
        [
            Line(
                _("Your application"),
                _(
                    "%(duration)s after the recruitment ends, then without your name.",
                    duration=kept,
                ),
            ),
            Line(
                _("Messages of the tracking system"),
                _("%(duration)s after they arrive.", duration=duration(retention.RAW_EVENT)),
            ),
            Line(_("Who opened your file"), duration(retention.SECURITY_LOG)),
            Line(_("Openings of a link, without any person"), duration(retention.CLICK)),
        ],
    )


def _rights(organisation: str, contact: str) -> Chapter:
    lines = [
        Line(
            _("On your private page"),
            _(
                "See where you stand, correct, take a copy, withdraw, erase everything: without "
                "a reason, with a code sent to your mailbox."
            ),
        ),
    ]
    if contact:
        lines.append(Line(_("By writing to us"), contact))
    lines.append(
        Line(
            _("Elsewhere"),
            _("You may complain to your data protection authority; in France, the CNIL (cnil.fr)."),
        )
    )
    answer = _("%(org)s answers within one month.", org=organisation)
    return Chapter(_("Your rights"), [answer], lines)
