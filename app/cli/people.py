"""Bringing people in from the console, by the same code as the pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import context

if TYPE_CHECKING:
    import uuid

    from app.provisioning.imports.queries import ImportRow, LineRow
    from app.provisioning.imports.running import Job


@click.group()
def people() -> None:
    """The directory."""


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", "pairs", multiple=True, metavar="FIELD=COLUMN",
    help="Which column holds a field, where its title does not say so. May be given several times.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Count what would be done, and write nothing.")
@click.option("--full", is_flag=True, help="The file holds everybody: count who is missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def people_import(
    file: Path, pairs: tuple[str, ...], dry_run: bool, full: bool, as_json: bool
) -> None:
    """Read people from a CSV file or an XLSX workbook of an HR tool.

    The same file twice changes nothing. Nobody departs by a file: with --full, the people who are
    missing are put on a list in the pages of the import, for an administrator to confirm.

    Ends with 0 where every line was taken, 1 where some were refused (the others are taken), and
    2 where the file or its columns cannot be used and nothing was done.
    """
    from app.errors import InvalidInput
    from app.provisioning.imports import service

    with context.application() as app, app.test_request_context():
        try:
            import_id = service.import_now(
                file, mapping=_mapping(pairs), is_full=full, dry_run=dry_run, tell=_Progress()
            )
        except InvalidInput as error:
            _refuse(error)
        sys.exit(_report(import_id, dry_run, as_json))


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    from app.provisioning.imports.columns import FIELDS

    found = {}
    for pair in pairs:
        name, equals, title = pair.partition("=")
        if not equals or name.strip() not in FIELDS:
            raise click.BadParameter(f"{pair!r} is not FIELD=COLUMN; fields: {', '.join(FIELDS)}")
        found[name.strip()] = title.strip()
    return found


def _refuse(error: Any) -> None:
    for name, sentences in error.errors.items():
        said = " ".join(str(each) for each in sentences)
        click.echo(f"{name}: {said}" if name != "file" else said, err=True)
    sys.exit(2)


class _Progress:
    """Tells on standard error how far an import is: what `--json` prints stays JSON."""

    def __init__(self) -> None:
        self._told: tuple[str, int] = ("", 0)

    def __call__(self, job: Job) -> None:
        thousands = job.done // 5_000
        if (job.state + job.phase, thousands) != self._told and thousands:
            self._told = (job.state + job.phase, thousands)
            words = {"checking": "checked", "running": "dealt with"}.get(job.state, job.state)
            click.echo(f"{job.done} lines {words}", err=True)


def _report(import_id: uuid.UUID, dry_run: bool, as_json: bool) -> int:
    from app.provisioning.imports import queries, running

    row = queries.get_import(import_id)
    phase = running.CHECK if dry_run else running.RUN
    counts = _counts(row, dry_run)
    lines = _refused(import_id, phase)
    if as_json:
        click.echo(json.dumps(_as_json(row, dry_run, counts, lines), ensure_ascii=False, indent=1))
    else:
        _say(row, dry_run, counts, lines)
    return 1 if counts["refused"] else 0


def _counts(row: ImportRow, dry_run: bool) -> dict[str, int]:
    if dry_run:
        seen = row.foreseen or {}
        names = ("created", "changed", "same", "refused", "absent", "no_address")
        return {name: seen.get(name, 0) for name in names}
    return {
        "created": row.created_count, "changed": row.changed_count, "same": row.same_count,
        "refused": row.refused_count, "absent": row.absent_count,
    }  # fmt: skip


def _refused(import_id: uuid.UUID, phase: str) -> Iterator[LineRow]:
    from app.provisioning.imports import queries
    from app.provisioning.imports.planning import REFUSED
    from app.provisioning.imports.running import NOTE

    after = 0
    while lines := queries.list_lines(import_id, phase, REFUSED, NOTE, after=after, limit=1_000):
        yield from lines
        after = lines[-1].position


def _as_json(
    row: ImportRow, dry_run: bool, counts: dict[str, int], lines: Iterator[LineRow]
) -> dict[str, Any]:
    return {
        "import": str(row.id), "dry_run": dry_run, "full": row.is_full, **counts,
        "mapping": row.mapping, "ignored_columns": row.ignored_columns,
        "refused_lines": [
            {
                "line": line.line, "field": line.field, "column": row.mapping.get(line.field or ""),
                "code": line.code, "reason": str(line.reason),
            }
            for line in lines
        ],
    }  # fmt: skip


def _say(row: ImportRow, dry_run: bool, counts: dict[str, int], lines: Iterator[LineRow]) -> None:
    if row.ignored_columns:
        click.echo(f"Columns left out: {', '.join(row.ignored_columns)}", err=True)
    would = "Nothing was written. There would be: " if dry_run else ""
    click.echo(
        f"{would}{counts['created']} added, {counts['changed']} changed, "
        f"{counts['same']} unchanged, {counts['refused']} refused"
    )
    if counts.get("no_address"):
        click.echo(f"{counts['no_address']} of them have no address and get no mail")
    if row.is_full:
        click.echo(f"{counts['absent']} people of earlier files are missing from this one")
    for line in lines:
        column = row.mapping.get(line.field or "")
        place = f"line {line.line}, {column}" if column else f"line {line.line}"
        click.echo(f"{place}: {line.reason}", err=True)
