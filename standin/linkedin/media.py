"""Uploads of images, videos and documents (reference, section 6)."""

from __future__ import annotations

import hashlib
import io
import secrets
import sqlite3
import warnings
from typing import NoReturn

from PIL import Image

from standin.linkedin import members, tokens
from standin.linkedin.rest import Caller, check_urn, urn_key, versioned
from standin.linkedin.wire import (
    Answer,
    Json,
    Request,
    as_json,
    denied,
    refuse,
    refuse_input,
)
from standin.linkedin.world import World

PIXELS = 36_152_320  # an image stays below
FRAMES = 250
PART_BYTES = 4 * 1024 * 1024
VIDEO_BYTES = (75 * 1024, 500 * 1024 * 1024)
DOCUMENT_BYTES = 100 * 1024 * 1024
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
_COLUMNS = (
    "urn, kind, owner, upload_expires_at, size_bytes, uploaded_at, failure, used, format, width,"
    " height, sha256"
)
_DOCUMENT_STARTS = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def find(world: World, urn: str) -> sqlite3.Row | None:
    """The media's row, but for its bytes."""
    return world.store.one(f"SELECT {_COLUMNS} FROM media WHERE urn = ?", urn)


def status(world: World, row: sqlite3.Row) -> str:
    """`WAITING_UPLOAD`, `PROCESSING`, `PROCESSING_FAILED` or `AVAILABLE`."""
    if row["uploaded_at"] is None:
        return "WAITING_UPLOAD"
    if world.timestamp() < row["uploaded_at"] + world.knobs.processing_seconds:
        return "PROCESSING"
    failed = row["failure"] is not None or world.knobs.processing_fails
    return "PROCESSING_FAILED" if failed else "AVAILABLE"


def mark_used(world: World, urns: list[str]) -> None:
    """Remembers that posts show these: their bytes change no more."""
    for urn in urns:
        world.store.run("UPDATE media SET used = 1 WHERE urn = ?", urn)


def as_shown(world: World, urn: str) -> Json:
    """`urn`, `sha256`, `width`, `height` and `url` of an image in a post."""
    row = find(world, urn)
    if row is None:
        return {"urn": urn, "sha256": None, "width": None, "height": None, "url": None}
    path = "/dms/" + str(row["urn"]).rpartition(":")[2]
    return {
        "urn": urn, "sha256": row["sha256"], "width": row["width"], "height": row["height"],
        "url": world.address + path,
    }  # fmt: skip


def show(world: World, request: Request, name: str) -> Answer:
    """The uploaded image itself, as the feed shows it."""
    row = world.store.one(
        "SELECT format, content FROM media WHERE urn = ? AND content IS NOT NULL",
        f"urn:li:image:{name}",
    )
    if row is None:
        refuse(404, "No such media")
    headers = {"Content-Type": FORMATS[row["format"]], "X-Content-Type-Options": "nosniff"}
    return Answer(200, bytes(row["content"]), headers)


# POST /rest/images, /rest/videos, /rest/documents


def action(world: World, request: Request, kinds: str) -> Answer:
    """`initializeUpload`, and `finalizeUpload` for videos."""
    caller = versioned(world, request)
    named = request.query.get("action")
    if named == "finalizeUpload" and kinds == "videos":
        return _finalise(caller, request)
    if named != "initializeUpload":
        refuse(400, f"POST operation named {named} on {kinds} is not supported")
    return _initialise(caller, request, kinds.removesuffix("s"))


def _initialise(caller: Caller, request: Request, kind: str) -> Answer:
    caller.need_scope("w_member_social", f"{kind}s", "ACTION-initializeUpload")
    given = _asked(request, "initializeUploadRequest")
    path = "/initializeUploadRequest"
    if "owner" not in given:
        refuse_input("MISSING_FIELD", f"{path}/owner", "the field is required")
    owner = check_urn(given["owner"], ("person", "organization"), f"{path}/owner")
    caller.act_as(owner, f"{kind}s", "ACTION-initializeUpload")
    size = _video_size(given, path) if kind == "video" else None
    return as_json({"value": _opened(caller, kind, owner, size)})


def _video_size(given: Json, path: str) -> int:
    size = given.get("fileSizeBytes")
    if isinstance(size, bool) or not isinstance(size, int):
        refuse_input("MISSING_FIELD", f"{path}/fileSizeBytes", "a number is expected")
    if not VIDEO_BYTES[0] <= size <= VIDEO_BYTES[1]:
        refuse_input("INVALID_VALUE_FOR_FIELD", f"{path}/fileSizeBytes", "75 KB to 500 MB")
    return size


