"""Values that strangers wrote: text, HTML, addresses, dates, amounts and JSON.

Every function here is total: whatever comes in, either a clean value comes out or `None`
("we could not tell", never a guess). Only `read_json` raises, and only `UnreadableJson`.
The rules follow section 3 (importers) and section 2, point 6 (receivers) of our notes on
applicant tracking systems.
"""

from __future__ import annotations

import html
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias
from urllib.parse import urljoin, urlsplit

import nh3

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

TITLE_LIMIT: Final = 300
"""Characters of a title or of any other one-line value."""
BODY_LIMIT: Final = 200_000
"""Bytes (UTF-8) of a description, after cleaning."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- one-line text ---------------------------------------------------------------------

# Bidirectional controls can make a title read backwards; invisible characters hide words
# from a search or from a moderator. U+E0000-E007F are the "tag" characters.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_EMOJI: Final = "\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
# U+200D joins the parts of one emoji (a person and a laptop): there, and only there, it stays.
_STRAY_JOINER: Final = re.compile(f"(?<![{_EMOJI}])\u200d|\u200d(?![{_EMOJI}])")
# Non-breaking spaces are not folded: French puts them before its colons on purpose.
_SPACES: Final = re.compile("[ \t\n\r\u2028\u2029]+")
_EXTENDERS: Final = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")
_FLAG_HALF: Final = re.compile("[\U0001f1e6-\U0001f1ff]")


def clean_text(value: str, limit: int = TITLE_LIMIT) -> str:
    """One line of NFC text without controls and invisible characters, at most `limit` long.

    `limit` counts characters; the cut never separates a letter from its accents nor the
    parts of an emoji.
    """
    line = _SPACES.sub(" ", _visible(value)).strip()
    return _cut(line, limit).strip()


def fold(value: str) -> str:
    """The bare words of a text, for comparing: no case, no accents, no punctuation."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", value) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare.casefold()))


def _visible(value: str) -> str:
    """NFC text without invisible characters; lines and tabs stay."""
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", value))
    return unicodedata.normalize("NFC", _STRAY_JOINER.sub("", visible))


def _cut(text: str, limit: int) -> str:
    """The beginning of `text`, at most `limit` characters, ending between two characters."""
    if len(text) <= limit:
        return text
    end = limit
    while end > 0 and _inside_character(text, end):
        end -= 1
    return text[: end or limit]


