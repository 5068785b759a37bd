"""The server itself: whole requests or nothing, many at once, state that survives."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from standin.linkedin import Remote, StandIn
from standin.linkedin.knobs import Knobs
from standin.linkedin.start import build
from tests.standin import plain
from tests.standin.conftest import (
    MEMBER,
    OTHER,
    a_picture,
    a_post,
    encoded,
    opened,
    speaking_for,
    uploaded,
    with_token,
)

ROOT = Path(__file__).parents[2]


def connect(standin: Remote) -> socket.socket:
    where = urlsplit(standin.address)
    return socket.create_connection((where.hostname, where.port), timeout=5)


def is_listening(standin: Remote) -> bool:
    try:
        connect(standin).close()
    except ConnectionRefusedError:
        return False
    return True


def raw_post(token: str, body: bytes, length: str | None = None) -> tuple[bytes, bytes]:
    """Head and body of a post by hand."""
    framing = length or f"Content-Length: {len(body)}"
    head = (
        "POST /rest/posts HTTP/1.1\r\nHost: 127.0.0.1\r\nLinkedIn-Version: 202609\r\n"
        f"Authorization: Bearer {token}\r\n{framing}\r\n\r\n"
    )
    return head.encode(), body


def test_a_body_may_come_in_pieces(standin: StandIn) -> None:
    head, body = raw_post(standin.issue_token(MEMBER), json.dumps(a_post()).encode())
    with connect(standin) as client:
        for piece in (head[:30], head[30:], body[:10], body[10:40]):
            client.sendall(piece)
            time.sleep(0.03)
        assert standin.posts() == []
        client.sendall(body[40:])
        assert client.recv(65_536).startswith(b"HTTP/1.1 201 Created\r\n")
    assert len(standin.posts()) == 1


def test_a_body_may_come_in_chunks(standin: StandIn, member: httpx.Client) -> None:
    body = json.dumps(a_post()).encode()
    answer = member.post("/rest/posts", content=iter([body[:7], body[7:]]))
    assert answer.status_code == 201


@pytest.mark.parametrize("framing", [None, "Transfer-Encoding: chunked"])
def test_a_client_that_dies_half_way_changes_nothing(standin: StandIn, framing: str | None) -> None:
    standin.set(member_day_limit=1)
    token = standin.issue_token(MEMBER)
    whole = json.dumps(a_post()).encode()
    sent = whole[:-1] if framing is None else b"%x\r\n%s\r\n" % (len(whole), whole)
    head, _ = raw_post(token, whole, framing)
    with connect(standin) as client:
        client.sendall(head + sent)
    until = time.monotonic() + 5
    while "POST /rest/posts" not in standin.requests()["counts"] and time.monotonic() < until:
        time.sleep(0.01)
    assert standin.requests()["last"][-1]["status"] == "incomplete"
    assert standin.posts() == []
    with with_token(standin, token) as member:  # not counted either
        assert member.post("/rest/posts", json=a_post()).status_code == 201


def test_a_connection_serves_many_requests(standin: StandIn) -> None:
    head, body = raw_post(standin.issue_token(MEMBER), json.dumps(a_post()).encode())
    with connect(standin) as client:
        client.sendall(head + body + head + body)  # two at once
        answers = b""
        while answers.count(b"HTTP/1.1 ") < 2 or b"DUPLICATE_POST" not in answers:
            answers += client.recv(65_536)
    assert answers.startswith(b"HTTP/1.1 201") and b"HTTP/1.1 422" in answers


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        ("Content-Length: many", b"400"),
        ("Content-Length: -1", b"400"),
        (f"Content-Length: {2**31}", b"413"),
        ("Transfer-Encoding: chunked\r\n\r\nmany", b"400"),
    ],
)
def test_a_body_without_sense_is_refused(standin: StandIn, framing: str, status: bytes) -> None:
    head, _ = raw_post(standin.issue_token(MEMBER), b"", framing)
    with connect(standin) as client:
        client.sendall(head)
        assert client.recv(65_536).split()[1] == status


def test_sixty_clients_post_at_once(standin: StandIn) -> None:
    tokens = [standin.issue_token(f"member{n}") for n in range(60)]

    def send(number: int) -> tuple[int, str]:
        with with_token(standin, tokens[number]) as client:
            body = a_post(f"Texte {number}", f"member{number}")
            answer = client.post("/rest/posts", json=body)
            return answer.status_code, answer.headers["x-restli-id"]

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(send, range(60)))
    assert {status for status, _ in answers} == {201}
    by_urn = {post["urn"]: post["text"] for post in standin.posts()}
    assert by_urn == {urn: f"Texte {n}" for n, (_, urn) in enumerate(answers)}


def test_the_same_post_sixty_times_at_once_is_one(standin: StandIn) -> None:
    token = standin.issue_token(MEMBER)

    def send(_: int) -> int:
        with with_token(standin, token) as client:
            return client.post("/rest/posts", json=a_post()).status_code

    with ThreadPoolExecutor(60) as pool:
        statuses = list(pool.map(send, range(60)))
    assert sorted(statuses) == [201] + [422] * 59
    assert len(standin.posts()) == 1


def test_a_silent_request_holds_up_nobody(standin: StandIn, member: httpx.Client) -> None:
    standin.fault("silence:20", times=20)
    held = [connect(standin) for _ in range(20)]
    head, body = raw_post(standin.issue_token(MEMBER), json.dumps(a_post()).encode())
    for client in held:
        client.sendall(head + body)
    until = time.monotonic() + 5
    while standin.requests()["in_progress"] < 20 and time.monotonic() < until:
        time.sleep(0.01)
    assert member.post("/rest/posts", json=a_post()).status_code == 201
    for client in held:
        client.close()


def test_stopping_ends_what_is_silent() -> None:
    with StandIn() as standin:
        standin.fault("silence:600")
        head, body = raw_post(standin.issue_token(MEMBER), json.dumps(a_post()).encode())
        client = connect(standin)
        client.sendall(head + body)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    with contextlib.suppress(ConnectionResetError):  # as good an end as any
        assert client.recv(10) == b""
    client.close()


# State


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    with StandIn(tmp_path) as standin:
        standin.register("mine", "secret", ["https://advocacy.example/callback"])
        token = standin.issue_token(MEMBER)
        with with_token(standin, token) as client:
            picture = uploaded(client)
            content = {"media": {"id": picture, "altText": "Alt"}}
            client.post("/rest/posts", json=a_post(content=content))
        before, address = standin.posts(), standin.address
        jwks = plain.get(address + "/oauth/openid/jwks").json()
        standin.stop()
        standin.start()
        assert standin.address == address
        assert standin.posts() == before
        assert plain.get(before[0]["content"]["image"]["url"]).content == a_picture()
        assert plain.get(address + "/oauth/openid/jwks").json() == jwks
        with with_token(standin, token) as client:
            assert client.post("/rest/posts", json=a_post()).status_code == 422
            path = f"/rest/posts/{encoded(before[0]['urn'])}"
            assert client.delete(path).status_code == 204
        assert standin.issue_token(MEMBER, client_id="mine")


def test_what_another_version_wrote_is_let_go(tmp_path: Path) -> None:
    with StandIn(tmp_path) as standin, speaking_for(standin, MEMBER) as client:
        client.post("/rest/posts", json=a_post())
    with contextlib.closing(sqlite3.connect(tmp_path / "linkedin.sqlite3")) as file:
        file.execute("ALTER TABLE post DROP COLUMN cut")
        file.execute("PRAGMA user_version = 0")
        file.commit()
    with StandIn(tmp_path) as standin, speaking_for(standin, MEMBER) as client:
        assert client.post("/rest/posts", json=a_post()).status_code == 201
        assert len(standin.posts()) == 1


def test_a_version_may_be_kept_alive_from_the_start() -> None:
    server = build(also_versions=["202001"])
    assert server.world.knobs.also_versions == ["202001"]
    server.world.knobs.turn({"also_versions": [], "partner": True})
    server.world.reset()
    assert server.world.knobs.as_json() == Knobs(also_versions=["202001"]).as_json()
    server.server_close()
    server.world.store.close()


def test_the_store_holds_no_token(tmp_path: Path) -> None:
    with StandIn(tmp_path) as standin:
        token = standin.issue_token(MEMBER)
        with with_token(standin, token) as client:
            client.post("/rest/posts", json=a_post())
        said = json.dumps([standin.requests(), standin.tokens(), standin.posts()])
    assert token not in said
    assert not any(token.encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_a_killed_stand_in_keeps_what_it_answered(tmp_path: Path) -> None:
    with StandIn(tmp_path, process=True) as standin:
        assert standin.pid != os.getpid()
        address, token = standin.address, standin.issue_token(MEMBER)
        with with_token(standin, token) as client:
            urn = client.post("/rest/posts", json=a_post()).headers["x-restli-id"]
            standin.kill()
            with pytest.raises(httpx.TransportError):
                client.get("/")
        standin.start()
        assert standin.address == address
        assert [post["urn"] for post in standin.posts()] == [urn]


def test_the_command_prints_its_address_and_ends_well(tmp_path: Path) -> None:
    extra = tmp_path / "members.json"
    extra.write_text('[{"sub": "neu", "name": "Nadia Benali"}]', "utf-8")
    words = ["--now", "2026-11-22T09:00:00Z", "--members", str(extra)]
    words += ["--client-id", "mine", "--client-secret", "s", "--redirect", "http://127.0.0.1:9/cb"]
    child = subprocess.Popen(
        [sys.executable, "-m", "standin.linkedin", "--data", str(tmp_path / "data"), *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line.startswith("http://127.0.0.1:") and line.endswith("\n")
    remote = Remote(line.strip())
    assert "Nadia Benali" in [member["name"] for member in remote.members()]
    assert remote.call("GET", "/_standin/clock")["now"].startswith("2026-11-22T09:00:")
    assert remote.issue_token("neu", client_id="mine", scope="w_member_social")
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    assert child.stdout.read() == ""
    child.stdout.close()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'standin.linkedin',"
        " '--parent', str(os.getpid())], stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline().strip(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    remote = Remote(run.stdout.strip())
    until = time.monotonic() + 8
    while is_listening(remote) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_listening(remote)


# Tokens that were never issued here (the demo)


def test_a_strict_stand_in_knows_its_tokens(standin: StandIn) -> None:
    with with_token(standin, "invented-token") as client:
        assert client.post("/rest/posts", json=a_post()).json()["serviceErrorCode"] == 65600
    assert standin.tokens() == []


def test_a_lenient_one_binds_a_token_to_its_first_author() -> None:
    with StandIn(lenient=True) as standin:
        standin.add_members([{"sub": "maelle", "name": "Maëlle Le Goff"}])
        with with_token(standin, "invented-token") as client:
            assert client.get("/v2/userinfo").status_code == 403  # acts for nobody yet
            picture = uploaded(client, owner="maelle")
            content = {"media": {"id": picture}}
            body = a_post(author="maelle", content=content)
            assert client.post("/rest/posts", json=body).status_code == 201
            assert client.post("/rest/posts", json=a_post(author=OTHER)).status_code == 403
            given = {"initializeUploadRequest": {"owner": f"urn:li:person:{OTHER}"}}
            opening = client.post("/rest/images?action=initializeUpload", json=given)
            assert opening.status_code == 403
            assert client.get("/v2/userinfo").json()["name"] == "Maëlle Le Goff"
        with with_token(standin, "another-token") as client:
            client.post("/rest/posts", json=a_post(author="x9"))
        names = [post["author"]["name"] for post in standin.posts()]
        assert names == ["Maëlle Le Goff", "Membre x9"]
        assert [(t["member"], t["issued"]) for t in standin.tokens()] == [
            ("maelle", False), ("x9", False),
        ]  # fmt: skip


def test_a_lenient_one_counts_and_revokes_as_usual() -> None:
    with StandIn(lenient=True) as standin:
        standin.set(member_day_limit=1)
        with with_token(standin, "invented-token") as client:
            assert client.post("/rest/posts", json=a_post("a")).status_code == 201
            assert client.post("/rest/posts", json=a_post("b")).status_code == 429
            given = {
                "client_id": "78standinshare", "client_secret": "WPL_AP1.standin-share",
                "token": "invented-token",
            }  # fmt: skip
            assert plain.post(standin.address + "/oauth/v2/revoke", data=given).status_code == 200
            answer = client.post("/rest/posts", json=a_post("c"))
            assert answer.json()["serviceErrorCode"] == 65601
            given["token"] = "never-used"
            assert plain.post(standin.address + "/oauth/v2/revoke", data=given).status_code == 200
        assert [token["state"] for token in standin.tokens()] == ["revoked", "revoked"]
        standin.advance(days=400)
        standin.set(also_versions=["202609"], member_day_limit=9)
        with with_token(standin, "third-token") as client:
            assert client.post("/rest/posts", json=a_post("d")).status_code == 201


def test_a_fault_for_a_member_finds_a_token_not_bound_yet() -> None:
    with StandIn(lenient=True) as standin:
        standin.fault("403", member="maelle", path="/rest/")
        with with_token(standin, "invented-token") as client:
            given = {"initializeUploadRequest": {"owner": "urn:li:person:maelle"}}
            answer = client.post("/rest/images?action=initializeUpload", json=given)
            assert answer.status_code == 403
            assert opened(client, owner="maelle")["image"]


# Whom it talks to


def test_it_answers_names_of_this_machine_alone(standin: StandIn) -> None:
    for host, status in [
        ("localhost:1", 200), ("127.0.0.1", 200), ("a.localhost", 200), ("evil.example", 421),
        ("127.0.0.1.evil.example:80", 421),
    ]:  # fmt: skip
        answer = plain.get(standin.address + "/feed/", headers={"Host": host})
        assert answer.status_code == status, host


def test_its_switches_cannot_be_turned_by_a_form(standin: StandIn) -> None:
    url = standin.address + "/_standin/knobs"
    headers = {"Content-Type": "text/plain"}
    assert plain.post(url, content=b'{"partner": true}', headers=headers).status_code == 415
    assert standin.knobs()["partner"] is False


def test_requests_are_counted_by_route_without_secrets(
    standin: StandIn, member: httpx.Client
) -> None:
    opened(member)
    member.get("/rest/posts/urn%3Ali%3Ashare%3A1")
    plain.get(standin.address + "/oauth/v2/authorization?state=my-secret-state&client_id=x")
    found = standin.requests()
    assert found["counts"] == {
        "GET /oauth/v2/authorization": 1,
        "GET /rest/posts/{raw}": 1,
        "POST /rest/images?action=initializeUpload": 1,
    }
    assert [entry["status"] for entry in found["last"]] == [200, 403, 401]
    assert found["last"][0]["member"] == MEMBER and found["last"][0]["version"] == "202609"
    assert "my-secret-state" not in json.dumps(found)
    assert member.headers["Authorization"].split()[1] not in json.dumps(found)


def test_it_imports_nothing_of_the_product() -> None:
    for path in (ROOT / "standin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not [name for name in names if name.split(".")[0] in ("app", "tests")], path


def test_speaking_for_somebody_unknown_is_possible(standin: StandIn) -> None:
    with speaking_for(standin, "somebody") as client:
        assert client.post("/rest/posts", json=a_post(author="somebody")).status_code == 201
    assert standin.posts()[0]["author"]["name"] == "Membre somebody"
