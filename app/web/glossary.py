"""The words that need one: each term once, in a sentence or two, for the page where it stands.

A page puts `{{ help("on-hold") }}` (from `_macros/help.html`) beside a term; the guide lists them
all. A term explains what it means for the reader, never how it is built.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flask_babel import lazy_gettext as _l

from app.errors import Sentence


class Term(NamedTuple):
    """A word and what it means here."""

    word: Sentence
    meaning: Sentence


TERMS: Final[dict[str, Term]] = {
    "measured": Term(
        _l("Measured"),
        _l(
            "Counted by us or by the network itself, one by one. Robots, previews and repeats "
            "within ten seconds are left out."
        ),
    ),
    "estimated": Term(
        _l("Estimated"),
        _l("Worked out from other figures. The way it was worked out is written beside it."),
    ),
    "declared": Term(_l("Declared"), _l("Typed by the author, who read it on the network.")),
    "on-hold": Term(
        _l("On the way"),
        _l(
            "Earned, and not yet to be spent. The day on which it becomes available stands "
            "beside it, with the rule that says why."
        ),
    ),
    "status-points": Term(
        _l("Status points"),
        _l("Everything you have earned since you joined. Spending does not lower them."),
    ),
    "rule-version": Term(
        _l("Rule version"),
        _l(
            "A rule changes only by a new version with a start date. What was earned before "
            "keeps the version of its own day."
        ),
    ),
    "recoverable": Term(
        _l("To be netted"),
        _l(
            "Points that were taken back after they had been spent. Later points make up for "
            "them first; your balance never falls below zero."
        ),
    ),
    "visit": Term(
        _l("Visit"),
        _l(
            "Somebody opened your link. Nothing is kept about them: neither address nor "
            "browser, and nothing is stored on their device."
        ),
    ),
    "share-unknown": Term(
        _l("Not known"),
        _l(
            "The network did not answer, so nobody here knows whether the post is online. It "
            "is never sent again by itself."
        ),
    ),
    "intent": Term(
        _l("Opened elsewhere"),
        _l(
            "You opened a network’s own window or copied the text. Whether you posted is not "
            "known to us; a visit by your link shows it."
        ),
    ),
    "disclosure": Term(
        _l("Where you speak from"),
        _l("A few words that say you work here. Readers have a right to know, and points need it."),
    ),
    "own-words": Term(
        _l("Own words"),
        _l(
            "How far your text differs from the sentences that were offered. It is worked out "
            "here, and only short fragments are kept to compare."
        ),
    ),
    "visibility": Term(
        _l("What you may see"),
        _l(
            "The person who applied chose what you are told: every stage, only the beginning "
            "and the end, or nothing. They may change it at any time."
        ),
    ),
    "attribution": Term(
        _l("Who brought whom"),
        _l(
            "Decided by a written rule from the clues there are. Every clue stays in the "
            "file, with the reason why it counted or not."
        ),
    ),
    "promise": Term(
        _l("Promised date"),
        _l("The day by which the candidate was promised an answer. They read it on their own page."),
    ),
    "trial": Term(
        _l("Trial period"),
        _l(
            "Part of what a hire is worth waits until the trial period is over. If the person "
            "leaves before, that part lapses and the reason is told."
        ),
    ),
    "rehearsal": Term(
        _l("Rehearsal"),
        _l(
            "Runs a version of a rule over past facts and shows what it would have given in "
            "all. It changes nothing."
        ),
    ),
    "pay-class": Term(
        _l("Treatment in payroll"),
        _l("How payroll looks at a reward. Until payroll says otherwise, it is taxable."),
    ),
}  # fmt: skip
