"""An outside ClickHouse whose user has a profile of its own: equal answers or a clear refusal, never another number."""

import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from deploy.doctor.clickhouse import look_at_clickhouse
from deploy.doctor.profile import Changed, profile_findings
from deploy.settings import Settings
from pricing.price_table import load_prices
from queries.data_version import read_data_version
from queries.errors import RefusedError
from queries.freshness import read_freshness
from reports.exports.formats import focus_form, spend_format
from reports.exports.spend_columns import LAYOUTS
from reports.metric_windows import window
from reports.metrics import open_context, seats, spend
from reports.usage.query import UsageQuery
from reports.usage.rows import read_usage
from sinks.client import connect
from sinks.query_settings import INSERTED, RELIED_ON
from tests.support.clickhouse_profiles import Proxied, with_profile
from tests.support.focus_world import PERIOD, organizations, price_list, put_world
from tests.support.table_rows import Cell, World, database, insert_cells, insert_position

pytestmark = pytest.mark.slow

OTHERS = {
    "throw": "break", "simple": "unix_timestamp", "best_effort": "basic", "true": "yes", "false": "no",
    "uniqExact": "uniqHLL12", "ALL": "ANY", "UTC": "America/New_York", "ignore": "saturate", "\\N": "nothing",
    "after_having_exclusive": "before_having",
}  # fmt: skip
NAMED = {
    "max_result_rows": "2", "max_result_bytes": "50", "limit": "2", "offset": "1", "union_default_mode": "DISTINCT",
    "compatibility": "21.8", "additional_result_filter": "0", "input_format_allow_errors_num": "1000000",
    "input_format_allow_errors_ratio": "1", "group_by_overflow_mode": "any",
}  # fmt: skip
FIXED = {"additional_result_filter", "additional_table_filters"}
"""What the embedded ClickHouse lets nobody set."""

Answers = dict[str, Any]


def other(name: str, value: int | str) -> str:
    """Another value of a setting."""
    return NAMED.get(name) or OTHERS.get(str(value)) or str(1 - int(value))


PROFILE = {name: other(name, value) for name, value in RELIED_ON.items() if name not in FIXED}


@pytest.fixture(scope="module")
def world(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, World]]:
    """A database with usage, groups, people and prices."""
    client = database(clickhouse)
    prices = price_list(tmp_path_factory.mktemp("prices"))
    load_prices(client, prices)
    put, _ = put_world(client, 1, prices)
    insert_position(client, "tally.token/0@0", 100, datetime(2026, 10, 13, tzinfo=UTC))
    yield client, put
    client.close()


@pytest.fixture(scope="module")
def proxy(clickhouse: str) -> Iterator[Proxied]:
    with with_profile(clickhouse) as running:
        yield running


def answers(client: Client, organization: str) -> Answers:
    """Exports in every layout, usage and costs, seats and spend, how far the tables reach, and the state of all."""
    found: Answers = {}
    forms = {f"spend {name}": spend_format(layout) for name, layout in LAYOUTS.items()} | {"focus": focus_form(".csv")}
    for name, form in forms.items():
        sink = io.BytesIO()
        form.write(client, organization, PERIOD, sink, None)
        found[name] = sink.getvalue()
    question = UsageQuery(organization, PERIOD.begins, PERIOD.ends, group_by=("actor", "model"), priced=True)
    found["usage"] = read_usage(client, question)
    found["by day"] = read_usage(client, UsageQuery(organization, PERIOD.begins, PERIOD.ends, 86_400, priced=True))
    reading = open_context(client, organization, ["tally.token/0@0"], timedelta(hours=2))
    found["reach"] = read_freshness(client, ["tally.token/0@0"])
    found["metrics"] = spend(reading, window("mtd", PERIOD.last)), seats(reading, window("1-week", PERIOD.last))
    found["state"] = {day: sorted(kinds) for day, kinds in read_data_version(client, organization).of_days.items()}
    return found


def through(proxy: Proxied, client: Client, organization: str, profile: dict[str, str]) -> Answers | None:
    """The answers by way of the profile; None when it makes ClickHouse, or us, refuse.

    It holds from the first question on: the client's own look at the server, which comes before, some profiles refuse.
    """
    proxy.profile = {}
    try:
        with closing(connect(proxy.url, database=str(client.database))) as asking:
            proxy.profile = profile
            return answers(asking, organization)
    except (ClickHouseError, RefusedError, HTTPError):
        return None


