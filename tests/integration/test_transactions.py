"""Transactions of producers: what they leave in the log without a record, and what they hide while they are open."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from deploy.embedded.ports import free_port
from deploy.errors import ExitCode
from deploy.partition_status import PartitionStatus, partition_statuses
from tally_client.events import DIRECTORY, PROFILES, TOKEN
from tests.support.incidents import add_partitions, counted, eventually, health, lines, tally
from tests.support.pipeline import Pipeline, assert_equal, pipeline
from tests.support.transactions import open_transaction, transact

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ARTIFACT = "tally.artifact"
SOME = [b"{}", b"{}", b"{}"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with pipeline(tmp_path_factory.mktemp("transactions"), metrics_port=free_port()) as running:
        running.start_worker()
        yield running


def standing(running: Pipeline, topic: str, partition: int) -> PartitionStatus:
    return next(one for one in partition_statuses(running.settings, [topic]) if one.partition == partition)


def is_proved(running: Pipeline, moment: datetime) -> Callable[[], bool]:
    """Whether all that the log had by then is in the tables, of every topic."""

    def proved() -> bool:
        found = partition_statuses(running.settings)
        return not any(one.lag for one in found) and all((one.watermark or moment) > moment for one in found)

    return proved


def assert_goes_on(running: Pipeline) -> None:
    """All is in the tables, what comes from now on as well, and the recount has nothing against it."""
    eventually(is_proved(running, datetime.now(UTC)), 60, lambda: partition_statuses(running.settings))
    assert_equal(running)


@pytest.mark.parametrize("topic", [ARTIFACT, TOKEN, DIRECTORY, PROFILES])
def test_an_aborted_transaction_at_the_end_of_a_partition_holds_nothing_up(running: Pipeline, topic: str) -> None:
    for partition in (0, 1):
        transact(running.settings, topic, partition, "abort", SOME)
    assert standing(running, topic, 0).log_end >= 4
    assert_goes_on(running)


def test_an_aborted_transaction_behind_records_that_count_holds_nothing_up(running: Pipeline) -> None:
    organization = str(uuid4())
    running.emit(lines(TOKEN, organization, 10, keys=4))
    for partition in (0, 1):
        transact(
            running.settings, TOKEN, partition, "abort", [one.value or b"" for one in lines(TOKEN, organization, 5)]
        )
    assert_goes_on(running)
    assert counted(running.settings, TOKEN, organization) == 10


def test_a_worker_that_starts_behind_an_aborted_transaction_goes_on(running: Pipeline) -> None:
    worker = running.workers[-1]
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    for partition in (0, 1):
        transact(running.settings, "tally.connector", partition, "abort", SOME)
    running.start_worker()
    assert_goes_on(running)


def test_an_added_partition_with_nothing_but_an_aborted_transaction_holds_nothing_up(running: Pipeline) -> None:
    add_partitions(running.settings, ARTIFACT, 3)
    transact(running.settings, ARTIFACT, 2, "abort", SOME)
    eventually(lambda: standing(running, ARTIFACT, 2).position is not None, 60)
    assert_goes_on(running)


def test_an_open_transaction_holds_the_watermark_back_and_is_named_until_it_ends(running: Pipeline) -> None:
    organization, settings = str(uuid4()), running.settings
    assert_goes_on(running)
    values = [one.value or b"" for one in lines(TOKEN, organization, 3)]
    before = standing(running, TOKEN, 0)

    began = datetime.now(UTC)
    with open_transaction(settings, TOKEN, 0, values) as end:
        running.emit(lines(TOKEN, organization, 20, keys=4))
        assert_named(running, before.next_offset)
        assert (standing(running, TOKEN, 0).watermark or began) < began
        end("commit")
    eventually(lambda: counted(settings, TOKEN, organization) == 23, 60)
    eventually(lambda: health(settings.metrics_port or 0)[0] == 200, 60)
    assert_goes_on(running)


def assert_named(running: Pipeline, readable: int) -> None:
    """Whoever tells how far the tables are says that, where, and from which offset on a transaction hides the log."""
    settings, where = running.settings, f"{TOKEN}/0"
    found = eventually(lambda: (one := standing(running, TOKEN, 0)).is_held and one, 60)
    assert (found.next_offset, found.readable) == (readable, readable)
    assert found.lag == found.log_end - readable >= 3
    eventually(lambda: (told := health(settings.metrics_port or 0))[0] == 503 and where in told[1], 90)
    assert "open transaction" in health(settings.metrics_port or 0)[1]
    listed = json.loads(tally(settings, "positions", "list", "--json").stdout)
    (remark,) = [one["remark"] for one in listed if one["remark"]]
    assert f"an open transaction hides offset {readable}" in remark
    top = json.loads(tally(settings, "top", "--json").stdout)
    assert (top["held_back"], top["lag"]) == ([f"{where}@0"], found.lag)
    doctor = json.loads(tally(settings, "doctor", "--json").stdout)
    assert [one["where"] for one in doctor if "open transaction" in one["what"]] == [where]
    verified = tally(settings, "verify", "--json", "--wait", "1")
    assert verified.returncode == ExitCode.FINDINGS
    assert f"{where}: an open transaction hides offset {readable}" in " ".join(
        json.loads(verified.stdout)["unfinished"]
    )
