"""Every address of the stand-in and what answers there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from standin.linkedin import (
    analytics,
    control,
    errors,
    feed,
    identity,
    legacy,
    media,
    members,
    oauth,
    pages,
    posts,
    rest,
)
from standin.linkedin.wire import Answer, Refused, Request, denied, problem
from standin.linkedin.world import World

_Handler = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a pattern of the path as sent, and the function for it."""

    method: str
    pattern: re.Pattern[str]
    label: str  # the path by which requests are counted
    handler: _Handler


def _route(method: str, path: str, handler: _Handler) -> Route:
    """`{name}` in `path` stands for one segment, or part of one."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(path))
    return Route(method, re.compile(pattern), path, handler)


def _to_feed(world: World, request: Request) -> Answer:
    return Answer(302, headers={"Location": "/feed/"})


def _no_icon(world: World, request: Request) -> Answer:
    return Answer(204)


def _closed(resource: str) -> _Handler:
    """A resource that needs a permission nobody here has (sections 5.3 and 7)."""

    def answer(world: World, request: Request, raw: str) -> Answer:
        denied(resource, request.method, rest.versioned(world, request).version)

    return answer


def _control(method: str, name: str, handler: control.Handler) -> Route:
    return _route(method, f"/_standin/{name}", control.checked(handler))


_ROUTES = (
    _route("GET", "/oauth/v2/authorization", oauth.authorization),
    _route("POST", "/oauth/v2/authorization", oauth.decision),
    _route("POST", "/oauth/v2/accessToken", oauth.access_token),
    _route("POST", "/oauth/v2/introspectToken", oauth.introspection),
    _route("POST", "/oauth/v2/revoke", oauth.revocation),
    _route("GET", "/oauth/.well-known/openid-configuration", identity.discovery),
    _route("GET", "/oauth/openid/jwks", identity.jwks),
    _route("GET", "/v2/userinfo", identity.userinfo),
    _route("GET", "/v2/me", identity.me),
    _route("POST", "/v2/ugcPosts", legacy.create),
    _route("DELETE", "/v2/ugcPosts/{raw}", legacy.delete),
    _route("POST", "/v2/assets", legacy.assets),
    _route("POST", "/rest/posts", posts.create),
    _route("GET", "/rest/posts", posts.read_all),
    _route("GET", "/rest/posts/{raw}", posts.read),
    _route("POST", "/rest/posts/{raw}", posts.update),
    _route("DELETE", "/rest/posts/{raw}", posts.delete),
    *(
        route
        for kinds in ("images", "videos", "documents")
        for route in (
            _route("POST", f"/rest/{kinds}", lambda w, r, kinds=kinds: media.action(w, r, kinds)),
            _route(
                "GET",
                f"/rest/{kinds}/{{raw}}",
                lambda w, r, raw, kinds=kinds: media.read(w, r, kinds, raw),
            ),
        )
    ),
    _route("GET", "/rest/memberCreatorPostAnalytics", analytics.read),
    _route("GET", "/rest/memberFollowersCount", analytics.followers),
    _route("GET", "/rest/socialMetadata/{raw}", _closed("partnerApiSocialMetadata")),
    _route("GET", "/rest/socialActions/{raw}", _closed("partnerApiSocialActions")),
    _route("PUT", "/dms-uploads/{key}", media.upload),
    _route("GET", "/dms/{name}", media.show),
    _route("GET", "/dms/image/profile-displayphoto/{sub}", members.show_picture),
    _route("GET", "/", _to_feed),
    _route("GET", "/feed", _to_feed),
    _route("GET", "/feed/", feed.feed),
    _route("GET", "/feed/update/{raw}", feed.update),
    _route("GET", "/feed/update/{raw}/", feed.update),
    _route("GET", "/favicon.ico", _no_icon),
    _route("GET", pages.STYLE, pages.style),
    _control("GET", "posts", control.get_posts),
    _control("DELETE", "posts", control.delete_posts),
    _control("GET", "requests", control.get_requests),
    _control("GET", "tokens", control.get_tokens),
    _control("POST", "tokens", control.post_tokens),
    _control("POST", "revocations", control.post_revocations),
    _control("GET", "faults", control.get_faults),
    _control("POST", "faults", control.post_faults),
    _control("DELETE", "faults", control.delete_faults),
    _control("GET", "knobs", control.get_knobs),
    _control("POST", "knobs", control.post_knobs),
    _control("DELETE", "knobs", control.delete_knobs),
    _control("POST", "clients", control.post_clients),
    _control("GET", "members", control.get_members),
    _control("POST", "members", control.post_members),
    _control("GET", "clock", control.get_clock),
    _control("POST", "clock", control.post_clock),
    _control("POST", "reset", control.post_reset),
)


def label_of(path: str) -> str:
    """The path by which a request is counted: keys and URNs are left out."""
    for route in _ROUTES:
        if route.pattern.fullmatch(path):
            return route.label
    return path[:80]


def answer(world: World, request: Request) -> Answer:
    """The answer of the route. What a refusal had counted before stays counted."""
    with world.store.transaction():
        try:
            return _answer(world, request)
        except Refused as refusal:
            return refusal.answer


def _answer(world: World, request: Request) -> Answer:
    allowed: list[str] = []
    method = "GET" if request.method == "HEAD" else request.method
    for route in _ROUTES:
        found = route.pattern.fullmatch(request.path)
        if found is None:
            continue
        if route.method == method:
            return route.handler(world, request, **found.groupdict())
        allowed.append(route.method)
    if allowed:
        headers = {"Allow": ", ".join(sorted(set(allowed)))}
        return Answer(405, problem(405, "Method not allowed").body, headers)
    if request.path.startswith("/rest/"):
        rest.versioned(world, request)
    return errors.not_found(f"No resource at {request.path[:80]}")