def _opened(caller: Caller, kind: str, owner: str, size: int | None) -> Json:
    """Makes a row that waits for its bytes; the `value` of the answer."""
    world = caller.world
    expires = world.timestamp() + world.knobs.upload_url_seconds
    key, urn = secrets.token_urlsafe(24), f"urn:li:{kind}:{_new_id(kind)}"
    world.store.put(
        "media",
        urn=urn,
        kind=kind,
        owner=owner,
        upload_key=key,
        upload_expires_at=expires,
        size_bytes=size,
    )
    url = f"{world.address}/dms-uploads/{key}"
    if kind == "video" and size is not None:
        return {
            "video": urn,
            "uploadToken": "",
            "uploadUrlsExpireAt": int(expires * 1000),
            "uploadInstructions": _instructions(url, size),
        }
    return {"uploadUrlExpiresAt": int(expires * 1000), "uploadUrl": url, kind: urn}


def _instructions(url: str, size: int) -> list[Json]:
    return [
        {
            "uploadUrl": f"{url}?part={first // PART_BYTES}",
            "firstByte": first,
            "lastByte": min(first + PART_BYTES, size) - 1,
        }
        for first in range(0, size, PART_BYTES)
    ]


def _new_id(kind: str) -> str:
    return {"image": "C4E10", "video": "C5F10", "document": "D4E1F"}[kind] + "AQ" + _letters()


def _letters() -> str:
    return secrets.token_urlsafe(12)


# PUT to the upload URL


def upload(world: World, request: Request, key: str) -> Answer:
    """PUT of bytes: 201, for the parts of a video 200 with an ETag."""
    row = world.store.one(f"SELECT {_COLUMNS} FROM media WHERE upload_key = ?", key)
    if row is None:
        refuse(404, "This upload URL does not exist")
    if row["kind"] != "video":
        _need_owner(world, request, row)
    if row["upload_expires_at"] <= world.timestamp():
        refuse(403, "This upload URL has expired")
    if row["used"]:
        refuse(403, "This upload URL was used")
    if not request.body:
        refuse(400, "The upload is empty")
    if row["kind"] == "video":
        return _part(world, request, row)
    return _image(world, request, row) if row["kind"] == "image" else _document(world, request, row)


def _need_owner(world: World, request: Request, row: sqlite3.Row) -> None:
    """Images and documents are sent with the Bearer header of the member who asked."""
    token = tokens.presented(world, request.bearer())
    if members.PERSON + str(token["sub"]) != row["owner"]:
        denied("dmsUploads", "PUT", None)


def _image(world: World, request: Request, row: sqlite3.Row) -> Answer:
    kind, width, height = _measured(request.body)
    world.store.run(
        "UPDATE media SET uploaded_at = ?, format = ?, width = ?, height = ?, sha256 = ?,"
        " size_bytes = ?, content = ? WHERE urn = ?",
        world.timestamp(), kind, width, height, _sha256(request.body),
        len(request.body), request.body, row["urn"],
    )  # fmt: skip
    return Answer(201)


