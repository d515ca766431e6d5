"""Whatever fits the OpenAPI document, and what does not: no failure, no answer that the document does not know."""

from pathlib import Path

from tests.api.fuzz.running import fuzz
from tests.api.server import Served


def test_schemathesis_finds_nothing(served: Served, organization: str, tmp_path: Path) -> None:
    outcome = fuzz(served.base_url, served.keys[organization], examples=20, folder=tmp_path)
    assert outcome.passed, outcome.said
    assert outcome.answered > outcome.cases // 50, "nearly every request was refused, so little was looked at"
