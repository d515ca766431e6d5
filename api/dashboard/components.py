"""Parts shared by all pages: choices, series of days, rankings, and a tile's change over a week."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from api.dashboard.figures import Choice, Column, Row, Tile, person_cells
from api.dashboard.formatting import Value, days
from api.dashboard.page_request import TOPS, PageRequest
from reports.metrics import DEFAULT_LIMIT, Breakdown, Day, Leader, Ratio, ResultMeta
from reports.periods import DAY, TITLES, Period

T = TypeVar("T")

RANKED_NAMES = {
    "lines_accepted": "Lines accepted",
    "pull_requests": "Pull requests",
    "commits": "Commits",
    "sessions": "Sessions",
}
LABELS = TITLES | RANKED_NAMES
"""The label of each choice."""


def choices(ask: PageRequest, name: str, kinds: Iterable[str], figure: str = "") -> tuple[Choice, ...]:
    """Return a link for each value of the parameter `name`, in the order of LABELS."""
    return tuple(
        Choice(
            parameter=name,
            label=LABELS[kind],
            href=ask.link(anchor=figure, **{name: kind}),
            chosen=ask.chosen[name] == kind,
        )
        for kind in sorted(kinds, key=list(LABELS).index)
    )


def more_links(ask: PageRequest, ranked: int | None, figure: str) -> tuple[Choice, ...]:
    """Return links to longer versions of a ranking that has more rows."""
    if not ranked or ranked <= DEFAULT_LIMIT:
        return ()
    return tuple(
        Choice(
            parameter="top",
            label=f"First {int(top):,}",
            href=ask.link(anchor=figure, top=top),
            chosen=ask.chosen["top"] == top,
        )
        for before, top in zip(("0", *TOPS), TOPS, strict=False)
        if ranked > int(before)
    )


def day_rows(
    series: Sequence[Day[T]],
    cells: Callable[[T], Sequence[Value]],
    width: int,
    links: Callable[[date], dict[str, str]] = lambda _: {},
) -> tuple[Row, ...]:
    """Return a row per day: the day, and the `width` cells of its value; a gap's cells are None."""
    return tuple(
        Row(
            cells=(of.day, *((None,) * width if of.value is None else cells(of.value))),
            links={} if of.value is None else links(of.day),
            complete=of.complete,
            known=of.value is not None,
        )
        for of in series
    )


def leader_rows(
    ask: PageRequest, parameter: str, leaders: Sequence[Leader[T]], cells: Callable[[T], Sequence[Value]]
) -> tuple[Row, ...]:
    """Return a row per place in a ranking of people, under PERSON_COLUMNS and the columns of `cells`.

    The name links to the person's page for the days of the choice `parameter`.
    """
    return tuple(
        Row(
            cells=(leader.rank, *person_cells(leader.person), *cells(leader.value)),
            links={"name": ask.person(leader.person.account_id, ask.chosen[parameter])},
        )
        for leader in leaders
    )


def total_tiles(columns: Iterable[Column], found: Breakdown[Any], href: str) -> tuple[Tile, ...]:
    """Return a tile with the total of each column; column keys are field names of the total."""
    total, days = found.total, range_of(found.about)
    return tuple(
        Tile(
            label=column.title,
            value=None if total is None else getattr(total, column.key),
            detail=days,
            href=href,
        )
        for column in columns
    )


def range_of(about: ResultMeta) -> str:
    """Return the days of a result, as text."""
    return days(about.window.first, about.window.last)


def ratio_text(ratio: Ratio, what: str) -> str:
    """Return a ratio in words; empty if a part of it is unknown."""
    if ratio.numerator is None or ratio.denominator is None:
        return ""
    return f"{ratio.numerator:,} of {ratio.denominator:,} {what}"


def change_text(now: int | None, before: int | None, since: date) -> str:
    """Return the change of a count, as text; empty if either value is unknown."""
    if now is None or before is None:
        return ""
    if now == before:
        return f"as on {days(since, since)}"
    return f"{now - before:+,} since {days(since, since)}".replace("-", "−")


def trailing(last: date, length: int) -> Period:
    """Return the days of a trailing window."""
    return Period("custom", last - (length - 1) * DAY, last)
