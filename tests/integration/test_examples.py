"""The examples do what their READMEs show: the very commands, beside a `tally up`, and what they print."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.connections import report_client
from deploy.database import prepare_database
from deploy.embedded.ports import free_port
from deploy.embedded.stack import publish_settings, read_stack
from deploy.settings import load, texts_of
from deploy.wait_for_tables import wait_until_folded
from tests.reference.usage_sample import PRICES, cost, costs_by, rows_of_the_sample
from tests.support.code_blocks import code_blocks
from tests.support.example_stack import (
    EXAMPLES,
    ORGANIZATION,
    Service,
    Stack,
    commands,
    environment_in,
    example_stack,
    service_command,
    shown,
)
from tests.support.granted_clickhouse import answered
from tests.support.stack import start_clickhouse
from tests.support.table_rows import Cell, insert_cells

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SERVED = "9f3c2d41-70a5-4d2e-8c1b-6a4e5d3f2b10"
"""The organization of the service's users."""

UNPRICED = "c1b7a3de-2f64-4b0c-8e95-7a1d3c5e9f28"
"""One that uses a model without a price."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of examples/README.md."""
    with example_stack(tmp_path_factory.mktemp("examples")) as running:
        yield running


@pytest.fixture(scope="module")
def imported(stack: Stack) -> tuple[Stack, str]:
    """The stack after the commands of bulk_import, and what they printed."""
    printed = stack.run("\n".join(commands("bulk_import/README.md")))
    wait_until_folded(stack.settings)
    return stack, printed


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_an_import_is_sent_twice_and_counts_once(imported: tuple[Stack, str]) -> None:
    stack, printed = imported
    untimed = re.compile(r"in \d+\.\d s")
    assert untimed.sub("", printed) == untimed.sub("", shown("bulk_import/README.md"))
    client = report_client(stack.settings)
    counted = "SELECT sum(requests) FROM spend WHERE organization_id = {organization:UUID}"
    assert client.query(counted, {"organization": ORGANIZATION}).result_rows == [(len(rows_of_the_sample()),)]
    client.close()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("prompt_tokens", "9000", "uncached_input_tokens"),
        ("finished_at", "yesterday", "Invalid isoformat string"),
        ("user", "Ada", "email"),
    ],
)
def test_an_import_ends_at_the_line_that_would_not_count(tmp_path: Path, column: str, value: str, why: str) -> None:
    rows = rows_of_the_sample()
    rows[2] = {**rows[2], column: value}
    write_rows(tmp_path / "usage.csv", rows)
    script = EXAMPLES / "bulk_import/to_events.py"
    known = ["--organization", ORGANIZATION, "--name", "Example Ltd", "--since", "2026-11-01"]
    command = [sys.executable, str(script), str(tmp_path / "usage.csv"), *known]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"to_events: {tmp_path}/usage.csv:4: ")
    assert why in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_usage_without_a_price_is_named_and_in_no_amount(stack: Stack) -> None:
    """The commands of the READMEs over the sample of another organization, one of whose models has no price."""
    rows = [row | {"model": "house-model"} if "opus" in row["model"] else row for row in rows_of_the_sample()]
    write_rows(stack.folder / "other.csv", rows)

    def run(example: str) -> str:
        script = "\n".join(commands(f"{example}/README.md")).replace(ORGANIZATION, UNPRICED)
        return stack.run(
            script.replace("examples/bulk_import/usage.csv", "other.csv").replace("spend.csv", "other-spend.csv")
        )

    run("bulk_import")
    wait_until_folded(stack.settings)
    priced = [row for row in rows if row["model"] in PRICES]
    total = f"{sum(map(cost, priced), Decimal(0)).normalize():f}"
    unpriced = r"house-model +has no known price and is in no amount\n"
    assert re.search(rf"^total +{total} USD, 3 models on 2 pages\n{unpriced}\Z", run("read_with_sdk"), re.MULTILINE)
    assert re.search(rf"\n{unpriced}both add up to the manifest's {total} USD\n\Z", run("notebook"))
    people = [row for row in csv.DictReader(run("sql").splitlines()) if row["without_price"] is not None]
    assert sum(int(row["requests"]) for row in people) == len(rows)
    assert sum(int(row["without_price"]) for row in people) == len(rows) - len(priced)


@pytest.mark.parametrize("example", ["read_with_sdk", "notebook", "sql"])
def test_it_prints_what_its_readme_shows(imported: tuple[Stack, str], example: str) -> None:
    stack, _ = imported
    assert stack.run("\n".join(commands(f"{example}/README.md"))) == shown(f"{example}/README.md")


