"""The contract with Faust's and aiokafka's insides: what an upgrade must not change unnoticed."""

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import TopicPartitionState

from streams.faust import BatchConsumer, BatchScheduler, BatchThread, BatchTransport, LeanRecords

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}


@pytest.mark.parametrize("package", PINNED)
def test_the_versions_that_were_tested_are_installed(package: str) -> None:
    assert version(package) == PINNED[package], "upgrade through the chaos tests, then change this"


@pytest.mark.parametrize(
    ("mine", "theirs", "method"),
    [
        (BatchConsumer, BatchConsumer.__mro__[1], "perform_seek"),
        (BatchConsumer, BatchConsumer.__mro__[1], "_to_message"),
        (BatchConsumer, BatchConsumer.__mro__[1], "_new_offset"),
        (BatchConsumer, BatchConsumer.__mro__[1], "_add_gap"),
        (BatchConsumer, BatchConsumer.__mro__[1], "on_partitions_revoked"),
        (BatchConsumer, BatchConsumer.__mro__[1], "verify_event_path"),
        (BatchConsumer, BatchConsumer.__mro__[1], "on_stop"),
        (BatchConsumer, BatchConsumer.__mro__[1], "_new_consumer_thread"),
        (BatchThread, BatchThread.__mro__[1], "_fetch_records"),
        (BatchThread, BatchThread.__mro__[1], "_create_worker_consumer"),
    ],
)
def test_what_is_replaced_is_there_and_takes_the_same(mine: type, theirs: type, method: str) -> None:
    assert method in vars(mine)
    ours, original = (list(inspect.signature(getattr(each, method)).parameters) for each in (mine, theirs))
    assert ours == original
    both = [inspect.iscoroutinefunction(getattr(each, method)) for each in (mine, theirs)]
    assert both[0] == both[1]


def test_aiokafka_has_what_the_reader_reaches_for() -> None:
    source = inspect.getsource(AIOKafkaConsumer.__init__)
    assert {"self._fetch_max_wait_ms", "self._isolation_level"} <= set(source.replace(" =", " ").split())
    assert list(inspect.signature(fetcher.PartitionRecords._consumer_record).parameters) == ["self", "tp", "record"]
    assert "position" in vars(TopicPartitionState)
    assert issubclass(LeanRecords, fetcher.PartitionRecords)


def test_faust_is_given_the_batches_one_by_one() -> None:
    batches: dict[tuple[str, int], Any] = {("t", 0): "a", ("t", 1): "b"}
    assert list(BatchScheduler().iterate(batches)) == [*batches.items()]
    assert BatchTransport.Consumer is BatchConsumer
