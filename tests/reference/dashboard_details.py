"""What the pages of one person and of one connector must show: recounted from the events, by figure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from tests.reference.dashboard_figures import Rows, days_of, money
from tests.reference.metric_rules import first_day
from tests.reference.metrics import Recount
from tests.reference.model.events import Event
from tests.reference.model.names import connector_key

ACTS = (
    *("chat.started", "chat.message", "session.started", "session.activity", "project.used", "artifact.created"),
    "connector.called",
)
THINGS = {"chat": "conversation_id", "project": "project_id", "artifact": "artifact_id"}
SPELT = {"office_agent": "Office Agents", "claude_in_chrome": "Claude in Chrome", "": "No product"}
ACCESSES = ("read", "write", "unclassified")


def product_of(event: Event) -> str:
    """Where it happened, by name; without a product it counts as chat, sessions apart."""
    product = event.get("product") or ("" if event["type"].startswith("session") else "chat")
    return SPELT.get(product) or product.replace("_", " ").title().replace("Api", "API")


def acts(recount: Recount, person: str, first: date, last: date) -> list[Event]:
    """What a person did."""
    found = recount.within(first, last, *ACTS)
    return [event for event in found if (event["actor"]["type"], event["actor"]["id"]) == ("user", person)]


def did(events: Iterable[Event]) -> tuple[int, ...]:
    """(messages, chats, sessions, lines accepted, commits, pull requests, projects, artifacts, connector calls)."""
    things: dict[str, set[str]] = defaultdict(set)
    sums: Counter[str] = Counter()
    for event in events:
        kind = event["type"].partition(".")[0]
        if kind == "session":
            things[kind].add(event["session_id"])
            for name in ("messages", "lines_added", "commits", "pull_requests"):
                sums[name] += event.get(name, 0)
        elif kind == "connector":
            sums["calls"] += 1
        else:
            things[kind].add(event[THINGS[kind]])
            sums["messages"] += event["type"] == "chat.message"
    counted = [len(things[kind]) for kind in ("chat", "session", "project", "artifact")]
    coded = (sums["lines_added"], sums["commits"], sums["pull_requests"])
    return sums["messages"], *counted[:2], *coded, *counted[2:], sums["calls"]


def by_day(kind: str, last: date, counted: Callable[[date, date], tuple[Any, ...]]) -> Rows:
    """A row of counts for each day."""
    return [(day, *counted(day, day)) for day in days_of(kind, last)]


def by_product(events: list[Event], counted: Callable[[list[Event]], tuple[Any, ...]]) -> Rows:
    """A row of counts for each product."""
    rows: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        rows[product_of(event)].append(event)
    return sorted((product, *counted(events)) for product, events in rows.items())


def person(recount: Recount, account: str, kind: str, last: date) -> dict[str, Rows]:
    """Every figure of a person but spend."""
    first = first_day(kind, last)
    return {
        "days": by_day(kind, last, lambda first, last: did(acts(recount, account, first, last))),
        "products": by_product(acts(recount, account, first, last), did),
        "models": models(recount, account, first, last),
    }


def models(recount: Recount, account: str, first: date, last: date) -> Rows:
    """(model, requests, prompt and completion tokens) of all requests, most first."""
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in recount.within(first, last, "token.used"):
        if event["actor"]["id"] == account:
            row = rows[event["model"]]
            row[0] += 1
            row[1] += sum(count for name, count in event.items() if name.endswith("input_tokens"))
            row[2] += event.get("output_tokens", 0)
    return sorted(((model, *row) for model, row in rows.items()), key=lambda row: (-row[1], row[0]))


def spend(recount: Recount, account: str, kind: str, last: date) -> dict[str, Rows]:
    """Every figure of a person's spend; the recount's "" are others."""
    first = first_day(kind, last)
    nothing = (0, 0, 0, 0, 0, ())

    def sums(key: Callable[[Any], str], first: date, last: date) -> dict[str, tuple[Any, ...]]:
        found = recount.spend(first, last, lambda used: key(used) if used.person == account else "others")
        return {name: row for name, row in found.items() if name != "others"}

    def ranked(key: Callable[[Any], str]) -> Rows:
        found = sums(key, first, last)
        order = sorted(found, key=lambda name: (bool(found[name][5]), -found[name][3], name))
        return [(name, *money(found[name])) for name in order]

    return {
        "spend": by_day(kind, last, lambda first, last: money(sums(lambda _: "", first, last).get("", nothing))),
        "spend-products": ranked(lambda used: product_of({"product": used.product, "type": "session"})),
        "spend-models": ranked(lambda used: used.model or "Code execution"),
    }


def calls(events: Iterable[Event]) -> tuple[int, ...]:
    """(people, calls, reads, writes, unclassified)."""
    events = list(events)
    kinds = Counter(event.get("access", "unclassified") for event in events)
    people = {event["actor"]["id"] for event in events if event["actor"]["type"] == "user"}
    return len(people), len(events), *(kinds[access] for access in ACCESSES)


def called(recount: Recount, key: str, first: date, last: date) -> list[Event]:
    """The calls of a connector."""
    return [event for event in recount.within(first, last, "connector.called") if connector_key(event["name"]) == key]


def connector(recount: Recount, key: str, kind: str, last: date) -> dict[str, Rows]:
    """Every figure of a connector."""

    products = by_product(called(recount, key, first_day(kind, last), last), calls)
    return {
        "days": by_day(kind, last, lambda first, last: calls(called(recount, key, first, last))),
        "products": sorted(products, key=lambda row: (-row[2], row[0])),
    }
