"""Rules of pricing stand in one SQL file each; everything else reads a column."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("access", "api", "deploy", "pricing", "queries", "reports", "sinks")
"""`verify` has every rule again, on purpose."""

CELLS, TERMS = "sinks/schema/tables/001_cells.sql", "sinks/schema/views/terms.sql"


def files_with(text: str) -> list[str]:
    paths = [path for package in PRODUCT for path in (ROOT / package).rglob("*.sql")]
    return sorted(str(path.relative_to(ROOT)) for path in paths if text in path.read_text())


@pytest.mark.parametrize(
    ("text", "file"),
    [
        pytest.param("latest)", CELLS, id="a model without its date"),
        pytest.param("'0-200k'", CELLS, id="the context window of usage that leaves it open"),
        pytest.param("'global'", CELLS, id="the geography of usage that leaves it open"),
        pytest.param("'seat_allotment'", TERMS, id="which usage seats cover"),
        pytest.param("'extra_usage'", TERMS, id="which usage is overage"),
        pytest.param("'enterprise_seat_based'", TERMS, id="which plans have seats"),
        pytest.param("- terms.discount", "", id="the discount"),
    ],
)
def test_a_rule_is_in_one_file(text: str, file: str) -> None:
    found = files_with(text)
    assert found == ([file] if file else ["reports/usage/rows.sql", "sinks/schema/fragments/cost.sql"])
