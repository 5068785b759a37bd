"""Every mail looks right in the usual readers: both parts, sheets written into the tags, tables
where Outlook needs them, colours that every reader knows, dark and light, no picture."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import uuid
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import mail
from app.charters.queries import Acceptance
from app.library.queries import StoryCard
from app.referrals import letters as referral_letters
from app.rewards.queries import RedemptionRow
from app.sharing import letters as share_letters
from app.web.markdown import to_html
from tests.conftest import START, House

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
NAMES = sorted(path.stem for path in TEMPLATES.glob("*.html"))
LANGUAGES = ("fr", "en")
CLIPPED = 102_000
"""Bytes after which Gmail hides the rest of a message."""
NEW_TO_READERS = re.compile(
    r"display:\s*(?:flex|inline-flex|grid)|oklch\(|light-dark\(|color-mix\(|var\(|calc\(|clamp\("
    r"|position:\s*(?:absolute|fixed|sticky)|@import|@font-face|<script|<link|url\("
)
STANDS_ALONE = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source"}


# --- what each mail is given by the code that sends it ---------------------------------------

NOBODY = uuid.UUID(int=7)
PERSON = SimpleNamespace(given_name="Maëlle", name="Maëlle Kerjan")
TEXT = "# Charte\n\nVous parlez **en votre nom**.\n\n- Rien n’est attendu.\n- Rien n’est compté."
CARD = StoryCard(
    NOBODY, "halle", "article", "fr", "Trente-huit mètres, et pas un boulon",
    "Le gymnase tient par ses seuls assemblages <charpente & levage>.", "", 3, None, (), START, None,
)  # fmt: skip
REDEMPTION = RedemptionRow(
    id=NOBODY, status="fulfilled", cost=1_200, created_at=START, settled_at=START,
    settled_by=NOBODY, settled_by_name="Yann Le Goff", reward_id=NOBODY,
    title="Une demi-journée à l’atelier", pay_class="leave", person_id=uuid.UUID(int=8),
    person_name="Maëlle Kerjan", person_email="maelle@halvenne.example",
    person_site="Lorient", deliverer_id=NOBODY, deliverer_name="Yann Le Goff",
    deliverer_email="yann@halvenne.example",
)  # fmt: skip
ANSWER = Acceptance(
    NOBODY, NOBODY, 1, "accepted", NOBODY, 2, "fr", "Halvenne", "9f" * 32, "press", "page", None,
    None, "1", START, "",
)  # fmt: skip
REFERRAL = referral_letters.Letter(
    "Votre code : 481 502", "Votre code", ["Bonjour Nadia,", "Voici le code."],
    "https://halvenne.example/c/x", "Ouvrir la page", "Vous recevez ceci à votre demande.",
    "481 502", ["Il vaut dix minutes."],
)  # fmt: skip
SHARE = share_letters.Letter(
    "Partages suspendus", ("Deux de vos posts attendent.",), "/shares", "Voir mes posts",
    "Vous recevez ceci parce qu’il s’agit de vos posts.", "Une panne, nous revenons vite.",
    ("Rien n’est perdu.",),
)  # fmt: skip
LINK = "https://halvenne.example/join/" + "a" * 120

GIVEN: dict[str, dict[str, Any]] = {
    "approval": {
        "person": PERSON, "words": "Donner à Théo le rôle <« Administration »>, partout.",
        "outcome": "approved", "link": LINK,
    },
    "charter": {"person": PERSON, "answer": ANSWER, "text": TEXT, "html": to_html(TEXT), "link": LINK},
    "departure": {"person": PERSON, "words": ["Your sessions have ended."], "link": LINK},
    "last-day": {
        "person": PERSON, "words": ["Your sessions end."], "link": LINK, "last": START.date(),
    },
    "personal-address": {"person": PERSON, "link": LINK},
    "email-code": {"code": "482913"},
    "correction": {
        "person": PERSON, "what": "Prénom et nom", "is_done": False, "link": LINK,
        "reason": "Le service du personnel l’écrit ainsi, d’après <la pièce> remise.",
    },
    "join-request": {"person": PERSON, "link": LINK},
    "points-by-hand": {
        "person": PERSON, "amount": 25, "waived": False, "link": LINK,
        "words": "Idée <retenue> pour l’atelier.",
    },
    "invitation": {
        "person": PERSON, "link": LINK, "expires_at": START + dt.timedelta(days=30),
        "refusal_link": LINK,
        "unsubscribe_url": "https://halvenne.example/no-thanks/IjAxYTIw",
    },
    "password": {"person": PERSON, "link": LINK},
    "proposal": {
        "editor": PERSON, "author": PERSON, "words": "À raconter <vite>", "link": LINK,
        "url_proposed": "https://journal.example/" + "x" * 180,
    },
    "redemption-called-off": {"person": PERSON, "row": REDEMPTION, "link": LINK},
    "redemption-cancelled": {
        "person": PERSON, "row": REDEMPTION, "link": LINK, "why": str, "reason": "stock",
    },
    "redemption-delivered": {"person": PERSON, "row": REDEMPTION, "link": LINK},
    "redemption-to-deliver": {"person": PERSON, "row": REDEMPTION, "link": LINK},
    "referral": {"letter": REFERRAL},
    "share-ideas": {
        "given_name": "Maëlle", "stories": [(CARD, LINK), (CARD, LINK)],
        "settings_url": "https://halvenne.example/me#choices",
        "unsubscribe_url": "https://halvenne.example/unsubscribe/x",
    },
    "sign-in-changed": {
        "person": PERSON, "title": "Une clé d’accès a été ajoutée", "at": START, "link": LINK,
        "meaning": "Elle ouvre votre compte <sans mot de passe>.", "password_link": LINK,
    },
    "share-letter": {"letter": SHARE, "greeted": "Maëlle", "link": LINK},
    "welcome": {"person": PERSON, "link": LINK, "leave_link": "https://halvenne.example/me/leaving"},
}  # fmt: skip
AGREED_TO = {"invitation", "share-ideas"}
"""Sent because somebody asked for a kind of mail, not because of what they just did."""


# --- reading them --------------------------------------------------------------------------


@dataclass
class Tag:
    name: str
    attributes: dict[str, str]
    inside: tuple[str, ...]


class Page(HTMLParser):
    """Its tags, each with the names of those it stands in, and the words a reader sees."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(Tag(tag, given, tuple(self._open)))
        if tag not in STANDS_ALONE:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    def named(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    def of_class(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if name in tag.attributes.get("class", "").split()]


@dataclass
class Sent:
    message: EmailMessage
    html: str
    text: str
    page: Page


def send(house: House, name: str, language: str) -> Sent:
    """One mail as it leaves, with both its parts."""
    mail.send("maelle@halvenne.example", "Maëlle Kerjan", name, language, **GIVEN[name])
    folder = Path(house.app.extensions["portevoix"].data_dir) / "mail"
    (file,) = folder.glob("*.eml")
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]  # the last one is what a reader prefers
    text, html = (part.get_content() for part in message.iter_parts())
    return Sent(message, html, text, Page(html))


