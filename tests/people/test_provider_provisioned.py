"""A person whom SCIM brought signs in: the directory's own key says that it is the same one."""

from __future__ import annotations

import pytest
from flask import Flask

from app.people import provider_claims, provider_settings
from app.people.errors import NotInDirectory, OtherDomain
from app.people.identities import recognise
from tests.people.test_provider_claims import ENTRA_TOKEN, OID, OKTA_TOKEN, OKTA_USERINFO
from tests.provisioning.scim_kit import connect, person


def test_entra_and_scim_meet_by_object_identifier_without_any_address(any_app: Flask) -> None:
    user = connect(any_app).user(externalId=OID, userName="kerjan.m@old-domain.example")
    claims = provider_claims.read(str(ENTRA_TOKEN["iss"]), "portevoix", ENTRA_TOKEN, {})
    assert recognise(claims) == person(user).id
    assert recognise(claims) == person(user).id, "and by the lasting key from then on"


def test_okta_and_scim_meet_by_user_identifier(any_app: Flask) -> None:
    user = connect(any_app, kind="okta").user(externalId=OKTA_TOKEN["sub"])
    claims = provider_claims.read("https://halvenne.okta.com", "x", OKTA_TOKEN, OKTA_USERINFO)
    assert recognise(claims) == person(user).id


def test_whom_scim_ended_does_not_come_in(any_app: Flask) -> None:
    directory = connect(any_app)
    user = directory.user(externalId=OID)
    directory.patch(f"/Users/{user['id']}", {"op": "Replace", "path": "active", "value": False})
    claims = provider_claims.read(str(ENTRA_TOKEN["iss"]), "portevoix", ENTRA_TOKEN, {})
    with pytest.raises(NotInDirectory):
        recognise(claims)


def test_two_directories_that_disagree_link_nobody(any_app: Flask) -> None:
    for name in ("Halvenne", "Autre"):
        connect(any_app, name).user(externalId=OID)
    claims = provider_claims.read(str(ENTRA_TOKEN["iss"]), "portevoix", ENTRA_TOKEN, {})
    with pytest.raises(OtherDomain):
        recognise(claims)
    provider_settings.save(["halvenne.example"], creates_people=False, offers_password=True)
    with pytest.raises(NotInDirectory):
        recognise(claims)