def test_the_readmes_show_what_the_sample_costs() -> None:
    """The recount: the sample times the price list."""
    by_model, by_person = costs_by("model"), costs_by("user")
    total = f"{sum((amount for _, amount in by_model), Decimal(0)).normalize():f}"
    sdk = [line.split()[:2] for line in shown("read_with_sdk/README.md").splitlines()]
    assert sdk == [[model, f"{amount.normalize():f}"] for model, amount in by_model] + [["total", total]]
    notebook = [(line.split()[0], line.split()[-2]) for line in shown("notebook/README.md").splitlines()[1:]]
    assert notebook == [
        *((name, f"{amount.normalize():f}") for name, amount in (*by_model, *by_person)), ("both", total)
    ]  # fmt: skip
    sql = [row for row in csv.reader(shown("sql/README.md").splitlines()) if len(row) == 5][1:]
    assert [(email, net) for email, _, _, net, _ in sql] == [
        (name, f"{amount.normalize():f}") for name, amount in by_person
    ]


def messages(stack: Stack) -> int:
    """How many messages of the service's users are counted."""
    wait_until_folded(stack.settings)
    client = report_client(stack.settings)
    asked = "SELECT sum(messages) FROM activity WHERE organization_id = {organization:UUID}"
    (found,) = client.query(asked, {"organization": SERVED}).result_rows[0]
    client.close()
    return int(found)


def test_a_service_emits_an_event_for_each_request_also_while_kafka_is_away(stack: Stack) -> None:
    service, requests = Service(stack, SERVED), 2
    assert [service.send() for _ in range(requests)] == 2 * [shown("fastapi_service/README.md")]
    kafka = read_stack(stack.folder / ".tally")["kafka"]["pid"]
    os.kill(kafka, signal.SIGSTOP)
    try:
        while "undelivered: " not in service.log.read_text():  # earlier events are reported at a later request
            assert service.send() == shown("fastapi_service/README.md")
            requests += 1
        service.send()
        requests += 1
        service.stop()
    finally:
        os.kill(kafka, signal.SIGCONT)
    undelivered = [line for line in service.log.read_text().splitlines() if "undelivered: " in line]
    assert requests - 2 <= len(set(undelivered)) == len(undelivered), "each event that Kafka did not confirm, once"
    (again,) = code_blocks((EXAMPLES / "fastapi_service/README.md").read_text().replace("\n  ", "\n"), "bash")
    stack.run(again)
    assert messages(stack) == requests


def test_a_service_does_not_start_while_kafka_is_away(tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    away = load(flags={"kafka_bootstrap": f"127.0.0.1:{free_port()}"})
    (tmp_path / ".tally").mkdir()
    with publish_settings(tmp_path / ".tally", texts_of(away)):
        ended = subprocess.run(
            service_command(free_port()),
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert ended.returncode != 0
    assert f"Unable to bootstrap from [('127.0.0.1', {away.kafka_bootstrap.partition(':')[2]}" in ended.stderr


def statements(file: Path) -> list[str]:
    bare = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("--"))
    return [each.strip() for each in bare.split(";") if each.strip()]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a ClickHouse that has ended, with Tally's tables and usage of one person."""
    folder = tmp_path_factory.mktemp("analyst")
    server = start_clickhouse(folder)
    settings = load(flags={"clickhouse_url": server.child.url})
    prepare_database(settings)
    client = report_client(settings)
    insert_cells(client, [Cell(ORGANIZATION, datetime(2026, 11, 2, 9, tzinfo=UTC), SERVED, output_tokens=1000)])
    client.close()
    server.stop()
    return folder


def test_the_analysts_user_reads_the_views_and_nothing_else(data: Path) -> None:
    *views, new_user, grant = statements(EXAMPLES / "sql/analyst.sql")
    everything = ["GRANT SELECT, CREATE, DROP, SET DEFINER ON *.*"]
    parsed = [f"SELECT formatQuery($q${each}$q$)" for each in (new_user, grant)]
    made = answered(data, ORGANIZATION, grants=everything, database="tally", statements=[*views, *parsed])
    assert made[:-2] == [""] * len(views)
    assert "DB::Exception" not in "".join(made)

    granted = [grant.removesuffix(" TO analyst")]
    queries = [path.read_text() for path in sorted(EXAMPLES.glob("sql/*_by_*.sql"))]
    people, spend = answered(data, ORGANIZATION, grants=granted, database="analyst", statements=queries)
    assert people == '"2026-11-02",1,1\n'
    assert spend.startswith('"",1,')
    tables = answered(data, ORGANIZATION, grants=["GRANT SELECT ON *.*"], database="tally", statements=["SHOW TABLES"])[
        0
    ].split()
    assert len(tables) > 50
    tried = [f"SELECT * FROM tally.{name} LIMIT 1" for name in map(json.loads, tables)]
    tried += [
        "DROP VIEW analyst.spend",
        "INSERT INTO analyst.spend (requests) VALUES (1)",
        "CREATE TABLE analyst.x (a Int8)",
    ]
    refused = answered(data, ORGANIZATION, grants=granted, database="analyst", statements=tried)
    assert [one for one, said in zip(tried, refused, strict=True) if "(ACCESS_DENIED)" not in said] == []
