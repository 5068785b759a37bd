"""`backup` and `restore`; what they do stands in `archive`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from app.cli import Refused

if TYPE_CHECKING:
    from app.config import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the database and the media to FILE. The product may run meanwhile.

    FILE gets its name when it is complete. It holds no keys. Beside it stands FILE.erased, the
    erasure list as it is now: keep the newest one apart from the backups.
    """
    from app import clock, config
    from app.cli import archive
    from app.rights import listing

    settings = config.load()
    clock.start(settings.data_dir, settings.clock)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=file.absolute().parent) as folder:
            manifest = archive.write(settings, draft, Path(folder))
        draft.replace(file)
        listing.copy(settings.data_dir / listing.NAME, beside(file))
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    size = file.stat().st_size / (1 << 20)
    click.echo(f"{file}: {len(manifest.files)} files, {size:.1f} MiB. It holds no keys.")
    if settings.media_url and urlsplit(settings.media_url).scheme == "s3":
        click.echo("Media are in S3 and not in it.", err=True)


def beside(file: Path) -> Path:
    """The copy of the erasure list that belongs to a backup."""
    from app.rights import listing

    return file.with_name(file.name + listing.SUFFIX)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--erased", "lists", multiple=True, type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Another copy of the erasure list, such as the newest one. May be repeated.",
)  # fmt: skip
def restore(file: Path, lists: tuple[Path, ...]) -> None:
    """Put back what FILE holds. The product must be stopped.

    FILE is read and checked as a whole first. What was there is kept beside it for a week, with
    `.before-restore` in its name. Then the database is brought to this version, and who is on
    the erasure list is erased again: the list of the data folder, FILE.erased, and those of
    --erased together.
    """
    from app import clock, config
    from app.cli import archive
    from app.supervisor import lock

    settings = config.load()
    clock.start(settings.data_dir, settings.clock)
    try:
        held = lock.acquire(settings.data_dir)
    except lock.AlreadyRunning as error:
        raise Refused(f"{error} Stop it first.") from error
    try:
        with tempfile.TemporaryDirectory(dir=settings.data_dir) as folder:
            manifest = archive.unpack(file, Path(folder))
            archive.put_back(settings, Path(folder))
        erased = _erase_again(settings, (beside(file), *lists))
    finally:
        os.close(held)
    click.echo(f"Restored the backup of {manifest.made_at}: {len(manifest.files)} files.")
    if erased:
        click.echo(f"Erased again, because they had asked for it since: {erased}.")


def _erase_again(settings: Settings, lists: tuple[Path, ...]) -> int:
    """How many; before anything of the product runs on what was restored."""
    from app import migrating, rights
    from app.cli import context

    with context.application(settings):
        migrating.upgrade()
        try:
            return rights.reapply(lists)
        except ValueError as error:
            raise Refused(f"{error}. Nobody was erased again: do not start the product.") from error
