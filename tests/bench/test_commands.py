"""Each bench runs by its one command, in its shortest form, and counts what it was given. No times are judged."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.dashboard.page_context import DETAILS, PAGES
from bench.peer_environments import command_of
from bench.result_files import facts
from bench.token_events import Load, lines
from tally_client.events import EVENTS_BY_TOPIC, TOKEN
from tests.support.backends import FORMS, form_name
from tests.support.pipeline import pipeline

pytestmark = pytest.mark.timeout(1800)
"""What bounds a bench is how much it is asked to do, which takes as long as the machine lets it."""


def run(name: str, folder: Path, *arguments: str, fails: Callable[[Any], bool] = lambda _: False) -> Any:
    """What the bench has kept; it must have shown a table, and ended well unless its result says otherwise."""
    command = [sys.executable, "-m", f"bench.{name}", "--results", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "| --- |" in done.stdout, done.stdout + done.stderr
    (kept,) = folder.iterdir()
    result = json.loads(kept.read_text())
    assert done.returncode == int(fails(result)), done.stdout + done.stderr
    assert result.keys() >= facts().keys()
    return result


def test_scaling_has_the_cells_and_organizations_it_was_asked_for(tmp_path: Path) -> None:
    result = run("scaling", tmp_path, "--events", "20000", "--cells", "1200", "--organizations", "40")
    found = [(case["workers"], case["cells"], case["organizations"]) for case in result["cases"]]
    assert found == [(1, 1200, 40), (2, 1200, 40)]
    assert all(case["right"] and 0 <= case["events_measured"] <= 20_000 for case in result["cases"])


def test_freshness_counts_what_it_emitted(tmp_path: Path) -> None:
    arguments = ("--rate", "1000", "--shares", "0.1", "0.9", "--seconds", "3", "--settle", "0.5")
    for share in run("freshness", tmp_path, *arguments)["shares"]:
        assert share["emitted"] == share["counted"] > 0
        assert 0 < share["p50"] <= share["p99"] <= share["max"]


def test_recovery_loses_nothing(tmp_path: Path) -> None:
    result = run("recovery", tmp_path, "--backlog", "5000", "--kills", "1", "--cells", "2000", "--tail", "500")
    assert result["full_events_per_second"] > 0, "measured, since no rate was given"
    assert result["killed"]["exact"]
    assert result["killed"]["caught_up"]["times"] == 1
    assert result["cold"]["exact"]
    assert (result["cold"]["cells"], result["cold"]["open_cells"] >= 2000) == (2000, True)


def test_soak_samples_a_worker_and_loses_nothing(tmp_path: Path) -> None:
    arguments = ("--rate", "400", "--minutes", "0.1", "--every", "0.5")
    result = run("soak", tmp_path, *arguments, fails=lambda found: any(x["grows"] for x in found["measures"].values()))
    assert result["exact"]
    assert 3 <= len(result["samples"]) <= 12
    assert all(sample["rss_mb"] > 20 and sample["open_files"] > 5 for sample in result["samples"])


def test_mix_stores_every_record_of_every_topic(tmp_path: Path) -> None:
    result = run("topic_mix", tmp_path, "--users", "12", "--days", "2", "--runs", "1")
    assert result["stored"] == result["records"] == sum(result["topics"].values())
    assert set(EVENTS_BY_TOPIC) <= set(result["topics"])


def test_export_compares_the_same_rows(tmp_path: Path) -> None:
    result = run("export_memory", tmp_path, "--rows", "1800", "--compare")
    assert {name: [each["rows"] for each in runs] for name, runs in result["runs"].items()} == {
        "tally": [1800],
        "clickhouse": [1800],
    }


def test_api_load_asks_every_question_twice(tmp_path: Path) -> None:
    asked = run("api_load", tmp_path, "--people", "40", "--days", "3", "--rounds", "1")["milliseconds"]
    assert asked["first"].keys() == asked["again"].keys()
    pages = {name.split(",")[0] for name in asked["first"] if name.startswith("page ")}
    assert pages == {f"page {page.name}" for page in (*PAGES, *DETAILS) if page.makers}
    assert {f"{metric}, a month" for metric in ("spend", "seats", "users", "usage by actor")} <= asked["first"].keys()


def test_peers_sum_what_was_emitted(tmp_path: Path) -> None:
    made = list(lines(Load(events=2_000)))
    wanted = sum(json.loads(line.value or b"")["output_tokens"] for line in made)
    with pipeline(tmp_path) as running:
        running.emit(made)
        for peer in ("quix_window", "bytewax_map"):
            command = command_of(peer, running.settings.kafka_bootstrap, TOKEN, str(len(made)))
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            assert json.loads(done.stdout.splitlines()[-1])["total"] == wanted, peer


def test_folding_takes_both_forms_to_the_same_cells(tmp_path: Path) -> None:
    result = run("fold_cost", tmp_path, "--events", "3000", "--runs", "1")
    assert result["us_per_event"].keys() == {form_name(compiled) for compiled in FORMS}
    assert all(taken["all"] > taken["read"] > 0 for taken in result["us_per_event"].values())
