"""Sharing: grants, the composer, the publishing worker, reach."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes, what stands beside stories, and where the codes of
    shares lead."""
    from app.library import material, neighbours
    from app.referrals import links
    from app.sharing import (  # noqa: F401
        codes,
        handlers,
        ideas,
        mails,
        models,
        personal,
        resting,
        transitions,
    )
    from app.sharing.views import composer, sharing

    links.also_leads(codes.find)
    material.when_targets_change(links.changed)
    neighbours.beside_story(composer.beside_story)
    personal.declare()
    app.register_blueprint(sharing)
