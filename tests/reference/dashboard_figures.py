"""What each figure must show: recounted from the events, in the order of its columns, by figure."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tests.reference.metric_rules import ONE, first_day
from tests.reference.metrics import Recount
from tests.reference.model.names import connector_key
from tests.reference.model.usage import Usage

Rows = list[tuple[Any, ...]]


def days_of(kind: str, last: date) -> Iterator[date]:
    """The days of a window."""
    day = first_day(kind, last)
    while day <= last:
        yield day
        day += ONE


def back(day: date, width: int) -> date:
    return day - (width - 1) * ONE


# -- All activity ---------------------------------------------------------------------------------------------


def activity(recount: Recount, last: date, days: str = "1-month", connectors: str = "1-month") -> dict[str, Rows]:
    """Every figure of the page."""
    every = list(days_of(days, last))
    return {
        "active-users": [(day, *actives(recount, day)) for day in every],
        "utilization": [(day, *used(recount, day)) for day in every],
        "seats": [(day, *recount.seats(day), recount.pending(day)) for day in every],
        "connectors": [
            (rank, shown_connector(recount, name), *counts)
            for rank, (name, *counts) in enumerate(recount.connectors(first_day(connectors, last), last), start=1)
        ],
    }


def actives(recount: Recount, day: date) -> tuple[int, ...]:
    return tuple(recount.count_active(back(day, width), day) for width in (1, 7, 30))


def used(recount: Recount, day: date) -> tuple[float | None, int, int]:
    weekly, held = recount.count_active(back(day, 7), day), recount.seats(day)[0]
    return (100 * weekly / held if held else None), weekly, held


def shown_connector(recount: Recount, name: str) -> str:
    saved = [event for event in recount.history("connector.saved") if connector_key(event["name"]) == name]
    return saved[-1].get("display_name") or name if saved else name


def activity_tiles(recount: Recount, last: date) -> dict[str, Any]:
    """Every tile of the page."""
    daily, weekly, monthly = actives(recount, last)
    return {
        "Weekly active people": weekly,
        "Daily active people": daily,
        "Monthly active people": monthly,
        "Utilization": used(recount, last)[0],
        "Assigned seats": recount.seats(last)[0],
        "Pending invites": recount.pending(last),
    }


# -- Spend ------------------------------------------------------------------------------------------------------

TOTALS = {"Month to date": "mtd", "Quarter to date": "qtd", "Year to date": "ytd"}


def money(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """(net, gross, requests, prompt and completion tokens) of a recounted spend."""
    requests, prompt, completion, net, gross, unpriced = row
    return (None, None, *row[:3]) if unpriced else (net, gross, requests, prompt, completion)


def sums(recount: Recount, kind: str, last: date, key: Callable[[Usage], str]) -> dict[str, tuple[Any, ...]]:
    return recount.spend(first_day(kind, last), last, key)


def total(recount: Recount, kind: str, last: date) -> tuple[Any, ...]:
    found = sums(recount, kind, last, lambda used: "")
    return money(found.get("", (0, 0, 0, 0, 0, ())))


def by_model(recount: Recount, kind: str, last: date) -> Rows:
    """(model, net, gross, requests, prompt and completion tokens), the dearest first."""
    found = sums(recount, kind, last, lambda used: used.model)
    order = sorted(found, key=lambda model: (bool(found[model][5]), -found[model][3], model))
    return [(model or "Code execution", *money(found[model])) for model in order]


def by_person(recount: Recount, kind: str, last: date) -> Rows:
    """(rank, name and e-mail, net, gross, requests, prompt and completion tokens), the highest net first."""
    found = sums(recount, kind, last, lambda used: used.person)
    found.pop("", None)
    order = sorted(found, key=lambda person: (-found[person][3], person))[:10]
    return [(rank, who(recount, person), *money(found[person])) for rank, person in enumerate(order, start=1)]


def who(recount: Recount, account: str) -> str:
    """A person as a table shows them: name, and below it the e-mail."""
    name, email, _ = recount.name(account)
    return "\n".join(filter(None, (name or "Unknown", email)))
