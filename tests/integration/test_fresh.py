"""A fresh installation: health, doctor and verify before anything is known, and when nothing was ever sent."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from deploy.api import api_context
from deploy.embedded.ports import free_port
from deploy.errors import ExitCode
from deploy.settings import Settings
from tests.support.api_server import serve
from tests.support.incidents import eventually, health, tally
from tests.support.pipeline import Pipeline, pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Nobody has written anything; no worker runs yet."""
    with pipeline(tmp_path_factory.mktemp("fresh")) as running:
        yield running


def api_health(settings: Settings) -> dict[str, object]:
    with serve(api_context(settings)) as served:
        answer = served.get("/health")
        found: dict[str, object] = answer.json()
        assert answer.status_code == (200 if found["healthy"] else 503)
        return found


def test_nothing_is_known_before_the_first_worker_and_that_is_told_from_a_fault(running: Pipeline) -> None:
    found = api_health(running.settings)
    assert (found["healthy"], found["cause"], found["data_refreshed_at"]) == (False, "starting", None)
    assert "nothing is known yet" in str(found["problems"])


def test_before_the_first_migration_health_says_what_to_do(running: Pipeline) -> None:
    found = api_health(running.settings.model_copy(update={"clickhouse_database": f"none_{uuid4().hex[:8]}"}))
    assert found["cause"] == "not_migrated"
    assert "tally migrate" in str(found["problems"])


def test_all_is_well_though_nothing_was_ever_sent(running: Pipeline) -> None:
    port = free_port()
    running.start_worker(metrics_port=port)
    eventually(lambda: health(port)[0] == 200, told=lambda: health(port))
    assert api_health(running.settings)["healthy"]
    for arguments in ((), ("--json",), ("--from", "2026-11-01", "--to", "2026-11-08"), ("--wait", "0")):
        verified = tally(running.settings, "verify", *arguments)
        assert verified.returncode == ExitCode.OK, (arguments, verified.stdout, verified.stderr)
    assert json.loads(tally(running.settings, "verify", "--json").stdout)["equal"] is True
    findings = json.loads(tally(running.settings, "doctor", "--json").stdout)
    assert [one for one in findings if one["level"] == "problem"] == []
    assert [one for one in findings if one["where"] in ("watermark", "source_positions") and one["level"] != "ok"] == []


def test_a_worker_that_is_gone_makes_the_watermark_old_and_health_names_what_waits(running: Pipeline) -> None:
    for worker in running.workers:
        worker.kill()
        worker.wait()
    found = eventually(lambda: (one := api_health(running.settings))["cause"] == "behind" and one, 400)
    assert "tally.token/0@0" in str(found["problems"])
    assert "is a worker running?" in str(found["problems"])
