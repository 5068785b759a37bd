"""Posts: creation with every check, duplicates, reading, editing, deleting (section 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from standin.linkedin import StandIn
from tests.standin import plain
from tests.standin.conftest import (
    MEMBER,
    OTHER,
    a_picture,
    a_post,
    encoded,
    opened,
    speaking_for,
    uploaded,
)

ARTICLE = {"source": "https://jobs.example.org/r/abc", "title": "Un métier du bois"}
POLL = {
    "question": "Bois ou béton",
    "options": [{"text": "Bois"}, {"text": "Béton"}],
    "settings": {"duration": "THREE_DAYS"},
}


def urn_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.headers["x-restli-id"])


def code_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code, and the field that is named."""
    body = answer.json()
    (found,) = body["errorDetails"]["inputErrors"]
    assert found["code"] == body["code"]
    return answer.status_code, body["code"], found["input"]["inputPath"]["fieldPath"]


# Creating


def test_a_post_answers_201_with_its_urn_in_a_header_alone(
    standin: StandIn, member: httpx.Client
) -> None:
    answer = member.post("/rest/posts", json=a_post(r"Bonjour \(ici\) #bois"))
    assert (answer.status_code, answer.content) == (201, b"")
    urn = urn_of(answer)
    assert urn.startswith("urn:li:share:7") and len(urn) == len("urn:li:share:") + 19
    (post,) = standin.posts()
    assert post["urn"] == urn
    assert post["author"] == {"urn": f"urn:li:person:{MEMBER}", "name": "Maëlle Kerjan"}
    assert post["commentary"] == r"Bonjour \(ici\) #bois"
    assert post["text"] == "Bonjour (ici) #bois" and post["cut"] is False
    assert post["content"] is None and post["deleted_at"] is None
    assert post["headers"]["linkedin-version"] == "202609"
    assert post["url"] == f"{standin.address}/feed/update/{urn}/"
    token = member.headers["Authorization"].removeprefix("Bearer ")
    assert post["token"] == hashlib.sha256(token.encode()).hexdigest()[:12]


def test_an_unescaped_sign_cuts_the_text_and_answers_201(
    standin: StandIn, member: httpx.Client
) -> None:
    urn_of(member.post("/rest/posts", json=a_post("This is a test. (This is also a test.)")))
    (post,) = standin.posts()
    assert post["text"] == "This is a test. " and post["cut"] is True


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("author", None, (400, "MISSING_FIELD", "/author")),
        ("author", 7, (400, "INVALID_VALUE_FOR_FIELD", "/author")),
        ("author", "me", (400, "INVALID_URN_TYPE", "/author")),
        ("author", "urn:li:company:1", (400, "INVALID_URN_TYPE", "/author")),
        ("author", "urn:li:person:a b", (400, "INVALID_URN_ID", "/author")),
        ("commentary", None, (400, "MISSING_FIELD", "/commentary")),
        ("commentary", ["x"], (400, "INVALID_VALUE_FOR_FIELD", "/commentary")),
        ("commentary", "", (400, "INVALID_VALUE_BLANK_FIELD", "/commentary")),
        ("commentary", " \n", (400, "INVALID_VALUE_BLANK_FIELD", "/commentary")),
        ("commentary", "x" * 3001, (400, "FIELD_LENGTH_TOO_LONG", "/commentary")),
        ("commentary", "👍" * 1501, (400, "FIELD_LENGTH_TOO_LONG", "/commentary")),
        ("visibility", None, (400, "MISSING_FIELD", "/visibility")),
        ("visibility", "public", (400, "INVALID_VALUE_FOR_FIELD", "/visibility")),
        ("distribution", None, (400, "MISSING_FIELD", "/distribution")),
        ("distribution", {}, (400, "MISSING_FIELD", "/distribution/feedDistribution")),
        (
            "distribution",
            {"feedDistribution": "NONE"},
            (400, "INVALID_VALUE_FOR_FIELD", "/distribution/feedDistribution"),
        ),
        (
            "distribution",
            {"feedDistribution": "MAIN_FEED", "targetEntities": [{}]},
            (400, "INVALID_VALUE_FOR_FIELD", "/distribution/targetEntities"),
        ),
        ("lifecycleState", None, (400, "MISSING_FIELD", "/lifecycleState")),
        ("lifecycleState", "DRAFT", (400, "INVALID_VALUE_FOR_FIELD", "/lifecycleState")),
        (
            "isReshareDisabledByAuthor",
            "no",
            (400, "INVALID_VALUE_FOR_FIELD", "/isReshareDisabledByAuthor"),
        ),
        ("scheduledAt", 1, (422, "UNPROCESSABLE_ENTITY", "/scheduledAt")),
        ("reshareContext", {}, (400, "INVALID_VALUE_FOR_FIELD", "/reshareContext/parent")),
        (
            "reshareContext",
            {"parent": "urn:li:share:1"},
            (400, "INVALID_URN_ID", "/reshareContext/parent"),
        ),
    ],
)
def test_a_wrong_field_is_named(
    standin: StandIn, member: httpx.Client, field: str, value: Any, expected: Any
) -> None:
    assert code_of(member.post("/rest/posts", json=a_post() | {field: value})) == expected
    assert standin.posts() == []


