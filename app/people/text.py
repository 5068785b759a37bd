"""What was typed, as it is kept and compared."""

from __future__ import annotations

import re

_USABLE = re.compile(r"[a-z0-9.!#$%&*+/=?^_`{|}~'-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*")
LONGEST = 254


def one_line(text: str | None) -> str:
    """Words with one space between them; control characters, which no name has, are gone."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())


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
