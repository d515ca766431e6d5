"""Every number of the pages Claude.ai and Claude Code equals a recount of the events."""

from datetime import date
from typing import Any

import pytest

from tests.browser.conftest import LASTS, NEWEST, Open, Recounts
from tests.reference import dashboard_products as expected
from tests.reference.metrics import Recount
from tests.support.page_values import differing, table, text, texts, texts_of, tiles, without
from tests.support.simulated_world import World

pytestmark = pytest.mark.slow

PERIODS = [("1-month", "mtd"), ("1-week", "qtd"), ("3-months", "1-year")]


@pytest.mark.parametrize("number", range(3))
def test_claude_ai(open_page: Open, world: World, recounts: Recounts, number: int) -> None:
    organization, last, (days, top) = world.organizations[number], LASTS[number], PERIODS[number]
    recount = recounts[organization]
    page = open_page(f"claude-ai?until={last}&days={days}&projects={top}&artifacts={top}", organization)
    assert tiles(page) == texts_of(expected.claude_ai_tiles(recount, last, days))
    assert differing(page, expected.claude_ai(recount, last, days, top)) == set()
    assert without(1, table(page, "totals")) == texts(expected.totals(recount, last))


@pytest.mark.parametrize("number", range(3))
def test_claude_code(open_page: Open, world: World, recounts: Recounts, number: int) -> None:
    organization, last, (days, _) = world.organizations[number], LASTS[number], PERIODS[number]
    recount = recounts[organization]
    page = open_page(f"claude-code?until={last}&days={days}&people={days}", organization)
    wanted = expected.claude_code_tiles(recount, last, days)
    if number == 2:  # seats without extra usage
        del wanted["Net spend"]
    assert tiles(page) == texts_of(wanted)
    assert differing(page, expected.claude_code(recount, last, days, days)) == set()
    spent = [row[1:] for row in table(page, "spend")]
    assert spent == ([] if number == 2 else [[text(cell) for cell in expected.claude_code_spend(recount, last, days)]])


@pytest.mark.parametrize(("ranked", "place"), [("pull_requests", 5), ("commits", 4), ("sessions", 1)])
def test_claude_code_ranked_otherwise(
    open_page: Open, world: World, recounts: Recounts, ranked: str, place: int
) -> None:
    page = open_page(f"claude-code?ranked={ranked}&people=1-year")
    wanted = expected.top_coders(recounts[world.organizations[0]], NEWEST, "1-year", place)
    assert table(page, "people") == texts(wanted)
    assert len(wanted) > 3


class SumsDays(Recount):
    """Wrong: distinct things of a range are a sum of its days'."""

    def made(self, first: date, last: date, type_: str, field: str) -> int:
        return len(list(self.within(first, last, type_))) + (last > first)

    def code(self, first: date, last: date) -> Any:
        people, *rest = super().code(first, last)
        return people + (last > first), *rest


def test_a_wrong_recount_is_noticed(open_page: Open, world: World, recounts: Recounts) -> None:
    right = recounts[world.organizations[0]]
    wrong = SumsDays(world.events, right.organization_id, right.prices)
    page = open_page("claude-ai")
    shown = tiles(page)
    off = {label for label, value in texts_of(expected.claude_ai_tiles(wrong, NEWEST, "1-month")).items()
           if shown[label] != value}  # fmt: skip
    assert off == {
        *(f"Chats, {label}" for label in expected.PICKED),
        *(f"{name.title()} in this period" for name in expected.MADE),
    }
    page = open_page("claude-code")
    assert tiles(page)["People"] != text(expected.claude_code_tiles(wrong, NEWEST, "1-month")["People"])