def test_half_a_surrogate_pair_is_refused(member: httpx.Client) -> None:
    body = b'{"author":"urn:li:person:%s","commentary":"a\\ud800"}' % MEMBER.encode()
    answer = member.post("/rest/posts", content=body)
    assert code_of(answer) == (400, "INVALID_VALUE_FOR_FIELD", "/commentary")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff"])
def test_what_is_no_object_is_refused(member: httpx.Client, body: bytes) -> None:
    assert member.post("/rest/posts", content=body).status_code == 400


def test_length_is_that_of_the_visible_text(standin: StandIn, member: httpx.Client) -> None:
    urn_of(member.post("/rest/posts", json=a_post(r"\(" * 3000)))
    assert standin.posts()[0]["text"] == "(" * 3000


def test_the_author_is_the_tokens_member(standin: StandIn, member: httpx.Client) -> None:
    for author in (f"urn:li:person:{OTHER}", "urn:li:organization:12"):
        answer = member.post("/rest/posts", json=a_post() | {"author": author})
        assert (answer.status_code, answer.json()["code"]) == (403, "ACCESS_DENIED")
        assert answer.json()["message"].endswith("posts.CREATE.20260901")
    assert standin.posts() == []


def test_posting_needs_its_scope(standin: StandIn) -> None:
    with speaking_for(standin, MEMBER, scope="openid profile") as reader:
        answer = reader.post("/rest/posts", json=a_post())
    message = "Not enough permissions to access: posts.CREATE.20260901"
    assert answer.json() == {
        "status": 403, "code": "ACCESS_DENIED", "serviceErrorCode": 100, "message": message,
    }  # fmt: skip


# Content


def test_an_article_is_shown_as_it_was_given(standin: StandIn, member: httpx.Client) -> None:
    picture = a_picture(size=(120, 63))
    thumbnail = uploaded(member, picture)
    article = ARTICLE | {"description": "Trois mois d’atelier", "thumbnail": thumbnail}
    urn = urn_of(member.post("/rest/posts", json=a_post(content={"article": article})))
    assert urn.startswith("urn:li:share:")
    content = standin.posts()[0]["content"]
    assert content["kind"] == "article" and content["title"] == "Un métier du bois"
    assert content["source"] == "https://jobs.example.org/r/abc"
    assert content["description"] == "Trois mois d’atelier"
    shown = content["thumbnail"]
    assert shown["urn"] == thumbnail and (shown["width"], shown["height"]) == (120, 63)
    assert shown["sha256"] == hashlib.sha256(picture).hexdigest()
    answer = plain.get(shown["url"])
    assert answer.content == picture and answer.headers["Content-Type"] == "image/jpeg"


