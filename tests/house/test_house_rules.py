"""The house keeps its own rules: access beside each route, retention beside each table,
one clock, one way to commit, no words without translation."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale
from jinja2.utils import _PassArg
from sqlalchemy import Table, UniqueConstraint

import bench
from app import retention
from app.db import Base
from app.web import access

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py"))


def test_every_route_declares_who_may_use_it(app: Flask) -> None:
    undeclared = [
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if access.rule_of(rule.endpoint) is None
    ]
    assert undeclared == []


def test_no_route_with_a_session_is_open_to_a_stranger(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        declared = access.rule_of(rule.endpoint)
        if declared is None or declared.who in ("public", "signed"):
            continue
        path = re.sub(r"<(uuid:)?[^>]+>", "0198a4b6-6a52-7d7e-9a63-3f9c52a1d1c4", rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            status = client.open(path, method=method).status_code
            assert status in (303, 400, 401, 403), (
                f"{method} {path} answered {status} to a stranger"
            )


def test_every_table_declares_how_long_it_keeps(app: Flask) -> None:
    tables = {m.class_.__tablename__: m.class_ for m in Base.registry.mappers}
    assert len(tables) > 30
    without = [
        n for n, c in tables.items() if getattr(c, "__retention__", None) not in retention.ALL
    ]
    assert without == []


def test_whoever_refers_to_a_person_is_found_by_an_index(app: Flask) -> None:
    """An entry is deleted after asking each table that may speak of it: an import of 200,000
    people taken back asks 200,000 times."""
    slow = [
        f"{table.name}.{reference.parent.name}"
        for table in Base.metadata.tables.values()
        for reference in table.foreign_keys
        if reference.column.table.name == "person"
        and reference.parent.name not in _first_columns(table)
    ]
    assert slow == []


def _first_columns(table: Table) -> set[str]:
    """Columns by which any row is found; an index of some rows only does not serve."""
    unique = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    whole = [i for i in table.indexes if i.dialect_options["sqlite"].get("where") is None]
    keys = [table.primary_key.columns, *(c.columns for c in unique), *(i.columns for i in whole)]
    return {next(iter(columns)).name for columns in keys if len(columns)}


def test_no_column_asks_what_must_not_be_asked(app: Flask) -> None:
    """Rule M1: Code du travail L1221-6 and the CNIL's list for recruiters."""
    forbidden = re.compile(
        r"birth|naissance|(^|_)age($|_)|gender|(^|_)sex|nationality|marital|children|iban|bank"
        r"|social_security|secu_|religion|union_member|handicap|photo"
    )
    asked = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if forbidden.search(column.name)
    ]
    assert asked == []


@pytest.mark.parametrize(
    "table", ["ledger_transfer", "ledger_entry", "outbox_event", "audit_entry", "referral_event"]
)
def test_events_and_entries_have_no_place_for_a_name(app: Flask, table: str) -> None:
    """Rule E1: no ledger, outbox, audit or event row holds a name, mail, phone or free text."""
    columns = {c.name for c in Base.metadata.tables[table].columns}
    assert not columns & {
        "name",
        "email",
        "phone",
        "words",
        "first_name",
        "last_name",
        "ip",
        "address",
    }


def test_only_the_transaction_commits() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.name != "db.py" and "migrating" not in path.name
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"session(\(\))?\.commit\(", line)
    ]
    assert bare == []


def test_only_the_clock_tells_the_time() -> None:
    told = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if path.name != "clock.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"datetime\.now\(|utcnow\(|time\.time\(|date\.today\(", line)
    ]
    assert told == []


def test_no_template_holds_an_inline_style_or_script() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if "mail" not in path.parts
        and re.search(
            r"<style|<[a-z][^>{]*\s(?:style|on[a-z]+)=|<script(?![^>]*(\bsrc=|application/ld\+json))",
            path.read_text(),
        )
        and path.name != "mail.html"
    ]
    assert found == []


def test_every_benchmark_can_be_started() -> None:
    """They run by hand and by `make bench` alone, where a name that moved would be met late."""
    names = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    assert len(names) > 10
    for name in names:
        module = importlib.import_module(f"bench.{name}")
        assert name.startswith("_") or callable(module.main)


def test_the_map_names_every_fact_that_somebody_hears() -> None:
    table = (ROOT / "docs" / "house.md").read_text()
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+|[a-z_]+\.(?:\*|<name>))`", table))
    whole = {name.partition(".")[0] for name in named if name.endswith(("*", ">"))}
    heard = {
        fact
        for source in SOURCES
        for fact in re.findall(r'@outbox\.on\(\s*"([a-z_.]+)"', source.read_text())
    }
    assert len(heard) > 30
    assert {fact for fact in heard if fact.partition(".")[0] not in whole} - named == set()


def test_no_filter_of_ours_is_worked_out_when_a_template_is_compiled(app: Flask) -> None:
    """What it makes of a constant would be kept in the language of whoever looked first."""
    ours = {name: f for name, f in app.jinja_env.filters.items() if f.__module__.startswith("app.")}
    assert {"points", "short_day", "address"} <= ours.keys()
    for name, function in ours.items():
        assert _PassArg.from_obj(function) is _PassArg.context, name
    with force_locale("fr"):
        told = app.jinja_env.from_string("{{ 3000|points }}")
        assert told.render() == "3\u202f000"
    with force_locale("en"):
        assert told.render() == "3,000"
