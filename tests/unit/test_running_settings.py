"""A command in the folder of a running stack goes by its settings; what contradicts them is refused or said."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from deploy.embedded.stack import publish_settings, read_settings
from deploy.errors import ExitCode, UserError
from deploy.running_stack import Effective, beside_the_stack
from deploy.settings import load, load_given, reveal, texts_of

Start = Callable[..., None]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)
    Path(".tally").mkdir()


@pytest.fixture
def start() -> Iterator[Start]:
    """Publishes the settings of a stack over `.tally`, as `tally up` does, until the test has ended."""
    with ExitStack() as lives:

        def publish(**flags: str) -> None:
            lives.enter_context(publish_settings(Path(".tally"), texts_of(load(flags=flags))))

        yield publish


def beside(**flags: str) -> Effective:
    return beside_the_stack(load_given(flags=flags))


def test_every_setting_of_the_stack_is_used(start: Start) -> None:
    Path("own.csv").write_text("")
    told = {
        "prices_file": "own.csv",
        "completeness_grace_minutes": "7",
        "dedup_block_size": "64",
        "dedup_blocks": "2",
        "partitions": "3",
        "clickhouse_database": "other",
        "reports_dir": "elsewhere",
        "now": "2026-11-20T00:00:00Z",
        "kafka_bootstrap": "127.0.0.1:5",
        "clickhouse_url": "http://127.0.0.1:6",
        "api_port": "7",
        "api_base_url": "https://tally.example.com",
    }
    start(**told)
    found = beside().settings
    for name, value in load(flags=told):
        assert getattr(found, name) == value, name


def test_secrets_of_the_stack_reach_its_commands_and_no_other_eye(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as first_terminal:
        first_terminal.setenv("TALLY_CLICKHOUSE_PASSWORD", "hunter2")
        start()
    assert reveal(beside().settings.clickhouse_password) == "hunter2"
    assert stat.S_IMODE(Path(".tally/settings.json").stat().st_mode) == 0o600
    assert run(["settings"]) == ExitCode.OK
    assert "hunter2" not in capsys.readouterr().out


def test_a_stack_that_was_killed_leaves_no_settings_behind() -> None:
    code = (
        "import os, signal; from pathlib import Path; from deploy.embedded.stack import publish_settings\n"
        "with publish_settings(Path('.tally'), {'partitions': '3'}): os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    assert Path(".tally/settings.json").exists()
    assert read_settings(Path(".tally")) is None
    assert beside().settings == load()


def test_a_folder_without_a_stack_has_the_settings_of_its_terminal() -> None:
    assert beside(partitions="3") == Effective(load(flags={"partitions": "3"}), {"partitions": "a flag"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dedup_blocks", "9"),
        ("dedup_block_size", "9"),
        ("partitions", "9"),
        ("consumer_group", "nine"),
        ("replication_factor", "9"),
    ],
)
def test_what_would_fold_the_log_otherwise_is_refused_with_both_values(start: Start, name: str, value: str) -> None:
    start()
    with pytest.raises(UserError) as refused:
        beside(**{name: value})
    assert refused.value.exit_code == ExitCode.USAGE
    for said in (name, value, str(getattr(load(), name)), "a flag", ".tally"):
        assert said in refused.value.line()
    agreed: dict[str, Any] = {name: str(getattr(load(), name))}
    assert beside(**agreed).remarks == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("now", "2026-11-20T00:00:00Z"),
        ("completeness_grace_minutes", "9"),
        ("reports_dir", "nine"),
        ("clickhouse_database", "nine"),
    ],
)
def test_what_one_command_may_mean_differently_holds_and_is_said(start: Start, name: str, value: str) -> None:
    start()
    found = beside(**{name: value})
    assert getattr(found.settings, name) == getattr(load(flags={name: value}), name)
    (said,) = found.remarks
    assert str(getattr(found.settings, name)) in said
    assert str(getattr(load(), name)) in said


def test_what_belongs_to_one_process_is_nobody_elses_concern(start: Start) -> None:
    start()
    found = beside(workers="3", metrics_port="9999", api_port="1", debug="true")
    assert (found.settings.workers, found.settings.metrics_port, found.settings.debug) == (3, 9999, True)
    assert found.remarks == ()


def test_another_clickhouse_gets_none_of_the_stacks_logins_and_the_rest_holds(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first_terminal:
        first_terminal.setenv("TALLY_CLICKHOUSE_PASSWORD", "hunter2")
        start(clickhouse_user="stack", dedup_blocks="2", kafka_bootstrap="127.0.0.1:5")
    found = beside(clickhouse_url="http://127.0.0.1:1")
    assert (found.settings.clickhouse_user, reveal(found.settings.clickhouse_password)) == ("default", "")
    assert (found.settings.dedup_blocks, found.settings.kafka_bootstrap) == (2, "127.0.0.1:5")
    assert "http://127.0.0.1:8123" in found.remarks[0]
    same = beside(clickhouse_url="http://localhost:8123")
    assert reveal(same.settings.clickhouse_password) == "hunter2"
    assert same.remarks == ()
    reader = beside(clickhouse_user="reader")
    assert reveal(reader.settings.clickhouse_password) == ""


def test_another_kafka_gets_none_of_the_stacks_logins_and_its_own_log(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as first_terminal:
        first_terminal.setenv("TALLY_KAFKA_SASL_PASSWORD", "hunter2")
        start(kafka_security_protocol="SASL_PLAINTEXT", kafka_sasl_username="stack", dedup_blocks="2")
    assert reveal(beside(kafka_bootstrap="localhost:9092").settings.kafka_sasl_password) == "hunter2"
    found = beside(kafka_bootstrap="elsewhere:9092", partitions="9")
    assert (found.settings.kafka_sasl_password, found.settings.kafka_security_protocol) == (None, "PLAINTEXT")
    assert (found.settings.partitions, found.settings.dedup_blocks) == (9, 2)


def test_another_kafka_and_another_clickhouse_are_another_installation(start: Start) -> None:
    start(dedup_blocks="2", completeness_grace_minutes="7")
    others = {"kafka_bootstrap": "elsewhere:9092", "clickhouse_url": "http://elsewhere:8123"}
    assert beside(**others).settings == load(flags=others)


def test_settings_are_shown_as_commands_use_them_and_from_where(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(dedup_blocks="2", partitions="3")
    monkeypatch.setenv("TALLY_WORKERS", "5")
    Path("tally.toml").write_text("partitions = 3\n")
    assert run(["settings", "--now", "2026-11-20T00:00:00Z"]) == ExitCode.OK
    printed = capsys.readouterr()
    lines = {line.partition(" =")[0]: line for line in printed.out.splitlines()}
    assert "= 2 " in lines["dedup_blocks"]
    assert lines["dedup_blocks"].endswith("from the stack that runs over .tally")
    assert lines["partitions"].endswith("from tally.toml")
    assert lines["workers"].endswith("from TALLY_WORKERS")
    assert lines["now"].endswith("from a flag")
    assert "now is 2026-11-20" in printed.err


def test_a_file_that_the_stack_names_and_that_is_gone_is_said_with_the_stack(start: Start) -> None:
    Path("ca.pem").write_text("")
    start(kafka_ca_file="ca.pem")
    Path("ca.pem").unlink()
    with pytest.raises(UserError, match=r"kafka_ca_file = 'ca\.pem' \(from the stack that runs over \.tally\)"):
        beside()


def test_a_price_list_of_the_stack_that_is_gone_concerns_nobody_who_does_not_read_it(start: Start) -> None:
    Path("own.csv").write_text("")
    start(prices_file="own.csv")
    Path("own.csv").unlink()
    assert beside().settings.prices_file == Path("own.csv")
