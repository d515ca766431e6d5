"""Bad days of the log: recreated topics, removed records, new partitions, poison. One stack, a topic for each test."""

import http.client
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.embedded.ports import free_port
from deploy.errors import ExitCode
from deploy.partition_status import PartitionStatus, partition_statuses
from intake.ndjson import ProducerRecord
from tests.support.incidents import (
    add_partitions,
    counted,
    eventually,
    health,
    lines,
    query,
    recreate,
    remove_before,
    tally,
)
from tests.support.pipeline import Pipeline, pipeline

pytestmark = pytest.mark.slow


class Stack:
    """The module's pipeline and its one worker, which a test may end and start again."""

    def __init__(self, running: Pipeline) -> None:
        self.pipeline = running
        self.settings = running.settings
        self.worker = running.start_worker()

    def emit(self, topic: str, organization: str, number: int, keys: int = 8) -> None:
        self.pipeline.emit(lines(topic, organization, number, keys))

    def counts(self, topic: str, organization: str, expected: int) -> None:
        """The views come to count that many, and health is good again."""
        found = 0

        def is_reached() -> bool:
            nonlocal found
            found = counted(self.settings, topic, organization)
            return found == expected

        eventually(is_reached, told=lambda: f"{found} of {topic} are counted, {expected} expected; {self.health()}")

    def health(self) -> tuple[int, str]:
        assert self.settings.metrics_port
        return health(self.settings.metrics_port)

    def stopped(self, *words: str) -> None:
        """Health comes to be 503 with all these words."""
        eventually(
            lambda: (found := self.health())[0] == 503 and all(word in found[1] for word in words),
            told=lambda: f"{words} expected: {self.health()}",
        )

    def start(self, **changed: object) -> None:
        """Start a worker, with settings changed."""
        self.pipeline.settings = self.settings.model_copy(update=changed)
        self.worker = self.pipeline.start_worker()

    def end(self) -> None:
        self.worker.terminate()
        assert self.worker.wait(timeout=120) == 0

    def tally(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return tally(self.settings, *arguments)

    def standing(self, topic: str, partition: int) -> PartitionStatus:
        return next(one for one in partition_statuses(self.settings, [topic]) if one.partition == partition)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pipeline(tmp_path_factory.mktemp("log"), metrics_port=free_port()) as running:
        yield Stack(running)


@pytest.fixture
def organization(stack: Stack) -> str:
    """An organization of the test's own; the worker runs."""
    if stack.worker.poll() is not None:
        stack.start()
    return str(uuid4())


def test_a_topic_that_was_recreated_and_outgrew_its_position_is_stopped(stack: Stack, organization: str) -> None:
    topic = "tally.token"
    stack.emit(topic, organization, 40)
    stack.counts(topic, organization, 40)
    recreate(stack.settings, topic)
    stack.emit(topic, organization, 100)
    stack.stopped(f"{topic}/0@0", f"{topic}/1@0", "a different record than the one", f"tally epoch {topic}")
    assert counted(stack.settings, topic, organization) == 40
    begun = stack.tally("epoch", topic, "--mode", "continue", "--yes")
    assert begun.returncode == 0, begun.stderr
    assert "stays" in begun.stderr
    stack.counts(topic, organization, 140)
    eventually(lambda: stack.health()[0] == 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "rebind.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/alive"])
