"""Spend, as the spend report counts it: usage-based plans all of it, seats only extra usage while that is on."""

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
    """What usage costs, in USD, exact and unrounded: `net` after the organization's discount, `list` before it.

    The priced amounts leave out the usage of `unpriced_models` ("" is code execution); with any of it `net_usd` and
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
        """The whole net amount; None when a part of it has no price."""
        return None if self.unpriced_models else self.priced_net_usd

    @property
    def list_usd(self) -> Decimal | None:
        """The whole list amount; None when a part of it has no price."""
        return None if self.unpriced_models else self.priced_list_usd


class SpendTotal(Struct, frozen=True, kw_only=True):
    """Spend of a window. `spend` is None when it is unknown, or not `reported`: the plan has no spend reports then."""

    about: ResultMeta
    reported: bool
    spend: Spend | None


class ModelSpend(Struct, frozen=True, kw_only=True):
    """Spend on one model, by the id that was used; "" is code execution. `family` None: the price list knows none."""

    model: str
    family: str | None
    spend: Spend


class SpendByModel(Struct, frozen=True, kw_only=True):
    """Spend of a window by model; the rows add up to the total. `models` is None where SpendTotal.spend would be."""

    about: ResultMeta
    reported: bool
    models: tuple[ModelSpend, ...] | None


class SpendLeaders(Struct, frozen=True, kw_only=True):
    """The people who spent most. `reported` as in SpendTotal; if not, nobody is ranked."""

    about: ResultMeta
    reported: bool
    ranked: int | None
    leaders: tuple[Leader[Spend], ...]


def spend(reading: QueryContext, window: Period) -> SpendTotal:
    """Net and list spend of the window."""
    return _total(reading, "spend", window)


def spend_in_products(reading: QueryContext, window: Period, products: Sequence[str]) -> SpendTotal:
    """Net and list spend of the window in these products alone, by their names in the events."""
    return _total(reading, "spend_in_products", window, products=list(products))


def _total(reading: QueryContext, metric: str, window: Period, **parameters: Any) -> SpendTotal:
    about = reading.about(window)
    reported = is_reported(reading, window)
    if not reported or not reading.covers(window.last):
        return SpendTotal(about=about, reported=reported, spend=None)
    [row] = _rows(reading, metric, window, **parameters)
    return SpendTotal(about=about, reported=reported, spend=_spend(row))


def spend_by_model(reading: QueryContext, window: Period) -> SpendByModel:
    """Spend of the window on each model, the highest net first. Ties: by model id; what has no price comes last."""
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
    """The people with the highest net spend, by the part of it that has a price. Ties: by account id.

    Machines spend too, and are not ranked: the people's spend is at most the organization's.
    """
    about = reading.about(window)
    reported = is_reported(reading, window)
    if not reported or not reading.covers(window.last):
        return SpendLeaders(about=about, reported=reported, ranked=None, leaders=())
    rows = _rows(reading, "top_people_by_spend", window, limit=limit)
    ranked = rows[0][1] if rows else 0
    return SpendLeaders(about=about, reported=reported, ranked=ranked, leaders=rank(reading, rows, _spend))


def is_reported(reading: QueryContext, window: Period) -> bool:
    """Whether the organization has spend to report in the window (pricing/terms.py): else it has no number, not 0."""
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
