"""When an epoch may begin, and what it says: `continue` only on a log whose events were not folded yet."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from aggregators.prepared_batch import fingerprint
from aggregators.source import FOLD_VERSION
from deploy.connections import open_store
from deploy.epochs import plan_epoch, start_epoch
from deploy.errors import ExitCode, UserError
from deploy.partition_status import PartitionStatus, partition_statuses
from deploy.settings import Settings
from deploy.up import prepare
from intake.ndjson import ProducerRecord
from sinks.positions import NO_WATERMARK, Position
from streams.log import KafkaLog
from tally_client.events import PROFILES
from tests.support.fold_records import LogRecord
from tests.support.incidents import lines, remove_before
from tests.support.stack import start_kafka
from tests.support.verify_fixtures import produce
from verify.log import open_log
from worker.assignment import Assignments
from worker.partition_state import WorkerOptions
from worker.store_calls import StoreCalls

pytestmark = pytest.mark.slow

TOPIC = "tally.session"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka of this module's own, since its topics have Tally's names and lose records."""
    running = start_kafka(tmp_path_factory.mktemp("kafka"))
    yield running.child.url
    running.stop()


@pytest.fixture
def settings(broker: str, clickhouse: str) -> Settings:
    """A database of the test's own over the module's log, which has events of one key more."""
    found = Settings(kafka_bootstrap=broker, clickhouse_url=clickhouse, clickhouse_database=f"epoch_{uuid4().hex}")
    prepare(found)
    some: Iterator[ProducerRecord] = lines(TOPIC, str(uuid4()), 12, keys=1)
    asyncio.run(produce(broker, list(some)))
    return found


def standing_with_records(settings: Settings) -> PartitionStatus:
    return max(partition_statuses(settings, [TOPIC]), key=lambda standing: standing.log_end)


def folded_up_to(settings: Settings, next_offset: int, watermark: datetime, last_record: str = "") -> None:
    """Store that position of the partition with records."""
    source = standing_with_records(settings).source
    store = open_store(settings)
    store.write_positions([Position(source, next_offset, watermark, FOLD_VERSION, last_record)])
    store.client.close()


def fingerprint_at(settings: Settings, standing: PartitionStatus, offset: int) -> str:
    async def read() -> str:
        async with open_log(settings.kafka_bootstrap, {}) as log:
            async for records in log.read((TOPIC, standing.partition), offset, offset + 1):
                for record in records:
                    found = LogRecord(record.offset, record.timestamp_ms, record.key, record.value)
                    return fingerprint(found)
        raise AssertionError(f"no record at offset {offset}")

    return asyncio.run(read())


def refusal(settings: Settings) -> UserError:
    with pytest.raises(UserError, match="would count twice") as caught:
        plan_epoch(settings, TOPIC, "continue")
    return caught.value


def test_a_log_that_was_folded_and_then_cut_is_not_counted_again(settings: Settings) -> None:
    end = standing_with_records(settings).log_end
    folded_up_to(settings, end + 1_000, datetime.now(UTC) + timedelta(seconds=1))
    assert refusal(settings).exit_code == ExitCode.REFUSED
    assert plan_epoch(settings, TOPIC, "replace").number == 1


def test_a_log_whose_last_folded_record_is_there_is_not_counted_again(settings: Settings) -> None:
    standing = standing_with_records(settings)
    offset = standing.log_end - 3
    folded_up_to(settings, offset + 1, NO_WATERMARK, fingerprint_at(settings, standing, offset))
    assert "--mode replace" in refusal(settings).hint


def test_a_log_that_began_after_all_that_was_folded_may_be_added(settings: Settings) -> None:
    standing = standing_with_records(settings)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    folded_up_to(settings, standing.log_end - 2, long_ago, f"{standing.log_end - 3:020d}:another record")
    epoch = plan_epoch(settings, TOPIC, "continue")
    assert f"{TOPIC} begins epoch 1" in epoch.consequences[0]
    start_epoch(settings, epoch)
    assert standing_with_records(settings).source == f"{TOPIC}/{standing.partition}@1"
    assert plan_epoch(settings, TOPIC, "replace").number == 2


def test_a_log_that_lost_its_beginning_says_that_the_loss_is_to_be_accepted(settings: Settings) -> None:
    partition = standing_with_records(settings).partition
    remove_before(settings, TOPIC, partition, 2)
    consequences = plan_epoch(settings, TOPIC, "replace").consequences
    assert any(f"tally positions accept {TOPIC} {partition}" in line for line in consequences)


@pytest.mark.parametrize("difference", [-1, 1])
async def test_cells_of_another_fold_are_not_built_upon(settings: Settings, difference: int) -> None:
    store = open_store(settings)
    store.write_positions([Position(f"{PROFILES}/0@0", 0, NO_WATERMARK, FOLD_VERSION + difference, "")])
    async with KafkaLog(settings.kafka_bootstrap) as log:
        assignments = Assignments(store, StoreCalls(), log, WorkerOptions())
        assert await assignments.assign([(PROFILES, 0), (PROFILES, 1)], 1) == {(PROFILES, 1): 0}
    assert f"was folded by version {FOLD_VERSION + difference}" in assignments.stopped[PROFILES, 0].problem
    assert f"tally epoch {PROFILES} --mode replace" in assignments.stopped[PROFILES, 0].problem
    store.client.close()


def test_a_worker_sees_a_new_epoch_and_an_accepted_loss(settings: Settings) -> None:
    store = open_store(settings)
    seen = [store.database_identity()]
    start_epoch(settings, plan_epoch(settings, TOPIC, "replace"))
    seen.append(store.database_identity())
    store.accept_loss(Position(f"{TOPIC}/0@1", 0, NO_WATERMARK, FOLD_VERSION, ""), 5, datetime.now(UTC))
    seen.append(store.database_identity())
    store.write_positions([Position(f"{TOPIC}/1@1", 7, NO_WATERMARK, FOLD_VERSION, "")])
    assert store.database_identity() == seen[-1], "an ordinary flush is no reason to place anew"
    assert len(set(seen)) == 3
    assert store.positions([f"{TOPIC}/0@1"])[f"{TOPIC}/0@1"].next_offset == 5
    store.client.close()
