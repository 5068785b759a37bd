"""What providers say, as they really write it, in one form."""

from __future__ import annotations

import pytest

from app.people.provider_claims import Claims, UnusableClaims, read, shape_of

TENANT = "9122040d-6c67-4c5b-b112-36a304b66dad"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
OID = "690222be-ff1a-4d56-abd1-7e4f7d38e474"
FINANCE = "0b1f9851-1bf0-433f-aec3-cb9272f093dc"

ENTRA_TOKEN: dict[str, object] = {
    "aud": "6cb04018-a3f5-46a7-b995-940c78f5aef3", "iss": ENTRA, "iat": 1795000000,
    "nbf": 1795000000, "exp": 1795003900, "email": "Maelle.Kerjan@Halvenne.example",
    "groups": [FINANCE, "a19d5bd1-0f6b-4d5a-9d1b-2f5f0a6f3f0e"], "name": "Kerjan, Maëlle",
    "nonce": "n", "oid": OID, "preferred_username": "maelle.kerjan@halvenne.example",
    "rh": "0.AQ8A.", "roles": ["Curation"], "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
    "tid": TENANT, "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
}  # fmt: skip
GOOGLE_TOKEN: dict[str, object] = {
    "iss": "https://accounts.google.com", "azp": "1234.apps.googleusercontent.com",
    "aud": "1234.apps.googleusercontent.com", "sub": "10769150350006150715113082367",
    "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "hd": "Halvenne.example",
    "email": "maelle@halvenne.example", "email_verified": True, "name": "Maëlle Kerjan",
    "given_name": "Maëlle", "family_name": "Kerjan", "locale": "fr", "iat": 1, "exp": 2,
}  # fmt: skip
OKTA_TOKEN: dict[str, object] = {
    "ver": 1, "sub": "00uid4BxXw6I6TV4m0g3", "iss": "https://halvenne.okta.com",
    "aud": "0oabucvyc38HLL1ef0h7", "idp": "00o1n8sbwArJ7OQRw406", "jti": "ID.4eAWJOCMB3SX8XewDfVR",
    "amr": ["pwd", "mfa"], "auth_time": 1, "iat": 1, "exp": 2, "at_hash": "cpqKfdQA5eH891Ff5oJr_Q",
}  # fmt: skip
OKTA_USERINFO: dict[str, object] = {
    "sub": "00uid4BxXw6I6TV4m0g3", "name": "Maëlle Kerjan", "email": "maelle@halvenne.example",
    "email_verified": True, "groups": ["Everyone", "Comms"], "zoneinfo": "Europe/Paris",
}  # fmt: skip
KEYCLOAK_TOKEN: dict[str, object] = {
    "exp": 2, "iat": 1, "auth_time": 1, "jti": "f3c1", "azp": "portevoix", "aud": "portevoix",
    "iss": "https://id.halvenne.example/realms/main", "typ": "ID", "acr": "1",
    "sub": "1f0b8b1e-1111-4b3c-9a0a-0d8f5f7a0c11", "email_verified": True,
    "preferred_username": "maelle", "given_name": "Maëlle", "family_name": "Kerjan",
    "email": "maelle@halvenne.example", "groups": ["/rh/comm", "/tous"],
    "realm_access": {"roles": ["offline_access", "curation"]},
    "resource_access": {"portevoix": {"roles": ["lead"]}, "account": {"roles": ["manage-account"]}},
}  # fmt: skip


def said(proof: dict[str, object], userinfo: dict[str, object] | None = None) -> Claims:
    return read(str(proof["iss"]), "portevoix", proof, userinfo or {})


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        (ENTRA, "entra"),
        ("https://login.microsoftonline.us/x/v2.0", "entra"),
        ("https://accounts.google.com", "google"),
        ("https://halvenne.okta.com", "okta"),
        ("https://halvenne.oktapreview.com/oauth2/default", "okta"),
        ("https://halvenne.okta.com/oauth2/aus1a2b3c", "okta"),
        ("https://id.halvenne.example/realms/main", "keycloak"),
        ("https://id.halvenne.example/auth/realms/main", "keycloak"),
        ("https://accounts.google.com.evil.example", "other"),
        ("https://evil.example/https://halvenne.okta.com", "other"),
        ("https://login.microsoftonline.com.evil.example/x/v2.0", "other"),
        ("https://id.halvenne.example", "other"),
    ],
)
def test_it_knows_providers_by_their_issuer(issuer: str, name: str) -> None:
    assert shape_of(issuer).name == name


def test_it_names_people_of_entra_by_tenant_and_object_and_not_by_subject() -> None:
    claims = said(ENTRA_TOKEN)
    assert claims.subject == f"{TENANT}:{OID}"
    assert claims.external_id == OID
    assert claims.email == "Maelle.Kerjan@Halvenne.example"
    assert claims.groups == {FINANCE, "a19d5bd1-0f6b-4d5a-9d1b-2f5f0a6f3f0e", "Curation"}
    assert claims.name == "Kerjan, Maëlle"
    assert claims.workspace is None


