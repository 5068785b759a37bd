"""The demo's pictures are drawn beside its life: by the time a story is told, its picture is
there. Drawing is most of the work of a first start and leaves the other core free otherwise."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, cast

from flask import Flask, current_app

from app.demo.data import ORGANISATION
from app.demo.drawings import draw
from app.media import service as media

Drawing = tuple[str, int]  # (name, seed)


class Easel:
    """Draws in the order it was told, in a thread of its own. Use it with `with`."""

    def __init__(self, drawings: Iterable[Drawing], actor_id: uuid.UUID) -> None:
        self._app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
        self._actor_id = actor_id
        self._pool = ThreadPoolExecutor(1, "easel")
        self._wanted: dict[Drawing, Future[uuid.UUID]] = {}
        for drawing in drawings:
            self._ask(drawing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def picture(self, drawing: Drawing) -> uuid.UUID:
        """The picture's id, once it is drawn. Call it outside a transaction."""
        return self._ask(drawing).result()

    def _ask(self, drawing: Drawing) -> Future[uuid.UUID]:
        if drawing not in self._wanted:
            self._wanted[drawing] = self._pool.submit(self._draw, drawing)
        return self._wanted[drawing]

    def _draw(self, drawing: Drawing) -> uuid.UUID:
        name, seed = drawing
        with self._app.app_context():
            data = draw(name, ORGANISATION["brand"], seed)
            return media.add(data, actor_id=self._actor_id).id
