"""Keeping pictures: files first, then the row; whole or not at all."""

from __future__ import annotations

import io
import os
import resource
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import clock, create_app, outbox
from app.config import SettingsError
from app.db import db, transaction
from app.errors import NotFound, Unavailable
from app.media import service, store
from app.media.drawing import PictureRefused
from app.media.models import Picture
from tests.conftest import House, settings_for
from tests.media import hostile as h


def _files(app: Flask) -> list[str]:
    """Every file below the folder of pictures, drafts included."""
    folder: Path = app.extensions[store.EXTENSION]
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def _count() -> int:
    return db.session.scalar(select(func.count()).select_from(Picture)) or 0


def _age(app: Flask, hours: float, name: str | None = None) -> None:
    """Make the files older than they are."""
    folder: Path = app.extensions[store.EXTENSION]
    for file in folder.rglob(name or "*"):
        if file.is_file():
            then = file.stat().st_mtime - hours * 3600
            os.utime(file, (then, then))


def test_it_keeps_a_picture_in_every_size(any_house: House) -> None:
    author = any_house.person()
    row = service.add(h.jpeg(1400, 700), actor_id=author.id)
    assert (row.width, row.height, row.has_alpha) == (1400, 700, False)
    assert row.widths == [1400, 1200, 640, 320]
    assert (row.added_by, row.added_at) == (author.id, clock.now())
    kept = _files(any_house.app)
    assert kept == sorted(
        [f"{row.digest}-{width}.webp" for width in row.widths] + [f"{row.digest}-1200.jpg"]
    )
    shown = service.picture(row.id)
    assert shown == service.PictureView(
        row.id, row.digest, 1400, 700, False, (1400, 1200, 640, 320)
    )
    assert service.pictures([row.id, uuid.uuid4()]) == {row.id: shown}
    assert service.picture(None) is None and service.picture(uuid.uuid4()) is None


def test_it_knows_a_picture_again(app: Flask) -> None:
    first = service.add(h.jpeg(), actor_id=None)
    files = _files(app)
    again = service.add(h.jpeg(comment=h.SCRIPT), actor_id=None)
    assert again.id == first.id
    assert (_count(), _files(app)) == (1, files)


def test_it_makes_one_row_of_many_at_once(any_app: Flask) -> None:
    found: list[uuid.UUID] = []

    def add() -> None:
        with any_app.app_context():
            found.append(service.add(h.jpeg(), actor_id=None).id)
            db.session.remove()

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1
    assert _count() == 1
    assert len(_files(any_app)) == 3


def test_it_refuses_to_draw_inside_a_transaction(app: Flask) -> None:
    with transaction(), pytest.raises(RuntimeError):
        service.add(h.jpeg(), actor_id=None)
    assert _files(app) == []


def test_it_keeps_nothing_of_what_it_refuses(app: Flask) -> None:
    for data in (h.HTML, h.SVG, h.png_of(40_000, 40_000), h.jpeg()[:900]):
        with pytest.raises(PictureRefused):
            service.add(data, actor_id=None)
    assert (_files(app), _count()) == ([], 0)


