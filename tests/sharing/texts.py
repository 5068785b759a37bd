"""Texts as people type them, and whether members read on LinkedIn what the preview promised.

Each text is put together from pieces, and each piece says itself what of it must be read: that
was written down by hand, not worked out by the code under test. A text is previewed, pressed,
carried by the whole worker, read by the stand-in's own reader, and asked for through the API.

`check(house, standin, seed, count)` tells one seed; the suite takes a slice, `make soak` twenty
seeds of fifty.
"""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from app.db import db
from app.errors import InvalidInput
from app.integrations.linkedin.little import MAX_UNITS
from app.people.models import Person
from app.sharing import publisher, service
from app.sharing.service import Wish
from standin.linkedin import Remote
from tests.conftest import House
from tests.sharing import kit

MEMBERS, CAP = 10, 25
FIRST_LINE = "Je travaille chez Halvenne."


class Piece(NamedTuple):
    """What is typed, and what of it everybody reads."""

    typed: str
    read: str


def _same(*texts: str) -> tuple[Piece, ...]:
    return tuple(Piece(text, text) for text in texts)


RESERVED = "|{}@[]()<>#\\*_~"

PIECES: dict[str, tuple[Piece, ...]] = {
    "words": _same("chantier", "Le gymnase tient", "100 %", "« trait »", "l’équipe", "Œuvre", "ß",
                   "a & b", "c'est « ça » ; non ?", "-–—", "…", "`code`", "$5 ^ 2", "\"q\""),
    "emoji": _same("🎉", "👩🏽‍🔧", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇫🇷🇯🇵", "👍🏿", "❤️", "☺︎", "1️⃣", "#️⃣", "*️⃣",
                   "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "🧑🏻‍❤️‍💋‍🧑🏾", "🇫"),
    "brackets": _same("(vraiment)", "[plan](https://ex.example/a)", "{|}", "<b>gras</b>", "<3", ")(", "]]",
                      "((a)", "{hashtag|\\#|bois}", "@[Halvenne](urn:li:organization:1234)",
                      "@[Ana B](urn:li:person:abc_D-1)", "<script>alert(1)</script>", "{{7*7}}"),
    "hashes": _same("#bois", "#2026", "#2026_plan", "#_", "#__", "#a_b_c", "mot#tag", "été#bois", "e\u0301#bois",
                    "##bois", "#bois#acier", "#bois-acier", "&#39;", "&#bois", "# bois", "#", "#élan", "#木材",
                    "#Ⅷ", "#٣", "#1a", "#a1", "C#", "_#bois", "\\#bois", "#bois\\", "#खाना", "#ไม้", "#🎉"),
    "mentions": _same("@Limoges", "@", "@@", "@[x", "jean@halvenne.example", "@[A](urn:li:person:)", "@_moi_",
                      "@{x}", "@(x)", "@Jean Dupont"),
    "addresses": _same("https://ex.example/a_b~c?d=#e", "http://ex.example/(a)_[b]/{c}?q=*|~#_x", "www.ex.example/a_b#c",
                       "halvenne.example/récits_été/#x_1", "https://ex.example/@a/#!/b", "ftp://a_b", "a_b.example",
                       "https://fr.wikipedia.org/wiki/Pont_(ouvrage)#Types", "mailto:a_b@c.example", "HTTPS://EX.EXAMPLE/#A",
                       "https://ex.example/\\x", "ex.example", "1.2.3/4#5", "x.y/#z"),
    "escapes": _same("\\", "\\\\", "\\o/", "\\#", "\\(", "C:\\temp\\x", "*gras*", "_ital_", "~non~", "a\\_b", "\\n",
                     "|a|b|", *RESERVED),
    "marks": _same("e\u0301", "o\u0302\u0323", "Z\u0351\u036b\u0343", "ñ", "n\u0303",
                   "\u0e01\u0e34", "क्षि", "한", "\u1112\u1161\u11ab",
                   "a\u0301#bois", "#e\u0301te\u0301", "x\u20dd"),
    "right to left": _same("שלום", "مرحبا بالعالم", "#שלום_1", "(שלום)", "abc שלום (x) 12", "\u200fשלום\u200f",
                           "\u200eabc\u200e", "#مرحبا", "مرحبا#bois", "می‌خواهم"),
    "line ends": (Piece("a\r\nb", "a\nb"), Piece("a\rb", "a\nb"), Piece("a\nb", "a\nb"), Piece("a\n\r\n\rb", "a\n\n\nb"),
                  Piece("a\u2028b", "a\nb"), Piece("a\u2029b", "a\nb"), Piece("a\x0bb", "a\nb"), Piece("a\x0cb", "a\nb"),
                  Piece("a\x85b", "a\nb"), Piece("a\n\n\n\nb", "a\n\n\n\nb"), Piece("a \n b", "a \n b"), Piece("a\tb", "a\tb"),
                  Piece("a\n#bois\nb", "a\n#bois\nb"), Piece("a\u00a0b\u202fc\u2003d", "a\u00a0b\u202fc\u2003d")),
    "unseen": (Piece("ab\u200bcd", "abcd"), Piece("#bo\u200bis", "#bois"), Piece("a\u2060b", "ab"), Piece("a\ufeffb", "ab"),
               Piece("co\u00adopte", "coopte"), Piece("a\u202eb\u202cc", "abc"), Piece("a\u2066b\u2069c", "abc"),
               Piece("x\U000e0041\U000e0042y", "xy"), Piece("a\x00b", "ab"), Piece("a\x1bb\x7fc", "abc"),
               Piece("a\ud800b", "ab"), Piece("a\udc00\ud800b", "ab"), Piece("\ufffea\uffffb", "ab"), Piece("a\u3164b", "ab"),
               Piece("a\u200cb", "a\u200cb"), Piece("a\u200db", "a\u200db"), Piece("#\u200bbois", "#bois"),
               Piece("\u200b#bois", "#bois"), Piece("mot\u200b#tag", "mot#tag"), Piece("\\\u200b#x", "\\#x"),
               Piece("@\u200b[A](urn:li:person:a)", "@[A](urn:li:person:a)")),
}  # fmt: skip
JOINTS = ("", " ", " ", "\n", "\n\n", ", ", "(", ")", "_", "#", "\\")
EDGES = (Piece("", ""), Piece("  \r\n\t", ""), Piece("\u200b\n", ""), Piece("\u00a0", ""))
FILLERS = ("é", "#", "\\", "🎉", "a", " b", "_", "\n-")


@dataclass(frozen=True, slots=True)
class Text:
    """One text; `disclosure` is what stands before it and `first` what of that is read."""

    typed: str
    read: str
    disclosure: str | None
    disclosure_words: str
    first: str
    families: frozenset[str]

    @property
    def post(self) -> str:
        """What must be read on the network."""
        return f"{self.first}\n\n{self.read}" if self.first else self.read


@dataclass
class Report:
    """What was told of one seed."""

    seed: int
    texts: int = 0
    equal: int = 0
    longest: int = 0
    too_long: int = 0
    families: Counter[str] | None = None

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count}" for name, count in sorted((self.families or {}).items()))
        return (
            f"{self.equal} of {self.texts} texts read as previewed, the longest of {self.longest} "
            f"units, {self.too_long} one unit too long refused ({told})"
        )


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def _any_sign(chance: random.Random) -> str:
    """Some assigned letter, mark, number, sign of punctuation or symbol of Unicode."""
    while True:
        sign = chr(chance.randrange(0x21, 0x32000))
        if unicodedata.category(sign)[0] in "LMNPS" and sign not in "\u3164\uffa0\ufffc":
            return sign


