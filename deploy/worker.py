"""`tally worker`: one Faust worker, wired: record batches -> sources -> ClickHouse."""

import asyncio
import contextlib
import gc
import logging
import os
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import NoReturn

import faust
from aiokafka.errors import KafkaError

from aggregators.backend import HAS_COMPILED
from aggregators.prepared_batch import RejectedRecord
from deploy.connections import credentials_of, wait_for_kafka, wait_for_store
from deploy.errors import BUILDING, ExitCode, UserError, explain
from deploy.health_server import Telling, serve
from deploy.log_setup import log_to_stderr
from deploy.memory_tuning import collect_garbage, share_one_arena
from deploy.settings import Settings
from deploy.shutdown import Ending, leave
from streams.consumer_group import remove_members
from streams.dead_letters import DeadLetter, DeadLetterWriter
from streams.faust import Hooks
from streams.faust.app import attach_service, make_app
from streams.kafka_errors import retry_while_kafka_is_unavailable
from streams.log import KafkaLog
from streams.record_batch import Partition
from tally_client.events import EVENTS_BY_TOPIC
from tally_client.loopback_login import leave_out_loopback_logins
from worker.assignment import Assignments
from worker.flush import Flusher
from worker.log_filter import RateLimitFilter
from worker.partition_state import WorkerOptions
from worker.prometheus import Waiting, WorkerReporter
from worker.store_calls import StoreCalls

logger = logging.getLogger("tally.worker")


LAST_FLUSH_SECONDS = 6.0
"""The time limit of a worker's last flush; what it does not write, the next owner folds again."""


class Worker:
    """One worker process: the application, its sources, and its shutdown."""

    def __init__(self, settings: Settings, telling: Telling | None = None) -> None:
        """`telling` reports about the worker once it has started."""
        self.settings = settings
        self.is_written = True
        self._telling = telling
        self.log = KafkaLog(settings.kafka_bootstrap, settings.client_options())
        self.dead_letters = DeadLetterWriter(settings.kafka_bootstrap, settings.client_options())
        store, call, options = wait_for_store(settings), StoreCalls(), worker_options(settings)
        self.assignments = Assignments(store, call, self.log, options)
        self.flusher = Flusher(
            self.assignments,
            store,
            call,
            self.log,
            self.write_dead_letters,
            options,
            settings.clock,
            self.reassign,
        )
        self._reporter = WorkerReporter(self.assignments, call, settings.clock)
        self.app = make_app(
            settings.consumer_group,
            settings.kafka_bootstrap,
            list(EVENTS_BY_TOPIC),
            settings.data_dir / "faust" / str(os.getpid()),
            Hooks(self.assign, self.assignments.revoke, self.assignments.stored_offset, self.failed),
            self.assignments.process,
            credentials_of(settings),
            settings.worker_name,
        )
        self._open = AsyncExitStack()
        self._connected = asyncio.Event()
        self._is_leaving = False
        attach_service(self.app, start=self.start, run=self.run, before_leaving=self.last_flush, stop=self._open.aclose)

    async def start(self) -> None:
        """Connect to Kafka, next to Faust's own connection, and start reporting; a failure here ends the process."""
        try:
            await self._open.enter_async_context(self.log)
            await self._open.enter_async_context(self.dead_letters)
            self._connected.set()
            if self._telling is not None:
                self._telling.reporter = self._reporter
                self._telling.loop = asyncio.get_running_loop()
        except Exception as error:
            self.failed(error)

    async def run(self) -> None:
        """Flush until the worker is stopped; an error that a retry cannot fix ends the process."""
        collecting = asyncio.create_task(collect_garbage())
        try:
            await self.flusher.run()
        except Exception as error:
            self.failed(error)
        finally:
            collecting.cancel()

    async def last_flush(self) -> None:
        """Write what is folded before partitions are revoked, within a time limit, and once."""
        if self._is_leaving:
            return
        self._is_leaving = True
        self.is_written = not self.flusher.has_unwritten
        self.flusher.hurry()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.flusher.flush(), LAST_FLUSH_SECONDS)
            self.is_written = True

    async def assign(self, partitions: Iterable[Partition], assignment: int) -> dict[Partition, int]:
        """Return the offset from which each partition must be read (see Assignments.assign); retries without Kafka.

        Faust may call this before `start` has connected: partitions are assigned while it starts its services.
        """
        await self._connected.wait()
        wanted = list(partitions)
        return await retry_while_kafka_is_unavailable(
            lambda: self.assignments.assign(wanted, assignment), "Kafka does not return where its logs begin and end"
        )

    async def reassign(self) -> None:
        """Assign all of the worker's partitions again, from the positions that ClickHouse has now."""
        await self.app.consumer.perform_seek()

    async def write_dead_letters(self, rejected: list[tuple[str, RejectedRecord]]) -> None:
        """Write rejected records, each with its source, to the dead letters; return when all are confirmed."""
        await self.dead_letters.write([dead_letter(source, record) for source, record in rejected])

    def failed(self, error: BaseException) -> None:
        """End the process immediately: a restart reads again from stored positions.

        Graceful shutdown hung once in nine times on such a path; the exit leaves nothing to repair. A failure that the
        user can do something about is one line; any other is a bug and is logged with its traceback.
        """
        known = explain(error)
        logger.critical(
            "the worker is exiting: %s", known.line() if known else error, exc_info=None if known else error
        )
        logging.shutdown()
        sys.stderr.flush()
        os._exit(known.exit_code if known else ExitCode.INTERNAL)


