"""Faults of the order of what is told of people: between partitions, between arrival and time, and of forgetting."""

from collections.abc import Iterator
from typing import Any

from aggregators.directory import ProfileFold
from aggregators.record_decoder import RecordDecoder
from tests.simulation.faults.planting import Plant, fault
from tests.simulation.views import People


@fault
def order_by_offsets_alone(plant: Plant) -> None:
    """Of rows of several partitions the one with the greater offset is the later."""
    plant(People, "place", lambda self, row: (row[1],))


@fault
def newest_by_arrival(plant: Plant) -> None:
    """Of several profiles the one that came last holds, whatever time they tell."""
    plant(People, "version", lambda self, row: (row[2].logged, row[1]))
    original = People.order

    def order(self: Any, row: Any) -> Any:
        return self.place(row) if row[2].kind == "profile.updated" else original(self, row)

    plant(People, "order", order)


@fault
def newest_by_arrival_within_a_partition(plant: Plant) -> None:
    """The table keeps of a partition's profiles the one that came last."""
    plant(People, "version", lambda self, row: (row[2].logged, row[1]))


@fault
def profiles_happen_when_they_are_logged(plant: Plant) -> None:
    """The fold keeps the log's time for the event's."""
    original = ProfileFold.__call__

    def fold(self: Any, event: Any, log_ms: int) -> Any:
        changes, (row,) = original(self, event, log_ms)
        return changes, (row._replace(values=(*row.values[:6], f"{row.values[7]}000", row.values[7])),)

    plant(ProfileFold, "__call__", fold)


@fault
def a_tombstone_is_honoured_in_its_partition_alone(plant: Plant) -> None:
    """What other partitions hold of its account stays."""
    original = People.tombstones

    def tombstones(self: Any, row: Any) -> Iterator[Any]:
        return (each for each in original(self, row) if each[0] == row[0])

    plant(People, "tombstones", tombstones)


@fault
def a_tombstone_forgets_what_came_before_it_alone(plant: Plant) -> None:
    """An old profile that is sent again after its account was forgotten brings its name back."""
    plant(People, "is_remembered", lambda self, row, returned_at: not self._forgets(row))


@fault
def a_tombstone_forgets_for_ever(plant: Plant) -> None:
    """Who is forgotten once has no name, whatever newer profile comes."""
    plant(People, "is_remembered", lambda self, row, returned_at: not any(self.tombstones(row)))


@fault
def tombstones_are_duplicates_of_each_other(plant: Plant) -> None:
    """A tombstone has the identity of the one before it, so within the horizon it forgets nobody."""
    original = RecordDecoder._read_one

    def read_one(self: Any, record: Any, place: int, letters: Any) -> Any:
        read = original(self, record, place, letters)
        return (None, 0, read[2]) if read and read[0] is None else read

    plant(RecordDecoder, "_read_one", read_one)


@fault
def ties_are_broken_by_the_event_id(plant: Plant) -> None:
    """Of two that happened at one instant not the later in the log holds but the one with the greater id."""
    original = People.order
    plant(People, "order", lambda self, row: (row[2].since, row[2].occurred, row[2].event_id, *original(self, row)))
    plant(People, "version", lambda self, row: (row[2].occurred, row[2].event_id, row[1]))


@fault
def ties_in_the_log_are_won_by_the_lesser_partition(plant: Plant) -> None:
    """Of two partitions in one millisecond the one with the lesser number is the later."""
    original = People.place

    def place(self: Any, row: Any) -> Any:
        logged, number, offset = original(self, row)
        return logged, -number, offset

    plant(People, "place", place)


@fault
def a_repeat_stands_where_it_came_last(plant: Plant) -> None:
    """A change that is sent again, on the partition that its key has by then, is decided anew."""

    def changes(self: Any) -> Any:
        last: dict[Any, Any] = {}
        for row in self.directory.values():
            told = row[2]
            key = told.organization, told.kind, told.subject, told.since, told.event_id
            last[key] = max(row, last.get(key, row), key=self.place)
        return last.values()

    plant(People, "changes", changes)
