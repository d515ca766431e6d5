"""A plain recount of one partition, sharing no code with the folds: what every cell must be at each of its stamps.

It is not a projection of `tests.reference.model`, which begins where this ends: here a record is bytes at an offset,
and what is checked is which of them are valid, repeated or late by the rules of the log, and what a crash leaves.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from tests.simulation.events import Record
from tests.simulation.told import Told, told_of, tombstone

Cell = tuple[Any, ...]
"""(table, organization, window text, *key)"""

NIL = "00000000-0000-0000-0000-000000000000"
UUID_TEXT = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REQUIRED = {
    "token.used": ("funding", "request_id", "model"),
    "execution.used": ("funding",),
    "chat.started": ("conversation_id",),
    "chat.message": ("conversation_id",),
    "file.uploaded": ("file_id",),
    "profile.updated": ("account_id", "email", "name"),
    "organization.created": ("name",),
    "discount.changed": ("effective_from", "discount"),
    **dict.fromkeys(("member.joined", "member.removed", "account.deleted"), ("account_id",)),
}
TOPIC_OF = {
    **dict.fromkeys(("token", "execution"), "tally.token"),
    **dict.fromkeys(("chat", "file"), "tally.chat"),
    **dict.fromkeys(("organization", "discount", "member", "account"), "tally.directory"),
    "profile": "tally.profiles",
}
USAGE = ("tally.token", "tally.chat")


@dataclass
class Recount:
    """What a log gives: each cell's counters by stamp; letters, attributions and what is told of people by offset."""

    cells: dict[Cell, dict[int, tuple[int, ...]]] = field(default_factory=dict)
    letters: dict[int, bool] = field(default_factory=dict)
    attributions: dict[int, str] = field(default_factory=dict)
    told: dict[int, Told] = field(default_factory=dict)
    touched: dict[int, list[Cell]] = field(default_factory=dict)
    duplicates: int = 0
    edges: int = 0


def recount(topic: str, records: Iterable[Record], block_size: int, blocks: int) -> Recount:
    """Count `records`, which come in order of offsets. A letter's value tells whether it is a conflict."""
    count = Recount()
    seen: dict[tuple[str, ...], list[tuple[int, bytes]]] = {}
    for record in records:
        if record.value is None and topic == "tally.profiles":
            count.told[record.offset] = tombstone(record)  # it has no event_id, so each forgets anew
            continue
        event = _valid(topic, record)
        if event is None:
            count.letters[record.offset] = False
            continue
        block, value = record.offset // block_size, record.value or b""
        occurrences = seen.setdefault((event["organization_id"], event["type"], event["event_id"]), [])
        count.edges += any(block - at in (blocks, blocks + 1) for at, _ in occurrences[-1:])
        near = {other for at, other in occurrences if block - at <= blocks}
        occurrences.append((block, value))
        if not near and topic in USAGE:
            _add(count, event, record)
        elif not near:
            count.told[record.offset] = told_of(event, record)
        elif near == {value}:
            count.duplicates += 1
        else:
            count.letters[record.offset] = True
    return count


def _valid(topic: str, record: Record) -> dict[str, Any] | None:
    try:
        event = json.loads(record.value or b"")
    except ValueError:
        return None
    if not isinstance(event, dict) or TOPIC_OF.get(event["type"].split(".")[0]) != topic:
        return None
    if any(name not in event for name in (*["actor"] * (topic in USAGE), *REQUIRED[event["type"]])):
        return None
    at = datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)
    logged = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    if (
        at.year < 2025
        or at > logged + timedelta(minutes=5)
        or not all(map(_is_id, (event["organization_id"], event["event_id"])))
    ):
        return None
    event["at"], event["age"] = at, logged.replace(second=0, microsecond=0) - at.replace(second=0, microsecond=0)
    return event


def _is_id(text: str) -> bool:
    return UUID_TEXT.fullmatch(text) is not None and text != NIL


def _add(count: Recount, event: dict[str, Any], record: Record) -> None:
    for cell, amounts in _cells_of(event):
        history = count.cells.setdefault(cell, {})
        before = next(reversed(history.values()), (0,) * len(amounts))
        history[record.offset] = tuple(old + new for old, new in zip(before, amounts, strict=True))
        count.touched.setdefault(record.offset, []).append(cell)
    if event.get("attribution"):
        count.attributions[record.offset] = _attribution(event)


def _attribution(event: dict[str, Any]) -> str:
    text = json.dumps(event["attribution"], separators=(",", ":")).encode()
    return str(UUID(bytes=blake2b(text, digest_size=16).digest()))


def _cells_of(event: dict[str, Any]) -> list[tuple[Cell, tuple[int, ...]]]:
    kind, at, organization, product = event["type"], event["at"], event["organization_id"], event["product"] or ""
    who = (event["actor"]["type"], event["actor"]["id"], product)
    day = (organization, at.strftime("%Y-%m-%d"))
    hour = (organization, at.strftime("%Y-%m-%d %H:00:00"))
    model = event.get("model", "")
    tokens = (event.get("uncached_input_tokens", 0), 0, 0, 0, event.get("output_tokens", 0))
    requests = int(kind == "token.used")
    first: tuple[Cell, tuple[int, ...]]
    attribution = _attribution(event) if event.get("attribution") else NIL
    if kind == "token.used":
        key = (*who, model, "standard", "", "", "", event["funding"], attribution)
        first = ("spend_cells", *hour, *key), (1, *tokens, 0, 0, 0)
    elif kind == "execution.used":
        key = (*who, "", "", "", "", "", event["funding"], attribution)
        first = ("spend_cells", *hour, *key), (0, 0, 0, 0, 0, 0, 0, event["spans"], event["milliseconds"])
    elif kind == "file.uploaded":
        first = ("file_cells", *day, *who, NIL, event["file_id"]), (1,)
    else:
        said = (1, int(event["thinking"]), 0, event["web_searches"], 0) if kind == "chat.message" else (0, 0, 0, 0, 1)
        first = ("chat_cells", *day, *who, "", NIL, event["conversation_id"]), said
    if event["age"] > timedelta(days=7):
        return [first]
    minute = ("minute_cells", organization, at.strftime("%Y-%m-%d %H:%M:00"), product, model)
    return [first, (minute, (1, requests, *tokens))]
