"""What Tally is measured against, each run as a process of its own: `python -m bench.peers NAME BOOTSTRAP N`.

Each prints one JSON object when it has read N events: seconds from the first batch to the last, and CPU seconds.
"""

import asyncio
import os
import sys
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, BinaryIO

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from aggregators.windows import hour_of, utc
from streams.log import KafkaLog
from tally_client.events import TOKEN, decoder


def report(events: int, began: float, cpu_began: float) -> None:
    """Print what was measured, and end at once: the peers have nothing to save."""
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    print(msgspec.json.encode({"events": events, "seconds": seconds, "cpu_seconds": cpu}).decode(), flush=True)
    os._exit(0)


async def raw(bootstrap: str, events: int) -> None:
    """The limit: aiokafka's getmany, msgspec's typed decode, and a fold into a dict; no sink, nothing exact."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    partitions = await partitions_of(bootstrap)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    decode, seen = decoder(TOKEN).decode, 0
    cells: dict[Any, Any] = {}
    began, cpu_began = time.perf_counter(), time.process_time()
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
            for record in records:
                fold(cells, decode(record.value))
            seen += len(records)
    report(seen, began, cpu_began)


def fold(cells: dict[Any, list[int]], event: Any) -> None:
    """The least that a windowed table of usage costs: one dict entry, six sums."""
    key = (event.organization_id, hour_of(utc(event.occurred_at)), event.actor.id, event.product, event.model)
    cell = cells.get(key)
    if cell is None:
        cell = cells[key] = [0, 0, 0, 0, 0, 0]
    cell[0] += 1
    cell[1] += event.uncached_input_tokens
    cell[2] += event.cache_read_input_tokens
    cell[3] += event.cache_creation_5m_input_tokens
    cell[4] += event.cache_creation_1h_input_tokens
    cell[5] += event.output_tokens


async def clickhouse(bootstrap: str, events: int) -> None:
    """The other half of ClickHouse's Kafka engine: its parser and GROUP BY, on one core, over the same bytes."""
    import chdb

    partitions = await partitions_of(bootstrap)
    path = Path(mkdtemp()) / "events.ndjson"
    with path.open("wb") as file:
        seen = await copy(bootstrap, partitions, file, events)
    query = Path(__file__).with_name("group_events.sql").read_text().replace("{path:String}", f"'{path}'")
    chdb.query("SELECT 1")
    began, cpu_began = time.perf_counter(), time.process_time()
    chdb.query(query)
    path.unlink()
    report(seen, began, cpu_began)


async def copy(bootstrap: str, partitions: list[TopicPartition], file: BinaryIO, events: int) -> int:
    """Write the values of so many records, one a line."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    seen = 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
            file.writelines(record.value + b"\n" for record in records)
            seen += len(records)
    await consumer.stop()
    return seen


def naive_faust(bootstrap: str, events: int) -> None:
    """What Faust's documentation suggests: an agent over JSON events, one update of a Table for each."""
    partitions = len(asyncio.run(partitions_of(bootstrap)))
    app = faust.App(
        f"naive-{os.getpid()}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_partitions=partitions,
        datadir=mkdtemp(),
        consumer_auto_offset_reset="earliest",
    )
    topic = app.topic(TOKEN, value_serializer="json", key_serializer="raw")
    table = app.Table("tokens", default=int, partitions=partitions)
    progress = {"seen": 0, "began": 0.0, "cpu": 0.0}

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def count(stream: Any) -> None:
        async for event in stream:
            if not progress["seen"]:
                progress["began"], progress["cpu"] = time.perf_counter(), time.process_time()
            key = "|".join((event["organization_id"], event["occurred_at"][:13], event["actor"]["id"], event["model"]))
            table[key] += event["output_tokens"]
            progress["seen"] += 1
            if progress["seen"] >= events:
                report(int(progress["seen"]), progress["began"], progress["cpu"])

    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


async def partitions_of(bootstrap: str) -> list[TopicPartition]:
    """The topic's partitions."""
    async with KafkaLog(bootstrap) as log:
        return [TopicPartition(*partition) for partition in await log.partitions([TOKEN])]


if __name__ == "__main__":
    name, address, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if name == "naive-faust":
        naive_faust(address, wanted)
    else:
        asyncio.run({"raw": raw, "clickhouse": clickhouse}[name](address, wanted))
