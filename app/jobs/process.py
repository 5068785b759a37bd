"""What one process says to the kernel about itself (Linux; elsewhere these do nothing)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def _prctl(option: int, argument: int | bytes) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)


def die_with(parent: int) -> None:
    """Be killed by the kernel when the process that made this one ends, however it ends.

    Called right after a fork. `parent` is the pid read before it: where the parent was faster
    to die, this process ends here.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def entitle(name: str) -> None:
    """The name operators see in `ps` and `top`, at most 15 characters."""
    _prctl(_PR_SET_NAME, name.encode()[:15])
