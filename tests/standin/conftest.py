"""A stand-in of one's own for each test, and a member who may post."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from PIL import Image

from standin.linkedin import StandIn
from tests.standin import plain

MEMBER = "k3Vb0mQzTa"  # Maëlle Kerjan of members.json
OTHER = "Xw7pL2dRnE"
VERSION = "202609"


@functools.cache
def _a_key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


@pytest.fixture(autouse=True)
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a key takes a tenth of a second: one serves all tests of a run."""
    key = _a_key()
    monkeypatch.setattr(RSAKey, "generate_key", lambda *_, **__: key)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def member(standin: StandIn) -> Iterator[httpx.Client]:
    """Speaks for MEMBER with the version header."""
    with speaking_for(standin, MEMBER) as client:
        yield client


def speaking_for(standin: StandIn, sub: str, **more: Any) -> httpx.Client:
    """A client with a token of `sub`."""
    return with_token(standin, standin.issue_token(sub, **more))


def with_token(standin: StandIn, token: str, version: str = VERSION) -> httpx.Client:
    """A client with this token."""
    headers = {"Authorization": f"Bearer {token}", "LinkedIn-Version": version}
    return plain.Client(base_url=standin.address, headers=headers)


def a_post(text: str = "Bonjour", author: str = MEMBER, **more: Any) -> dict[str, Any]:
    """The body of section 5.1."""
    return {
        "author": f"urn:li:person:{author}",
        "commentary": text,
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    } | more


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (32, 20)) -> bytes:
    """An encoded picture."""
    out = io.BytesIO()
    Image.new("RGB", size, "#345678").save(out, kind)
    return out.getvalue()


def uploaded(client: httpx.Client, picture: bytes | None = None, owner: str = MEMBER) -> str:
    """The URN of a picture that was uploaded."""
    value = opened(client, owner=owner)
    answer = client.put(value["uploadUrl"], content=a_picture() if picture is None else picture)
    assert answer.status_code == 201
    return str(value["image"])


def opened(client: httpx.Client, kinds: str = "images", owner: str = MEMBER, **more: Any) -> Any:
    """The `value` of an upload that was initialised."""
    given = {"initializeUploadRequest": {"owner": f"urn:li:person:{owner}", **more}}
    answer = client.post(f"/rest/{kinds}?action=initializeUpload", json=given)
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


def encoded(urn: str) -> str:
    """A URN as a path wants it."""
    return urn.replace(":", "%3A")
