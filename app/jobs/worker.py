"""The process that runs jobs: RQ's worker, told to find out quickly when something died.

Each job runs in a process of its own (the work-horse), forked from one that has imported
everything and opened no database connection. A work-horse dies with its worker; half-done
work is rolled back by the database and sent again by the relay.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from types import FrameType

from flask import Flask
from redis.exceptions import RedisError
from rq import Worker
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import JobTimeoutException

from app import clock
from app.db import db
from app.jobs import batch, process, tasks
from app.jobs.queue import NAME, SERIALIZER, DeliveryJob, DeliveryQueue, connect

log = logging.getLogger(__name__)

# Seconds. With these an orphaned job is found in little more than a minute; by RQ's own
# values it was not after two.
WORKER_TTL = 30
MAINTENANCE = 10
MONITORING = 5
BATCH_TIMEOUT_SECONDS = 60
LONGEST_PAUSE_SECONDS = 2.0


class DeliveryWorker(Worker):
    """Works on the one queue with the one task."""

    job_class: type[Job] = DeliveryJob
    queue_class: type[Queue] = DeliveryQueue
    max_connection_wait_time = 2.0
    log_result_lifespan = False

    def __init__(self, app: Flask, url: str) -> None:
        connection = connect(url)
        super().__init__(
            [DeliveryQueue(NAME, connection=connection)],
            connection=connection,
            serializer=SERIALIZER,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE,
            job_monitoring_interval=MONITORING,
            log_job_description=False,
        )
        self.app = app

    @property
    def was_asked_to_stop(self) -> bool:
        """A signal asked for the end, nothing failed."""
        return self._shutdown_requested_date is not None

    def set_shutdown_requested_date(self) -> None:
        """Tell the queue server that the end was asked for; called by a signal, which must not
        fail because the server is away."""
        with contextlib.suppress(RedisError):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """What the forked process does first; it never comes back."""
        process.die_with(self.pid or 0)
        process.entitle("pv-work-horse")
        with self.app.app_context():
            db.engine.dispose(close=False)
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """The job, then other short deliveries that wait: the fork was the costly part."""
        done = super().perform_job(job, queue, execution)
        timeout = JobTimeoutException
        with (
            self.app.app_context(),
            self.death_penalty_class(BATCH_TIMEOUT_SECONDS, timeout, job_id=job.id),
        ):
            batch.carry_on(DeliveryQueue(queue.name, connection=self.connection))
        return done


def _hear_signals() -> None:
    """While no RQ worker lives to hear them, they simply end the process."""
    signal.signal(signal.SIGTERM, _stop_at_once)
    signal.signal(signal.SIGINT, _stop_at_once)


def _stop_at_once(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


def run(app: Flask, url: str) -> int:
    """Work until SIGTERM or SIGINT: the job under way is finished first. A queue server that is
    away is waited for. The exit status."""
    tasks.bind(app)
    pause = 0.0
    _hear_signals()
    while True:
        began = clock.monotonic()
        if _work_once(app, url, is_first=not pause):
            return 0
        pause = 0.0 if clock.monotonic() - began > WORKER_TTL else pause
        pause = min(pause * 2 or 0.5, LONGEST_PAUSE_SECONDS)
        clock.sleep(pause)


def _work_once(app: Flask, url: str, *, is_first: bool) -> bool:
    """One life of an RQ worker; whether it ended because it was asked to."""
    worker: DeliveryWorker | None = None
    try:
        worker = DeliveryWorker(app, url)
        worker.work(logging_level="WARNING")
    except (RedisError, OSError) as error:
        if is_first and not (worker and worker.was_asked_to_stop):
            log.warning("worker %d waits for the queue server: %s", os.getpid(), error)
    finally:
        _hear_signals()
    return worker is not None and worker.was_asked_to_stop
