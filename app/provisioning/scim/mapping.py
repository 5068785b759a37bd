"""Which attribute of SCIM is which field of the directory.

`division` is the family of trades (`function`): it is how people of one trade are gathered in
the directories we know, while neither it nor `organization` names a place, so `site` is left
to imports. `organization` names one of the organisation's entities where the names agree.
A field is written only when what the connection says of it changes, so that a field which it
never mentions stays as an import or an administrator left it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.config import LANGUAGES
from app.people.text import LONGEST, is_usable, normal_address, one_line
from app.provisioning.scim.problems import invalid
from app.provisioning.scim.wire import ENTERPRISE, JSONObject

MOST = 300
"""Characters of a userName, an externalId or a group's name."""
_NUMBER_MOST = 80
_READ_ONLY = ("schemas", "id", "meta", "externalId")


@dataclass(frozen=True, slots=True)
class Fields:
    """What a connection says of a person, in the directory's words; None where it says nothing."""

    name: str
    email: str | None
    language: str | None
    job_title: str | None
    employee_id: str | None
    department: str | None
    function: str | None
    entity: str | None
    manager: str | None


def key(name: str) -> str:
    """How a userName or a group's name is compared: without case, with one space between words."""
    return one_line(name).casefold()


def kept(resource: JSONObject) -> JSONObject:
    """What is stored of a resource: addresses at work only, nothing that is read-only.

    Raises `Refused` for names too long to keep.
    """
    said = {name: value for name, value in resource.items() if name not in _READ_ONLY}
    emails = [one for one in said.pop("emails", None) or [] if one.get("type") in (None, "work")]
    if emails:
        said["emails"] = emails
    _refuse_long(said.get("userName"), "userName")
    _refuse_long(resource.get("externalId"), "externalId")
    if not key(str(said.get("userName", ""))):
        raise invalid("userName is empty.")
    return said


def _refuse_long(value: object, name: str) -> None:
    if isinstance(value, str) and len(value) > MOST:
        raise invalid(f"{name} has more than {MOST} characters.")


def fields(said: Mapping[str, Any]) -> Fields:
    """The directory's fields. Raises `Refused` for an address or a number that cannot be one."""
    more = said.get(ENTERPRISE) or {}
    return Fields(
        name=_name(said),
        email=_email(said),
        language=_language(said),
        job_title=_text(said.get("title")),
        employee_id=_number(more.get("employeeNumber")),
        department=_text(more.get("department")),
        function=_text(more.get("division")),
        entity=_text(more.get("organization")),
        manager=_text((more.get("manager") or {}).get("value")),
    )


def _text(value: object) -> str | None:
    return one_line(str(value)) or None if value is not None else None


def _number(value: object) -> str | None:
    number = _text(value)
    if number and len(number) > _NUMBER_MOST:
        raise invalid(f"employeeNumber has more than {_NUMBER_MOST} characters.")
    return number


def _name(said: Mapping[str, Any]) -> str:
    """Given and family name come first: pages greet by the first word, and "formatted" may
    begin with a title or with the family name."""
    parts = said.get("name") or {}
    given, family = _text(parts.get("givenName")), _text(parts.get("familyName"))
    both = f"{given} {family}" if given and family else None
    candidates = (
        both, _text(parts.get("formatted")), _text(said.get("displayName")), given, family,
        _text(said["userName"]),
    )  # fmt: skip
    return next(name for name in candidates if name)


def _email(said: Mapping[str, Any]) -> str | None:
    """The preferred address at work; without any, a userName that is one."""
    emails = sorted(said.get("emails") or [], key=lambda one: not one.get("primary"))
    for one in emails:
        if address := normal_address(str(one.get("value") or "")):
            if not is_usable(address) or len(address) > LONGEST:
                raise invalid("emails: this is no mail address.")
            return address
    address = normal_address(str(said["userName"]))
    return address if "@" in address and is_usable(address) else None


def _language(said: Mapping[str, Any]) -> str | None:
    for name in ("preferredLanguage", "locale"):
        code = str(said.get(name) or "").replace("_", "-").split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return None


def as_id(text: str | None) -> uuid.UUID | None:
    """An identifier of ours, or None for any other text."""
    try:
        return uuid.UUID(text) if text and len(text) == 36 else None
    except ValueError:
        return None
