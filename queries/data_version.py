"""What an organization's answers are made of, as it is now, and how that is told without reading it."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from threading import Lock

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from queries.per_client import PerClient
from queries.sql_files import fetch_rows

NO_DAY = date(1970, 1, 1)
"""Where data_version.sql puts what belongs to no day."""

CELLS = ("spend", "chat", "file", "project", "artifact", "connector", "session")
"""The kinds that have days."""

MOST_ORGANIZATIONS = 1000
"""Of how many the state is kept; what was not asked for longest gives way."""

ACCESS_DENIED = 497
"""ClickHouse's code for a user who was not granted system.parts."""

Kinds = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class DataVersion:
    """What one organization's answers are made of: a (state, stamp) by kind for each day, and at NO_DAY for all else.

    A state tells every change of a row; a stamp tells that cells were written, and not that parts were merged.
    """

    of_days: Mapping[date, Kinds] = field(default_factory=dict)

    def digest_until(self, last: date, kinds: Collection[str] | None = None) -> str:
        """A digest of what every answer about days up to `last` is made of, those before its first day included.

        `kinds`: of these alone, when the answer is made of nothing else.
        """
        return _digest(
            (day.toordinal(), [(kind, found[kind]) for kind in sorted(found) if kinds is None or kind in kinds])
            for day, found in sorted(self.of_days.items())
            if day <= last
        )

    def digest_of_day(self, day: date) -> str:
        """A digest of the day's cells, and of which of them count. The days of an equal state have equal cells."""
        return _digest([sorted(self.of_days.get(day, {}).items()), self._others.get("epochs")])

    def digest_of(self, *kinds: str) -> str:
        """A digest of these kinds, which have no days."""
        return _digest([kind, self._others.get(kind)] for kind in kinds)

    def revision_hash(self, first: date, last: date, *more: str) -> str:
        """What changes when any day of [first, last] is revised, and only then: equal stamps, equal cells.

        `more` are kinds without days that a revision may lie in, too.
        """
        days = [
            (day.toordinal(), _stamps(kinds)) for day, kinds in sorted(self.of_days.items()) if first <= day <= last
        ]
        others = _stamps({kind: found for kind, found in self._others.items() if kind in ("epochs", *more)})
        return _digest([*days, others])

    @property
    def days(self) -> list[date]:
        """The days that have cells, the oldest first."""
        return sorted(day for day in self.of_days if day != NO_DAY)

    @property
    def _others(self) -> Kinds:
        return self.of_days.get(NO_DAY, {})


def _stamps(kinds: Kinds) -> list[tuple[str, str]]:
    return sorted((kind, stamp) for kind, (_, stamp) in kinds.items())


def _digest(parts: Iterable[object]) -> str:
    return sha256(repr(list(parts)).encode()).hexdigest()


class DataVersions:
    """Present states of organizations. Safe to share among threads.

    A state is read again when any part of a table came or went: that is asked each time, and costs a tenth of it.
    """

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[str, DataVersion]] = OrderedDict()
        self._lock = Lock()

    def now(self, client: Client, organization_id: str) -> DataVersion:
        """The organization's present state. Raises ClickHouseError."""
        parts = parts_digest(client)
        with self._lock:
            found = self._found.get(organization_id)
            if found is not None and parts and found[0] == parts:
                self._found.move_to_end(organization_id)
                return found[1]
        state = read_data_version(client, organization_id)
        with self._lock:
            self._found[organization_id] = (parts, state)
            while len(self._found) > MOST_ORGANIZATIONS:
                self._found.popitem(last=False)
        return state


def parts_digest(client: Client) -> str:
    """What is equal while no table has changed; "" when nobody may tell, since parts are not shown to this user."""
    try:
        [(parts, digest)] = fetch_rows(client, Path(__file__).with_name("table_parts.sql"), {})
    except ClickHouseError as error:
        if getattr(error, "code", None) != ACCESS_DENIED:
            raise
        return ""
    return str(digest) if parts else ""


def read_data_version(client: Client, organization_id: str) -> DataVersion:
    """The organization's present state, read anew. Raises ClickHouseError."""
    of_days: dict[date, dict[str, tuple[str, str]]] = {}
    rows = fetch_rows(client, Path(__file__).with_name("data_version.sql"), {"organization_id": organization_id})
    for kind, day, state, stamp in rows:
        of_days.setdefault(day, {})[kind] = (state, stamp)
    return DataVersion(of_days)


def data_version(client: Client, organization_id: str) -> DataVersion:
    """The organization's present state, by what is known of the database that the client reads."""
    return _states(client).now(client, organization_id)


_states = PerClient(DataVersions)
