"""The list of metrics, the page about them, their functions and their SQL say the same."""

import inspect
import re
from importlib.resources import files
from pathlib import Path

from reports import metrics
from reports.metric_windows import WINDOW_KINDS
from reports.metrics import METRICS, Metric, QueryContext

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
FILES = (*(files("reports.metrics") / "sql").iterdir(), files("reports.presence") / "presence.sql")
SQL = {path.name.removesuffix(".sql"): path.read_text() for path in FILES}
HEAD = ("metric", "unit", "numerator", "denominator", "window", "ties", "function")
OF_AN_ORGANIZATION = r"spend|\w+_by_day|\w+_cells_current|\w+_changes|\w+_of"
"""Tables and views that hold rows of every organization, or are told which one is meant."""


def row(metric: Metric) -> str:
    """The metric's line in the page's table."""
    cells = (metric.name, metric.unit, metric.numerator, metric.denominator, metric.windows, metric.ties)
    return f"| {' | '.join(cells)} | `{metric.function}` |"


def test_the_page_has_every_metric_and_no_other() -> None:
    begins = PAGE.index(f"| {' | '.join(HEAD)} |")
    table = PAGE[begins : PAGE.index("\n\n", begins)].splitlines()
    assert table[2:] == [row(metric) for metric in METRICS]


def test_every_metric_has_a_name_of_its_own_and_a_function_of_a_reading() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        parameters = inspect.signature(getattr(metrics, metric.function)).parameters
        assert next(iter(parameters.values())).annotation is QueryContext, metric.name
        assert {"window", "last"} & set(parameters), metric.name


def test_every_file_of_sql_is_read_by_a_metric() -> None:
    assert {name for metric in METRICS for name in metric.sql} == set(SQL)


def test_every_file_asks_for_one_organization_alone() -> None:
    for name, text in SQL.items():
        reads = len(re.findall(rf"(?:FROM|JOIN) (?:{OF_AN_ORGANIZATION})\b", text))
        assert text.count("organization_id = {organization_id:UUID}") == reads > 0, name


def test_windows_are_those_that_exist() -> None:
    named = {word for metric in METRICS for word in re.findall(r"\b(?:[13]-\w+|[a-z]td)\b", metric.windows)}
    assert named <= set(WINDOW_KINDS)
    assert named | {"1-day"} == set(WINDOW_KINDS)


def test_rankings_say_how_ties_are_broken() -> None:
    ranked = {metric.function for metric in METRICS if "LIMIT" in SQL[metric.sql[0]] or "by_model" in metric.function}
    assert ranked == {metric.function for metric in METRICS if metric.ties != "-"}
