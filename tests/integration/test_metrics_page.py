"""The examples of docs/metrics.md run, and every answer has a JSON form."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pricing.price_table import load_prices
from reports import metrics
from reports.metric_windows import window
from tests.support.code_blocks import code_blocks
from tests.support.folded_tables import GRACE, SOURCES, Folded, at
from tests.support.handwritten_events import ADA, BEN, DAY, ORGANIZATION, done, entry, message, profile
from tests.support.table_rows import database

OF_PERSON = ("person_activity", "person_usage", "person_spend")
OF_CONNECTOR = ("connector_use", "connector_people")
PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


@pytest.fixture(scope="module")
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    load_prices(client)
    told = Folded(client)
    usage: dict[str, Any] = {
        "request_id": "r",
        "model": "claude-opus-4-5",
        "funding": "usage_based",
        "output_tokens": 1_000_000,
    }
    told.say(
        *(entry("seat.assigned", account_id=person) for person in (ADA, BEN)),
        profile(ADA, "Ada"),
        message(ADA),
        done("token.used", ADA, **usage),
        done("project.used", ADA, project_id=BEN),
    )
    told.reach(at(DAY + timedelta(days=1), "03:00"))
    yield told
    client.close()


def test_python_examples_run(folded: Folded, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"client": folded.client, "organization_id": ORGANIZATION}
    (example,) = code_blocks(PAGE, "python")
    exec(example, {**names, "expected_sources": SOURCES, "grace": GRACE})
    first, second = capsys.readouterr().out.splitlines()
    assert first == "True 25.000000000000000000000000"
    assert second == str([None] * 6 + [50.0])


def test_sql_examples_run(folded: Folded) -> None:
    (example,) = code_blocks(PAGE, "sql")
    asked = example.replace("'...'", f"'{ORGANIZATION}'").replace("2026-11-20", str(DAY))
    assert folded.client.query(asked).result_rows == [(1,)]


def test_every_answer_has_a_json_form_with_exact_money(folded: Folded) -> None:
    reading, week = folded.look(ORGANIZATION), window("1-week", DAY)
    answers = [
        getattr(metrics, function)(reading, week)
        for function in {metric.function for metric in metrics.METRICS}
        - {"people_with", "retention", "spend_in_products", *OF_PERSON, *OF_CONNECTOR}
    ]
    answers += [getattr(metrics, function)(reading, week, ADA) for function in OF_PERSON]
    answers += [getattr(metrics, function)(reading, week, "notion") for function in OF_CONNECTOR]
    answers += [metrics.people_with(reading, "chat", week), metrics.retention(reading, DAY)]
    answers += [metrics.spend_in_products(reading, week, ["claude_code"])]
    for answer in answers:
        said = msgspec.json.decode(msgspec.json.encode(answer))
        assert said["about"] == {
            "window": {"kind": "1-week", "first": "2028-02-23", "last": "2028-02-29", "provisional": False},
            "data_refreshed_at": "2028-03-01T03:00:00Z",
            "complete": True,
        } or isinstance(answer, metrics.Retention)
    spent = msgspec.json.decode(msgspec.json.encode(metrics.spend(reading, week)))
    assert spent["spend"]["priced_net_usd"] == "25.000000000000000000000000"
    top = msgspec.json.decode(msgspec.json.encode(metrics.top_people_by_projects_used(reading, week)))
    person = {"account_id": ADA, "name": "Ada", "email": "ada@example.com", "deleted": False}
    assert top["leaders"] == [{"rank": 1, "person": person, "value": 1}]
