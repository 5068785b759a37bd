"""Fetching from addresses that strangers wrote.

The tables were written before the code that decides (`app.integrations.fetching`): what may
not be reached is refused without one connection to it, whoever names it, a person or a
redirect; what may be reached is read within its bounds of bytes and of seconds.
"""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.integrations import fetching
from app.integrations.fetching import Fetched, FetchFailed
from tests.integrations import strangers
from tests.integrations.strangers import Stranger, Trap, answer, moved

MB = 1024 * 1024

REFUSED = (
    # not ours to reach
    "https://127.0.0.1/", "https://127.0.0.2/", "https://localhost/", "https://LOCALHOST/",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::]/",
    "https://[64:ff9b::7f00:1]/", "https://[fe80::1]/", "https://[fd12::1]/", "https://0.0.0.0/",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/", "https://224.0.0.1/", "https://255.255.255.255/",
    # the same, in disguise
    "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
    "https://0/", "https://①②⑦.⓪.⓪.①/", "https://127.0.0.1%2f@example.org/",
    "https://example.org@127.0.0.1/", "https://example.org:443@[::1]/", "https://user:pw@example.org/",
    # not the way we go
    "http://example.org/", "ftp://example.org/", "gopher://example.org/", "file:///etc/passwd",
    "data:text/html,hello", "javascript:alert(1)", "https://example.org:22/", "https://example.org:80/",
    "https://example.org:8443/", "https://example.org:0/", "https://example.org:99999/",
    # not an address
    "", "example.org", "//example.org/", "https:///etc", "https://", "https://exa mple.org/",
    "https://exam\nple.org/", "https://exam\x00ple.org/", "https://[::1", "https://" + "a" * 300 + ".org/",
    "https://example.org/" + "a" * 9000, "https://\ud800.org/",
)  # fmt: skip

REDIRECTS_REFUSED = (
    "http://127.0.0.1:{trap}/", "http://localhost:{trap}/", "http://[::1]:{trap}/",
    "http://[::ffff:127.0.0.1]:{trap}/", "http://0.0.0.0:{trap}/", "http://[::]:{trap}/",
    "http://127.1:{trap}/", "http://2130706433:{trap}/", "http://10.0.0.1/", "http://172.17.0.1/",
    "http://192.168.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[fd00::1]/",
    "//127.0.0.1:{trap}/", "http://127.0.0.2:22/", "http://me:secret@127.0.0.2:{port}/page",
    "file:///etc/passwd", "gopher://127.0.0.2:{port}/", "ftp://127.0.0.2:{port}/", "data:text/html,x",
    "javascript:alert(1)", "http://intranet.example:{trap}/", "http://both.example:{trap}/",
)  # fmt: skip

