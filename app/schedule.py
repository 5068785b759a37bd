"""Everything that happens by the clock, in one list.

A name stands for the fact `periodic.<name>`, which handlers of the features listen to
(`@outbox.on("periodic.<name>", …)`). Times of day are on the organisation's wall clock.
"""

from __future__ import annotations

from app.jobs.periodic import Periodic, daily, every

SCHEDULE: tuple[Periodic, ...] = (
    every("referrals.forget", hours=1),  # visitor keys, raw events, candidates past their time
    every("approvals.expire", hours=1),  # what nobody decided within two weeks
    every("people.transitions", hours=1),  # last days that are over, first days that have come
    every("people.forget", minutes=30),  # forms whose author did not come back to sign in
    every("people.count", minutes=5),  # counters of the directory, summed
    every("sharing.sweep", minutes=1),  # posts whose moment came, attempts that died
    every("sharing.poll", hours=1),  # the network's own figures
    daily("sharing.ideas", "09:40"),  # new stories, to those who asked for it, on working days
    daily("sharing.remind", "09:10"),  # connections that end within a week
    every("play.scores", minutes=1),  # what members earned this month, from the ledger
    every("play.post_due", hours=1),  # held points whose date has come
    daily("play.leavers", "04:10"),  # points of leavers whose days to decide are over
    daily("ledger.seal", "02:10"),  # the day that is over
    daily("people.reconcile", "02:50"),  # counters and words of the directory, compared
    daily("house.forget", "03:20"),  # old deliveries, answers, sessions, audit entries
)
