"""Text that people write in Markdown, as HTML that is safe to show.

CommonMark without raw HTML and without pictures (a page of ours asks no other host for
anything), then a short list of tags through nh3: two walls, so that a hole in one is not a
hole in the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

LONGEST: Final = 50_000
"""Characters that are read; what is beyond is not shown. Features set lower limits."""

_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_REL: Final = "noopener noreferrer nofollow"
_BREAKS_OUT: Final = re.compile(r"[\x00-\x20\x7f\\]")
_DEEPEST_HEADING: Final = 6
# A NUL never comes out of the parser, so it may mark where an address ends.
_LINK: Final = re.compile("\0([^\0]*)\0([^\0]*)\0")


def _alt_only(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    """A picture is read as the words that stand for it."""
    words = renderer.renderInlineAsText(tokens[at].children, options, env)
    return str(Markup.escape(words))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.disable(["html_block", "html_inline"])
    parser.add_render_rule("image", _alt_only)
    return parser


_MARKDOWN: Final = _parser()


def _safe_link(_tag: str, name: str, value: str) -> str | None:
    """http, https and mailto addresses and pages of ours; never one that hides its host."""
    if name != "href":
        return value
    if _BREAKS_OUT.search(value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if parts.scheme in ("http", "https"):
        return value if parts.hostname and "@" not in parts.netloc else None
    ours = value.startswith(("/", "#")) and not value.startswith("//")
    return value if ours or parts.scheme == "mailto" else None


def to_html(text: str, *, heading: int = 2) -> Markup:
    """`text` as safe HTML for a template. Its headings start at level `heading`: the page has
    its own above them, so `#` and `##` both become `<h2>` where `heading` is 2."""
    tokens = _MARKDOWN.parse(text[:LONGEST])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(max(int(token.tag[1:]), heading), _DEEPEST_HEADING)}"
    written = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    cleaned = nh3.clean(
        written,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_safe_link,
        url_schemes={"http", "https", "mailto"},
        link_rel=_REL,
    )
    return Markup(cleaned)  # nosec B704


class Block(NamedTuple):
    """A paragraph as plain words. `kind`: 'heading', 'item' (of a list), 'text' or 'code'.
    An address stands in brackets behind the words it was under."""

    kind: str
    words: str


def blocks(text: str) -> list[Block]:
    """The paragraphs of a text, headings and list items included, in reading order."""
    found: list[Block] = []
    items, heading = 0, False
    for token in _MARKDOWN.parse(text[:LONGEST]):
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        heading = token.type == "heading_open" or (heading and token.type == "inline")
        if token.type == "inline":
            kind = "heading" if heading else ("item" if items else "text")
            found.append(Block(kind, _words(token.children or [])))
        elif token.type in ("fence", "code_block"):
            found.append(Block("code", token.content.strip()))
    return [block for block in found if block.words]


def _words(children: Sequence[Token]) -> str:
    parts: list[str] = []
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "link_open":
            parts.append(f"\0{child.attrGet('href') or ''}\0")
        elif child.type == "link_close":
            parts.append("\0")
        else:
            parts.append(child.content)
    return _LINK.sub(r"\2 (\1)", "".join(parts)).strip()
