"""Starting, recognising and ending processes.

Every part runs in a session of its own and dies with the process that started it. A part is
ended together with everything it started: the whole session is looked up in /proc, because a
work-horse leaves its worker's process group.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from app import clock
from app.jobs import process

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def hold_signals() -> None:
    """From now on this process asks for its signals (`next_signal`) instead of being interrupted.

    A hang-up that was ignored on purpose (nohup) stays ignored.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _watched())


def _watched() -> set[signal.Signals]:
    watched = {signal.SIGCHLD, *STOPPING}
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        watched.discard(signal.SIGHUP)
    return watched


def next_signal(seconds: float) -> signal.Signals | None:
    """The next signal, waiting at most so long for it."""
    info = signal.sigtimedwait(_watched(), max(seconds, 0.0))
    return signal.Signals(info.si_signo) if info else None


def _let_signals_in() -> None:
    for number in _watched():
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def fork(title: str, work: Callable[[], int], *, own_session: bool = True) -> int:
    """Run `work` in a new process, which ends with its answer; the pid.

    It dies with this process, hears signals as usual and reads nothing from the terminal.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        process.die_with(parent)
        process.entitle(title)
        if own_session:
            os.setsid()
        _let_signals_in()
        _read_nothing()
        status = work()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  (nothing of the parent may run on in this process)
        traceback.print_exc()
    finally:
        _flush()
        os._exit(status)


def _read_nothing() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def next_ended() -> int | None:
    """A child that has ended and was not yet taken leave of; its pid is still its own."""
    return _ended(os.P_ALL, 0)


def has_ended(pid: int) -> bool:
    """Whether that child has ended."""
    return _ended(os.P_PID, pid) is not None


def _ended(which: int, pid: int) -> int | None:
    try:
        info = os.waitid(which, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return pid or None
    return info.si_pid if info else None


def take_leave(pid: int) -> int:
    """Collect a child that has ended: its exit status, negative for a signal."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status)


def send(pid: int, number: signal.Signals) -> None:
    """A signal to one process, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def session_of(pid: int) -> int | None:
    """The session of a living process; None for a dead one."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, _parent, _group, session = text.rpartition(")")[2].split()[:4]
    return None if state in "ZX" else int(session)


def members(session: int) -> list[int]:
    """Living processes of one session."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if session_of(pid) == session]


def end_session(session: int, seconds: float = 2.0) -> bool:
    """Kill all that is left of a session; False if something would not die in time."""
    deadline = clock.monotonic() + seconds
    while left := members(session):
        if clock.monotonic() > deadline:
            return False
        for pid in left:
            send(pid, signal.SIGKILL)
        clock.sleep(0.01)
    return True


def describe(status: int) -> str:
    """How a process ended, for a person."""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
