"""A provider that can be told to misbehave, as no real one lets itself be told.

It signs with real keys and speaks the protocol over HTTP; each test changes one thing: a claim,
the header, the keys, what an address answers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from app import clock

CALLBACK = "/sign-in/oidc/callback"
CLIENT = "portevoix"
SECRET = "a-secret-that-both-know-0123456789abcdef"
REMOVED = object()


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def _by_hand(header: dict[str, object], claims: dict[str, object], secret: bytes) -> str:
    """A token that no library would sign: not at all, or with a public key as the secret."""
    text = ".".join(_coded(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{_coded(signature) if header['alg'] != 'none' else ''}"


class Issuer:
    """One provider. `answers` replaces what an address says: (status, body)."""

    def __init__(self) -> None:
        self.key = new_key("first")
        self.signing_key = self.key
        self.secret = SECRET.encode()
        self.jwks: dict[str, Any] = {"keys": [self.key.as_dict(private=False)]}
        self.header: dict[str, object] = {}
        self.changes: dict[str, object] = {}
        self.metadata: dict[str, object] = {}
        self.userinfo: dict[str, object] | None = None
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.hold: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        self.nonce = ""
        self.url = ""

    def discovery(self) -> dict[str, object]:
        told: dict[str, object] = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        if self.userinfo is not None:
            told["userinfo_endpoint"] = f"{self.url}/userinfo"
        return {k: v for k, v in (told | self.metadata).items() if v is not REMOVED}

    def claims(self) -> dict[str, object]:
        now = int(clock.timestamp())
        told: dict[str, object] = {
            "iss": self.url, "aud": CLIENT, "sub": "m-1", "iat": now, "exp": now + 300,
            "nonce": self.nonce, "email": "maelle@halvenne.example", "email_verified": True,
            "name": "Maëlle Kerjan",
        }  # fmt: skip
        return {k: v for k, v in (told | self.changes).items() if v is not REMOVED}

    def id_token(self) -> str:
        header = {"alg": "RS256", "kid": "first"} | self.header
        if header["alg"] != "RS256":
            return _by_hand(header, self.claims(), self.secret)
        return jwt.encode(header, self.claims(), self.signing_key)

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if path in self.hold:
            self.hold[path].wait(30)
        if path in self.answers:
            return self.answers[path]
        told: dict[str, object] = {
            "/.well-known/openid-configuration": self.discovery,
            "/jwks": lambda: self.jwks,
            "/token": lambda: {
                "access_token": "opaque", "token_type": "Bearer", "id_token": self.id_token(),
            },
            "/userinfo": lambda: self.userinfo,
        }[path]()  # fmt: skip
        return 200, json.dumps(told).encode()

    def rotate(self, kid: str) -> None:
        """New keys, as after a restart; the ones before are gone."""
        self.key = self.signing_key = new_key(kid)
        self.jwks = {"keys": [self.key.as_dict(private=False)]}
        self.header = {"kid": kid}


@contextmanager
def running() -> Iterator[Issuer]:
    """A provider on this machine."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            status, body = issuer.answer(urlsplit(self.path).path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  a name of the library

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        for event in issuer.hold.values():
            event.set()
        server.shutdown()
        server.server_close()


def sign_in(client: FlaskClient, issuer: Issuer, **query: str) -> TestResponse:
    """There and back; `query` changes what comes back in the address."""
    there = client.get("/sign-in/oidc")
    assert there.status_code == 303, there.get_data(as_text=True)
    asked = {k: v[0] for k, v in parse_qs(urlsplit(there.location).query).items()}
    issuer.nonce = asked["nonce"]
    return client.get(CALLBACK, query_string={"code": "c", "state": asked["state"]} | query)
