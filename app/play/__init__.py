"""Rules of points, awards, and the statement that explains each of them."""

from flask import Flask


def start(app: Flask) -> None:
    """Register handlers of facts and routes, and who tells what posts and referrals bring."""
    from app.play import (  # noqa: F401
        by_hand,
        by_hand_mails,
        by_hand_views,
        earned,
        guarded,
        handlers,
        leaver_views,
        models,
        months,
        personal,
        promise,
        studio,
        views,
    )
    from app.referrals.neighbours import rewarded_by
    from app.sharing import neighbours

    rewarded_by(promise.rewarded)
    neighbours.worth_by(promise.worth)
    neighbours.earned_by(earned.of_share)
    personal.declare()
    guarded.start()
    by_hand.start()
    app.register_blueprint(views.play)
    app.register_blueprint(months.months)
