"""`/_standin/…`: what tests and the demo read and turn. Answers are JSON."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from standin.linkedin import faults, members, posts, registry, tokens
from standin.linkedin.clock import parse, rfc3339
from standin.linkedin.wire import Answer, Json, Request, as_json, problem, refuse
from standin.linkedin.world import World

Handler = Callable[[World, Request], Answer]

_SENSELESS = (ValueError, TypeError, AttributeError, OverflowError, sqlite3.ProgrammingError)


def checked(handler: Handler) -> Handler:
    """Turns what a body without sense raises into a 400 that says what is wrong."""

    def answer(world: World, request: Request) -> Answer:
        try:
            return handler(world, request)
        except _SENSELESS as error:
            return problem(400, str(error))

    return answer


def get_posts(world: World, request: Request) -> Answer:
    """GET: the posts, newest last; `?author=` and `?since=` narrow it."""
    query = request.query
    return as_json(posts.listed(world, query.get("author"), query.get("since")))


def delete_posts(world: World, request: Request) -> Answer:
    """DELETE: no posts, and none to be a duplicate of."""
    world.store.run("DELETE FROM post")
    return Answer(204)


def get_requests(world: World, request: Request) -> Answer:
    """GET: counts by method and route, and the last 200 requests."""
    return as_json(world.journal.as_json())


def get_tokens(world: World, request: Request) -> Answer:
    """GET: each token's state by fingerprint and member."""
    rows = world.store.all("SELECT * FROM token ORDER BY rowid")
    return as_json([tokens.as_json(world, row) for row in rows])


def post_tokens(world: World, request: Request) -> Answer:
    """POST `{"member", "scope"?, "client_id"?, "expires_in"?}`: a token without the OAuth dance."""
    given = _given(request)
    client_id = given.get("client_id", registry.CLIENT_ID)
    client = registry.find(world.store, client_id)
    if client is None:
        raise ValueError(f"no application is registered as {client_id}")
    sub = str(given["member"]).removeprefix(members.PERSON) if "member" in given else ""
    if not members.is_person_id(sub):
        raise ValueError("a member is needed")
    scope = str(given.get("scope") or client["scope"])
    seconds = float(given.get("expires_in", world.knobs.token_seconds))
    token = tokens.issue(world, client_id, sub, scope, seconds)
    return as_json({"access_token": token, "expires_in": seconds, "scope": scope}, 201)


def post_revocations(world: World, request: Request) -> Answer:
    """POST `{"member": sub}` or `{"token": fingerprint}`: as the member does in the settings."""
    given = _given(request)
    member = given.get("member")
    if member is not None:
        member = str(member).removeprefix(members.PERSON)
    count = tokens.revoke_where(world, member=member, token=given.get("token"))
    return as_json({"revoked": count})


def get_faults(world: World, request: Request) -> Answer:
    """GET: rules and mix with their tallies."""
    return as_json(world.faults.as_json())


def post_faults(world: World, request: Request) -> Answer:
    """POST: one rule, a list of rules, `{"rules": […]}`, or `{"seed", "mix", "match"?}`."""
    given = _any(request)
    if isinstance(given, dict) and "mix" in given:
        world.faults.mix(faults.mix_from(given))
    elif isinstance(given, dict) and "rules" in given:
        world.faults.add([faults.rule_from(rule) for rule in given["rules"]])
    else:
        rules = given if isinstance(given, list) else [given]
        world.faults.add([faults.rule_from(rule) for rule in rules])
    return as_json(world.faults.as_json(), 201)


def delete_faults(world: World, request: Request) -> Answer:
    """DELETE: everything off."""
    world.faults.clear()
    return Answer(204)


def get_knobs(world: World, request: Request) -> Answer:
    """GET: how each knob stands."""
    return as_json(world.knobs.as_json())


def post_knobs(world: World, request: Request) -> Answer:
    """POST: the knobs to turn, by name."""
    world.knobs.turn(_given(request))
    return get_knobs(world, request)


def delete_knobs(world: World, request: Request) -> Answer:
    """DELETE: every knob as at the start."""
    world.turn_knobs_back()
    return Answer(204)


def post_clients(world: World, request: Request) -> Answer:
    """POST: registers an application or changes it."""
    given = _given(request)
    registry.register_json(world.store, given)
    return as_json({"client_id": given["client_id"]}, 201)


def get_members(world: World, request: Request) -> Answer:
    """GET: the members, also as each application knows them."""
    rows = world.store.all("SELECT * FROM member ORDER BY rowid")
    return as_json([members.as_json(row) for row in rows])


def post_members(world: World, request: Request) -> Answer:
    """POST: a list of members to add or replace."""
    given = _any(request)
    members.add(world.store, given if isinstance(given, list) else [given])
    return get_members(world, request)


def get_clock(world: World, request: Request) -> Answer:
    """GET: what time it is here."""
    return as_json({"now": rfc3339(world.timestamp())})


def post_clock(world: World, request: Request) -> Answer:
    """POST `{"now": RFC 3339}` or `{"advance": seconds}`."""
    given = _given(request)
    if "now" in given:
        world.clock.set(parse(str(given["now"])))
    if "advance" in given:
        world.clock.advance(float(given["advance"]))
    return get_clock(world, request)


def post_reset(world: World, request: Request) -> Answer:
    """POST: as at the start, but for applications and members."""
    world.reset()
    return Answer(204)


def _any(request: Request) -> Any:
    if request.media_type != "application/json":
        refuse(415, "application/json is expected")
    return json.loads(request.body)


def _given(request: Request) -> Json:
    given = _any(request)
    if not isinstance(given, dict):
        raise ValueError("a JSON object is expected")
    return given