def test_a_profile_that_changes_all_that_is_relied_on_changes_no_answer(
    proxy: Proxied, world: tuple[Client, World]
) -> None:
    client, put = world
    for organization in organizations(put)[:2]:
        assert through(proxy, client, organization, PROFILE) == answers(client, organization)


def test_without_our_settings_the_same_profile_would(proxy: Proxied, world: tuple[Client, World]) -> None:
    """Control: the proxy does what a profile does."""
    client, _put = world
    proxy.profile = {"max_result_rows": "2", "result_overflow_mode": "break", "max_block_size": "1"}
    with closing(connect(proxy.url, database=str(client.database), settings={})) as asking:
        assert len(asking.query("SELECT number FROM system.numbers LIMIT 10").result_rows) < 10


def test_what_is_inserted_is_there_when_it_is_confirmed(proxy: Proxied, world: tuple[Client, World]) -> None:
    client, _ = world
    proxy.profile = {name: PROFILE[name] for name in INSERTED}
    organization = "dddddddd-0000-4000-8000-000000000000"
    cell = Cell(organization, datetime(2026, 10, 3, 5, tzinfo=UTC), organization, output_tokens=7)
    with closing(connect(proxy.url, database=str(client.database))) as asking:
        for _ in range(2):
            insert_cells(asking, [cell])
            counted = client.query("SELECT sum(output_tokens) FROM spend_cells FINAL WHERE organization_id = {o:UUID}",
                                   parameters={"o": organization}).result_rows  # fmt: skip
            assert counted == [(7,)]
            client.command(f"ALTER TABLE spend_cells DELETE WHERE organization_id = '{organization}'",
                           settings={"mutations_sync": 1})  # fmt: skip


FLIPPED = """
    SELECT name, toString(1 - toUInt8(value IN ('1', 'true'))) FROM system.settings
    WHERE type = 'Bool' AND NOT is_obsolete AND alias_for = '' AND match(name, {about:String})
    ORDER BY name
"""
ABOUT = (
    "^(aggregate|allow_e|any|asterisk|cast|count|decimal|empty|enable|except|final|group|insert|join|legacy|least|"
    "optimize|output_format_(json|tsv|native|decimal)|parallel|prefer|query_plan|transform|use|union)"
)
AT_ONCE = 48


@pytest.mark.timeout(900)
def test_other_settings_of_a_profile_change_no_answer(proxy: Proxied, world: tuple[Client, World]) -> None:
    """Those that sound as if they could, turned around, many at once; halves of those that make ClickHouse refuse."""
    client, put = world
    organization = organizations(put)[0]
    settings = dict(client.query(FLIPPED, parameters={"about": ABOUT}).result_rows)
    assert len(settings) > 100
    expected, names = answers(client, organization), sorted(settings.keys() - RELIED_ON.keys() - FIXED)
    waiting = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    wrong: list[list[str]] = []
    while waiting:
        some = waiting.pop()
        found = through(proxy, client, organization, {name: settings[name] for name in some})
        if found == expected or (found is None and len(some) == 1):
            continue
        if len(some) == 1:
            wrong.append(some)
            continue
        waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
    assert wrong == []


def test_the_doctor_names_what_a_profile_changes_and_forbids(proxy: Proxied, world: tuple[Client, World]) -> None:
    client, _ = world
    proxy.profile = {"join_use_nulls": "1", "max_block_size": "7"}
    settings = Settings(clickhouse_url=proxy.url, clickhouse_database=str(client.database))
    changed = look_at_clickhouse(settings).profile
    assert {one.name: one.value for one in changed} == {"join_use_nulls": "1", "max_block_size": "7"}
    fixed = Changed("async_insert", "1", "1", is_fixed=True)
    readonly = Changed("readonly", "1", "0", is_fixed=True)
    found = [(one.level, one.what) for one in profile_findings("tally", (*changed, fixed, readonly))]
    assert found == [
        ("problem", "the profile does not allow another async_insert than '1'"),
        ("warning", "the profile sets max_block_size to '7' (ClickHouse's default: '65409')"),
        ("problem", "the user cannot change settings (readonly = 1)"),
        ("ok", "the profile changes join_use_nulls: Tally's requests override it"),
    ]
