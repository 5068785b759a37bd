"""Addresses for operators: alive, ready, metrics."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import redis
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import crypto
from app.db import db
from app.outbox import service as outbox
from app.web import access
from app.web.pages import current_settings

health = Blueprint("health", __name__)
_FOLDERS = "portevoix.folders"


class Gauged(NamedTuple):
    """One figure for operators; what it is called ends with its unit."""

    name: str
    text: str
    value: float


Measure = Callable[[], Iterable[Gauged]]
_measures: list[Measure] = []


def also_measured(measure: Measure) -> None:
    """A feature above that has figures for operators says here, once, how to take them."""
    if measure not in _measures:
        _measures.append(measure)


@health.get("/healthz")
@access.public
def alive() -> Response:
    """The process answers."""
    return jsonify(status="alive")


def _database() -> bool:
    try:
        db.session.execute(text("select 1 from organisation limit 1")).first()
    except SQLAlchemyError:
        db.session.remove()
        return False
    return True


def _queue() -> bool:
    url = current_settings().redis_url
    if url is None:
        return False
    try:
        client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (redis.RedisError, ValueError):
        return False


def keeps_files_in(app: Flask, folder: Path) -> None:
    """A folder that requests write in, too: without it the product is not ready."""
    app.extensions.setdefault(_FOLDERS, []).append(folder)


def _storage() -> bool:
    folders = [current_settings().data_dir, *current_app.extensions.get(_FOLDERS, [])]
    return all(os.access(folder, os.W_OK | os.X_OK) for folder in folders)


def _demo() -> bool:
    """Filled, where the start asked for the demo."""
    settings = current_settings()
    return not settings.demo or (settings.data_dir / "demo_filled").exists()


@health.get("/readyz")
@access.public
def ready() -> tuple[Response, int]:
    """Everything a request may need is there: 200; else 503 and which part is missing."""
    parts = {"database": _database(), "queue": _queue(), "storage": _storage(), "demo": _demo()}
    ok = all(parts.values())
    return jsonify(status="ready" if ok else "not ready", parts=parts), 200 if ok else 503


def _may_read_metrics() -> bool:
    address = request.remote_addr or ""
    try:
        if ipaddress.ip_address(address).is_loopback and "X-Forwarded-For" not in request.headers:
            return True
    except ValueError:
        return False
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(given) and crypto.token_hash(given) == crypto.token_hash(
        os.environ.get("PORTEVOIX_METRICS_TOKEN") or os.urandom(16).hex()
    )


@health.get("/metrics")
@access.signed
def metrics() -> tuple[Response | str, int]:
    """Prometheus text, for loopback or the bearer of PORTEVOIX_METRICS_TOKEN."""
    if not _may_read_metrics():
        return "", 403
    registry = CollectorRegistry()
    gauge = Gauge(
        "portevoix_outbox_deliveries", "Deliveries to make, by state", ["state"], registry=registry
    )
    for state, count in outbox.counts_open().items():
        gauge.labels(state).set(count)
    for each in (found for measure in _measures for found in measure()):
        Gauge(each.name, each.text, registry=registry).set(each.value)
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4"), 200


def start(app: Flask) -> None:
    """Register the operators' addresses."""
    app.register_blueprint(health)
