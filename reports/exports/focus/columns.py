"""The columns of FOCUS 1.2 and their values for a charge. Null is None, never a placeholder text."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache

import orjson

from pricing.money import EXACT
from reports.exports.focus.charges import METERS, Charge

Value = str | Decimal | datetime | None
NO_PRODUCT = "Unassigned"
PROVIDER = "Anthropic"
RESOURCE_TYPES = {
    "user": "User",
    "api_key": "API Key",
    "service_account": "Service Account",
    "federated": "Federated Identity",
}
REGIONS = {"us": "United States"}
"""Places that inference can be restricted to. `global` is not a region."""


class Kind(Enum):
    """How a column is written."""

    TEXT = "text"
    MOMENT = "moment"
    MONEY = "money"
    QUANTITY = "quantity"


@dataclass(frozen=True)
class Account:
    """The billing account."""

    organization_id: str
    name: str | None


@dataclass(frozen=True)
class Column:
    """A column's name, kind, and value for a charge."""

    name: str
    kind: Kind
    of: Callable[[Account, Charge], Value]


def _same(text: str) -> Callable[[Account, Charge], Value]:
    return lambda _, __: text


def _nothing(_: Account, __: Charge) -> Value:
    return None


@lru_cache(maxsize=512)
def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _day_ends(_: Account, charge: Charge) -> Value:
    return _midnight(charge.day) + timedelta(days=1)


def _month_begins(_: Account, charge: Charge) -> Value:
    return _midnight(charge.day).replace(day=1)


def _month_ends(_: Account, charge: Charge) -> Value:
    return (_midnight(charge.day).replace(day=1) + timedelta(days=32)).replace(day=1)


def _description(_: Account, charge: Charge) -> Value:
    meter = METERS[charge.price.unit].name
    return f"{meter} of {charge.model}" if charge.price.model else meter


def _quantity(charge: Charge) -> Decimal:
    return EXACT.multiply(METERS[charge.price.unit].counted_in_pricing, charge.quantity)


def _per_pricing_unit(charge: Charge, usd: Decimal) -> Decimal:
    """Convert a price per single unit to one per pricing unit. Exact, since the factor is a power of ten."""
    return EXACT.divide(usd, METERS[charge.price.unit].counted_in_pricing)


def _sku(charge: Charge) -> str:
    return f"{charge.price.model or 'tools'}/{charge.price.unit}"


def _sku_price(_: Account, charge: Charge) -> Value:
    price = charge.price
    parts = (price.service_tier, price.context_window, price.inference_geo, price.speed) if price.model else ()
    return "/".join((_sku(charge), *parts)) + f"@{price.since}"


def _sku_price_details(_: Account, charge: Charge) -> Value:
    price = charge.price
    if not price.model:
        return None
    return _json(
        x_ServiceTier=price.service_tier,
        x_ContextWindow=price.context_window,
        x_InferenceGeo=price.inference_geo,
        x_Speed=price.speed,
    )


def _tags(_: Account, charge: Charge) -> Value:
    return _json(cost_center=charge.cost_center) if charge.cost_center else None


def _json(**values: str) -> str:
    return orjson.dumps(values).decode()


def _region(charge: Charge) -> str | None:
    geo = charge.price.inference_geo
    return geo if geo in REGIONS else None


def _region_name(_: Account, charge: Charge) -> Value:
    region = _region(charge)
    return REGIONS[region] if region else None


def _net(_: Account, charge: Charge) -> Value:
    return charge.net_usd


COLUMNS = (
    Column("BilledCost", Kind.MONEY, _net),
    Column("BillingAccountId", Kind.TEXT, lambda account, _: account.organization_id),
    Column("BillingAccountName", Kind.TEXT, lambda account, _: account.name),
    Column("BillingCurrency", Kind.TEXT, _same("USD")),
    Column("BillingPeriodEnd", Kind.MOMENT, _month_ends),
    Column("BillingPeriodStart", Kind.MOMENT, _month_begins),
    Column("ChargeCategory", Kind.TEXT, _same("Usage")),
    Column("ChargeClass", Kind.TEXT, _nothing),
    Column("ChargeDescription", Kind.TEXT, _description),
    Column("ChargeFrequency", Kind.TEXT, _same("Usage-Based")),
    Column("ChargePeriodEnd", Kind.MOMENT, _day_ends),
    Column("ChargePeriodStart", Kind.MOMENT, lambda _, charge: _midnight(charge.day)),
    Column(
        "ConsumedQuantity",
        Kind.QUANTITY,
        lambda _, charge: EXACT.multiply(METERS[charge.price.unit].counted_in_consumed, charge.quantity),
    ),
    Column("ConsumedUnit", Kind.TEXT, lambda _, charge: METERS[charge.price.unit].consumed_unit),
    Column("ContractedCost", Kind.MONEY, _net),
    Column("ContractedUnitPrice", Kind.MONEY, lambda _, charge: _per_pricing_unit(charge, charge.unit_net_usd)),
    Column("EffectiveCost", Kind.MONEY, _net),
    Column("InvoiceIssuerName", Kind.TEXT, _same(PROVIDER)),
    Column("ListCost", Kind.MONEY, lambda _, charge: charge.list_usd),
    Column("ListUnitPrice", Kind.MONEY, lambda _, charge: _per_pricing_unit(charge, charge.unit_list_usd)),
    Column("PricingCategory", Kind.TEXT, _same("Standard")),
    Column("PricingQuantity", Kind.QUANTITY, lambda _, charge: _quantity(charge)),
    Column("PricingUnit", Kind.TEXT, lambda _, charge: METERS[charge.price.unit].pricing_unit),
    Column("ProviderName", Kind.TEXT, _same(PROVIDER)),
    Column("PublisherName", Kind.TEXT, _same(PROVIDER)),
    Column("RegionId", Kind.TEXT, lambda _, charge: _region(charge)),
    Column("RegionName", Kind.TEXT, _region_name),
    Column("ResourceId", Kind.TEXT, lambda _, charge: charge.actor_id),
    Column("ResourceName", Kind.TEXT, lambda _, charge: charge.actor_name or None),
    Column("ResourceType", Kind.TEXT, lambda _, charge: RESOURCE_TYPES[charge.actor_type]),
    Column("ServiceCategory", Kind.TEXT, _same("AI and Machine Learning")),
    Column("ServiceName", Kind.TEXT, lambda _, charge: charge.product_label or NO_PRODUCT),
    Column("ServiceSubcategory", Kind.TEXT, _same("Generative AI")),
    Column("SkuId", Kind.TEXT, lambda _, charge: _sku(charge)),
    Column("SkuMeter", Kind.TEXT, lambda _, charge: METERS[charge.price.unit].name),
    Column("SkuPriceDetails", Kind.TEXT, _sku_price_details),
    Column("SkuPriceId", Kind.TEXT, _sku_price),
    Column("SubAccountId", Kind.TEXT, lambda _, charge: charge.cost_center or None),
    Column("SubAccountName", Kind.TEXT, lambda _, charge: charge.cost_center or None),
    Column("Tags", Kind.TEXT, _tags),
    Column("x_Discount", Kind.QUANTITY, lambda _, charge: charge.discount),
    Column("x_Model", Kind.TEXT, lambda _, charge: charge.model or None),
    Column("x_Product", Kind.TEXT, lambda _, charge: charge.product or None),
)
"""In alphabetical order, Tally's own columns last."""

NAMES = tuple(column.name for column in COLUMNS)


def row_of(account: Account, charge: Charge) -> list[Value]:
    """Return the charge's cells in the order of COLUMNS."""
    return [column.of(account, charge) for column in COLUMNS]
