"""Data versions: digests of the rows that an organization's results depend on, computed without reading those rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from cachetools import LRUCache
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from aggregators.cell_tables import CellTable
from queries.dependencies import CELLS, WATCHED
from queries.per_client import PerClient
from queries.sql_files import fetch_rows, load_sql

FOLDER = Path(__file__).parent

NO_DAY = date(1970, 1, 1)
"""The day under which data_version.sql reports rows that belong to no day."""

MOST_ORGANIZATIONS = 1000
"""The number of organizations whose version is kept; the least recently used is evicted first."""

ACCESS_DENIED = 497
"""ClickHouse's error code for a user without a grant on system.parts."""

Kinds = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class DataVersion:
    """The rows that one organization's results depend on: (state, stamp) by kind, per day and at NO_DAY for the rest.

    The state changes with every change to a row. The stamp changes when cells are written, not when parts are merged.
    """

    of_days: Mapping[date, Kinds] = field(default_factory=dict)

    def digest_until(self, last: date, kinds: Collection[str] | None = None) -> str:
        """Return a digest of the rows that any result for days up to `last` depends on, including rows at NO_DAY.

        `kinds` restricts it to these kinds, for a result that depends on no others.
        """
        return _digest(
            (day.toordinal(), [(kind, found[kind]) for kind in sorted(found) if kinds is None or kind in kinds])
            for day, found in sorted(self.of_days.items())
            if day <= last
        )

    def digest_of_day(self, day: date) -> str:
        """Return a digest of the day's cells and of the epochs that count. Days with equal digests have equal cells."""
        return _digest([sorted(self.of_days.get(day, {}).items()), self._others.get("epochs")])

    def digest_of(self, *kinds: str) -> str:
        """Return a digest of these kinds, which have no days."""
        return _digest([kind, self._others.get(kind)] for kind in kinds)

    def revision_hash(self, first: date, last: date, *more: str) -> str:
        """Return a hash that changes if and only if a day of [first, last] is revised: equal stamps mean equal cells.

        `more` lists kinds without days whose changes count as a revision too.
        """
        days = [
            (day.toordinal(), _stamps(kinds)) for day, kinds in sorted(self.of_days.items()) if first <= day <= last
        ]
        others = _stamps({kind: found for kind, found in self._others.items() if kind in ("epochs", *more)})
        return _digest([*days, others])

    @property
    def days(self) -> list[date]:
        """Return the days that have cells, oldest first."""
        return sorted(day for day in self.of_days if day != NO_DAY)

    @property
    def _others(self) -> Kinds:
        return self.of_days.get(NO_DAY, {})


def _stamps(kinds: Kinds) -> list[tuple[str, str]]:
    return sorted((kind, stamp) for kind, (_, stamp) in kinds.items())


def _digest(parts: Iterable[object]) -> str:
    return sha256(repr(list(parts)).encode()).hexdigest()


class DataVersions:
    """The current versions of organizations, safe to share among threads.

    A version is read again only when a part of a table was added or removed. That check runs on every call and costs
    a tenth of reading the version.
    """

    def __init__(self) -> None:
        self._found = LRUCache[str, tuple[str, DataVersion]](MOST_ORGANIZATIONS)
        self._lock = Lock()

    def now(self, client: Client, organization_id: str) -> DataVersion:
        """Return the organization's current version. Raises ClickHouseError."""
        parts = parts_digest(client)
        with self._lock:
            found = self._found.get(organization_id)
        if found is not None and parts and found[0] == parts:
            return found[1]
        state = read_data_version(client, organization_id)
        with self._lock:
            self._found[organization_id] = (parts, state)
        return state


def parts_digest(client: Client) -> str:
    """Return a digest that is equal while no table changes, or "" if this user may not read system.parts."""
    try:
        [(parts, digest)] = fetch_rows(client, FOLDER / "table_parts.sql", {"tables": list(WATCHED)})
    except ClickHouseError as error:
        if getattr(error, "code", None) != ACCESS_DENIED:
            raise
        return ""
    return str(digest) if parts else ""


def read_data_version(client: Client, organization_id: str) -> DataVersion:
    """Read the organization's current version from ClickHouse, bypassing the cache. Raises ClickHouseError."""
    of_days: dict[date, dict[str, tuple[str, str]]] = {}
    rows = fetch_rows(client, version_sql(), {"organization_id": organization_id})
    for kind, day, state, stamp in rows:
        of_days.setdefault(day, {})[kind] = (state, stamp)
    return DataVersion(of_days)


@cache
def version_sql() -> str:
    """Return data_version.sql with a SELECT from each table of cells."""
    return load_sql(FOLDER / "data_version.sql").replace(
        "    {cells}\n", "    UNION ALL\n".join(_versions_of(kind, table) for kind, table in CELLS.items())
    )


def _versions_of(kind: str, table: CellTable) -> str:
    day = table.window if table.window == "day" else f"toDate({table.window})"
    return f"""    SELECT
        '{kind}' AS kind, {day} AS day, source, count() AS rows, sum(sipHash64(*)) AS hashes, max(log_offset) AS newest
    FROM {table.name}
    WHERE organization_id = {{organization_id:UUID}}
    GROUP BY organization_id, {day}, source
"""  # noqa: S608 - names from the declarations; the values are parameters


def data_version(client: Client, organization_id: str) -> DataVersion:
    """Return the organization's current version, cached per client. Raises ClickHouseError."""
    return _states(client).now(client, organization_id)


_states = PerClient(DataVersions)
