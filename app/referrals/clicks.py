"""Clicks: a signed id, a verdict given in the hit, a key that forgets.

The hit stores no address and no browser string. `classify` decides on the spot whether a
person opened the link; the reasons are public. The click id is signed and travels in the
address and in the form, so attribution works with nothing stored on the device, and even
when the application is stored before the click.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import and_, insert, or_, select

from app import clock, crypto, outbox
from app.db import db, new_id, transaction
from app.referrals.models import Click

REPEAT_WINDOW = dt.timedelta(seconds=10)
SCAN_WINDOW = dt.timedelta(seconds=2)
_SIGNATURE_BYTES = 12

_Tokens = dict[str, Any]


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


def _robots(known: _Tokens) -> re.Pattern[str]:
    """What programs call themselves, in a string in small letters."""
    tokens = (re.escape(token) for group in known["robots"].values() for token in group)
    starts = ("^" + re.escape(token) for token in known["starts"])
    return _any_of([*starts, *known["words"], *tokens])


# The list of tokens, with its date and its sources, read and compiled once.
_KNOWN: _Tokens = json.loads((Path(__file__).parent / "robots.json").read_text("utf-8"))
_ROBOTS = _robots(_KNOWN)
_SCANNERS = _any_of(map(re.escape, _KNOWN["scanners"]))
_IN_APP = _any_of(map(re.escape, _KNOWN["in_app"]))
_SHORTEST: int = _KNOWN["shortest"]
_SPECULATION = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_SPECULATIVE = re.compile("prefetch|prerender|preview")
# Browsers that send `Sec-Fetch-*` with every navigation over https.
_OF_TODAY = re.compile(
    r"chrome/(?:[89]\d|\d{3})\.|firefox/(?:9\d|\d{3})\.|version/(?:16\.[4-9]|1[7-9]\.|[2-9]\d\.)"
)
_SMALL_PART = re.compile(r"\s*bytes=0-\d{1,6}\s*")  # below one megabyte
_AGENTS = (
    ("edge", "edg/"), ("samsung", "samsungbrowser"), ("opera", "opr/"), ("firefox", "firefox"),
    ("chrome", "chrome"), ("safari", "safari"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """What the hit itself shows. `headers` with lower-case names."""

    method: str
    headers: Mapping[str, str]
    address: str


def agent_class(browser: str) -> str:
    """A family of browsers; coarse on purpose."""
    low = browser.lower()
    family = next((name for name, mark in _AGENTS if mark in low), "other")
    return f"{family}-{'phone' if 'mobi' in low or 'android' in low else 'desk'}"


def classify(hit: Hit) -> str:
    """'person', or the public reason why this opening is not one: 'head', 'probe', 'prefetch',
    'robot', 'scanner'. What a request leaves unsaid convicts nobody: `Sec-Fetch-*` is missing
    from older browsers, in-app browsers and on plain http."""
    if hit.method != "GET":
        return "head" if hit.method == "HEAD" else "probe"
    headers = hit.headers
    purpose = " ".join([headers[name] for name in _SPECULATION if name in headers])
    if purpose and _SPECULATIVE.search(purpose.lower()):
        return "prefetch"
    browser = headers.get("user-agent", "").lower()
    if _SCANNERS.search(browser):
        return "scanner"
    if _is_program(browser, headers.get("sec-ch-ua", "")):
        return "robot"
    if not _is_navigation(headers):
        return "probe"
    return "scanner" if _scans(browser, headers) else "person"


def _is_program(browser: str, brands: str) -> bool:
    """Whether it says so, says nearly nothing, or is a browser without a screen."""
    if len(browser) < _SHORTEST or _ROBOTS.search(browser):
        return True
    return "headless" in brands.lower()


def _is_navigation(headers: Mapping[str, str]) -> bool:
    """A page of its own, and all of it; not a picture, a frame or the first bytes."""
    if headers.get("sec-fetch-dest", "document") != "document":
        return False
    if headers.get("sec-fetch-mode", "navigate") != "navigate":
        return False
    return not _SMALL_PART.fullmatch(headers.get("range", ""))


def _scans(browser: str, headers: Mapping[str, str]) -> bool:
    """An ordinary browser string on a request that no such browser sends: it lists what it
    accepts, but neither a page among it or a language, nor where it navigates from."""
    accepted = headers.get("accept")
    if not accepted or "sec-fetch-mode" in headers or "sec-fetch-dest" in headers:
        return False
    if "text/html" in accepted.lower() and headers.get("accept-language"):
        return False
    return bool(_OF_TODAY.search(browser)) and not _IN_APP.search(browser)


def truncated(address: str) -> str:
    """IPv4 to /24, IPv6 to /48 (rule I2); an unreadable address gives nothing."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False))


