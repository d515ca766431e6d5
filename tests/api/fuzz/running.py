"""Runs schemathesis as its users do: the command, over HTTP, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from api.usage.endpoints import BETA

ROOT = Path(__file__).parents[3]
UNTOLD = "positive_data_acceptance"
"""Rules between parameters (date or starting_date) and cursors are not in OpenAPI, so what it allows may be refused."""


@dataclass(frozen=True)
class Outcome:
    """How many requests were made, how many valid ones were answered, whether all was right, and what was said."""

    cases: int
    answered: int
    passed: bool
    said: str


def fuzz(
    base_url: str, key: str, examples: int, folder: Path, seed: int = 1, phases: str = "coverage,fuzzing"
) -> Outcome:
    """At least `examples` requests for every operation, with every check but the one that cannot hold.

    Of the phases only fuzzing depends on the seed.
    """
    report = folder / "fuzz.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{base_url}/schema/openapi.json"),
        *("--header", f"x-api-key: {key}", "--header", f"anthropic-beta: {BETA}"),
        *("--max-examples", str(examples), "--seed", str(seed), "--phases", phases),
        *("--exclude-checks", UNTOLD, "--continue-on-failure", "--warnings", "off", "--no-color"),
        *("--report", "json", "--report-json-path", str(report), "--suppress-health-check", "all"),
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.api.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    said = ran.stdout + ran.stderr
    if not report.exists():
        return Outcome(0, 0, False, said)
    told = json.loads(report.read_text())
    rates = [rate for phases in told["valid_rates"].values() for rate in phases.values()]
    accepted = sum(rate["accepted"] for rate in rates)
    return Outcome(told["test_cases"]["generated"], accepted, ran.returncode == 0 and not told["failures"], said)
