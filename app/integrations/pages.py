"""What a page says of itself, for the preview of a link.

The first megabyte is read, as HTML and nothing else, by whatever letters it claims to be
written in. Only the elements that speak of the page are handed to the parser: from a whole
page that means harm, any parser that follows the standard builds gigabytes of tree, or walks
up a hundred thousand open elements for each new one. Texts come out as plain words on one
line; whoever prints them escapes them.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from app.integrations import fetching
from app.integrations.fetching import FetchFailed
from app.integrations.text import Json, UnreadableJson, clean_text, read_json, safe_url
from app.media import drawing

PAGE_BYTES: Final = 1024 * 1024
PAGE_SECONDS: Final = 8.0
PICTURE_SECONDS: Final = 10.0
TITLE_LIMIT: Final = 300
DESCRIPTION_LIMIT: Final = 600
SITE_LIMIT: Final = 120

_PURPOSE: Final = "link preview"
_PAGES: Final = ("text/html", "application/xhtml+xml")
_PICTURES: Final = (
    "image/jpeg", "image/png", "image/webp", "image/gif", "image/jpg", "image/pjpeg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page says: at most 300, 600 and 120 characters, '' where it says nothing. `url` is
    where it is, after redirects; `picture_url` is absolute, http or https, and was not tried."""

    url: str
    title: str
    description: str
    site_name: str
    picture_url: str | None


def read_page(url: str) -> PageFacts:
    """Read a public https page, within 8 seconds. Raises `FetchFailed`, nothing else."""
    found = fetching.get(
        url, max_bytes=PAGE_BYTES, seconds=PAGE_SECONDS, accept=_PAGES, truncate=True,
        purpose=_PURPOSE,
    )  # fmt: skip
    encoding = _encoding(found.body, found.content_type)
    if _is_binary(found.body, encoding):
        raise FetchFailed("wrong-type")
    pieces = list(_pieces(found.body.decode(encoding, "replace")))
    says = _metas(pieces)
    return PageFacts(
        url=found.url,
        title=_first(_titles(pieces, says), TITLE_LIMIT),
        description=_first(_said(says, _DESCRIPTIONS), DESCRIPTION_LIMIT),
        site_name=_first(_said(says, ("og:site_name",)), SITE_LIMIT),
        picture_url=_picture(says, found.url),
    )


def fetch_picture(url: str) -> bytes:
    """A picture at a public https address: at most 20 MB, within 10 seconds, and not yet
    trusted. Raises `FetchFailed`, nothing else."""
    body = fetching.get(
        url, max_bytes=drawing.MAX_BYTES, seconds=PICTURE_SECONDS, accept=_PICTURES,
        purpose=_PURPOSE,
    ).body  # fmt: skip
    if drawing.kind_of(body) is None:
        raise FetchFailed("wrong-type")
    return body


# --- the elements that speak of the page ---------------------------------------------------

