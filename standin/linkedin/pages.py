"""Renders the stand-in's own pages; no script, no inline style."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from standin.linkedin.wire import Answer, Request
from standin.linkedin.words import words_for
from standin.linkedin.world import World

STYLE = "/_standin/style.css"


def render(
    request: Request, template: str, status: int = 200, also_to: str = "", **values: Any
) -> Answer:
    """A page in the reader's language. Its forms may lead back here, and on to `also_to`."""
    words = words_for(request)
    text = _environment().get_template(template).render(t=words, style=STYLE, **values)
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {also_to}".rstrip()
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": words["lang"],
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Language",
    }
    return Answer(status, text.encode(), headers)


def style(world: World, request: Request) -> Answer:
    """The one style sheet."""
    return Answer(200, _style(), {"Content-Type": "text/css; charset=utf-8"})


@cache
def _style() -> bytes:
    return resources.files("standin.linkedin").joinpath("templates/style.css").read_bytes()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("standin.linkedin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
