"""Recount a file of `tally simulate` with nothing of Tally but its price list. Written to be read from top to bottom.

    python -m tests.reference.recount_ndjson FILE FIRST LAST FOLDER

It writes the spend report of each organization for the days from FIRST to LAST into FOLDER (`spend-ID.csv`), and the
active users of each day and of the 7 and 30 days that end with it to standard output.
"""

import csv
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any, NamedTuple

from pricing.price_table import read_price_list

Event = dict[str, Any]
History = dict[datetime, Any]
"""What holds from a moment on."""

CACHED = ("cache_read_input_tokens", "cache_creation_5m_input_tokens", "cache_creation_1h_input_tokens")
PROMPT = ("uncached_input_tokens", *CACHED)
TOKENS = (*PROMPT, "output_tokens")
TOOLS = ("web_search_requests", "milliseconds")
"""Seven counters, in the order of a price's amounts. The prices of tools do not depend on the model."""

TIERS = ("standard", "batch", "priority", "priority_on_demand", "flex", "flex_discount")
DIMENSIONS = {"service_tier": "standard", "context_window": "0-200k", "inference_geo": "global", "speed": "standard"}
"""Of a price, besides the model, with what an event means that does not have the field."""

BAD_TEXT = re.compile("[\n\ufffd]|[0-]{36}")
"""A line break, what was no UTF-8, or the id of nobody."""

NO_MODEL = ("", "", "", "", "")
TERMS = {"plan.changed": "plan", "discount.changed": "discount", "extra_usage.changed": "enabled"}
SEAT_PLANS = ("team", "enterprise_seat_based")
ACTIVE_BY = {"claude_code": ("tool_uses", "commits", "pull_requests"), "cowork": ("tool_uses", "messages")}
"""The counters of a session that make its person active, by product."""

COLUMNS = (
    *("date", "organization_uuid", "user_email", "account_uuid", "product", "model", "model_family", "total_requests"),
    *("total_prompt_tokens", "total_completion_tokens", "total_net_spend_usd", "total_gross_spend_usd"),
)


class Log(NamedTuple):
    """What the file says: each event once, the e-mails of people, and the terms of organizations."""

    events: dict[tuple[str, str, str], Event]
    emails: dict[tuple[str, str], str]
    terms: dict[tuple[str, str], History]


def read_log(path: Path) -> Log:
    """Read the file line by line. What a producer sent in another form than an event has a `$topic`."""
    log = Log({}, {}, defaultdict(dict))
    for line in path.read_text(errors="replace").split("\n")[:-1]:
        event = json.loads(line)
        if "$topic" not in event:
            if is_valid(event):
                add_event(log, event)
        elif event["$topic"] == "tally.profiles" and event.get("$value_base64") is None:
            log.emails.update({who: "" for who in log.emails if who[1] == event["$key"]})  # a tombstone
    return log


def add_event(log: Log, event: Event) -> None:
    """Take an event in, unless it is a repetition. The last e-mail in the file holds."""
    organization, kind = event["organization_id"], event["type"]
    if log.events.setdefault((organization, kind, event["event_id"]), event) is not event:
        return
    if "email" in event:
        log.emails[organization, event["account_id"]] = event["email"]
    if kind in TERMS:
        log.terms[organization, kind][datetime.fromisoformat(event["effective_from"])] = event[TERMS[kind]]


def is_valid(event: Event) -> bool:
    """Whether an event counts. The simulation spoils token events, discounts and profiles."""
    try:
        return has_valid_ids(event) and is_from_our_time(event) and has_valid_fields(event)
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def has_valid_ids(event: Event) -> bool:
    ids = (event["event_id"], event["organization_id"], event.get("actor", {"id": event["event_id"]})["id"])
    return all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in ids)


def is_from_our_time(event: Event) -> bool:
    has_zone = datetime.fromisoformat(event["occurred_at"]).tzinfo is not None
    return has_zone and 2025 <= moment_of(event).year < 2900


def has_valid_fields(event: Event) -> bool:
    """Fields by the rules of docs/events.md, as far as the simulation breaks them."""
    begin = event.get("effective_from", "2000-01-01T00:00:00Z")
    skills = (event.get("attribution") or {}).get("skills", ())
    counts = [event.get(name, 0) for name in (*TOKENS, *TOOLS)]
    return (
        "@" in event.get("email", "@")
        and bool(event.get("model", event["type"] != "token.used"))
        and bool(event.get("funding", "not paid"))
        and event.get("service_tier", "standard") in TIERS
        and Decimal(event.get("discount", 0)) <= 1
        and ":00:00" in begin
        and begin < "2200"
        and len(skills) <= 32
        and all(type(count) is int and 0 <= count <= 10**9 for count in counts)
        and not any(BAD_TEXT.search(str(value)) for name, value in event.items() if name != "name")
    )


def moment_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)


def read_prices() -> dict[tuple[str, ...], History]:
    """The amounts of each model, tier, context window, region and speed, from when on."""
    prices: dict[tuple[str, ...], History] = defaultdict(dict)
    for row in read_price_list().rows:
        *dimensions, effective_from = astuple(row.key)
        prices[tuple(dimensions)][effective_from] = row.usd
    return prices


def in_force(history: Mapping[datetime, Any], moment: datetime) -> Any:
    """The newest of a history at a moment, or None."""
    started = [start for start in history if start <= moment]
    return history[max(started)] if started else None


class Line(NamedTuple):
    """What one line of a report is of."""

    organization: str
    day: str
    email: str
    account: str
    product: str
    model: str
    priced_model: str