@contextmanager
def _files_limited_to(size: int) -> Iterator[None]:
    """The operating system refuses to let a file of this process grow beyond `size` bytes: the
    write fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_it_keeps_nothing_half_on_a_full_disk(app: Flask) -> None:
    data = h.noise(900, 600)
    with _files_limited_to(60_000), pytest.raises(Unavailable) as caught:
        service.add(data, actor_id=None)
    assert caught.value.status == 503
    assert (_files(app), _count()) == ([], 0)
    row = service.add(data, actor_id=None)
    files = _files(app)
    with _files_limited_to(60_000), pytest.raises(Unavailable):
        service.add(data, actor_id=None)
    assert _files(app) == files  # those of the row that stands
    assert service.jpeg_for_network(row.id)


def test_it_has_its_files_before_its_row(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[int] = []
    row_of = service._row

    def noting(*given: object) -> Picture:
        before.append(len(_files(app)))
        return row_of(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "_row", noting)
    service.add(h.jpeg(), actor_id=None)
    assert before == [3]


def test_it_brings_lost_files_back(app: Flask) -> None:
    row = service.add(h.jpeg(), actor_id=None)
    files = _files(app)
    for name in files:
        store.path_of(name).unlink()
    with pytest.raises(Unavailable):
        service.jpeg_for_network(row.id)
    assert service.add(h.jpeg(), actor_id=None).id == row.id
    assert _files(app) == files


def test_it_gives_networks_a_jpeg(app: Flask) -> None:
    row = service.add(h.saved(h.half_transparent().resize((1600, 1200)), "PNG"), actor_id=None)
    image = Image.open(io.BytesIO(service.jpeg_for_network(row.id)))
    assert (image.format, image.size, image.mode) == ("JPEG", (1200, 900), "RGB")
    with pytest.raises(NotFound):
        service.jpeg_for_network(uuid.uuid4())


def test_it_removes_files_that_no_row_knows(any_app: Flask) -> None:
    kept = service.add(h.jpeg(), actor_id=None)
    lost = service.add(h.jpeg(401), actor_id=None)
    with transaction() as session:
        session.delete(session.get(Picture, lost.id))
    folder: Path = any_app.extensions[store.EXTENSION]
    draft = folder / kept.digest[:2] / f".{kept.digest}-320.webp.0123.part"
    draft.write_bytes(b"half")
    foreign = folder / kept.digest[:2] / "notes.txt"
    foreign.write_text("not ours")
    assert service.sweep() == 0  # too young: their rows may be on the way
    _age(any_app, 2)
    assert service.sweep() == 4
    names = _files(any_app)
    assert all(name.startswith(kept.digest) or name == "notes.txt" for name in names)
    assert len(names) == 4


def test_it_sweeps_every_night(app: Flask) -> None:
    row = service.add(h.jpeg(), actor_id=None)
    with transaction() as session:
        session.delete(session.get(Picture, row.id))
    _age(app, 2)
    with transaction():
        outbox.record("periodic.house.forget")
    outbox.drain()
    assert _files(app) == []


def test_it_survives_a_sweep_that_takes_the_files_of_an_old_attempt(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files without a row are old when somebody adds that picture again, and a sweep that has
    just looked at them removes them at the worst moment."""
    row_of = service._row

    def swept(*given: object) -> Picture:
        for name in _files(app):
            store.path_of(name).unlink()
        return row_of(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(service, "_row", swept)
    row = service.add(h.jpeg(), actor_id=None)
    assert len(_files(app)) == 3
    assert service.jpeg_for_network(row.id)


# --- where pictures are kept ----------------------------------------------------------------


def test_it_keeps_pictures_where_the_operator_says(tmp_path: Path) -> None:
    elsewhere = tmp_path / "a folder"
    for address in (f"file://{elsewhere}", f"file://localhost{elsewhere}".replace(" ", "%20")):
        app = create_app(settings_for(tmp_path / "data", MEDIA_URL=address))
        assert app.extensions[store.EXTENSION] == elsewhere
    clock.release()
    assert elsewhere.is_dir()


def _refused(folder: Path, address: str) -> str:
    with pytest.raises(SettingsError) as caught:
        create_app(settings_for(folder, MEDIA_URL=address))
    clock.release()
    assert caught.value.variable == "PORTEVOIX_MEDIA_URL"
    return str(caught.value)


def test_it_does_not_start_with_a_place_it_cannot_use(tmp_path: Path) -> None:
    assert "folder" in _refused(tmp_path, "s3://bucket/media")
    (tmp_path / "a-file").write_text("in the way")
    assert "a folder we may write in" in _refused(tmp_path, f"file://{tmp_path}/a-file")


def test_it_answers_that_it_is_busy_rather_than_pile_up_memory(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_TURN_SECONDS", 0.05)
    with service._drawing_turn, pytest.raises(Unavailable):
        service.add(h.jpeg(), actor_id=None)
    assert service.add(h.jpeg(), actor_id=None)
