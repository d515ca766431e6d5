"""The main job through public doors: a simulated file, emitted, folded, exported; equal to a recount of the file.

The recount (tests/reference) reads the file alone and imports nothing of Tally but its price list.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from deploy.connections import open_store
from deploy.up import environment_of
from tests.support.pipeline import Pipeline, pipeline

pytestmark = pytest.mark.timeout(900)

SIZE = ("--seed", "11", "--until", "2026-11-20", "--users", "60", "--days", "12")
RATES = ("--duplicates", "0.03", "--late", "0.02", "--poison", "0.01")
FIRST, LAST = "2026-11-08", "2026-11-19"
NOW = "2026-11-21T12:00:00Z"
"""The export's clock, so that the period stays within its 90 days whenever this runs."""

REFUSED = 4


def tally(pipeline: Pipeline, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A `tally` command against the pipeline."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**os.environ, **environment_of(pipeline.settings), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline that has folded the simulated file `e.ndjson` in its folder."""
    with pipeline(tmp_path_factory.mktemp("acceptance")) as running:
        file = str(running.folder / "e.ndjson")
        assert tally(running, "simulate", *SIZE, *RATES, "--out", file).returncode == 0
        running.start_worker()
        assert tally(running, "emit", file).returncode == 0
        running.wait()
        yield running


@pytest.fixture(scope="module")
def recounted(emitted: Pipeline) -> tuple[Path, list[str]]:
    """The recount: the folder of its CSVs and its lines of active users."""
    folder = emitted.folder / "recounted"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.reference.recount_ndjson", str(emitted.folder / "e.ndjson"), FIRST, LAST]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=600, check=True)
    return folder, done.stdout.splitlines()


def test_every_report_equals_the_recount(emitted: Pipeline, recounted: tuple[Path, list[str]]) -> None:
    folder, _ = recounted
    rows = 0
    for expected in sorted(folder.glob("spend-*.csv")):
        organization = expected.stem.removeprefix("spend-")
        out = emitted.folder / f"exported-{organization}.csv"
        custom = ("--period", "custom", "--start", FIRST, "--end", LAST, "--out", str(out))
        done = tally(emitted, "export", "--organization", organization, *custom, TALLY_NOW=NOW)
        if done.returncode == REFUSED:
            assert len(expected.read_bytes().splitlines()) == 1, f"{done.stderr} but the recount has rows"
            continue
        assert done.returncode == 0, done.stderr
        assert out.read_bytes() == expected.read_bytes(), organization
        logged = json.loads(tally(emitted, "audit", "--organization", organization, "--json").stdout)[-1]
        assert (logged["action"], logged["sha256"]) == ("export", sha256(out.read_bytes()).hexdigest())
        rows += len(expected.read_bytes().splitlines()) - 1
    assert rows > 500, "so few rows test nothing"


def test_active_users_of_every_day_equal_the_recount(emitted: Pipeline, recounted: tuple[Path, list[str]]) -> None:
    _, lines = recounted
    sql = "SELECT DISTINCT toString(organization_id), day, toString(account_id) FROM active_users"
    actives = open_store(emitted.settings).client.query(sql).result_rows
    assert len(lines) > 50
    for line in lines:
        organization, day, *expected = line.split(",")
        ages = [(date.fromisoformat(day) - at, person) for org, at, person in actives if org == organization]
        found = [len({person for age, person in ages if 0 <= age.days < width}) for width in (1, 7, 30)]
        assert found == [int(count) for count in expected], line


def test_a_token_more_would_be_seen(emitted: Pipeline, recounted: tuple[Path, list[str]]) -> None:
    """The control: one token changed in the file gives another report."""
    file = emitted.folder / "one-more.ndjson"
    lines = (emitted.folder / "e.ndjson").read_bytes().split(b"\n")
    paid = (b'{"type":"token.used"', b'"usage_based"', b'"output_tokens":')
    place = next(number for number, line in enumerate(lines) if all(part in line for part in paid))
    lines[place] = lines[place].replace(b'"output_tokens":', b'"output_tokens":1', 1)
    file.write_bytes(b"\n".join(lines))
    folder = emitted.folder / "one-more"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.reference.recount_ndjson", str(file), FIRST, LAST, str(folder)]
    subprocess.run(command, capture_output=True, timeout=600, check=True)
    same = [path.read_bytes() == (recounted[0] / path.name).read_bytes() for path in folder.glob("*.csv")]
    assert not all(same)
