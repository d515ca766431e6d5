"""What metrics answer: numbers that say which window they are of, how far the tables reach, and of how many.

None means unknown: the tables do not reach that far, a price is missing, or nobody divides by nothing. It is never
shown as 0, and 0 is never unknown.
"""

from datetime import date, datetime
from typing import Generic, TypeVar

from msgspec import Struct

from reports.periods import Period

T = TypeVar("T")

DELETED_USER = "Deleted user"


class ResultMeta(Struct, frozen=True, kw_only=True):
    """What every answer says beside its numbers.

    `window`: the days it is of, both ends included (`begins` and `ends` are half-open moments). `data_refreshed_at`:
    all that the log had received by then is in the numbers; None when that is unknown. `complete`: every day of the
    window was complete then, and none is older than the oldest day that is kept. What comes later still counts.
    """

    window: Period
    data_refreshed_at: datetime | None
    complete: bool


class Ratio(Struct, frozen=True, kw_only=True):
    """A part and what it is a part of; either is None when unknown. A part may exceed the whole (docs/metrics.md)."""

    numerator: int | None
    denominator: int | None

    @property
    def value(self) -> float | None:
        """Their quotient, not rounded; None when either is unknown or the denominator is 0."""
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
    """One day's number: None is a gap (the tables do not reach that day); `complete` as in About."""

    day: date
    value: T | None
    complete: bool


class Series(Struct, Generic[T], frozen=True, kw_only=True):
    """A number for each day of the window, oldest first, none left out."""

    about: ResultMeta
    days: tuple[Day[T], ...]


class Totals(Struct, Generic[T], frozen=True, kw_only=True):
    """A number of the whole window, counted as such and not added up from its days, and each day's."""

    about: ResultMeta
    total: T | None
    days: tuple[Day[T], ...]


class PeopleCount(Struct, frozen=True, kw_only=True):
    """How many people, and who they are: `account_ids` in ascending order, None unless they were asked for."""

    about: ResultMeta
    people: int | None
    account_ids: tuple[str, ...] | None


class Person(Struct, frozen=True, kw_only=True):
    """An account as it is known now. One that is gone or forgotten is named DELETED_USER; an unknown name is None."""

    account_id: str
    name: str | None
    email: str | None
    deleted: bool


class Leader(Struct, Generic[T], frozen=True, kw_only=True):
    """A place in a ranking, counted from 1. Ties have different ranks; which comes first is fixed by each metric."""

    rank: int
    person: Person
    value: T


class Leaders(Struct, Generic[T], frozen=True, kw_only=True):
    """The first people of a ranking. `ranked`: how many people have anything to be ranked by; None when unknown."""

    about: ResultMeta
    ranked: int | None
    leaders: tuple[Leader[T], ...]


class Actives(Struct, frozen=True, kw_only=True):
    """Distinct people active on the day, in the 7 and in the 30 days that end with it."""

    daily: int
    weekly: int
    monthly: int


class Seats(Struct, frozen=True, kw_only=True):
    """Seats at the end of a day; `purchased` None: the directory has not said how many."""

    assigned: int
    purchased: int | None


class Adoption(Struct, frozen=True, kw_only=True):
    """Active people as a share of the seats that were assigned at the end of the day. Utilization is `weekly`."""

    daily: Ratio
    weekly: Ratio
    monthly: Ratio
    purchased_seats: int | None


class Share(Struct, frozen=True, kw_only=True):
    """People who did a thing in the window: of the seats assigned at its end, and of the people active in it."""

    about: ResultMeta
    of_seats: Ratio
    of_active: Ratio
    account_ids: tuple[str, ...] | None
