"""Everything that happens by the clock, in one list.

A name stands for the fact `periodic.<name>`, which handlers of the features listen to
(`@outbox.on("periodic.<name>", …)`). Times of day are on the organisation's wall clock.
"""

from __future__ import annotations

from app.jobs.periodic import Periodic, daily, every

SCHEDULE: tuple[Periodic, ...] = (
    every("referrals.forget", hours=1),  # visitor keys, raw events, candidates past their time
    every("play.post_due", hours=1),  # held points whose date has come
    daily("ledger.seal", "02:10"),  # the day that is over
    daily("house.forget", "03:20"),  # old deliveries, answers, sessions, audit entries
)