def dead_letter(source: str, letter: RejectedRecord) -> DeadLetter:
    """Return the dead letter for one record of `source` (`topic/partition@epoch`)."""
    place, _, epoch = source.rpartition("@")
    topic, _, partition = place.rpartition("/")
    record = letter.record
    return DeadLetter.from_record(
        topic=topic,
        partition=int(partition),
        epoch=int(epoch),
        offset=record.offset,
        timestamp_ms=record.timestamp,
        reason=letter.reason,
        detail=letter.detail,
        key=record.key,
        value=record.value,
    )


def worker_options(settings: Settings) -> WorkerOptions:
    """Return the worker's limits."""
    return WorkerOptions(
        block_size=settings.dedup_block_size,
        blocks=settings.dedup_blocks,
        flush_seconds=settings.flush_interval_seconds,
        unflushed_limit=settings.unflushed_cells_limit,
        idle_flushes=settings.page_idle_flushes,
        dead_letter_limit=settings.dead_letter_limit,
        compiled=is_compiled(settings),
    )


def is_compiled(settings: Settings) -> bool:
    """Return True if token events are folded by compiled code. Raises UserError if it is required but not installed."""
    if settings.fold_backend == "compiled" and not HAS_COMPILED:
        raise UserError("fold_backend is compiled, and that backend is not built", BUILDING)
    return HAS_COMPILED if settings.fold_backend is None else settings.fold_backend == "compiled"


async def remove_previous_member(settings: Settings) -> None:
    """Free the partitions of the previous worker with this one's name, which has ended; without a name, do nothing.

    If Kafka refuses, they are free as soon as that worker's session expires, so the worker continues.
    """
    name, group = settings.worker_name, settings.consumer_group
    if name is None:
        return
    try:
        taken = await remove_members(settings.kafka_bootstrap, group, name, settings.client_options())
        logger.info("%s replaces %d previous members of that name in the group %s", name, taken, group)
    except KafkaError as error:
        logger.warning("%s waits until the previous member of its name has left the group: %s", name, error)


class _Faust(faust.Worker):  # type: ignore[misc]
    """Faust's worker, which leaves the signals to Ending."""

    def install_signal_handlers(self) -> None:
        """Do nothing: Ending handles the signals."""

    def end(self, worker: Worker) -> None:
        """Begin shutdown, from a signal's handler: the last flush first, because Kafka may keep everything else
        waiting."""

        async def leave() -> None:
            await worker.last_flush()
            self._on_sigterm()

        asyncio.run_coroutine_threadsafe(leave(), self.loop)


def run(settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT. Does not return: the process ends with the worker's exit code."""
    log_to_stderr(RateLimitFilter())
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    leave_out_loopback_logins()
    logger.info("token events are folded by %s", "compiled code" if is_compiled(settings) else "pure Python")
    gc.disable()
    share_one_arena()
    (settings.data_dir / "faust").mkdir(parents=True, exist_ok=True)
    ending, telling = Ending(), Telling(Waiting(f"the worker waits for Kafka at {settings.kafka_bootstrap}"))
    ending.heed()
    if settings.metrics_port is not None:
        serve(telling, settings.metrics_host, settings.metrics_port)
    asyncio.run(wait_for_kafka(settings))
    asyncio.run(remove_previous_member(settings))
    telling.reporter = Waiting(f"the worker waits for ClickHouse at {settings.clickhouse_url}")
    worker = Worker(settings, telling)
    telling.reporter = Waiting("the worker joins its group")
    _run(worker, ending)


def _run(worker: Worker, ending: Ending) -> NoReturn:
    running = _Faust(worker.app, loglevel="INFO", redirect_stdouts=False, override_logging=False)
    ending.begin = lambda: running.end(worker)
    ending.code = lambda: ExitCode.OK if worker.is_written else ExitCode.UNREACHABLE
    try:
        running.execute_from_commandline()
    except SystemExit as end:
        logging.shutdown()
        leave(end.code if isinstance(end.code, int) and end.code else ending.code())
    raise AssertionError("Faust's worker ends by SystemExit")
