"""The parameters of a simulation."""

from dataclasses import dataclass, fields
from datetime import date, timedelta

from tally_client.validity import EARLIEST

EARLIEST_DAY = EARLIEST.date()
"""Earlier usage would all become dead letters: it is older than the oldest window kept."""

RATES = ("duplicates", "late", "poison", "out_of_order", "clock_skew")


@dataclass(frozen=True)
class Plan:
    """The history to generate: the `days` days before `until` 00:00 UTC. The same plan gives the same bytes.

    `users` is the number of people when the period begins; `intensity` scales everyone's activity. `duplicates`, `late`
    (up to 3 days) and `out_of_order` (up to 10 minutes) are shares of the events, `poison` of the records, `clock_skew`
    of the people. Raises ValueError with the setting's name if it is out of range.
    """

    until: date
    seed: int = 1
    organizations: int = 6
    users: int = 400
    days: int = 35
    intensity: float = 1.0
    duplicates: float = 0.0
    late: float = 0.0
    poison: float = 0.0
    out_of_order: float = 0.01
    clock_skew: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in RATES and not 0.0 <= getattr(self, field.name) <= 0.5:
                raise ValueError(f"{field.name} must be from 0 to 0.5, not {getattr(self, field.name)}")
        if min(self.organizations, self.days) < 1 or self.users < self.organizations:
            raise ValueError("a simulation needs at least 1 day, 1 organization and 1 user per organization")
        if not 0.0 < self.intensity <= 1000.0:
            raise ValueError(f"intensity must be above 0 and at most 1000, not {self.intensity}")
        if self.until.toordinal() - self.days < EARLIEST_DAY.toordinal():
            raise ValueError(f"{self.days} days before {self.until} begin before {EARLIEST_DAY}, the earliest day kept")

    @property
    def start(self) -> date:
        """The first day of the period."""
        return self.until - timedelta(days=self.days)