def test_an_image_has_its_alternative_text(standin: StandIn, member: httpx.Client) -> None:
    media = {"id": uploaded(member, a_picture("PNG")), "altText": "Une charpente"}
    urn_of(member.post("/rest/posts", json=a_post("", content={"media": media})))
    content = standin.posts()[0]["content"]
    assert (content["kind"], content["alt_text"]) == ("image", "Une charpente")
    assert content["image"]["urn"] == media["id"]


def test_several_images_and_polls(standin: StandIn, member: httpx.Client) -> None:
    images = [{"id": uploaded(member), "altText": str(n)} for n in range(2)]
    many = {"multiImage": {"images": images}}
    assert "share" in urn_of(member.post("/rest/posts", json=a_post("a", content=many)))
    assert "ugcPost" in urn_of(member.post("/rest/posts", json=a_post("b", content={"poll": POLL})))
    several, poll = (post["content"] for post in standin.posts())
    assert [image["alt_text"] for image in several["images"]] == ["0", "1"]
    assert poll["options"] == ["Bois", "Béton"]


@pytest.mark.parametrize(
    ("content", "code", "field"),
    [
        ({}, "INVALID_VALUE_FOR_FIELD", ""),
        ([], "INVALID_VALUE_FOR_FIELD", ""),
        ({"article": ARTICLE, "poll": POLL}, "INVALID_VALUE_FOR_FIELD", ""),
        ({"carousel": {}}, "INVALID_VALUE_FOR_FIELD", ""),
        ({"article": {"title": "x"}}, "MISSING_FIELD", "/article/source"),
        ({"article": {"source": "https://a.example"}}, "MISSING_FIELD", "/article/title"),
        ({"article": ARTICLE | {"source": "a.example"}}, "INVALID_VALUE_FOR_FIELD", "/article/source"),
        ({"article": ARTICLE | {"source": "ftp://a.example"}}, "INVALID_VALUE_FOR_FIELD", "/article/source"),
        ({"article": ARTICLE | {"title": " "}}, "INVALID_VALUE_BLANK_FIELD", "/article/title"),
        ({"article": ARTICLE | {"title": "t" * 401}}, "FIELD_LENGTH_TOO_LONG", "/article/title"),
        ({"article": ARTICLE | {"thumbnail": "https://a.example/x.png"}}, "INVALID_URN_TYPE", "/article/thumbnail"),
        ({"article": ARTICLE | {"thumbnail": "urn:li:image:nobody"}}, "INVALID_URN_ID", "/article/thumbnail"),
        ({"article": ARTICLE | {"image": "x"}}, "INVALID_VALUE_FOR_FIELD", "/article/image"),
        ({"media": {}}, "MISSING_FIELD", "/media/id"),
        ({"media": {"id": "urn:li:image:nobody"}}, "INVALID_URN_ID", "/media/id"),
        ({"multiImage": {"images": []}}, "INVALID_VALUE_FOR_FIELD", "/multiImage/images"),
        ({"poll": POLL | {"question": "q" * 141}}, "FIELD_LENGTH_TOO_LONG", "/poll/question"),
        ({"poll": POLL | {"options": [{"text": "x"}]}}, "INVALID_VALUE_FOR_FIELD", "/poll/options"),
        ({"poll": POLL | {"options": [{"text": "x"}, {"text": "y" * 31}]}}, "FIELD_LENGTH_TOO_LONG", "/poll/options/1/text"),
        ({"poll": POLL | {"settings": {}}}, "INVALID_VALUE_FOR_FIELD", "/poll/settings/duration"),
    ],
)  # fmt: skip
def test_wrong_content_is_refused_by_field(
    standin: StandIn, member: httpx.Client, content: Any, code: str, field: str
) -> None:
    answer = member.post("/rest/posts", json=a_post(content=content))
    assert code_of(answer) == (400, code, "/content" + field)
    assert standin.posts() == []


