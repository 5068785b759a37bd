"""The folder that holds pictures: one file for each size, named after what it shows.

`<folder>/<2 hex>/<digest>-<width>.<webp|jpg>`. A file gets its name when it is whole and on
the disk, so that whoever finds one may send it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import unquote, urlsplit

from flask import current_app

from app.config import PREFIX, Settings, SettingsError

EXTENSION: Final = "portevoix.media"
NAME: Final = re.compile(r"[0-9a-f]{64}-[1-9][0-9]{0,4}\.(webp|jpg)")
_DRAFT: Final = ".part"


def folder_of(settings: Settings) -> Path:
    """Where pictures are kept: `media` in the data folder, or the folder of MEDIA_URL.

    Raises `SettingsError` for what is no folder that we may write in.
    """
    parts = urlsplit(settings.media_url or "")
    if parts.scheme == "s3":
        raise SettingsError(
            PREFIX + "MEDIA_URL",
            "a folder, such as file:///srv/portevoix/media: this version keeps pictures in a"
            " folder, not in an S3 bucket",
        )
    if not settings.media_url:
        return _made(settings.data_dir / "media")
    host = "" if parts.netloc == "localhost" else parts.netloc
    return _made(Path(unquote(host + parts.path)).absolute())


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        raise SettingsError(PREFIX + "MEDIA_URL", f"a folder we may write in ({error})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(PREFIX + "MEDIA_URL", f"a folder we may write in, not {folder}")
    return folder


def folder() -> Path:
    """The folder of this application."""
    return cast(Path, current_app.extensions[EXTENSION])


def path_of(name: str) -> Path:
    """Where a file of that name is or would be."""
    return folder() / name[:2] / name


def keep(files: Mapping[str, bytes]) -> None:
    """Write every file, or none: what this call brought is taken away when one fails.

    Raises `OSError`.
    """
    brought: list[Path] = []
    try:
        for name, content in files.items():
            path = path_of(name)
            is_new = not path.exists()
            _write(path, content)
            if is_new:
                brought.append(path)
    except OSError:
        for path in brought:
            path.unlink(missing_ok=True)
        raise


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o750, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_DRAFT}")
    try:
        with draft.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
        _sync(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """A name is on the disk when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def shelves() -> Iterator[tuple[str, list[Path]]]:
    """Our files by the first two letters of their names; what somebody else put into the folder
    is passed over."""
    for shelf in sorted(folder().glob("[0-9a-f][0-9a-f]")):
        files = [file for file in shelf.iterdir() if NAME.fullmatch(file.name) or _is_draft(file)]
        yield shelf.name, files


def _is_draft(file: Path) -> bool:
    return file.name.startswith(".") and file.suffix == _DRAFT


def remove_older(file: Path, seconds: float) -> bool:
    """Remove a file that was written longer ago. By the clock of the disk, that wrote both."""
    try:
        if _disk_time() - file.stat().st_mtime < seconds:
            return False
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def _disk_time() -> float:
    """What time it is for the folder, in seconds: a file on a network drive has that one's."""
    probe = folder() / f".clock.{secrets.token_hex(8)}{_DRAFT}"
    probe.touch()
    try:
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)
