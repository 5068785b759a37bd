"""What both translation scripts share: the texts in the code, and the catalogue beside them."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr",)  # English is the language of the code
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "_lp": ((1, "c"), 2),
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
    "lazy_npgettext": ((1, "c"), 2, 3),
}


def path_of(language: str) -> Path:
    """Where the catalogue of `language` lives."""
    return ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"


def extract() -> Catalog:
    """Every text of the code and the templates that asks for a translation."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog(fuzzy=False)
    for name, line, message, comments, context in extract_from_dir(
        ROOT,
        methods,
        options,
        keywords=KEYWORDS,
        comment_tags=("Translators:",),
        strip_comment_tags=True,
        directory_filter=lambda path: not Path(path).name.startswith("."),
    ):
        found.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """The catalogue as it is in the repository, empty where there is none yet."""
    path = path_of(language)
    if not path.exists():
        return _new(language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def forms(message: Message) -> tuple[str, ...]:
    """The translation of a text: one, or one for each plural form."""
    string = message.string
    return tuple(string) if isinstance(string, list | tuple) else (string or "",)


def _new(language: str) -> Catalog:
    catalog = Catalog(
        language,
        header_comment="# Texts of Portevoix.\n# SPDX-License-Identifier: EUPL-1.2",
        project="Portevoix",
        version="1",
        msgid_bugs_address="Portevoix",
        last_translator="Portevoix",
        language_team="Portevoix",
        fuzzy=False,
    )
    catalog.revision_date = catalog.creation_date
    return catalog
