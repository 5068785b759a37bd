"""Access tokens: issued, looked up, taken back. Only their hashes are kept."""

from __future__ import annotations

import secrets
import sqlite3

from standin.linkedin import errors
from standin.linkedin.clock import rfc3339
from standin.linkedin.store import fingerprint, hash_of
from standin.linkedin.wire import Json, Refused
from standin.linkedin.world import World

_TEN_YEARS = 10 * 365 * 86_400


def issue(world: World, client_id: str, sub: str, scope: str, seconds: float) -> str:
    """A new access token of about 500 signs (section 2.3)."""
    token = "AQX" + secrets.token_urlsafe(372)
    _write(world, token, client_id, sub, scope, issued=True, seconds=seconds)
    return token


def presented(world: World, token: str) -> sqlite3.Row:
    """The row of a token that may be used; 401 with the code of section 8 otherwise."""
    if not token:
        raise Refused(errors.empty_token(world.knobs.older_errors))
    row = find(world, token)
    if row is None and world.knobs.accept_any_token:
        row = _accepted(world, token)
    if row is None:
        raise Refused(errors.invalid_token())
    state = state_of(world, row)
    if state == "revoked":
        raise Refused(errors.revoked_token())
    if state == "expired":
        raise Refused(errors.expired_token())
    return row


def find(world: World, token: str) -> sqlite3.Row | None:
    """The row of a token, whatever its state."""
    return world.store.one("SELECT * FROM token WHERE hash = ?", hash_of(token))


def state_of(world: World, row: sqlite3.Row) -> str:
    """`active`, `expired` or `revoked` (section 2.5)."""
    if row["revoked_at"] is not None:
        return "revoked"
    return "expired" if row["expires_at"] <= world.timestamp() else "active"


def revoke(world: World, token: str) -> None:
    """Takes a token back. One that was never issued here is remembered as revoked when any
    token would have been accepted."""
    if find(world, token) is None and world.knobs.accept_any_token:
        _accepted(world, token)
    world.store.run(
        "UPDATE token SET revoked_at = coalesce(revoked_at, ?) WHERE hash = ?",
        world.timestamp(),
        hash_of(token),
    )


def revoke_where(world: World, *, member: str | None = None, token: str | None = None) -> int:
    """Takes back all tokens of a member, or the one with this fingerprint; how many."""
    now = world.timestamp()
    if member is not None:
        world.store.run(
            "UPDATE refresh_token SET revoked_at = ? WHERE sub = ? AND revoked_at IS NULL",
            now,
            member,
        )
    return world.store.run(
        "UPDATE token SET revoked_at = ? WHERE (sub = ? OR fingerprint = ?) AND revoked_at IS NULL",
        now,
        member,
        token,
    )


def revoke_other_scopes(world: World, client_id: str, sub: str, scope: str) -> None:
    """Asking for another set of scopes ends the member's earlier tokens (section 2.2)."""
    for table in ("token", "refresh_token"):
        world.store.run(
            f"UPDATE {table} SET revoked_at = ? WHERE client_id = ? AND sub = ? AND scope <> ?"
            " AND revoked_at IS NULL",
            world.timestamp(),
            client_id,
            sub,
            scope,
        )


def is_granted(world: World, client_id: str, sub: str, scope: str) -> bool:
    """Whether the same scopes were granted and a token of them still works (section 2.2)."""
    row = world.store.one(
        "SELECT 1 FROM token WHERE client_id = ? AND sub = ? AND scope = ?"
        " AND revoked_at IS NULL AND expires_at > ?",
        client_id,
        sub,
        scope,
        world.timestamp(),
    )
    return row is not None


def bind(world: World, token_hash: str, sub: str) -> None:
    """Gives a token that was never issued here the member it acts for, once."""
    world.store.run("UPDATE token SET sub = ? WHERE hash = ? AND sub IS NULL", sub, token_hash)


def as_json(world: World, row: sqlite3.Row) -> Json:
    """The list of `GET /_standin/tokens`."""
    return {
        "token": row["fingerprint"], "member": row["sub"], "client_id": row["client_id"],
        "scope": row["scope"], "state": state_of(world, row), "issued": bool(row["issued"]),
        "created_at": rfc3339(row["created_at"]), "expires_at": rfc3339(row["expires_at"]),
        "revoked_at": rfc3339(row["revoked_at"]),
    }  # fmt: skip


def _accepted(world: World, token: str) -> sqlite3.Row | None:
    scope = world.knobs.any_token_scope
    _write(world, token, None, None, scope, issued=False, seconds=_TEN_YEARS)
    return find(world, token)


def _write(
    world: World,
    token: str,
    client_id: str | None,
    sub: str | None,
    scope: str,
    *,
    issued: bool,
    seconds: float,
) -> None:
    now = world.timestamp()
    world.store.put(
        "token",
        hash=hash_of(token),
        fingerprint=fingerprint(token),
        client_id=client_id,
        sub=sub,
        scope=" ".join(sorted(scope.split())),
        issued=int(issued),
        created_at=now,
        expires_at=now + seconds,
    )
