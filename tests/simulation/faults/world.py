"""Faults of what is known of the world outside: of ClickHouse, its backups, and the log."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import worker.assignment
from aggregators.source import Source
from tests.simulation.faults.planting import Plant, fault
from tests.simulation.log import Log
from tests.simulation.store import WIDTHS, Connection, Database
from tests.simulation.worker import Queue
from worker.flush import Flusher
from worker.store_calls import StoreCalls


@fault
def cells_backed_up_before_positions(plant: Plant) -> None:
    """The backup takes the cells first."""

    def backup(self: Any) -> Callable[[], None]:
        taken = deepcopy(self.cells), set(self.attributions), self.people.copy()

        def backup_positions() -> None:
            self._backup = (dict(self.positions), *taken)

        return backup_positions

    plant(Database, "backup_positions", backup)


@fault
def restored_database_not_noticed(plant: Plant) -> None:
    """Nobody looks whether ClickHouse is still what the sources were placed by."""
    plant(Connection, "database_identity", lambda self: str(self._ask().incarnation * 0))
    plant(Flusher, "_was_rolled_back", lambda self: False)


@fault
def position_retried_into_a_restored_database(plant: Plant) -> None:
    """ClickHouse is looked at before the cells are written, and not again with the positions."""

    def write_positions(self: Any, positions: Any, *_: Any) -> bool:
        self._store.write_positions(positions)
        return True

    plant(Flusher, "_write_positions", write_positions)


@fault
def cells_written_to_a_restored_database(plant: Plant) -> None:
    """ClickHouse is looked at with the positions only; cells that were read back from a restored one are written."""
    store_flight, original = Flusher._store_flight, StoreCalls.__call__

    async def trust(self: Any, flight: Any) -> bool:
        self._call.trusted = flight[0][0].database_identity if flight else None
        try:
            return await store_flight(self, flight)
        finally:
            self._call.trusted = None

    async def call(self: Any, function: Any, *args: Any) -> Any:
        trusted = getattr(self, "trusted", None)
        if function.__name__ == "_was_rolled_back":
            return False
        is_looked_at = function.__name__ == "database_identity"
        return trusted if is_looked_at and trusted else await original(self, function, *args)

    plant(Flusher, "_store_flight", trust)
    plant(StoreCalls, "__call__", call)


@fault
def last_insert_wins(plant: Plant) -> None:
    """The database keeps the latest row of a cell, not the one with the greatest log_offset."""
    original = Database.write

    def write(self: Any, table: str, rows: Any) -> None:
        original(self, table, rows)
        width = WIDTHS.get(table, 0)
        for source, organization, window, *rest in rows if width else ():
            self.cells[source, table][organization, window][tuple(rest[:width])] = tuple(rest[width:])

    plant(Database, "write", write)


@fault
def recreated_topic_not_noticed(plant: Plant) -> None:
    """Nobody compares the record below the place with the one that was folded."""
    plant(Source, "_refuse_recreated", lambda self, fresh, end: None)


@fault
def place_outside_the_log_not_noticed(plant: Plant) -> None:
    """Reading starts wherever the log has something."""
    plant(worker.assignment, "position_problem", lambda *args: "")


@fault
def place_follows_the_records_seen(plant: Plant) -> None:
    """A batch ends behind its last record, and what has no record is no batch: so aiokafka hands them on."""
    original = Queue.put

    def put(self: Any, batch: Any) -> None:
        if batch.records:
            original(self, batch._replace(end=batch.records[-1].offset + 1))

    plant(Queue, "put", put)


@fault
def nothing_without_records_is_handed_on(plant: Plant) -> None:
    """A fetch that brings no records moves the fetch position alone."""
    original = Queue.put

    def put(self: Any, batch: Any) -> None:
        if batch.records:
            original(self, batch)

    plant(Queue, "put", put)


@fault
def end_of_what_is_readable_believed(plant: Plant) -> None:
    """The log is taken to end where an open transaction begins."""
    original = Log.end_offsets

    async def ends(self: Any, partitions: Any) -> Any:
        return {one: found._replace(end=found.readable) for one, found in (await original(self, partitions)).items()}

    plant(Log, "end_offsets", ends)


@fault
def missing_record_of_a_recreated_topic_not_noticed(plant: Plant) -> None:
    """Where the log has no record any more at the last folded offset, nothing is compared."""
    original = Source._refuse_recreated

    def refuse(self: Any, fresh: Any, end: int) -> None:
        offset = int(self.last_record.partition(":")[0]) if self.last_record else -1
        if any(record.offset == offset for record in fresh):
            original(self, fresh, end)

    plant(Source, "_refuse_recreated", refuse)