def _piece(chance: random.Random, families: set[str]) -> Piece:
    if chance.random() < 0.08:
        signs = "".join(_any_sign(chance) for _ in range(chance.randint(1, 6)))
        families.add("any sign")
        return Piece(signs, signs)
    family = chance.choice(tuple(PIECES))
    families.add(family)
    return chance.choice(PIECES[family])


def _joined(chance: random.Random, families: set[str], enough: Callable[[str], bool]) -> Piece:
    typed = read = ""
    while not enough(read):
        piece, joint = _piece(chance, families), chance.choice(JOINTS)
        typed, read = typed + piece.typed + joint, read + piece.read + joint
    return Piece(typed, read)


def _disclosure(chance: random.Random) -> tuple[str | None, str, str]:
    """What is asked for, the member's own words, and what is read of it."""
    how = chance.randrange(3)
    if how == 0:
        return None, "", FIRST_LINE
    if how == 1:
        return "none", "", ""
    plain = [
        piece
        for name in ("brackets", "hashes", "mentions", "escapes", "emoji")
        for piece in PIECES[name]
    ]
    words = " ".join(chance.choice(plain).typed for _ in range(3))
    own = " ".join(f"Salariée {words}".split())[:150].strip()
    return "own", own, own


def text(chance: random.Random, name: str) -> Text:
    """One text. `name` ends it, so that no two are alike; one in five is of 2,900 to 3,000
    units, and half of those have exactly as many as are allowed."""
    disclosure, words, first = _disclosure(chance)
    room = MAX_UNITS - (units(first) + 2 if first else 0)
    families: set[str] = set()
    is_long = chance.random() < 0.2
    if is_long:
        body = _joined(chance, families, lambda read: units(read) > room - 220)
        body = _filled(
            chance, body, name, room if chance.random() < 0.5 else room - chance.randrange(100)
        )
    else:
        length = chance.choice((1, 4, 12, 40))
        parts = [_joined(chance, families, bool) for _ in range(length)]
        body = Piece("".join(p.typed for p in parts), "".join(p.read for p in parts))
    edge = chance.choice(EDGES)
    # A mark of its own at both ends: what stands between is nobody's white space to strip.
    typed, read = f"{edge.typed}«{body.typed}{name}{edge.typed}", f"«{body.read}{name}"
    return Text(typed, read, disclosure, words, first, frozenset(families))


