"""The people of an organization who were active on each day, cached in the process while the days do not change."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

from queries.data_version import DataVersion
from queries.per_client import PerClient
from queries.result_cache import cache_for
from queries.sql_files import fetch_bytes
from reports.metric_windows import days_between, days_of
from reports.periods import DAY
from reports.presence.activity_kinds import BITS
from reports.presence.bitsets import WORD, Bits, bits_of, matrix, numbers_of
from reports.presence.emails import Order, put_in_order, read_emails

FOLDER = Path(__file__).parent

DAYS_AT_ONCE = 31
"""Days per query: 22 bytes per day and person are in memory at the same time."""

MOST_BYTES = 512 << 20
"""Memory limit: a day of 100,000 people takes about 200 kB. The least recently used organization is evicted first."""

WAYS = np.dtype([("day", "<u2"), ("account", "V16"), ("ways", "<u4")])
"""A row of presence.sql in RowBinary."""

SPANS = np.dtype([("account", "V16"), ("first", "<u2"), ("last", "<u2")])
"""A row of group_days.sql in RowBinary."""

EPOCH = date(1970, 1, 1)

Ways = Mapping[str, Bits]
"""The people of a day, by kind of activity."""


@dataclass(frozen=True)
class PresenceRange:
    """The people active on the days from `first` on, as numbers of `known`, which has at least `size` people."""

    first: date
    days: Sequence[Ways]
    known: "Presence"
    size: int

    def rows(self, kinds: Iterable[str]) -> Bits:
        """Return a row per day: the set of people who were active in any of these ways."""
        wanted = tuple(kinds)
        return matrix([[day[kind] for kind in wanted if kind in day] for day in self.days], -(-self.size // WORD))

    def accounts(self, people: Bits) -> list[str]:
        """Return the account ids of a set of people, ascending as text."""
        ids = self.known.ids
        return sorted(_text(ids[number]) for number in numbers_of(people))


class Presence:
    """The cached presence of one organization, safe to share among threads. Concurrent reads of a day wait for one.

    `ids` are the accounts by number; it only grows.
    """

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self._days: dict[date, tuple[str, Ways]] = {}
        self._days_bytes = 0
        self._lock = Lock()
        self._orders: dict[bool, tuple[str, Order]] = {}
        self._ordering = Lock()

    def present(
        self, client: Client, organization_id: str, state: DataVersion, first: date, last: date
    ) -> PresenceRange:
        """Return who was active from `first` to `last`, by a state read before. Raises ClickHouseError."""
        with self._lock:
            self._read_missing(client, organization_id, state, first, last)
            days = [self._days[day][1] if day in self._days else {} for day in days_of(days_between(first, last))]
            return PresenceRange(first, days, self, len(self.ids))

    def numbers_of(self, accounts: Sequence[bytes]) -> NDArray[np.int64]:
        """Return the people's numbers, in the same order; -1 for a person who was never active."""
        with self._lock:
            return np.array([self._numbers.get(account, -1) for account in accounts], np.int64)

    def order(
        self, client: Client, organization_id: str, state: DataVersion, present: PresenceRange, descending: bool
    ) -> Order:
        """Return everyone ordered by e-mail, by a state read before. Raises ClickHouseError."""
        told = state.digest_of("profiles", "directory", "epochs")
        with self._ordering:
            known = self._orders.get(descending)
            if known is not None and known[0] == told and present.size <= len(known[1].numbers):
                return known[1]
            accounts = [_text(account) for account in self.ids[: present.size]]
            order = put_in_order(read_emails(client, organization_id), accounts, descending)
            self._orders[descending] = (told, order)
            return order

    @property
    def size_bytes(self) -> int:
        """The approximate memory use in bytes."""
        return self._days_bytes + (150 + 250 * len(self._orders)) * len(self.ids)

    def _read_missing(self, client: Client, organization_id: str, state: DataVersion, first: date, last: date) -> None:
        wanted = {day: state.digest_of_day(day) for day in state.days if first <= day <= last}
        for day in [day for day in self._days if first <= day <= last and day not in wanted]:
            self._keep(day, None)
        missing = iter([day for day, told in wanted.items() if self._days.get(day, ("",))[0] != told])
        while days := list(islice(missing, DAYS_AT_ONCE)):
            found = self._read(client, organization_id, days)
            for day in days:
                self._keep(day, (wanted[day], found.get(day, {})))

    def _keep(self, day: date, told: tuple[str, Ways] | None) -> None:
        """Replace the cached data of a day; None removes it."""
        self._days_bytes -= _bytes_of(self._days.pop(day, None))
        self._days_bytes += _bytes_of(told)
        if told is not None:
            self._days[day] = told

    def _read(self, client: Client, organization_id: str, days: Sequence[date]) -> dict[date, Ways]:
        kinds = {"kinds": list(BITS), "bits": list(BITS.values())}
        scope = {"organization_id": organization_id, "first": days[0], "last": days[-1], "days": days, **kinds}
        rows = np.frombuffer(fetch_bytes(client, FOLDER / "presence.sql", scope), WAYS)
        numbers = np.fromiter(map(self._number, rows["account"].tolist()), np.int64, len(rows))
        found: dict[date, Ways] = {}
        for number in np.unique(rows["day"]):
            of_day = rows["day"] == number
            found[EPOCH + int(number) * DAY] = self._ways(numbers[of_day], rows["ways"][of_day])
        return found

    def _ways(self, people: NDArray[np.int64], ways: NDArray[np.uint32]) -> Ways:
        met = int(np.bitwise_or.reduce(ways)) if len(ways) else 0
        size = len(self.ids)
        return {kind: bits_of(people[ways & bit != 0], size) for kind, bit in BITS.items() if met & bit}

    def _number(self, account: bytes) -> int:
        number = self._numbers.get(account)
        if number is None:
            number = self._numbers[account] = len(self.ids)
            self.ids.append(account)
        return number


