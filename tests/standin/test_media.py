"""Uploads (reference, section 6)."""

from __future__ import annotations

import io
import struct
import zlib

import httpx
import pytest
from PIL import Image

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


def a_png_that_claims(width: int, height: int) -> bytes:
    """A header of that size, and no more: what a picture bomb looks like."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_an_upload_is_opened_with_an_expiry(standin: StandIn, member: httpx.Client) -> None:
    value = opened(member)
    assert value["image"].startswith("urn:li:image:C4E10")
    assert value["uploadUrl"].startswith(standin.address + "/dms-uploads/")
    assert value["uploadUrlExpiresAt"] > 1_700_000_000_000  # milliseconds


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_the_three_formats_are_taken(member: httpx.Client, kind: str) -> None:
    value = opened(member)
    answer = member.put(value["uploadUrl"], content=a_picture(kind))
    assert (answer.status_code, answer.content) == (201, b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        a_picture("WEBP"),
        a_picture("BMP"),
        a_png_that_claims(6013, 6013),  # 36 156 169 pixels
        a_png_that_claims(60_000, 60_000),
        a_png_that_claims(0, 10),
    ],
    ids=["empty", "text", "svg", "webp", "bmp", "too many pixels", "bomb", "no width"],
)
def test_other_bytes_are_refused(member: httpx.Client, content: bytes) -> None:
    value = opened(member)
    assert member.put(value["uploadUrl"], content=content).status_code == 400
    body = a_post(content={"media": {"id": value["image"]}})
    assert member.post("/rest/posts", json=body).json()["code"] == "MEDIA_ASSET_WAITING_UPLOAD"


def test_as_many_pixels_as_allowed_are_taken(member: httpx.Client) -> None:
    value = opened(member)
    answer = member.put(value["uploadUrl"], content=a_png_that_claims(6000, 6000))
    assert answer.status_code == 201


def test_an_animation_has_at_most_250_frames(member: httpx.Client) -> None:
    frames = [Image.new("RGB", (2, 2), (n, 255 - n, 40 * (n % 2))) for n in range(251)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], disposal=2)
    assert member.put(opened(member)["uploadUrl"], content=out.getvalue()).status_code == 400


def test_an_upload_url_expires(standin: StandIn, member: httpx.Client) -> None:
    url = opened(member)["uploadUrl"]
    standin.advance(hours=1, seconds=1)
    assert member.put(url, content=a_picture()).status_code == 403


def test_an_upload_needs_the_token_of_its_owner(standin: StandIn, member: httpx.Client) -> None:
    url = opened(member)["uploadUrl"]
    assert plain.put(url, content=a_picture()).status_code == 401
    with speaking_for(standin, OTHER) as other:
        assert other.put(url, content=a_picture()).status_code == 403
    assert member.put(url + "x", content=a_picture()).status_code == 404
    assert member.put(url, content=a_picture()).status_code == 201


def test_the_owner_is_the_caller(member: httpx.Client) -> None:
    for owner in (f"urn:li:person:{OTHER}", "urn:li:organization:1"):
        given = {"initializeUploadRequest": {"owner": owner}}
        answer = member.post("/rest/images?action=initializeUpload", json=given)
        assert answer.status_code == 403, owner
    for body in ({}, {"initializeUploadRequest": {}}):
        answer = member.post("/rest/images?action=initializeUpload", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "MISSING_FIELD")
    assert member.post("/rest/images?action=other", json={}).status_code == 400


def test_an_image_cannot_be_read_back(member: httpx.Client) -> None:
    answer = member.get(f"/rest/images/{encoded(uploaded(member))}")
    assert answer.status_code == 403 and answer.json()["message"].endswith("images.GET.20260901")


def test_bytes_change_no_more_once_they_are_posted(member: httpx.Client) -> None:
    value = opened(member)
    for kind in ("JPEG", "PNG"):  # a retry is allowed
        assert member.put(value["uploadUrl"], content=a_picture(kind)).status_code == 201
    body = a_post(content={"media": {"id": value["image"]}})
    assert member.post("/rest/posts", json=body).status_code == 201
    assert member.put(value["uploadUrl"], content=a_picture()).status_code == 403


# Videos and documents


def a_video(size: int = 5_000_000) -> bytes:
    return b"\x00\x00\x00\x18ftypmp42".ljust(size, b"\x01")


def send_video(client: httpx.Client, video: bytes) -> tuple[str, list[str]]:
    """The URN and the parts' tags, in order."""
    more = {"fileSizeBytes": len(video), "uploadCaptions": False, "uploadThumbnail": False}
    value = opened(client, "videos", **more)
    tags = []
    for part in value["uploadInstructions"]:
        piece = video[part["firstByte"] : part["lastByte"] + 1]
        answer = plain.put(part["uploadUrl"], content=piece)  # without a token
        assert answer.status_code == 200
        tags.append(answer.headers["ETag"])
    return str(value["video"]), tags


