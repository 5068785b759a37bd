"""What an identity provider says of somebody, read by the shape of the provider.

Each provider names people, addresses and groups in its own way; `SHAPES` is the table of what
is taken from where. The ID token alone says who it is (stable key, workspace, markers); address,
name and groups may also come from userinfo, because an ID token may hold only the subject.

Sources: Microsoft identity platform, ID token claims and group overage; Google, OpenID Connect
(`hd`, `email_verified`); Okta, groups claim; Keycloak, mappers "Group Membership" and realm roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Said = Mapping[str, object]

LONGEST_GROUP = 300
MOST_GROUPS = 2000


class UnusableClaims(Exception):
    """The provider did not say who it is; the message names the missing claim."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of one person, in one form for all providers.

    `email` is None where it gives none, or has not verified it as its shape asks. `workspace` is
    the hosted domain that the account belongs to, "" for none, None where the provider has no
    such notion. `groups` is None where they are not known: then what is stays as it is.
    `external_id` is how the same directory names the person to a provisioning client.
    """

    issuer: str
    subject: str
    email: str | None
    name: str = ""
    workspace: str | None = None
    groups: frozenset[str] | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Where one kind of provider keeps things.

    `key`: the claims that together name a person for ever. `external`: the claim that a
    provisioning client of the same directory sends as `externalId`, where there is one. `verifies`: whether
    `email_verified` must be true; False where the provider never says so and the mail domain
    alone has to vouch. `workspace`: the claim of the hosted domain. `groups`: paths of claims,
    none where the provider never tells groups. `guest`: what marks an account of elsewhere.
    """

    name: str
    issuer: re.Pattern[str]
    key: tuple[str, ...] = ("sub",)
    external: str | None = None
    verifies: bool = True
    workspace: str | None = None
    groups: tuple[tuple[str, ...], ...] = (("groups",),)
    guest: re.Pattern[str] | None = field(default=None)


CLIENT = "{client}"
"""Stands for our client id in a path of claims."""

_ENTRA = r"https://(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn)/"
SHAPES = (
    # `sub` differs from one application to the next; an address is what its administrators type.
    Shape(
        "entra", re.compile(_ENTRA), ("tid", "oid"), "oid", verifies=False,
        groups=(("groups",), ("roles",)), guest=re.compile("#EXT#", re.IGNORECASE),
    ),
    Shape("google", re.compile(r"https://accounts\.google\.com$"), workspace="hd", groups=()),
    Shape(
        "okta", re.compile(r"https://[^/]+\.(okta|oktapreview|okta-emea)\.com(/oauth2/[^/]+)?$"),
        external="sub",
    ),
    Shape(
        "keycloak", re.compile(r"https?://[^/]+(/[^/]+)*/realms/[^/]+$"),
        groups=(("groups",), ("realm_access", "roles"), ("resource_access", CLIENT, "roles")),
    ),
    Shape("other", re.compile(""), groups=(("groups",), ("roles",))),
)  # fmt: skip


def shape_of(issuer: str) -> Shape:
    """The first that fits the issuer, which is written without a slash at its end."""
    return next(shape for shape in SHAPES if shape.issuer.match(issuer))


def read(issuer: str, client_id: str, proof: Said, userinfo: Said) -> Claims:
    """One person from a checked ID token and userinfo. Raises `UnusableClaims`."""
    issuer = issuer.rstrip("/")
    shape = shape_of(issuer)
    return Claims(
        issuer,
        ":".join(_text(proof, name) for name in shape.key),
        _address(shape, proof, userinfo),
        _name(proof) or _name(userinfo),
        str(proof.get(shape.workspace) or "").lower() if shape.workspace else None,
        _groups(shape, client_id, proof, userinfo),
        _text(proof, shape.external) if shape.external else None,
    )


def _text(said: Said, name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value or len(value) > LONGEST_GROUP:
        raise UnusableClaims(name)
    return value


def _address(shape: Shape, proof: Said, userinfo: Said) -> str | None:
    """The address, where the provider vouches for it as its shape asks. What one answer says of
    its own address proves nothing about another address in the other answer."""
    email = proof.get("email") or userinfo.get("email")
    if not isinstance(email, str) or _is_guest(shape, proof):
        return None
    said = [s.get("email_verified") for s in (proof, userinfo) if s.get("email") == email]
    told = [value in (True, "true") for value in said if value is not None]
    return email if all(told) and (told or not shape.verifies) else None


def _is_guest(shape: Shape, proof: Said) -> bool:
    names = (str(proof.get(claim) or "") for claim in ("preferred_username", "upn", "unique_name"))
    return shape.guest is not None and any(shape.guest.search(name) for name in names)


def _name(said: Said) -> str:
    whole = said.get("name")
    parts = (said.get("given_name"), said.get("family_name"))
    if isinstance(whole, str) and whole.strip():
        return whole.strip()
    return " ".join(part.strip() for part in parts if isinstance(part, str)).strip()


def _groups(shape: Shape, client_id: str, proof: Said, userinfo: Said) -> frozenset[str] | None:
    """Every group of every path. A provider that leaves the claim out says "none"; one that has
    too many to tell, or never tells, says nothing."""
    if not shape.groups or _is_overfull(proof) or _is_overfull(userinfo):
        return None
    paths = [tuple(client_id if p == CLIENT else p for p in path) for path in shape.groups]
    found = {g for said in (proof, userinfo) for path in paths for g in _at(said, path)}
    return frozenset(found) if len(found) <= MOST_GROUPS else None


def _is_overfull(said: Said) -> bool:
    """Entra ID leaves out more than 200 groups and marks their absence."""
    elsewhere = said.get("_claim_names")
    there = isinstance(elsewhere, Mapping) and "groups" in elsewhere
    return there or said.get("hasgroups") in (True, "true")


def _at(said: Said, path: tuple[str, ...]) -> Iterator[str]:
    value: object = said
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    for group in [value] if isinstance(value, str) else value if isinstance(value, list) else ():
        if isinstance(group, str) and 0 < len(group.strip()) <= LONGEST_GROUP:
            yield group.strip()
