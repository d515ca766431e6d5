"""Records of a log: valid events, repeats within and just beyond the horizon, conflicts, malformed ones."""

import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

START = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
ORGANIZATIONS = ("0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002")
PEOPLE = tuple(f"0b000000-0000-4000-8000-00000000000{number}" for number in range(2))
CONVERSATIONS = tuple(f"0c000000-0000-4000-8000-00000000000{number}" for number in range(2))
WORKSPACES = tuple(f"0d000000-0000-4000-8000-00000000000{number}" for number in range(2))
OTHERWISE = (
    {"product": "cowork"},
    {"product": "office_agent"},
    {"organization_id": ORGANIZATIONS[0]},
    {"organization_id": ORGANIZATIONS[1]},
)
"""What an event that comes again may say instead: another organization's is another event."""
NIL = "00000000-0000-0000-0000-000000000000"
EAST = timezone(timedelta(hours=5, minutes=30))


class Record(NamedTuple):
    """A record as a consumer gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Writer:
    """Writes the records of one partition, in order."""

    def __init__(self, rng: Random, topic: str, number: int, repeats: float, reach: int) -> None:
        self._rng = rng
        self._topic = topic
        self._name = f"{topic[6:8]}{number}".encode().hex()
        self._repeats = repeats
        self._reach = reach
        self._moment = START
        self._sent: list[tuple[int, dict[str, Any]]] = []

    def record(self, offset: int) -> Record | None:
        """The record at `offset`; None where the log has none (a control record, a compacted one)."""
        rng = self._rng
        dice = rng.random()
        if dice < 0.05:
            return None
        self._moment += timedelta(minutes=20 * rng.choice((0, 0, 0, 1, 2)))
        sent = [event for at, event in self._sent if offset - at <= self._reach]
        if dice < 0.05 + self._repeats and sent:
            event = rng.choice(sent)
            if rng.random() < 0.3:
                event = {**event, **rng.choice(OTHERWISE)}
        else:
            event = self._fresh(offset)
        value = self._spoil(event) if rng.random() < 0.08 else _encode(event)
        self._sent.append((offset, event))
        stamp = int((self._moment + timedelta(seconds=rng.randrange(60))).timestamp() * 1000)
        return Record(offset, stamp, PEOPLE[0].encode(), value)

    def _fresh(self, offset: int) -> dict[str, Any]:
        rng = self._rng
        late = timedelta(hours=rng.choice((0, 0, 0, 0, 0, 1, 1, 5, 30, 24 * 9)))
        zone = rng.choice((UTC, UTC, EAST))
        event = {
            "type": "",
            "event_id": f"{self._name:>08}-0000-4000-8000-{offset:012x}",
            "occurred_at": (self._moment - late).astimezone(zone).isoformat(),
            "organization_id": ORGANIZATIONS[rng.random() < 0.2],
            "actor": {"type": "user", "id": PEOPLE[rng.random() < 0.2]},
            "product": rng.choice(("chat", "chat", "chat", None)),
        }
        return event | (self._usage() if self._topic == "tally.token" else self._chat())

    def _usage(self) -> dict[str, Any]:
        rng = self._rng
        usage: dict[str, Any] = {"funding": "usage_based"}
        if rng.random() < 0.3:
            usage["attribution"] = {"workspace_id": rng.choice(WORKSPACES), "terminal": rng.choice(("iterm", "tmux"))}
        if rng.random() < 0.2:
            return {"type": "execution.used", **usage, "spans": 1, "milliseconds": rng.randrange(1000)}
        tokens = {"uncached_input_tokens": rng.randrange(100), "output_tokens": rng.randrange(100)}
        return {
            "type": "token.used",
            **usage,
            "request_id": "r",
            "model": rng.choice(("small", "small", "large")),
            **tokens,
        }

    def _chat(self) -> dict[str, Any]:
        rng = self._rng
        if rng.random() < 0.2:
            return {"type": "file.uploaded", "file_id": rng.choice(CONVERSATIONS)}
        if rng.random() < 0.2:
            return {"type": "chat.started", "conversation_id": rng.choice(CONVERSATIONS)}
        message = {"thinking": rng.random() < 0.5, "web_searches": rng.randrange(3)}
        return {"type": "chat.message", "conversation_id": rng.choice(CONVERSATIONS), **message}

    def _spoil(self, event: dict[str, Any]) -> bytes | None:
        ahead = (self._moment + timedelta(minutes=7)).isoformat()
        return self._rng.choice(
            (
                None,
                b"{",
                b"[]",
                _encode(event)[:-9],
                _encode({**event, "organization_id": ORGANIZATIONS[0].upper()}),
                _encode({**event, "organization_id": NIL}),
                _encode({**event, "event_id": event["event_id"].replace("-", "_")}),
                _encode({**event, "event_id": NIL}),
                _encode({**event, "type": "session.started"}),
                _encode({**event, "occurred_at": ahead}),
                _encode({**event, "occurred_at": "2024-12-31T23:59:59Z"}),
                _encode({key: value for key, value in event.items() if key != "actor"}),
            )
        )


def _encode(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
