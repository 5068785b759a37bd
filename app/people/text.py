"""What was typed, as it is kept and compared."""

from __future__ import annotations

import re
import unicodedata
import uuid

_USABLE = re.compile(r"[a-z0-9.!#$%&*+/=?^_`{|}~'-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*")
LONGEST = 254
NOWHERE = ".invalid"
"""The end of names that no server ever has (RFC 2606)."""
_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def one_line(text: str | None) -> str:
    """Words with one space between them; control characters, which no name has, are gone."""
    text = text or ""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def fold(text: str) -> str:
    """As words are compared: small letters without accents, one space between words."""
    letters = unicodedata.normalize("NFKD", one_line(text).casefold().translate(_LIGATURES))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def normal_address(text: str) -> str:
    """One way to write each address: lower case, an international domain in its ASCII form."""
    local, at, domain = one_line(text).lower().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}{at}{domain}"


def is_usable(address: str) -> bool:
    """True for an address, in its normal form, that any mail server can deliver to."""
    return len(address) <= LONGEST and ".." not in address and bool(_USABLE.fullmatch(address))


def nowhere(key: uuid.UUID) -> str:
    """What stands in for the address of somebody who has none: unlike any other, as the column
    wants it, and of no mailbox. `key` names the person, or the row that brought them."""
    return f"{key}@none{NOWHERE}"


def is_nowhere(address: str) -> bool:
    """True for what stands in for an address: no mail can go there, no page shows it."""
    return address.endswith(NOWHERE)
