"""The outbox: events as bytes, held until the moment at which they arrive at the log."""

from collections.abc import Iterator
from typing import Any

import orjson

from intake.ndjson import ProducerRecord
from simulation.clock import DAY, MINUTE, midnight, utc_text, zoned_text
from simulation.entities import Actor
from simulation.plan import Plan
from simulation.rng import Rng
from tally_client.events import PROFILES, TOPIC_BY_TYPE

LATEST = 3 * DAY
LONGEST_DETOUR = 10 * MINUTE
FOREVER = 1 << 62


class Outbox:
    """Takes events in any order and yields them as records in the order of their arrival."""

    def __init__(self, plan: Plan) -> None:
        self.until = midnight(plan.until)
        self._ids = Rng(plan.seed, "event ids")
        self._road = Rng(plan.seed, "arrival")
        self._late = plan.late
        self._delayed = plan.late + plan.out_of_order
        self._waiting: list[tuple[int, int, ProducerRecord]] = []
        self._count = 0

    def activity(
        self, actor: Actor, at: int, type_: str, product: str | None, surface: str | None, fields: dict[str, Any]
    ) -> None:
        """Add an event of `actor` at `at` by the device's clock; nothing if the actor's stretch has ended.

        Null fields are written for every second event and omitted for the others, as different clients do.
        """
        if at >= actor.ends:
            return
        text = zoned_text(at, actor.zone) if actor.stamps_zone else utc_text(at)
        event: dict[str, Any] = {
            "type": type_,
            "event_id": self._ids.uuid(),
            "occurred_at": text,
            "organization_id": actor.organization_id,
            "actor": actor.envelope,
        }
        if product is not None or self._count % 2:
            event["product"] = product
        if surface is not None or self._count % 2:
            event["surface"] = surface
        event |= fields
        self._hold(
            at - actor.skew + self._delay(), ProducerRecord(TOPIC_BY_TYPE[type_], actor.key, orjson.dumps(event), text)
        )

    def directory(self, organization_id: str, at: int, type_: str, fields: dict[str, Any]) -> None:
        """Add a directory event, or a profile (with its account as key); nothing at or after the period's end."""
        if at >= self.until:
            return
        text = utc_text(at)
        event = {"type": type_, "event_id": self._ids.uuid(), "occurred_at": text, "organization_id": organization_id}
        topic = TOPIC_BY_TYPE[type_]
        key = fields["account_id"] if topic == PROFILES else organization_id
        self._hold(at, ProducerRecord(topic, key.encode(), orjson.dumps(event | fields), text))

    def tombstone(self, account_id: str, at: int) -> None:
        """Add a tombstone: a null value under the account's key, which forgets the person."""
        if at < self.until:
            self._hold(at, ProducerRecord(PROFILES, account_id.encode(), None, utc_text(at)))

    def release(self, before: int = FOREVER) -> Iterator[ProducerRecord]:
        """Yield, in order of arrival, everything that arrives before this moment."""
        self._waiting.sort()
        held = 0
        for arrival, _, line in self._waiting:
            if arrival >= before:
                break
            held += 1
            yield line
        del self._waiting[:held]

    def _hold(self, arrival: int, line: ProducerRecord) -> None:
        self._count += 1
        self._waiting.append((arrival, self._count, line))

    def _delay(self) -> int:
        fate = self._road.random()
        if fate < self._late:
            return MINUTE + int(self._road.random() * (LATEST - 2 * MINUTE))
        if fate < self._delayed:
            return int(self._road.random() * LONGEST_DETOUR)
        return 40 + int(fate * 900)
