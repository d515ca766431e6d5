"""Commands against a real Kafka, as a person runs them."""

import asyncio
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from deploy.errors import ExitCode
from streams.dead_letters import DeadLetter, DeadLetterWriter
from tally_client.events import EVENTS_BY_TOPIC, PROFILES
from tests.support.dead_letters import letter, written
from tests.support.kafka_topics import new_topic, records_of
from tests.support.processes import start as start_process
from tests.support.stack import start_kafka

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def fresh_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker without topics."""
    broker = start_kafka(tmp_path_factory.mktemp("fresh-kafka"))
    yield broker.child.url
    broker.stop()


def tally(*arguments: str, given: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command as a process of its own, as it is installed."""
    command = shutil.which("tally", path=str(Path(sys.executable).parent))
    assert command
    return subprocess.run(
        [command, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        input=given,
        text=True,
        timeout=240,
        check=False,
    )


def simulated(path: str, *more: str) -> list[str]:
    small = ["--until", "2026-11-20", "--days", "3", "--users", "12", "--organizations", "2", "--seed", "5"]
    return ["simulate", "--out", path, *small, *more]


async def test_a_simulated_file_arrives_byte_for_byte_poison_included(fresh_kafka: str) -> None:
    assert run([*simulated("e.ndjson", "--poison", "0.05"), "--json"]) == ExitCode.OK
    early = tally("emit", "e.ndjson", TALLY_KAFKA_BOOTSTRAP=fresh_kafka)
    assert (early.returncode, early.stderr.count("\n")) == (ExitCode.UNREACHABLE, 1), early.stderr
    assert "tally topics create" in early.stderr

    created = tally("topics", "create", "--partitions", "2", TALLY_KAFKA_BOOTSTRAP=fresh_kafka)
    assert "9 topics created, 0 already existed" in created.stdout
    again = tally("topics", "create", "--json", "--kafka-bootstrap", fresh_kafka, TALLY_PARTITIONS="3")
    assert len(json.loads(again.stdout)["differences"]) == len(EVENTS_BY_TOPIC)

    sent = tally("emit", "e.ndjson", "--json", "--check", "--kafka-bootstrap", fresh_kafka)
    assert sent.returncode == ExitCode.FINDINGS, sent.stderr
    counts = json.loads(sent.stdout)
    assert counts["invalid"] > 0
    assert f"{counts['invalid']:,} of them are invalid" in sent.stderr

    from intake.ndjson import read_ndjson

    lines = list(read_ndjson(Path("e.ndjson")))
    forgotten = [line for line in lines if (line.topic, line.value) == (PROFILES, None)]  # told each of two partitions
    assert forgotten, "nobody was forgotten"
    wanted = sorted((line.topic, line.key, line.value or b"") for line in [*lines, *forgotten])
    found = [
        (topic, record.key, record.value or b"")
        for topic in EVENTS_BY_TOPIC
        for record in await records_of(fresh_kafka, topic)
    ]
    assert sorted(found) == wanted
    assert counts["sent"] == len(lines)


NOTHING_FOUND = {"invalid": 0, "repeats": 0, "unlisted": 0}


def test_a_line_that_names_no_topic_ends_the_command_with_its_place(fresh_kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", fresh_kafka)
    Path("bad.ndjson").write_text('{"type": "token.used", "actor": {"id": "a"}}\n{"type": "nonsense"}\n')
    ended = tally("emit", "bad.ndjson", "--kafka-bootstrap", fresh_kafka)
    assert ended.returncode == ExitCode.REFUSED
    assert "bad.ndjson:2: unknown event type" in ended.stderr
    assert ended.stderr.count("\n") == 1
    skipped = tally("emit", "bad.ndjson", "--skip", "--json", "--kafka-bootstrap", fresh_kafka)
    assert skipped.returncode == ExitCode.FINDINGS
    assert json.loads(skipped.stdout) == {"sent": 1, "by_topic": {"tally.token": 1}, "skipped": 1, **NOTHING_FOUND}


async def test_a_conflict_is_not_replayed_and_its_letter_stays(kafka: str) -> None:
    topic = await new_topic(kafka)
    await written(kafka, [letter(topic, 0, "conflict"), letter(topic, 1, "schema")])
    named = tally("dead-letters", "replay", "--topic", topic, "--reason", "conflict", "--kafka-bootstrap", kafka)
    assert named.returncode == ExitCode.REFUSED
    assert "emit it under a new event_id" in named.stderr
    all_ = tally("dead-letters", "replay", "--topic", topic, "--kafka-bootstrap", kafka)
    assert (all_.returncode, all_.stdout) == (ExitCode.FINDINGS, "1 letter replayed.\n")
    assert "1 conflict was left" in all_.stderr
    left = tally("dead-letters", "list", "--topic", topic, "--kafka-bootstrap", kafka)
    assert [" conflict: " in line for line in left.stdout.splitlines()] == [True]
    assert len(await records_of(kafka, topic)) == 1


def test_a_pipe_is_read_once_and_nothing_of_it_is_lost(fresh_kafka: str, tmp_path: Path) -> None:
    tally("topics", "create", "--kafka-bootstrap", fresh_kafka)
    event, known = '{"type": "token.used", "actor": {"id": "a"}}', ["--json", "--kafka-bootstrap", fresh_kafka]
    text = f"{event}\n" * 5

    def sent(*arguments: str, **options: Any) -> tuple[int, int]:
        ended = tally("emit", *arguments, *known, **options)
        counts = json.loads(ended.stdout)
        assert ended.returncode == (ExitCode.FINDINGS if counts["skipped"] or counts["invalid"] else ExitCode.OK)
        return counts["sent"], counts["skipped"] + counts["invalid"]

    for name in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        assert sent(name, given=text) == (5, 0)
    assert sent("-", "--check", given=text) == (5, 5)
    assert sent("-", "--skip", given=f"garbage\n{text}{event}") == (6, 1)
    assert sent("-", given="") == (0, 0)
    fifo = tmp_path / "ff"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_text(text))
    writer.start()
    assert sent(str(fifo)) == (5, 0)
    writer.join(30)


def test_what_a_pipe_gave_is_sent_while_it_waits(kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", kafka)
    event = '{"type": "plugin.used", "actor": {"id": "slow pipe"}}\n'
    command = [str(Path(sys.executable).parent / "tally"), "emit", "-", "--kafka-bootstrap", kafka]
    with start_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(event)
        process.stdin.flush()
        while not [each for each in asyncio.run(records_of(kafka, "tally.connector")) if each.key == b"slow pipe"]:
            time.sleep(0.2)
        process.stdin.write(event)
        process.stdin.close()
        assert process.stdout.read().startswith("2 events sent")


def test_an_interrupt_ends_a_command_that_waits_for_its_pipe(kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", kafka)
    command = [str(Path(sys.executable).parent / "tally"), "emit", "-", "--kafka-bootstrap", kafka]
    # What a shell starts in the background ignores the signal, and so would all that these tests start.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with start_process(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed, text=True) as process:
        assert process.stdin
        process.stdin.write('{"type": "plugin.used", "actor": {"id": "interrupted"}}\n')
        process.stdin.flush()
        while not [each for each in asyncio.run(records_of(kafka, "tally.connector")) if each.key == b"interrupted"]:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == ExitCode.INTERRUPTED


def test_simulated_events_go_down_a_pipe(fresh_kafka: str) -> None:
    text = tally(*simulated("-"))
    assert (text.returncode, " events, 2026" in text.stderr) == (ExitCode.OK, True)
    assert text.stdout.splitlines()
    assert all(line.startswith("{") for line in text.stdout.splitlines())
    known = ["--json", "--kafka-bootstrap", fresh_kafka]
    tally("topics", "create", "--kafka-bootstrap", fresh_kafka)
    sent = tally("emit", "-", *known, given=text.stdout)
    assert json.loads(sent.stdout)["sent"] == len(text.stdout.splitlines())
    [head] = [command for command in (shutil.which("head"),) if command]
    tally_command = (
        f"{Path(sys.executable).parent}/tally {' '.join(simulated('-'))} | {head} -1; exit ${{PIPESTATUS[0]}}"
    )
    ended = subprocess.run(["bash", "-c", tally_command], capture_output=True, text=True, timeout=240, check=False)
    assert (ended.returncode, ended.stderr, ended.stdout.count("\n")) == (ExitCode.OK, "", 1)


def test_a_rate_is_kept(fresh_kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", fresh_kafka)
    Path("few.ndjson").write_text('{"type": "token.used", "actor": {"id": "a"}}\n' * 20)
    sent = tally("emit", "few.ndjson", "--rate", "20", "--kafka-bootstrap", fresh_kafka)
    assert sent.returncode == ExitCode.OK
    assert float(sent.stdout.split(" in ")[1].split(" s")[0]) >= 0.9


async def test_dead_letters_are_listed_and_replayed_by_command(kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", kafka)
    topic = await new_topic(kafka)
    common = {"topic": topic, "partition": 0, "epoch": 0, "timestamp_ms": 1_790_000_000_000}
    letters = [
        DeadLetter.from_record(
            key=b"k", value=b"\xff\x1b[2J\n1", offset=1, reason="not_json", detail="it is no JSON", **common
        ),
        DeadLetter.from_record(key=b"k", value=b"2", offset=2, reason="schema", detail="no type", **common),
    ]
    async with DeadLetterWriter(kafka) as writer:
        await writer.write(letters)
    listing = tally("dead-letters", "list", "--topic", topic, "--kafka-bootstrap", kafka)
    first, second = listing.stdout.splitlines()
    assert first.startswith("2026-09-21T14:13:20.000+00:00 " + letters[0].location + " not_json: it is no JSON")
    assert first.endswith(r"| \xff\x1b[2J\n1"), "the letter's bytes could steer a terminal"
    assert "schema: no type" in second
    assert "1 not_json" in listing.stderr
    lines = tally("dead-letters", "list", "--topic", topic, "--json", "--kafka-bootstrap", kafka).stdout.splitlines()
    assert [json.loads(line)["offset"] for line in lines] == [1, 2]

    replayed = tally("dead-letters", "replay", "--topic", topic, "--reason", "schema", "--kafka-bootstrap", kafka)
    assert (replayed.returncode, replayed.stdout) == (ExitCode.OK, "1 letter replayed.\n")
    assert [(record.key, record.value) for record in await records_of(kafka, topic)] == [(b"k", b"2")]
    assert len(tally("dead-letters", "list", "--topic", topic, "--kafka-bootstrap", kafka).stdout.splitlines()) == 1


def test_simulate_sends_to_kafka(kafka: str) -> None:
    tally("topics", "create", "--kafka-bootstrap", kafka)
    arguments = [argument for argument in simulated("x") if argument not in ("--out", "x")]
    sent = tally(*arguments, "--send", "--json", "--kafka-bootstrap", kafka)
    assert sent.returncode == ExitCode.OK, sent.stderr
    assert json.loads(sent.stdout)["events"] > 100


@pytest.mark.parametrize("arguments", [["schema"], ["settings"], ["--help"], [], ["export", "--help"], ["--version"]])
def test_a_closed_pipe_is_no_failure(arguments: list[str]) -> None:
    """`| head` that has seen enough, whoever writes: typer, rich or a command."""
    gone, output = os.pipe()
    os.close(gone)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "cli", *arguments], stdout=output, stderr=subprocess.PIPE, text=True, timeout=240
        )
    finally:
        os.close(output)
    assert (ended.returncode, ended.stderr) == (ExitCode.OK, "")
