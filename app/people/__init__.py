"""People: directory, members, sign-in, roles, tokens, joining and leaving."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes."""
    from app import mail
    from app.people import (  # noqa: F401
        approval_mails,
        first_day,
        handlers,
        joining_models,
        kinds,
        models,
        parking,
        pauses,
        personal,
        proof_models,
        provider_groups,
        role_approvals,
        saved_views,
        sessions,
        sign_in_mails,
        transition_mails,
        transition_models,
        transitions,
        upkeep,
        views,
        words,
    )
    from app.web import i18n

    sessions.start(app)
    kinds.start(app)
    mail.held_back_by(first_day.may_write)
    mail.held_back_by(pauses.may_write)
    upkeep.start()
    role_approvals.start()
    provider_groups.start()
    personal.declare()
    parking.start(app)
    i18n.add_filter(app, words.address)
    app.jinja_env.globals["saved_views"] = saved_views.bar
    app.register_blueprint(views.people)
