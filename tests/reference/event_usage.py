"""An independent recount of usage and of what it costs, event by event: the events' lines and the price file alone, in
plain Python with fractions. It imports nothing of Tally."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

Event = dict[str, Any]
TOKENS = (
    *("uncached_input_tokens", "cache_read_input_tokens", "cache_creation_5m_input_tokens"),
    *("cache_creation_1h_input_tokens", "output_tokens"),
)
SEATED = ("team", "enterprise_seat_based")
TERMS = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}
ENDS = {"group.deleted": "group_id", "member.removed": "account_id", "account.deleted": "account_id"}


class Row(NamedTuple):
    """What was used: its values by dimension ('' is none), and its amounts by name, in units of 10^-24."""

    values: dict[str, str]
    amounts: dict[str, int]


def units(amount: int | Fraction) -> int:
    """An amount in units of 10^-24: money has no more digits. Raises ValueError if it has."""
    found = Fraction(amount) * 10**24
    if found.denominator != 1:
        raise ValueError(f"{amount} has more than 24 digits")
    return found.numerator


def sums(rows: Iterable[Row], by: Sequence[str], amounts: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """The amounts by the values of `by`, groups of nothing left out."""
    found: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(amounts))
    for row in rows:
        key = tuple(row.values[name] for name in by)
        found[key] = [total + row.amounts[name] for total, name in zip(found[key], amounts, strict=True)]
    return {key: totals for key, totals in found.items() if any(totals)}


def once(events: Iterable[Event]) -> list[Event]:
    """The events in the order of the log, each event_id once: the first that arrived counts."""
    seen: dict[str, Event] = {}
    for event in events:
        seen.setdefault(event["event_id"], event)
    return list(seen.values())


def moment(text: str) -> datetime:
    """A moment; a day is its midnight in UTC."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


class PriceFile:
    """What a line of the price file makes of usage."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8") as file:
            lines = list(csv.DictReader(line for line in file if not line.startswith("#")))
        self._lines: dict[str, list[tuple[datetime, dict[str, str]]]] = defaultdict(list)
        for line in lines:
            for model in (line["model"], *line["aliases"].split()):
                self._lines[model].append((moment(line["effective_from"]), line))

    def usd(self, event: Event, hour: datetime) -> Fraction:
        """The list price of an event. Raises ValueError when it has none."""
        tools = self._line("", hour)
        found: Fraction = event.get("web_search_requests", 0) * Fraction(tools["web_search"])
        found += event.get("milliseconds", 0) * Fraction(tools["execution_ms"])
        if "model" in event:
            prices = token_prices(self._line(undated(event["model"]), hour), event)
            found += sum(event.get(name, 0) * price for name, price in zip(TOKENS, prices, strict=True))
        return found

    def _line(self, model: str, hour: datetime) -> dict[str, str]:
        return max((line for line in self._lines[model] if line[0] <= hour), key=lambda line: line[0])[1]


def undated(model: str) -> str:
    """The model's id without its date, if it has one."""
    head, _, tail = model.rpartition("-")
    return head if tail == "latest" or (len(tail) == 8 and tail.startswith("20") and tail.isdigit()) else model


def token_prices(line: dict[str, str], event: Event) -> list[Fraction]:
    """USD of a token of each class. Raises ValueError for what the line states no price of."""
    stated: str = event.get("service_tier", "standard")
    tier = {"priority_on_demand": "priority"}.get(stated, stated)
    factor = Fraction(1, 1_000_000) * (1 if tier == "standard" else Fraction(line[tier]))
    factor *= Fraction(line["us"]) if event.get("inference_geo") == "us" else 1
    given = written = factor
    if event.get("speed") == "fast":
        given = written = factor * Fraction(line["fast"])
    elif event.get("context_window") == "200k-1M":
        given, written = factor * Fraction(line["long_input"]), factor * Fraction(line["long_output"])
    given *= Fraction(line["input"])
    caches = [given * Fraction(line[name]) for name in ("cache_read", "cache_write_5m", "cache_write_1h")]
    return [given, *caches, written * Fraction(line["output"])]


