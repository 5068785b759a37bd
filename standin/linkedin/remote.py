"""The stand-in from the point of view of a test: read it, turn its switches, start and stop it.

Everything goes over HTTP, so a stand-in in this process, in a process of its own, or started by
somebody else is used in the same way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import os
import signal
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from standin.linkedin.clock import rfc3339
from standin.linkedin.server import Server
from standin.linkedin.start import build
from standin.linkedin.wire import FORM, Json

SECONDS = 30.0


class Remote:
    """A stand-in that is running at `address`."""

    def __init__(self, address: str) -> None:
        self.address = address

    # Reading

    def posts(
        self, author: str | None = None, since: str | dt.datetime | None = None
    ) -> list[Json]:
        """The posts, newest last, deleted ones included."""
        if isinstance(since, dt.datetime):
            since = rfc3339(since.timestamp())
        given = {"author": author, "since": since}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return list(self.call("GET", f"/_standin/posts?{query}"))

    def requests(self) -> Json:
        """`counts`, `in_progress` and `last`."""
        return dict(self.call("GET", "/_standin/requests"))

    def tokens(self) -> list[Json]:
        """Each token's state by fingerprint and member."""
        return list(self.call("GET", "/_standin/tokens"))

    def members(self) -> list[Json]:
        """Who may sign in, and who posted under an application's own id."""
        return list(self.call("GET", "/_standin/members"))

    def faults(self) -> Json:
        """`rules` and `mix` with their tallies."""
        return dict(self.call("GET", "/_standin/faults"))

    def knobs(self) -> Json:
        """How each knob stands."""
        return dict(self.call("GET", "/_standin/knobs"))

    # Turning

    def fault(
        self,
        action: str | Mapping[str, Any],
        *,
        path: str = "/rest/posts",
        method: str | None = None,
        member: str | None = None,
        times: int | None = 1,
        after: int = 0,
    ) -> None:
        """Switches one fault on: for the next `times` requests to `path` but the first `after`."""
        match = {"method": method, "path_prefix": path, "member": member}
        rule = {"match": match, "times": times, "after": after, "action": action}
        self.call("POST", "/_standin/faults", rule)

    def mix(
        self,
        seed: int,
        mix: Mapping[str, float],
        *,
        path: str = "/rest/posts",
        method: str | None = "POST",
    ) -> None:
        """Draws the fate of each matching request from `seed`."""
        match = {"method": method, "path_prefix": path}
        self.call("POST", "/_standin/faults", {"seed": seed, "mix": dict(mix), "match": match})

    def clear_faults(self) -> None:
        """Everything off."""
        self.call("DELETE", "/_standin/faults")

    def set(self, **knobs: object) -> None:
        """Turns knobs, by name."""
        self.call("POST", "/_standin/knobs", knobs)

    def register(
        self,
        client_id: str,
        client_secret: str,
        redirect_uris: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        name: str | None = None,
    ) -> None:
        """Registers an application or changes it; `name` is what the consent page calls it."""
        given = {
            "client_id": client_id,
            "client_secret": client_secret,
            "redirect_uris": None if redirect_uris is None else list(redirect_uris),
            "scopes": None if scopes is None else list(scopes),
            "name": name,
        }
        self.call("POST", "/_standin/clients", given)

    def add_members(self, members: Iterable[Mapping[str, Any]]) -> None:
        """Introduces members: `sub`, `name`, and what else a profile has."""
        self.call("POST", "/_standin/members", [dict(member) for member in members])

    def issue_token(
        self,
        member: str,
        scope: str | None = None,
        client_id: str | None = None,
        expires_in: float | None = None,
    ) -> str:
        """An access token for a member, without the OAuth dance."""
        given = {
            "member": member, "scope": scope, "client_id": client_id, "expires_in": expires_in,
        }  # fmt: skip
        wanted = {name: value for name, value in given.items() if value is not None}
        return str(self.call("POST", "/_standin/tokens", wanted)["access_token"])

    def revoke(self, member: str | None = None, token: str | None = None) -> int:
        """Takes tokens back as the member would in LinkedIn's settings; how many."""
        given = {"member": member, "token": token}
        return int(self.call("POST", "/_standin/revocations", given)["revoked"])

    def advance(self, **time: float) -> None:
        """Moves the stand-in's clock, as `advance(days=61)`."""
        seconds = dt.timedelta(**time).total_seconds()
        self.call("POST", "/_standin/clock", {"advance": seconds})

    def set_clock(self, now: dt.datetime) -> None:
        """Sets the stand-in's clock."""
        self.call("POST", "/_standin/clock", {"now": now.isoformat()})

    def reset(self) -> None:
        """As at the start, but for applications and members."""
        self.call("POST", "/_standin/reset")

    def authorize(
        self, authorization_url: str, member: str | None = None, decision: str = "allow"
    ) -> str:
        """Does on the consent page what a member does; the address the browser is sent to.

        `decision` is `allow`, `cancel_authorize` or `cancel_login`.
        """
        query = urlsplit(authorization_url).query
        status, location, body = self._send("GET", f"/oauth/v2/authorization?{query}")
        if status == 200:
            form = dict(parse_qsl(query)) | {"decision": decision, "member": member or ""}
            packed = urlencode(form).encode()
            status, location, body = self._send("POST", "/oauth/v2/authorization", packed, FORM)
        if location is None:
            raise RuntimeError(f"the stand-in answered {status}: {body[:400]!r}")
        return location

    def call(self, method: str, path: str, given: object = None) -> Any:
        """One call of the control addresses; its JSON. Raises RuntimeError unless it succeeds."""
        packed = None if given is None else json.dumps(given).encode()
        status, _, body = self._send(method, path, packed, "application/json")
        if status >= 300:
            raise RuntimeError(f"the stand-in answered {status}: {body[:400]!r}")
        return json.loads(body) if body else None

    def _send(
        self, method: str, path: str, body: bytes | None = None, kind: str | None = None
    ) -> tuple[int, str | None, bytes]:
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(
            where.hostname or "127.0.0.1", where.port, timeout=SECONDS
        )
        headers = {"Connection": "close"} | ({"Content-Type": kind} if kind else {})
        with contextlib.closing(connection):
            connection.request(method, quote(path, safe="/?&=%+:,()~"), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location"), answer.read()


class StandIn(Remote):
    """A stand-in of one's own: a thread, or with `process=True` a process that outlives kills of
    other processes and can be killed itself. Use it with `with`, or `start` and `stop`."""

    def __init__(
        self,
        data_dir: Path | str | None = None,
        port: int = 0,
        *,
        process: bool = False,
        lenient: bool = False,
        now: dt.datetime | None = None,
    ) -> None:
        super().__init__("")
        self._data_dir = None if data_dir is None else Path(data_dir)
        self._port, self._lenient, self._now = port, lenient, now
        self._as_process = process
        self._server: Server | None = None
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process it runs in."""
        return os.getpid() if self._child is None else self._child.pid

    def start(self) -> None:
        """Starts, after a stop or kill at the same port."""
        if self._as_process:
            self._start_process()
        else:
            self._start_thread()
        self._port = urlsplit(self.address).port or 0

    def stop(self) -> None:
        """Ends it; posts stay when there is a data folder."""
        if self._server is not None:
            self._server.stop()
            self._server.world.store.close()
            self._server = None
        self._end_child(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, for a stand-in in a process of its own."""
        self._end_child(signal.SIGKILL)

    def _start_thread(self) -> None:
        self._server = build(self._port, self._data_dir, lenient=self._lenient, now=self._now)
        self.address = self._server.world.address
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def _start_process(self) -> None:
        words = [sys.executable, "-m", "standin.linkedin", "--port", str(self._port)]
        words += ["--parent", str(os.getpid())]
        if self._data_dir is not None:
            words += ["--data", str(self._data_dir)]
        if self._lenient:
            words.append("--lenient")
        if self._now is not None:
            words += ["--now", self._now.isoformat()]
        environment = os.environ | {"PYTHONPATH": _search_path()}
        self._child = subprocess.Popen(  # nosec B603
            words, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
        )
        line = self._child.stdout.readline() if self._child.stdout else ""
        if not line.startswith("http://"):
            self._end_child(signal.SIGKILL)
            raise RuntimeError("the stand-in did not start")
        self.address = line.strip()

    def _end_child(self, how: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(how)
        try:
            child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _search_path() -> str:
    """Where the child finds this package, before what this process was told."""
    root = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
