"""Mail addresses as they are kept and compared: lower case, international domains in ASCII."""

from __future__ import annotations

import re

_USABLE = re.compile(r"[a-z0-9.!#$%&*+/=?^_`{|}~'-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*")
LONGEST = 254


def normal_address(text: str) -> str:
    """One way to write each address: " Zoé@Société.example" and its ASCII form are the same."""
    local, at, domain = text.strip().lower().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}{at}{domain}"


def is_usable(address: str) -> bool:
    """True for an address, in its normal form, that any mail server can deliver to."""
    return len(address) <= LONGEST and ".." not in address and bool(_USABLE.fullmatch(address))
