"""A passkey made of a few bytes: what a phone or a key on a ring does, without the finger."""

from __future__ import annotations

import hashlib
import json
import os
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from werkzeug.test import TestResponse

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, HOLDS_KEY = 0x01, 0x04, 0x40


class LocalClient(FlaskClient):
    """A browser that calls the installation `localhost`, as passkeys need it."""

    def open(self, *args: object, **given: object) -> TestResponse:
        given.setdefault("base_url", ORIGIN)
        return super().open(*args, **given)


class Authenticator:
    """One passkey. `counts` False for those that are copied between devices and count nothing."""

    def __init__(self, *, verifies: bool = True, counts: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(16)
        self.verifies, self.counts = verifies, counts
        self.count = 0
        self.owner = b""

    def _data(self, host: str, flags: int, rest: bytes = b"") -> bytes:
        self.count += self.counts
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, self.count) + rest

    def _client_data(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    def _answer(self, **response: bytes) -> str:
        said = {name: bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps(
            {
                "id": bytes_to_base64url(self.id), "rawId": bytes_to_base64url(self.id),
                "type": "public-key", "response": said,
            }
        )  # fmt: skip

    def make(self, options: str, origin: str = ORIGIN) -> str:
        """Answer to `navigator.credentials.create`."""
        asked = json.loads(options)
        self.owner = base64url_to_bytes(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        rest = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(asked["rp"]["id"], HOLDS_KEY, rest)
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client_data("webauthn.create", asked["challenge"], origin)
        return self._answer(clientDataJSON=said, attestationObject=made)

    def sign(self, options: str, origin: str = ORIGIN) -> str:
        """Answer to `navigator.credentials.get`."""
        asked = json.loads(options)
        data = self._data(asked["rpId"], 0)
        said = self._client_data("webauthn.get", asked["challenge"], origin)
        proof = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=said, authenticatorData=data, signature=proof, userHandle=self.owner
        )
