"""Brings every catalogue to the texts in the code: new ones empty, unused ones gone."""

from __future__ import annotations

from io import BytesIO

from babel.messages.pofile import write_po
from catalogs import LANGUAGES, extract, forms, path_of, read


def main() -> None:
    """Writes a catalogue only where something changed, sorted and without line numbers."""
    template = extract()
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(
            template,
            no_fuzzy_matching=True,
            update_header_comment=False,
            keep_user_comments=True,
            update_creation_date=False,
        )
        text = BytesIO()
        write_po(text, catalog, no_location=True, sort_output=True, ignore_obsolete=True, width=100)
        path = path_of(language)
        if not path.exists() or path.read_bytes() != text.getvalue():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.getvalue())
        empty = sum(1 for message in catalog if message.id and not all(forms(message)))
        print(f"{language}: {len(catalog)} texts, {empty} without translation")


if __name__ == "__main__":
    main()