def _filled(chance: random.Random, body: Piece, name: str, wanted: int) -> Piece:
    """Fillers up to so many units, the opening mark and the name counted."""
    typed, read = body
    while (missing := wanted - units(f"«{read}{name}")) > 0:
        filler = chance.choice([f for f in FILLERS if units(f) <= missing])
        typed, read = typed + filler, read + filler
    return Piece(typed, read)


def texts(seed: int, count: int) -> list[Text]:
    """The texts of one seed."""
    chance = random.Random(seed)
    return [text(chance, f" n° {seed}.{number}") for number in range(count)]


# --- through the product -----------------------------------------------------------------


def check(house: House, standin: Remote, seed: int, count: int) -> Report:
    """Preview, press, publish and read so many texts; raises `AssertionError` with the seed."""
    report = Report(seed, families=Counter())
    service.set_daily_cap(CAP)
    people = [kit.member(house, f"Personne {n}") for n in range(min(MEMBERS, count))]
    story_id = kit.story(house)
    given = texts(seed, count)
    pressed: list[tuple[Text, Person, uuid.UUID]] = []
    for number, one in enumerate(given):
        person = people[number % len(people)]
        pressed.append((one, person, _press(person, story_id, one, f"seed {seed}, text {number}")))
        report.too_long += _refuses_one_more(person, story_id, one)
    db.session.remove()
    while publisher.publish_due():
        pass
    shown = {post["urn"]: post for post in standin.posts()}
    told = {person.id: _mine(house, person) for person in people}
    for number, (one, person, share_id) in enumerate(pressed):
        _judge(one, told[person.id][str(share_id)], shown, f"seed {seed}, text {number}: {one!r}")
        report.texts += 1
        report.equal += 1
        report.longest = max(report.longest, units(one.post))
        report.families.update(one.families)  # type: ignore[union-attr]
    assert len(shown) == count, f"seed {seed}: {len(shown)} posts of {count} texts"
    return report


def _wish(story_id: uuid.UUID, one: Text, more: str = "") -> Wish:
    return Wish(
        story_id=story_id, words=one.typed.rstrip() + more if more else one.typed,
        disclosure=one.disclosure, disclosure_words=one.disclosure_words,
    )  # fmt: skip


def _press(person: Person, story_id: uuid.UUID, one: Text, which: str) -> uuid.UUID:
    """The preview is what was written down by hand; then the press."""
    preview = service.draft_of(person, _wish(story_id, one)).composition
    assert preview.post_text == one.post, (
        f"{which}: preview {preview.post_text!r}, wanted {one.post!r}"
    )
    assert preview.words == one.read and preview.shown + preview.folded == one.post, which
    assert preview.units == units(one.post) and not preview.is_too_long, which
    share = service.press(person.id, _wish(story_id, one))
    assert share.post_text == preview.post_text, which
    return share.id


def _refuses_one_more(person: Person, story_id: uuid.UUID, one: Text) -> int:
    """A text that fills the room is refused with one unit more."""
    if units(one.post) < MAX_UNITS:
        return 0
    wish = _wish(story_id, one, more="x")
    assert service.draft_of(person, wish).composition.is_too_long
    with pytest.raises(InvalidInput):
        service.press(person.id, wish)
    return 1


def _mine(house: House, person: Person) -> dict[str, dict[str, str]]:
    """A member's posts as the API tells them."""
    page = house.caller(db.session.get_one(Person, person.id)).get("/shares?limit=200")
    return {item["id"]: item for item in page["items"]}


def _judge(
    one: Text, told: dict[str, str], shown: dict[str, dict[str, object]], which: str
) -> None:
    assert told["status"] == "published", f"{which}: {told['status']} {told['error']}"
    assert told["text"] == one.read and told["post_text"] == one.post, f"{which}: API {told!r}"
    post = shown[told["post_urn"]]
    assert post["cut"] is False, f"{which}: cut, {post['text']!r}"
    assert post["text"] == one.post, f"{which}: members read {post['text']!r}"