_kept: dict[tuple[str, str], Sent] = {}


@pytest.fixture(params=list(itertools.product(NAMES, LANGUAGES)), ids="-".join)
def sent(request: pytest.FixtureRequest) -> tuple[str, str, Sent]:
    """Each mail in each language; sent once, whoever looks at it."""
    name, language = request.param
    if (name, language) not in _kept:
        _kept[name, language] = send(request.getfixturevalue("house"), name, language)
    return name, language, _kept[name, language]


def test_each_template_is_sent_here_and_has_both_parts() -> None:
    assert sorted(GIVEN) == NAMES == sorted(path.stem for path in TEMPLATES.glob("*.txt"))


def test_a_mail_is_what_the_usual_readers_show(sent: tuple[str, str, Sent]) -> None:
    _name, language, mail_ = sent
    page, html = mail_.page, mail_.html
    assert page.named("html")[0].attributes["lang"] == language
    (article,) = [tag for tag in page.tags if tag.attributes.get("role") == "article"]
    assert article.attributes["lang"] == language  # web readers drop <html>
    assert mail_.message["Content-Language"] == language
    assert page.named("img") == []
    assert not NEW_TO_READERS.search(html), NEW_TO_READERS.search(html)
    assert len(html.encode()) < CLIPPED
    assert "{{" not in html and "{%" not in html and "None" not in "".join(page.words)


