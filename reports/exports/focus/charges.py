"""An organization's charges, each a quantity of one unit at one price."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from clickhouse_connect.driver.client import Client

from pricing.money import EXACT
from queries.errors import RefusedError
from queries.sql_files import fetch
from queries.streaming import stream_rows
from reports.exports.spend_report import scope
from reports.periods import Period

FOLDER = Path(__file__).parent
CELLS = 18
"""The number of cells in a row of charges.sql."""


@dataclass(frozen=True)
class Meter:
    """A counted quantity, the unit it is priced in, and the factors from counted units to consumed and pricing units.

    A million tokens has the price of the price list. A second of execution has a finite decimal price, an hour has not.
    """

    name: str
    consumed_unit: str
    pricing_unit: str
    counted_in_consumed: Decimal = Decimal(1)
    counted_in_pricing: Decimal = Decimal(1)
    prompt: bool = False


def _tokens(name: str, prompt: bool = True) -> Meter:
    return Meter(name, "Tokens", "1000000 Tokens", Decimal(1), Decimal("0.000001"), prompt)


METERS = {
    "uncached_input_tokens": _tokens("Uncached Input Tokens"),
    "cache_read_input_tokens": _tokens("Cache Read Input Tokens"),
    "cache_creation_5m_input_tokens": _tokens("Cache Write 5m Input Tokens"),
    "cache_creation_1h_input_tokens": _tokens("Cache Write 1h Input Tokens"),
    "output_tokens": _tokens("Output Tokens", prompt=False),
    "web_search_requests": Meter("Web Searches", "Requests", "Requests"),
    "execution_milliseconds": Meter("Code Execution", "Seconds", "Seconds", Decimal("0.001"), Decimal("0.001")),
}


@dataclass(frozen=True, slots=True)
class Price:
    """A line of the price list: what it prices, and from when on. For a tool only `unit` and `since` are set."""

    unit: str
    model: str
    service_tier: str
    context_window: str
    inference_geo: str
    speed: str
    since: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Units that an actor used on a day in a product, at one price and one discount. `quantity` counts single units.
    The amounts are USD at list price and net of the discount, per unit and in total. Money is exact."""

    day: str
    cost_center: str
    actor_type: str
    actor_id: str
    actor_name: str
    product: str
    product_label: str
    model: str
    price: Price
    discount: Decimal
    quantity: int
    unit_list_usd: Decimal
    unit_net_usd: Decimal
    list_usd: Decimal
    net_usd: Decimal


def read_charges(client: Client, organization_id: str, period: Period) -> Iterator[Charge]:
    """Yield the period's charges in a fixed order. Raises RefusedError for a missing price or a cut stream."""
    asked = scope(organization_id, period)
    missing = [str(row["model"]) for row in fetch(client, FOLDER / "unpriced.sql", asked)]
    if missing:
        raise _unpriced(missing)
    for cells in stream_rows(client, FOLDER / "charges.sql", asked, CELLS):
        yield _charge(cells)


def _charge(cells: list[str]) -> Charge:
    day, center, actor_type, actor, name, product, label, model, *line, discount_text, usd, count = cells
    if usd is None:  # the usage arrived after the check for missing prices
        raise _unpriced([model])
    price, discount, quantity = Decimal(usd), Decimal(discount_text), int(count)
    net = EXACT.multiply(price, 1 - discount)
    return Charge(
        *(day, center, actor_type, actor, name, product, label, model),
        *(Price(*line), discount, quantity, price, net),
        *(EXACT.multiply(price, quantity), EXACT.multiply(net, quantity)),
    )


def _unpriced(models: list[str]) -> RefusedError:
    named = ", ".join(model or "code execution or web searches" for model in models)
    return RefusedError(
        f"No price is known for {named}, and FOCUS cannot represent a charge without its cost",
        "See the setting prices_file; the spend report lists such usage and leaves its amounts empty.",
    )
