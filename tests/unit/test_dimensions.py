"""The dimensions of usage have one list, from which tables, reports and the API take them."""

from contextlib import suppress
from pathlib import Path

import reports.usage
from aggregators.cell_tables import ROW_TABLES, SPEND
from api.errors import BadRequest
from api.tagged_ids import ORGANIZATION, tagged
from api.usage.endpoints import EVERY_GROUP
from api.usage.filters import ACTORS, EVERYBODYS, PEOPLES, Filter
from api.usage.rows import IDS
from reports.usage.query import ATTRIBUTIONS, FILTERS, ID_DIMENSIONS, TEXT_DIMENSIONS
from tally_client.events import Attribution

ROWS = (Path(str(reports.usage.__file__)).parent / "rows.sql").read_text()
OF_ACTORS = {"actor", "actor_type", "organization_id"}
ID = "aaaaaaaa-0000-4000-8000-000000000001"
ID_TEXT = tagged("", ID)


def test_every_dimension_is_a_column_of_the_cells_or_of_their_attribution_or_a_group() -> None:
    columns = {*SPEND.key, *ROW_TABLES["attributions"]}
    assert {*ID_DIMENSIONS, *TEXT_DIMENSIONS} - columns == {"rbac_group_id"}


def test_every_attribution_that_an_event_has_is_a_dimension_unless_it_is_kept_for_other_reports() -> None:
    assert set(Attribution.__struct_fields__) - set(ATTRIBUTIONS) == {"terminal", "is_remote", "skills"}


def test_the_query_and_the_api_group_by_every_dimension() -> None:
    assert set(EVERY_GROUP) == {*ID_DIMENSIONS, *TEXT_DIMENSIONS, *OF_ACTORS}
    assert set(IDS) == set(ID_DIMENSIONS)
    assert [name for name in (*ID_DIMENSIONS, *TEXT_DIMENSIONS) if f"AS by_{name}" not in ROWS] == []


def filters_of(parameter: str, filter: Filter) -> set[str]:
    """The query's filters that a parameter can set."""
    samples = filter.choices or (ID, *(prefix + ID_TEXT for prefix in (*ACTORS, *IDS.values(), ORGANIZATION)))
    found = set()
    for text in samples:
        with suppress(BadRequest):  # an id of another kind
            found.add(filter.read(parameter, text)[0])
    return found


def test_every_filter_of_the_query_has_a_parameter_and_no_parameter_has_another() -> None:
    """An unknown filter would be left out of the query without an error."""
    filters = {**PEOPLES, **EVERYBODYS}
    assert set().union(*(filters_of(*each) for each in filters.items())) == set(FILTERS)
