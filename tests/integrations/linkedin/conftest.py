"""A scripted server, and settings that take it for LinkedIn."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.config import Settings
from tests.conftest import settings_for
from tests.integrations.linkedin.scripted import Scripted


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture
def settings_at(tmp_path: Path) -> Callable[..., Settings]:
    """Settings whose LinkedIn is at an address."""

    def at(address: str, **more: str) -> Settings:
        given = {
            "LINKEDIN_AUTH_URL": address,
            "LINKEDIN_API_URL": address,
            "LINKEDIN_CLIENT_ID": "78client",
            "LINKEDIN_CLIENT_SECRET": "WPL_AP1.s3cret+/=&",
            "BASE_URL": "https://portevoix.halvenne.example",
        }
        return settings_for(tmp_path, **given | more)

    return at


@pytest.fixture
def settings(settings_at: Callable[..., Settings], server: Scripted) -> Settings:
    return settings_at(server.address)


@dataclass(frozen=True)
class Certificate:
    """A certificate for `localhost` that signed itself."""

    file: Path
    context: ssl.SSLContext

    def wrap(self, connection: socket.socket) -> socket.socket:
        return self.context.wrap_socket(connection, server_side=True)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certificate(folder / "certificate.pem", context)
