"""The feed as members see it."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from standin.linkedin import StandIn
from standin.linkedin.feed import fold
from tests.standin import plain
from tests.standin.conftest import a_picture, a_post, encoded, uploaded


def page(standin: StandIn, path: str = "/feed/", language: str = "en") -> str:
    answer = plain.get(standin.address + path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'")
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.text)
    return answer.text


def text_of(found: str) -> str:
    """What the post's paragraph reads."""
    (inner,) = re.findall(r'<p class="post__text" dir="auto">(.*?)</p>', found, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", inner))


def test_it_says_what_it_is(standin: StandIn) -> None:
    assert "LinkedIn stand-in, local" in page(standin)
    assert "Doublure de LinkedIn, locale" in page(standin, language="fr-FR,fr;q=0.9")
    assert plain.get(standin.address + "/").headers["Location"] == "/feed/"


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour",
        "un\n\ndeux  trois \n quatre",
        "https://ex.org/a_b?x=1&y=(2)#z. Et après <b>&amp;",
        "#bois et @moi {x} | [y] ~z~ *w* \\",
        "👩‍🌾 e\u0301 \u202eabc\u202c",
    ],
)
def test_a_member_reads_the_text_as_written(
    standin: StandIn, member: httpx.Client, text: str
) -> None:
    escaped = re.sub(r"([|{}@\[\]()<>#\\*_~])", r"\\\1", text)
    member.post("/rest/posts", json=a_post(escaped))
    (post,) = standin.posts()
    assert post["text"] == text
    found = page(standin, f"/feed/update/{post['urn']}/")
    assert text_of(found) == text
    assert text_of(page(standin)) == text


def test_tags_mentions_and_addresses_stand_out(standin: StandIn, member: httpx.Client) -> None:
    text = r"#bois avec @[Halvenne](urn:li:organization:1) sur https://ex.org/a\_b."
    member.post("/rest/posts", json=a_post(text))
    found = page(standin)
    assert '<span class="hashtag">#bois</span>' in found
    assert '<span class="mention">Halvenne</span>' in found
    assert 'href="https://ex.org/a_b"' in found


def test_an_article_is_a_card_that_leads_there(standin: StandIn, member: httpx.Client) -> None:
    thumbnail = uploaded(member, a_picture(size=(120, 63)))
    article = {
        "source": "https://jobs.example.org/r/abc?x=1&y=2",
        "title": "Un métier <du> bois",
        "thumbnail": thumbnail,
    }
    member.post("/rest/posts", json=a_post(content={"article": article}))
    found = page(standin)
    assert 'href="https://jobs.example.org/r/abc?x=1&amp;y=2"' in found
    assert "Un métier &lt;du&gt; bois" in found and "jobs.example.org</span>" in found
    (source,) = re.findall(r'<img class="link__picture" src="([^"]+)"', found)
    assert plain.get(standin.address + source).status_code == 200


def test_an_image_shows_its_alternative_text(standin: StandIn, member: httpx.Client) -> None:
    media = {"id": uploaded(member), "altText": 'Une "charpente"'}
    member.post("/rest/posts", json=a_post(content={"media": media}))
    assert 'alt="Une &#34;charpente&#34;" width="32" height="20"' in page(standin)


def test_long_texts_fold() -> None:
    assert [fold("x" * n) for n in (140, 141, 210, 211)] == ["", "phone", "phone", "all"]
    assert fold("a\nb\nc\nd") == "all" and fold("a\nb\nc") == ""


def test_a_folded_text_says_more(standin: StandIn, member: httpx.Client) -> None:
    member.post("/rest/posts", json=a_post("mot " * 80))
    assert "<summary>…more</summary>" in page(standin)
    assert "<summary>…voir plus</summary>" in page(standin, language="fr")


def test_a_deleted_post_is_gone(standin: StandIn, member: httpx.Client) -> None:
    urn = member.post("/rest/posts", json=a_post("Adieu")).headers["x-restli-id"]
    member.delete(f"/rest/posts/{encoded(urn)}")
    assert "Adieu" not in page(standin)
    answer = plain.get(f"{standin.address}/feed/update/{urn}/")
    assert answer.status_code == 410 and "Adieu" not in answer.text
    assert plain.get(f"{standin.address}/feed/update/urn:li:share:1/").status_code == 404
    assert plain.get(f"{standin.address}/feed/update/{encoded(urn)}").status_code == 410


def test_old_posts_are_on_other_pages(standin: StandIn, member: httpx.Client) -> None:
    for number in range(23):
        member.post("/rest/posts", json=a_post(f"Texte {number}."))
    first = page(standin)
    assert "Texte 22." in first and "Texte 2." not in first
    (older,) = re.findall(r'href="(/feed/\?before=\d+)"', first)
    second = page(standin, older)
    assert "Texte 2." in second and "Texte 22." not in second and "before=" not in second


def test_its_style_sheet_is_served(standin: StandIn) -> None:
    answer = plain.get(standin.address + "/_standin/style.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert b"line-clamp" in answer.content
