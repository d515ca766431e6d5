"""Random rows of chat and session cells: five people of two organizations, over five weeks."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

ORGANIZATIONS = [f"aaaaaaaa-0000-4000-8000-0000000000{number:02d}" for number in range(2)]


PEOPLE = [f"bbbbbbbb-0000-4000-8000-0000000000{number:02d}" for number in range(5)]


THINGS = [str(UUID(int=number)) for number in range(1, 9)]


FIRST = date(2026, 10, 1)


def random_days(dice: random.Random, topic: str, number: int) -> Iterator[dict[str, Any]]:
    """What cells of all kinds have in common: people and machines in sources, days and products."""
    for offset in range(number):
        yield {
            "source": f"{topic}/{dice.randrange(2)}@0",
            "organization_id": dice.choice(ORGANIZATIONS),
            "day": str(FIRST + timedelta(days=dice.randrange(35))),
            "actor_type": dice.choice(("user", "user", "user", "api_key")),
            "actor_id": dice.choice(PEOPLE),
            "product": dice.choice(("chat", "claude_code", "cowork", "science")),
            "log_offset": offset,
        }


def random_chats(dice: random.Random) -> list[dict[str, Any]]:
    """Rows of chat cells, several of one key among them."""
    rows = list(random_days(dice, "tally.chat", 150))
    return [row | {"conversation_id": dice.choice(THINGS), "messages": dice.randrange(3)} for row in rows]


def random_sessions(dice: random.Random) -> list[dict[str, Any]]:
    """Rows of session cells, several of one key among them."""
    counters = ("messages", "tool_uses", "commits", "pull_requests")
    rows = list(random_days(dice, "tally.session", 200))
    return [
        row | {"session_id": dice.choice(THINGS)} | {name: int(dice.random() < 0.2) for name in counters}
        for row in rows
    ]
