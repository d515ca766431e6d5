"""ClickHouse's disk is full under load, and somebody makes room: the worker waits, and all ends exact.

The disk is a small file system in memory, in a mount namespace of ClickHouse's own.
"""

import dataclasses
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.clickhouse import clickhouse_child
from deploy.embedded.ports import free_port
from deploy.up import prepare
from tests.chaos.load import Load
from tests.support.incidents import eventually, health
from tests.support.pipeline import Pipeline, assert_equal, pipeline
from tests.support.stack import started

DISK = "192m"
MOUNTED = 'mount -t tmpfs -o size="$1" disk "$2" && shift 2 && exec "$@"'
IN_NAMESPACE = ("unshare", "--map-root-user", "--mount", "sh", "-c")


def may_mount() -> bool:
    """Whether this user may have a mount namespace."""
    if not shutil.which("unshare"):
        return False
    probe = (*IN_NAMESPACE, "mount -t tmpfs disk /mnt")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not may_mount(), reason="needs a mount namespace (unshare)"),
]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline whose ClickHouse lives on a small disk."""
    with pipeline(tmp_path) as running:
        running.clickhouse.stop()
        folder = tmp_path / "small"
        folder.mkdir()
        port = int(running.settings.clickhouse_url.rpartition(":")[2])
        child = clickhouse_child(folder, port, memory=2 << 30)
        mounted = (*IN_NAMESPACE, MOUNTED, "sh", DISK, str(folder), *child.command)
        running.clickhouse = started(lambda _: dataclasses.replace(child, command=mounted), folder, port)
        prepare(running.settings)
        yield running


def fill(path: Path) -> None:
    """Write until there is no room left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@pytest.fixture
def load(small: Pipeline) -> Iterator[Load]:
    """A load upon it."""
    found = Load(small.settings.kafka_bootstrap, rate=400)
    yield found
    found.abandon()


def test_a_full_disk_is_waited_out(small: Pipeline, load: Load) -> None:
    port = free_port()
    worker = small.start_worker(metrics_port=port)
    eventually(lambda: health(port)[0] == 200)
    small.wait()
    ballast = Path(f"/proc/{small.clickhouse.pid}/root{small.folder}/small/ballast")
    fill(ballast)
    eventually(lambda: "ClickHouse refuses requests" in health(port)[1], told=lambda: health(port))
    time.sleep(5)
    assert worker.poll() is None, "a full disk is no reason for a worker to end"
    ballast.unlink()
    time.sleep(2)
    load.end()
    small.wait()
    assert_equal(small)