def visitor_key(secret_of_day: bytes, hit: Hit, link_id: uuid.UUID) -> str:
    """HMAC(secret of the day, truncated address, agent class, link): tells a repeat within
    seconds, and nothing once the day's secret is gone."""
    browser = agent_class(hit.headers.get("user-agent", ""))
    text = f"{truncated(hit.address)}|{browser}|{link_id}"
    return hmac.new(secret_of_day, text.encode(), hashlib.sha256).hexdigest()


def _signature(body: bytes) -> bytes:
    return hmac.new(crypto.key_for("click"), body, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def sign(click_id: uuid.UUID, link_id: uuid.UUID) -> str:
    """The click id as it travels: 44 bytes, base64url, bound to its link."""
    body = click_id.bytes + link_id.bytes
    return base64.urlsafe_b64encode(body + _signature(body)).decode().rstrip("=")


def read_signed(token: str | None) -> tuple[uuid.UUID, uuid.UUID] | None:
    """(click id, link id) of a token, or None when it is not one of ours."""
    if not token or len(token) > 80:
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != token:
        return None  # one spelling for one id
    body, given = raw[:32], raw[32:]
    for key in crypto.keys_for("click"):
        expected = hmac.new(key, body, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
        if hmac.compare_digest(expected, given):
            return uuid.UUID(bytes=body[:16]), uuid.UUID(bytes=body[16:])
    return None


def record(
    link_id: uuid.UUID, verdict: str, key: str, *, share_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Store one opening. A person's repeat within ten seconds is kept as 'repeat', a page asked
    for within two seconds of its HEAD as 'scanner'. A person who came by a post's own link is a
    fact for those who follow the post (`share.visited`)."""
    click_id, now = new_id(), clock.now()
    with transaction() as session:
        if verdict == "person":
            verdict = in_turn(_seen_just_now(key, now))
        session.execute(
            insert(Click).values(
                id=click_id, link_id=link_id, occurred_at=now, verdict=verdict, visitor_key=key
            )
        )
        if share_id is not None and verdict == "person":
            outbox.record("share.visited", share_id=str(share_id), click_id=str(click_id))
    return click_id


def in_turn(before: Collection[str]) -> str:
    """What an opening by a person is after others with the same visitor key: `before` holds
    'person' if one was counted within `REPEAT_WINDOW`, 'head' or 'probe' within `SCAN_WINDOW`.
    Programs and speculative loads before it take nothing from a person."""
    if "person" in before:
        return "repeat"
    return "scanner" if "head" in before or "probe" in before else "person"


def _seen_just_now(key: str, now: dt.datetime) -> Collection[str]:
    counted = and_(Click.verdict == "person", Click.occurred_at > now - REPEAT_WINDOW)
    asked = and_(Click.verdict.in_(("head", "probe")), Click.occurred_at > now - SCAN_WINDOW)
    seen = select(Click.verdict).where(Click.visitor_key == key, or_(counted, asked))
    return db.session.scalars(seen.distinct()).all()
