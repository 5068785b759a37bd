"""The dossier for the works council and the impact assessment, written from the real settings.

Each is a list of sections: sentences, points and tables. What they state about data, times,
recipients and roles comes from the declarations that the code itself obeys; what they state
about settings is read when they are asked for. Rules W3, D1, F131; Code du travail L1222-4 and
L2312-38; GDPR, article 35.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import typst
from flask_babel import format_date
from flask_babel import gettext as _

from app.errors import NotFound
from app.people import activation, thresholds
from app.people.words import ROLE_DUTIES, ROLE_NAMES
from app.personal_data import CANDIDATE, PERSON
from app.privacy import purge_rules, recipients, register
from app.settings import organisation
from app.web import sheets
from app.web.i18n import language
from app.web.pages import local_today


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with sentences, points and perhaps a table."""

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is its address, `made_on` the organisation's day."""

    name: str
    title: str
    organisation: str
    made_on: dt.date
    sections: tuple[Section, ...]


def document(name: str) -> Document:
    """One of `DOCUMENTS` in the reader's language. Raises `NotFound`."""
    if name not in DOCUMENTS:
        raise NotFound(_("There is no such document."))
    title, sections = DOCUMENTS[name]
    row = organisation()
    today = local_today()
    return Document(name, title(), row.name if row else "", today, tuple(sections()))


# --- what is true of both ----------------------------------------------------------------


def _purpose() -> Section:
    return Section(
        _("What it is for"),
        (
            _(
                "Colleagues who want to may share stories of the organisation on their own "
                "accounts, and pass its job offers on to people they know."
            ),
            _(
                "Nobody has to. Not taking part has no effect whatever, and nobody is told "
                "who does not."
            ),
        ),
        (
            _("Nothing is published without the member’s own press on that very post."),
            _("Stopping takes one press, without a reason, and works at once."),
            _("Nothing in it can be written to an appraisal."),
            _(
                "Every file with people’s activity that the team downloads, and the list for "
                "handing rewards over, ends with: “%(notice)s” None of them holds employee numbers.",
                notice=sheets.notice(),
            ),
        ),
    )


def _data(kind: str, title: str) -> Section:
    rows = tuple(
        (line.title, line.purpose, line.recipients, line.kept) for line in register.lines(kind)
    )
    header = (_("What"), _("What for"), _("Who receives it"), _("How long"))
    return Section(title, table=Table(header, rows))


def _who() -> Section:
    rows = tuple((str(ROLE_NAMES[role]), str(duty)) for role, duty in ROLE_DUTIES.items())
    return Section(
        _("Who may do what"),
        (
            _(
                "Each page and each call of the programme names the roles that may use it; a "
                "test of the code refuses one that names none."
            ),
            _(
                "A role may be limited to a part of the organisation. What lies outside is "
                "answered as if it did not exist."
            ),
        ),
        table=Table((_("Role"), _("What it is for")), rows),
    )


def _dates() -> Section:
    record = activation.current()
    told = _day(record.staff_notice_on) if record.staff_notice_on else _("not recorded yet")
    heard = (
        _("no council applies")
        if not record.council_applies
        else _day(record.council_on)
        if record.council_on
        else _("not recorded yet")
    )
    state = _("shown") if record.is_open_on(local_today()) else _("off")
    return Section(
        _("Before it starts"),
        (
            _(
                "The council is informed and consulted before the decision (Code du travail, "
                "L2312-38); staff are told beforehand what is collected (L1222-4)."
            ),
            _(
                "Figures of a named person stay off for everybody but that person until both "
                "dates are recorded."
            ),
        ),
        (
            _("Staff were told on: %(day)s", day=told),
            _("The council was consulted on: %(day)s", day=heard),
            _("Figures of a named person: %(state)s", state=state),
        ),
    )


def _small_groups() -> Section:
    return Section(
        _("Rankings and small groups"),
        (),
        (
            _(
                "A list of names shows only those who chose to be named, the first ten of a "
                "month, never a last one."
            ),
            _("A rank is for oneself. It counts nobody who did not earn points."),
            _(
                "Counts about joining are shown for groups of %(count)s people or more.",
                count=thresholds.joining(),
            ),
            _("Totals of a team are shown from %(count)s people on.", count=thresholds.team()),
            _(
                "Managers have no view of one person: neither posts, nor openings, nor "
                "candidates, nor points."
            ),
            _("There is no “last active”, and no post is read that was not sent from here."),
        ),
    )


def _forgetting() -> Section:
    titles = [rule.title for rule in purge_rules.RULES]
    titles += [rule.title for rule in purge_rules.FILE_RULES]
    rows = tuple((str(title),) for title in titles)
    return Section(
        _("What is forgotten by itself"),
        (_("Every night, without anybody’s press:"),),
        table=Table((_("Rule"),), rows),
    )


def _rights() -> Section:
    row = organisation()
    contact = row.privacy_contact if row and row.privacy_contact else _("the administrators")
    return Section(
        _("Rights of each person"),
        (_("Whoever answers about personal data: %(contact)s", contact=contact),),
        (
            _("A copy of everything, readable and as a file, at one press."),
            _("Correction, and erasure that leaves the books whole and no name in them."),
            _(
                "Consent by purpose, each with its text and its date, taken back as easily as"
                " given."
            ),
            _(
                "Requests that come otherwise are kept in a register with the day by which "
                "they must be answered."
            ),
            _("A complaint to the data protection authority; in France, the CNIL."),
        ),
    )


