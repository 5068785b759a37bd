"""Stopping a process at a system call of one's choice, to kill it exactly there (Linux).

The tracer follows a worker and the child it forks, counts the child's system calls from the
moment it connects to a port, and says what had been sent when it was killed. Written on
ptrace(2) with PTRACE_GET_SYSCALL_INFO, so it knows no register of any processor; the numbers of
the three calls it recognises are asked from the system's own headers' values below.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
from dataclasses import dataclass, field

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

_SEIZE, _CONT, _SYSCALL, _INTERRUPT, _LISTEN = 0x4206, 7, 24, 0x4207, 0x4208
_SYSCALL_INFO, _EVENT_MSG = 0x420E, 0x4201
_GOOD, _FORK, _VFORK, _CLONE, _EXIT_KILL = 1, 2, 4, 8, 0x100000
_PROCESSES = {1, 2}  # fork, vfork; a clone is a thread
_EVENTS = {*_PROCESSES, 3}
_STOP_EVENT = 128
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_WALL = 0x40000000
_ENTRY, _EXIT = 1, 2

# connect, sendto, sendmsg, write, fsync, fdatasync (asm-generic for aarch64).
_NUMBERS = {"x86_64": (42, 44, 46, 1, 74, 75), "aarch64": (203, 206, 211, 64, 82, 83)}
CONNECT, SENDTO, SENDMSG, WRITE, FSYNC, FDATASYNC = _NUMBERS.get(platform.machine(), (-1,) * 6)


def is_possible() -> bool:
    """Whether this machine can be traced on."""
    return CONNECT >= 0 and platform.system() == "Linux"


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    answer: int = _libc.ptrace(request, pid, address, data)
    if answer == -1 and ctypes.get_errno():
        error = ctypes.get_errno()
        ctypes.set_errno(0)
        raise OSError(error, os.strerror(error))
    return answer


@dataclass
class Plan:
    """Kill at the `at`-th system call of the child, counted from the moment it connected to
    `port`, or (`since_commit`) from its first write to disk, which is the claim's. `victim` is
    'child' or 'worker'. None lets it live, to count."""

    port: int
    at: int | None
    victim: str = "child"
    since_commit: bool = False


@dataclass
class Course:
    """What was seen. `began_to_send`: bytes of the request had left; `sent_whole`: its last
    byte, too. `calls` counts from the connection on, `calls_since_commit` from the claim."""

    calls: int = 0
    calls_since_commit: int = 0
    killed: bool = False
    began_to_send: bool = False
    sent_whole: bool = False
    children: list[int] = field(default_factory=list)


class Tracer:
    """Follows one worker until its child is over."""

    def __init__(self, worker: int, plan: Plan) -> None:
        self.worker, self.plan, self.course = worker, plan, Course()
        self.in_call: dict[int, tuple[int, tuple[int, ...]]] = {}
        self.socket: int | None = None
        self.committed = False
        self.ended: set[int] = set()
        _ptrace(_SEIZE, worker, 0, _GOOD | _FORK | _VFORK | _CLONE | _EXIT_KILL)

    def follow(self) -> Course:
        """Until the child that publishes has ended, or the worker has; then both are gone."""
        alive = True
        while alive:
            pid, status = os.waitpid(-1, _WALL)
            if os.WIFSTOPPED(status):
                with contextlib.suppress(ProcessLookupError):  # it died while it was looked at
                    self._stopped(pid, status)
            else:
                self.ended.add(pid)
                alive = pid != self.worker and pid not in self.course.children
        self._end()
        return self.course

    def _end(self) -> None:
        """Threads and processes that are traced are only gone once they have been waited for."""
        if self.worker not in self.ended:
            os.kill(self.worker, signal.SIGKILL)
        while not {self.worker, *self.course.children} <= self.ended:
            pid, status = os.waitpid(-1, _WALL)
            if os.WIFSTOPPED(status):
                self._resume(pid, 0)
            else:
                self.ended.add(pid)

    def _stopped(self, pid: int, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        if number == _SYSCALL_STOP:
            self._call(pid)
            return
        if event in _EVENTS:
            child = ctypes.c_ulong()
            _ptrace(_EVENT_MSG, pid, 0, ctypes.addressof(child))
            if pid == self.worker and event in _PROCESSES:
                self.course.children.append(child.value)
            self._resume(pid, 0)
        elif event == _STOP_EVENT:
            self._resume(pid, 0)
        else:
            self._resume(pid, number)

    def _resume(self, pid: int, number: int) -> None:
        request = _SYSCALL if pid in self.course.children else _CONT
        try:
            _ptrace(request, pid, 0, number)
        except ProcessLookupError:
            return

    # --- the child's system calls --------------------------------------------------------

    def _call(self, pid: int) -> None:
        op, number, arguments = _syscall(pid)
        if op == _ENTRY:
            self.in_call[pid] = (number, arguments)
            self._seen(pid, number, arguments)
        elif op == _EXIT and pid in self.in_call:
            self._done(*self.in_call.pop(pid))
        self.course.calls += self.socket is not None and op == _ENTRY
        self.course.calls_since_commit += self.committed and op == _ENTRY
        if self._is_time():
            self._kill(pid)
        else:
            self._resume(pid, 0)

    def _is_time(self) -> bool:
        course, at = self.course, self.plan.at
        count = course.calls_since_commit if self.plan.since_commit else course.calls
        return at is not None and not course.killed and 0 < at <= count

    def _seen(self, pid: int, number: int, arguments: tuple[int, ...]) -> None:
        self.committed |= number in (FSYNC, FDATASYNC)
        if number == CONNECT and self.socket is None:
            address = _memory(pid, arguments[1], 16)
            family, port = struct.unpack("=H", address[:2])[0], struct.unpack("!H", address[2:4])[0]
            if family == 2 and port == self.plan.port:
                self.socket = arguments[0]

    def _done(self, number: int, arguments: tuple[int, ...]) -> None:
        if number in (SENDTO, SENDMSG, WRITE) and arguments[0] == self.socket:
            self.course.began_to_send = True
            if number == SENDTO and arguments[2] == 1:
                self.course.sent_whole = True

    def _kill(self, pid: int) -> None:
        self.course.killed = True
        os.kill(pid if self.plan.victim == "child" else self.worker, signal.SIGKILL)
        if self.plan.victim == "worker":
            self._resume(pid, 0)


def _syscall(pid: int) -> tuple[int, int, tuple[int, ...]]:
    """(operation, number, arguments) of a call that is being entered; number only then."""
    room = ctypes.create_string_buffer(88)
    _ptrace(_SYSCALL_INFO, pid, 88, ctypes.addressof(room))
    op = room.raw[0]
    if op != _ENTRY:
        return op, -1, ()
    number, *arguments = struct.unpack_from("=7Q", room.raw, 24)
    return op, number, tuple(arguments)


def _memory(pid: int, address: int, size: int) -> bytes:
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(address)
        return memory.read(size)
