"""Clicks: a signed id, a verdict given in the hit, a key that forgets.

The hit keeps no address and no browser string. `classify` decides on the spot whether a
person opened the link; the reasons are public. The click id is signed and travels in the
address and in the form, so attribution works with nothing stored on the device, and even
when the application is stored before the click. `store` is where openings become rows and
figures; the ingester brings them from the spool.
"""

from __future__ import annotations

import base64
import bisect
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import re
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from app import clock, crypto, outbox
from app.db import db, new_id, transaction
from app.referrals import click_statements as statements
from app.referrals import spool
from app.referrals.click_statements import Hour, Row, Total
from app.referrals.models import Click

REPEAT_WINDOW = dt.timedelta(seconds=10)
SCAN_WINDOW = dt.timedelta(seconds=2)
_SIGNATURE_BYTES = 12
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_REPEAT, _SCAN = REPEAT_WINDOW // _MICROSECOND, SCAN_WINDOW // _MICROSECOND
_HOUR = dt.timedelta(hours=1) // _MICROSECOND
_SPAN = dt.timedelta(minutes=10) // _MICROSECOND
_SPEAKING = ("person", "head", "probe")

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
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"((?:{_OCTET}\.){{3}}){_OCTET}")
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


# Every header that a verdict looks at, in small letters.
READ = (
    *_SPECULATION, "user-agent", "sec-ch-ua", "sec-fetch-dest", "sec-fetch-mode", "range",
    "accept", "accept-language",
)  # fmt: skip


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


_REMEMBERED = 4096
_seen: dict[int, tuple[str, str]] = {}


def seen_as(method: str, said: tuple[str | None, ...]) -> tuple[str, str]:
    """Verdict and family of browsers of a request by its values of `READ`, worked out once for
    equal ones. What was said is not remembered, only the verdict, under a hash with this very
    process's own random key."""
    name = hash((method, said))
    known = _seen.get(name)
    if known is None:
        headers = {key: value for key, value in zip(READ, said, strict=True) if value is not None}
        verdict = classify(Hit(method, headers, ""))
        if len(_seen) >= _REMEMBERED:
            _seen.clear()
        known = _seen[name] = (verdict, agent_class(headers.get("user-agent", "")))
    return known


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
    usual = _IPV4.fullmatch(address)
    if usual is not None:
        return f"{usual[1]}0/24"
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = 24 if ip.version == 4 else 48
    return str(ipaddress.ip_network((ip, prefix), strict=False))


def visitor_key(secret_of_day: bytes, hit: Hit, link_id: uuid.UUID) -> str:
    """HMAC(secret of the day, truncated address, agent class, link): tells a repeat within
    seconds, and nothing once the day's secret is gone."""
    family = agent_class(hit.headers.get("user-agent", ""))
    return visitor_digest(secret_of_day, hit.address, family, str(link_id)).hex()


