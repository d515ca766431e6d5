"""The command line: settings as flags anywhere, exit codes that mean something, one line for each failure."""

import errno
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import typer

from cli.main import app, run, split_settings
from deploy.errors import MEANINGS, ExitCode, UserError, explain
from deploy.settings import Settings
from pricing.price_table import DEFAULT_PRICE_LIST
from reports.exports.formats import FORMATS
from reports.exports.spend_columns import LAYOUTS
from reports.periods import KINDS
from tally_client.emitter import UndeliverableEvent
from tally_client.partition_batcher import DeliveryFailure, Record


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """(exit code, the one line on stderr) of a command that fails."""
    code = run(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, f"not one line: {captured.err}"
    return code, captured.err


def test_settings_are_flags_before_and_after_the_command() -> None:
    arguments = ["--kafka-bootstrap", "a:1", "emit", "--workers=3", "f.ndjson", "--rate", "5", "--debug"]
    flags, rest = split_settings(arguments)
    assert flags == {"kafka_bootstrap": "a:1", "workers": "3", "debug": "true"}
    assert rest == ["emit", "f.ndjson", "--rate", "5"]


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert split_settings(["emit", "--", "--workers"]) == ({}, ["emit", "--", "--workers"])


def test_a_flag_without_its_value_or_with_a_secret_is_refused() -> None:
    with pytest.raises(UserError, match="--workers needs a value"):
        split_settings(["worker", "--workers"])
    with pytest.raises(UserError, match="is a secret"):
        split_settings(["worker", "--kafka-sasl-password", "hunter2"])


def test_no_command_has_an_option_that_is_also_a_setting() -> None:
    taken = {"config", *Settings.model_fields}
    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    commands = [command.callback for group in groups if group for command in group.registered_commands]
    assert len(commands) > 12
    for callback in commands:
        assert callback
        hints = inspect.get_annotations(callback, eval_str=False)
        options = {
            declared.lstrip("-").replace("-", "_")
            for name, hint in hints.items()
            for info in getattr(hint, "__metadata__", ())
            for declared in (getattr(info, "param_decls", None) or (f"--{name}",))
        }
        assert not options & taken, f"{callback.__module__} hides a setting"


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], ExitCode.USAGE, "nonsense"),
        (["emit"], ExitCode.USAGE, "FILE"),
        (["emit", "missing.ndjson"], ExitCode.FILE, "missing.ndjson: no such file"),
        (["emit", "x", "--rate", "0"], ExitCode.USAGE, "rate"),
        (["emit", "x", "--partitions", "many"], ExitCode.USAGE, "partitions = 'many' (from a flag)"),
        (["emit", "x", "--config", "missing.toml"], ExitCode.FILE, "missing.toml"),
        (["simulate"], ExitCode.USAGE, "Use either --out FILE or --send"),
        (["simulate", "--out", "x", "--days", "0"], ExitCode.USAGE, "at least 1 day"),
        (["simulate", "--out", "x", "--until", "yesterday"], ExitCode.USAGE, "yesterday"),
        (["simulate", "--out", "no/such/folder/x", "--users", "6"], ExitCode.FILE, "no/such/folder"),
        (["dead-letters", "replay"], ExitCode.USAGE, "--all"),
        (["prices", "check", "missing.csv"], ExitCode.FILE, "missing.csv: no such file"),
        (["prices", "check", "--prices-file", "missing.csv"], ExitCode.FILE, "missing.csv: no such file"),
        (["prices", "check", "/"], ExitCode.FILE, "is a directory"),
        (["api", "--api-host", "nosuch.invalid"], ExitCode.USAGE, "nosuch.invalid"),
        (
            ["topics", "create", "--timeout", "0", "--kafka-bootstrap", "127.0.0.1:1"],
            ExitCode.UNREACHABLE,
            "127.0.0.1:1",
        ),
        (["dead-letters", "list", "--kafka-bootstrap", "127.0.0.1:1"], ExitCode.UNREACHABLE, "Kafka at 127.0.0.1:1"),
        (["migrate", "--clickhouse-url", "http://127.0.0.1:1"], ExitCode.UNREACHABLE, "http://127.0.0.1:1"),
    ],
)
def test_a_failure_is_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: ExitCode, said: str
) -> None:
    found, line = failure(capsys, *arguments)
    assert said in line
    assert found == code


