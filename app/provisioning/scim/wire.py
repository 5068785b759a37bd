"""SCIM as it travels, on scim2-models: schemas, reading, changing, filters.

The only module that knows the library, which is young: the rest of the house sees
dictionaries in SCIM's own shape. What a client sends beyond our schemas (phones, addresses,
photos, roles, passwords) is dropped here and never reaches a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Context,
    Error,
    ETag,
    ExtensibleStringEnum,
    Extension,
    Filter,
    ListResponse,
    Mutability,
    Patch,
    PatchOp,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    ScimFilter,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.path import (
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from scim2_models.resources.resource import AnyExtension
from scim2_models.urn import URN

from app.provisioning.scim.problems import Refused

__all__ = [
    "CORE", "ENTERPRISE", "GROUP", "Comparison", "FilterNode", "JSONObject", "LogicalExpr",
    "LogicalOperator", "Not", "Present", "ValuePath", "config_document", "list_document",
    "matches", "parsed_filter", "patched", "read", "resource_types", "schemas", "selected",
]  # fmt: skip

JSONObject = dict[str, Any]

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LONGEST_FILTER = 2000
PAGE_DEFAULT, PAGE_MOST = 100, 500

# What Entra ID sends that the strict reading of RFC 7644 refuses.
_POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class _Name(ComplexAttribute):
    formatted: str | None = None
    """The full name, written for display."""

    family_name: str | None = None
    """The family name."""

    given_name: str | None = None
    """The given name."""


class _Email(ComplexAttribute):
    class Type(ExtensibleStringEnum):
        work = "work"

    value: str | None = None
    """The address at work. Other addresses are not kept."""

    type: Type | None = None
    """What the address is for; only "work" is kept."""

    primary: bool | None = None
    """Whether it is the preferred address."""


class User(Resource[AnyExtension]):
    """An entry of the directory: what is kept of it, and no more."""

    __schema__ = URN(CORE)

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """How the directory names the person, compared without case."""

    name: _Name | None = None
    """The parts of the person's name."""

    Name: ClassVar[type[ComplexAttribute]] = _Name

    display_name: str | None = None
    """The name for display, used where no other is given."""

    title: str | None = None
    """The job title."""

    preferred_language: str | None = None
    """The language of pages and mails, where it is one of ours."""

    locale: str | None = None
    """The language where no preferred one is given."""

    active: bool | None = None
    """Whether the person is with the organisation. False ends every access at once."""

    emails: list[_Email] | None = None
    """Addresses at work."""

    Emails: ClassVar[type[ComplexAttribute]] = _Email


