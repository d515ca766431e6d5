"""Decodes and folds records one by one. This is the reference; every other decoder must return the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from aggregators.deduplication import Hashes, Occurrence
from aggregators.directory import ProfileFold
from aggregators.folds import fold_for
from aggregators.increments import Folded
from aggregators.prepared_batch import PreparedBatch, Record, RejectedRecord, rejection_reason
from tally_client.events import Event, decoder
from tally_client.validity import NO_ID, SHALLOW, InvalidRecord, is_uuid, refuse_deep

Read = tuple[Event | None, int, Folded]
"""The event (None for a tombstone), the hash of its identity, and what it adds.

Each tombstone has an identity of its own, because each one forgets the person again.
"""


@dataclass
class DecodedRun:
    """The well-formed records of a run, in order: hashes of their identities and bytes, and what each adds."""

    records: Sequence[Record]
    identities: Sequence[int] | Hashes
    payloads: Sequence[int] | Hashes
    folds: Sequence[Folded]

    def gather(self, verdicts: Sequence[Occurrence], place: int, prepared: PreparedBatch) -> None:
        """Add the changes of the run from `place` on to a prepared batch."""
        gather(zip(self.records, self.folds, verdicts, strict=True), place, prepared)


def gather(judged: Iterable[tuple[Record, Folded, Occurrence]], place: int, prepared: PreparedBatch) -> None:
    """Add the changes of judged records from `place` on to a prepared batch."""
    changes, rows, first = prepared.changes, prepared.rows, Occurrence.FIRST
    for record, (changed, whole), verdict in judged:
        offset = record.offset
        if offset < place:
            continue
        if verdict is first:
            for change in changed:
                offsets, gathered = changes[change[0]]
                offsets.append(offset)
                gathered.append(change)
            for row in whole:
                rows.append((offset, row))
        elif verdict is Occurrence.DUPLICATE:
            prepared.duplicates += 1
        else:
            detail = "its event_id was used with another payload; emit the event again with a new event_id"
            prepared.letters.append(RejectedRecord(record, "conflict", detail))


def identity_of(event: Event) -> int:
    """Return the hash of an event's identity: type, organization and event_id.

    The type has no fixed length, but both ids do, so two different identities never concatenate to the same text.
    """
    return hash(event.__struct_config__.tag + event.organization_id + event.event_id)  # type: ignore[operator]


class RecordDecoder:
    """Reads the records of one topic."""

    def __init__(self, topic: str) -> None:
        self._decode = decoder(topic).decode
        self._fold = fold_for(topic)

    def read(self, records: Sequence[Record], place: int, letters: list[RejectedRecord]) -> DecodedRun:
        """Return the well-formed records and what each adds; malformed ones from `place` on are added to `letters`."""
        formed: list[Record] = []
        identities: list[int] = []
        payloads: list[int] = []
        folds: list[Folded] = []
        for record in records:
            read = self._read_one(record, place, letters)
            if read is not None:
                formed.append(record)
                identities.append(read[1])
                payloads.append(hash(record.value))
                folds.append(read[2])
        return DecodedRun(formed, identities, payloads, folds)

    def forget(self, _open_cells: int) -> bool:
        """Return True if cell numbers became invalid because too many were remembered. This decoder assigns none."""
        return False

    def _read_one(self, record: Record, place: int, letters: list[RejectedRecord]) -> Read | None:
        value = record.value
        try:
            if value is None:
                return None, hash(("tombstone", record.offset)), self._tombstone(record)
            if len(value) > SHALLOW:
                refuse_deep(value)
            event = self._decode(value)
            if not is_uuid(event.event_id):
                raise InvalidRecord("bad_id", f"event_id {event.event_id!r} {NO_ID}")
            return event, identity_of(event), self._fold(event, record.timestamp)
        except (InvalidRecord, msgspec.MsgspecError, UnicodeDecodeError) as error:
            if record.offset >= place:
                letters.append(RejectedRecord(record, *rejection_reason(error)))
        return None

    def _tombstone(self, record: Record) -> Folded:
        if not isinstance(self._fold, ProfileFold):
            raise InvalidRecord("empty", "the record has no value")
        return self._fold.forget(record.key, record.timestamp)
