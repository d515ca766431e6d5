"""Sending many records to Kafka, at a rate if one is asked for, and looking at what is sent."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from deploy.settings import Settings
from deploy.simulation import Line
from streams.emitter import Emitter
from streams.events import PROFILES, decoder
from streams.validity import problem

PROGRESS_EVERY = 1000
EXAMPLES = 5


@dataclass
class Sent:
    """What was sent and confirmed."""

    sent: int = 0
    seconds: float = 0.0
    by_topic: Counter[str] = field(default_factory=Counter)


def send_all(
    settings: Settings,
    lines: Iterable[Line],
    rate: float | None = None,
    on_sent: Callable[[int], None] = lambda _: None,
) -> Sent:
    """Sends all lines as they are, at most `rate` a second, and returns when Kafka has confirmed them all.

    Raises what the Emitter raises, and what reading `lines` raises; what came before is then sent and confirmed.
    """
    return asyncio.run(_send_all(settings, lines, rate, on_sent))


async def _send_all(
    settings: Settings, lines: Iterable[Line], rate: float | None, on_sent: Callable[[int], None]
) -> Sent:
    sent, began = Sent(), time.monotonic()
    async with Emitter(settings.kafka_bootstrap, **settings.client_options()) as emitter:
        for line in lines:
            await emitter.emit_raw(line.topic, line.key, line.value)
            sent.sent += 1
            sent.by_topic[line.topic] += 1
            if rate:
                await asyncio.sleep(max(0.0, began + sent.sent / rate - time.monotonic()))
            if sent.sent % PROGRESS_EVERY == 0 or rate:
                on_sent(sent.sent)
    on_sent(sent.sent)
    sent.seconds = time.monotonic() - began
    return sent


def count_lines(path: Path) -> int:
    """The number of lines of a file, for a progress bar's total."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


class Suspects:
    """Counts the records that a worker will not accept, if they arrive at `now`; keeps a few examples as lines."""

    def __init__(self, now: datetime) -> None:
        self.count = 0
        self.examples: list[str] = []
        self._now = now

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, looked at in passing."""
        for number, line in enumerate(lines, 1):
            found = _why(line, self._now)
            if found:
                self.count += 1
                if len(self.examples) < EXAMPLES:
                    self.examples.append(f"event {number} is invalid: {found}")
            yield line


def _why(line: Line, now: datetime) -> str | None:
    if line.value is None:
        return None if line.topic == PROFILES else "it has no value"
    try:
        return problem(decoder(line.topic).decode(line.value), now)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return str(error)