def test_an_image_takes_no_title_and_a_bounded_alternative_text(member: httpx.Client) -> None:
    urn = uploaded(member)
    for more, code in [
        ({"title": "x"}, "INVALID_VALUE_FOR_FIELD"),
        ({"altText": "x" * 4087}, "FIELD_LENGTH_TOO_LONG"),
    ]:
        body = a_post(content={"media": {"id": urn, **more}})
        assert code_of(member.post("/rest/posts", json=body))[:2] == (400, code)


def test_media_must_have_been_uploaded_by_the_author(
    standin: StandIn, member: httpx.Client
) -> None:
    waiting = opened(member)["image"]
    body = a_post(content={"media": {"id": waiting}})
    assert code_of(member.post("/rest/posts", json=body))[1] == "MEDIA_ASSET_WAITING_UPLOAD"
    with speaking_for(standin, OTHER) as other:
        foreign = uploaded(other, owner=OTHER)
    body = a_post(content={"media": {"id": foreign}})
    assert code_of(member.post("/rest/posts", json=body))[1] == "INVALID_VALUE_FOR_FIELD"


def test_media_may_need_time_or_fail(standin: StandIn, member: httpx.Client) -> None:
    standin.set(processing_seconds=60)
    body = a_post(content={"media": {"id": uploaded(member)}})
    assert code_of(member.post("/rest/posts", json=body))[1] == "MEDIA_ASSET_WAITING_UPLOAD"
    standin.advance(seconds=61)
    standin.set(processing_fails=True)
    assert code_of(member.post("/rest/posts", json=body))[1] == "MEDIA_ASSET_PROCESSING_FAILED"
    standin.set(processing_fails=False)
    urn_of(member.post("/rest/posts", json=body))


def test_a_bare_reshare_needs_no_words(standin: StandIn, member: httpx.Client) -> None:
    parent = urn_of(member.post("/rest/posts", json=a_post()))
    urn_of(member.post("/rest/posts", json=a_post("", reshareContext={"parent": parent})))
    assert standin.posts()[1]["content"] == {"kind": "reshare", "parent": parent}


# Duplicates


