"""The calls of a directory, as RFC 7644 names them. Each bears a token of its connection,
which decides what it sees (`answers.recognise`); there is no cookie and no form."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.provisioning.scim import answers, groups, listing, users, wire
from app.provisioning.scim.answers import answer, body, connection, nothing
from app.provisioning.scim.listing import Query
from app.provisioning.scim.problems import Refused, unknown
from app.provisioning.scim.users import service_address
from app.provisioning.scim.wire import JSONObject
from app.web import access
from app.web.limits import limiter
from app.web.security import csrf

scim = Blueprint("scim", __name__, url_prefix=answers.PREFIX)
csrf.exempt(scim)  # the token in the header is the proof; a browser does not send it by itself
answers.listen(scim)
limiter.shared_limit(lambda: answers.CALLS, scope="scim", key_func=answers.caller)(scim)

_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _query(**fixed: JSONObject) -> Query:
    return Query.of({**request.args, **fixed})


def _seen(kind: str, resource: JSONObject, status: int = 200) -> Response:
    """A resource, as much of it as was asked for, with its address."""
    query = _query()
    shown = wire.selected(kind, resource, query.attributes, query.excluded)
    response = answer(shown, status)
    if status == 201:
        response.headers["Location"] = resource["meta"]["location"]
    return response


def _list(kind: str, query: Query) -> Response:
    found, total = listing.page(kind, connection(), query)
    return answer(wire.list_document(found, total, query.start))


# ---- What the service is --------------------------------------------------------------------


@scim.get("/ServiceProviderConfig")
@access.signed
def service_provider_config() -> Response:
    """What is supported."""
    return answer(wire.config_document(service_address()))


def _documents(found: dict[str, JSONObject]) -> Response:
    if "filter" in request.args:  # RFC 7644 section 4
        raise Refused(403, None, "These lists take no filter.")
    return answer(wire.list_document([*found.values()], len(found), 1))


def _document(found: dict[str, JSONObject], name: str) -> Response:
    if name not in found:
        raise unknown()
    return answer(found[name])


@scim.get("/ResourceTypes")
@access.signed
def resource_types() -> Response:
    """Users and groups."""
    return _documents(wire.resource_types(service_address()))


@scim.get("/ResourceTypes/<name>")
@access.signed
def resource_type(name: str) -> Response:
    """One of them."""
    return _document(wire.resource_types(service_address()), name)


@scim.get("/Schemas")
@access.signed
def schemas() -> Response:
    """Which attributes are kept."""
    return _documents(wire.schemas(service_address()))


@scim.get("/Schemas/<name>")
@access.signed
def schema(name: str) -> Response:
    """Those of one schema."""
    return _document(wire.schemas(service_address()), name)


# ---- Users ----------------------------------------------------------------------------------


@scim.get("/Users")
@access.signed
def user_list() -> Response:
    """A page of users; an empty one where none is found."""
    return _list("User", _query())


@scim.post("/Users")
@access.signed
def user_create() -> Response:
    """Take a user in."""
    return _seen("User", users.create(connection(), body()), 201)


@scim.get("/Users/<user_id>")
@access.signed
def user(user_id: str) -> Response:
    """One user."""
    return _seen("User", users.get(connection(), user_id))


@scim.put("/Users/<user_id>")
@access.signed
def user_replace(user_id: str) -> Response:
    """The whole user anew."""
    return _seen("User", users.replace_user(connection(), user_id, body()))


@scim.patch("/Users/<user_id>")
@access.signed
def user_patch(user_id: str) -> Response:
    """Some of the user."""
    return _seen("User", users.patch(connection(), user_id, body()))


@scim.delete("/Users/<user_id>")
@access.signed
def user_delete(user_id: str) -> Response:
    """The person departs."""
    users.remove(connection(), user_id)
    return nothing()


# ---- Groups ---------------------------------------------------------------------------------


@scim.get("/Groups")
@access.signed
def group_list() -> Response:
    """A page of groups."""
    return _list("Group", _query())


@scim.post("/Groups")
@access.signed
def group_create() -> Response:
    """Make a group."""
    return _seen("Group", groups.create(connection(), body()), 201)


@scim.get("/Groups/<group_id>")
@access.signed
def group(group_id: str) -> Response:
    """One group; its list only where it is wanted."""
    wanted = listing.wants_members(_query())
    return _seen("Group", groups.get(connection(), group_id, with_members=wanted))


@scim.put("/Groups/<group_id>")
@access.signed
def group_replace(group_id: str) -> Response:
    """The whole group anew."""
    return _seen("Group", groups.replace_group(connection(), group_id, body()))


@scim.patch("/Groups/<group_id>")
@access.signed
def group_patch(group_id: str) -> Response:
    """Some of the group. Nothing is answered: its list may be long."""
    groups.patch(connection(), group_id, body())
    if request.args.get("attributes"):
        return _seen("Group", groups.get(connection(), group_id))
    return nothing()


@scim.delete("/Groups/<group_id>")
@access.signed
def group_delete(group_id: str) -> Response:
    """The group goes, its people stay."""
    groups.remove(connection(), group_id)
    return nothing()


# ---- Searching, and what there is not ----------------------------------------------------------


@scim.post("/Users/.search")
@access.signed
def user_search() -> Response:
    """A list of users whose filter is no part of an address."""
    return _list("User", Query.of(body()))


@scim.post("/Groups/.search")
@access.signed
def group_search() -> Response:
    """A list of groups whose filter is no part of an address."""
    return _list("Group", Query.of(body()))


@scim.post("/.search")
@access.signed
def search() -> Response:
    """Users, then groups, as one list."""
    query = Query.of(body())
    found, total = listing.everything(connection(), query)
    return answer(wire.list_document(found, total, query.start))


@scim.route("/Bulk", methods=_ANY)
@access.signed
def bulk() -> Response:
    """Several calls in one are not supported, and announced so."""
    raise Refused(501, None, "Bulk operations are not supported.")


@scim.route("/Me", methods=_ANY)
@access.signed
def me() -> Response:
    """A connection is no person."""
    raise Refused(501, None, "A token of a connection stands for no user.")
