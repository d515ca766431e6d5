"""Results of metrics: numbers with their window, how far the tables reach, and the size of rankings.

None means unknown: the tables do not reach that far, a price is missing, or the denominator is 0. Unknown is never
shown as 0, and 0 is never unknown.
"""

from datetime import date, datetime
from typing import Generic, TypeVar

from msgspec import Struct

from reports.periods import Period

T = TypeVar("T")

DELETED_USER = "Deleted user"


class ResultMeta(Struct, frozen=True, kw_only=True):
    """The metadata of every result.

    `window`: the days that it covers, both ends included (`begins` and `ends` are half-open moments).
    `data_refreshed_at`: all that the log had received by then is in the numbers; None if unknown. `complete`: every day
    of the window was complete then, and none is older than the oldest day kept. Later events still count.
    """

    window: Period
    data_refreshed_at: datetime | None
    complete: bool


class Ratio(Struct, frozen=True, kw_only=True):
    """A part and its whole; either is None if unknown. A part may exceed its whole (docs/metrics.md)."""

    numerator: int | None
    denominator: int | None

    @property
    def value(self) -> float | None:
        """The quotient, not rounded; None if either part is unknown or the denominator is 0."""
        if self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator

    @property
    def percent(self) -> float | None:
        """100 times the value, not rounded."""
        if self.numerator is None or not self.denominator:
            return None
        return 100 * self.numerator / self.denominator


class Day(Struct, Generic[T], frozen=True, kw_only=True):
    """One day's number; None is a gap (the tables do not reach that day). `complete` is as in ResultMeta."""

    day: date
    value: T | None
    complete: bool


class Series(Struct, Generic[T], frozen=True, kw_only=True):
    """A number for each day of the window, oldest first, without omissions."""

    about: ResultMeta
    days: tuple[Day[T], ...]


class Totals(Struct, Generic[T], frozen=True, kw_only=True):
    """A number for the whole window, counted over it and not summed from its days, and one for each day."""

    about: ResultMeta
    total: T | None
    days: tuple[Day[T], ...]


class PeopleCount(Struct, frozen=True, kw_only=True):
    """A number of people, and their account ids in ascending order; None unless they were requested."""

    about: ResultMeta
    people: int | None
    account_ids: tuple[str, ...] | None


class Person(Struct, frozen=True, kw_only=True):
    """An account as it is known now. A deleted or forgotten one is named DELETED_USER; an unknown name is None."""

    account_id: str
    name: str | None
    email: str | None
    deleted: bool


class Leader(Struct, Generic[T], frozen=True, kw_only=True):
    """A place in a ranking, counted from 1. Ties have different ranks; each metric defines their order."""

    rank: int
    person: Person
    value: T


class Leaders(Struct, Generic[T], frozen=True, kw_only=True):
    """The first people of a ranking. `ranked`: the number of people with a value to rank; None if unknown."""

    about: ResultMeta
    ranked: int | None
    leaders: tuple[Leader[T], ...]


class Actives(Struct, frozen=True, kw_only=True):
    """Distinct people active on the day, and in the 7 and the 30 days that end with it."""

    daily: int
    weekly: int
    monthly: int


class Seats(Struct, frozen=True, kw_only=True):
    """Seats at the end of a day; `purchased` is None if the directory does not have the number."""

    assigned: int
    purchased: int | None


class Adoption(Struct, frozen=True, kw_only=True):
    """Active people as a share of the seats assigned at the end of the day. Utilization is `weekly`."""

    daily: Ratio
    weekly: Ratio
    monthly: Ratio
    purchased_seats: int | None


class Share(Struct, frozen=True, kw_only=True):
    """People who did something in the window, as a share of seats at its end and of active people in it."""

    about: ResultMeta
    of_seats: Ratio
    of_active: Ratio
    account_ids: tuple[str, ...] | None
