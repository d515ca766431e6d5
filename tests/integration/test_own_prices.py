"""An own list of prices, as an operator has it: what is in force is exactly that file, and no command that reads
changes it. Everything goes through the command line, on a real Kafka and ClickHouse."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from deploy.embedded.stack import read_stack
from deploy.errors import ExitCode
from deploy.settings import Settings
from intake.ndjson import ProducerRecord
from pricing.price_table import DEFAULT_PRICE_LIST
from tests.support.incidents import eventually, query, start_up, tally
from tests.support.pipeline import pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ORGANIZATION = "aaaaaaaa-0000-4000-8000-00000000000a"
OPUS, SONNET = "claude-opus-4-8", "claude-sonnet-4-5"
DAY = datetime.now(UTC).date() - timedelta(days=3)
SHIPPED_FROM = "2026-05-28"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A million output tokens of two models on one day, folded; the shipped list is in force."""
    with pipeline(tmp_path_factory.mktemp("prices")) as running:
        running.start_worker()
        running.emit(used(model) for model in (OPUS, SONNET))
        running.wait()
        yield running.settings


@pytest.fixture(autouse=True)
def _shipped(settings: Settings) -> None:
    """The shipped list is in force and no report is issued."""
    for table in ("issued_reports", "report_checks"):
        query(settings, f"TRUNCATE TABLE {table}")
    assert run(settings, "prices", "load", "--shipped", "--revise").returncode == 0


def used(model: str) -> ProducerRecord:
    person, at = str(uuid4()), f"{DAY}T10:00:00Z"
    event: dict[str, Any] = {
        "type": "token.used",
        "event_id": str(uuid4()),
        "occurred_at": at,
        "organization_id": ORGANIZATION,
    }
    event |= {"actor": {"type": "user", "id": person}, "request_id": "r", "product": "chat"}
    event |= {"model": model, "funding": "usage_based", "output_tokens": 1_000_000}
    return ProducerRecord("tally.token", person.encode(), orjson.dumps(event), at)


