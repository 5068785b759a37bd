"""The console: `portevoix`.

A command is a function in a module of this package, named once in `COMMANDS`. Modules are
imported when their command is asked for, and they import the product only when it runs, so
that `portevoix --help` and a wrong word answer at once.

Exit statuses: 0 done, 1 refused or something is broken, 2 wrong words or a wrong setting.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from app.config import SettingsError
from app.errors import DomainError

COMMANDS = {
    "up": "app.cli.running:up",
    "web": "app.cli.running:web",
    "worker": "app.cli.running:worker",
    "scheduler": "app.cli.running:scheduler",
    "migrate": "app.cli.schema:migrate",
    "revision": "app.cli.schema:revision",
    "demo": "app.cli.filling:demo",
    "doctor": "app.cli.doctor:doctor",
    "people": "app.cli.people:people",
    "offers": "app.cli.filling:offers",
    "tokens": "app.cli.filling:tokens",
    "ledger": "app.cli.ledger:ledger",
    "keys": "app.cli.keys:keys",
    "outbox": "app.cli.outbox:outbox",
    "backup": "app.cli.backup:backup",
    "restore": "app.cli.backup:restore",
}


class WrongSetting(click.ClickException):
    """A variable cannot be used."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), err=True)


class Refused(click.ClickException):
    """What was asked for cannot be done."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(f"portevoix: {self.format_message()}", err=True)


class Console(click.Group):
    """Finds commands by name, and puts the product's errors into words."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WrongSetting(str(error)) from error
        except DomainError as error:
            raise Refused(str(error.sentence)) from error
        except Exception as error:
            if type(error).__module__ != "sqlalchemy.exc":
                raise
            kind = type(getattr(error, "orig", None) or error).__name__
            raise Refused(f"the database cannot be used ({kind}): see `doctor`") from error


@click.command(cls=Console, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Portevoix: a company's voice, lent to the people who want to carry it.

    Settings are variables of the environment that begin with PORTEVOIX_; `portevoix doctor`
    says what is configured, reachable or missing.
    """
