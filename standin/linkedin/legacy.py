"""The unversioned endpoints: `/v2/ugcPosts` and `/v2/assets` (reference, section 5.4)."""

from __future__ import annotations

from collections.abc import Mapping

from standin.linkedin import content, media, posts
from standin.linkedin.rest import Caller, check_urn, unversioned, urn_key
from standin.linkedin.wire import Answer, Json, Request, as_json, refuse, refuse_input
from standin.linkedin.world import World

_SHARE = "com.linkedin.ugc.ShareContent"
_NETWORK = "com.linkedin.ugc.MemberNetworkVisibility"


def create(world: World, request: Request) -> Answer:
    """POST `/v2/ugcPosts`: the text is plain, nothing is escaped, nothing is cut."""
    caller = unversioned(world, request)
    caller.need_scope("w_member_social", "ugcPosts", "CREATE")
    body = request.json()
    author = check_urn(body.get("author"), ("person",), "/author")
    caller.act_as(author, "ugcPosts", "CREATE")
    if body.get("lifecycleState") != "PUBLISHED":
        content.wrong("/lifecycleState", "PUBLISHED is expected")
    share = _member(_member(body, "specificContent"), _SHARE)
    text = content.text(_member(share, "shareCommentary"), "text", "/shareCommentary", None) or ""
    posts.checked_length(text, "/shareCommentary/text")
    shown = _content(caller, share)
    if not text.strip() and shown is None:
        refuse_input("INVALID_VALUE_BLANK_FIELD", "/shareCommentary/text", "the post is empty")
    urn = posts.publish(
        caller,
        request,
        commentary=text,
        text=text,
        content=shown,
        visibility=_visibility(body),
        body=body,
        via="ugcPosts",
    )
    return as_json({"id": urn}, 201, {"x-restli-id": urn})


def delete(world: World, request: Request, raw: str) -> Answer:
    """DELETE `/v2/ugcPosts/{urn}`: 204."""
    return posts.remove(unversioned(world, request), urn_key(raw, posts.KINDS))


def assets(world: World, request: Request) -> Answer:
    """POST `/v2/assets?action=registerUpload`."""
    if request.query.get("action") != "registerUpload":
        refuse(400, "The action is not known")
    return media.register_asset(unversioned(world, request), request)


def _visibility(body: Json) -> str:
    value = _member(body, "visibility").get(_NETWORK)
    if value not in ("PUBLIC", "CONNECTIONS"):
        content.wrong("/visibility", "PUBLIC or CONNECTIONS is expected")
    return str(value)


def _content(caller: Caller, share: Json) -> Json | None:
    category, items = share.get("shareMediaCategory"), share.get("media", [])
    if category == "NONE" and not items:
        return None
    if category not in ("ARTICLE", "IMAGE") or not isinstance(items, list) or len(items) != 1:
        content.wrong("/shareMediaCategory", "NONE, or ARTICLE or IMAGE with one media")
    item = items[0]
    if not isinstance(item, dict) or item.get("status") != "READY":
        content.wrong("/media/0/status", "READY is expected")
    if category == "ARTICLE":
        return _article(item)
    asset = check_urn(item.get("media"), ("digitalmediaAsset",), "/media/0/media")
    image = asset.replace(":digitalmediaAsset:", ":image:")
    kept = content.check(caller, {"media": {"id": image}})
    return {**(kept or {}), "alt_text": _words(item, "description")}


def _article(item: Json) -> Json:
    """This endpoint reads the link's own preview on the real service; here it shows the host."""
    source = item.get("originalUrl")
    if not isinstance(source, str) or not content.is_web_address(source):
        content.wrong("/media/0/originalUrl", "an absolute http or https address is expected")
    title = _words(item, "title") or source
    description = _words(item, "description")
    return {
        "kind": "article", "source": source, "title": title, "description": description,
        "thumbnail": None,
    }  # fmt: skip


def _words(item: Mapping[str, object], name: str) -> str | None:
    value = item.get(name)
    text = value.get("text") if isinstance(value, dict) else None
    return text if isinstance(text, str) and content.is_sound(text) else None


def _member(given: Json, name: str) -> Json:
    value = given.get(name)
    if not isinstance(value, dict):
        refuse_input("MISSING_FIELD", f"/{name}", "the field is required")
    return value
