"""What one person's and one connector's numbers are made of: by day, by product, by model."""

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
    """A product's or a model's number, by its name in the events; "" is none."""

    name: str
    value: T


class Breakdown(Struct, Generic[T], frozen=True, kw_only=True):
    """A number of the window, of each of its days, and by what else it is taken apart. Distinct things of the parts may
    add up to more than `total`, which is None when the tables do not reach the window's end."""

    about: ResultMeta
    total: T | None
    days: tuple[Day[T], ...]
    products: tuple[NamedValue[T], ...] = ()
    models: tuple[NamedValue[T], ...] = ()


class PersonActivity(Struct, frozen=True, kw_only=True):
    """What a person did: distinct chats started or written in, messages in chats and sessions, distinct sessions, added
    lines that were accepted, distinct projects worked in and artifacts made, calls of connectors."""

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
    """What a person's requests used, whoever pays for it."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ConnectorCalls(Struct, frozen=True, kw_only=True):
    """A connector's use: distinct people, and calls by anyone, of which the three kinds add up to all."""

    people: int = 0
    calls: int = 0
    read_calls: int = 0
    write_calls: int = 0
    unclassified_calls: int = 0


class PersonSpend(Struct, frozen=True, kw_only=True):
    """What a person spent. Not `reported`: the plan has no spend reports in the window, and `spend` is None."""

    reported: bool
    about: ResultMeta
    spend: Breakdown[Spend] | None


NOTHING = Decimal(0)
NO_SPEND = Spend(requests=0, prompt_tokens=0, completion_tokens=0, priced_net_usd=NOTHING, priced_list_usd=NOTHING)


def person_activity(reading: QueryContext, window: Period, account: str) -> Breakdown[PersonActivity]:
    """What the person did in the window, by day and product."""
    return _breakdown(
        reading, "person_activity", window, _by(PersonActivity), PersonActivity(), account=account, **_days(window)
    )


def person_usage(reading: QueryContext, window: Period, account: str) -> Breakdown[PersonUsage]:
    """What the person's requests used, by day and model, most requests first."""
    return _breakdown(
        reading, "person_usage", window, _by(PersonUsage), PersonUsage(), account=account, **_moments(window)
    )


def person_spend(reading: QueryContext, window: Period, account: str) -> PersonSpend:
    """What the person spent, by day, product and model, the highest net first: each adds up to the total."""
    reported, about = is_reported(reading, window), reading.about(window)
    if not reported:
        return PersonSpend(reported=False, about=about, spend=None)
    found = _breakdown(reading, "person_spend", window, _spend, NO_SPEND, account=account, **_moments(window))
    return PersonSpend(reported=True, about=about, spend=found)


def connector_use(reading: QueryContext, window: Period, connector: str) -> Breakdown[ConnectorCalls]:
    """How the connector of this key was used, by day and product."""
    return _breakdown(
        reading, "connector_use", window, _by(ConnectorCalls), ConnectorCalls(), connector=connector, **_days(window)
    )


def person_of(reading: QueryContext, window: Period, account: str) -> Person | None:
    """Who the account is, if it is one of the organization: its directory knows it, or it did something in the window.

    Names belong to accounts and not to organizations, so nobody learns that of somebody else's.
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
    """The answer of a metric whose SQL gives the rows (part, day, name, ...): `part` says what a row is of, '' all."""
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
    """Makes the columns of a row the fields of `kind`, in their order."""
    names = kind.__struct_fields__  # type: ignore[attr-defined]
    return lambda columns: kind(**dict(zip(names, columns, strict=True)))


def _spend(columns: Sequence[Any]) -> Spend:
    *amounts, models = columns
    return _by(Spend)([*amounts, tuple(models)])


def _days(window: Period) -> dict[str, Any]:
    return {"first": window.first, "last": window.last}


def _moments(window: Period) -> dict[str, Any]:
    return {"begins": clickhouse_timestamp(window.begins), "ends": clickhouse_timestamp(window.ends)}
