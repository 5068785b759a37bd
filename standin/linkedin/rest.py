"""The gateway before `/rest` and `/v2`: version, token, day counters, scopes (sections 4 and 8)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from standin.linkedin import errors, members, registry, restli, tokens
from standin.linkedin.wire import Refused, Request, denied, refuse, refuse_input
from standin.linkedin.world import World

SUNSET_DAY = 15  # a version dies around this day of its month, one year later


@dataclass(slots=True)
class Caller:
    """Who is calling, by which token and version. `member` is None for a token not bound yet."""

    world: World
    token_hash: str
    fingerprint: str
    client_id: str | None
    member: str | None
    scopes: frozenset[str]
    version: str | None
    issued: bool

    @property
    def urn(self) -> str:
        """The member's URN."""
        return f"{members.PERSON}{self.member}"

    def need_scope(self, scope: str, resource: str, method: str) -> None:
        """403 naming resource and method without that scope."""
        if scope not in self.scopes:
            denied(resource, method, self.version)

    def act_as(self, urn: str, resource: str, method: str) -> None:
        """403 unless the token is that member's. A token never issued here becomes it."""
        sub = urn.removeprefix(members.PERSON)
        if self.member is None and not self.issued:
            tokens.bind(self.world, self.token_hash, sub)
            self.member = sub
            _count_member(self)
        if self.member != sub:
            denied(resource, method, self.version)


def versioned(world: World, request: Request) -> Caller:
    """Lets a call to `/rest` in: version, then token, then counters."""
    version = request.headers.get("linkedin-version", "").strip()
    if not version:
        refuse(400, "A version must be present. Please specify a version", "VERSION_MISSING")
    if version not in world.knobs.also_versions and not is_active(version, world.clock.now()):
        raise Refused(errors.no_such_version(version))
    return _caller(world, request, version)


def unversioned(world: World, request: Request) -> Caller:
    """Lets a call to `/v2` in."""
    return _caller(world, request, None)


def identified(world: World, request: Request) -> Caller:
    """Lets a call for identity in, which counts for the application only (section 3)."""
    caller = _authenticated(world, request, None)
    _count(world, f"userinfo:{caller.client_id}", _limits(caller)[1], "APPLICATION")
    return caller


def is_active(version: str, now: dt.datetime) -> bool:
    """Whether `YYYYMM` is inside the window of one year that ends with this month (section 4)."""
    if re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", version) is None:
        return False
    out = dt.datetime(int(version[:4]), int(version[4:]), 1, tzinfo=dt.UTC)
    gone = out.replace(year=out.year + 1, day=SUNSET_DAY)
    return out <= now < gone


def urn_key(raw: str, kinds: tuple[str, ...]) -> str:
    """A URN from the path, which must be percent-encoded whole and of one of these kinds."""
    try:
        urn = restli.key(raw)
    except restli.Unreadable as error:
        refuse(400, f"Syntax exception in path variables: {error}", "INVALID_URN_ID")
    return check_urn(urn, kinds, "/")


def check_urn(urn: object, kinds: tuple[str, ...], field_path: str) -> str:
    """A URN of one of these kinds; 400 `INVALID_URN_TYPE` or `INVALID_URN_ID` otherwise."""
    if not isinstance(urn, str):
        refuse_input("INVALID_VALUE_FOR_FIELD", field_path, "a URN is expected")
    parts = urn.split(":", 3)
    if len(parts) != 4 or parts[:2] != ["urn", "li"] or parts[2] not in kinds:
        refuse_input("INVALID_URN_TYPE", field_path, f"one of {', '.join(kinds)} is expected")
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", parts[3]) is None:
        refuse_input("INVALID_URN_ID", field_path, "the id of the URN is invalid")
    return urn


def _caller(world: World, request: Request, version: str | None) -> Caller:
    caller = _authenticated(world, request, version)
    _count(world, f"app:{caller.client_id}", _limits(caller)[1], "APPLICATION")
    if caller.member is not None:
        _count_member(caller)
    return caller


def _authenticated(world: World, request: Request, version: str | None) -> Caller:
    row = tokens.presented(world, request.bearer())
    return Caller(
        world=world,
        token_hash=row["hash"],
        fingerprint=row["fingerprint"],
        client_id=row["client_id"],
        member=row["sub"],
        scopes=frozenset(row["scope"].split()),
        version=version,
        issued=bool(row["issued"]),
    )


def _limits(caller: Caller) -> tuple[int, int]:
    """Calls in a day for the member and for the application."""
    knobs = caller.world.knobs
    row = registry.find(caller.world.store, caller.client_id or "")
    own = (row["member_day_limit"], row["app_day_limit"]) if row else registry.SHARE_LIMITS
    return (
        own[0] if knobs.member_day_limit is None else knobs.member_day_limit,
        own[1] if knobs.app_day_limit is None else knobs.app_day_limit,
    )


def _count_member(caller: Caller) -> None:
    name = f"member:{caller.client_id}:{caller.member}"
    _count(caller.world, name, _limits(caller)[0], "MEMBER")


def _count(world: World, name: str, limit: int, whose: str) -> None:
    """One more call today, UTC; 429 when that is too many (section 8, "Limits")."""
    row = world.store.one(
        "INSERT INTO counter (day, name, calls) VALUES (?, ?, 1)"
        " ON CONFLICT (day, name) DO UPDATE SET calls = calls + 1 RETURNING calls",
        f"{world.clock.now():%Y-%m-%d}",
        name,
    )
    if row is not None and row["calls"] > limit:
        raise Refused(errors.throttled(whose))
