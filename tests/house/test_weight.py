"""A page's first load stays small on a phone: all that it needs but its pictures, as sent."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from app import outbox
from app.referrals import candidates, links
from tests.conftest import House
from tests.library.conftest import Desk

MOST = 150_000
"""Bytes: the page, its styles, scripts, fonts, signs and manifest."""

PARAGRAPH = (
    "Lundi, six heures : la grue attend déjà. **Trente-huit mètres** de lamellé-collé "
    "traversent le chantier, et personne ne parle. *On regarde le ciel, puis la charge.* "
)
BODY = "\n\n".join(
    [
        *[PARAGRAPH * 4] * 5,
        "> Une charpente, on la pose avec les mains et avec la patience.",
        "## Et après",
    ]
)
VOICE = "Literata"
FACE = re.compile(r"@font-face\s*\{([^}]*)\}")
BROWSER = {
    "Accept-Encoding": "br, gzip", "User-Agent": "Mozilla/5.0 Firefox/140.0",
    "Accept-Language": "fr", "Sec-Fetch-Site": "none",
}  # fmt: skip


@dataclass
class Load:
    """What a browser fetches for one page, without pictures: bytes by address."""

    client: FlaskClient
    page: LexborHTMLParser = field(init=False)
    sent: dict[str, int] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)

    def open(self, path: str) -> Load:
        self.page = LexborHTMLParser(self.fetch(path))
        for node in self.page.css("script[src]"):
            self.fetch(node.attributes["src"])
        for node in self.page.css("use[href]"):
            self.fetch(str(node.attributes["href"]).split("#")[0])
        for node in self.page.css("link[href]"):
            self.follow(str(node.attributes.get("rel")), str(node.attributes["href"]))
        for style, text in list(self.styles.items()):
            for address in self.fonts(text):
                self.fetch(urljoin(style, address))
        return self

    def follow(self, rel: str, href: str) -> None:
        """What the browser fetches by itself: no alternate, canonical or next page."""
        if rel == "stylesheet":
            self.styles[href] = self.fetch(href)
        elif rel in ("preload", "modulepreload", "icon", "manifest"):
            self.fetch(href)

    def fetch(self, address: str | None) -> str:
        assert address and address.startswith("/"), f"{address} is fetched from elsewhere"
        if address in self.sent:
            return ""
        answer = self.client.get(address, headers=BROWSER)
        assert answer.status_code == 200, address
        self.sent[address] = len(answer.get_data())
        return unpacked(answer.get_data(), answer.headers.get("Content-Encoding"))

    def fonts(self, style: str) -> Iterator[str]:
        """The files of the faces that the page's letters and classes call for."""
        letters = set(self.page.body.text()) if self.page.body else set()
        for face in FACE.findall(style):
            source = re.search(r'url\("([^"]+)"\)', face)
            if source and letters & letters_of(face) and self.is_used(face):
                yield source[1]

    def is_used(self, face: str) -> bool:
        """The house's two faces always; the voice's where it speaks, leaning where it leans."""
        if VOICE not in face:
            return True
        if not self.holds("--face-voice"):
            return False
        if "italic" not in face:
            return True
        if "font-weight: 400;" not in face:
            return (
                self.page.css_first(":is(b, strong) :is(em, i), :is(em, i) :is(b, strong)")
                is not None
            )
        return self.page.css_first("em, i, cite, dfn") is not None or self.holds(
            "font-style: italic"
        )

    def holds(self, sign: str) -> bool:
        """Whether the page holds something that a rule with `sign` is about."""
        found = {name for style in self.styles.values() for name in bearers(style, sign)}
        return any(self.page.css_first(name) is not None for name in found)

    @property
    def weight(self) -> int:
        return sum(self.sent.values())


def unpacked(body: bytes, coding: str | None) -> str:
    if coding == "br":
        import brotli

        body = brotli.decompress(body)
    else:
        assert coding is None
    return body.decode("utf-8", "replace")


def letters_of(face: str) -> set[str]:
    """The letters that a face says it has."""
    given = re.search(r"unicode-range:([^;]+)", face)
    assert given, "a face without a range is loaded by every page"
    found: set[str] = set()
    for span in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", given[1]):
        found |= {chr(n) for n in range(int(span[0], 16), int(span[1] or span[0], 16) + 1)}
    return found


def bearers(style: str, sign: str) -> set[str]:
    """The classes whose rules, or rules nested in them, hold `sign`; rather too many."""
    found: set[str] = set()
    opened: list[str] = []
    bare = re.sub(r"/\*.*?\*/", "", FACE.sub("", style), flags=re.DOTALL)
    for part in re.findall(r"[^{};]*[{};]", bare):
        if part.endswith("{"):
            opened.append(part)
        elif sign in part and not part.strip().startswith("--"):
            named = [name for name in opened if re.search(r"\.[a-z]", name)]
            found |= {*re.findall(r"\.[a-z][\w-]*", named[-1])} if named else {"*"}
        if part.endswith("}"):
            opened.pop()
    return found


@pytest.fixture
def pages(house: House) -> dict[str, tuple[FlaskClient, str]]:
    """Every kind of page that somebody may land on, as full as a busy month makes it."""
    desk = Desk(house)
    maelle = house.person("Maëlle Kerjan", language="fr")
    stories = [_story(desk, number) for number in range(12)]
    offers = [_offer(house, number) for number in range(12)]
    referrals = [house.referral(maelle, offer, language="fr") for offer in offers]
    outbox.drain()
    member, visitor = house.browser(maelle), house.app.test_client()
    row = desk.row(stories[0])
    code = links.link_for(maelle.id, offers[0], "link").code
    public_offer = visitor.get(f"/r/{code}", headers=BROWSER).headers["Location"]
    return {
        "today": (member, "/"),
        "library": (member, "/library"),
        "story": (member, f"/library/{row.id}"),
        "offer": (member, f"/offers/{offers[0]}"),
        "play": (member, "/play"),
        "public story": (visitor, f"/s/{row.slug}?lang=fr"),
        "public offer": (visitor, public_offer),
        "candidate": (visitor, f"/c/{candidates.private_token(referrals[0])}"),
    }


def _story(desk: Desk, number: int) -> uuid.UUID:
    return desk.story(
        picture_id=desk.picture(), title=f"Trente-huit mètres, acte {number}", body=BODY,
        topics=["Chantiers"], captions=["Tout tient.", "Pas un boulon."], alt="Une halle en bois.",
    )  # fmt: skip


def _offer(house: House, number: int) -> uuid.UUID:
    return house.offer(f"Conduite de travaux {number}", description=(PARAGRAPH * 4 + "\n\n") * 5)


@pytest.mark.parametrize(
    "name",
    ["today", "library", "story", "offer", "play", "public story", "public offer", "candidate"],
)
def test_a_first_load_is_small(
    pages: dict[str, tuple[FlaskClient, str]], name: str, record_property: Callable[..., None]
) -> None:
    load = Load(pages[name][0]).open(pages[name][1])
    record_property("bytes", load.weight)
    heaviest = sorted(load.sent.items(), key=lambda file: -file[1])
    assert load.weight <= MOST, (load.weight, heaviest)
    assert sum("woff2" in address for address in load.sent) >= 2
    assert sum("/css/" in address for address in load.sent) >= 4
