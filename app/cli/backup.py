"""`backup` and `restore`; what they do stands in `archive`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import click

from app.cli import Refused


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the database and the media to FILE. The product may run meanwhile.

    FILE gets its name when it is complete. It holds no keys.
    """
    from app import clock, config
    from app.cli import archive

    settings = config.load()
    clock.start(settings.data_dir, settings.clock)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=file.absolute().parent) as folder:
            manifest = archive.write(settings, draft, Path(folder))
        draft.replace(file)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    size = file.stat().st_size / (1 << 20)
    click.echo(f"{file}: {len(manifest.files)} files, {size:.1f} MiB. It holds no keys.")
    if settings.media_url and urlsplit(settings.media_url).scheme == "s3":
        click.echo("Media are in S3 and not in it.", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
def restore(file: Path) -> None:
    """Put back what FILE holds. The product must be stopped.

    FILE is read and checked as a whole first. What was there is kept beside it, with
    `.before-restore` in its name. Start with `up`, or run `migrate`, afterwards.
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
    finally:
        os.close(held)
    click.echo(f"Restored the backup of {manifest.made_at}: {len(manifest.files)} files.")