class Presences:
    """The presence of organizations, up to a memory limit. Safe to share among threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._known: OrderedDict[str, Presence] = OrderedDict()
        self._lock = Lock()

    def of(self, organization_id: str) -> Presence:
        """Return the organization's presence."""
        with self._lock:
            found = self._known.setdefault(organization_id, Presence())
            self._known.move_to_end(organization_id)
            return found

    def make_room(self) -> None:
        """Evict the least recently used organizations; the most recent one stays, whatever its size."""
        with self._lock:
            size = sum(known.size_bytes for known in self._known.values())
            while len(self._known) > 1 and size > self._most_bytes:
                size -= self._known.popitem(last=False)[1].size_bytes


def read_present(client: Client, organization_id: str, state: DataVersion, first: date, last: date) -> PresenceRange:
    """Return who was active from `first` to `last`, by a state read before. Raises ClickHouseError."""
    known = _presences(client)
    found = known.of(organization_id).present(client, organization_id, state, first, last)
    known.make_room()
    return found


def read_group_days(
    client: Client, organization_id: str, state: DataVersion, groups: Sequence[str], present: PresenceRange
) -> Bits:
    """Return a row per day of `present`: the people who were in one of the groups on it. Raises ClickHouseError."""
    scope = {"organization_id": organization_id, "groups": list(groups)}
    [found] = cache_for(client).get_or_compute(
        ("held", repr(scope)),
        state.digest_of("directory", "epochs"),
        lambda: [fetch_bytes(client, FOLDER / "group_days.sql", scope)],
    )
    spans = np.frombuffer(found, SPANS)
    numbers = present.known.numbers_of(spans["account"].tolist())
    known = (numbers >= 0) & (numbers < present.size)
    numbers, first, last = numbers[known], spans["first"][known], spans["last"][known]
    begins = (present.first - EPOCH).days
    held = [
        [bits_of(numbers[(first <= day) & (day <= last)], present.size)]
        for day in range(begins, begins + len(present.days))
    ]
    return matrix(held, -(-present.size // WORD))


def _bytes_of(told: tuple[str, Ways] | None) -> int:
    return sum(bits.nbytes for bits in told[1].values()) if told else 0


def _text(account: bytes) -> str:
    """Return a UUID's text. RowBinary has it as two 64-bit numbers, the high one first, each little-endian."""
    digits = (account[7::-1] + account[:7:-1]).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_presences = PerClient(Presences)
