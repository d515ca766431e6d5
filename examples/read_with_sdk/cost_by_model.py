"""Read what an organization's usage cost, by model, with the official SDK of the Claude API.

The SDK takes the address and the key of Tally from ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
"""

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Context, Decimal

import anthropic
from anthropic.types.beta.organization.analytics import BetaAnalyticsCostItem

EXACT = Context(prec=60)
"""Amounts have up to 22 decimals, and Decimal rounds to 28 digits in all unless it is given more."""

ROWS_A_PAGE = 2
"""So few that the sample has several pages; without a limit the API chooses."""


def read_costs(client: anthropic.Anthropic, first: datetime, end: datetime) -> tuple[list[BetaAnalyticsCostItem], int]:
    """The rows of all pages, highest cost first, and how many pages there were."""
    rows, pages = list[BetaAnalyticsCostItem](), 0
    asked = client.beta.organization.analytics.cost.list(
        starting_at=first, ending_at=end, group_by=["model"], limit=ROWS_A_PAGE
    )
    for page in asked.iter_pages():
        rows += page.data
        pages += 1
    return rows, pages


def unpriced_models(rows: Iterable[BetaAnalyticsCostItem]) -> set[str]:
    """Models without a known price, whose usage is in no amount: a field of Tally that the SDK's types do not have."""
    return {model for row in rows for model in (row.cost.model_extra or {}).get("unpriced_models", [])}


def dollars(cents: str) -> Decimal:
    """An amount of the API, which is in cents, in dollars."""
    return Decimal(cents).scaleb(-2, EXACT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    found = Decimal(0)
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def main() -> None:
    """Print the cost of each model in the days that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=day, help="the first day")
    parser.add_argument("end", type=day, help="the day after the last one")
    given = parser.parse_args()
    with anthropic.Anthropic() as client:
        rows, pages = read_costs(client, given.first, given.end)
    costs = {row.group.model or "no model": dollars(row.cost.amount) for row in rows}
    for model, cost in costs.items():
        print(f"{model:28} {cost:f} USD")
    print(f"{'total':28} {total(costs.values()):f} USD, {len(rows)} models on {pages} pages")
    for model in sorted(unpriced_models(rows)):
        print(f"{model:28} has no known price and is in no amount")


def day(text: str) -> datetime:
    """The beginning of a UTC day."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
