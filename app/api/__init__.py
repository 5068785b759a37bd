"""The JSON API, version 1: what programs may ask, on top of the same use cases as the pages."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Response, request
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint

from app.web import access
from app.web.security import csrf

PREFIX = "/api/v1"


class Api(SmorestApi):
    """OpenAPI 3.1 from the routes, written when it is first asked for: it takes as long as all
    the rest of making an application. Errors stay with `app.web.errors`: the extension's own
    handler would answer for every page of the application."""

    def __init__(self, app: Flask) -> None:
        self._writing = threading.Lock()
        self._unwritten: list[Blueprint] = []
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        return None

    def register_blueprint(
        self, blp: Blueprint, *, parameters: list[Any] | None = None, **options: Any
    ) -> None:
        """As the extension does it, but for the document."""
        app: Flask = self._app
        app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        app.register_blueprint(blp, **options)
        self._unwritten.append(blp)

    def _openapi_json(self) -> Response:
        with self._writing:
            while self._unwritten:
                blp = self._unwritten.pop(0)
                blp.register_views_in_doc(
                    self, self._app, self.spec, name=blp.name, parameters=None
                )
                self.spec.tag({"name": blp.name, "description": blp.description})
        answer: Response = super()._openapi_json()
        return answer


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
