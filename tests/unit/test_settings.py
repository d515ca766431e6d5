"""Settings: environment, then TOML, then flags; nothing unknown passes, and every complaint names its place."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.errors import ExitCode, UserError
from deploy.settings import Settings, is_secret, load, reveal, variable_of
from deploy.up import environment_of


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in [name for name in os.environ if name.upper().startswith("TALLY_")]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(tmp_path)


def complaint(**flags: str) -> str:
    with pytest.raises(UserError) as caught:
        load(flags=flags)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.line()


def test_defaults_fit_the_embedded_stack() -> None:
    settings = load()
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.clickhouse_url == "http://127.0.0.1:8123"
    assert settings.reports_dir == Path(".tally/reports")
    assert settings.client_options() == {"security_protocol": "PLAINTEXT"}


def test_a_file_wins_over_the_environment_and_a_flag_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_PARTITIONS", "2")
    monkeypatch.setenv("TALLY_WORKERS", "2")
    monkeypatch.setenv("TALLY_CONSUMER_GROUP", "from-environment")
    Path("tally.toml").write_text("workers = 3\nconsumer_group = 'from-file'\n")
    settings = load(flags={"consumer_group": "from-flag"})
    assert (settings.partitions, settings.workers, settings.consumer_group) == (2, 3, "from-flag")


def test_the_file_can_be_named_by_flag_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.toml").write_text("workers = 5")
    Path("b.toml").write_text("workers = 6")
    monkeypatch.setenv("TALLY_CONFIG", "a.toml")
    assert load().workers == 5
    assert load(Path("b.toml")).workers == 6


def test_reports_follow_the_data_folder_unless_they_have_their_own() -> None:
    assert load(flags={"data_dir": "x"}).reports_dir == Path("x/reports")
    assert load(flags={"data_dir": "x", "reports_dir": "y"}).reports_dir == Path("y")


def test_an_unknown_variable_is_refused_with_the_nearest_valid_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_KAFKA_BOOSTRAP", "elsewhere:9092")
    said = complaint()
    assert "TALLY_KAFKA_BOOSTRAP" in said
    assert "TALLY_KAFKA_BOOTSTRAP" in said


def test_an_unknown_name_in_the_file_or_a_flag_is_refused() -> None:
    assert "nearest valid one is dedup_blocks" in complaint(dedup_block="3")
    Path("tally.toml").write_text("clickhouse_uri = 'http://x:1'")
    said = complaint()
    assert "Unknown setting clickhouse_uri in tally.toml" in said
    assert "clickhouse_url" in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"partitions": "many"}, "partitions = 'many' (from a flag)"),
        ({"partitions": "0"}, "greater than 0"),
        ({"clickhouse_url": "localhost:8123"}, "must look like http://host:8123"),
        ({"clickhouse_url": "http://me:secret@host:8123"}, "use clickhouse_user"),
        ({"clickhouse_database": "a; drop"}, "clickhouse_database"),
        ({"kafka_bootstrap": "nowhere"}, "host:9092"),
        ({"kafka_security_protocol": "SASL_SSL"}, "needs kafka_sasl_username"),
        ({"kafka_sasl_username": "me"}, "needs kafka_security_protocol"),
        ({"prices_file": "/dev/null"}, "must be a regular file"),
        ({"now": "2026-11-20T00:00:00"}, "timezone"),
        ({"metrics_port": "70000"}, "65535"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_name(flags: dict[str, str], said: str) -> None:
    line = complaint(**flags)
    assert said in line
    assert "\n" not in line


def test_a_wrong_value_says_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_WORKERS", "none")
    assert "(from TALLY_WORKERS)" in complaint()
    Path("tally.toml").write_text("workers = -1")
    assert "(from tally.toml)" in complaint()


def test_a_missing_or_broken_file_is_one_line() -> None:
    with pytest.raises(UserError) as caught:
        load(Path("missing.toml"))
    assert caught.value.exit_code == ExitCode.FILE
    Path("tally.toml").write_text("workers = ")
    assert "tally.toml is not TOML" in complaint()


def test_secrets_never_show() -> None:
    flags = {
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_sasl_username": "me",
        "kafka_sasl_password": "hunter2",
    }
    settings = load(flags=flags)
    assert "hunter2" not in repr(settings)
    assert settings.client_options()["sasl_plain_password"] == "hunter2"
    assert reveal(settings.kafka_sasl_password) == "hunter2"
    assert [name for name in Settings.model_fields if is_secret(name)] == ["kafka_sasl_password", "clickhouse_password"]


def test_tls_takes_the_given_authority() -> None:
    assert "ssl_context" in load(flags={"kafka_security_protocol": "SSL"}).client_options()
    Path("ca.pem").write_text("not a certificate")
    settings = load(flags={"kafka_security_protocol": "SSL", "kafka_ca_file": "ca.pem"})
    with pytest.raises(UserError, match=r"kafka_ca_file ca\.pem"):
        settings.client_options()


def test_the_clock_is_utc_and_can_be_set() -> None:
    assert load(flags={"now": "2026-11-20T01:00:00+01:00"}).clock() == datetime(2026, 11, 20, tzinfo=UTC)
    before = datetime.now(UTC)
    assert before <= load().clock() <= datetime.now(UTC)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().workers = 2  # type: ignore[misc]  # the assignment itself must fail


def test_variables_are_spelt_in_capitals() -> None:
    assert variable_of("kafka_bootstrap") == "TALLY_KAFKA_BOOTSTRAP"


def test_a_child_process_gets_the_very_settings_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tally.toml").write_text("workers = 2\nconsumer_group = 'from-file'\n")
    secrets = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "me", "kafka_sasl_password": "hunter2"}
    parent = load(flags={"workers": "5", "now": "2026-11-20T01:00:00+01:00", "debug": "true", **secrets})
    for variable, value in environment_of(parent).items():
        monkeypatch.setenv(variable, value)
    assert load() == parent