def _measured(body: bytes) -> tuple[str, int, int]:
    """Format, width and height; refused unless JPEG, PNG or GIF within the limits."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(body), formats=tuple(FORMATS))
            frames = getattr(image, "n_frames", 1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        _refuse_upload("The image is not a readable JPEG, PNG or GIF")
    if image.width * image.height >= PIXELS:
        _refuse_upload(f"The image has {PIXELS} pixels or more")
    if frames > FRAMES:
        _refuse_upload(f"The image has more than {FRAMES} frames")
    return str(image.format).replace("MPO", "JPEG"), image.width, image.height


def _document(world: World, request: Request, row: sqlite3.Row) -> Answer:
    if len(request.body) > DOCUMENT_BYTES:
        _refuse_upload("The document has more than 100 MB")
    if not request.body.startswith(_DOCUMENT_STARTS):
        _refuse_upload("The document is not PDF, PPT, PPTX, DOC or DOCX")
    world.store.run(
        "UPDATE media SET uploaded_at = ?, sha256 = ?, size_bytes = ? WHERE urn = ?",
        world.timestamp(), _sha256(request.body), len(request.body), row["urn"],
    )  # fmt: skip
    return Answer(201)


def _part(world: World, request: Request, row: sqlite3.Row) -> Answer:
    """One range of a video, of exactly the size that the instruction names."""
    number = request.query.get("part", "")
    if not number.isdecimal() or int(number) * PART_BYTES >= row["size_bytes"]:
        refuse(404, "This upload URL does not exist")
    first = int(number) * PART_BYTES
    expected = min(PART_BYTES, row["size_bytes"] - first)
    if len(request.body) != expected:
        _refuse_upload(f"{expected} bytes were expected, {len(request.body)} came")
    if first == 0 and request.body[4:8] != b"ftyp":
        world.store.run("UPDATE media SET failure = ? WHERE urn = ?", "NOT_MP4", row["urn"])
    etag = _sha256(request.body)[:32]
    world.store.put("media_part", urn=row["urn"], first_byte=first, etag=etag)
    return Answer(200, headers={"ETag": etag})


def _refuse_upload(message: str) -> NoReturn:
    refuse(400, message)


def _finalise(caller: Caller, request: Request) -> Answer:
    """All parts in order make the video; it is processed from then on."""
    caller.need_scope("w_member_social", "videos", "ACTION-finalizeUpload")
    given = _asked(request, "finalizeUploadRequest")
    urn = check_urn(given.get("video"), ("video",), "/finalizeUploadRequest/video")
    row = find(caller.world, urn)
    if row is None:
        refuse(404, "Video not found", "NOT_FOUND")
    caller.act_as(row["owner"], "videos", "ACTION-finalizeUpload")
    store = caller.world.store
    parts = store.all("SELECT etag FROM media_part WHERE urn = ? ORDER BY first_byte", urn)
    etags = [part["etag"] for part in parts]
    whole = len(etags) == -(-row["size_bytes"] // PART_BYTES)
    if not whole or given.get("uploadedPartIds") != etags:
        path = "/finalizeUploadRequest/uploadedPartIds"
        refuse_input("INVALID_VALUE_FOR_FIELD", path, "the parts are missing or out of order")
    store.run("UPDATE media SET uploaded_at = ? WHERE urn = ?", caller.world.timestamp(), urn)
    return Answer(200)


# GET /rest/images/{urn} and its siblings


def read(world: World, request: Request, kinds: str, raw: str) -> Answer:
    """The status of a video or document; 403 for images, which a member may only write."""
    caller = versioned(world, request)
    kind = kinds.removesuffix("s")
    urn = urn_key(raw, (kind,))
    if kind == "image" or (kind == "document" and not world.knobs.read_documents):
        denied(kinds, "GET", caller.version)
    row = find(world, urn)
    if row is None:
        refuse(404, f"{kind} not found", "NOT_FOUND")
    caller.act_as(row["owner"], kinds, "GET")
    state = status(world, row)
    body: Json = {"id": urn, "owner": row["owner"], "status": state}
    if state == "PROCESSING_FAILED":
        body["processingFailureReason"] = row["failure"] or "UNKNOWN"
    return as_json(body)


# POST /v2/assets?action=registerUpload (section 5.4)


def register_asset(caller: Caller, request: Request) -> Answer:
    """The legacy upload of an image; its asset names the same media."""
    caller.need_scope("w_member_social", "assets", "ACTION-registerUpload")
    given = _asked(request, "registerUploadRequest")
    owner = check_urn(given.get("owner"), ("person",), "/registerUploadRequest/owner")
    caller.act_as(owner, "assets", "ACTION-registerUpload")
    if given.get("recipes") != ["urn:li:digitalmediaRecipe:feedshare-image"]:
        path = "/registerUploadRequest/recipes"
        refuse_input("INVALID_VALUE_FOR_FIELD", path, "the recipe is not known")
    value = _opened(caller, "image", owner, None)
    mechanism = {
        "com.linkedin.digitalmedia.uploading.MediaUploadHttpRequest": {
            "uploadUrl": value["uploadUrl"],
            "headers": {},
        }
    }
    asset = value["image"].replace(":image:", ":digitalmediaAsset:")
    return as_json({"value": {"asset": asset, "uploadMechanism": mechanism}})


def _asked(request: Request, name: str) -> Json:
    given = request.json().get(name)
    if not isinstance(given, dict):
        refuse_input("MISSING_FIELD", f"/{name}", "the field is required")
    return given


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
