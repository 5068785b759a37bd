"""A small client that keeps many connections busy, each with one request at a time.

It runs in a process of its own. One loop over non-blocking sockets, requests made beforehand,
answers read up to the end of their head: what it costs a request is a fraction of what a
server costs, but on two cores it takes its part of them, from whichever side is measured.
Connections come from addresses of their own (127.0.n.1), as visitors do.
"""

from __future__ import annotations

import multiprocessing
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

CONNECTIONS = 48


@dataclass(frozen=True, slots=True)
class Load:
    """What came of some seconds: `answers`, how long they took in all, the 50th and 99th
    percentile of one (seconds), and which part of a core the client itself took."""

    answers: int
    seconds: float
    median: float
    p99: float
    client_share: float

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


def run(
    port: int,
    requests: Sequence[bytes],
    seconds: float,
    expected: bytes,
    connections: int = CONNECTIONS,
) -> Load:
    """Ask for `seconds`; every answer must begin with `expected`, or `ValueError`."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_run, (port, requests, seconds, expected, connections))


def _connect(port: int, number: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.bind((f"127.0.{number + 1}.1", 0))
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


def _run(
    port: int, requests: Sequence[bytes], seconds: float, expected: bytes, at_once: int
) -> Load:
    connections = {}
    for number in range(at_once):
        connection = _connect(port, number)
        connections[connection.fileno()] = connection
    poll = select.epoll()
    asked: dict[int, float] = {}
    took: list[float] = []
    turn, count = 0, len(requests)
    clock = time.perf_counter
    began, worked = clock(), time.process_time()
    end = began + seconds
    for descriptor, connection in connections.items():
        poll.register(descriptor, select.EPOLLIN)
        asked[descriptor] = clock()
        connection.send(requests[turn % count])
        turn += 1
    while asked:
        for descriptor, _ in poll.poll(5.0):
            connection = connections[descriptor]
            answer = connection.recv(65536)
            while answer and not answer.endswith(b"\r\n\r\n"):
                connection.setblocking(True)
                answer += connection.recv(65536)
                connection.setblocking(False)
            if not answer.startswith(expected):
                raise ValueError(f"not the answer that was expected: {answer[:200]!r}")
            now = clock()
            took.append(now - asked.pop(descriptor))
            if now < end:
                asked[descriptor] = now
                connection.send(requests[turn % count])
                turn += 1
    spent = clock() - began
    share = (time.process_time() - worked) / spent
    for connection in connections.values():
        connection.close()
    took.sort()
    return Load(len(took), spent, took[len(took) // 2], took[len(took) * 99 // 100], share)