def run(settings: Settings, *arguments: str, prices: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return tally(settings.model_copy(update={"prices_file": prices}), *arguments)


def own(path: Path, start: str = SHIPPED_FROM, output: str = "10", *more: str) -> Path:
    """The shipped prices of tools, and the model of 25 USD a million output tokens for 10."""
    lines = [line for line in DEFAULT_PRICE_LIST.read_text().splitlines() if not line.startswith("#")]
    head, tools = lines[0], [line for line in lines[1:] if not line.split(",")[1]]
    line = f"{start},{OPUS},,Opus,Claude Opus 4.8,2,{output},0.05,1.25,2,0.5,1,1,1,1,1,1.1,2,,,contract,2026-11-01"
    path.write_text("\n".join([head, *tools, line, *more]) + "\n")
    return path


def exported(settings: Settings, folder: Path, prices: Path | None = None) -> dict[str, str]:
    """Net spend by model of an export, "" where it is empty."""
    out = folder / f"{uuid4()}.csv"
    days = ("--period", "custom", "--start", str(DAY), "--end", str(DAY))
    answer = run(settings, "export", "--organization", ORGANIZATION, *days, "--out", str(out), prices=prices)
    assert answer.returncode == 0, answer.stderr
    header, *rows = [line.split(",") for line in out.read_text().splitlines()]
    model, net = header.index("model"), header.index("total_net_spend_usd")
    return {row[model]: row[net] for row in rows}


def test_an_own_list_replaces_the_shipped_one_whole(settings: Settings, tmp_path: Path) -> None:
    for start in (SHIPPED_FROM, str(DAY - timedelta(days=1))):
        assert run(settings, "prices", "load", "--shipped").returncode == 0
        assert exported(settings, tmp_path) == {OPUS: "25", SONNET: "15"}
        prices = own(tmp_path / "prices.csv", start)
        loaded = run(settings, "prices", "load", prices=prices)
        assert (loaded.returncode, loaded.stderr) == (0, "")
        assert exported(settings, tmp_path, prices) == {OPUS: "10", SONNET: ""}


def test_an_export_with_another_list_than_the_one_in_force_is_refused(settings: Settings, tmp_path: Path) -> None:
    prices = own(tmp_path / "prices.csv")
    refused = run(settings, "export", "--organization", ORGANIZATION, "--period", "mtd", prices=prices)
    assert refused.returncode == ExitCode.REFUSED
    for said in (str(prices), "the shipped list", "tally prices load"):
        assert said in refused.stderr
    assert exported(settings, tmp_path) == {OPUS: "25", SONNET: "15"}


def test_a_price_that_was_wrong_can_be_taken_back_and_corrected(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    typo = f"2030-12-24,{OPUS},,Opus,Claude Opus 4.8,2,1000,0.05,1.25,2,0.5,1,1,1,1,1,1.1,2,,,contract,2026-11-01"
    dear = "SELECT count() FROM prices_in_force WHERE output_token_usd >= 0.001"
    own(path, SHIPPED_FROM, "10", typo)
    assert run(settings, "prices", "load", prices=path).returncode == 0
    assert query(settings, dear)[0][0] > 0
    own(path, SHIPPED_FROM, "10", typo.replace("1000", "10"))
    assert run(settings, "prices", "load", prices=path).returncode == 0
    assert query(settings, dear)[0][0] == 0
    own(path)
    assert run(settings, "prices", "load", prices=path).returncode == 0
    assert query(settings, "SELECT count() FROM prices_in_force WHERE in_force_from > '2030-01-01 00:00:00'") == [(0,)]
    own(path, SHIPPED_FROM, "12")
    assert run(settings, "prices", "load", prices=path).returncode == 0
    assert exported(settings, tmp_path, path) == {OPUS: "12", SONNET: ""}


def test_no_command_that_reads_changes_prices_or_tables(settings: Settings, tmp_path: Path) -> None:
    """The shell of each has no prices_file."""
    prices = own(tmp_path / "prices.csv", str(DAY - timedelta(days=9)))
    assert run(settings, "prices", "load", prices=prices).returncode == 0
    assert exported(settings, tmp_path, prices) == {OPUS: "10", SONNET: ""}
    there = (
        "SELECT (SELECT count() FROM price_lists), (SELECT count() FROM listed_prices), (SELECT count() FROM prices)"
    )
    before = query(settings, there)
    assert exported(settings, tmp_path) == {OPUS: "10", SONNET: ""}
    reports = settings.model_copy(update={"reports_dir": tmp_path / "reports"})
    commands = (
        *(("exporter", "--once"), ("doctor",), ("prices", "list"), ("prices", "check"), ("verify", "--wait", "5")),
        *(("top", "--once"), ("positions", "list"), ("audit",), ("dead-letters", "list"), ("settings",)),
    )
    for command in commands:
        run(reports, *command)
        assert query(settings, there) == before, command
    assert exported(settings, tmp_path, prices) == {OPUS: "10", SONNET: ""}
    issued = (tmp_path / "reports" / ORGANIZATION / f"{DAY}.r1.csv").read_text()
    assert [line.split(",")[-2] for line in issued.splitlines()[1:] if OPUS in line] == ["10"]


def test_a_stack_that_forgot_its_list_keeps_it_and_says_so(settings: Settings, tmp_path: Path) -> None:
    prices = own(tmp_path / "prices.csv")
    assert run(settings, "migrate", prices=prices).returncode == 0
    forgot = run(settings, "migrate")
    assert forgot.returncode == 0
    assert f"prices_file is not set, so list {revision(settings)}, {prices}" in forgot.stderr
    assert run(settings, "prices", "load").returncode == ExitCode.USAGE
    assert exported(settings, tmp_path) == {OPUS: "10", SONNET: ""}
    assert "prices_file is not set" in run(settings, "doctor").stdout


def test_a_list_that_issued_reports_do_not_rest_on_is_refused_until_they_are_to_be_revised(
    settings: Settings, tmp_path: Path
) -> None:
    reports = settings.model_copy(update={"reports_dir": tmp_path / "reports"})
    folder = tmp_path / "reports" / ORGANIZATION
    assert run(reports, "exporter", "--once").returncode == 0
    prices = own(tmp_path / "prices.csv")
    refused = run(settings, "prices", "load", prices=prices)
    assert refused.returncode == ExitCode.REFUSED
    for said in (str(DAY), ORGANIZATION, "tally prices load --revise"):
        assert said in refused.stderr
    with_more = tmp_path / "more.csv"
    more = f"2030-01-01,{OPUS},,Opus,Claude Opus 4.8,2,9,0.05,1.25,2,0.5,1,1,1,1,1,1.1,2,,,contract,2026-11-01"
    with_more.write_text(f"{DEFAULT_PRICE_LIST.read_text()}{more}\n")
    assert run(settings, "prices", "load", str(with_more)).returncode == 0  # no issued day has that price
    kept = run(settings, "migrate", prices=prices)  # what `tally up` does first
    assert (kept.returncode, kept.stdout) == (0, f"The database {settings.clickhouse_database} is up to date.\n")
    assert f"list {revision(settings)}, {with_more}" in kept.stderr
    assert "tally prices load --revise" in kept.stderr
    assert run(reports, "exporter", "--once").returncode == 0
    assert [path.name for path in sorted(folder.glob(f"{DAY}*.csv"))] == [f"{DAY}.r1.csv"]
    assert run(settings, "prices", "load", "--revise", prices=prices).returncode == 0
    assert run(reports, "exporter", "--once").returncode == 0
    manifests = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{DAY}*.manifest.json"))]
    assert [entry["totals"]["priced_net_spend_usd"] for entry in manifests] == ["40", "10"]
    assert manifests[1]["changes"]["reasons"] == ["prices"]


def test_what_is_in_force_is_shown_with_its_origin_and_its_history(settings: Settings, tmp_path: Path) -> None:
    prices = own(tmp_path / "prices.csv")
    other = run(settings, "prices", "list", prices=prices)
    assert "the shipped list" in other.stdout
    assert f"prices_file is {prices}, but in force is list {revision(settings)}" in other.stderr
    doctor = run(settings, "doctor", prices=prices)
    assert doctor.returncode == ExitCode.FINDINGS
    assert "but in force is list" in doctor.stdout.replace("\n", " ")
    assert run(settings, "prices", "load", prices=prices).returncode == 0
    shown: dict[str, Any] = json.loads(run(settings, "prices", "list", "--json", prices=prices).stdout)
    assert shown["list"]["source"] == str(prices)
    assert {price["model"] for price in shown["prices"]} == {"", OPUS}
    history = run(settings, "prices", "list", "--history").stdout.splitlines()
    assert [str(prices) in line for line in history[-2:]] == [False, True]
    assert "@" in history[-1]


def test_a_list_that_is_gone_changes_nothing_and_is_said(settings: Settings, tmp_path: Path) -> None:
    prices = own(tmp_path / "prices.csv")
    assert run(settings, "prices", "load", prices=prices).returncode == 0
    prices.unlink()
    said = f"Cannot read the price list {prices}: no such file or directory, but in force is list {revision(settings)}"
    shown = run(settings, "prices", "list", prices=prices)
    assert (shown.returncode, said in shown.stderr) == (0, True)
    assert f" {OPUS} " in shown.stdout  # whole, since it is read by a program
    assert said in run(settings, "doctor", prices=prices).stdout
    assert run(settings, "keys", "list", prices=prices).returncode == 0
    days = ("--period", "custom", "--start", str(DAY), "--end", str(DAY), "--out", str(tmp_path / "a.csv"))
    refused = run(settings, "export", "--organization", ORGANIZATION, *days, prices=prices)
    assert (refused.returncode, said in refused.stderr) == (ExitCode.REFUSED, True)
    migrated = run(settings, "migrate", prices=prices)
    assert (migrated.returncode, "stays in force" in migrated.stderr) == (0, True)
    assert exported(settings, tmp_path) == {OPUS: "10", SONNET: ""}


def test_tally_up_starts_with_an_own_list_over_the_shipped_one(settings: Settings, tmp_path: Path) -> None:
    prices = own(tmp_path / "prices.csv")
    mine = settings.model_copy(update={"prices_file": prices, "data_dir": tmp_path, "reports_dir": tmp_path / "r"})
    up = start_up(mine)
    try:
        eventually(lambda: read_stack(tmp_path).get("api", {}).get("healthy"), 180)
        second_terminal = [sys.executable, "-m", "cli", "prices", "list", "--json", "--data-dir", str(tmp_path)]
        shown = json.loads(subprocess.run(second_terminal, capture_output=True, text=True, check=True).stdout)
        assert shown["list"]["source"] == str(prices)
        assert exported(mine, tmp_path, prices) == {OPUS: "10", SONNET: ""}
        prices.unlink()
        os.kill(read_stack(tmp_path)["worker-1"]["pid"], signal.SIGKILL)
        eventually(lambda: not read_stack(tmp_path)["worker-1"]["healthy"], 60)
        eventually(lambda: read_stack(tmp_path)["worker-1"]["healthy"], 120)
    finally:
        up.terminate()
        assert up.wait(timeout=60) == 0


def revision(settings: Settings) -> int:
    return int(query(settings, "SELECT revision FROM price_list_in_force")[0][0])