def _inside_character(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` would break what a reader sees as one character."""
    if _EXTENDERS.match(text[at]) or text[at - 1] == "\u200d":
        return True
    if unicodedata.category(text[at]).startswith("M"):
        return True
    return bool(_FLAG_HALF.match(text[at])) and _flag_halves_before(text, at) % 2 == 1


def _flag_halves_before(text: str, at: int) -> int:
    """How many regional indicators (two make a flag) stand right before `text[at]`."""
    count = 0
    while count < at and _FLAG_HALF.match(text[at - count - 1]):
        count += 1
    return count


# --- HTML ------------------------------------------------------------------------------

_BLOCKS: Final = _words("blockquote br h2 h3 h4 h5 h6 hr li ol p pre ul")
_TAGS: Final = _BLOCKS | _words("a b code em i strong u")
_TAG_LIMIT: Final = 5_000
_UNFINISHED: Final = re.compile(r"(<[^<>]*|&[#\w]*)\Z")
# HTML reopens unclosed formatting elements in every following block, once for each different
# set of attributes: 200 kB of crafted <font id=…> grow to gigabytes in the parser and end the
# process. Without attributes the standard keeps three of a kind at most.
_FORMATTING: Final = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/][^>]*(?:>|\Z)", re.IGNORECASE
)
_HEADING_1: Final = re.compile(r"<(/?)h1(?=[\s/>])", re.IGNORECASE)
_ANY_TAG: Final = re.compile(r"<[^>]*>")


def clean_html(
    value: str, *, escaped: bool = False, base: str | None = None, limit: int = BODY_LIMIT
) -> str:
    """HTML that is safe to show: a short list of tags, links to http(s) and mailto only.

    `escaped` is for feeds whose HTML arrives entity-escaped (Greenhouse): it is unescaped
    once, and once more if it still begins with `&lt;`. `base` resolves relative links;
    without it they lose their address. `limit` caps the result, in bytes of UTF-8; beyond
    5,000 tags the rest is cut too. Pictures are dropped: a public page of ours asks no
    other host for anything. A first-level heading becomes a second-level one, because the
    page has its own.
    """
    source = _cut_html(_visible(_unescape(value) if escaped else value), limit)
    cleaned = _sanitise(source, _TAGS, base)
    while (size := len(cleaned.encode())) > limit:
        source = _cut_html(source, len(source.encode()) * limit * 19 // (size * 20))
        cleaned = _sanitise(source, _TAGS, base)
    return cleaned


def html_to_text(value: str) -> str:
    """The words of an HTML text, one line a block, entities decoded."""
    marked = _sanitise(_cut_html(_visible(value), BODY_LIMIT), _BLOCKS, None)
    text = html.unescape(_ANY_TAG.sub("\n", marked))
    lines = (" ".join(line.split()) for line in _visible(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _unescape(value: str) -> str:
    once = html.unescape(value)
    return html.unescape(once) if once.lstrip().startswith("&lt;") else once


def _cut_html(source: str, limit: int) -> str:
    """The beginning of an HTML text: `limit` bytes and 5,000 tags at most, no half tag."""
    parts = source.split("<", _TAG_LIMIT + 1)
    few = "<".join(parts[: _TAG_LIMIT + 1])
    if len(few) == len(source) and len(source.encode()) <= limit:
        return source
    return _UNFINISHED.sub("", few.encode()[:limit].decode(errors="ignore"))


def _sanitise(source: str, tags: frozenset[str], base: str | None) -> str:
    """`source` through nh3, then again without what entities can bring back in.

    U+0338 goes: NFC makes one character of it and a `>` before it, which would undo a tag
    whenever somebody normalises the page.
    """
    bounded = _HEADING_1.sub(r"<\1h2", _FORMATTING.sub(r"<\1>", source))
    cleaned = nh3.clean(
        bounded,
        tags=set(tags),
        clean_content_tags={"script", "style", "iframe", "noscript", "template", "title"},
        attributes={"a": {"href"}},
        attribute_filter=_link_filter(base),
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return _visible(cleaned.replace("\u0338", ""))


def _link_filter(base: str | None) -> Callable[[str, str, str], str | None]:
    def keep(_tag: str, name: str, value: str) -> str | None:
        untouched = name != "href" or value.startswith("mailto:")
        return value if untouched else safe_url(value, base)

    return keep


# --- addresses, dates, amounts ---------------------------------------------------------

_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"\u200d\u2028\u2029]")
_URL_LIMIT: Final = 2_000


def safe_url(value: str, base: str | None = None) -> str | None:
    """An absolute http or https address, or None.

    A relative one is resolved against `base`. Addresses with a user name, a space, a
    backslash or invisible characters are refused rather than repaired: they are how one
    host is made to look like another.
    """
    address = value.strip(" \t\r\n")
    if not address or len(address) > _URL_LIMIT:
        return None
    if _NOT_IN_URL.search(address) or _INVISIBLE.search(address):
        return None
    try:
        absolute = urljoin(base, address) if base else address
        parts = urlsplit(absolute)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        return None
    return absolute if usable and "@" not in parts.netloc else None


_EPOCH: Final = re.compile(r"[0-9]{9,13}(\.[0-9]{1,6})?")
_ISO: Final = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.,]+( ?UTC|Z|[+-][0-9:]+)?)?", re.IGNORECASE
)
_RFC_822: Final = re.compile(
    r"([A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{5,8} ([A-Z]{1,4}|[+-][0-9]{4})"
)
_FRENCH: Final = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?:[ T]([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2}))?)?"
)
_FIRST_MILLISECOND: Final = 10**11
"""Epoch numbers above this are milliseconds (in seconds it would be the year 5138)."""


def parse_date(value: Json, *, day_first: bool = False) -> datetime | None:
    """A moment in UTC, aware, or None when the value is not surely one.

    Taken: ISO 8601 with or without offset (without: UTC), epoch seconds or milliseconds
    from 1973 on, RFC 822, `YYYY-MM-DD HH:MM:SS UTC` (Recruitee) and, where `day_first` is
    set (French CSV), `DD/MM/YYYY` with an optional time.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    readers: list[Callable[[str], datetime | None]] = [_from_epoch]
    if isinstance(value, str):
        readers += [_from_iso, _from_rfc_822, *([_from_french] if day_first else [])]
    try:
        text = str(value).strip()
        found = next((moment for read in readers if (moment := read(text))), None)
        return found and _in_utc(found)
    except (ValueError, OverflowError, OSError):
        return None


def parse_day(value: Json) -> date | None:
    """The date of a `YYYY-MM-DD` text (a time behind it is ignored), or None."""
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])", value):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _in_utc(moment: datetime) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _from_iso(text: str) -> datetime | None:
    if not _ISO.fullmatch(text):
        return None
    return datetime.fromisoformat(text.upper().removesuffix("UTC").rstrip())


def _from_epoch(text: str) -> datetime | None:
    if not _EPOCH.fullmatch(text):
        return None
    number = float(text)
    return datetime.fromtimestamp(number / 1000 if number > _FIRST_MILLISECOND else number, UTC)


def _from_rfc_822(text: str) -> datetime | None:
    return parsedate_to_datetime(text) if _RFC_822.fullmatch(text) else None


def _from_french(text: str) -> datetime | None:
    found = _FRENCH.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


_GROUPED: Final = re.compile(
    r"(?P<whole>[1-9][0-9]{0,2}(?P<mark>[ .,'’])[0-9]{3}(?:(?P=mark)[0-9]{3})*)"
    r"(?:(?!(?P=mark))[.,](?P<decimals>[0-9]+))?"
)
_PLAIN: Final = re.compile(r"(?P<whole>[0-9]+)(?:[.,](?P<decimals>[0-9]+))?")
_CURRENCY: Final = re.compile(r"€|£|\$|(?:eur|euros?|gbp|usd|chf|cad)\b", re.IGNORECASE)


def parse_decimal(value: str) -> Decimal | None:
    """An amount of money as French or English spreadsheets write it, or None.

    `42 000,00`, `42.000,00`, `42,000.00`, `12,10`, `38 k€`. A lone comma or point before
    exactly three digits separates thousands: no pay has three decimals. Negative amounts,
    exponents and ranges are not amounts.
    """
    bare = " ".join(_CURRENCY.sub("", value).split())
    thousands = bare[-1:] in {"k", "K"}
    bare = bare[:-1].rstrip() if thousands else bare
    found = _GROUPED.fullmatch(bare) or _PLAIN.fullmatch(bare)
    if not found or len(bare) > 30:
        return None
    whole = re.sub("[^0-9]", "", found["whole"])
    amount = Decimal(f"{whole}.{found['decimals'] or 0}")
    return amount * 1000 if thousands else amount


# --- language --------------------------------------------------------------------------

_FRENCH_WORDS: Final = _words(
    """au aux avec ce ces cette chez dans de des du elle en est et être la le les leur mais
    nos notre nous ou où par pas plus pour que qui sa sans se ses son sont sous sur un une
    vos votre vous équipe poste métier chargé chargée conseiller responsable vente
    stage alternance cdi cdd candidature salaire recherche développeur développeuse"""
)
_ENGLISH_WORDS: Final = _words(
    """a an and are as at be by can for from have in is it join of on or our that the their
    this to we will with work you your about role team remote senior junior engineer
    manager permanent customer success sales developer head speaking skills experience"""
)
_FRENCH_MARKS: Final = re.compile(r"\b[hf] ?/ ?[hf]\b|[éèêëàâçîïôûùœ·]", re.IGNORECASE)


def detect_language(text: str) -> str | None:
    """`fr`, `en`, or None when the words do not tell.

    Counts everyday words and French letters in the first 4,000 characters: cheap, and good
    enough for a default that an administrator can correct.
    """
    sample = text[:4_000]
    words = re.findall(r"[^\W\d_]+", sample.casefold())
    french = sum(word in _FRENCH_WORDS for word in words) + len(_FRENCH_MARKS.findall(sample))
    english = sum(word in _ENGLISH_WORDS for word in words)
    if french == english:
        return None
    return "fr" if french > english else "en"


# --- JSON ------------------------------------------------------------------------------

_DEPTH_LIMIT: Final = 64
_DIGIT_LIMIT: Final = 64
_CUT_VALUES: Final = ("true", "false", "null", "-", ".", "e+", "e-", "E+", "E-")


class UnreadableJson(Exception):
    """The bytes are not JSON that we accept; `code` says why, `truncated` if they break off.

    Codes: `empty`, `not-utf8`, `not-json`, `duplicate-key`, `not-a-number`,
    `too-many-digits`, `too-deep`.
    """

    def __init__(self, code: str, *, truncated: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.truncated = truncated


def read_json(data: bytes) -> Json:
    """Strict JSON: UTF-8 only, no NaN or Infinity, no repeated key, bounded depth and digits.

    Raises `UnreadableJson`, nothing else.
    """
    text = _utf8(data)
    try:
        value: Json = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short_int,
            object_pairs_hook=_without_repeats,
        )
    except json.JSONDecodeError as error:
        raise UnreadableJson("not-json", truncated=_breaks_off(text, error)) from None
    except RecursionError:
        raise UnreadableJson("too-deep") from None
    _check_depth(value)
    return value


def as_object(value: Json) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Json) -> list[JsonObject]:
    """The objects of a list; other members, and anything but a list, are passed over."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_text(value: Json, limit: int = TITLE_LIMIT) -> str | None:
    """The value as one clean line if it is a text with something in it."""
    return (clean_text(value, limit) or None) if isinstance(value, str) else None


def as_id(value: Json) -> str | None:
    """An identifier as text: `1` and `"1"` are the same one."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 256:
        return str(value)
    return as_text(value, 200)


def _utf8(data: bytes) -> str:
    if not data.strip():
        raise UnreadableJson("empty")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        truncated = error.end == len(data) and "end of data" in error.reason
        raise UnreadableJson("not-utf8", truncated=truncated) from None


def _breaks_off(text: str, error: json.JSONDecodeError) -> bool:
    """Whether the text stops in the middle, rather than being wrong somewhere."""
    rest = text[error.pos :].rstrip()
    if error.msg.startswith("Extra data"):
        return False
    if error.msg.startswith("Invalid \\u"):
        return len(rest) < 6
    cut_value = any(word.startswith(rest) for word in _CUT_VALUES)
    return cut_value or error.msg.startswith("Unterminated")


def _check_depth(value: Json) -> None:
    """Level by level, so that the check itself cannot recurse."""
    level: list[Json] = [value]
    for _ in range(_DEPTH_LIMIT):
        level = [child for node in level for child in _containers(node)]
        if not level:
            return
    raise UnreadableJson("too-deep")


def _containers(node: Json) -> Iterable[Json]:
    children: Iterable[Json] = ()
    if isinstance(node, dict):
        children = node.values()
    elif isinstance(node, list):
        children = node
    return (child for child in children if isinstance(child, dict | list))


def _refuse_constant(_name: str) -> Json:
    raise UnreadableJson("not-a-number")


def _finite(text: str) -> float:
    """A float that is one: `1e999` is valid JSON and becomes infinity."""
    if len(text) > _DIGIT_LIMIT:
        raise UnreadableJson("too-many-digits")
    number = float(text)
    if math.isinf(number):
        raise UnreadableJson("not-a-number")
    return number


def _short_int(text: str) -> int:
    if len(text) > _DIGIT_LIMIT:
        raise UnreadableJson("too-many-digits")
    return int(text)


def _without_repeats(pairs: list[tuple[str, Json]]) -> JsonObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise UnreadableJson("duplicate-key")
    return result
