"""docs/exactness.md names tests that exist, and leaves out no step of a flush."""

from tests.simulation.interruptions import STEPS
from tests.support.linked_tests import linked, missing, page, rows

PAGE = page("exactness.md")


def test_every_link_leads_to_a_test() -> None:
    assert len(linked(PAGE)) > 50
    assert missing(linked(PAGE)) == set()


def test_every_row_of_a_table_has_its_test() -> None:
    assert [row for row in rows(PAGE, head="step") if not linked(row)] == []


def test_every_step_of_placing_folding_and_flushing_has_a_row() -> None:
    assert {step for step, _ in STEPS if f"[{step}-" not in PAGE} == set()