def test_a_worker_tells_web_pages_nothing(
    stack: Stack, organization: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.settings.metrics_port or 0, timeout=120)
    eventually(lambda: stack.health()[0] != 0)
    connection.request("GET", path, headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_a_topic_that_was_recreated_and_is_shorter_is_stopped(stack: Stack, organization: str) -> None:
    topic = "tally.chat"
    stack.emit(topic, organization, 60, keys=6)
    stack.counts(topic, organization, 60)
    recreate(stack.settings, topic)
    stack.emit(topic, organization, 5, keys=1)
    stack.stopped("but the log ends at", f"tally epoch {topic}")
    assert counted(stack.settings, topic, organization) == 60
    assert stack.tally("epoch", topic, "--mode", "continue", "--yes").returncode == 0
    stack.counts(topic, organization, 65)

    again = stack.tally("epoch", topic, "--mode", "continue", "--yes")
    assert (again.returncode, again.stderr.count("\n")) == (ExitCode.REFUSED, 1)
    assert "would count twice" in again.stderr

    replaced = stack.tally("epoch", topic, "--mode", "replace", "--yes")
    assert "left out of every view" in replaced.stderr
    stack.counts(topic, organization, 5)
    actives = "SELECT uniqExact(account_id) FROM active_users WHERE organization_id = {id:UUID}"
    assert query(stack.settings, actives, id=organization) == [(1,)]


def test_a_log_that_was_folded_is_folded_again_and_counts_once(stack: Stack, organization: str) -> None:
    topic = "tally.token"
    stack.emit(topic, organization, 30)
    stack.counts(topic, organization, 30)
    twice = stack.tally("epoch", topic, "--mode", "continue", "--yes")
    assert twice.returncode == ExitCode.REFUSED, "its events would count twice"
    before = query(stack.settings, "SELECT max(epoch) FROM topic_epochs WHERE topic = {t:String}", t=topic)
    assert stack.tally("epoch", topic, "--mode", "replace", "--yes").returncode == 0
    assert query(stack.settings, "SELECT max(epoch) FROM topic_epochs WHERE topic = {t:String}", t=topic) > before
    eventually(lambda: not sum(one.lag for one in partition_statuses(stack.settings, [topic])))
    stack.counts(topic, organization, 30)


def test_records_that_were_removed_unfolded_stop_their_source_until_accepted(stack: Stack, organization: str) -> None:
    topic = "tally.project"
    stack.emit(topic, organization, 20, keys=1)
    stack.counts(topic, organization, 20)
    stack.end()
    stack.emit(topic, organization, 30, keys=1)
    [partition] = [one.partition for one in partition_statuses(stack.settings, [topic]) if one.log_end]
    remove_before(stack.settings, topic, partition, 35)
    stack.start()
    stack.stopped(f"{topic}/{partition}@0 is at offset 20", "offsets 20 to 34 are gone")
    stack.stopped(f"tally positions accept {topic} {partition}")
    assert f"tally positions accept {topic} {partition}" in stack.tally("positions", "list", "--json").stdout

    refused = stack.tally("positions", "accept", topic, str(partition))
    assert (refused.returncode, stack.standing(topic, partition).next_offset) == (ExitCode.USAGE, 20), "nobody agreed"
    accepted = stack.tally("positions", "accept", topic, str(partition), "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert "offsets 20 to 34 (15)" in accepted.stderr
    stack.counts(topic, organization, 20 + 15)
    losses = "SELECT source, from_offset, to_offset FROM accepted_losses WHERE source LIKE {like:String}"
    assert query(stack.settings, losses, like=f"{topic}/%") == [(f"{topic}/{partition}@0", 20, 35)]

    stack.end()
    stack.start()
    stack.emit(topic, organization, 10, keys=1)
    stack.counts(topic, organization, 20 + 15 + 10)
    nothing = stack.tally("positions", "accept", topic, str(partition), "--yes")
    assert (nothing.returncode, nothing.stderr.count("\n")) == (ExitCode.REFUSED, 1)
    assert "nothing is missing" in nothing.stderr


def test_records_that_are_removed_before_a_slow_worker_stop_only_their_source(stack: Stack, organization: str) -> None:
    topic = "tally.artifact"
    stack.emit(topic, organization, 10, keys=1)
    stack.counts(topic, organization, 10)
    stack.worker.send_signal(signal.SIGSTOP)
    stack.emit(topic, organization, 20, keys=1)
    time.sleep(0.3)  # a fetch that was under way takes these or not; it cannot take the next
    stack.emit(topic, organization, 20, keys=1)
    [partition] = [one.partition for one in partition_statuses(stack.settings, [topic]) if one.log_end]
    remove_before(stack.settings, topic, partition, 45)
    stack.worker.send_signal(signal.SIGCONT)
    stack.stopped("to 44 are gone")
    folded = stack.standing(topic, partition).next_offset
    assert folded in (10, 30)
    stack.emit("tally.connector", organization, 7)
    stack.counts("tally.connector", organization, 7)
    assert stack.tally("positions", "accept", topic, str(partition), "--yes").returncode == 0
    stack.counts(topic, organization, folded + 5)
    assert stack.worker.poll() is None, "the worker that saw it is the one that goes on"


def test_new_partitions_are_picked_up_without_a_restart(stack: Stack, organization: str) -> None:
    topic = "tally.connector"
    add_partitions(stack.settings, topic, 4)
    stack.emit(topic, organization, 64, keys=32)
    stack.counts(topic, organization, 64)
    assert all(standing.log_end for standing in partition_statuses(stack.settings, [topic])), (
        "no event went to a new partition"
    )
    assert stack.worker.poll() is None


def poison(topic: str, number: int, key: bytes) -> Iterator[ProducerRecord]:
    return (ProducerRecord(topic, key, b'{"type": "no such type %d"' % each, "") for each in range(number))


def letters(stack: Stack, topic: str) -> int:
    """Dead letters of a topic."""
    return stack.tally("dead-letters", "list", "--topic", topic, "--limit", "0", "--json").stdout.count("\n")


def test_a_third_of_poison_goes_to_the_dead_letters_and_the_rest_counts(stack: Stack, organization: str) -> None:
    topic = "tally.token"
    good = lines(topic, organization, 7_000, keys=1)
    bad = poison(topic, 3_000, key=b"00000000-0000-4000-8000-000000000000")
    mixed = (next(bad) if each % 10 in (0, 3, 6) else next(good) for each in range(10_000))
    stack.pipeline.emit(mixed)
    stack.counts(topic, organization, 7_000)
    assert stack.health()[0] == 200
    assert letters(stack, topic) == 3_000


def test_a_source_of_poison_is_halted_and_says_so_until_it_is_let_through(stack: Stack, organization: str) -> None:
    topic, key = "tally.session", b"00000000-0000-4000-8000-000000000000"
    stack.pipeline.emit(poison(topic, 2_500, key))
    stack.stopped(topic, "100% of its latest records are dead letters (schema)", "TALLY_DEAD_LETTER_LIMIT")
    stack.emit("tally.connector", organization, 5)
    stack.counts("tally.connector", organization, 5)
    stack.emit(topic, organization, 9, keys=1)
    assert (letters(stack, topic), counted(stack.settings, topic, organization)) == (0, 0)
    stack.end()
    stack.start(dead_letter_limit=1.0)
    stack.counts(topic, organization, 9)
    assert letters(stack, topic) == 2_500


def test_commands_say_what_is_wrong_in_one_line(stack: Stack, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("epoch", "tally.tokens", "--mode", "replace"), ExitCode.USAGE, "tally.tokens is not an event topic"),
        (("epoch", "tally.token"), ExitCode.USAGE, "--mode continue keeps what was counted"),
        (("epoch", "tally.token", "--mode", "replace"), ExitCode.USAGE, "Confirm it with --yes"),
        (("positions", "accept", "tally.token", "99"), ExitCode.REFUSED, "has no partition 99"),
    ):
        answer = stack.tally(*arguments)
        assert (answer.returncode, said in answer.stderr) == (code, True), (arguments, answer.stderr)
        assert answer.stderr.splitlines()[-1].startswith("tally: "), answer.stderr
