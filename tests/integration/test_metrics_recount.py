"""Every metric of a simulated life equals a recount of its events, over a year's edge and a leap day, late ones too."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from zlib import crc32

import pytest

from intake.ndjson import ProducerRecord
from pricing.price_table import load_prices
from reports.metric_windows import WINDOW_KINDS
from simulation import Plan, simulate
from tests.reference.metrics import Recount
from tests.reference.model.events import Event
from tests.reference.model.prices import Prices
from tests.reference.model.terms import DISCOUNT, Terms
from tests.support.folded_tables import Folded, at
from tests.support.metric_values import differing, everything
from tests.support.table_rows import database

pytestmark = pytest.mark.slow

UNTIL = date(2028, 3, 4)
PLAN = Plan(UNTIL, seed=29, organizations=6, users=45, days=68, intensity=0.4, duplicates=0.03, late=0.05)
"""From 27 December 2027: a year, a quarter and months begin in it, and 29 February."""

HALF = date(2028, 2, 1)
LASTS = (date(2027, 12, 31), date(2028, 1, 1), date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 1), date(2028, 3, 3))
PRICES = Prices()


@dataclass
class Lived:
    """The simulated life in the tables."""

    folded: Folded
    organizations: list[str]

    def recount(self, organization: str, kind: type[Recount] = Recount) -> Recount:
        return kind(self.folded.events, organization, PRICES)


@pytest.fixture(scope="module")
def lines() -> list[ProducerRecord]:
    return list(simulate(PLAN))


@pytest.fixture(scope="module")
def folded(clickhouse: str) -> Iterator[Folded]:
    client = database(clickhouse)
    load_prices(client)
    yield Folded(client)
    client.close()


@pytest.fixture(scope="module")
def half_lived(folded: Folded, lines: list[ProducerRecord]) -> Lived:
    """The first half as it arrived: late events of it are still under way."""
    arrived = [line for line in lines if line.occurred_at[:10] < str(HALF)]
    folded.take((line for line in arrived if not is_held_back(line)), at(UNTIL))
    folded.reach(at(HALF))
    return Lived(folded, organizations_of(folded.events))


@pytest.fixture(scope="module")
def lived(half_lived: Lived, lines: list[ProducerRecord]) -> Lived:
    """All of it: what was held back comes late, and the rest."""
    folded = half_lived.folded
    known = {event["event_id"] for event in folded.events}
    folded.take((line for line in lines if not is_known(line, known)), at(UNTIL))
    folded.reach(at(UNTIL, "03:00"))
    return half_lived


def is_held_back(line: ProducerRecord) -> bool:
    """One activity in nine of the days before HALF, whichever."""
    value = line.value or b""
    return b'"actor"' in value and line.occurred_at[:10] > "2028-01-20" and crc32(value) % 9 == 0


def is_known(line: ProducerRecord, known: set[str]) -> bool:
    if line.value is None:
        return f"tombstone {line.key!r}" in known
    return any(part[:36].decode() in known for part in line.value.split(b'"event_id":"')[1:2])


def organizations_of(events: list[Event]) -> list[str]:
    return sorted({event["organization_id"] for event in events if "organization_id" in event})


def test_half_a_life_equals_its_recount(half_lived: Lived) -> None:
    for organization in half_lived.organizations[::3]:
        reading, recount = half_lived.folded.look(organization), half_lived.recount(organization)
        assert differing(reading, recount, HALF - timedelta(days=4), HALF - timedelta(days=1)) == set()


@pytest.mark.parametrize("number", range(PLAN.organizations))
def test_a_life_equals_its_recount(lived: Lived, number: int) -> None:
    """Each window ends on each of LASTS in some organization, and every organization has all windows."""
    organization = lived.organizations[number]
    reading, recount = lived.folded.look(organization), lived.recount(organization)
    for part in range(2):
        last = LASTS[(number + 3 * part) % len(LASTS)]
        found = list(everything(reading, recount, last - timedelta(days=3), last, WINDOW_KINDS[part::2]))
        assert len(found) > 100
        for what, seen, expected in found:
            assert seen == expected, f"{what} of {organization} up to {last}"


def test_what_arrived_late_counts_in_its_day(lived: Lived) -> None:
    """The days that were compared before have other numbers now, or what is late in this test tests nothing."""
    organization = largest_first(lived)[0]
    reading = lived.folded.look(organization)
    before = Recount(filter(is_early, lived.folded.events), organization, PRICES)
    assert differing(reading, before, HALF - timedelta(days=4), HALF - timedelta(days=1))


def is_early(event: Event) -> bool:
    return str(event.get("occurred_at", ""))[:10] <= "2028-01-20"


def largest_first(lived: Lived) -> list[str]:
    """The organizations, those with the most events first."""
    sizes = Counter(event.get("organization_id", "") for event in lived.folded.events)
    return sorted(lived.organizations, key=lambda organization: -sizes[organization])


# -- controls: a recount with one mistake must differ where the mistake is ---------------------------------------


class SummedDays(Recount):
    """Distinct people of a window taken as the sum of its days."""

    def count_active(self, first: date, last: date, products: Any = ("chat", "claude_code", "cowork")) -> int:
        days = map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
        return sum(len(self.active(day, day, products)) for day in days)


class SeatsAtBeginning(Recount):
    """Seats as of the beginning of the day."""

    def as_of(self, day: date) -> datetime:
        return super().as_of(day) - timedelta(days=1)


class DayLater(Recount):
    """Windows that begin a day late."""

    def within(self, first: date, last: date, *types: str) -> Any:
        return super().within(first + timedelta(days=first != last), last, *types)


class AllUsage(Recount):
    """Everything is spend, on seats too."""

    @cached_property
    def terms(self) -> Terms:
        return Terms(change for change in super().terms.changes if change.kind == DISCOUNT)


Change = Callable[[list[Event]], list[Event]]


def without_one(type_: str) -> Change:
    def shortened(events: list[Event]) -> list[Event]:
        last = max(n for n, event in enumerate(events) if event["type"] == type_ and event["actor"]["type"] == "user")
        return [event for event in events if event["event_id"] != events[last]["event_id"]]

    return shortened


def one_token_more(events: list[Event]) -> list[Event]:
    changed = next(event for event in reversed(events) if event["type"] == "token.used")
    more = {**changed, "output_tokens": changed.get("output_tokens", 0) + 1}
    return [more if event["event_id"] == changed["event_id"] else event for event in events]


MISTAKES: dict[str, tuple[type[Recount], Change, str]] = {
    "summed distincts": (SummedDays, list, "active users weekly"),
    "seats of the morning": (SeatsAtBeginning, list, "seats"),
    "windows that begin late": (DayLater, list, "chats started"),
    "all usage is spend": (AllUsage, list, "spend"),
    "a chat less": (Recount, without_one("chat.started"), "chats started"),
    "an artifact less": (Recount, without_one("artifact.created"), "artifacts created"),
    "a session's end less": (Recount, without_one("session.activity"), "claude code"),
    "a token more": (Recount, one_token_more, "spend"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_be_seen(lived: Lived, mistake: str) -> None:
    kind, change, where = MISTAKES[mistake]
    assert any(is_seen(lived, organization, kind, change, where) for organization in largest_first(lived))


def is_seen(lived: Lived, organization: str, kind: type[Recount], change: Change, where: str) -> bool:
    """Windows of a week begin on a Saturday here, when hardly anybody works; those of 30 days on a Thursday."""
    own = [event for event in lived.folded.events if event.get("organization_id") == organization]
    mistaken, last = kind(change(own), organization, PRICES), date(2028, 3, 3)
    seen = differing(lived.folded.look(organization), mistaken, last - timedelta(days=30), last, ("1-week", "1-month"))
    return any(what.startswith(where) for what in seen)