def finalise(client: httpx.Client, urn: str, tags: list[str]) -> httpx.Response:
    given = {"video": urn, "uploadToken": "", "uploadedPartIds": tags}
    body = {"finalizeUploadRequest": given}
    return client.post("/rest/videos?action=finalizeUpload", json=body)


def test_a_video_goes_through_its_states(standin: StandIn, member: httpx.Client) -> None:
    standin.set(processing_seconds=30)
    urn, tags = send_video(member, a_video())
    assert len(tags) == 2

    def state() -> str:
        return str(member.get(f"/rest/videos/{encoded(urn)}").json()["status"])

    assert state() == "WAITING_UPLOAD"
    assert finalise(member, urn, tags[::-1]).status_code == 400
    assert finalise(member, urn, tags[:1]).status_code == 400
    assert finalise(member, urn, tags).status_code == 200
    assert state() == "PROCESSING"
    standin.advance(seconds=31)
    assert state() == "AVAILABLE"
    body = a_post(content={"media": {"id": urn, "title": "Atelier"}})
    answer = member.post("/rest/posts", json=body)
    assert answer.headers["x-restli-id"].startswith("urn:li:ugcPost:")


def test_a_part_has_exactly_its_size(member: httpx.Client) -> None:
    value = opened(member, "videos", fileSizeBytes=5_000_000)
    last = value["uploadInstructions"][1]
    assert (last["firstByte"], last["lastByte"]) == (4_194_304, 4_999_999)
    assert plain.put(last["uploadUrl"], content=b"x" * 100).status_code == 400
    assert plain.put(last["uploadUrl"].replace("part=1", "part=2")).status_code in (400, 404)


def test_what_is_no_video_fails_to_be_processed(member: httpx.Client) -> None:
    urn, tags = send_video(member, b"x" * 100_000)
    assert finalise(member, urn, tags).status_code == 200
    body = member.get(f"/rest/videos/{encoded(urn)}").json()
    assert body["status"] == "PROCESSING_FAILED" and body["processingFailureReason"]


@pytest.mark.parametrize("size", [None, "5", 1_000, 600 * 1024 * 1024])
def test_a_video_has_a_size_within_the_limits(member: httpx.Client, size: object) -> None:
    owner = f"urn:li:person:{MEMBER}"
    given = {"initializeUploadRequest": {"owner": owner, "fileSizeBytes": size}}
    assert member.post("/rest/videos?action=initializeUpload", json=given).status_code == 400


def test_a_document_needs_a_title_and_the_right_bytes(
    standin: StandIn, member: httpx.Client
) -> None:
    value = opened(member, "documents")
    assert member.put(value["uploadUrl"], content=b"plain").status_code == 400
    assert member.put(value["uploadUrl"], content=b"%PDF-1.7 ...").status_code == 201
    path = f"/rest/documents/{encoded(value['document'])}"
    assert member.get(path).json()["status"] == "AVAILABLE"
    standin.set(read_documents=False)
    assert member.get(path).status_code == 403
    body = a_post(content={"media": {"id": value["document"]}})
    assert member.post("/rest/posts", json=body).json()["code"] == "MISSING_FIELD"
    body = a_post(content={"media": {"id": value["document"], "title": "Guide.pdf"}})
    assert member.post("/rest/posts", json=body).status_code == 201
    assert standin.posts()[0]["content"] == {
        "kind": "document", "document": value["document"], "title": "Guide.pdf",
    }  # fmt: skip
