"""What operators see through the API, over a real Kafka, worker and ClickHouse: lag, watermarks, dead letters."""

import json
from pathlib import Path

import httpx
import pytest

from access.sessions import Identity, create_credential
from deploy.api import api_context
from deploy.partition_status import partition_statuses
from intake.ndjson import ProducerRecord
from tests.support.api_server import Served, serve
from tests.support.incidents import EVENTS, lines
from tests.support.pipeline import pipeline
from tests.support.sign_in import use
from tests.support.simulated_world import World

ORGANIZATION = "aaaaaaaa-0000-4000-8000-00000000000b"


@pytest.mark.timeout(180)
def test_an_operator_sees_the_pipeline_and_no_person(tmp_path: Path) -> None:
    with pipeline(tmp_path) as running:
        running.start_worker()
        running.emit(lines("tally.chat", ORGANIZATION, 30))
        running.emit(
            [ProducerRecord("tally.token", b"x", b"{}", ""), ProducerRecord("tally.token", b"x", b"nonsense", "")]
        )
        running.wait()
        world = World(running.settings.clickhouse_url, running.settings.clickhouse_database, [], {})
        with serve(api_context(running.settings)) as served:
            answer = asked(world, served)
            shown = answer.json()
            assert (shown["lag"], sum(shown["dead_letters"].values())) == (0, 2)
            assert {one["source"]: one["next_offset"] for one in shown["sources"]} == {
                one.source: one.next_offset for one in partition_statuses(running.settings)
            }
            assert sum(one["log_end"] - one["log_start"] for one in shown["sources"]) == 32
            assert len({one["topic"] for one in shown["sources"]}) >= len(EVENTS)
            assert ORGANIZATION not in json.dumps(shown)
            assert not any(one["is_stuck"] for one in shown["sources"])
            running.kafka.kill()
            assert asked(world, served).status_code == 503


def asked(world: World, served: Served) -> httpx.Response:
    client = world.client()
    now = served.context.clock()
    link = create_credential(client, "link", Identity(operator="kim"), now, now + served.context.session_lifetime)
    client.close()
    cookies = use(served, link).cookies
    return httpx.get(f"{served.base_url}/operator/pipeline", cookies=cookies, timeout=30)
