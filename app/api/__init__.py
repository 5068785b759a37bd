"""The JSON API, version 1: what programs may ask, on top of the same use cases as the pages."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_smorest import Api as SmorestApi

from app.web import access
from app.web.security import csrf

PREFIX = "/api/v1"


class Api(SmorestApi):
    """OpenAPI 3.1 from the routes. Errors stay with `app.web.errors`: the extension's own
    handler would answer for every page of the application."""

    def _register_error_handlers(self) -> None:
        return None


def start(app: Flask) -> None:
    """Register the resources and the document that describes them."""
    from app.api import personal
    from app.api.resources import resources

    personal.declare()
    app.config.update(
        API_TITLE="Portevoix",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "servers": [{"url": "/"}],
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        },
    )
    api = Api(app)
    app.after_request(_never_cached)
    access.public(app.view_functions["api-docs.openapi_json"])
    for blueprint in resources:
        csrf.exempt(blueprint)
        api.register_blueprint(blueprint, url_prefix=PREFIX)


def _never_cached(response: Response) -> Response:
    if request.path.startswith(f"{PREFIX}/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