class Directory:
    """What an organization paid by, and who stood for which cost centre, at any hour; from events in log order."""

    def __init__(self, events: Iterable[Event], organization: str) -> None:
        self._terms: dict[str, list[tuple[datetime, Any]]] = defaultdict(list)
        self._steps: list[tuple[datetime, Event]] = []
        for event in events:
            if event["organization_id"] != organization:
                continue
            if event["type"] in TERMS:
                self._terms[event["type"]].append((moment(event["effective_from"]), event[TERMS[event["type"]]]))
            elif event["type"] in ("group.saved", "group.joined", "group.left", *ENDS):
                self._steps.append((moment(event["occurred_at"]), event))
        self._steps.sort(key=lambda step: step[0])
        self.cost_center = cache(self._cost_center)

    def term(self, kind: str, hour: datetime, otherwise: Any) -> Any:
        """What holds at that hour; of two changes from one instant the last written."""
        past = [change for change in self._terms[kind] if change[0] <= hour]
        return sorted(past, key=lambda change: change[0])[-1][1] if past else otherwise

    def is_reported(self, event: Event, hour: datetime) -> bool:
        """Whether somebody pays for it apart from a seat."""
        extra = event["funding"] == "extra_usage" and self.term("extra_usage.changed", hour, False)
        return extra or self.term("plan.changed", hour, "") not in SEATED

    def _cost_center(self, account: str, hour: datetime) -> str:
        """That of the group which the person joined first, of those that have one as the hour begins."""
        centers: dict[str, str | None] = {}
        since: dict[str, datetime] = {}
        for at, event in self._steps:
            if at > hour:
                break
            kind, group = event["type"], event.get("group_id", "")
            if kind == "group.saved":
                centers[group] = event.get("cost_center")
            elif kind == "group.joined" and event["account_id"] == account:
                since.setdefault(group, at)
            elif kind == "group.deleted" or (kind != "group.joined" and event["account_id"] == account):
                since = {held: joined for held, joined in since.items() if group and held != group}
        held = sorted((joined, group) for group, joined in since.items() if centers.get(group))
        return centers[held[0][1]] or "" if held else ""


def recount(
    events: Iterable[Event], prices: PriceFile, organization: str, begins: datetime, ends: datetime
) -> Iterator[Row]:
    """A row for each event in [begins, ends) that is reported."""
    events = once(events)
    directory = Directory(events, organization)
    for event in events:
        if event["organization_id"] != organization or event["type"] not in ("token.used", "execution.used"):
            continue
        at = moment(event["occurred_at"])
        hour = at.replace(minute=0, second=0, microsecond=0)
        if begins <= at < ends and directory.is_reported(event, hour):
            values = dimensions(event, at, partial(directory.cost_center, hour=hour))
            usd = prices.usd(event, hour)
            discount = Fraction(directory.term("discount.changed", hour, "0"))
            money = {"list_usd": units(usd), "net_usd": units(usd * (1 - discount))}
            yield Row(values, counts(event) | money)


def dimensions(event: Event, at: datetime, cost_center: Callable[[str], str]) -> dict[str, str]:
    """The event's values; machines are nobody."""
    person = event["actor"]["id"] if event["actor"]["type"] == "user" else ""
    return {
        "day": f"{at:%Y-%m-%d}",
        "person": person,
        "model": event.get("model", ""),
        "product": event.get("product") or "",
        "cost_center": cost_center(person) if person else "",
        "channel": (event.get("attribution") or {}).get("slack_channel_id") or "",
    }


def counts(event: Event) -> dict[str, int]:
    """The event's counts."""
    found = {name: event.get(name, 0) for name in (*TOKENS, "web_search_requests", "milliseconds")}
    is_request = event["type"] == "token.used"
    spans = 0 if is_request else event.get("spans", 1)
    found["prompt_tokens"] = sum(found[name] for name in TOKENS[:4])
    found |= {"requests": int(is_request), "calls": is_request + spans}
    return {name: units(count) for name, count in found.items()}