def test_the_same_text_is_refused_for_48_hours_and_names_the_post(
    standin: StandIn, member: httpx.Client
) -> None:
    urn = urn_of(member.post("/rest/posts", json=a_post("Bonjour #bois")))
    # The same visible text, written otherwise.
    again = member.post("/rest/posts", json=a_post(r"Bonjour {hashtag|\#|bois}"))
    assert again.status_code == 422
    assert again.json() == {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": "com.linkedin.content.common.exception.BadRequestResponseException: "
        f"Content is a duplicate of {urn}",
        "errorDetails": {
            "inputErrors": [
                {"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}
            ]
        },
        "status": 422,
    }
    assert member.delete(f"/rest/posts/{encoded(urn)}").status_code == 204
    assert member.post("/rest/posts", json=a_post("Bonjour #bois")).status_code == 422
    standin.advance(hours=47)
    assert member.post("/rest/posts", json=a_post("Bonjour #bois")).status_code == 422
    standin.advance(hours=1, seconds=1)
    assert urn_of(member.post("/rest/posts", json=a_post("Bonjour #bois"))) != urn


def test_another_author_or_another_link_is_no_duplicate(
    standin: StandIn, member: httpx.Client
) -> None:
    urn_of(member.post("/rest/posts", json=a_post()))
    with speaking_for(standin, OTHER) as other:
        urn_of(other.post("/rest/posts", json=a_post(author=OTHER)))
    first = a_post(content={"article": ARTICLE})
    urn_of(member.post("/rest/posts", json=first))
    changed = a_post(content={"article": ARTICLE | {"title": "Autre titre"}})
    assert member.post("/rest/posts", json=changed).status_code == 422
    moved = a_post(content={"article": ARTICLE | {"source": "https://jobs.example.org/r/def"}})
    urn_of(member.post("/rest/posts", json=moved))


# Reading, editing, deleting


def test_a_member_cannot_read_back(standin: StandIn, member: httpx.Client) -> None:
    urn = urn_of(member.post("/rest/posts", json=a_post()))
    author = encoded(f"urn:li:person:{MEMBER}")
    for path in (f"/rest/posts/{encoded(urn)}", f"/rest/posts?q=author&author={author}"):
        answer = member.get(path)
        assert answer.json() == {
            "status": 403,
            "code": "ACCESS_DENIED",
            "serviceErrorCode": 100,
            "message": "Not enough permissions to access: partnerApiPostsExternal.GET.20260901",
        }


def test_reading_is_a_knob_or_a_scope(standin: StandIn, member: httpx.Client) -> None:
    urn = urn_of(member.post("/rest/posts", json=a_post(r"\(a\) #b")))
    standin.set(read_posts=True)
    body = member.get(f"/rest/posts/{encoded(urn)}").json()
    assert body["id"] == urn and body["commentary"] == r"\(a\) {hashtag|\#|b}"
    author = encoded(f"urn:li:person:{MEMBER}")
    page = member.get(f"/rest/posts?q=author&author={author}&count=5").json()
    assert [post["id"] for post in page["elements"]] == [urn] and page["paging"]["count"] == 5
    assert member.get(f"/rest/posts/{encoded('urn:li:share:1')}").status_code == 404
    standin.set(read_posts=False)
    with speaking_for(standin, MEMBER, scope="r_member_social") as reader:
        assert reader.get(f"/rest/posts/{encoded(urn)}").status_code == 200


def patch(client: httpx.Client, urn: str, **fields: Any) -> httpx.Response:
    headers = {"X-RestLi-Method": "PARTIAL_UPDATE"}
    body = {"patch": {"$set": fields}}
    return client.post(f"/rest/posts/{encoded(urn)}", json=body, headers=headers)


def test_the_words_can_be_edited(standin: StandIn, member: httpx.Client) -> None:
    urn = urn_of(member.post("/rest/posts", json=a_post()))
    answer = patch(member, urn, commentary=r"Bonsoir \[ici\]")
    assert (answer.status_code, answer.content) == (204, b"")
    (post,) = standin.posts()
    assert post["text"] == "Bonsoir [ici]" and post["edited_at"] is not None
    assert patch(member, urn, visibility="PUBLIC").status_code == 400
    assert patch(member, urn).status_code == 400
    assert patch(member, urn, commentary="x" * 3001).status_code == 400
    assert patch(member, "urn:li:share:1", commentary="x").status_code == 404
    assert member.post(f"/rest/posts/{encoded(urn)}", json={}).status_code == 400
    with speaking_for(standin, OTHER) as other:
        assert patch(other, urn, commentary="x").status_code == 403
    member.delete(f"/rest/posts/{encoded(urn)}")
    assert patch(member, urn, commentary="x").status_code == 404


def test_a_post_can_be_deleted(standin: StandIn, member: httpx.Client) -> None:
    urn = urn_of(member.post("/rest/posts", json=a_post()))
    path = f"/rest/posts/{encoded(urn)}"
    with speaking_for(standin, OTHER) as other:
        assert other.delete(path).status_code == 403
    assert member.delete(path).status_code == 204
    (post,) = standin.posts()
    assert post["deleted_at"] is not None and post["text"] == "Bonjour"
    assert member.delete(path).status_code == 204  # idempotent
    standin.set(second_delete=404)
    assert member.delete(path).status_code == 404
    answer = member.delete(f"/rest/posts/{encoded('urn:li:share:1')}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "call", [httpx.Client.get, httpx.Client.delete, httpx.Client.post], ids=lambda c: c.__name__
)
def test_a_urn_in_a_path_is_encoded(member: httpx.Client, call: Callable[..., Any]) -> None:
    assert call(member, "/rest/posts/urn:li:share:1").status_code == 400
    assert call(member, "/rest/posts/urn%3Ali%3Aactivity%3A1").status_code == 400


def test_the_list_narrows_by_author_and_time(standin: StandIn, member: httpx.Client) -> None:
    urn_of(member.post("/rest/posts", json=a_post("un")))
    with speaking_for(standin, OTHER) as other:
        urn_of(other.post("/rest/posts", json=a_post("deux", OTHER)))
    texts = [post["text"] for post in standin.posts()]
    assert texts == ["un", "deux"]
    assert [p["text"] for p in standin.posts(author=f"urn:li:person:{OTHER}")] == ["deux"]
    assert [p["text"] for p in standin.posts(author=OTHER)] == ["deux"]
    standin.advance(hours=1)
    urn_of(member.post("/rest/posts", json=a_post("trois")))
    since = standin.posts()[-1]["created_at"]
    assert [p["text"] for p in standin.posts(since=since)] == ["trois"]
    assert plain.get(standin.address + "/_standin/posts?since=noon").status_code == 400
    assert plain.delete(standin.address + "/_standin/posts").status_code == 204
    assert standin.posts() == []


# The legacy endpoint (section 5.4)


def a_ugc_post(text: str = "Bonjour", **share: Any) -> dict[str, Any]:
    content = {"shareCommentary": {"text": text}, "shareMediaCategory": "NONE"} | share
    return {
        "author": f"urn:li:person:{MEMBER}",
        "lifecycleState": "PUBLISHED",
        "specificContent": {"com.linkedin.ugc.ShareContent": content},
        "visibility": {"com.linkedin.ugc.MemberNetworkVisibility": "PUBLIC"},
    }


def test_legacy_text_is_plain(standin: StandIn, member: httpx.Client) -> None:
    del member.headers["LinkedIn-Version"]
    answer = member.post("/v2/ugcPosts", json=a_ugc_post(r"This is a test. (This \(too.)"))
    urn = urn_of(answer)
    assert answer.json() == {"id": urn}
    (post,) = standin.posts()
    assert post["text"] == r"This is a test. (This \(too.)"
    assert post["via"] == "ugcPosts" and post["cut"] is False
    assert member.delete(f"/v2/ugcPosts/{encoded(urn)}").status_code == 204
    assert standin.posts()[0]["deleted_at"] is not None
    assert member.post("/v2/ugcPosts", json=a_ugc_post("x" * 3001)).status_code == 400
    assert member.post("/v2/ugcPosts", json=a_ugc_post("")).status_code == 400


def test_legacy_articles_and_images(standin: StandIn, member: httpx.Client) -> None:
    media: Any = [
        {"status": "READY", "originalUrl": "https://a.example/x", "title": {"text": "Titre"}}
    ]
    urn_of(member.post("/v2/ugcPosts", json=a_ugc_post(shareMediaCategory="ARTICLE", media=media)))
    recipe = {
        "registerUploadRequest": {
            "recipes": ["urn:li:digitalmediaRecipe:feedshare-image"],
            "owner": f"urn:li:person:{MEMBER}",
            "serviceRelationships": [],
        }
    }
    value = member.post("/v2/assets?action=registerUpload", json=recipe).json()["value"]
    (mechanism,) = value["uploadMechanism"].values()
    assert member.put(mechanism["uploadUrl"], content=a_picture()).status_code == 201
    media = [{"status": "READY", "media": value["asset"], "description": {"text": "Alt"}}]
    urn_of(
        member.post("/v2/ugcPosts", json=a_ugc_post("b", shareMediaCategory="IMAGE", media=media))
    )
    article, image = (post["content"] for post in standin.posts())
    assert (article["source"], article["title"]) == ("https://a.example/x", "Titre")
    assert image["alt_text"] == "Alt" and image["image"]["width"] == 32
