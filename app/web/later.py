"""Answers from another thread, where the server can take them.

A server that can puts a function under `KEY` into a request's environment. An application that
calls it, once and from whichever thread, answers `LATER` to the server in the meantime, and its
thread is free for the next request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

KEY = "portevoix.answer"
Answer = Callable[[int, list[tuple[str, str]], bytes], object]
"""Status, headers and body."""
LATER: Iterable[bytes] = iter(())
"""What the application returns, told by its identity, where `Answer` was or will be called."""
