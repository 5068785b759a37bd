"""Fetching a feed from an address that a person gave, in the words of imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.errors import DomainError
from app.integrations import fetching
from app.referrals import import_words

MAX_BYTES: Final = 25 * 1024 * 1024
SECONDS: Final = 20.0
_NEVER_A_FEED: Final = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip")
_CODES: Final[Mapping[str, str]] = {"wrong-type": "not-a-feed", "too-slow": "unreachable"}


class FetchFailed(DomainError):
    """Nothing usable came. `code`: unreachable, too-large, refused-address or not-a-feed."""

    status = 422

    def __init__(self, code: str) -> None:
        super().__init__(import_words.fault(code))
        self.code = code


def fetch(url: str, *, console: bool = False) -> bytes:
    """The bytes at an address: at most 25 MB, within 20 seconds, redirects included.

    A browser's address must be public https; the console's may be anything, this machine too.
    Call it outside a transaction. Raises `FetchFailed`, nothing else.
    """
    try:
        return fetching.get(
            url,
            max_bytes=MAX_BYTES,
            seconds=SECONDS,
            console=console,
            never=_NEVER_A_FEED,
            purpose="job feed import",
        ).body
    except fetching.FetchFailed as error:
        raise FetchFailed(_CODES.get(error.code, error.code)) from error
