"""A worker whose partitions are assigned before it has connected: what Faust does when Kafka is slow to answer."""

import asyncio
from pathlib import Path
from uuid import uuid4

from deploy.settings import Settings
from deploy.up import prepare
from deploy.worker import Worker
from tally_client.events import TOKEN


async def test_assignment_waits_until_the_worker_is_connected(clickhouse: str, kafka: str, tmp_path: Path) -> None:
    name = f"start_{uuid4().hex[:8]}"
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=name, kafka_bootstrap=kafka, data_dir=tmp_path)
    await asyncio.to_thread(prepare, settings)
    worker = Worker(settings)
    assigned = asyncio.create_task(worker.assign([(TOKEN, 0)], 1))
    await asyncio.sleep(0.1)
    assert not assigned.done(), "its own connection to Kafka does not stand yet"
    await worker.start()
    try:
        assert await assigned == {(TOKEN, 0): 0}
    finally:
        await worker._open.aclose()
        worker.assignments._store.client.close()
