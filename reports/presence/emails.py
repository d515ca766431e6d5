"""People ordered by e-mail address, for the pages of the list of users."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

from queries.paging import AfterRow, Ranking
from queries.sql_files import fetch_rows
from reports.presence.bitsets import Bits, numbers_of

SQL = Path(__file__).with_name("emails.sql")


@dataclass(frozen=True)
class Order:
    """People's numbers by e-mail, with e-mails and accounts in the same order. People without an e-mail come first."""

    numbers: NDArray[np.int64]
    emails: Sequence[str]
    accounts: Sequence[str]

    def page(self, people: Bits, ranking: Ranking) -> list[tuple[str, str]]:
        """Return (account id, e-mail) of these people on the page of `ranking`, whose direction is this order's."""
        start = bisect_left(range(len(self.numbers)), True, key=lambda place: ranking.is_beyond(self._row(place)))
        places = start + self._places(people, start)[: ranking.limit]
        return [(self.accounts[place], self.emails[place]) for place in places]

    def digest(self, people: Bits) -> str:
        """Return a digest that changes when one of these people has another e-mail, or the set of people changes."""
        told = [(self.accounts[place], self.emails[place]) for place in self._places(people)]
        return sha256(repr(told).encode()).hexdigest()

    def _places(self, people: Bits, start: int = 0) -> NDArray[np.intp]:
        """Return the positions of these people from `start` on, relative to it."""
        wanted = np.zeros(len(self.numbers), bool)
        wanted[numbers_of(people)] = True
        return np.flatnonzero(wanted[self.numbers[start:]])

    def _row(self, place: int) -> AfterRow:
        return AfterRow((self.emails[place],), self.accounts[place])


def put_in_order(emails: dict[str, str], accounts: Sequence[str], descending: bool) -> Order:
    """Return the people, whose numbers are their positions in `accounts`, by e-mail; ties by account id, ascending."""
    by_account = sorted(range(len(accounts)), key=accounts.__getitem__)
    numbers = sorted(by_account, key=lambda number: emails.get(accounts[number], ""), reverse=descending)
    ordered = [accounts[number] for number in numbers]
    return Order(np.array(numbers, np.int64), [emails.get(account, "") for account in ordered], ordered)


def read_emails(client: Client, organization_id: str) -> dict[str, str]:
    """Return the e-mail of everyone who was ever active in the organization. Raises ClickHouseError."""
    rows = fetch_rows(client, SQL, {"organization_id": organization_id})
    return {str(account): email for account, email in rows}
