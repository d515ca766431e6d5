"""Breakdowns of one person's or one connector's numbers by day, by product and by model."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from msgspec import Struct

from reports.metrics.people import name_people
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import Day, Person, ResultMeta
from reports.metrics.spend import Spend, is_reported
from reports.periods import Period
from sinks.datetimes import clickhouse_timestamp

T = TypeVar("T")


class NamedValue(Struct, Generic[T], frozen=True, kw_only=True):
    """A product's or a model's number, by its name in the events; "" means none."""

    name: str
    value: T


class Breakdown(Struct, Generic[T], frozen=True, kw_only=True):
    """A number for the window, for each of its days, and for its parts. The distinct things of the parts may add up to
    more than `total`, which is None if the tables do not reach the window's end."""

    about: ResultMeta
    total: T | None
    days: tuple[Day[T], ...]
    products: tuple[NamedValue[T], ...] = ()
    models: tuple[NamedValue[T], ...] = ()


class PersonActivity(Struct, frozen=True, kw_only=True):
    """A person's activity: distinct chats started or written in, messages in chats and sessions, distinct sessions,
    added lines that were accepted, distinct projects worked in and artifacts made, calls of connectors."""

    chats: int = 0
    messages: int = 0
    sessions: int = 0
    lines_accepted: int = 0
    commits: int = 0
    pull_requests: int = 0
    projects: int = 0
    artifacts: int = 0
    connector_calls: int = 0


class PersonUsage(Struct, frozen=True, kw_only=True):
    """Usage by a person's requests, regardless of who pays for it."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ConnectorCalls(Struct, frozen=True, kw_only=True):
    """A connector's use: distinct people, and calls by anyone; the three kinds of calls add up to all."""

    people: int = 0
    calls: int = 0
    read_calls: int = 0
    write_calls: int = 0
    unclassified_calls: int = 0


class PersonSpend(Struct, frozen=True, kw_only=True):
    """A person's spend. If not `reported`, the plan has no spend reports in the window, and `spend` is None."""

    reported: bool
    about: ResultMeta
    spend: Breakdown[Spend] | None


NOTHING = Decimal(0)
NO_SPEND = Spend(requests=0, prompt_tokens=0, completion_tokens=0, priced_net_usd=NOTHING, priced_list_usd=NOTHING)


def person_activity(reading: QueryContext, window: Period, account: str) -> Breakdown[PersonActivity]:
    """Return the person's activity in the window, by day and product."""
    return _breakdown(
        reading, "person_activity", window, _by(PersonActivity), PersonActivity(), account=account, **_days(window)
    )


def person_usage(reading: QueryContext, window: Period, account: str) -> Breakdown[PersonUsage]:
    """Return the usage by the person's requests, by day and model, most requests first."""
    return _breakdown(
        reading, "person_usage", window, _by(PersonUsage), PersonUsage(), account=account, **_moments(window)
    )


def person_spend(reading: QueryContext, window: Period, account: str) -> PersonSpend:
    """Return the person's spend by day, product and model, highest net first. Each of the three adds up to it."""
    reported, about = is_reported(reading, window), reading.about(window)
    if not reported:
        return PersonSpend(reported=False, about=about, spend=None)
    found = _breakdown(reading, "person_spend", window, _spend, NO_SPEND, account=account, **_moments(window))
    return PersonSpend(reported=True, about=about, spend=found)


def connector_use(reading: QueryContext, window: Period, connector: str) -> Breakdown[ConnectorCalls]:
    """Return the use of the connector with this key, by day and product."""
    return _breakdown(
        reading, "connector_use", window, _by(ConnectorCalls), ConnectorCalls(), connector=connector, **_days(window)
    )


def person_of(reading: QueryContext, window: Period, account: str) -> Person | None:
    """Return the person behind an account, or None if the account has nothing to do with the organization.

    The directory must know the account, or it must have been active in the window. Names belong to accounts and not to
    organizations, so without this check one organization could read names of another's people.
    """
    if not (reading.remembered_now("person_known", account=account)[0][0] or _did_something(reading, window, account)):
        return None
    return name_people(reading, [account])[account]


def _did_something(reading: QueryContext, window: Period, account: str) -> bool:
    did, used = person_activity(reading, window, account), person_usage(reading, window, account)
    return did.total not in (None, PersonActivity()) or used.total not in (None, PersonUsage())


def _breakdown(
    reading: QueryContext, metric: str, window: Period, value: Callable[[Sequence[Any]], T], nothing: T, **asked: Any
) -> Breakdown[T]:
    """Return a metric's result. Its SQL gives rows (part, day, name, ...), where `part` is '' for the total."""
    total, days = nothing, dict[date, T]()
    named: dict[str, list[NamedValue[T]]] = {"product": [], "model": []}
    for part, day, name, *columns in reading.remembered(metric, window, **asked) if reading.overlaps(window) else ():
        if part == "day":
            days[day] = value(columns)
        elif part:
            named[part].append(NamedValue(name=name, value=value(columns)))
        else:
            total = value(columns)
    return Breakdown(
        about=reading.about(window),
        total=total if reading.covers(window.last) else None,
        days=reading.by_day(window, days, nothing),
        products=tuple(named["product"]),
        models=tuple(named["model"]),
    )


def _by(kind: Callable[..., T]) -> Callable[[Sequence[Any]], T]:
    """Return a function that turns a row's columns into the fields of `kind`, in order."""
    names = kind.__struct_fields__  # type: ignore[attr-defined]
    return lambda columns: kind(**dict(zip(names, columns, strict=True)))


def _spend(columns: Sequence[Any]) -> Spend:
    *amounts, models = columns
    return _by(Spend)([*amounts, tuple(models)])


def _days(window: Period) -> dict[str, Any]:
    return {"first": window.first, "last": window.last}


def _moments(window: Period) -> dict[str, Any]:
    return {"begins": clickhouse_timestamp(window.begins), "ends": clickhouse_timestamp(window.ends)}