@pytest.mark.parametrize("missing", ["oid", "tid"])
def test_it_refuses_entra_without_its_lasting_key(missing: str) -> None:
    with pytest.raises(UnusableClaims, match=missing):
        said({k: v for k, v in ENTRA_TOKEN.items() if k != missing})


def test_it_takes_the_key_from_the_id_token_alone() -> None:
    userinfo = {"oid": "somebody-else", "tid": TENANT, "sub": "x", "hd": "evil.example"}
    assert said(ENTRA_TOKEN, userinfo).subject == f"{TENANT}:{OID}"
    assert said(GOOGLE_TOKEN, userinfo).workspace == "halvenne.example"


@pytest.mark.parametrize(
    "marker",
    [
        {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {
                "src1": {"endpoint": f"https://graph.windows.net/{TENANT}/users/{OID}/getMember"}
            },
        },
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
def test_it_does_not_know_the_groups_of_somebody_who_has_too_many(
    marker: dict[str, object],
) -> None:
    token = {k: v for k, v in ENTRA_TOKEN.items() if k != "groups"} | marker
    assert said(token).groups is None


def test_it_takes_a_missing_claim_as_no_group_any_more() -> None:
    """Entra ID leaves the claim out for whoever is in none."""
    token = {k: v for k, v in ENTRA_TOKEN.items() if k not in ("groups", "roles")}
    assert said(token).groups == frozenset()


def test_it_does_not_believe_the_address_of_a_guest() -> None:
    guest = {"preferred_username": "maelle_mail.example#EXT#@halvenne.onmicrosoft.com"}
    assert said(ENTRA_TOKEN | guest).email is None


def test_it_reads_the_workspace_of_google_and_no_groups() -> None:
    claims = said(GOOGLE_TOKEN)
    assert (claims.subject, claims.email) == (
        "10769150350006150715113082367", "maelle@halvenne.example",
    )  # fmt: skip
    assert claims.workspace == "halvenne.example"
    assert claims.groups is None
    assert claims.external_id is None
    private = {k: v for k, v in GOOGLE_TOKEN.items() if k != "hd"}
    assert said(private).workspace == ""


@pytest.mark.parametrize("verified", [False, "false", None, 0, "no"])
@pytest.mark.parametrize("token", [GOOGLE_TOKEN, KEYCLOAK_TOKEN], ids=["google", "keycloak"])
def test_it_believes_only_verified_addresses(token: dict[str, object], verified: object) -> None:
    assert said(token | {"email_verified": verified}).email is None
    bare = {k: v for k, v in token.items() if k != "email_verified"}
    assert said(bare).email is None


def test_it_reads_what_okta_tells_in_userinfo() -> None:
    claims = said(OKTA_TOKEN, OKTA_USERINFO)
    assert claims.subject == claims.external_id == "00uid4BxXw6I6TV4m0g3"
    assert claims.email == "maelle@halvenne.example"
    assert claims.groups == {"Everyone", "Comms"}
    assert claims.name == "Maëlle Kerjan"


def test_one_verified_address_does_not_vouch_for_another() -> None:
    token = OKTA_TOKEN | {"email": "boss@halvenne.example"}
    assert said(token, OKTA_USERINFO).email is None
    same = OKTA_TOKEN | {"email": "maelle@halvenne.example"}
    assert said(same, OKTA_USERINFO).email == "maelle@halvenne.example"
    contradicted = same | {"email_verified": False}
    assert said(contradicted, OKTA_USERINFO).email is None


def test_it_reads_groups_and_roles_of_keycloak() -> None:
    claims = said(KEYCLOAK_TOKEN)
    assert claims.groups == {"/rh/comm", "/tous", "offline_access", "curation", "lead"}
    assert claims.name == "Maëlle Kerjan"


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ("one", {"one"}),
        ([], set()),
        (None, set()),
        ({"a": 1}, set()),
        ([1, None, {"x": "y"}, "", "  ", " b ", "c" * 301], {"b"}),
        ([f"g{n}" for n in range(2001)], None),
    ],
)
def test_it_reads_whatever_stands_where_groups_should(
    groups: object, found: set[str] | None
) -> None:
    token = {k: v for k, v in KEYCLOAK_TOKEN.items() if not k.endswith("_access")}
    assert said(token | {"groups": groups}).groups == found


def test_it_reads_the_same_from_an_issuer_with_a_slash_at_its_end() -> None:
    token = KEYCLOAK_TOKEN | {"iss": "https://halvenne.auth0.example/"}
    assert said(token).issuer == "https://halvenne.auth0.example"


@pytest.mark.parametrize("subject", ["", None, 7, "x" * 301])
def test_it_refuses_a_subject_that_names_nobody(subject: object) -> None:
    with pytest.raises(UnusableClaims, match="sub"):
        said(KEYCLOAK_TOKEN | {"sub": subject})
