"""The alerts of docs/operations.md, run by Prometheus's own `promtool`: which fire in which trouble, and that none does
while all is well. They are read from the page, so what operators copy is what is tested."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from worker.prometheus import Name

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
SECTION = PAGE.partition("### Alerts worth having")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| ([^|]+) \| `([^`]+)` \| (\d+m) \|", re.MULTILINE)
RULES = {alert: (expression, time) for alert, expression, time in ROW.findall(SECTION)}

WELL = "0+0x60"
DIES = "0+0x10 stale"
DOWN = "1+0x10 0+0x50"
Series = dict[str, str]


def worker(
    number: int, partitions: range, alive: bool = True, is_scraped: bool = True, job: str = "tally-worker"
) -> Series:
    """What one worker's scrapes give; one that is not alive dies after five minutes."""
    value, labels = (WELL if alive else DIES), f'instance="{number}",job="{job}"'
    sources = [f'source="tally.token/{partition}@0",{labels}' for partition in partitions]
    by_source = ("next_offset", "confirmed_offset", "watermark_age_seconds", "duplicates_total")
    by_worker = ("open_cells", "unflushed_rows", "retrying", "waiting")
    series = {f"tally_source_{name}{{{one}}}": value for name in by_source for one in sources}
    series |= {f"tally_worker_{name}{{{labels}}}": value for name in by_worker}
    up = "1+0x60" if alive else DOWN if is_scraped else "1+0x10 stale"
    return {**series, f"up{{{labels}}}": up}


def others(exporter: str = "1+0x60", api: str = "1+0x60") -> Series:
    """The exporter and the API."""
    named = {f'{name}{{instance="e",job="tally-exporter"}}': value for name, value in EXPORTER.items()}
    ups = {'up{instance="e",job="tally-exporter"}': exporter, 'probe_success{instance="a",job="tally-api"}': api}
    return {**named, **ups}


EXPORTER = {
    "tally_exporter_failing": WELL,
    "tally_exporter_last_run_timestamp_seconds": "0+30x60",
    "tally_exporter_complete_until_timestamp_seconds": WELL,
}
ONE, TWO = worker(1, range(16)), worker(2, range(16, 32))
STOPPED = {
    **{name: value for name, value in ONE.items() if "token/0@0" not in name},
    'tally_source_stopped{source="tally.token/0@0",instance="1",job="tally-worker"}': "1+0x60",
}
WAITS = {
    'tally_worker_waiting{instance="2",job="tally-worker"}': "1+0x60",
    'up{instance="2",job="tally-worker"}': "1+0x60",
}
HELD = {**ONE, 'tally_source_held_back{source="tally.token/0@0",instance="1",job="tally-worker"}': "1+0x60"}
ELSEWHERE = worker(9, range(32), job="other-worker")

DEAD = {"a worker is down", "no worker at all"}
CASES: dict[str, tuple[Series, set[str]]] = {
    "all is well": ({**ONE, **TWO, **others()}, set()),
    "no series at all": ({}, {"no worker at all", "the exporter is down", "the API is down"}),
    "all workers are dead": ({**worker(1, range(16), False), **worker(2, range(16, 32), False), **others()}, DEAD),
    "all workers are dead, and discovery drops them": (
        {**worker(1, range(16), False, False), **worker(2, range(16, 32), False, False), **others()},
        {"no worker at all"},
    ),
    "one of two workers is dead, and nobody takes over": (
        {**ONE, **worker(2, range(16, 32), False), **others()},
        {"a worker is down", "partitions without a worker"},
    ),
    "a source is stopped": ({**STOPPED, **TWO, **others()}, {"a source is stopped"}),
    "a transaction stays open": ({**HELD, **TWO, **others()}, {"a transaction stays open"}),
    "a worker waits": (
        {**ONE, **WAITS, **others()},
        {"a worker waits at its start", "partitions without a worker"},
    ),
    "all workers are dead, and another installation is well": (
        {**worker(1, range(32), False, False), **ELSEWHERE, **others()},
        {"no worker at all"},
    ),
    "half of the partitions have no worker, and another installation is well": (
        {**ONE, **ELSEWHERE, **others()},
        {"partitions without a worker"},
    ),
    "the exporter is dead": ({**ONE, **TWO, **others(exporter=DOWN)}, {"the exporter is down"}),
    "the API is down": ({**ONE, **TWO, **others(api=DOWN)}, {"the API is down"}),
}


def test_every_metric_that_an_alert_names_exists() -> None:
    named = set(re.findall(r"tally_[a-z_]+", " ".join(expression for expression, _ in RULES.values())))
    assert named <= set(get_args(Name))
    assert len(RULES) >= 14


def test_every_alert_that_a_case_expects_stands_on_the_page() -> None:
    assert {alert for _, expected in CASES.values() for alert in expected} <= RULES.keys()


@pytest.mark.parametrize("case", CASES)
def test_what_fires(case: str, tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: it comes with Prometheus (Debian: apt-get install prometheus)")
    series, expected = CASES[case]
    fired = fired_at_twenty_minutes(series, tmp_path)
    assert fired == expected


def fired_at_twenty_minutes(series: Series, folder: Path) -> set[str]:
    """The alerts that promtool says fire: it is told to expect none, and names what it got instead."""
    rules = [
        {"alert": alert.replace(" ", "_"), "expr": expression, "for": time}
        for alert, (expression, time) in RULES.items()
    ]
    write(folder / "rules.yml", {"groups": [{"name": "tally", "interval": "30s", "rules": rules}]})
    asked = [{"eval_time": "20m", "alertname": rule["alert"], "exp_alerts": []} for rule in rules]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    tests = [{"interval": "30s", "input_series": inputs, "alert_rule_test": asked}]
    write(folder / "test.yml", {"rule_files": ["rules.yml"], "evaluation_interval": "30s", "tests": tests})
    command = ["promtool", "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    fired = re.findall(r"alertname: ?(\w+), time", said)
    assert bool(fired) == bool(done.returncode), said
    return {alert.replace("_", " ") for alert in fired}


def write(path: Path, content: Any) -> None:
    """As JSON, which is YAML as well."""
    path.write_text(json.dumps(content))
