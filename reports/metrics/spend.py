"""Spend as in the spend report: all usage on usage-based plans, only extra usage (while enabled) on seat-based ones."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from pricing.terms import reports_in
from reports.metrics.people import DEFAULT_LIMIT, rank
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import Leader, ResultMeta
from reports.periods import Period
from sinks.datetimes import clickhouse_timestamp


class Spend(Struct, frozen=True, kw_only=True):
    """The cost of usage, in USD, exact and unrounded: `net` after the organization's discount, `list` before it.

    The priced amounts exclude usage of `unpriced_models` ("" is code execution); with any of it `net_usd` and
    `list_usd` are unknown.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    priced_net_usd: Decimal
    priced_list_usd: Decimal
    unpriced_models: tuple[str, ...] = ()

    @property
    def net_usd(self) -> Decimal | None:
        """The whole net amount; None if a part of it has no price."""
        return None if self.unpriced_models else self.priced_net_usd

    @property
    def list_usd(self) -> Decimal | None:
        """The whole list amount; None if a part of it has no price."""
        return None if self.unpriced_models else self.priced_list_usd


class SpendTotal(Struct, frozen=True, kw_only=True):
    """Spend in a window. `spend` is None if unknown or not `reported` (the plan has no spend reports then)."""

    about: ResultMeta
    reported: bool
    spend: Spend | None


class ModelSpend(Struct, frozen=True, kw_only=True):
    """Spend on one model, by the id in the events; "" is code execution. `family` is None if no price list has it."""

    model: str
    family: str | None
    spend: Spend


class SpendByModel(Struct, frozen=True, kw_only=True):
    """Spend in a window by model; the rows add up to the total. `models` is None where SpendTotal.spend would be."""

    about: ResultMeta
    reported: bool
    models: tuple[ModelSpend, ...] | None


class SpendLeaders(Struct, frozen=True, kw_only=True):
    """The people with the highest spend. `reported` is as in SpendTotal; if false, there is no ranking."""

    about: ResultMeta
    reported: bool
    ranked: int | None
    leaders: tuple[Leader[Spend], ...]


def spend(reading: QueryContext, window: Period) -> SpendTotal:
    """Return net and list spend in the window."""
    return _total(reading, "spend", window)


def spend_in_products(reading: QueryContext, window: Period, products: Sequence[str]) -> SpendTotal:
    """Return net and list spend in the window in these products alone, by their names in the events."""
    return _total(reading, "spend_in_products", window, products=list(products))


def _total(reading: QueryContext, metric: str, window: Period, **parameters: Any) -> SpendTotal:
    about = reading.about(window)
    reported = is_reported(reading, window)
    if not reported or not reading.covers(window.last):
        return SpendTotal(about=about, reported=reported, spend=None)
    [row] = _rows(reading, metric, window, **parameters)
    return SpendTotal(about=about, reported=reported, spend=_spend(row))


def spend_by_model(reading: QueryContext, window: Period) -> SpendByModel:
    """Return spend on each model, highest net first, unpriced models last. Ties: by model id."""
    about = reading.about(window)
    reported = is_reported(reading, window)
    if not reported or not reading.covers(window.last):
        return SpendByModel(about=about, reported=reported, models=None)
    rows = _rows(reading, "spend_by_model", window)
    models = tuple(
        ModelSpend(model=model, family=family or None, spend=_spend(columns)) for model, family, *columns in rows
    )
    return SpendByModel(about=about, reported=reported, models=models)


def top_people_by_spend(reading: QueryContext, window: Period, limit: int = DEFAULT_LIMIT) -> SpendLeaders:
    """Return the people with the highest net spend, by the priced part. Ties: by account id.

    Machines are not ranked although they spend, so the people's spend is at most the organization's.
    """
    about = reading.about(window)
    reported = is_reported(reading, window)
    if not reported or not reading.covers(window.last):
        return SpendLeaders(about=about, reported=reported, ranked=None, leaders=())
    rows = _rows(reading, "top_people_by_spend", window, limit=limit)
    ranked = rows[0][1] if rows else 0
    return SpendLeaders(about=about, reported=reported, ranked=ranked, leaders=rank(reading, rows, _spend))


def is_reported(reading: QueryContext, window: Period) -> bool:
    """Return True if the organization reports spend in the window (pricing/terms.py); else spend is unknown, not 0."""
    return reports_in(reading.client, reading.organization_id, window.begins, window.ends)


def _rows(reading: QueryContext, metric: str, window: Period, **parameters: Any) -> Sequence[Sequence[Any]]:
    begins, ends = clickhouse_timestamp(window.begins), clickhouse_timestamp(window.ends)
    return reading.remembered(metric, window, begins=begins, ends=ends, **parameters)


def _spend(columns: Sequence[Any]) -> Spend:
    requests, prompt_tokens, completion_tokens, net_usd, list_usd, unpriced_models = columns
    return Spend(
        requests=requests,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        priced_net_usd=net_usd,
        priced_list_usd=list_usd,
        unpriced_models=tuple(unpriced_models),
    )
