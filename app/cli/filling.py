"""Commands that bring offers and tokens in, and the demo."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import Refused, context, standin

if TYPE_CHECKING:
    from app.config import Settings
    from app.referrals.imports import ImportReport


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print people, tokens and connections.")
def demo(as_json: bool) -> None:
    """Fill the demo organisation. Safe to repeat: what exists stays as it is."""
    from app import demo as halvenne
    from app import migrating

    _beside_the_demo()
    with context.application() as app:
        migrating.upgrade()
        filled = fill_demo(app.extensions["portevoix"])
        described = halvenne.describe() | {"standin": _linkedin(app.extensions["portevoix"])}
        accounts = halvenne.accounts_text(described)
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False, indent=1))
    else:
        click.echo("The demo organisation is filled." if filled else "The demo was filled before.")
        click.echo(accounts)


def _beside_the_demo() -> None:
    """A first fill publishes at a stand-in, which needs an address; one that runs has its own."""
    from app import config
    from app import demo as halvenne
    from app.supervisor import lock

    data_dir = config.load().data_dir
    if not halvenne.is_filled(data_dir) and lock.running(data_dir) is None:
        standin.beside(data_dir)


def fill_demo(settings: Settings) -> bool:
    """Fill the demo and tell the terminal how far it is; False when it was filled before."""
    from app import demo as halvenne

    if halvenne.is_filled(settings.data_dir):
        return False
    with standin.at_work(settings) as network:
        return halvenne.fill(network, _say_day)


def _say_day(day: int, days: int) -> None:
    """On standard error: what `--json` prints stays JSON."""
    words = f"Filling the demo: day {day} of {days}"
    if sys.stderr.isatty():
        click.echo(f"\r{words}", nl=day == days, err=True)
    elif day == days or day % 30 == 1:
        click.echo(words, err=True)


def _linkedin(settings: Settings) -> str:
    """Where the demo's posts can be looked at: the operator's own address, or the stand-in's."""
    if standin.is_named(os.environ):
        return settings.linkedin_api_url
    return standin.known_address(settings.data_dir) or standin.address(settings.data_dir)


@click.group()
def offers() -> None:
    """Job offers."""


@offers.command("import")
@click.option("--source", required=True, help="greenhouse, csv, or the id of a connection.")
@click.argument("file_or_url")
def offers_import(source: str, file_or_url: str) -> None:
    """Read offers from a feed, a file or an address. Twice the same feed changes nothing."""
    from app.referrals import imports

    with context.application() as app, app.test_request_context():
        if file_or_url.startswith(("http://", "https://")):
            report = imports.import_now(source, url=file_or_url, on_wait=_say_waiting)
        else:
            path = Path(file_or_url)
            if not path.is_file():
                raise Refused(f"there is no file {file_or_url}")
            data = path.read_bytes()
            report = imports.import_now(source, data=data, origin=path.name, on_wait=_say_waiting)
        sys.exit(_tell(report))


def _say_waiting() -> None:
    click.echo("Another import works on this connection; waiting for it…", err=True)


def _tell(report: ImportReport) -> int:
    if report.error:
        click.echo(f"Nothing was imported: {report.error_sentence}", err=True)
        return 1
    click.echo(
        f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged, "
        f"{report.closed} closed, {report.refused} refused"
    )
    if report.suspicious:
        click.echo(f"Nothing was closed: {report.suspicious_sentence}", err=True)
    for line in report.refused_lines:
        click.echo(f"line {line.line}: {line.reason} {line.value or ''}".rstrip(), err=True)
    return 0


@click.group()
def tokens() -> None:
    """Bearer tokens of the API."""


@tokens.command("create")
@click.option("--person", required=True, help="The person's mail address.")
@click.option("--scope", "scopes", multiple=True, required=True, help="May be given several times.")
@click.option("--name", default="console", show_default=True)
def tokens_create(person: str, scopes: tuple[str, ...], name: str) -> None:
    """Make a token. It is printed once and kept as a hash."""
    from app.errors import InvalidInput
    from app.people import service
    from app.people.queries import person_by_email

    wanted = [word for scope in scopes for word in scope.replace(",", " ").split()]
    with context.application() as app, app.test_request_context():
        found = person_by_email(person)
        if found is None:
            raise Refused(f"nobody has the address {person}")
        try:
            click.echo(service.issue_token(found.id, name, wanted, by_console=True))
        except InvalidInput as error:
            faults = "; ".join(str(s) for each in error.errors.values() for s in each)
            raise Refused(faults) from error
