"""The most used connectors and their users."""

from msgspec import Struct

from reports.connector_names import connector_names
from reports.metrics.people import DEFAULT_LIMIT
from reports.metrics.query_context import QueryContext
from reports.metrics.result_types import PeopleCount, ResultMeta
from reports.periods import Period


class Connector(Struct, frozen=True, kw_only=True):
    """The use of a connector. `calls` are by anyone; the three kinds add up to them. `people` excludes machines.

    `name` is the key that all its spellings share; `display_name` is the present one in the directory, None if there is
    none.
    """

    rank: int
    name: str
    display_name: str | None
    people: int
    calls: int
    read_calls: int
    write_calls: int
    unclassified_calls: int


class TopConnectors(Struct, frozen=True, kw_only=True):
    """The most used connectors. `ranked`: the number of connectors that were used; None if unknown."""

    about: ResultMeta
    ranked: int | None
    connectors: tuple[Connector, ...]


def top_connectors(reading: QueryContext, window: Period, limit: int = DEFAULT_LIMIT) -> TopConnectors:
    """Return the connectors that the most people called in the window. Ties: by calls, then by name."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return TopConnectors(about=about, ranked=None, connectors=())
    rows = reading.rows_of_days("top_connectors", window, limit=limit)
    names = connector_names(reading.client, reading.organization_id)
    connectors = tuple(
        Connector(
            rank=place,
            name=name,
            display_name=names.get(name),
            people=people,
            calls=calls,
            read_calls=reads,
            write_calls=writes,
            unclassified_calls=unclassified,
        )
        for place, (name, _, people, calls, reads, writes, unclassified) in enumerate(rows, start=1)
    )
    return TopConnectors(about=about, ranked=rows[0][1] if rows else 0, connectors=connectors)


def connector_people(reading: QueryContext, window: Period, connector: str) -> PeopleCount:
    """Return the people who called the connector with this key in the window."""
    about = reading.about(window)
    if not reading.covers(window.last):
        return PeopleCount(about=about, people=None, account_ids=None)
    rows = reading.rows_of_days("connector_people", window, connector=connector)
    return PeopleCount(about=about, people=len(rows), account_ids=tuple(account for (account,) in rows))