def test_its_sheets_are_written_into_its_tags(sent: tuple[str, str, Sent]) -> None:
    page = sent[2].page
    for name in ("p", "h1", "h2", "td", "a"):
        for tag in page.named(name):
            assert tag.attributes.get("style"), (name, tag.attributes)
    for tag in page.of_class("button"):
        style = tag.attributes["style"]
        assert "display: inline-block" in style and "padding: 12px 22px" in style
        assert re.search(r"color: #[0-9a-f]{6}", style)


def test_outlook_gets_tables_of_a_width(sent: tuple[str, str, Sent]) -> None:
    page, html = sent[2].page, sent[2].html
    for table in page.named("table"):
        assert table.attributes["role"] == "presentation"
        assert table.attributes["cellpadding"] == table.attributes["cellspacing"] == "0"
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->") == 3
    assert re.search(r'<!--\[if mso\]><table [^>]*width="600"', html)
    (sheet,) = page.of_class("sheet")
    assert "max-width: 600px" in sheet.attributes["style"]


def test_dark_and_light_are_both_said(sent: tuple[str, str, Sent]) -> None:
    page, html = sent[2].page, sent[2].html
    told = {tag.attributes.get("name"): tag.attributes.get("content") for tag in page.named("meta")}
    assert told["color-scheme"] == told["supported-color-schemes"] == "light dark"
    dark = html.partition("@media (prefers-color-scheme: dark)")[2].partition("</style>")[0]
    for rule in re.findall(r"[^{}]+:[^;{}]+;", dark):
        assert "!important" in rule, rule  # or what was written into the tag wins


def test_a_button_is_a_link_with_room_also_in_outlook(sent: tuple[str, str, Sent]) -> None:
    name, _language, mail_ = sent
    buttons = mail_.page.of_class("button")
    assert buttons or name in ("charter", "email-code")
    assert len(mail_.page.of_class("press-cell")) == len(buttons)
    for cell in mail_.page.of_class("press-cell"):
        assert re.search(r"background-color: #[0-9a-f]{6}", cell.attributes["style"])
        assert "mso-padding-alt: 12px 22px" in cell.attributes["style"]
    for link in mail_.page.named("a"):
        assert re.match(r"https?://\S+$", link.attributes["href"]), link


def test_the_list_of_mails_shows_words_of_its_own(sent: tuple[str, str, Sent]) -> None:
    page, html = sent[2].page, sent[2].html
    (preheader,) = page.of_class("preheader")
    assert "display: none" in preheader.attributes["style"]
    words = html.partition('class="preheader"')[2].partition(">")[2].partition("</div>")[0]
    said = re.sub("[\u034f\u200c\u00a0]|&[#0-9a-z]+;", "", words).strip()
    assert len(said) > 10
    assert said not in sent[2].message["Subject"]


def test_one_heading_leads_and_the_text_part_says_the_same(sent: tuple[str, str, Sent]) -> None:
    name, _language, mail_ = sent
    assert len(mail_.page.named("h1")) == 1
    links = {tag.attributes["href"] for tag in mail_.page.named("a")}
    told = "".join(mail_.text.split())
    assert all("".join(link.split()) in told for link in links), name
    assert "<p" not in mail_.text and "&#" not in mail_.text and "&amp;" not in mail_.text
    assert "\n\n\n\n" not in mail_.text


def test_what_was_agreed_to_says_how_to_stop_it(sent: tuple[str, str, Sent]) -> None:
    name, _language, mail_ = sent
    assert ("List-Unsubscribe" in mail_.message) == (name in AGREED_TO)
    assert mail_.message["Auto-Submitted"] == "auto-generated"
    if name in AGREED_TO:
        assert mail_.message["List-Unsubscribe"] == f"<{GIVEN[name]['unsubscribe_url']}>"
        assert mail_.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_words_of_others_stay_words(house: House) -> None:
    html = send(house, "proposal", "fr").html
    assert "À raconter &lt;vite&gt;" in html
