"""Faults of the horizon of duplicates."""

import json
from collections.abc import Callable
from typing import Any

from aggregators.backend import HAS_COMPILED
from aggregators.deduplication import Horizon, Occurrence
from aggregators.record_decoder import RecordDecoder
from aggregators.source import Source
from tests.simulation.faults.planting import Plant, fault

if HAS_COMPILED:
    from aggregators import token_decoder


@fault
def horizon_not_warmed(plant: Plant) -> None:
    """Reading starts at the place."""
    plant(Source, "_read_from", lambda self: self.next_offset)


@fault
def warm_up_batch_not_split(plant: Plant) -> None:
    """A batch that reaches beyond the place is folded from its beginning."""
    original = Source._prepare_run

    def prepare_run(self: Any, block: int, run: Any, prepared: Any) -> None:
        place = self.next_offset
        self.next_offset = place if prepared.end <= place else 0
        original(self, block, run, prepared)
        self.next_offset = place

    plant(Source, "_prepare_run", prepare_run)


@fault
def blocks_not_on_the_grid(plant: Plant) -> None:
    """Reading starts a horizon below the place, wherever in a block that is."""
    plant(Horizon, "replay_start", lambda self, place: max(0, place - self.blocks * self.block_size))


def _judge_registering(registers: Callable[[Occurrence], bool]) -> Any:
    original = Horizon.classify

    def judge(self: Any, block: int, ids: Any, payloads: Any) -> list[Occurrence]:
        verdicts = []
        for identity, payload in zip(ids, payloads, strict=True):
            verdict = original(self, block, [identity], [payload])[0]
            if not registers(verdict):
                self._latest[-1]._count -= 1
            verdicts.append(verdict)
        return verdicts

    return judge


@fault
def the_latest_payload_decides(plant: Plant) -> None:
    """A repeat is held against the latest occurrence alone, so a conflict that is sent again vanishes."""
    original = Horizon.classify

    def judge(self: Any, block: int, ids: Any, payloads: Any) -> list[Occurrence]:
        verdicts = original(self, block, ids, payloads)
        latest = self.__dict__.setdefault("latest_payloads", {})
        for at, (identity, payload) in enumerate(zip(ids, payloads, strict=True)):
            if verdicts[at] is Occurrence.CONFLICT and latest.get(identity) == payload:
                verdicts[at] = Occurrence.DUPLICATE
            latest[identity] = payload
        return verdicts

    plant(Horizon, "classify", judge)


@fault
def an_id_is_everybodys(plant: Plant) -> None:
    """One event_id is one event, whosever it is."""
    for reader in (RecordDecoder, *((token_decoder.TokenReader,) if HAS_COMPILED else ())):
        plant(reader, "read", _reading_ids_alone(reader.read))


def _reading_ids_alone(original: Any) -> Any:
    def read(self: Any, records: Any, place: int, letters: Any) -> Any:
        run = original(self, records, place, letters)
        run.identities = [hash(json.loads(record.value)["event_id"]) for record in run.records]
        return run

    return read


@fault
def duplicates_do_not_renew(plant: Plant) -> None:
    """A duplicate is dropped without registering its id anew."""
    plant(Horizon, "classify", _judge_registering(lambda verdict: verdict is not Occurrence.DUPLICATE))


@fault
def conflicts_do_not_renew(plant: Plant) -> None:
    """A conflict does not register its id, so what counts depends on more of the log than a replay reads."""
    plant(Horizon, "classify", _judge_registering(lambda verdict: verdict is not Occurrence.CONFLICT))