NIL = "00000000-0000-0000-0000-000000000000"
OF_NIL, OF_SOMEBODY = ["--organization", NIL], ["--organization", "0a000000-0000-4000-8000-000000000001"]
PROVIDER = ["--issuer", "https://i.example", "--audience", "a", "--jwks", "https://i.example/keys", "--claim", "sub"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", *OF_NIL, "--name", "x"],
        ["keys", "list", *OF_NIL],
        ["export", *OF_NIL, "--period", "last-month"],
        ["login-link", *OF_NIL, "--email", "a@b"],
        ["login-link", *OF_SOMEBODY, "--account", NIL],
        ["sign-out", *OF_NIL],
        ["sign-out", *OF_SOMEBODY, "--account", NIL],
        ["identity", "set", *OF_NIL, *PROVIDER],
        ["identity", "show", *OF_NIL],
        ["identity", "remove", *OF_NIL],
        ["audit", *OF_NIL],
        ["organizations", "create", "Acme", "--id", NIL],
        ["organizations", "rename", NIL, "Acme"],
        ["organizations", "set", NIL, "--plan", "team"],
        ["members", "add", "a@b", *OF_NIL],
        ["members", "list", *OF_NIL],
        ["members", "remove", "a@b", *OF_NIL],
        ["seats", "set", "5", *OF_NIL],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_the_nil_id_is_nobodys_to_every_command(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """It stands for "none": sign-out of it would end everybody's sessions, a key of it would read nobody's usage."""
    code, line = failure(capsys, *arguments, "--clickhouse-url", "http://127.0.0.1:1")
    assert code == ExitCode.USAGE
    assert "is the nil UUID, which means none" in line


@pytest.mark.parametrize(
    "text", ["x", NIL[1:], f"{{{OF_SOMEBODY[1]}}}", OF_SOMEBODY[1].replace("-", ""), f"{NIL[1:]}\n"]
)
def test_what_is_no_id_is_told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, line = failure(capsys, "keys", "list", "--organization", text, "--clickhouse-url", "http://127.0.0.1:1")
    assert code == ExitCode.USAGE
    assert "is not a UUID" in line


def test_an_unknown_variable_stops_every_command_that_has_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_KAFKA", "x")
    code, line = failure(capsys, "settings")
    assert code == ExitCode.USAGE
    assert "TALLY_KAFKA" in line


def test_an_unreadable_line_is_named_by_file_and_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("prices.csv").write_text("not,a,price,list\n")
    code, line = failure(capsys, "prices", "check", "prices.csv")
    assert code == ExitCode.REFUSED
    assert "prices.csv" in line


def test_a_bug_is_one_line_unless_debug_asks_for_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise LookupError("a bug")

    broken_app = typer.Typer()
    broken_app.command()(broken)
    monkeypatch.setattr("cli.main.app", broken_app)
    code, line = failure(capsys)
    assert code == ExitCode.INTERNAL
    assert "LookupError: a bug" in line
    assert "--debug" in line
    assert run(["--debug"]) == ExitCode.INTERNAL
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    stopped_app = typer.Typer()
    stopped_app.command()(interrupted)
    monkeypatch.setattr("cli.main.app", stopped_app)
    assert run([]) == ExitCode.INTERRUPTED


def test_settings_are_printed_as_a_settings_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["settings", "--workers", "3", "--now", "2026-11-20T00:00:00Z"]) == ExitCode.OK
    Path("tally.toml").write_text(capsys.readouterr().out)
    assert run(["settings", "--json"]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert '"workers": 3' in printed
    assert "2026-11-20" in printed


def test_settings_never_print_secrets(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_CLICKHOUSE_PASSWORD", "hunter2")
    for arguments in (["settings"], ["settings", "--json"]):
        assert run(arguments) == ExitCode.OK
        assert "hunter2" not in capsys.readouterr().out


def test_the_shipped_prices_are_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["prices", "check"]) == ExitCode.OK
    assert "The shipped list is a valid price list" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            (name, content)
            for name in ("ports.json", "passwords.json")
            for content in (b"garbage", b"", b"[]", b"\xff")
        ),
        *(("ports.json", content) for content in (b'{"kafka": "x"}', b'{"kafka": 99999999}')),
        ("passwords.json", b'{"kafka": 1}'),
    ],
)
def test_a_file_of_the_stack_that_was_damaged_is_named(
    capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    Path(".tally").mkdir()
    (Path(".tally") / name).write_bytes(content)
    code, line = failure(capsys, "up", "--kafka-bootstrap", "127.0.0.1:1")
    assert code == ExitCode.FILE
    assert f".tally/{name} is damaged" in line


def test_a_price_list_comes_down_a_pipe() -> None:
    command = [sys.executable, "-m", "cli", "prices", "check", "-"]
    done = subprocess.run(command, input=DEFAULT_PRICE_LIST.read_bytes(), capture_output=True, check=True)
    assert done.stdout.startswith(b"- is a valid price list")


def test_a_simulation_replaces_no_file_unless_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", "--out", "mine", "--until", "2026-11-20", "--users", "6", "--days", "1"]
    Path("mine").write_text("mine")
    code, line = failure(capsys, *arguments)
    assert (code, Path("mine").read_text()) == (ExitCode.FILE, "mine")
    assert "--replace" in line
    Path("link").symlink_to("mine")
    assert failure(capsys, *arguments, "--out", "link")[0] == ExitCode.FILE
    assert run([*arguments, "--replace"]) == ExitCode.OK
    made = Path("mine").read_bytes()
    assert b"event_id" in made
    Path("mine").write_text("")
    assert run(arguments) == ExitCode.OK  # an empty file is nothing that could be lost
    assert Path("mine").read_bytes() == made


def test_a_simulation_is_the_same_for_the_same_seed(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        arguments = ["simulate", "--out", name, "--until", "2026-11-20", "--users", "8", "--days", "2", "--seed", "3"]
        assert run([*arguments, "--organizations", "2"]) == ExitCode.OK
    assert Path("a").read_bytes() == Path("b").read_bytes() != b""
    assert "2026-11-18 to 2026-11-20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.csv"), ExitCode.FILE),
        (OSError(errno.EADDRINUSE, "Address already in use"), ExitCode.BUSY),
        (PermissionError(errno.EACCES, "Permission denied", "x.csv"), ExitCode.FILE),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), ExitCode.UNREACHABLE),
        (
            UndeliverableEvent([DeliveryFailure("tally.token", (Record(b"k", b"{}"),), "it rains")]),
            ExitCode.UNREACHABLE,
        ),
        (ExceptionGroup("several", [ValueError(), UserError("known", exit_code=ExitCode.REFUSED)]), ExitCode.REFUSED),
    ],
)
def test_library_errors_are_told_apart(error: Exception, code: ExitCode) -> None:
    known = explain(error)
    assert known is not None
    assert known.exit_code == code
    assert "\n" not in known.line()


