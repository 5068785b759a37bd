"""The one queue, and the only thing a job in it may do.

Jobs are JSON (never pickle), and JSON alone is not safe: RQ runs any importable function a
job names. Ours run `deliver` and nothing else; callbacks and webhooks, which RQ also reads
from the job, are refused. So who can write to the queue server cannot run code here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.scripts import _build_hset_args, get_unique_enqueue_script
from rq.utils import as_text, str_to_date
from rq.utils import now as queue_now

from app.jobs import tasks
from app.outbox import Due

NAME = "portevoix"
TASK = "app.jobs.tasks.deliver"
SERIALIZER = "json"

# A worker tells every five seconds that its job is alive (`worker.MONITORING`).
SILENT_SECONDS = 15
TIMEOUT_MARGIN_SECONDS = 5
FAILURE_TTL_SECONDS = 3600


class RefusedJob(Exception):
    """A job in the queue names something other than the one task."""


def connect(url: str, *, timeout: float | None = 5.0) -> Redis:
    """A client of the queue server at `url`; `timeout` in seconds for connecting and for each
    answer. Connects at the first command, tries again once, never waits in between."""
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 1),
    )


class DeliveryJob(Job):
    """A job that can only deliver."""

    @property
    def func(self) -> Callable[..., object]:
        if self.func_name != TASK or self.instance:
            raise RefusedJob(f"job {self.id} names {self.func_name}")
        return tasks.deliver

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, status: Any, *, exc_string: str | None = None) -> None:
        """Never: an address in a job is not ours."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the queue server knows of one delivery it was given before. `stuck`: it counts as
    waiting, but was taken from the queue and no worker began it."""

    status: str
    silent_seconds: float
    stuck: bool

    def is_over(self, silent_after: float) -> bool:
        """The job ended, or nobody works on it any more, so the delivery may be given again."""
        if self.status in (JobStatus.QUEUED, JobStatus.CREATED):
            return self.stuck
        if self.status == JobStatus.STARTED:
            return self.silent_seconds > silent_after
        return True

    @property
    def died(self) -> bool:
        """The process that ran the job went away under it."""
        return self.status in (JobStatus.STARTED, JobStatus.FAILED)


class DeliveryQueue(Queue):
    """The queue of deliveries; the id of a job is the id of its delivery."""

    job_class = DeliveryJob

    def __init__(self, name: str = NAME, connection: Redis | None = None, **options: Any) -> None:
        super().__init__(name, connection, **{**options, "serializer": SERIALIZER})

    def offer(self, deliveries: Iterable[Due], result_ttl: int) -> list[bool]:
        """Put each delivery in the queue unless the server still knows a job of that id; for
        each, whether it was put. One round trip for all.

        RQ's own `unique=True` leaves the pipeline aside, so its script is used directly.
        """
        script = get_unique_enqueue_script(self.connection)  # type: ignore[no-untyped-call]
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.sadd(self.redis_queues_keys, self.key)
            for delivery in deliveries:
                job = self._job_of(delivery, result_ttl)
                fields = _build_hset_args(job)  # type: ignore[no-untyped-call]
                script(keys=[job.key, self.key], args=[job.id, "R", -1, *fields], client=pipe)
            answers = pipe.execute()
        return [answer == 1 for answer in answers[1:]]

    def _job_of(self, delivery: Due, result_ttl: int) -> Job:
        job = self.create_job(
            TASK,
            args=(str(delivery.id),),
            job_id=str(delivery.id),
            description=delivery.handler,
            timeout=delivery.timeout + TIMEOUT_MARGIN_SECONDS,
            result_ttl=result_ttl,
            failure_ttl=FAILURE_TTL_SECONDS,
        )
        self._prepare_for_queue(job)
        return job

    def known(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Known]:
        """What the server knows of each; those it does not know are left out."""
        wanted = list(ids)
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.llen(self.key)
            pipe.lrange(self.intermediate_queue_key, 0, -1)
            for id_ in wanted:
                pipe.hmget(self.job_class.key_for(str(id_)), "status", "last_heartbeat")
            waiting, taken, *rows = pipe.execute()
        being_taken = {as_text(item) for item in taken}
        return {
            id_: Known(as_text(status), _silence(heartbeat), not waiting or str(id_) in being_taken)
            for id_, (status, heartbeat) in zip(wanted, rows, strict=True)
            if status is not None
        }

    def forget(self, delivery_id: uuid.UUID) -> None:
        """Remove the job of a delivery, whatever became of it."""
        job_id = str(delivery_id)
        try:
            job = self.job_class.fetch(job_id, self.connection, self.serializer)
            job.delete(remove_from_queue=False)
        except (NoSuchJobError, KeyError, ValueError):
            self.connection.delete(self.job_class.key_for(job_id))
        self.intermediate_queue.remove(job_id)


def _silence(heartbeat: bytes | None) -> float:
    """Seconds of real time since a job's last sign of life."""
    last = str_to_date(heartbeat) if heartbeat else None
    return (queue_now() - last).total_seconds() if last else float("inf")


@dataclass(frozen=True, slots=True)
class QueueState:
    """The queue server as an operator wants to see it."""

    version: str
    waiting: int
    workers: int


def look(url: str, *, timeout: float = 1.0) -> QueueState:
    """Ask the queue server how it is. Raises `RedisError` when it does not answer."""
    client = connect(url, timeout=timeout)
    try:
        version = str(client.info("server").get("redis_version", "?"))
        workers = client.scard("rq:workers")
        return QueueState(version, client.llen(f"rq:queue:{NAME}"), workers)
    except (OSError, ValueError) as error:
        raise RedisError(str(error)) from error
    finally:
        client.close()
