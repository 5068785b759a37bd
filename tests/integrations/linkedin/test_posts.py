"""Creating, deleting and illustrating a post, against a server that does as it is told."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from app import clock
from app.config import Settings
from app.integrations.linkedin import outcomes, wire
from app.integrations.linkedin.outcomes import (
    Deleted,
    Duplicate,
    MediaNotReady,
    NoPermission,
    NotSent,
    Outcome,
    Published,
    Refused,
    Throttled,
    TokenRefused,
    Unknown,
    VersionRefused,
)
from app.integrations.linkedin.posts import (
    Article,
    Client,
    NotUploaded,
    post_body,
    post_url,
    version_expires_on,
)
from app.integrations.linkedin.wire import Timeouts
from tests.integrations.linkedin.scripted import Call, Scripted, answer, until

TOKEN = "AQX-marked-token_" + "x" * 400
AUTHOR = "urn:li:person:782bbtaQ"
URN = "urn:li:share:7243000000000000001"
NOW = dt.datetime(2026, 11, 17, 9, 30, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 11, 18, tzinfo=dt.UTC)
HASTY = Timeouts(connect=2.0, write=2.0, read=0.4, total=0.8)  # against silence alone
BODY = post_body(AUTHOR, "Une équipe\nqui recrute 🙂")


@pytest.fixture(autouse=True)
def _held_clock() -> Iterator[None]:
    clock.freeze(NOW)
    yield
    clock.release()


@pytest.fixture
def client(settings: Settings) -> Client:
    return Client(settings, pauses=(0.0, 0.0))


@pytest.fixture
def hasty(settings: Settings) -> Client:
    return Client(settings, timeouts=HASTY, pauses=(0.0, 0.0))


@dataclass
class Asked:
    """A caller who counts the questions, and says yes unless told otherwise."""

    says: bool = True
    does: Callable[[], None] = lambda: None
    times: int = 0
    threads: list[int] = field(default_factory=list)

    def __call__(self) -> bool:
        self.times += 1
        self.threads.append(threading.get_ident())
        self.does()
        return self.says


def create(client: Client, asked: Asked | None = None, **more: Any) -> Outcome:
    return client.create_post(TOKEN, more.get("body", BODY), before_last_byte=asked or Asked())


def created(urn: str = URN) -> bytes:
    return answer(201, x_restli_id=urn)


# --- the request -----------------------------------------------------------------------


def test_it_sends_a_post_as_the_reference_says(client: Client, server: Scripted) -> None:
    server.will(created())
    assert create(client) == Published(URN)
    (call,) = server.calls
    assert (call.method, call.target) == ("POST", "/rest/posts")
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["linkedin-version"] == "202609"
    assert call.headers["x-restli-protocol-version"] == "2.0.0"
    assert call.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in call.headers
    assert call.json == {
        "author": AUTHOR,
        "commentary": "Une équipe\nqui recrute 🙂",
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def test_it_holds_the_last_byte_back_until_the_caller_has_said_yes(
    client: Client, server: Scripted
) -> None:
    def look() -> None:
        until(lambda: bool(server.calls))
        call = server.calls[0]
        until(lambda: len(call.body) == call.length - 1)
        time.sleep(0.05)
        assert len(call.body) == call.length - 1

    server.will(created())
    asked = Asked(does=look)
    assert create(client, asked) == Published(URN)
    assert asked.times == 1
    assert asked.threads == [threading.get_ident()]
    assert server.calls[0].is_whole


def test_it_closes_without_the_last_byte_when_the_caller_says_no(
    client: Client, server: Scripted
) -> None:
    server.will(created())
    assert create(client, Asked(says=False)) == NotSent("stopped", retry=False)
    until(lambda: bool(server.calls))
    call = server.calls[0]
    until(lambda: call.connection.fileno() == -1)
    assert len(call.body) == call.length - 1


def test_it_sends_nothing_when_the_caller_fails(client: Client, server: Scripted) -> None:
    def fail() -> None:
        raise LookupError("the database is away")

    server.will(created())
    with pytest.raises(LookupError):
        create(client, Asked(does=fail))
    until(lambda: bool(server.calls))
    call = server.calls[0]
    until(lambda: call.connection.fileno() == -1)
    assert len(call.body) == call.length - 1


def test_it_takes_a_fresh_connection_for_each_post(client: Client, server: Scripted) -> None:
    server.will(created(), created())
    create(client)
    create(client)
    assert [call.is_whole for call in server.calls] == [True, True]
    assert all(call.headers["connection"] == "close" for call in server.calls)


def test_it_goes_round_the_proxy_for_this_machine(
    client: Client, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.will(created())
    assert create(client) == Published(URN)


def test_it_reaches_a_distant_linkedin_through_the_proxy(
    settings_at: Callable[..., Settings], server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, server.address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.will(created())
    assert create(Client(settings_at("http://linkedin.example"))) == Published(URN)
    assert server.calls[0].target == "http://linkedin.example/rest/posts"
    assert server.calls[0].is_whole


def test_it_forms_the_parts_of_a_post() -> None:
    article = Article("https://a.example/r/x", "Titre", "Suite", "urn:li:image:C4")
    assert post_body(AUTHOR, "x", article=article)["content"] == {
        "article": {
            "source": "https://a.example/r/x",
            "title": "Titre",
            "description": "Suite",
            "thumbnail": "urn:li:image:C4",
        }
    }
    bare = post_body(AUTHOR, "x", article=Article("https://a.example", "Titre", ""))["content"]
    assert bare == {"article": {"source": "https://a.example", "title": "Titre"}}
    image = post_body(AUTHOR, "x", image=("urn:li:image:C4", "Une halle"))["content"]
    assert image == {"media": {"id": "urn:li:image:C4", "altText": "Une halle"}}
    assert post_body(AUTHOR, "x", image=("urn:li:image:C4", ""))["content"] == {
        "media": {"id": "urn:li:image:C4"}
    }
    assert "content" not in post_body(AUTHOR, "x")
    with pytest.raises(ValueError, match="not both"):
        post_body(AUTHOR, "x", article=article, image=("urn:li:image:C4", ""))


# --- what became of it: answers --------------------------------------------------------

DUPLICATE = {
    "errorDetailType": "com.linkedin.common.error.BadRequest",
    "message": "com.linkedin.content.common.exception.BadRequestResponseException: "
    "Content is a duplicate of urn:li:share:7141138937766391808",
    "errorDetails": {
        "inputErrors": [
            {"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}
        ]
    },
    "status": 422,
}
HTML = "<html><body>Sorry.</body></html>"


def error(
    status: int, code: str | None = None, number: int | None = None, message: str = "Non."
) -> bytes:
    body: dict[str, Any] = {"status": status, "message": message}
    if code:
        body["code"] = code
    if number:
        body["serviceErrorCode"] = number
    return answer(status, body)


# Written before the code that reads them: what each answer means.
MEANINGS: dict[str, tuple[bytes, Outcome]] = {
    # it is online
    "201": (created(), Published(URN)),
    "201 of a ugcPost": (created("urn:li:ugcPost:7"), Published("urn:li:ugcPost:7")),
    "201, header in capitals": (b"HTTP/1.1 201 X\r\nX-RESTLI-ID: " + URN.encode() + b"\r\n\r\n", Published(URN)),
    "201, header as documented": (b"HTTP/1.1 201 X\r\nX-RestLi-Id: " + URN.encode() + b"\r\n\r\n", Published(URN)),
    "201, encoded": (created("urn%3Ali%3Ashare%3A7"), Published("urn:li:share:7")),
    "201 without a name": (answer(201), Published(None)),
    "201 with another name": (created("<b>urn:li:share:7"), Published(None)),
    "201 with half a body": (answer(201, b"half", Content_Length="900", x_restli_id=URN), Published(URN)),
    "201 with garbage": (answer(201, b"\xff\xfe{", x_restli_id=URN), Published(URN)),
    "200 with a name": (answer(200, b"{}", x_restli_id=URN), Published(URN)),
    # it was already
    "422 duplicate": (answer(422, DUPLICATE), Duplicate("urn:li:share:7141138937766391808")),
    "422 duplicate of a ugcPost": (
        error(422, message="Content is a duplicate of urn:li:ugcPost:71"),
        Duplicate("urn:li:ugcPost:71"),
    ),
    "422 duplicate of nothing named": (error(422, "DUPLICATE_POST"), Duplicate(None)),
    "422 duplicate of something else": (
        error(422, message="Content is a duplicate of urn:li:activity:71"),
        Duplicate(None),
    ),
    "400 duplicate": (
        error(400, message="Content is a duplicate of urn:li:share:71"),
        Duplicate("urn:li:share:71"),
    ),
    # it was not
    "400 field": (error(400, "MISSING_FIELD"), Refused("MISSING_FIELD", 400, True, "Non.")),
    "400 value": (
        error(400, "INVALID_VALUE_FOR_FIELD"),
        Refused("INVALID_VALUE_FOR_FIELD", 400, True, "Non."),
    ),
    "400 urn type": (error(400, "INVALID_URN_TYPE"), Refused("INVALID_URN_TYPE", 400, True, "Non.")),
    "400 urn": (error(400, "INVALID_URN_ID"), Refused("INVALID_URN_ID", 400, True, "Non.")),
    "400 blank": (
        error(400, "INVALID_VALUE_BLANK_FIELD"),
        Refused("INVALID_VALUE_BLANK_FIELD", 400, True, "Non."),
    ),
    "400 length": (
        error(400, "FIELD_LENGTH_TOO_LONG"),
        Refused("FIELD_LENGTH_TOO_LONG", 400, True, "Non."),
    ),
    "400 of the newer gateway": (
        answer(400, {"errorDetails": {"inputErrors": [{"code": "FIELD_LENGTH_TOO_LONG"}]}}),
        Refused("FIELD_LENGTH_TOO_LONG", 400, True, ""),
    ),
    "400 without a code": (error(400), Refused(None, 400, True, "Non.")),
    "400 in HTML": (answer(400, HTML), Refused(None, 400, True, "")),
    "400 unreadable": (answer(400, b'{"code": "MISS'), Refused(None, 400, True, "")),
    "400 a list": (answer(400, b"[1]"), Refused(None, 400, True, "")),
    "400 odd types": (
        answer(400, {"code": 7, "message": ["x"], "errorDetails": "no"}),
        Refused(None, 400, True, ""),
    ),
    "400 media waits": (error(400, "MEDIA_ASSET_WAITING_UPLOAD"), MediaNotReady()),
    "400 media failed": (
        error(400, "MEDIA_ASSET_PROCESSING_FAILED"),
        Refused("MEDIA_ASSET_PROCESSING_FAILED", 400, True, "Non."),
    ),
    "400 version": (error(400, "VERSION_MISSING"), VersionRefused("Non.")),
    "401 invalid": (error(401, None, 65600, "Invalid access token"), TokenRefused("invalid")),
    "401 revoked": (error(401, "REVOKED_ACCESS_TOKEN", 65601), TokenRefused("revoked")),
    "401 revoked by number": (error(401, None, 65601), TokenRefused("revoked")),
    "401 revoked by code": (error(401, "REVOKED_ACCESS_TOKEN"), TokenRefused("revoked")),
    "401 revoked by words": (
        error(401, message="The token used in the request has been revoked by the user"),
        TokenRefused("revoked"),
    ),
    "401 expired": (error(401, "EXPIRED_ACCESS_TOKEN", 65602), TokenRefused("expired")),
    "401 expired by words": (
        error(401, message="The token used in the request has expired"),
        TokenRefused("expired"),
    ),
    "401 empty": (error(401, "EMPTY_ACCESS_TOKEN"), TokenRefused("invalid")),
    "401 empty, older": (
        error(401, None, 401, "Empty oauth2_access_token"),
        TokenRefused("invalid"),
    ),
    "401 in HTML": (answer(401, HTML), TokenRefused("invalid")),
    "401 half": (answer(401, b"{", Content_Length="900"), TokenRefused("invalid")),
    "403": (
        error(403, "ACCESS_DENIED", 100, "Not enough permissions to access: posts.CREATE.20260901"),
        NoPermission("Not enough permissions to access: posts.CREATE.20260901"),
    ),
    "403 in HTML": (answer(403, HTML), NoPermission("")),
    "404": (error(404, "NOT_FOUND"), Refused("NOT_FOUND", 404, True, "Non.")),
    "409": (error(409, "CONFLICT"), Refused("CONFLICT", 409, False, "Non.")),
    "422": (error(422, "UNPROCESSABLE_ENTITY"), Refused("UNPROCESSABLE_ENTITY", 422, True, "Non.")),
    "422 unreadable": (answer(422, HTML), Refused(None, 422, True, "")),
    "426": (
        error(426, "NONEXISTENT_VERSION", message="Requested version 20250401 is not active"),
        VersionRefused("Requested version 20250401 is not active"),
    ),
    "426 in HTML": (answer(426, HTML), VersionRefused("")),
    "429": (
        error(
            429, "TOO_MANY_REQUESTS", 101,
            "Resource level throttle APPLICATION DAY limit for calls to this resource is reached.",
        ),
        Throttled("application", MIDNIGHT),
    ),
    "429 member": (
        error(
            429, None, 101,
            "Resource level throttle MEMBER DAY limit for calls to this resource is reached.",
        ),
        Throttled("member", MIDNIGHT),
    ),
    "429 nobody's": (
        error(
            429, None, 101,
            "Resource level throttle limit for calls to this resource is reached.",
        ),
        Throttled("member", MIDNIGHT),
    ),
    "429 in HTML": (answer(429, HTML), Throttled("member", MIDNIGHT)),
    # nobody knows
    "200 without a name": (answer(200, HTML), Unknown("unclear")),
    "202": (answer(202), Unknown("unclear")),
    "204": (answer(204), Unknown("unclear")),
    "301": (answer(301, Location="https://www.linkedin.com/"), Unknown("redirect")),
    "302": (answer(302, Location="/login"), Unknown("redirect")),
    "303": (answer(303, Location="/feed"), Unknown("redirect")),
    "307": (answer(307, Location="/rest/posts"), Unknown("redirect")),
    "408": (answer(408), Unknown("timeout")),
    "499": (answer(499), Unknown("timeout")),
    "460": (answer(460), Unknown("unclear")),
    "500": (error(500, "INTERNAL_SERVER_ERROR"), Unknown("server-error")),
    "500 that says duplicate": (answer(500, DUPLICATE), Unknown("server-error")),
    "502 in HTML": (answer(502, HTML), Unknown("server-error")),
    "503": (answer(503, Retry_After="5"), Unknown("server-error")),
    "504": (answer(504), Unknown("server-error")),
    "999": (answer(999, HTML), Unknown("server-error")),
    "not HTTP": (b"hello\r\n\r\n", Unknown("cut")),
    "half a head": (b"HTTP/1.1 201 Created\r\nx-restli-", Unknown("cut")),
    "nothing": (b"", Unknown("cut")),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANINGS)
def test_it_reads_each_answer(name: str, client: Client, server: Scripted) -> None:
    reply, meaning = MEANINGS[name]
    server.will(reply)
    asked = Asked()
    assert create(client, asked) == meaning
    assert asked.times == 1
    assert len(server.calls) == 1  # one attempt, whatever came back


@pytest.mark.parametrize(
    ("headers", "until_"),
    [
        ({"Retry_After": "90"}, NOW + dt.timedelta(seconds=90)),
        ({"Retry_After": "0"}, NOW),
        ({"Retry_After": " 90 "}, NOW + dt.timedelta(seconds=90)),
        (
            {
                "Retry_After": "Sat, 01 Aug 2026 10:05:00 GMT",
                "Date": "Sat, 01 Aug 2026 10:00:00 GMT",
            },
            NOW + dt.timedelta(minutes=5),
        ),
        ({"Retry_After": "Tue, 17 Nov 2026 10:30:00 GMT"}, NOW + dt.timedelta(hours=1)),
        ({"Retry_After": "Tue, 17 Nov 2020 10:30:00 GMT"}, NOW),
        ({"Retry_After": "-5"}, MIDNIGHT),
        ({"Retry_After": "soon"}, MIDNIGHT),
        ({"Retry_After": "1.5"}, MIDNIGHT),
        ({"Retry_After": "9" * 400}, MIDNIGHT),
        ({"Retry_After": "604801"}, MIDNIGHT),
        ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, MIDNIGHT),
        ({"Retry_After": "Fri, 99 Foo 9999 23:59:59 GMT"}, MIDNIGHT),
        ({}, MIDNIGHT),
    ],
)
def test_it_waits_as_long_as_it_is_told(
    headers: dict[str, str], until_: dt.datetime, client: Client, server: Scripted
) -> None:
    server.will(answer(429, {"message": "MEMBER"}, **headers))
    assert create(client) == Throttled("member", until_)


# --- what became of it: silence and cuts -----------------------------------------------


def drop_after(call: Call) -> None:
    call.read_head()
    call.read_body()
    call.reset()


def silent(call: Call) -> None:
    call.read_head()
    call.read_body()
    time.sleep(1.5)


def dripping(call: Call) -> None:
    call.read_head()
    call.read_body()
    for byte in created():
        call.send(bytes([byte]))
        time.sleep(0.1)


def drips_its_success(call: Call) -> None:
    call.read_head()
    call.read_body()
    call.send(answer(201, x_restli_id=URN, Content_Length="400"))
    for _ in range(20):
        call.send(b" ")
        time.sleep(0.1)


def drips_its_error(call: Call) -> None:
    call.read_head()
    call.read_body()
    call.send(b"HTTP/1.1 401 X\r\nContent-Length: 400\r\n\r\n{")
    for _ in range(20):
        call.send(b" ")
        time.sleep(0.1)


def endless_error(call: Call) -> None:
    call.read_head()
    call.read_body()
    call.send(b"HTTP/1.1 404 X\r\n\r\n")
    while True:
        call.send(b"x" * 100_000)


def endless_head(call: Call) -> None:
    call.read_head()
    call.read_body()
    call.send(b"HTTP/1.1 201 X\r\n")
    while True:
        call.send(b"x-filler: " + b"x" * 10_000 + b"\r\n")


def slow(call: Call) -> None:
    call.read_head()
    call.read_body()
    time.sleep(0.2)
    call.send(created())


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (drop_after, Unknown("cut")),
        (silent, Unknown("timeout")),
        (dripping, Unknown("timeout")),
        (endless_head, Unknown("cut")),
        (drips_its_error, TokenRefused("invalid")),
        (endless_error, Refused(None, 404, True, "")),
        (slow, Published(URN)),
    ],
)
def test_it_says_what_can_be_known_of_a_broken_answer(
    reply: Callable[[Call], None], meaning: Outcome, hasty: Client, server: Scripted
) -> None:
    server.will(reply)
    asked = Asked()
    begun = time.monotonic()
    assert create(hasty, asked) == meaning
    assert time.monotonic() - begun < 3.0  # the whole exchange, however slowly it drips
    assert asked.times == 1
    assert len(server.calls) == 1
    assert server.calls[0].is_whole


def test_it_waits_for_nothing_more_once_it_is_published(client: Client, server: Scripted) -> None:
    server.will(drips_its_success)
    begun = time.monotonic()
    assert create(client) == Published(URN)
    assert time.monotonic() - begun < 1.0


def test_it_cuts_a_connection_that_came_when_the_time_was_over() -> None:
    class Stream:
        def get_extra_info(self, name: str) -> socket.socket:
            assert name == "socket"
            return ours

    ours, theirs = socket.socketpair()
    deadline = wire._Deadline(0.0)
    with ours, theirs, deadline:
        until(lambda: deadline.is_over)
        deadline.watch("connection.connect_tcp.complete", {"return_value": Stream()})
        theirs.settimeout(1.0)
        assert theirs.recv(1) == b""


def test_it_does_not_know_when_the_connection_ends_while_the_caller_writes_it_down(
    client: Client, server: Scripted
) -> None:
    gone = threading.Event()

    def drop(call: Call) -> None:
        call.read_head()
        call.read_body(but=1)
        call.reset()
        gone.set()

    server.will(drop)
    assert create(client, Asked(does=lambda: gone.wait(5) and None)) == Unknown("cut")
    assert not server.calls[0].is_whole


def test_it_is_sure_when_the_connection_ends_before_the_question(
    client: Client, server: Scripted
) -> None:
    def drop(call: Call) -> None:
        call.read_head()
        call.reset()

    server.will(drop)
    asked = Asked()
    big = post_body(AUTHOR, "x" * 30_000_000)  # more than the system takes before it is read
    assert create(client, asked, body=big) == NotSent("cut", retry=True)
    assert asked.times == 0
    assert not server.calls[0].is_whole


def test_it_is_sure_when_nobody_reads(settings: Settings, server: Scripted) -> None:
    server.will(lambda call: server.over.wait(5) and None)
    asked = Asked()
    hasty = Client(settings, timeouts=Timeouts(write=0.2, total=2.0))
    big = post_body(AUTHOR, "x" * 30_000_000)
    assert create(hasty, asked, body=big) == NotSent("timeout", retry=True)
    assert asked.times == 0


def test_it_is_sure_when_the_answer_comes_before_the_question(
    client: Client, server: Scripted
) -> None:
    def refuse(call: Call) -> None:
        call.read_head()
        call.send(answer(500))
        call.connection.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        call.reset()

    server.will(refuse)
    asked = Asked()
    big = post_body(AUTHOR, "x" * 30_000_000)
    found = create(client, asked, body=big)
    assert isinstance(found, NotSent) and found.retry
    assert asked.times == 0


def test_it_is_sure_when_nobody_listens(settings_at: Callable[..., Settings]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    asked = Asked()
    found = create(Client(settings_at(address), timeouts=HASTY), asked)
    assert found == NotSent("unreachable", retry=True)
    assert asked.times == 0


def test_it_is_sure_when_the_other_side_does_not_speak_tls(
    settings_at: Callable[..., Settings], server: Scripted
) -> None:
    server.will(lambda call: call.send(b"HTTP/1.1 201 X\r\n\r\n"))
    asked = Asked()
    settings = settings_at(server.address.replace("http://", "https://"))
    found = create(Client(settings, timeouts=HASTY), asked)
    assert found == NotSent("unreachable", retry=True)
    assert asked.times == 0


@pytest.mark.parametrize("token", ["two\r\nX-Evil: 1", "with space", "clé", ""])
def test_it_does_not_send_a_token_that_no_header_holds(
    token: str, client: Client, server: Scripted
) -> None:
    asked = Asked()
    found = client.create_post(token, BODY, before_last_byte=asked)
    assert found == NotSent("request", retry=False)
    assert asked.times == 0
    assert not server.calls


def test_it_does_not_send_half_a_character(client: Client, server: Scripted) -> None:
    asked = Asked()
    found = create(client, asked, body=post_body(AUTHOR, "x\ud83d"))
    assert found == NotSent("request", retry=False)
    assert asked.times == 0
    assert not server.calls


# --- over TLS --------------------------------------------------------------------------


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch, certificate: Any) -> Iterator[Scripted]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    wire._certificates.cache_clear()
    server = Scripted(certificate.wrap)
    yield server
    server.close()
    wire._certificates.cache_clear()


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (created(), Published(URN)),
        (drop_after, Unknown("cut")),
        (silent, Unknown("timeout")),
        (dripping, Unknown("timeout")),
    ],
)
def test_it_does_the_same_over_tls(
    reply: Any, meaning: Outcome, secure: Scripted, settings_at: Callable[..., Settings]
) -> None:
    def look() -> None:
        until(
            lambda: bool(secure.calls) and len(secure.calls[0].body) == secure.calls[0].length - 1
        )

    secure.will(reply)
    settings = settings_at(secure.address.replace("http://127.0.0.1", "https://localhost"))
    begun = time.monotonic()
    assert create(Client(settings, timeouts=HASTY), Asked(does=look)) == meaning
    assert time.monotonic() - begun < 3.0


# --- deleting --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "meaning"),
    [
        (answer(204), Deleted(was_gone=False)),
        (answer(200), Deleted(was_gone=False)),
        (error(404, "NOT_FOUND"), Deleted(was_gone=True)),
        (answer(410), Deleted(was_gone=True)),
        (error(403, "ACCESS_DENIED", 100), NoPermission("Non.")),
        (error(401, None, 65601), TokenRefused("revoked")),
        (answer(429, Retry_After="60"), Throttled("member", NOW + dt.timedelta(seconds=60))),
        (error(426, "NONEXISTENT_VERSION"), VersionRefused("Non.")),
        (answer(302, Location="/"), Unknown("redirect")),
    ],
)
def test_it_deletes_a_post(reply: bytes, meaning: object, client: Client, server: Scripted) -> None:
    server.will(reply)
    assert client.delete_post(TOKEN, URN) == meaning
    (call,) = server.calls
    assert call.method == "DELETE"
    assert call.target == "/rest/posts/urn%3Ali%3Ashare%3A7243000000000000001"
    assert call.headers["linkedin-version"] == "202609"


def test_it_tries_to_delete_three_times(client: Client, server: Scripted) -> None:
    server.will(answer(503), drop_after, answer(404))
    assert client.delete_post(TOKEN, URN) == Deleted(was_gone=True)
    server.will(answer(503), answer(502), answer(500))
    assert client.delete_post(TOKEN, URN) == Unknown("server-error")
    server.will(drop_after, drop_after, drop_after)
    assert client.delete_post(TOKEN, URN) == Unknown("cut")
    assert len(server.calls) == 9


# --- pictures --------------------------------------------------------------------------

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd9"
IMAGE = "urn:li:image:C4E10AQFoyyAjHPMQuQ"


def place(address: str, urn: str = IMAGE) -> bytes:
    return answer(
        200, {"value": {"uploadUrlExpiresAt": 1650567510704, "uploadUrl": address, "image": urn}}
    )


def test_it_uploads_a_picture(client: Client, server: Scripted) -> None:
    server.will(place(f"{server.address}/dms-uploads/x?sig=(a)%2F&b"), answer(201))
    assert client.upload_image(TOKEN, AUTHOR, JPEG) == IMAGE
    first, second = server.calls
    assert (first.method, first.target) == ("POST", "/rest/images?action=initializeUpload")
    assert first.json == {"initializeUploadRequest": {"owner": AUTHOR}}
    assert first.headers["linkedin-version"] == "202609"
    assert (second.method, second.target) == ("PUT", "/dms-uploads/x?sig=(a)%2F&b")
    assert second.headers["authorization"] == f"Bearer {TOKEN}"
    assert second.body == JPEG


def test_it_tries_each_half_of_an_upload_three_times(hasty: Client, server: Scripted) -> None:
    there = place(f"{server.address}/up")
    server.will(answer(500), drop_after, there, answer(503), silent, answer(201))
    assert hasty.upload_image(TOKEN, AUTHOR, JPEG) == IMAGE
    assert [c.method for c in server.calls] == ["POST"] * 3 + ["PUT"] * 3


@pytest.mark.parametrize(
    ("replies", "meaning"),
    [
        ([answer(500)] * 3, NotSent("server-error", retry=True)),
        ([drop_after] * 3, NotSent("cut", retry=True)),
        ([error(401, None, 65602)], TokenRefused("expired")),
        ([error(403, "ACCESS_DENIED")], NoPermission("Non.")),
        ([answer(429)], Throttled("member", MIDNIGHT)),
        ([error(426)], VersionRefused("Non.")),
        ([answer(200, HTML)], NotSent("unclear", retry=True)),
        ([answer(200, b'{"value": null}')], NotSent("unclear", retry=True)),
        ([place("not an address")], NotSent("unclear", retry=True)),
        ([place("ftp://127.0.0.1/up")], NotSent("unclear", retry=True)),
        ([place("http://[::1")], NotSent("unclear", retry=True)),
        ([place("http://10.0.0.8/up")], NotSent("unclear", retry=True)),
        ([place("http://127.0.0.1.nip.example/up")], NotSent("unclear", retry=True)),
        ([place("https://www.linkedin.com/up", "urn:li:share:7")], NotSent("unclear", retry=True)),
        (["place", answer(302, Location="/x")], NotSent("redirect", retry=True)),
        (["place", error(400, "MISSING_FIELD")], Refused("MISSING_FIELD", 400, True, "Non.")),
        (["place", drop_after, drop_after, drop_after], NotSent("cut", retry=True)),
    ],
)
def test_it_says_why_a_picture_did_not_get_there(
    replies: list[Any], meaning: object, client: Client, server: Scripted
) -> None:
    server.will(*(place(f"{server.address}/up") if r == "place" else r for r in replies))
    with pytest.raises(NotUploaded) as caught:
        client.upload_image(TOKEN, AUTHOR, JPEG)
    assert caught.value.outcome == meaning
    assert len(server.calls) == len(replies)


def test_it_carries_no_token_to_this_machine_for_a_distant_linkedin(
    settings_at: Callable[..., Settings],
) -> None:
    client = Client(settings_at("https://api.linkedin.com"))
    assert client._may_upload_to("https://www.linkedin.com/dms-uploads/x")
    assert not client._may_upload_to("http://127.0.0.1:6379/x")
    assert not client._may_upload_to("http://www.linkedin.com/dms-uploads/x")


# --- secrets ---------------------------------------------------------------------------


def test_it_keeps_the_token_out_of_logs_and_outcomes(
    client: Client, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = error(400, "X", None, f"the token {TOKEN} is bad")
    server.will(
        created(),
        drop_after,
        error(401),
        place(f"{server.address}/up"),
        answer(500),
        answer(500),
        answer(500),
    )
    told = [create(client), create(client), create(client)]
    with pytest.raises(NotUploaded) as caught:
        client.upload_image(TOKEN, AUTHOR, JPEG)
    server.will(echo)
    told.append(create(client))
    assert "marked-token" not in caplog.text
    assert told[-1] == Refused("X", 400, True, "the token … is bad")
    assert "marked-token" not in repr(told)
    assert "marked-token" not in repr(caught.value)
    assert "marked-token" in server.calls[0].head.decode()  # it was there to be told


def test_it_lets_no_exception_carry_a_request(client: Client, server: Scripted) -> None:
    with (
        pytest.raises(wire.Away) as caught,
        wire.exchange("GET", server.address, headers=wire.bearer(TOKEN), timeouts=HASTY),
    ):
        pass
    assert caught.value.__suppress_context__
    assert vars(caught.value) == {"reason": "cut"}


# --- small things ----------------------------------------------------------------------


def test_it_names_the_address_of_a_post(settings_at: Callable[..., Settings]) -> None:
    settings = settings_at("https://www.linkedin.com")
    assert post_url(settings, URN) == f"https://www.linkedin.com/feed/update/{URN}/"
    assert post_url(settings, 'x"<>/?#') == (
        "https://www.linkedin.com/feed/update/x%22%3C%3E%2F%3F%23/"
    )


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("202609", dt.date(2027, 9, 15)),
        ("202512", dt.date(2026, 12, 15)),
        ("202511", dt.date(2026, 11, 15)),
    ],
)
def test_it_knows_when_a_version_ends(version: str, day: dt.date) -> None:
    assert version_expires_on(version) == day


@pytest.mark.parametrize("version", ["", "2026", "202613", "20260901", "2026-9", "٢٠٢٦٠٩"])
def test_it_knows_no_end_of_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        version_expires_on(version)


def test_it_waits_as_long_as_the_operator_says(settings_at: Callable[..., Settings]) -> None:
    assert Timeouts.of(settings_at("https://a.example")) == Timeouts(read=20, total=45)
    short = settings_at("https://a.example", SHARE_TIMEOUT_SECONDS="3")
    assert Timeouts.of(short) == Timeouts(read=3, total=11)


def test_it_reads_any_error_body_without_failing() -> None:
    for body in (b"{" * 100_000, b"\x00", b'{"message": "\\ud800"}', b'{"code": null}', None):
        found = outcomes.of_creation(wire.Answer(401, httpx.Headers(), body))
        assert found == TokenRefused("invalid")