@dataclass
class Amounts:
    """What one line of a report adds up; no USD where the price of a part is unknown."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0
    net: Decimal | None = Decimal(0)
    gross: Decimal | None = Decimal(0)

    def add(self, event: Event, net: Decimal | None, gross: Decimal | None) -> None:
        """Add an event and what it cost."""
        self.requests += event["type"] == "token.used"
        self.prompt += sum(event.get(name, 0) for name in PROMPT)
        self.completion += event.get("output_tokens", 0)
        self.net = None if self.net is None or net is None else self.net + net
        self.gross = None if self.gross is None or gross is None else self.gross + gross


def recount_spend(log: Log, first: str, last: str) -> dict[Line, Amounts]:
    """The lines of all reports."""
    lines: dict[Line, Amounts] = defaultdict(Amounts)
    prices = read_prices()
    for event in log.events.values():
        day, organization = str(moment_of(event).date()), event["organization_id"]
        if event["type"] in ("token.used", "execution.used") and first <= day <= last and is_reported(log, event):
            account, model = person_of(event), event.get("model") or ""
            email = log.emails.get((organization, account), "")
            line = Line(organization, day, email, account, product_name(event), model, undated(model))
            gross = gross_usd(event, prices)
            discount = Decimal(term(log, event, "discount.changed") or 0)
            lines[line].add(event, None if gross is None else gross * (1 - discount), gross)
    return lines


def is_reported(log: Log, event: Event) -> bool:
    """On a plan with seats, extra usage alone is paid for by use, if the organization has it switched on."""
    if term(log, event, "plan.changed") not in SEAT_PLANS:
        return True
    return bool(term(log, event, "extra_usage.changed")) and event.get("funding") == "extra_usage"


def gross_usd(event: Event, prices: Mapping[tuple[str, ...], History]) -> Decimal | None:
    """The cost at the price list: tokens at the price of their model, tools at the price that all models share."""
    model, hour = event.get("model") or "", hour_of(event)
    tools = in_force(prices[NO_MODEL], hour)[len(TOKENS) :]
    usd = sum((event.get(name, 0) * price for name, price in zip(TOOLS, tools, strict=True)), Decimal(0))
    if not model:
        return usd
    key = (undated(model), *(event.get(name) or default for name, default in DIMENSIONS.items()))
    known = in_force(prices.get(key, {}), hour)
    if known is None:
        return None
    return sum((event.get(name, 0) * price for name, price in zip(TOKENS, known[: len(TOKENS)], strict=True)), usd)


def term(log: Log, event: Event, kind: str) -> Any:
    """A term of the event's organization in its hour."""
    return in_force(log.terms.get((event["organization_id"], kind), {}), hour_of(event))


def hour_of(event: Event) -> datetime:
    return moment_of(event).replace(minute=0, second=0, microsecond=0)


def person_of(event: Event) -> str:
    """The account of a person, "" for a machine."""
    actor = event.get("actor", {})
    return str(actor["id"]) if actor.get("type") == "user" else ""


def undated(model: str) -> str:
    """The name of a model in the price list."""
    return re.sub(r"-(20\d{6}|latest)\Z", "", model)


def product_name(event: Event) -> str:
    """The product as a report spells it: "office_agent" is "Office Agents", "messages_api" is "Messages API"."""
    words = re.sub("agent$", "agents", event.get("product") or "").replace("_", " ").title()
    return words.replace(" In ", " in ").replace("Api", "API")


def write_report(path: Path, lines: Iterable[tuple[Line, Amounts]]) -> None:
    """Write one organization's report. No text may begin like a formula of a spreadsheet."""
    families = {model.model: model.family for model in read_price_list().models}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line, amounts in sorted(lines, key=lambda pair: pair[0]):
            texts = (line.email, line.account, line.product, line.model, families.get(line.priced_model, ""))
            safe = (re.sub(r"^(?=[=+@\t\r\n-])", "'", text) for text in texts)
            usd = ("" if each is None else f"{each.normalize():f}" for each in (amounts.net, amounts.gross))
            counts = (amounts.requests, amounts.prompt, amounts.completion)
            writer.writerow([line.day, line.organization, *safe, *counts, *usd])


def recount_active(log: Log) -> Iterator[tuple[str | int, ...]]:
    """(organization, day, active users of 1, 7 and 30 days), for each day on which anybody anywhere was active."""
    active: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in log.events.values():
        if is_active(event):
            active[event["organization_id"], str(moment_of(event).date())] |= {person_of(event)} - {""}
    for organization in sorted({organization for organization, _ in active}):
        for day in sorted({day for _, day in active}):
            last = datetime.fromisoformat(day).date()
            days = [active.get((organization, str(last - timedelta(days=age))), set()) for age in range(30)]
            yield organization, day, *(len(set().union(*days[:width])) for width in (1, 7, 30))


def is_active(event: Event) -> bool:
    """A message in a chat, or work in a session; merely starting one is none."""
    if event["type"] == "session.activity":
        return any(event.get(name) for name in ACTIVE_BY.get(event.get("product") or "", ()))
    return bool(event["type"] == "chat.message")


def main(path: str, first: str, last: str, folder: str) -> None:
    """Write all reports, and print the active users."""
    getcontext().prec = 100
    log = read_log(Path(path))
    lines = recount_spend(log, first, last)
    for organization in {organization for organization, _, _ in log.events}:
        own = [(line, amounts) for line, amounts in lines.items() if line.organization == organization]
        write_report(Path(folder) / f"spend-{organization}.csv", own)
    for row in recount_active(log):
        print(*row, sep=",")


if __name__ == "__main__":
    main(*sys.argv[1:])