def _outside() -> Section:
    """Every recipient there may be, and which of them there are on the day."""
    rows = tuple(
        (line.title, ", ".join(line.found) or _("not connected"), line.sent, line.received)
        for line in recipients.lines()
    )
    header = (_("With whom"), _("On this day"), _("What leaves"), _("What comes"))
    return Section(
        _("What leaves the organisation"),
        (
            _(
                "The programme runs complete without calling any service outside. This is all "
                "that may be connected, and what is."
            ),
        ),
        table=Table(header, rows),
    )


def _day(day: dt.date) -> str:
    return str(format_date(day, "long"))


# --- the two documents -------------------------------------------------------------------


def _council() -> list[Section]:
    return [
        _purpose(),
        _dates(),
        _small_groups(),
        _who(),
        _data(PERSON, _("What is kept about those who take part")),
        _forgetting(),
        _rights(),
        _outside(),
        Section(
            _("What the council is asked"),
            (
                _(
                    "To give its opinion on the programme as it is described and set here. The "
                    "figures above are those of the day of this document; a change of the "
                    "settings makes a new one."
                ),
            ),
        ),
    ]


def _risks() -> Section:
    rows = (
        (
            _("A colleague feels pushed to take part."),
            _(
                "Nobody is listed for not taking part; small groups are not counted; at most "
                "one nudge a week, none in the evening or at the weekend."
            ),
        ),
        (
            _("Figures serve an appraisal."),
            _(
                "Off until staff and council were heard; no view for managers; every file with "
                "people’s activity that the team downloads ends with “%(notice)s”",
                notice=sheets.notice(),
            ),
        ),
        (
            _("Points act as a score of employees."),
            _(
                "Names only by choice, no last places, points never for likes, followers or "
                "opinions; each point is explained by its rule."
            ),
        ),
        (
            _("A candidate learns too late who holds the data."),
            _(
                "The candidate types the data, reads the notice before sending, and has a "
                "page of their own from the first minute."
            ),
        ),
        (
            _("A link becomes a tracker."),
            _(
                "Nothing is stored on the visitor’s device; no address is kept; the key that "
                "tells repeats apart is forgotten after two days."
            ),
        ),
        (
            _("Somebody enters with another’s session."),
            _(
                "Devices are listed and ended one by one; team roles need a second factor; "
                "rights that change end the old session."
            ),
        ),
        (
            _("An erased person comes back with a backup."),
            _("The erasure list is applied again before the product starts."),
        ),
        (
            _("An administrator looks into files without a reason."),
            _(
                "Each opening of a candidate’s file and each export is noted in a trail that "
                "cannot be changed."
            ),
        ),
    )
    return Section(
        _("Risks, and what is done about them"),
        (
            _(
                "Points are a score and employees are vulnerable persons: an assessment is "
                "assumed to be due."
            ),
        ),
        table=Table((_("Risk"), _("What is done")), rows),
    )


def _assessment() -> list[Section]:
    return [
        _purpose(),
        _data(PERSON, _("What is kept about those who take part")),
        _data(CANDIDATE, _("What is kept about candidates")),
        _risks(),
        _small_groups(),
        _who(),
        _forgetting(),
        _rights(),
        _outside(),
        _dates(),
        Section(
            _("What remains to be decided"),
            (),
            (
                _("The opinion of the data protection officer, and the date."),
                _("What the people concerned, or their representatives, said."),
                _("Who accepts what risk remains, and when this is looked at again."),
            ),
        ),
    ]


Sections = Callable[[], list[Section]]
DOCUMENTS: Final[dict[str, tuple[Callable[[], str], Sections]]] = {
    "works-council": (lambda: _("Dossier for the works council"), _council),
    "impact-assessment": (lambda: _("Data protection impact assessment"), _assessment),
}


# --- on paper ----------------------------------------------------------------------------

_HEAD = """
#set document(title: {title}, author: {author})
#set page(paper: "a4", margin: (x: 22mm, y: 24mm), numbering: "1 / 1")
#set text(lang: {lang}, size: 10.5pt)
#set par(leading: 0.65em)
#show heading.where(level: 1): set text(size: 22pt)
#show heading.where(level: 2): set block(above: 1.6em, below: 0.8em)
#show table.cell.where(y: 0): strong
"""


def as_pdf(made: Document) -> bytes:
    """The document as PDF/UA-1, which screen readers can read."""
    return bytes(typst.compile(_source(made).encode(), format="pdf", pdf_standards=["ua-1"]))


def _source(made: Document) -> str:
    lines = [
        _HEAD.format(
            title=_text(made.title), author=_text(made.organisation), lang=_text(language())
        ),
        f"#heading(level: 1, {_text(made.title)})",
        f"#text({_text(f'{made.organisation}, {_day(made.made_on)}')})",
    ]
    for section in made.sections:
        lines.append(f"#heading(level: 2, {_text(section.title)})")
        lines += [f"#par[#{_text(sentence)}]" for sentence in section.sentences]
        lines += [f"#list[#{_text(point)}]" for point in section.points]
        if section.table is not None:
            lines.append(_table(section.table))
    return "\n".join(lines)


def _table(table: Table) -> str:
    head = ", ".join(_text(cell) for cell in table.header)
    cells = ", ".join(_text(cell) for row in table.rows for cell in row)
    width = ", ".join(["1fr"] * len(table.header))
    return (
        f"#table(columns: ({width},), stroke: 0.4pt + luma(180), inset: 5pt, "
        f"table.header({head}), {cells})"
    )


def _text(words: str) -> str:
    """A string of typst, in which nothing is markup."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