class _Manager(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """The manager's id, or their externalId."""


class EnterpriseUser(Extension):
    """The person's place in the organisation."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    """The number that the organisation gave the person."""

    organization: str | None = None
    """The company; it names an entity of the organisation where the two names agree."""

    division: str | None = None
    """The family of trades."""

    department: str | None = None
    """The department."""

    manager: _Manager | None = None
    """The person's manager."""


class _Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of a user of this connection."""

    ref: Annotated[Reference[User[Any]] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the user is read."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always "User": groups in groups are not kept."""


class Group(Resource[Any]):
    """A group of people, which becomes a segment."""

    __schema__ = URN(GROUP)

    display_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name of the group, compared without case."""

    members: list[_Member] | None = None
    """Who belongs to the group."""

    Members: ClassVar[type[ComplexAttribute]] = _Member


_USER = User[EnterpriseUser]
_MODELS: dict[str, Any] = {"User": _USER, "Group": Group}


def _config() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=PAGE_MOST),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth Bearer Token",
                description="A token of this connection, in the header Authorization.",
                primary=True,
            )
        ],
    )


def _types() -> list[ResourceType]:
    types = [ResourceType.from_resource(_USER), ResourceType.from_resource(Group)]
    for one in types:
        one.description = "A person of the directory" if one.name == "User" else "A group"
    return types


_PROVIDER = ScimProvider(
    models=[User, EnterpriseUser, Group], resource_types=_types(), config=_config(), policy=_POLICY
)


def _refusal(error: ValidationError | SCIMException) -> Refused:
    """The first fault, in SCIM's words."""
    if isinstance(error, SCIMException):
        return Refused(error.status, error.scim_type or None, error.detail or "")
    first = Error.from_validation_errors(error)[0]
    return Refused(first.status or 400, first.scim_type, first.detail or "")


@contextmanager
def _tolerant() -> Iterator[None]:
    """Under our policy, with faults as `Refused`. Deeply nested input is no syntax we read."""
    try:
        with _PROVIDER:
            yield
    except (ValidationError, SCIMException) as error:
        raise _refusal(error) from error
    except RecursionError as error:
        raise Refused(400, "invalidSyntax", "This is nested too deeply.") from error


def _dumped(resource: Any) -> JSONObject:
    found: JSONObject = resource.model_dump(scim_ctx=Context.DEFAULT)
    return found


def read(kind: str, body: Mapping[str, Any], *, replacing: bool = False) -> JSONObject:
    """A resource as a POST or a PUT sends it, without what is read-only or not ours.

    Raises `Refused`.
    """
    context = (
        Context.RESOURCE_REPLACEMENT_REQUEST if replacing else Context.RESOURCE_CREATION_REQUEST
    )
    with _tolerant():
        return _dumped(_MODELS[kind].model_validate(dict(body), scim_ctx=context))


def patched(kind: str, resource: Mapping[str, Any], operations: list[JSONObject]) -> JSONObject:
    """The resource after all operations, or `Refused` and nothing of them."""
    model = _MODELS[kind]
    with _tolerant():
        patch = PatchOp[model].model_validate(  # type: ignore[valid-type]
            {"schemas": [PATCH], "Operations": operations},
            scim_ctx=Context.RESOURCE_PATCH_REQUEST,
        )
        changed = model.model_validate(dict(resource))
        patch.patch(changed)
        return _dumped(changed)


def selected(
    kind: str, resource: JSONObject, attributes: str | None, excluded: str | None
) -> JSONObject:
    """What a client asked to see of a resource. Raises `Refused`."""
    if not attributes and not excluded:
        return resource
    with _tolerant():
        model = _MODELS[kind]
        asked = {"attributes": attributes or None, "excludedAttributes": excluded or None}
        wish = ResponseParameters[model].model_validate(asked)  # type: ignore[valid-type]
        shown: JSONObject = model.model_validate(resource).model_dump(
            scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wish
        )
        return shown


def parsed_filter(kind: str, text: str) -> FilterNode:
    """The tree of a filter whose attributes are ours. Raises `Refused` (`invalidFilter`)."""
    if len(text) > LONGEST_FILTER:
        raise Refused(400, "invalidFilter", "This filter is too long.")
    model = _MODELS[kind]
    with _tolerant():
        search = SearchRequest[model].model_validate({"filter": text})  # type: ignore[valid-type]
        if search.filter is None:
            raise Refused(400, "invalidFilter", "The filter is empty.")
        return search.filter.ast


def matches(kind: str, node: FilterNode, resource: JSONObject) -> bool:
    """Whether a whole resource satisfies a filter."""
    with _tolerant():
        model = _MODELS[kind]
        found: bool = ScimFilter[model](node).match(  # type: ignore[valid-type]
            model.model_validate(resource)
        )
        return found


def list_document(resources: list[JSONObject], total: int, start: int) -> JSONObject:
    """A page of a list. Okta wants every member present, even of an empty one."""
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _described(resource: Any, kind: str, base: str, path: str) -> JSONObject:
    found: JSONObject = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return found | {"meta": {"resourceType": kind, "location": f"{base}/{path}"}}


def config_document(base: str) -> JSONObject:
    """What `/ServiceProviderConfig` answers; `base` is the address of the service."""
    kind = "ServiceProviderConfig"
    return _described(_PROVIDER.config, kind, base, kind)


def resource_types(base: str) -> dict[str, JSONObject]:
    """What `/ResourceTypes` answers, by name."""
    found = {}
    for one in _PROVIDER.resource_types:
        name = str(one.name)
        found[name] = _described(one, "ResourceType", base, f"ResourceTypes/{name}")
    return found


def schemas(base: str) -> dict[str, JSONObject]:
    """What `/Schemas` answers, by identifier."""
    found = {}
    for one in _PROVIDER.schemas:
        name = _name_of(one)
        found[name] = _described(one, "Schema", base, f"Schemas/{name}")
    return found


def _name_of(schema: Schema) -> str:
    return str(schema.id)
