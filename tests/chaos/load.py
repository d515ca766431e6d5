"""A steady load: simulated life with duplicates, late events and poison, and probes whose totals are known."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from uuid import uuid4

import orjson

from intake.ndjson import ProducerRecord
from simulation import Plan, simulate
from tally_client.emitter import Emitter
from tests.chaos.reader import Totals

TICK = 0.25
PROBES = 5
"""Events of a tick that belong to the probe, the organization of a few seconds whose total is known."""
PROBE_SECONDS = 5.0


def life(seed: int) -> Iterator[ProducerRecord]:
    """Lines without an end: 5 % duplicates, 2 % late, 1 % poison."""
    until = datetime.now(UTC).date()
    for each in count(seed):
        yield from simulate(Plan(until, seed=each, users=240, days=20, duplicates=0.05, late=0.02, poison=0.01))


def tokens(organization: str, number: int, ago: timedelta = timedelta(0)) -> Iterator[ProducerRecord]:
    """Valid usage: `number` requests of one output token and two of input each, that happened `ago`."""
    at = (datetime.now(UTC) - ago).isoformat()
    for each in range(number):
        person = f"00000000-0000-4000-8000-{each % 8:012x}"
        event = {
            "type": "token.used",
            "event_id": str(uuid4()),
            "occurred_at": at,
            "organization_id": organization,
            "actor": {"type": "user", "id": person},
            "product": "chat",
            "request_id": "r",
            "model": "claude-sonnet-4-5",
            "funding": "usage_based",
            "output_tokens": 1,
            "uncached_input_tokens": 2,
        }
        yield ProducerRecord("tally.token", person.encode(), orjson.dumps(event), at)


class Load(threading.Thread):
    """Emits `rate` lines a second until `end`. `finals` has the totals of the organizations that are emitted whole."""

    def __init__(self, bootstrap: str, rate: int, seed: int = 11) -> None:
        super().__init__(name="load", daemon=True)
        self.finals: dict[str, Totals] = {}
        self.sent = 0
        self.error: BaseException | None = None
        self._kafka = bootstrap
        self._a_tick = int(rate * TICK)
        self._life = life(seed)
        self._extra: deque[ProducerRecord] = deque()
        self._ended = threading.Event()
        self.start()

    def add(self, lines: Iterable[ProducerRecord]) -> None:
        """These as well, with the next tick."""
        self._extra.extend(lines)

    def end(self) -> None:
        """Stop when all is confirmed; raises what made it fail."""
        self._ended.set()
        self.join()
        if self.error is not None:
            raise self.error

    def abandon(self) -> None:
        """Stop, whether or not all is confirmed: for whoever is about to stop Kafka."""
        self._ended.set()
        self.join(timeout=10)

    def run(self) -> None:
        """Until `end`; a Kafka that is away is waited for."""
        try:
            asyncio.run(self._emit())
        except BaseException as error:
            self.error = error

    async def _emit(self) -> None:
        async with Emitter(self._kafka, delivery_timeout=None) as emitter:
            while not self._ended.is_set():
                probe, emitted, until = str(uuid4()), 0, time.monotonic() + PROBE_SECONDS
                while time.monotonic() < until and not self._ended.is_set():
                    extra = [self._extra.popleft() for _ in range(len(self._extra))]
                    for line in (*islice(self._life, self._a_tick), *tokens(probe, PROBES), *extra):
                        await emitter.emit_raw(line.topic, line.key, line.value)
                        self.sent += 1
                    emitted += PROBES
                    await asyncio.sleep(TICK)
                await emitter.flush()
                self.finals[probe] = (emitted, emitted, 2 * emitted)
