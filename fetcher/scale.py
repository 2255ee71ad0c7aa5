"""Runs rounds as jobs that several machines share over PostgreSQL, one job for each source; never two for one source.

The queue is procrastinate's. A job's lock keeps a second one of its source from starting; the source's lease keeps a
worker that was thought dead from writing (:func:`dossiers.designation.collecting`). A plan, every 15 seconds on one of
the workers, ends the jobs of workers that give no sign of life and puts a job in the queue for each source that is due.
So nothing is tried again by itself: what is still due is planned again.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status as JobStatus
from sqlalchemy import make_url, text

from dossiers.delivery import Reached
from dossiers.designation import LOST, check_shared, collecting
from dossiers.due import due
from dossiers.firm import Firm
from dossiers.rounds import STUCK, Pulse, Rounds, Source
from fetcher.alarm_watch import Suspects, watching
from fetcher.batch import Told
from fetcher.service import Report
from fetcher.sources import source_names, sources, waiting
from transfer.failures import Failure, PermanentFailure, TemporaryFailure

STALLED = 30.0
"""Seconds without a sign of life after which a worker counts as dead."""

_BEAT = 5.0
_EVERY_15_SECONDS = "* * * * * */15"
_log = logging.getLogger("navette.scale")


class Worker:
    """One worker process of a firm. ``stuck`` is called when a round could not even be cut: it must end the program."""

    def __init__(
        self,
        firm: Firm,
        stop: threading.Event,
        report: Report,
        *,
        stuck: Callable[[], None],
        told: Told = lambda *_: None,
        reached: Reached = lambda _: None,
    ) -> None:
        self._firm = firm
        self._stop = stop
        self._report = report
        self._stuck = stuck
        self._told = told
        self._reached = reached
        self._app = _app(firm)
        self._round = self._app.task(name="round")(self._run_round)
        plan = self._app.task(name="plan", queueing_lock="plan", pass_context=False)(self._plan)
        self._app.periodic(cron=_EVERY_15_SECONDS)(plan)

    def run(self, concurrency: int = 4, suspects: Suspects = lambda: None) -> None:
        """Work until told to stop; rounds under way end between two documents."""
        check_shared(self._firm)
        prepare_queue(self._firm)
        logging.getLogger("procrastinate.worker").addFilter(_in_one_line)
        with watching(self._firm, suspects):
            asyncio.run(self._work(concurrency))

    async def _work(self, concurrency: int) -> None:
        asyncio.get_running_loop().set_exception_handler(_left_by_the_queue)
        async with self._app.open_async():
            working = asyncio.create_task(
                self._app.run_worker_async(
                    name=self._firm.machine,
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    update_heartbeat_interval=_BEAT,
                    stalled_worker_timeout=STALLED,
                    delete_jobs="always",
                )
            )
            stopped = asyncio.create_task(asyncio.to_thread(self._stop.wait))
            await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
            self._stop.set()
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working

    def _run_round(self, source: str) -> None:
        """Run one round over a source; a thread of its own runs it."""
        pulse = Pulse()
        wanted = [one for one in self._sources(pulse) if one.name == source]
        if not wanted or self._stop.is_set():  # it is no source any more
            return
        try:
            with collecting(self._firm, source) as lease:
                wait, stopping = waiting(self._stop), self._stop.is_set
                rounds = Rounds(
                    self._firm, lease, lambda: wanted, wait=wait, stopping=stopping, report=self._report, pulse=pulse
                )
                rounds.one(wanted[0])
        except Failure as failure:
            _log.warning("source=%s %s", source, failure)
            if failure.code == STUCK:
                self._stuck()
            if failure.code != LOST and not isinstance(failure, TemporaryFailure):
                raise

    def _sources(self, pulse: Pulse) -> list[Source]:
        return sources(self._firm, self._stop, pulse, self._told, self._reached)

    async def _plan(self, timestamp: int) -> None:
        """Put what is due in the queue; ``timestamp`` is procrastinate's, by which it plans once."""
        del timestamp
        jobs = self._app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            _log.warning("job=%s %s of a worker that is gone", job.id, job.task_name)
            await jobs.finish_job(job, JobStatus.FAILED, delete_job=True)
        for source in await asyncio.to_thread(lambda: due(self._firm, source_names(self._firm))):
            name = f"source {source}"
            with contextlib.suppress(AlreadyEnqueued):
                await self._round.configure(lock=name, queueing_lock=name).defer_async(source=source)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Let the queue's own warnings through without a traceback: a worker that slept finds its jobs ended by others."""
    record.exc_info = record.exc_text = None
    return True


def _left_by_the_queue(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what the queue left unsaid: the job of a worker that slept was ended by others meanwhile."""
    _log.warning("queue %s", " ".join(str(context.get("exception") or context["message"]).split()))


def prepare_queue(firm: Firm) -> None:
    """Make the queue's tables in the firm's database, unless another program has."""
    schema = _app(firm).schema_manager.get_schema()
    with firm.database.write("queue") as connection:
        if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
            driver = connection.connection.cursor()  # many statements at once, in which % means itself
            driver.execute(schema)
            driver.close()


def _app(firm: Firm) -> procrastinate.App:
    if firm.database.dialect != "postgresql":
        raise PermanentFailure("scale.needs_postgresql")
    url = make_url(firm.database.url).set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(conninfo=url.render_as_string(hide_password=False))
    return procrastinate.App(connector=connector)
