"""What administrators and auditors look after: the audit trail, the organisation."""

from flask import Flask


def start(app: Flask) -> None:
    """Register the routes."""
    from app.administration.approvals_views import waiting
    from app.administration.audit_views import audit_trail
    from app.administration.hub import hub
    from app.administration.organisation_views import administration

    app.register_blueprint(waiting)
    app.register_blueprint(audit_trail)
    app.register_blueprint(administration)
    app.register_blueprint(hub)