def test_the_cause_of_an_error_is_told_when_the_error_itself_is_unknown() -> None:
    try:
        try:
            raise UserError("the cause")
        except UserError as cause:
            raise LookupError from cause
    except LookupError as error:
        known = explain(error)
    assert known is not None
    assert known.message == "the cause"
    assert explain(LookupError()) is None


def test_a_servers_many_lines_become_one() -> None:
    assert UserError("a\nb.", "c\n d").line() == "a b. c d"


@pytest.mark.parametrize(("flag", "names"), [("--period", KINDS), ("--format", FORMATS), ("--columns", LAYOUTS)])
def test_an_export_takes_the_names_that_reports_have(
    capsys: pytest.CaptureFixture[str], flag: str, names: Iterable[str]
) -> None:
    code, line = failure(capsys, "export", "--organization", "x", flag, "other")
    assert code == ExitCode.USAGE
    assert re.findall(r"'([\w-]+)'", line.partition(" one of ")[2]) == list(names)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--columns", "daily"], "--columns is only for the spend report"),
        (["--out", "a.xlsx"], "FOCUS is written to .csv or .parquet, not to a.xlsx"),
    ],
)
def test_flags_of_an_export_that_contradict_each_other(
    capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    code, line = failure(capsys, "export", "--organization", "x", "--format", "focus", *flags)
    assert code == ExitCode.USAGE
    assert says in line
