"""Markdown that strangers wrote: shown as text, or as one of a few tags."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

from app.web.markdown import LONGEST, blocks, to_html

ALLOWED = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "ul",
}  # fmt: skip


class Reader(HTMLParser):
    """What a browser finds in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_it_writes_the_usual_forms() -> None:
    text = "# One\n\nA *soft* and **strong** [page](/rights).\n\n- a\n- b\n\n> said\n\n3. c\n"
    assert to_html(text) == (
        "<h2>One</h2>\n<p>A <em>soft</em> and <strong>strong</strong> "
        '<a href="/rights" rel="noopener noreferrer nofollow">page</a>.</p>\n'
        "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<blockquote>\n<p>said</p>\n</blockquote>\n"
        '<ol start="3">\n<li>c</li>\n</ol>\n'
    )


@pytest.mark.parametrize(("heading", "levels"), [(2, "2223"), (3, "3333"), (4, "4444")])
def test_it_starts_its_headings_where_the_page_wants(heading: int, levels: str) -> None:
    html = to_html("# a\n\n## b\n\n# c\n\n### d", heading=heading)
    assert "".join(re.findall(r"<h([1-6])>", html)) == levels


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\\script:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](\\\\evil.example)",
    "[x](/\\evil.example)",
    "[x](https://halvenne.example@evil.example)",
    "[x](<https://a b>)",
    "[x](http://[::1)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    "```html\n<script>alert(1)</script>\n```",
    "`<b onclick=alert(1)>`",
    "[ref]\n\n[ref]: javascript:alert(1)",
    "<svg><style><!--</style><img src=x onerror=alert(1)>-->",
    "<!-- --!><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "a\x00<scr\x00ipt>",
    "<b\u0338 onclick=alert(1)>",
    "\u202e<script>",
    "<form action=https://evil.example><input name=password>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>",
]


@pytest.mark.parametrize("around", ["%s", "> %s", "- %s", "# %s", "**%s**", "[a %s b](/rights)"])
@pytest.mark.parametrize("text", HOSTILE)
def test_it_lets_nothing_act(text: str, around: str) -> None:
    found = Reader(to_html(around % text))
    for tag, attributes in found.tags:
        assert tag in ALLOWED
        assert set(attributes) <= {"href", "title", "rel", "start"}
        href = attributes.get("href")
        assert href is None or re.match(r"https?://[a-z.]+($|/|\?)|mailto:|/(?!/|\\)|#", href)
    assert not [tag for tag, _ in found.tags if tag == "img"]


def test_a_picture_is_read_as_its_words() -> None:
    assert to_html("![a *blue* <b> boat](https://x.example/b.png)") == (
        "<p>a blue &lt;b&gt; boat</p>\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * LONGEST, "![" * LONGEST, "[a](" * LONGEST, ">" * LONGEST, "*a " * LONGEST,
        "**a *b" * LONGEST, "`" * LONGEST, "- " * LONGEST, "<" * LONGEST, "&#0;" * LONGEST,
        "a\\\n" * LONGEST, "[a]: b\n" * LONGEST, "# " * LONGEST, "> a\n" * LONGEST, "_" * LONGEST,
        "".join("`" * n + " " for n in range(1, 800)), "".join(" " * n + "- a\n" for n in range(400)),
    ],
    ids=range(17),
)  # fmt: skip
def test_it_reads_the_largest_texts_quickly(text: str) -> None:
    begun = time.process_time()
    to_html(text)
    blocks(text)
    assert time.process_time() - begun < 5


def test_it_reads_no_more_than_its_limit() -> None:
    assert "end" not in to_html("x" * LONGEST + " end")


def test_it_tells_paragraphs_apart() -> None:
    text = "# A *b*\n\nHi [l](/x) `c`\nthere\n\n- one\n- two\n\n  more\n\n```\nx\n```\n\n![p](/q)"
    assert [tuple(block) for block in blocks(text)] == [
        ("heading", "A b"), ("text", "Hi l (/x) c there"), ("item", "one"), ("item", "two"),
        ("item", "more"), ("code", "x"), ("text", "p"),
    ]  # fmt: skip
