"""Records decoded and folded one by one. This form says what a record means; any other has to say the same."""

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
"""The event (None of a tombstone), the hash of its identity (a tombstone has one of its own: each forgets anew), and
what it adds."""


@dataclass
class DecodedRun:
    """The well-formed records of a run, in order: hashes of their identities and bytes, and what each adds."""

    records: Sequence[Record]
    identities: Sequence[int] | Hashes
    payloads: Sequence[int] | Hashes
    folds: Sequence[Folded]

    def gather(self, verdicts: Sequence[Occurrence], place: int, prepared: PreparedBatch) -> None:
        """Put what the run adds from the place on into a prepared batch."""
        gather(zip(self.records, self.folds, verdicts, strict=True), place, prepared)


def gather(judged: Iterable[tuple[Record, Folded, Occurrence]], place: int, prepared: PreparedBatch) -> None:
    """The same for any records."""
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
            detail = "its event_id was used with another payload; emit it under a new one"
            prepared.letters.append(RejectedRecord(record, "conflict", detail))


def identity_of(event: Event) -> int:
    """The hash of what makes two events one: their type, their organization and their event_id. A type has no fixed
    length, but both ids have, so two identities that differ never make one text."""
    return hash(event.__struct_config__.tag + event.organization_id + event.event_id)  # type: ignore[operator]


class RecordDecoder:
    """Reads the records of one topic."""

    def __init__(self, topic: str) -> None:
        self._decode = decoder(topic).decode
        self._fold = fold_for(topic)

    def read(self, records: Sequence[Record], place: int, letters: list[RejectedRecord]) -> DecodedRun:
        """The well-formed ones and what each adds; the others become letters, from the place on."""
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
        """Whether numbers that it gave to cells hold no more, since it would keep too many. It gives none."""
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
