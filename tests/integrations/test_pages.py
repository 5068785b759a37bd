"""What a page of a stranger says of itself.

The tables were written before the code that decides (`app.integrations.pages`): what is read
from each page, or the code with which it is refused. Texts come out as texts: what looks like
HTML in them stays words, to be escaped by whoever prints them; what would turn a line around
or hide in it goes.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import socket
import time
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest

from app.integrations import fetching, pages
from app.integrations.fetching import FetchFailed
from app.integrations.pages import PageFacts
from tests.integrations import strangers
from tests.integrations.strangers import Answer, Stranger, answer, moved
from tests.media import hostile

MB = 1024 * 1024


def html(head: str, body: str = "", charset: str = "utf-8") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode(charset)


def page(head: str, body: str = "") -> bytes:
    return answer(html(head, body))


def og(name: str, content: str) -> str:
    return f'<meta property="og:{name}" content="{content}">'


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as folder:
        folder.writestr("page.html", html("<title>Zipped</title>"))
    return out.getvalue()


FULL = (
    '<meta charset="utf-8"><title>Le titre de la page</title>'
    '<meta name="description" content="La description de la page">'
    + og("title", "Un chantier d&#39;hiver &amp; sa grue")
    + og("description", "À Lorient, l’équipe reprend.")
    + og("site_name", "Le Journal")
    + og("image", "/photos/grue.jpg?w=1200&amp;h=627")
    + '<meta name="twitter:title" content="Pas celui-ci">'
)
READ: dict[str, tuple[Answer, tuple[str, str, str, str | None] | None]] = {
    # title, description, name of the site, path of the picture or its whole address
    "everything said": (
        page(FULL),
        ("Un chantier d'hiver & sa grue", "À Lorient, l’équipe reprend.", "Le Journal",
         "/photos/grue.jpg?w=1200&h=627")),
    "a title and a description": (
        page('<title>Simple</title><META NAME="Description" CONTENT="Words">'),
        ("Simple", "Words", "", None)),
    "twitter only": (
        page('<meta name="twitter:title" content="T"><meta name="twitter:description" content="D">'
             '<meta property="twitter:image" content="https://cdn.example/t.png">'),
        ("T", "D", "", "https://cdn.example/t.png")),
    "names and properties mixed up": (
        page('<meta name="og:title" content="N"><meta property="description" content="P">'),
        ("N", "P", "", None)),
    "an empty title before a full one": (
        page(og("title", "  ") + "<title>The real one</title>"), ("The real one", "", "", None)),
    "json-ld": (
        page('<script type="application/ld+json">'
             + json.dumps({"@graph": [{"@type": "WebSite"}, {"headline": "From the data"}]})
             + "</script>"),
        ("From the data", "", "", None)),
    "json-ld beside a title": (
        page('<title>Title</title><script type="application/ld+json">{"headline": "No"}</script>'),
        ("Title", "", "", None)),
    "json-ld that is none": (
        page('<script type="application/ld+json">{"headline": "x"</script>'), ("", "", "", None)),
    "json-ld without a bottom": (
        page('<script type="application/ld+json">' + "[" * 50_000 + "</script>"),
        ("", "", "", None)),
    "a title inside a drawing": (
        page("<title>Page</title>", "<svg><title>Icon</title></svg>"), ("Page", "", "", None)),
    "nothing at all": (answer(b""), ("", "", "", None)),
    "words without tags": (answer(b"just words"), ("", "", "", None)),
    "xhtml": (
        answer(b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head>'
               b"<title>X</title></head></html>", "application/xhtml+xml"),
        ("X", "", "", None)),
    # letters
    "latin-1 by its header": (
        answer(html("<title>Été à Noël</title>", charset="latin-1"), "text/html; charset=ISO-8859-1"),
        ("Été à Noël", "", "", None)),
    "windows quotes called latin-1": (
        answer("<title>L’été – 5 €</title>".encode("cp1252"), 'text/html; charset="iso-8859-1"'),
        ("L’été – 5 €", "", "", None)),
    "windows-1252 by its meta": (
        answer(html('<meta charset=windows-1252><title>5 €</title>', charset="cp1252"), "text/html"),
        ("5 €", "", "", None)),
    "an old way to say it": (
        answer(html('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15">'
                    "<title>5 €</title>", charset="iso-8859-15"), "text/html"),
        ("5 €", "", "", None)),
    "utf-16 by its mark": (
        answer("\ufeff<title>Été</title>".encode("utf-16-le"), "text/html; charset=utf-8"),
        ("Été", "", "", None)),
    "a mark against the header": (
        answer("\ufeff<title>Été</title>".encode(), "text/html; charset=iso-8859-1"),
        ("Été", "", "", None)),
    "japanese": (
        answer("<title>日本語</title>".encode("shift_jis"), "text/html; charset=Shift_JIS"),
        ("日本語", "", "", None)),
    "nothing said, utf-8": (answer("<title>Été</title>".encode(), "text/html"), ("Été", "", "", None)),
    "nothing said, latin-1": (
        answer("<title>Été</title>".encode("latin-1"), "text/html"), ("Été", "", "", None)),
    "utf-8 that is not": (
        answer("<title>Été ici</title>".encode("latin-1")), ("\ufffdt\ufffd ici", "", "", None)),
    "a charset nobody knows": (
        answer("<title>Été</title>".encode(), "text/html; charset=klingon"), ("Été", "", "", None)),
    "a charset that hides tags": (
        answer(b"<title>+ADw-script+AD4-</title>", "text/html; charset=utf-7"),
        ("+ADw-script+AD4-", "", "", None)),
    "a codec that is no charset": (
        answer(b"<title>3c7363726970743e</title>", "text/html; charset=hex"),
        ("3c7363726970743e", "", "", None)),
    # words that would be more
    "a title that ends its own element": (
        page(og("title", "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;")),
        ("</title><script>alert(1)</script>", "", "", None)),
    "a title that turns the line around": (
        page(og("title", "Pay \u202egpj.exe\u202c \u2066now\u2069\u200f")),
        ("Pay gpj.exe now", "", "", None)),
    "a title with what nobody sees": (
        page(og("title", "Pa\u200bss\u00ad\u2060word&#0;\x07\ufeff")), ("Password\ufffd", "", "", None)),
    "a family and a flag": (
        page(og("title", "👩‍💻 en 🇫🇷")), ("👩‍💻 en 🇫🇷", "", "", None)),
    "a title over several lines": (
        page("<title>\n\t One \r\n\n two\u2028 three  </title>"), ("One two three", "", "", None)),
    "10,000 characters": (
        page(og("title", "é" * 10_000) + og("description", "d" * 10_000) + og("site_name", "s" * 10_000)),
        ("é" * 300, "d" * 600, "s" * 120, None)),
    "a title behind a hundred thousand spaces": (
        page("<title>" + " " * 100_000 + "There</title>"), ("There", "", "", None)),
    "a heap of accents": (
        page("<title>a" + "\u0316\u0301" * 100_000 + "</title>"),
        None),
    # pictures
    "a picture of the same scheme": (
        page(og("image", "//cdn.example/p.jpg")), ("", "", "", "http://cdn.example/p.jpg")),
    "a secure picture first": (
        page(og("image", "http://cdn.example/p.jpg") + og("image:secure_url", "https://cdn.example/s.jpg")),
        ("", "", "", "https://cdn.example/s.jpg")),
    "the first of two": (
        page(og("image", "https://cdn.example/1.jpg") + og("image", "https://cdn.example/2.jpg")),
        ("", "", "", "https://cdn.example/1.jpg")),
    "a picture with a space": (
        page(og("image", " https://cdn.example/my photo.jpg ")),
        ("", "", "", "https://cdn.example/my%20photo.jpg")),
    "a picture that is a script": (page(og("image", "javascript:alert(1)")), ("", "", "", None)),
    "a picture that is itself": (page(og("image", "data:image/png;base64,AAAA")), ("", "", "", None)),
    "a picture on this disk": (page(og("image", "file:///etc/passwd")), ("", "", "", None)),
    "a picture behind a password": (page(og("image", "https://a:b@cdn.example/p.jpg")), ("", "", "", None)),
    "a picture nowhere": (page(og("image", "https://[::1/p.jpg")), ("", "", "", None)),
    "a picture with a tail": (page(og("image", "https://cdn.example/" + "p" * 5000)), ("", "", "", None)),
    "a bad picture before a good one": (
        page(og("image", "javascript:1") + '<meta name="twitter:image" content="/ok.png">'),
        ("", "", "", "/ok.png")),
    # size and shape
    "10 MB of page": (
        answer(html("<title>Long</title>", "<p>more</p>" * MB)), ("Long", "", "", None)),
    "a page without end": (
        lambda talk: _endless(talk), ("Endless", "", "", None)),
    "64 MB packed into 64 kB": (
        answer(gzip.compress(html("<title>Packed</title>") + b" " * 64 * MB), Content_Encoding="gzip"),
        ("Packed", "", "", None)),
    "a hundred thousand elements deep": (
        page("<title>Deep</title>", "<div>" * 100_000), ("Deep", "", "", None)),
    "a hundred thousand attributes": (
        page("<title>Wide</title><meta " + " ".join(f"a{n}=1" for n in range(50_000)) + ">"),
        ("Wide", "", "", None)),
    "formatting that grows with every paragraph": (
        page("<title>Font</title>", "".join(f"<font id={n}>" for n in range(20_000)) + "<p>" * 100_000),
        ("Font", "", "", None)),
    "tags that never end": (
        page("<title>Open</title>", "<meta content=\"" * 30_000), ("Open", "", "", None)),
    "tags that never begin to end": (
        page("<title>Open</title>", "<meta a=b " * 30_000 + "<!-- " * 30_000 + "= " * 30_000),
        ("Open", "", "", None)),
    "a title in a comment, in a script and in a value": (
        page("<!-- <title>No</title> --><script>'<title>No</title>'</script>"
             "<meta content='<title>No</title>' name=x><style><title>No</title></style>"
             "<title>Yes &lt;3</title>"),
        ("Yes <3", "", "", None)),
    "values with every quotation mark": (
        page("<meta property='og:title' content='a \"b\" > c'><meta content=bare property=og:site_name>"
             "<meta name=description content = \"it's /> fine\" />"),
        ('a "b" > c', "it's /> fine", "bare", None)),
    "twenty thousand titles": (page(og("title", "x") * 20_000), ("x", "", "", None)),
}  # fmt: skip

REFUSED: dict[str, tuple[Answer, str]] = {
    "a picture": (answer(hostile.jpeg(), "image/jpeg"), "wrong-type"),
    "a picture that says it is a page": (answer(hostile.png()), "wrong-type"),
    "a photograph that says it is a page": (answer(hostile.jpeg()), "wrong-type"),
    "a film that says it is a page": (answer(hostile.box(b"isom")), "wrong-type"),
    "a folder that says it is a page": (answer(_zip()), "wrong-type"),
    "a document that says it is a page": (answer(hostile.PDF), "wrong-type"),
    "a packed page that says it is not packed": (answer(gzip.compress(html("x"))), "wrong-type"),
    "a page that says it is a document": (answer(html("<title>x</title>"), "application/pdf"), "wrong-type"),
    "a page that says nothing": (answer(html("<title>x</title>"), None), "wrong-type"),
    "a page that says it is text": (answer(html("<title>x</title>"), "text/plain"), "wrong-type"),
    "no page": (answer(status="404 Not Found"), "unreachable"),
    "our own machine": (moved("http://127.0.0.1:1/"), "refused-address"),
    "the metadata of a cloud": (moved("http://169.254.169.254/latest/"), "refused-address"),
    "itself, for ever": (moved("/page"), "unreachable"),
}  # fmt: skip

PICTURES: dict[str, tuple[Answer, str | None]] = {
    "a photograph": (answer(hostile.jpeg(), "image/jpeg"), None),
    "a drawing": (answer(hostile.png(), "Image/PNG"), None),
    "a webp": (answer(hostile.saved(hostile.scene(), "WEBP"), "image/webp; x=y"), None),
    "a page that says it is a picture": (answer(html("<title>x</title>"), "image/jpeg"), "wrong-type"),
    "a folder that says it is a picture": (answer(_zip(), "image/png"), "wrong-type"),
    "nothing that says it is a picture": (answer(b"", "image/png"), "wrong-type"),
    "a picture that says it is a page": (answer(hostile.jpeg()), "wrong-type"),
    "a vector drawing": (answer(hostile.SVG, "image/svg+xml"), "wrong-type"),
    "a picture of 21 MB": (answer(hostile.jpeg() + bytes(21 * MB), "image/jpeg"), "too-large"),
    "a picture of 21 MB, packed": (
        answer(gzip.compress(hostile.jpeg() + bytes(21 * MB)), "image/jpeg", Content_Encoding="gzip"),
        "too-large"),
    "no picture": (answer(status="404 Not Found"), "unreachable"),
    "a picture of our own machine": (moved("http://localhost:1/logo.png"), "refused-address"),
}  # fmt: skip


def _endless(talk: socket.socket) -> None:
    talk.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + html("<title>Endless</title>")
    )
    while True:
        talk.sendall(b"<p>and more</p>" * 10_000)


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with strangers.serving() as found:
        yield found


@pytest.fixture(autouse=True)
def internet(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    """127.0.0.2 is the public internet."""
    monkeypatch.setattr(fetching, "PUBLIC", strangers.policy())
    stranger.answers.clear()
    return stranger


@pytest.mark.parametrize("name", READ)
def test_it_reads(internet: Stranger, name: str) -> None:
    what, expected = READ[name]
    url = internet.says(what)
    began = time.monotonic()
    found = pages.read_page(url)
    assert time.monotonic() - began < 3
    if expected is None:
        assert found.title.startswith("á") and len(found.title) <= 300
        return
    title, description, site_name, picture = expected
    if picture is not None and picture.startswith("/"):
        picture = internet.address + picture
    assert found == PageFacts(url, title, description, site_name, picture)


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_to_read(internet: Stranger, name: str) -> None:
    what, code = REFUSED[name]
    with strangers.connections() as begun, pytest.raises(FetchFailed) as caught:
        pages.read_page(internet.says(what))
    assert caught.value.code == code
    assert set(begun) == {"127.0.0.2"}


@pytest.mark.parametrize("name", PICTURES)
def test_it_fetches_pictures_only(internet: Stranger, name: str) -> None:
    what, code = PICTURES[name]
    url = internet.says(what)
    if code is None:
        assert isinstance(what, bytes)
        assert pages.fetch_picture(url) == what.partition(b"\r\n\r\n")[2]
        return
    with pytest.raises(FetchFailed) as caught:
        pages.fetch_picture(url)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://localhost/", "file:///etc/passwd", ""]
)
def test_it_reads_public_https_only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.undo()
    for act in (pages.read_page, pages.fetch_picture):
        with strangers.connections() as begun, pytest.raises(FetchFailed) as caught:
            act(url)
        assert caught.value.code == "refused-address"
        assert begun == []


def test_it_names_the_address_it_ended_at(internet: Stranger) -> None:
    internet.says(page("<title>Here</title>" + og("image", "p.jpg")), "/new/here")
    found = pages.read_page(internet.says(moved("/new/here", "301 Moved Permanently"), "/old"))
    assert found.url == f"{internet.address}/new/here"
    assert found.picture_url == f"{internet.address}/new/p.jpg"


def test_it_gives_a_page_eight_seconds_and_a_picture_ten(
    internet: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (pages.PAGE_SECONDS, pages.PICTURE_SECONDS) == (8.0, 10.0)
    monkeypatch.setattr(pages, "PAGE_SECONDS", 0.3)
    monkeypatch.setattr(pages, "PICTURE_SECONDS", 0.3)

    def drip(talk: socket.socket) -> None:
        talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            time.sleep(0.02)
            talk.sendall(b"<")

    url = internet.says(drip)
    for act in (pages.read_page, pages.fetch_picture):
        began = time.monotonic()
        with pytest.raises(FetchFailed) as caught:
            act(url)
        assert caught.value.code == ("too-slow" if act is pages.read_page else "wrong-type")
        assert time.monotonic() - began < 2


def test_it_reads_a_large_page_in_little_memory(internet: Stranger) -> None:
    url = internet.says(READ["64 MB packed into 64 kB"][0])
    tracemalloc.start()
    try:
        pages.read_page(url)
        assert tracemalloc.get_traced_memory()[1] < 12 * MB
    finally:
        tracemalloc.stop()


def test_it_reads_any_megabyte_in_little_time(internet: Stranger) -> None:
    """Pieces of markup in a random order, 8 pages of 1 MB."""
    chance = random.Random(11)
    parts = (
        "<div>", "<p>", "<font id=%d>", "<meta %d ", "content='", '"', ">", "<!--", "-->", "<script>",
        "</script>", "<title>", "=", " ", "&#%d;", "<svg>", "</", "<a href=%d>", "<table><td>", "\u0301",
    )  # fmt: skip
    for _ in range(8):
        few = [part.replace("%d", str(n)) for n in range(9) for part in chance.sample(parts, 6)]
        text = "".join(chance.choice(few) for _ in range(200_000))
        began = time.monotonic()
        pages.read_page(internet.says(answer(b"<p>hello " + text.encode())))
        assert time.monotonic() - began < 2
