"""Whatever fits the OpenAPI document, and what does not: no failure, no answer that the document does not know."""

from pathlib import Path

import pytest

from tests.api.fuzz.odd import credentials_of, odd_requests
from tests.api.fuzz.running import fuzz
from tests.support.api_server import Served
from tests.support.simulated_world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
"""What bounds them is the number of requests, which take as long as the machine lets them."""


def test_schemathesis_finds_nothing(served: Served, organization: str, tmp_path: Path) -> None:
    outcome = fuzz(served.base_url, served.keys[organization], examples=20, folder=tmp_path)
    assert outcome.passed, outcome.said
    assert outcome.answered > outcome.cases // 50, "nearly every request was refused, so little was looked at"


def test_odd_requests_are_no_failure(served: Served, world: World, organization: str) -> None:
    credentials = credentials_of(world, served, served.keys[organization])
    assert odd_requests(served, credentials, cases=600, seed=1) == []
