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
from streams.faust import Hooks, RecordBatch
from streams.faust.app import attach_service, make_app
from streams.kafka_errors import is_transient
from streams.log import KafkaLog, Partition
from tally_client.events import EVENTS_BY_TOPIC
from worker.assignment import Assignments
from worker.log_filter import RateLimitFilter
from worker.partition_state import Batch, WorkerOptions
from worker.prometheus import Waiting, WorkerReporter

logger = logging.getLogger("tally.worker")


LAST_FLUSH_SECONDS = 6.0
"""How long a worker that stops may take for its last flush; what it does not write, the next owner folds again."""


class Worker:
    """One worker process: the application, its sources, and what ends it."""

    def __init__(self, settings: Settings, telling: Telling | None = None) -> None:
        """`telling` is who tells of it, once it has started."""
        self.settings = settings
        self.is_written = True
        self._telling = telling
        self.log = KafkaLog(settings.kafka_bootstrap, settings.client_options())
        self.letters = DeadLetterWriter(settings.kafka_bootstrap, settings.client_options())
        self.sources = Assignments(
            wait_for_store(settings), self.log, self.write_letters, worker_options(settings), settings.clock
        )
        self.app = make_app(
            settings.consumer_group,
            settings.kafka_bootstrap,
            list(EVENTS_BY_TOPIC),
            settings.data_dir / "faust" / str(os.getpid()),
            Hooks(self.place, self.sources.drop, self.sources.confirmed, self.failed),
            self.process,
            credentials_of(settings),
            settings.worker_name,
        )
        self.sources.on_lost = self.place_again
        self._open = AsyncExitStack()
        self._connected = asyncio.Event()
        self._is_leaving = False
        attach_service(self.app, start=self.start, run=self.run, before_leaving=self.last_flush, stop=self._open.aclose)

    async def start(self) -> None:
        """Connect to Kafka beside Faust's own connection, and be told of; what fails here ends the process."""
        try:
            await self._open.enter_async_context(self.log)
            await self._open.enter_async_context(self.letters)
            self._connected.set()
            if self._telling is not None:
                self._telling.reporter = WorkerReporter(self.sources, self.settings.clock)
                self._telling.loop = asyncio.get_running_loop()
        except Exception as error:
            self.failed(error)

    async def run(self) -> None:
        """Flush until the worker is stopped; any error that trying again cannot mend ends the process."""
        collecting = asyncio.create_task(collect_garbage())
        try:
            await self.sources.run()
        except Exception as error:
            self.failed(error)
        finally:
            collecting.cancel()

    async def last_flush(self) -> None:
        """Write what is folded before partitions are given back, within a deadline, and once."""
        if self._is_leaving:
            return
        self._is_leaving = True
        self.is_written = not self.sources.has_unwritten
        self.sources.hurry()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.sources.flush(), LAST_FLUSH_SECONDS)
            self.is_written = True

    async def place(self, partitions: Iterable[Partition], assignment: int) -> dict[Partition, int]:
        """Where each partition is to be read from (see Assignments.place); asks again while Kafka is away.

        Faust may ask before `start` has connected: partitions are assigned while it starts what runs beside.
        """
        await self._connected.wait()
        wanted = list(partitions)
        while True:
            try:
                return await self.sources.place(wanted, assignment)
            except KafkaError as error:
                if not is_transient(error):
                    raise
                logger.warning("Kafka does not say where its logs begin and end, asking again: %s", error)
            await asyncio.sleep(1.0)

    async def place_again(self) -> None:
        """Place all assigned partitions anew: ClickHouse is another one than it was."""
        await self.app.consumer.perform_seek()

    async def process(self, batch: RecordBatch) -> int | None:
        """Fold one batch (see Sources.process)."""
        return await self.sources.process(Batch(*batch))

    async def write_letters(self, letters: list[tuple[str, RejectedRecord]]) -> None:
        """Dead letters of sources to their topic; returns when all are confirmed."""
        await self.letters.write([dead_letter(source, letter) for source, letter in letters])

    def failed(self, error: BaseException) -> None:
        """End the process at once: a restart re-reads from stored positions.

        Stopping in good order hung once in nine on such a path; the exit leaves nothing to repair. A failure that
        its reader can do something about is one line; any other is a bug, and shows where it is.
        """
        known = explain(error)
        logger.critical("the worker ends: %s", known.line() if known else error, exc_info=None if known else error)
        logging.shutdown()
        sys.stderr.flush()
        os._exit(known.exit_code if known else ExitCode.INTERNAL)


def dead_letter(source: str, letter: RejectedRecord) -> DeadLetter:
    """The dead letter of one record of `source` (`topic/partition@epoch`)."""
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
    """The worker's bounds."""
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
    """The form in which token events are folded. Raises UserError when it is to be one that is not there."""
    if settings.fold_backend == "compiled" and not HAS_COMPILED:
        raise UserError("fold_backend is compiled, and that backend is not built", BUILDING)
    return HAS_COMPILED if settings.fold_backend is None else settings.fold_backend == "compiled"


async def remove_previous_member(settings: Settings) -> None:
    """Free the partitions of the worker that had this one's name, which has ended; without a name, do nothing.

    Where Kafka refuses it they are free as soon as that worker's session has ended, so it is no reason to end.
    """
    name, group = settings.worker_name, settings.consumer_group
    if name is None:
        return
    try:
        taken = await remove_members(settings.kafka_bootstrap, group, name, settings.client_options())
        logger.info("%s takes the place of %d that went by its name in the group %s", name, taken, group)
    except KafkaError as error:
        logger.warning("%s waits until the one that went by its name before has left the group: %s", name, error)


class _Faust(faust.Worker):  # type: ignore[misc]
    """Faust's worker, which leaves the signals to Ending."""

    def install_signal_handlers(self) -> None:
        """Ending heeds them."""

    def end(self, worker: Worker) -> None:
        """Begin the end, from a signal's handler: the last flush first, since Kafka may keep all else waiting."""

        async def leave() -> None:
            await worker.last_flush()
            self._on_sigterm()

        asyncio.run_coroutine_threadsafe(leave(), self.loop)


def run(settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT. Does not return: the process ends with the worker's exit code."""
    log_to_stderr(RateLimitFilter())
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
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
