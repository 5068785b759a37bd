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
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select

from app import clock, crypto, outbox
from app.db import db, new_id, transaction
from app.referrals.models import Click

REPEAT_WINDOW = dt.timedelta(seconds=10)
_SIGNATURE_BYTES = 12

# Programs that say who they are. Sources: the robots' own documentation pages.
_ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|telegram|skypeuripreview"
    r"|linkedin(?:bot|app-preview)|twitterbot|embedly|quora link|outbrain|pinterest|vkshare|w3c_"
    r"|validator|monitor|uptime|pingdom|curl|wget|python-|httpx|go-http|java/|okhttp|libwww|axios"
    r"|node-fetch|headless|lighthouse|scan|safelinks|proofpoint|mimecast|barracuda|symantec",
    re.IGNORECASE,
)
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
    """'person', or the public reason why this opening is not one."""
    if hit.method == "HEAD":
        return "head"
    purpose = " ".join(
        hit.headers.get(h, "") for h in ("purpose", "sec-purpose", "x-moz", "x-purpose")
    )
    if "prefetch" in purpose or "preview" in purpose or "prerender" in purpose:
        return "prefetch"
    browser = hit.headers.get("user-agent", "")
    if not browser or _ROBOTS.search(browser):
        return "robot"
    return "person"


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
    """Store one opening; a person's repeat within ten seconds is kept as 'repeat'. A person who
    came by a post's own link is a fact for those who follow the post (`share.visited`)."""
    click_id, now = new_id(), clock.now()
    with transaction() as session:
        if verdict == "person" and _seen_just_now(key, now):
            verdict = "repeat"
        session.execute(
            insert(Click).values(
                id=click_id, link_id=link_id, occurred_at=now, verdict=verdict, visitor_key=key
            )
        )
        if share_id is not None and verdict == "person":
            outbox.record("share.visited", share_id=str(share_id), click_id=str(click_id))
    return click_id


def _seen_just_now(key: str, now: dt.datetime) -> bool:
    recent = select(Click.id).where(
        Click.visitor_key == key, Click.occurred_at > now - REPEAT_WINDOW
    )
    return db.session.execute(recent.limit(1)).first() is not None
