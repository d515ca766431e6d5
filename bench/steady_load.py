"""A steady load in a process of its own: `python -m bench.steady_load BOOTSTRAP RATE`, until SIGTERM.

It emits through `Emitter`, as products do: so many events a second, each new, that happen now. Every tick is a line of
what it prints: the moment (`time.monotonic`, which all processes share) just before the tick's events are given to
`emit_raw`, and for each partition the offset after its last one. Nobody else writes to the topic, so these are offsets
of the log. The first line tells where the log ended before.
"""

import asyncio
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle

from aiokafka.partitioner import DefaultPartitioner

from bench.token_events import Load, events
from streams.log import KafkaLog
from tally_client.emitter import Emitter
from tally_client.events import TOKEN
from tests.support.pipeline import Pipeline
from tests.support.processes import start as start_process

TICK = 0.01
MOST_AT_ONCE = 0.1
"""Seconds of load that a tick emits at most, when the emitter fell behind."""

SHAPES = 20_000
"""Different events, over and over with other ids and times: making each anew would cost more than sending it."""

HEAD = b'{"type":"token.used","event_id":"%08x-0000-4000-8000-%012x","occurred_at":"%s",'
NEXT = b'"organization_id"'


@dataclass(frozen=True)
class Mark:
    """At this moment the events below `offsets` (by partition) began to be emitted, or had been before."""

    at: float
    offsets: tuple[int, ...]

    @property
    def total(self) -> int:
        """All partitions together."""
        return sum(self.offsets)


class Steady:
    """The load while it runs. `marks` grow until it has ended."""

    def __init__(self, running: Pipeline, rate: float) -> None:
        self.rate = rate
        self.path = running.folder / f"steady-{time.monotonic_ns()}.txt"
        self._errors = self.path.with_suffix(".log")
        command = [sys.executable, "-m", "bench.steady_load", running.settings.kafka_bootstrap, str(rate)]
        with self.path.open("wb") as output, self._errors.open("wb") as errors:
            self._process = start_process(command, stdout=output, stderr=errors)

    def wait_until_emitting(self) -> None:
        """Until the first events are on their way. Raises RuntimeError when it has ended."""
        while self.path.read_bytes().count(b"\n") < 2:
            self.refuse_ended()
            time.sleep(TICK)

    def refuse_ended(self) -> None:
        """Raises RuntimeError when the emitter has failed."""
        if self._process.poll() not in (None, 0):
            raise RuntimeError(f"the emitter ended: {self._errors.read_text()[-2000:]}")

    def latest(self) -> Mark:
        """How far it is now."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 200))
            return _mark(file.read().rpartition(b"\n")[0].splitlines()[-1])

    def marks(self) -> list[Mark]:
        """All of them, the first one of what was there before."""
        return [_mark(line) for line in self.path.read_bytes().rpartition(b"\n")[0].splitlines()]

    def end(self) -> None:
        """Stop, when all is confirmed."""
        self._process.terminate()
        self._process.wait(timeout=90)
        self.refuse_ended()

    def abandon(self) -> None:
        """Stop at once, if it still runs."""
        self._process.kill()
        self._process.wait()


@contextmanager
def steady(running: Pipeline, rate: float) -> Iterator[Steady]:
    """A load that is emitting, and has stopped at the end whatever happens; `end` it to have all of it confirmed."""
    load = Steady(running, rate)
    try:
        load.wait_until_emitting()
        yield load
    finally:
        load.abandon()


def _mark(line: bytes) -> Mark:
    at, *offsets = line.split()
    return Mark(float(at), tuple(map(int, offsets)))


async def emit(bootstrap: str, rate: float) -> None:
    """Emit until SIGTERM, and return when all is confirmed."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with KafkaLog(bootstrap) as log:
        ends = await log.end_offsets(await log.partitions([TOKEN]))
    offsets = [ends[TOKEN, partition].end for partition in range(len(ends))]
    shapes, run, sent = _shapes(len(offsets)), random.getrandbits(32), 0
    async with Emitter(bootstrap) as emitter:
        began = _say(offsets)
        while not ended.is_set():
            now = time.monotonic()
            text = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
            for _ in range(min(int((now - began) * rate) - sent, int(rate * MOST_AT_ONCE))):
                key, partition, tail = next(shapes)
                await emitter.emit_raw(TOKEN, key, HEAD % (run, sent, text) + tail)
                offsets[partition] += 1
                sent += 1
            _say(offsets, now)
            await asyncio.sleep(TICK)


def _shapes(partitions: int) -> Iterator[tuple[bytes, int, bytes]]:
    """(key, partition, all of the event behind its time) without an end."""
    everywhere, partitioner = range(partitions), DefaultPartitioner()
    found = [
        (key, int(partitioner(key, everywhere, everywhere)), NEXT + value.partition(NEXT)[2])
        for key, value in events(Load(events=SHAPES, hours=1))
    ]
    return cycle(found)


def _say(offsets: Sequence[int], at: float | None = None) -> float:
    moment = time.monotonic() if at is None else at
    print(f"{moment:.6f}", *offsets, flush=True)
    return moment


if __name__ == "__main__":
    asyncio.run(emit(sys.argv[1], float(sys.argv[2])))