def visitor_digest(secret_of_day: bytes, address: str, family: str, link: str) -> bytes:
    """The same as 32 bytes, of a family of browsers and the text of a link's id."""
    return _hmac(secret_of_day, f"{truncated(address)}|{family}|{link}".encode())


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def _hmac(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA-256 from a prepared key. `hmac.digest` lets other threads run meanwhile, and to
    come back among many costs a multiple of the sum itself."""
    made = _keyed(key).copy()
    made.update(text)
    return made.digest()


def sign(click_id: uuid.UUID, link_id: uuid.UUID) -> str:
    """The click id as it travels: 44 bytes, base64url, bound to its link."""
    return signed(click_id.bytes, link_id.bytes)


def signed(click: bytes, link: bytes) -> str:
    """The same of the bytes of both ids."""
    body = click + link
    signature = _hmac(crypto.key_for("click"), body)[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(body + signature).decode().rstrip("=")


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


class Opening(NamedTuple):
    """A line of the spool in bare parts, in the order of time when sorted: microseconds since
    1970, ids of 16 bytes, `share_id` zeros where there is none, a key in hexadecimal figures."""

    at: int
    click_id: bytes
    link_id: bytes
    share_id: bytes
    verdict: str
    visitor_key: str


def record(
    link_id: uuid.UUID, verdict: str, key: str, *, share_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Store one opening now, without a spool; its id. `key` is its visitor key."""
    click_id, at = new_id(), (clock.now() - _EPOCH) // _MICROSECOND
    share = share_id.bytes if share_id else spool.NOBODY
    store([Opening(at, click_id.bytes, link_id.bytes, share, verdict, key)])
    return click_id


def store(openings: Iterable[Opening]) -> int:
    """Store openings, each once, and count them by link and hour; how many were new.

    A person's repeat within ten seconds is kept as 'repeat', a page asked for within two seconds
    of its HEAD as 'scanner'. People who came by a post's own link are one fact for those who
    follow the post: `share.visited`, with the instant of the first of them (`since`).
    """
    ordered = sorted(openings)
    if not ordered:
        return 0
    with transaction() as session:
        connection = session.connection()
        rows = _judged(connection, ordered)
        try:
            with connection.begin_nested():
                statements.insert_clicks(connection, rows)
        except statements.constraint_errors(connection):
            ordered = _unknown(ordered)
            if not ordered:
                return 0
            rows = _judged(connection, ordered)
            statements.insert_clicks(connection, rows)
        _count(connection, rows)
        _tell(ordered, rows)
    return len(rows)


def in_turn(before: Collection[str]) -> str:
    """What an opening by a person is beside others with the same visitor key: `before` holds
    'person' if one was counted within `REPEAT_WINDOW`, 'head' or 'probe' within the `SCAN_WINDOW`
    before it. Programs and speculative loads take nothing from a person."""
    if "person" in before:
        return "repeat"
    return "scanner" if "head" in before or "probe" in before else "person"


class _Visitor:
    """What is known of one visitor key around some openings; instants in order."""

    __slots__ = ("asked", "counted")

    def __init__(self) -> None:
        self.counted: list[int] = []
        self.asked: list[int] = []

    def note(self, verdict: str, at: int) -> None:
        if verdict == "person":
            bisect.insort(self.counted, at)
        elif verdict in ("head", "probe"):
            bisect.insort(self.asked, at)

    def around(self, at: int) -> list[str]:
        """What speaks about an opening at this instant, as `in_turn` wants it."""
        found = []
        if counted := self.counted:
            place = bisect.bisect_left(counted, at)
            beside = counted[max(place - 1, 0) : place + 1]
            if any(abs(at - other) < _REPEAT for other in beside):
                found.append("person")
        if self.asked:
            place = bisect.bisect_right(self.asked, at)
            if place and at - self.asked[place - 1] < _SCAN:
                found.append("head")
        return found


def _judged(connection: Connection, openings: Sequence[Opening]) -> list[Row]:
    """The openings (in the order of time) with their final verdicts. What is stored already
    speaks as well, also where it is later: a line may be read late, and what was counted stays
    counted, so a visitor counts once within ten seconds whatever the order."""
    people = [opening for opening in openings if opening.verdict == "person"]
    visitors = {opening.visitor_key[:_FIGURES]: _Visitor() for opening in people}
    keys = {key for opening in people for key in _kept_around(opening)}
    after, before = openings[0].at - _REPEAT, openings[-1].at + _REPEAT
    for stored, at, verdict in statements.seen(connection, keys, after, before):
        visitors[stored[4:]].note(verdict, at)
    rows = []
    for at, click_id, link_id, _, verdict, key in openings:
        if (visitor := visitors.get(key[:_FIGURES])) is not None:
            if verdict == "person":
                verdict = in_turn(visitor.around(at))  # noqa: PLW2901
            visitor.note(verdict, at)
        kept_key = kept(at, key) if verdict in _SPEAKING else None
        rows.append(Row(at, click_id, link_id, verdict, kept_key))
    return rows


_FIGURES = 16


def kept(at: int, visitor_key: str) -> str:
    """A visitor key as it is stored: a quarter of it tells visitors of the same seconds apart,
    and behind a number for its ten minutes it stands in the index beside others of its time, so
    that storing an opening touches as few pages after a billion as after the first."""
    return f"{at // _SPAN & 0xFFFF:04x}{visitor_key[:_FIGURES]}"


def _kept_around(opening: Opening) -> tuple[str, ...]:
    """As what a repeat of this opening may be stored."""
    at, key = opening.at, opening.visitor_key
    early, late = kept(at - _REPEAT, key), kept(at + _REPEAT, key)
    return (early,) if early == late else (early, late)


def _unknown(openings: Sequence[Opening]) -> list[Opening]:
    """Those that are not stored, each once. Only a spool that came back from elsewhere holds
    openings that are."""
    by_id = {uuid.UUID(bytes=opening.click_id): opening for opening in openings}
    ids = list(by_id)
    for start in range(0, len(ids), 1_000):
        part = select(Click.id).where(Click.id.in_(ids[start : start + 1_000]))
        for click_id in db.session.scalars(part):
            by_id.pop(click_id, None)
    return sorted(by_id.values())


def _count(connection: Connection, rows: Sequence[Row]) -> None:
    hours = Counter([(link_id, at - at % _HOUR, verdict) for at, _, link_id, verdict, _ in rows])
    last = {(link_id, verdict): at for at, _, link_id, verdict, _ in rows}
    totals: Counter[tuple[bytes, str]] = Counter()
    for (link_id, _, verdict), count in hours.items():
        totals[link_id, verdict] += count
    statements.add_totals(
        connection, [Total(*key, count, last[key]) for key, count in totals.items()]
    )
    statements.add_hours(connection, [Hour(*key, count) for key, count in hours.items()])


def _tell(openings: Sequence[Opening], rows: Sequence[Row]) -> None:
    """One fact for each post that people came by, however many they were."""
    since: dict[bytes, int] = {}
    for opening, row in zip(openings, rows, strict=True):
        if opening.share_id != spool.NOBODY and row.verdict == "person":
            since.setdefault(opening.share_id, opening.at)
    outbox.record_each(
        "share.visited",
        [
            {
                "share_id": str(uuid.UUID(bytes=share_id)),
                "since": (_EPOCH + at * _MICROSECOND).isoformat(),
            }
            for share_id, at in since.items()
        ],
    )
