"""What Tally needs of ClickHouse's engine, seen to work in the embedded one."""

import datetime
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from urllib.parse import urlparse

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from tests.support.stack import start_clickhouse


@pytest.fixture
def client(clickhouse: str) -> Iterator[Client]:
    """A client in a new database."""
    address, name = urlparse(clickhouse), f"engine_{uuid.uuid4().hex[:8]}"
    made = clickhouse_connect.get_client(host=address.hostname, port=address.port, autogenerate_session_id=False)
    made.command(f"CREATE DATABASE {name}")
    made.database = name
    yield made
    made.command(f"DROP DATABASE {name}")


def test_replacing_merge_tree_final_takes_the_newest(client: Client) -> None:
    client.command(
        "CREATE TABLE cells (day Date, k String, n UInt64, log_offset Int64) "
        "ENGINE = ReplacingMergeTree(log_offset) PARTITION BY toYYYYMM(day) ORDER BY (day, k)"
    )
    day = datetime.date(2026, 3, 1)
    for n, offset in [(5, 50), (9, 90), (7, 70)]:
        client.insert("cells", [(day, "a", n, offset)])
    assert client.query("SELECT n, log_offset FROM cells FINAL").result_rows == [(9, 90)]
    assert client.command("SELECT count() FROM cells") == 3
    client.command("OPTIMIZE TABLE cells FINAL")
    assert client.query("SELECT n FROM cells").result_rows == [(9,)]


def test_aggregating_merge_tree_with_simple_functions(client: Client) -> None:
    client.command(
        "CREATE TABLE positions (source String, next_offset SimpleAggregateFunction(max, Int64), "
        "watermark SimpleAggregateFunction(max, DateTime64(3, 'UTC'))) "
        "ENGINE = AggregatingMergeTree ORDER BY source"
    )
    early, late = (datetime.datetime(2026, 1, 1, hour, tzinfo=datetime.UTC) for hour in (1, 2))
    client.insert("positions", [("t/0", 10, late)])
    client.insert("positions", [("t/0", 20, early)])
    assert client.query("SELECT source, next_offset, watermark FROM positions FINAL", tz_mode="aware").result_rows == [
        ("t/0", 20, late)
    ]


def test_asof_join_takes_the_price_in_force(client: Client) -> None:
    client.command("CREATE TABLE prices (m String, since DateTime('UTC'), usd Decimal(18, 12)) "
                   "ENGINE = MergeTree ORDER BY (m, since)")  # fmt: skip
    client.command("CREATE TABLE uses (m String, at DateTime('UTC'), n UInt64) ENGINE = MergeTree ORDER BY at")
    client.command("INSERT INTO prices VALUES ('a', '2026-01-01 00:00:00', 3), ('a', '2026-02-01 00:00:00', 4)")
    client.command(
        "INSERT INTO uses VALUES ('a', '2026-01-31 23:00:00', 1), ('a', '2026-02-01 00:00:00', 1), "
        "('b', '2026-02-01 00:00:00', 1)"
    )
    joined = "SELECT m, at, p.usd FROM uses ASOF LEFT JOIN prices AS p ON uses.m = p.m AND uses.at >= p.since"
    rows = client.query(f"{joined} ORDER BY m, at SETTINGS join_use_nulls = 1").result_rows
    assert [row[2] for row in rows] == [Decimal(3), Decimal(4), None]


def test_decimal256_is_exact(client: Client) -> None:
    client.command("CREATE TABLE d (n UInt64, usd Decimal(18, 12), off Decimal(9, 6)) ENGINE = MergeTree ORDER BY n")
    client.command("INSERT INTO d VALUES (1000000000000000001, 0.000003000001, 0.123457)")
    total = client.command("SELECT toString(sum(toDecimal256(n, 0) * usd * (1 - off))) FROM d")
    with localcontext(prec=80):
        exact = Decimal(1000000000000000001) * Decimal("0.000003000001") * (1 - Decimal("0.123457"))
    assert Decimal(str(total)) == exact


def test_types_come_back_as_they_went_in(client: Client) -> None:
    client.command(
        "CREATE TABLE v (u UUID, t DateTime64(3, 'UTC'), d Date, l LowCardinality(String), a Array(String), "
        "h UInt128, o Nullable(Decimal(38, 12)), e Bool, f FixedString(4)) ENGINE = MergeTree ORDER BY u"
    )
    moment = datetime.datetime(2026, 2, 28, 23, 59, 59, 123000, tzinfo=datetime.UTC)
    row = (uuid.uuid4(), moment, moment.date(), "é", ["x", ""], 2**127, None, True, b"abcd")
    client.insert("v", [row])
    assert client.query("SELECT * FROM v", tz_mode="aware").result_rows == [row]
    assert client.command("SELECT timezone()") == "UTC"


