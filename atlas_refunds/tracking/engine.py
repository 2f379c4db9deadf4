"""The engine, DBOS: it keeps jobs in the database, wakes them when due, shares them among workers and paces them.

One job is one workflow of one run, named "key/job"; nothing sleeps in memory between two looks at a refund. Its own
recovery is not used, for it knows only workers that start again under their old name.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions

from ..errors import ConfigurationError
from .records import Tracked
from .schema import ENGINE_SCHEMA

NAME: Final = "atlas-refunds"
VERSION: Final = "atlas-refunds-tracking-1"
"""The same in all releases: the engine hands jobs to workers of their own version only."""
QUEUE: Final = "atlas-refunds"
LOOK: Final = "atlas_refunds.look"
ALIVE: Final = ["ENQUEUED", "DELAYED", "PENDING"]
AT_ONCE: Final = 100  # jobs of one worker
PAGE: Final = 1000

Run = Callable[[str, int], Awaitable[None]]
_run: list[Run] = []  # the engine is one per process, and so is what it runs


@DBOS.workflow(name=LOOK, max_recovery_attempts=None)
async def look(key: str, job: int) -> None:
    await _run[0](key, job)


class Engine:
    """A thin shell; its methods block, but for `start`."""

    def __init__(self, database: sa.Engine) -> None:
        self._database, self._working = database, False
        if (log := logging.getLogger("dbos")).level == logging.NOTSET:
            log.setLevel(logging.CRITICAL)  # what matters of it becomes a notice
        self._client = DBOSClient(
            system_database_engine=database,
            dbos_system_schema=ENGINE_SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            retry_connection_errors=False,
            lazy=True,
        )

    def migrate(self) -> None:
        """Bring the engine's own tables to the version of the installed engine."""
        DBOS.migrate(self._database.url.render_as_string(hide_password=False), schema=ENGINE_SCHEMA)

    async def start(self, run: Run, polls_per_second: int) -> None:
        """Begin to work on this event loop. Raises ConfigurationError when this process runs an engine already."""
        if _run:
            raise ConfigurationError("tracking: one working Tracker per process; give work=False to the others")
        DBOS(
            config={
                "name": NAME,
                "system_database_engine": self._database,
                "dbos_system_schema": ENGINE_SCHEMA,
                "run_migrations": False,  # `migrate` has
                "application_version": VERSION,
                "executor_id": uuid4().hex,
                "max_executor_threads": 16,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": logging.getLevelName(logging.getLogger("dbos").level),
            }
        )
        if DBOS.application_version != VERSION:
            raise ConfigurationError("tracking: this process runs DBOS for itself; track in a process of its own")
        _run.append(run)
        self._working = True
        DBOS.launch()
        await asyncio.to_thread(  # its async form would make the engine's threads those of the whole event loop
            DBOS.register_queue,
            QUEUE,
            limiter={"limit": polls_per_second, "period": 1.0},
            worker_concurrency=AT_ONCE,
            polling_interval_sec=0.5,
            on_conflict="always_update",
        )

    def stop(self, seconds: int) -> None:
        """Take no more jobs, wait so many seconds for those under way, and end."""
        if self._working:
            self._working = False
            DBOS.destroy(workflow_completion_timeout_sec=seconds)
            _run.clear()

    def close(self) -> None:
        self._client.destroy()

    def enqueue(self, connection: sa.Connection, row: Tracked, now: float) -> None:
        """The job row.key/row.job, due at row.due, as part of the caller's transaction; `now` by the database's clock.

        The engine adds this machine's clock to a delay, so that clock is taken off: what it stores is row.due, whoever
        stores it.
        """
        job: EnqueueOptions = {"workflow_name": LOOK, "workflow_id": job_id(row), "queue_name": QUEUE}
        if row.due is not None and row.due > now:
            job["delay_seconds"] = row.due - time.time()
        self._client.enqueue_in_transaction(connection, job, row.key, row.job)

    def resume(self, begun_before: float) -> list[str]:
        """Queue again the jobs that began before then and have not ended: their worker is dead. The jobs' names."""
        found = self._client.list_workflows(
            status="PENDING", queue_name=QUEUE, dequeued_before=iso(begun_before), limit=PAGE,
            load_input=False, load_output=False,
        )  # fmt: skip
        names = [job.workflow_id for job in found]
        if names:
            self._client.resume_workflows(names, queue_name=QUEUE)
        return names

    def forget(self, ended_before: float) -> int:
        """Delete jobs that ended before then; how many, a page at most."""
        found = self._client.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], limit=PAGE,
            name=LOOK, completed_before=iso(ended_before), load_input=False, load_output=False,
        )  # fmt: skip
        if found:
            self._client.delete_workflows([job.workflow_id for job in found])
        return len(found)

    def hasten(self, rows: Sequence[Tracked]) -> int:
        """Wake the jobs of these rows that still wait for their time, whatever the clock of who wakes them; how many.

        One worker wakes for all, and its clock may be slow.
        """
        late = self._client.list_workflows(
            workflow_ids=[job_id(row) for row in rows], status="DELAYED", load_input=False, load_output=False
        )
        for job in late:
            self._client.set_workflow_delay(job.workflow_id, delay_until_epoch_ms=0)
        return len(late)

    def lacking(self, rows: Sequence[Tracked]) -> list[Tracked]:
        """Those rows whose job is neither waiting nor running."""
        found = self._client.list_workflows(
            workflow_ids=[job_id(row) for row in rows], status=ALIVE, load_input=False, load_output=False
        )
        alive = {job.workflow_id for job in found}
        return [row for row in rows if job_id(row) not in alive]


def job_id(row: Tracked) -> str:
    return f"{row.key}/{row.job}"


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
