"""docs/faults.md names tests that exist, at least one for each kind of fault."""

from tests.support.linked_tests import linked, missing, page, rows

PAGE = page("faults.md")
KINDS = PAGE.split("\n## ")[1:]


def test_every_link_leads_to_a_test() -> None:
    assert missing(linked(PAGE)) == set()


def test_every_kind_has_its_tests() -> None:
    assert [kind.partition("\n")[0] for kind in KINDS if not linked(kind)] == []


def test_every_row_of_a_table_has_its_test() -> None:
    assert [row for row in rows(PAGE, head="from outside") if not linked(row)] == []