def test_views_read_fresh_rows(client: Client) -> None:
    client.command("CREATE TABLE raw (n UInt64) ENGINE = MergeTree ORDER BY n")
    client.command("CREATE VIEW total AS SELECT sum(n) AS n FROM raw")
    client.command("CREATE VIEW above AS SELECT n FROM raw WHERE n > {least:UInt64}")
    client.command("CREATE TABLE sums (n UInt64) ENGINE = SummingMergeTree ORDER BY tuple()")
    client.command("CREATE MATERIALIZED VIEW feed TO sums AS SELECT n FROM raw")
    client.insert("raw", [(1,), (2,)])
    client.insert("raw", [(3,)])
    assert client.query("SELECT n FROM total").result_rows == [(6,)]
    assert client.query("SELECT n FROM above(least = 1) ORDER BY n").result_rows == [(2,), (3,)]
    assert client.query("SELECT sum(n) FROM sums").result_rows == [(6,)]


def test_ttl_removes_old_rows(client: Client) -> None:
    client.command(
        "CREATE TABLE minutes (at DateTime('UTC'), n UInt64) ENGINE = MergeTree ORDER BY at "
        "TTL at + INTERVAL 8 DAY DELETE SETTINGS merge_with_ttl_timeout = 0"
    )
    client.command("INSERT INTO minutes VALUES (now() - INTERVAL 9 DAY, 1), (now() - INTERVAL 1 HOUR, 2)")
    client.command("OPTIMIZE TABLE minutes FINAL")
    assert client.query("SELECT n FROM minutes").result_rows == [(2,)]


def test_merges_run_in_the_background(client: Client) -> None:
    client.command("CREATE TABLE parts (n UInt64) ENGINE = MergeTree ORDER BY n")
    for n in range(40):
        client.raw_insert("parts", ["n"], b"%d\n" % n, fmt="CSV")
    query = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'parts'"
    deadline = time.monotonic() + 120
    while int(str(client.command(query))) > 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert int(str(client.command(query))) <= 10
    assert client.command("SELECT count() FROM parts") == 40


def test_mutations_partitions_and_renames(client: Client) -> None:
    client.command("CREATE TABLE m (d Date, n UInt64) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY n")
    client.command("INSERT INTO m VALUES ('2026-01-05', 1), ('2026-02-05', 2), ('2026-02-06', 3)")
    client.command("ALTER TABLE m DELETE WHERE n = 3", settings={"mutations_sync": 1})
    client.command("ALTER TABLE m DROP PARTITION '202601'")
    client.command("ALTER TABLE m ADD COLUMN s String DEFAULT 'x'")
    client.command("RENAME TABLE m TO renamed")
    assert client.query("SELECT * FROM renamed").result_rows == [(datetime.date(2026, 2, 5), 2, "x")]


def test_a_table_has_a_uuid_that_tells_it_from_its_successor(client: Client) -> None:
    uuids = set()
    for _ in range(2):
        client.command("CREATE OR REPLACE TABLE again (n UInt64) ENGINE = MergeTree ORDER BY n")
        query = "SELECT uuid FROM system.tables WHERE database = currentDatabase() AND name = 'again'"
        uuids.add(client.query(query).first_row[0])
    assert len(uuids) == 2
    assert uuid.UUID(int=0) not in uuids


def test_a_setting_is_set_unless_it_has_its_value(client: Client) -> None:
    query = "SELECT name FROM system.settings WHERE changed AND name IN ('max_result_rows', 'insert_deduplicate')"
    settings = {"max_result_rows": 0, "insert_deduplicate": 0}
    assert client.query(query, settings=settings).result_rows == [("insert_deduplicate",)]


@pytest.mark.parametrize("clause", [False, True])
def test_compatibility_changes_no_setting_of_the_request(client: Client, clause: bool) -> None:
    old = {"compatibility": "23.1"}
    query = "SELECT value FROM system.settings WHERE name = 'least_greatest_legacy_null_behavior'"
    query, settings = (f"{query} SETTINGS compatibility = '23.1'", {}) if clause else (query, old)
    assert client.query(query, settings=settings).result_rows == [("1",)]
    assert client.query(query, settings={**settings, "least_greatest_legacy_null_behavior": 0}).result_rows == [("0",)]


def test_the_engines_log_does_not_fill_with_its_schedule(tmp_path: Path) -> None:
    """It warns of each pause of a background task, several times a second: what matters would be rotated away."""
    server = start_clickhouse(tmp_path)
    try:
        address = urlparse(server.child.url)
        client = clickhouse_connect.get_client(host=address.hostname, port=address.port)
        client.command("CREATE DATABASE busy")
        for number in range(5):
            client.command(f"CREATE TABLE busy.t{number} (n UInt64) ENGINE = ReplacingMergeTree ORDER BY n")
            for n in range(5):
                client.command(f"INSERT INTO busy.t{number} VALUES ({n})")
        client.close()
    finally:
        server.stop()
    [log] = tmp_path.rglob("engine.log")
    assert "Temporarily pause" not in log.read_text()