NAMES = {
    # what the name server of a stranger may say
    "intranet.example": ["127.0.0.1"],
    "both.example": ["127.0.0.2", "127.0.0.1"],
    "public.example": ["127.0.0.2"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


def _loudly(talk: socket.socket) -> None:
    """An answer that never ends, as fast as the line takes it."""
    talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        talk.sendall(b"x" * MB)


def _slowly(head: bytes, tail: bytes = b"x") -> Callable[[socket.socket], None]:
    """`head`, then one byte now and then."""

    def talk_slowly(talk: socket.socket) -> None:
        talk.sendall(head)
        while True:
            time.sleep(0.05)
            talk.sendall(tail)

    return talk_slowly


def _headers_without_end(talk: socket.socket) -> None:
    talk.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        talk.sendall(b"X-More: " + b"y" * 4000 + b"\r\n")


def _moved_loudly(to: str) -> Callable[[socket.socket], None]:
    """A redirect that would rather be listened to."""

    def talk_loudly(talk: socket.socket) -> None:
        talk.sendall(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n".encode())
        while True:
            talk.sendall(b"x" * MB)

    return talk_loudly


def _chunks_without_end(talk: socket.socket) -> None:
    head = b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    talk.sendall(b"HTTP/1.1 200 OK\r\n" + head)
    while True:
        talk.sendall(b"1;" + b"z" * 60_000)


def _packed(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


BODIES: dict[str, tuple[strangers.Answer, str]] = {
    # what a stranger answers, and what becomes of it when 1 MB of text is wanted in time
    "silence": (lambda talk: time.sleep(2), "too-slow"),
    "headers that drip": (_slowly(b"HTTP/1.1 200 OK\r\nX-Slow: "), "too-slow"),
    "a body that drips": (_slowly(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"), "too-slow"),
    "patience asked for without end": (_slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "too-slow"),
    "a body without end": (_loudly, "too-large"),
    "headers without end": (_headers_without_end, "unreachable"),
    "chunks without end": (_chunks_without_end, "unreachable"),
    "a length of 2 MB": (answer(b"x", length=str(2 * MB)), "too-large"),
    "a body of 2 MB": (answer(b"x" * 2 * MB), "too-large"),
    "a body cut short": (answer(b"x" * 10, length="500"), "unreachable"),
    "a length that is none": (answer(b"x", length="many"), "unreachable"),
    "a negative length": (answer(b"x", length="-5"), "unreachable"),
    "no HTTP at all": (b"220 mail.example ESMTP\r\n", "unreachable"),
    "a hang-up": (lambda talk: None, "unreachable"),
    "not found": (answer(status="404 Not Found"), "unreachable"),
    "broken": (answer(b"<html>", status="500 Internal Server Error"), "unreachable"),
    "nothing": (answer(status="204 No Content"), "unreachable"),
    "a redirect to nowhere": (answer(status="302 Found"), "unreachable"),
    "a gzip bomb": (answer(_packed(64 * MB), Content_Encoding="gzip"), "too-large"),
    "a gzip bomb in a gzip bomb": (
        answer(gzip.compress(_packed(32 * MB)), Content_Encoding="gzip, gzip"), "wrong-type"),
    "a brotli bomb": (
        answer(brotli.compress(bytes(64 * MB), quality=5), Content_Encoding="br"), "wrong-type"),
    "zstd": (answer(b"(\xb5/\xfd", Content_Encoding="zstd"), "wrong-type"),
    "gzip that is none": (answer(b"<html>", Content_Encoding="gzip"), "unreachable"),
    "half a gzip": (answer(_packed(100_000)[:-20], Content_Encoding="gzip"), "unreachable"),
    "a picture": (answer(b"\x89PNG", "image/png"), "wrong-type"),
    "a film": (answer(b"\0\0", "Video/MP4; codecs=av1"), "wrong-type"),
    "no type": (answer(b"<html>", None), "wrong-type"),
}  # fmt: skip


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with strangers.serving() as found:
        yield found


@pytest.fixture
def trap() -> Iterator[Trap]:
    with strangers.trap() as found:
        yield found


@pytest.fixture
def internet(stranger: Stranger, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    """127.0.0.2 is the public internet, with http and two ports; names are looked up here."""
    stranger.answers.clear()
    stranger.asked.clear()
    stranger.heads.clear()
    port = int(stranger.address.rpartition(":")[2])
    monkeypatch.setattr(fetching, "PUBLIC", strangers.policy(port, trap.port, 80))
    _know(NAMES, monkeypatch)
    return stranger


def _know(names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name server says so; the names that were looked up."""
    look_up = socket.getaddrinfo
    asked: list[str] = []

    def found(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if host not in names:
            return look_up(host, port, *more, **options)
        asked.append(host)
        return [
            entry for address in names[host]
            for entry in look_up(address, port, type=socket.SOCK_STREAM)
        ]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return asked


def _get(url: str, **options: Any) -> Fetched:
    wanted = {"max_bytes": MB, "seconds": 10.0, "accept": ("text/html", "text/plain")} | options
    return fetching.get(url, **wanted)


def _code(url: str, **options: Any) -> str:
    with pytest.raises(FetchFailed) as caught:
        _get(url, **options)
    assert str(caught.value.sentence).endswith(".")
    assert caught.value.status == 422
    return caught.value.code


# --- what may not be reached ----------------------------------------------------------------


@pytest.mark.parametrize("url", REFUSED)
def test_it_refuses_an_address_without_a_connection(url: str) -> None:
    with strangers.connections() as begun:
        assert _code(url) == "refused-address"
    assert begun == []


@pytest.mark.parametrize("to", REDIRECTS_REFUSED)
def test_it_refuses_a_redirect_without_a_connection(
    internet: Stranger, trap: Trap, to: str
) -> None:
    port = internet.address.rpartition(":")[2]
    internet.says(answer(b"never"), "/page")
    url = internet.says(moved(to.format(trap=trap.port, port=port)), "/away")
    with strangers.connections() as begun:
        assert _code(url) == "refused-address"
    assert begun == ["127.0.0.2"]
    assert trap.visitors() == 0
    assert internet.asked == ["/away"]


@pytest.mark.parametrize(
    "name", ["intranet.example", "both.example", "mapped.example", "metadata.example"]
)
def test_it_refuses_a_name_of_our_own_network(internet: Stranger, trap: Trap, name: str) -> None:
    with strangers.connections() as begun:
        assert _code(f"http://{name}:{trap.port}/") == "refused-address"
    assert begun == []
    assert trap.visitors() == 0


def test_it_goes_where_it_looked(
    internet: Stranger, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that changes its mind between the check and the connection."""
    names = {"public.example": ["127.0.0.2"]}
    asked = _know(names, monkeypatch)
    look_up = socket.getaddrinfo

    def turning(*given: Any, **options: Any) -> Any:
        found = look_up(*given, **options)
        if given[0] in names:
            names["public.example"] = ["127.0.0.1"]
        return found

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    port = internet.address.rpartition(":")[2]
    internet.says(answer(b"public"))
    with strangers.connections() as begun:
        assert _get(f"http://public.example:{port}/page").body == b"public"
        assert _code(f"http://public.example:{port}/page") == "refused-address"
    assert begun == ["127.0.0.2"]
    assert asked == ["public.example", "public.example"]


def test_it_lets_only_the_console_reach_this_machine(trap: Trap) -> None:
    with strangers.serving("127.0.0.1") as own:
        url = own.says(answer(b"mine"))
        assert _code(url) == "refused-address"
        assert _get(url, console=True).body == b"mine"
        away = own.says(moved("http://169.254.169.254/latest"), "/away")
        with strangers.connections() as begun:
            assert _code(away, console=True) == "refused-address"
        assert begun == ["127.0.0.1"]
    with strangers.serving() as elsewhere:
        assert own.asked == ["/page", "/away"]
        assert _get(elsewhere.says(answer(b"mine too")), console=True).body == b"mine too"


# --- redirects ------------------------------------------------------------------------------


def test_it_follows_five_redirects(internet: Stranger) -> None:
    internet.says(answer(b"here"), "/0")
    for number in range(1, 7):
        internet.says(moved(f"/{number - 1}", "307 Temporary Redirect"), f"/{number}")
    found = _get(f"{internet.address}/5")
    assert (found.url, found.body) == (f"{internet.address}/0", b"here")
    assert _code(f"{internet.address}/6") == "unreachable"
    assert _code(internet.says(moved("/loop"), "/loop")) == "unreachable"


def test_it_does_not_listen_to_a_redirect_that_talks_on(internet: Stranger) -> None:
    internet.says(answer(b"here"), "/0")
    url = internet.says(_moved_loudly("/0"), "/away")
    tracemalloc.start()
    try:
        assert _get(url).body == b"here"
        assert tracemalloc.get_traced_memory()[1] < 20 * MB
    finally:
        tracemalloc.stop()


def test_it_carries_nothing_from_one_host_to_the_next(internet: Stranger) -> None:
    internet.says(answer(b"here"), "/0")
    url = internet.says(answer(status="302 Found", Location="/0", Set_Cookie="who=me"), "/away")
    _get(url, purpose="link preview")
    assert all("User-Agent: Portevoix (link preview)" in head for head in internet.heads)
    assert not any("cookie" in head.lower() or "referer" in head.lower() for head in internet.heads)


# --- what comes -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
def test_it_is_not_overwhelmed_by(internet: Stranger, name: str) -> None:
    what, code = BODIES[name]
    began = time.monotonic()
    assert _code(internet.says(what), seconds=0.5 if code == "too-slow" else 10.0) == code
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "name", ["a gzip bomb", "a brotli bomb", "a gzip bomb in a gzip bomb", "a body without end"]
)
def test_it_spends_no_memory_on(internet: Stranger, name: str) -> None:
    url = internet.says(BODIES[name][0])
    tracemalloc.start()
    try:
        _code(url)
        assert tracemalloc.get_traced_memory()[1] < 8 * MB
    finally:
        tracemalloc.stop()


def test_it_reads_what_is_in_order(internet: Stranger) -> None:
    text = b"<title>Hello</title>" * 1000
    found = _get(internet.says(answer(text)))
    assert found == Fetched(f"{internet.address}/page", "text/html; charset=utf-8", text)
    for encoding, body in (
        ("gzip", gzip.compress(text)), ("x-gzip", gzip.compress(text)), ("identity", text),
        ("deflate", zlib.compress(text)), ("deflate", zlib.compress(text)[2:-4]),
        ("GZIP", gzip.compress(text)), ("gzip", gzip.compress(text[:70]) + gzip.compress(text[70:])),
    ):  # fmt: skip
        url = internet.says(answer(body, Content_Encoding=encoding))
        assert _get(url).body == text, encoding
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert _get(internet.says(chunked), accept=()).body == b"abcde"
    assert _get(internet.says(answer(b"x" * MB))).body == b"x" * MB


def test_it_may_be_content_with_the_beginning(internet: Stranger) -> None:
    for what in (
        _loudly, answer(b"x" * 5 * MB), answer(b"x" * MB, length=str(50 * MB)),
        answer(gzip.compress(b"x" * 50 * MB), Content_Encoding="gzip"),
    ):  # fmt: skip
        assert _get(internet.says(what), truncate=True).body == b"x" * MB


def test_it_refuses_types_that_are_never_right(internet: Stranger) -> None:
    for kind, code in (("image/png", "wrong-type"), ("APPLICATION/PDF", "wrong-type")):
        url = internet.says(answer(b"1", kind))
        assert _code(url, accept=(), never=("image/", "application/pdf")) == code
    assert _get(internet.says(answer(b"1", None)), accept=(), never=("image/",)).body == b"1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `root.pem`, and `good.pem`, `other.pem` signed by it for public.example and
    for another name."""
    folder = tmp_path_factory.mktemp("tls")
    root = ec.generate_private_key(ec.SECP256R1())
    (folder / "root.pem").write_bytes(_certificate("Root", root, root)[0])
    for name, host in (("good", "public.example"), ("other", "elsewhere.example")):
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{name}.pem").write_bytes(b"".join(_certificate(host, key, root)))
    return folder


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, root: ec.EllipticCurvePrivateKey
) -> tuple[bytes, bytes]:
    """A certificate and its key, as PEM."""
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)]) for words in (name, "Root")
    )
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(start + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=key is root, path_length=None), critical=True)
        .sign(root, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption_algorithm=NoEncryption()
    )
    return made.public_bytes(Encoding.PEM), private


@pytest.mark.parametrize(
    ("shown", "trusted", "code"),
    [("good", True, None), ("other", True, "unreachable"), ("good", False, "unreachable")],
)
def test_it_checks_the_certificate_against_the_name(
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    trusted: bool,
    code: str | None,
) -> None:
    """The connection goes to an address, the certificate is read for the name."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificates / f"{shown}.pem")
    if trusted:
        ours = ssl.create_default_context(cafile=str(certificates / "root.pem"))
        monkeypatch.setattr(fetching, "_tls", lambda: ours)
    _know(NAMES, monkeypatch)
    with strangers.serving(tls=server_side) as own:
        port = int(own.address.rpartition(":")[2])
        monkeypatch.setattr(fetching, "PUBLIC", strangers.policy(port))
        own.says(answer(b"private talk"))
        url = f"https://public.example:{port}/page"
        if code is None:
            assert _get(url).body == b"private talk"
        else:
            assert _code(url) == code
            assert own.asked == []


def test_it_says_that_nobody_is_there(internet: Stranger, trap: Trap) -> None:
    with socket.create_server(("127.0.0.2", 0)) as closed:
        port = closed.getsockname()[1]
    assert _code("http://nobody.invalid:80/") in ("unreachable", "too-slow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "PUBLIC", strangers.policy(port))
        assert _code(f"http://127.0.0.2:{port}/") == "unreachable"


def test_it_does_not_wait_for_a_name_server_that_thinks(
    internet: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    thinking = threading.Event()
    look_up = socket.getaddrinfo

    def think(host: Any, *more: Any, **options: Any) -> Any:
        if host == "slow.example":
            thinking.wait(8)
        return look_up("127.0.0.2", *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", think)
    began = time.monotonic()
    assert _code("http://slow.example:80/", seconds=0.5) == "too-slow"
    assert time.monotonic() - began < 2
    thinking.set()
