"""Faust, fed whole record batches: the only package that depends on Faust's internals.

Faust hands an agent one event at a time, at 40 us an event, and acknowledges an event whether or not its processing
succeeded. Here an agent's event is a `RecordBatch`, reading starts at the offsets that `on_assigned` returns (the
stored positions, not Kafka's committed offsets), and what is committed to Kafka is what `stored_offset` returns.

Pinned to faust-streaming 0.15.3 and aiokafka 0.14.0; tests/unit/test_faust_contract.py fails when an
upgrade breaks one of these hooks.
"""

from streams.faust.consumer import BatchConsumer, BatchScheduler, BatchTransport, Hooks, OnAssigned
from streams.faust.consumer_thread import BatchThread, LeanRecords
from streams.record_batch import Partition, RecordBatch

__all__ = [
    "BatchConsumer",
    "BatchScheduler",
    "BatchThread",
    "BatchTransport",
    "Hooks",
    "LeanRecords",
    "OnAssigned",
    "Partition",
    "RecordBatch",
]
