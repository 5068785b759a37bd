"""What Entra ID and Okta really send, rewritten into what the standard says.

Pure functions over dictionaries, in front of `wire`. The shapes are those their suites and
pages show: capital operations, attribute paths as keys of a value, a manager as bare text or
in an array, a read-only `id` beside what changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.provisioning.scim.problems import Refused, invalid
from app.provisioning.scim.wire import ENTERPRISE, JSONObject

MOST_OPERATIONS = 1000
_MANAGER = f"{ENTERPRISE}:manager".lower()
# Read-only, or about the message itself: harmless beside what changes.
_LEFT_OUT = ("schemas", "meta", "groups")


def _folded(body: JSONObject, name: str) -> str | None:
    """The key of `body` that is `name`, whatever its case."""
    return next((key for key in body if key.lower() == name.lower()), None)


def manager(value: Any) -> Any:
    """`{"value": …}` of bare text, an object, or an array with one of them; None for nobody."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        said = value.get(_folded(value, "value") or "")
        return {"value": str(said)} if said not in (None, "") else None
    return {"value": str(value)} if value not in (None, "") else None


def user_body(body: JSONObject) -> JSONObject:
    """A whole user of a POST or a PUT."""
    body = dict(body)
    for key in [key for key in body if key.lower() == _MANAGER]:
        extension = body.setdefault(_folded(body, ENTERPRISE) or ENTERPRISE, {})
        if isinstance(extension, dict):
            extension["manager"] = body.pop(key)
    where = _folded(body, ENTERPRISE)
    if where is not None and isinstance(body[where], dict):
        body[where] = _with_manager(body[where])
    return body


def _with_manager(extension: JSONObject) -> JSONObject:
    key = _folded(extension, "manager")
    if key is None:
        return extension
    return {k: v for k, v in extension.items() if k != key} | {"manager": manager(extension[key])}


def operations(body: JSONObject) -> list[JSONObject]:
    """The operations of a PATCH with small op names. Raises `Refused`."""
    key = _folded(body, "Operations")
    found = body.get(key or "")
    if not isinstance(found, list) or not found:
        raise invalid("Operations holds one or more operations.")
    if len(found) > MOST_OPERATIONS:
        raise Refused(413, None, f"At most {MOST_OPERATIONS} operations in one request.")
    return [_operation(one) for one in found]


def _operation(given: Any) -> JSONObject:
    if not isinstance(given, dict):
        raise Refused(400, "invalidSyntax", "An operation is an object.")
    found = {key.lower(): value for key, value in given.items()}
    known: JSONObject = {"op": str(found.get("op", "")).lower()}
    if found.get("path") not in (None, ""):
        known["path"] = found["path"]
    if "value" in found:
        known["value"] = found["value"]
    return known


def for_user(found: list[JSONObject], own_id: str) -> list[JSONObject]:
    """Operations on a user, each key that is a path become an operation of its own."""
    return [one for each in found for one in _expanded(each, own_id)]


def _expanded(one: JSONObject, own_id: str) -> Iterator[JSONObject]:
    path, value = one.get("path"), one.get("value")
    if path is None and isinstance(value, dict):
        yield from _by_key(one, value, own_id)
    elif isinstance(path, str) and _is_left_out(path, value, own_id):
        return
    elif isinstance(path, str) and path.lower() == _MANAGER:
        yield _managing(one, path)
    elif isinstance(path, str) and path.lower() == ENTERPRISE.lower() and isinstance(value, dict):
        yield one | {"value": _with_manager(value)}
    elif one["op"] == "add" and "value" in one and value is None:
        return
    else:
        yield one


def _is_left_out(path: str, value: Any, own_id: str) -> bool:
    name = path.lower()
    return name in _LEFT_OUT or name.startswith("meta.") or (name == "id" and value == own_id)


def _managing(one: JSONObject, path: str) -> JSONObject:
    named = manager(one.get("value"))
    if one["op"] == "remove" or named is None:
        return {"op": "remove", "path": path}
    return {"op": one["op"], "path": path, "value": named}


def _by_key(one: JSONObject, value: JSONObject, own_id: str) -> Iterator[JSONObject]:
    whole: JSONObject = {}
    for key, said in value.items():
        if _is_left_out(key, said, own_id):
            continue
        if "[" in key or ":" in key:
            yield from _expanded({"op": one["op"], "path": key, "value": said}, own_id)
        else:
            whole[key] = said
    if whole:
        yield {"op": one["op"], "value": whole}