# Every branch ends at the end of the text too, so nothing is ever read twice.
_TAG: Final = re.compile(
    r"""<!--.*?(?:-->|\Z)
    | <(?P<name>/?[a-z][^\s/>]*+)
      (?P<rest>(?: =\s*+(?: "[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) ) | [^>] )*+) (?:>|\Z)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# What stands in these is text, whatever it looks like.
_ENDS: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("title", "script", "style", "textarea", "iframe", "noembed", "noframes", "xmp")
}
_TAG_LIMIT: Final = 16_384
_TEXT_LIMIT: Final = 262_144
_PIECES: Final = 500
_DATA: Final = "application/ld+json"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A meta, title or JSON-LD script element: its name, its start tag, the text inside."""

    name: str
    tag: str
    text: str = ""


def _pieces(page: str) -> Iterable[_Piece]:
    """The elements that matter, in their order; what is longer than anybody needs is left out."""
    at = count = 0
    while count < _PIECES and (found := _TAG.search(page, at)):
        at = found.end()
        name = (found["name"] or "").lower()
        text = ""
        if name in _ENDS:
            end = _ENDS[name].search(page, at)
            text = page[at : end.start() if end else len(page)]
            at = end.end() if end else len(page)
        matters = name in ("meta", "title") or (name == "script" and _DATA in found[0].lower())
        if matters and len(found[0]) <= _TAG_LIMIT:
            count += 1
            yield _Piece(name, found[0], text)


def _metas(pieces: Iterable[_Piece]) -> dict[str, list[str]]:
    """What the page's meta elements say, by lower-case name, in their order."""
    tags = "".join(piece.tag for piece in pieces if piece.name == "meta")[:_TEXT_LIMIT]
    says: dict[str, list[str]] = {}
    for node in LexborHTMLParser(tags).css("meta[content]"):
        given = node.attributes
        name = (given.get("property") or given.get("name") or "").strip().lower()
        content = given.get("content") or ""
        if name and content.strip():
            says.setdefault(name, []).append(content)
    return says


# --- what they say -------------------------------------------------------------------------

_DESCRIPTIONS: Final = ("og:description", "twitter:description", "description")
_PICTURE_NAMES: Final = (
    "og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src",
)  # fmt: skip
_SPACES: Final = re.compile(r"[ \t\r\n\f\v\u2028\u2029]+")
_LONG_LINE: Final = 4000


def _said(says: Mapping[str, list[str]], names: Iterable[str]) -> Iterable[str]:
    return (content for name in names for content in says.get(name, ()))


def _titles(pieces: Iterable[_Piece], says: Mapping[str, list[str]]) -> Iterable[str]:
    """Every title the page gives itself, the best first."""
    yield from _said(says, ("og:title", "twitter:title"))
    title = next((piece.text for piece in pieces if piece.name == "title"), "")
    yield html.unescape(_short(title))
    for piece in pieces:
        if piece.name == "script":
            yield from _headlines(_json(piece.text))


def _json(text: str) -> Json:
    """JSON-LD, or None."""
    try:
        return read_json(text.encode("utf-8", "replace"))
    except UnreadableJson:
        return None


def _headlines(data: Json) -> Iterable[str]:
    """The headlines of a thing, of a list of things, or of the graph of one."""
    for thing in data if isinstance(data, list) else [data]:
        if isinstance(thing, dict):
            graph = thing.get("@graph")
            for part in [thing, *(graph if isinstance(graph, list) else [])]:
                headline = part.get("headline") if isinstance(part, dict) else None
                if isinstance(headline, str):
                    yield headline


def _first(texts: Iterable[str], limit: int) -> str:
    """The first text with something in it, as one clean line."""
    return next((line for text in texts if (line := _line(text, limit))), "")


def _line(text: str, limit: int) -> str:
    return clean_text(_short(text), limit)


def _short(text: str) -> str:
    """One line, cut well before it is cleaned: sorting a heap of accents takes the square of
    its length."""
    return _SPACES.sub(" ", text).strip()[:_LONG_LINE]


def _picture(says: Mapping[str, list[str]], base: str) -> str | None:
    for address in _said(says, _PICTURE_NAMES):
        found = safe_url(address.strip().replace(" ", "%20"), base)
        if found is not None:
            return found
    return None


# --- letters -------------------------------------------------------------------------------

_LABELS: Final[Mapping[str, str]] = {
    label: codec
    for codec, labels in {
        "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
        "cp1252": "windows-1252 cp1252 iso-8859-1 iso8859-1 iso88591 latin1 l1 ascii us-ascii",
        "iso8859-2": "iso-8859-2 latin2", "iso8859-3": "iso-8859-3", "iso8859-4": "iso-8859-4",
        "iso8859-5": "iso-8859-5", "iso8859-6": "iso-8859-6", "iso8859-7": "iso-8859-7",
        "iso8859-8": "iso-8859-8", "iso8859-10": "iso-8859-10", "iso8859-13": "iso-8859-13",
        "iso8859-14": "iso-8859-14", "iso8859-15": "iso-8859-15 latin9 latin-9",
        "iso8859-16": "iso-8859-16", "cp1250": "windows-1250", "cp1251": "windows-1251",
        "cp1253": "windows-1253", "cp1254": "windows-1254 iso-8859-9", "cp1255": "windows-1255",
        "cp1256": "windows-1256", "cp1257": "windows-1257", "cp1258": "windows-1258",
        "cp874": "windows-874 tis-620 iso-8859-11", "koi8-r": "koi8-r", "koi8-u": "koi8-u",
        "mac-roman": "macintosh", "cp932": "shift_jis shift-jis sjis windows-31j",
        "euc_jp": "euc-jp", "iso2022_jp": "iso-2022-jp", "gb18030": "gb18030 gbk gb2312",
        "big5hkscs": "big5 big5-hkscs", "cp949": "euc-kr ks_c_5601-1987 windows-949",
        "utf-16-le": "utf-16 utf-16le", "utf-16-be": "utf-16be",
    }.items()
    for label in labels.split()
}  # fmt: skip
"""The charsets of the web (WHATWG, Encoding). Python knows more, and some of those turn harmless
bytes into tags or take for ever."""

_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META: Final = re.compile(rb"<meta\s[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_WITHIN: Final = 4096
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SNIFFED: Final = 1445
"""How far browsers look for bytes that no text holds (WHATWG, MIME Sniffing, 7.2)."""


def _encoding(body: bytes, content_type: str) -> str:
    """A mark at the beginning, else the header, else a meta element, else what fits."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding
    in_header = _CHARSET.search(content_type)
    known = _LABELS.get(in_header[1].lower()) if in_header else None
    if known:
        return known
    in_page = _META.search(body[:_META_WITHIN])
    known = _LABELS.get(in_page[1].decode("latin-1").lower()) if in_page else None
    if known:  # a page whose first bytes read as ASCII is not in UTF-16, whatever it says
        return "utf-8" if known.startswith("utf-16") else known
    return "utf-8" if _is_utf8(body) else "cp1252"


def _is_utf8(body: bytes) -> bool:
    """Whether it is, the last letter aside, which may have been cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return False
    return True


def _is_binary(body: bytes, encoding: str) -> bool:
    """Whether it is something else than text. A stray control character makes no picture."""
    if body.startswith((b"%PDF-", b"%!PS")):
        return True
    head = b"" if encoding.startswith("utf-16") else body[:_SNIFFED]
    return len(_BINARY.findall(head)) * 30 > len(head)
